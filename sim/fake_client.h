#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/prng.h"
#include "base/time.h"
#include "sim/fake_prosody.h"
#include "sim/schedule.h"
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
class FakeClient : public Peer {
 public:
  FakeClient(Schedule& schedule, FakeProsody& server, Prng prng, RoomJid room,
             const Deployment& deployment);

  void arrive();  ///< Opens the page.
  void leave();   ///< Closes the tab: a clean leave.
  void vanish();  ///< The network is gone: an unclean end.
  void ask_for_restart();
  void share_screen(bool on);

  [[nodiscard]] ClientState state() const { return state_; }
  [[nodiscard]] const RoomJid& room() const { return room_; }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] bool wants_in() const { return state_ != ClientState::kAway; }
  [[nodiscard]] const std::set<std::string>& known_senders() const { return known_senders_; }
  /// Of the transport it sends its media to; empty without a session.
  [[nodiscard]] const std::string& media_target() const { return media_target_; }
  [[nodiscard]] std::uint64_t sessions() const { return sessions_; }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  /// Conference requests nobody answered, after which the human pressed reload.
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }
  /// Errors a real user would have seen as "connection failed".
  [[nodiscard]] std::uint64_t fatal_answers() const { return fatal_answers_; }
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  void deliver(const xml::Element& stanza) override;
  void disconnected() override;

 private:
  void open_page();
  void request();
  void reload(std::string_view why);
  void retry_later();
  void give_up_request();
  void give_up_jingle();
  void complain_unless_lost(const std::string& what, Instant since);
  void send(const proto::Request& request, const Jid& to);
  void reply(const xml::Element& iq, std::optional<proto::StanzaError> error = {});
  void on_conference_answer(const xml::Element& iq);
  void on_presence(const xml::Element& stanza);
  void on_request(const xml::Element& iq);
  void on_jingle(const xml::Element& iq, const proto::Jingle& jingle);
  void on_initiate(const xml::Element& iq, const proto::Jingle& jingle);
  void learn_sources(const proto::Jingle& jingle);
  void accept();
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
  std::string request_id_, accept_id_, restart_id_, share_id_;
  Instant request_sent_{}, jingle_sent_{};
  std::uint64_t next_id_ = 0;
  std::uint32_t refusals_ = 0;
  std::string sid_;
  std::string bridge_session_;
  std::string media_target_;
  std::set<std::string> known_senders_;
  bool sharing_ = false;
  std::uint64_t sessions_ = 0, reloads_ = 0, fatal_answers_ = 0, unanswered_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
