#pragma once

#include <functional>
#include <string>

#include "admin/http.h"
#include "base/result.h"
#include "focus/note.h"

namespace bascule::admin {

struct LogLevelSources {
  std::function<focus::NoteLevel()> level;
  /// `by`: the name of who asked. `done` is called once, when it is recorded and in force, or with
  /// why it is not.
  std::function<void(focus::NoteLevel level, const std::string& by,
                     std::function<void(const Result<>&)> done)>
      set_level;
};

/// "debug", "info", "warn" or "error".
[[nodiscard]] std::string_view name_of(focus::NoteLevel level);

///   GET /v1/log-level   what is written to the log
///   PUT /v1/log-level   {"level": "debug"}: from now on, until the process ends or reads its
///                       configuration again; for administrators
void add_log_level_routes(Router& router, LogLevelSources sources);

}  // namespace bascule::admin
