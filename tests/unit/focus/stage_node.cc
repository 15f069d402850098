// The pubsub service of a Stage.

#include "stage.h"

namespace bascule::focus {
namespace {

using proto::Condition;

proto::FormField field(const std::string& var, const std::string& value) {
  return {.var = var, .type = std::nullopt, .values = {value}};
}

}  // namespace

void Stage::publish(const std::string& id, proto::PubsubPayload payload) {
  if (!node.exists || node.corrupt) {
    return;
  }
  if (node.keeps_items) {
    node.items[id] = payload;
  }
  if (node.subscribed && !node.deaf) {
    proto::PubsubItem item{.id = id, .publisher = {}, .payload = std::move(payload)};
    node_event(proto::PubsubItemsPublished{.items = {std::move(item)}, .retracted = {}});
  }
  run();
}

void Stage::node_event(decltype(proto::PubsubEvent::what) what) {
  proto::Message message;
  message.from = *options_.pubsub_service;
  message.type = proto::MessageType::kHeadline;
  message.pubsub_event = proto::PubsubEvent{options_.pubsub_node, std::move(what)};
  inputs_.emplace_back(in::MessageReceived{StreamId::kService, message});
}

void Stage::on_pubsub(const out::SendIq& action) {
  if (!node.service_answers) {
    return;
  }
  if (std::holds_alternative<proto::DiscoInfoRequest>(action.payload)) {
    proto::DiscoInfo info;
    if (!node.record_damaged) {
      info.features.emplace_back(proto::kPubsubNamespace);
    }
    reply(action.request, info);
    return;
  }
  if (!node.record_damaged) {
    const auto& request = std::get<proto::PubsubRequest>(action.payload);
    std::visit([&](const auto& what) { on_node(action.request, what); }, request);
  }
}

bool Stage::node_allows(RequestId request, const char* name) {
  ++node.asked[name];
  if (!node.exists) {
    fail(request, proto::make_error(Condition::kItemNotFound));
    return false;
  }
  return true;
}

bool Stage::node_obeys(RequestId request, const char* name) {
  if (!node_allows(request, name)) {
    return false;
  }
  if (!node.we_are_admin) {
    fail(request, proto::make_error(Condition::kForbidden));
    return false;
  }
  return true;
}

void Stage::on_node(RequestId request, const proto::PubsubCreate& create) {
  ++node.asked["create"];
  if (!node.we_are_admin || node.exists) {
    fail(request,
         proto::make_error(node.we_are_admin ? Condition::kConflict : Condition::kForbidden));
    return;
  }
  node.exists = true;
  node.subscribed = false;
  configure_node(create.configuration);
  reply(request, proto::Empty{});
}

void Stage::configure_node(const std::vector<proto::FormField>& fields) {
  for (const auto& one : fields) {
    if (one.var == "pubsub#persist_items") {
      node.keeps_items = one.values.at(0) == "1";
    } else if (one.var == "pubsub#max_items") {
      node.max_items = one.values.at(0);
    }
  }
}

void Stage::on_node(RequestId request, const proto::PubsubConfigure& configure) {
  if (node_obeys(request, "configure")) {
    configure_node(configure.configuration);
    reply(request, proto::Empty{});
  }
}

void Stage::on_node(RequestId request, const proto::PubsubGetConfiguration&) {
  if (node_obeys(request, "configuration")) {
    proto::PubsubConfiguration answer{.node = options_.pubsub_node, .form = {}};
    answer.form.fields = {field("pubsub#persist_items", node.keeps_items ? "1" : "0"),
                          field("pubsub#max_items", node.max_items),
                          field("pubsub#deliver_payloads", "1")};
    reply(request, proto::PubsubAnswer(answer));
  }
}

void Stage::on_node(RequestId request, const proto::PubsubSubscribe& subscribe) {
  if (node_allows(request, "subscribe")) {
    node.subscribed = true;
    node.deaf = false;
    reply(request,
          proto::PubsubAnswer(proto::PubsubSubscription{options_.pubsub_node, subscribe.jid,
                                                        proto::SubscriptionState::kSubscribed}));
  }
}

void Stage::on_node(RequestId request, const proto::PubsubUnsubscribe&) {
  if (node_allows(request, "unsubscribe")) {
    node.subscribed = false;
    reply(request, proto::Empty{});
  }
}

void Stage::on_node(RequestId request, const proto::PubsubGetSubscriptions&) {
  if (node_allows(request, "subscriptions")) {
    proto::PubsubSubscriptions answer{.node = options_.pubsub_node, .subscriptions = {}};
    if (node.subscribed) {
      answer.subscriptions.push_back({options_.pubsub_node,
                                      Jid::parse("bascule.example.net/focus").value(),
                                      proto::SubscriptionState::kSubscribed});
    }
    reply(request, proto::PubsubAnswer(answer));
  }
}

void Stage::on_node(RequestId request, const proto::PubsubGetItems&) {
  if (!node_allows(request, "items") || node.corrupt) {
    return;  // Prosody never answers when it cannot read the list.
  }
  if (!node.keeps_items) {
    fail(request, proto::make_error(Condition::kFeatureNotImplemented));
    return;
  }
  proto::PubsubItems answer{.node = options_.pubsub_node, .items = {}};
  for (const auto& [id, payload] : node.items) {
    answer.items.push_back({.id = id, .publisher = {}, .payload = payload});
  }
  reply(request, proto::PubsubAnswer(answer));
}

void Stage::on_node(RequestId request, const proto::PubsubPublish& publish) {
  if (!node_allows(request, "publish")) {
    return;
  }
  if (!node.we_may_publish || node.corrupt) {
    fail(request, proto::make_error(node.we_may_publish ? Condition::kInternalServerError
                                                        : Condition::kForbidden));
    return;
  }
  if (node.keeps_items) {
    node.items[*publish.item.id] = publish.item.payload;
  }
  if (node.subscribed && !node.deaf) {
    node_event(proto::PubsubItemsPublished{.items = {publish.item}, .retracted = {}});
  }
  reply(request, proto::PubsubAnswer(proto::PubsubPublished{options_.pubsub_node, {}}));
}

void Stage::on_node(RequestId request, const proto::PubsubPurge&) {
  if (node_obeys(request, "purge")) {
    node.corrupt = node.corrupt && !node.purge_helps;
    node.items.clear();
    reply(request, proto::Empty{});
  }
}

void Stage::on_node(RequestId request, const proto::PubsubDelete&) {
  if (node_obeys(request, "delete")) {
    const bool tell = node.subscribed;
    node.exists = node.subscribed = node.corrupt = false;
    node.items.clear();
    if (tell) {
      node_event(proto::PubsubDeleted{});
    }
    reply(request, proto::Empty{});
  }
}

void Stage::on_node(RequestId request, const proto::PubsubRetract& retract) {
  if (node_allows(request, "retract")) {
    for (const auto& id : retract.ids) {
      node.items.erase(id);
    }
    reply(request, proto::Empty{});
  }
}

void Stage::on_node(RequestId request, const proto::PubsubGetAffiliations&) {
  fail(request, proto::make_error(Condition::kFeatureNotImplemented));
}

void Stage::on_node(RequestId request, const proto::PubsubSetAffiliations&) {
  fail(request, proto::make_error(Condition::kFeatureNotImplemented));
}

}  // namespace bascule::focus
