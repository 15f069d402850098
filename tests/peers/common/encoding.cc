#include "tests/peers/common/encoding.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <openssl/evp.h>

#include "base/check.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3), '\0');
  // EVP_EncodeBlock appends a zero byte, for which std::string has room.
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  BASCULE_CHECK(length == static_cast<int>(text.size()));
  return text;
}

std::string random_text(Prng& random, std::size_t length, std::string_view alphabet) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    text += alphabet[static_cast<std::size_t>(random.below(alphabet.size()))];
  }
  return text;
}

std::string random_fingerprint(Prng& random) {
  std::string text;
  for (int i = 0; i < 32; ++i) {
    text += (i == 0 ? "" : ":") + random_text(random, 2, "0123456789ABCDEF");
  }
  return text;
}

std::string Capabilities::ver() const {
  std::vector<std::string> sorted = features;
  std::sort(sorted.begin(), sorted.end());
  std::string text = category + "/" + type + "//" + name + "<";
  for (const std::string& feature : sorted) {
    text += feature + "<";
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int hashed =
      EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  BASCULE_CHECK(hashed == 1);
  return base64(std::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

xml::Element Capabilities::presence_element() const {
  return element("c", ns::kCaps, {{"hash", "sha-1"}, {"node", node}, {"ver", ver()}});
}

xml::Element Capabilities::answer(const xml::Element& request) const {
  xml::Element result = result_of(request);
  xml::Element& query = result.add(element("query", ns::kDiscoInfo));
  const xml::Element* asked = request.child("query", ns::kDiscoInfo);
  if (asked != nullptr && asked->attribute("node")) {
    query.set("node", asked->attribute_or_empty("node"));
  }
  query.add(element("identity", ns::kDiscoInfo,
                    {{"category", category}, {"type", type}, {"name", name}}));
  for (const std::string& feature : features) {
    query.add(element("feature", ns::kDiscoInfo, {{"var", feature}}));
  }
  return result;
}

}  // namespace bascule::peers
