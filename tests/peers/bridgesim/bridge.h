#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/prng.h"
#include "tests/peers/bridgesim/colibri.h"
#include "tests/peers/bridgesim/faults.h"
#include "tests/peers/bridgesim/load_model.h"
#include "tests/peers/common/encoding.h"
#include "tests/peers/common/event_log.h"
#include "tests/peers/common/media_socket.h"
#include "tests/peers/common/timer.h"
#include "tests/peers/common/xmpp_client.h"

namespace bascule::peers {

struct BridgeOptions {
  Account account;
  std::string brewery;  ///< Bare address of the room.
  BridgeIdentity identity;
  std::string pubsub_service;
  std::string
      pubsub_node;  ///< Reports are published there as well (XEP-0060). Empty: they are not.
  bool creates_node = false;  ///< ... after this bridge, which has created it at its first login.
  std::string region;
  std::string version = "2.3.219-g0a1b2c3d";
  LoadParameters load;
  /// Published as `average_participant_stress`; as with a JVB a setting, not a measurement.
  double participant_stress = 0.01;
  double limit = 1.0;  ///< True stress above this is reported as an overload.
  Milliseconds service_median{4};
  bool whitelist_only = false;
  std::uint64_t seed = 1;
};

/// One simulated videobridge: a c2s login, an occupant of the brewery, a colibri2 responder.
class Bridge : public XmppClient::Listener {
 public:
  Bridge(boost::asio::io_context& io, BridgeOptions options, EventLog& log);
  ~Bridge() override;
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  void start();
  /// Leaves the brewery and ends the stream.
  void stop();
  void apply(const FaultAction& action);

  [[nodiscard]] int id() const { return options_.identity.id; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] double true_stress() const { return load_.true_stress(); }
  [[nodiscard]] double max_stress() const { return max_stress_; }
  [[nodiscard]] std::uint64_t overloads() const { return overloads_; }
  [[nodiscard]] bool joined() const { return joined_; }
  [[nodiscard]] const Colibri& colibri() const { return colibri_; }
  [[nodiscard]] Json status() const;
  /// The line of the once-a-second event: the status, and the highest load since the last one.
  Json second();
  /// Every endpoint with its room and whether it is connected; every relay with what is behind it.
  [[nodiscard]] Json endpoints() const;

  void on_ready(const Jid& own) override;
  void on_presence(const xml::Element& stanza) override;
  void on_iq_request(const xml::Element& stanza) override;
  void on_message(const xml::Element& stanza) override;
  void on_closed(const std::string& reason) override;

 private:
  /// Requests of one conference are processed one after the other.
  struct Queue {
    std::deque<xml::Element> waiting;
    std::unique_ptr<Timer> timer;  ///< Set while a request is being worked on.
  };

  // bridge.cc: life on XMPP
  void connect();
  void join();
  void leave();
  enum class Occasion : std::uint8_t { kJoining, kPeriod };
  void publish(Occasion occasion);
  void create_node();
  void publish_item(const xml::Element& stats);
  void schedule_publish();
  void tick();
  void watch_load();
  void answer(const xml::Element& stanza);

  // bridge_work.cc: colibri2 and faults
  void on_media(std::string_view packet, const MediaSocket::Endpoint& from);
  void on_check(std::string_view packet, const MediaSocket::Endpoint& from);
  void on_modify(const xml::Element& stanza);
  void work(const std::string& meeting);
  void finish(const std::string& meeting);
  void reply(const xml::Element& request, const ColibriReply& reply);
  void refuse(const xml::Element& request, const ColibriError& error);
  Milliseconds service_time();
  void happen(const FaultAction& action);
  void die(std::optional<Milliseconds> back_after);
  void set_flapping();
  void wrong(const std::string& text);

  boost::asio::io_context& io_;
  BridgeOptions options_;
  EventLog& log_;
  Prng random_;
  Capabilities capabilities_;
  MediaSocket media_;
  Colibri colibri_;
  LoadModel load_;
  Faults faults_;
  std::shared_ptr<XmppClient> client_;
  std::map<std::string, Queue, std::less<>> queues_;
  std::map<std::string, std::unique_ptr<Timer>> fault_ends_;
  std::map<std::uint64_t, std::unique_ptr<Timer>> late_answers_;
  Timer reconnect_timer_;
  Timer publish_timer_;
  Timer tick_timer_;
  Timer flap_timer_;
  SteadyTime next_sweep_;
  double frozen_stress_ = 0;
  double max_stress_ = 0;
  double peak_of_second_ = 0;
  std::uint64_t overloads_ = 0;
  std::uint64_t deaths_ = 0;  ///< Of overload.
  std::uint64_t reports_lost_ = 0;
  std::uint64_t items_published_ = 0;
  std::uint64_t items_refused_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t next_late_ = 0;
  bool overloaded_ = false;
  bool dead_ = false;
  bool hanging_ = false;
  bool joined_ = false;
  bool stopping_ = false;
};

}  // namespace bascule::peers
