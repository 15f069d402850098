#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace bascule {

/// The kinds of failure a peer, a file or an operator can cause. Our own bugs are BASCULE_CHECK.
enum class Errc {
  kInvalidArgument,
  kMalformed,
  kNotFound,
  kConflict,
  kRefused,
  kTimeout,
  kUnavailable,
  kCorrupt,
};

struct Error {
  Errc code;
  std::string what;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::kTimeout, "...");`
inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::make_unexpected(Error{code, std::move(what)});
}

}  // namespace bascule
