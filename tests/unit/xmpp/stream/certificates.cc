#include "tests/unit/xmpp/stream/certificates.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace bascule::test {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using FilePtr = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePtr self_signed(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("auth.test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, "DNS:auth.test");
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
    throw std::runtime_error("cannot sign the test certificate");
  }
  return certificate;
}

}  // namespace

Certificates::Certificates() {
  std::string name = (std::filesystem::temp_directory_path() / "bascule-tls-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder like " + name);
  }
  folder_ = name;
  const KeyPtr pair(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const CertificatePtr made = self_signed(pair.get());
  const FilePtr certificate_file(std::fopen(certificate().c_str(), "w"), &std::fclose);
  PEM_write_X509(certificate_file.get(), made.get());
  const FilePtr key_file(std::fopen(key().c_str(), "w"), &std::fclose);
  PEM_write_PrivateKey(key_file.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(made.get(), EVP_sha256(), digest.data(), &size);
  for (unsigned int i = 0; i < size; ++i) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", static_cast<unsigned int>(digest[i]));
    fingerprint_ += hex.data();
  }
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Certificates::fingerprint_with_colons() const {
  std::string text;
  for (std::size_t i = 0; i < fingerprint_.size(); ++i) {
    if (i > 0 && i % 2 == 0) {
      text += ':';
    }
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(fingerprint_[i])));
  }
  return text;
}

}  // namespace bascule::test
