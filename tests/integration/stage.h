#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "tests/integration/bascule_process.h"
#include "tests/integration/prosody.h"
#include "tests/integration/scripted_client.h"
#include "tests/integration/tcp_proxy.h"
#include "tests/peers/bridgesim/bridge.h"
#include "tests/peers/common/event_log.h"

namespace bascule::test {

/// A whole deployment for one test: Prosody and the daemon as child processes; bridges and clients
/// in the test's own event loop, over real XMPP.
class Stage {
 public:
  struct Options {
    Prosody::Options prosody;
    BasculeProcess::Settings daemon;
    std::vector<std::string> environment;  ///< Of the daemon, beside ours: `NAME=value`.
    std::vector<std::string> arguments;    ///< Likewise.
    std::string program;                   ///< Instead of the product.
    int bridges = 2;
    double bridge_capacity = 120;     ///< Endpoints that fill one bridge.
    bool relays = false;              ///< Bridges announce a relay id.
    std::string focus_address;        ///< Default: focus.<domain>.
    bool proxy_client_link = false;   ///< `proxy` relays it, and can cut it.
    bool proxy_service_link = false;  ///< The same of the service link; not both.
    std::string pubsub_node;          ///< Bridges publish to it as well (pubsub.<domain>).
    bool start_daemon = true;         ///< And wait until it is ready.
  };

  Stage();
  explicit Stage(Options options);
  ~Stage();

  using Clock = std::chrono::steady_clock;
  /// Runs the loop until `condition` holds. Throws std::runtime_error with `what` and the daemon's
  /// log when it does not within `limit`.
  void until(const std::string& what, const std::function<bool()>& condition,
             std::chrono::milliseconds limit = std::chrono::seconds{15});
  void until_ready();
  /// Runs the loop until the reply is there.
  Reply wait_for(const std::shared_ptr<Reply>& reply);
  /// Runs the loop for this long: only to see that something does not happen.
  void watch(std::chrono::milliseconds duration);

  /// A client that is logged in, for a room of the main MUC service.
  ScriptedClient& client(const std::string& room, bool accepts = true);
  /// It asks for the conference, gets ready=true and is in the room with the focus.
  void enter(ScriptedClient& client);
  /// Everybody has an accepted session and the sources of all others.
  void until_all_see_each_other(const std::vector<ScriptedClient*>& clients,
                                std::chrono::milliseconds limit = std::chrono::seconds{15});
  peers::Bridge& add_bridge();
  /// What the bridge with this id announces.
  static std::string relay_id(int id) { return "jvb" + std::to_string(id) + "-relay"; }
  /// Ends the daemon in order; returns its exit code.
  int stop_daemon();

  /// The bridge that has this endpoint; null when none or more than one has.
  [[nodiscard]] peers::Bridge* bridge_of(const std::string& endpoint) const;
  [[nodiscard]] int endpoints_on_bridges() const;
  [[nodiscard]] std::string room(const std::string& name) const {
    return name + "@conference." + prosody.domain();
  }
  [[nodiscard]] std::string ready_field(const Reply& reply) const;

  boost::asio::io_context io{1};
  peers::EventLog events{""};
  Prosody prosody;
  std::unique_ptr<TcpProxy> proxy;  ///< Null unless a link is relayed.
  BasculeProcess daemon;
  /// The daemon may ask bridges for what they have: it lost what the process before knew.
  bool is_amnesia_expected = false;
  std::vector<std::unique_ptr<peers::Bridge>> bridges;
  std::vector<std::unique_ptr<ScriptedClient>> clients;

 private:
  Options options_;
};

}  // namespace bascule::test
