#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <unistd.h>

#include "stats/sqlite/store.h"
#include "tests/unit/focus/random_operations.h"

namespace bascule::stats::sqlite {

/// Where a temporary folder lies. Memory is for tests in which fsync does not matter.
enum class Medium { kDisk, kMemory };

/// A folder of its own, removed at the end.
class TempFolder {
 public:
  explicit TempFolder(Medium medium = Medium::kDisk) {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = medium == Medium::kMemory && access(memory.c_str(), W_OK) == 0;
    const auto parent = in_memory ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "bascule-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code error;
    if (!kept_) {
      std::filesystem::remove_all(path_, error);
    }
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string path() const { return path_; }
  /// Not removed after all: somebody wants to look at it.
  std::string keep() {
    kept_ = true;
    return path_;
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  bool kept_ = false;
};

/// Collects completions; `wait` returns the outcome of one.
class Completions {
 public:
  std::function<void(const Completion&)> sink() {
    return [this](const Completion& completion) {
      const std::lock_guard guard(mutex_);
      if (const auto* id = std::get_if<CommitId>(&completion.id)) {
        commits_.emplace(id->value(), completion.outcome);
        order_.push_back(id->value());
      } else {
        writes_.emplace(std::get<WriteId>(completion.id).value(), completion.outcome);
      }
      arrived_.notify_all();
    };
  }
  Result<> wait(CommitId id) { return wait_in(commits_, id.value()); }
  Result<> wait(WriteId id) { return wait_in(writes_, id.value()); }
  std::vector<std::uint64_t> order() {
    const std::lock_guard guard(mutex_);
    return order_;
  }

 private:
  Result<> wait_in(std::map<std::uint64_t, Result<>>& from, std::uint64_t id) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds{20}, [&] { return from.count(id) == 1; })) {
      return fail(Errc::kTimeout, "no completion for " + std::to_string(id));
    }
    return from.at(id);
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::uint64_t, Result<>> commits_;
  std::map<std::uint64_t, Result<>> writes_;
  std::vector<std::uint64_t> order_;
};

/// Turn `number` of a stream of turns that everybody can compute. Its number is in the tables
/// afterwards (the `h` of the service link), so that a reader can tell how far the stream came.
inline std::vector<focus::Operation> numbered_turn(std::uint64_t number) {
  focus::RandomOperations random(number);
  std::vector<focus::Operation> turn;
  for (std::uint64_t left = 1 + number % 7; left > 0;) {
    focus::Operation operation = random.next();
    if (!std::holds_alternative<focus::op::LinkSet>(operation) &&
        !std::holds_alternative<focus::op::InboundHandled>(operation) &&
        !std::holds_alternative<focus::op::Started>(operation)) {
      turn.push_back(std::move(operation));
      --left;
    }
  }
  turn.emplace_back(focus::op::LinkSet{.stream = StreamId::kService,
                                       .bare = Jid::parse("bascule.example.net").value(),
                                       .resume_id = "x"});
  turn.emplace_back(focus::op::InboundHandled{.stream = StreamId::kService, .handled = number});
  return turn;
}

inline std::uint64_t last_turn(const focus::Tables& tables) {
  const auto link = tables.links.find(StreamId::kService);
  return link == tables.links.end() ? 0 : link->second.handled;
}

/// What the first `turns` turns add up to in a store that was opened with this boot id.
inline focus::Tables tables_after(std::uint64_t turns, const std::string& boot_id) {
  focus::Tables tables;
  tables.apply(focus::op::Started{.boot_id = boot_id});
  for (std::uint64_t number = 1; number <= turns; ++number) {
    for (const focus::Operation& operation : numbered_turn(number)) {
      tables.apply(operation);
    }
  }
  return tables;
}

inline ReceivedReport numbered_report(std::uint64_t number) {
  ReceivedReport report{.received = Instant(Duration(static_cast<std::int64_t>(number))),
                        .received_wall = WallTime(Duration(5))};
  report.report.bridge = BridgeJid(
      Jid::parse("brewery@internal.example.net/jvb" + std::to_string(number % 3)).value());
  report.report.stress = Stress(250'000);
  report.report.local_endpoints = static_cast<std::int64_t>(number);
  return report;
}

}  // namespace bascule::stats::sqlite
