#include "sim/fake_pubsub.h"

#include <utility>

#include "xmpp/proto/disco.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/message.h"

namespace bascule::sim {
namespace {

tl::unexpected<proto::StanzaError> refuse(proto::Condition condition) {
  return tl::make_unexpected(proto::make_error(condition));
}

}  // namespace

FakePubsub::FakePubsub(FakeProsody& server, Jid address, std::string node)
    : server_(server), address_(std::move(address)), node_(std::move(node)) {
}

void FakePubsub::start() {
  session_ = server_.open(*this, address_, false);
}

void FakePubsub::deliver(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const auto envelope = proto::decode_iq_envelope(stanza);
  if (!session_ || !envelope || (type != "get" && type != "set")) {
    return;
  }
  const auto request = proto::decode_request(stanza);
  const Outcome outcome =
      request ? answer(*request, envelope->from) : refuse(proto::Condition::kBadRequest);
  server_.send(*session_, outcome
                              ? proto::encode_iq_result(*envelope, proto::encode_answer(*outcome))
                              : proto::encode_iq_error(*envelope, outcome.error()));
}

FakePubsub::Outcome FakePubsub::answer(const proto::Request& request, const Jid& /*from*/) {
  if (std::holds_alternative<proto::DiscoInfoRequest>(request)) {
    proto::DiscoInfo info;
    info.features.emplace_back(proto::kPubsubNamespace);
    return info;
  }
  if (const auto* what = std::get_if<proto::PubsubRequest>(&request)) {
    return on_node(*what);
  }
  return refuse(proto::Condition::kServiceUnavailable);
}

FakePubsub::Outcome FakePubsub::on_node(const proto::PubsubRequest& request) {
  if (std::holds_alternative<proto::PubsubCreate>(request)) {
    exists_ = true;
    return proto::Empty{};
  }
  if (!exists_) {
    return refuse(proto::Condition::kItemNotFound);
  }
  if (const auto* subscribe = std::get_if<proto::PubsubSubscribe>(&request)) {
    subscribers_.insert(subscribe->jid);
    return proto::PubsubAnswer(
        proto::PubsubSubscription{node_, subscribe->jid, proto::SubscriptionState::kSubscribed});
  }
  if (std::holds_alternative<proto::PubsubGetSubscriptions>(request)) {
    proto::PubsubSubscriptions all{.node = node_, .subscriptions = {}};
    for (const Jid& jid : subscribers_) {
      all.subscriptions.push_back({node_, jid, proto::SubscriptionState::kSubscribed});
    }
    return proto::PubsubAnswer(std::move(all));
  }
  if (std::holds_alternative<proto::PubsubGetConfiguration>(request)) {
    proto::PubsubConfiguration configuration{.node = node_, .form = {}};
    configuration.form.fields = {{"pubsub#persist_items", std::nullopt, {"0"}},
                                 {"pubsub#deliver_payloads", std::nullopt, {"1"}}};
    return proto::PubsubAnswer(std::move(configuration));
  }
  if (const auto* publish = std::get_if<proto::PubsubPublish>(&request)) {
    tell_subscribers(publish->item);
    return proto::PubsubAnswer(proto::PubsubPublished{node_, publish->item.id});
  }
  if (std::holds_alternative<proto::PubsubUnsubscribe>(request) ||
      std::holds_alternative<proto::PubsubConfigure>(request)) {
    return proto::Empty{};
  }
  return refuse(proto::Condition::kFeatureNotImplemented);
}

void FakePubsub::tell_subscribers(const proto::PubsubItem& item) {
  for (const Jid& jid : subscribers_) {
    proto::Message message;
    message.from = address_;
    message.to = jid;
    message.type = proto::MessageType::kHeadline;
    message.pubsub_event = proto::PubsubEvent{node_, proto::PubsubItemsPublished{{item}, {}}};
    server_.send(*session_, proto::encode(message));
  }
}

}  // namespace bascule::sim
