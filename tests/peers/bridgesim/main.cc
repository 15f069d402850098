// bascule-bridgesim: simulated videobridges on real XMPP. See tests/peers/README.md.

#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "tests/peers/bridgesim/fleet.h"
#include "tests/peers/common/control.h"

namespace {

using namespace bascule;         // NOLINT(google-build-using-namespace): a main file
using namespace bascule::peers;  // NOLINT(google-build-using-namespace)

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5222;
  std::string domain = "bascule.test";
  std::string user = "jvb";
  std::string password;
  std::string brewery = "jvbbrewery";
  std::string pubsub_node;
  int bridges = 1;
  int first_id = 1;
  std::vector<double> capacities{120};
  std::vector<std::string> regions;
  double noise = 0.05;
  std::string overload_model;
  double participant_stress = 0.01;
  double limit = 1.0;
  std::int64_t interval_ms = 5000;
  std::int64_t service_median_ms = 4;
  bool whitelist = false;
  bool dies = false;
  bool no_media = false;
  bool relays = false;
  std::string script;
  std::string events;
  bool strict = false;
  bool control = false;
  double duration = 0;
  std::uint64_t seed = 1;
};

void declare(CLI::App& app, Settings& settings) {
  app.add_option("--host", settings.host, "XMPP server, a loopback address");
  app.add_option("--port", settings.port, "its c2s port");
  app.add_option("--domain", settings.domain, "main domain; accounts live on auth.DOMAIN");
  app.add_option("--user", settings.user, "account all bridges share");
  app.add_option("--password", settings.password)->required();
  app.add_option("--brewery", settings.brewery, "room on internal.auth.DOMAIN");
  app.add_option("--pubsub-node", settings.pubsub_node,
                 "publish reports to this node of pubsub.DOMAIN as well; created by bridge 1");
  app.add_option("--bridges", settings.bridges, "how many")->check(CLI::Range(1, 1000));
  app.add_option("--first-id", settings.first_id, "id of the first; nick jvbN")
      ->check(CLI::Range(1, 50'000));
  app.add_option("--capacity", settings.capacities,
                 "endpoints that fill a bridge; a list is used in turn, by id")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option("--region", settings.regions, "a list is used in turn, by id")->delimiter(',');
  app.add_option("--noise", settings.noise, "relative deviation of the load");
  app.add_option("--participant-stress", settings.participant_stress,
                 "what bridges say a participant costs");
  app.add_option("--limit", settings.limit, "true stress above it is an overload");
  app.add_option("--interval-ms", settings.interval_ms, "between stats presences")
      ->check(CLI::Range(100, 600'000));
  app.add_option("--service-median-ms", settings.service_median_ms, "of a colibri2 request")
      ->check(CLI::Range(0, 60'000));
  app.add_flag("--whitelist", settings.whitelist,
               "publish only what JVB's stats filter lets through");
  app.add_flag("--dies-of-overload", settings.dies, "an overloaded bridge crashes and restarts");
  app.add_option("--overload-model", settings.overload_model,
                 "storm[,KEY=VALUE...]: tests/peers/README.md");
  app.add_flag("--no-media", settings.no_media,
               "do not expect packets of participants; candidates are then 203.0.113.x:10000+id");
  app.add_flag("--relays", settings.relays, "announce a relay id: jvbN-relay");
  app.add_option("--script", settings.script, "file with faults");
  app.add_option("--events", settings.events, "write JSON lines to this file");
  app.add_flag("--strict", settings.strict, "exit at the first violation");
  app.add_flag("--control", settings.control, "take commands on standard input");
  app.add_option("--duration", settings.duration, "seconds; 0: until told to stop");
  app.add_option("--seed", settings.seed);
}

LoadParameters load_parameters(const Settings& settings, double capacity) {
  LoadParameters load;
  load.stress_per_unit = 1 / capacity;
  load.noise = settings.noise;
  load.publish = Milliseconds(settings.interval_ms);
  load.dies = settings.dies;
  if (settings.overload_model.empty()) {
    return load;
  }
  const Result<LoadParameters> parsed = parse_overload_model(settings.overload_model, load);
  if (!parsed) {
    throw std::runtime_error(parsed.error().what);
  }
  return *parsed;
}

std::vector<BridgeOptions> bridge_options(const Settings& settings) {
  std::vector<BridgeOptions> all;
  for (int i = 0; i < settings.bridges; ++i) {
    const int id = settings.first_id + i;
    const auto turn = static_cast<std::size_t>(id - 1);
    BridgeOptions one;
    one.account.server = {boost::asio::ip::make_address(settings.host), settings.port};
    one.account.domain = "auth." + settings.domain;
    one.account.user = settings.user;
    one.account.password = settings.password;
    one.account.resource = "jvb" + std::to_string(id);
    one.brewery = settings.brewery + "@internal.auth." + settings.domain;
    one.pubsub_service = "pubsub." + settings.domain;
    one.pubsub_node = settings.pubsub_node;
    one.creates_node = id == 1 && !settings.pubsub_node.empty();
    one.identity.id = id;
    one.identity.nick = "jvb" + std::to_string(id);
    one.identity.ip = "203.0.113." + std::to_string(1 + (id - 1) % 250);
    one.identity.port = 10000 + id;
    one.identity.media = !settings.no_media;
    one.identity.relay_id = settings.relays ? one.identity.nick + "-relay" : "";
    if (!settings.regions.empty()) {
      one.region = settings.regions[turn % settings.regions.size()];
    }
    one.load = load_parameters(settings, settings.capacities[turn % settings.capacities.size()]);
    one.participant_stress = settings.participant_stress;
    one.limit = settings.limit;
    one.service_median = Milliseconds(settings.service_median_ms);
    one.whitelist_only = settings.whitelist;
    one.seed = settings.seed * 1000 + static_cast<std::uint64_t>(id);
    all.push_back(one);
  }
  return all;
}

std::vector<ScriptLine> read_script(const std::string& path) {
  if (path.empty()) {
    return {};
  }
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  const Result<std::vector<ScriptLine>> script = parse_script(text.str());
  if (!script) {
    throw std::runtime_error(path + ": " + script.error().what);
  }
  return *script;
}

int run(const Settings& settings) {
  boost::asio::io_context io(1);
  EventLog log(settings.events);
  Fleet fleet(io, bridge_options(settings), read_script(settings.script), log);
  Timer ending(io);
  Timer grace(io);
  const auto stop = [&fleet, &grace, &io] {
    fleet.stop();
    // Long enough for the leave presence and the stream footer to be written.
    grace.start(Milliseconds(300), [&io] { io.stop(); });
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
    control = std::make_unique<Control>(io, [&fleet, &stop](const std::string& line) {
      line == "quit" ? stop() : fleet.command(line);
    });
  }
  if (settings.duration > 0) {
    ending.start(Milliseconds(static_cast<std::int64_t>(settings.duration * 1000)), stop);
  }
  fleet.start();
  io.run();
  answer(fleet.summary().dump());
  return log.violations() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"Simulated Jitsi videobridges for tests"};
  declare(app, settings);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(settings);
  } catch (const std::exception& error) {
    std::cerr << "bascule-bridgesim: " << error.what() << '\n';
    return 2;
  }
}
