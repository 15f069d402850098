#pragma once

#include <string>

#include <sys/types.h>

namespace bascule::torture {

/// Where a process that says nothing stands: for each thread its state, what it waits for in the
/// kernel, and how much it computed and wrote within one second (a starving thread is runnable and
/// slow, a hanging one waits and does nothing); with the stacks of all threads when gdb is
/// installed. Takes one second and more.
[[nodiscard]] std::string describe_standstill(pid_t pid);

}  // namespace bascule::torture
