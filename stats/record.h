#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace bascule::stats {

// The canonical bytes of a stored row, over which its checksums are computed. SQLite itself does
// not notice a flipped bit in a payload page (`PRAGMA integrity_check` says "ok"), so every row
// carries a CRC-32C of its own bytes and a SHA-256 that chains it to the row before: a changed,
// lost or reordered row is found by whoever reads it.
//
//   "SLR1" | table u16 | columns u16 | { tag u8 [length u32] value }   all numbers big endian
//   tag 0: null; 1: int64; 3: text, with length

using Value = std::variant<std::monostate, std::int64_t, std::string>;

struct Row {
  std::uint16_t table = 0;
  std::vector<Value> columns;
  friend bool operator==(const Row&, const Row&) = default;
};

[[nodiscard]] std::string encode_row(const Row& row);
/// Errors: kCorrupt when the bytes are not exactly what `encode_row` makes.
Result<Row> decode_row(std::string_view bytes);

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of the parts one after the other.
[[nodiscard]] Digest sha256(std::initializer_list<std::string_view> parts);

/// The chain value of a row: SHA-256(previous | bytes).
[[nodiscard]] Digest chain(const Digest& previous, std::string_view bytes);

[[nodiscard]] std::string_view to_view(const Digest& digest);
/// nullopt when `bytes` is not 32 bytes long.
[[nodiscard]] std::optional<Digest> to_digest(std::string_view bytes);

/// Big-endian helpers for fixed-width fields.
void append_u16(std::string& out, std::uint16_t value);
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);

}  // namespace bascule::stats
