#include "tests/peers/clientsim/offer.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

void require(bool holds, Offer& offer, const std::string& text) {
  if (!holds) {
    offer.wrong.push_back(text);
  }
}

std::vector<const xml::Element*> contents_of(const xml::Element& jingle) {
  std::vector<const xml::Element*> found;
  for (const xml::Element& child : jingle.children) {
    if (child.is("content", ns::kJingle)) {
      found.push_back(&child);
    }
  }
  return found;
}

void check_description(const xml::Element& content, std::string_view name, Offer& offer) {
  const xml::Element* description = content.child("description", ns::kRtp);
  const std::string where = "content " + std::string(name);
  if (description == nullptr) {
    offer.wrong.push_back(where + " without description");
    return;
  }
  const std::string_view media = name == "data" ? "application" : name;
  require(description->attribute_or_empty("media") == media, offer, where + ": media");
  require(description->child("rtcp-mux", ns::kRtp) != nullptr, offer, where + ": no rtcp-mux");
  if (name == "data") {
    return;
  }
  const xml::Element* payload = description->child("payload-type", ns::kRtp);
  require(payload != nullptr, offer, where + ": no payload type");
  for (const xml::Element& child : description->children) {
    if (child.is("payload-type", ns::kRtp)) {
      require(!child.attribute_or_empty("id").empty() &&
                  !child.attribute_or_empty("name").empty() &&
                  !child.attribute_or_empty("clockrate").empty(),
              offer, where + ": incomplete payload type");
    }
  }
}

void check_transport(const xml::Element& content, std::string_view name, Offer& offer) {
  const std::string where = "content " + std::string(name);
  const xml::Element* transport = content.child("transport", ns::kIce);
  if (transport == nullptr) {
    offer.wrong.push_back(where + " without transport");
    return;
  }
  require(!transport->attribute_or_empty("ufrag").empty(), offer, where + ": no ufrag");
  require(!transport->attribute_or_empty("pwd").empty(), offer, where + ": no pwd");
  const xml::Element* fingerprint = transport->child("fingerprint", ns::kDtls);
  require(fingerprint != nullptr && !fingerprint->text.empty() &&
              !fingerprint->attribute_or_empty("hash").empty() &&
              !fingerprint->attribute_or_empty("setup").empty(),
          offer, where + ": no usable fingerprint");
  const xml::Element* candidate = transport->child("candidate", ns::kIce);
  if (candidate == nullptr) {
    offer.wrong.push_back(where + ": no candidate");
    return;
  }
  int port = 0;
  const std::string_view text = candidate->attribute_or_empty("port");
  std::from_chars(text.data(), text.data() + text.size(), port);
  require(port > 0, offer, where + ": candidate without port");
  require(offer.candidate_port == 0 || offer.candidate_port == port, offer,
          where + ": transports of different bridges");
  offer.candidate_port = port;
  offer.candidate_ip = candidate->attribute_or_empty("ip");
  offer.ufrag = transport->attribute_or_empty("ufrag");
  if (name == "data") {
    const xml::Element* map = transport->child("sctpmap", ns::kSctp);
    require(map != nullptr && map->attribute_or_empty("number") == "5000", offer,
            "data content without sctpmap");
  }
}

void check_contents(const xml::Element& jingle, Offer& offer) {
  const xml::Element* group = jingle.child("group", ns::kGrouping);
  const auto contents = contents_of(jingle);
  require(group != nullptr && group->attribute_or_empty("semantics") == "BUNDLE" &&
              group->children.size() == contents.size(),
          offer, "no BUNDLE group of all contents");
  for (const xml::Element* content : contents) {
    const std::string_view name = content->attribute_or_empty("name");
    require(name == "audio" || name == "video" || name == "data", offer,
            "content named '" + std::string(name) + "'");
    require(content->attribute_or_empty("senders") == "both", offer, "content senders");
    offer.has_video = offer.has_video || name == "video";
    offer.has_data = offer.has_data || name == "data";
    check_description(*content, name, offer);
    check_transport(*content, name, offer);
  }
  require(offer.has_video, offer, "no video content");
}

void check_sources(const xml::Element& jingle, const OfferExpectation& expected, Offer& offer) {
  require(has_json_sources(jingle) == expected.json_sources, offer,
          expected.json_sources ? "sources not as JSON" : "JSON sources for a client without them");
  Result<SourcesByOwner> sources = parse_sources(jingle);
  if (!sources) {
    offer.wrong.push_back(sources.error().what);
    return;
  }
  offer.sources = std::move(*sources);
  const auto feedback = offer.sources.find("jvb");
  require(feedback != offer.sources.end() && feedback->second.sources.size() == 2, offer,
          "no feedback sources of the bridge");
  require(!offer.sources.contains(expected.own_endpoint), offer, "own sources in the offer");
  require(!expected.ssrc_rewriting || offer.sources.size() <= 1, offer,
          "sources of others in spite of SSRC rewriting");
}

xml::Element make_content(std::string_view name) {
  return element("content", ns::kJingle,
                 {{"creator", "responder"}, {"name", name}, {"senders", "both"}});
}

xml::Element make_payload(std::string_view id, std::string_view name, std::string_view clockrate) {
  return element("payload-type", ns::kRtp, {{"id", id}, {"name", name}, {"clockrate", clockrate}});
}

xml::Element make_transport(const Answer& answer, bool data) {
  xml::Element transport =
      element("transport", ns::kIce, {{"ufrag", answer.ufrag}, {"pwd", answer.pwd}});
  if (data) {
    transport.add(
        element("sctpmap", ns::kSctp,
                {{"number", "5000"}, {"protocol", "webrtc-datachannel"}, {"streams", "0"}}));
  }
  transport.add(element("fingerprint", ns::kDtls, {{"hash", "sha-256"}, {"setup", "active"}}))
      .text = answer.fingerprint;
  if (!data) {
    transport.add(element("candidate", ns::kIce,
                          {{"component", "1"},
                           {"foundation", "2979166662"},
                           {"generation", "0"},
                           {"id", answer.ufrag + "c1"},
                           {"ip", "192.0.2.44"},
                           {"network", "1"},
                           {"port", "57698"},
                           {"priority", "2113937151"},
                           {"protocol", "udp"},
                           {"type", "host"}}));
  }
  return transport;
}

xml::Element make_media_content(const Answer& answer, bool video) {
  xml::Element content = make_content(video ? "video" : "audio");
  if (video && answer.last_n >= 0) {
    content.add(
        element("initial-last-n", ns::kColibri2, {{"value", std::to_string(answer.last_n)}}));
  }
  xml::Element& description =
      content.add(element("description", ns::kRtp, {{"media", video ? "video" : "audio"}}));
  if (video) {
    description.add(make_payload("100", "VP8", "90000"))
        .add(element("rtcp-fb", ns::kRtcpFb, {{"type", "transport-cc"}}));
    description.add(make_payload("96", "rtx", "90000"))
        .add(element("parameter", ns::kRtp, {{"name", "apt"}, {"value", "100"}}));
  } else {
    description.add(make_payload("111", "opus", "48000").set("channels", "2"))
        .add(element("parameter", ns::kRtp, {{"name", "minptime"}, {"value", "10"}}));
  }
  append_sources(description, answer.sources, video);
  description.add(element("rtcp-mux", ns::kRtp));
  description.add(element("extmap-allow-mixed", ns::kHdrext));
  content.add(make_transport(answer, false));
  return content;
}

}  // namespace

Offer read_offer(const xml::Element& jingle, const OfferExpectation& expected) {
  Offer offer;
  offer.sid = jingle.attribute_or_empty("sid");
  offer.initiator = jingle.attribute_or_empty("initiator");
  require(!offer.sid.empty(), offer, "no sid");
  require(!offer.initiator.empty(), offer, "no initiator");
  check_contents(jingle, offer);
  check_sources(jingle, expected, offer);
  require(!offer.has_data || expected.data_channel, offer, "data channel for a client without it");
  const xml::Element* bridge_session = jingle.child("bridge-session", ns::kFocus);
  if (bridge_session != nullptr) {
    offer.bridge_session = bridge_session->attribute_or_empty("id");
  }
  require(!offer.bridge_session.empty(), offer, "no bridge-session id");
  return offer;
}

xml::Element make_accept(const Offer& offer, const Answer& answer) {
  xml::Element jingle = element("jingle", ns::kJingle,
                                {{"action", "session-accept"},
                                 {"initiator", offer.initiator},
                                 {"responder", answer.own_jid},
                                 {"sid", offer.sid}});
  xml::Element group = element("group", ns::kGrouping, {{"semantics", "BUNDLE"}});
  std::vector<xml::Element> contents = {make_media_content(answer, false)};
  if (offer.has_video) {
    contents.push_back(make_media_content(answer, true));
  }
  if (offer.has_data) {
    xml::Element data = make_content("data");
    data.add(make_transport(answer, true));
    contents.push_back(std::move(data));
  }
  for (const xml::Element& content : contents) {
    group.add(element("content", ns::kGrouping, {{"name", content.attribute_or_empty("name")}}));
  }
  jingle.add(std::move(group));
  for (xml::Element& content : contents) {
    jingle.add(std::move(content));
  }
  return jingle;
}

xml::Element make_source_change(const Offer& offer, std::string_view action, const SourceSet& set) {
  xml::Element jingle =
      element("jingle", ns::kJingle,
              {{"action", action}, {"initiator", offer.initiator}, {"sid", offer.sid}});
  xml::Element& content = jingle.add(make_content("video"));
  xml::Element& description = content.add(element("description", ns::kRtp, {{"media", "video"}}));
  append_sources(description, set, true);
  return jingle;
}

}  // namespace bascule::peers
