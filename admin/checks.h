#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/health.h"
#include "admin/http.h"
#include "base/time.h"

namespace bascule::admin {

/// Something that can be wrong, as `/readyz` and the metrics name it.
struct KnownCheck {
  std::string_view name;
  bool is_needed;          ///< Without it the focus is not ready.
  std::string_view good;   ///< What is said when nothing is wrong.
  std::string_view wrong;  ///< What is said when something is, and no detail is known.
};
/// All there are; docs/operations.md has a heading for each.
[[nodiscard]] const std::vector<KnownCheck>& known_checks();

/// Remembers since when something is wrong, as exactly as it is asked.
class CheckHistory {
 public:
  void look(const Health& health, WallTime now);
  /// nullopt: nothing is wrong with it.
  [[nodiscard]] std::optional<WallTime> since(std::string_view check) const;

 private:
  std::map<std::string, WallTime, std::less<>> since_;
};

struct CheckSources {
  std::function<Health()> health;
  std::function<WallTime()> now;
  CheckHistory* history;  ///< Outlives the router.
};

///   GET /v1/readiness   every check: whether it is well, since when not, what it means, and where
///                       docs/operations.md says what to do
void add_readiness_route(Router& router, CheckSources sources);

}  // namespace bascule::admin
