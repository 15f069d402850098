#pragma once

#include <concepts>
#include <type_traits>

#include "focus/operation.h"

namespace bascule::focus {

// The fields of every operation with their stored names, written once for the encoder (const) and
// the decoder. Names are part of the file format: append fields, never rename or reuse one.

template <class T, class U>
concept MaybeConst = std::same_as<std::remove_const_t<T>, U>;

template <class V, MaybeConst<SourceRecord> T>
void visit_fields(V& visit, T& x) {
  visit("ssrc", x.ssrc);
  visit("media", x.media);
  visit("name", x.name);
  visit("video", x.video_type);
  visit("msid", x.msid);
  visit("injected", x.injected);
}
template <class V, MaybeConst<SourceGroupRecord> T>
void visit_fields(V& visit, T& x) {
  visit("semantics", x.semantics);
  visit("media", x.media);
  visit("ssrcs", x.ssrcs);
}
template <class V, MaybeConst<op::ConferenceCreate> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("meeting", x.meeting_id);
  visit("created", x.created);
  visit("properties", x.properties);
  visit("rtcstats", x.rtcstats);
  visit("audio_muted", x.start_audio_muted);
  visit("video_muted", x.start_video_muted);
}
template <class V, MaybeConst<op::ConferenceSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("properties", x.properties);
  visit("rtcstats", x.rtcstats);
  visit("audio_muted", x.start_audio_muted);
  visit("video_muted", x.start_video_muted);
}
template <class V, MaybeConst<op::ConferenceEnd> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("reason", x.reason);
}
template <class V, MaybeConst<op::ParticipantAdd> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("occupant", x.occupant);
  visit("real", x.real_jid);
  visit("stats_id", x.stats_id);
  visit("region", x.region);
  visit("features", x.features);
  visit("role", x.role);
  visit("kind", x.kind);
  visit("joined", x.joined);
  visit("audio_muted", x.audio_muted);
  visit("video_muted", x.video_muted);
}
template <class V, MaybeConst<op::ParticipantSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("endpoint", x.endpoint);
  visit("stats_id", x.stats_id);
  visit("region", x.region);
  visit("features", x.features);
  visit("role", x.role);
  visit("audio_muted", x.audio_muted);
  visit("video_muted", x.video_muted);
}
template <class V, MaybeConst<op::ParticipantRemove> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("endpoint", x.endpoint);
}
template <class V, MaybeConst<op::JingleSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("endpoint", x.endpoint);
  visit("sid", x.sid);
  visit("generation", x.generation);
  visit("state", x.state);
  visit("transport", x.transport);
}
template <class V, MaybeConst<op::BridgeSessionAdd> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("bridge", x.bridge);
  visit("meeting", x.meeting_id);
  visit("session", x.bridge_session_id);
  visit("relay", x.relay_id);
  visit("region", x.region);
  visit("version", x.version);
  visit("created", x.created);
  visit("feedback", x.feedback_sources);
  visit("relays", x.relays);
  visit("links", x.links);
}
template <class V, MaybeConst<op::BridgeSessionRemove> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("bridge", x.bridge);
}
template <class V, MaybeConst<op::EndpointSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("endpoint", x.endpoint);
  visit("bridge", x.bridge);
  visit("audio_muted", x.audio_force_muted);
  visit("video_muted", x.video_force_muted);
}
template <class V, MaybeConst<op::EndpointRemove> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("endpoint", x.endpoint);
}
template <class V, MaybeConst<op::SourcesAdd> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("owner", x.owner);
  visit("sources", x.sources);
  visit("groups", x.groups);
}
template <class V, MaybeConst<op::SourcesRemove> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("owner", x.owner);
  visit("ssrcs", x.ssrcs);
  visit("groups", x.groups);
}
template <class V, MaybeConst<op::Placement> T>
void visit_fields(V& visit, T& x) {
  visit("at", x.at);
  visit("bridge", x.bridge);
  visit("room", x.room);
  visit("endpoint", x.endpoint);
}
template <class V, MaybeConst<op::PendingSet> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("id", x.stanza_id);
  visit("kind", x.kind);
  visit("room", x.room);
  visit("endpoint", x.endpoint);
  visit("bridge", x.bridge);
  visit("deadline", x.deadline);
}
template <class V, MaybeConst<op::PendingRemove> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("id", x.stanza_id);
}
template <class V, MaybeConst<op::LinkSet> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("bare", x.bare);
  visit("resource", x.resource);
  visit("resume", x.resume_id);
  visit("max", x.resume_max);
  visit("established", x.established);
}
template <class V, MaybeConst<op::InboundHandled> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("handled", x.handled);
}
template <class V, MaybeConst<op::OutboundPush> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("index", x.index);
  visit("id", x.stanza_id);
  visit("xml", x.xml);
}
template <class V, MaybeConst<op::OutboundAck> T>
void visit_fields(V& visit, T& x) {
  visit("stream", x.stream);
  visit("acknowledged", x.acknowledged);
}
template <class V, MaybeConst<op::Started> T>
void visit_fields(V& visit, T& x) {
  visit("boot", x.boot_id);
}
template <class V, MaybeConst<op::Note> T>
void visit_fields(V& visit, T& x) {
  visit("text", x.text);
}
template <class V, MaybeConst<op::BridgeLearned> T>
void visit_fields(V& visit, T& x) {
  visit("bridge", x.bridge);
  visit("at", x.at);
  visit("wall", x.wall);
  visit("cost", x.cost);
  visit("deviation", x.deviation);
  visit("capacity", x.capacity);
  visit("confirmations", x.confirmations);
  visit("failures", x.failures);
  visit("last_failure", x.last_failure_age);
  visit("quarantine", x.quarantine_left);
  visit("age", x.age);
  visit("version", x.version);
  visit("region", x.region);
}
template <class V, MaybeConst<op::RoomSeen> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("at", x.at);
  visit("wall", x.wall);
  visit("bridge", x.bridge);
  visit("size", x.size);
  visit("age", x.age);
}
template <class V, MaybeConst<op::ModerationSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("media", x.media);
  visit("enabled", x.enabled);
  visit("allowed", x.allowed);
}
template <class V, MaybeConst<op::Decision> T>
void visit_fields(V& visit, T& x) {
  visit("at", x.at);
  visit("n", x.number);
  visit("room", x.room);
  visit("endpoint", x.endpoint);
  visit("kind", x.kind);
  visit("class", x.ticket_class);
  visit("bridge", x.bridge);
  visit("reason", x.reason);
  visit("waited", x.waited);
  visit("expected", x.expected);
  visit("limit", x.limit);
  visit("reported", x.reported);
  visit("reserved", x.reserved);
  visit("cost", x.cost_per_unit);
  visit("capacity", x.capacity);
  visit("load", x.load);
  visit("unaccounted", x.unaccounted);
  visit("report_age", x.report_age);
  visit("in_flight", x.in_flight);
  visit("people", x.people);
  visit("candidates", x.candidates);
  visit("looked_at", x.looked_at);
  visit("settling", x.settling);
  visit("full", x.fleet_full);
}
template <class V, MaybeConst<op::SourcesPending> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("owner", x.owner);
  visit("sources", x.sources);
  visit("groups", x.groups);
  visit("receivers", x.receivers);
}
template <class V, MaybeConst<op::BridgeDrain> T>
void visit_fields(V& visit, T& x) {
  visit("bridge", x.bridge);
  visit("drained", x.drained);
  visit("evacuate", x.evacuate);
  visit("reason", x.reason);
  visit("by", x.by);
  visit("since", x.since);
}
template <class V, MaybeConst<op::PinSet> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("version", x.version);
  visit("until", x.until);
  visit("by", x.by);
}
template <class V, MaybeConst<op::AuditEntry> T>
void visit_fields(V& visit, T& x) {
  visit("at", x.at);
  visit("n", x.number);
  visit("by", x.by);
  visit("what", x.what);
  visit("target", x.target);
  visit("before", x.before);
  visit("after", x.after);
}
template <class V, MaybeConst<op::SourcesTold> T>
void visit_fields(V& visit, T& x) {
  visit("room", x.room);
  visit("receivers", x.receivers);
}

}  // namespace bascule::focus
