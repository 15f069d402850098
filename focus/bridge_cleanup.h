#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "base/jid.h"
#include "focus/colibri_session.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Turns the answer to a colibri2 request of ours into what ColibriSession wants to know.
[[nodiscard]] ColibriAnswer to_colibri_answer(const IqOutcome& outcome);

/// Ends the bridge conferences of meetings that are over, until the bridges have confirmed it.
/// Paced: after a crash of the XMPP server all meetings are over at once, while the bridges are
/// needed for new ones.
class BridgeCleanup {
 public:
  /// Steady rate of meetings ended.
  static constexpr Duration kSpacing = std::chrono::milliseconds{20};

  enum class Pace : std::uint8_t { kPaced, kAtOnce };

  void add(BridgeJid bridge, ColibriSession session, Pace pace, Turn& turn);
  /// kCleanup.
  void on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);
  /// TimerKind::kCleanup.
  void on_timer(Turn& turn);
  /// The service link is lost: what waits for an answer has none coming; what was not sent stays.
  [[nodiscard]] bool empty() const { return waiting_.empty() && working_.empty(); }
  [[nodiscard]] std::size_t size() const { return waiting_.size() + working_.size(); }

 private:
  struct Entry {
    BridgeJid bridge;
    ColibriSession session;
  };
  void begin(Entry entry, Turn& turn);
  void send(std::uint64_t number, const Entry& entry, const ColibriSession::Requests& requests,
            Turn& turn);

  std::uint64_t last_number_ = 0;
  std::deque<Entry> waiting_;
  std::map<std::uint64_t, Entry> working_;
};

}  // namespace bascule::focus
