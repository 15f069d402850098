#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/scripted_client.h"
#include "tests/peers/common/xmpp_client.h"

namespace bascule::test {

/// An occupant of the brewery that publishes and answers what the test says, for what no bridge of
/// tests/peers would do.
class ScriptedBridge : public peers::XmppClient::Listener {
 public:
  using Stats = std::vector<std::pair<std::string, std::string>>;
  /// The answer to a colibri2 request; none: silence.
  using Answerer = std::function<std::optional<xml::Element>(const xml::Element& request)>;

  /// Logs in as `nick` and joins with honest statistics.
  ScriptedBridge(boost::asio::io_context& io, std::uint16_t port, const std::string& domain,
                 std::string nick);
  ~ScriptedBridge() override;
  ScriptedBridge(const ScriptedBridge&) = delete;
  ScriptedBridge& operator=(const ScriptedBridge&) = delete;

  [[nodiscard]] bool is_in() const { return in_; }
  static Stats honest_stats();
  void publish(const Stats& stats);
  /// Presence with any extension instead of statistics.
  void publish_extension(const xml::Element& extension);
  void send(const xml::Element& stanza) { client_->send(stanza); }
  std::shared_ptr<Reply> ask(xml::Element stanza);
  [[nodiscard]] std::string focus_occupant() const { return brewery_ + "/focus"; }

  Answerer answer;  ///< Empty: silence.
  int requests = 0;

  void on_ready(const Jid& own) override;
  void on_presence(const xml::Element& stanza) override;
  void on_iq_request(const xml::Element& stanza) override;
  void on_message(const xml::Element& stanza) override;
  void on_closed(const std::string& reason) override;

 private:
  std::string brewery_;
  std::string nick_;
  std::shared_ptr<peers::XmppClient> client_;
  bool in_ = false;
};

}  // namespace bascule::test
