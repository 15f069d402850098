#include "base/access_token.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "base/crc32c.h"

namespace bascule {
namespace {

constexpr std::string_view kPrefix = "bsc_";
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kBytes = kTokenEntropyBytes + kCheckBytes;
constexpr std::size_t kEncodedSize = kBytes / 3 * 4;
static_assert(kBytes % 3 == 0, "base64 without padding");

using Bytes = std::array<unsigned char, kBytes>;

std::array<unsigned char, kCheckBytes> check_of(std::span<const unsigned char> entropy) {
  const std::uint32_t crc = crc32c({reinterpret_cast<const char*>(entropy.data()), entropy.size()});
  return {static_cast<unsigned char>(crc >> 24U), static_cast<unsigned char>(crc >> 16U),
          static_cast<unsigned char>(crc >> 8U), static_cast<unsigned char>(crc)};
}

}  // namespace

std::string make_access_token(std::span<const unsigned char, kTokenEntropyBytes> entropy) {
  Bytes bytes{};
  std::copy(entropy.begin(), entropy.end(), bytes.begin());
  const auto check = check_of(entropy);
  std::copy(check.begin(), check.end(), bytes.begin() + kTokenEntropyBytes);
  std::array<unsigned char, kEncodedSize + 1> encoded{};
  BASCULE_CHECK(EVP_EncodeBlock(encoded.data(), bytes.data(), kBytes) ==
                static_cast<int>(kEncodedSize));
  std::string token(kPrefix);
  std::transform(encoded.begin(), encoded.end() - 1, std::back_inserter(token),
                 [](unsigned char c) {
                   return c == '+' ? '-' : c == '/' ? '_' : static_cast<char>(c);
                 });
  return token;
}

bool is_access_token(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kEncodedSize ||
      text.find_first_not_of(kAlphabet) != std::string_view::npos) {
    return false;
  }
  std::array<unsigned char, kEncodedSize> encoded{};
  std::transform(text.begin() + kPrefix.size(), text.end(), encoded.begin(), [](char c) {
    return static_cast<unsigned char>(c == '-' ? '+' : c == '_' ? '/' : c);
  });
  Bytes bytes{};
  if (EVP_DecodeBlock(bytes.data(), encoded.data(), kEncodedSize) != static_cast<int>(kBytes)) {
    return false;
  }
  const auto check = check_of(std::span(bytes).first<kTokenEntropyBytes>());
  return std::equal(check.begin(), check.end(), bytes.begin() + kTokenEntropyBytes);
}

TokenDigest token_digest(std::string_view token) {
  TokenDigest digest{};
  BASCULE_CHECK(
      EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string stored_form(std::string_view token) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "sha256:";
  for (const unsigned char byte : token_digest(token)) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

bool equal(const TokenDigest& a, const TokenDigest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace bascule
