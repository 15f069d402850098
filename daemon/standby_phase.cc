#include "daemon/standby_phase.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "daemon/access_files.h"
#include "daemon/clock.h"
#include "daemon/links.h"
#include "daemon/service_manager.h"
#include "daemon/standby_routes.h"

namespace bascule::daemon {
namespace {

using boost::system::error_code;
using focus::NoteLevel;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kConnectInterval{100};
constexpr seconds kConnectAfterRefusal{5};
constexpr milliseconds kCheckInterval{250};
constexpr std::uint64_t kChecksPerHeartbeat = 2;
constexpr std::uint64_t kChecksPerStatus = 20;
// A process that knows more may be starting: it gets this long.
constexpr seconds kPreferOthers{5};
constexpr milliseconds kCampaignAgain{100};
constexpr seconds kCampaignAfterError{1};
constexpr seconds kCampaignAfterHandover{1};
// What the dead process sent last is read first; its sockets close together with its lock.
constexpr milliseconds kDrainBound{100};

template <class Handler>
void start_timer(boost::asio::steady_timer& timer, Duration delay, Handler handler) {
  timer.expires_after(delay);
  timer.async_wait([handler = std::move(handler)](error_code error) {
    if (!error) {
      handler();
    }
  });
}

}  // namespace

StandbyPhase::StandbyPhase(boost::asio::io_context& io, Pair& pair, focus::Restored state,
                           bool handed_over)
    : io_(io),
      pair_(pair),
      line_(pair.store, pair.store_counts),
      replica_(pair.config.ha.node, pair.config.focus.version, std::move(state)),
      handed_over_(handed_over),
      signals_(io, SIGTERM, SIGINT, SIGHUP),
      campaign_timer_(io),
      connect_timer_(io),
      check_timer_(io) {
  signals_.add(SIGUSR2);
}

StandbyPhase::~StandbyPhase() {
  pair_.answers.stop();
  if (!lead_) {
    pair_.coordinator.release();
  }
  if (connection_) {
    connection_->close();
  }
}

Result<> StandbyPhase::start() {
  admin::HttpServerOptions options = http_options(pair_.config);
  options.access = pair_.access;
  auto http = admin::HttpServer::listen(
      io_, options,
      standby_routes(
          {.status = [this] { return status(); },
           .store = pair_.store,
           .reloader = pair_.reloader,
           .http = [this]() -> const admin::HttpServer& { return *http_; },
           .config = pair_.config}));
  if (!http) {
    return tl::make_unexpected(http.error());
  }
  http_ = *std::move(http);
  // What fails is in the status of the store, and the next snapshot or start makes up for it.
  pair_.answers.start(io_, [](const stats::sqlite::Completion&) {});
  notify_service_manager("READY=1\nSTATUS=standby");
  pair_.note(NoteLevel::kInfo, "ha.standby", {{"node", pair_.config.ha.node}});
  wait_for_signal();
  check_after_interval();
  connect();
  if (handed_over_) {
    campaign_after(kCampaignAfterHandover);
  } else {
    campaign();
  }
  return {};
}

void StandbyPhase::wait_for_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (error) {
      return;
    }
    if (signal == SIGTERM || signal == SIGINT) {
      pair_.note(NoteLevel::kInfo, "daemon.stopped", {});
      stop();
      return;
    }
    if (signal == SIGHUP && pair_.reloader != nullptr) {
      pair_.reloader->reload();
      reload_access(*pair_.access, pair_.log);
    }
    if (signal == SIGUSR2) {
      pair_.note(NoteLevel::kWarn, "ha.switchover_refused",
                 {{"reason", std::string("this process is the standby")}});
    }
    wait_for_signal();
  });
}

void StandbyPhase::stop() {
  if (http_) {
    http_->stop();
  }
  io_.stop();
}

// ---- leadership --------------------------------------------------------------------------------

void StandbyPhase::campaign_after(Duration delay) {
  start_timer(campaign_timer_, delay, [this] { campaign(); });
}

void StandbyPhase::campaign() {
  is_campaigning_ = true;
  pair_.coordinator.campaign([this](Result<std::optional<ha::Term>> outcome) {
    boost::asio::post(io_, [this, outcome = std::move(outcome)] { won(outcome); });
  });
}

void StandbyPhase::won(const Result<std::optional<ha::Term>>& outcome) {
  pair_.coordinator.withdraw();  // Its thread has nothing to do any more.
  is_campaigning_ = false;
  if (!outcome) {
    pair_.note(NoteLevel::kError, "ha.coordinator_failed", {{"reason", outcome.error().what}});
    pair_.coordinator.release();
    campaign_after(kCampaignAfterError);
    return;
  }
  has_won_ = true;
  won_at_ = read_clocks().mono;
  before_ = *outcome;
  if (connection_) {
    start_timer(campaign_timer_, kDrainBound, [this] { decide(); });
  } else {
    decide();
  }
}

bool StandbyPhase::is_newest(const std::optional<ha::Term>& before) const {
  if (!before) {
    return true;  // Nobody ever led.
  }
  const auto& nodes = before->in_sync;
  const bool listed = std::find(nodes.begin(), nodes.end(), pair_.config.ha.node) != nodes.end();
  const auto& position = replica_.position();
  return before->node == pair_.config.ha.node ||
         (listed && position && position->epoch == before->epoch);
}

void StandbyPhase::decide() {
  has_won_ = false;
  const Instant now = read_clocks().mono;
  if (is_newest(before_)) {
    lead(/*is_newest=*/true);
    return;
  }
  if (!prefers_others_since_) {
    prefers_others_since_ = now;
    pair_.note(NoteLevel::kWarn, "ha.waiting",
               {{"for", before_->node}, {"at_most", Duration(kPreferOthers)}});
  }
  if (now - *prefers_others_since_ >= kPreferOthers) {
    lead(/*is_newest=*/false);
    return;
  }
  pair_.coordinator.release();
  campaign_after(kCampaignAgain);
}

const char* StandbyPhase::cause() const {
  if (has_fenced_) {
    return "fenced";
  }
  if (!replica_.position()) {
    return "start";
  }
  return replica_.promised() == replica_.position() ? "switchover" : "death";
}

void StandbyPhase::lead(bool is_newest) {
  auto term = pair_.coordinator.begin_term();
  if (!term) {
    pair_.note(NoteLevel::kError, "ha.coordinator_failed", {{"reason", term.error().what}});
    pair_.coordinator.release();
    campaign_after(kCampaignAfterError);
    return;
  }
  lead_ = Lead{.term = *std::move(term),
               .state = {},
               .is_newest = is_newest,
               .cause = cause(),
               .won_at = won_at_};
  lead_->state = std::move(replica_).restored(read_clocks().wall);
  end_ = PhaseEnd::kLead;
  stop();
}

// ---- the active process ------------------------------------------------------------------------

void StandbyPhase::connect_after(Duration delay) {
  start_timer(connect_timer_, delay, [this] { connect(); });
}

void StandbyPhase::connect() {
  auto socket = ha::connect_to_peer(io_, pair_.peer_path());
  if (!socket) {
    connect_after(kConnectInterval);  // Nobody leads yet, or whoever does is about to listen.
    return;
  }
  silent_checks_ = 0;
  is_refused_ = false;
  connection_ = ha::PeerConnection::start(
      *std::move(socket), {.frame = [this](const ha::Frame& frame) { return receive(frame); },
                           .read = [this] { after_read(); },
                           .drained = [] {},
                           .closed = [this](const std::string& why) { closed(why); }});
  process_ = ha::ProcessHandle::open(connection_->peer_pid());
  connection_->send(replica_.hello());
}

Result<> StandbyPhase::receive(const ha::Frame& frame) {
  const bool was_known = replica_.active().has_value();
  auto taken = replica_.receive(frame);
  is_refused_ = !taken || !replica_.farewell().empty();
  if (taken && !was_known && replica_.active()) {
    has_fenced_ = false;
    prefers_others_since_.reset();
    pair_.note(NoteLevel::kInfo, "ha.peer_up",
               {{"node", replica_.active()->node},
                {"version", replica_.active()->version},
                {"pid", static_cast<std::int64_t>(connection_->peer_pid())}});
    if (handed_over_ && !is_campaigning_ && !has_won_) {
      campaign_timer_.cancel();
      campaign();
    }
  }
  return taken;
}

void StandbyPhase::after_read() {
  silent_checks_ = 0;
  store_work();
  for (const std::string& reply : replica_.take_replies()) {
    connection_->send(reply);
  }
  if (replica_.in_sync() != was_in_sync_) {
    was_in_sync_ = replica_.in_sync();
    if (was_in_sync_) {
      pair_.note(NoteLevel::kInfo, "ha.in_sync", {{"node", pair_.config.ha.node}});
    } else {
      pair_.note(NoteLevel::kWarn, "ha.replication_degraded",
                 {{"node", pair_.config.ha.node},
                  {"reason", std::string("the active process does not wait for us")}});
    }
  }
}

void StandbyPhase::store_work() {
  struct Worker {
    StandbyPhase& phase;
    void operator()(ha::Replica::ReplaceAll& tables) const {
      ++phase.pair_.counters.snapshots;
      phase.line_.replace(CommitId(++phase.commits_), std::move(tables));
    }
    void operator()(std::vector<focus::Operation>& operations) const {
      phase.line_.commit(CommitId(++phase.commits_), std::move(operations));
    }
    void operator()(std::vector<stats::ReceivedReport>& reports) const {
      stats::Batch batch(reports.size());
      for (stats::ReceivedReport& report : reports) {
        (void)batch.add(std::move(report));  // There is room for all.
      }
      phase.line_.write(WriteId(++phase.writes_), std::move(batch));
    }
  };
  for (ha::Replica::StoreWork& work : replica_.take_work()) {
    std::visit(Worker{*this}, work);
  }
}

void StandbyPhase::closed(const std::string& why) {
  store_work();
  pair_.note(NoteLevel::kWarn, "ha.peer_down",
             {{"node", replica_.active() ? replica_.active()->node : std::string()},
              {"reason", replica_.farewell().empty() ? why : replica_.farewell()}});
  replica_.disconnected();
  was_in_sync_ = false;
  connection_.reset();
  process_.reset();
  connect_after(is_refused_ ? Duration(kConnectAfterRefusal) : Duration(kConnectInterval));
  if (has_won_) {
    campaign_timer_.cancel();
    decide();
  }
}

void StandbyPhase::check_after_interval() {
  start_timer(check_timer_, kCheckInterval, [this] {
    check();
    check_after_interval();
  });
}

/// Silence is counted in looks of ours: after a pause of this process, or of the machine, the other
/// one gets its whole time again.
void StandbyPhase::check() {
  ++checks_;
  if (checks_ % kChecksPerStatus == 0) {
    notify_service_manager("STATUS=standby\nWATCHDOG=1");
    pair_.log.tell_suppressed(read_clocks());
  }
  if (!connection_) {
    return;
  }
  if (checks_ % kChecksPerHeartbeat == 0) {
    connection_->send(ha::encode(ha::Heartbeat{
        .position = replica_.position().value_or(ha::Position{}), .in_sync = replica_.in_sync()}));
  }
  if (++silent_checks_ * kCheckInterval > pair_.config.ha.heartbeat_timeout) {
    fence();
  }
}

/// Only the process that wrote down that it leads, and that is at the other end of our connection.
void StandbyPhase::fence() {
  silent_checks_ = 0;
  const auto term = pair_.coordinator.current();
  Result<> killed = fail(Errc::kConflict, "it is not the process that leads");
  if (process_ && term && term->pid == process_->pid()) {
    killed = process_->kill();
  }
  if (!killed) {
    pair_.note(NoteLevel::kError, "ha.fence_failed", {{"reason", killed.error().what}});
    connection_->close();
    closed("it is silent");
    return;
  }
  has_fenced_ = true;
  ++pair_.counters.fenced;
  pair_.note(
      NoteLevel::kError, "ha.fenced",
      {{"node", term->node}, {"pid", term->pid}, {"silent", pair_.config.ha.heartbeat_timeout}});
}

// ---- HTTP --------------------------------------------------------------------------------------

HaStatus StandbyPhase::status() const {
  HaStatus status{.is_active = false,
                  .node = pair_.config.ha.node,
                  .epoch = replica_.told().epoch,
                  .commits = replica_.position() ? replica_.position()->sequence : 0,
                  .peers = {},
                  .counters = pair_.counters};
  if (const auto& active = replica_.active()) {
    const std::uint64_t told = replica_.told().sequence;
    status.peers.push_back({.node = active->node,
                            .version = active->version,
                            .in_sync = replica_.in_sync(),
                            .lag = told > status.commits ? told - status.commits : 0});
  }
  return status;
}

}  // namespace bascule::daemon
