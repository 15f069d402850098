#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace bascule::test {

/// A TCP port on 127.0.0.1 that is free now. Below the ephemeral range, so that no outgoing
/// connection takes it before its user listens; tests of several processes start at different
/// places of the range.
std::uint16_t free_port();

/// A private stock Prosody (Debian 12) on loopback ports with its own data folder, configured by
/// tests/integration/prosody.cfg.lua.in. Started by the constructor; killed, and its folder
/// removed, by the destructor. It dies with the test process whatever happens.
///
/// Every member throws std::runtime_error with the server's log when the server does not do as
/// told: in a test that is the useful answer.
class Prosody {
 public:
  struct Options {
    std::string domain = "bascule.test";
    std::string focus_secret = "focus-secret";      ///< Component focus.<domain>.
    std::string bascule_secret = "bascule-secret";  ///< Component bascule.<domain>.
    /// Accounts of auth.<domain>: user and password.
    std::vector<std::pair<std::string, std::string>> accounts = {{"focus", "focus-password"},
                                                                 {"jvb", "jvb-password"}};
    bool tls = true;            ///< Offer STARTTLS with a certificate of our own.
    std::string extra_global;   ///< Lua at the end of the global section.
    std::string focus_module;   ///< Lua string, e.g. "\"client_proxy\""; empty: external component.
    std::string focus_options;  ///< Lua inside the focus component.
    std::string extra_hosts;    ///< Lua at the end of the file.
  };

  Prosody();
  explicit Prosody(Options options);
  ~Prosody();
  Prosody(const Prosody&) = delete;
  Prosody& operator=(const Prosody&) = delete;

  [[nodiscard]] const std::string& domain() const { return options_.domain; }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::uint16_t c2s_port() const { return c2s_port_; }
  [[nodiscard]] std::uint16_t component_port() const { return component_port_; }
  /// The self-signed certificate (SAN: the domain and auth.<domain>): usable as CA file.
  [[nodiscard]] std::string ca_file() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string log() const;
  /// Where it keeps what it must remember (`data_path`).
  [[nodiscard]] std::filesystem::path data() const { return folder_ / "data"; }

  /// Starts again on the same ports and data; returns when both ports accept.
  void start();
  /// SIGKILL; returns when the process is gone.
  void kill();
  /// SIGTERM; returns when the process is gone (SIGKILL after 10 s).
  void stop();
  /// SIGSTOP and SIGCONT: a server that is connected and silent.
  void suspend() const;
  void resume() const;
  /// Adds an account of auth.<domain>; also while the server runs.
  void register_account(const std::string& user, const std::string& password) const;

 private:
  Prosody(Options options, std::filesystem::path folder);
  void make_certificate() const;
  void write_config() const;
  void launch();
  bool wait_until_ready();
  void wait_for_exit();
  [[nodiscard]] bool exited();

  Options options_;
  std::filesystem::path folder_;
  std::uint16_t c2s_port_ = 0;
  std::uint16_t component_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace bascule::test
