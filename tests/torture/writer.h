#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/torture/fault_vfs.h"

namespace bascule::torture {

/// Reports of one batch; the last one's number names the batch.
inline constexpr std::uint64_t kReportsPerBatch = 5;

/// Commits and batches that a writer leaves unanswered.
inline constexpr std::uint64_t kInFlightMax = 20;

struct WriterArguments {
  std::string directory;
  std::uint64_t first_turn = 1;
  std::uint64_t first_report = 1;
  FaultPlan faults;
  bool rebuilds = false;  ///< Writes the history anew beside it, without a pause.
};

/// The process that is killed: commits numbered turns and batches of numbered reports until then
/// and prints what was acknowledged. Exit status, when it ends by itself: 1, the store could not be
/// opened.
int run_writer(const WriterArguments& arguments);

/// The text of the arguments, for exec, and back.
[[nodiscard]] std::vector<std::string> to_text(const WriterArguments& arguments);
[[nodiscard]] WriterArguments from_text(const std::vector<std::string>& text);

/// A writer as a child process, seen by who kills it.
class WriterProcess {
 public:
  explicit WriterProcess(const WriterArguments& arguments);
  ~WriterProcess();
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;

  /// Reads acknowledgements until there are `count`, the process has ended, or it is stuck: said
  /// nothing for `milliseconds` and nothing while somebody looked where it stands.
  void read_acks(std::uint64_t count, int milliseconds);
  /// SIGKILL unless it has ended; then whatever it had still acknowledged.
  void kill_now();
  /// Waits until it ends by itself; kills it when it is stuck.
  void wait_for_end(int milliseconds);

  [[nodiscard]] std::uint64_t acks() const { return acks_; }
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }
  [[nodiscard]] std::uint64_t last_turn() const { return last_turn_; }
  /// Acknowledged or refused.
  [[nodiscard]] std::uint64_t last_answered() const { return last_answered_; }
  /// Names of the batches on disk.
  [[nodiscard]] const std::vector<std::uint64_t>& batches() const { return batches_; }
  /// Where it stood when it was stuck; empty: it never was.
  [[nodiscard]] const std::string& standstill() const { return standstill_; }
  /// As `waitpid` gives it; meaningful after `kill_now` or `wait_for_end`.
  [[nodiscard]] int status() const { return status_; }

 private:
  bool read_some(int milliseconds);
  bool waits_in_vain(int milliseconds);

  pid_t pid_ = -1;
  int out_ = -1;
  int status_ = 0;
  std::string standstill_;
  std::string text_;
  std::uint64_t acks_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t last_turn_ = 0;
  std::uint64_t last_answered_ = 0;
  std::vector<std::uint64_t> batches_;
};

}  // namespace bascule::torture
