#pragma once

#include <cstdint>
#include <string>

namespace bascule::torture {

// A SQLite VFS that is a bad disk. It works on real files and remembers what each sector held at
// the last sync, so that it can make the files look as they would after a power cut: of what was
// written since the last sync some sectors are there, some are not, one is half there. Everything
// is decided by one seed. Not modelled: lost directory entries (file systems with a journal order
// them), and more than one fault-injected process on a file.

struct FaultPlan {
  std::uint64_t seed = 1;
  /// The process kills itself at this operation (writes, syncs and truncations count, from 1);
  /// 0: never.
  std::uint64_t crash_at = 0;
  /// What is lost at the crash: nothing (as by SIGKILL), or some of what was not synced.
  bool power_cut = true;
  /// Operations between these numbers fail now and then: EIO or a full disk for a write (which may
  /// be half done), EIO for a read, a truncation or a sync. After a failed sync the kernel may have
  /// dropped what it could not write, as Linux does.
  std::uint64_t errors_from = 0;
  std::uint64_t errors_to = 0;
  /// Of 1000 syncs this many say "done" and do nothing.
  std::uint64_t lying_syncs = 0;
  /// Of 1000 writes this many store one wrong bit, or nothing at all, and say "done".
  std::uint64_t rotten_writes = 0;
};

/// Becomes the default VFS of this process, for good. Call it before the first connection.
/// `directory` is the state directory: at a power cut its mark files, which do not go through
/// SQLite, fall back to an earlier content as well, unless disk or syncs lie (then the marks are
/// the only proof that something is missing).
void install_fault_vfs(const FaultPlan& plan, const std::string& directory);

/// Reads fail only from here on: a read that fails while the store is opened is a loss by
/// definition, which the store reports.
void allow_read_errors();

}  // namespace bascule::torture
