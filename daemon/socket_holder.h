#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/time.h"

namespace bascule::daemon {

/// Somebody outside this process who keeps a duplicate of the client link's socket and does nothing
/// with it. While it is kept, the end of this process does not close the connection: the server
/// goes on queueing for a session that is only silent, which is far cheaper for it than one that
/// hibernates (Prosody copies the whole queue for every stanza of such a one), and what this
/// process had written still arrives. The next process resumes the session on a connection of its
/// own.
class SocketHolder {
 public:
  virtual ~SocketHolder() = default;
  /// Keeps this socket (a duplicate of it) and closes what was kept before.
  virtual void hold(int socket) = 0;
  /// Closes what is kept.
  virtual void drop() = 0;

  /// The one this process was started under: `bascule --supervise` (`kHolderVariable`), else
  /// systemd (`NOTIFY_SOCKET`, see sd_notify(3) on FDSTORE), else nullptr. To be called once,
  /// early: takes over what systemd kept of the process before, and closes it when nothing was held
  /// for kHoldMax.
  static std::unique_ptr<SocketHolder> from_environment(boost::asio::io_context& io);
};

/// Names the descriptor of a SOCK_SEQPACKET socket whose other end the parent reads. A message is
/// one byte: kHold with the socket attached, or kDrop.
inline constexpr const char* kHolderVariable = "BASCULE_SOCKET_HOLDER";
inline constexpr char kHold = 'h';
inline constexpr char kDrop = 'd';

/// How long a socket is kept for a process that does not go on with its session. People behind a
/// focus that cannot start must not wait for it longer: then the server may tell them.
inline constexpr Duration kHoldMax = std::chrono::seconds{10};

}  // namespace bascule::daemon
