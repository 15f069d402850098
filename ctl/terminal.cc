#include "ctl/terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include <langinfo.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace bascule::ctl {
namespace {

constexpr std::size_t kRowsDefault = 24;
constexpr std::size_t kColumnsDefault = 80;

// Another screen, no cursor, no wrapping of long lines; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

winsize window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    size = {};
  }
  return size;
}

std::size_t columns_of_stdout() {
  if (const winsize size = window(); size.ws_col > 0) {
    return size.ws_col;
  }
  const char* given = std::getenv("COLUMNS");
  const std::string_view text = given == nullptr ? "" : given;
  std::size_t columns = 0;
  std::from_chars(text.data(), text.data() + text.size(), columns);
  return columns == 0 ? kColumnsDefault : columns;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;  // The terminal is gone; SIGHUP ends us.
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

Style style_of_stdout() {
  const bool terminal = is_terminal();
  return {.colour = terminal && !is_set("NO_COLOR"),
          .unicode = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0,
          .columns = terminal ? columns_of_stdout() : 0};
}

struct Screen::Impl {
  termios before{};
  sigset_t signals_before{};
  int signals = -1;
  int waker = -1;
  bool is_shown = false;
};

Screen::Screen() : impl_(std::make_unique<Impl>()) {
}

Result<std::unique_ptr<Screen>> Screen::open() {
  std::unique_ptr<Screen> screen(new Screen());
  Impl& impl = *screen->impl_;
  if (!is_terminal() || ::tcgetattr(STDIN_FILENO, &impl.before) != 0) {
    return fail(Errc::kUnavailable, "this is no terminal");
  }
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) {
    sigaddset(&wanted, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &wanted, &impl.signals_before);
  impl.signals = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  impl.waker = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl.signals < 0 || impl.waker < 0) {
    return fail(Errc::kUnavailable, std::generic_category().message(errno));
  }
  termios raw = impl.before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
  write_all(kEnter);
  impl.is_shown = true;
  return screen;
}

Screen::~Screen() {
  leave();
  if (impl_->waker >= 0) {
    ::close(impl_->waker);
  }
  if (impl_->signals >= 0) {
    signalfd_siginfo unread{};  // What was waited for has been obeyed.
    while (::read(impl_->signals, &unread, sizeof unread) > 0) {
    }
    ::close(impl_->signals);
    ::pthread_sigmask(SIG_SETMASK, &impl_->signals_before, nullptr);
  }
}

void Screen::leave() {
  if (impl_->is_shown) {
    write_all(kLeave);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &impl_->before);
    impl_->is_shown = false;
  }
}

void Screen::draw(const std::string& text) {
  std::string out = "\x1b[H";
  std::string_view rest = text;
  for (std::size_t row = 0; row < rows() && !rest.empty(); ++row) {
    const auto end = rest.find('\n');
    out += row == 0 ? "" : "\r\n";
    out += rest.substr(0, end);
    out += "\x1b[K";
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  write_all(out + "\x1b[J");
}

std::size_t Screen::rows() const {
  const std::size_t rows = window().ws_row;
  return rows == 0 ? kRowsDefault : rows;
}

Screen::Event Screen::wait() {
  for (;;) {
    std::array<pollfd, 3> ready{
        {{STDIN_FILENO, POLLIN, 0}, {impl_->signals, POLLIN, 0}, {impl_->waker, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) {
      return Event::kQuit;
    }
    if (ready[0].revents != 0) {
      constexpr std::string_view kQuitKeys = "qQ\x03\x04\x1c";  // And Ctrl-C, Ctrl-D, Ctrl-\.
      char key = 'q';                                           // The end of the input, too.
      const ssize_t count = ::read(STDIN_FILENO, &key, 1);
      if (count <= 0 || kQuitKeys.find(key) != std::string_view::npos) {
        return Event::kQuit;
      }
    }
    signalfd_siginfo signal{};
    if (ready[1].revents != 0 && ::read(impl_->signals, &signal, sizeof signal) > 0) {
      return signal.ssi_signo == SIGWINCH ? Event::kResized : Event::kQuit;
    }
    std::uint64_t count = 0;
    if (ready[2].revents != 0 && ::read(impl_->waker, &count, sizeof count) > 0) {
      return Event::kWoken;
    }
  }
}

void Screen::wake() {
  const std::uint64_t one = 1;
  // Full only when as many wakes are unread as fit into 64 bits.
  [[maybe_unused]] const ssize_t written = ::write(impl_->waker, &one, sizeof one);
}

}  // namespace bascule::ctl
