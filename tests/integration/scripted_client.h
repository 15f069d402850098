#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "tests/peers/clientsim/offer.h"
#include "tests/peers/clientsim/sources.h"
#include "tests/peers/common/encoding.h"
#include "tests/peers/common/xmpp_client.h"

namespace bascule::test {

/// How a request of a scripted peer ended; filled while the loop runs.
struct Reply {
  bool done = false;
  bool timed_out = false;
  xml::Element stanza;
  /// "result", "error" or, without an answer, "".
  [[nodiscard]] std::string type() const;
  [[nodiscard]] std::string condition() const;
};

/// Sends an IQ; its answer goes to the reply.
std::shared_ptr<Reply> send_request(peers::XmppClient& client, xml::Element stanza);

/// A participant that does what the test says, step by step, and remembers what it receives. It
/// answers disco and, unless told otherwise, accepts what it is offered.
class ScriptedClient : public peers::XmppClient::Listener {
 public:
  struct Options {
    std::uint16_t port = 0;
    std::string domain;
    std::string room;  ///< Bare address.
    std::string focus_address;
    bool accepts = true;
    std::uint64_t seed = 1;
  };

  ScriptedClient(boost::asio::io_context& io, Options options);
  ~ScriptedClient() override;
  ScriptedClient(const ScriptedClient&) = delete;
  ScriptedClient& operator=(const ScriptedClient&) = delete;

  /// Logs in anonymously; also after the connection was lost.
  void connect();
  std::shared_ptr<Reply> request_conference() { return request_conference(options_.room); }
  std::shared_ptr<Reply> request_conference(const std::string& room);
  void join();
  void leave();
  std::shared_ptr<Reply> ask(xml::Element stanza) {
    return send_request(*client_, std::move(stanza));
  }
  void send(const xml::Element& stanza) { client_->send(stanza); }
  /// Jingle to the focus in the room.
  std::shared_ptr<Reply> ask_jingle(xml::Element jingle);
  void accept();
  /// Offers one more camera under this name.
  std::shared_ptr<Reply> add_camera(const std::string& name);

  [[nodiscard]] bool is_logged_in() const { return logged_in_; }
  [[nodiscard]] bool is_in_room() const { return in_room_; }
  [[nodiscard]] bool has_session() const { return offer_.has_value(); }
  /// The focus has confirmed our session-accept.
  [[nodiscard]] bool is_active() const {
    return offer_ && accepted_ && accepted_->type() == "result";
  }
  [[nodiscard]] bool is_moderator() const { return moderator_; }
  [[nodiscard]] const peers::Offer& offer() const { return *offer_; }
  /// Does it know every source that the other one must be signaled with?
  [[nodiscard]] bool sees(const ScriptedClient& other) const;
  [[nodiscard]] bool knows_sources_of(const std::string& endpoint) const {
    return remote_.contains(endpoint);
  }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] std::string occupant() const { return options_.room + "/" + endpoint_; }
  [[nodiscard]] std::string focus_occupant() const { return options_.room + "/focus"; }

  // What happened so far.
  int invites = 0;
  std::vector<std::string> terminations;  ///< `<sid> <condition> <text>`.
  int focus_arrivals = 0;
  int focus_departures = 0;
  std::string focus_address_seen;   ///< Real address of the occupant "focus".
  std::vector<xml::Element> mutes;  ///< `<mute/>` from the focus.
  bool starts_audio_muted = false;  ///< By the last offer.
  std::vector<xml::Element> room_errors;
  std::vector<std::string> wrong;  ///< What a browser would have tripped over.
  std::string closed_because;

  void on_ready(const Jid& own) override;
  void on_presence(const xml::Element& stanza) override;
  void on_iq_request(const xml::Element& stanza) override;
  void on_message(const xml::Element& stanza) override;
  void on_closed(const std::string& reason) override;

 private:
  void on_jingle(const xml::Element& stanza, const xml::Element& jingle);
  void on_initiate(const xml::Element& jingle);
  void on_sources(const xml::Element& jingle, bool adding);

  boost::asio::io_context& io_;
  Options options_;
  Prng random_;
  peers::Capabilities capabilities_;
  std::shared_ptr<peers::XmppClient> client_;
  std::string endpoint_;
  bool logged_in_ = false;
  bool in_room_ = false;
  bool moderator_ = false;
  std::optional<peers::Offer> offer_;
  peers::SourceSet local_;
  peers::SourcesByOwner remote_;
  std::shared_ptr<Reply> accepted_;
};

}  // namespace bascule::test
