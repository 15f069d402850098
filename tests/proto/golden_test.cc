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

#include "xmpp/proto/message.h"
#include "xmpp/proto/muc.h"
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

/// What a result with this payload answers.
std::size_t request_index_for(const xml::Element* payload) {
  if (payload == nullptr) {
    return request_index_of<UnknownRequest>();
  }
  if (payload->ns == kDiscoInfoNamespace) {
    return request_index_of<DiscoInfoRequest>();
  }
  if (payload->ns == kDiscoItemsNamespace) {
    return request_index_of<DiscoItemsRequest>();
  }
  if (payload->ns == kMucOwnerNamespace) {
    return request_index_of<MucOwnerFormRequest>();
  }
  if (is_conference(*payload)) {
    return request_index_of<ConferenceRequest>();
  }
  if (is_login_url(*payload)) {
    return request_index_of<LoginUrlRequest>();
  }
  if (is_logout(*payload)) {
    return request_index_of<LogoutRequest>();
  }
  if (payload->ns == kColibri2Namespace) {
    return request_index_of<ConferenceModify>();
  }
  return is_pubsub(*payload) ? request_index_of<PubsubRequest>()
                             : request_index_of<UnknownRequest>();
}

template <class T, class Encode>
Result<xml::Element> recode(Result<T> decoded, Encode encode_value) {
  if (!decoded) {
    return tl::make_unexpected(decoded.error());
  }
  return encode_value(*decoded);
}

Result<xml::Element> recode_iq(const xml::Element& iq) {
  const auto envelope = decode_iq_envelope(iq);
  if (!envelope) {
    return tl::make_unexpected(envelope.error());
  }
  if (envelope->type == IqType::kError) {
    return recode(decode_iq_error(iq),
                  [&](const StanzaError& error) { return encode_iq(*envelope, encode(error)); });
  }
  if (envelope->type == IqType::kResult) {
    return recode(decode_answer(iq, request_index_for(iq_payload(iq))), [&](const Answer& answer) {
      EXPECT_FALSE(std::holds_alternative<UnknownAnswer>(answer));
      return encode_iq(*envelope, encode_answer(answer));
    });
  }
  return recode(decode_request(iq), [&](const Request& request) {
    EncodedRequest encoded = encode_request(request);
    IqEnvelope sent = *envelope;
    sent.type = encoded.type;
    return encode_iq(sent, std::move(encoded.payload));
  });
}

/// Decodes a stanza with whatever codec it belongs to and encodes the value again.
Result<xml::Element> recode_stanza(const xml::Element& stanza) {
  if (stanza.name == "iq") {
    return recode_iq(stanza);
  }
  if (stanza.name == "presence") {
    return recode(decode_muc_presence(stanza),
                  [](const MucPresence& value) { return encode(value); });
  }
  return recode(decode_message(stanza), [](const Message& value) { return encode(value); });
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
