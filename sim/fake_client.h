#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/prng.h"
#include "base/time.h"
#include "sim/client_kind.h"
#include "sim/fake_prosody.h"
#include "sim/jingle_watch.h"
#include "sim/schedule.h"
#include "sim/source_knowledge.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/request.h"

namespace bascule::sim {

enum class ClientState : std::uint8_t {
  kAway,        ///< Does not want to be in the room.
  kReloading,   ///< The page shows its countdown.
  kRequesting,  ///< Waits for the answer to its conference request, or for its back-off.
  kJoining,
  kInRoom,   ///< Without a session.
  kInvited,  ///< Session offered, accept not confirmed.
  kActive,
};

/// A browser with lib-jitsi-meet, as far as the focus can tell: back-off on `ready=false` (1, 2, 4
/// … 120 s), one Jingle session at a time, reload 10 to 30 s after it lost its connection or the
/// focus, or when a session-accept or a request for a restart was not answered within 10 s
/// (lib-jitsi-meet: moderator.js, ChatRoom.ts, JitsiConference.js; jitsi-meet: overlay). A
/// conference request has no timeout there: after a minute its human reloads.
///
/// While it is erratic it also does what few clients do: answers an offer late or never, accepts it
/// when the focus is giving up or has given up, leaves between offer and accept.
class FakeClient : public Peer {
 public:
  FakeClient(Schedule& schedule, FakeProsody& server, Prng prng, RoomJid room,
             const Deployment& deployment);

  void arrive();  ///< Opens the page.
  void leave();   ///< Closes the tab: a clean leave.
  void vanish();  ///< The network is gone: an unclean end.
  /// Its ICE failed: asks for a new session, three times per page at most; then it reloads.
  void ask_for_restart();
  /// Asks for new ICE credentials in place; for a new session when nothing comes of it.
  void ask_for_ice_restart();
  void share_screen(bool on);
  /// Asks for sources no focus may accept. `which`: 0 to 3.
  void send_invalid_sources(std::uint64_t which);
  void set_erratic(bool erratic) { erratic_ = erratic; }

  [[nodiscard]] ClientState state() const { return state_; }
  [[nodiscard]] const RoomJid& room() const { return room_; }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] bool wants_in() const { return state_ != ClientState::kAway; }
  [[nodiscard]] const ClientKind& kind() const { return kind_; }
  /// What it was told of the others in its present session.
  [[nodiscard]] const proto::SourceMap& knowledge() const { return knowledge_.known(); }
  /// What the focus has confirmed of its own sources.
  [[nodiscard]] const proto::EndpointSources& published() const { return published_; }
  /// Of the transport it sends its media to; empty without a session.
  [[nodiscard]] const std::string& media_target() const { return media_target_; }
  /// What it asked the focus for, all pages together.
  [[nodiscard]] const AskCounts& asks() const { return asks_; }
  [[nodiscard]] std::uint64_t sessions() const { return sessions_; }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  /// Conference requests nobody answered, after which the human pressed reload.
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }
  /// Errors a real user would have seen as "connection failed".
  [[nodiscard]] std::uint64_t fatal_answers() const { return fatal_answers_; }
  [[nodiscard]] std::vector<std::string> complaints() const;

  void deliver(const xml::Element& stanza) override;
  void disconnected() override;

 private:
  void open_page();
  void request();
  void reload(std::string_view why);
  void retry_later();
  void give_up_request();
  void collect_complaints();
  void complain_unless_lost(const std::string& what, Instant since);
  void send(const proto::Request& request, const Jid& to);
  void ask(Ask what, proto::Jingle jingle);
  void unanswered(const Asked& what);
  void on_answer(const Asked& what, bool is_error);
  void reply(const xml::Element& iq, std::optional<proto::StanzaError> error = {});
  void on_conference_answer(const xml::Element& iq);
  void on_presence(const xml::Element& stanza);
  void on_request(const xml::Element& iq);
  void on_disco(const xml::Element& iq, const proto::DiscoInfoRequest& disco);
  void on_jingle(const xml::Element& iq, const proto::Jingle& jingle);
  void on_initiate(const xml::Element& iq, const proto::Jingle& jingle);
  void on_transport(const proto::Jingle& jingle);
  /// Answers the offer and prepares to accept it: as most clients do, or as few do.
  void react_to_offer(const xml::Element& iq);
  void leave_for_a_while();
  void accept();
  void restart();
  void withdraw_screen();
  void end_session();
  [[nodiscard]] Jid focus_occupant() const { return room_.jid().with_resource("focus"); }
  [[nodiscard]] Duration between(Duration low, Duration high);
  void later(Duration delay, void (FakeClient::*then)());

  Schedule& schedule_;
  FakeProsody& server_;
  Prng prng_;
  RoomJid room_;
  Deployment deployment_;
  ClientState state_ = ClientState::kAway;
  std::optional<SessionId> session_;
  std::uint64_t life_ = 0;  // Of the page; timers of an earlier page do nothing.
  std::string endpoint_;
  Jid address_;
  ClientKind kind_;
  bool erratic_ = false;
  std::string request_id_;
  Instant request_sent_{};
  std::uint64_t next_id_ = 0;
  std::uint32_t refusals_ = 0;
  std::string sid_;
  bool accepted_ = false;  // The present session, confirmed or not.
  std::string bridge_session_;
  std::string media_target_;
  JingleWatch watch_;
  SourceKnowledge knowledge_;
  bool sharing_ = false;
  proto::EndpointSources published_, unconfirmed_;
  std::uint32_t restarts_ = 0;
  std::uint32_t ice_restarts_ = 0;  // Of this page; the one that waits has this number.
  bool ice_restarting_ = false;
  AskCounts asks_{};
  std::uint64_t sessions_ = 0, reloads_ = 0, fatal_answers_ = 0, unanswered_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
