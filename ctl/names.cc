#include "ctl/names.h"

#include <vector>

#include "ctl/text.h"

namespace bascule::ctl {

std::string bridge_path(const std::string& bridge) {
  return "/v1/bridges/" + percent_encoded(bridge);
}

Result<std::string> room_address(const Connection& connection, const std::string& room) {
  if (room.find('@') != std::string::npos) {
    return room;
  }
  const auto answer =
      ask_json(connection, "GET", "/v1/conferences?limit=1000&search=" + percent_encoded(room));
  if (!answer) {
    return tl::make_unexpected(answer.error());
  }
  std::vector<std::string> found;
  for (const Json& conference : member(*answer, "conferences")) {
    const Json& address = member(conference, "room");
    if (address.is_string() && address.get<std::string>().starts_with(room + "@")) {
      found.push_back(address.get<std::string>());
    }
  }
  if (found.size() == 1) {
    return found.front();
  }
  if (found.empty()) {
    return fail(Errc::kNotFound, "no conference is called '" + room +
                                     "' now; 'basculectl conferences --search TEXT' looks for one, "
                                     "and one that has ended wants its full address, ROOM@DOMAIN");
  }
  return fail(Errc::kConflict, "'" + room + "' could be " + found[0] + " or " + found[1] +
                                   ": give the full address");
}

}  // namespace bascule::ctl
