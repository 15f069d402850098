#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/access_token.h"

namespace bascule::admin {

/// A folder of files that only their owner may use.
class PrivateFiles {
 public:
  PrivateFiles() {
    std::string name = std::filesystem::temp_directory_path() / "bascule-http-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~PrivateFiles() {
    std::error_code ignored;  // What stays behind in /tmp must not hide the test's result.
    std::filesystem::remove_all(folder_, ignored);
  }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    using std::filesystem::perms;
    std::filesystem::permissions(path(name), perms::owner_read | perms::owner_write);
  }

 private:
  std::filesystem::path folder_;
};

inline std::string token_number(unsigned char number) {
  std::array<unsigned char, kTokenEntropyBytes> entropy{};
  entropy.fill(number);
  return make_access_token(entropy);
}

/// As `basculectl token` prints it.
inline std::string line_of(const std::string& name, const std::string& role,
                           const std::string& token) {
  return name + " " + role + " " + stored_form(token) + "\n";
}

}  // namespace bascule::admin
