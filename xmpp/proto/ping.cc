#include "xmpp/proto/ping.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kPingName = "ping";

}  // namespace

xml::Element encode(const Ping& /*ping*/) {
  return make_element(kPingName, kPingNamespace);
}

Result<Ping> decode_ping(const xml::Element& payload) {
  Reader reader(payload);
  reader.expect(kPingName, kPingNamespace);
  return reader.finish(Ping{});
}

}  // namespace bascule::proto
