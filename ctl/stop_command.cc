#include "ctl/stop_command.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include "ctl/ask.h"
#include "ctl/http_client.h"

namespace bascule::ctl {
namespace {

constexpr std::chrono::milliseconds kFollowInterval{200};

}  // namespace

int stop(const std::string& url, const std::string& mode, bool no_wait) {
  const auto begun = ask_json(url, "POST", "/v1/stop?mode=" + mode);
  if (!begun) {
    return failed(begun.error());
  }
  std::fprintf(stderr, "%s: %s conferences\n", mode.c_str(),
               begun->value("conferences", nlohmann::ordered_json()).dump().c_str());
  const auto client = HttpClient::make(url);
  while (!no_wait && client->ask("GET", "/livez")) {
    std::this_thread::sleep_for(kFollowInterval);
  }
  return kExitOk;
}

}  // namespace bascule::ctl
