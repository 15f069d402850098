#include "tests/unit/xmpp/stream/scripted_server.h"

#include <boost/asio/write.hpp>

namespace bascule::test {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

ScriptedServer::ScriptedServer(net::io_context& io)
    : io_(io),
      acceptor_(io, tcp::endpoint(net::ip::address_v4::loopback(), 0)),
      tls_context_(net::ssl::context::tls_server) {
  accept();
}

void ScriptedServer::use_certificate(const std::string& certificate_file,
                                     const std::string& key_file) {
  tls_context_.use_certificate_chain_file(certificate_file);
  tls_context_.use_private_key_file(key_file, net::ssl::context::pem);
}

void ScriptedServer::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error) {
      return;
    }
    tls_.reset();
    socket_.emplace(std::move(socket));
    ++connections_;
    step_ = 0;
    unread_.clear();
    received_.clear();
    peer_closed_ = false;
    if (reading_) {
      read();
    }
    accept();
  });
}

void ScriptedServer::read() {
  auto done = [this, connection = connections_](error_code error, std::size_t bytes) {
    if (connection == connections_) {
      on_read(error, bytes);
    }
  };
  if (tls_) {
    tls_->async_read_some(net::buffer(buffer_), done);
  } else {
    socket_->async_read_some(net::buffer(buffer_), done);
  }
}

void ScriptedServer::on_read(error_code error, std::size_t bytes) {
  if (error) {
    peer_closed_ = true;
    return;
  }
  unread_.append(buffer_.data(), bytes);
  received_.append(buffer_.data(), bytes);
  const bool was_plain = !tls_;
  advance();
  if (reading_ && socket_->is_open() && !(was_plain && tls_)) {
    read();
  }
}

void ScriptedServer::advance() {
  while (step_ < script_.size()) {
    const Exchange exchange = script_[step_];
    const std::size_t at = unread_.find(exchange.await);
    if (at == std::string::npos) {
      return;
    }
    unread_.erase(0, at + exchange.await.size());
    ++step_;
    send(exchange.reply);
    switch (exchange.then) {
      case Then::kGoOn:
        break;
      case Then::kClose:
        close();
        return;
      case Then::kReset:
        reset();
        return;
      case Then::kStartTls:
        start_tls();
        return;
    }
  }
}

void ScriptedServer::start_tls() {
  tls_ = std::make_unique<net::ssl::stream<tcp::socket&>>(*socket_, tls_context_);
  tls_->async_handshake(net::ssl::stream_base::server,
                        [this, connection = connections_](error_code error) {
                          if (connection != connections_) {
                            return;
                          }
                          if (error) {
                            peer_closed_ = true;
                          } else {
                            read();
                          }
                        });
}

void ScriptedServer::send(const std::string& text) {
  if (text.empty()) {
    return;
  }
  error_code ignored;  // The peer may be gone already; the test looks at what it saw.
  if (tls_) {
    net::write(*tls_, net::buffer(text), ignored);
  } else {
    net::write(*socket_, net::buffer(text), ignored);
  }
}

void ScriptedServer::close() {
  error_code ignored;
  socket_->shutdown(tcp::socket::shutdown_both, ignored);
  socket_->close(ignored);
}

void ScriptedServer::reset() {
  error_code ignored;
  socket_->set_option(net::socket_base::linger(true, 0), ignored);
  socket_->close(ignored);
}

}  // namespace bascule::test
