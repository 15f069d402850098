#include "xmpp/base64.h"

#include <cstddef>
#include <cstdint>

namespace bascule::xmpp {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = (bits << 8U) | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint32_t value = (bits >> (18U - 6U * i)) & 0x3FU;
      text += i <= group.size() ? kAlphabet[value] : '=';
    }
  }
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return fail(Errc::kMalformed, "base64: length is not a multiple of four");
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::string_view group = text.substr(at, 4);
    if (at + 4 == text.size()) {  // Padding is allowed in the last group only.
      while (group.size() > 2 && group.back() == '=') {
        group.remove_suffix(1);
      }
    }
    std::uint32_t bits = 0;
    for (const char c : group) {
      const std::size_t value = kAlphabet.find(c);
      if (value == std::string_view::npos) {
        return fail(Errc::kMalformed, "base64: character outside the alphabet");
      }
      bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    }
    const std::size_t spare = group.size() * 6 % 8;
    if ((bits & ((1U << spare) - 1U)) != 0) {
      return fail(Errc::kMalformed, "base64: spare bits are not zero");
    }
    bits >>= spare;
    const std::size_t count = group.size() * 6 / 8;
    for (std::size_t i = count; i-- > 0;) {
      bytes += static_cast<char>((bits >> (8U * i)) & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace bascule::xmpp
