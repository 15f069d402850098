#include "admin/json_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

TEST(JsonWriterTest, EveryKindOfValueIsWritten) {
  JsonWriter json;
  json.begin_object();
  json.member("text", "a");
  json.member("empty", std::string_view());
  json.member("whole", std::size_t{7});
  json.member("less", -1);
  json.member("share", 0.7);
  json.member("small", 0.0000014);
  json.member("flag", true);
  json.member("none", std::optional<std::string>());
  json.member("some", std::optional(5));
  json.key("list");
  json.begin_array();
  json.value(1);
  json.null();
  json.end_array();
  json.key("inner");
  json.raw(R"({"a":[]})");
  json.end_object();
  EXPECT_EQ(
      json.take(),
      "{\"text\":\"a\",\"empty\":\"\",\"whole\":7,\"less\":-1,\"share\":0.7,\"small\":0.000001,"
      "\"flag\":true,\"none\":null,\"some\":5,\"list\":[1,null],\"inner\":{\"a\":[]}}\n");
}

TEST(JsonWriterTest, WhatPeersSayCannotBreakOut) {
  const std::string hostile = "\"},\\ \x01\n\t</script> \xC3\xA9 \xF0\x9F\x98\x80";
  JsonWriter json;
  json.begin_object();
  json.member(hostile, hostile);
  json.end_object();
  const auto read = nlohmann::json::parse(json.take());
  EXPECT_EQ(read.at(hostile), hostile);
}

}  // namespace
}  // namespace bascule::admin
