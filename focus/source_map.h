#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/ids.h"
#include "xmpp/proto/source.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// The rule a request to change sources broke (Jicofo: ValidationFailedException).
enum class SourceRule : std::uint8_t {
  kInvalidSsrc,               ///< 0.
  kSsrcAlreadyUsed,           ///< By anybody in the conference, or twice in the request.
  kMsidConflict,              ///< Of another endpoint, or of unrelated sources of this one.
  kSsrcLimitExceeded,         ///< More SSRCs than one endpoint may have.
  kGroupLimitExceeded,        ///< More SSRC groups than one endpoint may have.
  kGroupContainsUnknownSsrc,  ///< A group names an SSRC that is no source of this endpoint.
  kInvalidFidGroup,           ///< Not exactly a source and its retransmission.
  kMsidMissing,               ///< A grouped source has no msid.
  kGroupMsidMismatch,         ///< The sources of a group have different msids.
  kUnsupportedSemantics,      ///< A group that is neither SIM nor FID.
  kSourceDoesNotExist,        ///< To be removed, but not there.
  kGroupDoesNotExist,
};
inline constexpr std::size_t kSourceRules = 12;

/// Short name for logs and counters, e.g. "ssrc-already-used"; views static storage.
[[nodiscard]] std::string_view to_string(SourceRule rule);

struct SourceError {
  SourceRule rule;
  std::string text;  ///< For the client's log, in the words of Jicofo.
  friend bool operator==(const SourceError&, const SourceError&) = default;
};

/// The answer to the client: `bad-request` with the text.
[[nodiscard]] proto::StanzaError to_stanza_error(const SourceError& error);

struct SourceLimits {
  std::size_t sources_per_endpoint = 20;  ///< 1 to 1000.
  std::size_t groups_per_endpoint = 20;   ///< 1 to 1000.
};

/// The sources of one owner at one moment; immutable and shared, so that many receivers can
/// remember what they were told at the price of a pointer. Version 0 with no set: no sources.
/// Versions are never used twice within one map.
struct SourceSnapshot {
  std::uint64_t version = 0;
  std::shared_ptr<const proto::EndpointSources> set;
  /// The set, or an empty one.
  [[nodiscard]] const proto::EndpointSources& sources() const;
};

/// Who sends what in one conference, and the rules that keep it unambiguous: an SSRC belongs to
/// one source, an msid to one endpoint and there to one source or simulcast group, groups are
/// complete (Jicofo: ValidatingConferenceSourceMap.kt). Bridges and clients demultiplex by SSRC, so
/// one bad set accepted here breaks media for everybody.
///
/// Every change is all or nothing. The bridge's own feedback sources are not in this map.
/// Cost of a change: O(n log n) in the sources of its owner, O(log) in the conference.
class ConferenceSourceMap {
 public:
  template <class T>
  using Outcome = tl::expected<T, SourceError>;

  explicit ConferenceSourceMap(SourceLimits limits) : limits_(limits) {}

  /// Adds to the sources of `owner`. Returns what is new and has to be announced: duplicates within
  /// the request, what the owner has exactly so, and empty groups are left out (07 §4.11: what is
  /// said twice is no conflict); the result may be empty. Fields
  /// that only the sender of a set may have (`owner`, `rid`) are cleared.
  Outcome<proto::EndpointSources> add(const EndpointId& owner,
                                      const proto::EndpointSources& sources);

  /// Whether `owner` has all of these sources and groups, exactly so.
  [[nodiscard]] bool has_all(const EndpointId& owner, const proto::EndpointSources& sources) const;

  /// Removes from the sources of `owner`. A source is named by its SSRC alone, a group by all its
  /// fields; groups that lose a source go with it. Returns what was really removed, with the stored
  /// attributes. An empty request removes nothing.
  Outcome<proto::EndpointSources> remove(const EndpointId& owner,
                                         const proto::EndpointSources& sources);

  /// Removes everything of `owner`, who left or lost its session. Returns what that was.
  proto::EndpointSources remove_owner(const EndpointId& owner);

  /// The sources of `owner` as they are now. O(log owners).
  [[nodiscard]] SourceSnapshot snapshot(const EndpointId& owner) const;
  /// A set that is not (any more) in the map, as a snapshot with a version of its own.
  [[nodiscard]] SourceSnapshot snapshot_of(proto::EndpointSources sources);
  /// Everything, by owner; owners without sources are absent.
  [[nodiscard]] const std::map<EndpointId, SourceSnapshot>& owners() const { return owners_; }
  [[nodiscard]] std::optional<EndpointId> owner_of(Ssrc ssrc) const;
  [[nodiscard]] bool empty() const { return owners_.empty(); }

  /// Ends the process when the indexes disagree with the sets (tests and simulator).
  void check_invariants() const;

 private:
  [[nodiscard]] std::optional<SourceError> check_new_sources(
      const EndpointId& owner, const proto::EndpointSources& existing,
      const proto::EndpointSources& added) const;
  void store(const EndpointId& owner, proto::EndpointSources sources);

  SourceLimits limits_;
  std::uint64_t last_version_ = 0;
  std::map<EndpointId, SourceSnapshot> owners_;
  std::map<Ssrc, EndpointId> owner_by_ssrc_;
  std::map<std::string, EndpointId> owner_by_msid_;
};

}  // namespace bascule::focus
