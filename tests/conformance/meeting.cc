#include "meeting.h"

#include <algorithm>
#include <set>
#include <utility>

#include "xmpp/proto/iq.h"
#include "xmpp/xml/parser.h"

namespace bascule::conformance {
namespace {

const std::string kService = "conference.example.net";
const std::string kModerationComponent = "avmoderation.example.net";
const std::string kFocusAddress = "focus@auth.example.net/bascule";

std::string occupant(const std::string& nick) {
  return kRoom + '@' + kService + '/' + nick;
}

xml::Element parse_stanza(const std::string& text) {
  const auto parsed = xml::parse("<s xmlns='jabber:client'>" + text + "</s>");
  if (!parsed) {
    ADD_FAILURE() << "the test wrote malformed XML: " << text;
    return {};
  }
  return parsed->children.at(0);
}

const proto::Jingle* jingle_of(const Stage::Sent& sent, const std::string& nick) {
  const auto* iq = std::get_if<focus::out::SendIq>(&sent.what);
  return iq != nullptr && iq->to.to_string() == occupant(nick)
             ? std::get_if<proto::Jingle>(&iq->payload)
             : nullptr;
}

const proto::ConferenceModify* colibri_of(const Stage::Sent& sent) {
  const auto* iq = std::get_if<focus::out::SendIq>(&sent.what);
  return iq == nullptr ? nullptr : std::get_if<proto::ConferenceModify>(&iq->payload);
}

proto::Sources bridge_sources() {
  proto::Sources sources;
  sources.media_sources = {
      {.type = proto::MediaType::kAudio, .id = "jvb-a0", .sources = {{.ssrc = Ssrc(1440023189)}}},
      {.type = proto::MediaType::kVideo, .id = "jvb-v0", .sources = {{.ssrc = Ssrc(2671189403)}}}};
  for (auto& media_source : sources.media_sources) {
    media_source.sources.front().name = media_source.id;
  }
  return sources;
}

}  // namespace

std::vector<std::string> without(std::vector<std::string> features, const std::string& feature) {
  std::erase(features, feature);
  return features;
}

std::vector<std::string> with(std::vector<std::string> features, const std::string& feature) {
  features.push_back(feature);
  return features;
}

Meeting::Meeting() {
  start(Stage::make_options());
}

Meeting::~Meeting() {
  EXPECT_EQ(stage_->focus.counters().bugs, 0U);
}

void Meeting::start(focus::Options options, std::uint64_t seed) {
  replies_.clear();
  stage_ = std::make_unique<Stage>(focus::Restored{}, seed, std::move(options));
  link_ = std::make_unique<focus::Link>(
      focus::LinkOptions{.stream = StreamId::kClient, .send_from = {}, .proxy_address = {}});
  std::vector<focus::Input> inputs;
  link_->up({.bound_jid = Jid::parse(kFocusAddress).value(), .resumed = false}, inputs);
  stage_->main_host.identities = {{"component", "av_moderation", kModerationComponent}};
  stage_->start_all();
  stage_->add_bridge("jvb1");
  bridge().feedback = bridge_sources();
  stage_->advance(seconds{6});
  from_ = 0;
}

void Meeting::enter(const std::string& nick, const std::vector<std::string>& features,
                    ClientMood mood) {
  if (!stage_->room(kRoom).focus_in) {
    proto::ConferenceRequest request = Stage::request_for(kRoom);
    request.properties = request_properties;
    stage_->iq(StreamId::kRequests, "alice@example.net/web", std::move(request));
    stage_->advance(milliseconds{10});
  }
  Stage::Client& client = stage_->room(kRoom).clients[nick];
  client.features = features;
  client.mood = mood;
  stage_->join(kRoom, nick);
  settle();
}

void Meeting::meet(const std::vector<std::string>& nicks,
                   const std::vector<std::string>& features) {
  for (const auto& nick : nicks) {
    enter(nick, features);
  }
  stage_->advance(seconds{2});
  for (const auto& nick : nicks) {
    EXPECT_TRUE(accept(nick).is_result) << nick;
    EXPECT_EQ(state(nick), ParticipantState::kActive) << nick;
  }
  forget();
}

Reply Meeting::accept(const std::string& nick, const std::vector<Word>& words) {
  return ask(nick, jingle("session-accept", sid(nick),
                          contents_with_transport(words, transport("of-" + nick))));
}

Reply Meeting::add(const std::string& nick, const std::vector<Word>& words) {
  return ask(nick, jingle("source-add", sid(nick), contents(words)));
}

Reply Meeting::remove(const std::string& nick, const std::vector<Word>& words) {
  return ask(nick, jingle("source-remove", sid(nick), contents(words)));
}

Reply Meeting::terminate(const std::string& nick, bool restart) {
  const std::string session = std::exchange(client(nick).sid, "");
  return ask(nick, jingle("session-terminate", session,
                          "<reason><connectivity-error/><text>ICE FAILED</text></reason>" +
                              bridge_session(client(nick).bridge_session,
                                             restart ? "restart='true'" : "")));
}

std::string Meeting::send(const std::string& nick, const std::string& jingle_xml) {
  std::string id = "client-" + std::to_string(++last_id_);
  std::vector<focus::Input> inputs;
  link_->receive(parse_stanza("<iq type='set' id='" + id + "' from='" + occupant(nick) + "' to='" +
                              kFocusAddress + "'>" + jingle_xml + "</iq>"),
                 inputs, replies_);
  for (const focus::Input& input : inputs) {
    stage_->give(input);
  }
  return id;
}

Reply Meeting::ask(const std::string& nick, const std::string& jingle_xml) {
  const std::string id = send(nick, jingle_xml);
  settle();
  Reply reply = reply_to(id);
  EXPECT_EQ(reply.count, 1U) << jingle_xml;
  return reply;
}

Reply Meeting::reply_to(const std::string& id) const {
  std::vector<xml::Element> answers;
  for (const xml::Element& answer : replies_) {
    answers.push_back(answer);
  }
  for (const Stage::Sent& sent : stage_->sent) {
    if (const auto* answer = std::get_if<focus::out::AnswerIq>(&sent.what)) {
      answers.push_back(link_->send(*answer));
    }
  }
  Reply reply;
  for (const xml::Element& answer : answers) {
    if (answer.attribute_or_empty("id") != id) {
      continue;
    }
    ++reply.count;
    reply.is_result = answer.attribute_or_empty("type") == "result";
    if (const auto error = proto::decode_iq_error(answer); error && !reply.is_result) {
      reply.error = *error;
    }
  }
  return reply;
}

std::vector<proto::Jingle> Meeting::told(const std::string& nick) const {
  std::vector<proto::Jingle> result;
  for (std::size_t i = from_; i < stage_->sent.size(); ++i) {
    if (const auto* jingle = jingle_of(stage_->sent[i], nick)) {
      result.push_back(*jingle);
    }
  }
  return result;
}

std::vector<proto::Jingle> Meeting::told(const std::string& nick, JingleAction action) const {
  auto result = told(nick);
  std::erase_if(result, [&](const proto::Jingle& jingle) { return jingle.action != action; });
  return result;
}

std::size_t Meeting::count(const std::string& nick, JingleAction action) const {
  return told(nick, action).size();
}

proto::Jingle Meeting::offer(const std::string& nick) const {
  proto::Jingle last;
  for (const Stage::Sent& sent : stage_->sent) {
    const auto* jingle = jingle_of(sent, nick);
    if (jingle != nullptr && jingle->action == JingleAction::kSessionInitiate) {
      last = *jingle;
    }
  }
  EXPECT_EQ(last.action, JingleAction::kSessionInitiate) << nick << " has no offer";
  return last;
}

xml::Element Meeting::offer_xml(const std::string& nick) const {
  return proto::encode(offer(nick));
}

const proto::Content* Meeting::content(const proto::Jingle& offer, const std::string& name) const {
  const auto found =
      std::find_if(offer.contents.begin(), offer.contents.end(),
                   [&](const proto::Content& candidate) { return candidate.name == name; });
  return found == offer.contents.end() ? nullptr : &*found;
}

std::vector<std::string> Meeting::announced(const std::string& nick) const {
  std::vector<std::string> result;
  for (const proto::Jingle& jingle : told(nick)) {
    if (jingle.action == JingleAction::kSourceAdd || jingle.action == JingleAction::kSourceRemove) {
      result.push_back((jingle.action == JingleAction::kSourceAdd ? "+" : "-") +
                       (jingle.json() ? jingle.json()->json : "xml"));
    }
  }
  return result;
}

std::vector<proto::Endpoint> Meeting::bridge_told(const std::string& nick) const {
  std::vector<proto::Endpoint> result;
  for (std::size_t i = from_; i < stage_->sent.size(); ++i) {
    if (const auto* modify = colibri_of(stage_->sent[i])) {
      for (const proto::Endpoint& endpoint : modify->endpoints) {
        if (endpoint.id == nick) {
          result.push_back(endpoint);
        }
      }
    }
  }
  return result;
}

bool Meeting::on_bridge(const std::string& nick) {
  return std::any_of(stage_->bridges.begin(), stage_->bridges.end(), [&](const auto& entry) {
    const auto meeting = entry.second.meetings.find(kMeetingId);
    return meeting != entry.second.meetings.end() && meeting->second.contains(nick);
  });
}

focus::Options Meeting::moderated_options() {
  focus::Options options = Stage::make_options();
  options.main_host = Jid::parse("example.net").value();
  options.trusted_domains = {"recorder.example.net"};
  return options;
}

void Meeting::promote(const std::string& nick) {
  client(nick).role = proto::Role::kModerator;
  stage_->present(kRoom, nick, [](proto::MucPresence& presence) {
    presence.items.front().role = proto::Role::kModerator;
  });
}

void Meeting::enter_recorder(const std::string& nick) {
  enter(nick);
  client(nick).real_jid = nick + "@recorder.example.net/x";
  stage_->present(kRoom, nick, [](proto::MucPresence& presence) {
    presence.participant.features = std::set<std::string>{"http://jitsi.org/protocol/jibri"};
  });
}

void Meeting::switch_on(const std::string& media, const std::string& actor) {
  stage_->say(kModerationComponent, std::nullopt,
              R"({"type":"av_moderation","room":"tea@conference.example.net","enabled":true,)"
              R"("mediaType":")" +
                  media + R"(","actor":")" + occupant(actor) + "\"}");
}

void Meeting::allow(const std::string& media, const std::string& nick) {
  stage_->say(kModerationComponent, std::nullopt,
              R"({"type":"av_moderation","room":"tea@conference.example.net","mediaType":")" +
                  media + R"(","whitelists":{")" + media + "\":[\"" + occupant(nick) + "\"]}}");
}

void Meeting::sends(const std::string& nick, bool audio, bool video) {
  stage_->present(kRoom, nick, [&](proto::MucPresence& presence) {
    presence.participant.source_info = "{\"" + nick + R"(-a0":{"muted":)" +
                                       (audio ? "false" : "true") + "},\"" + nick +
                                       R"(-v0":{"muted":)" + (video ? "false" : "true") + "}}";
  });
}

std::optional<proto::ForceMute> Meeting::forced(const std::string& nick) const {
  std::optional<proto::ForceMute> last;
  for (const proto::ConferenceModify& message : stage_->colibri) {
    for (const proto::Endpoint& endpoint : message.endpoints) {
      if (endpoint.id == nick && endpoint.force_mute) {
        last = endpoint.force_mute;
      }
    }
  }
  return last;
}

std::optional<std::string> Meeting::property(const std::string& name) const {
  const auto& properties = stage_->room_presences.back().focus.conference_properties;
  const auto found = properties.find(name);
  return found == properties.end() ? std::nullopt : std::optional(found->second);
}

bool is_jingle_to(const Stage::Sent& sent, const std::string& nick, JingleAction action) {
  const auto* jingle = jingle_of(sent, nick);
  return jingle != nullptr && jingle->action == action;
}

bool is_answer(const Stage::Sent& sent, const std::string& id) {
  const auto* answer = std::get_if<focus::out::AnswerIq>(&sent.what);
  return answer != nullptr && answer->stanza_id == id;
}

bool is_create(const Stage::Sent& sent, const std::string& endpoint) {
  const auto* modify = colibri_of(sent);
  return modify != nullptr &&
         std::any_of(modify->endpoints.begin(), modify->endpoints.end(),
                     [&](const auto& one) { return one.id == endpoint && one.create; });
}

bool is_expire(const Stage::Sent& sent, const std::string& endpoint) {
  const auto* modify = colibri_of(sent);
  return modify != nullptr &&
         (modify->expire ||
          std::any_of(modify->endpoints.begin(), modify->endpoints.end(),
                      [&](const auto& one) { return one.id == endpoint && one.expire; }));
}

Ssrcs ssrcs_of(const proto::Endpoint& endpoint) {
  Ssrcs ssrcs;
  if (endpoint.sources) {
    for (const auto& media_source : endpoint.sources->media_sources) {
      for (const auto& source : media_source.sources) {
        ssrcs.push_back(source.ssrc.value());
      }
    }
  }
  return ssrcs;
}

}  // namespace bascule::conformance
