// Compact JSON sources: {"sources":{OWNER:[video, video groups, audio(, audio groups)]}}
// (lib-jitsi-meet modules/xmpp/JingleHelperFunctions.ts).

#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tests/peers/clientsim/sources.h"

namespace bascule::peers {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> bad(const std::string& text) {
  return fail(Errc::kMalformed, "json-message: " + text);
}

bool is_ssrc(const Json& value) {
  return value.is_number_integer() && value >= 1 &&
         value <= std::numeric_limits<std::uint32_t>::max();
}

Result<> parse_source_array(const Json& array, bool video, SourceSet& set) {
  for (const Json& item : array) {
    if (!item.is_object() || !item.contains("s") || !is_ssrc(item["s"])) {
      return bad("source without ssrc");
    }
    MediaSource made;
    made.video = video;
    made.ssrc = item["s"].get<std::uint32_t>();
    for (const auto& [key, value] : item.items()) {
      if (key == "s") {
        continue;
      }
      if (!value.is_string()) {
        return bad("member '" + key + "' is not text");
      }
      if (key == "n") {
        made.name = value;
      } else if (key == "m") {
        made.msid = value;
      } else if (key == "v" && value == "d") {
        made.desktop = true;
      } else {
        return bad("unknown member '" + key + "'");
      }
    }
    if (!set.sources.emplace(made.ssrc, made).second) {
      return bad("one ssrc twice");
    }
  }
  return {};
}

Result<> parse_group_array(const Json& array, bool video, SourceSet& set) {
  for (const Json& item : array) {
    if (!item.is_array() || item.size() < 2 || (item[0] != "f" && item[0] != "s")) {
      return bad("malformed group");
    }
    SourceGroup group{item[0] == "f" ? "FID" : "SIM", {}, video};
    for (std::size_t i = 1; i < item.size(); ++i) {
      if (!is_ssrc(item[i]) || !set.sources.contains(item[i].get<std::uint32_t>())) {
        return bad("group of sources that are not in the message");
      }
      group.ssrcs.push_back(item[i].get<std::uint32_t>());
    }
    set.groups.insert(group);
  }
  return {};
}

Result<> parse_owner(const Json& lists, SourceSet& set) {
  if (!lists.is_array() || lists.size() < 3 || lists.size() > 4) {
    return bad("an owner needs three or four lists");
  }
  for (const Json& list : lists) {
    if (!list.is_array()) {
      return bad("an owner's list is not a list");
    }
  }
  Result<> parsed = parse_source_array(lists[0], true, set);
  if (parsed) {
    parsed = parse_source_array(lists[2], false, set);
  }
  if (parsed) {
    parsed = parse_group_array(lists[1], true, set);
  }
  if (parsed && lists.size() == 4) {
    parsed = parse_group_array(lists[3], false, set);
  }
  return parsed;
}

}  // namespace

Result<SourcesByOwner> parse_json_sources(std::string_view text) {
  const Json message = Json::parse(text, nullptr, false);
  if (!message.is_object() || !message.contains("sources") || !message["sources"].is_object()) {
    return bad("no object 'sources'");
  }
  SourcesByOwner found;
  for (const auto& [owner, lists] : message["sources"].items()) {
    if (Result<> parsed = parse_owner(lists, found[owner]); !parsed) {
      return tl::make_unexpected(parsed.error());
    }
  }
  return found;
}

}  // namespace bascule::peers
