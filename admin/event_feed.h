#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "admin/http.h"
#include "base/time.h"

namespace bascule::admin {

/// A note as it was written to the log.
struct LoggedNote {
  WallTime at;
  std::string_view level;
  std::string_view event;
  std::string fields;  ///< A JSON object.
};

/// What listeners of `GET /v1/events` are told (text/event-stream): the overview once a second,
/// made once for all of them and only while there are any, and every note that is logged. The
/// latest notes are kept: whoever connects gets them first, or, coming back with Last-Event-ID, of
/// them those that were missed.
class EventFeed {
 public:
  static constexpr std::size_t kNotesMax = 200;
  static constexpr std::size_t kListenersMax = 32;
  static constexpr Duration kInterval = std::chrono::seconds{1};
  /// Per listener: a few overviews of the largest fleet. Who reads slower is dropped.
  static constexpr std::size_t kQueueBytesMax = std::size_t{4} << 20U;

  /// `epoch` tells events of this process from those of another one. `overview`: JSON.
  EventFeed(boost::asio::io_context& io, std::string epoch, std::function<std::string()> overview);
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void tell(const LoggedNote& note);
  ///   GET /v1/events
  /// The feed outlives the router.
  void add_to(Router& router);

  [[nodiscard]] std::size_t listeners() const { return listeners_.size(); }
  [[nodiscard]] std::uint64_t overviews_made() const { return overviews_; }

 private:
  struct Kept {
    std::uint64_t number;
    std::string event;  // As it is sent.
  };
  HttpResponse listen(const HttpRequest& request);
  [[nodiscard]] std::uint64_t last_heard(const std::string& event_id) const;
  [[nodiscard]] std::string overview_event();
  void tell_overview();
  void arm();

  std::string epoch_;
  std::function<std::string()> overview_;
  boost::asio::steady_timer timer_;
  std::list<std::shared_ptr<EventStream>> listeners_;
  std::deque<Kept> notes_;
  std::uint64_t last_note_ = 0;
  std::uint64_t overviews_ = 0;
};

}  // namespace bascule::admin
