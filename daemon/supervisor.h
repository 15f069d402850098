#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "daemon/log_sink.h"

namespace bascule::daemon {

/// How long to wait before a child that ended is started again: at once the first time, then 100 ms
/// and twice as long each time, at most 5 s; from the beginning after one that lived for 30 s.
class RestartDelay {
 public:
  Duration after(Duration lifetime);

 private:
  unsigned early_ends_ = 0;
};

/// `bascule --supervise`, for containers and wherever no service manager does it: runs `command`
/// (the program's path first) as a child, starts it again when it crashes, passes it SIGTERM,
/// SIGINT, SIGHUP, SIGUSR1 and SIGUSR2, and keeps a duplicate of its socket (SocketHolder), at most
/// kHoldMax beyond the end of the child that gave it.
///
/// Returns the exit status for the process: of a child that ended by itself (0: asked to stop; a
/// status that a restart would not change), otherwise never. Blocks; single-threaded; reaps
/// whatever children it has, as the first process of a container must.
int supervise(const std::vector<std::string>& command, LogSink& log);

}  // namespace bascule::daemon
