#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "xmpp/transport.h"
#include "xmpp/xml/element.h"

namespace bascule::xmpp {

inline constexpr std::string_view kClientNamespace = "jabber:client";
inline constexpr std::string_view kComponentNamespace = "jabber:component:accept";
inline constexpr std::string_view kStreamNamespace = "http://etherx.jabber.org/streams";

/// What the owner of the socket must do next, in order.
namespace step {
/// Send this element on the stream as it is now.
struct Send {
  xml::Element element;
};
/// Begin the TLS handshake; nothing the peer sent after this element may be used (STARTTLS command
/// injection, RFC 6120 5.4.3.3). Then call Negotiation::on_tls_established().
struct StartTls {};
/// Forget the parser, send header() and expect a new stream header.
struct RestartStream {};
/// The link is up on a new session. `enabled` is `<enabled/>` of XEP-0198, or nameless without it.
struct Established {
  Jid bound;
  xml::Element enabled;
  std::optional<Jid> beside = std::nullopt;  ///< See xmpp::Up.
};
/// The link is up on the old session; give this to StreamManagement::resumed().
struct Resumed {
  xml::Element resumed;
};
/// Give up and close.
struct Failed {
  Down down;
};
}  // namespace step

using Step = std::variant<step::Send, step::StartTls, step::RestartStream, step::Established,
                          step::Resumed, step::Failed>;
using Steps = std::vector<Step>;

/// The way from an open TCP connection to a usable link, as a state machine without I/O: elements
/// in, steps out. Ends with Established, Resumed or Failed; must not be used after that.
class Negotiation {
 public:
  virtual ~Negotiation() = default;
  /// The text that opens the stream, XML declaration included.
  [[nodiscard]] virtual std::string header() const = 0;
  /// The peer's stream header.
  virtual Steps on_header(const xml::Element& header) = 0;
  /// A child of the stream.
  virtual Steps on_element(const xml::Element& element) = 0;
  virtual Steps on_tls_established() = 0;
};

/// Opens an XMPP 1.0 or component stream to `to` (RFC 6120 4.2, XEP-0114 3).
std::string stream_header(std::string_view default_namespace, std::string_view to,
                          std::string_view version);

/// How a `<stream:error/>` (RFC 6120 4.9) is to be treated; the reason holds condition and text.
Down down_from_stream_error(const xml::Element& error);

}  // namespace bascule::xmpp
