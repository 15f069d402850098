// How the store goes on with files that were made anew.

#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "stats/sqlite/disk.h"
#include "stats/sqlite/loader.h"

namespace bascule::stats::sqlite {
namespace {

// The rest was read and written by the rebuild a moment ago.
constexpr std::uint64_t kVerifiedAfterSwap = 1'000;

/// Adds what was written since; closes the copy, which ends its write-ahead log.
Result<> complete(const HistoryCopy& copy, const std::string& running, std::uint64_t newest,
                  const ReportFile::Options& options) {
  auto database = Database::open(copy.path, OpenMode::kReadWrite, options.pages_max);
  if (!database) {
    return tl::make_unexpected(to_error(database.error()));
  }
  auto fresh = ReportFile::adopt(std::move(*database), options,
                                 ReportContent{.floor = copy.floor, .tip = copy.tip});
  auto source = Database::open(running, OpenMode::kReadOnly);
  if (!fresh || !source) {
    return tl::make_unexpected(to_error(fresh ? source.error() : fresh.error()));
  }
  ReportContent late;
  const RowRange missing{.first = copy.copied_up_to + 1, .last = newest};
  return fresh->salvage(*source, missing, late).map_error(to_error);
}

}  // namespace

Result<std::string> Disk::take_over(const HistoryCopy& copy) {
  const std::string path = directory_.file(kStatsFileName);
  struct stat status {};
  if (!reports_ || stat(path.c_str(), &status) != 0 || status.st_ino != copy.original) {
    return fail(Errc::kConflict, "the history was replaced while it was copied");
  }
  if (auto completed = complete(copy, path, reports_->tip().seq, report_options_); !completed) {
    return tl::make_unexpected(completed.error());
  }
  std::error_code error;
  std::filesystem::rename(copy.path, path + ".new", error);
  if (error) {
    return fail(Errc::kUnavailable, "cannot rename " + copy.path + ": " + error.message());
  }
  reports_.reset();
  std::vector<std::string> moved_to;
  Result<> taken = take_name(directory_, kStatsFileName, "rebuilt", moved_to);
  finish_replacement(directory_, kStatsFileName);  // Whatever failed: one of them has the name.
  auto database = Database::open(path, OpenMode::kReadWrite, report_options_.pages_max);
  if (database) {
    const ReportContent content = read_reports(*database, kVerifiedAfterSwap);
    auto file = content.findings.empty()
                    ? ReportFile::adopt(std::move(*database), report_options_, content)
                    : SqlResult<ReportFile>(
                          tl::make_unexpected(SqlError{0, to_text(content.findings.front())}));
    if (file) {
      reports_.emplace(std::move(*file));
      reports_tip_ = reports_->tip();
      reports_inode_ =
          stat(path.c_str(), &status) == 0 ? std::optional(status.st_ino) : std::nullopt;
    } else if (taken) {
      taken = tl::make_unexpected(to_error(file.error()));
    }
  }
  write_marks(/*clean=*/false, /*sync=*/true);
  if (!reports_ || !taken) {
    // The next report makes a new file of what is under the name.
    const std::string problem = taken ? "the rebuilt history cannot be opened" : taken.error().what;
    note_problem(problem);
    return fail(Errc::kUnavailable, problem);
  }
  ++counters_.files_replaced;
  return moved_to.front();
}

Result<> Disk::renew_state() {
  state_.reset();
  memory_is_ahead_ = true;
  retry_state_ = {};
  const std::vector<focus::Operation> note{focus::op::Note{"state.db was written anew"}};
  return append_turns({&note});
}

}  // namespace bascule::stats::sqlite
