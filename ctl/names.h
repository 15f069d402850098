#pragma once

#include <string>

#include "ctl/context.h"

namespace bascule::ctl {

/// The path of a bridge: its nick or full address as one segment.
std::string bridge_path(const std::string& bridge);

/// The address of a room as the operator says it: whole, or only what stands before the '@' when
/// exactly one conference is called so now. Errors: kNotFound, kConflict (names them), and those of
/// `ask_json`.
Result<std::string> room_address(const Connection& connection, const std::string& room);

}  // namespace bascule::ctl
