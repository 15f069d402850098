#include "tests/peers/clientsim/conference_request.h"

#include <algorithm>
#include <utility>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

constexpr int kBackoffMaxSeconds = 120;
constexpr int kErrorsMax = 6;
// A browser waits for ever; a focus that holds an answer longer than this has lost it.
constexpr Milliseconds kAnswerDeadline{30'000};

xml::Element property(std::string_view name, std::string_view value) {
  return element("property", ns::kFocus, {{"name", name}, {"value", value}});
}

}  // namespace

ConferenceRequest::ConferenceRequest(World& world, std::string room, std::string machine_uid)
    : world_(world),
      room_(std::move(room)),
      machine_uid_(std::move(machine_uid)),
      retry_timer_(world.io) {
}

void ConferenceRequest::start(std::shared_ptr<XmppClient> client,
                              std::function<void(const Outcome&)> done) {
  client_ = std::move(client);
  done_ = std::move(done);
  started_ = std::chrono::steady_clock::now();
  not_ready_ = errors_ = 0;
  send();
}

void ConferenceRequest::cancel() {
  retry_timer_.stop();
  client_.reset();
  done_ = nullptr;
}

void ConferenceRequest::send() {
  ++world_.figures.requests;
  xml::Element stanza = iq("set", world_.options.focus_address);
  xml::Element& conference = stanza.add(
      element("conference", ns::kFocus, {{"room", room_}, {"machine-uid", machine_uid_}}));
  conference.add(property("rtcstatsEnabled", "false"));
  conference.add(property("startAudioMuted", "100"));
  conference.add(property("startVideoMuted", "100"));
  conference.add(property("visitors-version", "1"));
  client_->request(stanza, kAnswerDeadline, [this](const IqOutcome& outcome) {
    switch (outcome.kind) {
      case IqOutcome::Kind::kResult:
        on_result(*outcome.stanza);
        return;
      case IqOutcome::Kind::kError:
        on_error(*outcome.stanza);
        return;
      case IqOutcome::Kind::kTimeout:
        world_.log.violation(room_, "conference request unanswered for 30 s");
        finish({.failure = "no answer"});
    }
  });
}

void ConferenceRequest::on_result(const xml::Element& stanza) {
  errors_ = 0;
  const xml::Element* conference = stanza.child("conference", ns::kFocus);
  if (conference == nullptr || conference->attribute_or_empty("room") != room_) {
    world_.log.violation(room_, "conference answer without conference element of the room");
    finish({.failure = "malformed answer"});
    return;
  }
  if (conference->attribute_or_empty("ready") == "true") {
    const std::string focus_jid(conference->attribute_or_empty("focusjid"));
    if (focus_jid.empty() || focus_jid.find('/') != std::string::npos) {
      world_.log.violation(room_, "focusjid '" + focus_jid + "' is not a bare address");
    }
    const auto waited = std::chrono::steady_clock::now() - started_;
    world_.samples.add("request", std::chrono::duration<double, std::milli>(waited).count());
    finish({.ready = true, .focus_jid = focus_jid});
    return;
  }
  ++world_.figures.deferred;
  const int seconds = std::min(1 << std::min(not_ready_, 7), kBackoffMaxSeconds);
  ++not_ready_;
  retry_timer_.start(std::chrono::seconds(seconds), [this] { send(); });
}

void ConferenceRequest::on_error(const xml::Element& stanza) {
  const std::string condition = error_condition(stanza);
  if (condition == "not-acceptable" && errors_ < kErrorsMax) {
    not_ready_ = 0;
    retry_timer_.start(std::chrono::seconds(1 << errors_), [this] { send(); });
    ++errors_;
    return;
  }
  finish({.failure = condition + " " + error_text(stanza)});
}

void ConferenceRequest::finish(const Outcome& outcome) {
  const auto done = std::move(done_);
  cancel();
  if (done) {
    done(outcome);
  }
}

}  // namespace bascule::peers
