#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json_fwd.hpp>

#include "admin/checks.h"
#include "admin/decision_json.h"
#include "admin/event_feed.h"
#include "admin/load_history.h"
#include "admin/order_desk.h"
#include "admin/overview_routes.h"
#include "daemon/log_sink.h"
#include "daemon/reloader.h"
#include "daemon/store_watch.h"
#include "focus/focus.h"

namespace bascule::daemon {

/// What operators read of the running daemon beside what every router has (admin/routes.h):
/// overview, bridges, conferences, queue, load, readiness, log level, events, and the document that
/// describes it all. Keeps what has to be collected for that: loads of the last hour, since when
/// something is wrong, the latest notes.
class ReadingApi {
 public:
  /// All outlive this object.
  struct Sources {
    const focus::Focus& focus;
    const StoreWatch& store;
    LogSink& log;
    const admin::Decisions& earlier;
    std::function<admin::Health()> health;
    std::function<std::vector<admin::LinkStatus>()> links;
    admin::OrderDesk& desk;                      ///< What is changed is recorded there.
    const Reloader* reloader;                    ///< Knows the configuration; nullptr: nobody does.
    std::function<nlohmann::ordered_json()> ha;  ///< Empty: there is one process.
    std::string version;
    std::string revision;
  };
  ReadingApi(boost::asio::io_context& io, Sources sources);
  /// Takes the log back.
  ~ReadingApi();
  ReadingApi(const ReadingApi&) = delete;
  ReadingApi& operator=(const ReadingApi&) = delete;

  void add_to(admin::Router& router);
  /// Begins to collect.
  void start();
  /// Readiness as it is now; since when is known the better the more often it is told.
  void note(const admin::Health& health);

 private:
  void sample_loads();
  void set_log_level(focus::NoteLevel level, const std::string& by,
                     const std::function<void(const Result<>&)>& done);

  Sources sources_;
  admin::OverviewSources overview_;
  admin::LoadHistory loads_;
  admin::CheckHistory checks_;
  admin::EventFeed events_;
  boost::asio::steady_timer sample_timer_;
};

}  // namespace bascule::daemon
