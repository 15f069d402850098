#include "xmpp/proto/jitsi_meet_json.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

/// Written in the order it is put together, like Jicofo's.
using Json = nlohmann::ordered_json;
/// Read from peers: finding a key must not take longer the more of them there are.
using Document = nlohmann::json;

constexpr std::string_view kJsonMessageName = "json-message";
constexpr std::string_view kRoomName = "room";
constexpr const char* kSources = "sources";
constexpr const char* kSsrc = "s";
constexpr const char* kName = "n";
constexpr const char* kMsid = "m";
constexpr const char* kVideoType = "v";
constexpr const char* kDesktop = "d";
constexpr const char* kFid = "f";
constexpr const char* kSim = "s";
/// Places in the array of one owner.
constexpr std::size_t kVideoPlace = 0;
constexpr std::size_t kVideoGroupsPlace = 1;
constexpr std::size_t kAudioPlace = 2;
constexpr std::size_t kAudioGroupsPlace = 3;

Json encode_sources(const std::vector<Source>& sources) {
  Json array = Json::array();
  for (const Source& source : sources) {
    Json object = Json::object();
    object[kSsrc] = source.ssrc.value();
    if (source.name) {
      object[kName] = *source.name;
    }
    if (source.msid) {
      object[kMsid] = *source.msid;
    }
    if (source.video_type == VideoType::kDesktop) {
      object[kVideoType] = kDesktop;
    }
    array.push_back(std::move(object));
  }
  return array;
}

Json encode_groups(const std::vector<SourceGroup>& groups) {
  Json array = Json::array();
  for (const SourceGroup& group : groups) {
    if (group.semantics == GroupSemantics::kFecFr) {
      continue;
    }
    Json entry = Json::array();
    entry.push_back(group.semantics == GroupSemantics::kFid ? kFid : kSim);
    for (const Ssrc ssrc : group.ssrcs) {
      entry.push_back(ssrc.value());
    }
    array.push_back(std::move(entry));
  }
  return array;
}

/// Reads one document and remembers the first thing that was wrong.
class JsonReader {
 public:
  Result<SourceMap> read(const Document& document) {
    SourceMap sources;
    if (!document.is_object() || !document.contains(kSources) || !document[kSources].is_object()) {
      return fail(Errc::kMalformed, "JSON without an object 'sources'");
    }
    for (const auto& [owner, entry] : document[kSources].items()) {
      sources.emplace(EndpointId(owner), read_owner(entry));
    }
    if (failure_) {
      return fail(Errc::kMalformed, *failure_);
    }
    return sources;
  }

 private:
  EndpointSources read_owner(const Document& entry) {
    EndpointSources sources;
    if (!entry.is_array()) {
      reject("sources of an owner are not an array");
      return sources;
    }
    sources.video = read_sources(entry, kVideoPlace);
    sources.video_groups = read_groups(entry, kVideoGroupsPlace);
    sources.audio = read_sources(entry, kAudioPlace);
    sources.audio_groups = read_groups(entry, kAudioGroupsPlace);
    return sources;
  }

  std::vector<Source> read_sources(const Document& entry, std::size_t place) {
    std::vector<Source> sources;
    for (const Document& object : array_at(entry, place)) {
      if (!object.is_object()) {
        reject("a source is not an object");
        break;
      }
      Source source{.ssrc = read_ssrc(object.value(kSsrc, Document())),
                    .name = read_text(object, kName),
                    .msid = read_text(object, kMsid)};
      const auto video_type = read_text(object, kVideoType);
      if (video_type && *video_type != kDesktop) {
        reject("unknown video type");
      }
      if (place == kVideoPlace) {
        source.video_type = video_type ? VideoType::kDesktop : VideoType::kCamera;
      }
      sources.push_back(std::move(source));
    }
    return sources;
  }

  std::vector<SourceGroup> read_groups(const Document& entry, std::size_t place) {
    std::vector<SourceGroup> groups;
    for (const Document& array : array_at(entry, place)) {
      if (!array.is_array() || array.empty() || (array[0] != kFid && array[0] != kSim)) {
        reject("a source group does not begin with its semantics");
        break;
      }
      SourceGroup group{.semantics =
                            array[0] == kFid ? GroupSemantics::kFid : GroupSemantics::kSim};
      for (std::size_t i = 1; i < array.size(); ++i) {
        group.ssrcs.push_back(read_ssrc(array[i]));
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  /// The array at a place, or an empty one when the outer array is shorter.
  const Document& array_at(const Document& entry, std::size_t place) {
    if (place >= entry.size()) {
      return empty_;
    }
    if (!entry[place].is_array()) {
      reject("sources or groups are not an array");
      return empty_;
    }
    return entry[place];
  }

  Ssrc read_ssrc(const Document& value) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
        value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
      reject("ssrc is no number from 1 to 4294967295");
      return Ssrc(1);
    }
    return Ssrc(value.get<std::uint32_t>());
  }

  std::optional<std::string> read_text(const Document& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) {
      return std::nullopt;
    }
    if (!found->is_string()) {
      reject("name, msid or video type is no string");
      return std::nullopt;
    }
    return found->get<std::string>();
  }

  void reject(std::string what) {
    if (!failure_) {
      failure_ = std::move(what);
    }
  }

  const Document empty_ = Document::array();
  std::optional<std::string> failure_;
};

}  // namespace

bool is_json_message(const xml::Element& element) {
  return element.is(kJsonMessageName, kJitsiMeetNamespace);
}

xml::Element encode(const JsonMessage& message) {
  xml::Element element = make_text_element(kJsonMessageName, kJitsiMeetNamespace, message.json);
  set_optional(element, kRoomName, message.room);
  return element;
}

Result<JsonMessage> decode_json_message(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kJsonMessageName, kJitsiMeetNamespace);
  return reader.finish(
      JsonMessage{.json = element.text, .room = optional_text(element, kRoomName)});
}

std::string encode_sources_json(const SourceMap& sources) {
  Json owners = Json::object();
  for (const auto& [owner, entry] : sources) {
    Json array = Json::array();
    array.push_back(encode_sources(entry.video));
    array.push_back(encode_groups(entry.video_groups));
    array.push_back(encode_sources(entry.audio));
    if (Json groups = encode_groups(entry.audio_groups); !groups.empty()) {
      array.push_back(std::move(groups));
    }
    owners[owner.value()] = std::move(array);
  }
  Json document = Json::object();
  document[kSources] = std::move(owners);
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SourceMap> decode_sources_json(std::string_view json) {
  const Document document = Document::parse(json, nullptr, false);
  if (document.is_discarded()) {
    return fail(Errc::kMalformed, "not JSON");
  }
  return JsonReader().read(document);
}

}  // namespace bascule::proto
