#include "tests/integration/scripted_client.h"

#include <utility>

#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using peers::element;
namespace ns = peers::ns;

constexpr peers::Milliseconds kDeadline{30'000};

peers::Capabilities browser() {
  peers::Capabilities capabilities;
  capabilities.type = "web";
  capabilities.node = "https://jitsi.org/jitsi-meet";
  capabilities.features = {std::string(ns::kJingle),
                           std::string(ns::kRtp),
                           std::string(ns::kIce),
                           std::string(ns::kDtls),
                           std::string(ns::kSctp),
                           "urn:xmpp:jingle:apps:rtp:audio",
                           "urn:xmpp:jingle:apps:rtp:video",
                           "urn:ietf:rfc:4588",
                           "http://jitsi.org/tcc",
                           "http://jitsi.org/source-name",
                           "http://jitsi.org/receive-multiple-video-streams",
                           "http://jitsi.org/json-encoded-sources",
                           std::string(ns::kCaps),
                           std::string(ns::kDiscoInfo)};
  return capabilities;
}

}  // namespace

std::string Reply::type() const {
  return std::string(stanza.attribute_or_empty("type"));
}

std::string Reply::condition() const {
  return peers::error_condition(stanza);
}

std::shared_ptr<Reply> send_request(peers::XmppClient& client, xml::Element stanza) {
  auto reply = std::make_shared<Reply>();
  client.request(std::move(stanza), kDeadline, [reply](const peers::IqOutcome& outcome) {
    reply->done = true;
    reply->timed_out = outcome.stanza == nullptr;
    if (outcome.stanza != nullptr) {
      reply->stanza = *outcome.stanza;
    }
  });
  return reply;
}

ScriptedClient::ScriptedClient(boost::asio::io_context& io, Options options)
    : io_(io), options_(std::move(options)), random_(options_.seed), capabilities_(browser()) {
}

ScriptedClient::~ScriptedClient() {
  if (client_) {
    client_->abort();
  }
}

void ScriptedClient::connect() {
  if (client_) {
    client_->abort();
  }
  endpoint_ = peers::random_text(random_, 8, peers::kHexAlphabet);
  logged_in_ = false;
  in_room_ = false;
  offer_.reset();
  peers::Account account;
  account.server = {boost::asio::ip::address_v4::loopback(), options_.port};
  account.domain = options_.domain;
  client_ = peers::XmppClient::start(io_, account, *this);
}

std::shared_ptr<Reply> ScriptedClient::ask_jingle(xml::Element jingle) {
  xml::Element stanza = peers::iq("set", focus_occupant());
  stanza.add(std::move(jingle));
  return ask(std::move(stanza));
}

std::shared_ptr<Reply> ScriptedClient::request_conference(const std::string& room) {
  xml::Element stanza = peers::iq("set", options_.focus_address);
  stanza.add(element("conference", ns::kFocus, {{"room", room}, {"machine-uid", endpoint_}}));
  return ask(std::move(stanza));
}

void ScriptedClient::join() {
  xml::Element stanza = peers::presence(occupant());
  stanza.add(element("x", ns::kMuc));
  stanza.add(capabilities_.presence_element());
  client_->send(stanza);
}

void ScriptedClient::leave() {
  client_->send(peers::presence(occupant(), "unavailable"));
  in_room_ = false;
  offer_.reset();
}

void ScriptedClient::accept() {
  peers::Answer answer;
  answer.own_jid = occupant();
  answer.ufrag = peers::random_text(random_, 4, peers::kBase32Alphabet);
  answer.pwd = peers::random_text(random_, 24, peers::kBase32Alphabet);
  answer.fingerprint = peers::random_fingerprint(random_);
  local_ = peers::make_local_sources(endpoint_, random_);
  answer.sources = local_;
  accepted_ = ask_jingle(peers::make_accept(*offer_, answer));
}

std::shared_ptr<Reply> ScriptedClient::add_camera(const std::string& name) {
  peers::SourceSet camera = peers::make_desktop_sources(endpoint_, random_);
  for (auto& [ssrc, source] : camera.sources) {
    source.name = name;
  }
  return ask_jingle(peers::make_source_change(*offer_, "source-add", camera));
}

bool ScriptedClient::sees(const ScriptedClient& other) const {
  const auto known = remote_.find(other.endpoint_);
  if (!is_active() || known == remote_.end()) {
    return false;
  }
  for (const std::uint32_t ssrc : peers::required_ssrcs(other.local_)) {
    if (!known->second.sources.contains(ssrc)) {
      return false;
    }
  }
  return true;
}

void ScriptedClient::on_ready(const Jid& /*own*/) {
  logged_in_ = true;
}

void ScriptedClient::on_closed(const std::string& reason) {
  logged_in_ = in_room_ = false;
  offer_.reset();
  client_.reset();
  closed_because = reason;
}

void ScriptedClient::on_message(const xml::Element& /*stanza*/) {
}

void ScriptedClient::on_presence(const xml::Element& stanza) {
  const std::string_view from = stanza.attribute_or_empty("from");
  const std::string_view type = stanza.attribute_or_empty("type");
  if (peers::bare_of(from) != options_.room) {
    return;
  }
  if (type == "error") {
    room_errors.push_back(stanza);
    return;
  }
  const bool available = type != "unavailable";
  const std::string_view nick = peers::resource_of(from);
  if (nick == endpoint_) {
    in_room_ = available;
    const xml::Element* user = stanza.child("x", "http://jabber.org/protocol/muc#user");
    const xml::Element* item = user == nullptr ? nullptr : user->child("item", user->ns);
    moderator_ = item != nullptr && item->attribute_or_empty("role") == "moderator";
  } else if (nick == "focus") {
    (available ? focus_arrivals : focus_departures) += 1;
    if (available) {
      focus_address_seen = peers::muc_item_jid(stanza);
    }
  } else if (!available) {
    remote_.erase(std::string(nick));  // The focus does not signal sources of who left.
  }
}

void ScriptedClient::on_iq_request(const xml::Element& stanza) {
  if (const xml::Element* jingle = stanza.child("jingle", ns::kJingle)) {
    on_jingle(stanza, *jingle);
  } else if (stanza.child("query", ns::kDiscoInfo) != nullptr) {
    client_->send(capabilities_.answer(stanza));
  } else if (stanza.child("ping", ns::kPing) != nullptr) {
    client_->send(peers::result_of(stanza));
  } else if (!stanza.children.empty() && stanza.children.front().name == "mute") {
    mutes.push_back(stanza.children.front());
    client_->send(peers::result_of(stanza));
  } else {
    client_->send(peers::error_of(stanza, {"cancel", "service-unavailable", ""}));
  }
}

void ScriptedClient::on_jingle(const xml::Element& stanza, const xml::Element& jingle) {
  if (stanza.attribute_or_empty("from") != focus_occupant()) {
    wrong.push_back("Jingle from " + std::string(stanza.attribute_or_empty("from")));
  }
  const std::string_view action = jingle.attribute_or_empty("action");
  const std::string sid(jingle.attribute_or_empty("sid"));
  client_->send(peers::result_of(stanza));
  if (action == "session-initiate") {
    on_initiate(jingle);
    return;
  }
  if (!offer_ || offer_->sid != sid) {
    wrong.push_back(std::string(action) + " for session " + sid + ", which is not ours");
    return;
  }
  if (action == "session-terminate") {
    const xml::Element* reason = jingle.child("reason", ns::kJingle);
    std::string line = sid;
    if (reason != nullptr) {
      for (const xml::Element& child : reason->children) {
        line += ' ' + (child.name == "text" ? child.text : child.name);
      }
    }
    terminations.push_back(line);
    offer_.reset();
    remote_.clear();
  } else if (action == "source-add" || action == "source-remove") {
    on_sources(jingle, action == "source-add");
  } else {
    wrong.push_back("Jingle action " + std::string(action));
  }
}

void ScriptedClient::on_initiate(const xml::Element& jingle) {
  if (offer_) {
    wrong.push_back("session-initiate while session " + offer_->sid + " is alive");
  }
  offer_ = peers::read_offer(jingle, {.json_sources = true,
                                      .ssrc_rewriting = false,
                                      .data_channel = true,
                                      .own_endpoint = endpoint_});
  wrong.insert(wrong.end(), offer_->wrong.begin(), offer_->wrong.end());
  remote_ = offer_->sources;
  const xml::Element* muted = jingle.child("startmuted", "http://jitsi.org/jitmeet/start-muted");
  starts_audio_muted = muted != nullptr && muted->attribute_or_empty("audio") == "true";
  accepted_.reset();
  ++invites;
  if (options_.accepts) {
    accept();
  }
}

void ScriptedClient::on_sources(const xml::Element& jingle, bool adding) {
  const auto sources = peers::parse_sources(jingle);
  if (!sources) {
    wrong.push_back(sources.error().what);
    return;
  }
  const auto problems =
      adding ? peers::add_sources(remote_, *sources) : peers::remove_sources(remote_, *sources);
  wrong.insert(wrong.end(), problems.begin(), problems.end());
}

}  // namespace bascule::test
