#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/prng.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/source.h"

namespace bascule::sim {

/// What a client can do and what it sends; the same for all pages of one person.
struct ClientKind {
  bool json = true;             ///< Reads sources as compact JSON, else as Jingle contents.
  bool ssrc_rewriting = false;  ///< Is told of sources by its bridge, never by the focus.
  bool video = true;            ///< Else audio only, like a gateway to telephones.
  bool simulcast = false;       ///< Its camera sends three layers, each with a retransmission.

  [[nodiscard]] static ClientKind draw(Prng& prng);
  /// The `ver` of its capabilities: the focus asks once for each.
  [[nodiscard]] std::string capabilities() const;
  [[nodiscard]] std::vector<std::string> features() const;
};

/// Microphone and camera of an endpoint, a name of eight hexadecimal digits. SSRCs of different
/// endpoints differ, except when the endpoints do so in their last digit only.
[[nodiscard]] proto::EndpointSources camera_sources(const std::string& endpoint,
                                                    const ClientKind& kind);
[[nodiscard]] proto::EndpointSources screen_sources(const std::string& endpoint);
[[nodiscard]] proto::EndpointSources together(const proto::EndpointSources& left,
                                              const proto::EndpointSources& right);
/// What no source map may accept from this endpoint once its camera is known there. `which`: 0
/// to 3.
[[nodiscard]] proto::EndpointSources invalid_sources(const std::string& endpoint,
                                                     std::uint64_t which);

/// As a client writes them: without owners, contents without sources left out.
[[nodiscard]] std::vector<proto::Content> client_contents(const proto::EndpointSources& sources);

}  // namespace bascule::sim
