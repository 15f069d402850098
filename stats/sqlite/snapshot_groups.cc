#include "stats/sqlite/snapshot_groups.h"

#include <utility>

namespace bascule::stats::sqlite {

namespace {

namespace op = focus::op;

struct GroupOf {
  using Group = std::variant<std::monostate, RoomJid, StreamId>;
  Group operator()(const op::ConferenceCreate& o) const { return o.room; }
  Group operator()(const op::ModerationSet& o) const { return o.room; }
  Group operator()(const op::BridgeSessionAdd& o) const { return o.room; }
  Group operator()(const op::ParticipantAdd& o) const { return o.room; }
  Group operator()(const op::JingleSet& o) const { return o.room; }
  Group operator()(const op::EndpointSet& o) const { return o.room; }
  Group operator()(const op::SourcesAdd& o) const { return o.room; }
  Group operator()(const op::LinkSet& o) const { return o.stream; }
  Group operator()(const op::InboundHandled& o) const { return o.stream; }
  Group operator()(const op::OutboundAck& o) const { return o.stream; }
  Group operator()(const op::OutboundPush& o) const { return o.stream; }
  template <class Other>
  Group operator()(const Other&) const {
    return {};
  }
};

}  // namespace

bool SnapshotGroups::begins_group(const focus::Operation& operation) {
  return std::holds_alternative<op::ConferenceCreate>(operation) ||
         std::holds_alternative<op::LinkSet>(operation);
}

void SnapshotGroups::add(std::uint64_t ordinal, focus::Operation operation) {
  const Group group = std::visit(GroupOf{}, operation);
  const bool follows = ordinal == last_ordinal_ + 1;
  last_ordinal_ = ordinal;
  if (follows && !rows_.empty() && group == group_ && !begins_group(operation)) {
    rows_.push_back(std::move(operation));
    return;
  }
  close(/*is_whole=*/follows);
  if (std::holds_alternative<std::monostate>(group)) {
    tables_.apply(operation);
    ++applied_;
  } else if (begins_group(operation)) {
    group_ = group;
    rows_.push_back(std::move(operation));
  } else {
    ++left_out_;  // What it is a part of is gone.
  }
}

void SnapshotGroups::finish(std::optional<std::uint64_t> rows) {
  close(/*is_whole=*/rows && *rows == last_ordinal_);
}

void SnapshotGroups::close(bool is_whole) {
  (is_whole ? applied_ : left_out_) += rows_.size();
  if (is_whole) {
    for (const focus::Operation& row : rows_) {
      tables_.apply(row);
    }
  }
  rows_.clear();
}

}  // namespace bascule::stats::sqlite
