#include "stats/sqlite/directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kHeadTable = 4;
constexpr std::size_t kQuarantineMax = 10;
constexpr std::array<const char*, 2> kHeadNames = {"head.a", "head.b"};

std::string system_error(std::string_view what, const std::string& path) {
  return std::string(what) + " " + path + ": " + std::strerror(errno);
}

std::string encode_marks(const Head& head) {
  std::string bytes = encode_row(
      Row{.table = kHeadTable,
          .columns = {Value{static_cast<std::int64_t>(head.generation)},
                      Value{std::int64_t{head.clean ? 1 : 0}}, Value{encode_position(head.state)},
                      Value{encode_position(head.stats)}}});
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

std::optional<Head> decode_marks(std::string_view bytes) {
  if (bytes.size() < 4) {
    return std::nullopt;
  }
  const std::string_view body = bytes.substr(0, bytes.size() - 4);
  std::string crc;
  append_u32(crc, crc32c(body));
  const auto row = decode_row(body);
  if (crc != bytes.substr(body.size()) || !row || row->table != kHeadTable ||
      row->columns.size() != 4) {
    return std::nullopt;
  }
  const auto* generation = std::get_if<std::int64_t>(&row->columns[0]);
  const auto* clean = std::get_if<std::int64_t>(&row->columns[1]);
  const auto* state = std::get_if<std::string>(&row->columns[2]);
  const auto* stats = std::get_if<std::string>(&row->columns[3]);
  if (generation == nullptr || clean == nullptr || state == nullptr || stats == nullptr) {
    return std::nullopt;
  }
  const auto state_position = decode_position(*state);
  const auto stats_position = decode_position(*stats);
  if (!state_position || !stats_position) {
    return std::nullopt;
  }
  return Head{.generation = static_cast<std::uint64_t>(*generation),
              .clean = *clean == 1,
              .state = *state_position,
              .stats = *stats_position};
}

std::string utc_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return {text.data(), length};
}

/// An open-file-description lock: it belongs to this descriptor, so a second one of the same
/// process conflicts as well (fcntl(2)).
bool lock(int fd) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) {
    close(fd_);
  }
}
Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {
}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<StateDirectory> StateDirectory::open(const std::string& path) {
  std::error_code error;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) {
    fs::create_directories(parent, error);
  }
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(Errc::kUnavailable, system_error("cannot create", path));
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return fail(Errc::kUnavailable, system_error("cannot enter", path));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(Errc::kInvalidArgument, path + " is not a directory");
  }
  const bool open_to_others = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  if (open_to_others && chmod(path.c_str(), S_IRWXU) != 0) {
    return fail(Errc::kUnavailable, system_error("cannot make private", path));
  }
  const std::string lock_path = path + "/instance.lock";
  Descriptor descriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!descriptor) {
    if (errno != EACCES && errno != EROFS && errno != EPERM && errno != ENOSPC) {
      return fail(Errc::kUnavailable, system_error("cannot open", lock_path));
    }
    return StateDirectory(path, Descriptor());
  }
  if (!lock(descriptor.get())) {
    return fail(Errc::kConflict, path + " is in use by another process");
  }
  if (access(path.c_str(), W_OK) != 0) {
    descriptor = Descriptor();
  }
  return StateDirectory(path, std::move(descriptor));
}

std::string StateDirectory::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

Marks read_marks(const std::string& directory) {
  Marks marks;
  bool any_file = false;
  for (const char* name : kHeadNames) {
    const Descriptor fd(::open((directory + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
      continue;
    }
    any_file = true;
    std::array<char, 512> buffer{};
    const ssize_t length = pread(fd.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0) {
      continue;
    }
    const auto head = decode_marks({buffer.data(), static_cast<std::size_t>(length)});
    if (head && (!marks.newest || head->generation > marks.newest->generation)) {
      marks.newest = head;
    }
  }
  marks.damaged = any_file && !marks.newest;
  return marks;
}

std::optional<Head> StateDirectory::read_head() {
  const Marks marks = read_marks(path_);
  marks_damaged_ = marks.damaged;
  generation_ = marks.newest ? marks.newest->generation : 0;
  return marks.newest;
}

Result<> StateDirectory::write_head(Head head, bool sync) {
  head.generation = ++generation_;
  const std::string path = file(kHeadNames[generation_ % kHeadNames.size()]);
  const std::string bytes = encode_marks(head);
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!fd ||
      pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()) ||
      (sync && fdatasync(fd.get()) != 0)) {
    return fail(Errc::kUnavailable, system_error("cannot write", path));
  }
  return {};
}

Result<> StateDirectory::write_heads(const Head& head) {
  auto written = write_head(head, /*sync=*/true);
  return written ? write_head(head, /*sync=*/true) : written;
}

Finding marks_finding() {
  return {.file = "head",
          .damage = Damage::kRecord,
          .detail = "both marks are damaged; a loss of the newest records cannot be excluded"};
}

Result<std::string> StateDirectory::make_quarantine(std::string_view reason) {
  std::error_code error;
  const fs::path quarantine = fs::path(path_) / "quarantine";
  fs::create_directories(quarantine, error);
  std::vector<fs::path> kept;
  for (const auto& entry : fs::directory_iterator(quarantine, error)) {
    kept.push_back(entry.path());
  }
  std::sort(kept.begin(), kept.end());  // Names begin with the time.
  for (std::size_t i = 0; i + kQuarantineMax <= kept.size(); ++i) {
    fs::remove_all(kept[i], error);
  }
  const std::string stem = utc_stamp() + "-" + std::string(reason);
  fs::path folder = quarantine / stem;
  for (int n = 2; fs::exists(folder, error) && n < 1'000; ++n) {
    folder = quarantine / (stem + "-" + std::to_string(n));
  }
  fs::create_directory(folder, error);
  if (error) {
    return fail(Errc::kUnavailable, "cannot create " + folder.string() + ": " + error.message());
  }
  return folder.string();
}

Result<std::string> StateDirectory::move_aside(std::string_view name, std::string_view reason) {
  auto folder = make_quarantine(reason);
  if (!folder) {
    return folder;
  }
  std::error_code error;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string source = file(name) + suffix;
    if (fs::exists(source, error)) {
      fs::rename(source, fs::path(*folder) / (std::string(name) + suffix), error);
      if (error) {
        return fail(Errc::kUnavailable, "cannot move " + source + ": " + error.message());
      }
    }
  }
  return folder;
}

Result<> StateDirectory::sync() {
  const Descriptor fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) {
    return fail(Errc::kUnavailable, system_error("cannot sync", path_));
  }
  return {};
}

}  // namespace bascule::stats::sqlite
