// What this host gives to Bascule: who starts it, open files, the time.

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/timex.h>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/unit_file.h"
#include "xmpp/proto/server_info.h"

namespace bascule::ctl::doctor {
namespace {

/// Fewer do not hold 256 connections over HTTP, the links, the databases and a standby.
constexpr std::uint64_t kFilesMin = 1024;
constexpr Duration kAnswer = std::chrono::seconds{4};
/// XEP-0202 of Prosody counts in seconds.
constexpr Duration kSkewWarn = std::chrono::seconds{2};
constexpr Duration kSkewFail = std::chrono::seconds{60};

std::string seconds_text(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(std::abs(tenths % 10)) + " s";
}

/// The soft limit in /proc/PID/limits; nullopt when it cannot be read.
std::optional<std::uint64_t> files_limit(pid_t pid) {
  std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
  constexpr std::string_view kLine = "Max open files";
  for (std::string line; std::getline(limits, line);) {
    if (line.starts_with(kLine)) {
      std::istringstream rest(line.substr(kLine.size()));
      std::uint64_t soft = 0;
      return rest >> soft ? std::optional(soft) : std::nullopt;
    }
  }
  return std::nullopt;
}

void judge_files(std::uint64_t limit, const std::string& whose, Finding& finding) {
  const std::string seen = whose + " may open " + std::to_string(limit) + " files";
  if (limit < kFilesMin) {
    finding.fail(seen,
                 "raise it to 65536 (LimitNOFILE= in the unit, ulimits of the container): at "
                 "the limit no connection is accepted any more");
  } else {
    finding.ok(seen);
  }
}

void check_server_time(Examination& examination, Finding& finding) {
  Peer* const peer = examination.client();
  if (peer == nullptr) {
    finding.skip("not compared with the server: nobody could log in (see login)");
    return;
  }
  const auto domain = Jid::parse(examination.config().client_address.domain());
  const WallTime before = read_now().wall;
  const auto answer = peer->ask(*domain, proto::time_request(), kAnswer);
  const WallTime after = read_now().wall;
  const auto* told = answer ? std::get_if<proto::UnknownAnswer>(&*answer) : nullptr;
  const auto time =
      told == nullptr ? fail(Errc::kUnavailable, "") : proto::decode_time(told->payload);
  if (!time) {
    finding.skip("the server does not tell its time (module time)");
    return;
  }
  // The server cut off its fraction of a second, and answered somewhere between the two.
  const Duration ahead = before - *time - std::chrono::seconds{1};
  const Duration behind = *time - after;
  const Duration skew = std::max({ahead, behind, Duration::zero()});
  const std::string seen =
      "the clock of the server differs from ours by " +
      std::string(skew == Duration::zero() ? "less than 1 s" : seconds_text(skew) + " or more");
  const std::string action =
      "set both clocks by NTP: certificates, times in logs and those of bridges are compared";
  if (skew > kSkewFail) {
    finding.fail(seen, action);
  } else if (skew > kSkewWarn) {
    finding.warn(seen, action);
  } else {
    finding.ok(seen);
  }
}

}  // namespace

void check_unit(Examination& examination, Finding& finding) {
  const std::string& root = examination.place().root;
  const auto unit = find_unit(root);
  std::error_code error;
  const bool has_systemd = !root.empty() || std::filesystem::exists("/run/systemd/system", error);
  if (!unit) {
    if (has_systemd) {
      finding.warn("systemd runs this host, and there is no unit bascule.service",
                   "install packaging/bascule.service, or see to it that something else starts "
                   "Bascule again within seconds");
    } else {
      finding.skip("systemd does not run this host: bascule --supervise starts itself again");
    }
    return;
  }
  const std::string& config = examination.place().config_file;
  if (unit->exec_start.find(config) == std::string::npos &&
      unit->exec_start.find("%i") == std::string::npos) {
    finding.warn(unit->path + " starts \"" + unit->exec_start + "\", not with " + config,
                 "ask with the --config of the unit, or correct ExecStart=");
  }
  if (unit->restart != "on-failure" && unit->restart != "always") {
    finding.fail(unit->path + " has Restart=" + (unit->restart.empty() ? "no" : unit->restart) +
                     ": after a crash nobody starts it again",
                 "set Restart=on-failure and RestartSec=100ms");
  }
  if (unit->fd_store.empty() || unit->fd_store == "0") {
    finding.warn(unit->path +
                     " has no FileDescriptorStoreMax=: the connection to the server does "
                     "not outlive the process",
                 "set FileDescriptorStoreMax=8 and Type=notify");
  }
  if (!unit->enabled) {
    finding.warn(unit->path + " is not enabled: it does not start with the system",
                 "systemctl enable bascule");
  }
  if (finding.status() == Status::kSkipped) {
    finding.ok(unit->path + " is enabled and restarts it");
  }
}

void check_descriptors(Examination& examination, Finding& finding) {
  if (const auto pid = examination.process()) {
    if (const auto limit = files_limit(*pid)) {
      judge_files(*limit, "the running bascule", finding);
      return;
    }
  }
  const auto unit = find_unit(examination.place().root);
  std::uint64_t limit = 0;
  if (unit && !unit->limit_nofile.empty()) {
    const std::string& text = unit->limit_nofile;
    if (std::from_chars(text.data(), text.data() + text.size(), limit).ec == std::errc()) {
      judge_files(limit, "what " + unit->path + " starts", finding);
      return;
    }
  }
  finding.skip("neither a running bascule that may be looked at, nor a unit that says it");
}

void check_clock(Examination& examination, Finding& finding) {
  check_server_time(examination, finding);
  timex clock{};
  const int state = ::adjtimex(&clock);
  if (state == TIME_ERROR || (clock.status & STA_UNSYNC) != 0) {
    finding.warn(
        "the kernel says that nothing keeps the clock of this host right",
        "run chrony or systemd-timesyncd (in a container or a virtual machine: on its host)");
  } else {
    finding.ok("the clock of this host is kept right");
  }
}

}  // namespace bascule::ctl::doctor
