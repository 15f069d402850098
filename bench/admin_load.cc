#include "bench/admin_load.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "admin/http_server.h"
#include "base/check.h"

namespace bascule::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

const std::string kRooms = "conference.bench";
const std::string kBrewery = "jvbbrewery@internal.auth.bench";

Jid jid(const std::string& text) {
  auto parsed = Jid::parse(text);
  BASCULE_CHECK(parsed.has_value());
  return *parsed;
}

BridgeJid bridge(std::size_t index) {
  return BridgeJid(jid(kBrewery + "/jvb" + std::to_string(index)));
}

focus::Options options_for(std::size_t bridges) {
  focus::Options options;
  options.focus_user = jid("focus@auth.bench");
  options.conference_service = jid(kRooms);
  options.brewery = RoomJid(jid(kBrewery));
  options.version = "bench";
  options.placement.max_bridges = std::max(options.placement.max_bridges, bridges);
  return options;
}

/// What an earlier process stored of one conference.
void add_conference(std::size_t index, std::size_t bridges, WallTime created, focus::Tables& to) {
  const RoomJid room(jid(fmt::format("meeting-{:05}@{}", index, kRooms)));
  const BridgeJid place = bridge(index % bridges);
  const std::string meeting = fmt::format("1a2b3c4d-0000-4000-8000-{:012}", index);
  to.apply(focus::op::ConferenceCreate{.room = room, .meeting_id = meeting, .created = created});
  focus::op::BridgeSessionAdd session{.room = room, .bridge = place, .meeting_id = meeting};
  session.bridge_session_id = fmt::format("{}", index);
  session.created = true;
  to.apply(session);
  for (std::size_t person = 0; person < AdminLoad::kPeople; ++person) {
    const std::string nick = fmt::format("{:08x}", index * AdminLoad::kPeople + person);
    focus::op::ParticipantAdd add{.room = room,
                                  .occupant = OccupantJid(room.jid().with_resource(nick))};
    add.stats_id = "Stats-" + nick;
    add.region = "eu";
    add.joined = created;
    to.apply(add);
    to.apply(focus::op::JingleSet{.room = room,
                                  .endpoint = EndpointId(nick),
                                  .sid = "sid-" + nick,
                                  .generation = 1,
                                  .state = focus::JingleState::kActive});
    to.apply(focus::op::EndpointSet{.room = room, .endpoint = EndpointId(nick), .bridge = place});
  }
}

focus::Restored earlier(std::size_t bridges, std::size_t conferences, Now now) {
  focus::Restored restored;
  restored.same_boot = true;
  for (std::size_t i = 0; i < conferences; ++i) {
    add_conference(i, bridges, now.wall - seconds{600}, restored.tables);
  }
  return restored;
}

proto::MucPresence presence_of(std::size_t index, int report) {
  proto::MucPresence presence;
  presence.from = bridge(index).jid();
  presence.items.push_back({.affiliation = proto::Affiliation::kOwner});
  presence.colibri_stats = proto::ColibriStats{
      {{"stress_level", fmt::format("0.{:02}", 20 + index % 40)},
       {"healthy", "true"},
       {"version", "2.3.92-g0123456"},
       {"region", index % 2 == 0 ? "eu" : "us"},
       {"relay_id", fmt::format("jvb{}-relay", index)},
       {"current_timestamp", fmt::format("2026-11-21 23:05:{:02}.{:03}", report, index % 1000)}}};
  return presence;
}

Milliseconds since(Clock::time_point then) {
  return Clock::now() - then;
}

double thread_cpu_seconds() {
  timespec time{};
  BASCULE_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// A timer of the loop, due every millisecond: how late it is tells how long others held the loop.
class LoopProbe {
 public:
  explicit LoopProbe(asio::io_context& io) : timer_(io) { arm(); }
  [[nodiscard]] std::vector<Milliseconds> take() { return std::move(late_); }

 private:
  void arm() {
    timer_.expires_after(std::chrono::milliseconds{1});
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) {
        late_.push_back(since(timer_.expiry()));
        arm();
      }
    });
  }
  asio::steady_timer timer_;
  std::vector<Milliseconds> late_;
};

struct Asked {
  std::vector<Milliseconds> answered;
  std::uint64_t failures = 0;
  std::uint64_t bytes = 0;
};

/// Reads one answer with a Content-Length; returns the length of its body.
std::size_t read_answer(tcp::socket& socket, asio::streambuf& buffer, bool& is_ok) {
  const std::size_t head_size = asio::read_until(socket, buffer, "\r\n\r\n");
  const std::string head(
      asio::buffers_begin(buffer.data()),
      asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(head_size));
  buffer.consume(head_size);
  is_ok = head.starts_with("HTTP/1.1 200");
  constexpr std::string_view kLength = "Content-Length: ";
  const auto at = head.find(kLength);
  BASCULE_CHECK(at != std::string::npos);
  const std::size_t length = std::stoul(head.substr(at + kLength.size()));
  if (buffer.size() < length) {
    asio::read(socket, buffer, asio::transfer_exactly(length - buffer.size()));
  }
  buffer.consume(length);
  return length;
}

Asked ask(std::uint16_t port, const HammerOptions& options) {
  asio::io_context io{1};
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), port});
  socket.set_option(tcp::no_delay(true));
  asio::streambuf buffer;
  Asked asked;
  const auto end = Clock::now() + options.duration;
  for (std::size_t i = 0; Clock::now() < end; ++i) {
    const std::string request = "GET " + options.targets[i % options.targets.size()] +
                                " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const auto began = Clock::now();
    asio::write(socket, asio::buffer(request));
    bool is_ok = false;
    asked.bytes += read_answer(socket, buffer, is_ok);
    asked.answered.push_back(since(began));
    asked.failures += is_ok ? 0U : 1U;
  }
  return asked;
}

}  // namespace

class AdminLoad::Impl {
 public:
  Impl(std::size_t bridges, std::size_t conferences)
      : now{.mono = Instant(seconds{1'000}), .wall = WallTime(seconds{1'800'000'000})},
        focus(options_for(bridges), earlier(bridges, conferences, now), 1, now) {
    focus.start(now, actions);
    give(focus::in::StreamUp{StreamId::kService, jid("bascule.bench/focus")});
    proto::MucPresence own;
    own.from = jid(kBrewery + "/focus");
    own.items.push_back({.affiliation = proto::Affiliation::kOwner});
    own.statuses.push_back(110);
    give(focus::in::PresenceReceived{StreamId::kService, own});
    for (int report = 0; report < 8; ++report) {
      for (std::size_t i = 0; i < bridges; ++i) {
        give(focus::in::PresenceReceived{StreamId::kService, presence_of(i, report)});
      }
      pass(seconds{5});
    }
    BASCULE_CHECK(focus.conference_count() == conferences);
    BASCULE_CHECK(focus.placement().bridges(now).size() == bridges);
  }

  void give(const focus::Input& input) {
    focus.handle(input, now, actions);
    actions.clear();
  }
  void pass(Duration time) {
    for (; time > Duration::zero(); time -= seconds{1}) {
      now.mono += seconds{1};
      now.wall += seconds{1};
      focus.fire_timers(now, actions);
      actions.clear();
    }
  }

  Now now;
  focus::Actions actions;
  focus::Focus focus;
};

AdminLoad::AdminLoad(std::size_t bridges, std::size_t conferences)
    : impl_(std::make_unique<Impl>(bridges, conferences)) {
}
AdminLoad::~AdminLoad() = default;

const focus::Focus& AdminLoad::focus() const {
  return impl_->focus;
}

Now AdminLoad::now() const {
  return impl_->now;
}

Times::Times(std::vector<Milliseconds> times) : times_(std::move(times)) {
  std::sort(times_.begin(), times_.end());
}

Milliseconds Times::quantile(double q) const {
  if (times_.empty()) {
    return Milliseconds::zero();
  }
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(times_.size() - 1));
  return times_.at(rank);
}

HammerResult hammer(admin::Router router, const HammerOptions& options) {
  return hammer([&router](asio::io_context&) { return std::move(router); }, options);
}

HammerResult hammer(const MakeRouter& make_router, const HammerOptions& options) {
  asio::io_context io{1};
  auto server = admin::HttpServer::listen(io, {.port = 0}, make_router(io));
  BASCULE_CHECK(server.has_value());
  const std::uint16_t port = (*server)->port();
  LoopProbe probe(io);
  double cpu = 0;
  std::thread serving([&io, &cpu] {
    const double before = thread_cpu_seconds();
    io.run();
    cpu = thread_cpu_seconds() - before;
  });
  std::vector<Asked> asked(options.connections);
  std::vector<std::thread> asking;
  const auto began = Clock::now();
  asking.reserve(asked.size());
  for (Asked& one : asked) {
    asking.emplace_back([&one, port, &options] { one = ask(port, options); });
  }
  for (std::thread& thread : asking) {
    thread.join();
  }
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  io.stop();
  serving.join();
  std::vector<Milliseconds> answered;
  HammerResult result{.seconds = took,
                      .server_cpu_seconds = cpu,
                      .answered = Times({}),
                      .loop_late = Times(probe.take())};
  for (const Asked& one : asked) {
    answered.insert(answered.end(), one.answered.begin(), one.answered.end());
    result.failures += one.failures;
    result.bytes += one.bytes;
  }
  result.answers = answered.size() - result.failures;
  result.answered = Times(std::move(answered));
  return result;
}

std::string header_line() {
  return fmt::format("{:<34} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}", "asked",
                     "per second", "failed", "kB each", "cpu ms", "p50 ms", "p99 ms", "loop p99",
                     "loop max");
}

std::string to_line(const std::string& name, const HammerResult& result) {
  const double answers = static_cast<double>(std::max<std::uint64_t>(result.answers, 1));
  return fmt::format("{:<34} {:>9.0f} {:>8} {:>8.1f} {:>9.3f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}",
                     name, static_cast<double>(result.answers) / result.seconds, result.failures,
                     static_cast<double>(result.bytes) / answers / 1e3,
                     result.server_cpu_seconds * 1e3 / answers,
                     result.answered.quantile(0.5).count(), result.answered.quantile(0.99).count(),
                     result.loop_late.quantile(0.99).count(), result.loop_late.quantile(1).count());
}

std::optional<std::chrono::seconds> seconds_asked(int argc, char** argv) {
  int seconds = 5;
  if (argc > 1) {
    const std::string_view text(argv[1]);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || seconds < 1) {
      std::fprintf(stderr, "usage: %s [SECONDS]\n", argv[0]);
      return std::nullopt;
    }
  }
  return std::chrono::seconds{seconds};
}

}  // namespace bascule::bench
