#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace bascule::xmpp {

/// The hash functions of the SASL mechanisms SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677).
enum class ScramHash { kSha1, kSha256 };

/// The name in `<mechanism/>`.
std::string_view mechanism_name(ScramHash hash);

/// The strongest of the offered mechanisms that we speak; nullopt when there is none. PLAIN is not
/// spoken on purpose: it would hand the password to whoever answers.
std::optional<ScramHash> choose_scram(const std::vector<std::string>& offered);

/// The client half of one SCRAM exchange without channel binding (gs2 header "n,,"), as a value:
/// the nonce is an argument, so the RFC's examples are the tests.
///
/// The password goes through as the bytes given: SASLprep (RFC 4013) changes no printable ASCII,
/// and a password with other characters works when both sides stored the same UTF-8.
class ScramClient {
 public:
  /// RFC 5802 5.1 asks servers for at least 4096. The upper bound caps what a hostile server can
  /// make us compute (about 0.5 s of SHA-256).
  static constexpr std::uint32_t kMinIterations = 4096;
  static constexpr std::uint32_t kMaxIterations = 1'000'000;

  /// `nonce`: printable ASCII without comma, at least 16 characters, from a secure source.
  /// Errors: kInvalidArgument when user or password is empty or holds a control character, or the
  /// nonce breaks the rule above.
  static Result<ScramClient> create(ScramHash hash, std::string user, std::string password,
                                    std::string nonce);

  /// "n,,n=user,r=nonce": the initial response, not yet base64.
  [[nodiscard]] std::string first_message() const;

  /// Answers the server's first message. Errors: kMalformed (syntax, unknown mandatory extension),
  /// kRefused (nonce not ours, iteration count out of range). Cost: the key derivation.
  Result<std::string> final_message(std::string_view server_first);

  /// Checks the server's proof that it knows our password as well. Errors: kMalformed, kRefused.
  [[nodiscard]] Result<> verify(std::string_view server_final) const;

 private:
  ScramClient(ScramHash hash, std::string user, std::string password, std::string nonce);

  ScramHash hash_;
  std::string user_;
  std::string password_;
  std::string nonce_;
  std::string server_signature_;  // Empty until final_message() succeeded.
};

}  // namespace bascule::xmpp
