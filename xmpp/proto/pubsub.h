#pragma once

// XEP-0060: the node through which bridge statistics may be shared.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/colibri_stats.h"
#include "xmpp/proto/data_form.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kPubsubNamespace = "http://jabber.org/protocol/pubsub";
inline constexpr std::string_view kPubsubOwnerNamespace = "http://jabber.org/protocol/pubsub#owner";
inline constexpr std::string_view kPubsubEventNamespace = "http://jabber.org/protocol/pubsub#event";
inline constexpr std::string_view kPubsubErrorsNamespace =
    "http://jabber.org/protocol/pubsub#errors";
inline constexpr std::string_view kPubsubNodeConfigFormType =
    "http://jabber.org/protocol/pubsub#node_config";

/// `<service-unavailable/>` as payload: the bridge of this item is offline (Jicofo before 2020:
/// PubSubBridgeStats).
struct BridgeOffline {
  friend bool operator==(const BridgeOffline&, const BridgeOffline&) = default;
};

/// No payload, `<stats/>`, the offline mark, or anything else.
using PubsubPayload = std::variant<std::monostate, ColibriStats, BridgeOffline, xml::Element>;

struct PubsubItem {
  std::optional<std::string> id;  ///< For bridge statistics: the address of the bridge.
  std::optional<std::string> publisher;
  PubsubPayload payload;
  friend bool operator==(const PubsubItem&, const PubsubItem&) = default;
};

enum class PubsubAffiliation { kNone, kOutcast, kMember, kPublisher, kPublishOnly, kOwner };
enum class SubscriptionState { kNone, kPending, kSubscribed, kUnconfigured };

struct PubsubAffiliate {
  Jid jid;
  PubsubAffiliation affiliation = PubsubAffiliation::kNone;
  friend bool operator==(const PubsubAffiliate&, const PubsubAffiliate&) = default;
};

// Requests. Each names its node: Prosody never answers a subscriptions query without one after a
// subscribed node was deleted.

/// Set: create, with configuration in the same step when `configuration` is not empty.
struct PubsubCreate {
  std::string node;
  std::vector<FormField> configuration;  ///< Without FORM_TYPE.
  friend bool operator==(const PubsubCreate&, const PubsubCreate&) = default;
};
/// Get, owner.
struct PubsubGetConfiguration {
  std::string node;
  friend bool operator==(const PubsubGetConfiguration&, const PubsubGetConfiguration&) = default;
};
/// Set, owner; fields not given stay as they are.
struct PubsubConfigure {
  std::string node;
  std::vector<FormField> configuration;  ///< Without FORM_TYPE.
  friend bool operator==(const PubsubConfigure&, const PubsubConfigure&) = default;
};
/// Get, owner.
struct PubsubGetAffiliations {
  std::string node;
  friend bool operator==(const PubsubGetAffiliations&, const PubsubGetAffiliations&) = default;
};
/// Set, owner.
struct PubsubSetAffiliations {
  std::string node;
  std::vector<PubsubAffiliate> affiliates;
  friend bool operator==(const PubsubSetAffiliations&, const PubsubSetAffiliations&) = default;
};
/// Set; idempotent.
struct PubsubSubscribe {
  std::string node;
  Jid jid;
  friend bool operator==(const PubsubSubscribe&, const PubsubSubscribe&) = default;
};
/// Set.
struct PubsubUnsubscribe {
  std::string node;
  Jid jid;
  friend bool operator==(const PubsubUnsubscribe&, const PubsubUnsubscribe&) = default;
};
/// Get: own subscriptions on the node.
struct PubsubGetSubscriptions {
  std::string node;
  friend bool operator==(const PubsubGetSubscriptions&, const PubsubGetSubscriptions&) = default;
};
/// Get: all items, the newest `max_items`, or those in `ids`.
struct PubsubGetItems {
  std::string node;
  std::optional<std::uint32_t> max_items;
  std::vector<std::string> ids;
  friend bool operator==(const PubsubGetItems&, const PubsubGetItems&) = default;
};
/// Set: one item (a server stores only the first).
struct PubsubPublish {
  std::string node;
  PubsubItem item;
  friend bool operator==(const PubsubPublish&, const PubsubPublish&) = default;
};
/// Set.
struct PubsubRetract {
  std::string node;
  std::vector<std::string> ids;
  bool notify = false;
  friend bool operator==(const PubsubRetract&, const PubsubRetract&) = default;
};
/// Set, owner: removes all items.
struct PubsubPurge {
  std::string node;
  friend bool operator==(const PubsubPurge&, const PubsubPurge&) = default;
};
/// Set, owner: removes the node.
struct PubsubDelete {
  std::string node;
  friend bool operator==(const PubsubDelete&, const PubsubDelete&) = default;
};

using PubsubRequest =
    std::variant<PubsubCreate, PubsubGetConfiguration, PubsubConfigure, PubsubGetAffiliations,
                 PubsubSetAffiliations, PubsubSubscribe, PubsubUnsubscribe, PubsubGetSubscriptions,
                 PubsubGetItems, PubsubPublish, PubsubRetract, PubsubPurge, PubsubDelete>;

// Results.

struct PubsubItems {
  std::string node;
  std::vector<PubsubItem> items;  ///< Oldest first.
  friend bool operator==(const PubsubItems&, const PubsubItems&) = default;
};
struct PubsubSubscription {
  std::optional<std::string> node;
  Jid jid;
  SubscriptionState state = SubscriptionState::kNone;
  friend bool operator==(const PubsubSubscription&, const PubsubSubscription&) = default;
};
struct PubsubSubscriptions {
  std::optional<std::string> node;
  std::vector<PubsubSubscription> subscriptions;
  friend bool operator==(const PubsubSubscriptions&, const PubsubSubscriptions&) = default;
};
struct PubsubPublished {
  std::string node;
  std::optional<std::string> id;
  friend bool operator==(const PubsubPublished&, const PubsubPublished&) = default;
};
struct PubsubConfiguration {
  std::string node;
  DataForm form;
  friend bool operator==(const PubsubConfiguration&, const PubsubConfiguration&) = default;
};
struct PubsubAffiliations {
  std::string node;
  std::vector<PubsubAffiliate> affiliates;
  friend bool operator==(const PubsubAffiliations&, const PubsubAffiliations&) = default;
};

using PubsubAnswer = std::variant<PubsubItems, PubsubSubscription, PubsubSubscriptions,
                                  PubsubPublished, PubsubConfiguration, PubsubAffiliations>;

// Events, carried by a message from the service.

struct PubsubItemsPublished {
  std::vector<PubsubItem> items;
  std::vector<std::string> retracted;
  friend bool operator==(const PubsubItemsPublished&, const PubsubItemsPublished&) = default;
};
/// All items are gone; the subscription stays.
struct PubsubPurged {
  friend bool operator==(const PubsubPurged&, const PubsubPurged&) = default;
};
/// The node and its subscriptions are gone.
struct PubsubDeleted {
  friend bool operator==(const PubsubDeleted&, const PubsubDeleted&) = default;
};
struct PubsubConfigured {
  std::optional<DataForm> form;
  friend bool operator==(const PubsubConfigured&, const PubsubConfigured&) = default;
};
struct PubsubSubscriptionChanged {
  Jid jid;
  SubscriptionState state = SubscriptionState::kNone;
  friend bool operator==(const PubsubSubscriptionChanged&,
                         const PubsubSubscriptionChanged&) = default;
};

struct PubsubEvent {
  std::string node;
  std::variant<PubsubItemsPublished, PubsubPurged, PubsubDeleted, PubsubConfigured,
               PubsubSubscriptionChanged>
      what;
  friend bool operator==(const PubsubEvent&, const PubsubEvent&) = default;
};

/// Whether a request goes into an IQ get or set; some have the same element name.
enum class PubsubDirection { kGet, kSet };
PubsubDirection direction_of(const PubsubRequest& request);

/// `<pubsub/>` of a user or an owner.
bool is_pubsub(const xml::Element& element);
/// The `<pubsub/>` element.
xml::Element encode(const PubsubRequest& request);
xml::Element encode(const PubsubAnswer& answer);
/// The `<event/>` element.
xml::Element encode(const PubsubEvent& event);
/// Errors: kMalformed when the node is missing or the request is none of the above.
Result<PubsubRequest> decode_pubsub_request(const xml::Element& pubsub, PubsubDirection direction);
Result<PubsubAnswer> decode_pubsub_answer(const xml::Element& pubsub);
Result<PubsubEvent> decode_pubsub_event(const xml::Element& event);

}  // namespace bascule::proto
