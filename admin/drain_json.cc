#include "admin/drain_json.h"

#include "base/time_text.h"

namespace bascule::admin {

void write(const focus::op::BridgeDrain& drain, const focus::BridgeView* view, JsonWriter& json) {
  const std::size_t participants = view != nullptr ? view->participants : 0;
  json.begin_object();
  json.member("bridge", drain.bridge.to_string());
  json.member("since", to_text(drain.since));
  json.member("by", drain.by);
  json.member("reason", drain.reason);
  json.member("evacuate", drain.evacuate);
  json.member("participants", participants);
  json.member("conferences", view != nullptr ? view->conferences : 0);
  json.member("moving", view != nullptr ? view->leaving : 0);
  json.member("stuck", view != nullptr ? view->stuck : 0);
  json.member("done", participants == 0);
  json.end_object();
}

}  // namespace bascule::admin
