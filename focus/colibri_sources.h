#pragma once

#include "base/ids.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// The colibri2 form of an endpoint's sources: grouped by source name; a source without a name goes
/// to `<endpoint>-a0` or `-v0`, a group to where its first source is. The bridge is told neither
/// msid nor owner (Jicofo: EndpointSourceSet.kt `toColibriMediaSources`).
[[nodiscard]] proto::Sources to_colibri_sources(const EndpointId& endpoint,
                                                const proto::EndpointSources& sources);

/// The bridge's feedback sources as clients are to be told of them, with the msids clients look for
/// (Jicofo: Colibri2Session.kt `readFeedbackSources`).
[[nodiscard]] proto::EndpointSources from_colibri_feedback(const proto::Sources& sources);

}  // namespace bascule::focus
