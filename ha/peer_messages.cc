#include "ha/peer_messages.h"

#include <optional>
#include <utility>

#include "ha/wire.h"

namespace bascule::ha {
namespace {

// A frame is closed when it is this long; one operation more never exceeds kPayloadBytesMax.
constexpr std::size_t kPartBytes = std::size_t{512} << 10U;

tl::unexpected<Error> corrupt(const char* what) {
  return fail(Errc::kCorrupt, std::string("a frame of the peer: ") + what);
}

void write(WireWriter& out, const Position& position) {
  out.number(position.epoch);
  out.number(position.sequence);
}

std::optional<Position> read_position(WireReader& in) {
  const auto epoch = in.number<std::uint64_t>();
  const auto sequence = in.number<std::uint64_t>();
  if (!epoch || !sequence) {
    return std::nullopt;
  }
  return Position{.epoch = *epoch, .sequence = *sequence};
}

void write(WireWriter& out, const focus::Operation& operation) {
  const std::vector<std::uint8_t> bytes = focus::encode(operation);
  out.number(focus::code_of(operation));
  out.text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<std::vector<focus::Operation>> read_operations(WireReader& in) {
  std::vector<focus::Operation> operations;
  while (!in.at_end()) {
    const auto code = in.number<std::uint16_t>();
    const auto bytes = in.text();
    if (!code || !bytes) {
      return corrupt("an operation is cut");
    }
    auto operation = focus::decode(*code, *bytes);
    if (!operation) {
      return tl::make_unexpected(operation.error());
    }
    operations.push_back(*std::move(operation));
  }
  return operations;
}

std::string as_frame(FrameType type, WireWriter&& out) {
  return encode_frame(type, std::move(out).take());
}

}  // namespace

std::string encode(FrameType hello_or_welcome, const Greeting& greeting) {
  WireWriter out;
  out.number(greeting.protocol);
  out.text(greeting.node);
  out.text(greeting.version);
  write(out, greeting.position);
  return as_frame(hello_or_welcome, std::move(out));
}

std::string encode(const SnapshotBegin& begin) {
  WireWriter out;
  write(out, begin.at);
  out.number(begin.operations);
  return as_frame(FrameType::kSnapshotBegin, std::move(out));
}

std::string encode(const Heartbeat& heartbeat) {
  WireWriter out;
  write(out, heartbeat.position);
  out.number(static_cast<std::uint8_t>(heartbeat.in_sync ? 1 : 0));
  return as_frame(FrameType::kHeartbeat, std::move(out));
}

std::string encode(FrameType type, const Position& position) {
  WireWriter out;
  write(out, position);
  return as_frame(type, std::move(out));
}

std::string encode_bye(std::string_view reason) {
  WireWriter out;
  out.text(reason);
  return as_frame(FrameType::kBye, std::move(out));
}

std::string encode_snapshot_item(const std::vector<focus::Operation>& operations, std::size_t& next,
                                 std::size_t bytes) {
  WireWriter out;
  while (next < operations.size() && out.size() < bytes) {
    write(out, operations[next++]);
  }
  return as_frame(FrameType::kSnapshotItem, std::move(out));
}

std::vector<std::string> encode_operations(std::uint64_t sequence,
                                           const std::vector<focus::Operation>& operations) {
  std::vector<std::string> frames;
  std::size_t next = 0;
  do {
    WireWriter part;
    while (next < operations.size() && part.size() < kPartBytes) {
      write(part, operations[next++]);
    }
    WireWriter head;
    head.number(sequence);
    head.number(static_cast<std::uint8_t>(next == operations.size() ? 1 : 0));
    frames.push_back(
        encode_frame(FrameType::kOperations, std::move(head).take() + std::move(part).take()));
  } while (next < operations.size());
  return frames;
}

std::vector<std::string> encode_reports(const std::vector<stats::ReceivedReport>& reports) {
  std::vector<std::string> frames;
  std::size_t next = 0;
  while (next < reports.size()) {
    WireWriter out;
    while (next < reports.size() && out.size() < kPartBytes) {
      out.text(stats::encode(reports[next++]));
    }
    frames.push_back(as_frame(FrameType::kReports, std::move(out)));
  }
  return frames;
}

Result<Greeting> decode_greeting(std::string_view payload) {
  WireReader in(payload);
  const auto protocol = in.number<std::uint16_t>();
  if (protocol && *protocol != kPeerProtocol) {
    return fail(Errc::kRefused, "the peer speaks protocol " + std::to_string(*protocol) +
                                    ", this is " + std::to_string(kPeerProtocol));
  }
  const auto node = in.text();
  const auto version = in.text();
  const auto position = read_position(in);
  if (!protocol || !node || !version || !position) {
    return corrupt("a greeting is cut");
  }
  return Greeting{.protocol = *protocol,
                  .node = std::string(*node),
                  .version = std::string(*version),
                  .position = *position};
}

Result<SnapshotBegin> decode_snapshot_begin(std::string_view payload) {
  WireReader in(payload);
  const auto at = read_position(in);
  const auto operations = in.number<std::uint64_t>();
  if (!at || !operations || !in.at_end()) {
    return corrupt("not the beginning of a snapshot");
  }
  return SnapshotBegin{.at = *at, .operations = *operations};
}

Result<Heartbeat> decode_heartbeat(std::string_view payload) {
  WireReader in(payload);
  const auto position = read_position(in);
  const auto in_sync = in.number<std::uint8_t>();
  if (!position || !in_sync || !in.at_end()) {
    return corrupt("not a heartbeat");
  }
  return Heartbeat{.position = *position, .in_sync = *in_sync != 0};
}

Result<Position> decode_position(std::string_view payload) {
  WireReader in(payload);
  const auto position = read_position(in);
  if (!position || !in.at_end()) {
    return corrupt("not a position");
  }
  return *position;
}

Result<std::string> decode_bye(std::string_view payload) {
  WireReader in(payload);
  const auto reason = in.text();
  if (!reason || !in.at_end()) {
    return corrupt("not a farewell");
  }
  return std::string(*reason);
}

Result<std::vector<focus::Operation>> decode_snapshot_item(std::string_view payload) {
  WireReader in(payload);
  return read_operations(in);
}

Result<OperationsPart> decode_operations(std::string_view payload) {
  WireReader in(payload);
  const auto sequence = in.number<std::uint64_t>();
  const auto is_last = in.number<std::uint8_t>();
  if (!sequence || !is_last) {
    return corrupt("operations without a sequence number");
  }
  auto operations = read_operations(in);
  if (!operations) {
    return tl::make_unexpected(operations.error());
  }
  return OperationsPart{
      .sequence = *sequence, .is_last = *is_last != 0, .operations = *std::move(operations)};
}

Result<std::vector<stats::ReceivedReport>> decode_reports(std::string_view payload) {
  WireReader in(payload);
  std::vector<stats::ReceivedReport> reports;
  while (!in.at_end()) {
    const auto bytes = in.text();
    if (!bytes) {
      return corrupt("a report is cut");
    }
    auto report = stats::decode_report(*bytes);
    if (!report) {
      return tl::make_unexpected(report.error());
    }
    reports.push_back(*std::move(report));
  }
  return reports;
}

}  // namespace bascule::ha
