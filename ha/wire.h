#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace bascule::ha {

/// Big-endian numbers and counted texts, appended to a string.
class WireWriter {
 public:
  template <class Number>
  void number(Number value) {
    for (std::size_t i = sizeof value; i-- > 0;) {
      out_ += static_cast<char>(static_cast<unsigned char>(value >> (8U * i)));
    }
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads them back; nullopt when there is not enough.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  std::optional<Number> number() {
    if (rest_.size() < sizeof(Number)) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      value = (value << 8U) | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(sizeof(Number));
    return static_cast<Number>(value);
  }
  /// A view into the bytes given.
  std::optional<std::string_view> text() {
    const auto size = number<std::uint32_t>();
    if (!size || rest_.size() < *size) {
      return std::nullopt;
    }
    const std::string_view value = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return value;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace bascule::ha
