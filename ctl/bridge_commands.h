#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `bridges` and `bridge BRIDGE`.
void add_bridges(CLI::App& cli, Context& context);
void add_bridge(CLI::App& cli, Context& context);

/// `drain`, `evacuate` and `undrain BRIDGE`. With `--wait` the first two tell how far they are on
/// stderr until nobody is left there.
void add_drain(CLI::App& cli, Context& context);
void add_evacuate(CLI::App& cli, Context& context);
void add_undrain(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
