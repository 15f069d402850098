#include "ctl/doctor/unit_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

namespace bascule::ctl::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFolders = {"/etc/systemd/system", "/run/systemd/system",
                                 "/usr/lib/systemd/system", "/lib/systemd/system"};
constexpr std::array kNames = {"bascule.service", "bascule@.service"};

void read_into(std::map<std::string, std::string>& values, const fs::path& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && line.front() != '#' && line.front() != ';') {
      values[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
}

/// Files of `bascule.service.d`, by name as systemd applies them.
std::vector<fs::path> drop_ins(const std::string& root, const std::string& name) {
  std::vector<fs::path> found;
  for (const char* folder : kFolders) {
    std::error_code error;
    for (fs::directory_iterator entry(root + folder + "/" + name + ".d", error), end;
         !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".conf") {
        found.push_back(entry->path());
      }
    }
  }
  std::sort(found.begin(), found.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  return found;
}

bool is_enabled(const std::string& root, const std::string& name) {
  const std::string stem = name.substr(0, name.find('.'));  // An instance: bascule@a.service.
  for (const char* folder : kFolders) {
    std::error_code error;
    for (fs::directory_iterator entry(root + folder + "/multi-user.target.wants", error), end;
         !error && entry != end; entry.increment(error)) {
      const std::string wanted = entry->path().filename().string();
      if (wanted.starts_with(stem) && wanted.ends_with(".service") &&
          (stem.back() == '@' || wanted == name)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::optional<UnitFile> find_unit(const std::string& root) {
  for (const std::string name : kNames) {
    for (const char* folder : kFolders) {
      const fs::path path = root + folder + "/" + name;
      std::error_code error;
      if (!fs::is_regular_file(path, error)) {
        continue;
      }
      std::map<std::string, std::string> values;
      read_into(values, path);
      for (const fs::path& more : drop_ins(root, name)) {
        read_into(values, more);
      }
      return UnitFile{.path = path.string(),
                      .exec_start = values["ExecStart"],
                      .restart = values["Restart"],
                      .user = values["User"],
                      .type = values["Type"],
                      .limit_nofile = values["LimitNOFILE"],
                      .fd_store = values["FileDescriptorStoreMax"],
                      .watchdog = values["WatchdogSec"],
                      .enabled = is_enabled(root, name)};
    }
  }
  return std::nullopt;
}

}  // namespace bascule::ctl::doctor
