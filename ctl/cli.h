#pragma once

#include <memory>

#include "ctl/context.h"

namespace bascule::ctl {

/// The whole command line of basculectl. What runs it, what completes it and what describes it
/// (man pages) all read this tree. `context` must outlive it.
std::unique_ptr<CLI::App> make_cli(Context& context);

}  // namespace bascule::ctl
