#include "config/xmpp/link_options.h"

namespace bascule::config {
namespace {

/// Of the client link or the service link, which say the same of it.
template <class Link>
xmpp::TlsOptions tls_of(const Link& link) {
  xmpp::TlsOptions tls;
  tls.mode = link.tls == TlsMode::kRequired ? xmpp::TlsMode::kRequired : xmpp::TlsMode::kOff;
  tls.ca_file = link.ca_file;
  tls.pinned_sha256 = link.pins;
  return tls;
}

}  // namespace

xmpp::NativeStreamOptions requests_options(const Config& config) {
  xmpp::NativeStreamOptions options;
  options.mode = xmpp::NativeStreamOptions::Mode::kComponent;
  options.host = config.requests.host;
  options.port = config.requests.port;
  options.domain = config.requests_address.domain();
  options.secret = config.requests.secret.value;
  return options;
}

xmpp::NativeStreamOptions client_options(const Config& config) {
  xmpp::NativeStreamOptions options;
  options.mode = xmpp::NativeStreamOptions::Mode::kClient;
  options.host = config.client.host;
  options.port = config.client.port;
  options.domain = config.client_address.domain();
  options.user = config.client_address.local();
  options.resource = config.client_address.resource();
  options.secret = config.client.password.value;
  options.tls = tls_of(config.client);
  options.stream_management = config.client.stream_management;
  return options;
}

xmpp::NativeStreamOptions service_options(const Config& config) {
  xmpp::NativeStreamOptions options;
  const bool component = config.service.mode == ServiceMode::kComponent;
  options.mode = component ? xmpp::NativeStreamOptions::Mode::kComponent
                           : xmpp::NativeStreamOptions::Mode::kClient;
  options.host = config.service.host;
  options.port = config.service.port;
  options.domain = config.service_address.domain();
  options.user = config.service_address.local();
  options.resource = config.service_address.resource();
  options.secret = config.service.secret.value;
  options.tls = tls_of(config.service);
  options.stream_management = false;
  return options;
}

}  // namespace bascule::config
