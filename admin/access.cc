#include "admin/access.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "admin/origin.h"

namespace bascule::admin {
namespace {

constexpr std::array<std::string_view, kDenials> kNames = {"host", "origin", "unauthenticated",
                                                           "forbidden"};

/// RFC 6750 2.1; the name of the scheme in any case. Empty when it is another scheme.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() < kBearer.size()) {
    return {};
  }
  for (std::size_t i = 0; i < kBearer.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(authorization[i])) != kBearer[i]) {
      return {};
    }
  }
  authorization.remove_prefix(kBearer.size());
  authorization.remove_prefix(std::min(authorization.size(), authorization.find_first_not_of(' ')));
  return authorization;
}

HttpResponse unauthenticated(bool has_token) {
  HttpResponse response =
      problem(401, "Unauthorized",
              has_token ? "the token is not known here; `basculectl token` makes one"
                        : "a token is needed: Authorization: Bearer TOKEN; `basculectl token` "
                          "makes one");
  // RFC 6750 3.1: no error code when no token was sent.
  response.headers.emplace_back(
      "WWW-Authenticate",
      has_token ? "Bearer realm=\"bascule\", error=\"invalid_token\"" : "Bearer realm=\"bascule\"");
  return response;
}

/// Whatever the method: some routes of Jicofo's change things by GET.
bool changes(const HttpRequest& request, Role role) {
  return role >= Role::kOperate || (request.method != "GET" && request.method != "HEAD");
}

}  // namespace

std::string_view name_of(Denial denial) {
  return kNames.at(static_cast<std::size_t>(denial));
}

Result<std::shared_ptr<Access>> Access::open(AccessOptions options) {
  std::shared_ptr<Access> access(new Access(std::move(options)));
  for (const Result<>& loaded : {access->load_tokens(), access->load_tls()}) {
    if (!loaded) {
      return tl::make_unexpected(loaded.error());
    }
  }
  return access;
}

Result<> Access::load_tokens() {
  if (options_.tokens_file.empty()) {
    return {};
  }
  auto tokens = Tokens::load(options_.tokens_file);
  if (!tokens) {
    return tl::make_unexpected(tokens.error());
  }
  tokens_ = *std::move(tokens);
  return {};
}

Result<> Access::load_tls() {
  if (options_.tls_certificate.empty()) {
    return {};
  }
  auto certificate = load_certificate(options_.tls_certificate, options_.tls_key);
  if (!certificate) {
    return tl::make_unexpected(certificate.error());
  }
  tls_ = *std::move(certificate);
  return {};
}

std::vector<Access::Reloaded> Access::reload() {
  std::vector<Reloaded> reloaded;
  if (!options_.tokens_file.empty()) {
    reloaded.push_back({options_.tokens_file, load_tokens()});
  }
  if (!options_.tls_certificate.empty()) {
    reloaded.push_back({options_.tls_certificate, load_tls()});
  }
  return reloaded;
}

std::optional<Principal> Access::principal_of(const Peer& peer, const HttpRequest& request) const {
  const std::string_view token = bearer_token(request.authorization);
  if (tokens_ && (!peer.is_local || !token.empty())) {
    return tokens_->find(token);
  }
  if (peer.is_local) {
    return Principal{.name = peer.address, .role = peer.may_do_all ? Role::kAdmin : Role::kPublic};
  }
  // Another address without tokens does not pass the configuration; nor does it pass here.
  return peer.to_loopback ? std::optional(Principal{.name = "local", .role = Role::kAdmin})
                          : std::nullopt;
}

std::optional<HttpResponse> Access::admit(const Peer& peer, HttpRequest& request, Role role) {
  if (role == Role::kPublic) {
    return std::nullopt;
  }
  if (peer.to_loopback && !is_trusted_host(request.host, options_.trusted_hosts)) {
    return deny(Denial::kHost, peer, request,
                problem(421, "Misdirected request",
                        "the Host header names neither localhost, nor an IP address, nor one of "
                        "admin.trusted-hosts"));
  }
  if (changes(request, role) &&
      ((!request.origin.empty() &&
        !is_own_origin(request.origin, request.host, peer.over_tls, options_.trusted_hosts)) ||
       is_cross_site(request.fetch_site))) {
    return deny(Denial::kOrigin, peer, request,
                problem(403, "Forbidden",
                        "a page of another site asks for a change; admin.trusted-hosts names the "
                        "hosts whose pages may"));
  }
  auto principal = principal_of(peer, request);
  if (!principal) {
    return deny(Denial::kUnauthenticated, peer, request,
                unauthenticated(!bearer_token(request.authorization).empty()));
  }
  request.principal = *std::move(principal);
  if (request.principal.role < role) {
    std::string detail = "this needs the role " + std::string(name_of(role)) + "; ";
    detail += request.principal.name + " has " + std::string(name_of(request.principal.role));
    return deny(Denial::kForbidden, peer, request, problem(403, "Forbidden", detail));
  }
  return std::nullopt;
}

HttpResponse Access::deny(Denial denial, const Peer& peer, const HttpRequest& request,
                          HttpResponse response) {
  ++denied_[static_cast<std::size_t>(denial)];
  if (on_denial_) {
    on_denial_(denial, peer, request);
  }
  return response;
}

}  // namespace bascule::admin
