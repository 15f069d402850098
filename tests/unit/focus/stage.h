#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "focus/focus.h"
#include "focus/tables.h"
#include "stage_node.h"

namespace bascule::focus {

/// Plays everybody but the focus: an XMPP server with rooms, bridges and clients, as values and
/// without time of their own. It keeps the contract of action.h and checks the focus's side of it:
/// every request is answered once, operations apply to the tables, nothing is sent into a room the
/// focus is not in.
class Stage {
 public:
  /// kHolds: keeps requests until `release`.
  enum class BridgeMood { kAnswers, kSilent, kSaysNo, kHolds };
  /// kIgnores: acknowledges the offer only. kHolds: not even that; see `answer_offer`.
  enum class ClientMood { kAccepts, kIgnores, kRefuses, kHolds };

  struct Client {
    std::string real_jid;
    ClientMood mood = ClientMood::kAccepts;
    std::optional<std::vector<std::string>> features;  // Of disco#info; unset: a few.
    proto::Role role = proto::Role::kParticipant;
    bool refuses_sources = false;   // Answers source-add and source-remove with an error.
    std::vector<std::string> sids;  // Of the offers received, in order.
    std::string sid;                // Open session, empty: none.
    std::size_t terminated = 0;
    std::size_t source_adds = 0;
    std::optional<std::string> bridge_session;
    std::optional<proto::StartMuted> start_muted;  // Of the last offer.
  };
  struct Relay {
    bool has_transport = false;                    // Of the other side.
    std::map<std::string, std::size_t> endpoints;  // Remote ones, with the number of sources.
  };
  struct Bridge {
    BridgeMood mood = BridgeMood::kAnswers;
    bool in_brewery = false;
    bool drain = false;                                     // Says so in its presence.
    std::string region;                                     // Of its presence; empty: none.
    std::optional<proto::IceUdpTransport> transport;        // Of endpoints; unset: a minimal one.
    std::optional<proto::IceUdpTransport> restarted;        // Answer to an ICE restart.
    std::optional<std::uint16_t> sctp_port = 5000;          // When SCTP is asked for.
    proto::Sources feedback;                                // Its own sources.
    std::deque<out::SendIq> held;                           // In mood kHolds.
    std::map<std::string, std::set<std::string>> meetings;  // Meeting id to endpoint ids.
    std::map<std::string, std::map<std::string, Relay>> relays;  // Meeting id, relay id.
    std::set<std::string> ghosts;  // Endpoints of earlier requests that nobody knows of.
    bool relays_work = true;
    std::size_t expires = 0;
    std::size_t expires_in_vain = 0;  // Of conferences that were not there.
  };
  struct Room {
    bool focus_in = false;
    std::map<std::string, Client> clients;
  };

  /// What the focus sent to others, in order.
  struct Sent {
    Instant at;
    std::variant<out::SendIq, out::AnswerIq> what;
  };

  explicit Stage(Restored restored = {}, std::uint64_t seed = 1, Options options = make_options());
  static Options make_options();
  static proto::ConferenceRequest request_for(const std::string& room);

  // Deeds. Each runs until nothing is left to do at this moment.
  void up(StreamId stream, bool resumed = false, std::optional<Jid> beside = std::nullopt);
  void down(StreamId stream);
  void start_all();
  void add_bridge(const std::string& nick, const std::string& stress = "0.1");
  void report(const std::string& nick, const std::string& stress);
  void remove_bridge(const std::string& nick);
  /// The id under which the answer will be found in `answers`.
  std::string ask(const std::string& room, const std::string& client = "alice");
  void join(const std::string& room, const std::string& nick);
  /// They ask for the room, come, and have media as far as nothing keeps them from it.
  void meet(const std::string& room, const std::vector<std::string>& nicks);
  void leave(const std::string& room, const std::string& nick);
  /// A Jingle IQ of a client; returns the id of the answer.
  std::string jingle(const std::string& room, const std::string& nick, proto::Jingle jingle);
  std::string iq(StreamId stream, const std::string& from, proto::Request payload);
  /// A presence of somebody in the room; `change` says what is in it.
  void present(const std::string& room, const std::string& nick,
               const std::function<void(proto::MucPresence&)>& change);
  /// Somebody publishes an item to the pubsub node.
  void publish(const std::string& id, proto::PubsubPayload payload);
  /// `<json-message/>` of a component, or of whoever `from` is.
  void say(const std::string& from, std::optional<std::string> room, const std::string& json);
  /// The answer of a client of mood kHolds to its last offer.
  void answer_offer(const std::string& room, const std::string& nick,
                    tl::expected<proto::Answer, proto::StanzaError> outcome);
  /// Lets a bridge of mood kHolds answer what it has, and from now on.
  void release(const std::string& nick);
  /// Says item-not-found to every disco#info of a room that is not answered yet.
  void answer_probes();
  /// Answers what the focus asked its own account.
  void answer_account();
  void give(const Input& input);
  void advance(Duration duration);
  /// A process crash: a new focus is built from what was persisted, after `pause`. Links are down.
  void crash_and_restore(Duration pause = {});

  // Views.
  [[nodiscard]] bool answered_ready(const std::string& id) const;
  [[nodiscard]] bool answered_later(const std::string& id) const;
  [[nodiscard]] std::optional<proto::Condition> refused_with(const std::string& id) const;
  [[nodiscard]] std::optional<ParticipantView> participant(const std::string& room,
                                                           const std::string& nick) const;
  [[nodiscard]] ParticipantState state_of(const std::string& room, const std::string& nick) const;
  [[nodiscard]] std::optional<std::string> bridge_of(const std::string& room,
                                                     const std::string& nick) const;
  /// The endpoints on `far` as `near` knows them, with the number of their sources; nullopt: there
  /// is no relay, or it has no transport of the other side.
  [[nodiscard]] std::optional<std::map<std::string, std::size_t>> remote(
      const std::string& near, const std::string& far, const std::string& meeting) const;
  [[nodiscard]] std::size_t logged(std::string_view event) const;
  Client& client(const std::string& room, const std::string& nick);
  Room& room(const std::string& name) { return rooms_[name]; }

  Focus focus;
  Now now;
  StageNode node;  ///< With `Options::pubsub_service`.
  Tables tables;
  std::map<std::string, Bridge> bridges;
  std::map<std::string, tl::expected<proto::Answer, proto::StanzaError>> answers;
  std::vector<Sent> sent;                                  // Every IQ and every answer.
  std::vector<proto::ConferenceModify> colibri;            // Every request to a bridge.
  std::vector<std::pair<std::string, proto::Mute>> mutes;  // Sent, with the nick of the target.
  proto::DiscoInfo main_host;                              // What it says of itself.
  std::vector<proto::MucPresence> room_presences;          // Every presence sent to a room.
  std::map<std::string, std::size_t> log;                  // Events by name.
  std::map<std::string, std::string> last_action;          // Field "action" of the last of each.
  std::map<StreamId, std::size_t> opened;
  std::vector<Jid> evicted;          // Sessions of earlier processes, ended by the focus.
  std::size_t broadcasts = 0;        // Presences to nobody in particular.
  bool silent_account = false;       // What the focus asks its own account is not answered.
  bool refuse_rooms = false;         // Joins are answered not-allowed.
  bool silent_pings = false;         // Pings of the focus's own place are not answered.
  bool silent_rooms = false;         // Joins are not answered.
  bool hold_forms = false;           // The room form is not answered (and times out).
  bool features_known = true;        // disco#info of clients is answered.
  bool features_refused = false;     // disco#info of clients is answered with an error.
  bool silent_probes = false;        // disco#info of rooms is not answered until `answer_probes`.
  bool unexpected_meetings = false;  // Bridges may be asked for meetings they do not have.
  bool expel_focus = false;          // The brewery answers IQs with not-acceptable.
  std::optional<proto::Caps> caps;   // In the presence of clients.
  std::size_t store_writes = 0;
  /// Orders by their number, with what came of them.
  std::map<OrderId, Result<OrderDone>> order_answers;
  bool stopped = false;
  std::map<RoomJid, Instant> poisoned;  // For the next process; see crash_and_restore.

 private:
  struct Asked {
    out::SendIq iq;
    Instant deadline;
  };
  void perform(const Actions& actions);
  void run();
  void on(const out::OpenStream& action);
  void on(const out::CloseStream& action);
  void on(const out::EvictSession& action);
  void on(const out::SendIq& action);
  void on(const out::AnswerIq& action);
  void on(const out::AnswerHttp& action);
  void on(const out::AnswerOrder& action);
  void on(const out::SendPresence& action);
  void on(const out::Persist& action);
  void on(const out::StoreWrite& action);
  void on(const out::Log& action);
  void on(const out::Stopped& action);
  void enter(const std::string& name, Room& room);
  void client_presence(const std::string& name, const std::string& nick, bool available);
  void bridge_presence(const std::string& nick, const std::string& stress, bool available);
  void on_offer(const out::SendIq& action, const proto::Jingle& jingle);
  void on_disco(const out::SendIq& action);
  void on_ping(const out::SendIq& action);
  static void answer_endpoint(const Bridge& bridge, const proto::Endpoint& endpoint,
                              proto::ConferenceModified& modified);
  void on_colibri(const out::SendIq& action, const proto::ConferenceModify& message);
  std::optional<proto::StanzaError> on_relay(Bridge& bridge, const std::string& meeting,
                                             const proto::Relay& relay,
                                             proto::ConferenceModified& modified);
  void on_pubsub(const out::SendIq& action);
  void on_node(RequestId request, const proto::PubsubCreate& what);
  void on_node(RequestId request, const proto::PubsubGetConfiguration& what);
  void on_node(RequestId request, const proto::PubsubConfigure& what);
  void on_node(RequestId request, const proto::PubsubGetAffiliations& what);
  void on_node(RequestId request, const proto::PubsubSetAffiliations& what);
  void on_node(RequestId request, const proto::PubsubSubscribe& what);
  void on_node(RequestId request, const proto::PubsubUnsubscribe& what);
  void on_node(RequestId request, const proto::PubsubGetSubscriptions& what);
  void on_node(RequestId request, const proto::PubsubGetItems& what);
  void on_node(RequestId request, const proto::PubsubPublish& what);
  void on_node(RequestId request, const proto::PubsubRetract& what);
  void on_node(RequestId request, const proto::PubsubPurge& what);
  void on_node(RequestId request, const proto::PubsubDelete& what);
  void configure_node(const std::vector<proto::FormField>& fields);
  bool node_allows(RequestId request, const char* name);
  bool node_obeys(RequestId request, const char* name);
  void node_event(decltype(proto::PubsubEvent::what) what);
  void reply(RequestId request, proto::Answer answer);
  void fail(RequestId request, proto::StanzaError error);
  void fail(RequestId request, Errc code);

  Options options_;
  std::deque<Input> inputs_;
  std::map<RequestId, Asked> asked_;
  std::map<std::string, Room> rooms_;
  std::map<StreamId, bool> up_;
  std::uint64_t last_id_ = 0;
  std::size_t brewery_joined_ = 0;
};

}  // namespace bascule::focus
