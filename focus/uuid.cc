#include "focus/uuid.h"

#include <cstdint>
#include <string_view>

namespace bascule::focus {

std::string make_uuid(Prng& prng) {
  constexpr std::string_view kPattern = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string uuid;
  for (const char c : kPattern) {
    uuid += c == 'x'   ? kDigits[prng.below(16)]
            : c == 'y' ? kDigits[8 + prng.below(4)]  // The variant bits.
                       : c;
  }
  return uuid;
}

}  // namespace bascule::focus
