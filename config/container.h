#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/layers.h"

/// The variables of the stock Jicofo container image (docker-jitsi-meet: jicofo.conf, jicofo's
/// reference.conf) whose value is not the value of one key as it stands. Those that are stand
/// beside their key in the table of schema.h.
namespace bascule::config {

/// Stands for the defaults that the stock image's templates write for variables that are not set:
/// domains below `meet.jitsi`, the server `xmpp.meet.jitsi`, mod_client_proxy. "1" switches it on;
/// meant for container images only.
inline constexpr std::string_view kStockDefaultsVariable = "BASCULE_STOCK_DEFAULTS";

struct ContainerValue {
  std::string variable;  ///< Named as origin, and blamed for a value that does not fit.
  std::string value;     ///< As the key's own variable would have it.
};

/// What the container's variables say about a key by conversion; nullopt: nothing. Text that cannot
/// be converted is passed on as it is, so that the key refuses it.
std::optional<ContainerValue> converted_variable(std::string_view key,
                                                 const Environment& environment);
/// The value of the stock image when none of its variables is set; only with
/// kStockDefaultsVariable.
std::optional<ContainerValue> stock_default(std::string_view key, const Environment& environment);

/// A variable that is set, is not followed, and makes a difference.
struct ContainerWarning {
  std::string variable;
  std::string effect;  ///< What happens instead, and what to do.
};
std::vector<ContainerWarning> ignored_variables(const Environment& environment);

}  // namespace bascule::config
