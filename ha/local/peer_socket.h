#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/types.h>

#include "base/result.h"
#include "ha/peer_frame.h"

namespace bascule::ha {

/// One connection to another process of this host: frames in, frames out. Everything happens on the
/// thread of its io_context; callbacks may destroy what holds the connection.
class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  struct Callbacks {
    /// Errors close the connection, with the reason said to the peer.
    std::function<Result<>(const Frame&)> frame;
    std::function<void()> read;                          ///< After the frames of one read.
    std::function<void()> drained;                       ///< Nothing waits to be written.
    std::function<void(const std::string& why)> closed;  ///< At most once; not after `close`.
  };
  using Socket = boost::asio::local::stream_protocol::socket;

  static std::shared_ptr<PeerConnection> start(Socket socket, Callbacks callbacks);

  void send(std::string_view frame);
  /// Without a word, at once; nothing is called back any more.
  void close();
  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size() + writing_.size(); }
  /// Process and user at the other end, as the kernel knows them (SO_PEERCRED).
  [[nodiscard]] pid_t peer_pid() const { return peer_pid_; }
  [[nodiscard]] uid_t peer_uid() const { return peer_uid_; }

 private:
  PeerConnection(Socket socket, Callbacks callbacks);
  void read();
  void took(std::string_view bytes);
  void write();
  void fail_with(const std::string& why);

  Socket socket_;
  Callbacks callbacks_;
  FrameReader frames_;
  std::string input_;
  std::string queue_;  // Waits while `writing_` leaves.
  std::string writing_;
  bool is_open_ = true;
  pid_t peer_pid_ = -1;
  uid_t peer_uid_ = static_cast<uid_t>(-1);
};

/// Listens on a Unix socket with mode 0600. What has the name already is removed: only who holds
/// the lock listens.
class PeerListener {
 public:
  using Accepted = std::function<void(PeerConnection::Socket)>;
  /// Errors: kUnavailable.
  static Result<std::unique_ptr<PeerListener>> listen(boost::asio::io_context& io,
                                                      const std::string& path, Accepted accepted);

 private:
  PeerListener(boost::asio::io_context& io, Accepted accepted)
      : acceptor_(io), pause_(io), accepted_(std::move(accepted)) {}
  void accept();

  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;  // When there are no descriptors.
  Accepted accepted_;
};

/// Connects once, without waiting: a Unix socket has a listener or it has not. Errors:
/// kUnavailable.
Result<PeerConnection::Socket> connect_to_peer(boost::asio::io_context& io,
                                               const std::string& path);

/// A process, so that a signal never reaches another one that got its number later.
class ProcessHandle {
 public:
  /// nullopt: there is no such process any more.
  static std::optional<ProcessHandle> open(pid_t pid);
  ~ProcessHandle();
  ProcessHandle(ProcessHandle&& other) noexcept;
  ProcessHandle& operator=(ProcessHandle&& other) noexcept;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// SIGKILL. Errors: kUnavailable.
  [[nodiscard]] Result<> kill() const;

 private:
  ProcessHandle(pid_t pid, int descriptor) : pid_(pid), descriptor_(descriptor) {}

  pid_t pid_;
  int descriptor_;
};

}  // namespace bascule::ha
