#include "ctl/why_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string_view>
#include <utility>

namespace bascule::ctl {
namespace {

using Meaning = std::pair<std::string_view, const char*>;

constexpr std::array<Meaning, 12> kRules = {{
    {"join", "its conference was there already, below the limit"},
    {"join_late", "its conference was there already; after a long wait a little above the limit"},
    {"split", "the bridges of its conference were full: another one"},
    {"plan", "the bridge planned for its conference as a whole"},
    {"new", "among the least loaded with room for the whole conference to come"},
    {"new_full", "no bridge had room for a new conference: one with room up to the higher limit"},
    {"new_max", "it had lost its bridge: one with room up to the highest limit"},
    {"small_need", "no bridge had room for the whole conference to come: one with room for four"},
    {"no_growth", "no bridge had room for growth: one with room for two"},
    {"alone", "its conference killed bridges before: an almost idle one of its own"},
    {"preference", "first in the order of the configured strategy"},
    {"order", "an operator named it"},
}};

constexpr std::array<Meaning, 10> kWaits = {{
    {"service_down", "the link to the bridges is down"},
    {"settling", "the link is new, and bridges are still arriving"},
    {"no_bridge", "there is no bridge"},
    {"all_failed", "every bridge is unhealthy, suspect or in quarantine"},
    {"all_draining", "every working bridge is draining or shutting down"},
    {"capacity", "every suitable bridge would exceed its limit"},
    {"pace", "a bridge has room, but takes nobody more at this moment"},
    {"retry_wait", "its room failed repeatedly and has to wait"},
    {"bridge_absent", "its conference lives on a bridge that is away"},
    {"version", "no bridge has the version its conference is pinned to"},
}};

template <std::size_t N>
std::string meaning(const std::array<Meaning, N>& meanings, const std::string& name) {
  const auto found = std::find_if(meanings.begin(), meanings.end(),
                                  [&](const Meaning& each) { return each.first == name; });
  return found == meanings.end() ? name : found->second;
}

/// A decision is about less than a percent.
std::string finely(double share) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.1f %%", share * 100);
  return out.data();
}

std::string kind_text(const Json& decision) {
  const std::string kind = text_at(decision, "kind");
  return kind == "join"       ? "its first place"
         : kind == "reinvite" ? "a new place, because it had lost its media"
         : kind == "move"     ? "a move, with its media still on another bridge"
                              : kind;
}

/// "for its first place (class first), after 0.2 s in the queue".
std::string circumstances(const Json& decision) {
  return "for " + kind_text(decision) + " (class " + text_at(decision, "class") + "), after " +
         duration_text(number_at(decision, "waited_ms")) + " in the queue";
}

std::string verdict(const Json& decision) {
  if (has(decision, "bridge")) {
    const std::string rule = text_at(decision, "rule");
    return nick_of(text_at(decision, "bridge")) + " was chosen: " + rule_meaning(rule) + " (rule " +
           rule + ").";
  }
  const std::string wait = text_at(decision, "wait");
  return "It had to wait: " + wait_meaning(wait) + " (" + wait + ").";
}

std::string fleet(const Json& decision) {
  std::string text = "The limit was " + percent(number_at(decision, "limit")) + "; " +
                     counted(count_at(decision, "open_bridges"), "bridge was", "bridges were") +
                     " open, " + text_at(decision, "looked_at") + " looked at";
  if (const auto people = count_at(decision, "people"); people > 0) {
    text += "; its conference counted as " + counted(people, "person", "people");
  }
  text += flag_at(decision, "settling") ? "; bridges were still arriving" : "";
  text += flag_at(decision, "fleet_full") ? "; the fleet was full" : "";
  return text + ".";
}

std::string candidates_text(const Json& decision, const Style& style) {
  Table table({{"  candidate"},
               {"fits"},
               {"expected", Table::Align::kRight},
               {"told", Table::Align::kRight},
               {"age", Table::Align::kRight},
               {"not told yet", Table::Align::kRight},
               {"reserved", Table::Align::kRight},
               {"in flight", Table::Align::kRight},
               {"pace", Table::Align::kRight}});
  for (const Json& candidate : member(decision, "candidates")) {
    const std::string name = text_at(candidate, "bridge");
    const bool chosen = has(decision, "bridge") && name == text_at(decision, "bridge");
    const bool told = has(candidate, "report_age_ms");
    table.add({{(chosen ? "> " : "  ") + nick_of(name), chosen ? Tint::kBold : Tint::kNone},
               {flag_at(candidate, "fits") ? "yes" : "no"},
               {finely(number_at(candidate, "expected"))},
               {told ? finely(number_at(candidate, "reported")) : "never"},
               {told ? duration_text(number_at(candidate, "report_age_ms")) : "-"},
               {text_at(candidate, "unaccounted_units")},
               {finely(number_at(candidate, "reserved"))},
               {text_at(candidate, "in_flight")},
               {text_at(candidate, "tokens")}});
  }
  return table.empty() ? std::string() : table.text(style);
}

std::string short_line(const Json& decision) {
  return time_text(text_at(decision, "at")) + "  " + text_at(decision, "endpoint") + "  " +
         (has(decision, "bridge") ? nick_of(text_at(decision, "bridge")) + ": " +
                                        rule_meaning(text_at(decision, "rule"))
                                  : "waits: " + wait_meaning(text_at(decision, "wait"))) +
         "\n";
}

}  // namespace

std::string rule_meaning(const std::string& rule) {
  return meaning(kRules, rule);
}

std::string wait_meaning(const std::string& reason) {
  return meaning(kWaits, reason);
}

std::string decision_text(const Json& decision, const Style& style) {
  std::string text = tinted(style, Tint::kBold, text_at(decision, "endpoint")) + " in " +
                     text_at(decision, "room") + "\n";
  text += wrapped("Decision " + text_at(decision, "number") + " at " +
                      time_text(text_at(decision, "at")) + ", " + circumstances(decision) + ".",
                  0, style) +
          "\n";
  text += tinted(style, has(decision, "bridge") ? Tint::kGood : Tint::kWarn,
                 wrapped(verdict(decision), 0, style)) +
          "\n" + wrapped(fleet(decision), 0, style) + "\n";
  text += candidates_text(decision, style);
  if (flag_at(decision, "earlier_process")) {
    text += tinted(style, Tint::kDim,
                   "(decided by an earlier process: only the chosen bridge was kept)") +
            "\n";
  }
  return text;
}

std::string why_text(const Json& decisions, bool one_endpoint, const Style& style) {
  const Json& list = member(decisions, "decisions");
  if (!list.is_array() || list.empty()) {
    return "no decision is remembered; the newest 10 000 are\n";
  }
  if (one_endpoint) {
    std::string text = decision_text(list.front(), style);
    for (std::size_t i = 1; i < list.size(); ++i) {
      text += (i == 1 ? "\nbefore:\n" : "") + std::string("  ") + short_line(list[i]);
    }
    return text;
  }
  std::string text;
  std::set<std::string> seen;
  for (const Json& decision : list) {  // The newest first.
    if (seen.insert(text_at(decision, "endpoint")).second) {
      text += (text.empty() ? "" : "\n") + decision_text(decision, style);
    }
  }
  return text;
}

}  // namespace bascule::ctl
