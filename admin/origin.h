#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/http.h"

namespace bascule::admin {

// What browsers tell of the page that asks, and of the name under which they found us.

/// The name in a Host header, without port and brackets, in lower case; empty when it is none.
std::string host_name(std::string_view authority);

/// On loopback: `localhost`, an IP address, or one of `trusted`. Everything else is a name that
/// somebody made point at this host, so that his page may read our answers (DNS rebinding).
bool is_trusted_host(std::string_view authority, std::span<const std::string> trusted);

/// Whether a page with this Origin header is one of ours: of the same host and port as the request,
/// or of a trusted host. `https_only`: we are not reached in another way.
bool is_own_origin(std::string_view origin, std::string_view authority, bool https_only,
                   std::span<const std::string> trusted);

/// Whether the browser says that another site's page, or link, asks (Fetch Metadata, 2.1.3).
bool is_cross_site(std::string_view fetch_site);

/// Lets pages of `origins` (or of any, "*") use what `handler` serves, and answers their OPTIONS
/// requests (CORS, Fetch Standard 3.2); other pages get no such leave.
Handler with_cors(std::vector<std::string> origins, Handler handler);

}  // namespace bascule::admin
