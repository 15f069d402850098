#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "focus/stats_node_repair.h"
#include "focus/turn.h"

namespace bascule::focus {

/// What the last look at the node found.
enum class NodeState : std::uint8_t {
  kOff,            ///< Not configured, or the service link is down.
  kLooking,        ///< The first look since the link came up is not over.
  kWorking,        ///< Subscribed, and events come, or nobody is there to send any.
  kSilent,         ///< The node is as it should be, bridges are there, and nobody publishes.
  kServiceGone,    ///< The service does not answer, or does not exist.
  kServiceBroken,  ///< It answers, but not as a pubsub service.
  kMissing,        ///< The node does not exist.
  kUnsubscribed,   ///< It exists and has forgotten us.
  kMisconfigured,  ///< It drops items or payloads, see `corrections_of`.
  kCorrupt,        ///< Its list of items cannot be read or written.
  kDeaf,           ///< We are on its list, and what is published does not reach us.
};
inline constexpr std::size_t kNodeStateCount = 11;
[[nodiscard]] std::string_view to_string(NodeState state);

/// Watches the pubsub node with bridge stats (XEP-0060), and repairs it where it has the right to.
///
/// Why: Prosody tells a subscriber nothing when a node, its subscriptions or its list of items are
/// lost, and a publisher that gets one error may stop for ever. So nothing is believed because it
/// was once true: everything is looked at anew when the link comes up, every 30 s, after three
/// publish periods without an event while bridges are present, when publishing fails, and when an
/// event says that the node changed. A look asks one thing after the other, 5 s each.
///
/// | noticed by                                        | state          | repair                 |
/// |---------------------------------------------------|----------------|------------------------|
/// | disco#info of the service: no answer, error       | kServiceGone   | none: operator         |
/// | ... answers without the pubsub feature (its record| kServiceBroken | none: operator         |
/// | of a node is damaged), or subscriptions: no answer|                |                        |
/// | item-not-found at any step                        | kMissing       | create, subscribe      |
/// | subscriptions without our address                 | kUnsubscribed  | subscribe              |
/// | configuration that loses items                    | kMisconfigured | configure              |
/// | items: no answer, or internal-server-error there  | kCorrupt       | purge; the second time |
/// | or when publishing                                |                | delete, create, subscr.|
/// | silence, and our own canary does not come back    | kDeaf          | unsubscribe, subscribe |
/// | silence, and the canary comes back                | kSilent        | none: ask publishers   |
/// | all of it well                                    | kWorking       |                        |
///
/// Every repair has a pace of its own: at once, then 10 s apart, doubling to 5 min, until it was
/// not needed for 5 min. What is refused for lack of rights, and six repairs in a row that did not
/// help, are an error in the log with the exact thing to do (`pubsub.needs_operator`), once per
/// state; looking and trying go on at that pace.
class StatsNode {
 public:
  using Items = std::vector<proto::PubsubItem>;

  struct Counters {
    std::array<std::uint64_t, kNodeStateCount> entered{};
    std::array<std::uint64_t, kNodeRepairCount> repaired{};
    std::array<std::uint64_t, kNodeRepairCount> failed{};
    std::uint64_t events = 0;
    std::uint64_t looks = 0;
  };

  void on_link_up(Turn& turn);
  void on_link_down(Turn& turn);
  /// An event of our node. The items that may be reports stay the caller's business.
  void on_event(const proto::PubsubEvent& event, Turn& turn);
  /// IqPurpose::kPubsub. Returns what the node holds when that was the question: it is of unknown
  /// age. `bridges`: present now.
  Items on_answer(const IqNote& note, const IqOutcome& outcome, std::size_t bridges, Turn& turn);
  /// TimerKind::kPubsub with owner kLookTimer or kSilenceTimer.
  void on_timer(const TimerKey& key, std::size_t bridges, Turn& turn);
  /// Looks at once, and asks for all items.
  void requery(Turn& turn);
  /// The node refused something that we published.
  void publish_failed(const IqOutcome& outcome, Turn& turn);

  [[nodiscard]] NodeState state() const { return state_; }
  /// Items may be published: nothing is known to be in the way.
  [[nodiscard]] bool takes_items() const {
    return state_ == NodeState::kWorking || state_ == NodeState::kSilent ||
           state_ == NodeState::kMisconfigured;
  }
  [[nodiscard]] bool keeps_items() const { return keeps_items_; }
  [[nodiscard]] bool needs_operator() const { return told_operator_; }
  [[nodiscard]] std::optional<Instant> last_event() const { return last_event_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

  static constexpr std::uint64_t kLookTimer = 0;
  static constexpr std::uint64_t kSilenceTimer = 1;
  static constexpr std::uint64_t kPublishTimer = 2;  ///< StatsMirror's.

 private:
  enum class Step : std::uint8_t {
    kNone,
    kService,
    kSubscriptions,
    kConfiguration,
    kItems,
    kCanary,
    kRepair
  };
  struct Pace {
    Instant allowed_at{};
    Duration delay{};
  };

  void look(Turn& turn);
  void look_in(Duration delay, Turn& turn);
  void ask(Step step, proto::Request request, Turn& turn);
  void ask_items(Turn& turn);
  void ask_canary_or_conclude(Turn& turn);
  void on_service(const IqOutcome& outcome, Turn& turn);
  void on_subscriptions(const IqOutcome& outcome, Turn& turn);
  void on_configuration(const IqOutcome& outcome, std::size_t bridges, Turn& turn);
  Items on_items(const IqOutcome& outcome, Turn& turn);
  void on_canary(const IqOutcome& outcome, Turn& turn);
  void on_repaired(const IqOutcome& outcome, Turn& turn);
  void repaired(Turn& turn);
  void repair(NodeState found, NodeRepair kind, Turn& turn);
  void send_repair(NodeRepair kind, Turn& turn);
  void conclude(NodeState state, Turn& turn);
  void enter(NodeState state, std::string_view reason, Turn& turn);
  void hopeless(NodeState state, std::string_view reason, Turn& turn);
  void tell_operator(std::string_view reason, std::string action, Turn& turn);
  void watch_for_silence(Turn& turn);

  NodeState state_ = NodeState::kOff;
  Step step_ = Step::kNone;
  std::uint64_t asked_ = 0;  // Number of the one question that is open.
  NodeRepair repairing_ = NodeRepair::kCreate;
  std::array<Pace, kNodeRepairCount> paces_{};
  std::uint32_t attempts_ = 0;  // Repairs since the node last worked.
  bool purged_ = false;         // Since the node last worked.
  bool was_well_ = false;       // Since the link came up: making it is no repair.
  bool told_operator_ = false;
  bool told_not_owner_ = false;
  bool look_again_ = false;  // Something happened during a look.
  bool silent_ = false;
  bool canary_seen_ = false;
  bool list_wanted_ = true;  // All items, not only the newest.
  bool keeps_items_ = false;
  std::vector<proto::FormField> corrections_;
  Instant looked_at_{};
  Instant fault_since_{};
  std::optional<Instant> last_event_;
  Counters counters_;
};

}  // namespace bascule::focus
