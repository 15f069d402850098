#pragma once

#include <string>
#include <vector>

#include "tests/peers/clientsim/sources.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// What a participant may expect of a session-initiate.
struct OfferExpectation {
  bool json_sources = true;
  bool ssrc_rewriting = false;
  bool data_channel = true;
  std::string own_endpoint;
};

/// What a client keeps of it.
struct Offer {
  std::string sid;
  std::string initiator;
  std::string bridge_session;
  std::string candidate_ip;
  int candidate_port = 0;  ///< Tells simulated bridges apart.
  std::string ufrag;
  bool has_video = false;
  bool has_data = false;
  SourcesByOwner sources;
  std::vector<std::string> wrong;  ///< What a browser would trip over.
};

/// Reads a session-initiate and checks it against what lib-jitsi-meet needs (JingleSessionPC.js,
/// SDP.ts).
Offer read_offer(const xml::Element& jingle, const OfferExpectation& expected);

/// What a session-accept carries.
struct Answer {
  std::string own_jid;  ///< Occupant address.
  std::string ufrag;
  std::string pwd;
  std::string fingerprint;
  SourceSet sources;
  int last_n = -1;  ///< Negative: none sent.
};

/// The jingle element of a session-accept as a browser makes it.
xml::Element make_accept(const Offer& offer, const Answer& answer);
/// source-add or source-remove of the client.
xml::Element make_source_change(const Offer& offer, std::string_view action, const SourceSet& set);

}  // namespace bascule::peers
