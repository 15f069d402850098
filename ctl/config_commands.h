#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `config check [FILE]` reads a file as the daemon would, without one; `config show` asks the
/// running one what is in force.
void add_config(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
