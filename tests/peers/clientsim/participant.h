#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/peers/clientsim/conference_request.h"
#include "tests/peers/clientsim/offer.h"
#include "tests/peers/clientsim/sources.h"
#include "tests/peers/clientsim/world.h"
#include "tests/peers/common/encoding.h"
#include "tests/peers/common/xmpp_client.h"

namespace bascule::peers {

struct ParticipantOptions {
  int number = 0;
  std::string room;  ///< Bare address.
  bool json_sources = true;
  bool sends = true;  ///< Has a microphone and a camera.
};

/// One browser tab: logs in anonymously, asks the focus for the conference, joins the room, accepts
/// what it is offered, and reloads the page when a browser would. It checks what it receives.
class Participant : public XmppClient::Listener {
 public:
  enum class State : std::uint8_t { kAway, kLoggingIn, kRequesting, kJoining, kInRoom, kGone };

  Participant(World& world, ParticipantOptions options);
  ~Participant() override;
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;

  void start(Milliseconds after);
  /// Leaves the room for good.
  void leave();
  /// The runner killed this bridge just now: the time from which a move is measured. The
  /// participant itself notices by the silence.
  void bridge_died(int candidate_port);
  /// A packet came back from the bridge that has this ufrag.
  void media_arrived(std::string_view ufrag);
  /// A moderator with company.
  [[nodiscard]] bool can_mute() const;
  /// Asks the focus to mute somebody of the room. Only when `can_mute`.
  void mute_somebody();
  /// An accepted session whose bridge sends media (or one without media, `--no-media` bridges).
  [[nodiscard]] bool has_media() const;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] const ParticipantOptions& options() const { return options_; }
  [[nodiscard]] bool has_session() const { return session_.has_value(); }
  [[nodiscard]] bool is_active() const { return session_ && session_->accepted_at; }
  [[nodiscard]] int bridge_port() const { return session_ ? session_->offer.candidate_port : 0; }
  /// When the accepted session or its own sources last changed.
  [[nodiscard]] SteadyTime settled_since() const;
  /// What the participant has told the focus it sends.
  [[nodiscard]] SourceSet published() const;
  /// Every source of this page since it was loaded, also of former sessions.
  [[nodiscard]] const SourceSet& ever_published() const { return ever_published_; }
  /// Has it been told of these sources of another participant?
  [[nodiscard]] bool knows(std::string_view other, const std::vector<std::uint32_t>& sources) const;

  void on_ready(const Jid& own) override;
  void on_presence(const xml::Element& stanza) override;
  void on_iq_request(const xml::Element& stanza) override;
  void on_message(const xml::Element& stanza) override;
  void on_repeated_answer(const xml::Element& stanza) override;
  void on_closed(const std::string& reason) override;

 private:
  struct Session {
    Offer offer;
    SourceSet local;
    SourceSet screen;  ///< While shared.
    SourcesByOwner remote;
    std::optional<SteadyTime> accepted_at;
    SteadyTime changed_at;
    std::optional<SteadyTime> media_at;  ///< The last packet.
    SteadyTime ice_deadline;             ///< Without a packet until then, ICE has failed.
    bool accept_sent = false;
    bool restarting = false;
  };

  // participant.cc: page, room
  void connect();
  void request_conference();
  void on_conference(const ConferenceRequest::Outcome& outcome);
  void join();
  void on_join_error(const xml::Element& stanza);
  void on_joined();
  void on_occupant(const xml::Element& stanza, std::string_view nick, bool available);
  void on_focus(const xml::Element& stanza, bool available);
  void on_muted(const xml::Element& stanza);
  /// A request to the focus in the room; how long the answer takes is noted.
  void ask_focus(xml::Element payload, IqCallback callback);
  void reload(const std::string& why);
  void reload_after(Milliseconds overlay, const std::string& why);
  void give_up(const std::string& why);
  void leave_page();
  void wrong(const std::string& text);
  /// An event of this person; `number` stays the same over page loads.
  void note(std::string_view event, Json fields = Json::object());
  [[nodiscard]] std::string occupant() const { return options_.room + "/" + endpoint_; }

  // participant_media.cc: Jingle
  void on_jingle(const xml::Element& stanza, const xml::Element& jingle);
  void on_initiate(const xml::Element& stanza, const xml::Element& jingle);
  void note_invite(SteadyTime now);
  void accept();
  void on_accept_answer(const std::string& sid, SteadyTime sent, const IqOutcome& outcome);
  void on_sources(const xml::Element& stanza, const xml::Element& jingle, bool adding);
  void check_remote(const SourcesByOwner& sources);
  void on_terminate(const xml::Element& stanza, const xml::Element& jingle);
  void send_media();
  void extend_ice();
  void restart();
  void toggle_screen();
  void schedule_screen();
  void unknown_session(const xml::Element& stanza);

  World& world_;
  ParticipantOptions options_;
  Capabilities capabilities_;
  std::string machine_uid_;
  State state_ = State::kAway;
  std::shared_ptr<XmppClient> client_;
  ConferenceRequest request_;
  Timer page_timer_;
  Timer accept_timer_;
  Timer media_timer_;
  Timer screen_timer_;

  // This page load.
  std::string endpoint_;
  std::string focus_jid_;
  bool focus_recognised_ = false;
  bool moderator_ = false;
  int join_retries_ = 0;
  int restarts_ = 0;
  std::set<std::string, std::less<>> others_;
  std::optional<SteadyTime> joined_at_;
  std::optional<SteadyTime> company_since_;
  bool invited_once_ = false;
  std::optional<SteadyTime> lost_at_;
  std::set<std::string> seen_sids_;
  SourceSet ever_published_;
  std::optional<Session> session_;
};

}  // namespace bascule::peers
