#pragma once

#include <cstddef>
#include <string>

#include "ctl/text.h"

namespace bascule::ctl {

/// The answer of /v1/overview as one screen: what is wrong and what to type, then the numbers, then
/// the bridges, those in trouble first. At most `rows` lines; 0: as many as there are.
std::string status_text(const Json& overview, const Style& style, std::size_t rows = 0);

/// The bridges of an answer as a table: trouble first, then by load. At most `rows` of them (0:
/// all), and a line about the rest.
std::string bridges_text(const Json& bridges, const Style& style, std::size_t rows = 0);

}  // namespace bascule::ctl
