#include "daemon/socket_holder.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/supervisor.h"

namespace bascule::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Both ends of a connection.
struct Pair {
  explicit Pair(int type) { EXPECT_EQ(::socketpair(AF_UNIX, type, 0, ends.data()), 0); }
  ~Pair() {
    close_ours();
    ::close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  void close_ours() {
    if (ends[0] >= 0) {
      ::close(std::exchange(ends[0], -1));
    }
  }
  /// All other copies of our end are closed.
  [[nodiscard]] bool at_end() const {
    char byte = 0;
    return ::recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0;
  }
  std::array<int, 2> ends{-1, -1};
};

struct Message {
  std::string text;
  int socket = -1;
};

std::optional<Message> receive(int from) {
  std::array<char, 512> text{};
  iovec bytes{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(from, &header, MSG_DONTWAIT);
  if (got <= 0) {
    return std::nullopt;
  }
  Message message{.text = std::string(text.data(), static_cast<std::size_t>(got))};
  // systemd's library also sends its credentials along with a socket.
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&message.socket, CMSG_DATA(part), sizeof message.socket);
    }
  }
  return message;
}

TEST(SocketHolderTest, NobodyHoldsWhereNobodyWouldListen) {
  boost::asio::io_context io;
  EXPECT_EQ(SocketHolder::from_environment(io), nullptr);
}

TEST(SocketHolderTest, AParentGetsTheSocketAndIsToldWhenItIsOfNoUse) {
  Pair channel(SOCK_SEQPACKET);
  ::setenv(kHolderVariable, std::to_string(::dup(channel.ends[0])).c_str(), 1);
  boost::asio::io_context io;
  const auto holder = SocketHolder::from_environment(io);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(std::getenv(kHolderVariable), nullptr);  // Not for our own children.
  Pair connection(SOCK_STREAM);
  holder->hold(connection.ends[0]);
  connection.close_ours();
  const auto held = receive(channel.ends[1]);
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->text, std::string(1, kHold));
  ASSERT_GE(held->socket, 0);
  EXPECT_FALSE(connection.at_end());
  ::close(held->socket);
  EXPECT_TRUE(connection.at_end());
  holder->drop();
  const auto dropped = receive(channel.ends[1]);
  ASSERT_TRUE(dropped.has_value());
  EXPECT_EQ(dropped->text, std::string(1, kDrop));
  EXPECT_EQ(dropped->socket, -1);
}

/// systemd as far as a service sees it.
class ServiceManager {
 public:
  ServiceManager() {
    folder_ = (std::filesystem::temp_directory_path() / "bascule-notify-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/notify";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
    std::filesystem::remove_all(folder_);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  [[nodiscard]] std::optional<Message> next() const { return receive(socket_); }

 private:
  std::string folder_;
  int socket_;
};

TEST(SocketHolderTest, SystemdKeepsTheNewestSocketOnly) {
  const ServiceManager systemd;
  boost::asio::io_context io;
  const auto holder = SocketHolder::from_environment(io);
  ASSERT_NE(holder, nullptr);
  EXPECT_FALSE(systemd.next().has_value());
  const Pair connection(SOCK_STREAM);
  holder->hold(connection.ends[0]);
  EXPECT_EQ(systemd.next().value().text, "FDSTOREREMOVE=1\nFDNAME=xmpp-client");
  const auto stored = systemd.next();
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->text, "FDSTORE=1\nFDNAME=xmpp-client\nFDPOLL=0");
  EXPECT_GE(stored->socket, 0);
  ::close(stored->socket);
}

/// In a process of its own, because systemd passes descriptors from number 3 on.
int exit_status_of_heir(const Pair& connection, bool goes_on) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(connection.ends[0], 3);
    ::close_range(4, ~0U, 0);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", "xmpp-client", 1);
    boost::asio::io_context io;
    const auto holder = SocketHolder::from_environment(io);
    if (goes_on) {
      holder->hold(STDERR_FILENO);
    }
    ::_exit(::fcntl(3, F_GETFD) == -1 ? 0 : 1);  // 0: what was inherited is closed.
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(SocketHolderTest, WhatWasInheritedIsKeptUntilTheSessionGoesOn) {
  const ServiceManager systemd;
  const Pair connection(SOCK_STREAM);
  EXPECT_EQ(exit_status_of_heir(connection, false), 1);
  EXPECT_EQ(exit_status_of_heir(connection, true), 0);
}

TEST(RestartDelayTest, GrowsWhileNothingLives) {
  RestartDelay delay;
  EXPECT_EQ(delay.after(milliseconds{300}), Duration::zero());
  EXPECT_EQ(delay.after(milliseconds{300}), milliseconds{100});
  EXPECT_EQ(delay.after(milliseconds{300}), milliseconds{200});
  for (int i = 0; i < 20; ++i) {
    delay.after(milliseconds{300});
  }
  EXPECT_EQ(delay.after(milliseconds{300}), seconds{5});
  EXPECT_EQ(delay.after(seconds{31}), Duration::zero());
  EXPECT_EQ(delay.after(milliseconds{300}), milliseconds{100});
}

}  // namespace
}  // namespace bascule::daemon
