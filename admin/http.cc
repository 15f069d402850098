#include "admin/http.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/nowide/utf/utf.hpp>
#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

bool serves(std::string_view route_method, std::string_view method) {
  return route_method == method || (route_method == "GET" && method == "HEAD");
}

std::optional<unsigned> hex_digit(char c) {
  unsigned value = 0;
  const auto read = std::from_chars(&c, &c + 1, value, 16);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoles = {{
    {Role::kPublic, "public"},
    {Role::kRead, "read"},
    {Role::kOperate, "operate"},
    {Role::kAdmin, "admin"},
}};

bool is_utf8(std::string_view text) {
  namespace utf = boost::nowide::utf;
  for (auto at = text.begin(); at != text.end();) {
    if (!utf::is_valid_codepoint(utf::utf_traits<char>::decode(at, text.end()))) {
      return false;
    }
  }
  return true;
}

std::string enumerated(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    text.append(text.empty() ? "" : ", ").append(name);
  }
  return text + " exist";
}

/// The first segment of a path, which is taken off it; paths begin with '/'.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

/// What stands for each `{}` of a pattern, still encoded; nullopt when the path does not match.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view path) {
  std::vector<std::string_view> holes;
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    const std::string_view expected = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (expected == "{}" && !given.empty()) {
      holes.push_back(given);
    } else if (expected != given) {
      return std::nullopt;
    }
  }
  return pattern.empty() && path.empty() ? std::optional(std::move(holes)) : std::nullopt;
}

/// False when a segment is not percent-encoded UTF-8.
bool fill_segments(HttpRequest& request, const std::vector<std::string_view>& encoded) {
  for (const std::string_view segment : encoded) {
    auto decoded = percent_decoded(segment);
    if (!decoded) {
      return false;
    }
    request.segments.push_back(*std::move(decoded));
  }
  if (!request.segments.empty()) {
    request.segment = request.segments.front();
  }
  return true;
}

void allow(std::string& allowed, std::string_view method) {
  allowed.append(allowed.empty() ? "" : ", ").append(method);
  if (method == "GET") {
    allowed += ", HEAD";
  }
}

}  // namespace

std::string_view name_of(Role role) {
  return kRoles.at(static_cast<std::size_t>(role)).second;
}

std::optional<Role> role_named(std::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (known == name) {
      return role;
    }
  }
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return std::nullopt;
    }
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return is_utf8(out) ? std::optional(std::move(out)) : std::nullopt;
}

tl::expected<Query, std::string> parse_query(std::string_view text,
                                             std::initializer_list<std::string_view> names) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value = percent_decoded(equals == std::string_view::npos ? std::string_view()
                                                                        : pair.substr(equals + 1));
    if (!name || !value) {
      return tl::make_unexpected("a parameter is not percent-encoded UTF-8");
    }
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      return tl::make_unexpected("there is no parameter " + *name + "; " + enumerated(names));
    }
    if (!query.emplace(*name, *value).second) {
      return tl::make_unexpected(*name + " is given twice");
    }
  }
  return query;
}

HttpResponse problem(unsigned status, std::string_view title, std::string_view detail) {
  const nlohmann::json body = {
      {"type", "about:blank"}, {"status", status}, {"title", title}, {"detail", detail}};
  // The detail may quote the request: bytes that are not UTF-8 are replaced, never thrown about.
  return {.status = status,
          .content_type = "application/problem+json",
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
          .headers = {}};
}

void Router::add(std::string_view method, std::string_view path, Role role, Handler handler) {
  routes_.push_back({std::string(method), std::string(path), role, std::move(handler)});
}

void Router::add(std::string_view method, std::string_view path, Handler handler) {
  add(method, path, method == "GET" ? Role::kRead : Role::kOperate, std::move(handler));
}

void Router::handle(HttpRequest request, const Respond& respond, const Gate& gate) const {
  std::string allowed;
  const std::string path = request.path;  // The matches refer to it.
  for (const Route& route : routes_) {
    const auto holes = match(route.path, path);
    if (!holes) {
      continue;
    }
    if (!serves(route.method, request.method)) {
      allow(allowed, route.method);
      continue;
    }
    if (!fill_segments(request, *holes)) {
      respond(problem(400, "Bad path", "the path is not percent-encoded UTF-8"));
      return;
    }
    if (auto refusal = gate ? gate(request, route.role) : std::nullopt) {
      respond(*std::move(refusal));
      return;
    }
    route.handler(request, respond);
    return;
  }
  if (allowed.empty()) {
    respond(problem(404, "Not found", "there is nothing at " + path));
    return;
  }
  HttpResponse response =
      problem(405, "Method not allowed", request.method + " is not offered at " + path);
  response.headers.emplace_back("Allow", allowed);
  respond(std::move(response));
}

}  // namespace bascule::admin
