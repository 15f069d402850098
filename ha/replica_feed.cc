#include "ha/replica_feed.h"

#include <utility>

namespace bascule::ha {
namespace {

constexpr std::size_t kSnapshotPieceBytes = std::size_t{16} << 10U;

ReplicaFeed::SharedFrame shared(std::string frame) {
  return std::make_shared<const std::string>(std::move(frame));
}

}  // namespace

ReplicaFeed::ReplicaFeed(Greeting standby, const Greeting& us, Position at,
                         const focus::Tables& tables,
                         const std::vector<stats::ReceivedReport>& reports, Instant now)
    : standby_(std::move(standby)), at_(at), snapshot_(tables.to_operations()), last_heard_(now) {
  opening_.push_back(shared(encode(FrameType::kWelcome, us)));
  opening_.push_back(shared(encode(SnapshotBegin{.at = at_, .operations = snapshot_.size()})));
  for (std::string& frame : encode_reports(reports)) {
    opening_.push_back(shared(std::move(frame)));
  }
  push(shared(encode(FrameType::kSnapshotEnd, at_)));
}

void ReplicaFeed::push(SharedFrame frame) {
  queued_bytes_ += frame->size();
  queue_.push_back(std::move(frame));
}

Result<> ReplicaFeed::confirmed(const Position& position, Instant now) {
  const std::uint64_t newest =
      unconfirmed_.empty() ? confirmed_.value_or(at_.sequence) : unconfirmed_.back().sequence;
  if (position.epoch != at_.epoch || position.sequence > newest ||
      position.sequence < confirmed_.value_or(at_.sequence)) {
    return fail(Errc::kMalformed, "the standby confirms what it was never told");
  }
  heard(now);
  confirmed_ = position.sequence;
  while (!unconfirmed_.empty() && unconfirmed_.front().sequence <= position.sequence) {
    unconfirmed_.pop_front();
  }
  return {};
}

std::optional<std::string> ReplicaFeed::next_frame() {
  if (!opening_.empty()) {
    std::string frame = *opening_.front();
    opening_.pop_front();
    return frame;
  }
  if (snapshot_next_ < snapshot_.size()) {
    std::string frame = encode_snapshot_item(snapshot_, snapshot_next_, kSnapshotPieceBytes);
    if (snapshot_next_ == snapshot_.size()) {
      snapshot_ = {};
      snapshot_next_ = 0;
    }
    return frame;
  }
  if (queue_.empty()) {
    return std::nullopt;
  }
  std::string frame = *queue_.front();
  queued_bytes_ -= frame.size();
  queue_.pop_front();
  return frame;
}

std::optional<Instant> ReplicaFeed::waits_since() const {
  return unconfirmed_.empty() ? std::nullopt : std::optional(unconfirmed_.front().since);
}

}  // namespace bascule::ha
