#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// RFC 4648 4.
std::string base64(std::string_view bytes);
/// `length` characters of the alphabet, drawn uniformly.
std::string random_text(Prng& random, std::size_t length, std::string_view alphabet);
inline constexpr std::string_view kHexAlphabet = "0123456789abcdef";
inline constexpr std::string_view kBase32Alphabet = "0123456789abcdefghijklmnopqrstuv";
/// A DTLS fingerprint of 32 random bytes, "AB:CD:...".
std::string random_fingerprint(Prng& random);

/// An entity's disco#info: one identity and its features (XEP-0030, XEP-0115).
struct Capabilities {
  std::string category = "client";
  std::string type;
  std::string name;
  std::string node;
  std::vector<std::string> features;

  /// XEP-0115 5.1, SHA-1.
  [[nodiscard]] std::string ver() const;
  /// The `<c/>` for presence.
  [[nodiscard]] xml::Element presence_element() const;
  /// The result for a disco#info get.
  [[nodiscard]] xml::Element answer(const xml::Element& request) const;
};

}  // namespace bascule::peers
