#pragma once

#include <string_view>

#include "admin/http.h"

namespace bascule::admin {

/// OpenAPI 3.1: everything that is served, from the files in admin/openapi/. A test compares it
/// with the routes there are.
[[nodiscard]] std::string_view openapi_json();

///   GET /openapi.json   the document; ETag
void add_openapi_route(Router& router);

}  // namespace bascule::admin
