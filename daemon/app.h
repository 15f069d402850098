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
#include "admin/metrics.h"
#include "admin/metrics_page.h"
#include "admin/order_desk.h"
#include "admin/routes.h"
#include "admin/stop_route.h"
#include "config/config.h"
#include "daemon/bridge_metrics.h"
#include "daemon/crash_guard.h"
#include "daemon/link_runtime.h"
#include "daemon/log_sink.h"
#include "daemon/loop_watch.h"
#include "daemon/reading_api.h"
#include "daemon/reloader.h"
#include "daemon/session_evictor.h"
#include "daemon/socket_holder.h"
#include "daemon/stats_routes.h"
#include "daemon/store_upkeep.h"
#include "daemon/store_watch.h"
#include "focus/commit_sink.h"
#include "focus/focus.h"
#include "focus/output_gate.h"
#include "focus/restored.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What the app stands in; all may be empty. What a process that has a partner adds is in
/// daemon/active_phase.h.
struct AppHooks {
  focus::OutputGateOptions gate = {};
  SocketHolder* holder = nullptr;              ///< Of the client link's socket.
  CrashGuard* guard = nullptr;                 ///< Is told which conference is being worked on.
  Reloader* reloader = nullptr;                ///< What SIGHUP does.
  std::shared_ptr<admin::Access> access = {};  ///< Who may do what over HTTP.
  focus::CommitSink* sink = nullptr;           ///< Takes commits and writes; default: the store.
  std::function<bool()> suspend;               ///< Instead of it (SIGTERM). False: the app has to.
  std::function<void(admin::Router&)> add_routes;
  std::function<nlohmann::ordered_json()> ha_status;  ///< Empty: there is one process.
  std::function<void(admin::Metrics&)> add_metrics;
  std::function<void(std::vector<std::string>&)> add_problems;  ///< None of them makes us unready.
};

/// The event loop around the focus. One turn: take at most 64 inputs, let the focus handle them,
/// hand its operations to the store, perform what the output gate lets through, acknowledge the
/// stanzas whose effects have left, arm one timer. Everything runs on the thread of `io`.
class App {
 public:
  /// The store is opened before (its content is `restored`) and outlives the app, as does what the
  /// hooks name.
  App(boost::asio::io_context& io, const config::Config& config, const focus::Restored& restored,
      stats::sqlite::Store& store, LogSink& log, AppHooks hooks);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Everything that is served; lives no longer than the app.
  [[nodiscard]] admin::Router make_router();
  /// Opens the HTTP listener, then the links. Errors: kUnavailable when the listener cannot bind.
  Result<> start();
  /// A completion of the store; on the loop thread.
  void completed(const stats::sqlite::Completion& completion);

  /// Takes no input any more; `drained` is called once, when everything done so far has left.
  void pause(std::function<void()> drained);
  /// Takes up again what was put off.
  void resume();
  /// Stops without a word to anybody: the server keeps our session and our rooms for the process
  /// that comes next (XEP-0198). What was done is committed and said before.
  void suspend();
  /// Ends the loop, behind the HTTP answers of this turn.
  void end_loop();
  [[nodiscard]] std::size_t conference_count() const { return focus_.conference_count(); }
  /// Somebody asked for what ends this process as the one that serves: told in the log, because
  /// nothing waits for the store then.
  void note_asked(const std::string& by, const char* what);

 private:
  /// Between two reports of our state to the service manager.
  static constexpr Duration kStatusInterval = std::chrono::seconds{5};
  /// Errors: as HttpServer::listen. Without the Unix socket it goes on.
  Result<> listen(admin::Router router);
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
  void reload();
  /// SIGTERM by policy.
  void terminate();
  void wait_until_empty();
  /// Of the service manager, before it kills us.
  static void ask_for_time();
  Result<> apply(const config::Config& config);
  void await_signal();
  void stop_by(admin::StopMode mode);
  /// What was done by hand, beside the focus, for the record (GET /v1/audit).
  void record(const std::string& by, const std::string& what);
  void stop_after(Duration bound);
  void leave();
  void tell_if_drained();
  void stop_if_links_are_closed();
  void stop();
  void report_status();
  [[nodiscard]] admin::Health health() const;
  admin::MetricsParts scrape();
  [[nodiscard]] std::vector<admin::LinkStatus> link_statuses() const;
  LinkRuntime& link(StreamId stream) { return *links_[static_cast<std::size_t>(stream)]; }

  boost::asio::io_context& io_;
  stats::sqlite::Store& store_;
  const AppHooks hooks_;
  focus::CommitSink& sink_;
  LogSink& log_;
  admin::HttpServerOptions http_options_;
  const config::Admin admin_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  std::string version_;
  std::string revision_;
  config::Life life_;
  focus::Focus focus_;
  focus::OutputGate gate_;
  admin::Decisions earlier_decisions_;  // Of the processes before this one.
  std::array<std::unique_ptr<LinkRuntime>, kStreamCount> links_;
  SessionEvictor evictor_;
  admin::ConferenceRequests conference_requests_;
  admin::OrderDesk order_desk_;
  StoreUpkeep upkeep_;
  StoreWatch store_watch_;
  StatsRoutes stats_routes_;
  LoopWatch loop_watch_;
  BridgeSeries bridge_series_;
  admin::MetricsPage metrics_page_;
  std::array<std::string, kStreamCount> addresses_;  // Ours on the links.
  ReadingApi reading_api_;
  std::unique_ptr<admin::HttpServer> http_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer status_timer_;
  boost::asio::steady_timer stop_timer_;
  boost::asio::signal_set signals_;
  std::deque<Queued> queue_;
  std::uint64_t turns_ = 0;
  bool turn_is_posted_ = false;
  bool degraded_ = false;
  bool stopping_ = false;             // A signal came.
  bool leaving_ = false;              // The focus is done.
  bool waiting_until_empty_ = false;  // Asked to stop; the service manager waits.
  bool paused_ = false;               // What comes is for later, or for another process.
  std::function<void()> on_drained_;
  bool stopped_ = false;  // The loop ends with this turn.
};

}  // namespace bascule::daemon
