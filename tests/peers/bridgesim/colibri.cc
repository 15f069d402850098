#include "tests/peers/bridgesim/colibri.h"

#include <algorithm>

#include "tests/peers/bridgesim/colibri_xml.h"
#include "tests/peers/bridgesim/relays.h"
#include "tests/peers/common/encoding.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// From the credentials of the other side to a connected endpoint: ICE and DTLS.
constexpr milliseconds kConnectMin{300};
constexpr milliseconds kConnectMax{2000};
// Who sends nothing for this long costs nothing any more.
constexpr seconds kSilentAfter{5};

std::string_view meeting_of(const xml::Element& modify) {
  return modify.attribute_or_empty("meeting-id");
}

/// Does the request do more to its endpoints than expire, force-mute or set last-n?
bool touches_media(const xml::Element& endpoint) {
  return is_true(endpoint, "create") || colibri_child(endpoint, "media") != nullptr ||
         colibri_child(endpoint, "transport") != nullptr ||
         colibri_child(endpoint, "sources") != nullptr;
}

void add_feedback(xml::Element& modified, const BridgeConference& conference) {
  xml::Element& sources = modified.add(element("sources", ns::kColibri2));
  for (const bool video : {false, true}) {
    const std::string name = video ? "jvb-v0" : "jvb-a0";
    xml::Element& source = sources.add(element(
        "media-source", ns::kColibri2, {{"type", video ? "video" : "audio"}, {"id", name}}));
    const std::uint32_t ssrc = video ? conference.video_ssrc : conference.audio_ssrc;
    source.add(element("source", ns::kSources, {{"ssrc", std::to_string(ssrc)}, {"name", name}}));
  }
}

}  // namespace

/// What the handlers of one request share.
struct Colibri::Step {
  std::string meeting;
  BridgeConference& conference;
  ColibriReply& reply;
  SteadyTime now;
  bool tolerant;  ///< Unknown endpoints are ignored.
  bool created = false;
};

std::optional<ColibriError> Colibri::admit(const xml::Element& modify,
                                           bool shutting_down_gracefully, SteadyTime now) {
  const std::string meeting(meeting_of(modify));
  const bool exists = conferences_.contains(meeting);
  if (!is_true(modify, "create")) {
    if (exists) {
      return std::nullopt;
    }
    return ColibriError{"cancel", "item-not-found", "conference_not_found",
                        "Conference not found for meeting-id " + meeting, ""};
  }
  if (exists) {
    return ColibriError{"cancel", "conflict", "conference_already_exists",
                        "Conference already exists for meeting-id " + meeting, ""};
  }
  if (shutting_down_gracefully) {
    return ColibriError{"cancel", "service-unavailable", "graceful_shutdown",
                        "In graceful shutdown", ""};
  }
  BridgeConference& made = conferences_[meeting];
  made.conference_id = random_text(random_, 16, kHexAlphabet);
  made.name = modify.attribute_or_empty("name");
  made.created = now;
  made.audio_ssrc = static_cast<std::uint32_t>(1 + random_.below(0xFFFF'FFFEU));
  made.video_ssrc = static_cast<std::uint32_t>(1 + random_.below(0xFFFF'FFFEU));
  ++conferences_created_;
  return std::nullopt;
}

std::optional<ColibriReply> Colibri::process(const xml::Element& modify, SteadyTime now) {
  const auto found = conferences_.find(meeting_of(modify));
  if (found == conferences_.end()) {
    return std::nullopt;
  }
  ColibriReply reply;
  reply.modified = element("conference-modified", ns::kColibri2);
  const auto endpoints = colibri_children(modify, "endpoint");
  const auto relays = colibri_children(modify, "relay");
  const bool media = std::any_of(endpoints.begin(), endpoints.end(),
                                 [](const xml::Element* item) { return touches_media(*item); });
  if (!relays.empty() && !endpoints.empty()) {
    reply.wrong.emplace_back("endpoint and relay in one request");
    reply.error = not_implemented("feature_not_implemented", "endpoints and relays together");
    return reply;
  }
  if (relays.size() > 1 || (endpoints.size() > 1 && media)) {
    reply.wrong.emplace_back("several endpoints with media or several relays in one request");
    reply.error = not_implemented("feature_not_implemented", "too much in one request");
    return reply;
  }
  Step step{found->first, found->second, reply, now, !media, is_true(modify, "create")};
  for (const xml::Element* item : endpoints) {
    reply.error = endpoint(*item, step);
    if (reply.error) {
      return reply;
    }
  }
  if (!relays.empty()) {
    reply.error = process_relay(*relays.front(), found->second, identity_, random_, reply);
    if (reply.error) {
      return reply;
    }
  }
  if (step.created) {
    add_feedback(reply.modified, found->second);
  }
  reply.expires =
      is_true(modify, "expire") || (!is_true(modify, "create") && found->second.endpoints.empty() &&
                                    found->second.relays.empty());
  return reply;
}

std::optional<ColibriError> Colibri::endpoint(const xml::Element& request, Step& step) {
  const std::string id(request.attribute_or_empty("id"));
  if (is_true(request, "expire")) {
    step.conference.endpoints.erase(id);
    step.reply.modified.add(element("endpoint", ns::kColibri2, {{"id", id}, {"expire", "true"}}));
    return std::nullopt;
  }
  return is_true(request, "create") ? create(request, step) : update(request, step);
}

std::optional<ColibriError> Colibri::create(const xml::Element& request, Step& step) {
  const std::string id(request.attribute_or_empty("id"));
  if (step.conference.endpoints.contains(id)) {
    if (!step.conference.uncertain) {
      step.reply.wrong.push_back("create for the existing endpoint " + id);
    }
    return ColibriError{"cancel", "conflict", "", "Endpoint already exists: " + id, ""};
  }
  if (is_remote(step.conference, id)) {
    if (!step.conference.uncertain) {
      step.reply.wrong.push_back("create for " + id + ", which is a remote endpoint");
    }
    return ColibriError{"cancel", "internal-server-error", "", "Remote endpoint: " + id, ""};
  }
  const xml::Element* offered = colibri_child(request, "transport");
  if (offered == nullptr) {
    step.reply.wrong.push_back("create without transport for " + id);
    return bad_request("Attempt to create endpoint " + id + " with no transport");
  }
  const auto capabilities = colibri_children(request, "capability");
  const bool named = std::any_of(capabilities.begin(), capabilities.end(), [](const auto* item) {
    return item->attribute_or_empty("name") == "source-names";
  });
  if (!named) {
    step.reply.wrong.push_back("create without capability source-names for " + id);
    return bad_request("Source names are required");
  }
  if (const xml::Element* sctp = colibri_child(*offered, "sctp")) {
    const std::string_view role = sctp->attribute_or_empty("role");
    const std::string_view port = sctp->attribute_or_empty("port");
    if (!role.empty() && role != "server") {
      step.reply.wrong.push_back("sctp role other than server for " + id);
      return not_implemented("", "Unsupported SCTP role");
    }
    if (!port.empty() && port != "5000") {
      step.reply.wrong.push_back("sctp port other than 5000 for " + id);
      return bad_request("Unsupported SCTP port");
    }
  }
  BridgeEndpoint made;
  made.created = step.now;
  made.visitor = request.attribute_or_empty("muc-role") == "visitor";
  apply_sources(request, made);
  const xml::Element* sources = colibri_child(request, "sources");
  if (made.visitor && sources != nullptr && !sources->children.empty()) {
    step.reply.wrong.push_back("sources for the visitor " + id);
    return bad_request("Visitors must not have sources");
  }
  ++endpoints_created_;
  step.created = true;
  xml::Element& answer = step.reply.modified.add(element("endpoint", ns::kColibri2, {{"id", id}}));
  answer.add(transport(*offered, id, step.conference, made));
  by_ufrag_[made.ours.ufrag] = {step.meeting, id};
  step.conference.endpoints.emplace(id, made);
  return std::nullopt;
}

std::optional<ColibriError> Colibri::update(const xml::Element& request, Step& step) {
  const std::string id(request.attribute_or_empty("id"));
  const auto found = step.conference.endpoints.find(id);
  xml::Element answer = element("endpoint", ns::kColibri2, {{"id", id}});
  if (found == step.conference.endpoints.end()) {
    if (!step.tolerant) {
      return ColibriError{"cancel", "item-not-found", "unknown_endpoint",
                          "Endpoint not found for ID: " + id, id};
    }
    step.reply.modified.add(std::move(answer));
    return std::nullopt;
  }
  BridgeEndpoint& target = found->second;
  if (const xml::Element* offered = colibri_child(request, "transport")) {
    if (is_true(*offered, "ice-restart")) {
      target.ice_generation += target.connected_at ? 1 : 0;
      answer.add(transport(*offered, id, step.conference, target));
      by_ufrag_[target.ours.ufrag] = {step.meeting, id};
    } else if (const xml::Element* ice = offered->child("transport", ns::kIce)) {
      const bool complete = ice->attribute("ufrag") && ice->attribute("pwd");
      if (complete) {
        target.theirs = {std::string(ice->attribute_or_empty("ufrag")),
                         std::string(ice->attribute_or_empty("pwd"))};
        if (!target.has_transport && !identity_.media) {
          target.connected_at = step.now + random_between(random_, kConnectMin, kConnectMax);
        }
        target.has_transport = true;
      }
    }
  }
  apply_sources(request, target);
  step.reply.modified.add(std::move(answer));
  return std::nullopt;
}

void Colibri::apply_sources(const xml::Element& request, BridgeEndpoint& target) const {
  const xml::Element* sources = colibri_child(request, "sources");
  if (sources == nullptr) {
    return;
  }
  target.ssrcs = read_ssrcs(*sources, target.sends);
}

xml::Element Colibri::transport(const xml::Element& request, const std::string& endpoint_id,
                                const BridgeConference& conference, BridgeEndpoint& endpoint) {
  endpoint.ours = {random_text(random_, 14, kBase32Alphabet),
                   random_text(random_, 26, kBase32Alphabet)};
  const std::string url = "wss://media.example.net/colibri-ws/" + identity_.nick + "/" +
                          conference.conference_id + "/" + endpoint_id +
                          "?pwd=" + random_text(random_, 24, kBase32Alphabet);
  xml::Element answer = element("transport", ns::kColibri2);
  xml::Element& ice =
      answer.add(ice_transport(identity_, identity_.port, endpoint.ours, url, random_));
  if (endpoint.ice_generation > 0) {
    ice.set("ice-generation", std::to_string(endpoint.ice_generation));
  }
  if (colibri_child(request, "sctp") != nullptr) {
    answer.add(element("sctp", ns::kColibri2, {{"port", "5000"}, {"role", "server"}}));
  }
  return answer;
}

void Colibri::erase(std::string_view meeting) {
  const auto found = conferences_.find(meeting);
  if (found != conferences_.end()) {
    conferences_.erase(found);
  }
}

const BridgeEndpoint* Colibri::endpoint_of(std::string_view ufrag) const {
  const auto known = by_ufrag_.find(ufrag);
  if (known == by_ufrag_.end()) {
    return nullptr;
  }
  const auto& [meeting, id] = known->second;
  const auto conference = conferences_.find(meeting);
  if (conference == conferences_.end()) {
    return nullptr;
  }
  const auto endpoint = conference->second.endpoints.find(id);
  const bool current =
      endpoint != conference->second.endpoints.end() && endpoint->second.ours.ufrag == ufrag;
  return current ? &endpoint->second : nullptr;
}

bool Colibri::media_arrived(std::string_view ufrag, SteadyTime now) {
  if (endpoint_of(ufrag) == nullptr) {
    by_ufrag_.erase(std::string(ufrag));
    return false;
  }
  const auto& [meeting, id] = by_ufrag_.find(ufrag)->second;
  BridgeEndpoint& endpoint = conferences_.at(meeting).endpoints.at(id);
  if (!endpoint.has_transport) {
    return false;
  }
  endpoint.last_media = now;
  if (!endpoint.connected_at) {
    endpoint.connected_at = now + random_between(random_, kConnectMin, kConnectMax);
  }
  return true;
}

bool Colibri::is_live(const BridgeEndpoint& endpoint, SteadyTime now) const {
  return endpoint.connected_at && *endpoint.connected_at <= now &&
         (!identity_.media || now - endpoint.last_media < kSilentAfter);
}

void Colibri::sweep(SteadyTime now) {
  const auto is_gone = [this, now](const BridgeEndpoint& endpoint) {
    if (!endpoint.connected_at) {
      return now - endpoint.created > seconds(120);
    }
    return identity_.media && now - endpoint.last_media > seconds(60);
  };
  for (auto& [meeting, conference] : conferences_) {
    std::erase_if(conference.endpoints,
                  [&is_gone](const auto& item) { return is_gone(item.second); });
  }
  std::erase_if(conferences_, [now](const auto& item) {
    return item.second.endpoints.empty() && now - item.second.created > seconds(20);
  });
}

int Colibri::lose_endpoints(int count) {
  int lost = 0;
  for (auto& [meeting, conference] : conferences_) {
    while (lost < count && !conference.endpoints.empty()) {
      conference.endpoints.erase(conference.endpoints.begin());
      conference.uncertain = true;
      ++lost;
    }
  }
  return lost;
}

void Colibri::mark_uncertain(std::string_view meeting) {
  const auto found = conferences_.find(meeting);
  if (found != conferences_.end()) {
    found->second.uncertain = true;
  }
}

void Colibri::mark_all_uncertain() {
  for (auto& [meeting, conference] : conferences_) {
    conference.uncertain = true;
  }
}

int Colibri::relay_count() const {
  int count = 0;
  for (const auto& [meeting, conference] : conferences_) {
    count += static_cast<int>(conference.relays.size());
  }
  return count;
}

int Colibri::endpoint_count() const {
  int count = 0;
  for (const auto& [meeting, conference] : conferences_) {
    count += static_cast<int>(conference.endpoints.size());
  }
  return count;
}

}  // namespace bascule::peers
