// The section [selection], continued: which bridge, growth, moves and guards. The reasons for the
// defaults are told in focus/placement_options.h.

#include <algorithm>
#include <chrono>

#include "config/schema.h"

namespace bascule::config {
namespace {

using focus::Strategy;
using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

constexpr DurationRange kShortWait{.min = milliseconds{1}, .max = minutes{10}};
constexpr DurationRange kLongWait{.min = seconds{1}, .max = hours{24}};

constexpr std::string_view kJicofoPackage = "org.jitsi.jicofo.bridge.";

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\n\"") == std::string_view::npos;
}

/// A strategy by the name Jicofo knows it by, with or without its package.
template <class At>
Field strategy(At at, bool (*is_allowed)(Strategy)) {
  std::vector<std::pair<std::string, Strategy>> names;
  for (std::size_t i = 0; i < focus::kStrategyCount; ++i) {
    const auto value = static_cast<Strategy>(i);
    if (is_allowed(value)) {
      names.emplace_back(std::string(to_string(value)), value);
    }
  }
  Field field = choice(at, std::move(names));
  field.assign = [plain = field.assign](Config& config, const RawValue& raw) {
    auto value = as_text(raw);
    if (value && value->starts_with(kJicofoPackage)) {
      return plain(config, RawValue(value->substr(kJicofoPackage.size())));
    }
    return plain(config, raw);
  };
  return field;
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n";
  std::vector<std::string> words;
  for (auto begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const auto end = text.find_first_of(kBlanks, begin);
    words.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

/// A list of groups, each the names of its regions separated by blanks.
template <class At>
Field region_groups(At at) {
  return {.allowed = "list of groups, each the names of regions separated by blanks",
          .assign =
              [at](Config& config, const RawValue& raw) {
                const auto texts = as_list(raw);
                if (!texts) {
                  return false;
                }
                std::vector<std::vector<std::string>> groups;
                std::vector<std::string> seen;
                for (const std::string& text : *texts) {
                  std::vector<std::string> group = words_of(text);
                  for (const std::string& word : group) {
                    if (std::find(seen.begin(), seen.end(), word) != seen.end()) {
                      return false;  // In one group at most.
                    }
                    seen.push_back(word);
                  }
                  if (group.empty()) {
                    return false;
                  }
                  groups.push_back(std::move(group));
                }
                at(config) = std::move(groups);
                return true;
              },
          .print =
              [at](const Config& config) {
                std::vector<std::string> texts;
                for (const auto& group : at(config)) {
                  std::string text;
                  for (const std::string& region : group) {
                    text += text.empty() ? region : ' ' + region;
                  }
                  texts.push_back(std::move(text));
                }
                return print_list(texts);
              }};
}

void add_strategy_keys(std::vector<Key>& table) {
  table.push_back(
      {"selection.strategy",
       strategy(BASCULE_CONFIG_AT(focus.placement.strategy), [](Strategy) { return true; }),
       "BRIDGE_SELECTION_STRATEGY OCTO_BRIDGE_SELECTION_STRATEGY",
       "Order of preference among bridges that have room. Names other than Bascule are\n"
       "Jicofo's and keep its order, under the limits, the pace and the queue below.",
       ""});
  const auto is_delegate = [](Strategy value) { return value != Strategy::kVisitor; };
  table.push_back({"selection.participant-strategy",
                   strategy(BASCULE_CONFIG_AT(focus.placement.participant_strategy), is_delegate),
                   "", "With VisitorSelectionStrategy: for members.", ""});
  table.push_back({"selection.visitor-strategy",
                   strategy(BASCULE_CONFIG_AT(focus.placement.visitor_strategy), is_delegate), "",
                   "... and for visitors.", ""});
  table.push_back({"selection.region-groups",
                   region_groups(BASCULE_CONFIG_AT(focus.placement.region_groups)), "",
                   "Regions that may stand in for each other, for example\n"
                   "[\"eu-west eu-central\", \"us-east us-west\"].",
                   ""});
  table.push_back({"selection.local-region",
                   text(BASCULE_CONFIG_AT(focus.placement.local_region), Empty::kAllowed),
                   "JICOFO_OCTO_REGION",
                   "Region of this focus; only for RegionBasedBridgeSelectionStrategy.", ""});
  table.push_back(
      {"selection.standby-bridges",
       list(BASCULE_CONFIG_AT(focus.placement.standby_bridges), "list of occupant nicks", is_name),
       "", "Bridges that are used only when the others are full.", ""});
}

void add_span_keys(std::vector<Key>& table) {
  table.push_back({"selection.relays", boolean(BASCULE_CONFIG_AT(focus.placement.relays)),
                   "ENABLE_OCTO",
                   "Whether a conference may span bridges (their relay must be configured).", ""});
  table.push_back({"selection.allow-mixed-versions",
                   boolean(BASCULE_CONFIG_AT(focus.placement.allow_mixed_versions)), "",
                   "... of different versions.", ""});
  table.push_back(
      {"selection.max-per-conference-bridge",
       integer(BASCULE_CONFIG_AT(focus.placement.max_per_conference_bridge), {1, 10'000}),
       "MAX_BRIDGE_PARTICIPANTS", "With relays: participants of one conference on one bridge.",
       ""});
  table.push_back({"selection.max-bridges-per-conference",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_bridges_per_conference), {1, 32}),
                   "", "With relays: bridges of one conference.", ""});
  table.push_back(
      {"selection.relay-load", integer(BASCULE_CONFIG_AT(focus.placement.relay_load), {0, 10'000}),
       "", "Load of a relay on each of its bridges, in thousandths of a participant of ten.", ""});
  table.push_back(
      {"selection.split-wait", duration(BASCULE_CONFIG_AT(focus.placement.split_wait), kShortWait),
       "",
       "A join waits this long for the pace of its conference's bridges before another joins in.",
       ""});
  table.push_back(
      {"selection.focuses", integer(BASCULE_CONFIG_AT(focus.placement.focuses), {0, 8}), "",
       "Focuses that use the same bridges without telling each other; 0 estimates it.", ""});
}

void add_growth_keys(std::vector<Key>& table) {
  table.push_back({"selection.growth-min",
                   integer(BASCULE_CONFIG_AT(focus.placement.growth_min), {1, 1000}), "",
                   "Expected size of a new conference ...", ""});
  table.push_back({"selection.growth-decay",
                   duration(BASCULE_CONFIG_AT(focus.placement.growth_decay), kLongWait), "",
                   "... fades with this time constant.", ""});
  table.push_back({"selection.known-size-hold",
                   duration(BASCULE_CONFIG_AT(focus.placement.known_size_hold), kLongWait), "",
                   "A conference is expected to reach the size it had last time for this long ...",
                   ""});
  table.push_back({"selection.known-size-decay",
                   duration(BASCULE_CONFIG_AT(focus.placement.known_size_decay), kLongWait), "",
                   "... and fades with this time constant.", ""});
  table.push_back(
      {"selection.plan-ttl",
       duration(BASCULE_CONFIG_AT(focus.placement.plan_ttl), {seconds{10}, seconds{600}}), "",
       "How long a bridge is kept for a conference that comes back or moves.", ""});
  table.push_back(
      {"selection.max-remembered-rooms",
       integer(BASCULE_CONFIG_AT(focus.placement.max_remembered_rooms), {0, 10'000'000}), "",
       "Rooms whose bridge and size are remembered ...", ""});
  table.push_back({"selection.room-memory",
                   duration(BASCULE_CONFIG_AT(focus.placement.room_memory), kLongWait), "",
                   "... for this long.", ""});
}

void add_relief_keys(std::vector<Key>& table) {
  table.push_back({"selection.make-room", boolean(BASCULE_CONFIG_AT(focus.placement.make_room)), "",
                   "Without relays: whether small conferences move to make room for others.", ""});
  table.push_back({"selection.make-room-above",
                   stress(BASCULE_CONFIG_AT(focus.placement.make_room_above), {300'000, 2'000'000}),
                   "", "... off a bridge that is expected above this,", ""});
  table.push_back(
      {"selection.make-room-target",
       stress(BASCULE_CONFIG_AT(focus.placement.make_room_target), {300'000, 2'000'000}), "",
       "... down to this,", ""});
  table.push_back({"selection.make-room-interval",
                   duration(BASCULE_CONFIG_AT(focus.placement.make_room_interval), kShortWait), "",
                   "... at most once per bridge and this,", ""});
  table.push_back({"selection.make-room-size",
                   integer(BASCULE_CONFIG_AT(focus.placement.make_room_size), {1, 1000}), "",
                   "... conferences up to this size first,", ""});
  table.push_back({"selection.make-room-size-max",
                   integer(BASCULE_CONFIG_AT(focus.placement.make_room_size_max), {1, 10'000}), "",
                   "... the smallest up to this size if none helps,", ""});
  table.push_back({"selection.make-room-people",
                   integer(BASCULE_CONFIG_AT(focus.placement.make_room_people), {1, 10'000}), "",
                   "... so many people at once,", ""});
  table.push_back({"selection.move-cool",
                   duration(BASCULE_CONFIG_AT(focus.placement.move_cool), kLongWait), "",
                   "... the same one again after this,", ""});
  table.push_back({"selection.move-cool-waiting",
                   duration(BASCULE_CONFIG_AT(focus.placement.move_cool_waiting), kLongWait), "",
                   "... or this if members of it wait,", ""});
  table.push_back({"selection.move-age-min",
                   duration(BASCULE_CONFIG_AT(focus.placement.move_age_min), kLongWait), "",
                   "... and not before it is this old.", ""});
  table.push_back({"selection.relief-sample",
                   stress(BASCULE_CONFIG_AT(focus.placement.relief_sample), {300'000, 2'000'000}),
                   "", "With relays: a bridge that reports more hands people over,", ""});
  table.push_back({"selection.relief-estimate",
                   stress(BASCULE_CONFIG_AT(focus.placement.relief_estimate), {300'000, 2'000'000}),
                   "", "... or is expected to have more,", ""});
  table.push_back({"selection.relief-people",
                   integer(BASCULE_CONFIG_AT(focus.placement.relief_people), {0, 1000}), "",
                   "... so many at once; 0: none,", ""});
  table.push_back({"selection.relief-cool",
                   duration(BASCULE_CONFIG_AT(focus.placement.relief_cool), kLongWait), "",
                   "... at most once per bridge and this,", ""});
  table.push_back({"selection.relief-conference-cool",
                   duration(BASCULE_CONFIG_AT(focus.placement.relief_conference_cool), kLongWait),
                   "", "... and per conference and this.", ""});
}

void add_guard_keys(std::vector<Key>& table) {
  table.push_back({"selection.ice-failure-detection",
                   boolean(BASCULE_CONFIG_AT(focus.placement.ice_failure_detection)),
                   "JICOFO_ENABLE_ICE_FAILURE_DETECTION",
                   "Whether a bridge is put aside when many participants there ask for a restart.",
                   ""});
  table.push_back(
      {"selection.ice-failure-share",
       permille(BASCULE_CONFIG_AT(focus.placement.ice_failure_permille), {1'000, 1'000'000}),
       "JICOFO_ICE_FAILURE_THRESHOLD", "Share of its participants ...", ""});
  table.push_back({"selection.ice-failure-min",
                   integer(BASCULE_CONFIG_AT(focus.placement.ice_failure_min), {1, 1000}), "",
                   "... and at least so many ...", ""});
  table.push_back({"selection.ice-failure-interval",
                   duration(BASCULE_CONFIG_AT(focus.placement.ice_failure_interval), kLongWait), "",
                   "... within this time.", ""});
  table.push_back({"selection.ice-failure-quarantine",
                   duration(BASCULE_CONFIG_AT(focus.placement.ice_failure_quarantine), kLongWait),
                   "", "For how long.", ""});
  table.push_back(
      {"selection.poison-after",
       duration(BASCULE_CONFIG_AT(focus.placement.poison_after), kLongWait), "",
       "A bridge that dies idle so soon after a conference came makes the conference a suspect.",
       ""});
  table.push_back({"selection.poison-limit",
                   stress(BASCULE_CONFIG_AT(focus.placement.poison_limit), {0, 1'000'000}), "",
                   "The second time it gets a bridge of its own below this load ...", ""});
  table.push_back({"selection.poison-hold",
                   duration(BASCULE_CONFIG_AT(focus.placement.poison_hold), kLongWait), "",
                   "... the third time it waits this long.", ""});
  table.push_back({"selection.bucket-width",
                   stress(BASCULE_CONFIG_AT(focus.placement.bucket_width), {1'000, 100'000}), "",
                   "Bridges whose expected load differs by less count as equal.", ""});
  table.push_back({"selection.max-decisions",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_decisions), {0, 1'000'000}), "",
                   "Decisions remembered to be explained.", ""});
  table.push_back(
      {"selection.pause-max",
       duration(BASCULE_CONFIG_AT(focus.placement.pause_max), {seconds{0}, minutes{10}}), "",
       "A process that was stopped longer ages nothing meanwhile; 0: off.", ""});
}

}  // namespace

void add_selection_rule_keys(std::vector<Key>& table) {
  add_strategy_keys(table);
  add_span_keys(table);
  add_growth_keys(table);
  add_relief_keys(table);
  add_guard_keys(table);
}

}  // namespace bascule::config
