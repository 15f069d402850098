#include "daemon/supervisor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/exit_status.h"
#include "daemon/socket_holder.h"

extern char** environ;

namespace bascule::daemon {
namespace {

constexpr Duration kDelayFirst = std::chrono::milliseconds{100};
constexpr Duration kDelayMax = std::chrono::seconds{5};
constexpr Duration kLifetimeGood = std::chrono::seconds{30};
constexpr std::array kForwarded = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

/// A descriptor that closes itself; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int value = -1) {
    if (value_ >= 0) {
      ::close(value_);
    }
    value_ = value;
  }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

class Supervisor {
 public:
  Supervisor(const std::vector<std::string>& command, LogSink& log)
      : command_(command), log_(log) {}

  int run();

 private:
  [[nodiscard]] bool start();
  void end_of_child(int status);
  /// Waits for signals, messages of the child, and what is due.
  void wait();
  void on_signals();
  void on_message();
  void reap();
  [[nodiscard]] int wait_ms(Now now) const;
  void say(focus::NoteLevel level, std::string_view event,
           std::vector<std::pair<std::string_view, focus::Note::Value>> fields);

  const std::vector<std::string>& command_;
  LogSink& log_;
  RestartDelay delay_;
  Descriptor signals_;
  Descriptor channel_;  // To the child.
  Descriptor held_;
  std::optional<Instant> drop_at_;     // Of `held_`, when nobody goes on with it.
  std::optional<Instant> restart_at_;  // No child runs.
  pid_t child_ = -1;
  Instant started_{};
  std::optional<int> result_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

void Supervisor::say(focus::NoteLevel level, std::string_view event,
                     std::vector<std::pair<std::string_view, focus::Note::Value>> fields) {
  log_.write({.level = level, .event = event, .fields = {fields.begin(), fields.end()}},
             read_clocks());
}

int Supervisor::run() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : kForwarded) {
    sigaddset(&set, signal);
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals_.get() < 0 || !start()) {
    say(focus::NoteLevel::kError, "supervisor.failed",
        {{"error", std::string(std::strerror(errno))}});
    return kExitStart;
  }
  while (!result_) {
    wait();
  }
  return *result_;
}

bool Supervisor::start() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return false;
  }
  channel_.reset(ends[0]);
  const Descriptor theirs(ends[1]);
  // Everything that allocates comes before the fork.
  std::vector<std::string> arguments = command_;
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.emplace_back(*entry);
  }
  environment.push_back(std::string(kHolderVariable) + "=" + std::to_string(theirs.get()));
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // It leaves everything to whoever comes after both of us.
    if (::getppid() == parent && ::fcntl(theirs.get(), F_SETFD, 0) == 0) {
      ::execve(argv[0], argv.data(), envp.data());
    }
    ::_exit(kExitStart);
  }
  started_ = read_clocks().mono;
  restart_at_.reset();
  if (child_ > 0) {
    say(focus::NoteLevel::kInfo, "supervisor.started", {{"child", std::int64_t{child_}}});
  }
  return child_ > 0;
}

void Supervisor::end_of_child(int status) {
  const Now now = read_clocks();
  child_ = -1;
  // What it said last may still be there: a socket to hold above all.
  on_message();
  channel_.reset();
  if (WIFEXITED(status) && (WEXITSTATUS(status) == kExitOk || WEXITSTATUS(status) == kExitConfig ||
                            WEXITSTATUS(status) == kExitStart)) {
    result_ = WEXITSTATUS(status);
    return;
  }
  if (held_.get() >= 0 && !drop_at_) {
    drop_at_ = now.mono + kHoldMax;
  }
  const Duration delay = delay_.after(now.mono - started_);
  restart_at_ = now.mono + delay;
  say(focus::NoteLevel::kError, "supervisor.child_died",
      {{"status", std::int64_t{WIFEXITED(status) ? WEXITSTATUS(status) : 0}},
       {"signal", std::int64_t{WIFSIGNALED(status) ? WTERMSIG(status) : 0}},
       {"holds_socket", held_.get() >= 0},
       {"restart_in", delay}});
}

int Supervisor::wait_ms(Now now) const {
  std::optional<Instant> due = restart_at_;
  if (drop_at_ && (!due || *drop_at_ < *due)) {
    due = drop_at_;
  }
  if (!due) {
    return -1;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now.mono);
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void Supervisor::wait() {
  std::array<pollfd, 2> sources{pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = channel_.get(), .events = POLLIN, .revents = 0}};
  ::poll(sources.data(), sources.size(), wait_ms(read_clocks()));
  if (sources[1].revents != 0) {
    on_message();
  }
  on_signals();
  const Now now = read_clocks();
  if (drop_at_ && *drop_at_ <= now.mono) {
    drop_at_.reset();
    held_.reset();
    say(focus::NoteLevel::kWarn, "supervisor.socket_dropped", {});
  }
  if (!result_ && restart_at_ && *restart_at_ <= now.mono && !start()) {
    restart_at_ = now.mono + kDelayMax;  // No process to be had just now.
  }
}

void Supervisor::on_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      continue;
    }
    if (child_ > 0) {
      ::kill(child_, signal);
    } else if (signal == SIGTERM || signal == SIGINT) {
      result_ = kExitOk;
    }
  }
  reap();
}

void Supervisor::reap() {
  int status = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == child_) {
      end_of_child(status);
    }
  }
}

void Supervisor::on_message() {
  for (;;) {
    char what = 0;
    iovec bytes{.iov_base = &what, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(channel_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) {
      if (got == 0 && child_ > 0) {
        channel_.reset();  // It is ending; SIGCHLD tells the rest.
      }
      return;
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    int socket = -1;
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&socket, CMSG_DATA(header), sizeof socket);
    }
    held_.reset(what == kHold ? socket : -1);
    drop_at_.reset();
  }
}

}  // namespace

Duration RestartDelay::after(Duration lifetime) {
  if (lifetime >= kLifetimeGood) {
    early_ends_ = 0;
  }
  const unsigned before = early_ends_++;
  if (before == 0) {
    return Duration::zero();
  }
  constexpr unsigned kDoublingsMax = 6;
  return std::min(kDelayFirst * (1U << std::min(before - 1, kDoublingsMax)), kDelayMax);
}

int supervise(const std::vector<std::string>& command, LogSink& log) {
  return Supervisor(command, log).run();
}

}  // namespace bascule::daemon
