// One room with 500 occupants.

#include "tests/peers/clientsim/crowd.h"

#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

TEST(Crowd, FiveHundredOccupantsOfOneRoomAllGetASession) {
  constexpr std::uint64_t kOccupants = 500;
  constexpr std::uint64_t kStep = 5;
  Stage stage(
      {.daemon = {{"selection", {{"placement-interval", "\"5 ms\""}, {"unknown-window", "0.0"}}}},
       .bridges = 4,
       .bridge_capacity = 1000});
  peers::CrowdOptions options;
  options.server = {boost::asio::ip::address_v4::loopback(), stage.prosody.c2s_port()};
  options.domain = stage.prosody.domain();
  options.focus_address = "focus." + stage.prosody.domain();
  options.ssrc_rewriting = true;
  peers::Crowd* addressee = nullptr;
  peers::MediaSocket media(stage.io, [&addressee](std::string_view text, const auto&) {
    addressee->media_arrived(text);
  });
  media.open(0);
  peers::World world{stage.io, options, stage.events, media, Prng(1), {}, {}, {}, {}};
  peers::Crowd crowd(world, {.rooms = 1,
                             .per_room = 0,
                             .room_prefix = "hall",
                             .json_percent = 100,
                             .senders_per_room = 5});
  addressee = &crowd;
  const auto began = Stage::Clock::now();
  crowd.start();
  // Prosody sends a quarter of a million presences here: people come as fast as it lets them in.
  std::uint64_t came = 0;
  stage.until(
      "everybody has an accepted session",
      [&world, &crowd, &came] {
        if (came < kOccupants && came <= world.figures.accepts + kStep) {
          crowd.command("join " + std::to_string(kStep));
          came += kStep;
        }
        return world.figures.accepts >= kOccupants;
      },
      seconds(400));
  const auto took = std::chrono::duration_cast<milliseconds>(Stage::Clock::now() - began);
  const peers::Json summary = crowd.summary();
  EXPECT_EQ(summary.at("active"), kOccupants);
  std::printf(
      "500 occupants in %lld ms; invite p50 and p99: %s; daemon CPU %.1f s, memory %.0f MB\n",
      static_cast<long long>(took.count()), summary.at("latency_ms").dump().c_str(),
      stage.daemon.metric("process_cpu_seconds_total"),
      stage.daemon.metric("process_resident_memory_bytes") / 1e6);
  EXPECT_EQ(summary.at("in_room"), kOccupants);
  EXPECT_EQ(summary.at("refused"), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_participants"), kOccupants);
  EXPECT_EQ(stage.daemon.metric("bascule_sessions"), kOccupants);
  EXPECT_EQ(stage.endpoints_on_bridges(), kOccupants);
  EXPECT_EQ(stage.daemon.metric("bascule_links_lost_total"), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_bugs_total"), 0);
}

}  // namespace
}  // namespace bascule::test
