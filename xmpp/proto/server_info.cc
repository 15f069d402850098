#include "xmpp/proto/server_info.h"

#include <utility>

#include "base/time_text.h"
#include "xmpp/proto/codec.h"

namespace bascule::proto {

UnknownRequest version_request() {
  return {.type = IqType::kGet, .payload = make_element("query", kVersionNamespace)};
}

Result<SoftwareVersion> decode_version(const xml::Element& query) {
  Reader reader(query);
  reader.expect("query", kVersionNamespace);
  auto name = child_text(query, "name", kVersionNamespace);
  auto version = child_text(query, "version", kVersionNamespace);
  if (!name || !version) {
    reader.reject("a version without its name or number");
  }
  return reader.finish(SoftwareVersion{.name = std::move(name).value_or(""),
                                       .version = std::move(version).value_or(""),
                                       .os = child_text(query, "os", kVersionNamespace)});
}

UnknownRequest time_request() {
  return {.type = IqType::kGet, .payload = make_element("time", kTimeNamespace)};
}

Result<WallTime> decode_time(const xml::Element& time) {
  Reader reader(time);
  reader.expect("time", kTimeNamespace);
  const auto text = child_text(time, "utc", kTimeNamespace);
  const auto utc = text ? wall_time_from(*text) : std::nullopt;
  if (!utc) {
    reader.reject("no time in UTC: '" + text.value_or("") + "'");
  }
  return reader.finish(utc.value_or(WallTime{}));
}

}  // namespace bascule::proto
