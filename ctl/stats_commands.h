#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `stats ...`: what is stored. Each command works on the files of `--dir`, or asks the running
/// bascule; the answers are the same.
void add_stats(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
