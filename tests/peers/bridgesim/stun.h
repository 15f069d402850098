#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/prng.h"

namespace bascule::peers::stun {

/// What a browser needs of a bridge to call ICE connected: checks (RFC 8489 binding requests with
/// the attributes of RFC 8445) are answered and returned. IPv4 only.
struct Check {
  std::string transaction;    ///< 12 bytes.
  std::string username;       ///< "<receiver's ufrag>:<sender's ufrag>"
  std::size_t integrity = 0;  ///< Offset of MESSAGE-INTEGRITY.
};

/// IPv4, host byte order.
struct Address {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
};

/// STUN among other packets of the port (RFC 7983).
[[nodiscard]] bool is_message(std::string_view packet);
/// nullopt: another kind of message, or one that is cut or without username or integrity.
[[nodiscard]] std::optional<Check> parse_check(std::string_view packet);
/// Whether the sender of this check knew the password (RFC 8489 14.5).
[[nodiscard]] bool is_intact(std::string_view packet, const Check& check,
                             std::string_view password);

/// The success response to a check that came from `from`; `password` is the one it was sent with.
[[nodiscard]] std::string answer(const Check& check, Address from, std::string_view password);
/// A check of ours, as the controlling agent, that nominates the pair.
[[nodiscard]] std::string nominate(std::string_view username, std::string_view password,
                                   Prng& random);

}  // namespace bascule::peers::stun
