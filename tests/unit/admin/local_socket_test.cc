// The Unix socket: who may, stale files, taking over the name.

#include "admin/local_socket.h"

#include <array>
#include <filesystem>
#include <string>

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/admin/private_files.h"
#include "tests/unit/admin/server_fixture.h"

namespace bascule::admin {
namespace {

using Stream = boost::asio::local::stream_protocol;

class LocalSocketTest : public testing::Test {
 protected:
  std::string ask(ServerFixture& fixture, const std::string& path) {
    Stream::socket socket(fixture.client_io());
    socket.connect(Stream::endpoint(path));
    // No Host: it is another protocol that has none.
    return ServerFixture::exchange_over(socket, "GET /who HTTP/1.1\r\nConnection: close\r\n\r\n");
  }
  Result<> listen(ServerFixture& fixture) {
    return fixture.on_loop([&] { return fixture.server().listen_local(path_); });
  }

  PrivateFiles files_;
  const std::string path_ = files_.path("admin.sock");
};

TEST_F(LocalSocketTest, ServesTheSameAndKnowsWhoAsks) {
  ServerFixture fixture;
  ASSERT_TRUE(listen(fixture).has_value());
  const std::string answer = ask(fixture, path_);
  EXPECT_NE(answer.find("\r\n\r\nsocket:" + std::to_string(::getuid()) + " "), std::string::npos)
      << answer;
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(LocalSocketTest, TokensDoNotShutItsOwnersOut) {
  files_.write("tokens", line_of("ann", "read", token_number(1)));
  ServerFixture fixture({.access = Access::open({.tokens_file = files_.path("tokens")}).value()});
  ASSERT_TRUE(listen(fixture).has_value());
  EXPECT_NE(ask(fixture, path_).find("HTTP/1.1 200 "), std::string::npos);
  EXPECT_NE(fixture.ask("GET /who").find("HTTP/1.1 401 "), std::string::npos);
}

TEST_F(LocalSocketTest, AFileThatWasLeftBehindIsReplaced) {
  {
    boost::asio::io_context io{1};
    const Stream::acceptor left_behind(io, Stream::endpoint(path_));  // Its end removes no file.
    const Stream::acceptor half_made(io, Stream::endpoint(path_ + ".new"));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  ServerFixture fixture;
  ASSERT_TRUE(listen(fixture).has_value());
  EXPECT_NE(ask(fixture, path_).find("HTTP/1.1 200 "), std::string::npos);
}

TEST_F(LocalSocketTest, WhatIsNoSocketIsLeftAlone) {
  files_.write("admin.sock", "somebody's");
  ServerFixture fixture;
  const auto refused = listen(fixture);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kRefused);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
  const auto missing = fixture.on_loop(
      [&] { return fixture.server().listen_local(files_.path("none/admin.sock")); });
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().what.find(files_.path("none/admin.sock")), std::string::npos);
}

TEST_F(LocalSocketTest, TheLastOneHasTheNameAndTheOthersEndDoesNotTakeItAway) {
  ServerFixture after;
  {
    ServerFixture before;
    ASSERT_TRUE(listen(before).has_value());
    ASSERT_TRUE(listen(after).has_value());
    EXPECT_NE(ask(after, path_).find("HTTP/1.1 200 "), std::string::npos);
    EXPECT_EQ(before.counters().connections, 0U);
    EXPECT_EQ(after.counters().connections, 1U);
  }
  EXPECT_NE(ask(after, path_).find("HTTP/1.1 200 "), std::string::npos);
  after.on_loop([&after] {
    after.server().stop();
    return true;
  });
  EXPECT_FALSE(std::filesystem::exists(path_)) << "nothing stale is left";
}

TEST_F(LocalSocketTest, ItsConnectionsDoNotTakeTheOthers) {
  ServerFixture fixture({.connections_max = 1, .local_connections_max = 1});
  ASSERT_TRUE(listen(fixture).has_value());
  const auto strangers = fixture.connect();
  ASSERT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 1; }));
  EXPECT_EQ(fixture.ask("GET /live"), "");
  EXPECT_NE(ask(fixture, path_).find("HTTP/1.1 200 "), std::string::npos)
      << "whoever fills the port does not shut operators out";
}

/// As root: two other users, of whom one is in the group of the socket.
TEST_F(LocalSocketTest, TheModeIsNotAllThatCounts) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  ServerFixture fixture;
  ASSERT_TRUE(listen(fixture).has_value());
  using std::filesystem::perms;
  std::filesystem::permissions(path_, perms(0666));  // Somebody's mistake.
  std::filesystem::permissions(std::filesystem::path(path_).parent_path(), perms(0755));
  const auto status_for = [&](gid_t group) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
      sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
      path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
      std::array<char, 12> answer{};
      const std::string request = "GET /who HTTP/1.1\r\n\r\n";
      const bool done =
          ::setgroups(1, &group) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0 &&
          ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
          ::write(socket, request.data(), request.size()) > 0 &&
          ::recv(socket, answer.data(), answer.size(), MSG_WAITALL) == 12;
      ::_exit(!done ? 1 : answer[9] == '2' ? 2 : answer[9] == '4' ? 4 : 3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(status_for(::getegid()), 2) << "a member of the group may";
  EXPECT_EQ(status_for(65533), 4) << "others may not, although they reach it";
}

}  // namespace
}  // namespace bascule::admin
