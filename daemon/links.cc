#include "daemon/links.h"

#include <array>
#include <cstring>
#include <utility>

#include <openssl/rand.h>

#include "base/check.h"
#include "config/xmpp/link_options.h"
#include "daemon/clock.h"
#include "focus/links.h"
#include "xmpp/stream/native_stream.h"
#include "xmpp/strophe/strophe_transport.h"

namespace bascule::daemon {
namespace {

/// Oversized stanzas and the like: what a transport can only tell an operator.
std::function<void(const std::string&)> warner(LogSink& log, StreamId stream) {
  return [&log, link = std::string(focus::name_of(stream))](const std::string& what) {
    log.write({.level = focus::NoteLevel::kWarn,
               .event = "link.warning",
               .fields = {{"link", link}, {"what", what}}},
              read_clocks());
  };
}

xmpp::NativeStreamOptions native_options(const config::Config& config, StreamId stream) {
  switch (stream) {
    case StreamId::kRequests:
      return config::requests_options(config);
    case StreamId::kClient:
      return config::client_options(config);
    case StreamId::kService:
      return config::service_options(config);
  }
  check_failed("stream is one of StreamId", __FILE__, __LINE__);
}

xmpp::StropheOptions strophe_options(const config::Config& config) {
  xmpp::StropheOptions options;
  const bool component = config.service.mode == config::ServiceMode::kComponent;
  options.mode = component ? xmpp::StropheMode::kComponent : xmpp::StropheMode::kClient;
  options.host = config.service.host;
  options.port = config.service.port;
  options.address = config.service_address;
  options.secret = config.service.secret.value;
  options.tls = config.service.tls == config::TlsMode::kRequired ? xmpp::StropheTls::kRequired
                                                                 : xmpp::StropheTls::kOff;
  options.ca_file = config.service.ca_file;
  options.pinned_sha256 = config.service.pins;
  return options;
}

/// The session of the process before. What is stored of it may be damaged or say that it cannot be
/// resumed; as long as there are conferences it may be in their rooms all the same.
xmpp::SmState earlier_session(const config::Config& config, const focus::Tables& earlier) {
  xmpp::SmState state;
  const auto row = earlier.links.find(StreamId::kClient);
  if (row == earlier.links.end() || row->second.link.bare != config.client_address.bare()) {
    state.bound_jid = earlier.conferences.empty() ? "" : config.client_address.to_string();
    return state;
  }
  const focus::op::LinkSet& link = row->second.link;
  state.bound_jid = link.bare.with_resource(link.resource).to_string();
  if (link.resume_id.empty()) {
    return state;
  }
  state.id = link.resume_id;
  state.inbound_handled = row->second.handled;
  state.outbound_acked = row->second.acknowledged;
  for (const auto& [index, stanza] : row->second.unacked) {
    state.outbox.push_back(stanza.xml);
  }
  return state;
}

}  // namespace

std::uint64_t random_seed() {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  BASCULE_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

admin::HttpServerOptions http_options(const config::Config& config) {
  admin::HttpServerOptions options;
  options.address = config.admin.address;
  options.port = config.admin.port;
  return options;
}

focus::LinkOptions link_options(const config::Config& config, StreamId stream,
                                std::uint64_t id_token) {
  focus::LinkOptions options;
  options.stream = stream;
  options.id_token = id_token;
  options.outstanding_max = config.focus.limits.outstanding_iqs;
  switch (stream) {
    case StreamId::kRequests:
      options.send_from = config.requests_address;
      break;
    case StreamId::kClient:
      options.resumable = config.client.stream_management;
      options.proxy_address = config.focus.proxy_address;
      break;
    case StreamId::kService:
      if (config.service.mode == config::ServiceMode::kComponent) {
        // A full address: rooms show it, and answers come back to it.
        auto from = Jid::parse(config.focus.focus_nick + "@" + config.service_address.domain() +
                               "/bascule");
        BASCULE_CHECK(from.has_value());
        options.send_from = *std::move(from);
      }
      break;
  }
  return options;
}

std::unique_ptr<xmpp::Transport> make_transport(const config::Config& config, StreamId stream,
                                                boost::asio::io_context& io,
                                                xmpp::TransportListener& listener, LogSink& log,
                                                const focus::Tables& earlier) {
  if (stream == StreamId::kService &&
      config.service.transport == config::ServiceTransport::kLibstrophe) {
    return std::make_unique<xmpp::StropheTransport>(strophe_options(config), io.get_executor(),
                                                    listener);
  }
  xmpp::NativeStreamOptions options = native_options(config, stream);
  options.warn = warner(log, stream);
  auto made = std::make_unique<xmpp::NativeStream>(io, std::move(options), listener);
  if (stream == StreamId::kClient && config.client.stream_management) {
    made->adopt(earlier_session(config, earlier));
  }
  return made;
}

}  // namespace bascule::daemon
