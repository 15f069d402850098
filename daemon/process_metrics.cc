#include "daemon/process_metrics.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace bascule::daemon {
namespace {

/// Fields of /proc/self/stat as proc(5) numbers them, less 3: the first two, of which the name may
/// hold anything, are cut off.
enum StatField : std::size_t {
  kUserTicks = 11,
  kSystemTicks = 12,
  kThreads = 17,
  kStartTicks = 19,
  kVirtualBytes = 20,
  kResidentPages = 21,
};

std::optional<std::string> read(const char* path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return file.bad() || text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::vector<std::string> stat_fields() {
  const auto text = read("/proc/self/stat");
  const auto end_of_name = text ? text->rfind(") ") : std::string::npos;
  if (end_of_name == std::string::npos) {
    return {};
  }
  std::istringstream rest(text->substr(end_of_name + 2));
  return {std::istream_iterator<std::string>(rest), {}};
}

std::optional<double> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(static_cast<double>(value)) : std::nullopt;
}

/// When the machine was started, seconds since the epoch.
std::optional<double> boot_time() {
  constexpr std::string_view kName = "\nbtime ";
  const auto text = read("/proc/stat");
  const auto at = text ? text->find(kName) : std::string::npos;
  return at == std::string::npos ? std::nullopt
                                 : number(std::string_view(*text).substr(at + kName.size()));
}

/// Without the one that is opened to count them.
std::optional<double> open_descriptors() {
  std::error_code error;
  double count = -1;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++count;
  }
  return error ? std::nullopt : std::optional(count);
}

void add_limit(const char* name, const char* help, int resource, admin::Metrics& metrics) {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0 &&
      limit.rlim_cur != RLIM_INFINITY) {
    metrics.gauge(name, help, limit.rlim_cur);
  }
}

}  // namespace

void add_process(const std::string& version, const std::string& revision, admin::Metrics& metrics) {
  metrics.gauge("bascule_build_info", "Always 1; what was built is in the labels.", 1,
                {{"version", version}, {"revision", revision}});
  const std::vector<std::string> fields = stat_fields();
  const auto field = [&fields](StatField index) {
    return index < fields.size() ? number(fields[index]) : std::nullopt;
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto gauge = [&metrics](const char* name, const char* help, std::optional<double> value) {
    if (value) {
      metrics.gauge(name, help, *value);
    }
  };
  if (const auto user = field(kUserTicks), system = field(kSystemTicks); user && system) {
    metrics.counter("process_cpu_seconds_total", "CPU time of the process, user and system.",
                    (*user + *system) / ticks);
  }
  if (const auto pages = field(kResidentPages)) {
    metrics.gauge("process_resident_memory_bytes", "Memory of the process.",
                  *pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  gauge("process_virtual_memory_bytes", "Address space of the process.", field(kVirtualBytes));
  add_limit("process_virtual_memory_max_bytes", "How much it may have.", RLIMIT_AS, metrics);
  gauge("process_open_fds", "Open file descriptors.", open_descriptors());
  add_limit("process_max_fds", "How many it may have.", RLIMIT_NOFILE, metrics);
  gauge("process_threads", "Threads of the process.", field(kThreads));
  if (const auto started = field(kStartTicks), boot = boot_time(); started && boot) {
    metrics.gauge("process_start_time_seconds", "When it was started, since the Unix epoch.",
                  *boot + *started / ticks);
  }
}

}  // namespace bascule::daemon
