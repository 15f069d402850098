#pragma once

#include <cstdint>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "admin/http_server.h"
#include "config/config.h"
#include "daemon/log_sink.h"
#include "focus/link.h"
#include "focus/tables.h"
#include "xmpp/transport.h"

namespace bascule::daemon {

/// From the operating system; for ids nobody should guess, and for the seed of the focus.
std::uint64_t random_seed();

admin::HttpServerOptions http_options(const config::Config& config);
focus::LinkOptions link_options(const config::Config& config, StreamId stream,
                                std::uint64_t id_token);

/// The transport the configuration names for this link: native for requests and client, libstrophe
/// for service (ADR 0003). `earlier`: what the process before stored of its links; a session that
/// can still be continued is.
std::unique_ptr<xmpp::Transport> make_transport(const config::Config& config, StreamId stream,
                                                boost::asio::io_context& io,
                                                xmpp::TransportListener& listener, LogSink& log,
                                                const focus::Tables& earlier);

}  // namespace bascule::daemon
