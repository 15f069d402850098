#include "xmpp/xml/parser.h"

#include <ctime>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "xmpp/xml/writer.h"

namespace bascule::xml {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='meet.test' version='1.0'>";

std::vector<StreamEvent> feed_all(StreamParser& parser, std::string_view bytes) {
  std::vector<StreamEvent> events;
  const auto fed = parser.feed(bytes, events);
  EXPECT_TRUE(fed.has_value()) << (fed ? "" : fed.error().what);
  return events;
}

/// The events of `bytes` after a stream header.
std::vector<StreamEvent> events_of(std::string_view bytes, ParseLimits limits = {}) {
  StreamParser parser(limits);
  EXPECT_EQ(feed_all(parser, kHeader).size(), 1U);
  return feed_all(parser, bytes);
}

const Element& stanza(const StreamEvent& event) {
  return std::get<StanzaParsed>(event).stanza;
}
const StanzaRejected& rejected(const StreamEvent& event) {
  return std::get<StanzaRejected>(event);
}

std::string repeat(std::string_view text, std::size_t count) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) {
    repeated += text;
  }
  return repeated;
}

TEST(Parse, ResolvesNamespacesAndKeepsOrder) {
  const auto element = parse(
      "<iq xmlns='jabber:client' id='1' xml:lang='en' x:y='gone' xmlns:x='urn:x'>"
      "<x:query b='2' a='1'>one<item/>two</x:query></iq>");
  ASSERT_TRUE(element.has_value());
  EXPECT_TRUE(element->is("iq", "jabber:client"));
  EXPECT_EQ(element->attribute("xml:lang"), "en");
  EXPECT_EQ(element->attributes.size(), 2U);
  const Element* query = element->child("query", "urn:x");
  ASSERT_NE(query, nullptr);
  EXPECT_EQ(query->text, "onetwo");
  EXPECT_EQ(query->attributes.front().first, "b");
  ASSERT_EQ(query->children.size(), 1U);
  EXPECT_TRUE(query->children.front().is("item", "jabber:client"));
}

TEST(Parse, DecodesReferencesAndCdata) {
  const auto element = parse("<a b='&lt;&#10;&amp;'>&gt;&quot;&apos;&#x1F600;<![CDATA[<x>&]]></a>");
  ASSERT_TRUE(element.has_value());
  EXPECT_EQ(element->attribute("b"), "<\n&");
  EXPECT_EQ(element->text, ">\"'\xF0\x9F\x98\x80<x>&");
}

TEST(Parse, RefusesRestrictedAndBrokenXml) {
  for (const std::string_view text :
       {"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a><!-- c --></a>",
        "<a><?p i?></a>", "<a/><!-- c -->", "<a>", "", "<a></b>", "<a/><b/>", "<a b='1' b='2'/>",
        "<a>&nbsp;</a>", "<p:a/>", "<a b=<c/>", "<a>\x01</a>", "<a>\xFF</a>", "text"}) {
    const auto element = parse(text);
    ASSERT_FALSE(element.has_value()) << text;
    EXPECT_EQ(element.error().code, Errc::kMalformed) << text;
  }
}

/// Why a document was refused; empty when it was not.
std::string refusal(std::string_view text, ParseLimits limits = {}) {
  const auto element = parse(text, limits);
  return element ? "" : element.error().what;
}

TEST(Parse, EnforcesEachLimit) {
  EXPECT_TRUE(parse("<a><b><c/></b></a>", {.depth = 2}).has_value());
  EXPECT_EQ(refusal("<a><b><c><d/></c></b></a>", {.depth = 2}), "too many levels");
  EXPECT_TRUE(parse("<a><b/><b/></a>", {.elements = 3}).has_value());
  EXPECT_EQ(refusal("<a><b/><b/><b/></a>", {.elements = 3}), "too many elements");
  EXPECT_TRUE(parse("<a b='1' c='2'/>", {.attributes = 2}).has_value());
  EXPECT_EQ(refusal("<a b='1' c='2' d='3'/>", {.attributes = 2}), "too many attributes");
  EXPECT_TRUE(parse("<a>12</a>", {.bytes = 9}).has_value());
  EXPECT_EQ(refusal("<a>123</a>", {.bytes = 9}), "too many bytes");
  EXPECT_EQ(refusal("<a xmlns='" + std::string(257, 'u') + "'/>"), "namespace name too long");
}

TEST(StreamParser, ReportsHeaderStanzasAndEnd) {
  StreamParser parser;
  auto events = feed_all(parser, kHeader);
  ASSERT_EQ(events.size(), 1U);
  const Element& header = std::get<StreamOpened>(events[0]).header;
  EXPECT_TRUE(header.is("stream", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(header.attribute("id"), "s1");

  events = feed_all(parser,
                    " <stream:features><a xmlns='urn:a'/></stream:features>\n"
                    "<message to='b'><body>a &lt; b</body></message> <r xmlns='urn:r'/>");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_TRUE(stanza(events[0]).is("features", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(stanza(events[1]).child("body", "jabber:client")->text, "a < b");
  EXPECT_TRUE(stanza(events[2]).is("r", "urn:r"));

  events = feed_all(parser, "</stream:stream>\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<StreamClosed>(events[0]));
}

TEST(StreamParser, ByteByByteGivesTheSameEvents) {
  const std::string text =
      "<iq type='get' id=\"a>b/\"><q xmlns='urn:q' a='&apos;/>'/>t&amp;\xC3\xA9<![CDATA[]]]]>"
      "<![CDATA[>]]]></iq> <presence/><x xmlns='urn:x'><y></y></x></stream:stream>";
  const auto whole = events_of(text);
  StreamParser parser;
  std::vector<StreamEvent> events = feed_all(parser, kHeader);
  events.clear();
  for (const char c : text) {
    ASSERT_TRUE(parser.feed(std::string_view(&c, 1), events).has_value());
  }
  ASSERT_EQ(events.size(), whole.size());
  ASSERT_EQ(events.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(stanza(events[i]), stanza(whole[i]));
  }
  EXPECT_EQ(stanza(events[0]).text, "t&\xC3\xA9]]>]");
  EXPECT_EQ(stanza(events[0]).attribute("id"), "a>b/");
}

TEST(StreamParser, RejectsAStanzaOverALimitAndGoesOn) {
  const ParseLimits limits{.bytes = 1000, .depth = 4, .elements = 10, .attributes = 4};
  struct Case {
    std::string text;
    std::string reason;
  };
  const std::string open = "<iq id='7' type='set'>";
  const std::vector<Case> cases{
      {open + std::string(2000, 'x') + "</iq>", "too many bytes"},
      {open + repeat("&lt;", 2000) + "</iq>", "too many bytes"},
      {open + "<![CDATA[" + repeat("]]", 2000) + "]]></iq>", "too many bytes"},
      {open + "<a b='" + std::string(2000, '>') + "'/></iq>", "too many bytes"},
      {open + "<a>" + repeat("<b/>", 11) + "</a></iq>", "too many elements"},
      {open + repeat("<b>", 5) + repeat("</b>", 5) + "</iq>", "too many levels"},
      {open + "<a b='1' c='2' d='3' e='4' f='5'/></iq>", "too many attributes"},
      {open + "<a xmlns='" + std::string(300, 'u') + "'/></iq>", "namespace name too long"},
  };
  for (const Case& c : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, c.text.size()}) {
      StreamParser parser(limits);
      feed_all(parser, kHeader);
      std::vector<StreamEvent> events;
      const std::string text = "<presence id='before'/>" + c.text + "<presence id='after'/>";
      for (std::size_t at = 0; at < text.size(); at += piece) {
        ASSERT_TRUE(parser.feed(std::string_view(text).substr(at, piece), events).has_value());
      }
      ASSERT_EQ(events.size(), 3U) << c.reason;
      EXPECT_EQ(rejected(events[1]).reason, c.reason);
      EXPECT_TRUE(rejected(events[1]).head.is("iq", "jabber:client"));
      EXPECT_EQ(rejected(events[1]).head.attribute("id"), "7");
      EXPECT_TRUE(rejected(events[1]).head.children.empty());
      EXPECT_EQ(rejected(events[1]).head.text, "");
      EXPECT_EQ(stanza(events[2]).attribute("id"), "after");
    }
  }
}

/// What is wrong below the limit ends the stream, what is wrong beyond it is skipped unseen.
TEST(StreamParser, JudgesTextThatCrossesTheLimitTheSameHoweverItIsCut) {
  const ParseLimits limits{.bytes = 200};
  for (const std::size_t wrong_at : {std::size_t{10}, std::size_t{300}}) {
    for (const std::string_view opening : {"<iq>", "<iq><![CDATA["}) {
      std::string text(400, 'x');
      text[wrong_at] = '\x01';
      text.insert(0, opening);
      text += opening.size() > 4 ? "]]></iq>" : "</iq>";
      for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
        StreamParser parser(limits);
        feed_all(parser, kHeader);
        std::vector<StreamEvent> events;
        bool is_whole = true;
        for (std::size_t at = 0; at < text.size(); at += piece) {
          is_whole = parser.feed(std::string_view(text).substr(at, piece), events).has_value();
        }
        EXPECT_EQ(is_whole, wrong_at > limits.bytes) << opening << ' ' << piece;
        EXPECT_EQ(events.size(), is_whole ? 1U : 0U);
      }
    }
  }
}

TEST(StreamParser, RejectsAnOversizeStartTagByName) {
  const std::string text = "<iq id='" + std::string(2000, 'i') + "'><q>x</q></iq><presence/>";
  const auto events = events_of(text, {.bytes = 1000});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(rejected(events[0]).head, (Element{.name = "iq", .ns = "jabber:client"}));
  EXPECT_TRUE(stanza(events[1]).is("presence", "jabber:client"));
}

TEST(StreamParser, RejectsTooManyAttributesOfTheStanzaItself) {
  const auto events = events_of("<iq a='1' b='2' c='3' d='4'/><presence/>", {.attributes = 3});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(rejected(events[0]).reason, "too many attributes");
  EXPECT_EQ(rejected(events[0]).head.attributes.size(), 3U);
  EXPECT_TRUE(stanza(events[1]).is("presence", "jabber:client"));
}

TEST(StreamParser, RefusesRestrictedXml) {
  for (const std::string_view text : {"<!-- c -->",
                                      "<!DOCTYPE a>",
                                      "<?p i?>",
                                      "<iq><!-- c --></iq>",
                                      "<iq><?p i?></iq>",
                                      "<iq><!DOCTYPE a></iq>",
                                      "<iq>&undefined;</iq>",
                                      "<iq>&aaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "<iq></message>",
                                      "<iq><<",
                                      "<iq a='<'/>",
                                      "<iq a=1/>",
                                      "text",
                                      "&lt;",
                                      "<![CDATA[x]]>",
                                      "</other>",
                                      "<iq>a]]>b</iq>",
                                      "<iq>\x01</iq>",
                                      "<iq>\xC3(</iq>",
                                      "<unbound:iq/>"}) {
    StreamParser parser;
    std::vector<StreamEvent> events;
    ASSERT_TRUE(parser.feed(kHeader, events).has_value());
    ASSERT_TRUE(parser.feed("<presence/>", events).has_value());
    const auto fed = parser.feed(text, events);
    ASSERT_FALSE(fed.has_value()) << text;
    EXPECT_EQ(fed.error().code, Errc::kMalformed);
    EXPECT_EQ(events.size(), 2U) << text;
    EXPECT_EQ(parser.feed("<presence/>", events).error(), fed.error()) << text;
    EXPECT_EQ(events.size(), 2U) << text;
  }
}

TEST(StreamParser, RefusesABadBeginning) {
  for (const std::string_view text :
       {"<!DOCTYPE a>", "<!-- c --><a>", "x<a>", "<?p i?><a>", "</a>", " <?xml version='1.0'?><a>",
        "<?xml version='1.0'?><?xml version='1.0'?><a>", "<?xml version='1.0'9><a>",
        "HTTP/1.1 400 Bad Request"}) {
    StreamParser parser;
    std::vector<StreamEvent> events;
    EXPECT_FALSE(parser.feed(text, events).has_value()) << text;
    EXPECT_TRUE(events.empty());
  }
}

TEST(StreamParser, RefusesBytesAfterTheEnd) {
  StreamParser parser;
  std::vector<StreamEvent> events;
  ASSERT_TRUE(parser.feed(std::string(kHeader) + "</stream:stream>", events).has_value());
  EXPECT_FALSE(parser.feed("<presence/>", events).has_value());
  EXPECT_EQ(events.size(), 2U);
}

TEST(StreamParser, KeepsNoStateBetweenStanzas) {
  StreamParser parser({.bytes = 100, .elements = 3});
  feed_all(parser, "<stream:stream xmlns='c' xmlns:stream='s'>");
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "n" + std::to_string(i);
    std::string text = "<";
    text.append(name).append(" a").append(name).append("='1'><b/><c/></").append(name).append(">");
    const auto events = feed_all(parser, text);
    ASSERT_EQ(events.size(), 1U);
    ASSERT_TRUE(std::holds_alternative<StanzaParsed>(events[0]));
    ASSERT_EQ(stanza(events[0]).name, name);
  }
}

/// CPU time to skip or parse hostile text fed in one-byte pieces.
double seconds_for(const std::string& text) {
  StreamParser parser;
  feed_all(parser, kHeader);
  std::vector<StreamEvent> events;
  const std::clock_t begin = std::clock();
  for (const char& c : text) {
    EXPECT_TRUE(parser.feed(std::string_view(&c, 1), events).has_value());
  }
  EXPECT_EQ(events.size(), 1U);
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// Quadratic handling of any of these takes minutes, so a generous bound on a busy machine is
// enough.
TEST(StreamParser, HostileInputCostsLinearTime) {
  constexpr double kSecondsMax = 5;
  EXPECT_LT(seconds_for("<iq a='" + std::string(400'000, 'x') + "'/>"), kSecondsMax);
  EXPECT_LT(seconds_for("<iq>" + repeat("&lt;", 125'000) + "</iq>"), kSecondsMax);
  EXPECT_LT(seconds_for("<iq>" + repeat("\n", 500'000) + "</iq>"), kSecondsMax);
  EXPECT_LT(seconds_for("<iq>" + repeat("<a/>", 500'000) + "</iq>"), kSecondsMax);
  EXPECT_LT(seconds_for("<iq>" + repeat("<a>", 300'000) + repeat("</a>", 300'000) + "</iq>"),
            kSecondsMax);
  EXPECT_LT(seconds_for("<iq>" + std::string(2'000'000, 'x') + "</iq>"), kSecondsMax);
  EXPECT_LT(seconds_for("<iq><![CDATA[" + std::string(500'000, ']') + "]]></iq>"), kSecondsMax);
  std::string attributes;
  for (int i = 0; i < 30'000; ++i) {
    attributes += " a" + std::to_string(i) + "=''";
  }
  EXPECT_LT(seconds_for("<iq" + attributes + "/>"), kSecondsMax);
}

/// Random bytes from an alphabet that reaches every state must never crash the parser, and the
/// result must not depend on how the bytes are cut.
TEST(StreamParser, CutsOfRandomInputAgree) {
  constexpr std::string_view kPieces[] = {
      "<",         ">",  "/",    "'",    "\"",       "&",    ";",        "a",
      " ",         "=",  "<a>",  "</a>", "<a/>",     "&lt;", "]]>",      "<![CDATA[",
      "<a b='c'>", "x:", "<!--", "<?",   "\xC3\xA9", "\n",   "xmlns='u'"};
  Prng prng(20261121);
  int parsed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = "<a>";
    const std::uint64_t count = 1 + prng.below(12);
    for (std::uint64_t i = 0; i < count; ++i) {
      text += kPieces[prng.below(std::size(kPieces))];
    }
    std::vector<StreamEvent> whole;
    StreamParser first({.bytes = 40, .depth = 3, .elements = 5, .attributes = 4});
    ASSERT_TRUE(first.feed("<s xmlns='u' xmlns:x='v'>", whole).has_value());
    const bool is_whole_good = first.feed(text, whole).has_value();
    std::vector<StreamEvent> cut;
    StreamParser second({.bytes = 40, .depth = 3, .elements = 5, .attributes = 4});
    ASSERT_TRUE(second.feed("<s xmlns='u' xmlns:x='v'>", cut).has_value());
    bool is_cut_good = true;
    for (const char c : text) {
      is_cut_good = is_cut_good && second.feed(std::string_view(&c, 1), cut).has_value();
    }
    ASSERT_EQ(is_whole_good, is_cut_good) << text;
    ASSERT_EQ(whole.size(), cut.size()) << text;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      ASSERT_EQ(whole[i].index(), cut[i].index()) << text;
      if (std::holds_alternative<StanzaParsed>(whole[i])) {
        ++parsed;
        ASSERT_EQ(stanza(whole[i]), stanza(cut[i])) << text;
      }
    }
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace bascule::xml
