#include "tests/peers/bridgesim/script.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace bascule::peers {
namespace {

using Words = std::vector<std::string>;

/// For each verb the words each argument may be; an empty list means a duration ("time") or number
/// checked below. Optional arguments come last and are counted in `optional`.
struct Verb {
  std::vector<std::string> first;  ///< Allowed first arguments; empty: any.
  std::size_t required = 0;
  std::size_t optional = 0;
  bool first_is_duration = false;
  bool first_is_number = false;
};

const std::map<std::string, Verb, std::less<>>& verbs() {
  static const std::map<std::string, Verb, std::less<>> table = {
      {"kill", {}},
      {"hang", {}},
      {"zombie", {}},
      {"deaf", {}},
      {"slow", {.required = 1, .first_is_duration = true}},
      {"flap", {.required = 1, .first_is_duration = true}},
      {"stats", {.first = {"frozen", "absent", "elsewhere", "stopped"}, .required = 1}},
      {"lie",
       {.first = {"zero", "negative", "nan", "tiny", "missing", "whitelist", "duplicate", "extra"},
        .required = 1}},
      {"clock", {.required = 1, .first_is_duration = true}},
      {"graceful", {}},
      {"shutting-down", {}},
      {"drain", {.first = {"on", "off", "absent"}, .required = 1}},
      {"errors",
       {.first = {"conference_already_exists", "conference_not_found", "graceful_shutdown",
                  "unknown_endpoint", "feature_not_implemented", "not_implemented", "conflict",
                  "bad_request", "internal", "unavailable", "forbidden", "no_answer"},
        .required = 1,
        .optional = 2}},
      {"amnesia", {}},
      {"lose-endpoints", {.required = 1, .first_is_number = true}},
      {"unhealthy", {.first = {"stats", "iq", "both"}, .required = 1}},
      {"partition", {}},
      {"clear", {}},
  };
  return table;
}

tl::unexpected<Error> bad(const std::string& text) {
  return fail(Errc::kInvalidArgument, text);
}

Result<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return bad("'" + std::string(text) + "' is not a number");
  }
  return value;
}

Words split(std::string_view line) {
  std::istringstream stream{std::string(line.substr(0, line.find('#')))};
  Words words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

Result<> check_arguments(const FaultAction& action, const Verb& verb) {
  const std::size_t count = action.arguments.size();
  if (count < verb.required || count > verb.required + verb.optional) {
    return bad("'" + action.verb + "' with " + std::to_string(count) + " arguments");
  }
  if (count == 0) {
    return {};
  }
  const std::string& first = action.arguments.front();
  if (!verb.first.empty() &&
      std::find(verb.first.begin(), verb.first.end(), first) == verb.first.end()) {
    return bad("'" + action.verb + "' does not know '" + first + "'");
  }
  if (verb.first_is_duration) {
    return parse_duration(first).map([](Milliseconds) {});
  }
  if (verb.first_is_number) {
    return parse_number(first).map([](double) {});
  }
  if (action.verb == "errors" && count >= 2) {
    const Result<double> probability = parse_number(action.arguments[1]);
    if (!probability || *probability > 1) {
      return bad("probability '" + action.arguments[1] + "'");
    }
    const std::string kind = count == 3 ? action.arguments[2] : "any";
    if (kind != "any" && kind != "create" && kind != "update" && kind != "expire" &&
        kind != "relay") {
      return bad("request kind '" + kind + "'");
    }
  }
  return {};
}

Result<ScriptLine> parse_words(Words words) {
  if (words.size() < 3 || words[0] != "bridge") {
    return bad("expected: bridge NUMBER|all VERB ...");
  }
  ScriptLine line;
  if (words[1] != "all") {
    const Result<double> number = parse_number(words[1]);
    if (!number || *number < 1) {
      return bad("bridge '" + words[1] + "'");
    }
    line.bridge = static_cast<int>(*number);
  }
  line.action.verb = words[2];
  const auto verb = verbs().find(words[2]);
  if (verb == verbs().end()) {
    return bad("unknown verb '" + words[2] + "'");
  }
  if (words.size() >= 5 && words[words.size() - 2] == "for") {
    const Result<Milliseconds> duration = parse_duration(words.back());
    if (!duration) {
      return tl::make_unexpected(duration.error());
    }
    line.action.duration = *duration;
    words.resize(words.size() - 2);
  }
  line.action.arguments.assign(words.begin() + 3, words.end());
  if (const Result<> checked = check_arguments(line.action, verb->second); !checked) {
    return tl::make_unexpected(checked.error());
  }
  return line;
}

Result<std::size_t> parse_trigger(const Words& words, FaultTrigger& trigger) {
  if (words.size() >= 2 && words[0] == "at") {
    const Result<Milliseconds> time = parse_duration(words[1]);
    if (!time) {
      return tl::make_unexpected(time.error());
    }
    trigger.threshold = std::chrono::duration<double>(*time).count();
    return 2;
  }
  if (words.size() >= 3 && words[0] == "when") {
    static const std::map<std::string, FaultTrigger::Kind, std::less<>> kinds = {
        {"endpoints", FaultTrigger::Kind::kEndpoints},
        {"requests", FaultTrigger::Kind::kRequests},
        {"stress", FaultTrigger::Kind::kStress}};
    const auto kind = kinds.find(words[1]);
    const Result<double> number = parse_number(words[2]);
    if (kind == kinds.end() || !number) {
      return bad("trigger '" + words[1] + " " + words[2] + "'");
    }
    trigger = {kind->second, *number};
    return 3;
  }
  return bad("expected: at TIME ... or when endpoints|requests|stress NUMBER ...");
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  double scale = 0;
  std::string_view number = text;
  if (text.ends_with("ms")) {
    scale = 1;
    number.remove_suffix(2);
  } else if (text.ends_with("s")) {
    scale = 1000;
    number.remove_suffix(1);
  }
  const Result<double> value = parse_number(number);
  if (scale == 0 || !value || *value > 1e7) {
    return bad("'" + std::string(text) + "' is not a duration such as 12s or 300ms");
  }
  return Milliseconds(static_cast<std::int64_t>(*value * scale));
}

Result<ScriptLine> parse_command(std::string_view text) {
  return parse_words(split(text));
}

Result<std::vector<ScriptLine>> parse_script(std::string_view text) {
  std::vector<ScriptLine> script;
  std::istringstream stream{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const Words words = split(line);
    if (words.empty()) {
      continue;
    }
    FaultTrigger trigger;
    const auto name = [number](const Error& error) {
      return fail(error.code, "line " + std::to_string(number) + ": " + error.what);
    };
    const Result<std::size_t> used = parse_trigger(words, trigger);
    if (!used) {
      return name(used.error());
    }
    const auto rest = words.begin() + static_cast<std::ptrdiff_t>(*used);
    Result<ScriptLine> parsed = parse_words(Words(rest, words.end()));
    if (!parsed) {
      return name(parsed.error());
    }
    parsed->trigger = trigger;
    script.push_back(std::move(*parsed));
  }
  return script;
}

}  // namespace bascule::peers
