#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/peers/clientsim/world.h"
#include "tests/peers/common/timer.h"
#include "tests/peers/common/xmpp_client.h"

namespace bascule::peers {

/// Asks the focus for a conference until it is ready, with the back-off of lib-jitsi-meet's
/// moderator.js: 1, 2, 4, ... 120 s after `ready` other than true, without limit; 1, 2, ... 32 s
/// after not-acceptable, then it gives up; any other error is final.
class ConferenceRequest {
 public:
  struct Outcome {
    bool ready = false;
    std::string focus_jid;  ///< When ready.
    std::string failure;    ///< Otherwise: what a user would be told.
  };

  ConferenceRequest(World& world, std::string room, std::string machine_uid);

  /// Runs over `client`; `done` is called once, unless `cancel` comes first.
  void start(std::shared_ptr<XmppClient> client, std::function<void(const Outcome&)> done);
  void cancel();

 private:
  void send();
  void on_result(const xml::Element& stanza);
  void on_error(const xml::Element& stanza);
  void finish(const Outcome& outcome);

  World& world_;
  std::string room_;
  std::string machine_uid_;
  std::shared_ptr<XmppClient> client_;
  std::function<void(const Outcome&)> done_;
  Timer retry_timer_;
  SteadyTime started_;
  int not_ready_ = 0;
  int errors_ = 0;
};

}  // namespace bascule::peers
