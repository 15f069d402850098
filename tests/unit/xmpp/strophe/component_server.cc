#include "tests/unit/xmpp/strophe/component_server.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>

namespace bascule::xmpp {
namespace {

using boost::asio::ip::tcp;

constexpr const char* kStreamId = "3BF96D32";

std::string sha1_hex(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha1(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

}  // namespace

ComponentServer::ComponentServer(boost::asio::io_context& io, std::string secret,
                                 Behaviour behaviour)
    : io_(io),
      acceptor_(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
      socket_(io),
      secret_(std::move(secret)),
      behaviour_(behaviour) {
  if (behaviour_ == Behaviour::kDeaf) {
    // The kernel must not read in its place.
    acceptor_.set_option(tcp::socket::receive_buffer_size(4096));
  }
  accept();
}

void ComponentServer::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (error) {
      return;
    }
    socket_ = std::move(socket);
    login_buffer_.clear();
    received.clear();
    header_sent_ = logged_in_ = false;
    if (behaviour_ != Behaviour::kSilent) {
      read();
    }
    accept();
  });
}

void ComponentServer::read() {
  socket_.async_read_some(boost::asio::buffer(chunk_),
                          [this](const boost::system::error_code& error, std::size_t bytes) {
                            if (error == boost::asio::error::operation_aborted) {
                              return;
                            }
                            if (error) {
                              drop();
                              return;
                            }
                            handle(std::string(chunk_.data(), bytes));
                            if (!(logged_in_ && behaviour_ == Behaviour::kDeaf)) {
                              read();
                            }
                          });
}

void ComponentServer::handle(const std::string& chunk) {
  if (logged_in_) {
    received += chunk;
    if (on_received) {
      on_received(chunk);
    }
    if (received.find("</stream:stream>") != std::string::npos) {
      write("</stream:stream>");
      drop();
    }
    return;
  }
  login_buffer_ += chunk;
  if (behaviour_ == Behaviour::kStallInTls) {
    handle_starttls();
    return;
  }
  if (!header_sent_ && login_buffer_.find("xmlns:stream") != std::string::npos) {
    header_sent_ = true;
    write(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' from='c.test' id='3BF96D32'>");
  }
  if (login_buffer_.find("</handshake>") == std::string::npos) {
    return;
  }
  std::string expected = kStreamId;
  expected += secret_;
  if (login_buffer_.find(sha1_hex(expected) + "</handshake>") == std::string::npos) {
    write(
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match</text>"
        "</stream:error></stream:stream>");
    drop();
    return;
  }
  logged_in_ = true;
  ++logins;
  write("<handshake/>");
}

void ComponentServer::handle_starttls() {
  if (!header_sent_ && login_buffer_.find("xmlns:stream") != std::string::npos) {
    header_sent_ = true;
    write(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' "
        "xmlns:stream='http://etherx.jabber.org/streams' from='c.test' id='1'><stream:features>"
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>");
  } else if (login_buffer_.find("<starttls") != std::string::npos) {
    login_buffer_.clear();
    ++logins;
    write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  }
}

void ComponentServer::write(const std::string& bytes) {
  boost::system::error_code error;
  boost::asio::write(socket_, boost::asio::buffer(bytes), error);
}

void ComponentServer::drop() {
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

}  // namespace bascule::xmpp
