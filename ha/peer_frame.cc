#include "ha/peer_frame.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "ha/wire.h"

namespace bascule::ha {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kChecksumBytes = 4;

bool is_known(std::uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kSnapshotBegin:
    case FrameType::kSnapshotItem:
    case FrameType::kSnapshotEnd:
    case FrameType::kOperations:
    case FrameType::kAck:
    case FrameType::kHeartbeat:
    case FrameType::kSwitchReady:
    case FrameType::kSwitchGo:
    case FrameType::kReports:
    case FrameType::kBye:
      return true;
  }
  return false;
}

}  // namespace

std::string encode_frame(FrameType type, std::string_view payload) {
  BASCULE_CHECK(payload.size() <= kPayloadBytesMax);
  WireWriter writer;
  writer.number(static_cast<std::uint32_t>(payload.size()));
  writer.number(static_cast<std::uint8_t>(type));
  writer.number(std::uint8_t{0});
  writer.number(std::uint16_t{0});
  std::string out = std::move(writer).take();
  out += payload;
  WireWriter checksum;
  checksum.number(crc32c(out));
  return out + std::move(checksum).take();
}

void FrameReader::append(std::string_view bytes) {
  if (used_ > 0) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  buffer_ += bytes;
}

Result<std::optional<Frame>> FrameReader::next() {
  const auto broken = [this](const char* what) {
    broken_ = true;
    return fail(Errc::kCorrupt, what);
  };
  if (broken_) {
    return fail(Errc::kCorrupt, "the stream of frames is broken");
  }
  const std::string_view rest = std::string_view(buffer_).substr(used_);
  if (rest.size() < kHeaderBytes) {
    return std::nullopt;
  }
  WireReader header(rest);
  const std::size_t length = *header.number<std::uint32_t>();
  const auto type = *header.number<std::uint8_t>();
  const auto flags = *header.number<std::uint8_t>();
  const auto reserved = *header.number<std::uint16_t>();
  if (length > kPayloadBytesMax) {
    return broken("a frame is too long");
  }
  if (!is_known(type) || flags != 0 || reserved != 0) {
    return broken("a frame of unknown kind");
  }
  if (rest.size() < kHeaderBytes + length + kChecksumBytes) {
    return std::nullopt;
  }
  const std::string_view covered = rest.substr(0, kHeaderBytes + length);
  WireReader checksum(rest.substr(covered.size()));
  if (*checksum.number<std::uint32_t>() != crc32c(covered)) {
    return broken("the checksum of a frame is wrong");
  }
  used_ += covered.size() + kChecksumBytes;
  return Frame{.type = static_cast<FrameType>(type),
               .payload = std::string(covered.substr(kHeaderBytes))};
}

}  // namespace bascule::ha
