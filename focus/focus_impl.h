#pragma once

#include <string>
#include <vector>

#include "focus/audit.h"
#include "focus/brewery.h"
#include "focus/bridge_cleanup.h"
#include "focus/conference_table.h"
#include "focus/decision_chronicle.h"
#include "focus/focus.h"
#include "focus/links.h"
#include "focus/member_features.h"
#include "focus/memory_keeper.h"
#include "focus/news.h"
#include "focus/orders.h"
#include "focus/proxy_registration.h"
#include "focus/quarantine.h"
#include "focus/request_desk.h"
#include "focus/services.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Brings events to the part they belong to, and the news of one part to the others. Decides
/// nothing itself.
class Focus::Impl {
 public:
  Impl(Options options, const Restored& restored, std::uint64_t seed, Now now, WorkMark* mark);

  void start(Now now, Actions& out);
  void handle(const Input& input, Now now, Actions& out);
  void fire_timers(Now now, Actions& out);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] Readiness readiness(Now now) const;
  void check_invariants() const;

  [[nodiscard]] const Shared& shared() const { return shared_; }
  [[nodiscard]] const ConferenceTable& conferences() const { return conferences_; }
  [[nodiscard]] const RequestDesk& desk() const { return desk_; }
  [[nodiscard]] const Brewery& brewery() const { return brewery_; }
  [[nodiscard]] const Quarantine& quarantine() const { return quarantine_; }
  [[nodiscard]] const Orders& orders() const { return orders_; }
  [[nodiscard]] const MemberFeatures& features() const { return features_; }

 private:
  void on(const in::StreamUp& input, Turn& turn);
  void on(const in::StreamDown& input, Turn& turn);
  void on(const in::IqRequest& input, Turn& turn);
  void on(const in::HttpConferenceRequest& input, Turn& turn);
  void on(const in::IqAnswer& input, Turn& turn);
  void on(const in::PresenceReceived& input, Turn& turn);
  void on(const in::MessageReceived& input, Turn& turn);
  void on(const in::StoreAnswer& input, Turn& turn);
  void on(const in::CommitDegraded& input, Turn& turn);
  void on(const in::RequeryStats& input, Turn& turn);
  void on(const in::OperatorOrder& input, Turn& turn);
  void on(const in::Shutdown& input, Turn& turn);

  void on_news(const news::RoomReady& item, Turn& turn);
  void on_news(const news::ConferenceEnded& item, Turn& turn);
  void on_news(const news::Reconciled& item, Turn& turn);
  void on_news(const news::BridgeDoubted& item, Turn& turn);
  void on_news(const news::NotInBrewery& item, Turn& turn);

  void on_request(RequestDesk::Requester requester, const proto::ConferenceRequest& request,
                  Turn& turn);
  void on_jingle(const in::IqRequest& input, const proto::Jingle& jingle, Turn& turn);
  void on_mute(const in::IqRequest& input, const proto::Mute& mute, Turn& turn);
  void on_room_message(const proto::Message& message, Turn& turn);
  void answer(const in::IqRequest& input, IqReply reply, Turn& turn);
  void on_timer(const TimerKey& key, Turn& turn);
  void lost(const Brewery::Losses& losses, Turn& turn);
  void end_all(std::string_view reason, BridgeCleanup::Pace pace, Turn& turn);
  // focus_recovery.cc
  void restore(const Restored& restored, Turn& turn);
  void probe_next(Turn& turn);
  void hold_back(const Restored& restored, Turn& turn);
  void arm_quarantine(Turn& turn);
  void release_quarantine(Turn& turn);
  /// Nothing of its sessions is to be found by another process, or left on bridges.
  void forget_stored(const RoomJid& room, const ConferenceRow& row, Turn& turn);
  static void store(const RoomJid& room, const ConferenceRow& row, Turn& turn);
  void adopt(const RoomJid& room, const ConferenceRow& row, Turn& turn);
  void give_up_quarantine(Turn& turn);
  void shut_down(Turn& turn);
  void stop_if_done(Turn& turn);
  /// Hands on news and places who can be placed; at the end of every turn.
  void settle(Turn& turn);
  void hand_on_news(Turn& turn);

  WorkMark own_mark_;
  WorkMark& mark_;
  Shared shared_;
  std::string sid_secret_;
  Links links_;
  MemberFeatures features_;
  Services services_;
  ProxyRegistration proxy_;
  BridgeCleanup cleanup_;
  Brewery brewery_;
  RequestDesk desk_;
  Quarantine quarantine_;
  ConferenceTable conferences_;
  Audit audit_;
  MemoryKeeper memory_;
  Orders orders_;
  DecisionChronicle chronicle_;
  ConferenceId probed_{0};  // Whose bridges were asked last, see kProbe.
  std::vector<News> news_;
  Surroundings around_;
  std::vector<Decision> decisions_;  // Scratch, empty between turns.
  std::vector<Move> moves_;          // Likewise.
  Actions initial_;                  // What restoring made necessary; leaves with `start`.
  bool rooms_refused_ = false;
  bool commit_degraded_ = false;
  bool stopped_ = false;
};

}  // namespace bascule::focus
