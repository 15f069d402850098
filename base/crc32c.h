#pragma once

#include <cstdint>
#include <string_view>

namespace bascule {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), as in iSCSI and Btrfs: finds every burst of up to
/// 32 flipped bits. Not for secrets. Cost: a table look-up per byte.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace bascule
