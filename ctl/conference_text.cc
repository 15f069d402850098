#include "ctl/conference_text.h"

#include "ctl/why_text.h"

namespace bascule::ctl {
namespace {

/// "jvb-1 12, jvb-2 3".
std::string places(const Json& bridges) {
  std::string text;
  for (const Json& place : bridges) {
    text += (text.empty() ? "" : ", ") + nick_of(text_at(place, "bridge")) + " " +
            text_at(place, "participants");
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::string conferences_text(const Json& conferences, const Style& style) {
  Table table({{"room"}, {"state"}, {"people", Table::Align::kRight}, {"since"}, {"on bridges"}});
  for (const Json& conference : conferences) {
    table.add({{text_at(conference, "room")},
               {text_at(conference, "state")},
               {text_at(conference, "participants")},
               {time_text(text_at(conference, "created_at"))},
               {places(member(conference, "bridges"))}});
  }
  return table.empty() ? "no conference\n" : table.text(style);
}

std::string conference_text(const Json& conference, const Style& style) {
  std::string text = tinted(style, Tint::kBold, text_at(conference, "room")) + "  " +
                     text_at(conference, "state") + " since " +
                     time_text(text_at(conference, "created_at")) + ", meeting " +
                     text_at(conference, "meeting_id") + "\n";
  if (const Json& pin = member(conference, "pin"); !pin.is_null()) {
    text += "pinned to version " +
            (pin.is_string() ? text_at(conference, "pin") : text_at(pin, "version")) + "\n";
  }
  text += "on " + places(member(conference, "bridges")) + "\n\n";
  Table table({{"endpoint"}, {"state"}, {"bridge"}, {"placed"}, {"why"}});
  const Json& people = member(conference, "participants");
  if (!people.is_array()) {
    return text;
  }
  for (const Json& person : people) {
    const bool waits = has(person, "waiting");
    const Json& waiting = member(person, "waiting");
    const std::string reason =
        waiting.is_object() ? text_at(waiting, "why") : text_at(person, "waiting");
    table.add({{text_at(person, "endpoint")},
               {text_at(person, "state"), waits ? Tint::kWarn : Tint::kNone},
               {nick_of(text_at(person, "bridge"))},
               {time_text(text_at(person, "placed_at"))},
               {waits ? "waits: " + wait_meaning(reason) : rule_meaning(text_at(person, "rule"))}});
  }
  return text + (table.empty() ? "nobody is there\n" : table.text(style));
}

std::string queue_text(const Json& queue, const Style& style) {
  Table table({{"room"},
               {"endpoint"},
               {"class"},
               {"kind"},
               {"waited", Table::Align::kRight},
               {"why it waits"}});
  for (const Json& ticket : member(queue, "tickets")) {
    table.add({{text_at(ticket, "room")},
               {text_at(ticket, "endpoint")},
               {text_at(ticket, "class")},
               {text_at(ticket, "kind")},
               {duration_text(number_at(ticket, "waited_ms"))},
               {wait_meaning(text_at(ticket, "why"))}});
  }
  return table.empty() ? "nobody waits\n" : table.text(style);
}

}  // namespace bascule::ctl
