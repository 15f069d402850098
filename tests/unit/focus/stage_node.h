#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "xmpp/proto/pubsub.h"

namespace bascule::focus {

/// What the pubsub service of a Stage has and how it is broken; acts as stock Prosody 0.12 does in
/// the same case.
struct StageNode {
  bool service_answers = true;  // Anything at all.
  bool record_damaged = false;  // disco#info without pubsub, no answer to anything else.
  bool exists = false;
  bool subscribed = false;
  bool keeps_items = false;
  std::string max_items = "20";
  bool corrupt = false;      // The list of items.
  bool purge_helps = true;   // Against that.
  bool deaf = false;         // Subscribers get nothing until they subscribe anew.
  bool we_are_admin = true;  // Owner of every node.
  bool we_may_publish = true;
  std::map<std::string, proto::PubsubPayload> items;
  std::map<std::string, std::size_t> asked;  // Requests by name.
};

}  // namespace bascule::focus
