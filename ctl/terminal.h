#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "ctl/text.h"

namespace bascule::ctl {

bool is_terminal();  ///< stdout is one, and not a dumb one.

/// Colours on a terminal only, and never when NO_COLOR is set (no-color.org); letters beyond ASCII
/// when the locale has them; as wide as the terminal, unlimited without one.
Style style_of_stdout();

/// The whole terminal, until it is destroyed: then everything is as it was, also when a signal
/// asked us to end.
class Screen {
 public:
  enum class Event { kQuit, kResized, kWoken };

  /// Errors: kUnavailable when stdin or stdout is no terminal.
  static Result<std::unique_ptr<Screen>> open();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Gives the terminal back now, while others may still call `wake`.
  void leave();
  /// Shows `text` from the upper left corner; lines that do not fit are not seen.
  void draw(const std::string& text);
  [[nodiscard]] std::size_t rows() const;
  /// Waits for q or Ctrl-C or a signal that ends us, another size of the window, or `wake`.
  Event wait();
  /// From any thread: `wait` returns kWoken.
  void wake();

 private:
  Screen();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::ctl
