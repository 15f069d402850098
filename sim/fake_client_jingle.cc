// The sessions of a FakeClient: offers, accepts, sources, restarts.

#include <algorithm>
#include <utility>

#include "focus/options.h"
#include "sim/fake_client.h"
#include "xmpp/proto/iq.h"

namespace bascule::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// lib-jitsi-meet: JingleSessionPC.js (IQ_TIMEOUT).
constexpr Duration kJingleTimeout = seconds{10};
/// A focus that died is in its rooms again within this time. Until then the server keeps what is
/// sent to it in a session nobody resumes, and refuses it when that one ends (XEP-0198 section 5).
constexpr Duration kFocusReturn = seconds{15};
/// How long the focus may take to replace a session whose bridge is gone.
constexpr Duration kReplacement = seconds{30};
/// From the request for an ICE restart to the fallback (lib-jitsi-meet: IceFailedHandling.ts).
constexpr Duration kIceRestartTimeout = seconds{15};
constexpr std::uint32_t kRestartsMax = 3;
/// One offer in so many is not treated as most clients do, for each way to do so.
constexpr std::uint64_t kErraticEvery = 30;

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

const proto::IceUdpTransport* transport_of(const proto::Jingle& jingle) {
  const bool has = !jingle.contents.empty() && jingle.contents.front().transport &&
                   jingle.contents.front().transport->ufrag;
  return has ? &*jingle.contents.front().transport : nullptr;
}

}  // namespace

void FakeClient::end_session() {
  sid_.clear();
  accepted_ = false;
  media_target_.clear();
  ice_restarting_ = false;
  knowledge_.forget();
  published_ = {};
}

void FakeClient::ask(Ask what, proto::Jingle jingle) {
  const std::string id = "j" + std::to_string(next_id_);
  const Asked asked{.ask = what, .sid = jingle.sid, .at = schedule_.now()};
  ++asks_[static_cast<std::size_t>(what)];
  watch_.asked(id, asked);
  send(jingle, focus_occupant());
  schedule_.after(kJingleTimeout, [this, life = life_, id, asked] {
    if (life == life_ && watch_.waits(id)) {
      unanswered(asked);
    }
  });
}

void FakeClient::unanswered(const Asked& what) {
  complain_unless_lost(std::string(to_string(what.ask)) + " not answered", what.at - kFocusReturn);
  const bool is_present = what.sid == sid_;
  if (what.ask == Ask::kRestart || (what.ask == Ask::kAccept && is_present)) {
    reload("no answer to a Jingle request");
  } else if (is_present && (what.ask == Ask::kAddScreen || what.ask == Ask::kRemoveScreen)) {
    withdraw_screen();
  } else if (is_present && what.ask == Ask::kIceRestart) {
    ask_for_restart();
  }
}

void FakeClient::on_answer(const Asked& what, bool is_error) {
  if (what.ask == Ask::kRestart) {
    if (is_error) {
      reload("restart refused");
    }
    return;
  }
  if (what.sid != sid_) {
    return;  // Of a session that is over: nobody cares.
  }
  switch (what.ask) {
    case Ask::kAccept:
      if (!is_error) {
        state_ = ClientState::kActive;
        published_ = unconfirmed_;
      } else {
        complain_unless_lost("session-accept refused", what.at - kFocusReturn);
        reload("session-accept refused");
      }
      break;
    case Ask::kAddScreen:
      if (!is_error) {
        published_ = together(published_, screen_sources(endpoint_));
      } else {
        withdraw_screen();
      }
      break;
    case Ask::kRemoveScreen:  // Refused: it is not there either.
      published_ = camera_sources(endpoint_, kind_);
      break;
    case Ask::kInvalid:
      if (!is_error) {
        // Of a session that is about to be replaced nothing is looked at any more.
        schedule_.after(kReplacement, [this, life = life_, sid = sid_] {
          if (life == life_ && sid == sid_) {
            complaints_.emplace_back("invalid sources were accepted");
          }
        });
      }
      break;
    case Ask::kIceRestart:
      if (is_error) {
        ask_for_restart();
      }
      break;
    default:
      break;
  }
}

void FakeClient::on_jingle(const xml::Element& iq, const proto::Jingle& jingle) {
  if (iq.attribute_or_empty("from") != focus_occupant().to_string()) {
    complaints_.push_back("Jingle from " + std::string(iq.attribute_or_empty("from")));
  }
  watch_.received(jingle);
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
      end_session();
      state_ = ClientState::kInRoom;
      break;
    case proto::JingleAction::kSourceAdd:
      knowledge_.added(sources_in(jingle).value_or(proto::SourceMap{}));
      break;
    case proto::JingleAction::kSourceRemove:
      knowledge_.removed(sources_in(jingle).value_or(proto::SourceMap{}));
      break;
    case proto::JingleAction::kTransportInfo:
      on_transport(jingle);
      break;
    default:
      break;
  }
}

void FakeClient::on_initiate(const xml::Element& iq, const proto::Jingle& jingle) {
  if (!sid_.empty()) {
    complaints_.push_back("session-initiate while session " + sid_ + " lives");
  }
  const auto* transport = transport_of(jingle);
  if (transport == nullptr) {
    complaints_.emplace_back("offer without a usable transport");
  }
  end_session();
  sid_ = jingle.sid;
  media_target_ = transport == nullptr ? "" : *transport->ufrag;
  bridge_session_ = jingle.bridge_session ? jingle.bridge_session->id.value_or("") : "";
  ++sessions_;
  state_ = ClientState::kInvited;
  knowledge_.offered(endpoint_, sources_in(jingle).value_or(proto::SourceMap{}));
  react_to_offer(iq);
}

void FakeClient::react_to_offer(const xml::Element& iq) {
  const std::uint64_t way = erratic_ ? prng_.below(kErraticEvery) : kErraticEvery;
  Duration accept_after = between(milliseconds{30}, milliseconds{400});
  const Duration given_up = focus::Options{}.accept_timeout;
  switch (way) {
    case 0:  // Answers late, but accepts in time.
      schedule_.after(between(seconds{2}, seconds{20}), [this, iq, life = life_] {
        if (life == life_ && session_) {
          reply(iq);
        }
      });
      break;
    case 1:  // Never answers.
      break;
    case 2:  // Accepts while the focus gives up.
      accept_after = between(given_up - milliseconds{200}, given_up + milliseconds{20});
      break;
    case 3:  // Accepts when the focus has given up, if it has not been told.
      accept_after = given_up + seconds{10};
      break;
    case 4:
    case 5:
      schedule_.after(between({}, milliseconds{400}), [this, life = life_, sid = sid_] {
        if (life == life_ && sid == sid_) {
          leave_for_a_while();
        }
      });
      break;
    default:
      break;
  }
  if (way > 1) {
    reply(iq);
  }
  schedule_.after(accept_after, [this, life = life_, sid = sid_] {
    if (life == life_ && sid == sid_) {
      accept();
    }
  });
}

void FakeClient::leave_for_a_while() {
  if (prng_.below(2) == 0) {
    leave();
  } else {
    vanish();
  }
  schedule_.after(between(seconds{2}, seconds{20}), [this, life = life_] {
    if (life == life_ && erratic_) {
      arrive();
    }
  });
}

void FakeClient::accept() {
  if (state_ != ClientState::kInvited || !session_ || accepted_) {
    return;
  }
  accepted_ = true;
  unconfirmed_ = camera_sources(endpoint_, kind_);
  if (sharing_) {
    unconfirmed_ = together(unconfirmed_, screen_sources(endpoint_));
  }
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionAccept;
  jingle.sid = sid_;
  jingle.responder = room_.jid().with_resource(endpoint_);
  jingle.contents = client_contents(unconfirmed_);
  for (proto::Content& content : jingle.contents) {
    content.transport = client_transport(endpoint_);
  }
  ask(Ask::kAccept, std::move(jingle));
}

void FakeClient::share_screen(bool on) {
  if (state_ != ClientState::kActive || sharing_ == on || !session_ || !kind_.video) {
    return;
  }
  sharing_ = on;
  proto::Jingle jingle;
  jingle.action = on ? proto::JingleAction::kSourceAdd : proto::JingleAction::kSourceRemove;
  jingle.sid = sid_;
  jingle.contents = client_contents(screen_sources(endpoint_));
  ask(on ? Ask::kAddScreen : Ask::kRemoveScreen, std::move(jingle));
  if (on && prng_.below(2) == 0) {
    schedule_.after(between(seconds{2}, seconds{30}), [this, life = life_, sid = sid_] {
      if (life == life_ && sid == sid_) {
        share_screen(false);
      }
    });
  }
}

/// Whether the focus has the screen is not known: it is taken away until that is answered.
void FakeClient::withdraw_screen() {
  sharing_ = false;
  schedule_.after(between(seconds{1}, seconds{3}), [this, life = life_, sid = sid_] {
    if (life == life_ && sid == sid_ && session_ && !sharing_) {
      sharing_ = true;
      share_screen(false);
    }
  });
}

void FakeClient::send_invalid_sources(std::uint64_t which) {
  if (state_ != ClientState::kActive || !session_) {
    return;
  }
  proto::Jingle jingle;
  jingle.action = which == 3 ? proto::JingleAction::kSourceRemove : proto::JingleAction::kSourceAdd;
  jingle.sid = sid_;
  jingle.contents = client_contents(invalid_sources(endpoint_, which));
  ask(Ask::kInvalid, std::move(jingle));
}

void FakeClient::ask_for_restart() {
  if (state_ != ClientState::kActive || !session_) {
    return;
  }
  if (++restarts_ > kRestartsMax) {
    reload("ICE failed");
    return;
  }
  const Duration longest = seconds{std::int64_t{1} << (restarts_ - 1)};
  schedule_.after(between(seconds{1}, longest), [this, life = life_, sid = sid_] {
    if (life == life_ && sid == sid_) {
      restart();
    }
  });
}

void FakeClient::restart() {
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
  ask(Ask::kRestart, std::move(jingle));
  end_session();
  state_ = ClientState::kInRoom;
}

void FakeClient::ask_for_ice_restart() {
  if (state_ != ClientState::kActive || !session_ || ice_restarting_) {
    return;
  }
  ice_restarting_ = true;
  const std::uint32_t number = ++ice_restarts_;
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionInfo;
  jingle.sid = sid_;
  jingle.bridge_session = proto::BridgeSession{};
  jingle.bridge_session->id = bridge_session_;
  jingle.bridge_session->ice_restart = true;
  ask(Ask::kIceRestart, std::move(jingle));
  schedule_.after(kIceRestartTimeout, [this, life = life_, sid = sid_, number] {
    if (life == life_ && sid == sid_ && ice_restarting_ && number == ice_restarts_) {
      ask_for_restart();
    }
  });
}

void FakeClient::on_transport(const proto::Jingle& jingle) {
  const auto* transport = transport_of(jingle);
  if (transport == nullptr || transport->ice_generation.value_or(0) == 0) {
    complaints_.emplace_back("new ICE credentials without ufrag or generation");
    return;
  }
  ice_restarting_ = false;
  media_target_ = *transport->ufrag;
  proto::Jingle answer;
  answer.action = proto::JingleAction::kTransportInfo;
  answer.sid = sid_;
  proto::Content content{.creator = proto::Creator::kResponder, .name = "audio"};
  content.transport = client_transport(endpoint_);
  content.transport->ice_generation = transport->ice_generation;
  answer.contents.push_back(std::move(content));
  ask(Ask::kTransport, std::move(answer));
}

}  // namespace bascule::sim
