#include "sim/storm/addresses.h"

#include <charconv>
#include <string>

#include "base/check.h"

namespace bascule::sim::storm {
namespace {

Jid parsed(const std::string& text) {
  auto jid = Jid::parse(text);
  BASCULE_CHECK(jid.has_value());
  return *jid;
}

}  // namespace

Addresses::Addresses(std::size_t bridges, std::size_t rooms, std::size_t people) : people_(people) {
  const Jid brewery = parsed("jvbbrewery@internal.storm");
  for (std::size_t i = 0; i < bridges; ++i) {
    bridges_.emplace_back(brewery.with_resource(bridge_nick(static_cast<BridgeId>(i))));
  }
  for (std::size_t i = 0; i < rooms; ++i) {
    rooms_.emplace_back(parsed("room" + std::to_string(i) + "@conference.storm"));
  }
}

const OccupantJid& Addresses::person(PersonId id, RoomId room) {
  if (people_[id].empty()) {
    people_[id] = OccupantJid(rooms_[room].jid().with_resource(std::to_string(id)));
  }
  return people_[id];
}

std::uint32_t Addresses::index_of(const Jid& jid) {
  const std::string& text = jid.resource();
  std::uint32_t index = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), index);
  BASCULE_CHECK(result.ec == std::errc{} && result.ptr == text.data() + text.size());
  return index;
}

}  // namespace bascule::sim::storm
