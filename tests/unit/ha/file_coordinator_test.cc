#include "ha/local/file_coordinator.h"

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bascule::ha {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "bascule-lock-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return (path_ / "ha").string(); }

 private:
  fs::path path_;
};

/// Campaigns, and remembers what came of it.
class Candidate {
 public:
  Candidate(const Folder& folder, const std::string& node)
      : coordinator(FileCoordinator::open(folder.path(), node).value()) {}

  void campaign() {
    won_ = false;
    coordinator->campaign([this](Result<std::optional<Term>> outcome) {
      const std::lock_guard guard(mutex_);
      won_ = true;
      outcome_ = std::move(outcome);
      changed_.notify_all();
    });
  }
  bool wins_within(milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return won_; });
  }
  std::optional<Term> before() {
    const std::lock_guard guard(mutex_);
    return outcome_.value();
  }

  std::unique_ptr<FileCoordinator> coordinator;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool won_ = false;
  Result<std::optional<Term>> outcome_;
};

constexpr milliseconds kSoon = seconds{10};
constexpr milliseconds kNotYet{50};

TEST(FileCoordinator, TheFirstLeadsAndTheSecondWaits) {
  const Folder folder;
  Candidate first(folder, "a");
  Candidate second(folder, "b");
  first.campaign();
  ASSERT_TRUE(first.wins_within(kSoon));
  EXPECT_EQ(first.before(), std::nullopt);
  EXPECT_EQ(first.coordinator->begin_term()->epoch, 1U);
  second.campaign();
  EXPECT_FALSE(second.wins_within(kNotYet));
  ASSERT_TRUE(first.coordinator->publish_in_sync({"b", "c"}));
  EXPECT_EQ(second.coordinator->current(), first.coordinator->current());
  first.coordinator->withdraw();
  first.coordinator->release();
  ASSERT_TRUE(second.wins_within(kSoon));
  EXPECT_EQ(second.before()->node, "a");
  EXPECT_EQ(second.before()->pid, getpid());
  EXPECT_THAT(second.before()->in_sync, ElementsAre("b", "c"));
  const auto term = second.coordinator->begin_term();
  EXPECT_EQ(term->epoch, 2U);
  EXPECT_EQ(second.coordinator->current(), *term) << "nothing of the longer line is left";
}

TEST(FileCoordinator, WhoLetsGoWithoutATermLeavesTheOldOne) {
  const Folder folder;
  Candidate first(folder, "a");
  first.campaign();
  ASSERT_TRUE(first.wins_within(kSoon));
  ASSERT_TRUE(first.coordinator->begin_term());
  first.coordinator->release();
  Candidate second(folder, "b");
  for (int round = 0; round < 20; ++round) {
    second.campaign();
    ASSERT_TRUE(second.wins_within(kSoon));
    EXPECT_EQ(second.before()->node, "a");
    second.coordinator->withdraw();
    second.coordinator->release();
  }
}

TEST(FileCoordinator, WithdrawingEndsTheWait) {
  const Folder folder;
  Candidate first(folder, "a");
  first.campaign();
  ASSERT_TRUE(first.wins_within(kSoon));
  Candidate second(folder, "b");
  for (int round = 0; round < 50; ++round) {
    second.campaign();
    second.coordinator->withdraw();
    second.coordinator->release();
  }
  first.coordinator->withdraw();
  first.coordinator->release();
  EXPECT_FALSE(second.wins_within(kNotYet));
  second.campaign();
  EXPECT_TRUE(second.wins_within(kSoon));
}

/// A process that leads, and writes a byte when it does.
pid_t spawn_leader(const Folder& folder) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    Candidate leader(folder, "child");
    leader.campaign();
    const bool led = leader.wins_within(kSoon) && leader.coordinator->begin_term();
    if (!led || write(pipe_ends[1], "!", 1) != 1) {
      _exit(1);
    }
    pause();
    _exit(0);
  }
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return child;
}

TEST(FileCoordinator, AKilledLeaderIsReplacedAtOnce) {
  const Folder folder;
  milliseconds longest{0};
  for (std::uint64_t round = 1; round <= 5; ++round) {
    const pid_t child = spawn_leader(folder);
    Candidate heir(folder, "heir");
    heir.campaign();
    EXPECT_FALSE(heir.wins_within(kNotYet));
    const auto begin = SteadyClock::now();
    kill(child, SIGKILL);
    ASSERT_TRUE(heir.wins_within(kSoon));
    longest =
        std::max(longest, std::chrono::duration_cast<milliseconds>(SteadyClock::now() - begin));
    waitpid(child, nullptr, 0);
    EXPECT_EQ(heir.before()->epoch, round);
    EXPECT_EQ(heir.before()->pid, child);
  }
  std::printf("[ MEASURED ] from the kill to the lock, the longest of 5: %lld ms\n",
              static_cast<long long>(longest.count()));
}

TEST(FileCoordinator, ATermThatMakesNoSenseIsNone) {
  const Folder folder;
  Candidate first(folder, "a");
  for (const char* text :
       {"", "garbage", "epoch=x node=a pid=1 in-sync=\n", "epoch=7 node=a pid=1"}) {
    std::ofstream(folder.path() + "/leader.lock") << text;
    EXPECT_EQ(first.coordinator->current(), std::nullopt) << text;
    first.campaign();
    ASSERT_TRUE(first.wins_within(kSoon));
    EXPECT_EQ(first.before(), std::nullopt) << text;
    EXPECT_EQ(first.coordinator->begin_term()->epoch, 1U);
    first.coordinator->withdraw();
    first.coordinator->release();
  }
}

TEST(FileCoordinator, TheFolderMustBeOurs) {
  const Folder folder;
  ASSERT_TRUE(FileCoordinator::open(folder.path(), "a"));
  fs::permissions(folder.path(), fs::perms::group_read, fs::perm_options::add);
  const auto open = FileCoordinator::open(folder.path(), "a");
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(open.error().what, HasSubstr("0700"));
  const auto file = FileCoordinator::open(folder.path() + "/leader.lock/x", "a");
  EXPECT_FALSE(file.has_value());
}

}  // namespace
}  // namespace bascule::ha
