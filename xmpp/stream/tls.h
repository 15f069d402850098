#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"
#include "xmpp/stream/options.h"

namespace bascule::xmpp {

/// The SHA-256 of a certificate as pins have it: 64 lower-case hex digits.
[[nodiscard]] std::string fingerprint_of(const X509* certificate);
/// RFC 2253 form; control characters come out escaped, so the text is safe in a log line.
[[nodiscard]] std::string name_of(const X509_NAME* name);
/// Whether it is a numeric address and no host name: SNI and certificates tell them apart.
[[nodiscard]] bool is_numeric_address(const std::string& name);
/// A pin as `fingerprint_of` gives it. Errors: kInvalidArgument.
[[nodiscard]] Result<std::string> normalised_pin(const std::string& pin);

/// The client side of one TLS session: which certificates are acceptable, and why the last one was
/// not. Must outlive the TLS stream made from it.
class TlsSession {
 public:
  /// `name` is what the server must be called (sent as SNI as well). Reads the CA file, so that a
  /// corrected file counts at the next connection. Errors: kInvalidArgument (CA file, pin, empty
  /// name).
  static Result<std::unique_ptr<TlsSession>> create(const TlsOptions& options, std::string name);

  boost::asio::ssl::context& context() { return context_; }
  /// SNI and host name check of one SSL object of the context. False when OpenSSL refuses the name:
  /// the handshake must not be started then.
  [[nodiscard]] bool prepare(SSL* ssl) const;
  /// After a failed handshake: why the certificate was refused, naming subject, issuer and
  /// fingerprint; empty when the certificate was not the reason.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  TlsSession(const TlsOptions& options, std::string name);
  static int verify(X509_STORE_CTX* store, void* self);
  bool accept(X509_STORE_CTX* store);

  boost::asio::ssl::context context_;
  std::string name_;
  bool check_name_;
  std::vector<std::string> pins_;  // Lower-case hex without colons.
  std::string refusal_;
};

}  // namespace bascule::xmpp
