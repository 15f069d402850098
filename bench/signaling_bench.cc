// What it takes to tell a conference of one participant's change of sources, down to the bytes.

#include <string>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "focus/source_map.h"
#include "focus/source_signaler.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/writer.h"

namespace bascule::bench {
namespace {

EndpointId endpoint(std::size_t number) {
  return EndpointId("e" + std::to_string(100'000 + number));
}

/// What a browser sends: three layers of simulcast with retransmission, and audio.
proto::EndpointSources browser_sources(std::uint32_t first, const std::string& owner) {
  proto::EndpointSources sources;
  const auto ssrc = [&](std::uint32_t offset) { return Ssrc(first + offset); };
  for (std::uint32_t layer = 0; layer < 6; ++layer) {
    sources.video.push_back({.ssrc = ssrc(layer),
                             .name = owner + "-v0",
                             .video_type = proto::VideoType::kCamera,
                             .msid = owner + "-video-0-1 90fa0d3c-7a5e-4a52-9be5-5e6f3d1e9d17-1"});
  }
  sources.audio.push_back({.ssrc = ssrc(6),
                           .name = owner + "-a0",
                           .msid = owner + "-audio-0-1 31ac0d3c-7a5e-4a52-9be5-5e6f3d1e9d17-1"});
  using proto::GroupSemantics;
  sources.video_groups = {{.semantics = GroupSemantics::kSim, .ssrcs = {ssrc(0), ssrc(1), ssrc(2)}},
                          {.semantics = GroupSemantics::kFid, .ssrcs = {ssrc(0), ssrc(3)}},
                          {.semantics = GroupSemantics::kFid, .ssrcs = {ssrc(1), ssrc(4)}},
                          {.semantics = GroupSemantics::kFid, .ssrcs = {ssrc(2), ssrc(5)}}};
  return sources;
}

/// One participant in a room with `state.range(0)` others, 20 of them senders, adds its sources and
/// removes them again; `state.range(1)`: receivers read compact JSON.
void signal_sources(benchmark::State& state) {
  const auto receivers = static_cast<std::size_t>(state.range(0));
  const bool json = state.range(1) != 0;
  focus::ConferenceSourceMap map({});
  focus::SourceSignaler signaler({});
  for (std::size_t i = 0; i < receivers; ++i) {
    if (i < 20) {
      BASCULE_CHECK(map.add(
          endpoint(i),
          browser_sources(1'000 + 100 * static_cast<std::uint32_t>(i), endpoint(i).value())));
    }
    signaler.offered(endpoint(i), {.json = json});
    BASCULE_CHECK(signaler.activate(endpoint(i), map).settled.empty());
  }
  const EndpointId owner = endpoint(999'999);
  const auto sources = browser_sources(900'000, owner.value());
  const Jid room = *Jid::parse("standup@conference.meet.example");
  Instant now{std::chrono::hours{1}};
  std::size_t bytes = 0;
  std::size_t sent = 0;
  bool add = true;
  for ([[maybe_unused]] auto iteration : state) {
    const focus::SourceSnapshot before = map.snapshot(owner);
    if (add) {
      BASCULE_CHECK(map.add(owner, sources));
    } else {
      map.remove_owner(owner);
    }
    add = !add;
    signaler.changed(owner, before, receivers + 1, now);
    for (const focus::SourceMessage& message : signaler.take_due(map, now, receivers).messages) {
      xml::Element iq{.name = "iq", .ns = "jabber:client"};
      iq.set("type", "set").set("id", "a1b2c3");
      iq.set("to", room.with_resource(message.receiver.value()).to_string());
      iq.add(proto::encode_request(focus::make_jingle(message, "0123456789abcdef")).payload);
      bytes += xml::to_string(iq, "jabber:client").size();
      ++sent;
    }
  }
  state.counters["bytes_each"] = static_cast<double>(bytes) / static_cast<double>(sent);
  state.counters["per_receiver"] = benchmark::Counter(
      static_cast<double>(sent), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(signal_sources)->ArgsProduct({{50, 500}, {0, 1}})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace bascule::bench
