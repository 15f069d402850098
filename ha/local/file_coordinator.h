#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ha/coordinator.h"

namespace bascule::ha {

/// Leads who holds the exclusive lock (open file description lock, fcntl(2)) on
/// `<directory>/leader.lock`. The kernel gives it up when the holder ends, however that happens, so
/// that the next one knows within a millisecond. The term stands in the file.
///
/// A thread blocks in the lock while campaigning. Everything that all processes must agree on goes
/// through the page cache of one host: the file is written in place and synced behind, and a power
/// cut that loses the last term has also ended everybody who was in it.
class FileCoordinator final : public Coordinator {
 public:
  /// `directory`: made with mode 0700 when it is missing. Errors: kInvalidArgument (not a
  /// directory, not ours, open to others), kUnavailable.
  static Result<std::unique_ptr<FileCoordinator>> open(const std::string& directory,
                                                       std::string node);
  ~FileCoordinator() override;
  FileCoordinator(const FileCoordinator&) = delete;
  FileCoordinator& operator=(const FileCoordinator&) = delete;

  void campaign(Won won) override;
  void withdraw() override;
  Result<Term> begin_term() override;
  Result<> publish_in_sync(std::vector<std::string> nodes) override;
  void release() override;
  [[nodiscard]] std::optional<Term> current() const override;

 private:
  FileCoordinator(std::string path, std::string node)
      : path_(std::move(path)), node_(std::move(node)) {}
  void wait_for_lock(int descriptor, const Won& won);
  Result<> write(const Term& term) const;

  std::string path_;
  std::string node_;
  int descriptor_ = -1;  // Holds the lock, or waits for it.
  std::optional<Term> term_;
  std::thread waiting_;
  std::atomic<bool> withdrawn_{false};
  std::atomic<bool> has_ended_{false};
};

}  // namespace bascule::ha
