#include "focus/operation.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "focus/operation_fields.h"

namespace bascule::focus {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, std::variant_size_v<Operation>> kNames = {
    "conference_create",
    "conference_set",
    "conference_end",
    "participant_add",
    "participant_set",
    "participant_remove",
    "jingle_set",
    "bridge_session_add",
    "bridge_session_remove",
    "endpoint_set",
    "endpoint_remove",
    "sources_add",
    "sources_remove",
    "placement",
    "pending_set",
    "pending_remove",
    "link_set",
    "inbound_handled",
    "outbound_push",
    "outbound_ack",
    "started",
    "note",
    "bridge_learned",
    "room_seen",
    "decision",
    "moderation_set",
    "sources_pending",
    "sources_told",
    "bridge_drain",
    "pin_set",
    "audit_entry"};

// ---- structure check -------------------------------------------------------------------------

/// One data item's head (RFC 8949 3): major type and argument.
struct Head {
  unsigned major;
  unsigned info;
  std::uint64_t argument;
};

std::optional<Head> take_head(std::string_view bytes, std::size_t& position) {
  if (position >= bytes.size()) {
    return std::nullopt;
  }
  const unsigned first = static_cast<unsigned char>(bytes[position++]);
  Head head{.major = first >> 5U, .info = first & 31U, .argument = first & 31U};
  if (head.info >= 24) {
    if (head.info > 27) {
      return std::nullopt;  // Reserved, or an indefinite length: never written by `encode`.
    }
    const std::size_t length = std::size_t{1} << (head.info - 24U);
    if (bytes.size() - position < length) {
      return std::nullopt;
    }
    head.argument = 0;
    for (std::size_t i = 0; i < length; ++i) {
      head.argument = (head.argument << 8U) | static_cast<unsigned char>(bytes[position++]);
    }
  }
  return head;
}

/// True when `bytes` is one item of the CBOR subset that `encode` writes. Needed before the library
/// parses it: that parser recurses once per level, so damaged bytes could exhaust the stack.
bool is_plain_cbor(std::string_view bytes) {
  constexpr std::size_t kDepthMax = 8;
  constexpr auto kIntegerMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::size_t position = 0;
  std::vector<std::uint64_t> items_left{1};
  while (!items_left.empty()) {
    if (items_left.back() == 0) {
      items_left.pop_back();
      continue;
    }
    --items_left.back();
    const auto head = take_head(bytes, position);
    if (!head) {
      return false;
    }
    const std::size_t rest = bytes.size() - position;
    switch (head->major) {
      case 0:
        break;
      case 1:
        if (head->argument > kIntegerMax) {
          return false;
        }
        break;
      case 3:
        if (head->argument > rest) {
          return false;
        }
        position += static_cast<std::size_t>(head->argument);
        break;
      case 4:
      case 5:
        // Every item takes a byte at least, so the counts below cannot overflow.
        if (head->argument > rest || items_left.size() >= kDepthMax) {
          return false;
        }
        items_left.push_back(head->argument * (head->major - 3U));
        break;
      case 7:
        if (head->info != 20 && head->info != 21) {
          return false;
        }
        break;
      default:
        return false;
    }
  }
  return position == bytes.size();
}

// ---- values ----------------------------------------------------------------------------------

template <class E>
constexpr std::uint8_t enum_max();
template <>
constexpr std::uint8_t enum_max<MediaKind>() {
  return static_cast<std::uint8_t>(MediaKind::kVideo);
}
template <>
constexpr std::uint8_t enum_max<ParticipantRole>() {
  return static_cast<std::uint8_t>(ParticipantRole::kModerator);
}
template <>
constexpr std::uint8_t enum_max<ParticipantKind>() {
  return static_cast<std::uint8_t>(ParticipantKind::kTranscriber);
}
template <>
constexpr std::uint8_t enum_max<JingleState>() {
  return static_cast<std::uint8_t>(JingleState::kEnded);
}
template <>
constexpr std::uint8_t enum_max<StreamId>() {
  return static_cast<std::uint8_t>(kStreamCount - 1);
}

template <class T>
concept Record = MaybeConst<T, SourceRecord> || MaybeConst<T, SourceGroupRecord>;
template <class T>
concept Enum = std::is_enum_v<T>;
template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <class T>
Json to_value(const T& fields);

Json value_of(const std::string& text) {
  return text;
}
Json value_of(bool flag) {
  return flag;
}
template <Integer T>
Json value_of(T number) {
  return number;
}
template <Enum E>
Json value_of(E value) {
  return static_cast<std::uint8_t>(value);
}
template <class Tag, class Rep>
Json value_of(const Strong<Tag, Rep>& strong) {
  return strong.value();
}
Json value_of(const Jid& jid) {
  return jid.empty() ? std::string() : jid.to_string();
}
template <class Tag>
Json value_of(const TypedJid<Tag>& jid) {
  return value_of(jid.jid());
}
Json value_of(Duration duration) {
  return duration.count();
}
Json value_of(Stress stress) {
  return stress.millionths();
}
template <class C>
Json value_of(std::chrono::time_point<C> time) {
  return time.time_since_epoch().count();
}
Json value_of(const std::map<std::string, std::string>& map) {
  return map;
}
template <Record T>
Json value_of(const T& record) {
  return to_value(record);
}
template <class T>
Json value_of(const std::vector<T>& list) {
  Json array = Json::array();
  for (const T& item : list) {
    array.push_back(value_of(item));
  }
  return array;
}

bool is_zero(const Json& json) {
  if (json.is_number()) {
    return json == 0;
  }
  if (json.is_boolean()) {
    return !json.get<bool>();
  }
  return json.is_string() ? json.get_ref<const std::string&>().empty() : json.empty();
}

struct FieldWriter {
  Json object = Json::object();

  template <class T>
  void operator()(const char* name, const T& value) {
    Json json = value_of(value);
    // An enumerator is always written: the default of a field need not be its zero.
    const bool is_default = !std::is_enum_v<T> && is_zero(json);
    if (!is_default) {
      object[name] = std::move(json);
    }
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) {
      object[name] = value_of(*value);
    }
  }
};

template <class T>
Json to_value(const T& fields) {
  FieldWriter writer;
  visit_fields(writer, fields);
  return std::move(writer.object);
}

template <class T>
bool from_value(const Json& json, T& fields);

bool read(const Json& json, std::string& out) {
  if (!json.is_string()) {
    return false;
  }
  out = json.get_ref<const std::string&>();
  return true;
}
bool read(const Json& json, bool& out) {
  if (!json.is_boolean()) {
    return false;
  }
  out = json.get<bool>();
  return true;
}
template <Integer T>
bool read(const Json& json, T& out) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    out = static_cast<T>(value);
    return std::in_range<T>(value);
  }
  if (!json.is_number_integer()) {
    return false;
  }
  const auto value = json.get<std::int64_t>();
  out = static_cast<T>(value);
  return std::in_range<T>(value);
}
template <Enum E>
bool read(const Json& json, E& out) {
  std::uint8_t value = 0;
  if (!read(json, value) || value > enum_max<E>()) {
    return false;
  }
  out = static_cast<E>(value);
  return true;
}
bool read(const Json& json, EndpointId& out) {
  std::string text;
  const bool ok = read(json, text);
  out = EndpointId(std::move(text));
  return ok;
}
bool read(const Json& json, Ssrc& out) {
  std::uint32_t value = 0;
  if (!read(json, value) || value == 0) {
    return false;
  }
  out = Ssrc(value);
  return true;
}
bool read(const Json& json, Jid& out) {
  if (!json.is_string()) {
    return false;
  }
  auto jid = Jid::parse(json.get_ref<const std::string&>());
  if (!jid) {
    return false;
  }
  out = std::move(*jid);
  return true;
}
template <class Tag>
bool read(const Json& json, TypedJid<Tag>& out) {
  Jid jid;
  if (!read(json, jid)) {
    return false;
  }
  out = TypedJid<Tag>(std::move(jid));
  return true;
}
bool read(const Json& json, Duration& out) {
  std::int64_t count = 0;
  const bool ok = read(json, count);
  out = Duration(count);
  return ok;
}
bool read(const Json& json, Stress& out) {
  std::int64_t millionths = 0;
  const bool ok = read(json, millionths);
  out = Stress(millionths);
  return ok;
}
template <class C>
bool read(const Json& json, std::chrono::time_point<C>& out) {
  Duration since_epoch{};
  const bool ok = read(json, since_epoch);
  out = std::chrono::time_point<C>(since_epoch);
  return ok;
}
bool read(const Json& json, std::map<std::string, std::string>& out) {
  if (!json.is_object()) {
    return false;
  }
  for (const auto& [key, value] : json.items()) {
    if (!read(value, out[key])) {
      return false;
    }
  }
  return true;
}
template <Record T>
bool read(const Json& json, T& out) {
  return from_value(json, out);
}
template <class T>
T blank() {
  if constexpr (std::is_same_v<T, Ssrc>) {
    return Ssrc(1);
  } else if constexpr (std::is_same_v<T, EndpointId>) {
    return EndpointId("");
  } else {
    return T{};
  }
}
template <class T>
bool read(const Json& json, std::vector<T>& out) {
  if (!json.is_array()) {
    return false;
  }
  for (const Json& item : json) {
    if (!read(item, out.emplace_back(blank<T>()))) {
      return false;
    }
  }
  return true;
}
template <class T>
bool read(const Json& json, std::optional<T>& out) {
  return read(json, out.emplace(blank<T>()));
}

struct FieldReader {
  const Json& object;
  bool ok = true;

  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = object.find(name);
    if (found != object.end() && !read(*found, value)) {
      ok = false;
    }
  }
};

template <class T>
bool from_value(const Json& json, T& fields) {
  if (!json.is_object()) {
    return false;
  }
  FieldReader reader{json};
  visit_fields(reader, fields);
  return reader.ok;
}

// ---- completeness ----------------------------------------------------------------------------

/// True when the addresses by which the tables find their rows are there and of the right shape.
struct KeyCheck {
  bool ok = true;

  template <class T>
  void operator()(const char*, const T&) {}
  void operator()(const char*, const RoomJid& room) { ok = ok && is_room(room); }
  void operator()(const char*, const OccupantJid& jid) { ok = ok && !jid.jid().resource().empty(); }
  void operator()(const char*, const BridgeJid& jid) { ok = ok && !jid.jid().resource().empty(); }
  void operator()(const char*, const EndpointId& id) { ok = ok && !id.value().empty(); }
  void operator()(const char* name, const std::vector<EndpointId>& ids) {
    for (const EndpointId& id : ids) {
      (*this)(name, id);
    }
  }

  static bool is_room(const RoomJid& room) { return !room.empty() && room.jid().is_bare(); }
};

template <class T>
bool has_keys(const T& operation) {
  KeyCheck check;
  visit_fields(check, operation);
  return check.ok;
}
bool has_keys(const op::ParticipantAdd& operation) {
  return KeyCheck::is_room(operation.room) && !operation.occupant.jid().resource().empty() &&
         operation.occupant.jid().bare() == operation.room.jid();
}
bool has_keys(const op::PendingSet& operation) {
  return !operation.stanza_id.empty();
}

template <std::size_t I = 0>
Result<Operation> decode_alternative(std::size_t index, const Json& json) {
  if constexpr (I < std::variant_size_v<Operation>) {
    if (index != I) {
      return decode_alternative<I + 1>(index, json);
    }
    std::variant_alternative_t<I, Operation> operation;
    if (!from_value(json, operation) || !has_keys(operation)) {
      return fail(Errc::kCorrupt, std::string(kNames[I]) + ": wrong or missing field");
    }
    return Operation(std::move(operation));
  } else {
    return fail(Errc::kCorrupt, "unknown operation");
  }
}

}  // namespace

std::uint16_t code_of(const Operation& operation) {
  return static_cast<std::uint16_t>(operation.index() + 1);
}

std::string_view name_of(const Operation& operation) {
  return kNames[operation.index()];
}

std::vector<std::uint8_t> encode(const Operation& operation) {
  return Json::to_cbor(
      std::visit([](const auto& alternative) { return to_value(alternative); }, operation));
}

Result<Operation> decode(std::uint16_t code, std::string_view payload) {
  if (code == 0 || code > std::variant_size_v<Operation>) {
    return fail(Errc::kCorrupt, "unknown operation code " + std::to_string(code));
  }
  if (payload.size() > kOperationBytesMax || !is_plain_cbor(payload)) {
    return fail(Errc::kCorrupt, std::string(kNames[code - 1U]) + ": not an operation's CBOR");
  }
  const Json json = Json::from_cbor(payload.begin(), payload.end(), /*strict=*/true,
                                    /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return fail(Errc::kCorrupt, std::string(kNames[code - 1U]) + ": not an operation's CBOR");
  }
  return decode_alternative(code - 1U, json);
}

}  // namespace bascule::focus
