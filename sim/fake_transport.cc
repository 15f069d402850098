#include "sim/fake_transport.h"

#include <utility>

namespace bascule::sim {

proto::IceUdpTransport make_ice(const std::string& id, std::string ufrag) {
  proto::IceUdpTransport ice;
  ice.ufrag = std::move(ufrag);
  ice.pwd = "password-of-22-characters-" + id;
  ice.rtcp_mux = true;
  ice.fingerprints.push_back({.hash = "sha-256",
                              .setup = proto::DtlsSetup::kActpass,
                              .required = {},
                              .cryptex = {},
                              .value = "AA:BB:CC"});
  proto::IceCandidate candidate;
  candidate.foundation = "1";
  candidate.generation = 0;
  candidate.id = "c" + id;
  candidate.ip = "192.0.2.1";
  candidate.network = 0;
  candidate.port = 10000;
  candidate.priority = 2130706431;
  candidate.protocol = "udp";
  ice.candidates.push_back(std::move(candidate));
  return ice;
}

}  // namespace bascule::sim
