#include "ctl/doctor/tcp.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

namespace bascule::ctl::doctor {
namespace {

constexpr int kConnectMs = 3'000;
/// Who works answers at once; who is busy with a storm answers late.
constexpr timeval kAnswer{.tv_sec = 8, .tv_usec = 0};

std::string text_of(int error) {
  return std::generic_category().message(error);
}

/// What became of a connect that did not end at once.
int wait_for_connect(int fd) {
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&wanted, 1, kConnectMs) <= 0) {
    return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;  // As Asio asks.
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (error != 0) {
    return fail(Errc::kNotFound, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Address& address = addresses.emplace_back();
    std::memcpy(&address.socket, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    std::array<char, NI_MAXHOST> text{};
    ::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                  NI_NUMERICHOST);
    address.text = text.data();
  }
  return addresses;
}

Result<Socket> Socket::connect(const Address& address) {
  Socket socket(::socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd_ < 0) {
    return fail(Errc::kUnavailable, text_of(errno));
  }
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.socket);
  int error = ::connect(socket.fd_, raw, address.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    error = wait_for_connect(socket.fd_);
  }
  if (error != 0) {
    return fail(Errc::kUnavailable, text_of(error));
  }
  ::fcntl(socket.fd_, F_SETFL, ::fcntl(socket.fd_, F_GETFL) & ~O_NONBLOCK);
  ::setsockopt(socket.fd_, SOL_SOCKET, SO_RCVTIMEO, &kAnswer, sizeof kAnswer);
  ::setsockopt(socket.fd_, SOL_SOCKET, SO_SNDTIMEO, &kAnswer, sizeof kAnswer);
  return socket;
}

Result<Socket> Socket::connect(const std::vector<Address>& addresses) {
  Result<Socket> socket = fail(Errc::kUnavailable, "no address");
  for (const Address& address : addresses) {
    if (socket = connect(address); socket) {
      break;
    }
  }
  return socket;
}

bool accepts(const std::string& host, std::uint16_t port) {
  const auto addresses = resolve(host, port);
  return addresses && Socket::connect(*addresses);
}

Socket::~Socket() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<> Socket::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (written < 0) {
      return fail(Errc::kTimeout, text_of(errno));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> Socket::read() const {
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (count == 0) {
    return fail(Errc::kTimeout, "the server closed the connection");
  }
  if (count < 0) {
    return fail(Errc::kTimeout, errno == EAGAIN ? "it says nothing" : text_of(errno));
  }
  return std::string(bytes.data(), static_cast<std::size_t>(count));
}

}  // namespace bascule::ctl::doctor
