#include "tests/peers/bridgesim/faults.h"

#include <charconv>
#include <map>
#include <string_view>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

Milliseconds duration_of(const std::string& text) {
  return parse_duration(text).value_or(Milliseconds(0));
}

/// create, expire or update: what the request does to its endpoints.
std::string_view kind_of(const xml::Element& modify) {
  bool expires = modify.attribute_or_empty("expire") == "true";
  for (const xml::Element& child : modify.children) {
    if (child.attribute_or_empty("create") == "true") {
      return "create";
    }
    expires = expires || child.attribute_or_empty("expire") == "true";
  }
  return expires ? "expire" : "update";
}

ColibriError error_named(const std::string& name, const xml::Element& modify) {
  static const std::map<std::string, ColibriError, std::less<>> table = {
      {"conference_already_exists", {"cancel", "conflict", "conference_already_exists", "", ""}},
      {"conference_not_found", {"cancel", "item-not-found", "conference_not_found", "", ""}},
      {"graceful_shutdown", {"cancel", "service-unavailable", "graceful_shutdown", "", ""}},
      {"unknown_endpoint", {"cancel", "item-not-found", "unknown_endpoint", "", ""}},
      {"feature_not_implemented",
       {"cancel", "feature-not-implemented", "feature_not_implemented", "", ""}},
      {"not_implemented", {"cancel", "feature-not-implemented", "", "", ""}},
      {"conflict", {"cancel", "conflict", "", "", ""}},
      {"bad_request", {"modify", "bad-request", "", "", ""}},
      {"internal", {"cancel", "internal-server-error", "", "", ""}},
      {"unavailable", {"cancel", "service-unavailable", "", "", ""}},
      {"forbidden", {"auth", "forbidden", "", "", ""}},
      {"no_answer", {}},
  };
  ColibriError error = table.at(name);
  error.text = "injected";
  if (name == "unknown_endpoint") {
    const xml::Element* endpoint = modify.child("endpoint", ns::kColibri2);
    error.endpoint = endpoint == nullptr ? "" : endpoint->attribute_or_empty("id");
  }
  return error;
}

const std::map<std::string, Faults::Lie, std::less<>>& lies() {
  static const std::map<std::string, Faults::Lie, std::less<>> table = {
      {"zero", Faults::Lie::kZero},
      {"negative", Faults::Lie::kNegative},
      {"nan", Faults::Lie::kNan},
      {"tiny", Faults::Lie::kTiny},
      {"missing", Faults::Lie::kMissing},
      {"whitelist", Faults::Lie::kWhitelist},
      {"duplicate", Faults::Lie::kDuplicate},
      {"extra", Faults::Lie::kExtra}};
  return table;
}

}  // namespace

bool Faults::apply(const FaultAction& action) {
  const std::string first = action.arguments.empty() ? "" : action.arguments.front();
  if (action.verb == "zombie") {
    zombie = true;
  } else if (action.verb == "deaf") {
    deaf = true;
  } else if (action.verb == "slow") {
    slow = duration_of(first);
  } else if (action.verb == "flap") {
    flap = duration_of(first);
  } else if (action.verb == "clock") {
    clock_offset = duration_of(first);
  } else if (action.verb == "stats") {
    stats_frozen = first == "frozen";
    stats_absent = first == "absent";
    stats_elsewhere = first == "elsewhere";
    stats_stopped = first == "stopped";
  } else if (action.verb == "lie") {
    lie = lies().at(first);
  } else if (action.verb == "graceful") {
    graceful = true;
  } else if (action.verb == "shutting-down") {
    shutting_down = true;
  } else if (action.verb == "drain") {
    drain = first == "on" ? Drain::kOn : first == "off" ? Drain::kOff : Drain::kAbsent;
  } else if (action.verb == "unhealthy") {
    unhealthy_stats = first != "iq";
    unhealthy_iq = first != "stats";
  } else if (action.verb == "errors") {
    injection_ = Injection{first};
    if (action.arguments.size() >= 2) {
      const std::string& text = action.arguments[1];
      std::from_chars(text.data(), text.data() + text.size(), injection_->probability);
    }
    injection_->kind = action.arguments.size() == 3 ? action.arguments[2] : "any";
  } else {
    return false;
  }
  return true;
}

void Faults::end(const std::string& verb) {
  if (verb == "zombie") {
    zombie = false;
  } else if (verb == "deaf") {
    deaf = false;
  } else if (verb == "slow") {
    slow.reset();
  } else if (verb == "flap") {
    flap.reset();
  } else if (verb == "clock") {
    clock_offset.reset();
  } else if (verb == "stats") {
    stats_frozen = stats_absent = stats_elsewhere = stats_stopped = false;
  } else if (verb == "lie") {
    lie = Lie::kNone;
  } else if (verb == "graceful") {
    graceful = false;
  } else if (verb == "shutting-down") {
    shutting_down = false;
  } else if (verb == "drain") {
    drain = Drain::kOff;
  } else if (verb == "unhealthy") {
    unhealthy_stats = unhealthy_iq = false;
  } else if (verb == "errors") {
    injection_.reset();
  }
}

std::optional<ColibriError> Faults::inject(const xml::Element& modify, Prng& random) const {
  if (!injection_) {
    return std::nullopt;
  }
  const std::string& kind = injection_->kind;
  const bool hit = kind == "any" || kind == kind_of(modify) ||
                   (kind == "relay" && modify.child("relay", ns::kColibri2) != nullptr);
  if (!hit) {
    return std::nullopt;
  }
  constexpr std::uint64_t kScale = 1'000'000;
  if (static_cast<double>(random.below(kScale)) >= injection_->probability * kScale) {
    return std::nullopt;
  }
  return error_named(injection_->error, modify);
}

}  // namespace bascule::peers
