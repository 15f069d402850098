#include "ha/local/peer_socket.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 does not say so itself.
#include <sys/pidfd.h>
}

namespace bascule::ha {
namespace {

using boost::system::error_code;
using Protocol = boost::asio::local::stream_protocol;

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;
constexpr mode_t kSocketMode = 0600;
constexpr std::chrono::seconds kAcceptPause{1};

/// A path that fits into the address of a Unix socket.
Result<Protocol::endpoint> endpoint_of(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fail(Errc::kInvalidArgument, path + " is too long for a Unix socket");
  }
  return Protocol::endpoint(path);
}

}  // namespace

PeerConnection::PeerConnection(Socket socket, Callbacks callbacks)
    : socket_(std::move(socket)), callbacks_(std::move(callbacks)), input_(kReadBytes, '\0') {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
    peer_pid_ = credentials.pid;
    peer_uid_ = credentials.uid;
  }
}

std::shared_ptr<PeerConnection> PeerConnection::start(Socket socket, Callbacks callbacks) {
  std::shared_ptr<PeerConnection> made(new PeerConnection(std::move(socket), std::move(callbacks)));
  made->read();
  return made;
}

void PeerConnection::read() {
  socket_.async_read_some(boost::asio::buffer(input_),
                          [self = shared_from_this()](error_code error, std::size_t count) {
                            if (!self->is_open_) {
                              return;
                            }
                            if (error) {
                              self->fail_with(error.message());
                              return;
                            }
                            self->took(std::string_view(self->input_).substr(0, count));
                          });
}

void PeerConnection::took(std::string_view bytes) {
  frames_.append(bytes);
  while (is_open_) {
    auto frame = frames_.next();
    if (!frame) {
      fail_with(frame.error().what);
      return;
    }
    if (!*frame) {
      break;
    }
    if (const auto taken = callbacks_.frame(**frame); !taken && is_open_) {
      fail_with(taken.error().what);
      return;
    }
  }
  if (is_open_) {
    callbacks_.read();
  }
  if (is_open_) {
    read();
  }
}

void PeerConnection::send(std::string_view frame) {
  if (!is_open_) {
    return;
  }
  queue_ += frame;
  if (writing_.empty()) {
    write();
  }
}

void PeerConnection::write() {
  writing_ = std::exchange(queue_, {});
  boost::asio::async_write(socket_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](error_code error, std::size_t /*count*/) {
                             if (!self->is_open_) {
                               return;
                             }
                             self->writing_.clear();
                             if (error) {
                               self->fail_with(error.message());
                             } else if (!self->queue_.empty()) {
                               self->write();
                             } else {
                               self->callbacks_.drained();
                             }
                           });
}

void PeerConnection::fail_with(const std::string& why) {
  const auto closed = std::move(callbacks_.closed);
  close();
  closed(why);
}

void PeerConnection::close() {
  if (std::exchange(is_open_, false)) {
    error_code ignored;  // It is gone either way.
    socket_.close(ignored);
  }
}

Result<std::unique_ptr<PeerListener>> PeerListener::listen(boost::asio::io_context& io,
                                                           const std::string& path,
                                                           Accepted accepted) {
  const auto endpoint = endpoint_of(path);
  if (!endpoint) {
    return tl::make_unexpected(endpoint.error());
  }
  std::unique_ptr<PeerListener> made(new PeerListener(io, std::move(accepted)));
  ::unlink(path.c_str());
  error_code error;
  made->acceptor_.open(endpoint->protocol(), error);
  if (!error) {
    // Before bind, so that nobody else can connect in between.
    ::fchmod(made->acceptor_.native_handle(), kSocketMode);
    made->acceptor_.bind(*endpoint, error);
  }
  if (!error && ::chmod(path.c_str(), kSocketMode) != 0) {
    error = error_code(errno, boost::system::system_category());
  }
  if (!error) {
    made->acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return fail(Errc::kUnavailable, "cannot listen on " + path + ": " + error.message());
  }
  made->accept();
  return made;
}

void PeerListener::accept() {
  acceptor_.async_accept([this](error_code error, PeerConnection::Socket socket) {
    if (error == boost::asio::error::operation_aborted) {
      return;  // Destroyed.
    }
    if (!error) {
      accepted_(std::move(socket));
      accept();
      return;
    }
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code aborted) {
      if (!aborted) {
        accept();
      }
    });
  });
}

Result<PeerConnection::Socket> connect_to_peer(boost::asio::io_context& io,
                                               const std::string& path) {
  const auto endpoint = endpoint_of(path);
  if (!endpoint) {
    return tl::make_unexpected(endpoint.error());
  }
  PeerConnection::Socket socket(io);
  error_code error;
  socket.open(endpoint->protocol(), error);
  if (!error) {
    socket.non_blocking(true, error);  // A backlog that is full is an error, not a wait.
  }
  if (!error) {
    socket.connect(*endpoint, error);
  }
  if (error) {
    return fail(Errc::kUnavailable, path + ": " + error.message());
  }
  return socket;
}

std::optional<ProcessHandle> ProcessHandle::open(pid_t pid) {
  const int descriptor = pid > 0 ? ::pidfd_open(pid, 0) : -1;
  return descriptor < 0 ? std::nullopt : std::optional(ProcessHandle(pid, descriptor));
}

ProcessHandle::~ProcessHandle() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

ProcessHandle::ProcessHandle(ProcessHandle&& other) noexcept
    : pid_(other.pid_), descriptor_(std::exchange(other.descriptor_, -1)) {
}

ProcessHandle& ProcessHandle::operator=(ProcessHandle&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Result<> ProcessHandle::kill() const {
  if (::pidfd_send_signal(descriptor_, SIGKILL, nullptr, 0) != 0) {
    return fail(Errc::kUnavailable, std::string("cannot end process ") + std::to_string(pid_) +
                                        ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace bascule::ha
