#include "sim/fake_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "xmpp/proto/iq.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/muc.h"

namespace bascule::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// lib-jitsi-meet: JingleSessionPC.js (IQ_TIMEOUT).
constexpr Duration kJingleTimeout = seconds{10};
/// A focus that died is in its rooms again within this time. Until then the server keeps what is
/// sent to it in a session nobody resumes, and refuses it when that one ends (XEP-0198 section 5).
constexpr Duration kFocusReturn = seconds{15};
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

proto::Content make_content(const std::string& endpoint, proto::MediaType type, Ssrc ssrc,
                            std::string_view suffix) {
  const bool audio = type == proto::MediaType::kAudio;
  proto::Source source;
  source.ssrc = ssrc;
  source.name = endpoint + std::string(suffix);
  source.msid = "stream-" + *source.name + " track-" + *source.name;
  proto::Content content;
  content.creator = proto::Creator::kResponder;
  content.name = audio ? "audio" : "video";
  content.senders = proto::Senders::kBoth;
  content.description.emplace();
  content.description->media = type;
  content.description->sources.push_back(std::move(source));
  return content;
}

proto::IceUdpTransport client_transport(const std::string& endpoint) {
  proto::IceUdpTransport ice;
  ice.ufrag = "c" + endpoint;
  ice.pwd = "client-password-of-22-chars-" + endpoint;
  ice.rtcp_mux = true;
  ice.fingerprints.push_back({.hash = "sha-256",
                              .setup = proto::DtlsSetup::kActive,
                              .required = {},
                              .cryptex = {},
                              .value = "DD:EE:FF"});
  return ice;
}

/// Distinct for every endpoint and kind of source, and never zero.
Ssrc ssrc_of(const std::string& endpoint, std::uint32_t kind) {
  std::uint32_t value = 0;
  std::from_chars(endpoint.data(), endpoint.data() + endpoint.size(), value, 16);
  return Ssrc{(value & 0xFFFFFFF0U) | (kind + 1U)};
}

}  // namespace

FakeClient::FakeClient(Schedule& schedule, FakeProsody& server, Prng prng, RoomJid room,
                       const Deployment& deployment)
    : schedule_(schedule),
      server_(server),
      prng_(prng),
      room_(std::move(room)),
      deployment_(deployment) {
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
  sid_.clear();
  media_target_.clear();
  known_senders_.clear();
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

void FakeClient::give_up_jingle() {
  complain_unless_lost(state_ == ClientState::kInvited ? "session-accept not answered"
                                                       : "request for a restart not answered",
                       jingle_sent_ - kFocusReturn);
  reload("no answer to a Jingle request");
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
  sid_.clear();
  media_target_.clear();
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
  sid_.clear();
  media_target_.clear();
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
  if (!session_) {
    return;
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
    } else if (stanza.attribute_or_empty("id") == accept_id_ && state_ == ClientState::kInvited) {
      if (type == "result") {
        state_ = ClientState::kActive;
      } else {
        complain_unless_lost("session-accept refused", jingle_sent_ - kFocusReturn);
        reload("session-accept refused");
      }
    } else if (stanza.attribute_or_empty("id") == restart_id_) {
      restart_id_.clear();
      if (type == "error") {
        reload("restart refused");
      }
    } else if (stanza.attribute_or_empty("id") == share_id_) {
      share_id_.clear();
      if (type == "error") {
        sharing_ = !sharing_;
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
    complaints_.push_back("conference answer names another focus");
  }
  state_ = ClientState::kJoining;
  proto::MucPresence join;
  join.to = room_.jid().with_resource(endpoint_);
  join.join = proto::MucJoin{};
  join.caps = proto::Caps{.node = "https://jitsi.org/jitsi-meet", .ver = "simver", .hash = "sha-1"};
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
    known_senders_.erase(presence->from.resource());
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
    proto::DiscoInfo info;
    info.node = disco->node;
    info.identities.push_back({.category = "client", .type = "web", .name = {}});
    info.features = {"http://jitsi.org/json-encoded-sources",
                     "urn:ietf:rfc:5761",
                     "urn:ietf:rfc:5888",
                     "urn:ietf:rfc:5576",
                     "http://jitsi.org/source-name",
                     "http://jitsi.org/receive-multiple-video-streams",
                     "urn:xmpp:jingle:apps:rtp:audio",
                     "urn:xmpp:jingle:apps:rtp:video",
                     "urn:xmpp:jingle:transports:ice-udp:1",
                     "urn:xmpp:jingle:apps:dtls:0",
                     "urn:xmpp:jingle:transports:dtls-sctp:1"};
    const auto envelope = proto::decode_iq_envelope(iq);
    if (envelope) {
      xml::Element stanza = proto::encode_iq_result(*envelope, proto::encode(info));
      stanza.unset("from");
      server_.send(*session_, stanza);
    }
  } else if (const auto* jingle = std::get_if<proto::Jingle>(&*request)) {
    on_jingle(iq, *jingle);
  } else {
    reply(iq, proto::make_error(proto::Condition::kServiceUnavailable));
  }
}

void FakeClient::on_jingle(const xml::Element& iq, const proto::Jingle& jingle) {
  if (iq.attribute_or_empty("from") != focus_occupant().to_string()) {
    complaints_.push_back("Jingle from " + std::string(iq.attribute_or_empty("from")));
  }
  if (jingle.action == proto::JingleAction::kSessionInitiate) {
    on_initiate(iq, jingle);
    return;
  }
  if (jingle.sid != sid_) {
    reply(iq, proto::make_unknown_session_error());
    return;
  }
  reply(iq);
  switch (jingle.action) {
    case proto::JingleAction::kSessionTerminate:
      sid_.clear();
      media_target_.clear();
      known_senders_.clear();
      state_ = ClientState::kInRoom;
      break;
    case proto::JingleAction::kSourceAdd:
      learn_sources(jingle);
      break;
    default:
      break;
  }
}

void FakeClient::on_initiate(const xml::Element& iq, const proto::Jingle& jingle) {
  if (!sid_.empty()) {
    complaints_.push_back("session-initiate while session " + sid_ + " lives");
  }
  if (jingle.contents.empty() || !jingle.contents.front().transport ||
      !jingle.contents.front().transport->ufrag) {
    complaints_.emplace_back("offer without a usable transport");
  }
  reply(iq);
  sid_ = jingle.sid;
  accept_id_.clear();
  media_target_ = jingle.contents.empty() || !jingle.contents.front().transport
                      ? ""
                      : jingle.contents.front().transport->ufrag.value_or("");
  bridge_session_ = jingle.bridge_session ? jingle.bridge_session->id.value_or("") : "";
  ++sessions_;
  state_ = ClientState::kInvited;
  learn_sources(jingle);
  later(between(milliseconds{30}, milliseconds{400}), &FakeClient::accept);
}

void FakeClient::learn_sources(const proto::Jingle& jingle) {
  if (jingle.json_message) {
    if (const auto sources = proto::decode_sources_json(jingle.json_message->json)) {
      for (const auto& [owner, set] : *sources) {
        known_senders_.insert(owner.value());
      }
    } else {
      complaints_.emplace_back("JSON sources malformed");
    }
  }
  for (const proto::Content& content : jingle.contents) {
    if (content.description) {
      for (const proto::Source& source : content.description->sources) {
        if (source.owner) {
          known_senders_.insert(Jid::parse(*source.owner).value_or(Jid{}).resource());
        }
      }
    }
  }
}

void FakeClient::accept() {
  if (state_ != ClientState::kInvited || sid_.empty() || !session_ || !accept_id_.empty()) {
    return;  // The offer it was about to accept is gone, or this one is accepted already.
  }
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionAccept;
  jingle.sid = sid_;
  jingle.responder = room_.jid().with_resource(endpoint_);
  jingle.contents.push_back(
      make_content(endpoint_, proto::MediaType::kAudio, ssrc_of(endpoint_, 0), "-a0"));
  jingle.contents.push_back(
      make_content(endpoint_, proto::MediaType::kVideo, ssrc_of(endpoint_, 1), "-v0"));
  for (proto::Content& content : jingle.contents) {
    content.transport = client_transport(endpoint_);
  }
  accept_id_ = "j" + std::to_string(next_id_);
  jingle_sent_ = schedule_.now();
  send(jingle, focus_occupant());
  schedule_.after(kJingleTimeout, [this, life = life_, id = accept_id_] {
    if (life == life_ && id == accept_id_ && state_ == ClientState::kInvited) {
      give_up_jingle();
    }
  });
}

void FakeClient::share_screen(bool on) {
  if (state_ != ClientState::kActive || sharing_ == on || !session_) {
    return;
  }
  sharing_ = on;
  proto::Jingle jingle;
  jingle.action = on ? proto::JingleAction::kSourceAdd : proto::JingleAction::kSourceRemove;
  jingle.sid = sid_;
  jingle.contents.push_back(
      make_content(endpoint_, proto::MediaType::kVideo, ssrc_of(endpoint_, 2), "-v1"));
  share_id_ = "j" + std::to_string(next_id_);
  send(jingle, focus_occupant());
}

void FakeClient::ask_for_restart() {
  if (state_ != ClientState::kActive || !session_) {
    return;
  }
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionTerminate;
  jingle.sid = sid_;
  jingle.bridge_session = proto::BridgeSession{};
  jingle.bridge_session->id = bridge_session_;
  jingle.bridge_session->restart = true;
  jingle.reason =
      proto::JingleReason{.condition = proto::ReasonCondition::kConnectivityError, .text = "ICE"};
  restart_id_ = "j" + std::to_string(next_id_);
  jingle_sent_ = schedule_.now();
  send(jingle, focus_occupant());
  sid_.clear();
  media_target_.clear();
  known_senders_.clear();
  state_ = ClientState::kInRoom;
  schedule_.after(kJingleTimeout, [this, life = life_, id = restart_id_] {
    if (life == life_ && id == restart_id_) {
      give_up_jingle();
    }
  });
}

}  // namespace bascule::sim
