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
/// `before`: what the receivers were told last.
[[nodiscard]] op::SourcesPending make_sources_pending(const RoomJid& room, const EndpointId& owner,
                                                      const proto::EndpointSources& before,
                                                      std::vector<EndpointId> receivers);
[[nodiscard]] std::vector<SourceRecord> to_records(const proto::EndpointSources& sources);
[[nodiscard]] proto::EndpointSources from_records(const ParticipantRow& row);
[[nodiscard]] proto::EndpointSources from_records(const PendingSources& pending);

}  // namespace bascule::focus
