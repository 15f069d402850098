#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/integration/prosody.h"

namespace bascule::test {

/// Answer of the admin listener; status 0 when nobody listens.
struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// The real daemon as a child process against a private Prosody: own folder with configuration,
/// secrets in files and the state; own admin port. Killed, and its folder removed, by the
/// destructor; it dies with the test process whatever happens.
class BasculeProcess {
 public:
  /// Table -> key -> value as written in TOML, quotes included: {{"selection", {{"ramp", "\"5
  /// s\""}}}}. They win over what the fixture writes: short settling times, this Prosody.
  using Settings = std::map<std::string, std::map<std::string, std::string>>;

  /// `environment`: `NAME=value`, beside ours; `arguments`: likewise. `program`: another one;
  /// empty: the product.
  explicit BasculeProcess(const Prosody& prosody, const Settings& settings = {},
                          std::vector<std::string> environment = {},
                          std::vector<std::string> arguments = {}, std::string program = {});
  ~BasculeProcess();
  BasculeProcess(const BasculeProcess&) = delete;
  BasculeProcess& operator=(const BasculeProcess&) = delete;

  /// Starts the program; `is_ready` tells when it serves. Again after `kill` or an exit: same
  /// configuration and state folder, same log file.
  void start();
  /// SIGINT: ends conferences in order. The caller waits for `exit_code`, with the peers alive.
  void end() const { signal(SIGINT); }
  /// SIGTERM: the next process goes on. The caller waits for `exit_code`.
  void suspend() const { signal(SIGTERM); }
  /// SIGUSR2: one of two processes hands over to the other.
  void hand_over() const { signal(SIGUSR2); }
  /// SIGSTOP: it hangs.
  void freeze() const { signal(SIGSTOP); }
  void thaw() const { signal(SIGCONT); }
  /// SIGKILL; returns when the process is gone.
  void kill();
  /// Empty while it runs; 128 + signal when one killed it.
  [[nodiscard]] std::optional<int> exit_code();

  [[nodiscard]] bool is_ready() const { return get("/readyz").status == 200; }
  [[nodiscard]] HttpAnswer get(const std::string& path) const;
  [[nodiscard]] HttpAnswer post_json(const std::string& path, const std::string& body) const;
  [[nodiscard]] HttpAnswer put_json(const std::string& path, const std::string& body) const;
  /// Every sample of /metrics: `name` or `name{label="value"}` to its value.
  [[nodiscard]] std::map<std::string, double> metrics() const;
  /// One of them. Throws std::runtime_error when it is not there.
  [[nodiscard]] double metric(const std::string& sample) const;
  [[nodiscard]] std::string log() const;
  /// The first line of the log with both texts in it; empty when there is none.
  [[nodiscard]] std::string log_line(const std::string& first, const std::string& second) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// Of the admin listener.
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(admin_port_);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void write_config(const Prosody& prosody, const Settings& settings) const;
  void write_secret(const std::string& name, const std::string& text) const;
  [[nodiscard]] HttpAnswer request(const std::string& text) const;
  [[nodiscard]] HttpAnswer send_json(const std::string& method, const std::string& path,
                                     const std::string& body) const;
  void signal(int number) const;

  std::filesystem::path folder_;
  std::vector<std::string> environment_;
  std::vector<std::string> arguments_;
  std::string program_;
  std::uint16_t admin_port_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace bascule::test
