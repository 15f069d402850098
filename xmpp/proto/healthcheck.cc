#include "xmpp/proto/healthcheck.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kHealthCheckName = "healthcheck";

}  // namespace

xml::Element encode(const HealthCheck& /*check*/) {
  return make_element(kHealthCheckName, kHealthCheckNamespace);
}

Result<HealthCheck> decode_health_check(const xml::Element& payload) {
  Reader reader(payload);
  reader.expect(kHealthCheckName, kHealthCheckNamespace);
  return reader.finish(HealthCheck{});
}

}  // namespace bascule::proto
