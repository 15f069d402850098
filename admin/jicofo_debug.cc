#include "admin/jicofo_debug.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/time_text.h"

namespace bascule::admin {
namespace {

using focus::ConferenceDetails;
using focus::Feature;
using focus::MemberDetails;
using focus::ParticipantKind;
using focus::ParticipantRole;

/// Jicofo's names (Features.kt) of what both know.
constexpr std::array<std::pair<Feature, const char*>, 11> kFeatureNames = {{
    {Feature::kAudio, "AUDIO"},
    {Feature::kVideo, "VIDEO"},
    {Feature::kSctp, "SCTP"},
    {Feature::kRtx, "RTX"},
    {Feature::kRemb, "REMB"},
    {Feature::kTransportCc, "TCC"},
    {Feature::kOpusRed, "OPUS_RED"},
    {Feature::kJsonSources, "JSON_SOURCES"},
    {Feature::kSsrcRewriting, "SSRC_REWRITING_V1"},
    {Feature::kRtpMidDemux, "RTP_MID_DEMUX"},
    {Feature::kAudioMute, "AUDIO_MUTE"},
}};
static_assert(kFeatureNames.size() == static_cast<std::size_t>(Feature::kCount));

DebugJson feature_names(focus::Features features) {
  DebugJson names = DebugJson::array();
  for (const auto& [feature, name] : kFeatureNames) {
    if (features.has(feature)) {
      names.push_back(name);
    }
  }
  return names;
}

template <class T>
DebugJson maybe(const std::optional<T>& value) {
  return value ? DebugJson(*value) : DebugJson(nullptr);
}

double share(Stress stress) {
  return static_cast<double>(stress.millionths()) / 1e6;
}

/// Text that may be absent: Jicofo writes the word.
std::string or_word(const std::optional<std::string>& text) {
  return text.value_or("null");
}

const char* role_name(const MemberDetails& member) {
  switch (member.role) {
    case ParticipantRole::kModerator:
      return "OWNER";
    case ParticipantRole::kParticipant:
      return "PARTICIPANT";
    case ParticipantRole::kVisitor:
      break;
  }
  return "VISITOR";
}

const char* jingle_state_name(focus::JingleSession::State state) {
  switch (state) {
    case focus::JingleSession::State::kPending:
      return "PENDING";
    case focus::JingleSession::State::kActive:
      return "ACTIVE";
    case focus::JingleSession::State::kNone:
    case focus::JingleSession::State::kEnded:
      break;
  }
  return "ENDED";
}

std::string property(const ConferenceDetails& details, const std::string& name) {
  const auto found = details.properties.find(name);
  return found == details.properties.end() ? std::string() : found->second;
}

bool rtcstats_enabled(const ConferenceDetails& details) {
  return property(details, "rtcstatsEnabled") != "false";
}

DebugJson number_maybe(const std::string& text) {
  const auto value = DebugJson::parse(text, nullptr, false);
  return value.is_number_integer() ? DebugJson(value) : DebugJson(nullptr);
}

DebugJson source_list(const std::vector<proto::Source>& sources) {
  DebugJson list = DebugJson::array();
  for (const proto::Source& source : sources) {
    list.push_back({{"ssrc", source.ssrc.value()},
                    {"name", maybe(source.name)},
                    {"msid", maybe(source.msid)},
                    {"videoType", source.video_type
                                      ? DebugJson(std::string(proto::to_string(*source.video_type)))
                                      : DebugJson(nullptr)}});
  }
  return list;
}

DebugJson group_list(const std::vector<proto::SourceGroup>& groups) {
  DebugJson list = DebugJson::array();
  for (const proto::SourceGroup& group : groups) {
    DebugJson ssrcs = DebugJson::array();
    for (const Ssrc& ssrc : group.ssrcs) {
      ssrcs.push_back(ssrc.value());
    }
    list.push_back({{"semantics", std::string(proto::to_string(group.semantics))},
                    {"ssrcs", std::move(ssrcs)}});
  }
  return list;
}

DebugJson source_set(const proto::EndpointSources& sources) {
  return {{"audio", source_list(sources.audio)},
          {"video", source_list(sources.video)},
          {"audio_groups", group_list(sources.audio_groups)},
          {"video_groups", group_list(sources.video_groups)}};
}

DebugJson chat_member(const MemberDetails& member) {
  return {{"region", member.region.empty() ? std::string("null") : member.region},
          {"occupant_jid", member.occupant.to_string()},
          {"jid", member.real_jid ? member.real_jid->to_string() : std::string("null")},
          {"is_jibri", member.kind == ParticipantKind::kJibri},
          {"is_jigasi", member.kind == ParticipantKind::kJigasi},
          {"is_transcriber", member.kind == ParticipantKind::kTranscriber},
          {"role", role_name(member)},
          {"video_codecs", nullptr},
          {"stats_id", member.stats_id.empty() ? std::string("null") : member.stats_id},
          {"is_audio_muted", member.audio_muted},
          {"is_video_muted", member.video_muted},
          {"diarize", false},
          {"features", feature_names(member.features)},
          {"capsNodeVer",
           member.caps ? member.caps->node + "#" + member.caps->ver : std::string("null")}};
}

DebugJson chat_room(const ConferenceDetails& details) {
  DebugJson members = DebugJson::object();
  std::size_t moderators = 0;
  for (const MemberDetails& member : details.members) {
    members[member.endpoint.value()] = chat_member(member);
    moderators += member.role == ParticipantRole::kModerator ? 1U : 0U;
  }
  return {{"room_jid", details.room.to_string()},
          {"my_occupant_jid", details.room.jid().with_resource("focus").to_string()},
          {"members", std::move(members)},
          {"audio_senders_count", details.senders.audio},
          {"video_senders_count", details.senders.video},
          {"lobby_enabled", false},
          {"participants_soft_limit", -1},
          {"participants", details.members.size()},
          {"moderators", moderators},
          {"visitors_enabled", nullptr},
          {"visitors_live", false},
          {"av_moderation",
           {{"AUDIO", details.audio_moderated},
            {"VIDEO", details.video_moderated},
            {"DESKTOP", details.desktop_moderated}}}};
}

DebugJson session(const MemberDetails& member) {
  if (member.sid.empty()) {
    return nullptr;
  }
  return {{"sid", member.sid},
          {"remoteJid", member.occupant.to_string()},
          {"state", jingle_state_name(member.jingle)}};
}

DebugJson participant(const MemberDetails& member, SourceDetail sources) {
  DebugJson told = {{"id", member.endpoint.value()},
                    {"stats_id", member.stats_id},
                    {"invite_runnable", nullptr},
                    {"jingle_session", session(member)},
                    {"state", std::string(focus::name_of(member.state))},
                    {"joined", to_text(member.joined)}};
  if (sources == SourceDetail::kWith) {
    told["source_signaling"] = source_set(member.sources.sources());
  }
  return told;
}

DebugJson colibri_participant(const MemberDetails& member) {
  return {{"id", member.endpoint.value()},
          {"stats_id", member.stats_id},
          {"sources", source_set(member.sources.sources())},
          {"bridge", member.bridge->to_string()},
          {"audio_muted", member.force_mute.audio},
          {"video_muted", member.force_mute.video},
          {"private_addresses", false},
          {"ssrc_rewriting", member.ssrc_rewriting},
          {"rtp_mid_demux", member.rtp_mid_demux},
          {"visitor", member.kind == ParticipantKind::kVisitor},
          {"diarize", false}};
}

DebugJson colibri_session(const focus::BridgeUseDetails& use) {
  DebugJson relays = DebugJson::object();
  for (const BridgeJid& other : use.relays) {
    relays[other.jid().resource()] = {{"bridge", other.to_string()}};
  }
  DebugJson endpoints = DebugJson::array();
  for (const EndpointId& endpoint : use.endpoints) {
    endpoints.push_back(endpoint.value());
  }
  return {{"bridge", use.bridge.to_string()},
          {"id", use.session_id},
          {"feedback_sources", DebugJson::object()},
          {"created", use.created},
          {"recently_added_endpoints", DebugJson::array()},
          {"relays", std::move(relays)},
          {"participants", std::move(endpoints)}};
}

DebugJson colibri(const ConferenceDetails& details) {
  DebugJson participants = DebugJson::object();
  for (const MemberDetails& member : details.members) {
    if (member.bridge) {
      participants[member.endpoint.value()] = colibri_participant(member);
    }
  }
  DebugJson sessions = DebugJson::object();
  for (const focus::BridgeUseDetails& use : details.bridges) {
    sessions[use.bridge.jid().resource()] = colibri_session(use);
  }
  return {{"participants", std::move(participants)}, {"sessions", std::move(sessions)}};
}

std::size_t count(const ConferenceDetails& details, ParticipantKind kind) {
  return static_cast<std::size_t>(
      std::count_if(details.members.begin(), details.members.end(),
                    [kind](const MemberDetails& member) { return member.kind == kind; }));
}

DebugJson bridge(const focus::BridgeView& view) {
  return {{"corrected-stress", share(view.expected)},
          {"drain", view.drain || view.cordoned},
          {"endpoints", view.participants},
          {"endpoint-restart-requests", view.restarts_asked},
          {"failing-ice", view.ice_failing},
          {"graceful-shutdown", view.graceful_shutdown},
          {"healthy", view.healthy},
          {"operational", view.state != focus::BridgeState::kFailed},
          {"overloaded", view.expected >= view.limit},
          {"region", or_word(view.region)},
          {"relay-id", or_word(view.relay_id)},
          {"release", "null"},
          {"shutting-down", view.shutting_down},
          {"stress", share(view.reported)},
          {"version", or_word(view.version)}};
}

}  // namespace

DebugJson jicofo_conference(const ConferenceDetails& details, SourceDetail sources) {
  DebugJson participants = DebugJson::object();
  DebugJson conference_sources = DebugJson::object();
  for (const MemberDetails& member : details.members) {
    participants[member.endpoint.value()] = participant(member, sources);
    if (sources == SourceDetail::kWith && !member.sources.sources().empty()) {
      conference_sources[member.endpoint.value()] = source_set(member.sources.sources());
    }
  }
  return {{"name", details.room.to_string()},
          {"meeting_id", details.meeting_id},
          {"config",
           {{"rtcstatsEnabled", rtcstats_enabled(details)},
            {"startAudioMuted", number_maybe(property(details, "startAudioMuted"))},
            {"startVideoMuted", number_maybe(property(details, "startVideoMuted"))}}},
          {"chat_room", chat_room(details)},
          {"participants", std::move(participants)},
          {"chat_room_role_manager", nullptr},
          {"started", details.in_room},
          {"start_audio_muted", details.start_audio_muted},
          {"start_video_muted", details.start_video_muted},
          {"colibri_session_manager", colibri(details)},
          {"conference_properties", DebugJson(details.published)},
          {"include_in_statistics", true},
          {"conference_sources", std::move(conference_sources)},
          {"audio_limit_reached", details.audio_limit_reached},
          {"video_limit_reached", details.video_limit_reached},
          {"visitor_count", count(details, ParticipantKind::kVisitor)},
          {"visitor_codecs", nullptr},
          {"participant_count", details.members.size()},
          {"jibri_count", count(details, ParticipantKind::kJibri)},
          {"jigasi_count", count(details, ParticipantKind::kJigasi)},
          {"transcriber_count", count(details, ParticipantKind::kTranscriber)}};
}

bool is_in_rtcstats(const ConferenceDetails& details) {
  return rtcstats_enabled(details) && !details.meeting_id.empty();
}

DebugJson jicofo_debug(const focus::Focus& focus, Now now) {
  const focus::Options& options = focus.options();
  DebugJson bridges = DebugJson::object();
  for (const focus::BridgeView& view : focus.placement().bridges(now)) {
    if (view.present) {
      bridges[view.bridge.to_string()] = bridge(view);
    }
  }
  return {{"bridge_selector",
           {{"strategy", std::string(focus::to_string(options.placement.strategy))},
            {"bridge", std::move(bridges)}}},
          {"jibri_detector", nullptr},
          {"sip_jibri_detector", nullptr},
          {"jigasi_detector", nullptr},
          {"av_moderation", {{"address", "null"}}},
          {"conference_iq_handler",
           {{"breakout_address", options.breakout_service ? options.breakout_service->to_string()
                                                          : std::string("null")},
            {"focus_auth_jid", options.focus_user.to_string()},
            {"jigasi_enabled", false},
            {"auth_authority", "null"}}}};
}

DebugJson jicofo_caps(const std::map<std::string, focus::CapsSeen>& capabilities) {
  constexpr std::size_t kEntriesMax = 1000;
  DebugJson all = DebugJson::object();
  for (const auto& [node, seen] : capabilities) {
    if (all.size() == kEntriesMax) {
      break;
    }
    all[node] = {{"count", seen.members}, {"features", feature_names(seen.features)}};
  }
  return all;
}

}  // namespace bascule::admin
