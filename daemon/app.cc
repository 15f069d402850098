#include "daemon/app.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "admin/order_routes.h"
#include "base/check.h"
#include "config/xmpp/link_options.h"
#include "daemon/clock.h"
#include "daemon/jicofo_api.h"
#include "daemon/links.h"
#include "daemon/metrics.h"
#include "daemon/service_manager.h"
#include "focus/links.h"

namespace bascule::daemon {
namespace {

using boost::system::error_code;
using focus::Actions;
using focus::Input;
namespace in = focus::in;
namespace out = focus::out;

// A turn that takes more would keep health checks waiting in a storm.
constexpr std::size_t kInputsPerTurn = 64;
constexpr std::size_t kHttpWaitingMax = 250;  // Below the limit of connections.

}  // namespace

App::App(boost::asio::io_context& io, const config::Config& config, const focus::Restored& restored,
         stats::sqlite::Store& store, LogSink& log, AppHooks hooks)
    : io_(io),
      store_(store),
      hooks_(std::move(hooks)),
      sink_(hooks_.sink != nullptr ? *hooks_.sink : store),
      log_(log),
      http_options_(http_options(config)),
      admin_(config.admin),
      version_(config.focus.version),
      revision_(config.revision),
      life_(config.life),
      focus_(config.focus, restored, random_seed(), read_clocks(),
             hooks_.guard == nullptr ? nullptr : &hooks_.guard->mark()),
      gate_(hooks_.gate),
      earlier_decisions_(restored.tables.decisions),
      evictor_(io, config::client_options(config), log),
      conference_requests_(
          [this](HttpId id, proto::ConferenceRequest request) {
            enqueue(in::HttpConferenceRequest{id, std::move(request)});
          },
          kHttpWaitingMax),
      order_desk_([this](focus::OrderId id, std::string by, focus::Order what) {
        enqueue(in::OperatorOrder{id, std::move(by), std::move(what)});
      }),
      upkeep_(io, store, config.state,
              {.log = [this](const focus::Note& note) { log_.write(note, read_clocks()); },
               .requery = [this] { enqueue(in::RequeryStats{}); }}),
      store_watch_(store, upkeep_),
      stats_routes_(store, upkeep_,
                    {.requery = [this] { return focus_.stats_requery(); },
                     .record = [this](const auto& by, const auto& what) { record(by, what); }}),
      loop_watch_(io),
      bridge_series_(config.admin.metrics_bridges_max),
      metrics_page_(io, [this] { return scrape(); }),
      addresses_{config.requests_address.to_string(), config.client_address.to_string(),
                 config.service_address.to_string()},
      reading_api_(io, {.focus = focus_,
                        .store = store_watch_,
                        .log = log,
                        .earlier = earlier_decisions_,
                        .health = [this] { return health(); },
                        .links = [this] { return link_statuses(); },
                        .desk = order_desk_,
                        .reloader = hooks_.reloader,
                        .ha = hooks_.ha_status,
                        .version = version_,
                        .revision = config.revision}),
      timer_(io),
      status_timer_(io),
      stop_timer_(io),
      signals_(io, SIGTERM, SIGINT, SIGHUP) {
  make_links(config, restored.tables);
  link(StreamId::kClient).keep_socket_with(hooks_.holder);
  if (hooks_.reloader != nullptr) {
    hooks_.reloader->set_apply([this](const config::Config& changed) { return apply(changed); });
  }
}

App::~App() {
  if (hooks_.reloader != nullptr) {
    hooks_.reloader->set_apply({});
  }
}

void App::make_links(const config::Config& config, const focus::Tables& earlier) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto stream = static_cast<StreamId>(i);
    if (stream == StreamId::kRequests && !config.focus.requests_link) {
      continue;
    }
    focus::LinkOptions options = link_options(config, stream, random_seed());
    options.quarantine = &focus_.quarantine();
    options.mark = hooks_.guard == nullptr ? nullptr : &hooks_.guard->mark();
    links_[i] = std::make_unique<LinkRuntime>(
        std::move(options),
        [this, stream](Input input, std::uint64_t token) {
          enqueue(std::move(input), stream, token);
        },
        [this] { wake(); });
    links_[i]->attach(make_transport(config, stream, io_, *links_[i], log_, earlier));
  }
}

Result<> App::listen(admin::Router router) {
  http_options_.access = hooks_.access;
  auto http = admin::HttpServer::listen(io_, http_options_, std::move(router));
  if (!http) {
    return tl::make_unexpected(http.error());
  }
  http_ = *std::move(http);
  if (admin_.unix_socket.empty()) {
    return {};
  }
  if (const auto local = http_->listen_local(admin_.unix_socket); !local) {
    // People in conferences need no socket of operators.
    log_.write({.level = focus::NoteLevel::kError,
                .event = "http.socket_failed",
                .fields = {{"reason", local.error().what}}},
               read_clocks());
  }
  return {};
}

admin::Router App::make_router() {
  admin::Router router =
      admin::make_routes({.version = version_,
                          .revision = revision_,
                          .health = [this] { return health(); },
                          .metrics =
                              [this](const admin::HttpRequest& request, admin::Respond respond) {
                                metrics_page_.handle(request, std::move(respond));
                              },
                          .conference_requests = &conference_requests_,
                          .conference_request_origins = admin_.conference_request_origins,
                          .placement = {.placement = [this]() -> const focus::Placement& {
                                          return focus_.placement();
                                        },
                                        .now = read_clocks,
                                        .earlier = &earlier_decisions_}});
  stats_routes_.add_to(router);
  reading_api_.add_to(router);
  admin::add_stop_route(router, {.stop =
                                     [this](admin::StopMode mode, const std::string& by) {
                                       note_asked(by, "stop");
                                       stop_by(mode);
                                     },
                                 .conferences = [this] { return focus_.conference_count(); }});
  admin::add_order_routes(
      router, order_desk_,
      {.placement = [this]() -> const focus::Placement& { return focus_.placement(); },
       .orders = [this]() -> const focus::Orders& { return focus_.orders(); },
       .now = read_clocks});
  add_jicofo_api(router, admin_,
                 {.io = io_,
                  .alive = alive_,
                  .focus = focus_,
                  .health = [this] { return health(); },
                  .order =
                      [this](auto by, auto order, auto answered) {
                        order_desk_.give(std::move(by), std::move(order), std::move(answered));
                      }});
  if (hooks_.add_routes) {
    hooks_.add_routes(router);
  }
  return router;
}

Result<> App::start() {
  if (auto listening = listen(make_router()); !listening) {
    return listening;
  }
  await_signal();
  loop_watch_.start();
  upkeep_.start();
  reading_api_.start();
  notify_service_manager("READY=1");
  report_status();
  const Now now = read_clocks();
  Actions actions;
  focus_.start(now, actions);
  finish_turn(std::move(actions), now);
  return {};
}

admin::MetricsParts App::scrape() {
  return metrics_parts({.focus = focus_,
                        .gate = gate_,
                        .links = links_,
                        .http = *http_,
                        .loop = loop_watch_,
                        .version = version_,
                        .revision = revision_,
                        .log_lines_suppressed = log_.suppressed_total(),
                        .turns = turns_,
                        .store = store_,
                        .upkeep = upkeep_,
                        .reloader = hooks_.reloader,
                        .bridges = bridge_series_,
                        .add = hooks_.add_metrics},
                       read_clocks());
}

void App::enqueue(Input input, StreamId stream, std::uint64_t token) {
  queue_.push_back({.input = std::move(input), .stream = stream, .token = token});
  wake();
}

void App::wake() {
  if (!turn_is_posted_) {
    turn_is_posted_ = true;
    boost::asio::post(io_, [this] {
      turn_is_posted_ = false;
      turn();
    });
  }
}

void App::turn() {
  if (paused_) {
    return;  // What comes now may be for another process; the server sends it again.
  }
  if (gate_.is_congested()) {
    return;  // completed() wakes us again.
  }
  const LoopWatch::Turn measured(loop_watch_);
  const Now now = read_clocks();
  Actions actions;
  for (std::size_t taken = 0; taken < kInputsPerTurn && !queue_.empty(); ++taken) {
    const Queued next = std::move(queue_.front());
    queue_.pop_front();
    focus_.handle(next.input, now, actions);
    if (next.token != 0) {
      link(next.stream).consumed(next.token);
    }
  }
  finish_turn(std::move(actions), now);
}

void App::finish_turn(Actions actions, Now now) {
  ++turns_;
  std::vector<focus::TurnCommit> commits;
  Actions ready;
  for (const focus::Action& action : actions) {
    if (const auto stream = focus::stanza_stream(action)) {
      link(*stream).prepare(action, now);
    }
  }
  std::vector<focus::Operation> of_links;
  for (const auto& runtime : links_) {
    if (runtime) {
      runtime->append_durable(of_links, now.wall);
    }
  }
  focus::persist_first(of_links, actions);
  const std::uint64_t number = gate_.turn(std::move(actions), now.mono, commits, ready);
  for (const auto& runtime : links_) {
    if (runtime) {
      runtime->end_turn(number);
    }
  }
  for (focus::TurnCommit& commit : commits) {
    sink_.commit(commit.id, std::move(commit.operations));
  }
  release(ready, now);
}

void App::release(Actions& ready, Now now) {
  perform(ready, now);
  acknowledge();
  update_degraded();
  if (hooks_.guard != nullptr) {
    hooks_.guard->keep(focus_.quarantine());
  }
  rearm(now);
  if (!queue_.empty()) {
    wake();
  }
  stop_if_links_are_closed();
  tell_if_drained();
}

void App::completed(const stats::sqlite::Completion& completion) {
  if (const auto* write = std::get_if<WriteId>(&completion.id)) {
    enqueue(in::StoreAnswer{*write, completion.outcome});
    return;
  }
  const LoopWatch::Turn measured(loop_watch_);
  const Now now = read_clocks();
  Actions ready;
  gate_.committed(std::get<CommitId>(completion.id), completion.outcome, now.mono, ready);
  release(ready, now);
}

void App::acknowledge() {
  for (const auto& runtime : links_) {
    if (runtime) {
      runtime->released(gate_.released(), gate_.durable());
    }
  }
}

void App::update_degraded() {
  if (gate_.is_degraded() != degraded_) {
    degraded_ = gate_.is_degraded();
    enqueue(in::CommitDegraded{degraded_});
  }
}

void App::perform(Actions& actions, Now now) {
  for (const focus::Action& action : actions) {
    perform(action, now);
  }
}

void App::perform(const focus::Action& action, Now now) {
  struct Performer {
    App& app;
    const focus::Action& action;
    Now now;
    void operator()(const out::OpenStream& open) const { app.link(open.stream).open(); }
    void operator()(const out::CloseStream& close) const { app.link(close.stream).close(); }
    void operator()(const out::EvictSession& evict) const { app.evictor_.evict(evict.session); }
    void operator()(const out::SendIq& iq) const { app.link(iq.stream).send(action, now); }
    void operator()(const out::AnswerIq& answer) const {
      app.link(answer.stream).send(action, now);
    }
    void operator()(const out::AnswerHttp& answer) const {
      app.conference_requests_.answer(answer.request, answer.outcome);
    }
    void operator()(const out::AnswerOrder& answer) const {
      app.order_desk_.answer(answer.order, answer.outcome);
    }
    void operator()(const out::SendPresence& presence) const {
      app.link(presence.stream).send(action, now);
    }
    void operator()(const out::Persist&) const {
      BASCULE_CHECK(false);  // The gate turned every operation into a commit.
    }
    void operator()(const out::StoreWrite& write) const {
      app.sink_.write(write.write, write.batch);
    }
    void operator()(const out::Log& log) const { app.log_.write(log.note, now); }
    void operator()(const out::Stopped&) const { app.leave(); }
  };
  std::visit(Performer{*this, action, now}, action);
}

void App::rearm(Now now) {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  if (!gate_.is_congested() && !paused_) {
    consider(focus_.next_deadline());  // Otherwise it would stay due, and the loop would spin.
  }
  consider(gate_.next_deadline());
  for (const auto& runtime : links_) {
    if (runtime) {
      consider(runtime->next_deadline());
    }
  }
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max(*next - now.mono, Duration::zero()));
  timer_.async_wait([this](error_code error) {
    if (!error) {
      on_timer();
    }
  });
}

void App::on_timer() {
  const LoopWatch::Turn measured(loop_watch_);
  const Now now = read_clocks();
  for (const auto& runtime : links_) {
    if (runtime) {
      runtime->fire_timers(now);
    }
  }
  Actions late;
  gate_.fire_timers(now.mono, late);
  const auto due = focus_.next_deadline();
  if (!due || *due > now.mono || gate_.is_congested() || paused_) {
    release(late, now);  // No turn: an empty one would only lengthen the queue of the gate.
    return;
  }
  perform(late, now);
  Actions actions;
  focus_.fire_timers(now, actions);
  finish_turn(std::move(actions), now);
}

Result<> App::apply(const config::Config& config) {
  life_ = config.life;
  upkeep_.configure(config.state);
  return {};
}

void App::report_status() {
  store_watch_.tell(log_, read_clocks());
  log_.tell_suppressed(read_clocks());
  const admin::Health now = health();
  reading_api_.note(now);
  std::string status = now.ready ? "STATUS=ready" : "STATUS=waiting";
  for (const std::string& problem : now.problems) {
    status += "; " + problem;
  }
  notify_service_manager(status + "\nWATCHDOG=1");
  if (waiting_until_empty_) {
    ask_for_time();
  }
  status_timer_.expires_after(kStatusInterval);
  status_timer_.async_wait([this](error_code error) {
    if (!error) {
      report_status();
    }
  });
}

admin::Health App::health() const {
  const focus::Readiness readiness = focus_.readiness(read_clocks());
  admin::Health health{.ready = readiness.ready(), .problems = {}};
  for (const focus::NotReady reason : readiness.reasons) {
    health.problems.emplace_back(focus::name_of(reason));
  }
  // The store never makes us unready: people can be served without it, but somebody should know.
  for (const auto& [room, held] : focus_.quarantine().rooms()) {
    health.problems.push_back("conference_poisoned: " + room.to_string());
  }
  for (std::string& problem : store_watch_.problems(read_clocks())) {
    health.problems.push_back(std::move(problem));
  }
  if (hooks_.add_problems) {
    hooks_.add_problems(health.problems);
  }
  return health;
}

std::vector<admin::LinkStatus> App::link_statuses() const {
  std::vector<admin::LinkStatus> statuses;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (links_.at(i)) {
      statuses.push_back({.link = focus::name_of(static_cast<StreamId>(i)),
                          .is_up = links_.at(i)->is_up(),
                          .address = addresses_.at(i)});
    }
  }
  return statuses;
}

}  // namespace bascule::daemon
