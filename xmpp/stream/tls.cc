#include "xmpp/stream/tls.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace bascule::xmpp {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

Result<std::string> normalised_pin(const std::string& pin) {
  std::string hex;
  for (const char c : pin) {
    if (c == ':') {
      continue;
    }
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (kHexDigits.find(lower) == std::string_view::npos) {
      return fail(Errc::kInvalidArgument, "pinned fingerprint '" + pin + "' is not hexadecimal");
    }
    hex += lower;
  }
  if (hex.size() != 64) {
    return fail(Errc::kInvalidArgument, "pinned fingerprint '" + pin + "' is not a SHA-256");
  }
  return hex;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return {};
  }
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kHexDigits[digest[i] >> 4U];
    hex += kHexDigits[digest[i] & 0xFU];
  }
  return hex;
}

std::string name_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), &BIO_free_all);
  if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bool is_numeric_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

Result<std::unique_ptr<TlsSession>> TlsSession::create(const TlsOptions& options,
                                                       std::string name) {
  if (name.empty()) {  // OpenSSL takes an empty name for "do not check".
    return fail(Errc::kInvalidArgument, "no host name to check the certificate against");
  }
  std::unique_ptr<TlsSession> session(new TlsSession(options, std::move(name)));
  for (const std::string& pin : options.pinned_sha256) {
    auto hex = normalised_pin(pin);
    if (!hex) {
      return tl::make_unexpected(hex.error());
    }
    session->pins_.push_back(std::move(*hex));
  }
  boost::system::error_code error;
  if (options.ca_file.empty()) {
    session->context_.set_default_verify_paths(error);
  } else {
    session->context_.load_verify_file(options.ca_file, error);
  }
  if (error && session->pins_.empty()) {
    return fail(Errc::kInvalidArgument,
                "cannot read CA file '" + options.ca_file + "': " + error.message());
  }
  return session;
}

TlsSession::TlsSession(const TlsOptions& options, std::string name)
    : context_(boost::asio::ssl::context::tls_client),
      name_(std::move(name)),
      check_name_(options.verify_host_name) {
  SSL_CTX* native = context_.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(native, &TlsSession::verify, this);
}

bool TlsSession::prepare(SSL* ssl) const {
  if (is_numeric_address(name_)) {  // SNI carries host names only (RFC 6066 3).
    return !check_name_ || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name_.c_str()) == 1;
  }
  if (SSL_set_tlsext_host_name(ssl, name_.c_str()) != 1) {
    return false;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return !check_name_ || SSL_set1_host(ssl, name_.c_str()) == 1;
}

int TlsSession::verify(X509_STORE_CTX* store, void* self) {
  return static_cast<TlsSession*>(self)->accept(store) ? 1 : 0;
}

bool TlsSession::accept(X509_STORE_CTX* store) {
  const X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (leaf == nullptr) {
    refusal_ = "the server sent no certificate";
    return false;
  }
  const std::string fingerprint = fingerprint_of(leaf);
  std::string why;
  if (!pins_.empty()) {
    if (std::find(pins_.begin(), pins_.end(), fingerprint) != pins_.end()) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return true;
    }
    why = "its fingerprint is not among the pinned ones";
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  } else {
    if (X509_verify_cert(store) == 1) {
      return true;
    }
    const int error = X509_STORE_CTX_get_error(store);
    why = X509_verify_cert_error_string(error);
    if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      why += " (expected " + name_ + ")";
    }
  }
  refusal_ = "certificate refused: " + why + "; subject " + name_of(X509_get_subject_name(leaf)) +
             ", issuer " + name_of(X509_get_issuer_name(leaf)) + ", SHA-256 " + fingerprint;
  return false;
}

}  // namespace bascule::xmpp
