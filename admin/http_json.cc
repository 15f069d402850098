#include "admin/http_json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <openssl/evp.h>

#include "base/check.h"

namespace bascule::admin {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;
constexpr std::size_t kTagBytes = 16;

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_json(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  constexpr std::string_view kJson = "application/json";
  return std::equal(type.begin(), type.end(), kJson.begin(), kJson.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

/// Whether a list of entity tags (RFC 9110 13.1) names this one, or any.
bool names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    std::string_view tag = trim(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.size(), list.find(',')));
    list.remove_prefix(list.empty() ? 0 : 1);
    if (tag.starts_with("W/")) {
      tag.remove_prefix(2);  // A proxy that compressed the answer made it weak.
    }
    if (tag == etag || tag == "*") {
      return true;
    }
  }
  return false;
}

}  // namespace

tl::expected<json, HttpResponse> json_object_body(const HttpRequest& request) {
  if (!request.content_type.empty() && !is_json(request.content_type)) {
    HttpResponse refusal =
        problem(415, "Unsupported media type",
                "the body must be application/json, not " + request.content_type);
    refusal.headers.emplace_back("Accept", "application/json");
    return tl::make_unexpected(std::move(refusal));
  }
  bool is_deep = false;
  const auto watch = [&is_deep](int depth, json::parse_event_t /*event*/, json& /*value*/) {
    is_deep = is_deep || depth > kDepthMax;
    return !is_deep;
  };
  json body;
  try {
    body = json::parse(request.body, watch);
  } catch (const json::parse_error& error) {
    return tl::make_unexpected(problem(400, "Malformed JSON",
                                       "the body is not JSON: what is at byte " +
                                           std::to_string(error.byte) + " does not belong there"));
  }
  if (is_deep) {
    return tl::make_unexpected(problem(400, "Malformed JSON", "the body is nested too deeply"));
  }
  if (!body.is_object()) {
    return tl::make_unexpected(problem(
        400, "Malformed JSON", std::string("the body must be an object, not ") + body.type_name()));
  }
  return body;
}

std::string etag_of(std::string_view body) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  BASCULE_CHECK(
      EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::string tag = "\"";
  for (std::size_t i = 0; i < kTagBytes; ++i) {
    tag += kHex[digest[i] >> 4U];
    tag += kHex[digest[i] & 15U];
  }
  return tag + '"';
}

HttpResponse with_etag(const HttpRequest& request, HttpResponse response) {
  const std::string tag = etag_of(response.body);
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  const bool looks = request.method == "GET" || request.method == "HEAD";
  if (looks && response.status == 200 && names(request.if_none_match, tag)) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

std::optional<HttpResponse> failed_precondition(const HttpRequest& request, std::string_view etag) {
  if (request.if_match.empty() || names(request.if_match, etag)) {
    return std::nullopt;
  }
  return problem(
      412, "Precondition failed",
      "it was changed meanwhile: read it again, then decide; its tag is " + std::string(etag));
}

}  // namespace bascule::admin
