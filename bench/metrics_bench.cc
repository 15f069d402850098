// bascule-metrics-bench [SECONDS]: how long GET /metrics takes with 1 000 bridges and 5 000
// conferences, and how late the event loop is meanwhile.

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "admin/metrics_page.h"
#include "base/check.h"
#include "bench/admin_load.h"
#include "daemon/bridge_metrics.h"
#include "daemon/focus_metrics.h"
#include "daemon/placement_metrics.h"
#include "daemon/process_metrics.h"
#include "daemon/stats_routes.h"
#include "daemon/store_upkeep.h"
#include "stats/sqlite/store.h"

namespace bascule::bench {
namespace {

constexpr std::size_t kBridges = 1'000;
constexpr std::size_t kConferences = 5'000;

/// What grows with bridges and conferences; links, store and loop are a few dozen series.
admin::MetricsParts parts_of(const AdminLoad& load, daemon::BridgeSeries& series) {
  admin::MetricsParts parts;
  parts.emplace_back([&load](admin::Metrics& metrics) {
    daemon::add_focus(load.focus(), load.now(), metrics);
    daemon::add_placement(load.focus().placement(), load.now(), metrics);
  });
  parts.emplace_back([&load](admin::Metrics& metrics) {
    daemon::add_focus_timings(load.focus(), metrics);
    daemon::add_process("bench", "bench", metrics);
  });
  const auto views = std::make_shared<const std::vector<focus::BridgeView>>(
      load.focus().placement().bridges(load.now()));
  daemon::append_bridge_parts(views, series.select(*views, load.now().mono), parts);
  return parts;
}

/// A store with as many reports of one bridge as an hour has, in a folder that goes with it. All
/// are stored at once, so that the answer is short: what is measured is reading them.
class HistoryStore {
 public:
  HistoryStore() {
    std::filesystem::create_directory(folder_);
    stats::Batch batch(kReports);
    const auto now =
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
    for (std::size_t i = 0; i < kReports; ++i) {
      stats::ReceivedReport report;
      report.received_wall = WallTime(now - kInterval * (kReports - i));
      report.report.bridge = BridgeJid(Jid::parse("brewery@internal.auth.bench/jvb17").value());
      report.report.stress = Stress(static_cast<std::int64_t>(i * 997 % 1'000'000));
      BASCULE_CHECK(batch.add(std::move(report)).has_value());
    }
    open();
    store_->write(WriteId(1), std::move(batch));
    open();  // The first one ends when it has written everything.
  }
  ~HistoryStore() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  HistoryStore(const HistoryStore&) = delete;
  HistoryStore& operator=(const HistoryStore&) = delete;

  [[nodiscard]] stats::sqlite::Store& store() { return *store_; }
  [[nodiscard]] std::string folder() const { return folder_.string(); }

 private:
  static constexpr std::size_t kReports = 720;
  static constexpr Duration kInterval = std::chrono::seconds{5};

  void open() {
    store_.reset();
    auto opened = stats::sqlite::Store::open({.directory = folder_.string()}, [](const auto&) {});
    BASCULE_CHECK(opened.has_value());
    store_ = std::move(opened->store);
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("bascule-metrics-bench-" + std::to_string(::getpid()));
  std::unique_ptr<stats::sqlite::Store> store_;
};

/// What one event loop serves; as long as its router.
struct Served {
  Served(boost::asio::io_context& io, const AdminLoad& load, HistoryStore& history)
      : page(io, [this, &load] { return parts_of(load, series); }),
        upkeep(io, history.store(), {.dir = history.folder()}, {}),
        stats(history.store(), upkeep,
              {.requery = [] { return std::nullopt; }, .record = [](const auto&, const auto&) {}}) {
  }

  daemon::BridgeSeries series{2 * kBridges};
  admin::MetricsPage page;
  daemon::StoreUpkeep upkeep;
  daemon::StatsRoutes stats;
};

admin::Router routes(boost::asio::io_context& io, const AdminLoad& load, HistoryStore& history) {
  const auto served = std::make_shared<Served>(io, load, history);
  admin::Router router;
  served->stats.add_to(router);
  router.add("GET", "/metrics",
             [served](const admin::HttpRequest& request, admin::Respond respond) {
               served->page.handle(request, std::move(respond));
             });
  router.add("GET", "/livez", [](const admin::HttpRequest&, const admin::Respond& respond) {
    respond({.status = 200, .body = "OK\n", .headers = {}});
  });
  return router;
}

Milliseconds processor_time() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// What keeps the loop at a time: processor time, which neighbours on the machine do not change.
void print_pieces(const AdminLoad& load) {
  constexpr int kScrapes = 50;
  daemon::BridgeSeries series(2 * kBridges);
  std::vector<Milliseconds> begins;
  std::vector<Milliseconds> pieces;
  admin::Metrics metrics;
  for (int i = 0; i < kScrapes; ++i) {
    auto before = processor_time();
    const admin::MetricsParts parts = parts_of(load, series);
    begins.push_back(processor_time() - before);
    for (const admin::MetricsPart& part : parts) {
      before = processor_time();
      part(metrics);
      (void)metrics.take_text();
      pieces.push_back(processor_time() - before);
    }
  }
  const Times beginning(std::move(begins));
  const Times piece(std::move(pieces));
  std::printf(
      "processor time, ms: beginning p50 %.2f p99 %.2f; each of %zu pieces p50 %.2f p99 %.2f, "
      "longest %.2f\n",
      beginning.quantile(0.5).count(), beginning.quantile(0.99).count(), piece.count() / kScrapes,
      piece.quantile(0.5).count(), piece.quantile(0.99).count(), piece.quantile(1).count());
}

int run(std::chrono::milliseconds duration) {
  const AdminLoad load(kBridges, kConferences);
  print_pieces(load);
  std::printf("%zu bridges, %zu conferences of %zu\n%s\n", kBridges, kConferences,
              AdminLoad::kPeople, header_line().c_str());
  bool is_ok = true;
  HistoryStore history;
  const MakeRouter make = [&](boost::asio::io_context& io) { return routes(io, load, history); };
  const auto measure = [&](const char* name, std::vector<std::string> targets,
                           std::size_t connections) {
    const HammerResult result = hammer(
        make, {.targets = std::move(targets), .connections = connections, .duration = duration});
    std::printf("%s\n", to_line(name, result).c_str());
    std::fflush(stdout);
    is_ok = is_ok && result.failures == 0;
  };
  const std::string kHistory = "/v1/bridges/jvb17/history?step=5";
  measure("/livez, to compare", {"/livez"}, 1);
  measure("/metrics", {"/metrics"}, 1);
  measure("/metrics, 4 at a time", {"/metrics"}, 4);
  measure("history, 720 reports read", {kHistory}, 1);
  measure("both, 4 at a time", {"/metrics", kHistory}, 4);
  return is_ok ? 0 : 1;
}

}  // namespace
}  // namespace bascule::bench

int main(int argc, char** argv) {
  const auto seconds = bascule::bench::seconds_asked(argc, argv);
  return seconds ? bascule::bench::run(*seconds) : 2;
}
