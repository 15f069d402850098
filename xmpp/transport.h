#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/jid.h"
#include "base/time.h"
#include "xmpp/stream_management.h"
#include "xmpp/xml/element.h"

namespace bascule::xmpp {

/// Why an open failed or a link went down; the reconnect policy treats the kinds differently.
enum class DownKind {
  kConnection,      ///< TCP refused, reset, closed, timed out, or the peer closed the stream.
  kAuthentication,  ///< Wrong secret or password: retrying soon is useless.
  kCertificate,     ///< TLS certificate refused; `reason` names it and says why.
  kConflict,        ///< Another instance holds or took the address.
  kProtocol,        ///< The peer broke the stream rules, or a stream error not listed above.
  kClosedByUs,      ///< `close()`.
};

struct Up {
  Jid bound_jid;         ///< What the server bound; for a component its domain.
  bool resumed = false;  ///< XEP-0198: room occupancy and pending IQs survived.
  /// A session of ours that could not be resumed and may still be there, in its rooms too, under
  /// this address: the new one was bound beside it, so that nobody sees us leave.
  std::optional<Jid> beside = std::nullopt;
  /// XEP-0198: another process could go on with this session, and for how long after the loss of
  /// its connection as far as the server says (`max`; zero: it does not say). nullopt: nobody
  /// could.
  std::optional<Duration> resumable_for = std::nullopt;
};
struct Down {
  DownKind kind;
  std::string reason;  ///< One line for the operator; never contains a secret.
};

/// What a transport reports. Called on the event-loop thread, never from inside a call into the
/// transport.
class TransportListener {
 public:
  virtual ~TransportListener() = default;
  virtual void on_up(const Up& up) = 0;
  virtual void on_down(const Down& down) = 0;
  /// `sequence` counts inbound stanzas of the session from 1; pass it to `Transport::handled` when
  /// everything the stanza caused is committed (output commit, docs/architecture.md).
  virtual void on_stanza(xml::Element stanza, std::uint64_t sequence) = 0;
  /// A stanza over the parse limits; the transport stays up. `head` has no children.
  virtual void on_rejected(const xml::Element& head, const std::string& reason,
                           std::uint64_t sequence) = 0;
};

/// One link to an XMPP server: the seam behind which the native stream (`xmpp/stream/`) and
/// libstrophe (`xmpp/strophe/`) are exchangeable. A resource; used from the event-loop thread only.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Connects once: answered by exactly one `on_up` or `on_down`. When to try again is not the
  /// transport's decision. Must not be called while open or opening.
  virtual void open() = 0;
  /// Queues one stanza; dropped silently while the link is down (pairing is xmpp::Session's job).
  virtual void send(const xml::Element& stanza) = 0;
  /// The same of a stanza that is serialised already, in `jabber:client`. While the link is down
  /// and its session can be resumed it is kept for that. Only where `resumable_session` may be
  /// given.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): whoever implements it keeps the text.
  virtual void send_text(std::string /*text*/) { BASCULE_CHECK(false); }
  /// False, and said in the log, when a stanza of this size would not be sent.
  [[nodiscard]] virtual bool takes(std::string_view /*text*/) { return true; }
  /// Every inbound stanza up to `sequence` may be acknowledged to the peer. No effect without
  /// XEP-0198.
  virtual void handled(std::uint64_t sequence) = 0;
  /// Ends the stream; `on_down(kClosedByUs)` follows. A clean close ends resumability.
  virtual void close() = 0;
  /// What another process needs to continue this session (XEP-0198); nullopt: nobody can.
  [[nodiscard]] virtual std::optional<SmState> resumable_session() const { return std::nullopt; }
  /// Stanzas of the session that were sent, and of these the confirmed ones.
  struct Outbound {
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
  };
  [[nodiscard]] virtual Outbound outbound() const { return {}; }
  /// The connection's descriptor while it is up and there is one to know of; stays ours.
  [[nodiscard]] virtual std::optional<int> socket() const { return std::nullopt; }
  /// Bytes queued and not yet written.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
};

}  // namespace bascule::xmpp
