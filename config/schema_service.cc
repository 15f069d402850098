// The sections [limits], [admin], [state], [ha], [service] and [log].

#include "config/schema.h"

namespace bascule::config {
namespace {

constexpr Duration kOff{};
constexpr Duration kYear = std::chrono::hours{365 * 24};
constexpr IntegerRange kMany{.min = 1, .max = 1'000'000};

bool is_address(std::string_view value) {
  return value.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

bool is_absolute(std::string_view value) {
  return value.front() == '/';
}

/// sockaddr_un has room for 107 bytes, and the server makes the socket under another name first.
bool is_socket_path(std::string_view value) {
  constexpr std::size_t kPathMax = 100;
  return is_absolute(value) && value.size() <= kPathMax && value.back() != '/';
}

bool is_host_name(std::string_view value) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  return !value.empty() && value.find_first_not_of(kLetters) == std::string_view::npos;
}

/// As browsers send it (RFC 6454 6.2): without a path, not even "/".
bool is_origin(std::string_view value) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (value.starts_with(scheme)) {
      value.remove_prefix(scheme.size());
      const auto colon = value.find(':');
      return is_host_name(value.substr(0, colon)) &&
             (colon == std::string_view::npos ||
              (colon + 1 < value.size() &&
               value.find_first_not_of("0123456789", colon + 1) == std::string_view::npos));
    }
  }
  return value == "*";
}

bool is_node_name(std::string_view value) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return value.size() <= 32 && value.find_first_not_of(kLetters) == std::string_view::npos;
}

void add_admin_keys(std::vector<Key>& table) {
  table.push_back({"admin.address",
                   text(BASCULE_CONFIG_AT(admin.address), Empty::kForbidden, "a numeric IP address",
                        is_address),
                   "",
                   "HTTP: health, metrics, conference requests, and what operators do. Others than "
                   "127.0.0.1 and ::1\nneed tls-certificate, tls-key and tokens-file.",
                   ""});
  table.push_back({"admin.port", integer(BASCULE_CONFIG_AT(admin.port), {1, 65535}), "", "", ""});
  table.push_back({"admin.metrics-bridges-max",
                   integer(BASCULE_CONFIG_AT(admin.metrics_bridges_max), {0, 10'000}), "",
                   "Bridges with metrics of their own; of more those with the most participants.",
                   ""});
  const auto path = [&table](std::string key, auto at, const std::string& help) {
    table.push_back(
        {std::move(key), text(at, Empty::kAllowed, "an absolute path", is_absolute), "", help, ""});
  };
  table.push_back({"admin.unix-socket",
                   text(BASCULE_CONFIG_AT(admin.unix_socket), Empty::kAllowed,
                        "an absolute path of at most 100 bytes", is_socket_path),
                   "",
                   "The same over a socket file, mode 0660: its group may do everything, without a "
                   "token.\nDefault under systemd: admin.sock in the unit's RuntimeDirectory.",
                   ""});
  path("admin.tls-certificate", BASCULE_CONFIG_AT(admin.tls_certificate),
       "Certificate chain in PEM; read again at SIGHUP.");
  path("admin.tls-key", BASCULE_CONFIG_AT(admin.tls_key),
       "Its key, not readable by others; read again at SIGHUP.");
  path("admin.tokens-file", BASCULE_CONFIG_AT(admin.tokens_file),
       "Who may do what: lines made by `basculectl token NAME ROLE`; not readable by others, read "
       "again at SIGHUP.\nEmpty: everybody on this host may do everything.");
  table.push_back(
      {"admin.trusted-hosts",
       list(BASCULE_CONFIG_AT(admin.trusted_hosts), "host names in lower case", is_host_name), "",
       "Names under which a proxy asks; others than localhost and IP addresses are "
       "refused on loopback,\nso that no web page gets at it by a DNS trick.",
       ""});
  table.push_back({"admin.conference-request-origins",
                   list(BASCULE_CONFIG_AT(admin.conference_request_origins),
                        "origins like \"https://meet.example.com\", or \"*\"", is_origin),
                   "",
                   "Pages of other hosts that may ask for conferences by HTTP (CORS); not needed "
                   "behind the web "
                   "server of Jitsi Meet.",
                   ""});
  table.push_back({"admin.jicofo-routes", boolean(BASCULE_CONFIG_AT(admin.jicofo_routes)), "",
                   "Serve what tools for Jicofo read: /stats, /rtcstats, /debug, /pin, "
                   "/move-endpoints,\n/metrics/jicofo.",
                   ""});
  table.push_back({"admin.jicofo-get-moves", boolean(BASCULE_CONFIG_AT(admin.jicofo_get_moves)), "",
                   "Take orders under /move-endpoints also as GET, as Jicofo does: whoever follows "
                   "a link\nmoves people. POST works in any case.",
                   ""});
}

void add_ha_keys(std::vector<Key>& table) {
  table.push_back({"ha.coordinator",
                   choice(BASCULE_CONFIG_AT(ha.coordinator),
                          std::vector<std::pair<std::string, HaCoordinator>>{
                              {"none", HaCoordinator::kNone}, {"file", HaCoordinator::kFile}}),
                   "",
                   "\"file\": two processes on this host, one of them active; each has a file like "
                   "this of its own,\nwith another ha.node, state.dir and admin.port.",
                   ""});
  table.push_back(
      {"ha.shared",
       text(BASCULE_CONFIG_AT(ha.shared), Empty::kForbidden, "an absolute path", is_absolute), "",
       "Folder that both use, mode 0700, on a local disk.", ""});
  table.push_back({"ha.node",
                   text(BASCULE_CONFIG_AT(ha.node), Empty::kAllowed,
                        "1 to 32 of the letters a-z, digits and '-'", is_node_name),
                   "", "Name of this process, for example a; the other one has another name.", ""});
  table.push_back({"ha.heartbeat-timeout",
                   duration(BASCULE_CONFIG_AT(ha.heartbeat_timeout),
                            {std::chrono::seconds{1}, std::chrono::minutes{10}}),
                   "", "An active process that is silent for so long is killed and replaced.", ""});
  table.push_back({"ha.sync-timeout",
                   duration(BASCULE_CONFIG_AT(ha.sync_timeout),
                            {std::chrono::milliseconds{10}, std::chrono::milliseconds{400}}),
                   "", "A standby that does not confirm for so long is not waited for.", ""});
}

void add_life_keys(std::vector<Key>& table) {
  table.push_back({"service.stop",
                   reloadable(BASCULE_CONFIG_AT(life.stop),
                              choice(BASCULE_CONFIG_AT(life.stop),
                                     std::vector<std::pair<std::string, StopPolicy>>{
                                         {"suspend", StopPolicy::kSuspend},
                                         {"leave", StopPolicy::kLeave},
                                         {"leave-when-empty", StopPolicy::kLeaveWhenEmpty}})),
                   "",
                   "What SIGTERM does. \"suspend\": the next process goes on, nobody notices. "
                   "\"leave\": conferences\nare ended now. \"leave-when-empty\": no new ones, and "
                   "the end with the last one.",
                   ""});
  table.push_back({"service.stop-deadline",
                   reloadable(BASCULE_CONFIG_AT(life.stop_deadline),
                              duration(BASCULE_CONFIG_AT(life.stop_deadline),
                                       {std::chrono::seconds{1}, std::chrono::hours{7 * 24}})),
                   "", "Conferences that \"leave-when-empty\" has waited for so long are ended.",
                   ""});
}

void add_log_keys(std::vector<Key>& table) {
  table.push_back({"log.level",
                   reloadable(BASCULE_CONFIG_AT(log.level),
                              choice(BASCULE_CONFIG_AT(log.level),
                                     std::vector<std::pair<std::string, focus::NoteLevel>>{
                                         {"debug", focus::NoteLevel::kDebug},
                                         {"info", focus::NoteLevel::kInfo},
                                         {"warn", focus::NoteLevel::kWarn},
                                         {"error", focus::NoteLevel::kError}})),
                   "", "", ""});
  table.push_back({"log.format",
                   reloadable(BASCULE_CONFIG_AT(log.format),
                              choice(BASCULE_CONFIG_AT(log.format),
                                     std::vector<std::pair<std::string, LogFormat>>{
                                         {"text", LogFormat::kText},
                                         {"logfmt", LogFormat::kLogfmt},
                                         {"json", LogFormat::kJson}})),
                   "",
                   "\"text\": time level event key=value; \"logfmt\": key=value only; \"json\": "
                   "one object\nper line.",
                   ""});
  table.push_back(
      {"log.hash-jids",
       reloadable(BASCULE_CONFIG_AT(log.hash_jids), boolean(BASCULE_CONFIG_AT(log.hash_jids))), "",
       "Write rooms, people and addresses as hashes, keyed by a secret of this installation.", ""});
}

}  // namespace

void add_service_keys(std::vector<Key>& table) {
  table.push_back({"limits.conferences",
                   integer(BASCULE_CONFIG_AT(focus.limits.conferences), kMany), "",
                   "Conferences at once.", ""});
  table.push_back({"limits.participants-per-conference",
                   integer(BASCULE_CONFIG_AT(focus.limits.participants_per_conference), kMany), "",
                   "", ""});
  table.push_back({"limits.waiting-requests",
                   integer(BASCULE_CONFIG_AT(focus.limits.waiting_requests), kMany), "",
                   "Conference requests without an answer yet.", ""});
  table.push_back({"limits.outstanding-iqs",
                   integer(BASCULE_CONFIG_AT(focus.limits.outstanding_iqs), kMany), "",
                   "Requests of ours without an answer yet, per link.", ""});
  add_admin_keys(table);
  table.push_back(
      {"state.dir",
       text(BASCULE_CONFIG_AT(state.dir), Empty::kForbidden, "an absolute path", is_absolute), "",
       "Folder of the databases; must be writable.", ""});
  table.push_back(
      {"state.verify-interval",
       reloadable(BASCULE_CONFIG_AT(state.verify_interval),
                  duration(BASCULE_CONFIG_AT(state.verify_interval), {kOff, kYear})),
       "",
       "Every page and record of the databases is read, beside their use, and damage is "
       "repaired. 0 s: only when asked.",
       ""});
  table.push_back({"state.backup-interval",
                   reloadable(BASCULE_CONFIG_AT(state.backup_interval),
                              duration(BASCULE_CONFIG_AT(state.backup_interval), {kOff, kYear})),
                   "", "Verified copies of the databases. 0 s: only when asked.", ""});
  table.push_back({"state.backup-dir",
                   reloadable(BASCULE_CONFIG_AT(state.backup_dir),
                              text(BASCULE_CONFIG_AT(state.backup_dir), Empty::kAllowed,
                                   "an absolute path", is_absolute)),
                   "", "Where to; another disk is better. Empty: backup in state.dir.", ""});
  table.push_back({"state.backups-kept",
                   reloadable(BASCULE_CONFIG_AT(state.backups_kept),
                              integer(BASCULE_CONFIG_AT(state.backups_kept), {1, 1000})),
                   "", "Older ones made on schedule are removed.", ""});
  table.push_back({"state.history-rows",
                   integer(BASCULE_CONFIG_AT(state.history_rows), {1'000, 100'000'000}), "",
                   "Reports of bridges kept, about 450 bytes each.", ""});
  table.push_back({"state.history-minutes",
                   integer(BASCULE_CONFIG_AT(state.history_minutes), {1'000, 100'000'000}), "",
                   "Removed reports live on as sums per bridge and minute, 90 days at most; about "
                   "150 bytes each.",
                   ""});
  table.push_back({"state.history-age",
                   duration(BASCULE_CONFIG_AT(state.history_age), {std::chrono::hours{1}, kYear}),
                   "", "Older reports are removed.", ""});
  add_ha_keys(table);
  add_life_keys(table);
  add_log_keys(table);
}

}  // namespace bascule::config
