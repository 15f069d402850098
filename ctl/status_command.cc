#include "ctl/status_command.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>

#include "ctl/findings.h"
#include "ctl/status_view.h"
#include "ctl/terminal.h"

namespace bascule::ctl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kInterval{1};
/// A daemon that hangs must not hold the screen.
constexpr std::chrono::seconds kLiveTimeout{3};

Result<Json> ask_overview(const Connection& connection) {
  return ask_json(connection, "GET", "/v1/overview");
}

/// Asks once a second on a thread of its own, so that the keyboard works while nobody answers.
class Watcher {
 public:
  Watcher(Connection connection, Screen& screen)
      : connection_(std::move(connection)), screen_(screen), thread_([this] { run(); }) {}
  ~Watcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// What to show now.
  std::string text(const Style& style, std::size_t rows) {
    const std::lock_guard lock(mutex_);
    std::string top;
    if (!problem_.empty()) {
      const auto silent =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - answered_);
      top = tinted(style, Tint::kBad,
                   last_.is_null()
                       ? "NO ANSWER"
                       : "NO ANSWER for " + duration_text(static_cast<double>(silent.count())) +
                             ", this is old") +
            "\n" + tinted(style, Tint::kBad, wrapped("! " + problem_, 2, style)) + "\n\n";
    } else if (last_.is_null()) {
      top = "asking ...\n";
    }
    const auto taken = static_cast<std::size_t>(std::count(top.begin(), top.end(), '\n')) + 1;
    if (!last_.is_null()) {
      top += status_text(last_, style, std::max<std::size_t>(rows, taken + 1) - taken);
    }
    return top + tinted(style, Tint::kDim, "q: leave");
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      auto answer = ask_overview(connection_);
      lock.lock();
      if (answer) {
        last_ = std::move(*answer);
        problem_.clear();
        answered_ = Clock::now();
      } else {
        problem_ = printable(answer.error().what);
      }
      screen_.wake();
      changed_.wait_for(lock, kInterval, [this] { return stopping_; });
    }
  }

  Connection connection_;
  Screen& screen_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  Json last_;
  std::string problem_;
  Clock::time_point answered_ = Clock::now();
  std::thread thread_;  // The last member: it uses the others.
};

int watch(const Context& context, std::unique_ptr<Screen> screen) {
  Connection connection = context.connection;
  connection.answer_timeout = kLiveTimeout;
  const auto watcher = std::make_unique<Watcher>(std::move(connection), *screen);
  do {
    screen->draw(watcher->text(style_of_stdout(), screen->rows()));
  } while (screen->wait() != Screen::Event::kQuit);
  screen->leave();  // Before the thread is waited for, which may be in the middle of asking.
  return kExitOk;
}

int print_once(const Context& context) {
  const auto overview = ask_overview(context.connection);
  const auto findings = overview ? findings_in(*overview) : std::vector<Finding>();
  const bool is_bad = !findings.empty() && findings.front().severity == Severity::kBad;
  return finish(
      overview, context.json,
      [](const Json& answer) {
        std::fputs(status_text(answer, style_of_stdout()).c_str(), stdout);
      },
      is_bad ? kExitDamaged : kExitOk);
}

int status(const Context& context, bool once) {
  if (!once && !context.json) {
    // What is asked wrongly is said at once, not on a screen of its own.
    if (const auto client = HttpClient::make(context.connection); !client) {
      return failed(client.error());
    }
    if (auto screen = Screen::open()) {
      return watch(context, std::move(*screen));
    }
  }
  return print_once(context);
}

}  // namespace

void add_status(CLI::App& cli, Context& context) {
  const auto once = std::make_shared<bool>(false);
  CLI::App* command = cli.add_subcommand(
      "status",
      "What is wrong and what to do about it; then queue, links and bridges. On a "
      "terminal a live screen (q leaves)");
  command->add_flag("--once", *once, "Print it once; the default when stdout is no terminal");
  on_call(*command, context, [once, &context] { return status(context, *once); });
}

}  // namespace bascule::ctl
