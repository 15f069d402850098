#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `stop`: ends the running bascule. Waits until it no longer listens, and tells how many
/// conferences it waits for; not with `--no-wait`.
void add_stop(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
