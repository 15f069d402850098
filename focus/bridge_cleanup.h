#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/jid.h"
#include "focus/colibri_session.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Turns the answer to a colibri2 request of ours into what ColibriSession wants to know.
[[nodiscard]] ColibriAnswer to_colibri_answer(const IqOutcome& outcome);

/// Ends the bridge conferences of meetings that are over, until the bridges have confirmed it.
/// Paced: after a crash of the XMPP server all meetings are over at once, while the bridges are
/// needed for new ones. A bridge that is away or does not answer is asked again, until it has
/// expired by itself what sends no media any more (Jitsi Videobridge:
/// VideobridgeExpireThread.java).
class BridgeCleanup {
 public:
  /// Steady rate of meetings ended.
  static constexpr Duration kSpacing = std::chrono::milliseconds{20};
  /// Before a bridge that could not be asked, or did not answer, is asked again.
  static constexpr Duration kRetry = std::chrono::seconds{4};
  /// After this the bridge has expired everything by itself.
  static constexpr Duration kPatience = std::chrono::seconds{180};
  /// Bridges that are away are passed over, so many in one turn.
  static constexpr std::size_t kLooksPerTurn = 50;

  enum class Pace : std::uint8_t { kPaced, kAtOnce };

  void add(BridgeJid bridge, ColibriSession session, Pace pace, Turn& turn);
  /// The meeting goes on, and is to use this bridge again: whoever asks becomes responsible for
  /// what is left there. Returns whether anything may be. O(size).
  bool take_over(const BridgeJid& bridge, const std::string& meeting_id);
  /// kCleanup.
  void on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);
  /// TimerKind::kCleanup.
  void on_timer(Turn& turn);
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    return waiting_.size() + working_.size() + deferred_.size();
  }

  /// The link is up and the bridge is there, as far as we know.
  [[nodiscard]] static bool can_ask(const BridgeJid& bridge, const Turn& turn);

 private:
  struct Entry {
    BridgeJid bridge;
    ColibriSession session;
    Instant give_up_at;
  };
  void begin(Entry entry, Turn& turn);
  void defer(Entry entry, Turn& turn);
  void arm(Turn& turn) const;
  void send(std::uint64_t number, const Entry& entry, const ColibriSession::Requests& requests,
            Turn& turn);

  std::uint64_t last_number_ = 0;
  std::deque<Entry> waiting_;
  std::map<std::uint64_t, Entry> working_;
  std::multimap<Instant, Entry> deferred_;  // By the time of the next attempt.
};

}  // namespace bascule::focus
