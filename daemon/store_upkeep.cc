#include "daemon/store_upkeep.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include <boost/asio/post.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "base/time_text.h"
#include "daemon/clock.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/json.h"

namespace bascule::daemon {
namespace {

namespace fs = std::filesystem;
using boost::system::error_code;
using focus::Note;
using focus::NoteLevel;
using stats::Finding;
using stats::sqlite::DirectoryCheck;
using stats::sqlite::RebuildProgress;
using stats::sqlite::Rebuilt;

constexpr int kWaitingMax = 16;
// A start has read the newest records; everything else is read when it is over.
constexpr std::chrono::minutes kFirstVerification{15};
constexpr std::chrono::minutes kFirstBackup{1};

void lower_priority() {
  constexpr int kNice = 10;
  // Linux: of this thread alone. A failure costs speed elsewhere, nothing else.
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice));
}

/// `20261121T230507Z`: the names of backups sort by their time.
std::string name_of(WallTime time) {
  std::string name;
  for (const char c : to_text(time).substr(0, 19)) {
    if (c != '-' && c != ':') {
      name += c;
    }
  }
  return name + 'Z';
}

/// Anything else in the directory is somebody else's.
std::optional<WallTime> time_of_name(const std::string& name) {
  if (name.size() != 16) {
    return std::nullopt;
  }
  return wall_time_from(name.substr(0, 4) + '-' + name.substr(4, 2) + '-' + name.substr(6, 5) +
                        ':' + name.substr(11, 2) + ':' + name.substr(13, 3));
}

/// Oldest first.
std::vector<std::string> backups_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (time_of_name(entry->path().filename())) {
      names.push_back(entry->path().filename());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Finding> findings_of(const DirectoryCheck& check) {
  std::vector<Finding> findings = check.marks;
  for (const auto& file : check.files) {
    findings.insert(findings.end(), file.findings.begin(), file.findings.end());
  }
  return findings;
}

std::int64_t records_of(const DirectoryCheck& check) {
  std::uint64_t records = 0;
  for (const auto& file : check.files) {
    records += file.records;
  }
  return static_cast<std::int64_t>(records);
}

}  // namespace

Note damage_note(const Finding& finding) {
  return {
      .level = NoteLevel::kError,
      .event = "store.damaged",
      .fields = {{"file", finding.file},
                 {"damage", std::string(to_string(finding.damage))},
                 {"detail", finding.detail},
                 {"since", finding.since ? to_text(*finding.since) : std::string("unknown")},
                 {"action", std::string(action_for(finding.damage))},
                 {"lost", finding.lost ? std::to_string(*finding.lost) : std::string("unknown")}}};
}

StoreUpkeep::StoreUpkeep(boost::asio::io_context& io, stats::sqlite::Store& store,
                         config::State options, Hooks hooks)
    : io_(io),
      store_(store),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      verify_timer_(io),
      backup_timer_(io) {
}

StoreUpkeep::~StoreUpkeep() {
  stopping_ = true;
  thread_.stop();
  thread_.join();
}

template <class Work, class Done>
bool StoreUpkeep::run(Work work, Done done) {
  if (*waiting_ >= kWaitingMax) {
    return false;
  }
  ++*waiting_;
  boost::asio::post(thread_, [this, alive = std::weak_ptr<int>(waiting_), work = std::move(work),
                              done = std::move(done)]() mutable {
    lower_priority();
    const stats::sqlite::InterruptScope scope(stopping_);
    auto value = work();
    if (stopping_) {
      return;  // Incomplete.
    }
    boost::asio::post(io_, [alive, done = std::move(done), value = std::move(value)]() mutable {
      if (const auto waiting = alive.lock()) {
        --*waiting;
        done(std::move(value));
      }
    });
  });
  return true;
}

void StoreUpkeep::start() {
  schedule_verification();
  schedule_backup();
}

void StoreUpkeep::configure(const config::State& options) {
  if (std::exchange(options_.verify_interval, options.verify_interval) != options.verify_interval) {
    schedule_verification();
  }
  const bool other_place =
      std::exchange(options_.backup_dir, options.backup_dir) != options.backup_dir;
  if (std::exchange(options_.backup_interval, options.backup_interval) != options.backup_interval ||
      other_place) {
    schedule_backup();
  }
  options_.backups_kept = options.backups_kept;
}

void StoreUpkeep::schedule_verification() {
  verify_timer_.cancel();
  if (options_.verify_interval > Duration::zero()) {
    verify_timer_.expires_after(std::min<Duration>(options_.verify_interval, kFirstVerification));
    verify_on_schedule();
  }
}

void StoreUpkeep::schedule_backup() {
  backup_timer_.cancel();
  if (options_.backup_interval > Duration::zero()) {
    backup_timer_.expires_after(
        std::max(until_next_backup(), std::min<Duration>(options_.backup_interval, kFirstBackup)));
    back_up_on_schedule();
  }
}

// ---- verification ------------------------------------------------------------------------------

void StoreUpkeep::verify_on_schedule() {
  verify_timer_.async_wait([this](error_code error) {
    if (error) {
      return;
    }
    verify_timer_.expires_after(options_.verify_interval);
    verify_on_schedule();
    verify([this](const Verification& verification) {
      if (verification.outcome && !verification.outcome->is_sound() && !rebuild({})) {
        verify_timer_.expires_after(kFirstVerification);  // One runs, or jobs wait: look again.
        verify_on_schedule();
      }
    });
  });
}

bool StoreUpkeep::verify(std::function<void(const Verification&)> done) {
  const Now start = read_clocks();
  return run([directory = options_.dir] { return stats::sqlite::check_directory(directory); },
             [this, start, done = std::move(done)](Result<DirectoryCheck> outcome) {
               const Now end = read_clocks();
               verification_ = {
                   .at = end.wall, .took = end.mono - start.mono, .outcome = std::move(outcome)};
               verified(*verification_);
               done(*verification_);
             });
}

void StoreUpkeep::verified(const Verification& verification) {
  ++counters_.verifications;
  if (!verification.outcome) {
    hooks_.log({.level = NoteLevel::kError,
                .event = "store.not_verified",
                .fields = {{"problem", verification.outcome.error().what}}});
    return;
  }
  const auto findings = findings_of(*verification.outcome);
  counters_.damages_found += findings.size();
  for (const Finding& finding : findings) {
    hooks_.log(damage_note(finding));
  }
  hooks_.log({.level = NoteLevel::kInfo,
              .event = "store.verified",
              .fields = {{"sound", verification.outcome->is_sound()},
                         {"records", records_of(*verification.outcome)},
                         {"took", verification.took}}});
}

std::vector<Finding> StoreUpkeep::open_findings() const {
  const bool repaired = verification_ && rebuild_ && rebuild_->outcome && *rebuild_->outcome &&
                        !rebuild_->options.dry_run && rebuild_->ended > verification_->at;
  return verification_ && verification_->outcome && !repaired ? findings_of(*verification_->outcome)
                                                              : std::vector<Finding>();
}

bool StoreUpkeep::read_history(const stats::sqlite::HistoryQuery& query,
                               std::function<void(const Result<std::string>&)> done) {
  // Also made to text on the thread: ten thousand points would hold the event loop.
  return run(
      [directory = options_.dir, query] {
        return stats::sqlite::read_history(directory, query).map([](const auto& history) {
          return stats::sqlite::to_json(history).dump(
              -1, ' ', false, stats::sqlite::Json::error_handler_t::replace);
        });
      },
      std::move(done));
}

// ---- backups -----------------------------------------------------------------------------------

std::string StoreUpkeep::backup_dir() const {
  return options_.backup_dir.empty() ? options_.dir + "/backup" : options_.backup_dir;
}

Duration StoreUpkeep::until_next_backup() const {
  const auto names = backups_in(backup_dir());
  const auto newest = names.empty() ? std::nullopt : time_of_name(names.back());
  // A backup from the future says nothing: the clock was wrong then or is now.
  const WallTime now = read_clocks().wall;
  return newest && *newest <= now ? *newest + options_.backup_interval - now : Duration::zero();
}

void StoreUpkeep::back_up_on_schedule() {
  backup_timer_.async_wait([this](error_code error) {
    if (error) {
      return;
    }
    backup_timer_.expires_after(options_.backup_interval);
    back_up_on_schedule();
    back_up([this](const Backup& backup) {
      if (backup.outcome) {
        remove_old_backups();
      } else if (backup.outcome.error().code == Errc::kCorrupt) {
        // The copy shows what is wrong with the original.
        verify_timer_.expires_after(Duration::zero());
        verify_on_schedule();
      }
    });
  });
}

bool StoreUpkeep::back_up(std::function<void(const Backup&)> done) {
  const Now start = read_clocks();
  const std::string parent = backup_dir();
  const std::string path = parent + "/" + name_of(start.wall);
  return run(
      [directory = options_.dir, parent, path]() -> Result<DirectoryCheck> {
        std::error_code error;
        fs::create_directories(parent, error);
        if (error) {
          return fail(Errc::kUnavailable, "cannot create " + parent + ": " + error.message());
        }
        fs::permissions(parent, fs::perms::owner_all, error);
        return stats::sqlite::back_up(directory, path);
      },
      [this, start, path, done = std::move(done)](Result<DirectoryCheck> outcome) {
        const Now end = read_clocks();
        backup_ = {.at = end.wall,
                   .took = end.mono - start.mono,
                   .path = path,
                   .outcome = std::move(outcome)};
        backed_up(*backup_);
        done(*backup_);
      });
}

void StoreUpkeep::backed_up(const Backup& backup) {
  if (backup.outcome) {
    ++counters_.backups;
    hooks_.log({.level = NoteLevel::kInfo,
                .event = "store.backed_up",
                .fields = {{"to", backup.path},
                           {"records", records_of(*backup.outcome)},
                           {"took", backup.took}}});
  } else {
    ++counters_.backup_failures;
    hooks_.log({.level = NoteLevel::kError,
                .event = "store.not_backed_up",
                .fields = {{"to", backup.path}, {"problem", backup.outcome.error().what}}});
  }
}

void StoreUpkeep::remove_old_backups() {
  auto names = backups_in(backup_dir());
  const auto kept = static_cast<std::size_t>(options_.backups_kept);
  for (std::size_t i = 0; i + kept < names.size(); ++i) {
    std::error_code error;
    fs::remove_all(backup_dir() + "/" + names[i], error);
    if (error) {
      hooks_.log({.level = NoteLevel::kWarn,
                  .event = "store.backup_not_removed",
                  .fields = {{"backup", names[i]}, {"problem", error.message()}}});
    }
  }
}

// ---- rebuild -----------------------------------------------------------------------------------

Result<> StoreUpkeep::rebuild(const stats::sqlite::RebuildOptions& options) {
  if (rebuild_ && !rebuild_->ended) {
    return fail(Errc::kConflict, "a rebuild runs already");
  }
  auto progress = std::make_shared<RebuildProgress>();
  const bool begun = run(
      [this, options, progress] {
        return stats::sqlite::rebuild(options_.dir, options, store_.rebuild_target(), *progress);
      },
      [this](Result<Rebuilt> outcome) { rebuilt(std::move(outcome)); });
  if (!begun) {
    return fail(Errc::kUnavailable, "other jobs wait for the store already");
  }
  rebuild_ = Rebuild{.options = options,
                     .started = read_clocks().wall,
                     .ended = std::nullopt,
                     .outcome = std::nullopt,
                     .progress = std::move(progress)};
  hooks_.log({.level = NoteLevel::kInfo,
              .event = "store.rebuild_begun",
              .fields = {{"dry_run", options.dry_run}, {"force", options.force}}});
  if (!options.dry_run) {
    hooks_.requery();
  }
  return {};
}

void StoreUpkeep::rebuilt(Result<Rebuilt> outcome) {
  rebuild_->ended = read_clocks().wall;
  ++(outcome ? counters_.rebuilds : counters_.rebuild_failures);
  if (outcome) {
    const auto dropped = static_cast<std::int64_t>(outcome->rows_dropped());
    if (!rebuild_->options.dry_run) {
      counters_.rows_dropped += outcome->rows_dropped();
    }
    std::string moved;
    for (const std::string& to : outcome->moved_to) {
      moved += (moved.empty() ? "" : " ") + to;
    }
    hooks_.log({.level = NoteLevel::kInfo,
                .event = "store.rebuilt",
                .fields = {{"dry_run", rebuild_->options.dry_run},
                           {"kept", static_cast<std::int64_t>(outcome->rows_kept)},
                           {"dropped", dropped},
                           {"history_replaced", outcome->history_replaced},
                           {"state_replaced", outcome->state_replaced},
                           {"moved_to", moved}}});
  } else {
    hooks_.log({.level = NoteLevel::kError,
                .event = "store.not_rebuilt",
                .fields = {{"problem", outcome.error().what}}});
  }
  rebuild_->outcome = std::move(outcome);
}

}  // namespace bascule::daemon
