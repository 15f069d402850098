#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "base/result.h"
#include "base/time.h"
#include "config/layers.h"
#include "config/reload.h"
#include "daemon/log_sink.h"

namespace bascule::daemon {

/// SIGHUP: reads the configuration again and takes over what a running process can take over; the
/// rest is named. After an error nothing has changed. The service manager is told when it begins
/// and when it is over. Reads files on the thread that asks.
class Reloader {
 public:
  using Load =
      std::function<tl::expected<config::LoadedConfig, std::vector<config::ConfigError>>()>;
  /// Takes values over, all or none. Errors: why none.
  using Apply = std::function<Result<>(const config::Config&)>;
  struct Status {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    bool last_failed = false;
    std::optional<WallTime> last_success;
  };

  /// `running` is kept up to date and outlives this object, as does `log`; `file` is named in
  /// errors.
  Reloader(config::LoadedConfig& running, std::string file, Load load, LogSink& log);

  void reload();
  /// Of whatever runs now (a phase of a process with a partner replaces that of the one before);
  /// logging is taken care of. Empty: nobody.
  void set_apply(Apply apply) { apply_ = std::move(apply); }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const config::LoadedConfig& running() const { return running_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  /// Errors: never empty.
  tl::expected<void, std::vector<config::ConfigError>> attempt();
  void tell(const config::Changes& changes);

  config::LoadedConfig& running_;
  const std::string file_;
  const Load load_;
  LogSink& log_;
  Apply apply_;
  Status status_;
};

}  // namespace bascule::daemon
