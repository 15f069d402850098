#include "admin/origin.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace bascule::admin {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return result;
}

bool contains(std::span<const std::string> list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_ip_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

/// Without the port that the scheme implies.
std::string normal_authority(std::string_view authority, bool https) {
  const std::string_view implied = https ? ":443" : ":80";
  if (authority.ends_with(implied)) {
    authority.remove_suffix(implied.size());
  }
  return lower(authority);
}

}  // namespace

std::string host_name(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end == std::string_view::npos ? "" : lower(authority.substr(1, end - 1));
  }
  return lower(authority.substr(0, authority.find(':')));
}

bool is_trusted_host(std::string_view authority, std::span<const std::string> trusted) {
  const std::string host = host_name(authority);
  return host == "localhost" || is_ip_address(host) || contains(trusted, host);
}

bool is_own_origin(std::string_view origin, std::string_view authority, bool https_only,
                   std::span<const std::string> trusted) {
  const bool https = origin.starts_with("https://");
  if (!https && (https_only || !origin.starts_with("http://"))) {
    return false;
  }
  const std::string_view page = origin.substr(origin.find("://") + 3);
  return (!page.empty() && normal_authority(page, https) == normal_authority(authority, https)) ||
         contains(trusted, host_name(page));
}

bool is_cross_site(std::string_view fetch_site) {
  return !fetch_site.empty() && fetch_site != "same-origin" && fetch_site != "none";
}

Handler with_cors(std::vector<std::string> origins, Handler handler) {
  return [origins = std::move(origins), handler = std::move(handler)](const HttpRequest& request,
                                                                      const Respond& respond) {
    const bool any = contains(origins, "*");
    const bool allowed = !request.origin.empty() && (any || contains(origins, request.origin));
    const auto dressed = [respond, any, allowed, origin = request.origin,
                          is_preflight = request.method == "OPTIONS"](HttpResponse response) {
      if (!any) {
        response.headers.emplace_back("Vary", "Origin");
      }
      if (allowed) {
        response.headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : origin);
        if (is_preflight) {
          response.headers.emplace_back("Access-Control-Allow-Methods", "POST, OPTIONS");
          response.headers.emplace_back("Access-Control-Allow-Headers",
                                        "Content-Type, Authorization");
          response.headers.emplace_back("Access-Control-Max-Age", "3600");
        }
      }
      respond(std::move(response));
    };
    handler(request, dressed);
  };
}

}  // namespace bascule::admin
