#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "xmpp/proto/data_form.h"

namespace bascule::focus {

/// What can be done to the node over XMPP; all but the subscriptions need an owner.
enum class NodeRepair : std::uint8_t {
  kCreate,       ///< With its configuration, in one step; "exists" is success.
  kSubscribe,    ///< Idempotent.
  kUnsubscribe,  ///< Followed by kSubscribe.
  kConfigure,
  kPurge,   ///< Removes the list of items without reading it; subscriptions stay.
  kDelete,  ///< Followed by kCreate.
};
inline constexpr std::size_t kNodeRepairCount = 6;
[[nodiscard]] std::string_view to_string(NodeRepair repair);

/// Configuration of a node of ours. Keeping items costs the server a rewrite of the whole list per
/// report (a core is full with 50 bridges), so `keeps_items` is off unless asked for.
[[nodiscard]] std::vector<proto::FormField> node_configuration(bool keeps_items);

/// The fields of `form` that lose reports, with the values they need: whether items are kept is
/// not as configured, the list is too short for twice the bridges (default of a server: 20), or
/// events come without payload or not at all. Fields the form does not have are left alone.
[[nodiscard]] std::vector<proto::FormField> corrections_of(const proto::DataForm& form,
                                                           bool keeps_items, std::size_t bridges);

/// What an operator has to do, in words that can be followed literally. `own`: our address.
struct NodePlace {
  Jid service;
  std::string node;
  Jid own;
};
[[nodiscard]] std::string advice_for_refused(NodeRepair repair, const NodePlace& place);
[[nodiscard]] std::string advice_for_publish_refused(const NodePlace& place);
/// The service does not answer, or does not exist.
[[nodiscard]] std::string advice_for_service_gone(const NodePlace& place);
/// The service has lost the ability to be one: Prosody's record of a node is damaged.
[[nodiscard]] std::string advice_for_service_broken(const NodePlace& place);
[[nodiscard]] std::string advice_for_no_effect(NodeRepair repair, const NodePlace& place);
[[nodiscard]] std::string advice_for_silence(const NodePlace& place, bool we_publish);

}  // namespace bascule::focus
