#include "daemon/log_key.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "base/check.h"

namespace bascule::daemon {
namespace {

constexpr std::size_t kKeyBytes = 32;

/// A new key under a name of its own first, then linked: nobody ever reads half of one, and who
/// comes second keeps the key of the first.
Result<> make_key(const std::string& path) {
  std::array<unsigned char, kKeyBytes> key{};
  BASCULE_CHECK(RAND_bytes(key.data(), key.size()) == 1);
  const std::string draft = path + "." + std::to_string(::getpid());
  const int file =
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  bool made = file >= 0 && ::write(file, key.data(), key.size()) == ssize_t{kKeyBytes};
  made =
      made && ::fsync(file) == 0 && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  if (file >= 0) {
    ::close(file);
    ::unlink(draft.c_str());
  }
  if (!made) {
    return fail(Errc::kUnavailable, path + ": " + std::strerror(error));
  }
  return {};
}

}  // namespace

Result<std::string> load_log_key(const std::string& directory) {
  const std::string path = directory + "/log.key";
  if (::access(path.c_str(), F_OK) != 0) {
    if (auto made = make_key(path); !made) {
      return tl::make_unexpected(made.error());
    }
  }
  std::ifstream file(path, std::ios::binary);
  std::string key(kKeyBytes + 1, '\0');
  file.read(key.data(), static_cast<std::streamsize>(key.size()));
  if (!file.is_open()) {
    return fail(Errc::kUnavailable, path + ": cannot be read");
  }
  if (file.gcount() != std::streamsize{kKeyBytes}) {
    return fail(Errc::kCorrupt, path + ": is not a key of 32 bytes; remove it to get a new one");
  }
  key.resize(kKeyBytes);
  return key;
}

}  // namespace bascule::daemon
