#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bascule::ctl::doctor {

/// In the order in which one outweighs the other.
enum class Status : std::uint8_t {
  kSkipped,  ///< It could not be looked at, or there is nothing to look at.
  kOk,
  kWarn,  ///< It works; it is not as it should be, or will not work for long.
  kFail,  ///< It does not work.
};
[[nodiscard]] std::string_view to_string(Status status);

/// What one check saw. Starts as skipped; the worst of what is added decides.
class Finding {
 public:
  void skip(std::string seen) { add(Status::kSkipped, std::move(seen), ""); }
  void ok(std::string seen) { add(Status::kOk, std::move(seen), ""); }
  /// `action`: what the operator does, in words that can be followed.
  void warn(std::string seen, std::string action) {
    add(Status::kWarn, std::move(seen), std::move(action));
  }
  void fail(std::string seen, std::string action) {
    add(Status::kFail, std::move(seen), std::move(action));
  }

  /// Takes over what another one saw.
  void merge(const Finding& other) {
    status_ = other.status_ > status_ ? other.status_ : status_;
    seen_.insert(seen_.end(), other.seen_.begin(), other.seen_.end());
    actions_.insert(actions_.end(), other.actions_.begin(), other.actions_.end());
  }

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const std::vector<std::string>& seen() const { return seen_; }
  [[nodiscard]] const std::vector<std::string>& actions() const { return actions_; }

 private:
  void add(Status status, std::string seen, std::string action) {
    status_ = status > status_ ? status : status_;
    seen_.push_back(std::move(seen));
    if (!action.empty()) {
      actions_.push_back(std::move(action));
    }
  }

  Status status_ = Status::kSkipped;
  std::vector<std::string> seen_;
  std::vector<std::string> actions_;
};

}  // namespace bascule::ctl::doctor
