#include "ha/local/file_coordinator.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace bascule::ha {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kOthers = 0077;
constexpr std::size_t kTermBytesMax = 4096;
constexpr std::chrono::milliseconds kInterruptInterval{1};
// Ignored by default, and nobody else here uses it: ends a blocking fcntl.
constexpr int kInterrupt = SIGURG;

tl::unexpected<Error> system_error(const std::string& what) {
  return fail(Errc::kUnavailable, what + ": " + std::strerror(errno));
}

/// Without SA_RESTART: the system call ends.
void make_interruptible() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  BASCULE_CHECK(::sigaction(kInterrupt, &action, nullptr) == 0);
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string to_text(const Term& term) {
  std::string text = "epoch=" + std::to_string(term.epoch) + " node=" + term.node +
                     " pid=" + std::to_string(term.pid) + " in-sync=";
  for (const std::string& node : term.in_sync) {
    text += (text.back() == '=' ? "" : ",") + node;
  }
  return text + "\n";
}

/// The value behind `key=`, up to a blank or the end of the line; nullopt: it is not there.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  const auto begin = text.find(key);
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(begin + key.size());
  const auto end = rest.find_first_of(" \n");
  return end == std::string_view::npos ? std::nullopt : std::optional(rest.substr(0, end));
}

template <class Number>
bool read_number(std::optional<std::string_view> text, Number& number) {
  if (!text) {
    return false;
  }
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size();
}

std::optional<Term> term_from(std::string_view text) {
  Term term;
  const auto node = value_of(text, "node=");
  auto in_sync = value_of(text, "in-sync=");
  if (!read_number(value_of(text, "epoch="), term.epoch) ||
      !read_number(value_of(text, "pid="), term.pid) || !node || !in_sync) {
    return std::nullopt;
  }
  term.node = std::string(*node);
  while (!in_sync->empty()) {
    const auto comma = in_sync->find(',');
    term.in_sync.emplace_back(in_sync->substr(0, comma));
    in_sync->remove_prefix(comma == std::string_view::npos ? in_sync->size() : comma + 1);
  }
  return term;
}

std::optional<Term> read_term(int descriptor) {
  std::array<char, kTermBytesMax> buffer{};
  const ssize_t got = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  return got > 0 ? term_from({buffer.data(), static_cast<std::size_t>(got)}) : std::nullopt;
}

/// On a thread of its own: whoever waits for a term must not wait for a disk.
void sync_behind(const std::string& path) {
  std::thread([path] {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
      (void)::fsync(descriptor);
      ::close(descriptor);
    }
  }).detach();
}

Result<> check_directory(const std::string& directory) {
  struct stat status {};
  if (::mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return system_error("cannot make " + directory);
  }
  if (::stat(directory.c_str(), &status) != 0) {
    return system_error(directory);
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(Errc::kInvalidArgument, directory + " is no directory");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & kOthers) != 0) {
    return fail(Errc::kInvalidArgument,
                directory + " must belong to the user of bascule and have mode 0700");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<FileCoordinator>> FileCoordinator::open(const std::string& directory,
                                                               std::string node) {
  if (auto usable = check_directory(directory); !usable) {
    return tl::make_unexpected(usable.error());
  }
  make_interruptible();
  return std::unique_ptr<FileCoordinator>(
      new FileCoordinator(directory + "/leader.lock", std::move(node)));
}

FileCoordinator::~FileCoordinator() {
  release();
}

void FileCoordinator::campaign(Won won) {
  BASCULE_CHECK(descriptor_ < 0 && !waiting_.joinable());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor_ < 0) {
    won(system_error("cannot open " + path_));
    return;
  }
  withdrawn_ = false;
  has_ended_ = false;
  waiting_ = std::thread([this, descriptor = descriptor_, won = std::move(won)] {
    wait_for_lock(descriptor, won);
    has_ended_ = true;
  });
}

void FileCoordinator::wait_for_lock(int descriptor, const Won& won) {
  struct flock lock = whole_file();
  while (::fcntl(descriptor, F_OFD_SETLKW, &lock) != 0) {
    if (errno != EINTR) {
      won(system_error("cannot lock " + path_));
      return;
    }
    if (withdrawn_) {
      return;
    }
  }
  if (!withdrawn_) {
    won(read_term(descriptor));
  }
}

void FileCoordinator::withdraw() {
  if (!waiting_.joinable()) {
    return;
  }
  withdrawn_ = true;
  // Again and again: the first one may come just before the thread blocks.
  while (!has_ended_) {
    ::pthread_kill(waiting_.native_handle(), kInterrupt);
    std::this_thread::sleep_for(kInterruptInterval);
  }
  waiting_.join();
}

Result<Term> FileCoordinator::begin_term() {
  BASCULE_CHECK(descriptor_ >= 0);
  const auto before = read_term(descriptor_);
  const Term term{
      .epoch = before ? before->epoch + 1 : 1, .node = node_, .pid = ::getpid(), .in_sync = {}};
  if (auto written = write(term); !written) {
    return tl::make_unexpected(written.error());
  }
  term_ = term;
  return term;
}

/// Readers see the old line or the new one: it is written by one call, padded so that nothing of a
/// longer one stays behind.
Result<> FileCoordinator::write(const Term& term) const {
  std::string text = to_text(term);
  if (text.size() > kTermBytesMax) {
    return fail(Errc::kInvalidArgument, "too many nodes for " + path_);
  }
  text.resize(kTermBytesMax, '\n');
  if (::lseek(descriptor_, 0, SEEK_SET) != 0 ||
      ::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return system_error("cannot write " + path_);
  }
  sync_behind(path_);
  return {};
}

Result<> FileCoordinator::publish_in_sync(std::vector<std::string> nodes) {
  BASCULE_CHECK(term_.has_value());
  term_->in_sync = std::move(nodes);
  return write(*term_);
}

void FileCoordinator::release() {
  withdraw();
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
  }
  term_.reset();
}

std::optional<Term> FileCoordinator::current() const {
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return std::nullopt;
  }
  auto term = read_term(descriptor);
  ::close(descriptor);
  return term;
}

}  // namespace bascule::ha
