#pragma once

#include <functional>

#include "ctl/ask.h"

namespace CLI {
class App;
}  // namespace CLI

namespace bascule::ctl {

/// What all commands share: the options that may stand anywhere on the line, and how it ended.
struct Context {
  Connection connection;
  bool json = false;  ///< One JSON object on stdout and nothing else.
  int exit_status = kExitOk;
};

/// Runs `command` when `app` was given on the line; what it returns becomes the exit status.
void on_call(CLI::App& app, Context& context, std::function<int()> command);

}  // namespace bascule::ctl
