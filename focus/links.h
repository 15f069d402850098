#pragma once

#include <array>

#include "base/ids.h"
#include "base/time.h"
#include "focus/input.h"
#include "focus/turn.h"
#include "xmpp/reconnect_policy.h"

namespace bascule::focus {

[[nodiscard]] std::string_view name_of(StreamId stream);

/// Opens the links to the server and opens them again when they are lost; when is decided here, so
/// that the simulator covers it. What a link carried is the business of others.
class Links {
 public:
  /// What a link that came up means for what it carried.
  enum class Came : std::uint8_t {
    kResumed,    ///< As if nothing had happened.
    kInherited,  ///< The session of an earlier process goes on: we are where it was.
    kFresh,      ///< The server remembers nothing of us on this link.
  };

  void start(Turn& turn);
  Came on_up(const in::StreamUp& up, Turn& turn);
  /// Returns whether the link was up.
  bool on_down(const in::StreamDown& down, Turn& turn);
  /// TimerKind::kStreamRetry.
  void on_retry(StreamId stream, Turn& turn);
  /// Closes everything for good.
  void close_all(Turn& turn);

 private:
  struct Link {
    xmpp::ReconnectPolicy policy;
    bool opened = false;  ///< Opening or up.
    bool was_up = false;
    Instant up_since{};
  };
  [[nodiscard]] Link& link(StreamId stream) { return links_[static_cast<std::size_t>(stream)]; }
  void open(StreamId stream, Turn& turn);

  std::array<Link, kStreamCount> links_;
  bool closed_ = false;
};

}  // namespace bascule::focus
