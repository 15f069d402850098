#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include <tl/expected.hpp>

#include "admin/http.h"
#include "base/ids.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::admin {

/// `POST /conference-request/v1`: hands requests to the focus and its answers to the clients. The
/// statuses are what lib-jitsi-meet understands (moderator.js): 403 starts the login, a 400 whose
/// body contains "400 invalid-session" renews the session, everything else that is not 200 is fatal
/// to the user, so every temporary condition is 200 with `ready` false.
class ConferenceRequests {
 public:
  using Submit = std::function<void(HttpId, proto::ConferenceRequest)>;
  ConferenceRequests(Submit submit, std::size_t waiting_max);

  void handle(const HttpRequest& request, Respond respond);
  /// The focus's answer; unknown ids (answered before, or given up) are ignored.
  void answer(HttpId request,
              const tl::expected<proto::ConferenceAnswer, proto::StanzaError>& outcome);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  Submit submit_;
  std::size_t waiting_max_;
  std::uint64_t next_id_ = 1;
  std::map<HttpId, Respond> waiting_;
};

}  // namespace bascule::admin
