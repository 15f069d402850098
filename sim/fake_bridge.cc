#include "sim/fake_bridge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/fake_transport.h"
#include "xmpp/proto/healthcheck.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/request.h"

namespace bascule::sim {
namespace {

tl::unexpected<proto::StanzaError> refuse(proto::Condition condition,
                                          proto::Colibri2Reason reason) {
  return tl::make_unexpected(
      proto::make_error(condition, "", proto::encode(proto::Colibri2Error{.reason = reason})));
}

constexpr Duration kMediaLook = std::chrono::seconds{10};

proto::Sources feedback_sources() {
  proto::Sources sources;
  for (const auto type : {proto::MediaType::kAudio, proto::MediaType::kVideo}) {
    const bool audio = type == proto::MediaType::kAudio;
    proto::MediaSource media;
    media.type = type;
    media.id = audio ? "jvb-a0" : "jvb-v0";
    proto::Source source;
    source.ssrc = Ssrc{audio ? 1001U : 1002U};
    source.name = media.id;
    media.sources.push_back(std::move(source));
    sources.media_sources.push_back(std::move(media));
  }
  return sources;
}

}  // namespace

FakeBridge::FakeBridge(Schedule& schedule, FakeProsody& server, Prng prng, BridgeOptions options,
                       const Deployment& deployment, BridgeMedia media)
    : schedule_(schedule),
      server_(server),
      prng_(prng),
      options_(std::move(options)),
      deployment_(deployment),
      media_(std::move(media)),
      address_(Jid::parse("jvb@auth.meet.sim").value().with_resource(options_.nick)) {
}

void FakeBridge::start() {
  running_ = true;
  hanging_ = false;
  ++life_;
  sampled_at_ = schedule_.now();
  sample_ = Stress{};
  expired_at_ = schedule_.now();
  connect();
  schedule_publish();
  watch_media();
}

void FakeBridge::watch_media() {
  schedule_.after(kMediaLook, [this, life = life_] {
    if (life != life_) {
      return;
    }
    for (auto& [id, conference] : conferences_) {
      for (auto& [endpoint, state] : conference.endpoints) {
        if (media_.arrives(ufrag_of(endpoint))) {
          state.media_at = schedule_.now();
        }
      }
    }
    if (schedule_.now() - expired_at_ >= options_.expiration_check) {
      expired_at_ = schedule_.now();
      expire_silent();
    }
    watch_media();
  });
}

bool FakeBridge::is_silent(const Endpoint& endpoint) const {
  return endpoint.media_at ? schedule_.now() - *endpoint.media_at > options_.expiration_timeout
                           : schedule_.now() - endpoint.created > 2 * options_.expiration_timeout;
}

void FakeBridge::expire_silent() {
  for (auto& [id, conference] : conferences_) {
    std::erase_if(conference.endpoints, [this](const auto& entry) {
      if (!is_silent(entry.second)) {
        return false;
      }
      media_.abandoned(entry.first, entry.second.created);
      return true;
    });
  }
  std::erase_if(conferences_, [](const auto& entry) { return entry.second.endpoints.empty(); });
}

void FakeBridge::connect() {
  if (!running_ || session_) {
    return;
  }
  session_ = server_.open(*this, address_, false);
  if (!session_) {
    schedule_.after(std::chrono::seconds{1}, [this, life = life_] {
      if (life == life_) {
        connect();
      }
    });
    return;
  }
  publish();
}

void FakeBridge::crash() {
  running_ = false;
  ++life_;
  conferences_.clear();
  total_participants_ = 0;
  if (session_) {
    const SessionId session = *std::exchange(session_, std::nullopt);
    server_.close(session, false);
  }
}

std::optional<std::string> FakeBridge::forget_meeting(std::size_t n) {
  if (conferences_.empty()) {
    return std::nullopt;
  }
  auto lost = conferences_.extract(
      std::next(conferences_.begin(), static_cast<std::ptrdiff_t>(n % conferences_.size())));
  return lost.key();
}

void FakeBridge::drain(bool draining) {
  draining_ = draining;
  publish();
}

void FakeBridge::disconnected() {
  session_.reset();
  schedule_.after(std::chrono::seconds{1}, [this, life = life_] {
    if (life == life_) {
      connect();
    }
  });
}

void FakeBridge::schedule_publish() {
  schedule_.after(options_.publish_interval, [this, life = life_] {
    if (life == life_) {
      publish();
      schedule_publish();
    }
  });
}

std::string FakeBridge::ufrag_of(const std::string& endpoint) const {
  std::uint32_t generation = 0;
  for (const auto& [id, conference] : conferences_) {
    if (const auto found = conference.endpoints.find(endpoint);
        found != conference.endpoints.end()) {
      generation = found->second.ice_generation;
    }
  }
  return "u" + options_.nick + "-" + std::to_string(life_) + "-" + endpoint + "-" +
         std::to_string(generation);
}

bool FakeBridge::has_endpoint(const std::string& endpoint) const {
  return std::any_of(conferences_.begin(), conferences_.end(), [&endpoint](const auto& entry) {
    return entry.second.endpoints.contains(endpoint);
  });
}

std::size_t FakeBridge::endpoints() const {
  std::size_t count = 0;
  for (const auto& [id, conference] : conferences_) {
    count += conference.endpoints.size();
  }
  return count;
}

void FakeBridge::deliver(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  if (stanza.name != "iq" || (type != "get" && type != "set") || hanging_) {
    return;
  }
  const auto span =
      static_cast<std::uint64_t>((options_.service_time_max - options_.service_time_min).count());
  busy_until_ = std::max(busy_until_, schedule_.now()) + options_.service_time_min +
                Duration(static_cast<std::int64_t>(prng_.below(span + 1)));
  schedule_.at(busy_until_, [this, stanza, life = life_] {
    if (life == life_ && !hanging_) {
      answer(stanza);
    }
  });
}

void FakeBridge::answer(const xml::Element& iq) {
  const auto envelope = proto::decode_iq_envelope(iq);
  if (!session_ || !envelope) {
    return;
  }
  const auto reply = [this](xml::Element stanza) {
    stanza.unset("from");
    server_.send(*session_, stanza);
  };
  if (envelope->from.bare() != deployment_.brewery.jid()) {
    complaints_.push_back("IQ from outside the brewery: " + envelope->from.to_string());
    reply(proto::encode_iq_error(*envelope, proto::make_error(proto::Condition::kForbidden)));
    return;
  }
  const auto request = proto::decode_request(iq);
  if (!request) {
    complaints_.push_back("malformed request: " + request.error().what);
    reply(proto::encode_iq_error(*envelope, proto::make_error(proto::Condition::kBadRequest)));
    return;
  }
  if (std::holds_alternative<proto::HealthCheck>(*request)) {
    reply(proto::encode_iq_result(*envelope));
  } else if (const auto* colibri = std::get_if<proto::ConferenceModify>(&*request)) {
    const auto outcome = modify(*colibri);
    max_settled_ = std::max(max_settled_, settled_stress());
    reply(outcome ? proto::encode_iq_result(*envelope, proto::encode(*outcome))
                  : proto::encode_iq_error(*envelope, outcome.error()));
  } else {
    reply(proto::encode_iq_error(*envelope,
                                 proto::make_error(proto::Condition::kServiceUnavailable)));
  }
}

tl::expected<proto::ConferenceModified, proto::StanzaError> FakeBridge::modify(
    const proto::ConferenceModify& request) {
  auto found = conferences_.find(request.meeting_id);
  if (request.create) {
    if (found != conferences_.end()) {
      return refuse(proto::Condition::kConflict, proto::Colibri2Reason::kConferenceAlreadyExists);
    }
    if (!request.name) {
      complaints_.push_back("conference created without a name");
    }
    found = conferences_.emplace(request.meeting_id, Conference{}).first;
  } else if (found == conferences_.end()) {
    return refuse(proto::Condition::kItemNotFound, proto::Colibri2Reason::kConferenceNotFound);
  }
  proto::ConferenceModified answer;
  for (const proto::Endpoint& endpoint : request.endpoints) {
    auto modified = modify_endpoint(found->second, endpoint);
    if (!modified) {
      return tl::make_unexpected(std::move(modified.error()));
    }
    if (request.create || endpoint.create) {
      answer.sources = feedback_sources();
    }
    answer.endpoints.push_back(*std::move(modified));
  }
  if (request.relays.size() > 1 || (!request.relays.empty() && !request.endpoints.empty())) {
    complaints_.push_back("several relays, or relay and endpoint, in one request");
  }
  for (const proto::Relay& relay : request.relays) {
    const auto is_local = [&](const std::string& id) {
      return found->second.endpoints.contains(id);
    };
    auto modified = found->second.relays.modify(
        relay, "r" + options_.nick + "-" + std::to_string(++last_relay_), is_local, complaints_);
    if (!modified) {
      return tl::make_unexpected(std::move(modified.error()));
    }
    answer.relays.push_back(*std::move(modified));
  }
  if (request.expire || (found->second.endpoints.empty() && found->second.relays.empty())) {
    conferences_.erase(found);
  }
  return answer;
}

tl::expected<proto::Endpoint, proto::StanzaError> FakeBridge::modify_endpoint(
    Conference& conference, const proto::Endpoint& request) {
  proto::Endpoint answer;
  answer.id = request.id;
  const bool known = conference.endpoints.contains(request.id);
  if (request.create) {
    if (known) {
      return refuse(proto::Condition::kConflict, proto::Colibri2Reason::kUnspecified);
    }
    if (std::find(request.capabilities.begin(), request.capabilities.end(),
                  proto::kCapabilitySourceNames) == request.capabilities.end()) {
      complaints_.push_back("endpoint without source-names: " + request.id);
      return refuse(proto::Condition::kBadRequest, proto::Colibri2Reason::kUnspecified);
    }
    if (conference.relays.has_remote(request.id)) {
      complaints_.push_back("endpoint created that is a remote one: " + request.id);
      return tl::make_unexpected(proto::make_error(proto::Condition::kInternalServerError));
    }
    conference.endpoints.emplace(
        request.id, Endpoint{.created = schedule_.now(), .media_at = {}, .sources = {}});
    ++total_participants_;
    answer.transport = proto::Transport{};
    answer.transport->ice_udp = make_ice(request.id, ufrag_of(request.id));
    if (request.transport && request.transport->sctp) {
      answer.transport->sctp = proto::Sctp{.role = proto::SctpRole::kServer, .port = 5000};
    }
    return answer;
  }
  if (!known) {
    if (request.expire) {
      answer.expire = true;
      return answer;
    }
    return refuse(proto::Condition::kItemNotFound, proto::Colibri2Reason::kUnknownEndpoint);
  }
  if (request.sources) {
    conference.endpoints.at(request.id).sources = to_ssrcs(*request.sources);
  }
  if (request.transport && request.transport->ice_restart) {
    const std::uint32_t generation = ++conference.endpoints.at(request.id).ice_generation;
    answer.transport = proto::Transport{};
    answer.transport->ice_udp = make_ice(request.id, ufrag_of(request.id));
    answer.transport->ice_udp->ice_generation = generation;
  }
  if (request.expire) {
    conference.endpoints.erase(request.id);
    answer.expire = true;
  }
  return answer;
}

}  // namespace bascule::sim
