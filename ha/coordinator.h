#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace bascule::ha {

/// What the last winner wrote down where every node can read it.
struct Term {
  std::uint64_t epoch = 0;  ///< Grows with every winner.
  std::string node;         ///< Who won.
  std::int64_t pid = 0;     ///< Its process.
  /// Nodes that have every operation whose effects the world has seen: they may go on at once.
  std::vector<std::string> in_sync;
  friend bool operator==(const Term&, const Term&) = default;
};

/// Decides which process is the active one: at most one at any time. Used from one thread.
class Coordinator {
 public:
  /// The term before ours; nullopt: there was none.
  using Won = std::function<void(Result<std::optional<Term>>)>;

  virtual ~Coordinator() = default;
  /// Waits until nobody else leads, then leads. `won` is called once, on a thread of the
  /// coordinator: it must only hand the news on. Not while campaigning or leading.
  /// Errors (of `won`): kUnavailable, the coordinator does not work.
  virtual void campaign(Won won) = 0;
  /// Ends the campaign: `won` is not called any more, or was already; what was won stays.
  virtual void withdraw() = 0;
  /// Leading, after `won`: writes down our term, one epoch later than every earlier one.
  virtual Result<Term> begin_term() = 0;
  /// Of the term begun. In force when it returns: who loses its place here will not go on at once.
  virtual Result<> publish_in_sync(std::vector<std::string> nodes) = 0;
  /// Leads no more, and campaigns no more; no effect otherwise.
  virtual void release() = 0;
  /// What is written down now, by whomever.
  [[nodiscard]] virtual std::optional<Term> current() const = 0;
};

}  // namespace bascule::ha
