#include "xmpp/xml/writer.h"

#include <string>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "xmpp/xml/parser.h"

namespace bascule::xml {
namespace {

std::string written_text(std::string_view text) {
  const std::string written = to_string(Element{.name = "a", .text = std::string(text)});
  if (written == "<a/>") {
    return "";
  }
  return written.substr(3, written.size() - 7);
}

std::string written_attribute(std::string_view value) {
  Element element{.name = "a"};
  element.set("b", value);
  const std::string written = to_string(element);
  return written.substr(6, written.size() - 9);
}

TEST(Writer, WritesOneCanonicalForm) {
  Element iq{.name = "iq", .ns = "jabber:client"};
  iq.set("type", "set").set("id", "a'b");
  Element& query = iq.add({.name = "query", .ns = "urn:q"});
  query.text = "a<b>&c";
  query.add({.name = "x", .ns = "urn:q"});
  query.add({.name = "y", .ns = ""});
  iq.add({.name = "z", .ns = "jabber:client"});
  EXPECT_EQ(to_string(iq),
            "<iq xmlns='jabber:client' type='set' id='a&apos;b'>"
            "<query xmlns='urn:q'>a&lt;b&gt;&amp;c<x/><y xmlns=''/></query><z/></iq>");
  EXPECT_EQ(to_string(iq, "jabber:client").substr(0, 15), "<iq type='set' ");
}

TEST(Writer, DropsWhatXmlForbids) {
  EXPECT_EQ(written_text(std::string_view("a\0b\x01\x08\x0B\x0C\x1F"
                                          "c",
                                          9)),
            "abc");
  EXPECT_EQ(written_text("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(written_text("a\rb"), "a&#13;b");
  EXPECT_EQ(written_text("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD"), "\xEF\xBF\xBD");
  EXPECT_EQ(written_text("a\xED\xA0\x80z"), "az");            // Encoded surrogate.
  EXPECT_EQ(written_text("a\xC0\xAFz\xE0\x80\xAFz"), "azz");  // Overlong.
  EXPECT_EQ(written_text("a\xF4\x90\x80\x80z"), "az");        // Beyond U+10FFFF.
  EXPECT_EQ(written_text("a\xE2\x82z\xF0\x9F"), "az");        // Cut short.
  EXPECT_EQ(written_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(Writer, EscapesAttributes) {
  EXPECT_EQ(written_attribute("a\tb\nc\rd'e\"f&<>"), "a&#9;b&#10;c&#13;d&apos;e\"f&amp;&lt;&gt;");
  EXPECT_EQ(written_attribute("\xFF\x02x"), "x");
}

/// Whatever a string holds, what is written is well-formed, and what is read back is what was
/// written: writing twice gives the same bytes.
TEST(Writer, RandomBytesGiveWellFormedXml) {
  Prng prng(7);
  for (int round = 0; round < 5000; ++round) {
    Element element{.name = "a", .ns = "urn:a"};
    const auto random_bytes = [&prng] {
      std::string bytes;
      const std::uint64_t count = prng.below(12);
      for (std::uint64_t i = 0; i < count; ++i) {
        // Half of the bytes from the ranges where UTF-8 sequences and escapes are decided.
        bytes += static_cast<char>(prng.below(2) == 0 ? prng.below(256) : 0xBD + prng.below(0x38));
      }
      return bytes;
    };
    element.set("b", random_bytes());
    element.text = random_bytes();
    const std::string written = to_string(element);
    const auto read = parse(written);
    ASSERT_TRUE(read.has_value()) << written;
    ASSERT_EQ(to_string(*read), written);
  }
}

}  // namespace
}  // namespace bascule::xml
