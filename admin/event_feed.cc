#include "admin/event_feed.h"

#include <charconv>
#include <utility>

#include "admin/json.h"
#include "admin/json_writer.h"
#include "base/time_text.h"

namespace bascule::admin {
namespace {

std::string to_json(const LoggedNote& note) {
  JsonWriter json;
  json.begin_object();
  json.member("at", to_text(note.at));
  json.member("level", note.level);
  json.member("event", note.event);
  json.key("fields");
  json.raw(note.fields);
  json.end_object();
  return json.take();
}

std::string_view without_line_break(std::string_view json) {
  return json.substr(0, json.find_last_not_of('\n') + 1);
}

}  // namespace

EventFeed::EventFeed(boost::asio::io_context& io, std::string epoch,
                     std::function<std::string()> overview)
    : epoch_(std::move(epoch)), overview_(std::move(overview)), timer_(io) {
}

void EventFeed::tell(const LoggedNote& note) {
  const std::uint64_t number = ++last_note_;
  notes_.push_back({.number = number,
                    .event = server_sent_event("log", without_line_break(to_json(note)),
                                               epoch_ + "." + std::to_string(number))});
  if (notes_.size() > kNotesMax) {
    notes_.pop_front();
  }
  const auto listeners = listeners_;  // Sending may drop one.
  for (const auto& listener : listeners) {
    listener->send(notes_.back().event);
  }
}

void EventFeed::add_to(Router& router) {
  router.add("GET", "/v1/events", [this](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? listen(request) : no_parameters());
  });
}

/// 0 when it heard nothing of this process.
std::uint64_t EventFeed::last_heard(const std::string& event_id) const {
  const auto dot = event_id.find('.');
  std::uint64_t number = 0;
  if (dot == std::string::npos || event_id.substr(0, dot) != epoch_) {
    return 0;
  }
  std::from_chars(event_id.data() + dot + 1, event_id.data() + event_id.size(), number);
  return number;
}

HttpResponse EventFeed::listen(const HttpRequest& request) {
  if (listeners_.size() >= kListenersMax) {
    return problem(503, "Too many listeners",
                   "32 listen already; GET /v1/overview answers without listening");
  }
  const auto stream = std::make_shared<EventStream>(kQueueBytesMax);
  const std::uint64_t heard = last_heard(request.last_event_id);
  for (const Kept& kept : notes_) {
    if (kept.number > heard) {
      stream->send(kept.event);
    }
  }
  stream->send(overview_event());
  listeners_.push_back(stream);
  stream->on_close([this, listening = std::weak_ptr<EventStream>(stream)] {
    listeners_.remove_if([&listening](const auto& one) { return one == listening.lock(); });
  });
  if (listeners_.size() == 1) {
    arm();
  }
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = stream;
  return response;
}

void EventFeed::arm() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error && !listeners_.empty()) {
      tell_overview();
      arm();
    }
  });
}

std::string EventFeed::overview_event() {
  ++overviews_;
  return server_sent_event("overview", without_line_break(overview_()));
}

void EventFeed::tell_overview() {
  const std::string event = overview_event();
  const auto listeners = listeners_;  // Sending may drop one.
  for (const auto& listener : listeners) {
    if (listener->queued_bytes() == 0) {  // An old overview is of no use to who reads slowly.
      listener->send(event);
    }
  }
}

}  // namespace bascule::admin
