#include "tests/peers/clientsim/participant.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

constexpr std::string_view kFocusNick = "focus";
constexpr int kJoinRetriesMax = 3;
// lib-jitsi-meet: IQ_TIMEOUT of JingleSessionPC.
constexpr Milliseconds kFocusDeadline{10'000};
constexpr std::string_view kMuteAudio = "http://jitsi.org/jitmeet/audio";
// A page that cannot connect tries again soon; it has not failed for good.
constexpr Milliseconds kConnectRetryMin{1000};
constexpr Milliseconds kConnectRetryMax{3000};

Capabilities browser_capabilities(const ParticipantOptions& options, const CrowdOptions& crowd) {
  Capabilities capabilities;
  capabilities.type = "web";
  capabilities.node = "https://jitsi.org/jitsi-meet";
  capabilities.features = {"urn:xmpp:jingle:1",
                           std::string(ns::kRtp),
                           std::string(ns::kIce),
                           std::string(ns::kDtls),
                           "urn:xmpp:jingle:apps:rtp:audio",
                           "urn:xmpp:jingle:apps:rtp:video",
                           "urn:ietf:rfc:4588",
                           "http://jitsi.org/tcc",
                           "http://jitsi.org/source-name",
                           "http://jitsi.org/receive-multiple-video-streams",
                           "http://jitsi.org/visitors-1",
                           std::string(ns::kCaps),
                           std::string(ns::kDiscoInfo)};
  if (options.json_sources) {
    capabilities.features.emplace_back("http://jitsi.org/json-encoded-sources");
  }
  if (crowd.ssrc_rewriting) {
    capabilities.features.emplace_back("http://jitsi.org/ssrc-rewriting-1");
  }
  if (crowd.data_channel) {
    capabilities.features.emplace_back(ns::kSctp);
  }
  return capabilities;
}

}  // namespace

Participant::Participant(World& world, ParticipantOptions options)
    : world_(world),
      options_(std::move(options)),
      capabilities_(browser_capabilities(options_, world.options)),
      machine_uid_(random_text(world.random, 32, kHexAlphabet)),
      request_(world, options_.room, machine_uid_),
      page_timer_(world.io),
      accept_timer_(world.io),
      media_timer_(world.io),
      screen_timer_(world.io) {
}

Participant::~Participant() {
  if (client_) {
    client_->abort();
  }
}

void Participant::wrong(const std::string& text) {
  world_.log.violation(options_.room.substr(0, options_.room.find('@')) + "/" + endpoint_, text);
}

void Participant::note(std::string_view event, Json fields) {
  fields["number"] = options_.number;
  fields["room"] = options_.room;
  fields["endpoint"] = endpoint_;
  world_.log.write(event, std::move(fields));
}

void Participant::start(Milliseconds after) {
  page_timer_.start(after, [this] { connect(); });
}

void Participant::connect() {
  endpoint_ = random_text(world_.random, 8, kHexAlphabet);
  state_ = State::kLoggingIn;
  Account account;
  account.server = world_.options.server;
  account.domain = world_.options.domain;
  client_ = XmppClient::start(world_.io, account, *this);
}

void Participant::on_ready(const Jid& /*own*/) {
  note("login");
  request_conference();
}

void Participant::request_conference() {
  state_ = State::kRequesting;
  request_.start(client_,
                 [this](const ConferenceRequest::Outcome& outcome) { on_conference(outcome); });
}

void Participant::on_conference(const ConferenceRequest::Outcome& outcome) {
  if (!outcome.ready) {
    give_up("conference request failed: " + outcome.failure);
    return;
  }
  focus_jid_ = outcome.focus_jid;
  join();
}

void Participant::join() {
  state_ = State::kJoining;
  xml::Element stanza = presence(occupant());
  stanza.add(element("x", ns::kMuc));
  stanza.add(text_element("stats-id", ns::kClient, "Sim-" + endpoint_.substr(0, 3)));
  stanza.add(capabilities_.presence_element());
  const std::string muted = options_.sends ? "false" : "true";
  stanza.add(text_element("SourceInfo", ns::kClient,
                          "{\"" + endpoint_ + "-a0\":{\"muted\":" + muted + "},\"" + endpoint_ +
                              "-v0\":{\"muted\":" + muted + "}}"));
  stanza.add(text_element("jitsi_participant_codecList", ns::kClient, "av1,vp9,vp8,h264"));
  stanza.add(text_element("nick", "http://jabber.org/protocol/nick",
                          "Sim " + std::to_string(options_.number)));
  client_->send(stanza);
}

void Participant::on_presence(const xml::Element& stanza) {
  const std::string_view from = stanza.attribute_or_empty("from");
  const std::string_view type = stanza.attribute_or_empty("type");
  if (bare_of(from) != options_.room || state_ == State::kGone) {
    return;
  }
  if (type == "error") {
    on_join_error(stanza);
    return;
  }
  const std::string_view nick = resource_of(from);
  const bool available = type != "unavailable";
  if (nick == endpoint_) {
    const xml::Element* user = stanza.child("x", ns::kMucUser);
    const xml::Element* item = user == nullptr ? nullptr : user->child("item", ns::kMucUser);
    moderator_ = available && item != nullptr && item->attribute_or_empty("role") == "moderator";
    if (!available) {
      reload("removed from the room");
    } else if (state_ == State::kJoining) {
      on_joined();
    }
  } else if (nick == kFocusNick) {
    on_focus(stanza, available);
  } else {
    on_occupant(stanza, nick, available);
  }
}

void Participant::on_join_error(const xml::Element& stanza) {
  const std::string condition = error_condition(stanza);
  const std::string text = error_text(stanza);
  if (state_ != State::kJoining) {
    return;  // An update of ours crossed our removal; that arrives as well.
  }
  if (condition == "not-allowed" && text == "Room creation is restricted" &&
      join_retries_ < kJoinRetriesMax) {
    ++join_retries_;
    const double most = 1000 * std::pow(1.5, join_retries_);
    page_timer_.start(
        random_between(world_.random, Milliseconds(500), Milliseconds(static_cast<int>(most))),
        [this] { request_conference(); });
    return;
  }
  give_up("join failed: " + condition + " " + text);
}

void Participant::on_joined() {
  state_ = State::kInRoom;
  joined_at_ = std::chrono::steady_clock::now();
  if (!others_.empty()) {
    company_since_ = joined_at_;
  }
  world_.rooms[options_.room][endpoint_] = this;
  note("joined");
}

void Participant::on_occupant(const xml::Element& /*stanza*/, std::string_view nick,
                              bool available) {
  if (available) {
    others_.emplace(nick);
    if (!company_since_) {
      company_since_ = std::chrono::steady_clock::now();
    }
    return;
  }
  others_.erase(std::string(nick));
  if (others_.empty()) {
    company_since_.reset();
  }
  if (session_) {
    // Clients drop the sources of who left; the focus does not signal that.
    session_->remote.erase(std::string(nick));
  }
}

void Participant::on_focus(const xml::Element& stanza, bool available) {
  const std::string_view real = muc_item_jid(stanza);
  if (!available) {
    if (focus_recognised_) {
      reload("focus left the room");
    }
    return;
  }
  focus_recognised_ =
      focus_recognised_ || (!focus_jid_.empty() && real.starts_with(focus_jid_ + "/"));
  if (!focus_recognised_) {
    wrong("occupant focus with address '" + std::string(real) + "' is not the announced focus " +
          focus_jid_);
  }
  if (stanza.child("bridgeNotAvailable", ns::kFocus) != nullptr) {
    wrong("the focus announced bridgeNotAvailable: every browser of the room reloads");
    reload("bridge not available");
  }
}

void Participant::on_message(const xml::Element& /*stanza*/) {
}

void Participant::on_repeated_answer(const xml::Element& stanza) {
  wrong("request " + std::string(stanza.attribute_or_empty("id")) + " answered twice by " +
        std::string(stanza.attribute_or_empty("from")) + ", now with " +
        (stanza.attribute_or_empty("type") == "error" ? error_condition(stanza) : "a result"));
}

void Participant::ask_focus(xml::Element payload, IqCallback callback) {
  xml::Element stanza = iq("set", options_.room + "/focus");
  stanza.add(std::move(payload));
  client_->request(std::move(stanza), kFocusDeadline,
                   [this, callback = std::move(callback),
                    asked = std::chrono::steady_clock::now()](const IqOutcome& outcome) {
                     world_.answers.answered(asked, std::chrono::steady_clock::now());
                     callback(outcome);
                   });
}

bool Participant::can_mute() const {
  return state_ == State::kInRoom && moderator_ && !others_.empty();
}

void Participant::mute_somebody() {
  auto chosen = others_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(world_.random.below(others_.size())));
  xml::Element mute = text_element("mute", kMuteAudio, "true");
  mute.set("jid", options_.room + "/" + *chosen);
  ++world_.figures.mutes_asked;
  ask_focus(std::move(mute), [this, target = *chosen](const IqOutcome& outcome) {
    if (outcome.kind == IqOutcome::Kind::kResult) {
      ++world_.figures.mutes_done;
    } else if (outcome.kind == IqOutcome::Kind::kTimeout) {
      wrong("mute unanswered for 10 s");
    } else if (can_mute() && others_.contains(target)) {
      wrong("mute refused: " + error_condition(*outcome.stanza));
    }
  });
}

void Participant::on_muted(const xml::Element& stanza) {
  if (stanza.attribute_or_empty("from") != options_.room + "/focus") {
    wrong("muted by " + std::string(stanza.attribute_or_empty("from")));
  }
  ++world_.figures.mutes_received;
  client_->send(result_of(stanza));
}

void Participant::on_iq_request(const xml::Element& stanza) {
  const xml::Element* jingle = stanza.child("jingle", ns::kJingle);
  if (jingle != nullptr) {
    on_jingle(stanza, *jingle);
  } else if (stanza.child("query", ns::kDiscoInfo) != nullptr) {
    client_->send(capabilities_.answer(stanza));
  } else if (stanza.child("mute", kMuteAudio) != nullptr) {
    on_muted(stanza);
  } else if (stanza.child("ping", ns::kPing) != nullptr ||
             stanza.child("mute", "http://jitsi.org/jitmeet/video") != nullptr) {
    client_->send(result_of(stanza));
  } else {
    client_->send(error_of(stanza, {"cancel", "service-unavailable", ""}));
  }
}

void Participant::on_closed(const std::string& reason) {
  const bool was_loading = state_ == State::kLoggingIn;
  if (state_ == State::kGone) {
    leave_page();
    return;
  }
  if (was_loading) {
    leave_page();
    page_timer_.start(random_between(world_.random, kConnectRetryMin, kConnectRetryMax),
                      [this] { connect(); });
    return;
  }
  const CrowdOptions& crowd = world_.options;
  reload_after(random_between(world_.random, crowd.reconnect_min, crowd.reconnect_max),
               "connection lost: " + reason);
}

void Participant::reload(const std::string& why) {
  const CrowdOptions& crowd = world_.options;
  reload_after(random_between(world_.random, crowd.reload_min, crowd.reload_max), why);
}

void Participant::reload_after(Milliseconds overlay, const std::string& why) {
  note("reload", {{"why", why}, {"in_ms", overlay.count()}});
  leave_page();
  ++world_.figures.reloads;
  page_timer_.start(overlay, [this] { connect(); });
}

void Participant::give_up(const std::string& why) {
  note("refused", {{"why", why}});
  leave_page();
  ++world_.figures.refused;
  const Milliseconds pause =
      random_between(world_.random, world_.options.rejoin_min, world_.options.rejoin_max);
  page_timer_.start(pause, [this] { connect(); });
}

void Participant::leave_page() {
  const auto members = world_.rooms.find(options_.room);
  if (members != world_.rooms.end()) {
    members->second.erase(endpoint_);
  }
  request_.cancel();
  page_timer_.stop();
  accept_timer_.stop();
  media_timer_.stop();
  screen_timer_.stop();
  if (client_) {
    client_->close();
    client_.reset();
  }
  if (state_ != State::kGone) {
    state_ = State::kAway;
  }
  focus_recognised_ = moderator_ = false;
  join_retries_ = restarts_ = 0;
  others_.clear();
  joined_at_.reset();
  company_since_.reset();
  lost_at_.reset();
  invited_once_ = false;
  seen_sids_.clear();
  ever_published_ = SourceSet();
  session_.reset();
}

void Participant::leave() {
  if (client_ && state_ == State::kInRoom) {
    client_->send(presence(occupant(), "unavailable"));
  }
  state_ = State::kGone;
  leave_page();
}

}  // namespace bascule::peers
