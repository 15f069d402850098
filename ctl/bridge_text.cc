#include "ctl/bridge_text.h"

#include <algorithm>

#include "ctl/findings.h"

namespace bascule::ctl {
namespace {

constexpr std::size_t kBarColumns = 30;

std::string flags_of(const Json& bridge) {
  std::string text;
  for (const Json& flag : member(bridge, "flags")) {
    text +=
        (text.empty() ? "" : ", ") + (flag.is_string() ? printable(flag.get<std::string>()) : "?");
  }
  return text.empty() ? "none" : text;
}

std::string told(const Json& bridge) {
  return has(bridge, "report_age_ms") ? duration_text(number_at(bridge, "report_age_ms")) +
                                            " ago (" + text_at(bridge, "report_source") + ")"
                                      : "never";
}

}  // namespace

std::string bridge_text(const Json& bridge, const Style& style) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += tinted(style, Tint::kDim, name) + value + "\n";
  };
  const std::string address = text_at(bridge, "bridge");
  text += tinted(style, Tint::kBold, nick_of(address)) + "  " + address + "\n";
  if (const std::string trouble = trouble_of(bridge); !trouble.empty()) {
    text += tinted(style, Tint::kBad, "! " + trouble) + "\n";
  }
  if (has(bridge, "drain")) {
    text += tinted(style, Tint::kWarn,
                   wrapped("! " + drain_sentence(member(bridge, "drain")), 2, style)) +
            "\n";
  }
  const double expected = number_at(bridge, "expected");
  const double limit = number_at(bridge, "limit");
  line("load       ", bar(expected, limit, kBarColumns, style) + " " + percent(expected) +
                          " expected, limit " + percent(limit));
  line("           ", "reported " + percent(number_at(bridge, "reported")) + ", reserved " +
                          percent(number_at(bridge, "reserved")) + ", capacity " +
                          percent(number_at(bridge, "capacity")) + ", requests in flight " +
                          text_at(bridge, "in_flight"));
  line("people     ", counted(count_at(bridge, "participants"), "person", "people") + " in " +
                          counted(count_at(bridge, "conferences"), "conference"));
  line("told       ", told(bridge) + ", confidence " + text_at(bridge, "confidence_level"));
  line("state      ", text_at(bridge, "state") + ", flags: " + flags_of(bridge));
  line("version    ", text_at(bridge, "version") + ", region " + text_at(bridge, "region") +
                          ", relay id " + text_at(bridge, "relay_id"));
  for (const Json& room : member(bridge, "rooms")) {
    text += "  " + (room.is_string() ? printable(room.get<std::string>()) : "?") + "\n";
  }
  return text;
}

std::string drain_sentence(const Json& order) {
  const std::string reason = text_at(order, "reason", "");
  return nick_of(text_at(order, "bridge")) + " takes nobody new" +
         (flag_at(order, "evacuate") ? " and is being emptied" : "") + " since " +
         time_text(text_at(order, "since")) + ", by " + text_at(order, "by") +
         (reason.empty() ? "" : " (" + reason + ")") + ": " + drain_text(order) +
         (flag_at(order, "done") ? ""
                                 : " in " + counted(count_at(order, "conferences"), "conference"));
}

std::string drain_progress(const Json& order, std::int64_t people, const Style& style) {
  const std::int64_t left = count_at(order, "participants");
  const std::int64_t all = std::max(people, left);
  const double share = all == 0 ? 1 : static_cast<double>(all - left) / static_cast<double>(all);
  return bar(share, /*limit=*/2, kBarColumns, style) + " " + std::to_string(all - left) + " of " +
         std::to_string(all) + " gone, " + drain_text(order);
}

std::string stuck_explanation(const Json& order) {
  const std::int64_t stuck = count_at(order, "stuck");
  if (stuck == 0) {
    return {};
  }
  return counted(stuck, "person wants", "people want") +
         " to move, and no other bridge has room for them below its limit; they keep their media "
         "here. Add a bridge, take another drain back ('basculectl bridges'), or wait until "
         "meetings end; 'basculectl queue' tells why each one waits.";
}

}  // namespace bascule::ctl
