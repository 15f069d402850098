#include "ctl/doctor/tls_probe.h"

#include <memory>
#include <optional>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "ctl/doctor/tcp.h"
#include "xmpp/client_negotiation.h"
#include "xmpp/stream/tls.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::ctl::doctor {
namespace {

template <class T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
template <class T, void (*kFree)(T*)>
using Owned = std::unique_ptr<T, Freed<T, kFree>>;

using Steps = xmpp::Steps;

Steps take(xmpp::ClientNegotiation& negotiation, const xml::StreamEvent& event) {
  if (const auto* opened = std::get_if<xml::StreamOpened>(&event)) {
    return negotiation.on_header(opened->header);
  }
  const auto* parsed = std::get_if<xml::StanzaParsed>(&event);
  return parsed != nullptr ? negotiation.on_element(parsed->stanza) : Steps{};
}

/// Up to the moment where the handshake begins.
Result<> ask_for_tls(const Socket& socket, const std::string& domain) {
  xmpp::ClientNegotiation negotiation({.user = {}, .domain = domain}, std::nullopt);
  xml::StreamParser parser;
  if (auto sent = socket.write(negotiation.header()); !sent) {
    return sent;
  }
  while (true) {
    const auto bytes = socket.read();
    if (!bytes) {
      return tl::make_unexpected(bytes.error());
    }
    std::vector<xml::StreamEvent> events;
    if (auto fed = parser.feed(*bytes, events); !fed) {
      return fed;
    }
    for (const xml::StreamEvent& event : events) {
      for (const xmpp::Step& next : take(negotiation, event)) {
        if (const auto* send = std::get_if<xmpp::step::Send>(&next)) {
          if (auto sent = socket.write(xml::to_string(send->element, xmpp::kClientNamespace));
              !sent) {
            return sent;
          }
        } else if (const auto* failed = std::get_if<xmpp::step::Failed>(&next)) {
          return fail(Errc::kRefused, failed->down.reason);
        } else if (std::holds_alternative<xmpp::step::StartTls>(next)) {
          return {};
        }
      }
    }
  }
}

/// What no trusted authority says of it, dates and name aside.
Result<std::string> chain_error(X509* leaf, STACK_OF(X509) * chain, const std::string& ca_file) {
  const Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  const bool loaded = ca_file.empty() ? X509_STORE_set_default_paths(store.get()) == 1
                                      : X509_STORE_load_file(store.get(), ca_file.c_str()) == 1;
  if (!loaded) {
    return fail(Errc::kInvalidArgument, "cannot read the CA file '" + ca_file + "'");
  }
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> verification(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verification.get(), store.get(), leaf, chain);
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(verification.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(verification.get()) == 1) {
    return std::string();
  }
  return std::string(X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get())));
}

std::vector<std::string> dns_names(const X509* leaf) {
  std::vector<std::string> names;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    }
  }
  return names;
}

std::string text_of(const ASN1_TIME* time) {
  const Owned<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(out.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::int64_t seconds_until(const ASN1_TIME* time) {
  constexpr std::int64_t kSecondsPerDay = 86'400;
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, time);
  return days * kSecondsPerDay + seconds;
}

void add_dates(CertificateFacts& facts, const X509* leaf, const STACK_OF(X509) * chain) {
  const X509* first = leaf;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* one = sk_X509_value(chain, i);
    if (seconds_until(X509_get0_notAfter(one)) < seconds_until(X509_get0_notAfter(first))) {
      first = one;
    }
  }
  facts.seconds_left = seconds_until(X509_get0_notAfter(first));
  facts.expires = text_of(X509_get0_notAfter(first));
  if (first != leaf) {
    facts.expires += " of " + xmpp::name_of(X509_get_subject_name(first));
  }
  facts.is_valid_yet = seconds_until(X509_get0_notBefore(leaf)) <= 0;
}

bool is_for(X509* leaf, const std::string& name) {
  return xmpp::is_numeric_address(name)
             ? X509_check_ip_asc(leaf, name.c_str(), 0) == 1
             : X509_check_host(leaf, name.data(), name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                               nullptr) == 1;
}

Result<CertificateFacts> handshake(const Socket& socket, const std::string& name,
                                   const std::string& ca_file) {
  const Owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  const Owned<SSL, SSL_free> tls(SSL_new(context.get()));
  if (!xmpp::is_numeric_address(name)) {
    SSL_set_tlsext_host_name(tls.get(), name.c_str());
  }
  SSL_set_fd(tls.get(), socket.fd());
  ERR_clear_error();
  if (SSL_connect(tls.get()) != 1) {
    const char* why = ERR_reason_error_string(ERR_peek_error());
    return fail(Errc::kRefused, std::string("TLS 1.2 or newer: ") +
                                    (why == nullptr ? "the server ended the handshake" : why));
  }
  const Owned<X509, X509_free> leaf(SSL_get1_peer_certificate(tls.get()));
  if (!leaf) {
    return fail(Errc::kRefused, "the server sent no certificate");
  }
  STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(tls.get());
  auto vouched = chain_error(leaf.get(), chain, ca_file);
  if (!vouched) {
    return tl::make_unexpected(vouched.error());
  }
  CertificateFacts facts{.subject = xmpp::name_of(X509_get_subject_name(leaf.get())),
                         .issuer = xmpp::name_of(X509_get_issuer_name(leaf.get())),
                         .fingerprint = xmpp::fingerprint_of(leaf.get()),
                         .names = dns_names(leaf.get()),
                         .has_name = is_for(leaf.get(), name),
                         .chain_error = std::move(*vouched),
                         .expires = {},
                         .protocol = SSL_get_version(tls.get())};
  add_dates(facts, leaf.get(), chain);
  return facts;
}

}  // namespace

Result<CertificateFacts> probe_tls(const xmpp::NativeStreamOptions& link) {
  const auto addresses = resolve(link.host, link.port);
  if (!addresses) {
    return tl::make_unexpected(addresses.error());
  }
  const auto socket = Socket::connect(*addresses);
  if (!socket) {
    return tl::make_unexpected(socket.error());
  }
  if (auto asked = ask_for_tls(*socket, link.domain); !asked) {
    return tl::make_unexpected(asked.error());
  }
  return handshake(*socket, link.tls.host_name.empty() ? link.domain : link.tls.host_name,
                   link.tls.ca_file);
}

}  // namespace bascule::ctl::doctor
