#include "admin/http.h"

#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

bool serves(std::string_view route_method, std::string_view method) {
  return route_method == method || (route_method == "GET" && method == "HEAD");
}

}  // namespace

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
    if (route.path != request.path) {
      continue;
    }
    if (serves(route.method, request.method)) {
      route.handler(request, std::move(respond));
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
