// Every file below golden/ is a stanza in the canonical order of its codec, laid out for reading:
// decoding and encoding it must give the same element. Where a peer may write something else, the
// expected result stands beside it as NAME.canonical.xml. Every file below reject/ wraps a stanza
// that must be refused, and says with which words.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/proto/recode.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::proto {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCanonicalSuffix = ".canonical.xml";

/// Removes the layout: text that is only white space beside children.
void strip_layout(xml::Element& element) {
  if (!element.children.empty() && element.text.find_first_not_of(" \n") == std::string::npos) {
    element.text.clear();
  }
  for (xml::Element& child : element.children) {
    strip_layout(child);
  }
}

xml::Element read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  auto element = xml::parse(text.str());
  EXPECT_TRUE(element.has_value()) << path << (element ? "" : element.error().what);
  if (!element) {
    return {};
  }
  strip_layout(*element);
  return std::move(*element);
}

std::vector<fs::path> files_below(std::string_view folder) {
  std::vector<fs::path> files;
  const fs::path root = fs::path(BASCULE_SOURCE_DIR) / "tests/proto" / folder;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".xml" && !name.ends_with(kCanonicalSuffix)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Golden, DecodeAndEncodeGivesTheCanonicalForm) {
  const auto files = files_below("golden");
  ASSERT_GE(files.size(), 100U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file);
    fs::path canonical = file;
    canonical.replace_extension();
    canonical += kCanonicalSuffix;
    const xml::Element expected = read(fs::exists(canonical) ? canonical : file);
    const auto recoded = recode_stanza(read(file));
    ASSERT_TRUE(recoded.has_value()) << recoded.error().what;
    EXPECT_EQ(xml::to_string(*recoded), xml::to_string(expected));
    // The canonical form is a fixed point, also through its text.
    const auto again = xml::parse(xml::to_string(*recoded));
    ASSERT_TRUE(again.has_value());
    const auto recoded_again = recode_stanza(*again);
    ASSERT_TRUE(recoded_again.has_value()) << recoded_again.error().what;
    EXPECT_EQ(*recoded_again, *recoded);
  }
}

TEST(Golden, OnlyTheFilesMeantForItAreUnknown) {
  for (const fs::path& file : files_below("golden")) {
    const xml::Element stanza = read(file);
    const auto type = stanza.attribute("type");
    if (stanza.name == "iq" && (type == "get" || type == "set")) {
      const auto request = decode_request(stanza);
      ASSERT_TRUE(request.has_value()) << file;
      EXPECT_EQ(std::holds_alternative<UnknownRequest>(*request), file.stem() == "unknown_payload")
          << file;
    } else if (stanza.name == "iq" && type == "result") {
      const auto answer = decode_answer(stanza, request_index_for(iq_payload(stanza)));
      ASSERT_TRUE(answer.has_value()) << file;
      EXPECT_FALSE(std::holds_alternative<UnknownAnswer>(*answer)) << file;
    }
  }
}

TEST(Reject, EveryFileIsRefusedForItsReason) {
  const auto files = files_below("reject");
  ASSERT_GE(files.size(), 80U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file);
    const xml::Element wrapper = read(file);
    ASSERT_EQ(wrapper.children.size(), 1U);
    const auto recoded = recode_stanza(wrapper.children.front());
    ASSERT_FALSE(recoded.has_value());
    EXPECT_EQ(recoded.error().code, Errc::kMalformed);
    const std::string why(wrapper.attribute_or_empty("why"));
    ASSERT_FALSE(why.empty());
    EXPECT_NE(recoded.error().what.find(why), std::string::npos) << recoded.error().what;
  }
}

/// Removing or replacing any single attribute, or removing any element, of a golden stanza must
/// never do worse than a refusal: decoders read hostile input.
TEST(Golden, EveryDamagedStanzaIsDecodedOrRefused) {
  int refused = 0;
  int decoded = 0;
  const auto check = [&](const xml::Element& root) {
    const auto recoded = recode_stanza(root);
    if (recoded) {
      ++decoded;
      const auto again = recode_stanza(*recoded);
      ASSERT_TRUE(again.has_value()) << xml::to_string(*recoded) << again.error().what;
      ASSERT_EQ(*again, *recoded);
    } else {
      ++refused;
      ASSERT_EQ(recoded.error().code, Errc::kMalformed);
      ASSERT_FALSE(recoded.error().what.empty());
    }
  };
  for (const fs::path& file : files_below("golden")) {
    SCOPED_TRACE(file);
    xml::Element root = read(file);
    const auto damage = [&](const auto& self, xml::Element& element) -> void {
      for (std::size_t i = 0; i < element.attributes.size(); ++i) {
        const auto original = element.attributes;
        for (const char* value : {"", "-1", "99999999999999999999", "\xF0\x9F\x98\x80"}) {
          element.attributes[i].second = value;
          check(root);
        }
        element.attributes.erase(element.attributes.begin() + static_cast<std::ptrdiff_t>(i));
        check(root);
        element.attributes = original;
      }
      for (std::size_t i = 0; i < element.children.size(); ++i) {
        const auto original = element.children;
        element.children.erase(element.children.begin() + static_cast<std::ptrdiff_t>(i));
        check(root);
        element.children = original;
        self(self, element.children[i]);
      }
    };
    damage(damage, root);
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(decoded, 500);
}

}  // namespace
}  // namespace bascule::proto
