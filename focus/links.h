#pragma once

#include <array>
#include <optional>

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
  /// We are in all our rooms: a session that was there before us may go, and nobody sees us leave
  /// (Prosody keeps an occupant as long as it has a session).
  void rooms_entered(Turn& turn);
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
  /// Says what a new process, or a short loss of the network, would cost on this server.
  static void judge_session(const in::StreamUp& up, Turn& turn);

  std::array<Link, kStreamCount> links_;
  std::optional<Jid> beside_;  // See in::StreamUp; until it is evicted.
  bool closed_ = false;
};

}  // namespace bascule::focus
