#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/client_kind.h"
#include "xmpp/proto/jingle.h"

namespace bascule::sim {

/// What a client asked the focus by Jingle.
enum class Ask : std::uint8_t {
  kAccept,
  kRestart,
  kAddScreen,
  kRemoveScreen,
  kInvalid,
  kIceRestart,
  kTransport,
};
inline constexpr std::size_t kAskCount = 7;
using AskCounts = std::array<std::uint64_t, kAskCount>;  ///< By Ask.
[[nodiscard]] std::string_view to_string(Ask ask);

struct Asked {
  Ask ask = Ask::kAccept;
  std::string sid;
  Instant at{};
};

/// Judges what a client gets from the focus by the sessions it has: no source signaling without a
/// session it has accepted, in the form it reads; nothing for a session that is over; exactly one
/// answer to each of its own requests. For one page: a new one is a new participant.
class JingleWatch {
 public:
  explicit JingleWatch(ClientKind kind) : kind_(kind) {}

  void asked(std::string id, Asked what);
  /// The request this answers, unless it answers none that waits.
  std::optional<Asked> answered(const std::string& id);
  /// Still without an answer.
  [[nodiscard]] bool waits(const std::string& id) const { return waiting_.contains(id); }

  /// To be called before the client acts on it.
  void received(const proto::Jingle& jingle);

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  enum class Session : std::uint8_t { kOffered, kAccepted, kLeaving, kOver };

  void check_offer(const proto::Jingle& offer);
  void check_signaling(const proto::Jingle& jingle);

  ClientKind kind_;
  std::map<std::string, Session> sessions_;  // By sid.
  std::map<std::string, Asked> waiting_;     // By id.
  std::set<std::string> done_;
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
