#include "stage.h"

#include <algorithm>
#include <memory>

namespace bascule::focus {
namespace {

using std::chrono::seconds;

Jid jid(const std::string& text) {
  return Jid::parse(text).value();
}

const std::string kService = "conference.example.net";
const std::string kBrewery = "jvbbrewery@internal.auth.example.net";
const std::string kFocusJid = "focus@auth.example.net/bascule";

std::string room_name(const Jid& room) {
  return room.local();
}

proto::IceUdpTransport make_transport() {
  proto::IceUdpTransport transport;
  transport.ufrag = "u";
  transport.pwd = "p";
  transport.fingerprints.push_back({.hash = "sha-256",
                                    .setup = proto::DtlsSetup::kActpass,
                                    .required = std::nullopt,
                                    .cryptex = std::nullopt,
                                    .value = "AA:BB"});
  return transport;
}

}  // namespace

Options Stage::make_options() {
  Options options;
  options.focus_user = jid("focus@auth.example.net");
  options.conference_service = jid(kService);
  options.brewery = RoomJid(jid(kBrewery));
  options.version = "test";
  return options;
}

Stage::Stage(Restored restored, std::uint64_t seed, Options options)
    : focus(options, restored, seed,
            {.mono = Instant(seconds{1000}), .wall = WallTime(seconds{1'800'000'000})}),
      now{.mono = Instant(seconds{1000}), .wall = WallTime(seconds{1'800'000'000})},
      tables(std::move(restored.tables)),
      options_(std::move(options)) {
  Actions actions;
  focus.start(now, actions);
  perform(actions);
}

void Stage::crash_and_restore(Duration pause) {
  Restored restored;
  restored.last_commit = now.wall;
  now.mono += pause;
  now.wall += pause;
  restored.tables = tables;
  restored.same_boot = true;
  restored.poisoned = std::exchange(poisoned, {});
  asked_.clear();
  inputs_.clear();
  up_.clear();
  for (auto& [name, room] : rooms_) {
    room.focus_in = false;
  }
  focus = Focus(options_, restored, 7, now);
  Actions actions;
  focus.start(now, actions);
  perform(actions);
}

proto::ConferenceRequest Stage::request_for(const std::string& room) {
  proto::ConferenceRequest request;
  request.room = RoomJid(jid(room + '@' + kService));
  return request;
}

void Stage::answer_probes() {
  silent_probes = false;
  std::vector<RequestId> open;
  for (const auto& [request, asked] : asked_) {
    if (std::holds_alternative<proto::DiscoInfoRequest>(asked.iq.payload) &&
        asked.iq.to.is_bare()) {
      open.push_back(request);
    }
  }
  for (const RequestId request : open) {
    fail(request, proto::make_error(proto::Condition::kItemNotFound));
  }
  run();
}

void Stage::answer_offer(const std::string& room, const std::string& nick,
                         tl::expected<proto::Answer, proto::StanzaError> outcome) {
  const Jid occupant = jid(room + '@' + kService + '/' + nick);
  std::optional<RequestId> offer;
  for (const auto& [request, asked] : asked_) {
    const auto* jingle = std::get_if<proto::Jingle>(&asked.iq.payload);
    if (asked.iq.to == occupant && jingle != nullptr &&
        jingle->action == proto::JingleAction::kSessionInitiate) {
      offer = request;
    }
  }
  ASSERT_TRUE(offer) << "no offer waits for the answer of " << nick;
  if (outcome) {
    reply(*offer, *std::move(outcome));
  } else {
    fail(*offer, std::move(outcome.error()));
  }
  run();
}

void Stage::release(const std::string& nick) {
  bridges[nick].mood = BridgeMood::kAnswers;
  for (const out::SendIq& action : std::exchange(bridges[nick].held, {})) {
    if (asked_.contains(action.request)) {
      on_colibri(action, std::get<proto::ConferenceModify>(action.payload));
    }
  }
  run();
}

void Stage::give(const Input& input) {
  inputs_.push_back(input);
  run();
}

void Stage::run() {
  while (!inputs_.empty()) {
    const Input input = std::move(inputs_.front());
    inputs_.pop_front();
    Actions actions;
    focus.handle(input, now, actions);
    perform(actions);
    focus.check_invariants();
  }
}

void Stage::perform(const Actions& actions) {
  for (const Action& action : actions) {
    std::visit([&](const auto& what) { on(what); }, action);
  }
}

void Stage::advance(Duration duration) {
  const Instant end = now.mono + duration;
  for (int i = 0; i < 1'000'000; ++i) {
    Instant next = end;
    if (const auto deadline = focus.next_deadline()) {
      next = std::min(next, std::max(*deadline, now.mono));
    }
    for (const auto& [request, asked] : asked_) {
      next = std::min(next, asked.deadline);
    }
    now.wall += next - now.mono;
    now.mono = next;
    std::vector<RequestId> late;
    for (const auto& [request, asked] : asked_) {
      if (asked.deadline <= now.mono) {
        late.push_back(request);
      }
    }
    for (const RequestId request : late) {
      fail(request, Errc::kTimeout);
    }
    run();
    Actions actions;
    focus.fire_timers(now, actions);
    perform(actions);
    run();
    const auto deadline = focus.next_deadline();
    if (now.mono >= end && (!deadline || *deadline > end)) {
      return;
    }
  }
  FAIL() << "the focus never comes to rest";
}

void Stage::up(StreamId stream, bool resumed, std::optional<Jid> beside) {
  up_[stream] = true;
  const Jid bound = stream == StreamId::kClient    ? jid(kFocusJid)
                    : stream == StreamId::kService ? jid("bascule.example.net/focus")
                                                   : jid("focus.example.net");
  give(in::StreamUp{stream, bound, resumed, std::move(beside)});
}

void Stage::down(StreamId stream) {
  up_[stream] = false;
  std::vector<RequestId> open;
  for (const auto& [request, asked] : asked_) {
    if (asked.iq.stream == stream) {
      open.push_back(request);
    }
  }
  for (const RequestId request : open) {
    fail(request, Errc::kUnavailable);
  }
  run();
  give(in::StreamDown{stream, xmpp::DownKind::kConnection, "cut"});
}

void Stage::start_all() {
  up(StreamId::kRequests);
  up(StreamId::kClient);
  up(StreamId::kService);
  advance(seconds{21});  // The brewery settles.
}

void Stage::add_bridge(const std::string& nick, const std::string& stress) {
  bridges[nick].in_brewery = true;
  bridge_presence(nick, stress, true);
  run();
}

void Stage::report(const std::string& nick, const std::string& stress) {
  bridge_presence(nick, stress, true);
  run();
}

void Stage::remove_bridge(const std::string& nick) {
  bridges[nick].in_brewery = false;
  bridges[nick].meetings.clear();
  bridges[nick].relays.clear();
  bridge_presence(nick, "", false);
  run();
}

void Stage::bridge_presence(const std::string& nick, const std::string& stress, bool available) {
  proto::MucPresence presence;
  presence.from = jid(kBrewery + '/' + nick);
  presence.items.push_back({.affiliation = proto::Affiliation::kOwner});
  if (available) {
    presence.colibri_stats =
        proto::ColibriStats{{{"stress_level", stress}, {"healthy", "true"}, {"version", "2.3"}}};
    if (bridges[nick].relays_work) {
      presence.colibri_stats->values["relay_id"] = nick + "-relay";
    }
    if (bridges[nick].drain) {
      presence.colibri_stats->values["drain"] = "true";
    }
    if (!bridges[nick].region.empty()) {
      presence.colibri_stats->values["region"] = bridges[nick].region;
    }
    presence.colibri_stats->values["current_timestamp"] = std::to_string(++last_id_);
  } else {
    presence.type = proto::PresenceType::kUnavailable;
  }
  inputs_.emplace_back(in::PresenceReceived{StreamId::kService, presence});
}

std::string Stage::ask(const std::string& room, const std::string& client) {
  return iq(StreamId::kRequests, client + "@example.net/web", request_for(room));
}

std::string Stage::iq(StreamId stream, const std::string& from, proto::Request payload) {
  std::string id = "in" + std::to_string(++last_id_);
  give(in::IqRequest{stream, jid(from),
                     stream == StreamId::kRequests ? jid("focus.example.net") : jid(kFocusJid), id,
                     std::move(payload)});
  return id;
}

std::string Stage::jingle(const std::string& room, const std::string& nick, proto::Jingle jingle) {
  return iq(StreamId::kClient, room + '@' + kService + '/' + nick, std::move(jingle));
}

void Stage::present(const std::string& room, const std::string& nick,
                    const std::function<void(proto::MucPresence&)>& change) {
  proto::MucPresence presence;
  presence.from = jid(room + '@' + kService + '/' + nick);
  presence.items.push_back(
      {.role = proto::Role::kParticipant, .jid = jid(rooms_[room].clients.at(nick).real_jid)});
  presence.caps = caps;
  change(presence);
  give(in::PresenceReceived{StreamId::kClient, presence});
}

void Stage::say(const std::string& from, std::optional<std::string> room, const std::string& json) {
  proto::Message message;
  message.from = jid(from);
  message.json_message = proto::JsonMessage{json, std::move(room)};
  give(in::MessageReceived{StreamId::kClient, message});
}

void Stage::join(const std::string& name, const std::string& nick) {
  Room& room = rooms_[name];
  room.clients[nick].real_jid = nick + "@example.net/web";
  if (room.focus_in) {
    client_presence(name, nick, true);
    run();
  }
}

void Stage::meet(const std::string& room, const std::vector<std::string>& nicks) {
  const std::string id = ask(room);
  advance(std::chrono::milliseconds{10});
  ASSERT_TRUE(answered_ready(id));
  for (const auto& nick : nicks) {
    join(room, nick);
  }
  advance(seconds{2});
}

void Stage::leave(const std::string& name, const std::string& nick) {
  Room& room = rooms_[name];
  room.clients.erase(nick);
  if (room.focus_in) {
    client_presence(name, nick, false);
    run();
  }
}

void Stage::client_presence(const std::string& name, const std::string& nick, bool available) {
  proto::MucPresence presence;
  presence.from = jid(name + '@' + kService + '/' + nick);
  presence.type = available ? proto::PresenceType::kAvailable : proto::PresenceType::kUnavailable;
  proto::MucItem item;
  item.role = proto::Role::kNone;
  if (available) {
    item.role = rooms_[name].clients.at(nick).role;
    item.jid = jid(rooms_[name].clients.at(nick).real_jid);
  }
  presence.items.push_back(item);
  presence.caps = caps;
  inputs_.emplace_back(in::PresenceReceived{StreamId::kClient, presence});
}

void Stage::enter(const std::string& name, Room& room) {
  const bool created = !room.focus_in && room.clients.empty();
  room.focus_in = true;
  for (const auto& [nick, client] : room.clients) {
    client_presence(name, nick, true);
  }
  proto::MucPresence own;
  own.from = jid(name + '@' + kService + "/focus");
  own.statuses = {proto::kStatusSelfPresence};
  if (created) {
    own.statuses.push_back(proto::kStatusRoomCreated);
  }
  own.items.push_back({.affiliation = proto::Affiliation::kOwner, .role = proto::Role::kModerator});
  inputs_.emplace_back(in::PresenceReceived{StreamId::kClient, own});
}

void Stage::on(const out::OpenStream& action) {
  ++opened[action.stream];
}

void Stage::on(const out::CloseStream&) {
}

void Stage::on(const out::EvictSession& action) {
  for (const auto& [name, room] : rooms_) {
    EXPECT_TRUE(room.focus_in || room.clients.empty()) << "people in " << name << " see us leave";
  }
  evicted.push_back(action.session);
}

void Stage::on(const out::SendPresence& action) {
  const proto::MucPresence& presence = action.presence;
  EXPECT_TRUE(up_[action.stream]);
  if (presence.to.empty()) {
    EXPECT_EQ(action.stream, StreamId::kClient);
    ++broadcasts;
    return;
  }
  if (presence.to.bare() == jid(kBrewery)) {
    if (!presence.join) {
      return;
    }
    ++brewery_joined_;
    for (const auto& [nick, bridge] : bridges) {
      if (bridge.in_brewery) {
        bridge_presence(nick, "0.1", true);
      }
    }
    proto::MucPresence own;
    own.from = jid(kBrewery + "/focus");
    own.statuses = {proto::kStatusSelfPresence};
    inputs_.emplace_back(in::PresenceReceived{StreamId::kService, own});
    return;
  }
  room_presences.push_back(presence);
  const std::string name = room_name(presence.to);
  Room& room = rooms_[name];
  if (presence.type == proto::PresenceType::kUnavailable) {
    room.focus_in = false;
  } else if (presence.join) {
    if (refuse_rooms) {
      proto::MucPresence error;
      error.from = presence.to;
      error.type = proto::PresenceType::kError;
      error.error = proto::make_error(proto::Condition::kNotAllowed);
      inputs_.emplace_back(in::PresenceReceived{StreamId::kClient, error});
    } else if (!silent_rooms) {
      enter(name, room);
    }
  } else {
    EXPECT_TRUE(room.focus_in);
    proto::MucPresence echo = presence;
    echo.from = std::exchange(echo.to, Jid());
    echo.statuses = {proto::kStatusSelfPresence};
    inputs_.emplace_back(in::PresenceReceived{StreamId::kClient, echo});
  }
}

void Stage::on(const out::SendIq& action) {
  sent.push_back({now.mono, action});
  EXPECT_TRUE(asked_.emplace(action.request, Asked{action, now.mono + action.timeout}).second);
  if (!up_[action.stream]) {
    fail(action.request, Errc::kUnavailable);
  } else if (expel_focus && action.stream == StreamId::kService) {
    proto::StanzaError error = proto::make_error(proto::Condition::kNotAcceptable);
    error.by = kBrewery;
    fail(action.request, std::move(error));
  } else if (options_.pubsub_service && action.to == *options_.pubsub_service) {
    on_pubsub(action);
  } else if (const auto* modify = std::get_if<proto::ConferenceModify>(&action.payload)) {
    colibri.push_back(*modify);
    on_colibri(action, *modify);
  } else if (std::holds_alternative<proto::HealthCheck>(action.payload)) {
    const Bridge& bridge = bridges[action.to.resource()];
    if (bridge.in_brewery && bridge.mood != BridgeMood::kSilent) {
      reply(action.request, proto::Empty{});
    }
  } else if (const auto* jingle = std::get_if<proto::Jingle>(&action.payload)) {
    on_offer(action, *jingle);
  } else if (std::holds_alternative<proto::MucOwnerFormRequest>(action.payload)) {
    if (!hold_forms) {
      proto::MucForm form;
      form.form.fields = {
          {"muc#roominfo_meetingId", std::nullopt, {"meeting-" + room_name(action.to)}}};
      reply(action.request, form);
    }
  } else if (const auto* mute = std::get_if<proto::Mute>(&action.payload)) {
    mutes.emplace_back(action.to.resource(), *mute);
    reply(action.request, proto::Empty{});
  } else if (action.to.empty()) {
    if (!silent_account) {
      fail(action.request, proto::make_error(proto::Condition::kServiceUnavailable));
    }
  } else if (action.to == focus.options().main_host) {
    reply(action.request, main_host);
  } else if (std::holds_alternative<proto::DiscoInfoRequest>(action.payload)) {
    on_disco(action);
  } else if (std::holds_alternative<proto::Ping>(action.payload)) {
    on_ping(action);
  } else {
    reply(action.request, proto::Empty{});
  }
}

void Stage::answer_account() {
  std::vector<RequestId> open;
  for (const auto& [request, asked] : asked_) {
    if (asked.iq.to.empty()) {
      open.push_back(request);
    }
  }
  for (const RequestId request : open) {
    reply(request, proto::DiscoInfo{});
  }
  run();
}

void Stage::on_ping(const out::SendIq& action) {
  const Room& room = rooms_[room_name(action.to)];
  if (silent_pings) {
    return;
  }
  if (room.focus_in) {
    reply(action.request, proto::Empty{});
  } else {
    fail(action.request, proto::make_error(proto::Condition::kNotAcceptable));
  }
}

void Stage::on_disco(const out::SendIq& action) {
  const Room& room = rooms_[room_name(action.to)];
  if (action.to.is_bare() && silent_probes) {
    return;
  }
  if (action.to.is_bare() && room.clients.empty() && !room.focus_in) {
    fail(action.request, proto::make_error(proto::Condition::kItemNotFound));
  } else if (!action.to.is_bare() && features_refused) {
    fail(action.request, proto::make_error(proto::Condition::kServiceUnavailable));
  } else if (action.to.is_bare() || features_known) {
    proto::DiscoInfo info;
    const auto client = room.clients.find(action.to.resource());
    info.features = client != room.clients.end() && client->second.features
                        ? *client->second.features
                        : std::vector<std::string>{"urn:xmpp:jingle:apps:rtp:audio",
                                                   "urn:xmpp:jingle:apps:rtp:video",
                                                   "http://jitsi.org/json-encoded-sources"};
    reply(action.request, info);
  }
}

void Stage::on_colibri(const out::SendIq& action, const proto::ConferenceModify& message) {
  Bridge& bridge = bridges[action.to.resource()];
  if (!bridge.in_brewery) {
    proto::StanzaError error = proto::make_error(proto::Condition::kItemNotFound);
    error.by = kBrewery;
    fail(action.request, std::move(error));
    return;
  }
  if (bridge.mood == BridgeMood::kSilent) {
    return;
  }
  if (bridge.mood == BridgeMood::kHolds) {
    bridge.held.push_back(action);
    return;
  }
  if (bridge.mood == BridgeMood::kSaysNo) {
    fail(action.request, proto::make_error(proto::Condition::kInternalServerError, "broken"));
    return;
  }
  const bool unknown = !bridge.meetings.contains(message.meeting_id);
  if (unknown && (message.expire || (unexpected_meetings && !message.create))) {
    bridge.expires_in_vain += message.expire ? 1U : 0U;
    proto::StanzaError error = proto::make_error(proto::Condition::kItemNotFound);
    error.application =
        proto::encode(proto::Colibri2Error{.reason = proto::Colibri2Reason::kConferenceNotFound});
    fail(action.request, std::move(error));
    return;
  }
  EXPECT_EQ(message.create, !bridge.meetings.contains(message.meeting_id)) << message.meeting_id;
  auto& endpoints = bridge.meetings[message.meeting_id];
  proto::ConferenceModified modified;
  for (const auto& endpoint : message.endpoints) {
    if (endpoint.expire) {
      endpoints.erase(endpoint.id);
      bridge.ghosts.erase(endpoint.id);
      continue;
    }
    if (endpoint.create && bridge.ghosts.contains(endpoint.id)) {
      fail(action.request, proto::make_error(proto::Condition::kConflict, "Endpoint exists"));
      return;
    }
    EXPECT_EQ(endpoint.create, endpoints.insert(endpoint.id).second) << endpoint.id;
    for (const auto& [id, relay] : bridge.relays[message.meeting_id]) {
      EXPECT_FALSE(relay.endpoints.contains(endpoint.id)) << "still remote by " << id;
    }
    answer_endpoint(bridge, endpoint, modified);
  }
  EXPECT_TRUE(message.relays.empty() || message.endpoints.empty());
  EXPECT_LE(message.relays.size(), 1U);
  for (const auto& relay : message.relays) {
    if (auto error = on_relay(bridge, message.meeting_id, relay, modified)) {
      fail(action.request, *std::move(error));
      return;
    }
  }
  if (message.expire || (endpoints.empty() && bridge.relays[message.meeting_id].empty())) {
    bridge.meetings.erase(message.meeting_id);
    bridge.relays.erase(message.meeting_id);
    bridge.expires += message.expire ? 1U : 0U;
  }
  reply(action.request, modified);
}

void Stage::answer_endpoint(const Bridge& bridge, const proto::Endpoint& endpoint,
                            proto::ConferenceModified& modified) {
  if (endpoint.create) {
    proto::Endpoint answer;
    answer.id = endpoint.id;
    answer.transport = proto::Transport{.ice_udp = bridge.transport.value_or(make_transport())};
    if (endpoint.transport && endpoint.transport->sctp && bridge.sctp_port) {
      answer.transport->sctp = proto::Sctp{.role = std::nullopt, .port = bridge.sctp_port};
    }
    modified.endpoints.push_back(std::move(answer));
    modified.sources = bridge.feedback;
  } else if (endpoint.transport && endpoint.transport->ice_restart && bridge.restarted) {
    modified.endpoints.push_back(
        {.id = endpoint.id, .transport = proto::Transport{.ice_udp = bridge.restarted}});
  }
}

std::optional<proto::StanzaError> Stage::on_relay(Bridge& bridge, const std::string& meeting,
                                                  const proto::Relay& relay,
                                                  proto::ConferenceModified& modified) {
  auto& relays = bridge.relays[meeting];
  proto::Relay answer{.id = relay.id};
  if (relay.expire) {
    relays.erase(relay.id);
    return std::nullopt;
  }
  if (!bridge.relays_work) {
    return proto::make_error(proto::Condition::kFeatureNotImplemented, "Relays are disabled");
  }
  if (relay.create != !relays.contains(relay.id)) {
    return proto::make_error(relay.create ? proto::Condition::kConflict
                                          : proto::Condition::kBadRequest);
  }
  Relay& mine = relays[relay.id];
  if (relay.create) {
    answer.transport = proto::Transport{.ice_udp = make_transport()};
    modified.relays.push_back(std::move(answer));
  } else if (relay.transport) {
    EXPECT_FALSE(mine.has_transport) << "a second transport for " << relay.id;
    mine.has_transport = true;
  }
  for (const auto& endpoint : relay.endpoints) {
    EXPECT_FALSE(bridge.meetings[meeting].contains(endpoint.id) && !endpoint.expire)
        << endpoint.id << " is here and told to be on " << relay.id;
    if (endpoint.expire) {
      mine.endpoints.erase(endpoint.id);
    } else {
      EXPECT_TRUE(endpoint.create || mine.endpoints.contains(endpoint.id)) << endpoint.id;
      EXPECT_TRUE(endpoint.sources) << endpoint.id;
      mine.endpoints[endpoint.id] = endpoint.sources->media_sources.size();
    }
  }
  return std::nullopt;
}

void Stage::on_offer(const out::SendIq& action, const proto::Jingle& jingle) {
  Room& room = rooms_[room_name(action.to)];
  const auto entry = room.clients.find(action.to.resource());
  if (entry == room.clients.end()) {
    fail(action.request, proto::make_error(proto::Condition::kItemNotFound));
    return;
  }
  if (!room.focus_in) {
    fail(action.request, proto::make_error(proto::Condition::kNotAcceptable));
    return;
  }
  Client& client = entry->second;
  if (client.refuses_sources && (jingle.action == proto::JingleAction::kSourceAdd ||
                                 jingle.action == proto::JingleAction::kSourceRemove)) {
    fail(action.request, proto::make_error(proto::Condition::kBadRequest));
  } else if (jingle.action == proto::JingleAction::kSessionTerminate) {
    if (client.sid != jingle.sid) {
      fail(action.request, proto::make_unknown_session_error());
      return;
    }
    client.sid.clear();
    ++client.terminated;
  } else if (jingle.action == proto::JingleAction::kSourceAdd) {
    EXPECT_EQ(client.sid, jingle.sid);
    ++client.source_adds;
  } else if (jingle.action == proto::JingleAction::kSessionInitiate) {
    client.sids.push_back(jingle.sid);
    client.bridge_session = jingle.bridge_session ? jingle.bridge_session->id : std::nullopt;
    client.start_muted = jingle.start_muted;
    if (client.mood == ClientMood::kRefuses) {
      fail(action.request, proto::make_error(proto::Condition::kBadRequest));
      return;
    }
    EXPECT_EQ(client.sid, "") << "a second session beside an open one";
    client.sid = jingle.sid;
    if (client.mood == ClientMood::kHolds) {
      return;
    }
    reply(action.request, proto::Empty{});
    if (client.mood == ClientMood::kAccepts) {
      proto::Jingle accept;
      accept.action = proto::JingleAction::kSessionAccept;
      accept.sid = jingle.sid;
      proto::Content content;
      content.name = "audio";
      content.description = proto::RtpDescription{};
      proto::Source source;
      source.ssrc = Ssrc(static_cast<std::uint32_t>(++last_id_ + 1'000'000));
      source.name = entry->first + "-a0";
      source.msid = entry->first + "-audio-0-" + std::to_string(last_id_);
      content.description->sources.push_back(source);
      content.transport = make_transport();
      accept.contents.push_back(content);
      inputs_.emplace_back(in::IqRequest{StreamId::kClient, action.to, jid(kFocusJid),
                                         "accept" + std::to_string(last_id_), accept});
    }
    return;
  }
  if (asked_.contains(action.request)) {
    reply(action.request, proto::Empty{});
  }
}

void Stage::on(const out::AnswerIq& action) {
  sent.push_back({now.mono, action});
  EXPECT_TRUE(answers.emplace(action.stanza_id, action.outcome).second)
      << "answered twice: " << action.stanza_id;
}

void Stage::on(const out::AnswerOrder& action) {
  EXPECT_TRUE(order_answers.emplace(action.order, action.outcome).second);
}

void Stage::on(const out::AnswerHttp& action) {
  tl::expected<proto::Answer, proto::StanzaError> outcome =
      tl::make_unexpected(proto::StanzaError{});
  if (action.outcome) {
    outcome = proto::Answer(*action.outcome);
  } else {
    outcome = tl::make_unexpected(action.outcome.error());
  }
  EXPECT_TRUE(answers.emplace("http" + std::to_string(action.request.value()), outcome).second);
}

void Stage::on(const out::Persist& action) {
  EXPECT_TRUE(tables.apply(action.operation)) << name_of(action.operation);
}

void Stage::on(const out::StoreWrite& action) {
  ++store_writes;
  inputs_.emplace_back(in::StoreAnswer{action.write, {}});
}

void Stage::on(const out::Log& action) {
  ++log[std::string(action.note.event)];
  for (const auto& [key, value] : action.note.fields) {
    if (key == "action") {
      last_action[std::string(action.note.event)] = std::get<std::string>(value);
    }
  }
}

void Stage::on(const out::Stopped&) {
  stopped = true;
}

void Stage::reply(RequestId request, proto::Answer answer) {
  asked_.erase(request);
  inputs_.emplace_back(in::IqAnswer{request, std::move(answer)});
}

void Stage::fail(RequestId request, proto::StanzaError error) {
  asked_.erase(request);
  inputs_.emplace_back(in::IqAnswer{
      request, tl::make_unexpected(std::variant<proto::StanzaError, Error>(std::move(error)))});
}

void Stage::fail(RequestId request, Errc code) {
  asked_.erase(request);
  inputs_.emplace_back(in::IqAnswer{
      request, tl::make_unexpected(std::variant<proto::StanzaError, Error>(Error{code, "test"}))});
}

}  // namespace bascule::focus
