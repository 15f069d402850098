#include "ha/replica.h"

#include <iterator>
#include <utility>

namespace bascule::ha {
namespace {

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Errc::kMalformed, "the active process " + what);
}

}  // namespace

Replica::Replica(std::string node, std::string version, focus::Restored start)
    : node_(std::move(node)),
      version_(std::move(version)),
      tables_(std::move(start.tables)),
      same_boot_(start.same_boot),
      last_commit_(start.last_commit) {
  for (stats::ReceivedReport& report : start.reports) {
    const BridgeJid bridge = report.report.bridge;
    reports_.insert_or_assign(bridge, std::move(report));
  }
}

std::string Replica::hello() const {
  return encode(FrameType::kHello,
                {.node = node_, .version = version_, .position = position_.value_or(Position{})});
}

Result<> Replica::receive(const Frame& frame) {
  if (!active_ && frame.type != FrameType::kWelcome && frame.type != FrameType::kBye) {
    return wrong("did not say WELCOME first");
  }
  switch (frame.type) {
    case FrameType::kWelcome:
      return decode_greeting(frame.payload).and_then([this](Greeting greeting) -> Result<> {
        if (greeting.node == node_) {
          return wrong("has our own name, " + node_ + ": set another ha.node");
        }
        told_ = greeting.position;
        active_ = std::move(greeting);
        return {};
      });
    case FrameType::kSnapshotBegin:
      return decode_snapshot_begin(frame.payload).and_then([this](const SnapshotBegin& begin) {
        return begin_snapshot(begin);
      });
    case FrameType::kSnapshotItem:
      return decode_snapshot_item(frame.payload).and_then([this](const auto& operations) {
        return add_to_snapshot(operations);
      });
    case FrameType::kSnapshotEnd:
      return decode_position(frame.payload).and_then([this](const Position& at) {
        return end_snapshot(at);
      });
    case FrameType::kOperations:
      return decode_operations(frame.payload).and_then([this](OperationsPart part) {
        return apply(std::move(part));
      });
    case FrameType::kReports:
      return decode_reports(frame.payload).map([this](std::vector<stats::ReceivedReport> reports) {
        take_reports(std::move(reports));
      });
    case FrameType::kHeartbeat:
      return decode_heartbeat(frame.payload).map([this](const Heartbeat& heartbeat) {
        told_ = heartbeat.position;
        in_sync_ = heartbeat.in_sync;
      });
    case FrameType::kSwitchReady:
      return decode_position(frame.payload).and_then([this](const Position& at) {
        return answer_offer(at);
      });
    case FrameType::kBye:
      return decode_bye(frame.payload).map([this](std::string reason) {
        farewell_ = std::move(reason);
      });
    case FrameType::kHello:
    case FrameType::kAck:
    case FrameType::kSwitchGo:
      break;
  }
  return wrong("said what only a standby says");
}

Result<> Replica::begin_snapshot(const SnapshotBegin& begin) {
  incoming_ = Incoming{.begin = begin, .tables = {}, .reports = {}, .operations = 0};
  parts_.clear();
  return {};
}

Result<> Replica::add_to_snapshot(const std::vector<focus::Operation>& operations) {
  if (!incoming_) {
    return wrong("sent a piece of no snapshot");
  }
  for (const focus::Operation& operation : operations) {
    incoming_->tables.apply(operation);
  }
  incoming_->operations += operations.size();
  return {};
}

Result<> Replica::end_snapshot(const Position& at) {
  if (!incoming_ || incoming_->begin.at != at ||
      incoming_->begin.operations != incoming_->operations) {
    return wrong("sent a snapshot with a hole");
  }
  tables_ = std::move(incoming_->tables);
  reports_ = std::move(incoming_->reports);
  incoming_.reset();
  work_.emplace_back(ReplaceAll(tables_));
  position_ = at;
  same_boot_ = true;
  owes_confirmation_ = true;
  ++snapshots_;
  return {};
}

Result<> Replica::apply(OperationsPart part) {
  if (!position_ || incoming_ || part.sequence != position_->sequence + 1) {
    return wrong("left out operations before " + std::to_string(part.sequence));
  }
  parts_.insert(parts_.end(), std::make_move_iterator(part.operations.begin()),
                std::make_move_iterator(part.operations.end()));
  if (!part.is_last) {
    return {};
  }
  for (const focus::Operation& operation : parts_) {
    tables_.apply(operation);
  }
  work_.emplace_back(std::exchange(parts_, {}));
  position_->sequence = part.sequence;
  owes_confirmation_ = true;
  return {};
}

void Replica::take_reports(std::vector<stats::ReceivedReport> reports) {
  // Those of a snapshot are the last ones known, which are no history.
  auto& latest = incoming_ ? incoming_->reports : reports_;
  for (const stats::ReceivedReport& report : reports) {
    latest.insert_or_assign(report.report.bridge, report);
  }
  if (!incoming_) {
    work_.emplace_back(std::move(reports));
  }
}

Result<> Replica::answer_offer(const Position& at) {
  if (!position_ || incoming_ || *position_ != at) {
    return wrong("offers to hand over at a position that we do not have");
  }
  replies_.push_back(encode(FrameType::kSwitchGo, at));
  promised_ = at;
  return {};
}

void Replica::disconnected() {
  incoming_.reset();
  parts_.clear();
  active_.reset();
  in_sync_ = false;
  owes_confirmation_ = false;
  farewell_.clear();
  replies_.clear();
}

std::vector<std::string> Replica::take_replies() {
  if (std::exchange(owes_confirmation_, false)) {
    replies_.insert(replies_.begin(), encode(FrameType::kAck, *position_));
  }
  return std::exchange(replies_, {});
}

std::vector<Replica::StoreWork> Replica::take_work() {
  return std::exchange(work_, {});
}

focus::Restored Replica::restored(WallTime now) && {
  focus::Restored restored{.tables = std::move(tables_),
                           .reports = {},
                           .same_boot = same_boot_,
                           .last_commit = position_ ? std::optional(now) : last_commit_};
  for (auto& [bridge, report] : reports_) {
    restored.reports.push_back(std::move(report));
    restored.reports.back().source = stats::ReportSource::kRestored;
  }
  return restored;
}

}  // namespace bascule::ha
