#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sim/client_kind.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/source.h"

namespace bascule::sim {

/// The owner of the sources of bridges.
inline constexpr const char* kBridgeOwner = "jvb";

/// What an offer, a source-add or a source-remove says, by owner, whichever form it has. Owners are
/// keys only; the field of each source is empty. Errors: kMalformed for JSON that is none, and for
/// a source or group nobody owns.
[[nodiscard]] Result<proto::SourceMap> sources_in(const proto::Jingle& jingle);

/// What one client knows of the sources of the others, as it was told: by its offer, by every
/// source-add and source-remove since, and by presence when an owner leaves. Complains about what
/// would have confused it.
class SourceKnowledge {
 public:
  /// A session began with this; what was known before is over.
  void offered(const std::string& self, const proto::SourceMap& sources);
  void added(const proto::SourceMap& sources);
  void removed(const proto::SourceMap& sources);
  /// Endpoint ids are never used again: what is still said about this one is too late.
  void owner_left(const std::string& owner);
  /// The session is over.
  void forget() { known_.clear(); }

  /// Owners without sources are absent; so is the bridge.
  [[nodiscard]] const proto::SourceMap& known() const { return known_; }
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void check_ssrcs();

  std::string self_;
  proto::SourceMap known_;
  std::set<std::string> left_;
  std::vector<std::string> complaints_;
};

/// What a receiver of this kind has to know of an owner that sends this (Jicofo:
/// EndpointSourceSet.kt `stripSimulcast`, SourceSignaling.kt `filter`).
[[nodiscard]] proto::EndpointSources as_told(const proto::EndpointSources& sent,
                                             const ClientKind& receiver);

/// How the two differ, or empty. Order does not count.
[[nodiscard]] std::string knowledge_problem(const proto::SourceMap& known,
                                            const proto::SourceMap& truth);

}  // namespace bascule::sim
