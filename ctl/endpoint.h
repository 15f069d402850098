#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bascule::ctl {

/// Where a daemon listens.
struct Endpoint {
  enum class Kind { kPlain, kTls, kUnix };
  Kind kind = Kind::kPlain;
  std::string host;  ///< Without brackets. Of a Unix socket: its path.
  std::string port;  ///< Decimal. Of a Unix socket: empty.

  /// As a URL.
  [[nodiscard]] std::string to_string() const;
  /// Value of the Host field.
  [[nodiscard]] std::string host_field() const;
  /// Whether what is said there cannot be heard on a network.
  [[nodiscard]] bool is_private() const;
};

/// `http://HOST[:PORT]`, `https://HOST[:PORT]` or `unix:/PATH`. Errors: kInvalidArgument.
Result<Endpoint> parse_endpoint(std::string_view url);

/// What to ask when nobody says: BASCULE_URL, then the Unix socket of an installed daemon when we
/// may use it, then the TCP port of a daemon with the default configuration.
std::string default_url();

/// The token to show: the first line of `file`; of no file, BASCULE_TOKEN; else none. Never from
/// the command line, which everybody on the machine can read.
/// Errors: kInvalidArgument when the file cannot be read or holds no token.
Result<std::optional<std::string>> read_token(const std::string& file);

}  // namespace bascule::ctl
