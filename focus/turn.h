#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <tl/expected.hpp>

#include "base/ids.h"
#include "base/jid.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/action.h"
#include "focus/counters.h"
#include "focus/deadlines.h"
#include "focus/iq_ledger.h"
#include "focus/options.h"
#include "focus/placement.h"
#include "xmpp/proto/request.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// The answer to an IQ of ours, see in::IqAnswer.
using IqOutcome = tl::expected<proto::Answer, std::variant<proto::StanzaError, Error>>;
/// What we answer to an IQ of somebody else.
using IqReply = tl::expected<proto::Answer, proto::StanzaError>;

/// What the parts of a Focus have in common. Each part owns its own facts; here is what is one of a
/// kind: the queue, the clockwork, the numbers.
struct Shared {
  Shared(Options focus_options, std::uint64_t seed);

  [[nodiscard]] bool is_up(StreamId stream) const {
    return stream_up[static_cast<std::size_t>(stream)];
  }

  Options options;
  Counters counters;
  Prng prng;
  Deadlines deadlines;
  IqLedger iqs;
  Placement placement;
  std::array<bool, kStreamCount> stream_up{};  ///< Kept by Links.
  Jid client_jid;        ///< Full address the client link is bound to; empty before the first time.
  Jid service_jid;       ///< The same of the service link.
  bool closing = false;  ///< No new conferences; `shutting_down` follows.
  bool shutting_down = false;     ///< Everything ends now.
  std::uint64_t last_number = 0;  ///< Of conferences and participants.
};

/// One call into the Focus: the moment, what is shared, and the actions so far. Passed down, never
/// kept.
class Turn {
 public:
  using Field = std::pair<std::string_view, Note::Value>;

  Turn(Shared& parts, Now moment, Actions& actions) : shared(parts), now(moment), out_(actions) {}

  Shared& shared;
  const Now now;

  [[nodiscard]] const Options& options() const { return shared.options; }
  [[nodiscard]] Counters& counters() const { return shared.counters; }

  /// Sends `payload` on `note.stream`; the answer comes back with `note`.
  void send_iq(IqNote note, Jid to, proto::Request payload);
  void send_iq(IqNote note, Jid to, proto::Request payload, Duration timeout);
  void send_presence(StreamId stream, proto::MucPresence presence);
  void persist(Operation operation);
  void act(Action action) { out_.push_back(std::move(action)); }

  void debug(std::string_view event, std::initializer_list<Field> fields);
  void info(std::string_view event, std::initializer_list<Field> fields);
  void warn(std::string_view event, std::initializer_list<Field> fields);
  void error(std::string_view event, std::initializer_list<Field> fields);

  void set_timer(const TimerKey& key, Duration delay) {
    shared.deadlines.set(key, now.mono + delay);
  }
  void clear_timer(const TimerKey& key) { shared.deadlines.clear(key); }

  /// Uniform in [0, limit).
  Duration jitter(Duration limit);

 private:
  void log(NoteLevel level, std::string_view event, std::initializer_list<Field> fields);

  Actions& out_;
};

/// Nobody answered: our own timeout, or the link went down.
[[nodiscard]] bool is_unanswered(const std::variant<proto::StanzaError, Error>& error);
/// The link was or went down before an answer came.
[[nodiscard]] bool is_link_down(const std::variant<proto::StanzaError, Error>& error);

}  // namespace bascule::focus
