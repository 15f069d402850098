#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "focus/focus.h"
#include "focus/link.h"
#include "focus/output_gate.h"
#include "focus/tables.h"
#include "sim/fake_prosody.h"
#include "sim/schedule.h"

namespace bascule::sim {

/// Runs the real focus as the daemon does: links, output gate, a store that commits late, timers.
/// A crash throws the process away between any two actions; the next one starts from what the store
/// had committed.
class FocusHost {
 public:
  /// Sees every action at the moment it is performed.
  using Observer = std::function<void(const focus::Action&, Instant)>;

  FocusHost(Schedule& schedule, FakeProsody& server, Prng prng, focus::Options options,
            const Deployment& deployment, Observer observer);
  ~FocusHost();
  FocusHost(const FocusHost&) = delete;
  FocusHost& operator=(const FocusHost&) = delete;

  void start();
  void crash();
  /// Crashes after this many further actions, in the middle of a turn.
  void crash_after_actions(std::uint64_t actions) { actions_until_crash_ = actions; }
  /// A crash that was to come does not.
  void spare() { actions_until_crash_.reset(); }
  /// The store takes this long from now on.
  void set_commit_delay(Duration low, Duration high) {
    commit_low_ = low;
    commit_high_ = high;
  }
  /// The network cuts one link.
  void cut(StreamId stream);

  /// Somebody asks the running process for something; nothing happens while there is none.
  void give(const focus::Input& input);

  [[nodiscard]] bool is_running() const { return process_ != nullptr; }
  [[nodiscard]] const focus::Focus* focus() const;
  [[nodiscard]] std::uint64_t action_hash() const { return action_hash_; }
  [[nodiscard]] std::uint64_t inputs() const { return inputs_; }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::optional<Instant> crashed_at() const { return crashed_at_; }
  /// Requests delivered and not answered yet, with the time they arrived.
  [[nodiscard]] std::optional<Instant> oldest_unanswered() const;
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  struct LinkPeer;
  struct Process;

  void feed(const focus::Input& input);
  void run_turn(const std::function<void(focus::Focus&, Now, focus::Actions&)>& turn);
  void perform(focus::Actions& actions);
  void perform(const focus::Action& action);
  void open(StreamId stream);
  void transmit(StreamId stream, const xml::Element& stanza);
  void transmit(const std::vector<std::string>& texts);
  void prepare(const focus::Action& action, LinkPeer& client);
  std::optional<xml::Element> make(const focus::Action& action, LinkPeer& link);
  bool resume(LinkPeer& link);
  void acknowledge();
  void release(focus::Actions& actions);
  void note_asked(const focus::out::SendIq& request);
  void feed_all(std::vector<focus::Input>& inputs);
  void rearm();
  void on_timer();
  void note_answered(const focus::out::AnswerIq& answer);
  [[nodiscard]] Duration between(Duration low, Duration high);
  LinkPeer& peer(StreamId stream);

  Schedule& schedule_;
  FakeProsody& server_;
  Prng prng_;
  focus::Options options_;
  Deployment deployment_;
  Observer observer_;
  Duration commit_low_ = std::chrono::microseconds{50};
  Duration commit_high_ = std::chrono::milliseconds{4};

  focus::Tables durable_;
  Instant committed_at_{};  // Of the last commit handed over.
  std::unique_ptr<Process> process_;
  std::uint64_t process_number_ = 0;
  std::optional<std::uint64_t> actions_until_crash_;
  bool in_turn_ = false;
  std::deque<focus::Input> queued_;

  using RequestKey = std::pair<StreamId, std::pair<std::string, std::string>>;
  std::multimap<RequestKey, Instant> unanswered_;
  std::set<std::uint64_t> outstanding_iqs_;
  std::uint64_t action_hash_ = 14695981039346656037ULL;
  std::uint64_t inputs_ = 0;
  std::uint64_t crashes_ = 0;
  std::optional<Instant> crashed_at_;
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
