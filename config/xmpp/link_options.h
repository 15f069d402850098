#pragma once

#include "config/config.h"
#include "xmpp/stream/options.h"

namespace bascule::config {

// What the configuration says of each link, as options of our own stream. One reading for the
// daemon, which keeps the links, and for `basculectl doctor`, which tries them. Needs a
// configuration that was finished by the loader.

/// The component that clients send conference requests to. Only in that mode.
xmpp::NativeStreamOptions requests_options(const Config& config);
/// The focus's own account, with its resource as configured.
xmpp::NativeStreamOptions client_options(const Config& config);
/// The service link on our own stream, as component or account. Without XEP-0198: a lost link is a
/// lost session here, because the brewery is read anew anyway.
xmpp::NativeStreamOptions service_options(const Config& config);

}  // namespace bascule::config
