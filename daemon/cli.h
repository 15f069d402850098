#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace bascule::daemon {

struct Arguments {
  std::string config = "/etc/bascule/bascule.toml";
  bool check_config = false;
  bool print_config = false;
  bool supervise = false;
  bool health = false;
  std::string log_hash;
};

/// The command line of bascule; its manual page is made from it, too. `arguments` must outlive it.
std::unique_ptr<CLI::App> make_cli(Arguments& arguments);

}  // namespace bascule::daemon
