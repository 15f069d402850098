#pragma once

#include "base/time.h"

namespace bascule::daemon {

/// Both clocks, read once. Monotonic time is CLOCK_BOOTTIME, so that it goes on while the machine
/// sleeps and can be compared after a restart of the process on the same boot.
Now read_clocks();

}  // namespace bascule::daemon
