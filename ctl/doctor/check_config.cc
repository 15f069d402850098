// The configuration, and who may read it.

#include <set>
#include <string>

#include <sys/stat.h>

#include "config/schema.h"
#include "ctl/doctor/checks.h"

namespace bascule::ctl::doctor {
namespace {

std::string octal(mode_t mode) {
  constexpr mode_t kBits = 07777;
  std::string digits;
  for (mode_t left = mode & kBits; left != 0; left >>= 3U) {
    digits.insert(digits.begin(), static_cast<char>('0' + (left & 7U)));
  }
  return "0" + digits;
}

/// The file that a secret is in, and whether that is the configuration itself.
void check_secret_file(const std::string& path, const std::string& what, Finding& finding) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return;  // The loader has read it a moment ago, or there is none.
  }
  const std::string seen = path + " (" + what + ") has mode " + octal(status.st_mode);
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    finding.fail(seen + ": everybody on this host can use it",
                 "chmod o-rwx " + path +
                     " (0640 root:bascule), and choose another secret if "
                     "strangers have accounts here");
  } else if ((status.st_mode & S_IWGRP) != 0) {
    finding.warn(seen + ": its group can change it", "chmod g-w " + path);
  } else {
    finding.ok(seen);
  }
}

/// The socket of operators; empty: there is none.
void check_socket(const std::string& path, Finding& finding) {
  struct stat status {};
  if (path.empty()) {
    return;
  }
  if (::stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    finding.warn("bascule runs, and there is no socket " + path,
                 "see http.socket_failed in its log: its folder must be there and writable");
  } else if ((status.st_mode & S_IRWXO) != 0) {
    finding.warn(
        path + " has mode " + octal(status.st_mode) + ": others may connect, to be refused",
        "chmod o-rwx " + path + ", and see what changed it");
  } else {
    finding.ok(path + " has mode " + octal(status.st_mode));
  }
}

}  // namespace

void check_config(Examination& examination, Finding& finding) {
  const std::string& file = examination.place().config_file;
  if (examination.loaded()) {
    finding.ok(file + ": no problem found");
    return;
  }
  for (const config::ConfigError& error : examination.loaded().error()) {
    finding.fail(config::to_string(error, file),
                 "correct it; config/bascule.example.toml says what each key may be");
  }
}

void check_files(Examination& examination, Finding& finding) {
  const config::LoadedConfig& loaded = *examination.loaded();
  const std::string& file = examination.place().config_file;
  std::set<std::string> files;
  bool secret_inside = false;
  for (std::size_t i = 0; i < config::keys().size(); ++i) {
    const config::Origin& origin = loaded.origins[i];
    if (!config::keys()[i].field.is_secret) {
      continue;
    }
    if (!origin.secret_file.empty()) {
      files.insert(origin.secret_file);
    } else {
      secret_inside = secret_inside || origin.source == config::Origin::Source::kFile;
    }
  }
  for (const std::string& path : files) {
    check_secret_file(path, "a secret", finding);
  }
  check_secret_file(loaded.config.admin.tokens_file, "hashes of tokens", finding);
  check_secret_file(loaded.config.admin.tls_key, "a private key", finding);
  if (examination.is_running()) {
    check_socket(loaded.config.admin.unix_socket, finding);
  }
  struct stat status {};
  if (secret_inside) {
    check_secret_file(file, "holds secrets", finding);
  } else if (::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0) {
    finding.fail(file + " has mode " + octal(status.st_mode) + ": everybody can change it",
                 "chmod o-w " + file);
  } else {
    finding.ok(file + " holds no secret");
  }
}

}  // namespace bascule::ctl::doctor
