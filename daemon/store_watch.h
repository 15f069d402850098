#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "daemon/log_sink.h"
#include "daemon/store_upkeep.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What is wrong with the store, for people: in readiness, and in the log when it changes.
class StoreWatch {
 public:
  /// Both outlive this object.
  StoreWatch(const stats::sqlite::Store& store, const StoreUpkeep& upkeep)
      : store_(store), upkeep_(upkeep) {}

  [[nodiscard]] std::vector<std::string> problems(Now now) const;
  /// The worst of them in a word: ok, damaged, failing or stalled.
  [[nodiscard]] std::string_view state(Now now) const;
  /// A disk that does not answer delays nobody, and is to be known before it becomes a loss.
  void tell(LogSink& log, Now now);

 private:
  const stats::sqlite::Store& store_;
  const StoreUpkeep& upkeep_;
  std::optional<Instant> stalled_since_;  // The store does not answer, and this was said.
};

}  // namespace bascule::daemon
