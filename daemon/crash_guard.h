#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/time.h"
#include "focus/crash_history.h"
#include "focus/note.h"
#include "focus/quarantine.h"
#include "focus/work_mark.h"

namespace bascule::daemon {

/// Finds out at the start how the process before ended, and keeps for the next one which conference
/// is being handled (ADR 0017). Two files in the state directory: `in_progress`, memory that
/// outlives the process (shared mapping: nothing is written or synced while conferences are
/// handled), and `crashes` (JSON), written at starts and releases. Both are worthless after a
/// reboot, and are begun anew then; so they are when they cannot be read.
class CrashGuard {
 public:
  struct Options {
    std::filesystem::path directory;        ///< Held by this process alone.
    std::string boot_id;                    ///< Empty: /proc/sys/kernel/random/boot_id.
    std::vector<std::string> room_domains;  ///< Of what may be a conference.
  };

  CrashGuard(Options options, Now now);
  /// The process ends as it should.
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;

  /// At this address for the life of the guard.
  [[nodiscard]] focus::WorkMark& mark();
  /// Conferences to be left out by this process.
  [[nodiscard]] std::map<RoomJid, Instant> poisoned() const;
  /// What the start found; to be logged once.
  [[nodiscard]] const std::vector<focus::Note>& notes() const { return notes_; }
  /// To be called after each turn. Cheap unless something was released.
  void keep(const focus::Quarantine& quarantine);

 private:
  struct Page;
  void map_page();
  void judge(Now now);
  void read_history();
  void write_history();
  void warn(const std::string& what);

  Options options_;
  Page* page_ = nullptr;
  bool is_mapped_ = false;
  focus::CrashHistory history_;
  std::size_t unreleased_ = 0;
  std::vector<focus::Note> notes_;
};

}  // namespace bascule::daemon
