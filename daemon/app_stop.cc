// How the app ends: signals, and what they lead to (docs/operations.md, "Start and stop").

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/access_files.h"
#include "daemon/app.h"
#include "daemon/clock.h"
#include "daemon/service_manager.h"

namespace bascule::daemon {
namespace {

using boost::system::error_code;
namespace in = focus::in;

constexpr auto kSuspendBound = std::chrono::milliseconds{400};
constexpr auto kStopBound = std::chrono::seconds{5};
// For the farewells of the links; longer than a transport waits for the other side.
constexpr auto kFarewellBound = std::chrono::milliseconds{2'500};

}  // namespace

void App::on_signal(int signal) {
  if (signal == SIGTERM) {
    terminate();
  } else if (signal == SIGINT) {
    stop_by(admin::StopMode::kLeave);
  } else {
    reload();
  }
  await_signal();
}

void App::reload() {
  if (hooks_.reloader != nullptr) {
    hooks_.reloader->reload();
  }
  if (hooks_.access) {
    reload_access(*hooks_.access, log_);
  }
}

void App::terminate() {
  switch (life_.stop) {
    case config::StopPolicy::kSuspend:
      return stop_by(admin::StopMode::kSuspend);
    case config::StopPolicy::kLeave:
      return stop_by(admin::StopMode::kLeave);
    case config::StopPolicy::kLeaveWhenEmpty:
      // Whoever asks again does not want to wait any longer.
      return waiting_until_empty_ ? stop_by(admin::StopMode::kLeave) : wait_until_empty();
  }
}

/// Again with each report_status.
void App::ask_for_time() {
  notify_service_manager("EXTEND_TIMEOUT_USEC=" +
                         std::to_string(std::chrono::microseconds{3 * kStatusInterval}.count()));
}

void App::wait_until_empty() {
  waiting_until_empty_ = true;
  notify_service_manager("STOPPING=1");
  ask_for_time();
  stop_timer_.expires_after(life_.stop_deadline);
  stop_timer_.async_wait([this](error_code error) {
    if (!error) {
      log_.write({.level = focus::NoteLevel::kWarn,
                  .event = "shutdown.deadline",
                  .fields = {{"conferences", static_cast<std::int64_t>(conference_count())}}},
                 read_clocks());
      stop_by(admin::StopMode::kLeave);
    }
  });
  stop_by(admin::StopMode::kLeaveWhenEmpty);
}

void App::await_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (!error) {
      on_signal(signal);
    }
  });
}

void App::note_asked(const std::string& by, const char* what) {
  log_.write({.level = focus::NoteLevel::kInfo,
              .event = "operator.asked",
              .fields = {{"by", by}, {"what", std::string(what)}}},
             read_clocks());
}

void App::record(const std::string& by, const std::string& what) {
  order_desk_.give(by, focus::order::Record{.what = what, .target = {}, .before = {}, .after = {}},
                   [this, by, what](const Result<focus::OrderDone>& recorded) {
                     if (!recorded) {
                       note_asked(by, what.c_str());
                     }
                   });
}

void App::stop_by(admin::StopMode mode) {
  if (mode == admin::StopMode::kLeaveWhenEmpty) {
    enqueue(in::Shutdown{.when_empty = true});
  } else if (std::exchange(stopping_, true)) {
    stop();
  } else if (mode == admin::StopMode::kSuspend && hooks_.suspend && hooks_.suspend()) {
    // It is dealt with elsewhere; the next one counts as the second.
  } else if (mode == admin::StopMode::kSuspend && link(StreamId::kClient).can_be_continued()) {
    suspend();
  } else {
    notify_service_manager("STOPPING=1");
    enqueue(in::Shutdown{});
    stop_after(kStopBound);
  }
}

void App::stop_after(Duration bound) {
  stop_timer_.expires_after(bound);
  stop_timer_.async_wait([this](error_code error) {
    if (!error) {
      stop();
    }
  });
}

/// The focus is done and has closed its links: they get the time to say what is queued, because a
/// link that just breaks leaves a session that the server keeps for a resumption.
void App::leave() {
  leaving_ = true;
  stop_after(kFarewellBound);
}

void App::suspend() {
  notify_service_manager("STOPPING=1");
  log_.write({.level = focus::NoteLevel::kInfo,
              .event = "daemon.suspended",
              .fields = {{"conferences", static_cast<std::int64_t>(focus_.conference_count())}}},
             read_clocks());
  stop_after(kSuspendBound);
  pause([this] { stop(); });
}

void App::pause(std::function<void()> drained) {
  paused_ = true;
  on_drained_ = std::move(drained);
  tell_if_drained();
}

void App::resume() {
  paused_ = false;
  on_drained_ = nullptr;
  rearm(read_clocks());
  wake();
}

void App::tell_if_drained() {
  if (on_drained_ && gate_.waiting() == 0) {
    std::exchange(on_drained_, nullptr)();
  }
}

void App::stop_if_links_are_closed() {
  const auto is_up = [](const auto& runtime) { return runtime && runtime->is_up(); };
  if (leaving_ && std::none_of(links_.begin(), links_.end(), is_up)) {
    stop();
  }
}

void App::stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  log_.write({.level = focus::NoteLevel::kInfo, .event = "daemon.stopped", .fields = {}},
             read_clocks());
  end_loop();
}

void App::end_loop() {
  // Posted behind the HTTP answers of this turn, so that they leave first.
  boost::asio::post(io_, [this] {
    if (http_) {
      http_->stop();
    }
    io_.stop();
  });
}

}  // namespace bascule::daemon
