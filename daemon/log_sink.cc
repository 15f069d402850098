#include "daemon/log_sink.h"

#include <array>
#include <cstdlib>
#include <memory>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace bascule::daemon {
namespace {

constexpr Duration kWindow = std::chrono::seconds{1};

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

/// With a key when the value names somebody.
struct ValueFormatter {
  std::string_view hash_key;
  std::string operator()(const std::string& value) const {
    if (!hash_key.empty()) {
      return hash_for_log(hash_key, value);
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
  std::string_view hash_key;
  nlohmann::json operator()(const std::string& value) const {
    return hash_key.empty() ? value : hash_for_log(hash_key, value);
  }
  nlohmann::json operator()(std::int64_t value) const { return value; }
  nlohmann::json operator()(bool value) const { return value; }
  nlohmann::json operator()(Duration value) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
  }
};

void add_fields(const focus::Note& note, std::string_view hash_key, nlohmann::ordered_json& to) {
  for (const auto& [key, value] : note.fields) {
    to[std::string(key)] = std::visit(JsonValue{is_personal(key) ? hash_key : ""}, value);
  }
}

std::string to_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// `<6>` before what goes to the journal (sd-daemon(3)).
class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  explicit PriorityFlag(bool is_on) : is_on_(is_on) {}
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    if (is_on_) {
      line.append(priority_of(message.level));
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<PriorityFlag>(is_on_);
  }

 private:
  static std::string_view priority_of(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug:
        return "<7>";
      case spdlog::level::info:
        return "<6>";
      case spdlog::level::warn:
        return "<4>";
      default:
        return "<3>";
    }
  }

  bool is_on_;
};

/// As in the configuration: spdlog says `warning`.
class LevelFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    line.append(message.level == spdlog::level::warn
                    ? std::string_view("warn")
                    : std::string_view(spdlog::level::to_string_view(message.level).data()));
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<LevelFlag>();
  }
};

const char* pattern_of(LogFormat format) {
  switch (format) {
    case LogFormat::kText:
      return "%*%Y-%m-%dT%H:%M:%S.%e%z %l %v";
    case LogFormat::kLogfmt:
      return "%*ts=%Y-%m-%dT%H:%M:%S.%e%z level=%l event=%v";
    case LogFormat::kJson:
      return R"(%*{"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";
  }
  return "%v";
}

std::string random_key() {
  std::string key(32, '\0');
  BASCULE_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1);
  return key;
}

}  // namespace

std::string hash_for_log(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr) {
    return "unhashable";
  }
  constexpr std::size_t kBytes = 6;
  std::string hex;
  for (std::size_t i = 0; i < kBytes; ++i) {
    hex += fmt::format("{:02x}", digest[i]);
  }
  return hex;
}

bool is_journal(const char* journal_stream, int fd) {
  struct stat status {};
  return journal_stream != nullptr && ::fstat(fd, &status) == 0 &&
         journal_stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

LogSink::LogSink(LogOptions options) : hash_key_(random_key()) {
  configure(options);
}

void LogSink::configure(const LogOptions& options) {
  options_ = options;
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PriorityFlag>('*', is_journal(std::getenv("JOURNAL_STREAM"), STDERR_FILENO))
      .add_flag<LevelFlag>('l');
  formatter->set_pattern(pattern_of(options_.format));
  auto logger = std::make_shared<spdlog::logger>("bascule",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(to_spdlog(options_.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

std::string LogSink::format(const focus::Note& note, std::string_view hash_key) {
  std::string line(note.event);
  for (const auto& [key, value] : note.fields) {
    line += ' ';
    line += key;
    line += '=';
    line += std::visit(ValueFormatter{is_personal(key) ? hash_key : ""}, value);
  }
  return line;
}

std::string LogSink::format_json(const focus::Note& note, std::string_view hash_key) {
  nlohmann::ordered_json line;
  line["event"] = std::string(note.event);
  add_fields(note, hash_key, line);
  return to_text(line);
}

std::string LogSink::fields_json(const focus::Note& note) const {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  add_fields(note, hash_key(), fields);
  return to_text(fields);
}

void LogSink::tell_suppressed(std::string_view event, Window& window) {
  if (window.suppressed > 0) {
    emit({.level = window.level,
          .event = "log.suppressed",
          .fields = {
              {"what", std::string(event)},
              {"suppressed", static_cast<std::int64_t>(std::exchange(window.suppressed, 0))}}});
  }
}

void LogSink::tell_suppressed(Now now) {
  for (auto& [event, window] : windows_) {
    if (now.mono - window.start >= kWindow) {
      tell_suppressed(event, window);
    }
  }
}

bool LogSink::admit(const focus::Note& note, Now now) {
  Window& window = windows_[note.event];
  if (now.mono - window.start >= kWindow) {
    tell_suppressed(note.event, window);
    window = {.start = now.mono};
  }
  if (window.lines >= options_.lines_per_second_max) {
    window.level = note.level;
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
  if (observer_) {
    observer_(note, now.wall);
  }
}

void LogSink::emit(const focus::Note& note) const {
  const std::string_view key = hash_key();
  if (options_.format != LogFormat::kJson) {
    spdlog::log(to_spdlog(note.level), "{}", format(note, key));
    return;
  }
  // The pattern has opened the object and closes it.
  const std::string object = format_json(note, key);
  spdlog::log(to_spdlog(note.level), "{}", object.substr(1, object.size() - 2));
}

}  // namespace bascule::daemon
