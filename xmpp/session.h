#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "base/time.h"
#include "xmpp/proto/request.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::xmpp {

struct SessionOptions {
  /// Random for every process start. It is part of every stanza id, so that an answer to a request
  /// of an earlier process, or an id invented by a peer, matches nothing.
  std::uint64_t id_token = 0;
  std::size_t outstanding_max = 50'000;  ///< Requests waiting for their answer; at least 1.
};

/// What a session has seen; every stanza given to `receive` is counted exactly once.
struct SessionCounters {
  std::uint64_t sent = 0;
  std::uint64_t results = 0;        ///< Answers of type result that could be decoded.
  std::uint64_t stanza_errors = 0;  ///< Answers of type error.
  std::uint64_t malformed = 0;      ///< Answers from the right sender that make no sense.
  std::uint64_t timeouts = 0;
  std::uint64_t unavailable = 0;        ///< Answered by us because the stream was or went down.
  std::uint64_t refused = 0;            ///< Not sent: too many outstanding.
  std::uint64_t late_or_duplicate = 0;  ///< An answer to an id of ours that is no longer waiting.
  std::uint64_t unknown_id = 0;         ///< An answer to an id that is not ours.
  std::uint64_t wrong_sender = 0;       ///< An answer from somebody we did not ask.
};

/// Why there is no result: the peer said so, or we did.
using IqFailure = std::variant<proto::StanzaError, Error>;
using IqOutcome = tl::expected<proto::Answer, IqFailure>;

/// The one answer to a request.
struct Completed {
  RequestId request;
  IqOutcome outcome;
};

/// The IQs we send on one stream (RFC 6120 8.2.3): ids, pairing, deadlines, sender check. Sans-I/O:
/// the caller transmits what `send` returns and feeds what arrives.
///
/// Guarantee: every request handed to `send` is completed exactly once: by `send` itself when it
/// cannot be sent, by `receive`, by `fire_timers` or by `stream_down`. Late, duplicate, forged and
/// invented answers complete nothing and are counted.
class Session {
 public:
  explicit Session(SessionOptions options);

  /// The stream is up as `bound_jid` (a component: its domain). `send_from` is put into `from` of
  /// every request; empty on c2s streams, where the server stamps it (RFC 6120 8.1.2.1). Requests
  /// that survived an interruption (XEP-0198 resumption) stay outstanding.
  void stream_up(const Jid& bound_jid, const Jid& send_from = {});

  /// The stream broke but can still be resumed: what is outstanding waits on, nothing can be sent.
  void stream_interrupted() { up_ = false; }

  /// The stream is lost: appends one kUnavailable for each outstanding request, in RequestId order.
  void stream_down(std::vector<Completed>& out);

  /// The stanza to transmit, or the answer when it cannot be sent: kUnavailable while the stream is
  /// not up, kRefused when `outstanding_max` requests are waiting. `request` must not be
  /// outstanding and `timeout` must be positive. An empty `to` addresses the own account (c2s).
  /// Cost: O(log outstanding).
  tl::expected<xml::Element, Completed> send(RequestId request, const Jid& to,
                                             const proto::Request& payload, Duration timeout,
                                             Now now);

  /// Whether `stanza` is an IQ of type result or error, that is, something for `receive`.
  [[nodiscard]] static bool is_answer(const xml::Element& stanza);

  /// Pairs an answer. nullopt when it completes nothing (counted). A result that cannot be decoded
  /// completes its request with kMalformed, and so does an error without `<error/>`.
  std::optional<Completed> receive(const xml::Element& iq);

  /// Completes with kTimeout, in order of their deadlines, all requests due at `now`.
  void fire_timers(Now now, std::vector<Completed>& out);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] std::size_t outstanding() const { return waiting_.size(); }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    Jid to;
    Instant deadline;
    std::size_t request_index;  // Of proto::Request: says how to decode the result.
  };
  using WaitingTable = std::map<std::uint64_t, Waiting>;

  [[nodiscard]] bool is_from_whom_we_asked(const Waiting& waiting, std::string_view from) const;
  IqOutcome decode(const xml::Element& iq, std::size_t request_index);
  void forget(WaitingTable::iterator entry);

  std::size_t outstanding_max_;
  std::string id_prefix_;
  bool up_ = false;
  Jid bound_jid_;
  Jid send_from_;
  WaitingTable waiting_;
  std::set<std::pair<Instant, std::uint64_t>> deadlines_;  // The same requests, by deadline.
  SessionCounters counters_;
};

}  // namespace bascule::xmpp
