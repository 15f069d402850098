#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/jid.h"

namespace bascule::focus {

/// Names the conference that is being handled right now, for whoever looks after our death: the
/// shell may put it into memory that outlives the process, so it is plain bytes. The length is
/// volatile because nobody in this process ever reads it: such writes are not left out.
struct WorkMark {
  static constexpr std::size_t kRoomMax = 2'047;  ///< A bare address: two parts of 1023 and '@'.

  void begin(const RoomJid& room) {
    const Jid& jid = room.jid();
    length = 0;
    append(jid.local());
    append("@");
    append(jid.domain());
  }
  /// From the address of a stanza that nobody has looked at yet; the resource is left out.
  void begin(std::string_view address) {
    length = 0;
    append(address.substr(0, address.find('/')));
  }
  void clear() { length = 0; }
  /// Empty when no conference is being handled.
  [[nodiscard]] std::string_view room() const {
    return {text.data(), std::min<std::size_t>(length, kRoomMax)};
  }

  volatile std::uint32_t length = 0;
  std::array<char, kRoomMax> text{};

 private:
  void append(std::string_view part) {
    const std::size_t at = length;
    const std::size_t size = std::min(part.size(), kRoomMax - at);
    std::copy_n(part.data(), size, text.data() + at);
    length = static_cast<std::uint32_t>(at + size);
  }
};

}  // namespace bascule::focus
