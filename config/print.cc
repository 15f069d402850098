#include "config/print.h"

#include <initializer_list>
#include <string_view>

#include "config/schema.h"

namespace bascule::config {
namespace {

constexpr const char* kExampleHeader =
    "# Configuration of bascule: every key with its default. Copy it to /etc/bascule/bascule.toml "
    "and\n"
    "# keep what differs; `bascule --check-config` names everything that is wrong, `bascule\n"
    "# --print-config` shows what is in effect and where it comes from.\n"
    "#\n"
    "# The variable BASCULE_<KEY> (links.client.host: BASCULE_LINKS_CLIENT_HOST) overrides a key.\n"
    "# Variables of the stock Jicofo container image are used for what this file leaves out; they\n"
    "# are named in brackets. A secret comes from a file, from a variable, or stands here.\n"
    "# \"reloadable\": SIGHUP (`systemctl reload bascule`) applies a changed value; the others "
    "wait for "
    "a\n# restart.\n";

std::string_view section_of(const Key& key) {
  return std::string_view(key.path).substr(0, key.path.rfind('.'));
}

std::string_view name_of(const Key& key) {
  return std::string_view(key.path).substr(key.path.rfind('.') + 1);
}

void append(std::string& text, std::initializer_list<std::string_view> parts) {
  for (const auto part : parts) {
    text += part;
  }
}

/// "\n[section]\n" where a new one begins.
void begin_section(std::string& text, std::string_view& section, const Key& key) {
  if (section_of(key) != section) {
    section = section_of(key);
    text += "\n[";
    text += section;
    text += "]\n";
  }
}

void add_comment(std::string& text, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    text += "# ";
    text += lines.substr(0, end);
    text += '\n';
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
  }
}

void add_secret_example(std::string& text, const Key& key) {
  const std::string name(name_of(key));
  append(text, {"# ", name, "-file = ", print_text(key.example), "\n"});
  append(text, {"# ", name, "-env = ", print_text(environment_variable(key)), "\n"});
  append(text, {"# ", name, " = \"...\"\n"});
}

}  // namespace

std::string print_config(const LoadedConfig& loaded) {
  std::string text;
  std::string_view section;
  for (std::size_t i = 0; i < keys().size(); ++i) {
    const auto& key = keys()[i];
    begin_section(text, section, key);
    const std::string name(name_of(key));
    const auto origin = to_string(loaded.origins[i]);
    const auto value = key.field.print(loaded.config);
    if (key.field.is_secret) {
      const bool inherited = loaded.origins[i].source == Origin::Source::kDefault;
      append(text,
             {"# ", name, " (", value, inherited ? "" : ", from ", inherited ? "" : origin, ")\n"});
    } else {
      append(text, {name, " = ", value, "  # ", origin, "\n"});
    }
  }
  return text.substr(1);  // Without the blank line before the first section.
}

std::vector<EffectiveKey> effective_keys(const LoadedConfig& loaded) {
  std::vector<EffectiveKey> all;
  all.reserve(keys().size());
  const Config defaults;
  for (std::size_t i = 0; i < keys().size(); ++i) {
    const Field& field = keys()[i].field;
    all.push_back({.key = keys()[i].path,
                   .value = field.print(loaded.config),
                   .fallback = field.print(defaults),
                   .origin = to_string(loaded.origins[i]),
                   .is_secret = field.is_secret,
                   .reloadable = field.reloadable});
  }
  return all;
}

std::string print_example() {
  std::string text = kExampleHeader;
  const Config defaults;
  std::string_view section;
  for (const auto& key : keys()) {
    begin_section(text, section, key);
    add_comment(text, key.help);
    std::string range = "(" + key.field.allowed + (key.field.reloadable ? "; reloadable)" : ")");
    if (!key.container_variables.empty()) {
      range += " [" + key.container_variables + "]";
    }
    add_comment(text, range);
    if (key.field.is_secret) {
      add_secret_example(text, key);
    } else {
      const auto value = key.example.empty() ? key.field.print(defaults) : key.example;
      append(text, {name_of(key), " = ", value, "\n"});
    }
  }
  return text;
}

}  // namespace bascule::config
