#include "daemon/store_line.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::daemon {
namespace {

using stats::sqlite::Completion;
using stats::sqlite::Completions;
using stats::sqlite::Store;
using stats::sqlite::TempFolder;

std::vector<focus::Operation> turn() {
  return {focus::op::Note{"x"}};
}

TEST(StoreLineTest, EachPhaseCountsFromOneAndTakesItsOwnAnswersOnly) {
  const TempFolder folder{stats::sqlite::Medium::kMemory};
  Completions done;
  const auto opened = Store::open({.directory = folder / "state"}, done.sink());
  ASSERT_TRUE(opened.has_value());
  StoreLine::Counts counts;
  StoreLine first(*opened->store, counts);
  first.commit(CommitId(1), turn());
  first.commit(CommitId(2), turn());
  first.write(WriteId(1), stats::Batch());
  StoreLine second(*opened->store, counts);
  second.replace(CommitId(1), {});
  second.write(WriteId(1), stats::Batch());
  EXPECT_TRUE(done.wait(CommitId(3)));
  EXPECT_TRUE(done.wait(WriteId(2)));

  EXPECT_FALSE(second.own({CommitId(2), {}}).has_value());
  EXPECT_FALSE(second.own({WriteId(1), {}}).has_value());
  EXPECT_EQ(std::get<CommitId>(second.own({CommitId(3), {}})->id), CommitId(1));
  const auto write = second.own({WriteId(2), fail(Errc::kUnavailable, "full")});
  EXPECT_EQ(std::get<WriteId>(write->id), WriteId(1));
  EXPECT_EQ(write->outcome.error().what, "full");
}

TEST(StoreAnswersTest, ReachThePhaseThatRunsOnItsLoop) {
  StoreAnswers answers;
  const Completion completion{CommitId(7), {}};
  answers.post(completion);  // Nobody is there.
  int taken = 0;
  {
    boost::asio::io_context io{1};
    answers.start(io, [&taken](const Completion& one) {
      EXPECT_EQ(std::get<CommitId>(one.id), CommitId(7));
      ++taken;
    });
    answers.post(completion);
    EXPECT_EQ(taken, 0);
    io.run();
    answers.stop();
    answers.post(completion);
    io.restart();
    io.run();
  }
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace bascule::daemon
