#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/prng.h"
#include "focus/colibri_sources.h"
#include "focus/jingle_session.h"
#include "focus/source_filter.h"
#include "focus/source_map.h"
#include "tests/fuzz/stanzas.h"
#include "tests/fuzz/targets.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::fuzz {
namespace {

using focus::ConferenceSourceMap;
using focus::JingleSession;
using proto::EndpointSources;
using State = JingleSession::State;
namespace verdict = focus::jingle;

/// The request, when it is one with Jingle in it: as far as it can be known when it is malformed.
/// What was decoded survives being written and read.
std::optional<proto::Jingle> decode_stable(const xml::Element& iq) {
  const auto envelope = proto::decode_iq_envelope(iq);
  const auto request = proto::decode_request(iq);
  if (!envelope) {
    return std::nullopt;
  }
  if (!request) {
    const xml::Element* payload = proto::iq_payload(iq);
    return payload != nullptr && proto::is_jingle(*payload)
               ? proto::make_malformed_jingle(*payload, request.error().what)
               : std::nullopt;
  }
  const proto::EncodedRequest encoded = proto::encode_request(*request);
  const xml::Element written = proto::encode_iq(*envelope, encoded.payload);
  const auto read = xml::parse(xml::to_string(written));
  BASCULE_CHECK(read.has_value());
  const auto again = proto::decode_request(*read);
  BASCULE_CHECK(again.has_value());
  BASCULE_CHECK(*again == *request);
  const auto* jingle = std::get_if<proto::Jingle>(&*request);
  return jingle == nullptr ? std::nullopt : std::optional(*jingle);
}

void check_error(const proto::StanzaError& error) {
  const auto answer = proto::encode_iq_error({.id = "1", .type = proto::IqType::kSet}, error);
  const auto read = xml::parse(xml::to_string(answer));
  BASCULE_CHECK(read.has_value());
  const auto again = proto::decode_iq_error(*read);
  BASCULE_CHECK(again.has_value());
  BASCULE_CHECK(*again == error);
}

/// Every form in which the sources of somebody reach others: JSON, Jingle contents, colibri2.
void check_forms(const EndpointId& owner, const EndpointSources& sources) {
  for (const bool strip : {false, true}) {
    const EndpointSources told = focus::filtered(sources, {.strip_simulcast = strip});
    const auto json = proto::decode_sources_json(proto::encode_sources_json({{owner, told}}));
    BASCULE_CHECK(json.has_value() && json->size() == 1);
    BASCULE_CHECK(json->at(owner).video.size() == told.video.size());
    BASCULE_CHECK(json->at(owner).audio.size() == told.audio.size());
    BASCULE_CHECK(json->at(owner).video_groups == told.video_groups);
    BASCULE_CHECK(json->at(owner).audio_groups == told.audio_groups);

    EndpointSources in_contents =
        proto::collect_sources(proto::make_source_contents({{owner, told}}));
    for (auto* list : {&in_contents.audio, &in_contents.video}) {
      for (proto::Source& source : *list) {
        BASCULE_CHECK(source.owner == owner.value());
        source.owner.reset();
      }
    }
    BASCULE_CHECK(in_contents == told);
  }
  const proto::Sources colibri = focus::to_colibri_sources(owner, sources);
  std::size_t count = 0;
  for (const proto::MediaSource& source : colibri.media_sources) {
    count += source.sources.size();
  }
  BASCULE_CHECK(count == sources.audio.size() + sources.video.size());
}

/// A conference of two who send what the input says, at moments that follow from the input.
class Meeting {
 public:
  explicit Meeting(std::uint64_t seed) : prng_(seed), map_(focus::SourceLimits{}) {
    for (const char* name : {"alice", "bob"}) {
      participants_.push_back({EndpointId(name), JingleSession({}, sending())});
    }
  }

  void receive(const proto::Jingle& request) {
    Participant& participant = participants_[prng_.below(participants_.size())];
    disturb(participant, request.sid);
    focus::JingleContext context{.audio_senders_full = prng_.below(8) == 0,
                                 .video_senders_full = prng_.below(8) == 0};
    if (prng_.below(2) == 0 && request.bridge_session) {
      context.bridge_session_id = request.bridge_session->id;
    }
    const State before = participant.session.state();
    const auto verdict = participant.session.judge(request, context, now_);
    std::visit([&](const auto& decided) { perform(participant, before, decided); }, verdict);
    map_.check_invariants();
  }

  void end() {
    for (Participant& participant : participants_) {
      const EndpointSources sources = map_.snapshot(participant.endpoint).sources();
      BASCULE_CHECK(map_.remove_owner(participant.endpoint) == sources);
      map_.check_invariants();
    }
    BASCULE_CHECK(map_.empty());
  }

 private:
  struct Participant {
    EndpointId endpoint;
    JingleSession session;
  };

  JingleSession::Sending sending() {
    return prng_.below(8) == 0 ? JingleSession::Sending::kForbidden
                               : JingleSession::Sending::kAllowed;
  }

  /// What the focus does by itself: time passes, sessions begin and end.
  void disturb(Participant& participant, const std::string& sid) {
    now_ += std::chrono::seconds{static_cast<std::int64_t>(prng_.below(20))};
    JingleSession& session = participant.session;
    if (session.sid() != sid && prng_.below(4) != 0) {
      session.invite(sid, now_);
    }
    switch (prng_.below(12)) {
      case 0: {
        const bool was_open = session.is_open();
        BASCULE_CHECK(session.end(proto::ReasonCondition::kGone, "").has_value() == was_open);
        map_.remove_owner(participant.endpoint);
        break;
      }
      case 1:
        session.forget();
        map_.remove_owner(participant.endpoint);
        break;
      case 2:
        session.invite(session.sid() + "x", now_);
        break;
      default:
        break;
    }
  }

  void perform(Participant& participant, State before, const verdict::Acknowledge& /*decided*/) {
    BASCULE_CHECK(participant.session.state() == before);
  }
  void perform(Participant& participant, State before, const verdict::Refuse& decided) {
    BASCULE_CHECK(participant.session.state() == before);
    check_error(decided.error);
  }
  void perform(Participant& participant, State before, const verdict::Accept& decided) {
    BASCULE_CHECK(before == (decided.again ? State::kActive : State::kPending));
    BASCULE_CHECK(participant.session.state() == State::kActive);
    if (!add(participant.endpoint, decided.sources) && !decided.again) {
      participant.session.reject_accept();
      map_.remove_owner(participant.endpoint);
      BASCULE_CHECK(!participant.session.is_open());
    }
  }
  void perform(Participant& participant, State before, const verdict::RejectAccept& decided) {
    BASCULE_CHECK(before == State::kPending);
    BASCULE_CHECK(!participant.session.is_open());
    check_error(decided.error);
  }
  void perform(Participant& participant, State before, const verdict::UpdateTransport& decided) {
    BASCULE_CHECK(participant.session.state() == before);
    static_cast<void>(participant.session.relay_ice_restart(decided.transport));
  }
  void perform(Participant& participant, State /*before*/, const verdict::AddSources& decided) {
    BASCULE_CHECK(participant.session.is_open() && !decided.sources.empty());
    add(participant.endpoint, decided.sources);
  }
  void perform(Participant& participant, State /*before*/, const verdict::RemoveSources& decided) {
    const EndpointSources had = map_.snapshot(participant.endpoint).sources();
    const auto removed = map_.remove(participant.endpoint, decided.sources);
    const EndpointSources has = map_.snapshot(participant.endpoint).sources();
    if (!removed) {
      BASCULE_CHECK(has == had);
      check_error(focus::to_stanza_error(removed.error()));
      return;
    }
    BASCULE_CHECK(focus::difference(had, *removed) == has);
  }
  void perform(Participant& participant, State /*before*/, const verdict::Terminated& decided) {
    BASCULE_CHECK(!participant.session.is_open());
    if (decided.error) {
      check_error(*decided.error);
    }
    map_.remove_owner(participant.endpoint);
  }
  void perform(Participant& participant, State before, const verdict::RestartIce& /*decided*/) {
    BASCULE_CHECK(participant.session.state() == before);
  }
  void perform(Participant& participant, State before, const verdict::IceFailed& /*decided*/) {
    BASCULE_CHECK(participant.session.state() == before);
  }

  /// All or nothing, and what was added can be taken back.
  bool add(const EndpointId& owner, const EndpointSources& sources) {
    const EndpointSources had = map_.snapshot(owner).sources();
    const auto added = map_.add(owner, sources);
    const EndpointSources has = map_.snapshot(owner).sources();
    if (!added) {
      BASCULE_CHECK(has == had);
      check_error(focus::to_stanza_error(added.error()));
      return false;
    }
    BASCULE_CHECK(focus::difference(has, had) == *added);
    check_forms(owner, has);
    ConferenceSourceMap other = map_;
    BASCULE_CHECK(other.remove(owner, *added).has_value());
    other.check_invariants();
    BASCULE_CHECK(other.snapshot(owner).sources() == had);
    return true;
  }

  Prng prng_;
  Instant now_{std::chrono::seconds{1'000}};
  ConferenceSourceMap map_;
  std::vector<Participant> participants_;
};

}  // namespace

void run_jingle(std::string_view input) {
  std::vector<proto::Jingle> requests;
  for (const xml::Element& stanza : read_stanzas(input)) {
    if (auto request = decode_stable(stanza)) {
      requests.push_back(std::move(*request));
    }
  }
  if (requests.empty()) {
    return;
  }
  // Several fates for each input; their seed changes with every bit of it.
  constexpr std::uint64_t kFates = 2;
  for (std::uint64_t fate = 0; fate < kFates; ++fate) {
    Meeting meeting(crc32c(input) * kFates + fate);
    for (int round = 0; round < 2; ++round) {
      for (const proto::Jingle& request : requests) {
        meeting.receive(request);
      }
    }
    meeting.end();
  }
}

}  // namespace bascule::fuzz
