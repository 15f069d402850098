#include "admin/event_stream.h"

#include <algorithm>
#include <utility>

namespace bascule::admin {

std::string server_sent_event(std::string_view event, std::string_view data, std::string_view id) {
  std::string text;
  text.reserve(event.size() + data.size() + id.size() + 32);
  if (!id.empty()) {
    text.append("id: ").append(id).append("\n");
  }
  text.append("event: ").append(event).append("\n");
  while (true) {
    const auto end = std::min(data.find_first_of("\r\n"), data.size());
    text.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) {
      break;
    }
    const bool is_pair = data.substr(end, 2) == "\r\n";
    data.remove_prefix(end + (is_pair ? 2 : 1));
  }
  return text + "\n";
}

void EventStream::send(std::string_view text) {
  if (!is_open_) {
    return;
  }
  if (queue_.size() + text.size() > queue_bytes_max_) {
    has_overflowed_ = true;
    close();
    return;
  }
  queue_.append(text);
  if (wake_) {
    wake_();
  }
}

void EventStream::on_close(std::function<void()> call) {
  if (is_open_) {
    on_close_.push_back(std::move(call));
  } else {
    call();
  }
}

void EventStream::close() {
  if (!std::exchange(is_open_, false)) {
    return;
  }
  queue_ = {};
  for (const auto& call : std::exchange(on_close_, {})) {
    call();
  }
  if (const auto wake = std::exchange(wake_, nullptr)) {
    wake();
  }
}

void EventStream::attach(std::function<void()> wake) {
  wake_ = std::move(wake);
}

std::string EventStream::take() {
  return std::exchange(queue_, {});
}

}  // namespace bascule::admin
