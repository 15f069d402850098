#include "xmpp/component_negotiation.h"

#include <array>
#include <utility>

#include <openssl/evp.h>

#include "base/check.h"

namespace bascule::xmpp {
namespace {

Steps failed(DownKind kind, std::string reason) {
  return {step::Failed{{.kind = kind, .reason = std::move(reason)}}};
}

}  // namespace

std::string component_digest(std::string_view stream_id, std::string_view secret) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string input = std::string(stream_id) + std::string(secret);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  BASCULE_CHECK(EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr) ==
                1);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 0xFU];
  }
  return hex;
}

ComponentNegotiation::ComponentNegotiation(Jid domain, std::string secret)
    : domain_(std::move(domain)), secret_(std::move(secret)) {
}

std::string ComponentNegotiation::header() const {
  return stream_header(kComponentNamespace, domain_.domain(), "");
}

Steps ComponentNegotiation::on_header(const xml::Element& header) {
  if (!header.is("stream", kStreamNamespace)) {
    return failed(DownKind::kProtocol, "not an XMPP stream");
  }
  const auto id = header.attribute("id");
  if (!id || id->empty()) {
    return {};  // Prosody opens the stream so to send an error, e.g. host-unknown.
  }
  xml::Element handshake{.name = "handshake", .ns = std::string(kComponentNamespace)};
  handshake.text = component_digest(*id, secret_);
  handshake_sent_ = true;
  return {step::Send{std::move(handshake)}};
}

Steps ComponentNegotiation::on_element(const xml::Element& element) {
  if (element.is("error", kStreamNamespace)) {
    return {step::Failed{down_from_stream_error(element)}};
  }
  if (handshake_sent_ && element.is("handshake", kComponentNamespace)) {
    return {step::Established{.bound = domain_, .enabled = {}}};
  }
  return failed(DownKind::kProtocol, "expected a handshake, got '" + element.name + "'");
}

Steps ComponentNegotiation::on_tls_established() {
  return failed(DownKind::kProtocol, "XEP-0114 has no TLS negotiation");
}

}  // namespace bascule::xmpp
