#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/bridge_cleanup.h"
#include "focus/colibri_session.h"
#include "focus/conference_details.h"
#include "focus/conference_state.h"
#include "focus/input.h"
#include "focus/iq_ledger.h"
#include "focus/member_features.h"
#include "focus/moderation.h"
#include "focus/news.h"
#include "focus/participant.h"
#include "focus/placement.h"
#include "focus/relay_links.h"
#include "focus/room.h"
#include "focus/source_map.h"
#include "focus/source_signaler.h"
#include "focus/tables.h"
#include "focus/turn.h"
#include "focus/view.h"

namespace bascule::focus {

/// What a conference needs of its surroundings besides the turn; owned by Focus.
struct Surroundings {
  MemberFeatures& features;
  BridgeCleanup& cleanup;
  std::vector<News>& news;
};

/// One meeting: its room, its members, their sessions and what they have on the bridges.
///
/// It never chooses a bridge: whoever needs a place gets a ticket, and `placed` comes when the
/// queue has served it. A participant whose bridge is lost keeps its Jingle session until then;
/// session-terminate and the next session-initiate follow each other closely, because a client
/// without an offer has no media at all.
class Conference {
 public:
  Conference(ConferenceId id, RoomJid room, std::map<std::string, std::string> properties,
             std::string sid_secret, const Options& options, Now now);

  [[nodiscard]] ConferenceId id() const { return id_; }
  [[nodiscard]] const RoomJid& room_jid() const { return room_.jid(); }
  [[nodiscard]] ConferenceState state() const { return state_; }
  /// Clients may enter the room.
  [[nodiscard]] bool is_ready() const { return room_.is_in(); }
  [[nodiscard]] std::size_t participant_count() const { return participants_.size(); }
  [[nodiscard]] std::size_t session_count() const { return accepted_; }
  [[nodiscard]] std::size_t visitor_count() const { return participants_.size() - invitable_; }
  [[nodiscard]] ConferenceView view() const;
  [[nodiscard]] ConferenceSummary summary() const;
  [[nodiscard]] ConferenceSize size() const;  ///< O(1).
  [[nodiscard]] ConferenceDetails details(const OfferOptions& offer) const;

  // Life.
  void start(Turn& turn);
  /// From the tables of an earlier process; `reenter` follows when the client link is up.
  void restore(const ConferenceRow& row, Turn& turn);
  /// Another request for it arrived: a room that nobody entered yet is kept a little longer.
  void requested(Turn& turn);
  /// The client link came up without resumption: nothing is known of the room until `reenter`.
  void suspend(Turn& turn);
  void reenter(Turn& turn, Surroundings& around);
  /// Ends it for a reason outside (link lost for too long, shutdown).
  void end(std::string_view reason, BridgeCleanup::Pace pace, Turn& turn, Surroundings& around);

  // Events.
  void on_presence(const proto::MucPresence& presence, Turn& turn, Surroundings& around);
  void on_jingle(const in::IqRequest& request, const proto::Jingle& jingle, Turn& turn,
                 Surroundings& around);
  void on_mute(const in::IqRequest& request, const proto::Mute& mute, Turn& turn);
  void on_metadata(const proto::RoomMetadata& metadata, Turn& turn);
  void on_moderation(const proto::AvModeration& change, Turn& turn);
  void on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn, Surroundings& around);
  void on_timer(const TimerKey& key, Turn& turn, Surroundings& around);
  void discovered(ParticipantId participant, Features features, Turn& turn, Surroundings& around);
  /// `record`: what the decision rests on, for the log.
  void placed(const Decision& decision, const DecisionRecord& record, Turn& turn,
              Surroundings& around);
  /// Placement would like a participant to leave a bridge that works.
  void move_wanted(const Move& move, Turn& turn, Surroundings& around);
  /// `alive`: the bridge still answers, so that what is left on it can be expired.
  void bridge_lost(const BridgeJid& bridge, bool alive, TicketKind kind, Turn& turn,
                   Surroundings& around);

  /// Asks each bridge whether it still has the conference: it may have restarted while we were not
  /// looking. Nothing changes for an endpoint that is there.
  void probe_bridges(Turn& turn);

  enum class Audited : std::uint8_t { kPartly, kWholly };
  /// One step of the audit, see Audit. kPartly: there are participants it did not look at.
  Audited audit(Turn& turn, Surroundings& around);

  void check_invariants() const;

 private:
  /// Our use of one bridge.
  struct BridgeUse {
    std::uint64_t serial = 0;  ///< Tells answers to an earlier use of the same bridge.
    ColibriSession session;
    bool confirmed = false;    ///< An endpoint was allocated: the bridge has the conference.
    op::BridgeSessionAdd row;  ///< As it was last persisted.
    std::optional<ColibriTicket> audited;  ///< The question of the audit, until it is answered.
  };
  using Members = std::map<ParticipantId, Participant>;

  // conference.cc: room and members.
  void handle(std::vector<RoomEvent>& events, Turn& turn, Surroundings& around);
  void entered(const room_event::Entered& event, Turn& turn, Surroundings& around);
  void member_seen(const proto::MucPresence& presence, Turn& turn, Surroundings& around);
  void member_left(const EndpointId& endpoint, const std::string& status, Turn& turn,
                   Surroundings& around);
  void remove(Participant& participant, Turn& turn, Surroundings& around);
  void members_changed(Turn& turn, Surroundings& around);
  void want_all(Turn& turn, Surroundings& around);
  void single_timeout(Turn& turn, Surroundings& around);
  void grant_owner(Turn& turn);
  void publish(Turn& turn);
  void publish_soon(Turn& turn);
  [[nodiscard]] Participant* find(ParticipantId participant);
  [[nodiscard]] Participant* find(const EndpointId& endpoint);
  [[nodiscard]] const Participant* find(const EndpointId& endpoint) const;
  [[nodiscard]] TimerKey timer(TimerKind kind) const { return {kind, id_.value()}; }
  [[nodiscard]] TimerKey timer(TimerKind kind, const Participant& participant) const {
    return {kind, id_.value(), participant.id.value()};
  }

  // conference_sessions.cc: what a transition of a participant makes necessary.
  void apply(Participant& participant, ParticipantEvent event, Turn& turn, Surroundings& around,
             TicketKind kind = TicketKind::kJoin);
  void perform(Participant& participant, ParticipantEffect effect, TicketKind kind, Turn& turn,
               Surroundings& around);
  void enqueue(Participant& participant, TicketKind kind, Turn& turn);
  void allocate(Participant& participant, Turn& turn, Surroundings& around);
  void invite(Participant& participant, Turn& turn);
  void end_session(Participant& participant, proto::ReasonCondition reason, std::string text,
                   Turn& turn);
  void reinvite(Participant& participant, Turn& turn, Surroundings& around);
  void drop_endpoint(Participant& participant, Turn& turn);
  enum class Announce : std::uint8_t { kRemoval, kNothing };
  void drop_sources(Participant& participant, Announce announce, Turn& turn);
  void release(Participant& participant, Turn& turn);
  [[nodiscard]] proto::Jingle make_offer(Participant& participant, const Allocation& allocation,
                                         const BridgeUse& use, Turn& turn);
  void on_participant_timer(Participant& participant, TimerKind kind, Turn& turn,
                            Surroundings& around);
  void on_invite_answer(Participant& participant, const IqNote& note, const IqOutcome& outcome,
                        Turn& turn, Surroundings& around);
  void send_jingle(const Participant& participant, proto::Jingle jingle, IqPurpose purpose,
                   Turn& turn);
  void persist_jingle(const Participant& participant, JingleState state, Turn& turn);
  void persist_endpoint(const Participant& participant, Turn& turn);

  // conference_jingle.cc: what clients ask.
  IqReply judge(Participant& participant, const proto::Jingle& jingle, Turn& turn,
                Surroundings& around);
  [[nodiscard]] bool repeats_accept(const Participant& participant,
                                    const proto::Jingle& jingle) const;
  IqReply accept(Participant& participant, const jingle::Accept& accept, Turn& turn,
                 Surroundings& around);
  IqReply add_sources(Participant& participant, const proto::EndpointSources& sources, Turn& turn);
  IqReply remove_sources(Participant& participant, const proto::EndpointSources& sources,
                         Turn& turn);
  IqReply terminated(Participant& participant, const jingle::Terminated& terminated, Turn& turn,
                     Surroundings& around);
  void count_restart(const Participant& participant, Turn& turn);
  void tell_bridge(Participant& participant, EndpointUpdate update, Turn& turn);
  void sources_changed(const EndpointId& owner, const SourceSnapshot& before, Turn& turn);
  void tell_sources(SourceRound round, Turn& turn);
  void arm_signaling(Turn& turn);
  void signal_due(Turn& turn);

  // conference_moderation.cc: who may send, by the rules of the room.
  [[nodiscard]] MuteQuestion ask_about(const in::IqRequest& request, const proto::Mute& mute) const;
  void send_mute(const Participant& target, proto::MuteMedia media, std::optional<Jid> actor,
                 Turn& turn);
  [[nodiscard]] proto::ForceMute forbidden_to(const Participant& participant) const;
  /// Tells bridges what moderation forbids now, where that is not what they were told.
  void enforce_moderation(Turn& turn);
  void enforce_moderation(Participant& participant, Turn& turn);
  using EndpointMute = std::pair<EndpointId, proto::ForceMute>;
  /// What its bridge has to be told, if anything; taken over and persisted.
  std::optional<EndpointMute> take_force_mute(Participant& participant, Turn& turn);
  [[nodiscard]] proto::StartMuted start_muted(const Participant& participant,
                                              const OfferOptions& offer) const;
  void count_sender(const Participant& participant, bool add);
  void senders_changed(Turn& turn);
  [[nodiscard]] std::map<std::string, std::string> properties_to_publish() const;

  // conference_audit.cc
  void audit_bridges(Turn& turn);
  void audit_sources(Participant& participant, Turn& turn, Surroundings& around);
  void on_self_ping(const IqNote& note, const IqOutcome& outcome, Turn& turn, Surroundings& around);
  void on_audited(BridgeUse& use, const IqNote& note, const ColibriOutcome& outcome,
                  Turn& turn) const;

  // conference_restore.cc
  void restore_member(const EndpointId& endpoint, const ParticipantRow& row, Turn& turn);
  void restore_bridge(const op::BridgeSessionAdd& stored, const ConferenceRow& row, Turn& turn);
  void restore_session(Participant& participant, const ParticipantRow& row, Turn& turn);
  void restore_pending_sources(const ConferenceRow& row, Turn& turn);

  // conference_bridges.cc: what bridges answer.
  BridgeUse& use_of(const BridgeJid& bridge, Turn& turn, Surroundings& around);
  void send_to_bridge(const BridgeJid& bridge, const ColibriSession::Requests& requests,
                      Turn& turn);
  void on_bridge_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn,
                        Surroundings& around);
  void on_outcome(const BridgeJid& bridge, ColibriOutcome& outcome, Turn& turn,
                  Surroundings& around);
  void allocated(const BridgeJid& bridge, ColibriOutcome& outcome, Turn& turn,
                 Surroundings& around);
  void ice_restarted(Participant& participant,
                     const std::optional<proto::IceUdpTransport>& transport, Turn& turn,
                     Surroundings& around);
  void lost_on(const BridgeJid& bridge, const ColibriOutcome& outcome, Turn& turn,
               Surroundings& around);
  void forget_bridge(const BridgeJid& bridge, Turn& turn);
  void release_if_unused(const BridgeJid& bridge, Turn& turn);
  void expire_all(BridgeCleanup::Pace pace, Turn& turn, Surroundings& around);
  void tidy_bridges(Turn& turn);
  void arm_bridge_timer(Turn& turn);

  // conference_relays.cc: media between bridges.
  void touch_relays(Turn& turn);
  void settle_relays(Turn& turn);
  void carry_out(const RelayLinks::Step& step, Turn& turn);
  void send_relays(const std::vector<RelayLinks::Request>& requests, Turn& turn);
  void restore_relays(const ConferenceRow& row);
  void check_relays() const;

  ConferenceId id_;
  Room room_;
  ConferenceState state_ = ConferenceState::kJoining;
  std::string meeting_id_;
  std::string sid_secret_;
  bool created_persisted_ = false;
  std::map<std::string, std::string> properties_;  // Of the request that created it.
  WallTime created_;
  bool breakout_ = false;

  Members participants_;
  std::map<EndpointId, ParticipantId> by_endpoint_;
  std::size_t invitable_ = 0;
  std::size_t accepted_ = 0;  // Participants in state kActive.
  std::size_t owners_ = 0;
  std::optional<ParticipantId> owner_asked_;  // Whom we made owner; presence confirms it.

  ConferenceSourceMap sources_;
  SourceSignaler signaler_;
  std::map<BridgeJid, BridgeUse> bridges_;
  RelayLinks relays_;
  ParticipantId audited_{0};   // Looked at last in this round of the audit; 0: nobody.
  bool restored_ = false;      // And not probed yet.
  bool relays_stale_ = false;  // A bridge was lost, and the others were not told yet.
  std::map<ParticipantId, Allocation> granted_;   // Between the bridge's answer and the offer.
  std::map<std::string, std::string> published_;  // Conference properties, as last sent.
  Moderation moderation_;
  bool start_audio_muted_ = false;  // Policy of the room for newcomers.
  bool start_video_muted_ = false;
  SenderCount senders_;
  // Published since the limit was reached for the first time.
  std::optional<bool> audio_limit_reached_;
  std::optional<bool> video_limit_reached_;
};

}  // namespace bascule::focus
