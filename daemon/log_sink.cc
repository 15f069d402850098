#include "daemon/log_sink.h"

#include <array>
#include <memory>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace bascule::daemon {
namespace {

spdlog::level::level_enum to_spdlog(focus::NoteLevel level) {
  switch (level) {
    case focus::NoteLevel::kDebug:
      return spdlog::level::debug;
    case focus::NoteLevel::kInfo:
      return spdlog::level::info;
    case focus::NoteLevel::kWarn:
      return spdlog::level::warn;
    case focus::NoteLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// What identifies people: these keys are hashed when the operator asks for it.
bool is_personal(std::string_view key) {
  return key == "room" || key == "endpoint" || key == "participant" || key == "occupant" ||
         key == "from" || key == "jid";
}

std::string hashed(std::string_view value) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(value.data(), value.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return "unhashable";
  }
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

bool is_plain(std::string_view value) {
  if (value.empty()) {
    return false;
  }
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '=') {
      return false;
    }
  }
  return true;
}

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

struct ValueFormatter {
  bool hash;
  std::string operator()(const std::string& value) const {
    if (hash) {
      return hashed(value);
    }
    return is_plain(value) ? value : in_quotes(value);
  }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  /// Milliseconds; the key says so (`waited_ms`).
  std::string operator()(Duration value) const {
    return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
  }
};

struct JsonValue {
  bool hash;
  nlohmann::json operator()(const std::string& value) const { return hash ? hashed(value) : value; }
  nlohmann::json operator()(std::int64_t value) const { return value; }
  nlohmann::json operator()(bool value) const { return value; }
  nlohmann::json operator()(Duration value) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
  }
};

}  // namespace

LogSink::LogSink(LogOptions options) : options_(options) {
  auto logger = std::make_shared<spdlog::logger>("bascule",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern(options_.format == LogFormat::kText
                          ? "%Y-%m-%dT%H:%M:%S.%e%z %l %v"
                          : R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})");
  logger->set_level(to_spdlog(options_.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

std::string LogSink::format(const focus::Note& note, bool hash_jids) {
  std::string line(note.event);
  for (const auto& [key, value] : note.fields) {
    line += ' ';
    line += key;
    line += '=';
    line += std::visit(ValueFormatter{hash_jids && is_personal(key)}, value);
  }
  return line;
}

std::string LogSink::format_json(const focus::Note& note, bool hash_jids) {
  nlohmann::ordered_json line;
  line["event"] = std::string(note.event);
  for (const auto& [key, value] : note.fields) {
    line[std::string(key)] = std::visit(JsonValue{hash_jids && is_personal(key)}, value);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool LogSink::admit(const focus::Note& note, Now now) {
  Window& window = windows_[note.event];
  if (now.mono - window.start >= std::chrono::seconds{1}) {
    if (window.suppressed > 0) {
      emit({.level = note.level,
            .event = "log.suppressed",
            .fields = {{"what", std::string(note.event)},
                       {"suppressed", static_cast<std::int64_t>(window.suppressed)}}});
    }
    window = {.start = now.mono, .lines = 0, .suppressed = 0};
  }
  if (window.lines >= options_.lines_per_second_max) {
    ++window.suppressed;
    ++suppressed_total_;
    return false;
  }
  ++window.lines;
  return true;
}

void LogSink::write(const focus::Note& note, Now now) {
  if (note.level < options_.level || !admit(note, now)) {
    return;
  }
  emit(note);
}

void LogSink::emit(const focus::Note& note) const {
  if (options_.format == LogFormat::kText) {
    spdlog::log(to_spdlog(note.level), "{}", format(note, options_.hash_jids));
    return;
  }
  // The pattern has opened the object and closes it.
  const std::string object = format_json(note, options_.hash_jids);
  spdlog::log(to_spdlog(note.level), "{}", object.substr(1, object.size() - 2));
}

}  // namespace bascule::daemon
