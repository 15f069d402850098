#pragma once

// What requests, results and events of pubsub have in common. Internal to this folder.

#include <string_view>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/pubsub.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kPubsubName = "pubsub";
inline constexpr std::string_view kPubsubNodeName = "node";
inline constexpr std::string_view kPubsubItemName = "item";
inline constexpr std::string_view kPubsubItemsName = "items";
inline constexpr std::string_view kPubsubPublishName = "publish";
inline constexpr std::string_view kPubsubConfigureName = "configure";
inline constexpr std::string_view kPubsubAffiliationsName = "affiliations";
inline constexpr std::string_view kPubsubSubscriptionsName = "subscriptions";
inline constexpr std::string_view kPubsubSubscriptionName = "subscription";
inline constexpr std::string_view kPubsubIdName = "id";
inline constexpr std::string_view kPubsubJidName = "jid";
inline constexpr std::string_view kPubsubXName = "x";

inline constexpr Names<SubscriptionState, 4> kSubscriptionStates{{
    {SubscriptionState::kNone, "none"},
    {SubscriptionState::kPending, "pending"},
    {SubscriptionState::kSubscribed, "subscribed"},
    {SubscriptionState::kUnconfigured, "unconfigured"},
}};

/// `ns` is that of the surrounding `<pubsub/>` or `<event/>`.
xml::Element encode_pubsub_item(const PubsubItem& item, std::string_view ns);
Result<PubsubItem> decode_pubsub_item(const xml::Element& element);
/// All `<item/>` children.
std::vector<PubsubItem> decode_pubsub_items(const xml::Element& items, Reader& reader);

xml::Element encode_affiliations(std::string_view node,
                                 const std::vector<PubsubAffiliate>& affiliates);
std::vector<PubsubAffiliate> decode_affiliations(const xml::Element& element, Reader& reader);

/// `<name node=''/>` inside `<pubsub/>` of the namespace; returns the `<pubsub/>`.
xml::Element make_pubsub(std::string_view ns, xml::Element action);
xml::Element make_node_element(std::string_view name, std::string_view ns, std::string_view node);

}  // namespace bascule::proto
