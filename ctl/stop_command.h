#pragma once

#include <string>

namespace bascule::ctl {

/// Ends the running bascule at `url`. `mode` as in POST /v1/stop: suspend, leave, leave-when-empty.
/// Waits until it no longer listens, and tells how many conferences it waits for; not with
/// `no_wait`. Returns the exit status.
int stop(const std::string& url, const std::string& mode, bool no_wait);

}  // namespace bascule::ctl
