#include "xmpp/scram.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"
#include "xmpp/base64.h"

namespace bascule::xmpp {
namespace {

constexpr std::string_view kGs2Header = "n,,";

const EVP_MD* digest_of(ScramHash hash) {
  return hash == ScramHash::kSha1 ? EVP_sha1() : EVP_sha256();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(ScramHash hash, std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  BASCULE_CHECK(HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), bytes_of(data),
                     data.size(), out.data(), &size) != nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string digest(ScramHash hash, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  BASCULE_CHECK(EVP_Digest(data.data(), data.size(), out.data(), &size, digest_of(hash), nullptr) ==
                1);
  return {reinterpret_cast<const char*>(out.data()), size};
}

/// Hi() of RFC 5802 2.2 is PBKDF2 with HMAC and one block of output.
std::string salted_password(ScramHash hash, std::string_view password, std::string_view salt,
                            std::uint32_t iterations) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  const int size = EVP_MD_get_size(digest_of(hash));
  BASCULE_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                                  bytes_of(salt), static_cast<int>(salt.size()),
                                  static_cast<int>(iterations), digest_of(hash), size,
                                  out.data()) == 1);
  return {reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(size)};
}

/// saslname of RFC 5802 5.1.
std::string escaped_user(std::string_view user) {
  std::string escaped;
  for (const char c : user) {
    if (c == '=') {
      escaped += "=3D";
    } else if (c == ',') {
      escaped += "=2C";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

/// Takes "k=value" off the front of a comma separated message.
std::optional<std::string_view> take_attribute(std::string_view& message, char key) {
  if (message.size() < 2 || message[0] != key || message[1] != '=') {
    return std::nullopt;
  }
  const std::size_t comma = message.find(',');
  const std::string_view value = message.substr(2, comma == message.npos ? comma : comma - 2);
  message.remove_prefix(comma == message.npos ? message.size() : comma + 1);
  return value;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; });
}

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

Result<ServerFirst> parse_server_first(std::string_view message) {
  if (message.substr(0, 2) == "m=") {
    return fail(Errc::kMalformed, "SCRAM: mandatory extension of the server is not supported");
  }
  ServerFirst first;
  const auto nonce = take_attribute(message, 'r');
  const auto salt = take_attribute(message, 's');
  const auto count = take_attribute(message, 'i');
  if (!nonce || !salt || !count) {
    return fail(Errc::kMalformed, "SCRAM: the server's first message lacks nonce, salt or count");
  }
  auto decoded_salt = base64_decode(*salt);
  if (!decoded_salt || decoded_salt->empty()) {
    return fail(Errc::kMalformed, "SCRAM: the server's salt is not base64");
  }
  const auto [end, error] =
      std::from_chars(count->data(), count->data() + count->size(), first.iterations);
  if (error == std::errc::result_out_of_range) {
    first.iterations = ScramClient::kMaxIterations + 1;
  } else if (error != std::errc{} || end != count->data() + count->size()) {
    return fail(Errc::kMalformed, "SCRAM: the server's iteration count is not a number");
  }
  first.nonce = *nonce;
  first.salt = std::move(*decoded_salt);
  return first;
}

}  // namespace

std::string_view mechanism_name(ScramHash hash) {
  return hash == ScramHash::kSha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
}

std::optional<ScramHash> choose_scram(const std::vector<std::string>& offered) {
  for (const ScramHash hash : {ScramHash::kSha256, ScramHash::kSha1}) {
    if (std::find(offered.begin(), offered.end(), mechanism_name(hash)) != offered.end()) {
      return hash;
    }
  }
  return std::nullopt;
}

Result<ScramClient> ScramClient::create(ScramHash hash, std::string user, std::string password,
                                        std::string nonce) {
  if (user.empty() || password.empty() || has_control_character(user) ||
      has_control_character(password)) {
    return fail(Errc::kInvalidArgument,
                "SCRAM: user and password must not be empty nor hold control characters");
  }
  const bool nonce_ok = nonce.size() >= 16 && std::all_of(nonce.begin(), nonce.end(), [](char c) {
                          return c > 0x20 && c < 0x7F && c != ',';
                        });
  if (!nonce_ok) {
    return fail(Errc::kInvalidArgument, "SCRAM: nonce must be 16 or more printable characters");
  }
  return ScramClient(hash, std::move(user), std::move(password), std::move(nonce));
}

ScramClient::ScramClient(ScramHash hash, std::string user, std::string password, std::string nonce)
    : hash_(hash),
      user_(std::move(user)),
      password_(std::move(password)),
      nonce_(std::move(nonce)) {
}

std::string ScramClient::first_message() const {
  return std::string(kGs2Header) + "n=" + escaped_user(user_) + ",r=" + nonce_;
}

Result<std::string> ScramClient::final_message(std::string_view server_first) {
  const auto first = parse_server_first(server_first);
  if (!first) {
    return tl::make_unexpected(first.error());
  }
  if (first->nonce.size() <= nonce_.size() || first->nonce.substr(0, nonce_.size()) != nonce_) {
    return fail(Errc::kRefused, "SCRAM: the server's nonce does not extend ours");
  }
  if (first->iterations < kMinIterations || first->iterations > kMaxIterations) {
    return fail(Errc::kRefused, "SCRAM: iteration count outside [4096, 1000000]");
  }
  const std::string salted = salted_password(hash_, password_, first->salt, first->iterations);
  const std::string client_key = hmac(hash_, salted, "Client Key");
  const std::string without_proof =
      "c=" + base64_encode(kGs2Header) + ",r=" + std::string(first->nonce);
  const std::string auth_message = first_message().substr(kGs2Header.size()) + "," +
                                   std::string(server_first) + "," + without_proof;
  std::string proof = hmac(hash_, digest(hash_, client_key), auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  }
  server_signature_ = hmac(hash_, hmac(hash_, salted, "Server Key"), auth_message);
  return without_proof + ",p=" + base64_encode(proof);
}

Result<> ScramClient::verify(std::string_view server_final) const {
  if (const auto error = take_attribute(server_final, 'e')) {
    return fail(Errc::kRefused, "SCRAM: the server answered '" + std::string(*error) + "'");
  }
  const auto signature = take_attribute(server_final, 'v');
  if (!signature) {
    return fail(Errc::kMalformed, "SCRAM: the server's final message has no signature");
  }
  const auto decoded = base64_decode(*signature);
  if (server_signature_.empty() || !decoded || decoded->size() != server_signature_.size() ||
      CRYPTO_memcmp(decoded->data(), server_signature_.data(), decoded->size()) != 0) {
    return fail(Errc::kRefused, "SCRAM: the server could not prove that it knows the password");
  }
  return {};
}

}  // namespace bascule::xmpp
