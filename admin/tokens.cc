#include "admin/tokens.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bascule::admin {
namespace {

constexpr std::size_t kTokensMax = 1000;
constexpr std::size_t kNameMax = 64;
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20U;
constexpr mode_t kOthersAndGroupWrite = 0027;
constexpr std::string_view kScheme = "sha256:";

/// The next word, taken off the line.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t\r")));
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

/// So that no token is taken for `local` or for somebody at the Unix socket.
bool is_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return name.size() <= kNameMax && name != "local" &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

std::optional<TokenDigest> digest_of(std::string_view word) {
  TokenDigest digest{};
  if (!word.starts_with(kScheme) || word.size() != kScheme.size() + 2 * digest.size()) {
    return std::nullopt;
  }
  word.remove_prefix(kScheme.size());
  for (unsigned char& byte : digest) {
    const auto read = std::from_chars(word.data(), word.data() + 2, byte, 16);
    if (read.ec != std::errc() || read.ptr != word.data() + 2) {
      return std::nullopt;
    }
    word.remove_prefix(2);
  }
  return digest;
}

std::string why() {
  return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): read on one thread.
}

Result<std::string> read_all(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return fail(Errc::kUnavailable, path + " cannot be read: " + why());
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::kRefused, path + " is not a file");
  }
  if ((status.st_mode & kOthersAndGroupWrite) != 0) {
    return fail(Errc::kRefused, path + " must be for its owner and group only: chmod 0640 or 0600");
  }
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kFileBytesMax) {
      return fail(Errc::kRefused, path + " is larger than 1 MiB");
    }
  }
  if (got < 0) {
    return fail(Errc::kUnavailable, path + " cannot be read: " + why());
  }
  return text;
}

}  // namespace

Result<std::string> read_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // A FIFO is no trap.
  if (fd < 0) {
    return fail(Errc::kUnavailable, path + " cannot be read: " + why());
  }
  auto text = read_all(fd, path);
  ::close(fd);
  return text;
}

Result<Tokens> Tokens::parse(std::string_view text) {
  Tokens tokens;
  for (int number = 1; !text.empty(); ++number) {
    const auto bad = [number](const std::string& what) {
      return fail(Errc::kMalformed, "line " + std::to_string(number) + ": " + what);
    };
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view name = take_word(line);
    if (name.empty() || name.front() == '#') {
      continue;
    }
    const auto role = role_named(take_word(line));
    const auto digest = digest_of(take_word(line));
    if (!is_name(name)) {
      return bad("a name is 1 to 64 letters, digits, '.', '_' and '-', and not `local`");
    }
    if (!role || *role == Role::kPublic) {
      return bad("the role is read, operate or admin");
    }
    if (!digest || !take_word(line).empty()) {
      return bad("NAME ROLE sha256:HEX is made by `basculectl token NAME ROLE`");
    }
    const auto is_same = [name](const Entry& entry) { return entry.principal.name == name; };
    if (std::any_of(tokens.entries_.begin(), tokens.entries_.end(), is_same)) {
      return bad("there are two tokens of this name");
    }
    if (tokens.entries_.size() == kTokensMax) {
      return bad("more than 1000 tokens");
    }
    tokens.entries_.push_back({{.name = std::string(name), .role = *role}, *digest});
  }
  return tokens;
}

Result<Tokens> Tokens::load(const std::string& path) {
  auto text = read_private_file(path);
  if (!text) {
    return tl::make_unexpected(text.error());
  }
  return parse(*text).map_error([&path](const Error& error) {
    return Error{error.code, path + ": " + error.what};
  });
}

std::optional<Principal> Tokens::find(std::string_view token) const {
  if (!is_access_token(token)) {
    return std::nullopt;
  }
  const TokenDigest digest = token_digest(token);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (equal(entry.digest, digest)) {
      found = &entry;  // The others are looked at all the same.
    }
  }
  return found == nullptr ? std::nullopt : std::optional(found->principal);
}

}  // namespace bascule::admin
