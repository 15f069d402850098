#pragma once

#include <string>

#include "ctl/text.h"

namespace bascule::ctl {

/// A list of conferences as a table.
std::string conferences_text(const Json& conferences, const Style& style);
/// One conference and everybody in it.
std::string conference_text(const Json& conference, const Style& style);
/// Who waits for a place, and why.
std::string queue_text(const Json& queue, const Style& style);

}  // namespace bascule::ctl
