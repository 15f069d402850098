#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/jid.h"
#include "base/time.h"
#include "xmpp/transport.h"
#include "xmpp/xml/parser.h"

namespace bascule::xmpp {

enum class StropheMode {
  kComponent,  ///< XEP-0114; never encrypted, so the server should be on a trusted network.
  kClient,     ///< c2s with STARTTLS, SASL SCRAM and resource binding.
};

enum class StropheTls {
  kRequired,  ///< A server that does not offer STARTTLS, or a bad certificate, is refused.
  kOff,       ///< Plain TCP; for a server on the same host.
};

struct StropheOptions {
  StropheMode mode = StropheMode::kComponent;
  std::string host;        ///< Name or numeric address to connect to.
  std::uint16_t port = 0;  ///< 5347 and 5222 are customary; 0 is not valid.
  Jid address;             ///< Component: its domain. Client: user@domain/resource.
  std::string secret;      ///< Component secret or password.

  StropheTls tls = StropheTls::kRequired;  ///< Clients only.
  std::string ca_file;  ///< PEM file trusted in addition to the system's; empty: none.
  /// SHA-256 of certificates (64 lower-case hex digits) accepted whatever their chain and host name
  /// say.
  std::vector<std::string> pinned_sha256;

  Duration login_timeout = std::chrono::seconds{10};  ///< Per address, from connect to login.
  Duration ping_interval = std::chrono::seconds{10};
  /// Long, because a server in a storm answers late; a dead connection is found sooner by TCP.
  Duration ping_timeout = std::chrono::seconds{20};
  std::size_t queue_bytes_max = std::size_t{64} * 1024 * 1024;  ///< More unsent bytes end the link.
  std::size_t queue_stanzas_max = 10'000;  ///< More unsent stanzas end the link.
  xml::ParseLimits limits;                 ///< Of inbound stanzas.
};

/// An XMPP link over libstrophe, for peers we trust (README.md says why). The library runs on a
/// thread of its own because it blocks during the TLS handshake; every event is posted to `loop`.
///
/// Errors of an attempt and of the link are told by `on_down`. The destructor waits for the thread,
/// at most as long as a running address lookup takes.
class StropheTransport final : public Transport {
 public:
  /// `listener` must outlive the transport and is called on `loop` only.
  StropheTransport(StropheOptions options, boost::asio::any_io_executor loop,
                   TransportListener& listener);
  ~StropheTransport() override;

  void open() override;
  void send(const xml::Element& stanza) override;
  /// No effect: stream management is off, a lost link is a lost session.
  void handled(std::uint64_t sequence) override;
  void close() override;
  [[nodiscard]] std::size_t queued_bytes() const override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bascule::xmpp
