#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

/// `token NAME ROLE`: makes a bearer token, shows it once, and the line of the tokens file that
/// stands for it. Nothing is asked of a running bascule.
void add_token(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
