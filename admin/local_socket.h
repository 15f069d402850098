#pragma once

#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <sys/types.h>

#include "admin/access.h"
#include "base/result.h"

namespace bascule::admin {

/// A Unix-domain socket with a name in the file system, mode 0660. The name is taken over from
/// whoever had it before (a process that died, or one that hands over), in one step, and is removed
/// at the end unless somebody else has taken it over.
class LocalSocket {
 public:
  using Acceptor = boost::asio::local::stream_protocol::acceptor;

  explicit LocalSocket(boost::asio::io_context& io) : acceptor_(io) {}
  ~LocalSocket() { close(); }
  LocalSocket(const LocalSocket&) = delete;
  LocalSocket& operator=(const LocalSocket&) = delete;

  /// Errors: kUnavailable (names the path), kRefused when something else than a socket is there.
  Result<> listen(const std::string& path);
  void close();

  [[nodiscard]] Acceptor& acceptor() { return acceptor_; }
  /// Who is at the other end of an accepted connection.
  [[nodiscard]] Peer peer_of(int socket) const;

 private:
  Acceptor acceptor_;
  std::string path_;
  dev_t device_{};
  ino_t inode_{};
  gid_t group_{};
};

}  // namespace bascule::admin
