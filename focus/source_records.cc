#include "focus/source_records.h"

#include <string>
#include <utility>

namespace bascule::focus {
namespace {

void append(std::vector<SourceRecord>& records, const std::vector<proto::Source>& sources,
            MediaKind media) {
  for (const auto& source : sources) {
    SourceRecord record;
    record.ssrc = source.ssrc;
    record.media = media;
    record.name = source.name.value_or("");
    record.video_type =
        source.video_type ? std::string(proto::to_string(*source.video_type)) : std::string();
    record.msid = source.msid.value_or("");
    record.injected = source.injected;
    records.push_back(std::move(record));
  }
}

void append(std::vector<SourceGroupRecord>& records, const std::vector<proto::SourceGroup>& groups,
            MediaKind media) {
  for (const auto& group : groups) {
    records.push_back({std::string(proto::to_string(group.semantics)), media, group.ssrcs});
  }
}

std::vector<SourceGroupRecord> group_records(const proto::EndpointSources& sources) {
  std::vector<SourceGroupRecord> records;
  append(records, sources.audio_groups, MediaKind::kAudio);
  append(records, sources.video_groups, MediaKind::kVideo);
  return records;
}

std::optional<std::string> if_not_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void append(proto::EndpointSources& sources, const SourceRecord& record) {
  proto::Source source;
  source.ssrc = record.ssrc;
  source.name = if_not_empty(record.name);
  source.msid = if_not_empty(record.msid);
  source.injected = record.injected;
  if (const auto type = proto::parse_video_type(record.video_type)) {
    source.video_type = *type;
  }
  (record.media == MediaKind::kAudio ? sources.audio : sources.video).push_back(std::move(source));
}

void append(proto::EndpointSources& sources, const std::vector<SourceGroupRecord>& groups) {
  for (const auto& record : groups) {
    proto::SourceGroup group;
    group.semantics = record.semantics == proto::to_string(proto::GroupSemantics::kFid)
                          ? proto::GroupSemantics::kFid
                      : record.semantics == proto::to_string(proto::GroupSemantics::kSim)
                          ? proto::GroupSemantics::kSim
                          : proto::GroupSemantics::kFecFr;
    group.ssrcs = record.ssrcs;
    (record.media == MediaKind::kAudio ? sources.audio_groups : sources.video_groups)
        .push_back(std::move(group));
  }
}

}  // namespace

std::vector<SourceRecord> to_records(const proto::EndpointSources& sources) {
  std::vector<SourceRecord> records;
  append(records, sources.audio, MediaKind::kAudio);
  append(records, sources.video, MediaKind::kVideo);
  return records;
}

op::SourcesAdd make_sources_add(const RoomJid& room, const EndpointId& owner,
                                const proto::EndpointSources& sources) {
  return {room, owner, to_records(sources), group_records(sources)};
}

op::SourcesRemove make_sources_remove(const RoomJid& room, const EndpointId& owner,
                                      const proto::EndpointSources& sources) {
  op::SourcesRemove operation{room, owner, {}, group_records(sources)};
  for (const auto& record : to_records(sources)) {
    operation.ssrcs.push_back(record.ssrc);
  }
  return operation;
}

op::SourcesPending make_sources_pending(const RoomJid& room, const EndpointId& owner,
                                        const proto::EndpointSources& before,
                                        std::vector<EndpointId> receivers) {
  return {room, owner, to_records(before), group_records(before), std::move(receivers)};
}

proto::EndpointSources from_records(const ParticipantRow& row) {
  proto::EndpointSources sources;
  for (const auto& [ssrc, record] : row.sources) {
    append(sources, record);
  }
  append(sources, row.groups);
  return sources;
}

proto::EndpointSources from_records(const PendingSources& pending) {
  proto::EndpointSources sources;
  for (const SourceRecord& record : pending.sources) {
    append(sources, record);
  }
  append(sources, pending.groups);
  return sources;
}

}  // namespace bascule::focus
