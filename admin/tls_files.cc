#include "admin/tls_files.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "admin/tokens.h"

namespace bascule::admin {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

/// RFC 7301: a client that offers protocols must offer ours.
int choose_protocol(SSL* /*session*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* /*argument*/) {
  static constexpr std::array<unsigned char, 9> kHttp = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, kHttp.data(), kHttp.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void restrict(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts (RFC 9325 4.2).
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

std::int64_t end_of(const X509* certificate) {
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return 0;
  }
  return ::timegm(&end);
}

}  // namespace

Result<TlsCertificate> load_certificate(const std::string& certificate_path,
                                        const std::string& key_path) {
  const auto key = read_private_file(key_path);
  if (!key) {
    return tl::make_unexpected(key.error());
  }
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  restrict(context->native_handle());
  // Nobody is there to type a password.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; });
  const auto bad = [](const std::string& path, const error_code& error) {
    ERR_clear_error();
    return fail(Errc::kMalformed, path + ": " + error.message());
  };
  error_code error;
  context->use_certificate_chain_file(certificate_path, error);
  if (error) {
    return bad(certificate_path, error);
  }
  context->use_private_key(boost::asio::buffer(*key), ssl::context::pem, error);
  if (error) {
    return bad(key_path, error);  // Also when it is the key of another certificate.
  }
  return TlsCertificate{.context = context,
                        .not_after = end_of(SSL_CTX_get0_certificate(context->native_handle()))};
}

}  // namespace bascule::admin
