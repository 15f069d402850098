#pragma once

#include <optional>
#include <string>

#include "stats/load_report.h"
#include "stats/sqlite/directory.h"
#include "stats/sqlite/report_file.h"
#include "stats/sqlite/state_file.h"

namespace bascule::stats::sqlite {

/// The two databases as found at start, with what was wrong and what was done about it. A file that
/// could not be made usable is nullopt: its content is kept in memory and `problem` says why.
template <class File, class Content>
struct Loaded {
  Content content;
  std::optional<File> file;
  std::string problem;
};
using LoadedState = Loaded<StateFile, StateContent>;
using LoadedReports = Loaded<ReportFile, ReportContent>;

/// Opens, verifies and, when something is wrong, replaces `state.db`. Never fails and never
/// discards: what is readable is in the content, a damaged file is moved aside.
LoadedState load_state(StateDirectory& directory, const std::optional<Head>& head,
                       const StateFile::Options& options, LoadReport& report);
LoadedReports load_reports(StateDirectory& directory, const std::optional<Head>& head,
                           const ReportFile::Options& options, LoadReport& report);

/// A new log starts from a random value, so that two files never share a history.
[[nodiscard]] Digest random_digest();

/// What a rebuild makes of a database, before it is complete: `stats.db.rebuild`.
inline constexpr const char* kRebuildSuffix = ".rebuild";

/// After a crash while a file was replaced: a complete new one takes the name when nothing has it;
/// what is left over is removed. Where there never was an old one (not `existed`), the new one may
/// be anything, and nothing in it was acknowledged.
void finish_replacement(StateDirectory& directory, const char* name, bool existed = true);

/// Gives the complete file `<name>.new` the name of the database; what had it is moved aside.
/// Errors: kUnavailable; a new file that is not complete (a write-ahead log lies beside it) is
/// removed and nothing is moved.
Result<> take_name(StateDirectory& directory, const char* name, std::string_view reason,
                   std::vector<std::string>& moved_to);

/// A new `state.db` with these tables, in the place of whatever is there (which is moved aside).
/// Crash-safe: the new file is complete before it takes the name.
Result<StateFile> replace_state(StateDirectory& directory, const StateFile::Options& options,
                                const focus::Tables& tables, const LogPosition& at,
                                std::string_view reason, std::vector<std::string>& moved_to);

/// A new `stats.db` with every sound row of the old one.
Result<ReportFile> replace_reports(StateDirectory& directory, const ReportFile::Options& options,
                                   ReportContent& content, bool salvage, std::string_view reason,
                                   std::vector<std::string>& moved_to);

}  // namespace bascule::stats::sqlite
