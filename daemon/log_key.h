#pragma once

#include <string>

#include "base/result.h"

namespace bascule::daemon {

/// The key that `LogSink` hashes with, 32 bytes: of the file `log.key` in `directory`, which is
/// made (mode 0600) when there is none. Several processes may do so at once and get the same one.
/// Errors: kUnavailable when it can neither be read nor made, kCorrupt when it is something else.
Result<std::string> load_log_key(const std::string& directory);

}  // namespace bascule::daemon
