#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `doctor`: looks at the configuration, the host, the XMPP server, the bridges and the running
/// bascule, and says what is wrong and what to do. Changes nothing.
void add_doctor(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
