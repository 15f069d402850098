#pragma once

#include <string>

#include "base/prng.h"

namespace bascule::focus {

/// A version 4 UUID (RFC 9562 5.4). For names that must differ, not for secrets.
[[nodiscard]] std::string make_uuid(Prng& prng);

}  // namespace bascule::focus
