// Loaded into the daemon before the C library (LD_PRELOAD): a disk that does not answer, and one
// that is full. While the file exists that BASCULE_STALLED_WHILE names, whoever writes to a
// database or syncs anything waits; while the one of BASCULE_FULL_WHILE exists, writes to databases
// fail with ENOSPC. Only the store thread does so.

#include <cerrno>
#include <cstdlib>

#include <dlfcn.h>
#include <unistd.h>

namespace {

constexpr useconds_t kLookMicroseconds = 5'000;

void wait_for_the_disk() {
  static const char* const kFile = std::getenv("BASCULE_STALLED_WHILE");
  while (kFile != nullptr && access(kFile, F_OK) == 0) {
    usleep(kLookMicroseconds);
  }
}

bool is_full() {
  static const char* const kFile = std::getenv("BASCULE_FULL_WHILE");
  if (kFile == nullptr || access(kFile, F_OK) != 0) {
    return false;
  }
  errno = ENOSPC;
  return true;
}

/// The function of the C library that ours hides.
template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int fdatasync(int fd) {
  wait_for_the_disk();
  static const auto kNext = real<int (*)(int)>("fdatasync");
  return kNext(fd);
}

extern "C" int fsync(int fd) {
  wait_for_the_disk();
  static const auto kNext = real<int (*)(int)>("fsync");
  return kNext(fd);
}

extern "C" ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t offset) {
  wait_for_the_disk();
  static const auto kNext = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return is_full() ? -1 : kNext(fd, bytes, count, offset);
}

extern "C" ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  wait_for_the_disk();
  static const auto kNext = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return is_full() ? -1 : kNext(fd, bytes, count, offset);
}
