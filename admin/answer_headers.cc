#include "admin/answer_headers.h"

#include <algorithm>
#include <string_view>

namespace bascule::admin {
namespace {

constexpr std::size_t kRequestIdMax = 64;

/// A page of ours consists of files of ours.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";
constexpr std::string_view kDataPolicy = "default-src 'none'; frame-ancestors 'none'";

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

void add_unless_there(HttpResponse& response, std::string_view name, std::string_view value) {
  for (const auto& header : response.headers) {
    if (equals_ignoring_case(header.first, name)) {
      return;
    }
  }
  response.headers.emplace_back(name, value);
}

}  // namespace

void add_standard_headers(HttpResponse& response, const std::string& request_id) {
  add_unless_there(response, "X-Request-Id", request_id);
  add_unless_there(response, "Cache-Control", "no-store");
  add_unless_there(response, "X-Content-Type-Options", "nosniff");
  add_unless_there(response, "Referrer-Policy", "no-referrer");
  add_unless_there(response, "Cross-Origin-Resource-Policy", "same-origin");
  const bool is_page = response.content_type.starts_with("text/html");
  add_unless_there(response, "Content-Security-Policy", is_page ? kPagePolicy : kDataPolicy);
  if (is_page) {
    add_unless_there(response, "Cross-Origin-Opener-Policy", "same-origin");
    add_unless_there(response, "X-Frame-Options", "DENY");
  }
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.size() <= kRequestIdMax &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= ' ' && byte != 0x7f) || c == '\t';
  });
}

}  // namespace bascule::admin
