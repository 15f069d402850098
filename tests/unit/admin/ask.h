#pragma once

#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "admin/http.h"

namespace bascule::admin {

/// What a route answers at once; status 0: nothing yet.
inline HttpResponse ask(const Router& router, HttpRequest request) {
  HttpResponse answer{.status = 0, .content_type = {}, .body = {}, .headers = {}};
  router.handle(std::move(request),
                [&answer](HttpResponse response) { answer = std::move(response); });
  return answer;
}

inline HttpRequest get(std::string path, std::string query = {}) {
  HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.query = std::move(query);
  return request;
}

/// The body of an answer, as JSON.
inline nlohmann::json json_of(const HttpResponse& response) {
  return nlohmann::json::parse(response.body);
}

}  // namespace bascule::admin
