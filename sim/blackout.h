#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "focus/confidence.h"
#include "focus/focus.h"
#include "sim/checkers.h"
#include "sim/fake_bridge.h"
#include "sim/fake_client.h"
#include "sim/fake_prosody.h"
#include "sim/fake_pubsub.h"
#include "sim/focus_host.h"
#include "sim/schedule.h"

namespace bascule::sim {

struct BlackoutOptions {
  std::uint64_t seed = 1;
  std::function<void(const std::string&)> journal;  ///< As of World.
};

/// What one part of a blackout run ended with.
struct BlackoutPart {
  std::string name;
  std::size_t people = 0;    ///< With a session.
  std::int64_t spread = 0;   ///< Largest less smallest true load of the bridges, millionths.
  std::int64_t largest = 0;  ///< Largest true load, millionths.
  std::int64_t share = 0;    ///< Most new endpoints on one bridge of those of the part, permille.
  std::int64_t confidence_low = 0, confidence_high = 0;  ///< Over the bridges, permille.
};

struct BlackoutResult {
  std::uint64_t seed = 0;
  std::vector<std::string> complaints;  ///< Empty: every checker was content.
  std::vector<BlackoutPart> parts;
  std::size_t bridges = 0, rooms = 0, clients = 0;
  Duration told_after{};     ///< From the last report of anybody to `stats.blind extent=wholly`.
  Duration trusted_after{};  ///< From the first report after it to full confidence everywhere.
  std::uint64_t events = 0;
  std::uint64_t action_hash = 0;
};

/// Stats partly and wholly lost while conferences go on arriving: half of the bridges tell nothing
/// by either way, then all of them for four minutes (old presences are seen again meanwhile), then
/// pubsub alone is back, then the brewery, from bridges whose clocks are decades off.
///
/// Checked all the time: confidence never rises without a new report, an estimate is never zero
/// while people are there, no bridge is truly over its capacity. After each part: who is trusted
/// how far, load spread close to even, nobody unserved, and what the operator was told.
class Blackout {
 public:
  explicit Blackout(const BlackoutOptions& options);
  BlackoutResult run();

 private:
  struct Watched {
    std::int64_t confidence = 0;
    std::uint64_t reports_before = 0;  // As of the look before the last.
    std::uint64_t reports = 0;
    std::uint64_t created = 0;  // Endpoints, when the part began.
  };
  /// Confidence every bridge must have when a part ends: those that are told to be silent, the
  /// rest.
  struct Expected {
    focus::Confidence silent, others;
  };

  void draw();
  void note(const std::string& line);
  void complain(const std::string& text);
  void on_log(const focus::Note& note);
  // The parts of the run, in this order.
  void all_tell();
  void half_are_silent();
  void all_are_silent();
  void pubsub_is_back();
  void all_tell_again();
  void tell(std::size_t first_silent, bool in_brewery, bool by_pubsub);
  void begin_part(std::size_t rooms_per_bridge);
  void open_rooms(std::size_t count);
  void some_leave();
  void pass(Duration time);
  void look();
  void end_part(const std::string& name, std::size_t first_silent, Expected expected);
  void check_load(const BlackoutPart& part);
  [[nodiscard]] focus::BridgeView view(const FakeBridge& bridge) const;
  [[nodiscard]] bool is_trusted_everywhere() const;
  [[nodiscard]] std::size_t wanted_in(const RoomJid& room) const;
  void expect_told(const std::string& event, std::uint64_t times, const std::string& when);

  BlackoutOptions options_;
  Prng prng_;
  Deployment deployment_;
  Schedule schedule_;
  focus::Options focus_options_;
  std::unique_ptr<FakeProsody> server_;
  std::unique_ptr<FakePubsub> pubsub_;
  std::unique_ptr<PaceChecker> pace_;
  std::unique_ptr<FocusHost> host_;
  std::vector<std::unique_ptr<FakeBridge>> bridges_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
  std::map<std::string, Watched> watched_;  // By nick.
  std::map<std::string, std::uint64_t> told_;
  std::map<std::string, Instant> told_at_;
  std::vector<std::int64_t> sizes_;  // People of each room to come.
  std::size_t rooms_ = 0;
  BlackoutResult result_;
};

}  // namespace bascule::sim
