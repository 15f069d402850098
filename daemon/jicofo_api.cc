#include "daemon/jicofo_api.h"

#include <fstream>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/clock.h"

namespace bascule::daemon {
namespace {

/// Of this process; 0 when the kernel does not say.
std::uint64_t thread_count() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t count = 0;
    if (word == "Threads:" && status >> count) {
      return count;
    }
  }
  return 0;
}

}  // namespace

void add_jicofo_api(admin::Router& router, const config::Admin& config, JicofoApiSources sources) {
  if (!config.jicofo_routes) {
    return;
  }
  const auto focus = [&focus = sources.focus]() -> const focus::Focus& { return focus; };
  admin::add_jicofo_routes(
      router, {.focus = focus,
               .now = read_clocks,
               .health = std::move(sources.health),
               .threads = thread_count,
               .later = [&io = sources.io, alive = sources.alive](std::function<void()> work) {
                 boost::asio::post(io, [alive, work = std::move(work)] {
                   if (!alive.expired()) {
                     work();
                   }
                 });
               }});
  admin::add_jicofo_order_routes(router, {.focus = focus,
                                          .now = read_clocks,
                                          .order = std::move(sources.order),
                                          .get_moves = config.jicofo_get_moves});
}

}  // namespace bascule::daemon
