#pragma once

#include <string>
#include <vector>

namespace bascule::admin {

/// Whether the focus serves, as `/readyz` and `/about/health` say it.
struct Health {
  bool ready = false;
  /// What is wrong, each as `reason` or `reason: detail`. Not all of them make it unready.
  std::vector<std::string> problems;
};

}  // namespace bascule::admin
