#include "daemon/active_phase.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "admin/http_json.h"
#include "daemon/clock.h"
#include "daemon/ha_metrics.h"
#include "daemon/service_manager.h"

namespace bascule::daemon {
namespace {

using boost::system::error_code;
using focus::NoteLevel;
using ha::PeerId;

constexpr std::size_t kPeersMax = 4;
// What is handed to the socket and cannot be taken back; the rest is encoded when there is room.
constexpr std::size_t kSocketBytes = std::size_t{64} << 10U;
constexpr std::chrono::milliseconds kSwitchBound{500};

ha::ReplicatorOptions replicator_options(const config::Config& config, const ha::Term& term) {
  return {.node = config.ha.node,
          .version = config.focus.version,
          .epoch = term.epoch,
          .sync_timeout = config.ha.sync_timeout,
          .silence_max = config.ha.heartbeat_timeout};
}

std::int64_t ms_since(Instant then) {
  return (read_clocks().mono - then) / std::chrono::milliseconds{1};
}

}  // namespace

ActivePhase::ActivePhase(boost::asio::io_context& io, Pair& pair, const focus::Restored& state,
                         const ha::Term& term)
    : io_(io),
      pair_(pair),
      line_(pair.store, pair.store_counts),
      replicator_(replicator_options(pair.config, term), state),
      timer_(io),
      switch_timer_(io),
      signals_(io, SIGUSR2),
      app_(io, pair.config, state, pair.store, pair.log, hooks()) {
}

ActivePhase::~ActivePhase() {
  pair_.answers.stop();
  for (const auto& [peer, link] : links_) {
    link.connection->close();
  }
}

AppHooks ActivePhase::hooks() {
  return {.guard = pair_.guard,
          .reloader = pair_.reloader,
          .access = pair_.access,
          .sink = this,
          .suspend = [this] { return begin_switch(/*then_exit=*/true, {}).has_value(); },
          .add_routes = [this](admin::Router& router) { add_routes(router); },
          .ha_status = [this] { return to_json(status()); },
          .add_metrics = [this](admin::Metrics& metrics) { add_ha(status(), metrics); },
          .add_problems =
              [this](std::vector<std::string>& problems) {
                if (replicator_.nodes_in_sync().empty()) {
                  problems.emplace_back("ha_alone: no standby is in sync");
                }
              }};
}

Result<> ActivePhase::start() {
  pair_.answers.start(io_, [this](const auto& completion) { stored(completion); });
  auto listener = ha::PeerListener::listen(io_, pair_.peer_path(),
                                           [this](auto socket) { accept(std::move(socket)); });
  if (listener) {
    listener_ = *std::move(listener);
  } else {
    pair_.note(NoteLevel::kError, "ha.peer_failed", {{"reason", listener.error().what}});
  }
  wait_for_signal();
  return app_.start();
}

void ActivePhase::wait_for_signal() {
  signals_.async_wait([this](error_code error, int /*signal*/) {
    if (error) {
      return;
    }
    if (const auto begun = begin_switch(/*then_exit=*/false, {}); !begun) {
      pair_.note(NoteLevel::kWarn, "ha.switchover_refused", {{"reason", begun.error().what}});
    }
    wait_for_signal();
  });
}

// ---- commits -----------------------------------------------------------------------------------

void ActivePhase::commit(CommitId id, std::vector<focus::Operation> operations) {
  replicator_.commit(id, operations, read_clocks());
  line_.commit(id, std::move(operations));
  flush_all();
  rearm();
}

void ActivePhase::write(WriteId id, stats::Batch batch) {
  replicator_.reports(batch.reports());
  line_.write(id, std::move(batch));
  flush_all();
}

void ActivePhase::stored(const stats::sqlite::Completion& completion) {
  const auto own = line_.own(completion);
  if (!own) {
    return;
  }
  if (const auto* commit = std::get_if<CommitId>(&own->id)) {
    replicator_.stored(*commit, own->outcome);
    settle();
  } else {
    app_.completed(*own);
  }
}

// ---- standbys ----------------------------------------------------------------------------------

void ActivePhase::accept(ha::PeerConnection::Socket socket) {
  if (links_.size() >= kPeersMax) {
    pair_.note(NoteLevel::kWarn, "ha.peer_refused", {{"reason", std::string("too many")}});
    return;
  }
  const PeerId peer{++last_peer_};
  const auto connection = ha::PeerConnection::start(
      std::move(socket),
      {.frame = [this, peer](const ha::Frame& frame) { return receive(peer, frame); },
       .read =
           [this, peer] {
             settle();
             flush(peer);
           },
       .drained = [this, peer] { flush(peer); },
       .closed = [this, peer](const std::string& why) { closed(peer, why); }});
  if (connection->peer_uid() != ::geteuid()) {
    pair_.note(NoteLevel::kWarn, "ha.peer_refused", {{"reason", std::string("another user")}});
    connection->close();
    return;
  }
  links_.emplace(peer, Link{.connection = connection});
}

Result<> ActivePhase::receive(PeerId peer, const ha::Frame& frame) {
  Link& link = links_.at(peer);
  const Now now = read_clocks();
  if (link.has_joined) {
    return replicator_.receive(peer, frame, now);
  }
  if (frame.type != ha::FrameType::kHello) {
    return fail(Errc::kMalformed, "the first frame is not HELLO");
  }
  auto greeting = ha::decode_greeting(frame.payload);
  if (greeting && greeting->node == pair_.config.ha.node) {
    greeting = fail(Errc::kConflict, "the other process has the same ha.node: " + greeting->node);
  }
  if (!greeting) {
    link.connection->send(ha::encode_bye(greeting.error().what));
    return tl::make_unexpected(greeting.error());
  }
  pair_.note(NoteLevel::kInfo, "ha.peer_up",
             {{"node", greeting->node},
              {"version", greeting->version},
              {"pid", static_cast<std::int64_t>(link.connection->peer_pid())}});
  link.has_joined = true;
  ++pair_.counters.snapshots;
  replicator_.join(peer, *std::move(greeting), now);
  return {};
}

void ActivePhase::closed(PeerId peer, const std::string& why) {
  const auto feed = replicator_.feeds().find(peer);
  pair_.note(
      NoteLevel::kWarn, "ha.peer_down",
      {{"node", feed == replicator_.feeds().end() ? std::string() : feed->second.standby().node},
       {"reason", why}});
  links_.erase(peer);
  replicator_.leave(peer, why);
  settle();
}

void ActivePhase::flush(PeerId peer) {
  const auto found = links_.find(peer);
  if (found == links_.end() || !found->second.has_joined) {
    return;
  }
  ha::PeerConnection& connection = *found->second.connection;
  while (connection.queued_bytes() < kSocketBytes) {
    auto frame = replicator_.next_frame(peer);
    if (!frame) {
      return;
    }
    connection.send(*frame);
  }
}

void ActivePhase::flush_all() {
  for (const auto& [peer, link] : links_) {
    flush(peer);
  }
}

void ActivePhase::settle() {
  const auto changes = replicator_.take_changes();
  if (!changes.empty()) {
    publish();  // Before anything leaves that a standby we do not wait for does not have.
  }
  for (const ha::Replicator::Event& change : changes) {
    tell(change);
    if (change.change == ha::Replicator::Change::kDropped) {
      links_.at(change.peer).connection->close();
      links_.erase(change.peer);
      replicator_.leave(change.peer, change.why);
    }
  }
  for (ha::Replicator::Answer& answer : replicator_.take_answers()) {
    app_.completed({answer.id, std::move(answer.outcome)});
  }
  if (replicator_.successor() && switch_) {
    finish_switch();
  }
  offer_when_drained();
  rearm();
}

void ActivePhase::publish() {
  if (const auto done = pair_.coordinator.publish_in_sync(replicator_.nodes_in_sync()); !done) {
    pair_.note(NoteLevel::kError, "ha.coordinator_failed", {{"reason", done.error().what}});
  }
}

void ActivePhase::tell(const ha::Replicator::Event& event) {
  switch (event.change) {
    case ha::Replicator::Change::kInSync:
      pair_.note(NoteLevel::kInfo, "ha.in_sync", {{"node", event.node}});
      return;
    case ha::Replicator::Change::kDegraded:
      ++pair_.counters.degraded;
      pair_.note(NoteLevel::kWarn, "ha.replication_degraded",
                 {{"node", event.node}, {"reason", event.why}});
      return;
    case ha::Replicator::Change::kDropped:
      pair_.note(NoteLevel::kWarn, "ha.peer_down", {{"node", event.node}, {"reason", event.why}});
      return;
  }
}

void ActivePhase::rearm() {
  const auto next = replicator_.next_deadline();
  if (!next || (armed_ && *armed_ <= *next)) {
    return;  // One that fires too early finds nothing to do.
  }
  armed_ = next;
  timer_.expires_after(std::max(*next - read_clocks().mono, Duration::zero()));
  timer_.async_wait([this](error_code error) {
    if (!error) {
      armed_.reset();
      replicator_.fire_timers(read_clocks());
      settle();
      flush_all();
    }
  });
}

// ---- handing over ------------------------------------------------------------------------------

Result<> ActivePhase::begin_switch(bool then_exit, admin::Respond respond) {
  if (switch_) {
    return fail(Errc::kConflict, "a switchover runs already");
  }
  if (replicator_.nodes_in_sync().empty()) {
    return fail(Errc::kUnavailable, "no standby is in sync");
  }
  switch_ =
      Switch{.began = read_clocks().mono, .then_exit = then_exit, .respond = std::move(respond)};
  switch_timer_.expires_after(kSwitchBound);
  switch_timer_.async_wait([this](error_code error) {
    if (!error && switch_) {
      abort_switch("the standby did not confirm in time");
    }
  });
  // Posted: this may be inside of a turn.
  app_.pause([this] {
    boost::asio::post(io_, [this] {
      if (switch_) {
        switch_->is_drained = true;
        offer_when_drained();
      }
    });
  });
  return {};
}

/// While the disk is too slow turns leave before the standby has confirmed them: then a little
/// later.
void ActivePhase::offer_when_drained() {
  if (switch_ && switch_->is_drained && !switch_->is_offered && replicator_.offer_switch()) {
    switch_->is_offered = true;
    flush_all();
  }
}

void ActivePhase::finish_switch() {
  const std::string successor = *replicator_.successor();
  ++pair_.counters.switchovers;
  pair_.note(NoteLevel::kInfo, "ha.switchover",
             {{"to", successor},
              {"conferences", static_cast<std::int64_t>(app_.conference_count())},
              {"took_ms", ms_since(switch_->began)}});
  if (switch_->respond) {
    const nlohmann::json body{{"active", successor}, {"took_ms", ms_since(switch_->began)}};
    switch_->respond(admin::json_response(200, body));
  }
  if (switch_->then_exit) {
    notify_service_manager("STOPPING=1");
    pair_.note(NoteLevel::kInfo, "daemon.stopped", {});
  } else {
    end_ = PhaseEnd::kStandBy;
  }
  switch_.reset();
  switch_timer_.cancel();
  app_.end_loop();
}

void ActivePhase::abort_switch(const std::string& why) {
  const Switch aborted = *std::exchange(switch_, std::nullopt);
  switch_timer_.cancel();
  ++pair_.counters.switchovers_aborted;
  pair_.note(NoteLevel::kWarn, "ha.switchover_aborted", {{"reason", why}});
  replicator_.withdraw_switch();
  if (aborted.respond) {
    aborted.respond(admin::problem(503, "Switchover aborted", why));
  }
  app_.resume();
  if (aborted.then_exit) {
    app_.suspend();
  }
}

// ---- HTTP --------------------------------------------------------------------------------------

HaStatus ActivePhase::status() const {
  HaStatus status{.is_active = true,
                  .node = pair_.config.ha.node,
                  .epoch = replicator_.position().epoch,
                  .commits = replicator_.position().sequence,
                  .peers = {},
                  .counters = pair_.counters};
  const Instant now = read_clocks().mono;
  for (const auto& [peer, feed] : replicator_.feeds()) {
    status.peers.push_back({.node = feed.standby().node,
                            .version = feed.standby().version,
                            .in_sync = feed.in_sync,
                            .lag = feed.lag(),
                            .waited = now - feed.waits_since().value_or(now)});
  }
  return status;
}

void ActivePhase::add_routes(admin::Router& router) {
  router.add("GET", "/v1/ha/status",
             [this](const admin::HttpRequest&, const admin::Respond& respond) {
               respond(admin::json_response(200, to_json(status())));
             });
  router.add("POST", "/v1/ha/switchover",
             [this](const admin::HttpRequest& request, const admin::Respond& respond) {
               app_.note_asked(request.principal.name, "switchover");
               if (const auto begun = begin_switch(/*then_exit=*/false, respond); !begun) {
                 respond(admin::problem(begun.error().code == Errc::kConflict ? 409 : 503,
                                        "No switchover", begun.error().what));
               }
             });
}

}  // namespace bascule::daemon
