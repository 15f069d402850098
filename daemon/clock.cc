#include "daemon/clock.h"

#include <ctime>

#include "base/check.h"

namespace bascule::daemon {
namespace {

Duration read(clockid_t clock) {
  timespec time{};
  BASCULE_CHECK(clock_gettime(clock, &time) == 0);
  return std::chrono::seconds{time.tv_sec} +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{time.tv_nsec});
}

}  // namespace

Now read_clocks() {
  return {.mono = Instant{read(CLOCK_BOOTTIME)}, .wall = WallTime{read(CLOCK_REALTIME)}};
}

}  // namespace bascule::daemon
