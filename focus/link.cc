#include "focus/link.h"

#include <utility>

#include "base/check.h"
#include "xmpp/proto/iq.h"

namespace bascule::focus {
namespace {

void append(std::vector<xmpp::Completed>& completed, std::vector<Input>& inputs) {
  for (xmpp::Completed& one : completed) {
    inputs.emplace_back(in::IqAnswer{one.request, std::move(one.outcome)});
  }
}

/// Replies must carry the address the stanza was sent to; on c2s the server stamps ours.
void address(xml::Element& stanza, const Jid& from) {
  if (from.empty()) {
    stanza.unset("from");
  } else {
    stanza.set("from", from.to_string());
  }
}

bool is_request(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  return stanza.name == "iq" && (type == "get" || type == "set");
}

/// A malformed Jingle request is left to its session: whether there is one comes first, and an
/// accept that nobody can read ends it.
Result<proto::Request> decode_request(const xml::Element& iq) {
  auto request = proto::decode_request(iq);
  if (!request && iq.attribute("type") == "set" && iq.children.size() == 1) {
    if (auto jingle = proto::make_malformed_jingle(iq.children.front(), request.error().what)) {
      return proto::Request(*std::move(jingle));
    }
  }
  return request;
}

/// The error for a request of which only the head can be trusted (RFC 6120 8.3): addresses and id
/// are echoed as they came, because they may be what is malformed.
xml::Element raw_error(const xml::Element& head, const proto::StanzaError& error) {
  xml::Element reply{
      .name = head.name, .ns = head.ns, .attributes = {}, .children = {}, .text = {}};
  reply.set("type", "error");
  reply.set("id", head.attribute_or_empty("id"));
  if (const auto from = head.attribute("from")) {
    reply.set("to", *from);
  }
  if (const auto to = head.attribute("to")) {
    reply.set("from", *to);
  }
  reply.add(proto::encode(error));
  return reply;
}

/// Of an action with `stanza_stream`.
const Jid& receiver(const Action& action) {
  if (const auto* request = std::get_if<out::SendIq>(&action)) {
    return request->to;
  }
  const auto* answer = std::get_if<out::AnswerIq>(&action);
  return answer != nullptr ? answer->to : std::get<out::SendPresence>(action).presence.to;
}

}  // namespace

Link::Link(LinkOptions options)
    : options_(std::move(options)),
      session_({.id_token = options_.id_token, .outstanding_max = options_.outstanding_max}) {
}

void Link::up(const xmpp::Up& up, std::vector<Input>& inputs) {
  if (!up.resumed) {
    std::vector<xmpp::Completed> lost;
    session_.stream_down(lost);
    append(lost, inputs);
  }
  session_.stream_up(up.bound_jid, options_.send_from);
  inputs.emplace_back(
      in::StreamUp{.stream = options_.stream,
                   .bound_jid = options_.send_from.empty() ? up.bound_jid : options_.send_from,
                   .resumed = up.resumed,
                   .beside = up.beside,
                   .resumable_for = up.resumable_for});
}

void Link::down(const xmpp::Down& down, std::vector<Input>& inputs) {
  if (options_.resumable && down.kind == xmpp::DownKind::kConnection) {
    session_.stream_interrupted();
  } else {
    std::vector<xmpp::Completed> lost;
    session_.stream_down(lost);
    append(lost, inputs);
  }
  inputs.emplace_back(
      in::StreamDown{.stream = options_.stream, .kind = down.kind, .reason = down.reason});
}

void Link::receive(const xml::Element& stanza, std::vector<Input>& inputs,
                   std::vector<xml::Element>& replies) {
  if (options_.mark != nullptr) {
    options_.mark->begin(stanza.attribute_or_empty("from"));
  }
  if (!refuse(stanza, replies)) {
    decode(stanza, inputs, replies);
  }
  if (options_.mark != nullptr) {
    options_.mark->clear();
  }
}

/// Also answers to what we asked: nobody asks somebody there before the room is released.
bool Link::refuse(const xml::Element& stanza, std::vector<xml::Element>& replies) {
  if (options_.quarantine == nullptr || options_.quarantine->size() == 0) {
    return false;
  }
  const auto from = Jid::parse(stanza.attribute_or_empty("from"));
  if (!from || !options_.quarantine->holds(RoomJid(from->bare()))) {
    return false;
  }
  ++counters_.refused;
  if (is_request(stanza)) {
    xml::Element reply =
        raw_error(stanza, proto::make_error(proto::Condition::kResourceConstraint));
    address(reply, options_.send_from);
    replies.push_back(std::move(reply));
    ++counters_.sent;
  }
  return true;
}

void Link::decode(const xml::Element& stanza, std::vector<Input>& inputs,
                  std::vector<xml::Element>& replies) {
  if (stanza.name == "iq") {
    receive_iq(stanza, inputs, replies);
  } else if (stanza.name == "presence") {
    receive_presence(stanza, inputs, replies);
  } else if (stanza.name == "message") {
    auto message = proto::decode_message(stanza);
    if (!message) {
      ++counters_.malformed;  // Nobody waits for an answer to a message.
      return;
    }
    ++counters_.delivered;
    inputs.emplace_back(in::MessageReceived{options_.stream, *std::move(message)});
  } else {
    ++counters_.ignored;
  }
}

void Link::receive_iq(const xml::Element& stanza, std::vector<Input>& inputs,
                      std::vector<xml::Element>& replies) {
  if (xmpp::Session::is_answer(stanza)) {
    if (auto completed = session_.receive(stanza)) {
      ++counters_.delivered;
      inputs.emplace_back(in::IqAnswer{completed->request, std::move(completed->outcome)});
    } else {
      ++counters_.unpaired;
    }
    return;
  }
  auto envelope = proto::decode_iq_envelope(stanza);
  if (!envelope) {
    ++counters_.malformed;
    if (is_request(stanza)) {
      replies.push_back(raw_error(
          stanza, proto::make_error(proto::Condition::kBadRequest, envelope.error().what)));
      ++counters_.sent;
    }
    return;
  }
  auto payload = decode_request(stanza);
  if (!payload) {
    ++counters_.malformed;
    xml::Element reply = proto::encode_iq_error(
        *envelope, proto::make_error(proto::Condition::kBadRequest, payload.error().what));
    if (options_.send_from.empty() && options_.stream != StreamId::kRequests) {
      reply.unset("from");
    }
    replies.push_back(std::move(reply));
    ++counters_.sent;
    return;
  }
  const auto* jingle = std::get_if<proto::Jingle>(&*payload);
  ++(jingle != nullptr && jingle->malformed ? counters_.malformed : counters_.delivered);
  inputs.emplace_back(in::IqRequest{.stream = options_.stream,
                                    .from = envelope->from,
                                    .to = envelope->to,
                                    .stanza_id = envelope->id,
                                    .payload = *std::move(payload)});
}

void Link::receive_presence(const xml::Element& stanza, std::vector<Input>& inputs,
                            std::vector<xml::Element>& replies) {
  const auto type = stanza.attribute_or_empty("type");
  if (type == "subscribe" && options_.proxy_address &&
      stanza.attribute_or_empty("from") == options_.proxy_address->to_string()) {
    // The proxy forwards to the resources whose presence it sees; ours reaches it after this.
    xml::Element reply{
        .name = "presence", .ns = stanza.ns, .attributes = {}, .children = {}, .text = {}};
    reply.set("type", "subscribed").set("to", options_.proxy_address->to_string());
    replies.push_back(std::move(reply));
    ++counters_.sent;
    ++counters_.delivered;
    return;
  }
  if (!type.empty() && type != "unavailable" && type != "error") {
    ++counters_.ignored;
    return;
  }
  auto presence = proto::decode_muc_presence(stanza);
  if (!presence) {
    ++counters_.malformed;
    return;
  }
  ++counters_.delivered;
  inputs.emplace_back(in::PresenceReceived{options_.stream, *std::move(presence)});
}

void Link::rejected(const xml::Element& head, std::vector<xml::Element>& replies) {
  ++counters_.over_limit;
  if (is_request(head)) {
    replies.push_back(raw_error(head, proto::make_error(proto::Condition::kNotAcceptable,
                                                        "the stanza is over the limits")));
    ++counters_.sent;
  }
}

std::optional<StreamId> stanza_stream(const Action& action) {
  if (const auto* request = std::get_if<out::SendIq>(&action)) {
    return request->stream;
  }
  if (const auto* answer = std::get_if<out::AnswerIq>(&action)) {
    return answer->stream;
  }
  const auto* presence = std::get_if<out::SendPresence>(&action);
  return presence != nullptr ? std::optional(presence->stream) : std::nullopt;
}

std::optional<xml::Element> Link::make(const Action& action, Now now, std::vector<Input>& inputs) {
  BASCULE_CHECK(stanza_stream(action) == options_.stream);
  if (options_.mark == nullptr) {
    return encode(action, now, inputs);
  }
  options_.mark->begin(RoomJid(receiver(action)));
  auto stanza = encode(action, now, inputs);
  options_.mark->clear();
  return stanza;
}

std::optional<xml::Element> Link::encode(const Action& action, Now now,
                                         std::vector<Input>& inputs) {
  if (const auto* request = std::get_if<out::SendIq>(&action)) {
    return send(*request, now, inputs);
  }
  const auto* answer = std::get_if<out::AnswerIq>(&action);
  return answer != nullptr ? send(*answer) : send(std::get<out::SendPresence>(action));
}

std::optional<xml::Element> Link::send(const out::SendIq& request, Now now,
                                       std::vector<Input>& inputs) {
  auto sent = session_.send(request.request, request.to, request.payload, request.timeout, now);
  if (!sent) {
    inputs.emplace_back(in::IqAnswer{sent.error().request, std::move(sent.error().outcome)});
    return std::nullopt;
  }
  ++counters_.sent;
  return *std::move(sent);
}

xml::Element Link::send(const out::AnswerIq& answer) {
  const proto::IqEnvelope request{
      .from = answer.to, .to = answer.from, .id = answer.stanza_id, .type = proto::IqType::kSet};
  ++counters_.sent;
  xml::Element stanza =
      answer.outcome ? proto::encode_iq_result(request, proto::encode_answer(*answer.outcome))
                     : proto::encode_iq_error(request, answer.outcome.error());
  // On c2s `from` may only be our own address, which the server knows best.
  if (options_.send_from.empty() && options_.stream != StreamId::kRequests) {
    stanza.unset("from");
  }
  return stanza;
}

xml::Element Link::send(const out::SendPresence& presence) {
  ++counters_.sent;
  xml::Element stanza = proto::encode(presence.presence);
  address(stanza, options_.send_from);
  return stanza;
}

void Link::fire_timers(Now now, std::vector<Input>& inputs) {
  std::vector<xmpp::Completed> late;
  session_.fire_timers(now, late);
  append(late, inputs);
}

}  // namespace bascule::focus
