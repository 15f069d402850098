#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/jid.h"

namespace bascule::focus {

/// The bridges of one conference and the links between them: one full mesh, so that media takes at
/// most one hop between bridges (Jicofo: SingleMeshTopologyStrategy.kt). With n bridges there are
/// n(n-1)/2 links; the limit on n is the selector's business.
class Topology {
 public:
  /// Jicofo's name of the mesh of participants; visitors would have meshes of their own.
  static constexpr const char* kMeshId = "0";

  struct Node {
    BridgeJid bridge;
    std::string relay_id;           ///< What the bridge announces; empty: it cannot be linked.
    std::uint32_t incarnation = 0;  ///< Of the conference there; another one has no relays.
    friend bool operator==(const Node&, const Node&) = default;
  };
  /// The bridge that was there first initiates: it is ICE controlling, DTLS server, and dials the
  /// other for the bridge channel (Jicofo: Colibri2Session.kt).
  struct Link {
    BridgeJid initiator;
    BridgeJid responder;
    friend auto operator<=>(const Link&, const Link&) = default;
  };
  struct Change {
    std::vector<Link> removed;  ///< First: a link may come again at once.
    std::vector<Link> added;
    /// Not to be linked with the others there are: no relay id, or the relay id of another bridge
    /// of the conference. Each once for as long as that is so.
    std::vector<BridgeJid> isolated;
  };

  /// The conference is now on these bridges, each once. New ones join in the order given. A node
  /// whose relay id or incarnation is another one leaves and joins anew. O(n^2).
  Change update(std::span<const Node> present);

  /// In order of joining; isolated ones included.
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const Node* find(const BridgeJid& bridge) const;
  /// In order of the later bridge's joining.
  [[nodiscard]] std::vector<Link> links() const;

 private:
  [[nodiscard]] bool can_link(const Node& node) const;

  std::vector<Node> nodes_;
  std::vector<BridgeJid> isolated_;  ///< What `update` has said so of.
};

}  // namespace bascule::focus
