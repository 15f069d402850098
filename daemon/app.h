#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "admin/conference_requests.h"
#include "admin/http_server.h"
#include "admin/routes.h"
#include "admin/stop_route.h"
#include "config/config.h"
#include "daemon/crash_guard.h"
#include "daemon/link_runtime.h"
#include "daemon/log_sink.h"
#include "daemon/session_evictor.h"
#include "daemon/socket_holder.h"
#include "daemon/stats_routes.h"
#include "daemon/store_upkeep.h"
#include "focus/focus.h"
#include "focus/output_gate.h"
#include "focus/restored.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// The event loop around the focus. One turn: take at most 64 inputs, let the focus handle them,
/// hand its operations to the store, perform what the output gate lets through, acknowledge the
/// stanzas whose effects have left, arm one timer. Everything runs on the thread of `io`.
class App {
 public:
  struct Options {
    focus::OutputGateOptions gate = {};
    SocketHolder* holder = nullptr;  ///< Of the client link's socket.
    CrashGuard* guard = nullptr;
  };
  /// The store is opened before (its content is `restored`) and outlives the app, as does what the
  /// options name.
  App(boost::asio::io_context& io, const config::Config& config, const focus::Restored& restored,
      stats::sqlite::Store& store, LogSink& log, const Options& options);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Opens the HTTP listener, then the links. Errors: kUnavailable when the listener cannot bind.
  Result<> start();
  /// A completion of the store; on the loop thread.
  void completed(const stats::sqlite::Completion& completion);

 private:
  void make_links(const config::Config& config, const focus::Tables& earlier);
  struct Queued {
    focus::Input input;
    StreamId stream;      // When it came from a stanza: of the link,
    std::uint64_t token;  // and what the link knows it by; 0 otherwise.
  };
  void enqueue(focus::Input input, StreamId stream = StreamId::kClient, std::uint64_t token = 0);
  void wake();
  void turn();
  void finish_turn(focus::Actions actions, Now now);
  /// Performs what the gate let through, and everything that follows from it.
  void release(focus::Actions& ready, Now now);
  void perform(focus::Actions& actions, Now now);
  void perform(const focus::Action& action, Now now);
  void acknowledge();
  void update_degraded();
  void rearm(Now now);
  void on_timer();
  void on_signal(int signal);
  void await_signal();
  void stop_by(admin::StopMode mode);
  void stop_after(Duration bound);
  void leave();
  void suspend();
  void stop_if_suspended();
  void stop_if_links_are_closed();
  void stop();
  void report_stall();
  void report_status();
  [[nodiscard]] admin::Health health() const;
  LinkRuntime& link(StreamId stream) { return *links_[static_cast<std::size_t>(stream)]; }

  boost::asio::io_context& io_;
  stats::sqlite::Store& store_;
  LogSink& log_;
  CrashGuard* guard_;
  admin::HttpServerOptions http_options_;
  std::string version_;
  focus::Focus focus_;
  focus::OutputGate gate_;
  admin::Decisions earlier_decisions_;  // Of the processes before this one.
  std::array<std::unique_ptr<LinkRuntime>, kStreamCount> links_;
  SessionEvictor evictor_;
  admin::ConferenceRequests conference_requests_;
  StoreUpkeep upkeep_;
  StatsRoutes stats_routes_;
  std::unique_ptr<admin::HttpServer> http_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer status_timer_;
  boost::asio::steady_timer stop_timer_;
  boost::asio::signal_set signals_;
  std::deque<Queued> queue_;
  std::optional<Instant> stalled_since_;  // The store does not answer, and this was said.
  std::uint64_t turns_ = 0;
  bool turn_is_posted_ = false;
  bool degraded_ = false;
  bool stopping_ = false;    // A signal came.
  bool leaving_ = false;     // The focus is done.
  bool suspending_ = false;  // Another process will go on with our session.
  bool stopped_ = false;     // The loop ends with this turn.
};

}  // namespace bascule::daemon
