#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace bascule {

/// A value that means one thing only: explicit construction, comparison, `value()`; no arithmetic.
template <class Tag, class Rep>
class Strong {
 public:
  explicit constexpr Strong(Rep value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const Rep& value() const { return value_; }
  friend auto operator<=>(const Strong&, const Strong&) = default;

 private:
  Rep value_;
};

using Ssrc = Strong<struct SsrcTag, std::uint32_t>;  ///< 1 to 2^32-1, checked at parse.
using EndpointId =
    Strong<struct EndpointIdTag, std::string>;  ///< MUC nick == colibri2 endpoint id.
using RequestId = Strong<struct RequestIdTag, std::uint64_t>;  ///< An IQ we sent.
using WriteId = Strong<struct WriteIdTag, std::uint64_t>;      ///< A write to the stats store.
using CommitId = Strong<struct CommitIdTag, std::uint64_t>;    ///< Operations of one turn.
using HttpId = Strong<struct HttpIdTag, std::uint64_t>;        ///< An HTTP request waiting for us.

/// The links to the XMPP server (docs/architecture.md, "Links").
enum class StreamId : std::uint8_t {
  kRequests,  ///< Component `focus.<domain>`: conference requests of anonymous clients.
  kClient,    ///< c2s `focus@auth.<domain>`: MUC, presence, Jingle.
  kService,   ///< libstrophe: brewery MUC, colibri2, pubsub.
};
inline constexpr std::size_t kStreamCount = 3;

}  // namespace bascule
