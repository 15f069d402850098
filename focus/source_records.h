#pragma once

#include <vector>

#include "focus/operation.h"
#include "focus/tables.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// Sources as the store keeps them, and back.
[[nodiscard]] op::SourcesAdd make_sources_add(const RoomJid& room, const EndpointId& owner,
                                              const proto::EndpointSources& sources);
[[nodiscard]] op::SourcesRemove make_sources_remove(const RoomJid& room, const EndpointId& owner,
                                                    const proto::EndpointSources& sources);
[[nodiscard]] std::vector<SourceRecord> to_records(const proto::EndpointSources& sources);
[[nodiscard]] proto::EndpointSources from_records(const ParticipantRow& row);

}  // namespace bascule::focus
