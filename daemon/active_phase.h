#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "admin/http.h"
#include "daemon/app.h"
#include "daemon/pair.h"
#include "ha/local/peer_socket.h"
#include "ha/replicator.h"

namespace bascule::daemon {

/// The process serves, and keeps the other one up to date: the app with a replicator between it and
/// the store. Hands over when it is asked to (SIGUSR2, HTTP) or ends (SIGTERM).
class ActivePhase final : private focus::CommitSink {
 public:
  ActivePhase(boost::asio::io_context& io, Pair& pair, const focus::Restored& state,
              const ha::Term& term);
  ~ActivePhase() override;
  ActivePhase(const ActivePhase&) = delete;
  ActivePhase& operator=(const ActivePhase&) = delete;

  /// Errors: as App::start.
  Result<> start();
  /// After the loop ended.
  [[nodiscard]] PhaseEnd end() const { return end_; }
  /// The same; once.
  focus::Restored take_state(WallTime now) { return std::move(replicator_).restored(now); }

 private:
  struct Link {
    std::shared_ptr<ha::PeerConnection> connection;
    bool has_joined = false;
  };
  struct Switch {
    Instant began;
    bool then_exit;
    admin::Respond respond;  // May be empty.
    bool is_drained = false;
    bool is_offered = false;
  };

  void commit(CommitId id, std::vector<focus::Operation> operations) override;
  void write(WriteId id, stats::Batch batch) override;
  void stored(const stats::sqlite::Completion& completion);

  AppHooks hooks();
  void add_routes(admin::Router& router);
  [[nodiscard]] HaStatus status() const;

  void accept(ha::PeerConnection::Socket socket);
  Result<> receive(ha::PeerId peer, const ha::Frame& frame);
  void closed(ha::PeerId peer, const std::string& why);
  void flush(ha::PeerId peer);
  void flush_all();
  /// Tells, publishes, answers: after everything that happened to the replicator.
  void settle();
  void tell(const ha::Replicator::Event& event);
  void publish();
  void rearm();

  Result<> begin_switch(bool then_exit, admin::Respond respond);
  void offer_when_drained();
  void finish_switch();
  void abort_switch(const std::string& why);
  void wait_for_signal();

  boost::asio::io_context& io_;
  Pair& pair_;
  StoreLine line_;
  ha::Replicator replicator_;
  std::uint64_t last_peer_ = 0;
  std::map<ha::PeerId, Link> links_;
  std::unique_ptr<ha::PeerListener> listener_;
  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_;
  boost::asio::steady_timer switch_timer_;
  boost::asio::signal_set signals_;
  std::optional<Switch> switch_;
  PhaseEnd end_ = PhaseEnd::kExit;
  App app_;  // Last: its end must not reach what is above.
};

}  // namespace bascule::daemon
