#include "tests/peers/bridgesim/schema.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/jid.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

using Problems = std::vector<std::string>;
using Words = std::initializer_list<std::string_view>;

bool is_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= low && value <= high;
}

bool one_of(std::string_view text, Words words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

void require(bool holds, Problems& problems, const std::string& text) {
  if (!holds) {
    problems.push_back(text);
  }
}

void booleans(const xml::Element& element, Words names, Problems& problems) {
  for (const std::string_view name : names) {
    const auto value = element.attribute(name);
    require(!value || *value == "true" || *value == "false", problems,
            element.name + "@" + std::string(name) + " is not a boolean");
  }
}

/// Children in the namespace of colibri2 must be known ones.
void known_children(const xml::Element& parent, Words names, Problems& problems) {
  for (const xml::Element& child : parent.children) {
    require(child.ns != ns::kColibri2 || one_of(child.name, names), problems,
            "unknown child " + child.name + " in " + parent.name);
  }
}

void check_ssrc(const xml::Element& source, Problems& problems) {
  require(is_number(source.attribute_or_empty("ssrc"), 1, 0xFFFF'FFFF), problems,
          "source@ssrc is not an SSRC");
}

void check_media(const xml::Element& media, Problems& problems) {
  require(one_of(media.attribute_or_empty("type"), {"audio", "video"}), problems, "media@type");
  for (const xml::Element& child : media.children) {
    if (child.is("payload-type", ns::kRtp)) {
      require(is_number(child.attribute_or_empty("id"), 0, 127), problems, "payload-type@id");
      require(!child.attribute_or_empty("name").empty(), problems, "payload-type@name");
      require(is_number(child.attribute_or_empty("clockrate"), 1, 1'000'000), problems,
              "payload-type@clockrate");
    } else if (child.is("rtp-hdrext", ns::kHdrext)) {
      require(is_number(child.attribute_or_empty("id"), 1, 255), problems, "rtp-hdrext@id");
      require(!child.attribute_or_empty("uri").empty(), problems, "rtp-hdrext@uri");
    } else {
      require(child.is("extmap-allow-mixed", ns::kHdrext), problems, "media child " + child.name);
    }
  }
}

void check_transport(const xml::Element& transport, Problems& problems) {
  booleans(transport, {"ice-controlling", "use-unique-port", "ice-restart"}, problems);
  known_children(transport, {"sctp"}, problems);
  if (const xml::Element* sctp = transport.child("sctp", ns::kColibri2)) {
    require(
        !sctp->attribute("role") || one_of(sctp->attribute_or_empty("role"), {"client", "server"}),
        problems, "sctp@role");
    require(!sctp->attribute("port") || is_number(sctp->attribute_or_empty("port"), 1, 65535),
            problems, "sctp@port");
  }
  if (const xml::Element* ice = transport.child("transport", ns::kIce)) {
    require(ice->attribute("ufrag").has_value() == ice->attribute("pwd").has_value(), problems,
            "ice transport with only one of ufrag and pwd");
    const xml::Element* fingerprint = ice->child("fingerprint", ns::kDtls);
    require(fingerprint == nullptr || !fingerprint->text.empty(), problems, "empty fingerprint");
  }
}

void check_sources(const xml::Element& sources, Problems& problems) {
  known_children(sources, {"media-source"}, problems);
  for (const xml::Element& item : sources.children) {
    require(one_of(item.attribute_or_empty("type"), {"audio", "video"}), problems,
            "media-source@type");
    require(!item.attribute_or_empty("id").empty(), problems, "media-source@id");
    for (const xml::Element& child : item.children) {
      if (child.is("source", ns::kSources)) {
        check_ssrc(child, problems);
      } else if (child.is("ssrc-group", ns::kSources)) {
        require(one_of(child.attribute_or_empty("semantics"), {"SIM", "FID", "FEC-FR"}), problems,
                "ssrc-group@semantics");
        require(!child.children.empty(), problems, "empty ssrc-group");
        for (const xml::Element& member : child.children) {
          check_ssrc(member, problems);
        }
      } else {
        problems.push_back("media-source child " + child.name);
      }
    }
  }
}

void check_endpoint(const xml::Element& endpoint, Problems& problems) {
  require(!endpoint.attribute_or_empty("id").empty(), problems, "endpoint@id");
  booleans(endpoint, {"create", "expire", "diarize"}, problems);
  require(
      !endpoint.attribute("muc-role") || one_of(endpoint.attribute_or_empty("muc-role"),
                                                {"moderator", "participant", "none", "visitor"}),
      problems, "endpoint@muc-role");
  known_children(endpoint,
                 {"media", "transport", "sources", "force-mute", "capability", "initial-last-n"},
                 problems);
  for (const xml::Element& child : endpoint.children) {
    if (child.is("media", ns::kColibri2)) {
      check_media(child, problems);
    } else if (child.is("transport", ns::kColibri2)) {
      check_transport(child, problems);
    } else if (child.is("sources", ns::kColibri2)) {
      check_sources(child, problems);
    } else if (child.is("force-mute", ns::kColibri2)) {
      booleans(child, {"audio", "video"}, problems);
    } else if (child.is("capability", ns::kColibri2)) {
      require(!child.attribute_or_empty("name").empty(), problems, "capability@name");
    } else if (child.is("initial-last-n", ns::kColibri2)) {
      require(is_number(child.attribute_or_empty("value"), 0, 1'000'000), problems,
              "initial-last-n@value");
    }
  }
}

void check_relay(const xml::Element& relay, Problems& problems) {
  require(!relay.attribute_or_empty("id").empty(), problems, "relay@id");
  booleans(relay, {"create", "expire"}, problems);
  known_children(relay, {"media", "transport", "endpoints"}, problems);
  for (const xml::Element& child : relay.children) {
    if (child.is("media", ns::kColibri2)) {
      check_media(child, problems);
    } else if (child.is("transport", ns::kColibri2)) {
      check_transport(child, problems);
    } else if (child.is("endpoints", ns::kColibri2)) {
      known_children(child, {"endpoint"}, problems);
      for (const xml::Element& endpoint : child.children) {
        check_endpoint(endpoint, problems);
        require(endpoint.child("media", ns::kColibri2) == nullptr &&
                    endpoint.child("transport", ns::kColibri2) == nullptr,
                problems, "remote endpoint with media or transport");
      }
    }
  }
}

}  // namespace

std::vector<std::string> schema_problems(const xml::Element& modify) {
  Problems problems;
  const std::string_view meeting = modify.attribute_or_empty("meeting-id");
  require(meeting.find_first_not_of(' ') != std::string_view::npos, problems,
          "conference-modify@meeting-id");
  booleans(modify, {"create", "expire", "rtcstats-enabled"}, problems);
  known_children(modify, {"endpoint", "relay", "connects"}, problems);
  if (const auto name = modify.attribute("name")) {
    const Result<Jid> room = Jid::parse(*name);
    require(room && room->is_bare() && !room->local().empty(), problems,
            "conference-modify@name is not a room address");
  }
  for (const xml::Element& child : modify.children) {
    if (child.is("endpoint", ns::kColibri2)) {
      check_endpoint(child, problems);
    } else if (child.is("relay", ns::kColibri2)) {
      check_relay(child, problems);
    }
  }
  return problems;
}

}  // namespace bascule::peers
