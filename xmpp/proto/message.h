#pragma once

// RFC 6121 5: messages, as far as the focus reads and writes them.

#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/pubsub.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

enum class MessageType { kNormal, kChat, kGroupchat, kHeadline, kError };

struct Message {
  Jid from;  ///< Empty: absent.
  Jid to;    ///< Empty: absent.
  std::optional<std::string> id;
  MessageType type = MessageType::kNormal;
  std::optional<std::string> body;
  std::optional<std::string> subject;
  std::optional<JsonMessage> json_message;
  std::vector<int> statuses;  ///< muc#user status codes; 104: the room was reconfigured.
  std::optional<PubsubEvent> pubsub_event;
  std::optional<StanzaError> error;  ///< Exactly when type is kError.
  friend bool operator==(const Message&, const Message&) = default;
};

/// The `<message/>` stanza.
xml::Element encode(const Message& message);
/// An unknown type is kNormal (RFC 6121 5.2.2). Errors: kMalformed for a malformed address, status
/// code, error or event.
Result<Message> decode_message(const xml::Element& message);

}  // namespace bascule::proto
