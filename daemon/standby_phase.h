#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "admin/http_server.h"
#include "daemon/pair.h"
#include "ha/local/peer_socket.h"
#include "ha/replica.h"

namespace bascule::daemon {

/// The process waits for its turn: campaigns for leadership, keeps a copy of what the active one
/// knows, and kills it when it holds leadership and hangs.
class StandbyPhase {
 public:
  /// What the next phase begins with.
  struct Lead {
    ha::Term term;
    focus::Restored state;
    bool is_newest = false;  ///< Nobody knows more.
    std::string cause;
    Instant won_at;
  };

  /// `handed_over`: another process was told to go on, and gets the time to do so.
  StandbyPhase(boost::asio::io_context& io, Pair& pair, focus::Restored state, bool handed_over);
  ~StandbyPhase();
  StandbyPhase(const StandbyPhase&) = delete;
  StandbyPhase& operator=(const StandbyPhase&) = delete;

  /// Errors: kUnavailable when the HTTP listener cannot bind.
  Result<> start();
  /// After the loop ended.
  [[nodiscard]] PhaseEnd end() const { return end_; }
  std::optional<Lead> take_lead() { return std::move(lead_); }

 private:
  void campaign();
  void campaign_after(Duration delay);
  void won(const Result<std::optional<ha::Term>>& outcome);
  /// Leads, or leaves it to a process that knows more.
  void decide();
  [[nodiscard]] bool is_newest(const std::optional<ha::Term>& before) const;
  [[nodiscard]] const char* cause() const;
  void lead(bool is_newest);

  void connect();
  void connect_after(Duration delay);
  Result<> receive(const ha::Frame& frame);
  void after_read();
  void store_work();
  void closed(const std::string& why);
  void check_after_interval();
  void check();
  void fence();

  [[nodiscard]] HaStatus status() const;
  void wait_for_signal();
  void stop();

  boost::asio::io_context& io_;
  Pair& pair_;
  StoreLine line_;
  std::uint64_t commits_ = 0;
  std::uint64_t writes_ = 0;
  ha::Replica replica_;
  const bool handed_over_;
  std::unique_ptr<admin::HttpServer> http_;
  boost::asio::signal_set signals_;

  boost::asio::steady_timer campaign_timer_;
  bool is_campaigning_ = false;
  bool has_won_ = false;  // The lock is ours, and what to do with it is not decided.
  Instant won_at_{};
  std::optional<ha::Term> before_;
  std::optional<Instant> prefers_others_since_;

  boost::asio::steady_timer connect_timer_;
  std::shared_ptr<ha::PeerConnection> connection_;
  std::optional<ha::ProcessHandle> process_;  // At the other end of it.
  bool is_refused_ = false;                   // We did not like what it said.
  bool was_in_sync_ = false;

  boost::asio::steady_timer check_timer_;
  std::uint64_t checks_ = 0;
  int silent_checks_ = 0;
  bool has_fenced_ = false;  // Not yet replaced by another active process.

  PhaseEnd end_ = PhaseEnd::kExit;
  std::optional<Lead> lead_;
};

}  // namespace bascule::daemon
