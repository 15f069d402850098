#include "sim/fake_client.h"

#include <algorithm>
#include <utility>

#include "xmpp/proto/iq.h"
#include "xmpp/proto/muc.h"

namespace bascule::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a human waits for a page that does not get on.
constexpr Duration kPatience = seconds{60};

std::string hex8(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(8, '0');
  for (char& digit : text) {
    digit = kDigits[value & 0xFU];
    value >>= 4U;
  }
  return text;
}

}  // namespace

FakeClient::FakeClient(Schedule& schedule, FakeProsody& server, Prng prng, RoomJid room,
                       const Deployment& deployment)
    : schedule_(schedule),
      server_(server),
      prng_(prng),
      room_(std::move(room)),
      deployment_(deployment),
      kind_(ClientKind::draw(prng_)),
      watch_(kind_) {
}

Duration FakeClient::between(Duration low, Duration high) {
  return low + Duration(static_cast<std::int64_t>(
                   prng_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

void FakeClient::later(Duration delay, void (FakeClient::*then)()) {
  schedule_.after(delay, [this, then, life = life_] {
    if (life == life_) {
      (this->*then)();
    }
  });
}

void FakeClient::arrive() {
  if (state_ == ClientState::kAway) {
    open_page();
  }
}

void FakeClient::open_page() {
  ++life_;
  state_ = ClientState::kRequesting;
  refusals_ = 0;
  restarts_ = 0;
  end_session();
  collect_complaints();
  sharing_ = false;
  endpoint_ = hex8(prng_.next());
  address_ = Jid::parse(endpoint_ + "@" + deployment_.client_domain.domain() + "/web").value();
  session_ = server_.open(*this, address_, false);
  if (!session_) {
    later(between(seconds{1}, seconds{4}), &FakeClient::open_page);
    return;
  }
  request();
}

void FakeClient::request() {
  proto::ConferenceRequest request;
  request.room = room_;
  request.machine_uid = "uid-" + endpoint_;
  request.properties = {{"rtcstatsEnabled", "false"}, {"visitors-version", "1"}};
  request_id_ = "r" + std::to_string(next_id_);
  request_sent_ = schedule_.now();
  send(request, deployment_.focus_component);
  schedule_.after(kPatience, [this, life = life_, id = request_id_] {
    if (life == life_ && id == request_id_ && state_ == ClientState::kRequesting) {
      give_up_request();
    }
  });
}

void FakeClient::complain_unless_lost(const std::string& what, Instant since) {
  // Nobody can answer what was lost with a link or a process; everything else has to be answered.
  if (server_.focus_lost_at() < since) {
    complaints_.push_back(what);
  }
}

void FakeClient::give_up_request() {
  ++unanswered_;
  complain_unless_lost("conference request not answered", request_sent_);
  reload("no answer to the conference request");
}

/// Those who judge one page give way to the next one's.
void FakeClient::collect_complaints() {
  complaints_ = complaints();
  watch_ = JingleWatch(kind_);
  knowledge_ = SourceKnowledge();
}

std::vector<std::string> FakeClient::complaints() const {
  std::vector<std::string> all = complaints_;
  all.insert(all.end(), watch_.complaints().begin(), watch_.complaints().end());
  all.insert(all.end(), knowledge_.complaints().begin(), knowledge_.complaints().end());
  return all;
}

void FakeClient::send(const proto::Request& request, const Jid& to) {
  const auto encoded = proto::encode_request(request);
  const std::string prefix = std::holds_alternative<proto::ConferenceRequest>(request) ? "r" : "j";
  server_.send(
      *session_,
      proto::encode_iq(
          {.from = {}, .to = to, .id = prefix + std::to_string(next_id_++), .type = encoded.type},
          encoded.payload));
}

void FakeClient::leave() {
  if (session_ && (state_ == ClientState::kInRoom || state_ == ClientState::kInvited ||
                   state_ == ClientState::kActive)) {
    proto::MucPresence goodbye;
    goodbye.to = room_.jid().with_resource(endpoint_);
    goodbye.type = proto::PresenceType::kUnavailable;
    server_.send(*session_, proto::encode(goodbye));
  }
  vanish();
}

void FakeClient::vanish() {
  ++life_;
  state_ = ClientState::kAway;
  end_session();
  if (session_) {
    const SessionId session = *std::exchange(session_, std::nullopt);
    // Behind what is still on its way to the server.
    schedule_.after(milliseconds{200}, [this, session] { server_.close(session, false); });
  }
}

void FakeClient::reload(std::string_view /*why*/) {
  ++life_;
  ++reloads_;
  state_ = ClientState::kReloading;
  end_session();
  if (session_) {
    const SessionId session = *std::exchange(session_, std::nullopt);
    server_.close(session, false);
  }
  later(seconds{10} + seconds{static_cast<std::int64_t>(prng_.below(21))}, &FakeClient::open_page);
}

void FakeClient::disconnected() {
  session_.reset();
  if (state_ != ClientState::kAway && state_ != ClientState::kReloading) {
    reload("connection lost");
  }
}

void FakeClient::retry_later() {
  ++refusals_;
  const auto backoff = seconds{
      std::min<std::int64_t>(120, std::int64_t{1} << std::min<std::uint32_t>(refusals_ - 1, 7))};
  later(backoff, &FakeClient::request);
}

void FakeClient::deliver(const xml::Element& stanza) {
  if (!session_ || stanza.attribute_or_empty("to") != address_.to_string()) {
    return;  // For a page that is closed, whose connection the server has yet to see end.
  }
  if (stanza.name == "presence") {
    on_presence(stanza);
  } else if (stanza.name == "iq") {
    const auto type = stanza.attribute_or_empty("type");
    if (type == "get" || type == "set") {
      on_request(stanza);
    } else if (stanza.attribute_or_empty("id") == request_id_ &&
               state_ == ClientState::kRequesting) {
      on_conference_answer(stanza);
    } else if (const std::string id(stanza.attribute_or_empty("id")); id.starts_with('j')) {
      if (const auto asked = watch_.answered(id)) {
        on_answer(*asked, type == "error");
      }
    }
  }
}

void FakeClient::on_conference_answer(const xml::Element& iq) {
  if (iq.attribute_or_empty("type") == "error") {
    // No focus is connected, or it answered an error: the user sees a dialog and reloads by hand.
    ++fatal_answers_;
    const auto error = proto::decode_iq_error(iq);
    if (iq.attribute_or_empty("from") == deployment_.focus_component.to_string() && error &&
        error->condition != proto::Condition::kServiceUnavailable) {
      complaints_.push_back("conference request refused: " +
                            std::string(proto::to_string(error->condition)));
    }
    reload("conference request failed");
    return;
  }
  const auto* payload = proto::iq_payload(iq);
  const auto answer = payload != nullptr
                          ? proto::decode_conference_answer(*payload)
                          : Result<proto::ConferenceAnswer>(fail(Errc::kMalformed, "no payload"));
  if (!answer) {
    complaints_.push_back("conference answer malformed: " + answer.error().what);
    return;
  }
  if (!answer->ready) {
    retry_later();
    return;
  }
  if (answer->focus_jid != deployment_.focus_user) {
    complaints_.emplace_back("conference answer names another focus");
  }
  state_ = ClientState::kJoining;
  proto::MucPresence join;
  join.to = room_.jid().with_resource(endpoint_);
  join.join = proto::MucJoin{};
  join.caps = proto::Caps{
      .node = "https://jitsi.org/jitsi-meet", .ver = kind_.capabilities(), .hash = "sha-1"};
  join.participant.nick = endpoint_;
  join.participant.stats_id = "Sim-" + endpoint_;
  server_.send(*session_, proto::encode(join));
}

void FakeClient::on_presence(const xml::Element& stanza) {
  const auto presence = proto::decode_muc_presence(stanza);
  if (!presence || presence->from.bare() != room_.jid()) {
    return;
  }
  if (presence->type == proto::PresenceType::kError) {
    if (state_ == ClientState::kJoining) {
      state_ = ClientState::kRequesting;
      later(between(milliseconds{500}, milliseconds{1500}), &FakeClient::request);
    }
    return;
  }
  const bool gone = presence->type == proto::PresenceType::kUnavailable;
  if (presence->from.resource() == "focus" && gone) {
    reload("focus left");
  } else if (presence->is_self() && state_ == ClientState::kJoining && !gone) {
    state_ = ClientState::kInRoom;
  } else if (gone) {
    knowledge_.owner_left(presence->from.resource());
  }
}

void FakeClient::reply(const xml::Element& iq, std::optional<proto::StanzaError> error) {
  const auto envelope = proto::decode_iq_envelope(iq);
  if (!envelope) {
    complaints_.emplace_back("IQ without an envelope");
    return;
  }
  xml::Element stanza =
      error ? proto::encode_iq_error(*envelope, *error) : proto::encode_iq_result(*envelope);
  stanza.unset("from");
  server_.send(*session_, stanza);
}

void FakeClient::on_request(const xml::Element& iq) {
  const auto request = proto::decode_request(iq);
  if (!request) {
    complaints_.push_back("malformed IQ: " + request.error().what);
    reply(iq, proto::make_error(proto::Condition::kBadRequest));
    return;
  }
  if (const auto* disco = std::get_if<proto::DiscoInfoRequest>(&*request)) {
    on_disco(iq, *disco);
  } else if (const auto* jingle = std::get_if<proto::Jingle>(&*request)) {
    on_jingle(iq, *jingle);
  } else {
    reply(iq, proto::make_error(proto::Condition::kServiceUnavailable));
  }
}

void FakeClient::on_disco(const xml::Element& iq, const proto::DiscoInfoRequest& disco) {
  const auto envelope = proto::decode_iq_envelope(iq);
  if (!envelope) {
    return;
  }
  proto::DiscoInfo info;
  info.node = disco.node;
  info.identities.push_back({.category = "client", .type = "web", .name = {}});
  info.features = kind_.features();
  xml::Element stanza = proto::encode_iq_result(*envelope, proto::encode(info));
  stanza.unset("from");
  server_.send(*session_, stanza);
}

}  // namespace bascule::sim
