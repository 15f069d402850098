#pragma once

#include <string>

#include "admin/metrics.h"

namespace bascule::daemon {

/// Version and revision of the program, and of its process what /proc/self says, by the names every
/// exporter uses. What cannot be read has no sample.
void add_process(const std::string& version, const std::string& revision, admin::Metrics& metrics);

}  // namespace bascule::daemon
