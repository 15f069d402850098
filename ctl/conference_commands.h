#pragma once

#include "ctl/context.h"

namespace bascule::ctl {

// A ROOM is an address, or what stands before its '@' when one conference is called so now.

void add_conferences(CLI::App& cli, Context& context);
void add_conference(CLI::App& cli, Context& context);
/// `why ROOM [ENDPOINT]`: the decisions that put people where they are.
void add_why(CLI::App& cli, Context& context);
/// `move ROOM [ENDPOINT]`: asks for other bridges; the queue does it at its pace.
void add_move(CLI::App& cli, Context& context);
/// `pin`, `unpin` and `pins`: which version of bridges a room gets.
void add_pin(CLI::App& cli, Context& context);
void add_unpin(CLI::App& cli, Context& context);
void add_pins(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
