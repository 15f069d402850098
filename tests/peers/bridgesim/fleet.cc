#include "tests/peers/bridgesim/fleet.h"

#include <algorithm>
#include <utility>

#include "tests/peers/common/control.h"

namespace bascule::peers {
namespace {

constexpr Milliseconds kTick{100};
constexpr std::chrono::seconds kReport{1};

}  // namespace

Fleet::Fleet(boost::asio::io_context& io, const std::vector<BridgeOptions>& bridges,
             std::vector<ScriptLine> script, EventLog& log)
    : log_(log),
      script_(std::move(script)),
      tick_timer_(io),
      started_(std::chrono::steady_clock::now()),
      next_report_(started_) {
  for (const BridgeOptions& options : bridges) {
    bridges_.push_back(std::make_unique<Bridge>(io, options, log));
  }
}

void Fleet::start() {
  for (const auto& bridge : bridges_) {
    bridge->start();
  }
  tick();
}

void Fleet::stop() {
  tick_timer_.stop();
  for (const auto& bridge : bridges_) {
    bridge->stop();
  }
}

void Fleet::tick() {
  tick_timer_.start(kTick, [this] { tick(); });
  run_script();
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < next_report_) {
    return;
  }
  next_report_ += kReport;
  for (const auto& bridge : bridges_) {
    log_.write("bridge", bridge->second());
  }
}

void Fleet::run_script() {
  std::vector<ScriptLine> now_due;
  std::erase_if(script_, [this, &now_due](const ScriptLine& line) {
    if (!due(line)) {
      return false;
    }
    now_due.push_back(line);
    return true;
  });
  for (const ScriptLine& line : now_due) {
    apply(line);
  }
}

bool Fleet::due(const ScriptLine& line) const {
  const double threshold = line.trigger.threshold;
  if (line.trigger.kind == FaultTrigger::Kind::kTime) {
    const auto elapsed = std::chrono::steady_clock::now() - started_;
    return std::chrono::duration<double>(elapsed).count() >= threshold;
  }
  return std::any_of(bridges_.begin(), bridges_.end(), [&line, threshold](const auto& bridge) {
    if (line.bridge != 0 && line.bridge != bridge->id()) {
      return false;
    }
    switch (line.trigger.kind) {
      case FaultTrigger::Kind::kEndpoints:
        return bridge->colibri().endpoint_count() >= threshold;
      case FaultTrigger::Kind::kRequests:
        return static_cast<double>(bridge->requests()) >= threshold;
      default:
        return bridge->true_stress() >= threshold;
    }
  });
}

void Fleet::apply(const ScriptLine& line) {
  for (const auto& bridge : bridges_) {
    if (line.bridge == 0 || line.bridge == bridge->id()) {
      bridge->apply(line.action);
    }
  }
}

void Fleet::command(const std::string& line) {
  if (line == "status") {
    answer(Json{
        {"answer", "status"}, {"violations", log_.violations()}, {"bridges", all(&Bridge::status)}}
               .dump());
  } else if (line == "endpoints") {
    answer(Json{{"answer", "endpoints"}, {"bridges", all(&Bridge::endpoints)}}.dump());
  } else if (line == "expect-empty") {
    for (const auto& bridge : bridges_) {
      if (!bridge->colibri().conferences().empty()) {
        log_.violation("bridge " + std::to_string(bridge->id()),
                       std::to_string(bridge->colibri().conferences().size()) +
                           " conferences were never expired");
      }
    }
    answer(Json{{"answer", "expect-empty"}, {"violations", log_.violations()}}.dump());
  } else if (const Result<ScriptLine> parsed = parse_command(line)) {
    apply(*parsed);
    answer(Json{{"answer", "done"}}.dump());
  } else {
    answer(Json{{"answer", "error"}, {"text", parsed.error().what}}.dump());
  }
}

Json Fleet::summary() const {
  return {
      {"answer", "summary"}, {"violations", log_.violations()}, {"bridges", all(&Bridge::status)}};
}

Json Fleet::all(Json (Bridge::*describe)() const) const {
  Json list = Json::array();
  for (const auto& bridge : bridges_) {
    list.push_back(((*bridge).*describe)());
  }
  return list;
}

}  // namespace bascule::peers
