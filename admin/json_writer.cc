#include "admin/json_writer.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "base/check.h"

namespace bascule::admin {
namespace {

constexpr int kDecimals = 6;

rapidjson::SizeType size_of(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

/// The library wants a pointer also to nothing.
const char* start_of(std::string_view text) {
  return text.empty() ? "" : text.data();
}

}  // namespace

class JsonWriter::Impl {
 public:
  Impl() : writer(buffer) { writer.SetMaxDecimalPlaces(kDecimals); }

  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer;
};

JsonWriter::JsonWriter() : impl_(std::make_unique<Impl>()) {
}
JsonWriter::~JsonWriter() = default;

void JsonWriter::begin_object() {
  impl_->writer.StartObject();
}
void JsonWriter::end_object() {
  impl_->writer.EndObject();
}
void JsonWriter::begin_array() {
  impl_->writer.StartArray();
}
void JsonWriter::end_array() {
  impl_->writer.EndArray();
}
void JsonWriter::key(std::string_view name) {
  impl_->writer.Key(start_of(name), size_of(name));
}
void JsonWriter::null() {
  impl_->writer.Null();
}
void JsonWriter::value(std::string_view text) {
  impl_->writer.String(start_of(text), size_of(text));
}
void JsonWriter::value(double number) {
  impl_->writer.Double(number);
}
void JsonWriter::value(bool flag) {
  impl_->writer.Bool(flag);
}
void JsonWriter::integer(std::int64_t number) {
  impl_->writer.Int64(number);
}
void JsonWriter::raw(std::string_view json) {
  impl_->writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
}

std::string JsonWriter::take() {
  BASCULE_CHECK(impl_->writer.IsComplete());
  std::string text(impl_->buffer.GetString(), impl_->buffer.GetSize());
  return text + '\n';
}

}  // namespace bascule::admin
