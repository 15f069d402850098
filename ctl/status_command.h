#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `status`: on a terminal a live screen, elsewhere or with `--once` the same once. Exit status 1
/// when something is wrong that harms people.
void add_status(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
