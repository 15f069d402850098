#include "tests/peers/common/event_log.h"

#include <iostream>
#include <stdexcept>
#include <utility>

namespace bascule::peers {

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

EventLog::EventLog(const std::string& path) {
  if (!path.empty()) {
    file_.open(path, std::ios::out | std::ios::trunc);
    if (!file_) {
      throw std::runtime_error("cannot write " + path);
    }
  }
}

void EventLog::write(std::string_view event, Json fields) {
  if (!file_.is_open()) {
    return;
  }
  fields["t"] = monotonic_seconds();
  fields["event"] = event;
  // Text from the wire may be cut UTF-8: replaced rather than thrown at us. Flushed, because the
  // reader follows the file and the writer may be killed.
  file_ << fields.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

void EventLog::violation(std::string_view subject, const std::string& text) {
  ++violations_;
  std::cerr << "VIOLATION " << subject << ": " << text << '\n';
  write("violation", {{"subject", subject}, {"text", text}});
  if (on_violation_) {
    on_violation_();
  }
}

}  // namespace bascule::peers
