#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "admin/http.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What the store knows, over HTTP. Reading files takes its time, so that it happens on a thread of
/// its own, one request after the other; a request too many is answered 503.
class StatsRoutes {
 public:
  /// All outlive this object; `directory` is the state directory.
  StatsRoutes(boost::asio::io_context& io, const stats::sqlite::Store& store,
              std::string directory);
  ~StatsRoutes();
  StatsRoutes(const StatsRoutes&) = delete;
  StatsRoutes& operator=(const StatsRoutes&) = delete;

  ///   GET  /v1/stats/health           the running store, and what its start found and did
  ///   POST /v1/stats/verify           reads every page and record beside the running store
  ///   GET  /v1/bridges/{id}/history   ?from&to (RFC 3339; the last hour) &step (seconds; 60)
  void add_to(admin::Router& router);

 private:
  /// Runs `work` on the thread and answers with what it gives.
  void answer_later(admin::Respond respond, std::function<admin::HttpResponse()> work);

  boost::asio::io_context& io_;
  const stats::sqlite::Store& store_;
  const std::string directory_;
  std::shared_ptr<int> waiting_ = std::make_shared<int>(0);  // Answers may come after our end.
  boost::asio::thread_pool thread_{1};
};

}  // namespace bascule::daemon
