#include "focus/stats_node_repair.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::string_view kPersist = "pubsub#persist_items";
constexpr std::string_view kMaxItems = "pubsub#max_items";
constexpr std::string_view kNotifications = "pubsub#deliver_notifications";
constexpr std::string_view kPayloads = "pubsub#deliver_payloads";
constexpr std::string_view kUnlimited = "max";
/// A bridge that comes back under a new address leaves its old item behind for a while.
constexpr std::size_t kItemsMin = 64;

proto::FormField field(std::string_view var, std::string_view value) {
  return {.var = std::string(var), .type = std::nullopt, .values = {std::string(value)}};
}

std::string_view text_of(bool value) {
  return value ? "1" : "0";
}

bool is_too_short(std::string_view max_items, std::size_t bridges) {
  if (max_items == kUnlimited) {
    return false;
  }
  std::size_t number = 0;
  std::from_chars(max_items.data(), max_items.data() + max_items.size(), number);
  return number < std::max(kItemsMin, 2 * bridges);
}

/// As Prosody names files: every byte that is neither letter nor digit as %xx.
std::string file_name(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain) {
      name += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      name += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return name;
}

std::string folder_of(const NodePlace& place) {
  return "<data_path>/" + file_name(place.service.to_string());
}

std::string make_admin(const NodePlace& place) {
  return "add \"" + place.own.bare().to_string() + "\" to admins of " + place.service.to_string() +
         " in the configuration of Prosody and reload it";
}

}  // namespace

std::string_view to_string(NodeRepair repair) {
  switch (repair) {
    case NodeRepair::kCreate:
      return "create";
    case NodeRepair::kSubscribe:
      return "subscribe";
    case NodeRepair::kUnsubscribe:
      return "unsubscribe";
    case NodeRepair::kConfigure:
      return "configure";
    case NodeRepair::kPurge:
      return "purge";
    case NodeRepair::kDelete:
      return "delete";
  }
  check_failed("repair is one of NodeRepair", __FILE__, __LINE__);
}

std::vector<proto::FormField> node_configuration(bool keeps_items) {
  std::vector<proto::FormField> fields = {
      field(kPersist, text_of(keeps_items)),
      field("pubsub#access_model", "open"),
      field("pubsub#publish_model", "publishers"),
      field("pubsub#send_last_published_item", "never"),
      field("pubsub#notify_delete", "1"),
      field("pubsub#notify_retract", "1"),
  };
  if (keeps_items) {
    fields.push_back(field(kMaxItems, kUnlimited));
  }
  return fields;
}

std::vector<proto::FormField> corrections_of(const proto::DataForm& form, bool keeps_items,
                                             std::size_t bridges) {
  std::vector<proto::FormField> wrong;
  const auto keeps = form.boolean(kPersist);
  if (keeps && *keeps != keeps_items) {
    wrong.push_back(field(kPersist, text_of(keeps_items)));
  }
  const auto max_items = form.value(kMaxItems);
  if (keeps_items && max_items && is_too_short(*max_items, bridges)) {
    wrong.push_back(field(kMaxItems, kUnlimited));
  }
  for (const std::string_view var : {kNotifications, kPayloads}) {
    if (form.boolean(var) == false) {
      wrong.push_back(field(var, "1"));
    }
  }
  return wrong;
}

std::string advice_for_refused(NodeRepair repair, const NodePlace& place) {
  switch (repair) {
    case NodeRepair::kCreate:
      return make_admin(place) + "; or create the node " + place.node + " as another admin";
    case NodeRepair::kSubscribe:
    case NodeRepair::kUnsubscribe:
      return "make \"" + place.own.bare().to_string() + "\" a member of the node " + place.node +
             ", or set its access_model to open; or " + make_admin(place);
    case NodeRepair::kConfigure:
      return make_admin(place) + "; or set max_items of the node " + place.node +
             " to max and deliver_payloads to 1 as its owner";
    case NodeRepair::kPurge:
    case NodeRepair::kDelete:
      return make_admin(place) + "; or stop Prosody, remove " + folder_of(place) + "/pubsub_" +
             file_name(place.node) + ".list, and start it";
  }
  check_failed("repair is one of NodeRepair", __FILE__, __LINE__);
}

std::string advice_for_publish_refused(const NodePlace& place) {
  return "give \"" + place.own.bare().to_string() + "\" the affiliation publisher of the node " +
         place.node + "; or " + make_admin(place) + "; or set links.service.pubsub-publish = false";
}

std::string advice_for_service_gone(const NodePlace& place) {
  return "is there a host or component " + place.service.to_string() +
         " with the module pubsub in the configuration of Prosody, and does it run?";
}

std::string advice_for_service_broken(const NodePlace& place) {
  return "is the module pubsub loaded on " + place.service.to_string() +
         "? If it is, its record of a node is damaged: stop Prosody, move " + folder_of(place) +
         "/pubsub_nodes/" + file_name(place.node) +
         ".dat away (or the one that the log of Prosody names), and start it";
}

std::string advice_for_no_effect(NodeRepair repair, const NodePlace& place) {
  return "the server said yes to \"" + std::string(to_string(repair)) +
         "\" and nothing got better, or it failed again and again: stop Prosody, move " +
         folder_of(place) + "/pubsub_nodes/" + file_name(place.node) + ".dat and " +
         folder_of(place) + "/pubsub_" + file_name(place.node) +
         ".list away, check that the disk is neither full nor read-only, and start it";
}

std::string advice_for_silence(const NodePlace& place, bool we_publish) {
  if (we_publish) {
    return "not even what we publish to the node " + place.node +
           " arrives: see pubsub.publish_refused and pubsub.publish_failed";
  }
  return "nobody publishes to the node " + place.node + " of " + place.service.to_string() +
         ": restart what does (publishers may stop for ever after one error), or let Bascule "
         "publish with links.service.pubsub-publish = true";
}

}  // namespace bascule::focus
