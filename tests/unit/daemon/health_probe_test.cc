#include "daemon/health_probe.h"

#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::daemon {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;

/// What the probe says to a process that gives this answer to the first request.
Result<> probe_of(const std::string& answer) {
  boost::asio::io_context io;
  tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::thread server([&] {
    tcp::socket socket = acceptor.accept();
    boost::asio::streambuf request;
    boost::asio::read_until(socket, request, "\r\n\r\n");
    boost::asio::write(socket, boost::asio::buffer(answer));
  });
  auto result = probe_health({.port = acceptor.local_endpoint().port()});
  server.join();
  return result;
}

TEST(HealthProbeTest, OnlyAGoodAnswerIsHealth) {
  EXPECT_TRUE(probe_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK\n").has_value());
  const auto late = probe_of("HTTP/1.1 504 Gateway Timeout\r\n\r\n");
  ASSERT_FALSE(late.has_value());
  EXPECT_THAT(late.error().what, HasSubstr(": HTTP/1.1 504 Gateway Timeout"));
  EXPECT_THAT(probe_of("").error().what, HasSubstr("no answer"));
  EXPECT_EQ(probe_of("SSH-2.0-x\r\n").error().code, Errc::kRefused);
}

TEST(HealthProbeTest, NobodyThereIsSaidWithThePlace) {
  EXPECT_THAT(probe_health({.address = "0.0.0.0", .port = 1}).error().what,
              HasSubstr("127.0.0.1 port 1: Connection refused"));
  EXPECT_EQ(probe_health({.address = "localhost", .port = 1}).error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace bascule::daemon
