#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "focus/commit_sink.h"
#include "focus/tables.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// The store as one phase of a process sees it (daemon/pair.h): commits and writes counted from 1
/// again, and none of the answers that an earlier phase did not wait for.
class StoreLine final : public focus::CommitSink {
 public:
  /// Handed to the store by all phases.
  struct Counts {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;
  };
  /// Both outlive this object.
  StoreLine(stats::sqlite::Store& store, Counts& counts)
      : store_(store), counts_(counts), earlier_(counts) {}

  void commit(CommitId id, std::vector<focus::Operation> operations) override;
  void write(WriteId id, stats::Batch batch) override;
  void replace(CommitId id, focus::Tables tables);

  /// The answer with our number; nullopt: it is for an earlier phase.
  [[nodiscard]] std::optional<stats::sqlite::Completion> own(
      const stats::sqlite::Completion& completion) const;

 private:
  [[nodiscard]] CommitId next(CommitId id);

  stats::sqlite::Store& store_;
  Counts& counts_;
  const Counts earlier_;
};

/// Brings the answers of the store from its thread to the loop of the phase that runs.
class StoreAnswers {
 public:
  using Taker = std::function<void(const stats::sqlite::Completion&)>;
  /// On the store thread.
  void post(const stats::sqlite::Completion& completion);
  /// Both are valid until `stop` returns.
  void start(boost::asio::io_context& io, Taker taker);
  void stop();

 private:
  std::mutex mutex_;
  boost::asio::io_context* io_ = nullptr;
  Taker taker_;
};

}  // namespace bascule::daemon
