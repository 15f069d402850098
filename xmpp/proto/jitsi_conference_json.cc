#include <algorithm>

#include <nlohmann/json.hpp>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/jitsi_conference.h"

namespace bascule::proto {
namespace {

/// Written in the order it is put together, like Jicofo's.
using Json = nlohmann::ordered_json;
/// Read from peers: finding a key must not take longer the more of them there are.
using Document = nlohmann::json;

constexpr const char* kRoom = "room";
constexpr const char* kMachineUid = "machineUid";
constexpr const char* kSessionId = "sessionId";
constexpr const char* kReady = "ready";
constexpr const char* kFocusJid = "focusJid";
constexpr const char* kIdentity = "identity";
constexpr const char* kVnode = "vnode";
constexpr const char* kProperties = "properties";
constexpr std::string_view kBearer = "bearer";

/// Reads one object and remembers the first thing that was wrong.
class ObjectReader {
 public:
  explicit ObjectReader(std::string_view body) : object_(Document::parse(body, nullptr, false)) {
    if (!object_.is_object()) {
      reject("the body is no JSON object");
      object_ = Document::object();
    }
  }

  /// nullopt when absent, null or blank.
  std::optional<std::string> text(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) {
      return std::nullopt;
    }
    if (!found->is_string()) {
      reject(std::string("'") + key + "' is no string");
      return std::nullopt;
    }
    auto value = found->get<std::string>();
    return trim(value).empty() ? std::nullopt : std::optional<std::string>(std::move(value));
  }

  bool truth(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end() || !found->is_boolean()) {
      reject(std::string("'") + key + "' is no boolean");
      return false;
    }
    return found->get<bool>();
  }

  RoomJid room() {
    auto room = parse_room(text(kRoom).value_or(std::string()));
    if (!room) {
      reject(room.error().what);
      return {};
    }
    return RoomJid(std::move(*room));
  }

  std::optional<Jid> jid(const char* key) {
    const auto value = text(key);
    if (!value) {
      return std::nullopt;
    }
    auto jid = Jid::parse(*value);
    if (!jid) {
      reject(std::string("'") + key + "' is no address");
      return std::nullopt;
    }
    return std::move(*jid);
  }

  /// Clients send numbers and booleans too.
  std::map<std::string, std::string> properties() {
    std::map<std::string, std::string> properties;
    const auto found = object_.find(kProperties);
    if (found == object_.end() || found->is_null()) {
      return properties;
    }
    if (!found->is_object()) {
      reject("'properties' is no object");
      return properties;
    }
    for (const auto& [name, value] : found->items()) {
      if (value.is_string()) {
        properties.emplace(name, value.get<std::string>());
      } else if (value.is_number() || value.is_boolean()) {
        properties.emplace(name, value.dump());
      } else if (!value.is_null()) {
        reject("a property is neither text nor number nor boolean");
      }
    }
    return properties;
  }

  template <class T>
  Result<T> finish(T value) {
    if (failure_) {
      return fail(Errc::kMalformed, std::move(*failure_));
    }
    return value;
  }

 private:
  void reject(std::string what) {
    if (!failure_) {
      failure_ = std::move(what);
    }
  }

  Document object_;
  std::optional<std::string> failure_;
};

void put(Json& object, const char* key, const std::optional<std::string>& value) {
  if (value) {
    object[key] = *value;
  }
}

Json properties_object(const std::map<std::string, std::string>& properties) {
  Json object = Json::object();
  for (const auto& [name, value] : properties) {
    object[name] = value;
  }
  return object;
}

std::string dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<ConferenceRequest> decode_conference_request_json(std::string_view body) {
  ObjectReader reader(body);
  ConferenceRequest request{.room = reader.room(),
                            .machine_uid = reader.text(kMachineUid),
                            .session_id = reader.text(kSessionId),
                            .properties = reader.properties()};
  return reader.finish(std::move(request));
}

std::string encode_conference_request_json(const ConferenceRequest& request) {
  Json object = Json::object();
  object[kRoom] = request.room.to_string();
  put(object, kMachineUid, request.machine_uid);
  put(object, kSessionId, request.session_id);
  object[kProperties] = properties_object(request.properties);
  return dump(object);
}

std::string encode_conference_answer_json(const ConferenceAnswer& answer) {
  Json object = Json::object();
  object[kRoom] = answer.room.to_string();
  object[kReady] = answer.ready;
  if (answer.focus_jid) {
    object[kFocusJid] = answer.focus_jid->to_string();
  }
  put(object, kSessionId, answer.session_id);
  put(object, kIdentity, answer.identity);
  put(object, kVnode, answer.vnode);
  object[kProperties] = properties_object(answer.properties);
  return dump(object);
}

Result<ConferenceAnswer> decode_conference_answer_json(std::string_view body) {
  ObjectReader reader(body);
  ConferenceAnswer answer{.room = reader.room(),
                          .ready = reader.truth(kReady),
                          .focus_jid = reader.jid(kFocusJid),
                          .session_id = reader.text(kSessionId),
                          .identity = reader.text(kIdentity),
                          .vnode = reader.text(kVnode),
                          .properties = reader.properties()};
  return reader.finish(std::move(answer));
}

std::optional<std::string> parse_bearer_token(std::string_view authorization) {
  std::string_view token = trim(authorization);
  const std::string_view rest = token.substr(std::min(kBearer.size(), token.size()));
  const bool is_whole_word = rest.empty() || rest.front() == ' ';
  if (is_whole_word && to_lower(token.substr(0, kBearer.size())) == kBearer) {
    token = trim(rest);
  }
  if (token.empty()) {
    return std::nullopt;
  }
  return std::string(token);
}

}  // namespace bascule::proto
