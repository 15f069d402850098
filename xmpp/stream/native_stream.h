#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "xmpp/stream/options.h"
#include "xmpp/stream_management.h"
#include "xmpp/transport.h"

namespace boost::asio {
class io_context;
}

namespace bascule::xmpp {

/// What a stream did since it was made.
struct NativeStreamCounters {
  std::uint64_t stanzas_in = 0;
  std::uint64_t stanzas_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t rejected_in = 0;       ///< Over a parse limit.
  std::uint64_t oversize_out = 0;      ///< Refused by send(): over max_stanza_bytes.
  std::uint64_t unknown_elements = 0;  ///< Children of the stream that are no stanza; ignored.
  std::uint64_t redelivered = 0;       ///< Dropped after a resume: already delivered before.
  std::uint64_t resumes = 0;
  std::uint64_t resumes_refused = 0;
};

/// A link on our own reader and writer: an XEP-0114 component or a client connection (RFC 6120).
///
/// It faces what anonymous clients can send, so a stanza over a limit costs that stanza and not the
/// link, and at most a bounded number of stanzas is delivered per turn of the event loop.
///
/// Namespaces: whatever the stream's own namespace is, the listener sees and send() takes stanzas
/// in `jabber:client`. A component's `jabber:component:accept` is mapped on the way in; on the way
/// out no namespace is written where the stream's own is meant.
///
/// Liveness: while up, the server is probed every `probe_interval` (component: an IQ to ourselves,
/// which Prosody routes back; client: `<r/>` of XEP-0198, or XEP-0199 without it). Any byte that
/// arrives after the probe counts as its answer: a server busy with a storm answers late. Only the
/// first probe of a resumed session must be answered itself: Prosody 0.12 goes on with the parser
/// of the old connection (mod_c2s.lua: session.data), and when that was cut inside a stanza,
/// everything we send becomes a part of it while the server's own stanzas still arrive.
///
/// XEP-0198 (client): the next open() after a cut resumes the session. Stanzas the server did not
/// get are sent again, those it redelivers although we have them are dropped. `sequence` in the
/// listener's calls is the stanza's number in the session; 0 for the rare stanza that overtakes
/// `<enabled/>` and is counted by nobody. Numbers of a session end with it: after an
/// `on_up(resumed = false)`, handled() must not be called with a number from before.
class NativeStream final : public Transport {
 public:
  /// `listener` must outlive the stream. The stream may be destroyed inside a listener call.
  NativeStream(boost::asio::io_context& io, NativeStreamOptions options,
               TransportListener& listener);
  ~NativeStream() override;
  NativeStream(const NativeStream&) = delete;
  NativeStream& operator=(const NativeStream&) = delete;

  void open() override;
  void send(const xml::Element& stanza) override;
  void send_text(std::string text) override;
  [[nodiscard]] bool takes(std::string_view text) override;
  void handled(std::uint64_t sequence) override;
  void close() override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] std::optional<int> socket() const override;

  [[nodiscard]] const NativeStreamCounters& counters() const;
  /// What another process needs to continue this session; the id is empty when it cannot.
  [[nodiscard]] SmState session_state() const;
  [[nodiscard]] std::optional<SmState> resumable_session() const override;
  [[nodiscard]] Outbound outbound() const override;
  /// The next open() tries to continue this session of another process, or leaves it in peace when
  /// its id is empty (see Up::beside). Not while open.
  void adopt(const SmState& state);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bascule::xmpp
