#include "tests/peers/bridgesim/colibri_xml.h"

#include <algorithm>
#include <utility>

#include "tests/peers/common/encoding.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {

bool is_true(const xml::Element& element, std::string_view name) {
  const std::string_view value = element.attribute_or_empty(name);
  return value.size() == 4 && std::equal(value.begin(), value.end(), "true",
                                         [](char a, char b) { return (a | 0x20) == b; });
}

const xml::Element* colibri_child(const xml::Element& parent, std::string_view name) {
  return parent.child(name, ns::kColibri2);
}

std::vector<const xml::Element*> colibri_children(const xml::Element& parent,
                                                  std::string_view name) {
  std::vector<const xml::Element*> found;
  for (const xml::Element& child : parent.children) {
    if (child.is(name, ns::kColibri2)) {
      found.push_back(&child);
    }
  }
  return found;
}

std::set<std::string> read_ssrcs(const xml::Element& sources, bool& sends) {
  std::set<std::string> ssrcs;
  sends = false;
  for (const xml::Element* item : colibri_children(sources, "media-source")) {
    sends = sends || item->attribute_or_empty("type") == "video";
    for (const xml::Element& source : item->children) {
      if (source.is("source", ns::kSources)) {
        ssrcs.insert(std::string(source.attribute_or_empty("ssrc")));
      }
    }
  }
  return ssrcs;
}

ColibriError bad_request(std::string text) {
  return {"modify", "bad-request", "", std::move(text), ""};
}

ColibriError not_implemented(std::string reason, std::string text) {
  return {"cancel", "feature-not-implemented", std::move(reason), std::move(text), ""};
}

xml::Element ice_transport(const BridgeIdentity& identity, int port, const IceCredentials& ours,
                           const std::string& url, Prng& random) {
  xml::Element ice = element("transport", ns::kIce, {{"ufrag", ours.ufrag}, {"pwd", ours.pwd}});
  ice.add(element("rtcp-mux", ns::kIce));
  xml::Element& fingerprint =
      ice.add(element("fingerprint", ns::kDtls, {{"hash", "sha-256"}, {"setup", "actpass"}}));
  fingerprint.text = identity.fingerprint;
  if (!url.empty()) {
    ice.add(element("web-socket", ns::kColibri, {{"url", url}}));
  }
  ice.add(element("candidate", ns::kIce,
                  {{"component", "1"},
                   {"foundation", "1"},
                   {"generation", "0"},
                   {"id", random_text(random, 14, kHexAlphabet)},
                   {"ip", identity.ip},
                   {"network", "0"},
                   {"port", std::to_string(port)},
                   {"priority", "2130706431"},
                   {"protocol", "udp"},
                   {"type", "host"}}));
  return ice;
}

}  // namespace bascule::peers
