#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace bascule::daemon {

/// Where the process that is asked listens.
struct HealthTarget {
  std::string address = "127.0.0.1";  ///< As it listens; "any" is asked on loopback.
  std::uint16_t port = 8888;
  bool tls = false;  ///< Whose certificate it is does not matter: nothing secret is sent.
};

/// `bascule --health`: asks a running process for `/livez`, blocking, 5 s at most per step; for the
/// health check of a container, which has nothing else to ask with. Whether bridges and server are
/// there is no part of it: to start again would not help.
/// Errors: kUnavailable (nobody listens, no answer in time), kRefused (another answer than 200).
Result<> probe_health(const HealthTarget& target);

}  // namespace bascule::daemon
