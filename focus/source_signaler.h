#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "focus/offer_options.h"
#include "focus/source_filter.h"
#include "focus/source_map.h"
#include "xmpp/proto/jingle.h"

namespace bascule::focus {

/// How one receiver is told of the sources of others.
struct SourceReceiver {
  SourceFilter filter;
  bool json = false;            ///< Compact JSON instead of Jingle contents.
  bool ssrc_rewriting = false;  ///< The bridge tells it; the focus sends nothing.
};

/// One IQ to be sent. All receivers that are told the same share one payload object.
struct SourceMessage {
  EndpointId receiver;
  proto::JingleAction action;  ///< kSourceAdd or kSourceRemove.
  std::shared_ptr<const proto::SharedSources> payload;
};

/// What is said at one moment, and to whom everything was said with it.
struct SourceRound {
  std::vector<SourceMessage> messages;
  /// Who had changes pending and has none any more: also those for whom they cancelled out.
  std::vector<EndpointId> settled;
};

/// The IQ's payload for the receiver's session `sid`. Nobody waits for its answer: order on the
/// stream is what keeps the client in step (Jicofo: JingleSession.kt `addSource`).
[[nodiscard]] proto::Jingle make_jingle(const SourceMessage& message, std::string sid);

/// Tells every participant which sources the others have added or removed since its offer.
///
/// For each receiver it keeps, per owner that changed, the set the receiver was told last. What is
/// sent is the difference between that and the set at the time of sending, so changes that cancel
/// out within the delay cost nothing on the wire, and a changed attribute is a remove and an add
/// (Jicofo: SourceSignaling.kt). The delay grows with the conference; it bounds how many IQs a
/// burst of joins makes: with n joins in one delay everybody gets one IQ, not n.
///
/// Cost: a change is O(receivers) small map inserts; sending computes and encodes each distinct
/// difference once, whatever the number of receivers that get it.
///
/// Guarantee: for a receiver that had an offer, what it was offered plus everything sent to it
/// since equals the filtered sources of all others at the time of the last send.
class SourceSignaler {
 public:
  explicit SourceSignaler(std::vector<SignalingDelay> delays) : delays_(std::move(delays)) {}

  /// The receiver is being offered everything that is in the source map right now: forgets what was
  /// pending. To be called in the same turn in which the offer is built. Changes are collected
  /// from now on, but sent only after `activate`.
  void offered(const EndpointId& receiver, SourceReceiver how);

  /// The receiver accepted its offer: sends what was collected meanwhile, without delay.
  SourceRound activate(const EndpointId& receiver, const ConferenceSourceMap& map);

  /// The receiver's session ended; nothing is sent until another offer. Unknown receiver: no-op.
  void session_ended(const EndpointId& receiver);

  /// `owner` had `before` until just now. Schedules the announcement for every receiver but the
  /// owner. `participants` is the size of the conference, visitors and gateways included.
  /// Returns the receivers that knew `before`; the others know something older.
  std::vector<EndpointId> changed(const EndpointId& owner, const SourceSnapshot& before,
                                  std::size_t participants, Instant now);

  /// The same for one receiver, as an earlier process left it: what it was told last is `before`.
  /// Of those the bridge tells, and those without an offer, nothing is kept.
  void restore(const EndpointId& receiver, const EndpointId& owner, const SourceSnapshot& before,
               std::size_t participants, Instant now);

  /// `owner` left the room: clients forget its sources by themselves, so nothing is announced. Also
  /// forgets the owner as a receiver.
  void left(const EndpointId& owner);

  /// What is due at `now`, of at most `receivers_max` receivers; call again while `next_deadline`
  /// is due. For each receiver its source-remove comes before its source-add.
  SourceRound take_due(const ConferenceSourceMap& map, Instant now, std::size_t receivers_max);

  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// The delay for a conference of this size.
  [[nodiscard]] Duration delay(std::size_t participants) const;

 private:
  struct Receiver {
    SourceReceiver how;
    bool active = false;
    std::optional<Instant> due;
    std::map<EndpointId, SourceSnapshot> told;  ///< Of the owners that changed since.
  };
  /// What tells one difference from another: filter, form, and per owner the two versions.
  struct DifferenceKey;
  struct Difference;
  using DifferenceCache = std::map<DifferenceKey, Difference>;

  static void flush(const EndpointId& id, Receiver& receiver, const ConferenceSourceMap& map,
                    DifferenceCache& cache, SourceRound& out);
  bool note(const EndpointId& id, Receiver& receiver, const EndpointId& owner,
            const SourceSnapshot& before, Instant due);
  void unschedule(const EndpointId& id, Receiver& receiver);

  std::vector<SignalingDelay> delays_;
  std::map<EndpointId, Receiver> receivers_;
  std::set<std::pair<Instant, EndpointId>> schedule_;
};

}  // namespace bascule::focus
