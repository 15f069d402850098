#pragma once

#include <string>

#include <gtest/gtest.h>

namespace bascule::conformance {

/// Where a statement comes from: what Jicofo does, or what Bascule does otherwise on purpose.
enum class Kind { kJicofo, kBascule };

/// Says which statement of the conformance list the running test is about. The text completes "The
/// focus ..."; docs/conformance.md is generated from it. All tests of one number give one text.
inline void statement(int number, Kind kind, const std::string& text) {
  ::testing::Test::RecordProperty("statement", number);
  ::testing::Test::RecordProperty("kind", kind == Kind::kJicofo ? "J" : "S");
  ::testing::Test::RecordProperty("text", text);
}

/// For a further test of a statement whose text another test gives.
inline void also(int number) {
  ::testing::Test::RecordProperty("statement", number);
}

}  // namespace bascule::conformance
