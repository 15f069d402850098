#pragma once

#include <filesystem>
#include <string>

namespace bascule::test {

/// A fresh self-signed certificate for auth.test with its key, in a folder of its own that goes
/// with the object.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  [[nodiscard]] std::string certificate() const { return (folder_ / "server.crt").string(); }
  [[nodiscard]] std::string key() const { return (folder_ / "server.key").string(); }
  /// SHA-256 in lower-case hex.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  /// As `openssl x509 -fingerprint` prints it: upper case, colons.
  [[nodiscard]] std::string fingerprint_with_colons() const;

 private:
  std::filesystem::path folder_;
  std::string fingerprint_;
};

}  // namespace bascule::test
