#include "tests/integration/prosody.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/child_process.h"

namespace bascule::test {
namespace {

using std::chrono::milliseconds, std::chrono::seconds, std::chrono::steady_clock;

constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kPortCount = 12'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool can_bind(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool ok = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

bool can_connect(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool ok = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

void replace_all(std::string& text, const std::string& placeholder, const std::string& value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + value.size())) {
    text.replace(at, placeholder.size(), value);
  }
}

}  // namespace

std::uint16_t free_port() {
  static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 97U;
  for (std::uint32_t tries = 0; tries < kPortCount; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + next++ % kPortCount);
    if (can_bind(port)) {
      return port;
    }
  }
  throw std::runtime_error("no free port");
}

Prosody::Prosody() : Prosody(Options{}) {
}

Prosody::Prosody(Options options, std::filesystem::path folder)
    : options_(std::move(options)), folder_(std::move(folder)) {
}

// Delegating: the destructor cleans up when anything below throws.
Prosody::Prosody(Options options) : Prosody(std::move(options), make_folder("bascule-prosody")) {
  std::filesystem::create_directories(folder_ / "data");
  std::filesystem::create_directories(folder_ / "certs");
  if (options_.tls) {
    make_certificate();
  }
  // Another process may take a port between our look and Prosody's bind; then take others.
  for (int tries = 0; tries < 5; ++tries) {
    c2s_port_ = free_port();
    component_port_ = free_port();
    write_config();
    if (tries == 0) {
      for (const auto& [user, password] : options_.accounts) {
        register_account(user, password);
      }
    }
    launch();
    if (wait_until_ready()) {
      return;
    }
    kill();
    std::filesystem::remove(folder_ / "prosody.log");
  }
  throw std::runtime_error("Prosody finds no free port");
}

Prosody::~Prosody() {
  kill();
  std::error_code ignored;  // A folder that stays behind in /tmp must not hide the test's result.
  std::filesystem::remove_all(folder_, ignored);
}

std::string Prosody::ca_file() const {
  return (folder_ / "certs" / "prosody.crt").string();
}

std::string Prosody::log() const {
  return read_file(folder_ / "prosody.log");
}

void Prosody::make_certificate() const {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "30", "-subj", "/CN=" + options_.domain, "-addext",
       "subjectAltName=DNS:" + options_.domain + ",DNS:auth." + options_.domain, "-keyout",
       (folder_ / "certs" / "prosody.key").string(), "-out", ca_file()},
      folder_ / "openssl.log");
}

void Prosody::write_config() const {
  std::string text =
      read_file(std::filesystem::path(BASCULE_SOURCE_DIR) / "tests/integration/prosody.cfg.lua.in");
  text = text.substr(text.find("run_as_root"));  // The head explains the placeholders.
  for (const auto& [placeholder, value] : std::vector<std::pair<std::string, std::string>>{
           {"@DIR@", folder_.string()},
           {"@DOMAIN@", options_.domain},
           {"@C2S_PORT@", std::to_string(c2s_port_)},
           {"@COMPONENT_PORT@", std::to_string(component_port_)},
           {"@FOCUS_SECRET@", options_.focus_secret},
           {"@BASCULE_SECRET@", options_.bascule_secret},
           {"@EXTRA_GLOBAL@", options_.extra_global},
           {"@FOCUS_MODULE@", options_.focus_module},
           {"@FOCUS_OPTIONS@", options_.focus_options},
           {"@EXTRA_HOSTS@", options_.extra_hosts},
       }) {
    replace_all(text, placeholder, value);
  }
  std::ofstream(folder_ / "prosody.cfg.lua") << text;
}

void Prosody::register_account(const std::string& user, const std::string& password) const {
  run({"prosodyctl", "--config", (folder_ / "prosody.cfg.lua").string(), "register", user,
       "auth." + options_.domain, password},
      folder_ / "prosodyctl.log");
}

void Prosody::launch() {
  pid_ = spawn({"prosody", "--config", (folder_ / "prosody.cfg.lua").string(), "-F"},
               folder_ / "output.log");
}

void Prosody::start() {
  launch();
  if (!wait_until_ready()) {
    throw std::runtime_error("Prosody's ports were taken while it was down:\n" + log());
  }
}

/// False when a port is taken. There is no event to wait for: the server says nothing when it
/// listens, so connecting is tried until it works.
bool Prosody::wait_until_ready() {
  const auto deadline = steady_clock::now() + seconds(20);
  while (steady_clock::now() < deadline) {
    if (exited()) {
      throw std::runtime_error("Prosody ended:\n" + log() + read_file(folder_ / "output.log"));
    }
    if (can_connect(c2s_port_) && can_connect(component_port_)) {
      const std::string text = log();
      return text.find("Failed to open server port") == std::string::npos;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  throw std::runtime_error("Prosody does not listen:\n" + log());
}

bool Prosody::exited() {
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = -1;
  }
  return pid_ <= 0;
}

void Prosody::wait_for_exit() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

void Prosody::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait_for_exit();
  }
}

void Prosody::stop() {
  if (pid_ <= 0) {
    return;
  }
  ::kill(pid_, SIGTERM);
  const auto deadline = steady_clock::now() + seconds(10);
  while (!exited()) {
    if (steady_clock::now() > deadline) {
      kill();
      return;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
}

void Prosody::suspend() const {
  if (pid_ > 0) {
    ::kill(pid_, SIGSTOP);
  }
}

void Prosody::resume() const {
  if (pid_ > 0) {
    ::kill(pid_, SIGCONT);
  }
}

}  // namespace bascule::test
