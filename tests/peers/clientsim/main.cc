// bascule-clientsim: simulated Jitsi Meet participants on real XMPP. See tests/peers/README.md.

#include <csignal>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "tests/peers/clientsim/crowd.h"
#include "tests/peers/common/control.h"

namespace {

using namespace bascule;         // NOLINT(google-build-using-namespace): a main file
using namespace bascule::peers;  // NOLINT(google-build-using-namespace)

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5222;
  std::string domain = "bascule.test";
  std::string focus;
  Crowd::Shape shape;
  double spread = 0;
  double reload_min = 10;
  double reload_max = 30;
  double reconnect_min = -1;
  double reconnect_max = -1;
  double rejoin_min = 5;
  double rejoin_max = 15;
  double ice_timeout_min = 10;
  double ice_timeout_max = 20;
  double screen_interval = 0;
  double visibility_grace = 10;
  bool ssrc_rewriting = false;
  bool no_data_channel = false;
  std::string events;
  bool strict = false;
  bool control = false;
  double duration = 0;
  std::uint64_t seed = 1;
};

Milliseconds seconds(double value) {
  return Milliseconds(static_cast<std::int64_t>(value * 1000));
}

void declare(CLI::App& app, Settings& settings) {
  app.add_option("--host", settings.host, "XMPP server, a loopback address");
  app.add_option("--port", settings.port, "its c2s port");
  app.add_option("--domain", settings.domain, "main domain with anonymous logins");
  app.add_option("--focus", settings.focus, "where conference requests go; default focus.DOMAIN");
  app.add_option("--rooms", settings.shape.rooms)->check(CLI::Range(1, 10'000));
  app.add_option("--per-room", settings.shape.per_room)->check(CLI::Range(0, 10'000));
  app.add_option("--room-sizes", settings.shape.room_sizes,
                 "people of each room, instead of --rooms and --per-room")
      ->delimiter(',')
      ->check(CLI::Range(1, 10'000));
  app.add_option("--room-prefix", settings.shape.room_prefix);
  app.add_option("--json-percent", settings.shape.json_percent,
                 "participants that take sources as JSON; the others take XML")
      ->check(CLI::Range(0, 100));
  app.add_option("--senders-per-room", settings.shape.senders_per_room,
                 "the others have no microphone and camera; default: everybody sends");
  app.add_option("--spread", settings.spread, "seconds within which everybody arrives");
  app.add_option("--reload-min", settings.reload_min,
                 "seconds before a page reloads after a failure");
  app.add_option("--reload-max", settings.reload_max);
  app.add_option("--reconnect-min", settings.reconnect_min,
                 "the same after the connection was lost; default: as --reload-min");
  app.add_option("--reconnect-max", settings.reconnect_max);
  app.add_option("--rejoin-min", settings.rejoin_min,
                 "seconds before a person clicks 'Rejoin now'");
  app.add_option("--rejoin-max", settings.rejoin_max);
  app.add_option("--ice-timeout-min", settings.ice_timeout_min,
                 "seconds until a browser notices a dead bridge");
  app.add_option("--ice-timeout-max", settings.ice_timeout_max);
  app.add_option("--screen-interval", settings.screen_interval,
                 "seconds between starting and ending to share a screen; 0: never");
  app.add_option("--visibility-grace", settings.visibility_grace,
                 "seconds until a missing source of somebody else is a failure");
  app.add_flag("--ssrc-rewriting", settings.ssrc_rewriting,
               "advertise it: no sources are signaled");
  app.add_flag("--no-data-channel", settings.no_data_channel);
  app.add_option("--events", settings.events, "write JSON lines to this file");
  app.add_flag("--strict", settings.strict, "exit at the first violation");
  app.add_flag("--control", settings.control, "take commands on standard input");
  app.add_option("--duration", settings.duration, "seconds; 0: until told to stop");
  app.add_option("--seed", settings.seed);
}

CrowdOptions crowd_options(const Settings& settings) {
  CrowdOptions options;
  options.server = {boost::asio::ip::make_address(settings.host), settings.port};
  options.domain = settings.domain;
  options.focus_address = settings.focus.empty() ? "focus." + settings.domain : settings.focus;
  options.reload_min = seconds(settings.reload_min);
  options.reload_max = seconds(settings.reload_max);
  options.reconnect_min =
      seconds(settings.reconnect_min < 0 ? settings.reload_min : settings.reconnect_min);
  options.reconnect_max =
      seconds(settings.reconnect_max < 0 ? settings.reload_max : settings.reconnect_max);
  options.rejoin_min = seconds(settings.rejoin_min);
  options.rejoin_max = seconds(settings.rejoin_max);
  options.ice_timeout_min = seconds(settings.ice_timeout_min);
  options.ice_timeout_max = seconds(settings.ice_timeout_max);
  options.screen_interval = seconds(settings.screen_interval);
  options.ssrc_rewriting = settings.ssrc_rewriting;
  options.data_channel = !settings.no_data_channel;
  return options;
}

int run(Settings settings) {
  boost::asio::io_context io(1);
  EventLog log(settings.events);
  Crowd* addressee = nullptr;
  MediaSocket media(io, [&addressee](std::string_view text, const MediaSocket::Endpoint&) {
    addressee->media_arrived(text);
  });
  World world{io, crowd_options(settings), log, media, Prng(settings.seed), {}, {}, {}, {}};
  settings.shape.spread = seconds(settings.spread);
  settings.shape.visibility_grace = seconds(settings.visibility_grace);
  Crowd crowd(world, settings.shape);
  addressee = &crowd;
  media.open(0);
  Timer ending(io);
  Timer grace(io);
  Json summary;
  const auto stop = [&crowd, &grace, &io, &summary] {
    crowd.check_visibility();
    summary = crowd.summary();
    crowd.stop();
    // Long enough for the leave presences and stream footers to be written.
    grace.start(Milliseconds(500), [&io] { io.stop(); });
  };
  if (settings.strict) {
    log.on_violation([&io] { io.stop(); });
  }
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&stop](const boost::system::error_code& error, int) {
    if (!error) {
      stop();
    }
  });
  std::unique_ptr<Control> control;
  if (settings.control) {
    control = std::make_unique<Control>(io, [&crowd, &stop](const std::string& line) {
      line == "quit" ? stop() : crowd.command(line);
    });
  }
  if (settings.duration > 0) {
    ending.start(seconds(settings.duration), stop);
  }
  crowd.start();
  io.run();
  if (summary.is_null()) {
    summary = crowd.summary();
  }
  summary["violations"] = log.violations();
  log.write("summary", summary);
  answer(summary.dump());
  return log.violations() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"Simulated Jitsi Meet participants for tests"};
  declare(app, settings);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(settings);
  } catch (const std::exception& error) {
    std::cerr << "bascule-clientsim: " << error.what() << '\n';
    return 2;
  }
}
