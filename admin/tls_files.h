#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace bascule::admin {

/// A certificate as it was read: what new connections are served with.
struct TlsCertificate {
  std::shared_ptr<boost::asio::ssl::context> context;
  std::int64_t not_after = 0;  ///< Its end, in seconds since 1970.
};

/// TLS 1.2 and newer, HTTP/1.1 by ALPN, no renegotiation. Errors: kUnavailable, kRefused (the key
/// is readable by others), kMalformed (no certificate, no key, or they do not belong together);
/// each names the file.
Result<TlsCertificate> load_certificate(const std::string& certificate_path,
                                        const std::string& key_path);

}  // namespace bascule::admin
