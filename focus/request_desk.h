#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/input.h"
#include "focus/turn.h"
#include "xmpp/proto/jitsi_conference.h"

namespace bascule::focus {

/// What is known of the room a request asks for.
enum class RoomStanding : std::uint8_t {
  kNone,      ///< No conference.
  kEntering,  ///< On the way into the room.
  kReady,
  kPoisoned,  ///< Left out for a while (Quarantine).
};

/// Answers conference requests: each exactly once, and within the hold bound whatever happens.
///
/// Overload, missing bridges, a lost link and shutdown are all "come back later" (ready=false):
/// clients treat every error as the end of the call, and then humans press Rejoin together
/// (lib-jitsi-meet: moderator.js). Clients come back after 1, 2, 4 ... 120 s without any jitter of
/// their own, so such an answer is held for a random time that grows with the attempts.
class RequestDesk {
 public:
  struct IqSender {
    StreamId stream;
    Jid from;  ///< As received: behind mod_client_proxy it is `focus.<domain>/<client>`.
    Jid to;
    std::string stanza_id;
  };
  using Requester = std::variant<IqSender, HttpId>;

  /// What the focus has to do for a request.
  enum class Verdict : std::uint8_t {
    kAnswered,  ///< Nothing: it is, or will be, answered.
    kCreate,    ///< Create the conference and enter its room; the request waits.
    kHurry,     ///< The conference exists but is not in its room: the request waits.
  };

  Verdict on_request(Requester requester, const proto::ConferenceRequest& request,
                     RoomStanding standing, std::size_t conferences, Turn& turn);

  /// All who wait for the room may come.
  void room_ready(const RoomJid& room, Turn& turn);
  /// The room could not be entered: all who wait for it shall come back later.
  void room_failed(const RoomJid& room, Turn& turn);
  /// Somebody waits for the room; the properties of the first request.
  [[nodiscard]] std::optional<std::map<std::string, std::string>> waiting_for(
      const RoomJid& room) const;
  /// Answers everybody who came by this link: the answers are lost, but nothing is left waiting.
  void link_lost(StreamId stream, Turn& turn);
  void shut_down(Turn& turn);
  /// TimerKind::kRequestAnswer and kRequestForget.
  void on_timer(const TimerKey& key, Turn& turn);

  [[nodiscard]] std::size_t waiting() const { return held_.size(); }
  void check_invariants() const;

 private:
  enum class Later : std::uint8_t { kOverload, kLimit, kLink, kJoin, kShutdown, kPoisoned };
  /// A request whose answer is outstanding.
  struct Held {
    Requester requester;
    RoomJid room;
    std::string client;
    std::map<std::string, std::string> properties;
    Instant asked{};
    bool decided = false;  ///< Only the jitter of a ready=false is left to wait for.
  };
  struct Attempts {
    std::uint32_t count = 0;
    Instant forget_at{};
  };

  [[nodiscard]] std::optional<proto::StanzaError> find_fault(
      const proto::ConferenceRequest& request, const Turn& turn) const;
  [[nodiscard]] std::optional<Later> why_later(RoomStanding standing, std::size_t conferences,
                                               const Turn& turn) const;
  void hold(Held held, Duration limit, Turn& turn);
  void answer_later(Held held, Later why, Turn& turn);
  void answer(const Held& held, bool ready, Turn& turn);
  void send(const Requester& requester,
            tl::expected<proto::ConferenceAnswer, proto::StanzaError> outcome, Turn& turn);
  Held take(std::uint64_t number, Turn& turn);
  Duration delay_of(const std::string& client, Turn& turn);
  static void count(Later why, Counters& counters);

  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Held> held_;
  std::map<RoomJid, std::set<std::uint64_t>> by_room_;  // Those not decided yet.
  std::map<std::string, Attempts> attempts_;            // By client and room.
  std::set<std::pair<Instant, std::string>> forget_;    // The same clients, by expiry.
};

}  // namespace bascule::focus
