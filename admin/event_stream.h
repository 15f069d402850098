#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::admin {

/// One event of `text/event-stream` (HTML Living Standard 9.2). Lines of `data` become lines of the
/// event; `event` and `id` are ours and without line breaks; an empty `id` is left out.
std::string server_sent_event(std::string_view event, std::string_view data,
                              std::string_view id = {});

/// An answer that goes on: a handler makes one, gives it away in its HttpResponse, and sends while
/// somebody listens. What the peer does not take is kept up to a bound; beyond it the connection is
/// given up, so that a reader that stalls costs neither memory nor time. Event-loop thread only.
class EventStream {
 public:
  static constexpr std::size_t kQueueBytesMax = std::size_t{256} * 1024;

  explicit EventStream(std::size_t queue_bytes_max = kQueueBytesMax)
      : queue_bytes_max_(queue_bytes_max) {}
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Whole events (see server_sent_event). On a closed stream: nothing.
  void send(std::string_view text);
  /// Called once, when the peer has gone, was dropped, or the server stops; at once when that was
  /// before. More than one may be added.
  void on_close(std::function<void()> call);
  /// Ends the answer; what is queued is not sent any more.
  void close();

  [[nodiscard]] bool is_open() const { return is_open_; }
  /// Closed because the peer did not read.
  [[nodiscard]] bool has_overflowed() const { return has_overflowed_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size(); }

  // For the server.
  /// `wake` is called when there is something to take, or the stream was closed.
  void attach(std::function<void()> wake);
  /// Everything that is queued.
  std::string take();

 private:
  std::size_t queue_bytes_max_;
  std::string queue_;
  bool is_open_ = true;
  bool has_overflowed_ = false;
  std::function<void()> wake_;
  std::vector<std::function<void()>> on_close_;
};

}  // namespace bascule::admin
