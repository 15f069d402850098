#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "base/result.h"
#include "base/time.h"

namespace bascule::ctl::doctor {

/// One address of a name, as the resolver of the system gives it.
struct Address {
  sockaddr_storage socket{};
  socklen_t size = 0;
  std::string text;  ///< Numeric, without the port.
};

/// Every TCP address of `host`, in the order in which the daemon tries them. Blocks as long as the
/// resolver of the system does. Errors: kNotFound with what the resolver says.
Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

/// An open socket; closed by the destructor. Reading and writing fail after 8 s.
class Socket {
 public:
  /// Errors: kUnavailable: refused, unreachable, no answer within 3 s.
  static Result<Socket> connect(const Address& address);
  /// To the first of these that accepts. Errors: as above, of the last one.
  static Result<Socket> connect(const std::vector<Address>& addresses);
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int fd() const { return fd_; }
  /// Errors: kTimeout.
  [[nodiscard]] Result<> write(std::string_view text) const;
  /// At least one byte. Errors: kTimeout when the peer closed or says nothing.
  [[nodiscard]] Result<std::string> read() const;

 private:
  explicit Socket(int fd) : fd_(fd) {}
  int fd_;
};

/// Whether anybody accepts connections there.
bool accepts(const std::string& host, std::uint16_t port);

}  // namespace bascule::ctl::doctor
