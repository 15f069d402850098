#include "tests/torture/fault_vfs.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <optional>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prng.h"

namespace bascule::torture {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::size_t kMarksRemembered = 6;
constexpr std::array<const char*, 2> kMarkFiles = {"/head.a", "/head.b"};

/// What a file held at its last sync, as far as it differs from what it holds now.
struct Unsynced {
  std::map<std::uint64_t, std::string> sectors;  // Old content; shorter at the end of the file.
  /// Dropped by a failed sync: the page cache shows the new content, the disk keeps the old one.
  std::map<std::uint64_t, std::string> dropped;
  std::optional<std::uint64_t> size;  // Old size, when it changed.
  ino_t inode = 0;                    // A file that takes the place of another begins anew.
};

struct Disk {
  FaultPlan plan;
  std::string directory;
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  std::mutex mutex;
  Prng prng{1};
  std::uint64_t operations = 0;
  bool read_errors = false;
  std::map<std::string, Unsynced> files;
  std::array<std::deque<std::string>, 2> marks;
};

/// SQLite calls back without any context of ours.
Disk* disk = nullptr;

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  const std::string* path;  // nullptr: a temporary file.
};

File& of(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_at(const std::string& path, std::uint64_t offset, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  BASCULE_CHECK(fd >= 0);
  BASCULE_CHECK(pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
                static_cast<ssize_t>(bytes.size()));
  close(fd);
}

// ---- the power cut -----------------------------------------------------------------------------

enum class Survives { kNothing, kEverything, kSome };

void revert(const std::string& path, const Unsynced& unsynced, Survives survives) {
  const auto revert_sector = [&](std::uint64_t sector, std::string old) {
    if (disk->prng.below(16) == 0) {
      old.resize(disk->prng.below(old.size() + 1));  // Torn: the rest is new.
    }
    write_at(path, sector * kSector, old);
  };
  for (const auto& [sector, old] : unsynced.dropped) {
    write_at(path, sector * kSector, old);
  }
  if (survives == Survives::kEverything) {
    return;
  }
  for (const auto& [sector, old] : unsynced.sectors) {
    if (survives == Survives::kNothing || disk->prng.below(2) == 0) {
      revert_sector(sector, old);
    }
  }
  if (!unsynced.size) {
    return;
  }
  struct stat status {};
  BASCULE_CHECK(stat(path.c_str(), &status) == 0);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  // What lies behind the old end: zeros where the length is on disk but not the content.
  for (std::uint64_t sector = (*unsynced.size + kSector - 1) / kSector; sector * kSector < size;
       ++sector) {
    if (disk->prng.below(2) == 0) {
      write_at(path, sector * kSector,
               std::string(std::min(kSector, size - sector * kSector), '\0'));
    }
  }
  if (survives == Survives::kNothing || disk->prng.below(2) == 0) {
    BASCULE_CHECK(truncate(path.c_str(), static_cast<off_t>(*unsynced.size)) == 0);
  }
}

void remember_marks() {
  for (std::size_t i = 0; i < kMarkFiles.size(); ++i) {
    std::string bytes = read_all(disk->directory + kMarkFiles[i]);
    auto& known = disk->marks[i];
    if (!bytes.empty() && (known.empty() || known.back() != bytes)) {
      known.push_back(std::move(bytes));
      if (known.size() > kMarksRemembered) {
        known.pop_front();
      }
    }
  }
}

/// One mark file at most is torn: they are written in turn, and a second apart at least once.
void revert_marks() {
  const std::uint64_t torn = disk->prng.below(8);
  for (std::size_t i = 0; i < kMarkFiles.size(); ++i) {
    const auto& known = disk->marks[i];
    if (known.empty()) {
      continue;
    }
    std::string bytes = known[disk->prng.below(known.size())];
    if (torn == i) {
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), '\0');
    }
    write_at(disk->directory + kMarkFiles[i], 0, bytes);
  }
}

[[noreturn]] void crash() {
  if (disk->plan.power_cut) {
    const auto survives = static_cast<Survives>(disk->prng.below(3));
    for (const auto& [path, unsynced] : disk->files) {
      if (access(path.c_str(), F_OK) == 0) {
        revert(path, unsynced, survives);
      }
    }
    if (disk->plan.lying_syncs == 0 && disk->plan.rotten_writes == 0) {
      revert_marks();
    }
  }
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

// ---- bookkeeping -------------------------------------------------------------------------------

/// Counts one operation; true when it shall fail.
bool next_operation() {
  const std::uint64_t number = ++disk->operations;
  if (number == disk->plan.crash_at) {
    crash();
  }
  return number >= disk->plan.errors_from && number < disk->plan.errors_to &&
         disk->prng.below(4) == 0;
}

std::uint64_t size_of(File& file) {
  sqlite3_int64 size = 0;
  file.real->pMethods->xFileSize(file.real, &size);
  return static_cast<std::uint64_t>(size);
}

/// Before [offset, offset+length) changes.
void keep_old(File& file, std::uint64_t offset, std::uint64_t length) {
  if (file.path == nullptr) {
    return;
  }
  Unsynced& unsynced = disk->files[*file.path];
  const std::uint64_t size = size_of(file);
  if (!unsynced.size && offset + length > size) {
    unsynced.size = size;
  }
  for (std::uint64_t sector = offset / kSector; sector * kSector < std::min(offset + length, size);
       ++sector) {
    if (unsynced.sectors.count(sector) == 1) {
      continue;
    }
    // What a failed sync dropped is the older truth.
    if (const auto dropped = unsynced.dropped.find(sector); dropped != unsynced.dropped.end()) {
      unsynced.sectors.insert(unsynced.dropped.extract(dropped));
      continue;
    }
    std::string old(std::min(kSector, size - sector * kSector), '\0');
    file.real->pMethods->xRead(file.real, old.data(), static_cast<int>(old.size()),
                               static_cast<sqlite3_int64>(sector * kSector));
    unsynced.sectors.emplace(sector, std::move(old));
  }
}

// ---- methods of a file -------------------------------------------------------------------------

int close_file(sqlite3_file* file) {
  return of(file).real->pMethods->xClose(of(file).real);
}

int read_file(sqlite3_file* file, void* to, int length, sqlite3_int64 offset) {
  {
    const std::lock_guard guard(disk->mutex);
    const std::uint64_t number = disk->operations;
    if (disk->read_errors && number >= disk->plan.errors_from && number < disk->plan.errors_to &&
        disk->prng.below(8) == 0) {
      return SQLITE_IOERR_READ;
    }
  }
  return of(file).real->pMethods->xRead(of(file).real, to, length, offset);
}

int write_file(sqlite3_file* file, const void* from, int length, sqlite3_int64 offset) {
  const std::lock_guard guard(disk->mutex);
  sqlite3_file* real = of(file).real;
  const bool fails = next_operation();
  std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(length));
  keep_old(of(file), static_cast<std::uint64_t>(offset), bytes.size());
  if (fails) {
    const auto part = static_cast<int>(disk->prng.below(bytes.size() + 1));
    if (disk->prng.below(2) == 0 && part > 0) {
      real->pMethods->xWrite(real, bytes.data(), part, offset);
    }
    return disk->prng.below(2) == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  if (disk->prng.below(1'000) < disk->plan.rotten_writes) {
    if (disk->prng.below(2) == 0) {
      return SQLITE_OK;
    }
    bytes[disk->prng.below(bytes.size())] ^= static_cast<char>(1U << disk->prng.below(8));
  }
  return real->pMethods->xWrite(real, bytes.data(), length, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard guard(disk->mutex);
  if (next_operation()) {
    return SQLITE_IOERR_TRUNCATE;
  }
  const std::uint64_t now = size_of(of(file));
  if (static_cast<std::uint64_t>(size) < now) {
    keep_old(of(file), static_cast<std::uint64_t>(size), now - static_cast<std::uint64_t>(size));
    if (of(file).path != nullptr && !disk->files[*of(file).path].size) {
      disk->files[*of(file).path].size = now;
    }
  }
  return of(file).real->pMethods->xTruncate(of(file).real, size);
}

int sync_file(sqlite3_file* file, int flags) {
  const std::lock_guard guard(disk->mutex);
  const bool fails = next_operation();
  remember_marks();
  if (of(file).path != nullptr) {
    Unsynced& unsynced = disk->files[*of(file).path];
    if (fails) {
      if (disk->prng.below(2) == 0) {
        unsynced.dropped.merge(unsynced.sectors);
        unsynced.sectors.clear();
      }
      return SQLITE_IOERR_FSYNC;
    }
    if (disk->prng.below(1'000) < disk->plan.lying_syncs) {
      return SQLITE_OK;
    }
    unsynced.sectors.clear();
    unsynced.size.reset();
  }
  return of(file).real->pMethods->xSync(of(file).real, flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return of(file).real->pMethods->xFileSize(of(file).real, size);
}
int lock_file(sqlite3_file* file, int level) {
  return of(file).real->pMethods->xLock(of(file).real, level);
}
int unlock_file(sqlite3_file* file, int level) {
  return of(file).real->pMethods->xUnlock(of(file).real, level);
}
int check_reserved_lock(sqlite3_file* file, int* result) {
  return of(file).real->pMethods->xCheckReservedLock(of(file).real, result);
}
int file_control(sqlite3_file* file, int operation, void* argument) {
  return of(file).real->pMethods->xFileControl(of(file).real, operation, argument);
}
int sector_size(sqlite3_file*) {
  return static_cast<int>(kSector);
}
int device_characteristics(sqlite3_file*) {
  return 0;  // Nothing is promised: neither atomic writes nor any order.
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  return of(file).real->pMethods->xShmMap(of(file).real, page, size, extend, to);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return of(file).real->pMethods->xShmLock(of(file).real, offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  of(file).real->pMethods->xShmBarrier(of(file).real);
}
int shm_unmap(sqlite3_file* file, int remove) {
  return of(file).real->pMethods->xShmUnmap(of(file).real, remove);
}

const sqlite3_io_methods kMethods = {.iVersion = 2,
                                     .xClose = close_file,
                                     .xRead = read_file,
                                     .xWrite = write_file,
                                     .xTruncate = truncate_file,
                                     .xSync = sync_file,
                                     .xFileSize = file_size,
                                     .xLock = lock_file,
                                     .xUnlock = unlock_file,
                                     .xCheckReservedLock = check_reserved_lock,
                                     .xFileControl = file_control,
                                     .xSectorSize = sector_size,
                                     .xDeviceCharacteristics = device_characteristics,
                                     .xShmMap = shm_map,
                                     .xShmLock = shm_lock,
                                     .xShmBarrier = shm_barrier,
                                     .xShmUnmap = shm_unmap,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

// ---- methods of the file system ----------------------------------------------------------------

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  File& ours = *new (file) File{};
  ours.real = reinterpret_cast<sqlite3_file*>(&ours + 1);
  const int code = disk->real->xOpen(disk->real, name, ours.real, flags, out_flags);
  ours.base.pMethods = ours.real->pMethods == nullptr ? nullptr : &kMethods;
  struct stat status {};
  if (name != nullptr && stat(name, &status) == 0) {
    const std::lock_guard guard(disk->mutex);
    const auto known = disk->files.try_emplace(name).first;
    if (known->second.inode != status.st_ino) {
      known->second = Unsynced{.inode = status.st_ino};
    }
    ours.path = &known->first;
  }
  return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_directory) {
  const std::lock_guard guard(disk->mutex);
  if (auto known = disk->files.find(name); known != disk->files.end()) {
    known->second = Unsynced{};  // Not erased: open files keep a pointer to the name.
  }
  return disk->real->xDelete(disk->real, name, sync_directory);
}

}  // namespace

void install_fault_vfs(const FaultPlan& plan, const std::string& directory) {
  BASCULE_CHECK(disk == nullptr);
  disk = new Disk;  // Lives as long as the process: SQLite keeps pointers to it.
  disk->plan = plan;
  disk->directory = directory;
  disk->prng = Prng(plan.seed);
  disk->real = sqlite3_vfs_find("unix");
  BASCULE_CHECK(disk->real != nullptr);
  disk->vfs = *disk->real;
  disk->vfs.zName = "bascule-fault";
  disk->vfs.szOsFile = static_cast<int>(sizeof(File)) + disk->real->szOsFile;
  disk->vfs.xOpen = open_file;
  disk->vfs.xDelete = delete_file;
  BASCULE_CHECK(sqlite3_vfs_register(&disk->vfs, 1) == SQLITE_OK);
}

void allow_read_errors() {
  const std::lock_guard guard(disk->mutex);
  disk->read_errors = true;
}

}  // namespace bascule::torture
