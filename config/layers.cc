#include "config/layers.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "config/container.h"
#include "config/schema.h"
#include "config/validate.h"

namespace bascule::config {
namespace {

constexpr std::string_view kFileSuffix = "-file";
constexpr std::string_view kEnvSuffix = "-env";

/// Number of single-character edits between two words (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string unknown_key_message(std::string_view path) {
  constexpr std::size_t kEditsMax = 3;
  std::size_t best = kEditsMax + 1;
  std::string message = "unknown key";
  for (const auto& key : keys()) {
    if (const auto edits = distance(path, key.path); edits < best) {
      best = edits;
      message = "unknown key; did you mean " + key.path + "?";
    }
  }
  return message;
}

/// "links.client" is one because of "links.client.host".
bool is_section(std::string_view path) {
  const std::string prefix = std::string(path) + ".";
  return std::any_of(keys().begin(), keys().end(), [&prefix](const Key& key) {
    return key.path.substr(0, prefix.size()) == prefix;
  });
}

/// The secret that `path` names a source of, with the kind of source as suffix.
std::optional<std::size_t> secret_with_suffix(std::string_view path, std::string_view suffix) {
  if (path.size() <= suffix.size() || path.substr(path.size() - suffix.size()) != suffix) {
    return std::nullopt;
  }
  const auto index = find_key(path.substr(0, path.size() - suffix.size()));
  return index && keys()[*index].field.is_secret ? index : std::nullopt;
}

std::optional<std::string> variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) {
    return std::nullopt;
  }
  return found->second;
}

class Assembler {
 public:
  Assembler(const Environment& environment, const SecretReader& read_secret)
      : environment_(environment), read_secret_(read_secret) {
    loaded_.origins.resize(keys().size());
  }

  void add_entry(const Entry& entry) {
    const Origin origin{.source = Origin::Source::kFile, .line = entry.line};
    if (const auto index = find_key(entry.path)) {
      assign(*index, entry.value, origin);
    } else if (const auto from_file = secret_with_suffix(entry.path, kFileSuffix)) {
      read_secret(*from_file, as_text(entry.value).value_or(""), origin);
    } else if (const auto from_env = secret_with_suffix(entry.path, kEnvSuffix)) {
      const auto name = as_text(entry.value).value_or("");
      const auto value = variable(environment_, name);
      auto named = origin;
      named.variable = name;
      if (value) {
        assign(*from_env, Untyped{*value}, named);
      } else {
        errors_.push_back({entry.path, to_string(entry.value),
                           "names an environment variable that is not set", origin});
      }
    } else if (!(std::holds_alternative<std::monostate>(entry.value) && is_section(entry.path))) {
      errors_.push_back({entry.path, "", unknown_key_message(entry.path), origin});
    }
  }

  void add_environment() {
    for (std::size_t index = 0; index < keys().size(); ++index) {
      const auto& key = keys()[index];
      const auto own = environment_variable(key);
      const Origin origin{.source = Origin::Source::kEnvironment, .variable = own};
      assigned_.erase(index);
      if (const auto value = variable(environment_, own)) {
        assign(index, Untyped{*value}, origin);
      } else if (const auto path = variable(environment_, own + "_FILE");
                 path && key.field.is_secret) {
        read_secret(index, *path, origin);
      } else if (loaded_.origins[index].source == Origin::Source::kDefault) {
        add_container_variable(index);
      }
    }
  }

  tl::expected<LoadedConfig, std::vector<ConfigError>> finish() && {
    for (auto& error : validate(loaded_)) {
      // A key that could not be read is not also blamed for the default that stands in.
      if (!failed_.contains(error.key)) {
        errors_.push_back(std::move(error));
      }
    }
    if (!errors_.empty()) {
      return tl::make_unexpected(std::move(errors_));
    }
    derive(loaded_.config);
    return std::move(loaded_);
  }

 private:
  void add_container_variable(std::size_t index) {
    if (auto converted = converted_variable(keys()[index].path, environment_)) {
      assign_container(index, *std::move(converted));
      return;
    }
    std::string_view names = keys()[index].container_variables;
    while (!names.empty()) {
      const auto blank = names.find(' ');
      const std::string name(names.substr(0, blank));
      names = blank == std::string_view::npos ? std::string_view() : names.substr(blank + 1);
      if (const auto value = variable(environment_, name)) {
        assign_container(index, {.variable = name, .value = *value});
        return;
      }
    }
    if (auto stock = stock_default(keys()[index].path, environment_)) {
      assign_container(index, *std::move(stock));
    }
  }

  void assign_container(std::size_t index, ContainerValue given) {
    assign(index, Untyped{std::move(given.value)},
           {.source = Origin::Source::kEnvironment, .variable = std::move(given.variable)});
  }

  void read_secret(std::size_t index, const std::string& path, Origin origin) {
    const auto content = read_secret_(path);
    if (!content) {
      failed_.insert(keys()[index].path);
      errors_.push_back({keys()[index].path + std::string(kFileSuffix), print_text(path),
                         content.error().what, std::move(origin)});
      return;
    }
    auto value = *content;
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) {
      value.pop_back();
    }
    origin.secret_file = path;
    assign(index, std::move(value), origin);
  }

  void assign(std::size_t index, const RawValue& value, const Origin& origin) {
    const auto& key = keys()[index];
    if (!assigned_.insert(index).second) {
      errors_.push_back(
          {key.path, "", "is given more than once (the secret itself, -file, -env)", origin});
      return;
    }
    if (key.field.assign(loaded_.config, value)) {
      loaded_.origins[index] = origin;
      return;
    }
    failed_.insert(key.path);
    errors_.push_back({key.path, key.field.is_secret ? "" : to_string(value),
                       "must be " + key.field.allowed, origin});
  }

  const Environment& environment_;
  const SecretReader& read_secret_;
  LoadedConfig loaded_;
  std::set<std::size_t> assigned_;  // In the layer that is being added.
  std::set<std::string> failed_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::string to_string(const Origin& origin) {
  std::string text = "default";
  if (origin.source == Origin::Source::kFile) {
    text = "line " + std::to_string(origin.line);
  }
  if (!origin.variable.empty()) {
    text = "environment " + origin.variable;
  }
  if (!origin.secret_file.empty()) {
    text = "file " + origin.secret_file;
  }
  return text;
}

std::string to_string(const ConfigError& error, const std::string& file_name) {
  std::string text;
  if (error.origin.source == Origin::Source::kFile) {
    text = file_name + ":" + std::to_string(error.origin.line) + ": ";
  } else if (!error.origin.variable.empty()) {
    text = "environment " + error.origin.variable + ": ";
  }
  text += error.key;
  if (!error.value.empty()) {
    text += " = " + error.value;
  }
  return text + ": " + error.message;
}

tl::expected<LoadedConfig, std::vector<ConfigError>> assemble(const std::vector<Entry>& file,
                                                              const Environment& environment,
                                                              const SecretReader& read_secret) {
  Assembler assembler(environment, read_secret);
  for (const auto& entry : file) {
    assembler.add_entry(entry);
  }
  assembler.add_environment();
  return std::move(assembler).finish();
}

}  // namespace bascule::config
