#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

void add_queue(CLI::App& cli, Context& context);
/// `audit`: who changed what.
void add_audit(CLI::App& cli, Context& context);
/// `readiness`: every check of the daemon; exit status 1 when it is not ready.
void add_readiness(CLI::App& cli, Context& context);
void add_log_level(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
