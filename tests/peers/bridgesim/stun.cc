#include "tests/peers/bridgesim/stun.h"

#include <algorithm>

#include <boost/crc.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace bascule::peers::stun {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kTransaction = 12;
constexpr std::size_t kIntegrity = 20;
constexpr std::uint32_t kCookie = 0x2112A442;
constexpr std::uint32_t kFingerprintMask = 0x5354554E;
constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;

enum Attribute : std::uint16_t {
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kFingerprint = 0x8028,
  kIceControlling = 0x802A,
};

// Candidate type host would be the highest; ours is what a peer reflexive one gets (RFC
// 8445 5.1.2).
constexpr std::uint32_t kCheckPriority = 0x6EFFFFFF;

std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>((static_cast<std::uint8_t>(bytes[at]) << 8U) |
                                    static_cast<std::uint8_t>(bytes[at + 1]));
}

std::uint32_t read32(std::string_view bytes, std::size_t at) {
  return (static_cast<std::uint32_t>(read16(bytes, at)) << 16U) | read16(bytes, at + 2);
}

void put16(std::string& bytes, std::uint32_t value) {
  bytes += static_cast<char>((value >> 8U) & 0xFFU);
  bytes += static_cast<char>(value & 0xFFU);
}

void put32(std::string& bytes, std::uint32_t value) {
  put16(bytes, value >> 16U);
  put16(bytes, value & 0xFFFFU);
}

std::size_t padded(std::size_t length) {
  return (length + 3) / 4 * 4;
}

/// The header with a length that counts what follows it, `more` bytes to come included.
void set_length(std::string& message, std::size_t more) {
  const std::size_t length = message.size() - kHeader + more;
  message[2] = static_cast<char>((length >> 8U) & 0xFFU);
  message[3] = static_cast<char>(length & 0xFFU);
}

std::string header(std::uint16_t type, std::string_view transaction) {
  std::string message;
  put16(message, type);
  put16(message, 0);
  put32(message, kCookie);
  message += transaction;
  return message;
}

void put(std::string& message, Attribute type, std::string_view value) {
  put16(message, type);
  put16(message, static_cast<std::uint32_t>(value.size()));
  message += value;
  message.append(padded(value.size()) - value.size(), '\0');
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  std::array<unsigned char, kIntegrity> digest{};
  unsigned int length = digest.size();
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return {digest.begin(), digest.end()};
}

/// MESSAGE-INTEGRITY and FINGERPRINT: the last two, each over everything before it.
std::string sealed(std::string message, std::string_view password) {
  set_length(message, kAttributeHeader + kIntegrity);
  put(message, kMessageIntegrity, hmac_sha1(password, message));
  set_length(message, kAttributeHeader + sizeof(std::uint32_t));
  boost::crc_32_type crc;
  crc.process_bytes(message.data(), message.size());
  std::string fingerprint;
  put32(fingerprint, crc.checksum() ^ kFingerprintMask);
  put(message, kFingerprint, fingerprint);
  return message;
}

std::string random_bytes(Prng& random, std::size_t count) {
  std::string bytes(count, '\0');
  std::generate(bytes.begin(), bytes.end(),
                [&random] { return static_cast<char>(random.below(256)); });
  return bytes;
}

}  // namespace

bool is_message(std::string_view packet) {
  return packet.size() >= kHeader && static_cast<std::uint8_t>(packet[0]) < 4 &&
         read32(packet, 4) == kCookie;
}

std::optional<Check> parse_check(std::string_view packet) {
  if (!is_message(packet) || read16(packet, 0) != kBindingRequest ||
      kHeader + read16(packet, 2) != packet.size()) {
    return std::nullopt;
  }
  Check check;
  check.transaction = packet.substr(kHeader - kTransaction, kTransaction);
  std::size_t at = kHeader;
  while (at + kAttributeHeader <= packet.size() && check.integrity == 0) {
    const std::uint16_t type = read16(packet, at);
    const std::size_t length = read16(packet, at + 2);
    if (at + kAttributeHeader + length > packet.size()) {
      return std::nullopt;
    }
    if (type == kUsername) {
      check.username = packet.substr(at + kAttributeHeader, length);
    } else if (type == kMessageIntegrity && length == kIntegrity) {
      check.integrity = at;
    }
    at += kAttributeHeader + padded(length);
  }
  if (check.username.empty() || check.integrity == 0) {
    return std::nullopt;
  }
  return check;
}

bool is_intact(std::string_view packet, const Check& check, std::string_view password) {
  // The length of the header counts up to the end of MESSAGE-INTEGRITY, whatever follows it.
  std::string covered(packet.substr(0, check.integrity));
  set_length(covered, kAttributeHeader + kIntegrity);
  return packet.substr(check.integrity + kAttributeHeader, kIntegrity) ==
         hmac_sha1(password, covered);
}

std::string answer(const Check& check, Address from, std::string_view password) {
  std::string mapped;
  mapped += '\0';
  mapped += '\x01';  // IPv4
  put16(mapped, from.port ^ (kCookie >> 16U));
  put32(mapped, from.ip ^ kCookie);
  std::string message = header(kBindingSuccess, check.transaction);
  put(message, kXorMappedAddress, mapped);
  return sealed(std::move(message), password);
}

std::string nominate(std::string_view username, std::string_view password, Prng& random) {
  std::string message = header(kBindingRequest, random_bytes(random, kTransaction));
  put(message, kUsername, username);
  put(message, kIceControlling, random_bytes(random, sizeof(std::uint64_t)));
  put(message, kUseCandidate, "");
  std::string priority;
  put32(priority, kCheckPriority);
  put(message, kPriority, priority);
  return sealed(std::move(message), password);
}

}  // namespace bascule::peers::stun
