#include "ctl/manual/page.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

#include "config/schema.h"

namespace bascule::ctl::manual {
namespace {

/// roff: a backslash begins an escape, a dot or a quote at the start of a line a request, and '-'
/// may become a typographic hyphen that cannot be copied into a shell.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_line = i == 0 || text[i - 1] == '\n';
    if (begins_line && (text[i] == '.' || text[i] == '\'')) {
      out += "\\&";
    }
    switch (text[i]) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

/// Argument of a macro: quotes would end it.
std::string macro_argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : escaped(text)) {
    out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  }
  return out + "\"";
}

/// A sentence begins a line, as roff wants it, and no line is longer than 78 columns.
std::string lines(std::string_view text) {
  constexpr std::size_t kColumns = 78;
  std::string out;
  std::string line;
  const auto end_line = [&] {
    out += line.empty() ? "" : escaped(line) + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const auto end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (escaped(line).size() + 1 + escaped(word).size() > kColumns) {
      end_line();
    }
    line += line.empty() ? "" : " ";
    line += word;
    if (word.ends_with('.')) {
      end_line();
    }
  }
  end_line();
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// "FILE" of "FILE", "{a,b}" of "TEXT:{a,b}", "NUMBER" of "NUMBER:POSITIVE".
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto brace = type.find('{');
  return brace != std::string::npos ? type.substr(brace) : type.substr(0, type.find(':'));
}

std::string term_of(const CLI::Option& option) {
  if (option.get_positional()) {
    return option.get_name(true, false);
  }
  std::string term;
  for (const std::string& name : option.get_snames()) {
    term += (term.empty() ? "-" : ", -") + name;
  }
  for (const std::string& name : option.get_lnames()) {
    term += (term.empty() ? "--" : ", --") + name;
  }
  return option.get_items_expected_max() > 0 ? term + " " + value_name(option) : term;
}

std::string text_of(const CLI::Option& option) {
  std::string text = option.get_description();
  if (option.get_positional() && value_name(option).starts_with('{')) {
    text += ": one of " + value_name(option);
  }
  if (const std::string value = option.get_default_str(); !value.empty()) {
    text += ". Default: " + value;
  }
  return text + ".";
}

/// "basculectl stats history BRIDGE [OPTIONS]".
std::string usage_of(const CLI::App& command, const std::string& above) {
  std::string usage = above + command.get_name();
  for (const CLI::Option* option : command.get_options({})) {
    if (option->get_positional()) {
      const std::string name = option->get_name(true, false);
      usage += option->get_required() ? " " + name : " [" + name + "]";
    }
  }
  return usage;
}

void add_key(Page& page, const config::Key& key, const config::Config& defaults) {
  const std::string name = key.path.substr(key.path.rfind('.') + 1);
  std::string text = key.help;
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (!text.empty() && text.back() != '.') {
    text += '.';
  }
  text += (text.empty() ? "Allowed: " : " Allowed: ") + key.field.allowed + ".";
  if (key.field.is_secret) {
    text += " Also " + name + "-file (the path of a file that holds it) and " + name +
            "-env (the name of a variable).";
  }
  text += " Variable: " + config::environment_variable(key) + ".";
  if (!key.container_variables.empty()) {
    text += " Of the Jicofo container: " + key.container_variables + ".";
  }
  const std::string value = key.field.is_secret   ? std::string("\"...\"")
                            : key.example.empty() ? key.field.print(defaults)
                                                  : key.example;
  page.item(name + " = " + value, text);
}

}  // namespace

Page::Page(std::string_view name, int section, std::string_view date, std::string_view source)
    : page_(".\\\" Generated from the program itself (ctl/manual).\n.TH " +
            macro_argument(upper(name)) + " " + std::to_string(section) + " " + "\"" +
            std::string(date) + "\"" + " " + macro_argument(source) + "\n") {
}

Page& Page::heading(std::string_view title) {
  page_ += ".SH " + macro_argument(title) + "\n";
  return *this;
}

Page& Page::subheading(std::string_view title) {
  page_ += ".SS " + macro_argument(title) + "\n";
  return *this;
}

Page& Page::text(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    page_ += lines(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
    page_ += text.empty() ? "" : ".PP\n";
  }
  return *this;
}

Page& Page::item(std::string_view term, std::string_view text) {
  page_ += ".TP\n.B " + macro_argument(term) + "\n" + lines(text);
  return *this;
}

Page& Page::see_also(std::string_view pages) {
  return heading("SEE ALSO").text(pages);
}

void add_options(Page& page, const CLI::App& command) {
  const bool is_root = command.get_parent() == nullptr;
  for (const CLI::Option* option : command.get_options({})) {
    const bool is_help = option->check_lname("help");
    if (!option->get_group().empty() && (is_root || !is_help)) {
      page.item(term_of(*option), text_of(*option));
    }
  }
}

void add_commands(Page& page, const CLI::App& command, const std::string& above) {
  for (const CLI::App* each : command.get_subcommands({})) {
    if (each->get_group().empty()) {
      continue;
    }
    page.subheading(usage_of(*each, above)).text(each->get_description() + ".");
    add_options(page, *each);
    add_commands(page, *each, above + each->get_name() + " ");
  }
}

void add_keys(Page& page) {
  const config::Config defaults;
  std::string section;
  for (const config::Key& key : config::keys()) {
    const std::string own = key.path.substr(0, key.path.rfind('.'));
    if (own != section) {
      section = own;
      page.subheading("[" + section + "]");
    }
    add_key(page, key, defaults);
  }
}

}  // namespace bascule::ctl::manual
