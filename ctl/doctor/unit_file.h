#pragma once

#include <optional>
#include <string>

namespace bascule::ctl::doctor {

/// What a systemd unit says of Bascule; of keys that are given twice the last one.
struct UnitFile {
  std::string path;
  std::string exec_start;
  std::string restart;
  std::string user;
  std::string type;
  std::string limit_nofile;
  std::string fd_store;  ///< FileDescriptorStoreMax
  std::string watchdog;  ///< WatchdogSec
  bool enabled = false;  ///< Something wants it at the start of the system.
};

/// `bascule.service`, or an instance of `bascule@.service`, where systemd looks for it, with the
/// files of its `.d` folder. `root`: a prefix of all paths, for images; empty: this system.
std::optional<UnitFile> find_unit(const std::string& root);

}  // namespace bascule::ctl::doctor
