#include "stats/record.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <openssl/evp.h>

#include "base/check.h"

namespace bascule::stats {
namespace {

constexpr std::string_view kMagic = "SLR1";
constexpr std::uint8_t kTagNull = 0;
constexpr std::uint8_t kTagInteger = 1;
constexpr std::uint8_t kTagText = 3;

template <class T>
void append_big_endian(std::string& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8U * i))));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint64_t> number(std::size_t width) {
    if (rest_.size() < width) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : rest_.substr(0, width)) {
      value = (value << 8U) | static_cast<unsigned char>(c);
    }
    rest_.remove_prefix(width);
    return value;
  }
  std::optional<std::string_view> text(std::size_t length) {
    if (rest_.size() < length) {
      return std::nullopt;
    }
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<Value> read_value(Reader& reader) {
  const auto tag = reader.number(1);
  if (!tag) {
    return std::nullopt;
  }
  switch (*tag) {
    case kTagNull:
      return Value{};
    case kTagInteger: {
      const auto bits = reader.number(8);
      return bits ? std::optional<Value>(static_cast<std::int64_t>(*bits)) : std::nullopt;
    }
    case kTagText: {
      const auto length = reader.number(4);
      const auto text = length ? reader.text(static_cast<std::size_t>(*length))
                               : std::optional<std::string_view>();
      return text ? std::optional<Value>(std::string(*text)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string encode_row(const Row& row) {
  BASCULE_CHECK(row.columns.size() <= 0xFFFF);
  std::string out(kMagic);
  append_u16(out, row.table);
  append_u16(out, static_cast<std::uint16_t>(row.columns.size()));
  for (const Value& value : row.columns) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      out.push_back(static_cast<char>(kTagInteger));
      append_u64(out, static_cast<std::uint64_t>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      BASCULE_CHECK(text->size() <= 0xFFFF'FFFFU);
      out.push_back(static_cast<char>(kTagText));
      append_u32(out, static_cast<std::uint32_t>(text->size()));
      out += *text;
    } else {
      out.push_back(static_cast<char>(kTagNull));
    }
  }
  return out;
}

Result<Row> decode_row(std::string_view bytes) {
  const auto corrupt = [] { return fail(Errc::kCorrupt, "not a canonical row"); };
  Reader reader(bytes);
  const auto magic = reader.text(kMagic.size());
  const auto table = reader.number(2);
  const auto columns = reader.number(2);
  if (!magic || *magic != kMagic || !table || !columns) {
    return corrupt();
  }
  Row row{.table = static_cast<std::uint16_t>(*table)};
  for (std::uint64_t i = 0; i < *columns; ++i) {
    auto value = read_value(reader);
    if (!value) {
      return corrupt();
    }
    row.columns.push_back(std::move(*value));
  }
  if (!reader.at_end()) {
    return corrupt();
  }
  return row;
}

Digest sha256(std::initializer_list<std::string_view> parts) {
  // The calls below fail only when memory is exhausted or the library is broken.
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  BASCULE_CHECK(context != nullptr);
  BASCULE_CHECK(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  for (const std::string_view part : parts) {
    BASCULE_CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  Digest digest{};
  BASCULE_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

Digest chain(const Digest& previous, std::string_view bytes) {
  return sha256({to_view(previous), bytes});
}

std::string_view to_view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::optional<Digest> to_digest(std::string_view bytes) {
  Digest digest{};
  if (bytes.size() != digest.size()) {
    return std::nullopt;
  }
  std::transform(bytes.begin(), bytes.end(), digest.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return digest;
}

void append_u16(std::string& out, std::uint16_t value) {
  append_big_endian(out, value);
}
void append_u32(std::string& out, std::uint32_t value) {
  append_big_endian(out, value);
}
void append_u64(std::string& out, std::uint64_t value) {
  append_big_endian(out, value);
}

}  // namespace bascule::stats
