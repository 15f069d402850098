#pragma once

#include <string>
#include <string_view>

#include "admin/http.h"

namespace bascule::admin {

/// What goes with every answer, unless the handler said otherwise: the id of the request, that
/// nobody keeps a copy, and what browsers must not do with it.
void add_standard_headers(HttpResponse& response, const std::string& request_id);

/// An id from a client that may be written to logs and headers: 1 to 64 letters, digits, '.', '_'
/// and '-'.
bool is_request_id(std::string_view text);

/// Whether a header of ours may have this value: no control characters, or the rest would be taken
/// for another header.
bool is_header_value(std::string_view text);

}  // namespace bascule::admin
