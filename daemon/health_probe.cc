#include "daemon/health_probe.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <netdb.h>
#include <openssl/ssl.h>
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

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};

/// What the peer says to `request`, up to a status line; empty when it says nothing.
std::string ask(int socket, const std::string& request) {
  std::string answer(kStatusLineBytes, '\0');
  const ssize_t sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  const ssize_t got = sent != static_cast<ssize_t>(request.size())
                          ? -1
                          : ::recv(socket, answer.data(), answer.size(), MSG_WAITALL);
  answer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return answer;
}

/// The same over TLS.
std::string ask_by_tls(int socket, const std::string& request) {
  const std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, FreeSession> session(SSL_new(context.get()));
  std::string answer(kStatusLineBytes, '\0');
  std::size_t done = 0;
  const bool has_answer = SSL_set_fd(session.get(), socket) == 1 &&
                          SSL_connect(session.get()) == 1 &&
                          SSL_write_ex(session.get(), request.data(), request.size(), &done) == 1 &&
                          SSL_read_ex(session.get(), answer.data(), answer.size(), &done) == 1;
  answer.resize(has_answer ? done : 0);
  return answer;
}

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
  const std::string text =
      target.tls ? ask_by_tls(socket.get(), request) : ask(socket.get(), request);
  if (text.empty()) {
    return failed(where + ": no answer");
  }
  if (text.rfind("HTTP/1.1 200", 0) != 0) {
    return fail(Errc::kRefused, where + ": " + text.substr(0, text.find('\r')));
  }
  return {};
}

}  // namespace bascule::daemon
