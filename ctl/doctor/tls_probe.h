#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "xmpp/stream/options.h"

namespace bascule::ctl::doctor {

/// The certificate behind STARTTLS, each property for itself: the daemon's own verification stops
/// at the first thing it does not like.
struct CertificateFacts {
  std::string subject;
  std::string issuer;
  std::string fingerprint;         ///< SHA-256, as pins have it.
  std::vector<std::string> names;  ///< DNS names it is for.
  bool has_name = false;           ///< It is for the name that was asked for.
  std::string
      chain_error;  ///< Why no trusted authority vouches for it; empty: one does. Dates aside.
  std::int64_t seconds_left = 0;  ///< Of the certificate that expires first; negative: it has.
  std::string expires;            ///< When, and of which subject.
  bool is_valid_yet = true;
  std::string protocol;  ///< For example TLSv1.3.
};

/// Connects, asks for STARTTLS as the daemon does (RFC 6120 5) and takes the handshake whatever the
/// certificate is. Nothing secret is sent. Errors: kNotFound (host), kUnavailable (no connection),
/// kTimeout (it is accepted, and then nothing is said), kRefused (no STARTTLS, or no handshake),
/// kInvalidArgument (CA file).
Result<CertificateFacts> probe_tls(const xmpp::NativeStreamOptions& link);

}  // namespace bascule::ctl::doctor
