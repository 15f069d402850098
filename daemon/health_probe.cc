#include "daemon/health_probe.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bascule::daemon {
namespace {

constexpr timeval kBound{.tv_sec = 5, .tv_usec = 0};
constexpr std::size_t kStatusLineBytes = 64;

class Socket {
 public:
  explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kBound, sizeof kBound);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kBound, sizeof kBound);  // Of connect as well.
  }
  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> failed(const std::string& where) {
  return fail(Errc::kUnavailable, where + ": " + std::strerror(errno));
}

/// Numeric addresses only, as the configuration has them: nothing is asked of DNS.
std::string reachable(const std::string& address) {
  if (address == "0.0.0.0") {
    return "127.0.0.1";
  }
  return address == "::" ? "::1" : address;
}

}  // namespace

Result<> probe_health(const HealthTarget& target) {
  const std::string host = reachable(target.address);
  const std::string where = host + " port " + std::to_string(target.port);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(target.port).c_str(), &hints, &found) != 0) {
    return fail(Errc::kUnavailable, where + ": not an IP address");
  }
  const Socket socket(found->ai_family);
  const int connected = ::connect(socket.get(), found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  if (connected != 0) {
    return failed(where);
  }
  const std::string request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failed(where);
  }
  std::array<char, kStatusLineBytes> answer{};
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL);
  if (got <= 0) {
    return failed(where + ": no answer");
  }
  const std::string text(answer.data(), static_cast<std::size_t>(got));
  if (text.rfind("HTTP/1.1 200", 0) != 0) {
    return fail(Errc::kRefused, where + ": " + text.substr(0, text.find('\r')));
  }
  return {};
}

}  // namespace bascule::daemon
