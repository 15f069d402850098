#include "config/validate.h"

#include <string>
#include <utility>

#include "config/schema.h"

namespace bascule::config {
namespace {

constexpr std::uint16_t kComponentPort = 5347;

class Checker {
 public:
  explicit Checker(const LoadedConfig& loaded) : loaded_(loaded) {}

  /// Blames `key` with its printed value unless `holds`.
  void require(bool holds, const std::string& key, const std::string& message) {
    if (holds) {
      return;
    }
    ConfigError error{.key = key, .message = message};
    if (const auto index = find_key(key)) {
      const auto& field = keys()[*index].field;
      error.value = field.is_secret ? "" : field.print(loaded_.config);
      error.origin = loaded_.origins[*index];
    }
    errors_.push_back(std::move(error));
  }

  /// `smaller` must not exceed `larger`; the key whose value the operator set is blamed.
  template <class T>
  void require_order(const std::string& smaller, const T& a, const std::string& larger,
                     const T& b) {
    const auto index = find_key(larger);
    const bool larger_is_default =
        index && loaded_.origins[*index].source == Origin::Source::kDefault;
    if (larger_is_default) {
      require(a <= b, smaller, "must not exceed " + larger + " (" + printed(larger) + ")");
    } else {
      require(a <= b, larger, "must not be below " + smaller + " (" + printed(smaller) + ")");
    }
  }

  std::vector<ConfigError> take() && { return std::move(errors_); }

 private:
  [[nodiscard]] std::string printed(const std::string& key) const {
    const auto index = find_key(key);
    return index ? keys()[*index].field.print(loaded_.config) : "";
  }

  const LoadedConfig& loaded_;
  std::vector<ConfigError> errors_;
};

void check_links(const Config& config, Checker& checker) {
  checker.require(!config.xmpp.domain.empty(), "xmpp.domain",
                  "is required: the main domain of the installation");
  if (config.requests.mode == RequestsMode::kComponent) {
    checker.require(!config.requests.secret.value.empty(), "links.requests.secret",
                    "is required in mode \"component\": set secret-file, secret-env or secret");
  }
  checker.require(!config.client.password.value.empty(), "links.client.password",
                  "is required: set password-file, password-env or password");
  const auto& service = config.service;
  if (service.mode == ServiceMode::kComponent) {
    checker.require(!service.secret.value.empty(), "links.service.secret",
                    "is required in mode \"component\": set secret-file, secret-env or secret");
    Config derived = config;
    if (!config.xmpp.domain.empty()) {
      derive(derived);
      checker.require(
          derived.requests_address.empty() || derived.requests_address != derived.service_address,
          "links.service.component-domain", "must differ from the domain of the requests link");
    }
  } else {
    const bool same_account = service.user.empty() && service.user_domain.empty();
    checker.require(!service.secret.value.empty() || same_account, "links.service.secret",
                    "is required for an account of its own");
    checker.require(!same_account || service.resource != config.client.resource,
                    "links.service.resource",
                    "must differ from links.client.resource: it is the same account");
  }
  checker.require(
      service.pubsub_service.empty() == service.pubsub_node.empty(),
      service.pubsub_node.empty() ? "links.service.pubsub-node" : "links.service.pubsub-service",
      "is required: pubsub-service and pubsub-node belong together");
  checker.require(!service.pubsub_publish || !service.pubsub_node.empty(),
                  "links.service.pubsub-publish", "needs pubsub-service and pubsub-node");
}

void check_selection(const focus::PlacementOptions& options, Checker& checker) {
  checker.require_order("selection.limit-new", options.limit_new, "selection.limit-join",
                        options.limit_join);
  checker.require_order("selection.limit-join", options.limit_join, "selection.limit-max",
                        options.limit_max);
  checker.require_order("selection.limit-max", options.limit_max, "selection.limit-single-join",
                        options.limit_single_join);
  checker.require_order("selection.stale-after", options.stale_after, "selection.blind-after",
                        options.blind_after);
  checker.require_order("selection.publish-period", options.publish_period, "selection.stale-after",
                        options.stale_after);
  checker.require_order("selection.settle-quiet", options.settle_quiet, "selection.settle-max",
                        options.settle_max);
  checker.require_order("selection.retry-wait", options.retry_wait, "selection.retry-wait-max",
                        options.retry_wait_max);
  checker.require_order("selection.quarantine-base", options.quarantine_base,
                        "selection.quarantine-max", options.quarantine_max);
  checker.require_order("selection.global-rate-min", options.global_rate_min,
                        "selection.global-rate", options.global_rate);
  checker.require_order("selection.latency-good", options.latency_good, "selection.latency-bad",
                        options.latency_bad);
  checker.require_order("selection.make-room-target", options.make_room_target,
                        "selection.make-room-above", options.make_room_above);
  checker.require_order("selection.make-room-size", options.make_room_size,
                        "selection.make-room-size-max", options.make_room_size_max);
  checker.require_order("selection.drain-spacing", options.drain_spacing, "selection.recheck",
                        options.recheck);
}

void check_offer(const focus::OfferOptions& offer, Checker& checker) {
  checker.require(offer.av1.enabled || offer.vp8.enabled || offer.vp9.enabled || offer.h264.enabled,
                  "offer.vp8", "cannot be off with all other video codecs: one is needed");
  checker.require(!offer.rtp_mid_demux || (offer.ssrc_rewriting && offer.mid.enabled),
                  "offer.rtp-mid-demux", "needs offer.ssrc-rewriting and offer.mid");
}

/// Who can reach the port can do everything, unless somebody is asked who he is, over a connection
/// that nobody else reads.
void check_admin(const Admin& admin, Checker& checker) {
  checker.require(admin.tls_certificate.empty() == admin.tls_key.empty(),
                  admin.tls_key.empty() ? "admin.tls-key" : "admin.tls-certificate",
                  "is required: tls-certificate and tls-key belong together");
  const bool is_loopback = admin.address.starts_with("127.") || admin.address == "::1";
  checker.require(is_loopback || (!admin.tls_certificate.empty() && !admin.tls_key.empty()),
                  "admin.address",
                  "needs admin.tls-certificate and admin.tls-key: others than 127.0.0.1 and ::1 "
                  "are served by TLS only");
  checker.require(is_loopback || !admin.tokens_file.empty(), "admin.address",
                  "needs admin.tokens-file: others than 127.0.0.1 and ::1 are served with tokens "
                  "only");
}

void check_ha(const Config& config, Checker& checker) {
  if (config.ha.coordinator == HaCoordinator::kNone) {
    return;
  }
  checker.require(!config.ha.node.empty(), "ha.node",
                  "is required with ha.coordinator: each process has a name of its own");
  checker.require(config.ha.shared != config.state.dir, "ha.shared",
                  "must differ from state.dir, which each process has for itself");
  checker.require(config.client.stream_management, "ha.coordinator",
                  "needs links.client.stream-management: another process could not go on");
}

void default_to(std::string& value, const std::string& derived) {
  if (value.empty()) {
    value = derived;
  }
}

/// Only for text that the table has checked.
Jid address(const std::string& text) {
  return Jid::parse(text).value();
}

}  // namespace

std::vector<ConfigError> validate(const LoadedConfig& loaded) {
  Checker checker(loaded);
  check_links(loaded.config, checker);
  check_selection(loaded.config.focus.placement, checker);
  check_offer(loaded.config.focus.offer, checker);
  check_admin(loaded.config.admin, checker);
  check_ha(loaded.config, checker);
  return std::move(checker).take();
}

void derive(Config& config) {
  auto& xmpp = config.xmpp;
  default_to(xmpp.auth, "auth." + xmpp.domain);
  default_to(xmpp.muc, "conference." + xmpp.domain);
  default_to(xmpp.internal_muc, "internal.auth." + xmpp.domain);
  default_to(xmpp.breakout, "breakout." + xmpp.domain);
  default_to(xmpp.focus, "focus." + xmpp.domain);
  default_to(config.client.domain, xmpp.auth);

  auto& service = config.service;
  default_to(service.component_domain, "bascule." + xmpp.domain);
  if (service.user.empty() && service.user_domain.empty()) {
    default_to(service.secret.value, config.client.password.value);
  }
  default_to(service.user, config.client.user);
  default_to(service.user_domain, config.client.domain);
  if (service.port == 0) {
    service.port = service.mode == ServiceMode::kComponent ? kComponentPort : config.client.port;
  }
  if (service.brewery.find('@') == std::string::npos) {
    service.brewery += "@" + xmpp.internal_muc;
  }

  const Jid user = address(config.client.user + "@" + config.client.domain);
  config.client_address = user.with_resource(config.client.resource);
  config.service_address =
      service.mode == ServiceMode::kComponent
          ? address(service.component_domain)
          : address(service.user + "@" + service.user_domain + "/" + service.resource);
  config.requests_address =
      config.requests.mode == RequestsMode::kComponent ? address(xmpp.focus) : Jid();

  auto& focus = config.focus;
  focus.focus_user = user;
  focus.main_host = address(xmpp.domain);
  focus.conference_service = address(xmpp.muc);
  focus.breakout_service = address(xmpp.breakout);
  focus.brewery = RoomJid(address(service.brewery));
  focus.requests_link = config.requests.mode == RequestsMode::kComponent;
  if (config.requests.mode == RequestsMode::kClientProxy) {
    focus.proxy_address = address(xmpp.focus);
  }
  focus.session_outlives_process = config.client.stream_management;
  if (!service.pubsub_service.empty()) {
    focus.pubsub_service = address(service.pubsub_service);
    focus.pubsub_node = service.pubsub_node;
    focus.pubsub_keeps_items = service.pubsub_persist;
    focus.pubsub_publishes = service.pubsub_publish;
  }
}

}  // namespace bascule::config
