#pragma once

#include <string>
#include <string_view>

#include "xmpp/negotiation.h"

namespace bascule::xmpp {

/// The digest of XEP-0114 3 step 3: lower-case hex SHA-1 of stream id and secret.
std::string component_digest(std::string_view stream_id, std::string_view secret);

/// An external component (XEP-0114): header, handshake, done. No TLS, no features, no stream
/// management.
class ComponentNegotiation final : public Negotiation {
 public:
  ComponentNegotiation(Jid domain, std::string secret);
  [[nodiscard]] std::string header() const override;
  Steps on_header(const xml::Element& header) override;
  Steps on_element(const xml::Element& element) override;
  Steps on_tls_established() override;

 private:
  Jid domain_;
  std::string secret_;
  bool handshake_sent_ = false;
};

}  // namespace bascule::xmpp
