#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/http.h"
#include "admin/tls_files.h"
#include "admin/tokens.h"
#include "base/result.h"

namespace bascule::admin {

/// Who is at the other end of a connection, as far as the kernel knows.
struct Peer {
  std::string address;       ///< For the log: an IP address, or `socket:UID`.
  bool is_local = false;     ///< At the Unix socket.
  bool may_do_all = false;   ///< There: root, our own user, or a member of the socket's group.
  bool to_loopback = false;  ///< Over TCP, to a loopback address of ours.
  bool over_tls = false;
};

/// Why somebody is refused.
enum class Denial : std::uint8_t {
  kHost,             ///< He asked for a host that we are not (DNS rebinding).
  kOrigin,           ///< Another site's page asks for a change.
  kUnauthenticated,  ///< No token, or an unknown one.
  kForbidden,        ///< The role is not enough.
};
inline constexpr std::size_t kDenials = 4;
/// "host", "origin", "unauthenticated", "forbidden".
std::string_view name_of(Denial denial);

struct AccessOptions {
  std::string tokens_file;      ///< Empty: who reaches a loopback listener is `local`, an admin.
  std::string tls_certificate;  ///< Empty, like the key: no TLS.
  std::string tls_key;
  std::vector<std::string> trusted_hosts;
};

/// Who may do what over HTTP (docs/adr/0018). One per process: it outlives the listeners, so that a
/// certificate that is broken today does not keep the other of two processes from taking over.
class Access {
 public:
  /// Errors: as Tokens::load and load_certificate.
  static Result<std::shared_ptr<Access>> open(AccessOptions options);

  struct Reloaded {
    std::string file;
    Result<> outcome;  ///< When it failed, what was read before stays in use.
  };
  /// Reads the tokens and the certificate again; open connections go on.
  std::vector<Reloaded> reload();

  /// Sets the principal of a request to a route for `role`, or gives the refusal.
  std::optional<HttpResponse> admit(const Peer& peer, HttpRequest& request, Role role);
  /// Is told of each refusal; may be empty.
  void on_denial(std::function<void(Denial, const Peer&, const HttpRequest&)> call) {
    on_denial_ = std::move(call);
  }

  [[nodiscard]] bool uses_tls() const { return tls_.has_value(); }
  /// For the next connection; only when TLS is used.
  [[nodiscard]] const TlsCertificate& certificate() const { return *tls_; }
  [[nodiscard]] std::uint64_t denied(Denial denial) const {
    return denied_[static_cast<std::size_t>(denial)];
  }

 private:
  explicit Access(AccessOptions options) : options_(std::move(options)) {}
  Result<> load_tokens();
  Result<> load_tls();
  std::optional<Principal> principal_of(const Peer& peer, const HttpRequest& request) const;
  HttpResponse deny(Denial denial, const Peer& peer, const HttpRequest& request,
                    HttpResponse response);

  AccessOptions options_;
  std::optional<Tokens> tokens_;
  std::optional<TlsCertificate> tls_;
  std::array<std::uint64_t, kDenials> denied_{};
  std::function<void(Denial, const Peer&, const HttpRequest&)> on_denial_;
};

}  // namespace bascule::admin
