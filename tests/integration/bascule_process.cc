#include "tests/integration/bascule_process.h"

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/child_process.h"

namespace bascule::test {
namespace {

constexpr timeval kHttpDeadline{.tv_sec = 10, .tv_usec = 0};

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

/// A connection to the admin listener; -1 when nobody listens.
int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kHttpDeadline, sizeof kHttpDeadline);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kHttpDeadline, sizeof kHttpDeadline);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

BasculeProcess::BasculeProcess(const Prosody& prosody, const Settings& settings,
                               std::vector<std::string> environment,
                               std::vector<std::string> arguments, std::string program)
    : folder_(make_folder("bascule-daemon")),
      environment_(std::move(environment)),
      arguments_(std::move(arguments)),
      program_(program.empty() ? BASCULE_BINARY : std::move(program)),
      admin_port_(free_port()) {
  std::filesystem::create_directories(folder_ / "state");
  write_secret("requests.secret", prosody.options().focus_secret);
  write_secret("service.secret", prosody.options().bascule_secret);
  for (const auto& [user, password] : prosody.options().accounts) {
    if (user == "focus") {
      write_secret("client.password", password);
    }
  }
  write_config(prosody, settings);
}

BasculeProcess::~BasculeProcess() {
  kill();
  std::error_code ignored;  // A folder that stays behind in /tmp must not hide the test's result.
  std::filesystem::remove_all(folder_, ignored);
}

void BasculeProcess::write_secret(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name) << text << '\n';
  std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_read);
}

void BasculeProcess::write_config(const Prosody& prosody, const Settings& settings) const {
  const std::string component_port = std::to_string(prosody.component_port());
  const std::string host = quoted("127.0.0.1");
  const auto file = [this](const char* name) { return quoted((folder_ / name).string()); };
  Settings all = {
      {"xmpp", {{"domain", quoted(prosody.domain())}}},
      {"links.requests",
       {{"host", host}, {"port", component_port}, {"secret-file", file("requests.secret")}}},
      {"links.client",
       {{"host", host},
        {"port", std::to_string(prosody.c2s_port())},
        {"password-file", file("client.password")},
        {"ca-file", quoted(prosody.ca_file())}}},
      {"links.service",
       {{"host", host}, {"port", component_port}, {"secret-file", file("service.secret")}}},
      {"selection",
       {{"settle-quiet", quoted("300 ms")},
        {"settle-max", quoted("3 s")},
        {"settle-min-bridges", "1"},
        {"publish-period", quoted("1 s")},
        {"slow-start", quoted("0 s")}}},
      {"admin", {{"port", std::to_string(admin_port_)}}},
      {"state", {{"dir", file("state")}}},
  };
  for (const auto& [table, values] : settings) {
    for (const auto& [key, value] : values) {
      if (value.empty()) {
        all[table].erase(key);
      } else {
        all[table][key] = value;
      }
    }
  }
  std::ofstream config(folder_ / "bascule.toml");
  for (const auto& [table, values] : all) {
    config << '[' << table << "]\n";
    for (const auto& [key, value] : values) {
      config << key << " = " << value << '\n';
    }
  }
}

void BasculeProcess::start() {
  exit_code_.reset();
  std::vector<std::string> command = {"env"};
  command.insert(command.end(), environment_.begin(), environment_.end());
  command.insert(command.end(), {program_, "--config", (folder_ / "bascule.toml").string()});
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  pid_ = spawn(command, folder_ / "bascule.log");
}

void BasculeProcess::signal(int number) const {
  if (pid_ > 0) {
    ::kill(pid_, number);
  }
}

void BasculeProcess::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exit_code_ = code_of(status);
    pid_ = -1;
  }
}

std::optional<int> BasculeProcess::exit_code() {
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = code_of(status);
    pid_ = -1;
  }
  return exit_code_;
}

HttpAnswer BasculeProcess::request(const std::string& text) const {
  const int fd = connect_to(admin_port_);
  if (fd < 0) {
    return {};
  }
  std::string answer;
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
    std::array<char, 65536> buffer{};
    for (ssize_t got = 0; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  const std::size_t space = answer.find(' ');
  if (body == std::string::npos || space == std::string::npos) {
    return {};
  }
  HttpAnswer result;
  std::from_chars(answer.data() + space + 1, answer.data() + answer.size(), result.status);
  result.body = answer.substr(body + 4);
  return result;
}

HttpAnswer BasculeProcess::get(const std::string& path) const {
  return request("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
}

HttpAnswer BasculeProcess::post_json(const std::string& path, const std::string& body) const {
  return send_json("POST", path, body);
}

HttpAnswer BasculeProcess::put_json(const std::string& path, const std::string& body) const {
  return send_json("PUT", path, body);
}

HttpAnswer BasculeProcess::send_json(const std::string& method, const std::string& path,
                                     const std::string& body) const {
  return request(method + " " + path +
                 " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                 "Content-Type: application/json\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::map<std::string, double> BasculeProcess::metrics() const {
  std::map<std::string, double> samples;
  std::istringstream lines(get("/metrics").body);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.rfind(' ');
    if (!line.empty() && line.front() != '#' && space != std::string::npos) {
      samples[line.substr(0, space)] = std::strtod(line.c_str() + space + 1, nullptr);
    }
  }
  return samples;
}

double BasculeProcess::metric(const std::string& sample) const {
  const auto samples = metrics();
  const auto found = samples.find(sample);
  if (found == samples.end()) {
    throw std::runtime_error("no metric " + sample + " among " + std::to_string(samples.size()));
  }
  return found->second;
}

std::string BasculeProcess::log() const {
  return read_file(folder_ / "bascule.log");
}

std::string BasculeProcess::log_line(const std::string& first, const std::string& second) const {
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    if (line.find(first) != std::string::npos && line.find(second) != std::string::npos) {
      return line;
    }
  }
  return {};
}

}  // namespace bascule::test
