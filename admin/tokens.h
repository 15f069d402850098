#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/http.h"
#include "base/access_token.h"
#include "base/result.h"

namespace bascule::admin {

/// Who may do what. A line of the file is `NAME ROLE sha256:HEX`, as `basculectl token` prints it;
/// empty lines and lines that begin with '#' say nothing.
class Tokens {
 public:
  /// Errors: kMalformed, with the number of the line.
  static Result<Tokens> parse(std::string_view text);
  /// Errors: as parse; kUnavailable (cannot be read); kRefused when others could read or write it.
  static Result<Tokens> load(const std::string& path);

  /// Takes as long for one that is known as for one that is not.
  [[nodiscard]] std::optional<Principal> find(std::string_view token) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Principal principal;
    TokenDigest digest;
  };
  std::vector<Entry> entries_;
};

/// The content of a small file that only its owner and, for reading, its group may use. Errors:
/// kUnavailable, kRefused; both name the file.
Result<std::string> read_private_file(const std::string& path);

}  // namespace bascule::admin
