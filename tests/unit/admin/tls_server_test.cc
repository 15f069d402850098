// The server over TLS, and what reaches its port without it.

#include <fstream>
#include <iterator>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/unit/admin/private_files.h"
#include "tests/unit/admin/server_fixture.h"
#include "tests/unit/xmpp/stream/certificates.h"

namespace bascule::admin {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using boost::system::error_code;

class TlsServerTest : public testing::Test {
 protected:
  /// Puts the files of a fresh certificate in place.
  void install(const test::Certificates& made) {
    files_.write("chain.pem", text_of(made.certificate()));
    files_.write("key.pem", text_of(made.key()));
  }
  std::shared_ptr<Access> open() {
    return Access::open(
               {.tls_certificate = files_.path("chain.pem"), .tls_key = files_.path("key.pem")})
        .value();
  }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// A client that trusts one certificate and talks the given versions.
  struct Client {
    Client(ServerFixture& fixture, const test::Certificates& trusted,
           int version_max = TLS1_3_VERSION)
        : context(ssl::context::tls_client), stream(fixture.client_io(), context) {
      context.load_verify_file(trusted.certificate());  // The store is shared with the stream.
      SSL_set_verify(stream.native_handle(), SSL_VERIFY_PEER, nullptr);
      SSL_set_min_proto_version(stream.native_handle(), TLS1_VERSION);
      SSL_set_max_proto_version(stream.native_handle(), version_max);
      SSL_set_security_level(stream.native_handle(), 0);
      stream.next_layer() = fixture.connect();
    }
    error_code shake() {
      error_code error;
      stream.handshake(ssl::stream_base::client, error);
      return error;
    }
    ssl::context context;
    ssl::stream<tcp::socket> stream;
  };

  PrivateFiles files_;
  test::Certificates first_;
  test::Certificates second_;
};

constexpr auto kHello = "GET /hello?x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

TEST_F(TlsServerTest, ServesByTlsAndEndsInOrder) {
  install(first_);
  ServerFixture fixture({.access = open()});
  Client client(fixture, first_);
  ASSERT_FALSE(client.shake());
  error_code error;
  boost::asio::write(client.stream, boost::asio::buffer(std::string(kHello)), error);
  std::string answer;
  boost::asio::read(client.stream, boost::asio::dynamic_buffer(answer), error);
  EXPECT_TRUE(answer.ends_with("hello x")) << answer;
  EXPECT_EQ(error, boost::asio::error::eof) << "close_notify: nothing was cut off";
}

TEST_F(TlsServerTest, OldVersionsAndPlainHttpAreNotServed) {
  install(first_);
  ServerFixture fixture({.access = open()});
  EXPECT_TRUE(Client(fixture, first_, TLS1_1_VERSION).shake());
  EXPECT_FALSE(Client(fixture, first_, TLS1_2_VERSION).shake());
  EXPECT_EQ(fixture.exchange(kHello).find("hello x"), std::string::npos);
  EXPECT_TRUE(fixture.eventually(
      [](const auto& now) { return now.refused_for(HttpRefusal::kHandshake) == 2; }));
}

TEST_F(TlsServerTest, AHandshakeThatDoesNotComeIsNotWaitedFor) {
  install(first_);
  ServerFixture fixture({.request_timeout = std::chrono::milliseconds{50}, .access = open()});
  EXPECT_EQ(fixture.exchange(""), "");
  EXPECT_EQ(fixture.exchange("\x16\x03\x01"), "");
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 0; }));
}

TEST_F(TlsServerTest, AnotherProtocolIsRefused) {
  install(first_);
  ServerFixture fixture({.access = open()});
  Client h2(fixture, first_);
  SSL_set_alpn_protos(h2.stream.native_handle(), reinterpret_cast<const unsigned char*>("\x02h2"),
                      3);
  EXPECT_TRUE(h2.shake());
  Client http(fixture, first_);
  SSL_set_alpn_protos(http.stream.native_handle(),
                      reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
  EXPECT_FALSE(http.shake());
}

TEST_F(TlsServerTest, ANewCertificateIsForNewConnections) {
  install(first_);
  const auto access = open();
  ServerFixture fixture({.access = access});
  Client before(fixture, first_);
  ASSERT_FALSE(before.shake());
  install(second_);
  EXPECT_TRUE(fixture.on_loop([&] { return access->reload().at(0).outcome.has_value(); }));
  EXPECT_TRUE(Client(fixture, first_).shake()) << "the old one is not served any more";
  Client after(fixture, second_);
  ASSERT_FALSE(after.shake());
  for (Client* client : {&before, &after}) {
    EXPECT_TRUE(ServerFixture::exchange_over(client->stream, kHello).ends_with("hello x"));
  }
}

TEST_F(TlsServerTest, ABrokenCertificateKeepsTheOldOne) {
  install(first_);
  const auto access = open();
  ServerFixture fixture({.access = access});
  const auto reload = [&] {
    return fixture.on_loop([&] { return access->reload().at(0).outcome; });
  };
  files_.write("key.pem", text_of(second_.key()));  // Of another certificate.
  ASSERT_FALSE(reload().has_value());
  EXPECT_NE(reload().error().what.find(files_.path("key.pem")), std::string::npos);
  files_.write("chain.pem", "not a certificate");
  EXPECT_NE(reload().error().what.find(files_.path("chain.pem")), std::string::npos);
  install(second_);
  std::filesystem::permissions(files_.path("key.pem"), std::filesystem::perms(0644));
  EXPECT_NE(reload().error().what.find("chmod"), std::string::npos);
  std::filesystem::remove(files_.path("key.pem"));
  EXPECT_FALSE(reload().has_value());
  EXPECT_FALSE(Client(fixture, first_).shake()) << "served with what was good";
  EXPECT_GT(access->certificate().not_after, 0);
}

TEST_F(TlsServerTest, ABrokenCertificateAtTheStartIsAnError) {
  EXPECT_FALSE(
      Access::open({.tls_certificate = files_.path("chain.pem"), .tls_key = files_.path("key.pem")})
          .has_value());
}

TEST_F(TlsServerTest, HandshakesArePaced) {
  install(first_);
  ServerFixture fixture({.handshakes_per_second_max = 2, .access = open()});
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(Client(fixture, first_).shake());
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds{1900});
}

TEST_F(TlsServerTest, StreamsGoOverTlsAsWell) {
  install(first_);
  ServerFixture fixture({.access = open()});
  Client client(fixture, first_);
  ASSERT_FALSE(client.shake());
  boost::asio::write(
      client.stream,
      boost::asio::buffer(std::string("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  std::string text;
  boost::asio::read_until(client.stream, boost::asio::dynamic_buffer(text), "\r\n\r\n");
  fixture.on_loop([&fixture] {
    fixture.stream()->send(server_sent_event("test", "one"));
    return true;
  });
  boost::asio::read_until(client.stream, boost::asio::dynamic_buffer(text), "data: one\n\n");
  client.stream.next_layer().close();
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.streams_open == 0; }));
}

}  // namespace
}  // namespace bascule::admin
