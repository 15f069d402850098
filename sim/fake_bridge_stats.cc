// The load of a simulated bridge, and what it tells of it.

#include <algorithm>
#include <utility>

#include "sim/fake_bridge.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/pubsub.h"

namespace bascule::sim {
namespace {

constexpr Duration kRamp = std::chrono::seconds{15};  // Until a new endpoint costs what it costs.

/// A relay costs this for each endpoint behind it, thousandths of a unit, up to a limit.
constexpr std::int64_t kRemoteCost = 100;
constexpr std::int64_t kRelayCostMax = 2'000;

/// Thousandths of a unit that one of `size` participants costs: senders grow with the conference
/// until layouts stop showing more.
std::int64_t weight(std::size_t size) {
  return 400 + 60 * static_cast<std::int64_t>(std::min<std::size_t>(size, 20));
}

std::int64_t relay_load(const FakeRelays& relays) {
  std::int64_t load = 0;
  for (const auto& [id, relay] : relays.all()) {
    load +=
        std::min(kRemoteCost * static_cast<std::int64_t>(relay.endpoints.size()), kRelayCostMax);
  }
  return load;
}

}  // namespace

void FakeBridge::publish() {
  if (!session_) {
    return;
  }
  if (schedule_.now() - sampled_at_ >= options_.sample_interval) {
    sampled_at_ = schedule_.now();
    sample_ = current_stress();
  }
  if (tells_brewery_) {
    proto::MucPresence presence;
    presence.to = deployment_.brewery.jid().with_resource(options_.nick);
    presence.join =
        proto::MucJoin{};  // The MUC tolerates it; a bridge that lost its room needs it.
    presence.colibri_stats = stats();
    ++reports_;
    last_presence_ = proto::encode(presence);
    server_.send(*session_, *last_presence_);
  }
  if (tells_pubsub_ && options_.publishes_to_pubsub) {
    proto::PubsubItem item{.id = address_.to_string(), .publisher = {}, .payload = stats()};
    ++reports_;
    const proto::IqEnvelope envelope{.from = {},
                                     .to = deployment_.pubsub_service,
                                     .id = "item" + std::to_string(++last_item_),
                                     .type = proto::IqType::kSet};
    const proto::PubsubRequest publish =
        proto::PubsubPublish{deployment_.pubsub_node, std::move(item)};
    server_.send(*session_, proto::encode_iq(envelope, proto::encode(publish)));
  }
}

void FakeBridge::repeat_presence() {
  if (session_ && last_presence_) {
    server_.send(*session_, *last_presence_);
  }
}

proto::ColibriStats FakeBridge::stats() const {
  const Duration clock = schedule_.now().time_since_epoch() + clock_offset_;
  return {.values = {{"stress_level", proto::format_millionths(sample_.millionths())},
                     {"drain", draining_ ? "true" : "false"},
                     {"graceful_shutdown", "false"},
                     {"shutting_down", "false"},
                     {"healthy", "true"},
                     {"version", "2.3.sim"},
                     {"region", "region"},
                     {"relay_id", relay_id()},
                     {"local_endpoints", std::to_string(endpoints())},
                     {"participants", std::to_string(endpoints())},
                     {"conferences", std::to_string(conferences_.size())},
                     {"total_participants", std::to_string(total_participants_)},
                     {"current_timestamp", std::to_string(clock.count())}}};
}

Stress FakeBridge::current_stress() const {
  std::int64_t load = 0;
  for (const auto& [id, conference] : conferences_) {
    for (const auto& [endpoint, state] : conference.endpoints) {
      const auto age = std::min<Duration>(schedule_.now() - state.created, kRamp);
      load += weight(conference.size()) * age.count() / kRamp.count();
    }
    load += relay_load(conference.relays);
  }
  return stress_of(load);
}

Stress FakeBridge::settled_stress() const {
  std::int64_t load = 0;
  for (const auto& [id, conference] : conferences_) {
    load += weight(conference.size()) * static_cast<std::int64_t>(conference.endpoints.size());
    load += relay_load(conference.relays);
  }
  return stress_of(load);
}

}  // namespace bascule::sim
