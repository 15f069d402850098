#pragma once

#include <string>
#include <vector>

#include "base/prng.h"
#include "focus/operation.h"

namespace bascule::focus {

/// Operations drawn from a small world (few rooms, endpoints and bridges), so that they meet. Every
/// alternative of Operation comes up; texts hold spaces, quotes, control bytes and invalid UTF-8.
class RandomOperations {
 public:
  explicit RandomOperations(std::uint64_t seed) : prng_(seed) {}

  Operation next() { return make(prng_.below(std::variant_size_v<Operation>)); }

  std::vector<Operation> some(std::size_t count) {
    std::vector<Operation> operations;
    while (operations.size() < count) {
      operations.push_back(next());
    }
    return operations;
  }

 private:
  static Jid jid(const std::string& text) { return Jid::parse(text).value(); }
  std::string number(std::uint64_t below) { return std::to_string(prng_.below(below)); }
  bool coin() { return prng_.below(2) == 1; }
  RoomJid room() { return RoomJid(jid("room" + number(3) + "@conference.example.net")); }
  EndpointId endpoint() { return EndpointId("ep" + number(4)); }
  std::vector<EndpointId> endpoints() {
    std::vector<EndpointId> list;
    for (auto left = prng_.below(4); left > 0; --left) {
      list.push_back(endpoint());
    }
    return list;
  }
  BridgeJid bridge() { return BridgeJid(jid("brewery@internal.example.net/jvb" + number(3))); }
  StreamId stream() { return static_cast<StreamId>(prng_.below(kStreamCount)); }
  std::int64_t ticks() { return static_cast<std::int64_t>(prng_.below(1'000'000'000'000)); }
  template <class E>
  E one_of(std::uint64_t count) {
    return static_cast<E>(prng_.below(count));
  }
  std::string text() {
    switch (prng_.below(5)) {
      case 0:
        return "";
      case 1:
        return "plain " + number(1000);
      case 2:
        return std::string("zero\0 and \xFF\xFE <&'\">", 18);
      case 3:
        return std::string(static_cast<std::size_t>(prng_.below(300)), 'x');
      default:
        return "Gr\xC3\xBC\xC3\x9F" + number(9);
    }
  }
  template <class T>
  std::optional<T> maybe(T value) {
    return coin() ? std::optional<T>(std::move(value)) : std::nullopt;
  }
  std::map<std::string, std::string> properties() {
    std::map<std::string, std::string> map;
    for (auto left = prng_.below(4); left > 0; --left) {
      map["key" + number(5)] = text();
    }
    return map;
  }
  std::vector<std::string> features() {
    std::vector<std::string> list;
    for (auto left = prng_.below(4); left > 0; --left) {
      list.push_back("urn:feature:" + number(9));
    }
    return list;
  }
  Ssrc ssrc() { return Ssrc(static_cast<std::uint32_t>(1 + prng_.below(12))); }
  std::vector<Ssrc> ssrcs() {
    std::vector<Ssrc> list;
    for (auto left = prng_.below(4); left > 0; --left) {
      list.push_back(ssrc());
    }
    return list;
  }
  std::vector<SourceRecord> sources() {
    std::vector<SourceRecord> list;
    for (auto left = prng_.below(4); left > 0; --left) {
      list.push_back({.ssrc = ssrc(),
                      .media = one_of<MediaKind>(2),
                      .name = text(),
                      .video_type = coin() ? "camera" : "",
                      .msid = text(),
                      .injected = coin()});
    }
    return list;
  }
  std::vector<SourceGroupRecord> groups() {
    std::vector<SourceGroupRecord> list;
    for (auto left = prng_.below(3); left > 0; --left) {
      list.push_back(
          {.semantics = coin() ? "FID" : "SIM", .media = one_of<MediaKind>(2), .ssrcs = ssrcs()});
    }
    return list;
  }
  op::ParticipantAdd participant() {
    const RoomJid in_room = room();
    return {.room = in_room,
            .occupant = OccupantJid(in_room.jid().with_resource(endpoint().value())),
            .real_jid = maybe(jid("a" + number(9) + "@example.net/r")),
            .stats_id = text(),
            .region = text(),
            .features = features(),
            .role = one_of<ParticipantRole>(3),
            .kind = one_of<ParticipantKind>(5),
            .joined = WallTime(Duration(ticks())),
            .audio_muted = coin(),
            .video_muted = coin()};
  }
  op::BridgeSessionAdd bridge_session() {
    return {.room = room(),
            .bridge = bridge(),
            .meeting_id = text(),
            .bridge_session_id = text(),
            .relay_id = text(),
            .region = text(),
            .version = text(),
            .created = coin(),
            .feedback_sources = sources()};
  }

  Stress stress() { return Stress(static_cast<std::int64_t>(prng_.below(3'000'000))); }
  std::uint32_t small() { return static_cast<std::uint32_t>(prng_.below(9)); }
  op::BridgeLearned learned() {
    return {.bridge = bridge(),
            .at = Instant(Duration(ticks())),
            .wall = WallTime(Duration(ticks())),
            .cost = stress(),
            .deviation = stress(),
            .capacity = stress(),
            .confirmations = small(),
            .failures = small(),
            .last_failure_age = Duration(ticks()),
            .quarantine_left = Duration(ticks()),
            .age = Duration(ticks()),
            .version = maybe(text()),
            .region = maybe(text())};
  }
  op::Decision decision() {
    op::Decision decision{.at = WallTime(Duration(ticks())),
                          .number = prng_.below(9),
                          .room = room(),
                          .endpoint = endpoint(),
                          .kind = text(),
                          .ticket_class = text(),
                          .bridge = maybe(bridge()),
                          .reason = text(),
                          .waited = Duration(ticks())};
    for (Stress* figure : {&decision.expected, &decision.limit, &decision.reported,
                           &decision.reserved, &decision.cost_per_unit, &decision.capacity}) {
      *figure = stress();
    }
    decision.load = ticks();
    decision.unaccounted = -ticks();
    decision.report_age = Duration(-ticks());
    decision.in_flight = small();
    decision.people = ticks();
    decision.candidates = small();
    decision.looked_at = small();
    decision.settling = coin();
    decision.fleet_full = coin();
    return decision;
  }

  Operation make(std::uint64_t which) {
    switch (which) {
      case 0:
        return op::ConferenceCreate{
            room(), text(), WallTime(Duration(ticks())), properties(), coin(), coin(), coin()};
      case 1:
        return op::ConferenceSet{room(), properties(), maybe(coin()), maybe(coin()), maybe(coin())};
      case 2:
        return op::ConferenceEnd{room(), text()};
      case 3:
        return participant();
      case 4:
        return op::ParticipantSet{
            room(),        endpoint(),        maybe(text()),
            maybe(text()), maybe(features()), maybe(one_of<ParticipantRole>(3)),
            maybe(coin()), maybe(coin())};
      case 5:
        return op::ParticipantRemove{room(), endpoint()};
      case 6:
        return op::JingleSet{room(),
                             endpoint(),
                             text(),
                             static_cast<std::uint32_t>(prng_.next()),
                             one_of<JingleState>(3),
                             text()};
      case 7:
        return bridge_session();
      case 8:
        return op::BridgeSessionRemove{room(), bridge()};
      case 9:
        return op::EndpointSet{room(), endpoint(), bridge(), coin(), coin()};
      case 10:
        return op::EndpointRemove{room(), endpoint()};
      case 11:
        return op::SourcesAdd{room(), endpoint(), sources(), groups()};
      case 12:
        return op::SourcesRemove{room(), endpoint(), ssrcs(), groups()};
      case 13:
        return op::Placement{Instant(Duration(ticks())), bridge(), room(), endpoint()};
      case 14:
        return op::PendingSet{stream(),
                              "id" + number(9),
                              text(),
                              coin() ? room() : RoomJid(),
                              endpoint(),
                              coin() ? bridge() : BridgeJid(),
                              Instant(Duration(ticks()))};
      case 15:
        return op::PendingRemove{stream(), "id" + number(9)};
      case 16:
        return op::LinkSet{
            stream(),          jid("focus@auth.example.net"), text(), "sm" + number(3),
            Duration(ticks()), WallTime(Duration(ticks()))};
      case 17:
        return op::InboundHandled{stream(), prng_.next()};
      case 18:
        return op::OutboundPush{stream(), 1 + prng_.below(30), text(),
                                "<iq id='" + number(9) + "'/>"};
      case 19:
        return op::OutboundAck{stream(), prng_.below(20)};
      case 20:
        return op::Started{"boot" + number(2)};
      case 21:
        return op::Note{text()};
      case 22:
        return learned();
      case 23:
        return op::RoomSeen{
            room(),  Instant(Duration(ticks())), WallTime(Duration(ticks())), bridge(),
            ticks(), Duration(ticks())};
      case 24:
        return op::ModerationSet{room(), coin() ? "audio" : "video", coin(), {text(), text()}};
      case 25:
        return op::SourcesPending{room(), endpoint(), sources(), groups(), endpoints()};
      case 26:
        return op::SourcesTold{room(), endpoints()};
      case 27:
        return op::BridgeDrain{bridge(), coin(), coin(),
                               text(),   text(), WallTime(Duration(ticks()))};
      case 28:
        return op::PinSet{room(), coin() ? text() : "", WallTime(Duration(ticks())), text()};
      case 29:
        return op::AuditEntry{.at = WallTime(Duration(ticks())),
                              .number = prng_.below(100),
                              .by = text(),
                              .what = text(),
                              .target = text(),
                              .before = text(),
                              .after = text()};
      default:
        return decision();
    }
  }

  Prng prng_;
};

}  // namespace bascule::focus
