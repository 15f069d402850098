#pragma once

#include <cstdint>

namespace bascule::torture {

/// Damages a small state directory in every way a small damage can have and opens it each time:
/// one flipped bit in every `every`-th byte of both databases and the marks (unless that is 1, one
/// in eight of that for their write-ahead logs), and truncation at every 512 bytes and beside every
/// page boundary. Prints a table and returns 0 when each was either reported or harmless
/// (everything was there).
int run_sweep(std::uint64_t seed, std::uint64_t every);

}  // namespace bascule::torture
