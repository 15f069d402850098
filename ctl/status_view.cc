#include "ctl/status_view.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "ctl/findings.h"

namespace bascule::ctl {
namespace {

constexpr std::size_t kBarColumns = 20;
/// From here on a bar is yellow: little is left below the limit.
constexpr double kNearLimit = 0.9;
constexpr std::size_t kFindingsShown = 5;

std::string headline(const Json& overview, const std::vector<Finding>& findings,
                     const Style& style) {
  const bool is_bad = !findings.empty() && findings.front().severity == Severity::kBad;
  const std::string dash = style.unicode ? " · " : " - ";
  std::string state = findings.empty() ? "ALL WELL" : is_bad ? "PROBLEM" : "READY, with warnings";
  if (!flag_at(overview, "ready")) {
    state = "NOT READY";
  }
  const std::string rest = dash + "bascule " + text_at(overview, "version", "?") + dash + "up " +
                           duration_text(number_at(overview, "uptime_s") * 1000) + dash +
                           time_text(text_at(overview, "at", ""));
  const Tint tint = findings.empty() ? Tint::kGood : is_bad ? Tint::kBad : Tint::kWarn;
  const std::size_t room = style.columns > width_of(state) ? style.columns - width_of(state) : 0;
  return tinted(style, tint, state) +
         tinted(style, Tint::kDim, style.columns == 0 ? rest : cut(rest, room, style)) + "\n";
}

std::string findings_text(const std::vector<Finding>& findings, const Style& style) {
  std::string text;
  for (std::size_t i = 0; i < std::min(findings.size(), kFindingsShown); ++i) {
    const Finding& finding = findings[i];
    const Tint tint = finding.severity == Severity::kBad ? Tint::kBad : Tint::kWarn;
    text += tinted(style, tint, wrapped("! " + finding.what, 2, style)) + "\n";
    if (!finding.command.empty()) {
      text += std::string(style.unicode ? "  → " : "  > ") +
              tinted(style, Tint::kBold, finding.command) + "\n";
    }
  }
  if (findings.size() > kFindingsShown) {
    text += "! and " + std::to_string(findings.size() - kFindingsShown) +
            " more: basculectl readiness\n";
  }
  return text;
}

std::string queue_text(const Json& overview, const Style& style) {
  const Json& queue = member(overview, "queue");
  const std::int64_t total = count_at(queue, "total");
  std::string text = std::to_string(total) + " waiting";
  if (total > 0) {
    std::string classes;
    for (const auto& [name, waiting] : member(queue, "by_class").items()) {
      if (waiting.is_number() && waiting != 0) {
        classes += (classes.empty() ? " (" : ", ") + printable(name) + " " + waiting.dump();
      }
    }
    text += classes + (classes.empty() ? "" : ")") + ", the first for " +
            duration_text(number_at(queue, "oldest_wait_ms"));
    text = tinted(style, Tint::kWarn, text);
  }
  return text;
}

std::string links_text(const Json& overview, const Style& style) {
  std::string text;
  for (const Json& link : member(overview, "links")) {
    const bool up = flag_at(link, "up");
    text += (text.empty() ? "" : ", ") + text_at(link, "link") + " " +
            tinted(style, up ? Tint::kGood : Tint::kBad, up ? "up" : "DOWN");
  }
  return text.empty() ? "-" : text;
}

std::string stats_text(const Json& overview, const Style& style) {
  const Json& stats = member(overview, "stats");
  const std::int64_t blind = count_at(stats, "blind_bridges");
  const std::string node = text_at(stats, "node");
  const std::string store = text_at(stats, "store");
  const bool node_ok = node == "working" || node == "off" || node == "looking" || node == "-";
  const Json& bridges = member(overview, "bridges");
  const auto fresh = std::count_if(bridges.begin(), bridges.end(), [](const Json& bridge) {
    return text_at(bridge, "state") == "fresh";
  });
  return std::to_string(fresh) + " of " + counted(std::ssize(bridges), "bridge") + " fresh" +
         (blind > 0 ? ", " + tinted(style, Tint::kWarn, std::to_string(blind) + " silent") : "") +
         "; pubsub node " + tinted(style, node_ok ? Tint::kNone : Tint::kWarn, node) + "; store " +
         tinted(style, store == "ok" ? Tint::kNone : Tint::kBad, store);
}

std::string pair_text(const Json& ha, const Style& style) {
  const bool in_sync = flag_at(ha, "in_sync");
  return text_at(ha, "node") + " is " + text_at(ha, "role") + "; " +
         tinted(style, in_sync ? Tint::kGood : Tint::kBad,
                in_sync ? "the other one is in sync" : "NO STANDBY IN SYNC");
}

std::string numbers_text(const Json& overview, const Style& style) {
  const auto line = [&style](const char* name, const std::string& text) {
    return tinted(style, Tint::kDim, name) + text + "\n";
  };
  std::string text = line("queue   ", queue_text(overview, style));
  if (const auto requests = count_at(overview, "waiting_requests"); requests > 0) {
    text +=
        line("asked   ", counted(requests, "request for a conference", "requests for conferences") +
                             " without an answer yet");
  }
  text += line("people  ", counted(count_at(overview, "participants"), "person", "people") +
                               " in " + counted(count_at(overview, "conferences"), "conference") +
                               ", " + counted(count_at(overview, "sessions"), "session"));
  text += line("links   ", links_text(overview, style));
  text += line("stats   ", stats_text(overview, style));
  if (has(overview, "ha")) {
    text += line("pair    ", pair_text(member(overview, "ha"), style));
  }
  return text;
}

/// 0: in trouble, 1: leaving, 2: as it should be.
int rank_of(const Json& bridge) {
  return !trouble_of(bridge).empty() ? 0 : is_leaving(bridge) ? 1 : 2;
}

std::vector<const Json*> by_trouble(const Json& bridges) {
  std::vector<const Json*> sorted;
  for (const Json& bridge : bridges) {
    sorted.push_back(&bridge);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) {
    return std::pair(rank_of(*a), -number_at(*a, "expected")) <
           std::pair(rank_of(*b), -number_at(*b, "expected"));
  });
  return sorted;
}

std::string notes_of(const Json& bridge) {
  std::string notes = trouble_of(bridge);
  const auto add = [&notes](const std::string& what) {
    notes += (notes.empty() ? "" : "; ") + what;
  };
  if (has(bridge, "drain")) {
    const Json& drain = member(bridge, "drain");
    add(std::string(flag_at(drain, "evacuate") ? "evacuating: " : "draining: ") +
        drain_text(drain));
  } else if (is_leaving(bridge)) {
    add("takes nobody new");
  }
  for (const Json& flag : member(bridge, "flags")) {
    if (flag == "standby" || flag == "activated") {
      add(flag.get<std::string>());
    }
  }
  return notes;
}

Tint load_tint(double load, double limit) {
  if (limit <= 0) {
    return Tint::kNone;
  }
  return load > limit + 0.005 ? Tint::kBad : load > limit * kNearLimit ? Tint::kWarn : Tint::kGood;
}

std::vector<Cell> row_of(const Json& bridge, const Style& style) {
  const double load = number_at(bridge, "expected");
  const double limit = number_at(bridge, "limit");
  const int rank = rank_of(bridge);
  const Tint tint = rank == 0 ? Tint::kBad : rank == 1 ? Tint::kWarn : Tint::kNone;
  return {{nick_of(text_at(bridge, "bridge")), tint},
          {bar(load, limit, kBarColumns, style), load_tint(load, limit)},
          {percent(load), load_tint(load, limit)},
          {percent(limit)},
          {text_at(bridge, "participants")},
          {text_at(bridge, "conferences")},
          {has(bridge, "report_age_ms") ? duration_text(number_at(bridge, "report_age_ms")) : "-"},
          {notes_of(bridge), tint}};
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

std::string bridges_text(const Json& bridges, const Style& style, std::size_t rows) {
  if (!bridges.is_array() || bridges.empty()) {
    return tinted(style, Tint::kBad, "no bridge is known") + "\n";
  }
  const auto sorted = by_trouble(bridges);
  const bool all = rows == 0 || sorted.size() <= rows;
  const std::size_t shown = all ? sorted.size() : rows - 1;
  Table table({{"bridge"},
               {"expected load, limit"},
               {"load", Table::Align::kRight},
               {"limit", Table::Align::kRight},
               {"people", Table::Align::kRight},
               {"conf.", Table::Align::kRight},
               {"told", Table::Align::kRight},
               {""}});
  for (std::size_t i = 0; i < shown; ++i) {
    table.add(row_of(*sorted[i], style));
  }
  std::string text = table.text(style);
  if (!all) {
    const auto hidden = sorted.size() - shown;
    const bool troubled = rank_of(*sorted[shown]) == 0;
    text += tinted(style, troubled ? Tint::kBad : Tint::kDim,
                   "and " + std::to_string(hidden) + " more" +
                       (troubled ? ", some of them in trouble" : "") + ": basculectl bridges") +
            "\n";
  }
  return text;
}

std::string status_text(const Json& overview, const Style& style, std::size_t rows) {
  const auto findings = findings_in(overview);
  std::string text = headline(overview, findings, style) + findings_text(findings, style) + "\n" +
                     numbers_text(overview, style) + "\n";
  constexpr std::size_t kBridgeRowsMin = 3;
  const std::size_t used = lines_of(text) + 1;  // With the titles of the table.
  const std::size_t left = rows == 0 ? 0 : std::max(kBridgeRowsMin, rows > used ? rows - used : 0);
  return text + bridges_text(member(overview, "bridges"), style, left);
}

}  // namespace bascule::ctl
