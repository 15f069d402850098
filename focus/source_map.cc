#include "focus/source_map.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"

namespace bascule::focus {
namespace {

using proto::EndpointSources;
using proto::GroupSemantics;
using proto::Source;
using proto::SourceGroup;
using SourceList = std::vector<Source>;
using GroupList = std::vector<SourceGroup>;
using SourceIndex = std::map<Ssrc, const Source*>;

tl::unexpected<SourceError> broke(SourceRule rule, std::string text) {
  return tl::make_unexpected(SourceError{rule, std::move(text)});
}

std::string to_text(const SourceGroup& group) {
  std::string text = "[";
  for (const Ssrc ssrc : group.ssrcs) {
    text += text.size() > 1 ? ", " : "";
    text += std::to_string(ssrc.value());
  }
  return text + "]";
}

tl::unexpected<SourceError> broke_msid(const std::string& msid) {
  return broke(SourceRule::kMsidConflict, "MSID is already used: " + msid + ".");
}

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

template <class T>
void append(std::vector<T>& list, const std::vector<T>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

std::size_t source_count(const EndpointSources& set) {
  return set.audio.size() + set.video.size();
}

std::size_t group_count(const EndpointSources& set) {
  return set.audio_groups.size() + set.video_groups.size();
}

SourceIndex index_of(const EndpointSources& set) {
  SourceIndex index;
  for (const SourceList* list : {&set.audio, &set.video}) {
    for (const Source& source : *list) {
      index.emplace(source.ssrc, &source);
    }
  }
  return index;
}

/// Every group: complete, of sources that exist and that share one msid.
std::optional<SourceError> check_group(const SourceGroup& group, const SourceIndex& index) {
  if (group.semantics == GroupSemantics::kFid && group.ssrcs.size() != 2) {
    return SourceError{SourceRule::kInvalidFidGroup, "Invalid FID group: " + to_text(group) + "."};
  }
  const std::string* msid = nullptr;
  for (const Ssrc ssrc : group.ssrcs) {
    const Source& source = *index.at(ssrc);
    if (!source.msid) {
      return SourceError{SourceRule::kMsidMissing,
                         "Required source parameter 'msid' is not present."};
    }
    if (msid != nullptr && *msid != *source.msid) {
      return SourceError{
          SourceRule::kGroupMsidMismatch,
          "SsrcGroup contains sources with different MSIDs: " + to_text(group) + "."};
    }
    msid = &*source.msid;
  }
  return std::nullopt;
}

/// Which sources belong together: the layers of a simulcast group with their retransmissions, else
/// a source with its retransmission, else a source alone. Named by the first SSRC of the group.
class ExtendedGroups {
 public:
  explicit ExtendedGroups(const EndpointSources& set) {
    for (const GroupList* list : {&set.audio_groups, &set.video_groups}) {
      for (const SourceGroup& group : *list) {
        auto& heads = group.semantics == GroupSemantics::kSim ? sim_ : fid_;
        for (const Ssrc ssrc : group.ssrcs) {
          heads.emplace(ssrc, group.ssrcs.front());
        }
      }
    }
  }

  /// The flag tells a simulcast group from another that begins with the same SSRC.
  [[nodiscard]] std::pair<bool, Ssrc> group_of(Ssrc ssrc) const {
    if (const auto sim = sim_.find(ssrc); sim != sim_.end()) {
      return {true, sim->second};
    }
    const auto fid = fid_.find(ssrc);
    if (fid == fid_.end()) {
      return {false, ssrc};
    }
    const auto sim = sim_.find(fid->second);
    return sim == sim_.end() ? std::pair{false, fid->second} : std::pair{true, sim->second};
  }

 private:
  std::map<Ssrc, Ssrc> sim_;
  std::map<Ssrc, Ssrc> fid_;
};

/// Sources that do not belong together must not share an msid; audio and video may.
std::optional<SourceError> check_msids(const SourceList& sources, const ExtendedGroups& groups) {
  std::map<std::string, std::pair<bool, Ssrc>> group_by_msid;
  for (const Source& source : sources) {
    if (!source.msid) {
      continue;
    }
    const auto group = groups.group_of(source.ssrc);
    const auto [known, is_new] = group_by_msid.emplace(*source.msid, group);
    if (!is_new && known->second != group) {
      return broke_msid(*source.msid).value();
    }
  }
  return std::nullopt;
}

std::optional<SourceError> check_consistency(const EndpointSources& set) {
  const SourceIndex index = index_of(set);
  for (const GroupList* list : {&set.audio_groups, &set.video_groups}) {
    for (const SourceGroup& group : *list) {
      if (auto error = check_group(group, index)) {
        return error;
      }
    }
  }
  const ExtendedGroups groups(set);
  if (auto error = check_msids(set.audio, groups)) {
    return error;
  }
  return check_msids(set.video, groups);
}

/// Without duplicates and without the fields that are not the client's to set.
SourceList normalized(const SourceList& sources) {
  SourceList result;
  for (Source source : sources) {
    source.owner.reset();
    source.rid.reset();
    if (!contains(result, source)) {
      result.push_back(std::move(source));
    }
  }
  return result;
}

SourceList new_sources(const SourceList& requested, const SourceList& existing) {
  SourceList result = normalized(requested);
  std::erase_if(result, [&existing](const Source& source) { return contains(existing, source); });
  return result;
}

/// The groups that are new: not empty, not there, not repeated.
GroupList new_groups(const GroupList& requested, const GroupList& existing) {
  GroupList result;
  for (const SourceGroup& group : requested) {
    if (!group.ssrcs.empty() && !contains(existing, group) && !contains(result, group)) {
      result.push_back(group);
    }
  }
  return result;
}

std::optional<SourceError> check_groups_known(const GroupList& groups, const SourceIndex& index) {
  for (const SourceGroup& group : groups) {
    if (group.semantics == GroupSemantics::kFecFr) {
      return SourceError{SourceRule::kUnsupportedSemantics,
                         "Unsupported ssrc-group semantics: FEC-FR."};
    }
    for (const Ssrc ssrc : group.ssrcs) {
      if (!index.contains(ssrc)) {
        return SourceError{SourceRule::kGroupContainsUnknownSsrc,
                           "An SSRC group contains an SSRC, which hasn't been signaled as a "
                           "source: " +
                               to_text(group) + "."};
      }
    }
  }
  return std::nullopt;
}

void move_matching(SourceList& from, const std::set<Ssrc>& ssrcs, SourceList& to) {
  const auto keep = std::stable_partition(
      from.begin(), from.end(), [&](const Source& source) { return !ssrcs.contains(source.ssrc); });
  to.assign(keep, from.end());
  from.erase(keep, from.end());
}

void move_matching(GroupList& from, const std::set<Ssrc>& ssrcs, const GroupList& listed,
                   GroupList& to) {
  const auto keep = std::stable_partition(from.begin(), from.end(), [&](const SourceGroup& group) {
    return !contains(listed, group) &&
           std::none_of(group.ssrcs.begin(), group.ssrcs.end(),
                        [&](Ssrc ssrc) { return ssrcs.contains(ssrc); });
  });
  to.assign(keep, from.end());
  from.erase(keep, from.end());
}

}  // namespace

std::string_view to_string(SourceRule rule) {
  switch (rule) {
    case SourceRule::kInvalidSsrc:
      return "invalid-ssrc";
    case SourceRule::kSsrcAlreadyUsed:
      return "ssrc-already-used";
    case SourceRule::kMsidConflict:
      return "msid-conflict";
    case SourceRule::kSsrcLimitExceeded:
      return "ssrc-limit-exceeded";
    case SourceRule::kGroupLimitExceeded:
      return "group-limit-exceeded";
    case SourceRule::kGroupContainsUnknownSsrc:
      return "group-contains-unknown-ssrc";
    case SourceRule::kInvalidFidGroup:
      return "invalid-fid-group";
    case SourceRule::kMsidMissing:
      return "msid-missing";
    case SourceRule::kGroupMsidMismatch:
      return "group-msid-mismatch";
    case SourceRule::kUnsupportedSemantics:
      return "unsupported-semantics";
    case SourceRule::kSourceDoesNotExist:
      return "source-does-not-exist";
    case SourceRule::kGroupDoesNotExist:
      return "group-does-not-exist";
  }
  return "unknown";
}

proto::StanzaError to_stanza_error(const SourceError& error) {
  return proto::make_error(proto::Condition::kBadRequest, error.text);
}

const EndpointSources& SourceSnapshot::sources() const {
  static const EndpointSources kNone;
  return set ? *set : kNone;
}

ConferenceSourceMap::Outcome<EndpointSources> ConferenceSourceMap::add(
    const EndpointId& owner, const EndpointSources& sources) {
  const SourceSnapshot before = snapshot(owner);
  const EndpointSources& existing = before.sources();
  EndpointSources added{.audio = new_sources(sources.audio, existing.audio),
                        .video = new_sources(sources.video, existing.video)};
  if (auto error = check_new_sources(owner, existing, added)) {
    return tl::make_unexpected(std::move(*error));
  }
  added.audio_groups = new_groups(sources.audio_groups, existing.audio_groups);
  added.video_groups = new_groups(sources.video_groups, existing.video_groups);

  EndpointSources after = existing;
  append(after.audio, added.audio);
  append(after.video, added.video);
  append(after.audio_groups, added.audio_groups);
  append(after.video_groups, added.video_groups);
  const SourceIndex index = index_of(after);
  for (const GroupList* groups : {&added.audio_groups, &added.video_groups}) {
    if (auto error = check_groups_known(*groups, index)) {
      return tl::make_unexpected(std::move(*error));
    }
  }
  if (group_count(after) > limits_.groups_per_endpoint) {
    return broke(
        SourceRule::kGroupLimitExceeded,
        "ssrc-group limit (" + std::to_string(limits_.groups_per_endpoint) + ") exceeded.");
  }
  if (auto error = check_consistency(after)) {
    return tl::make_unexpected(std::move(*error));
  }
  if (!added.empty()) {
    store(owner, std::move(after));
  }
  return added;
}

std::optional<SourceError> ConferenceSourceMap::check_new_sources(
    const EndpointId& owner, const EndpointSources& existing, const EndpointSources& added) const {
  std::set<Ssrc> seen;
  std::size_t count = source_count(existing);
  for (const SourceList* list : {&added.audio, &added.video}) {
    for (const Source& source : *list) {
      const std::string number = std::to_string(source.ssrc.value());
      if (source.ssrc.value() == 0) {
        return SourceError{SourceRule::kInvalidSsrc, "Invalid SSRC: " + number + "."};
      }
      if (owner_by_ssrc_.contains(source.ssrc) || !seen.insert(source.ssrc).second) {
        return SourceError{SourceRule::kSsrcAlreadyUsed, "SSRC is already used: " + number + "."};
      }
      if (source.msid) {
        const auto msid_owner = owner_by_msid_.find(*source.msid);
        if (msid_owner != owner_by_msid_.end() && msid_owner->second != owner) {
          return broke_msid(*source.msid).value();
        }
      }
      if (++count > limits_.sources_per_endpoint) {
        return SourceError{
            SourceRule::kSsrcLimitExceeded,
            "SSRC limit (" + std::to_string(limits_.sources_per_endpoint) + ") exceeded."};
      }
    }
  }
  return std::nullopt;
}

bool ConferenceSourceMap::has_all(const EndpointId& owner, const EndpointSources& sources) const {
  const SourceSnapshot known = snapshot(owner);
  const EndpointSources& existing = known.sources();
  return new_sources(sources.audio, existing.audio).empty() &&
         new_sources(sources.video, existing.video).empty() &&
         new_groups(sources.audio_groups, existing.audio_groups).empty() &&
         new_groups(sources.video_groups, existing.video_groups).empty();
}

ConferenceSourceMap::Outcome<EndpointSources> ConferenceSourceMap::remove(
    const EndpointId& owner, const EndpointSources& sources) {
  if (sources.empty()) {
    return EndpointSources{};
  }
  const auto known = owners_.find(owner);
  if (known == owners_.end()) {
    return broke(SourceRule::kSourceDoesNotExist,
                 "Source does not exist or is not owned by endpoint null.");
  }
  EndpointSources after = known->second.sources();
  const SourceIndex index = index_of(after);
  std::set<Ssrc> ssrcs;
  for (const SourceList* list : {&sources.audio, &sources.video}) {
    for (const Source& source : *list) {
      if (!index.contains(source.ssrc)) {
        return broke(SourceRule::kSourceDoesNotExist,
                     "Source does not exist or is not owned by endpoint (ssrc=" +
                         std::to_string(source.ssrc.value()) + ").");
      }
      ssrcs.insert(source.ssrc);
    }
  }
  const auto exists_in = [](const GroupList& groups) {
    return [&groups](const SourceGroup& group) { return contains(groups, group); };
  };
  if (!std::all_of(sources.audio_groups.begin(), sources.audio_groups.end(),
                   exists_in(after.audio_groups)) ||
      !std::all_of(sources.video_groups.begin(), sources.video_groups.end(),
                   exists_in(after.video_groups))) {
    return broke(SourceRule::kGroupDoesNotExist, "Source group does not exist");
  }

  EndpointSources removed;
  move_matching(after.audio, ssrcs, removed.audio);
  move_matching(after.video, ssrcs, removed.video);
  move_matching(after.audio_groups, ssrcs, sources.audio_groups, removed.audio_groups);
  move_matching(after.video_groups, ssrcs, sources.video_groups, removed.video_groups);
  if (auto error = check_consistency(after)) {
    return tl::make_unexpected(std::move(*error));
  }
  store(owner, std::move(after));
  return removed;
}

EndpointSources ConferenceSourceMap::remove_owner(const EndpointId& owner) {
  EndpointSources removed = snapshot(owner).sources();
  store(owner, {});
  return removed;
}

SourceSnapshot ConferenceSourceMap::snapshot(const EndpointId& owner) const {
  const auto known = owners_.find(owner);
  return known == owners_.end() ? SourceSnapshot{} : known->second;
}

SourceSnapshot ConferenceSourceMap::snapshot_of(EndpointSources sources) {
  if (sources.empty()) {
    return {};
  }
  return {++last_version_, std::make_shared<const EndpointSources>(std::move(sources))};
}

std::optional<EndpointId> ConferenceSourceMap::owner_of(Ssrc ssrc) const {
  const auto known = owner_by_ssrc_.find(ssrc);
  if (known == owner_by_ssrc_.end()) {
    return std::nullopt;
  }
  return known->second;
}

void ConferenceSourceMap::store(const EndpointId& owner, EndpointSources sources) {
  const SourceSnapshot before = snapshot(owner);
  for (const SourceList* list : {&before.sources().audio, &before.sources().video}) {
    for (const Source& source : *list) {
      owner_by_ssrc_.erase(source.ssrc);
      if (source.msid) {
        owner_by_msid_.erase(*source.msid);
      }
    }
  }
  for (const SourceList* list : {&sources.audio, &sources.video}) {
    for (const Source& source : *list) {
      owner_by_ssrc_.emplace(source.ssrc, owner);
      if (source.msid) {
        owner_by_msid_.emplace(*source.msid, owner);
      }
    }
  }
  if (sources.empty()) {
    owners_.erase(owner);
    return;
  }
  owners_[owner] = {.version = ++last_version_,
                    .set = std::make_shared<const EndpointSources>(std::move(sources))};
}

void ConferenceSourceMap::check_invariants() const {
  std::size_t ssrcs = 0;
  std::set<std::string> msids;
  for (const auto& [owner, snapshot] : owners_) {
    BASCULE_CHECK(!snapshot.sources().empty());
    BASCULE_CHECK(snapshot.version >= 1 && snapshot.version <= last_version_);
    BASCULE_CHECK(!check_consistency(snapshot.sources()));
    for (const SourceList* list : {&snapshot.sources().audio, &snapshot.sources().video}) {
      for (const Source& source : *list) {
        ++ssrcs;
        BASCULE_CHECK(owner_of(source.ssrc) == owner);
        if (source.msid) {
          msids.insert(*source.msid);
          BASCULE_CHECK(owner_by_msid_.at(*source.msid) == owner);
        }
      }
    }
  }
  BASCULE_CHECK(ssrcs == owner_by_ssrc_.size());
  BASCULE_CHECK(msids.size() == owner_by_msid_.size());
}

}  // namespace bascule::focus
