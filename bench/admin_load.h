#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "admin/http.h"
#include "base/time.h"
#include "focus/focus.h"

namespace bascule::bench {

/// A focus as full as one gets: bridges that report, and conferences of five people each that an
/// earlier process left; nothing waits. For measurements of what is read of it.
class AdminLoad {
 public:
  static constexpr std::size_t kPeople = 5;

  AdminLoad(std::size_t bridges, std::size_t conferences);
  ~AdminLoad();
  AdminLoad(const AdminLoad&) = delete;
  AdminLoad& operator=(const AdminLoad&) = delete;

  [[nodiscard]] const focus::Focus& focus() const;
  /// Of the measurement: it does not pass.
  [[nodiscard]] Now now() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

using Milliseconds = std::chrono::duration<double, std::milli>;

/// Measured times, sorted.
class Times {
 public:
  explicit Times(std::vector<Milliseconds> times);
  /// 0.99: what 99 of 100 did not exceed; zero when nothing was measured.
  [[nodiscard]] Milliseconds quantile(double q) const;
  [[nodiscard]] std::size_t count() const { return times_.size(); }

 private:
  std::vector<Milliseconds> times_;
};

struct HammerOptions {
  std::vector<std::string> targets;  ///< Paths with queries, asked in turn.
  std::size_t connections = 4;       ///< Each asks again as soon as it has its answer (keep-alive).
  std::chrono::milliseconds duration = std::chrono::seconds{5};
};

struct HammerResult {
  double seconds = 0;
  std::uint64_t answers = 0;      ///< With status 200.
  std::uint64_t failures = 0;     ///< Everything else.
  std::uint64_t bytes = 0;        ///< Of bodies.
  double server_cpu_seconds = 0;  ///< Of the thread that serves.
  Times answered;                 ///< From the request to its last byte.
  Times
      loop_late;  ///< By how much a timer of the event loop that is due every millisecond was late.
};

/// Routes for an event loop.
using MakeRouter = std::function<admin::Router(boost::asio::io_context&)>;
/// Serves the router on an event loop of its own thread, as the daemon does, and asks from others.
HammerResult hammer(const MakeRouter& make_router, const HammerOptions& options);
HammerResult hammer(admin::Router router, const HammerOptions& options);

/// One line for people; `name` says what was asked.
std::string to_line(const std::string& name, const HammerResult& result);
std::string header_line();

/// `[SECONDS]`, how long each is asked; 5. nullopt: something else was given, which is said.
std::optional<std::chrono::seconds> seconds_asked(int argc, char** argv);

}  // namespace bascule::bench
