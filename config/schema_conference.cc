// The sections [conference] and [offer].

#include <chrono>

#include "config/schema.h"

namespace bascule::config {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

/// "50: 500 ms" as a step.
std::optional<focus::SignalingDelay> signaling_delay(const std::string& text) {
  constexpr std::int64_t kMembersMax = 100'000;
  const auto colon = text.find(':');
  const auto members = as_integer(Untyped{text.substr(0, colon)});
  const auto delay =
      colon == std::string::npos ? std::nullopt : as_duration(Untyped{text.substr(colon + 1)});
  if (!members || *members < 0 || *members > kMembersMax || !delay || *delay > minutes{1}) {
    return std::nullopt;
  }
  return focus::SignalingDelay{static_cast<std::size_t>(*members), *delay};
}

/// A list of steps, in order of their numbers of members.
template <class At>
Field signaling_delays(At at) {
  return {
      .allowed =
          "list of MEMBERS: DELAY in growing order, for example \"50: 500 ms\", up to "
          "1 min",
      .assign =
          [at](Config& config, const RawValue& raw) {
            const auto texts = as_list(raw);
            std::vector<focus::SignalingDelay> steps;
            for (const std::string& text : texts.value_or(std::vector<std::string>())) {
              const auto step = signaling_delay(text);
              if (!step || (!steps.empty() && step->participants <= steps.back().participants)) {
                return false;
              }
              steps.push_back(*step);
            }
            if (texts) {
              at(config) = std::move(steps);
            }
            return texts.has_value();
          },
      .print =
          [at](const Config& config) {
            std::vector<std::string> texts;
            for (const auto& step : at(config)) {
              const std::string delay = print_duration(step.delay);
              texts.push_back(std::to_string(step.participants) + ": " +
                              delay.substr(1, delay.size() - 2));
            }
            return print_list(texts);
          }};
}

void add_timer_keys(std::vector<Key>& table) {
  table.push_back({"conference.participants-min",
                   integer(BASCULE_CONFIG_AT(focus.participants_min), {1, 1000}), "",
                   "Participants a room needs before anybody is invited.", ""});
  table.push_back({"conference.auto-owner", boolean(BASCULE_CONFIG_AT(focus.auto_owner)),
                   "ENABLE_AUTO_OWNER",
                   "The first who comes into a room without owner becomes its owner.", ""});
  table.push_back({"conference.initial-timeout",
                   duration(BASCULE_CONFIG_AT(focus.initial_timeout), {seconds{1}, hours{1}}),
                   "JICOFO_CONF_INITIAL_PARTICIPANT_WAIT_TIMEOUT",
                   "A room nobody joins is left after this time.", ""});
  table.push_back(
      {"conference.single-participant-timeout",
       duration(BASCULE_CONFIG_AT(focus.single_participant_timeout), {seconds{1}, hours{1}}),
       "JICOFO_CONF_SINGLE_PARTICIPANT_TIMEOUT",
       "The session of somebody left alone ends after this time; the room stays.", ""});
  table.push_back({"conference.room-join-timeout",
                   duration(BASCULE_CONFIG_AT(focus.room_join_timeout), {seconds{1}, minutes{10}}),
                   "", "Joining a room, behind the server's rate limits.", ""});
  table.push_back({"conference.iq-timeout",
                   duration(BASCULE_CONFIG_AT(focus.iq_timeout), {seconds{1}, minutes{5}}), "",
                   "Answer to a request of ours.", ""});
  table.push_back({"conference.accept-timeout",
                   duration(BASCULE_CONFIG_AT(focus.accept_timeout), {seconds{1}, minutes{5}}), "",
                   "From the invitation of a participant to its session-accept.", ""});
  table.push_back({"conference.disco-timeout",
                   duration(BASCULE_CONFIG_AT(focus.disco_timeout), {seconds{1}, minutes{5}}), "",
                   "Features of a participant.", ""});
  table.push_back({"conference.link-grace",
                   duration(BASCULE_CONFIG_AT(focus.link_grace), {seconds{0}, hours{1}}), "",
                   "Conferences are kept this long after the link to the server was lost.", ""});
  table.push_back({"conference.source-signaling-delays",
                   signaling_delays(BASCULE_CONFIG_AT(focus.offer.signaling_delays)), "",
                   "From so many members on, changes of sources are collected for this long before "
                   "they\nare announced. Empty: at once.",
                   ""});
  table.push_back({"conference.request-hold-max",
                   duration(BASCULE_CONFIG_AT(focus.request_hold_max), {seconds{0}, seconds{10}}),
                   "",
                   "How long the answer to a conference request may be held back. Clients give up\n"
                   "after 15 s.",
                   ""});
  table.push_back({"conference.restart-interval-min",
                   duration(BASCULE_CONFIG_AT(focus.restart_interval_min), {seconds{0}, hours{1}}),
                   "", "Least time between two restarts a participant asks for.", ""});
  table.push_back({"conference.restarts-per-minute-max",
                   integer(BASCULE_CONFIG_AT(focus.restarts_per_minute_max), {0, 1000}),
                   "JICOFO_RESTART_REQUEST_MAX", "Restarts of one participant per minute.", ""});
  table.push_back({"conference.health-interval",
                   duration(BASCULE_CONFIG_AT(focus.health_interval), {seconds{1}, hours{1}}), "",
                   "Health checks of each bridge.", ""});
  table.push_back(
      {"conference.invite-retry-initial",
       duration(BASCULE_CONFIG_AT(focus.invite_retry_initial), {milliseconds{100}, minutes{1}}), "",
       "First wait before a failed invitation is repeated; doubles.", ""});
}

void add_codec_keys(std::vector<Key>& table) {
  table.push_back({"offer.av1", boolean(BASCULE_CONFIG_AT(focus.offer.av1.enabled)),
                   "ENABLE_CODEC_AV1", "Video codecs.", ""});
  table.push_back({"offer.vp8", boolean(BASCULE_CONFIG_AT(focus.offer.vp8.enabled)),
                   "ENABLE_CODEC_VP8", "", ""});
  table.push_back({"offer.vp9", boolean(BASCULE_CONFIG_AT(focus.offer.vp9.enabled)),
                   "ENABLE_CODEC_VP9", "", ""});
  table.push_back({"offer.h264", boolean(BASCULE_CONFIG_AT(focus.offer.h264.enabled)),
                   "ENABLE_CODEC_H264", "", ""});
  table.push_back({"offer.opus-red", boolean(BASCULE_CONFIG_AT(focus.offer.opus.red)),
                   "ENABLE_CODEC_OPUS_RED", "Redundant audio (RFC 2198).", ""});
  table.push_back({"offer.mid", boolean(BASCULE_CONFIG_AT(focus.offer.mid.enabled)),
                   "JICOFO_ENABLE_MID", "RTP header extension MID (RFC 9143).", ""});
  table.push_back({"offer.video-layers",
                   boolean(BASCULE_CONFIG_AT(focus.offer.video_layers.enabled)), "ENABLE_VLA",
                   "RTP header extension video-layers-allocation.", ""});
}

void add_source_keys(std::vector<Key>& table) {
  table.push_back({"offer.sctp", boolean(BASCULE_CONFIG_AT(focus.offer.sctp)), "ENABLE_SCTP",
                   "Bridge channel over SCTP; must agree with the bridges.", ""});
  table.push_back({"offer.strip-simulcast", boolean(BASCULE_CONFIG_AT(focus.offer.strip_simulcast)),
                   "JICOFO_CONF_STRIP_SIMULCAST", "Signal one layer of a simulcast group.", ""});
  table.push_back({"offer.ssrc-rewriting", boolean(BASCULE_CONFIG_AT(focus.offer.ssrc_rewriting)),
                   "JICOFO_CONF_SSRC_REWRITING", "Let bridges map sources to a fixed set of SSRCs.",
                   ""});
  table.push_back({"offer.rtp-mid-demux", boolean(BASCULE_CONFIG_AT(focus.offer.rtp_mid_demux)), "",
                   "Tag rewritten streams; needs ssrc-rewriting and mid.", ""});
  table.push_back({"offer.json-encoded-sources",
                   boolean(BASCULE_CONFIG_AT(focus.offer.json_encoded_sources)), "",
                   "Compact form of sources for clients that understand it.", ""});
  table.push_back({"offer.in-place-ice-restart",
                   boolean(BASCULE_CONFIG_AT(focus.offer.in_place_ice_restart)), "",
                   "Answer ICE restarts without a new session.", ""});
  table.push_back({"offer.max-sources-per-endpoint",
                   integer(BASCULE_CONFIG_AT(focus.offer.max_sources_per_endpoint), {1, 1000}),
                   "MAX_SSRCS_PER_USER", "SSRCs of one endpoint.", ""});
  table.push_back({"offer.max-groups-per-endpoint",
                   integer(BASCULE_CONFIG_AT(focus.offer.max_groups_per_endpoint), {1, 1000}),
                   "MAX_SSRC_GROUPS_PER_USER MAX_SSRCS_PER_USER", "SSRC groups of one endpoint.",
                   ""});
  table.push_back({"offer.max-audio-senders",
                   integer(BASCULE_CONFIG_AT(focus.offer.max_audio_senders), {0, 999'999}),
                   "JICOFO_CONF_MAX_AUDIO_SENDERS", "More unmuted senders: newcomers start muted.",
                   ""});
  table.push_back({"offer.max-video-senders",
                   integer(BASCULE_CONFIG_AT(focus.offer.max_video_senders), {0, 999'999}),
                   "JICOFO_CONF_MAX_VIDEO_SENDERS", "", ""});
}

}  // namespace

void add_conference_keys(std::vector<Key>& table) {
  add_timer_keys(table);
  add_codec_keys(table);
  add_source_keys(table);
}

}  // namespace bascule::config
