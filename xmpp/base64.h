#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace bascule::xmpp {

/// RFC 4648 4, with padding, as SASL uses it (RFC 6120 6.3.2 and 6.4.2).
std::string base64_encode(std::string_view bytes);

/// Errors: kMalformed on any character outside the alphabet, missing or misplaced padding, or bits
/// that a canonical encoder would have left zero.
Result<std::string> base64_decode(std::string_view text);

}  // namespace bascule::xmpp
