#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `ha status` and `ha switchover`: what an operator does with two processes.
void add_ha(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
