#include "focus/topology.h"

#include <algorithm>
#include <utility>

namespace bascule::focus {

Topology::Change Topology::update(std::span<const Node> present) {
  const auto stays = [&](const Node& node) {
    return std::find(present.begin(), present.end(), node) != present.end();
  };
  Change change;
  std::vector<Link> kept;
  for (const Link& link : links()) {
    const bool both = stays(*find(link.initiator)) && stays(*find(link.responder));
    (both ? kept : change.removed).push_back(link);
  }
  std::erase_if(nodes_, [&](const Node& node) { return !stays(node); });
  std::erase_if(isolated_, [&](const BridgeJid& bridge) { return find(bridge) == nullptr; });
  for (const Node& node : present) {
    if (find(node.bridge) == nullptr) {
      nodes_.push_back(node);
    }
  }
  for (const Link& link : links()) {
    if (std::find(kept.begin(), kept.end(), link) == kept.end()) {
      change.added.push_back(link);
    }
  }
  std::erase_if(isolated_, [&](const BridgeJid& bridge) { return can_link(*find(bridge)); });
  for (const Node& node : nodes_) {
    const bool known =
        std::find(isolated_.begin(), isolated_.end(), node.bridge) != isolated_.end();
    if (nodes_.size() > 1 && !can_link(node) && !known) {
      isolated_.push_back(node.bridge);
      change.isolated.push_back(node.bridge);
    }
  }
  return change;
}

const Topology::Node* Topology::find(const BridgeJid& bridge) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const Node& node) { return node.bridge == bridge; });
  return found == nodes_.end() ? nullptr : &*found;
}

/// Of several with one relay id the first has it: peers could not tell them apart.
bool Topology::can_link(const Node& node) const {
  const auto owner = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& other) {
    return other.relay_id == node.relay_id;
  });
  return !node.relay_id.empty() && (owner == nodes_.end() || owner->bridge == node.bridge);
}

std::vector<Topology::Link> Topology::links() const {
  std::vector<Link> links;
  for (auto later = nodes_.begin(); later != nodes_.end(); ++later) {
    for (auto earlier = nodes_.begin(); earlier != later; ++earlier) {
      if (can_link(*earlier) && can_link(*later)) {
        links.push_back({.initiator = earlier->bridge, .responder = later->bridge});
      }
    }
  }
  return links;
}

}  // namespace bascule::focus
