#include "daemon/process_metrics.h"

#include <charconv>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/loop_watch.h"

namespace bascule::daemon {
namespace {

std::map<std::string, double> scrape() {
  admin::Metrics metrics;
  add_process("1.2.3", "abc", metrics);
  std::map<std::string, double> samples;
  std::istringstream text(metrics.take_text());
  for (std::string line; std::getline(text, line);) {
    const auto space = line.rfind(' ');
    if (line.front() != '#') {
      std::istringstream(line.substr(space + 1)) >> samples[line.substr(0, space)];
    }
  }
  return samples;
}

TEST(ProcessMetricsTest, SaysWhatTheKernelSaysOfThisProcess) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto samples = scrape();
  const double cpu = static_cast<double>(before.ru_utime.tv_sec + before.ru_stime.tv_sec);
  EXPECT_GE(samples.at("process_cpu_seconds_total"), cpu - 1);
  EXPECT_GT(samples.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(samples.at("process_virtual_memory_bytes"),
            samples.at("process_resident_memory_bytes"));
  EXPECT_GE(samples.at("process_threads"), 1);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(samples.at("process_start_time_seconds"), now, 600);
}

TEST(ProcessMetricsTest, CountsDescriptors) {
  const double before = scrape().at("process_open_fds");
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  EXPECT_EQ(scrape().at("process_open_fds"), before + 1);
  ::close(file);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(scrape().at("process_max_fds"), static_cast<double>(limit.rlim_cur));
}

TEST(LoopWatchTest, WhatKeepsTheLoopIsSeenInDelaysAndTurns) {
  boost::asio::io_context io{1};
  LoopWatch watch(io);
  watch.start();
  boost::asio::steady_timer timer(io, std::chrono::milliseconds{80});
  timer.async_wait([&watch](boost::system::error_code) {
    const LoopWatch::Turn turn(watch);
    std::this_thread::sleep_for(std::chrono::milliseconds{60});  // What is to be seen.
  });
  while (watch.delays().sum() == Duration::zero()) {
    io.run_one();
  }
  EXPECT_GE(watch.delays().sum(), std::chrono::milliseconds{35});
  EXPECT_GE(watch.turns().sum(), std::chrono::milliseconds{60});
}

}  // namespace
}  // namespace bascule::daemon
