#include "ctl/doctor/examination.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "base/time_text.h"
#include "config/xmpp/link_options.h"
#include "ctl/doctor/room_visit.h"
#include "ctl/doctor/running.h"

namespace bascule::ctl::doctor {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr Duration kAnswer = std::chrono::seconds{4};

std::string own_resource() {
  constexpr std::uint32_t kRange = 0xFFFFFF;
  return "basculectl-doctor-" + std::to_string(std::random_device{}() & kRange);
}

/// The process with this name in /proc holds the file open.
bool has_open(const fs::path& process, const fs::path& file) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(entry->path(), unreadable) == file) {
      return true;
    }
  }
  return false;
}

/// `yyyy-MM-dd HH:mm:ss.SSS`, in UTC.
std::optional<Duration> age_of(const proto::ColibriStats& stats) {
  std::string text(stats.current_timestamp().value_or(""));
  std::replace(text.begin(), text.end(), ' ', 'T');
  const auto told = wall_time_from(text + "Z");
  return told ? std::optional(read_now().wall - *told) : std::nullopt;
}

SeenBridge seen_bridge(const proto::MucPresence& presence) {
  SeenBridge bridge{.nick = presence.from.resource(), .age = std::nullopt, .version = {}};
  if (presence.colibri_stats) {
    bridge.has_stats = true;
    bridge.age = age_of(*presence.colibri_stats);
    bridge.version = std::string(presence.colibri_stats->version().value_or(""));
  }
  return bridge;
}

}  // namespace

Examination::Examination(
    Place place, tl::expected<config::LoadedConfig, std::vector<config::ConfigError>> loaded,
    std::unique_ptr<Running> running)
    : place_(std::move(place)),
      loaded_(std::move(loaded)),
      running_(std::move(running)),
      io_(std::make_unique<boost::asio::io_context>(1)),
      resource_(own_resource()) {
}

Examination::~Examination() = default;

bool Examination::is_running() {
  return running_->health().has_value();
}

bool Examination::has_problem(std::string_view name) {
  return running_->has_problem(name);
}

std::optional<pid_t> Examination::process() {
  std::error_code error;
  const fs::path lock = fs::canonical(fs::path(config().state.dir) / "instance.lock", error);
  if (error) {
    return std::nullopt;
  }
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec == std::errc() && has_open(entry->path(), lock)) {
      return pid;
    }
  }
  return std::nullopt;
}

Peer* Examination::client() {
  if (!client_tried_) {
    client_tried_ = true;
    xmpp::NativeStreamOptions options = config::client_options(config());
    options.resource = resource_;
    client_ = std::make_unique<Peer>(*io_, std::move(options));
    client_failure_ = client_->open();
  }
  return client_failure_ ? nullptr : client_.get();
}

Peer* Examination::need_client(Finding& finding) {
  Peer* const peer = client();
  if (peer == nullptr) {
    finding.skip("not looked at: nobody could log in (see login)");
  }
  return peer;
}

Peer* Examination::prober() {
  if (Peer* const peer = client()) {
    return peer;
  }
  if (!anonymous_tried_) {
    anonymous_tried_ = true;
    xmpp::NativeStreamOptions options = config::client_options(config());
    options.domain = config().xmpp.domain;
    options.user.clear();
    options.resource.clear();
    options.secret.clear();
    options.stream_management = false;
    anonymous_ = std::make_unique<Peer>(*io_, std::move(options));
    if (anonymous_->open()) {
      anonymous_.reset();
    }
  }
  return anonymous_.get();
}

Occupancy Examination::occupancy(const Jid& component) {
  if (const auto known = occupancies_.find(component); known != occupancies_.end()) {
    return known->second;
  }
  Peer* const peer = prober();
  Occupancy found = Occupancy::kUnknown;
  if (peer != nullptr) {
    const auto answer = peer->ask(component, proto::Ping{}, kAnswer);
    // While no component is connected Prosody answers in its place with remote-server-timeout.
    const bool is_free = !answer && (is(answer.error(), proto::Condition::kRemoteServerTimeout) ||
                                     is(answer.error(), proto::Condition::kRemoteServerNotFound) ||
                                     is(answer.error(), proto::Condition::kNotAllowed));
    found = is_free ? Occupancy::kFree : Occupancy::kTaken;
  }
  occupancies_.emplace(component, found);
  return found;
}

Peer* Examination::service() {
  const config::Config& all = config();
  const bool component = all.service.mode == config::ServiceMode::kComponent;
  if (component && (is_running() && !has_problem("service_link_down"))) {
    return nullptr;
  }
  if (component && occupancy(all.service_address) != Occupancy::kFree) {
    return nullptr;
  }
  if (!service_tried_) {
    service_tried_ = true;
    xmpp::NativeStreamOptions options = config::service_options(all);
    Jid from;
    if (component) {
      from = Jid::parse(all.focus.focus_nick + "@" + all.service_address.domain() + "/" + resource_)
                 .value_or(all.service_address);
    } else {
      options.resource = resource_ + "-service";
    }
    service_ = std::make_unique<Peer>(*io_, std::move(options), std::move(from));
    service_failure_ = service_->open();
  }
  return service_failure_ ? nullptr : service_.get();
}

const SeenBrewery& Examination::brewery() {
  if (!brewery_) {
    brewery_ = is_running() && !has_problem("not_in_brewery") && !has_problem("service_link_down")
                   ? ask_for_bridges()
                   : look_at_brewery();
  }
  return *brewery_;
}

SeenBrewery Examination::ask_for_bridges() {
  SeenBrewery seen;
  seen.source = "the running bascule";
  const auto answer = running_->get_json("/v1/bridges");
  if (!answer || !answer->contains("bridges")) {
    seen.unknown = "the running bascule does not say which bridges there are";
    return seen;
  }
  for (const Json& one : answer->at("bridges")) {
    if (!one.value("present", false)) {
      continue;
    }
    const Json age = one.value("report_age_ms", Json());
    const Json version = one.value("version", Json());
    const std::string address = one.value("bridge", std::string());
    seen.bridges.push_back(
        {.nick = address.substr(address.find('/') + 1),
         .has_stats = age.is_number(),
         .age = age.is_number()
                    ? std::optional<Duration>(std::chrono::milliseconds{age.get<std::int64_t>()})
                    : std::nullopt,
         .version = version.is_string() ? version.get<std::string>() : ""});
  }
  return seen;
}

/// Under the nick of the focus: a focus that is in there already makes the room refuse us, and
/// nobody takes a focus for a bridge.
SeenBrewery Examination::look_at_brewery() {
  SeenBrewery seen;
  Peer* peer = service();
  peer = peer == nullptr ? client() : peer;
  if (peer == nullptr) {
    seen.unknown = "nobody could log in (see login)";
    return seen;
  }
  seen.source = peer->up().bound_jid.bare().to_string();
  const Jid own = config().focus.brewery.jid().with_resource(config().focus.focus_nick);
  const RoomVisit visit = enter(*peer, own, kAnswer);
  if (visit.refusal && visit.refusal->condition == proto::Condition::kConflict) {
    seen.unknown = "a focus that does not answer here is in it already: look from there";
    return seen;
  }
  if (visit.refusal) {
    seen.refusal = visit.refusal;
    return seen;
  }
  if (!visit.self) {
    seen.unknown = config().focus.brewery.to_string() + " does not answer";
    return seen;
  }
  for (const proto::MucPresence& other : visit.others) {
    seen.bridges.push_back(seen_bridge(other));
  }
  seen.made = visit.self->has_status(proto::kStatusRoomCreated);
  leave(*peer, own, kAnswer);
  return seen;
}

}  // namespace bascule::ctl::doctor
