#include "ctl/endpoint.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <unistd.h>

namespace bascule::ctl {
namespace {

constexpr const char* kSocket = "/run/bascule/admin.sock";
constexpr const char* kLoopbackUrl = "http://127.0.0.1:8888";

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}

/// Empty is the same as not set.
std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<Endpoint> parse_authority(Endpoint::Kind kind, std::string_view rest, std::string_view url) {
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  std::string_view port = kind == Endpoint::Kind::kTls ? "443" : "80";
  // An IPv6 address stands in brackets.
  const auto colon = rest.starts_with('[') ? rest.find(':', rest.find(']')) : rest.find(':');
  if (colon != std::string_view::npos) {
    port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.empty() || port.empty() || rest.find('/') != std::string_view::npos ||
      !std::all_of(rest.begin(), rest.end(), is_visible) ||
      port.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(Errc::kInvalidArgument,
                "'" + std::string(url) + "' is no URL like http://127.0.0.1:8888");
  }
  return Endpoint{.kind = kind, .host = std::string(rest), .port = std::string(port)};
}

}  // namespace

std::string Endpoint::to_string() const {
  switch (kind) {
    case Kind::kUnix:
      return "unix:" + host;
    case Kind::kTls:
      return "https://" + host_field();
    case Kind::kPlain:
      break;
  }
  return "http://" + host_field();
}

std::string Endpoint::host_field() const {
  if (kind == Kind::kUnix) {
    return "localhost";
  }
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

bool Endpoint::is_private() const {
  return kind != Kind::kPlain || host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  constexpr std::string_view kUnix = "unix:/";
  if (url.starts_with(kPlain)) {
    return parse_authority(Endpoint::Kind::kPlain, url.substr(kPlain.size()), url);
  }
  if (url.starts_with(kTls)) {
    return parse_authority(Endpoint::Kind::kTls, url.substr(kTls.size()), url);
  }
  if (url.starts_with(kUnix)) {
    return Endpoint{.kind = Endpoint::Kind::kUnix,
                    .host = std::string(url.substr(kUnix.size() - 1)),
                    .port = {}};
  }
  return fail(Errc::kInvalidArgument, "'" + std::string(url) +
                                          "' is no URL like http://127.0.0.1:8888, "
                                          "https://focus.example:8443 or unix:" +
                                          kSocket);
}

std::string default_url() {
  if (std::string url = from_environment("BASCULE_URL"); !url.empty()) {
    return url;
  }
  return ::access(kSocket, R_OK | W_OK) == 0 ? std::string("unix:") + kSocket : kLoopbackUrl;
}

Result<std::optional<std::string>> read_token(const std::string& file) {
  std::string token = file.empty() ? from_environment("BASCULE_TOKEN") : std::string();
  const std::string origin = file.empty() ? "BASCULE_TOKEN" : file;
  if (!file.empty()) {
    errno = 0;
    std::ifstream stream(file);
    if (!stream || !std::getline(stream, token)) {
      return fail(Errc::kInvalidArgument,
                  file + ": " +
                      (errno == 0 ? std::string("holds no token")
                                  : "cannot be read: " + std::generic_category().message(errno)));
    }
  }
  while (!token.empty() && !is_visible(token.back())) {
    token.pop_back();
  }
  if (token.empty()) {
    return file.empty() ? Result<std::optional<std::string>>(std::nullopt)
                        : fail(Errc::kInvalidArgument, file + ": holds no token");
  }
  if (!std::all_of(token.begin(), token.end(), is_visible)) {
    return fail(Errc::kInvalidArgument, origin +
                                            ": a token has neither blanks nor other letters "
                                            "than ASCII; its first line is the token");
  }
  return std::optional(std::move(token));
}

}  // namespace bascule::ctl
