#pragma once

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bascule::daemon {

/// Stands for systemd: what was said to it.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~NotifySocket() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  std::vector<std::string> heard() const {
    std::vector<std::string> messages;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0;
         (got = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
      messages.emplace_back(buffer.data(), static_cast<std::size_t>(got));
    }
    return messages;
  }

 private:
  int socket_;
};

}  // namespace bascule::daemon
