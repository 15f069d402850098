#pragma once

#include <string>

#include "ctl/text.h"

namespace bascule::ctl {

/// One bridge with all its numbers, and its conferences.
std::string bridge_text(const Json& bridge, const Style& style);

/// A drain order in one sentence.
std::string drain_sentence(const Json& order);

/// How far a drain is that began with `people`; a bar on a terminal.
std::string drain_progress(const Json& order, std::int64_t people, const Style& style);

/// Why people stay on a bridge although they should leave, and what to do; empty: nobody does.
std::string stuck_explanation(const Json& order);

}  // namespace bascule::ctl
