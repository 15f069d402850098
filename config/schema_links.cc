// The sections [xmpp] and [links.*].

#include <algorithm>

#include "config/schema.h"

namespace bascule::config {
namespace {

bool is_domain(std::string_view value) {
  const auto jid = Jid::parse(value);
  return jid && jid->local().empty() && jid->is_bare();
}

bool is_localpart(std::string_view value) {
  const auto jid = Jid::parse(std::string(value) + "@x");
  return jid && jid->is_bare() && jid->domain() == "x";
}

bool is_resource(std::string_view value) {
  return Jid::parse("x/" + std::string(value)).has_value();
}

bool is_room(std::string_view value) {
  const auto jid = Jid::parse(value);
  return is_localpart(value) || (jid && jid->is_bare() && !jid->local().empty());
}

bool is_sha256(std::string_view value) {
  return value.size() == 64 &&
         value.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_host(std::string_view value) {
  return value.find_first_of(" /@\t\n") == std::string_view::npos;
}

constexpr const char* kDomainText = "a domain";
constexpr const char* kHostText = "a host name or IP address";
constexpr const char* kPinText = "SHA-256 fingerprints of 64 lower-case hex digits";
constexpr IntegerRange kPort{.min = 1, .max = 65535};
constexpr IntegerRange kPortOrDefault{.min = 0, .max = 65535};

constexpr const char* kTlsHelp =
    "\"required\": a server without STARTTLS, or with a certificate that cannot be verified, is\n"
    "refused. \"off\": plain TCP, only for a server on the same host.";
constexpr const char* kCaHelp = "PEM file with certificates to trust besides the system's.";
constexpr const char* kPinHelp =
    "Certificates to accept whatever their chain and name say, by SHA-256. The log names the\n"
    "fingerprint of a refused certificate.";

void add_domain_keys(std::vector<Key>& table) {
  table.push_back({"xmpp.domain",
                   text(BASCULE_CONFIG_AT(xmpp.domain), Empty::kAllowed, kDomainText, is_domain),
                   "XMPP_DOMAIN", "Main domain of the Jitsi Meet installation. Required.",
                   "\"meet.example.com\""});
  table.push_back({"xmpp.auth-domain",
                   text(BASCULE_CONFIG_AT(xmpp.auth), Empty::kAllowed, kDomainText, is_domain),
                   "XMPP_AUTH_DOMAIN",
                   "Where the focus and the bridges have accounts. Empty: auth.<domain>.", ""});
  table.push_back({"xmpp.muc-domain",
                   text(BASCULE_CONFIG_AT(xmpp.muc), Empty::kAllowed, kDomainText, is_domain),
                   "XMPP_MUC_DOMAIN", "Conference rooms. Empty: conference.<domain>.", ""});
  table.push_back(
      {"xmpp.internal-muc-domain",
       text(BASCULE_CONFIG_AT(xmpp.internal_muc), Empty::kAllowed, kDomainText, is_domain),
       "XMPP_INTERNAL_MUC_DOMAIN", "Rooms of the services. Empty: internal.auth.<domain>.", ""});
  table.push_back({"xmpp.breakout-domain",
                   text(BASCULE_CONFIG_AT(xmpp.breakout), Empty::kAllowed, kDomainText, is_domain),
                   "", "Breakout rooms. Empty: breakout.<domain>.", ""});
  table.push_back({"xmpp.focus-domain",
                   text(BASCULE_CONFIG_AT(xmpp.focus), Empty::kAllowed, kDomainText, is_domain), "",
                   "The address clients send conference requests to. Empty: focus.<domain>.", ""});
  table.push_back(
      {"xmpp.trusted-domains",
       list(BASCULE_CONFIG_AT(focus.trusted_domains), kDomainText, is_domain),
       "JICOFO_TRUSTED_DOMAINS",
       "Whose members may be recorders and gateways: nobody mutes those that cannot obey, "
       "and none becomes owner of a room.",
       ""});
}

void add_requests_keys(std::vector<Key>& table) {
  table.push_back(
      {"links.requests.mode",
       choice(BASCULE_CONFIG_AT(requests.mode),
              std::vector<std::pair<std::string, RequestsMode>>{
                  {"component", RequestsMode::kComponent},
                  {"client-proxy", RequestsMode::kClientProxy},
                  {"off", RequestsMode::kOff}}),
       "",
       "How conference requests arrive. \"component\": we are the external component\n"
       "focus-domain. \"client-proxy\": the server's mod_client_proxy forwards them to\n"
       "the client link. \"off\": over HTTP only.",
       ""});
  table.push_back({"links.requests.host",
                   text(BASCULE_CONFIG_AT(requests.host), Empty::kForbidden, kHostText, is_host),
                   "XMPP_SERVER", "Server of the component.", ""});
  table.push_back({"links.requests.port", integer(BASCULE_CONFIG_AT(requests.port), kPort), "",
                   "Its component port.", ""});
  table.push_back({"links.requests.secret", secret(BASCULE_CONFIG_AT(requests.secret)),
                   "JICOFO_COMPONENT_SECRET", "Secret of the component.",
                   "/etc/bascule/requests.secret"});
}

void add_client_keys(std::vector<Key>& table) {
  table.push_back({"links.client.host",
                   text(BASCULE_CONFIG_AT(client.host), Empty::kForbidden, kHostText, is_host),
                   "XMPP_SERVER", "Server of the client login.", ""});
  table.push_back({"links.client.port", integer(BASCULE_CONFIG_AT(client.port), kPort), "XMPP_PORT",
                   "Its client port.", ""});
  table.push_back(
      {"links.client.user",
       text(BASCULE_CONFIG_AT(client.user), Empty::kForbidden, "a user name", is_localpart),
       "JICOFO_AUTH_USER", "User of the focus.", ""});
  table.push_back({"links.client.domain",
                   text(BASCULE_CONFIG_AT(client.domain), Empty::kAllowed, kDomainText, is_domain),
                   "", "Domain of the user. Empty: the auth domain.", ""});
  table.push_back(
      {"links.client.resource",
       text(BASCULE_CONFIG_AT(client.resource), Empty::kForbidden, "a resource", is_resource), "",
       "Resource of the login.", ""});
  table.push_back({"links.client.password", secret(BASCULE_CONFIG_AT(client.password)),
                   "JICOFO_AUTH_PASSWORD", "Password of the user.",
                   "/etc/bascule/client.password"});
  table.push_back({"links.client.tls",
                   choice(BASCULE_CONFIG_AT(client.tls),
                          std::vector<std::pair<std::string, TlsMode>>{
                              {"required", TlsMode::kRequired}, {"off", TlsMode::kOff}}),
                   "", kTlsHelp, ""});
  table.push_back({"links.client.ca-file",
                   text(BASCULE_CONFIG_AT(client.ca_file), Empty::kAllowed, "a path"), "", kCaHelp,
                   ""});
  table.push_back({"links.client.pins", list(BASCULE_CONFIG_AT(client.pins), kPinText, is_sha256),
                   "", kPinHelp, ""});
  table.push_back({"links.client.stream-management",
                   boolean(BASCULE_CONFIG_AT(client.stream_management)), "",
                   "Resume a broken stream (XEP-0198) without leaving the rooms.", ""});
}

void add_service_link_keys(std::vector<Key>& table) {
  table.push_back(
      {"links.service.mode",
       choice(BASCULE_CONFIG_AT(service.mode),
              std::vector<std::pair<std::string, ServiceMode>>{
                  {"component", ServiceMode::kComponent}, {"client", ServiceMode::kClient}}),
       "",
       "The link to the bridges. \"component\": we are the external component\n"
       "component-domain. \"client\": an account; without user and secret the one of\n"
       "the client link, with another resource.",
       ""});
  table.push_back(
      {"links.service.transport",
       choice(BASCULE_CONFIG_AT(service.transport),
              std::vector<std::pair<std::string, ServiceTransport>>{
                  {"libstrophe", ServiceTransport::kLibstrophe},
                  {"native", ServiceTransport::kNative}}),
       "",
       "What speaks XMPP on this link. libstrophe needs quadratic time for a stanza with very "
       "many\n"
       "children: where clients can send to the component's address (Prosody lets them), choose\n"
       "\"native\" or have the server refuse such stanzas.",
       ""});
  table.push_back({"links.service.host",
                   text(BASCULE_CONFIG_AT(service.host), Empty::kForbidden, kHostText, is_host),
                   "XMPP_SERVER", "Server the bridges log in to.", ""});
  table.push_back(
      {"links.service.port", integer(BASCULE_CONFIG_AT(service.port), kPortOrDefault), "",
       "Its port. 0: 5347 for a component, the port of the client link for a client.", ""});
  table.push_back(
      {"links.service.component-domain",
       text(BASCULE_CONFIG_AT(service.component_domain), Empty::kAllowed, kDomainText, is_domain),
       "", "Domain of the component. Empty: bascule.<domain>.", ""});
  table.push_back(
      {"links.service.user",
       text(BASCULE_CONFIG_AT(service.user), Empty::kAllowed, "a user name", is_localpart), "",
       "User of the client mode. Empty: the one of the client link.", ""});
  table.push_back(
      {"links.service.user-domain",
       text(BASCULE_CONFIG_AT(service.user_domain), Empty::kAllowed, kDomainText, is_domain), "",
       "Its domain. Empty: the one of the client link.", ""});
  table.push_back(
      {"links.service.resource",
       text(BASCULE_CONFIG_AT(service.resource), Empty::kForbidden, "a resource", is_resource), "",
       "Resource of the login.", ""});
  table.push_back({"links.service.secret", secret(BASCULE_CONFIG_AT(service.secret)), "",
                   "Secret of the component, or password of the user.",
                   "/etc/bascule/service.secret"});
  table.push_back({"links.service.tls",
                   choice(BASCULE_CONFIG_AT(service.tls),
                          std::vector<std::pair<std::string, TlsMode>>{
                              {"required", TlsMode::kRequired}, {"off", TlsMode::kOff}}),
                   "", kTlsHelp, ""});
  table.push_back({"links.service.ca-file",
                   text(BASCULE_CONFIG_AT(service.ca_file), Empty::kAllowed, "a path"), "", kCaHelp,
                   ""});
  table.push_back({"links.service.pins", list(BASCULE_CONFIG_AT(service.pins), kPinText, is_sha256),
                   "", kPinHelp, ""});
  table.push_back({"links.service.brewery",
                   text(BASCULE_CONFIG_AT(service.brewery), Empty::kForbidden,
                        "a room name or address", is_room),
                   "JVB_BREWERY_MUC",
                   "The room where bridges announce themselves: its name in internal-muc-domain,\n"
                   "or a whole address.",
                   ""});
  table.push_back(
      {"links.service.pubsub-service",
       text(BASCULE_CONFIG_AT(service.pubsub_service), Empty::kAllowed, kDomainText, is_domain), "",
       "Bridge statistics by pubsub as well: the service, with pubsub-node. Empty: off.", ""});
  table.push_back({"links.service.pubsub-node",
                   text(BASCULE_CONFIG_AT(service.pubsub_node), Empty::kAllowed), "",
                   "The node, for example sharedStatsNode.", ""});
  table.push_back({"links.service.pubsub-persist",
                   boolean(BASCULE_CONFIG_AT(service.pubsub_persist)), "",
                   "Whether the node is to remember the last item of each bridge; it is configured "
                   "so.\n"
                   "Prosody then rewrites all items for each one: 50 bridges fill a core.",
                   ""});
  table.push_back(
      {"links.service.pubsub-publish", boolean(BASCULE_CONFIG_AT(service.pubsub_publish)), "",
       "Publish what bridges say in the brewery to the node, for others who read it.", ""});
}

}  // namespace

void add_link_keys(std::vector<Key>& table) {
  add_domain_keys(table);
  add_requests_keys(table);
  add_client_keys(table);
  add_service_link_keys(table);
}

}  // namespace bascule::config
