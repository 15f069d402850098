#include "daemon/crash_guard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace bascule::daemon {
namespace {

using focus::NoteLevel;
using Json = nlohmann::json;

constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kBootIdMax = 63;

std::string read_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::int64_t to_number(Instant at) {
  return at.time_since_epoch().count();
}

Json to_json(const focus::CrashHistory& history, const std::string& boot_id) {
  Json crashes = Json::array();
  for (const auto& crash : history.crashes) {
    crashes.push_back({{"at", to_number(crash.at)}, {"room", crash.room}});
  }
  Json held = Json::array();
  for (const auto& [room, one] : history.held) {
    held.push_back({{"room", room.to_string()},
                    {"until", to_number(one.until)},
                    {"times", one.times},
                    {"released", one.released}});
  }
  return {{"boot", boot_id}, {"crashes", std::move(crashes)}, {"held", std::move(held)}};
}

/// nullopt: nothing usable, or of another boot, whose clock means nothing to us.
std::optional<focus::CrashHistory> from_json(const std::string& text, const std::string& boot_id) {
  try {
    const Json json = Json::parse(text);
    if (json.at("boot").get<std::string>() != boot_id) {
      return std::nullopt;
    }
    focus::CrashHistory history;
    for (const Json& crash : json.at("crashes")) {
      history.crashes.push_back({Instant(Duration(crash.at("at").get<std::int64_t>())),
                                 crash.at("room").get<std::string>()});
    }
    for (const Json& one : json.at("held")) {
      if (const auto room = Jid::parse(one.at("room").get<std::string>())) {
        history.held[RoomJid(*room)] = {
            .until = Instant(Duration(one.at("until").get<std::int64_t>())),
            .times = one.at("times").get<std::uint32_t>(),
            .released = one.at("released").get<bool>()};
      }
    }
    return history;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

/// Plain bytes; only a process of the same boot reads it, which need not be of the same build.
struct CrashGuard::Page {
  std::uint32_t format;
  std::uint32_t running;
  std::array<char, kBootIdMax + 1> boot_id;
  focus::WorkMark mark;
};

CrashGuard::CrashGuard(Options options, Now now) : options_(std::move(options)) {
  if (options_.boot_id.empty()) {
    options_.boot_id = read_boot_id();
  }
  options_.boot_id.resize(std::min(options_.boot_id.size(), kBootIdMax));
  map_page();
  read_history();
  judge(now);
  focus::begin_process(history_, now.mono);
  unreleased_ = poisoned().size();
  write_history();
  page_->format = kFormat;
  page_->boot_id.fill('\0');
  std::copy(options_.boot_id.begin(), options_.boot_id.end(), page_->boot_id.begin());
  page_->mark.clear();
  page_->running = 1;
}

CrashGuard::~CrashGuard() {
  page_->running = 0;
  if (is_mapped_) {
    munmap(page_, sizeof(Page));
  } else {
    delete page_;
  }
}

focus::WorkMark& CrashGuard::mark() {
  return page_->mark;
}

void CrashGuard::warn(const std::string& what) {
  notes_.push_back(
      {.level = NoteLevel::kWarn, .event = "daemon.no_crash_guard", .fields = {{"what", what}}});
}

void CrashGuard::map_page() {
  const auto path = options_.directory / "in_progress";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0 && ftruncate(file, sizeof(Page)) == 0) {
    void* memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) {
      page_ = static_cast<Page*>(memory);
      is_mapped_ = true;
    }
  }
  if (!is_mapped_) {
    // Everything works without it, except that nobody will know what we died of.
    warn(path.string() + ": " + std::strerror(errno));
    page_ = new Page{};
  }
  if (file >= 0) {
    close(file);
  }
}

void CrashGuard::judge(Now now) {
  const bool is_ours =
      page_->format == kFormat && page_->running == 1 &&
      options_.boot_id ==
          std::string_view(page_->boot_id.data(), strnlen(page_->boot_id.data(), kBootIdMax));
  if (!is_ours) {
    return;
  }
  std::optional<RoomJid> room;
  if (const auto marked = Jid::parse(page_->mark.room())) {
    const bool is_room = !marked->local().empty() && marked->is_bare() &&
                         std::count(options_.room_domains.begin(), options_.room_domains.end(),
                                    marked->domain()) > 0;
    room = is_room ? std::optional(RoomJid(*marked)) : std::nullopt;
  }
  const focus::CrashVerdict verdict = focus::note_crash(history_, now.mono, room);
  notes_.push_back({.level = NoteLevel::kWarn,
                    .event = "daemon.crashed",
                    .fields = {{"room", room ? room->to_string() : std::string("none")}}});
  if (verdict.is_loop) {
    notes_.push_back({.level = NoteLevel::kError,
                      .event = "daemon.crash_loop",
                      .fields = {{"crashes", static_cast<std::int64_t>(verdict.crashes)},
                                 {"within", focus::kCrashWindow},
                                 {"suspect", verdict.suspect ? verdict.suspect->to_string()
                                                             : std::string("none")},
                                 {"in_room", static_cast<std::int64_t>(verdict.in_room)}}});
  }
}

std::map<RoomJid, Instant> CrashGuard::poisoned() const {
  std::map<RoomJid, Instant> rooms;
  for (const auto& [room, held] : history_.held) {
    if (!held.released) {
      rooms.emplace(room, held.until);
    }
  }
  return rooms;
}

void CrashGuard::keep(const focus::Quarantine& quarantine) {
  if (quarantine.size() == unreleased_) {
    return;
  }
  for (auto& [room, held] : history_.held) {
    held.released = !quarantine.holds(room);
  }
  unreleased_ = quarantine.size();
  write_history();
}

void CrashGuard::read_history() {
  std::ifstream file(options_.directory / "crashes", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (auto known = from_json(text, options_.boot_id)) {
    history_ = *std::move(known);
  }
}

/// Renamed into place: a process that dies meanwhile leaves the old one.
void CrashGuard::write_history() {
  const auto path = options_.directory / "crashes";
  const auto fresh = std::filesystem::path(path.string() + ".new");
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << to_json(history_, options_.boot_id).dump(1) << '\n';
  file.close();
  std::error_code failed;
  std::filesystem::rename(fresh, path, failed);
  if (!file || failed) {
    warn(path.string() + ": cannot be written");
  }
}

}  // namespace bascule::daemon
