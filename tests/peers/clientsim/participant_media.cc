// The media side of a participant: its Jingle session with the focus.

#include <algorithm>
#include <string>
#include <utility>

#include "tests/peers/clientsim/participant.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

// lib-jitsi-meet: automatic restarts per conference.
constexpr int kRestartsMax = 3;
// Bridges that expect our packets are on loopback.
constexpr std::string_view kLoopback = "127.0.0.1";
constexpr Milliseconds kMediaInterval{1000};
constexpr Milliseconds kMediaFresh{3500};

double milliseconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

void Participant::unknown_session(const xml::Element& stanza) {
  xml::Element error = error_of(stanza, {"cancel", "item-not-found", ""});
  error.children.back().add(element("unknown-session", ns::kJingleErrors));
  client_->send(error);
}

void Participant::on_jingle(const xml::Element& stanza, const xml::Element& jingle) {
  const std::string_view action = jingle.attribute_or_empty("action");
  if (stanza.attribute_or_empty("from") != options_.room + "/focus" || !focus_recognised_) {
    wrong("Jingle " + std::string(action) + " from " +
          std::string(stanza.attribute_or_empty("from")) + ", which is not the focus");
    client_->send(error_of(stanza, {"auth", "not-allowed", ""}));
    return;
  }
  if (stanza.attribute_or_empty("type") != "set") {
    wrong("Jingle in an IQ that is not a set");
    client_->send(error_of(stanza, {"modify", "bad-request", ""}));
    return;
  }
  if (action == "session-initiate") {
    on_initiate(stanza, jingle);
    return;
  }
  if (!session_ || session_->offer.sid != jingle.attribute_or_empty("sid")) {
    // Legal only while our own session-terminate is on its way.
    if (!seen_sids_.contains(std::string(jingle.attribute_or_empty("sid")))) {
      wrong("Jingle " + std::string(action) + " for a session never initiated");
    }
    unknown_session(stanza);
    return;
  }
  if (action == "source-add" || action == "source-remove") {
    on_sources(stanza, jingle, action == "source-add");
  } else if (action == "session-terminate") {
    on_terminate(stanza, jingle);
  } else if (action == "transport-info") {
    client_->send(result_of(stanza));
  } else {
    wrong("Jingle action '" + std::string(action) + "', which clients do not support");
    client_->send(error_of(stanza, {"cancel", "bad-request", ""}));
  }
}

void Participant::on_initiate(const xml::Element& stanza, const xml::Element& jingle) {
  const SteadyTime now = std::chrono::steady_clock::now();
  Offer offer = read_offer(jingle, {.json_sources = options_.json_sources,
                                    .ssrc_rewriting = world_.options.ssrc_rewriting,
                                    .data_channel = world_.options.data_channel,
                                    .own_endpoint = endpoint_});
  if (!seen_sids_.insert(offer.sid).second) {
    wrong("sid " + offer.sid + " used a second time");
    client_->send(error_of(stanza, {"cancel", "service-unavailable", ""}));
    return;
  }
  if (session_ && !session_->restarting) {
    wrong("session-initiate while session " + session_->offer.sid + " is alive");
  }
  for (const std::string& problem : offer.wrong) {
    wrong("session-initiate: " + problem);
  }
  client_->send(result_of(stanza));
  ++world_.figures.invites;
  note_invite(now);
  media_timer_.stop();
  screen_timer_.stop();  // Only an accepted session is changed.
  Session fresh;
  fresh.remote = offer.sources;
  fresh.offer = std::move(offer);
  fresh.changed_at = now;
  if (options_.sends) {
    fresh.local = make_local_sources(endpoint_, world_.random);
  }
  session_ = std::move(fresh);
  check_remote(session_->remote);
  const CrowdOptions& crowd = world_.options;
  accept_timer_.start(random_between(world_.random, crowd.accept_delay_min, crowd.accept_delay_max),
                      [this] { accept(); });
}

void Participant::note_invite(SteadyTime now) {
  if (lost_at_) {
    ++world_.figures.moved;
    world_.samples.add("move", milliseconds_between(*lost_at_, now));
    note("moved");
    lost_at_.reset();
  } else if (!invited_once_ && joined_at_ && company_since_) {
    world_.samples.add("invite", milliseconds_between(std::max(*joined_at_, *company_since_), now));
  }
  invited_once_ = true;
}

void Participant::accept() {
  Answer answer;
  answer.own_jid = occupant();
  answer.ufrag = random_text(world_.random, 4, kBase32Alphabet);
  answer.pwd = random_text(world_.random, 24, kBase32Alphabet);
  answer.fingerprint = random_fingerprint(world_.random);
  answer.sources = session_->local;
  session_->accept_sent = true;
  extend_ice();
  media_timer_.start(kMediaInterval / 10, [this] { send_media(); });
  ever_published_.sources.insert(session_->local.sources.begin(), session_->local.sources.end());
  ever_published_.groups.insert(session_->local.groups.begin(), session_->local.groups.end());
  ask_focus(make_accept(session_->offer, answer),
            [this, sid = session_->offer.sid, sent = std::chrono::steady_clock::now()](
                const IqOutcome& outcome) { on_accept_answer(sid, sent, outcome); });
}

void Participant::on_accept_answer(const std::string& sid, SteadyTime sent,
                                   const IqOutcome& outcome) {
  if (!session_ || session_->offer.sid != sid) {
    return;  // Terminated or replaced meanwhile: the focus may well refuse.
  }
  if (outcome.kind != IqOutcome::Kind::kResult) {
    wrong(outcome.kind == IqOutcome::Kind::kTimeout
              ? "session-accept unanswered for 10 s"
              : "session-accept refused: " + error_condition(*outcome.stanza) + " " +
                    error_text(*outcome.stanza));
    reload("offer/answer failed");
    return;
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  ++world_.figures.accepts;
  world_.samples.add("accept", milliseconds_between(sent, now));
  session_->accepted_at = session_->changed_at = now;
  note("active", {{"port", session_->offer.candidate_port}});
  schedule_screen();
}

void Participant::on_sources(const xml::Element& stanza, const xml::Element& jingle, bool adding) {
  client_->send(result_of(stanza));
  ++world_.figures.source_messages;
  if (has_json_sources(jingle) != options_.json_sources) {
    wrong(options_.json_sources ? "sources not as JSON" : "JSON sources for a client without them");
  }
  if (world_.options.ssrc_rewriting) {
    wrong("sources signaled in spite of SSRC rewriting");
  }
  const Result<SourcesByOwner> sources = parse_sources(jingle);
  if (!sources) {
    wrong(sources.error().what);
    return;
  }
  if (sources->empty()) {
    wrong("source message without sources");
  }
  if (sources->contains(endpoint_)) {
    wrong("own sources signaled back");
  }
  const std::vector<std::string> problems =
      adding ? add_sources(session_->remote, *sources) : remove_sources(session_->remote, *sources);
  for (const std::string& problem : problems) {
    wrong(problem);
  }
  if (adding) {
    check_remote(*sources);
  }
}

void Participant::check_remote(const SourcesByOwner& sources) {
  for (const auto& [owner, set] : sources) {
    const Participant* other = world_.find(options_.room, owner);
    if (other == nullptr) {
      continue;  // The bridge, or somebody who is just leaving.
    }
    for (const auto& [ssrc, source] : set.sources) {
      const auto sent = other->ever_published().sources.find(ssrc);
      if (sent == other->ever_published().sources.end() || !(sent->second == source)) {
        wrong("source " + std::to_string(ssrc) + " is not what its owner " + owner + " signaled");
      }
    }
  }
}

void Participant::on_terminate(const xml::Element& stanza, const xml::Element& jingle) {
  client_->send(result_of(stanza));
  const xml::Element* reason = jingle.child("reason", ns::kJingle);
  const xml::Element* text = reason == nullptr ? nullptr : reason->child("text", ns::kJingle);
  if (reason == nullptr || reason->children.empty()) {
    wrong("session-terminate without reason");
  }
  note("terminated", {{"text", text == nullptr ? "" : text->text}});
  session_.reset();
  accept_timer_.stop();
  media_timer_.stop();
  screen_timer_.stop();
  if (text != nullptr && text->text == "moving") {
    if (!lost_at_) {
      lost_at_ = std::chrono::steady_clock::now();
    }
  } else {
    // Alone in the room, for example: the next invitation is a first one again.
    invited_once_ = false;
    lost_at_.reset();
    joined_at_ = std::chrono::steady_clock::now();
  }
}

void Participant::bridge_died(int candidate_port) {
  if (session_ && session_->offer.candidate_port == candidate_port && !lost_at_) {
    lost_at_ = std::chrono::steady_clock::now();
  }
}

void Participant::media_arrived(std::string_view ufrag) {
  if (session_ && session_->offer.ufrag == ufrag) {
    if (!session_->media_at) {
      note("media", {{"port", session_->offer.candidate_port}});
    }
    session_->media_at = std::chrono::steady_clock::now();
    extend_ice();
  }
}

bool Participant::has_media() const {
  if (!is_active() || session_->offer.candidate_ip != kLoopback) {
    return is_active();
  }
  return session_->media_at && std::chrono::steady_clock::now() - *session_->media_at < kMediaFresh;
}

void Participant::extend_ice() {
  const CrowdOptions& crowd = world_.options;
  session_->ice_deadline =
      std::chrono::steady_clock::now() +
      random_between(world_.random, crowd.ice_timeout_min, crowd.ice_timeout_max);
}

void Participant::send_media() {
  if (session_->offer.candidate_ip != kLoopback || session_->restarting) {
    return;
  }
  if (std::chrono::steady_clock::now() > session_->ice_deadline) {
    restart();
    return;
  }
  world_.media.send(session_->offer.ufrag + " " + std::to_string(options_.number),
                    {boost::asio::ip::address_v4::loopback(),
                     static_cast<std::uint16_t>(session_->offer.candidate_port)});
  media_timer_.start(kMediaInterval, [this] { send_media(); });
}

void Participant::restart() {
  if (restarts_ >= kRestartsMax) {
    reload("ICE failed too often");
    return;
  }
  ++restarts_;
  ++world_.figures.restarts;
  session_->restarting = true;
  xml::Element jingle = element("jingle", ns::kJingle,
                                {{"action", "session-terminate"},
                                 {"initiator", session_->offer.initiator},
                                 {"sid", session_->offer.sid}});
  xml::Element reason = element("reason", ns::kJingle);
  reason.add(element("connectivity-error", ns::kJingle));
  reason.add(text_element("text", ns::kJingle, "ICE FAILED"));
  jingle.add(std::move(reason));
  jingle.add(element("bridge-session", ns::kFocus,
                     {{"id", session_->offer.bridge_session}, {"restart", "true"}}));
  ask_focus(std::move(jingle), [this, sid = session_->offer.sid](const IqOutcome& outcome) {
    if (!session_ || session_->offer.sid != sid) {
      return;  // The focus was faster.
    }
    session_.reset();
    screen_timer_.stop();
    if (!lost_at_) {
      lost_at_ = std::chrono::steady_clock::now();
    }
    if (outcome.kind != IqOutcome::Kind::kResult) {
      wrong(outcome.kind == IqOutcome::Kind::kTimeout
                ? "restart request unanswered for 10 s"
                : "restart request refused: " + error_condition(*outcome.stanza));
      reload("ICE failed");
    }
  });
}

void Participant::schedule_screen() {
  const Milliseconds interval = world_.options.screen_interval;
  if (interval.count() > 0 && options_.sends) {
    screen_timer_.start(random_between(world_.random, interval / 2, interval * 3 / 2),
                        [this] { toggle_screen(); });
  }
}

void Participant::toggle_screen() {
  const bool start = session_->screen.sources.empty();
  SourceSet change = start ? make_desktop_sources(endpoint_, world_.random)
                           : std::exchange(session_->screen, SourceSet());
  if (start) {
    session_->screen = change;
    ever_published_.sources.insert(change.sources.begin(), change.sources.end());
    ever_published_.groups.insert(change.groups.begin(), change.groups.end());
  }
  session_->changed_at = std::chrono::steady_clock::now();
  ++world_.figures.screen_changes;
  const std::string action = start ? "source-add" : "source-remove";
  ask_focus(make_source_change(session_->offer, action, change),
            [this, action, sid = session_->offer.sid](const IqOutcome& outcome) {
              if (!session_ || session_->offer.sid != sid) {
                return;
              }
              if (outcome.kind != IqOutcome::Kind::kResult) {
                wrong(action + (outcome.kind == IqOutcome::Kind::kTimeout
                                    ? std::string(" unanswered for 10 s")
                                    : " refused: " + error_condition(*outcome.stanza)));
              }
              schedule_screen();
            });
}

SteadyTime Participant::settled_since() const {
  return session_->changed_at;
}

SourceSet Participant::published() const {
  if (!session_ || !session_->accept_sent) {
    return {};
  }
  SourceSet all = session_->local;
  all.sources.insert(session_->screen.sources.begin(), session_->screen.sources.end());
  all.groups.insert(session_->screen.groups.begin(), session_->screen.groups.end());
  return all;
}

bool Participant::knows(std::string_view other, const std::vector<std::uint32_t>& sources) const {
  const auto known = session_->remote.find(other);
  return std::all_of(sources.begin(), sources.end(), [this, &known](std::uint32_t ssrc) {
    return known != session_->remote.end() && known->second.sources.contains(ssrc);
  });
}

}  // namespace bascule::peers
