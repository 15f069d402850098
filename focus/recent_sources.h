#pragma once

#include <map>

#include "base/ids.h"
#include "base/time.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// What one participant sent until a moment ago: to remove it once more is no error, because its
/// source-remove may have crossed ours, or be delivered to a second process.
class RecentSources {
 public:
  static constexpr Duration kMemory = std::chrono::seconds{60};
  static constexpr std::size_t kMax = 100;  ///< SSRCs; of more, the oldest are forgotten.

  void removed(const proto::EndpointSources& sources, Instant now);
  /// `request` without what is gone already: sources that are not in `present` and were removed
  /// lately, and the groups they were in.
  [[nodiscard]] proto::EndpointSources what_is_left(proto::EndpointSources request,
                                                    const proto::EndpointSources& present,
                                                    Instant now) const;

 private:
  std::map<Ssrc, Instant> removed_at_;
};

}  // namespace bascule::focus
