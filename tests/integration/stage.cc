#include "tests/integration/stage.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

// How long the loop runs between two looks at the condition.
constexpr std::chrono::milliseconds kLook{10};

BasculeProcess::Settings daemon_settings(const Stage::Options& options, const TcpProxy* proxy) {
  BasculeProcess::Settings settings = options.daemon;
  if (proxy != nullptr) {
    const char* link = options.proxy_client_link ? "links.client" : "links.service";
    settings[link]["port"] = std::to_string(proxy->port());
  }
  return settings;
}

std::unique_ptr<TcpProxy> make_proxy(boost::asio::io_context& io, const Stage::Options& options,
                                     const Prosody& prosody) {
  if (options.proxy_client_link) {
    return std::make_unique<TcpProxy>(io, prosody.c2s_port());
  }
  return options.proxy_service_link ? std::make_unique<TcpProxy>(io, prosody.component_port())
                                    : nullptr;
}

}  // namespace

Stage::Stage() : Stage(Options{}) {
}

Stage::Stage(Options options)
    : prosody(options.prosody),
      proxy(make_proxy(io, options, prosody)),
      daemon(prosody, daemon_settings(options, proxy.get()), options.environment, options.arguments,
             options.program),
      options_(std::move(options)) {
  if (options_.focus_address.empty()) {
    options_.focus_address = "focus." + prosody.domain();
  }
  for (int i = 0; i < options_.bridges; ++i) {
    add_bridge();
  }
  until("the bridges are in the brewery", [this] {
    return std::all_of(bridges.begin(), bridges.end(),
                       [](const auto& bridge) { return bridge->joined(); });
  });
  if (options_.start_daemon) {
    daemon.start();
    until_ready();
  }
}

Stage::~Stage() {
  EXPECT_TRUE(events.violations() == 0U || is_amnesia_expected) << "a peer found the daemon wrong";
  for (const auto& client : clients) {
    EXPECT_THAT(client->wrong, testing::IsEmpty());
  }
  if (testing::Test::HasFailure() || std::uncaught_exceptions() > 0) {
    std::fprintf(stderr, "--- log of the daemon ---\n%s--- log of Prosody ---\n%s",
                 daemon.log().c_str(), prosody.log().c_str());
  }
}

void Stage::until(const std::string& what, const std::function<bool()>& condition,
                  std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() > deadline) {
      throw std::runtime_error("waited " + std::to_string(limit.count()) + " ms until " + what +
                               "; readyz: " + daemon.get("/readyz").body +
                               "\n--- log of the daemon ---\n" + daemon.log());
    }
    io.restart();
    io.run_for(kLook);
  }
}

void Stage::until_ready() {
  until("the daemon is ready", [this] {
    if (const auto code = daemon.exit_code()) {
      throw std::runtime_error("bascule exited with " + std::to_string(*code) + ":\n" +
                               daemon.log());
    }
    return daemon.is_ready();
  });
}

Reply Stage::wait_for(const std::shared_ptr<Reply>& reply) {
  until(
      "a request is answered", [&reply] { return reply->done; }, std::chrono::seconds{35});
  return *reply;
}

void Stage::watch(std::chrono::milliseconds duration) {
  io.restart();
  io.run_for(duration);
}

ScriptedClient& Stage::client(const std::string& room_name, bool accepts) {
  clients.push_back(std::make_unique<ScriptedClient>(
      io, ScriptedClient::Options{.port = prosody.c2s_port(),
                                  .domain = prosody.domain(),
                                  .room = room(room_name),
                                  .focus_address = options_.focus_address,
                                  .accepts = accepts,
                                  .seed = 1000 + clients.size()}));
  ScriptedClient& made = *clients.back();
  made.connect();
  until("a client is logged in", [&made] { return made.is_logged_in(); });
  return made;
}

std::string Stage::ready_field(const Reply& reply) const {
  const xml::Element* conference = reply.stanza.child("conference", peers::ns::kFocus);
  return conference == nullptr ? reply.type() + " " + reply.condition()
                               : std::string(conference->attribute_or_empty("ready"));
}

void Stage::enter(ScriptedClient& client) {
  const auto asked = client.request_conference();
  ASSERT_EQ(ready_field(wait_for(asked)), "true");
  client.join();
  until("a client is in the room with the focus",
        [&client] { return client.is_in_room() && client.focus_arrivals > 0; });
}

void Stage::until_all_see_each_other(const std::vector<ScriptedClient*>& all,
                                     std::chrono::milliseconds limit) {
  until(
      "everybody sees everybody",
      [&all] {
        return std::all_of(all.begin(), all.end(), [&all](const ScriptedClient* one) {
          return one->is_active() && std::all_of(all.begin(), all.end(), [one](const auto* other) {
                   return one == other || one->sees(*other);
                 });
        });
      },
      limit);
}

peers::Bridge& Stage::add_bridge() {
  const int id = static_cast<int>(bridges.size()) + 1;
  peers::BridgeOptions one;
  one.account.server = {boost::asio::ip::address_v4::loopback(), prosody.c2s_port()};
  one.account.domain = "auth." + prosody.domain();
  one.account.user = "jvb";
  one.account.password = "jvb-password";
  one.account.resource = "jvb" + std::to_string(id);
  one.brewery = "jvbbrewery@internal.auth." + prosody.domain();
  one.identity.id = id;
  one.identity.nick = one.account.resource;
  one.identity.ip = "203.0.113." + std::to_string(id);
  one.identity.port = 10'000 + id;
  one.identity.relay_id = options_.relays ? relay_id(id) : "";
  one.load.stress_per_unit = 1 / options_.bridge_capacity;
  one.load.publish = peers::Milliseconds(1000);
  one.pubsub_node = options_.pubsub_node;
  one.pubsub_service = "pubsub." + prosody.domain();
  one.seed = static_cast<std::uint64_t>(id);
  bridges.push_back(std::make_unique<peers::Bridge>(io, one, events));
  bridges.back()->start();
  return *bridges.back();
}

int Stage::stop_daemon() {
  daemon.end();
  until("the daemon has ended", [this] { return daemon.exit_code().has_value(); });
  return *daemon.exit_code();
}

peers::Bridge* Stage::bridge_of(const std::string& endpoint) const {
  peers::Bridge* found = nullptr;
  for (const auto& bridge : bridges) {
    for (const auto& [meeting, conference] : bridge->colibri().conferences()) {
      if (conference.endpoints.contains(endpoint)) {
        if (found != nullptr) {
          return nullptr;
        }
        found = bridge.get();
      }
    }
  }
  return found;
}

int Stage::endpoints_on_bridges() const {
  int sum = 0;
  for (const auto& bridge : bridges) {
    sum += bridge->colibri().endpoint_count();
  }
  return sum;
}

}  // namespace bascule::test
