#include "config/toml/load.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <toml++/toml.h>
#include <unistd.h>

namespace bascule::config {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1024} * 1024;
constexpr std::size_t kSecretBytesMax = 4096;

/// A list of texts, or monostate.
RawValue list_of_texts(const toml::array& array) {
  std::vector<std::string> texts;
  for (const auto& item : array) {
    const auto text = item.value_exact<std::string>();
    if (!text) {
      return {};
    }
    texts.push_back(*text);
  }
  return texts;
}

RawValue raw_value(const toml::node& node) {
  if (const auto flag = node.value_exact<bool>()) {
    return *flag;
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return *number;
  }
  if (const auto fraction = node.value_exact<double>()) {
    constexpr double kMillion = 1e6;
    constexpr double kLargest = 9e12;
    return std::abs(*fraction) < kLargest ? RawValue(Millionths{std::llround(*fraction * kMillion)})
                                          : RawValue();
  }
  if (const auto text = node.value_exact<std::string>()) {
    return *text;
  }
  // An empty table stays monostate: its name is still checked.
  return node.is_array() ? list_of_texts(*node.as_array()) : RawValue();
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<Entry>& entries) {
  for (const auto& [key, node] : table) {
    std::string path = prefix + std::string(key.str());
    if (const auto* inner = node.as_table(); inner != nullptr && !inner->empty()) {
      flatten(*inner, path + ".", entries);
    } else {
      entries.push_back({.path = std::move(path),
                         .value = raw_value(node),
                         .line = static_cast<int>(node.source().begin.line)});
    }
  }
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string content;
  if (stream) {
    content.resize(bytes_max + 1);
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    return fail(Errc::kNotFound,
                "cannot be read: " + std::generic_category().message(errno == 0 ? EIO : errno));
  }
  if (content.size() > bytes_max) {
    return fail(Errc::kInvalidArgument, "is larger than " + std::to_string(bytes_max) + " bytes");
  }
  return content;
}

ConfigError syntax_error(const std::string& message, int line) {
  return {.key = "syntax",
          .message = message,
          .origin = {.source = Origin::Source::kFile, .line = line}};
}

}  // namespace

tl::expected<std::vector<Entry>, std::vector<ConfigError>> parse_toml(std::string_view text) {
  std::vector<Entry> entries;
  try {
    flatten(toml::parse(text), "", entries);
  } catch (const toml::parse_error& error) {
    return tl::make_unexpected(std::vector<ConfigError>{syntax_error(
        std::string(error.description()), static_cast<int>(error.source().begin.line))});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.line < b.line; });
  return entries;
}

tl::expected<LoadedConfig, std::vector<ConfigError>> load(const std::string& path,
                                                          const Environment& environment) {
  std::vector<Entry> entries;
  if (!path.empty()) {
    const auto text = read_file(path, kFileBytesMax);
    if (!text) {
      return tl::make_unexpected(
          std::vector<ConfigError>{{.key = path, .message = text.error().what}});
    }
    auto parsed = parse_toml(*text);
    if (!parsed) {
      return tl::make_unexpected(std::move(parsed.error()));
    }
    entries = std::move(*parsed);
  }
  return assemble(entries, environment, [](const std::string& secret_path) {
    return read_file(secret_path, kSecretBytesMax);
  });
}

Environment process_environment() {
  Environment environment;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

}  // namespace bascule::config
