#pragma once

namespace bascule {

/// Prints the violated expression with its place to stderr and aborts. A violated check means that
/// shared state can no longer be trusted; the supervisor restarts the process (architecture.md).
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace bascule

/// Always on, also in release builds.
#define BASCULE_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::bascule::check_failed(#expression, __FILE__, __LINE__))
