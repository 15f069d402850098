#include "admin/http.h"

#include <algorithm>
#include <charconv>

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

std::string enumerated(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    text.append(text.empty() ? "" : ", ").append(name);
  }
  return text + " exist";
}

/// What stands for the `{}` of a pattern, still encoded; nullopt when the path does not match.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
  const auto hole = pattern.find("{}");
  if (hole == std::string_view::npos) {
    return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  }
  const std::string_view before = pattern.substr(0, hole);
  const std::string_view behind = pattern.substr(hole + 2);
  if (path.size() <= before.size() + behind.size() || path.substr(0, before.size()) != before ||
      path.substr(path.size() - behind.size()) != behind) {
    return std::nullopt;
  }
  const auto segment = path.substr(before.size(), path.size() - before.size() - behind.size());
  return segment.find('/') == std::string_view::npos ? std::optional(segment) : std::nullopt;
}

}  // namespace

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
  return out;
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

void Router::add(std::string_view method, std::string_view path, Handler handler) {
  routes_.push_back({std::string(method), std::string(path), std::move(handler)});
}

void Router::handle(const HttpRequest& request, Respond respond) const {
  std::string allowed;
  for (const Route& route : routes_) {
    const auto segment = match(route.path, request.path);
    if (!segment) {
      continue;
    }
    if (serves(route.method, request.method)) {
      const auto decoded = percent_decoded(*segment);
      if (!decoded) {
        respond(problem(400, "Bad path", "the path is not percent-encoded UTF-8"));
        return;
      }
      HttpRequest matched = request;
      matched.segment = *decoded;
      route.handler(matched, std::move(respond));
      return;
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty()) {
    respond(problem(404, "Not found", "there is nothing at " + request.path));
    return;
  }
  HttpResponse response =
      problem(405, "Method not allowed", request.method + " is not offered at " + request.path);
  response.headers.emplace_back("Allow", allowed);
  respond(std::move(response));
}

}  // namespace bascule::admin
