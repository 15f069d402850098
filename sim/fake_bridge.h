#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/stress.h"
#include "base/time.h"
#include "sim/fake_prosody.h"
#include "sim/fake_relays.h"
#include "sim/schedule.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/colibri_stats.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::sim {

struct BridgeOptions {
  std::string nick;
  std::int64_t capacity = 100;  ///< Load units at stress 1; one unit is a participant of a tenth.
  Duration publish_interval = std::chrono::seconds{5};
  Duration sample_interval = std::chrono::seconds{10};
  /// Endpoints without media for this long, or that never had any for twice as long, are expired at
  /// the next look (Jitsi Videobridge: VideobridgeExpireThread.java, reference.conf).
  Duration expiration_timeout = std::chrono::seconds{60};
  Duration expiration_check = std::chrono::seconds{60};
  Duration service_time_min = std::chrono::milliseconds{2};
  Duration service_time_max = std::chrono::milliseconds{40};
  bool publishes_to_pubsub = false;  ///< Besides its presence.
};

/// What a bridge has to do with the world beside XMPP.
struct BridgeMedia {
  /// Whether a client sends media to the transport with this ufrag.
  std::function<bool(const std::string& ufrag)> arrives;
  /// The bridge gave up an endpoint, of this age, that nobody expired.
  std::function<void(const std::string& endpoint, Instant created)> abandoned;
};

/// A videobridge as the focus sees it: brewery presence with stats that lag behind the truth,
/// colibri2 in order of arrival, no admission control of its own (Jitsi Videobridge:
/// Colibri2ConferenceHandler.kt), and the failures an operator meets.
class FakeBridge : public Peer {
 public:
  FakeBridge(Schedule& schedule, FakeProsody& server, Prng prng, BridgeOptions options,
             const Deployment& deployment, BridgeMedia media);

  void start();
  /// The process dies: everything on it is lost.
  void crash();
  /// Accepts stanzas and never answers; presence goes on (the health thread lives).
  void hang(bool hanging) { hanging_ = hanging; }
  void drain(bool draining);
  /// The n-th conference on it (counted round) is gone, and nobody is told. Returns its meeting id.
  std::optional<std::string> forget_meeting(std::size_t n);
  /// What it tells of itself, from its next period on; it stays in the brewery and goes on working.
  void set_tells(bool in_brewery, bool by_pubsub) {
    tells_brewery_ = in_brewery;
    tells_pubsub_ = by_pubsub;
  }
  /// Its last presence again, as after a change of its role or the return of the room.
  void repeat_presence();
  /// Its clock is off by this from now on; no clock of a bridge may matter.
  void set_clock_offset(Duration offset) { clock_offset_ = offset; }
  /// Endpoints it was ever asked for in this life.
  [[nodiscard]] std::uint64_t endpoints_created() const { return total_participants_; }
  /// Reports that it sent, by either way, that were new.
  [[nodiscard]] std::uint64_t reports() const { return reports_; }
  [[nodiscard]] bool is_running() const { return running_; }
  [[nodiscard]] bool is_hanging() const { return hanging_; }
  [[nodiscard]] bool is_draining() const { return draining_; }
  [[nodiscard]] const std::string& nick() const { return options_.nick; }

  /// What the load would be with every ramp over.
  [[nodiscard]] Stress settled_stress() const;
  [[nodiscard]] Stress max_settled_stress() const { return max_settled_; }
  [[nodiscard]] bool has_endpoint(const std::string& endpoint) const;
  /// Identifies the transport of an endpoint in the present life of this bridge; another after a
  /// restart of its ICE.
  [[nodiscard]] std::string ufrag_of(const std::string& endpoint) const;
  [[nodiscard]] std::size_t endpoints() const;
  [[nodiscard]] std::size_t conferences() const { return conferences_.size(); }
  /// What the focus did that a real bridge would have refused or mishandled.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  struct Endpoint {
    Instant created{};
    std::optional<Instant> media_at;
    SsrcSet sources;
    std::uint32_t ice_generation = 0;  ///< How often its ICE was restarted.
  };
  struct Conference {
    std::map<std::string, Endpoint> endpoints;
    FakeRelays relays;
    /// Whose media may be forwarded here.
    [[nodiscard]] std::size_t size() const { return endpoints.size() + relays.remote_endpoints(); }
  };
  [[nodiscard]] const std::map<std::string, Conference>& meetings() const { return conferences_; }
  [[nodiscard]] std::string relay_id() const { return options_.nick + "-relay"; }

  void deliver(const xml::Element& stanza) override;
  void disconnected() override;

 private:
  void connect();
  void publish();
  [[nodiscard]] proto::ColibriStats stats() const;
  void schedule_publish();
  void watch_media();
  void expire_silent();
  [[nodiscard]] bool is_silent(const Endpoint& endpoint) const;
  /// What this load, in thousandths of a unit, is to it.
  [[nodiscard]] Stress stress_of(std::int64_t load) const {
    return Stress{load * 1'000 / options_.capacity};
  }
  [[nodiscard]] Stress current_stress() const;
  void answer(const xml::Element& iq);
  tl::expected<proto::ConferenceModified, proto::StanzaError> modify(
      const proto::ConferenceModify& request);
  tl::expected<proto::Endpoint, proto::StanzaError> modify_endpoint(Conference& conference,
                                                                    const proto::Endpoint& request);

  Schedule& schedule_;
  FakeProsody& server_;
  Prng prng_;
  BridgeOptions options_;
  Deployment deployment_;
  BridgeMedia media_;
  Jid address_;
  std::optional<SessionId> session_;
  std::uint64_t life_ = 0;
  bool running_ = false;
  bool hanging_ = false;
  bool draining_ = false;
  Instant busy_until_{};
  Instant sampled_at_{};
  Instant expired_at_{};  // When it last looked for silent endpoints.
  Stress sample_;
  Stress max_settled_;
  std::uint64_t total_participants_ = 0;
  std::uint64_t last_relay_ = 0;
  bool tells_brewery_ = true;
  bool tells_pubsub_ = true;
  std::optional<xml::Element> last_presence_;
  Duration clock_offset_{};
  std::uint64_t reports_ = 0;
  std::uint64_t last_item_ = 0;
  std::map<std::string, Conference> conferences_;  // By meeting id.
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
