#include "tests/peers/bridgesim/relays.h"

#include <algorithm>
#include <utility>

#include "tests/peers/bridgesim/colibri_xml.h"
#include "tests/peers/common/encoding.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

constexpr int kUniquePortMin = 20'000;
constexpr std::uint64_t kUniquePorts = 20'000;

/// Only a bridge whose state the focus can know may blame it.
void blame(const BridgeConference& conference, ColibriReply& reply, std::string text) {
  if (!conference.uncertain) {
    reply.wrong.push_back(std::move(text));
  }
}

std::optional<ColibriError> create(const xml::Element& request, const std::string& id,
                                   BridgeConference& conference, const BridgeIdentity& identity,
                                   Prng& random, ColibriReply& reply) {
  if (conference.relays.contains(id)) {
    blame(conference, reply, "create for the existing relay " + id);
    return ColibriError{"cancel", "conflict", "", "Relay already exists: " + id, ""};
  }
  const xml::Element* offered = colibri_child(request, "transport");
  if (offered == nullptr || colibri_children(request, "media").size() != 2 ||
      request.attribute_or_empty("mesh-id").empty()) {
    reply.wrong.push_back("relay " + id + " without transport, media or mesh");
    return bad_request("Attempt to create relay " + id + " with no transport");
  }
  BridgeRelay& made = conference.relays[id];
  made.ufrag = random_text(random, 14, kBase32Alphabet);
  made.controlling = is_true(*offered, "ice-controlling");
  int port = identity.port;
  if (is_true(*offered, "use-unique-port")) {
    port = kUniquePortMin + static_cast<int>(random.below(kUniquePorts));
  }
  xml::Element& answer = reply.modified.add(element("relay", ns::kColibri2, {{"id", id}}));
  xml::Element& transport = answer.add(element("transport", ns::kColibri2));
  const xml::Element* sctp = colibri_child(*offered, "sctp");
  if (sctp != nullptr) {
    made.sctp_role = sctp->attribute_or_empty("role");
  }
  const std::string url = sctp != nullptr
                              ? ""
                              : "wss://media.example.net/colibri-relay-ws/" + identity.nick + "/" +
                                    conference.conference_id + "/" + id;
  const IceCredentials ours{made.ufrag, random_text(random, 26, kBase32Alphabet)};
  transport.add(ice_transport(identity, port, ours, url, random));
  if (sctp != nullptr) {
    transport.add(
        element("sctp", ns::kColibri2,
                {{"port", "5000"}, {"role", made.sctp_role == "client" ? "server" : "client"}}));
  }
  return std::nullopt;
}

void set_transport(const xml::Element& ice, const std::string& id, BridgeRelay& relay,
                   ColibriReply& reply) {
  const xml::Element* fingerprint = ice.child("fingerprint", ns::kDtls);
  const std::string_view setup =
      fingerprint == nullptr ? "" : fingerprint->attribute_or_empty("setup");
  if (setup != (relay.controlling ? "active" : "passive")) {
    reply.wrong.push_back("DTLS setup for relay " + id + " does not fit its ICE role");
  }
  if (!relay.remote_ufrag.empty()) {
    reply.wrong.push_back("second transport for relay " + id);
  }
  relay.remote_ufrag = ice.attribute_or_empty("ufrag");
}

void set_endpoint(const xml::Element& request, const std::string& relay_id,
                  const BridgeConference& conference, BridgeRelay& relay, ColibriReply& reply) {
  const std::string id(request.attribute_or_empty("id"));
  if (is_true(request, "expire")) {
    relay.endpoints.erase(id);
    return;
  }
  const std::string where = id + " on relay " + relay_id;
  if (conference.endpoints.contains(id)) {
    blame(conference, reply, "local endpoint announced: " + where);
  }
  if (!is_true(request, "create") && !relay.endpoints.contains(id)) {
    blame(conference, reply, "update of the unknown remote endpoint " + where);
    return;
  }
  RemoteEndpoint& target = relay.endpoints[id];
  if (const xml::Element* sources = colibri_child(request, "sources")) {
    target.ssrcs = read_ssrcs(*sources, target.sends);
  } else {
    reply.wrong.push_back("remote endpoint without sources: " + where);
  }
}

}  // namespace

bool is_remote(const BridgeConference& conference, std::string_view endpoint) {
  return std::any_of(conference.relays.begin(), conference.relays.end(),
                     [&](const auto& entry) { return entry.second.endpoints.contains(endpoint); });
}

std::optional<ColibriError> process_relay(const xml::Element& request, BridgeConference& conference,
                                          const BridgeIdentity& identity, Prng& random,
                                          ColibriReply& reply) {
  const std::string id(request.attribute_or_empty("id"));
  if (identity.relay_id.empty()) {
    reply.wrong.emplace_back("relay requested from a bridge that publishes no relay_id");
    return not_implemented("", "Relays are disabled");
  }
  if (is_true(request, "expire")) {
    conference.relays.erase(id);
    reply.modified.add(element("relay", ns::kColibri2, {{"id", id}, {"expire", "true"}}));
    return std::nullopt;
  }
  if (is_true(request, "create")) {
    if (auto error = create(request, id, conference, identity, random, reply)) {
      return error;
    }
  } else if (!conference.relays.contains(id)) {
    blame(conference, reply, "update of the unknown relay " + id);
    return bad_request("Relay not found: " + id);
  } else {
    reply.modified.add(element("relay", ns::kColibri2, {{"id", id}}));
  }
  BridgeRelay& relay = conference.relays.find(id)->second;
  if (const xml::Element* transport = colibri_child(request, "transport")) {
    if (const xml::Element* ice = transport->child("transport", ns::kIce)) {
      set_transport(*ice, id, relay, reply);
    }
  }
  if (const xml::Element* endpoints = colibri_child(request, "endpoints")) {
    for (const xml::Element* endpoint : colibri_children(*endpoints, "endpoint")) {
      set_endpoint(*endpoint, id, conference, relay, reply);
    }
  }
  return std::nullopt;
}

}  // namespace bascule::peers
