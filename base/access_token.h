#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bascule {

/// Bearer tokens of the HTTP interface (docs/adr/0018): 256 random bits and their CRC-32C as
/// base64url after `bsc_`, 52 characters. There is nothing to guess in them, so that one SHA-256 is
/// enough to store them by; the check value tells a made-up or mistyped one from an unknown one.
inline constexpr std::size_t kTokenEntropyBytes = 32;
std::string make_access_token(std::span<const unsigned char, kTokenEntropyBytes> entropy);

/// Whether `make_access_token` can have made this.
bool is_access_token(std::string_view text);

/// What is stored of a token: its SHA-256.
using TokenDigest = std::array<unsigned char, 32>;
TokenDigest token_digest(std::string_view token);

/// As it is written to the tokens file: `sha256:` and 64 hex digits.
std::string stored_form(std::string_view token);

/// Compares in constant time.
bool equal(const TokenDigest& a, const TokenDigest& b);

}  // namespace bascule
