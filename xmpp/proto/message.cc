#include "xmpp/proto/message.h"

#include "xmpp/proto/codec.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/muc_presence_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kMessageName = "message";
constexpr std::string_view kFromName = "from";
constexpr std::string_view kToName = "to";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kBodyName = "body";
constexpr std::string_view kSubjectName = "subject";
constexpr std::string_view kErrorName = "error";
constexpr std::string_view kXName = "x";
constexpr std::string_view kEventName = "event";

constexpr Names<MessageType, 5> kTypes{{
    {MessageType::kNormal, "normal"},
    {MessageType::kChat, "chat"},
    {MessageType::kGroupchat, "groupchat"},
    {MessageType::kHeadline, "headline"},
    {MessageType::kError, "error"},
}};

}  // namespace

xml::Element encode(const Message& message) {
  xml::Element element = make_element(kMessageName, kStanzaNamespace);
  if (message.type != MessageType::kNormal) {
    element.set(kTypeName, name_of(kTypes, message.type));
  }
  set_optional(element, kIdName, message.id);
  if (!message.from.empty()) {
    element.set(kFromName, message.from.to_string());
  }
  if (!message.to.empty()) {
    element.set(kToName, message.to.to_string());
  }
  if (message.subject) {
    element.add(make_text_element(kSubjectName, kStanzaNamespace, *message.subject));
  }
  if (message.body) {
    element.add(make_text_element(kBodyName, kStanzaNamespace, *message.body));
  }
  if (message.json_message) {
    element.add(encode(*message.json_message));
  }
  if (!message.statuses.empty()) {
    element.add(encode_muc_statuses(message.statuses));
  }
  if (message.pubsub_event) {
    element.add(encode(*message.pubsub_event));
  }
  if (message.error) {
    element.add(encode(*message.error));
  }
  return element;
}

Result<Message> decode_message(const xml::Element& message) {
  Reader reader(message);
  reader.expect(kMessageName, kStanzaNamespace);
  Message decoded{
      .from = reader.optional_jid(kFromName).value_or(Jid()),
      .to = reader.optional_jid(kToName).value_or(Jid()),
      .id = optional_text(message, kIdName),
      .type =
          value_of(kTypes, message.attribute_or_empty(kTypeName)).value_or(MessageType::kNormal),
      .body = child_text(message, kBodyName, kStanzaNamespace),
      .subject = child_text(message, kSubjectName, kStanzaNamespace)};
  for (const xml::Element& child : message.children) {
    if (is_json_message(child)) {
      decoded.json_message = reader.take(decode_json_message(child));
    } else if (child.is(kXName, kMucUserNamespace)) {
      decoded.statuses = decode_muc_statuses(child, reader);
    } else if (child.is(kEventName, kPubsubEventNamespace)) {
      decoded.pubsub_event = reader.take(decode_pubsub_event(child));
    } else if (child.is(kErrorName, kStanzaNamespace)) {
      decoded.error = reader.take(decode_stanza_error(child));
    }
  }
  if (decoded.type != MessageType::kError) {
    decoded.error.reset();
  } else if (!decoded.error) {
    decoded.error = StanzaError{};
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
