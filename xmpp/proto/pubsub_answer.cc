#include "xmpp/proto/pubsub_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kEventName = "event";
constexpr std::string_view kRetractName = "retract";
constexpr std::string_view kPurgeName = "purge";
constexpr std::string_view kDeleteName = "delete";
constexpr std::string_view kConfigurationName = "configuration";
constexpr std::string_view kStateName = "subscription";

xml::Element encode_subscription(const std::optional<std::string>& node, const Jid& jid,
                                 SubscriptionState state, std::string_view ns) {
  xml::Element element = make_element(kPubsubSubscriptionName, ns);
  set_optional(element, kPubsubNodeName, node);
  element.set(kPubsubJidName, jid.to_string());
  element.set(kStateName, name_of(kSubscriptionStates, state));
  return element;
}

Result<PubsubSubscription> decode_subscription(const xml::Element& element) {
  Reader reader(element);
  PubsubSubscription subscription{.node = optional_text(element, kPubsubNodeName),
                                  .jid = reader.required_jid(kPubsubJidName)};
  reader.require_enum(kSubscriptionStates, kStateName, subscription.state);
  return reader.finish(std::move(subscription));
}

xml::Element encode_one(const PubsubItems& answer) {
  xml::Element items = make_node_element(kPubsubItemsName, kPubsubNamespace, answer.node);
  for (const PubsubItem& item : answer.items) {
    items.add(encode_pubsub_item(item, kPubsubNamespace));
  }
  return make_pubsub(kPubsubNamespace, std::move(items));
}

xml::Element encode_one(const PubsubSubscription& answer) {
  return make_pubsub(kPubsubNamespace,
                     encode_subscription(answer.node, answer.jid, answer.state, kPubsubNamespace));
}

xml::Element encode_one(const PubsubSubscriptions& answer) {
  xml::Element element = make_element(kPubsubSubscriptionsName, kPubsubNamespace);
  set_optional(element, kPubsubNodeName, answer.node);
  for (const PubsubSubscription& one : answer.subscriptions) {
    element.add(encode_subscription(one.node, one.jid, one.state, kPubsubNamespace));
  }
  return make_pubsub(kPubsubNamespace, std::move(element));
}

xml::Element encode_one(const PubsubPublished& answer) {
  xml::Element publish = make_node_element(kPubsubPublishName, kPubsubNamespace, answer.node);
  if (answer.id) {
    publish.add(make_element(kPubsubItemName, kPubsubNamespace)).set(kPubsubIdName, *answer.id);
  }
  return make_pubsub(kPubsubNamespace, std::move(publish));
}

xml::Element encode_one(const PubsubConfiguration& answer) {
  xml::Element configure =
      make_node_element(kPubsubConfigureName, kPubsubOwnerNamespace, answer.node);
  configure.add(encode(answer.form));
  return make_pubsub(kPubsubOwnerNamespace, std::move(configure));
}

xml::Element encode_one(const PubsubAffiliations& answer) {
  return make_pubsub(kPubsubOwnerNamespace, encode_affiliations(answer.node, answer.affiliates));
}

PubsubSubscriptions decode_subscriptions(const xml::Element& element, Reader& reader) {
  PubsubSubscriptions subscriptions{.node = optional_text(element, kPubsubNodeName)};
  for (const xml::Element& child : element.children) {
    if (child.is(kPubsubSubscriptionName, kPubsubNamespace)) {
      subscriptions.subscriptions.push_back(reader.take(decode_subscription(child)));
    }
  }
  return subscriptions;
}

PubsubPublished decode_published(const xml::Element& element, Reader& reader) {
  PubsubPublished published{.node = reader.required(kPubsubNodeName)};
  if (const auto* item = element.child(kPubsubItemName, kPubsubNamespace)) {
    published.id = optional_text(*item, kPubsubIdName);
  }
  return published;
}

PubsubConfiguration decode_configuration(const xml::Element& element, Reader& reader) {
  PubsubConfiguration configuration{.node = reader.required(kPubsubNodeName)};
  const xml::Element* x = element.child(kPubsubXName, kDataFormNamespace);
  if (x == nullptr) {
    reader.reject("<configure/> without a form");
  } else {
    configuration.form = reader.take(decode_data_form(*x));
  }
  return configuration;
}

xml::Element encode_event(const std::string& node, const PubsubItemsPublished& published) {
  xml::Element items = make_node_element(kPubsubItemsName, kPubsubEventNamespace, node);
  for (const PubsubItem& item : published.items) {
    items.add(encode_pubsub_item(item, kPubsubEventNamespace));
  }
  for (const std::string& id : published.retracted) {
    items.add(make_element(kRetractName, kPubsubEventNamespace)).set(kPubsubIdName, id);
  }
  return items;
}

xml::Element encode_event(const std::string& node, const PubsubPurged& /*purged*/) {
  return make_node_element(kPurgeName, kPubsubEventNamespace, node);
}

xml::Element encode_event(const std::string& node, const PubsubDeleted& /*deleted*/) {
  return make_node_element(kDeleteName, kPubsubEventNamespace, node);
}

xml::Element encode_event(const std::string& node, const PubsubConfigured& configured) {
  xml::Element element = make_node_element(kConfigurationName, kPubsubEventNamespace, node);
  if (configured.form) {
    element.add(encode(*configured.form));
  }
  return element;
}

xml::Element encode_event(const std::string& node, const PubsubSubscriptionChanged& changed) {
  return encode_subscription(node, changed.jid, changed.state, kPubsubEventNamespace);
}

PubsubItemsPublished decode_published_items(const xml::Element& element, Reader& reader) {
  PubsubItemsPublished published{.items = decode_pubsub_items(element, reader)};
  for (const xml::Element& child : element.children) {
    if (child.is(kRetractName, kPubsubEventNamespace)) {
      Reader retract(child);
      published.retracted.push_back(reader.take(retract.finish(retract.required(kPubsubIdName))));
    }
  }
  return published;
}

}  // namespace

xml::Element encode(const PubsubAnswer& answer) {
  return std::visit([](const auto& one) { return encode_one(one); }, answer);
}

Result<PubsubAnswer> decode_pubsub_answer(const xml::Element& pubsub) {
  if (!is_pubsub(pubsub) || pubsub.children.empty() || pubsub.children.front().ns != pubsub.ns) {
    return fail(Errc::kMalformed, "no pubsub result");
  }
  const xml::Element& element = pubsub.children.front();
  Reader reader(element);
  PubsubAnswer answer;
  if (element.name == kPubsubItemsName) {
    answer = PubsubItems{.node = reader.required(kPubsubNodeName),
                         .items = decode_pubsub_items(element, reader)};
  } else if (element.name == kPubsubSubscriptionName) {
    answer = reader.take(decode_subscription(element));
  } else if (element.name == kPubsubSubscriptionsName) {
    answer = decode_subscriptions(element, reader);
  } else if (element.name == kPubsubPublishName) {
    answer = decode_published(element, reader);
  } else if (element.name == kPubsubConfigureName) {
    answer = decode_configuration(element, reader);
  } else if (element.name == kPubsubAffiliationsName) {
    answer = PubsubAffiliations{.node = reader.required(kPubsubNodeName),
                                .affiliates = decode_affiliations(element, reader)};
  } else {
    reader.reject("unknown pubsub result");
  }
  return reader.finish(std::move(answer));
}

xml::Element encode(const PubsubEvent& event) {
  xml::Element element = make_element(kEventName, kPubsubEventNamespace);
  element.add(std::visit([&event](const auto& what) { return encode_event(event.node, what); },
                         event.what));
  return element;
}

Result<PubsubEvent> decode_pubsub_event(const xml::Element& event) {
  if (!event.is(kEventName, kPubsubEventNamespace) || event.children.empty()) {
    return fail(Errc::kMalformed, "no pubsub event");
  }
  const xml::Element& element = event.children.front();
  Reader reader(element);
  PubsubEvent decoded{.node = reader.required(kPubsubNodeName)};
  if (element.is(kPubsubItemsName, kPubsubEventNamespace)) {
    decoded.what = decode_published_items(element, reader);
  } else if (element.is(kPurgeName, kPubsubEventNamespace)) {
    decoded.what = PubsubPurged{};
  } else if (element.is(kDeleteName, kPubsubEventNamespace)) {
    decoded.what = PubsubDeleted{};
  } else if (element.is(kConfigurationName, kPubsubEventNamespace)) {
    PubsubConfigured configured;
    if (const auto* x = element.child(kPubsubXName, kDataFormNamespace)) {
      configured.form = reader.take(decode_data_form(*x));
    }
    decoded.what = std::move(configured);
  } else if (element.is(kPubsubSubscriptionName, kPubsubEventNamespace)) {
    PubsubSubscription subscription = reader.take(decode_subscription(element));
    decoded.what = PubsubSubscriptionChanged{.jid = subscription.jid, .state = subscription.state};
  } else {
    reader.reject("unknown pubsub event");
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
