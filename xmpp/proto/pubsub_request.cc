#include "xmpp/proto/pubsub_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kCreateName = "create";
constexpr std::string_view kSubscribeName = "subscribe";
constexpr std::string_view kUnsubscribeName = "unsubscribe";
constexpr std::string_view kMaxItemsName = "max_items";
constexpr std::string_view kRetractName = "retract";
constexpr std::string_view kNotifyName = "notify";
constexpr std::string_view kPurgeName = "purge";
constexpr std::string_view kDeleteName = "delete";

xml::Element make_id_item(const std::string& id) {
  xml::Element item = make_element(kPubsubItemName, kPubsubNamespace);
  item.set(kPubsubIdName, id);
  return item;
}

xml::Element encode_one(const PubsubCreate& request) {
  xml::Element pubsub =
      make_pubsub(kPubsubNamespace, make_node_element(kCreateName, kPubsubNamespace, request.node));
  if (!request.configuration.empty()) {
    pubsub.add(make_element(kPubsubConfigureName, kPubsubNamespace))
        .add(encode(make_submit_form(kPubsubNodeConfigFormType, request.configuration)));
  }
  return pubsub;
}

xml::Element encode_one(const PubsubGetConfiguration& request) {
  return make_pubsub(kPubsubOwnerNamespace,
                     make_node_element(kPubsubConfigureName, kPubsubOwnerNamespace, request.node));
}

xml::Element encode_one(const PubsubConfigure& request) {
  xml::Element configure =
      make_node_element(kPubsubConfigureName, kPubsubOwnerNamespace, request.node);
  configure.add(encode(make_submit_form(kPubsubNodeConfigFormType, request.configuration)));
  return make_pubsub(kPubsubOwnerNamespace, std::move(configure));
}

xml::Element encode_one(const PubsubGetAffiliations& request) {
  return make_pubsub(kPubsubOwnerNamespace, encode_affiliations(request.node, {}));
}

xml::Element encode_one(const PubsubSetAffiliations& request) {
  return make_pubsub(kPubsubOwnerNamespace, encode_affiliations(request.node, request.affiliates));
}

template <class Request>
xml::Element encode_with_jid(std::string_view name, const Request& request) {
  xml::Element element = make_node_element(name, kPubsubNamespace, request.node);
  element.set(kPubsubJidName, request.jid.to_string());
  return make_pubsub(kPubsubNamespace, std::move(element));
}

xml::Element encode_one(const PubsubSubscribe& request) {
  return encode_with_jid(kSubscribeName, request);
}

xml::Element encode_one(const PubsubUnsubscribe& request) {
  return encode_with_jid(kUnsubscribeName, request);
}

xml::Element encode_one(const PubsubGetSubscriptions& request) {
  return make_pubsub(kPubsubNamespace,
                     make_node_element(kPubsubSubscriptionsName, kPubsubNamespace, request.node));
}

xml::Element encode_one(const PubsubGetItems& request) {
  xml::Element items = make_node_element(kPubsubItemsName, kPubsubNamespace, request.node);
  set_optional_number(items, kMaxItemsName, request.max_items);
  for (const std::string& id : request.ids) {
    items.add(make_id_item(id));
  }
  return make_pubsub(kPubsubNamespace, std::move(items));
}

xml::Element encode_one(const PubsubPublish& request) {
  xml::Element publish = make_node_element(kPubsubPublishName, kPubsubNamespace, request.node);
  publish.add(encode_pubsub_item(request.item, kPubsubNamespace));
  return make_pubsub(kPubsubNamespace, std::move(publish));
}

xml::Element encode_one(const PubsubRetract& request) {
  xml::Element retract = make_node_element(kRetractName, kPubsubNamespace, request.node);
  set_flag(retract, kNotifyName, request.notify);
  for (const std::string& id : request.ids) {
    retract.add(make_id_item(id));
  }
  return make_pubsub(kPubsubNamespace, std::move(retract));
}

xml::Element encode_one(const PubsubPurge& request) {
  return make_pubsub(kPubsubOwnerNamespace,
                     make_node_element(kPurgeName, kPubsubOwnerNamespace, request.node));
}

xml::Element encode_one(const PubsubDelete& request) {
  return make_pubsub(kPubsubOwnerNamespace,
                     make_node_element(kDeleteName, kPubsubOwnerNamespace, request.node));
}

std::vector<FormField> decode_configuration(const xml::Element& configure, Reader& reader) {
  const xml::Element* x = configure.child(kPubsubXName, kDataFormNamespace);
  if (x == nullptr) {
    reader.reject("<configure/> without a form");
    return {};
  }
  return without_form_type(std::move(reader.take(decode_data_form(*x)).fields));
}

std::vector<std::string> decode_ids(const xml::Element& element, Reader& reader) {
  std::vector<std::string> ids;
  for (const xml::Element& child : element.children) {
    if (child.is(kPubsubItemName, kPubsubNamespace)) {
      Reader item(child);
      ids.push_back(reader.take(item.finish(item.required(kPubsubIdName))));
    }
  }
  return ids;
}

Result<PubsubRequest> decode_owner(const xml::Element& action, PubsubDirection direction) {
  Reader reader(action);
  const std::string node = reader.required(kPubsubNodeName);
  const bool is_set = direction == PubsubDirection::kSet;
  PubsubRequest request;
  if (action.name == kPubsubConfigureName && is_set) {
    request = PubsubConfigure{.node = node, .configuration = decode_configuration(action, reader)};
  } else if (action.name == kPubsubConfigureName) {
    request = PubsubGetConfiguration{.node = node};
  } else if (action.name == kPubsubAffiliationsName && is_set) {
    request =
        PubsubSetAffiliations{.node = node, .affiliates = decode_affiliations(action, reader)};
  } else if (action.name == kPubsubAffiliationsName) {
    request = PubsubGetAffiliations{.node = node};
  } else if (action.name == kPurgeName && is_set) {
    request = PubsubPurge{.node = node};
  } else if (action.name == kDeleteName && is_set) {
    request = PubsubDelete{.node = node};
  } else {
    reader.reject("unknown owner request");
  }
  return reader.finish(std::move(request));
}

PubsubRequest decode_get(const xml::Element& action, const std::string& node, Reader& reader) {
  if (action.name == kPubsubItemsName) {
    return PubsubGetItems{.node = node,
                          .max_items = reader.optional_integer<std::uint32_t>(kMaxItemsName),
                          .ids = decode_ids(action, reader)};
  }
  if (action.name != kPubsubSubscriptionsName) {
    reader.reject("unknown pubsub request");
  }
  return PubsubGetSubscriptions{.node = node};
}

PubsubPublish decode_publish(const xml::Element& action, const std::string& node, Reader& reader) {
  std::vector<PubsubItem> items = decode_pubsub_items(action, reader);
  if (items.size() != 1) {
    reader.reject("<publish/> without exactly one item");
    return PubsubPublish{.node = node};
  }
  return PubsubPublish{.node = node, .item = std::move(items.front())};
}

PubsubRequest decode_set(const xml::Element& pubsub, const xml::Element& action,
                         const std::string& node, Reader& reader) {
  if (action.name == kCreateName) {
    PubsubCreate create{.node = node};
    if (const auto* configure = pubsub.child(kPubsubConfigureName, kPubsubNamespace)) {
      create.configuration = decode_configuration(*configure, reader);
    }
    return create;
  }
  if (action.name == kSubscribeName) {
    return PubsubSubscribe{.node = node, .jid = reader.required_jid(kPubsubJidName)};
  }
  if (action.name == kUnsubscribeName) {
    return PubsubUnsubscribe{.node = node, .jid = reader.required_jid(kPubsubJidName)};
  }
  if (action.name == kPubsubPublishName) {
    return decode_publish(action, node, reader);
  }
  if (action.name != kRetractName) {
    reader.reject("unknown pubsub request");
  }
  return PubsubRetract{
      .node = node, .ids = decode_ids(action, reader), .notify = reader.flag(kNotifyName)};
}

}  // namespace

bool is_pubsub(const xml::Element& element) {
  return element.is(kPubsubName, kPubsubNamespace) ||
         element.is(kPubsubName, kPubsubOwnerNamespace);
}

PubsubDirection direction_of(const PubsubRequest& request) {
  const bool is_get = std::holds_alternative<PubsubGetConfiguration>(request) ||
                      std::holds_alternative<PubsubGetAffiliations>(request) ||
                      std::holds_alternative<PubsubGetSubscriptions>(request) ||
                      std::holds_alternative<PubsubGetItems>(request);
  return is_get ? PubsubDirection::kGet : PubsubDirection::kSet;
}

xml::Element encode(const PubsubRequest& request) {
  return std::visit([](const auto& one) { return encode_one(one); }, request);
}

Result<PubsubRequest> decode_pubsub_request(const xml::Element& pubsub, PubsubDirection direction) {
  if (!is_pubsub(pubsub) || pubsub.children.empty() || pubsub.children.front().ns != pubsub.ns) {
    return fail(Errc::kMalformed, "no pubsub request");
  }
  const xml::Element& action = pubsub.children.front();
  if (pubsub.ns == kPubsubOwnerNamespace) {
    return decode_owner(action, direction);
  }
  Reader reader(action);
  const std::string node = reader.required(kPubsubNodeName);
  PubsubRequest request = direction == PubsubDirection::kSet
                              ? decode_set(pubsub, action, node, reader)
                              : decode_get(action, node, reader);
  return reader.finish(std::move(request));
}

}  // namespace bascule::proto
