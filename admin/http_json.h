#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "admin/http.h"

namespace bascule::admin {

/// `application/json`; bytes that are not UTF-8 are replaced, never thrown about. `Json`:
/// nlohmann::json or nlohmann::ordered_json.
template <class Json>
HttpResponse json_response(unsigned status, const Json& body) {
  return {.status = status,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          .headers = {}};
}

/// The body of a request, which must be one JSON object, not nested deeper than 32. The error is
/// the answer: 415 when the content type is another (none counts as JSON), 400 with the position of
/// what is wrong.
tl::expected<nlohmann::json, HttpResponse> json_object_body(const HttpRequest& request);

/// Strong entity tag of a body (RFC 9110 8.8.3), quotes included.
std::string etag_of(std::string_view body);

/// Adds the entity tag of the body; when the client has that already (If-None-Match, GET and HEAD)
/// the answer becomes 304 without a body. Clients may keep such answers and ask again.
HttpResponse with_etag(const HttpRequest& request, HttpResponse response);

/// For a change of something whose present entity tag is `etag`: 412 when If-Match names others.
std::optional<HttpResponse> failed_precondition(const HttpRequest& request, std::string_view etag);

}  // namespace bascule::admin
