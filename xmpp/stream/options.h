#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "xmpp/client_negotiation.h"
#include "xmpp/stream_management.h"
#include "xmpp/xml/parser.h"

namespace bascule::xmpp {

struct TlsOptions {
  TlsMode mode = TlsMode::kRequired;
  /// PEM file of the authorities to trust; empty: those of the system.
  std::string ca_file;
  /// SHA-256 fingerprints in hex, colons allowed. When there are any, the server's certificate must
  /// have one of them, and that is enough: chain, dates and name are not looked at.
  std::vector<std::string> pinned_sha256;
  bool verify_host_name = true;
  /// The name the certificate must carry; empty: the XMPP domain (RFC 6120 13.7.2.1).
  std::string host_name;
};

/// One native link. The defaults are what production uses; tests shorten the times.
struct NativeStreamOptions {
  enum class Mode { kComponent, kClient };

  Mode mode = Mode::kComponent;
  std::string host = "127.0.0.1";  ///< Where the server listens: a name or a numeric address.
  std::uint16_t port = 5347;
  std::string domain;    ///< Component: its own address. Client: the domain of the account.
  std::string user;      ///< Client only: localpart; empty: SASL ANONYMOUS.
  std::string resource;  ///< Client only; empty: chosen by the server.
  std::string secret;    ///< Component secret or password.
  TlsOptions tls;        ///< Client only: XEP-0114 has no TLS.

  xml::ParseLimits parse_limits;
  /// Prosody closes a component link on a stanza over 512 KiB (`component_stanza_size_limit`).
  std::size_t max_stanza_bytes = 400UL * 1024;
  std::size_t max_queued_bytes = 64UL * 1024 * 1024;  ///< More than this unwritten: link down.
  std::size_t stanzas_per_turn = 200;                 ///< At least 1; then others get a turn.

  Duration connect_timeout = std::chrono::seconds{5};  ///< For each address of `host`.
  Duration open_timeout = std::chrono::seconds{10};    ///< From open() to on_up().
  Duration probe_interval = std::chrono::seconds{10};  ///< Between an answer and the next probe.
  /// A server that is busy with a storm answers late, and cutting it off then makes the storm
  /// worse: a dead connection is found much sooner by the reset or by TCP keepalive.
  Duration probe_timeout = std::chrono::seconds{20};

  bool stream_management = true;  ///< Client only: ask for XEP-0198 with resumption.
  StreamManagement::Options stream_management_options;

  /// Told about what the caller cannot see otherwise, e.g. a stanza that was too large to send.
  /// Must not call back into the stream.
  std::function<void(const std::string&)> warn;
};

}  // namespace bascule::xmpp
