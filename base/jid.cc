#include "base/jid.h"

#include <algorithm>

namespace bascule {
namespace {

constexpr std::size_t kPartBytesMax = 1023;  // RFC 7622 3.1

std::string fold(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) {
    return (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return folded;
}

bool has_forbidden(std::string_view part, std::string_view forbidden) {
  return std::any_of(part.begin(), part.end(), [forbidden](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F || forbidden.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<Jid> Jid::parse(std::string_view text) {
  Jid jid;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto resource = text.substr(slash + 1);
    if (resource.empty() || resource.size() > kPartBytesMax) {
      return fail(Errc::kMalformed, "JID resource is empty or longer than 1023 bytes");
    }
    jid.resource_ = resource;
    text = text.substr(0, slash);
  }
  const auto at = text.find('@');
  if (at != std::string_view::npos) {
    const auto local = text.substr(0, at);
    if (local.empty() || local.size() > kPartBytesMax || has_forbidden(local, "\"&'/:<>@")) {
      return fail(Errc::kMalformed,
                  "JID localpart is empty, too long or has a forbidden character");
    }
    jid.local_ = fold(local);
    text = text.substr(at + 1);
  }
  if (text.empty() || text.size() > kPartBytesMax || has_forbidden(text, "\"&'/<>@")) {
    return fail(Errc::kMalformed, "JID domain is empty, too long or has a forbidden character");
  }
  jid.domain_ = fold(text);
  return jid;
}

Jid Jid::bare() const {
  Jid jid = *this;
  jid.resource_.clear();
  return jid;
}

Jid Jid::with_resource(std::string_view resource) const {
  Jid jid = *this;
  jid.resource_ = resource;
  return jid;
}

std::string Jid::to_string() const {
  std::string text;
  text.reserve(local_.size() + domain_.size() + resource_.size() + 2);
  if (!local_.empty()) {
    text += local_;
    text += '@';
  }
  text += domain_;
  if (!resource_.empty()) {
    text += '/';
    text += resource_;
  }
  return text;
}

}  // namespace bascule
