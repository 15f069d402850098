// The components we are: what clients send requests to, and the link to the bridges.

#include <string>
#include <utility>

#include "config/xmpp/link_options.h"
#include "ctl/doctor/checks.h"
#include "ctl/doctor/tcp.h"

namespace bascule::ctl::doctor {
namespace {

constexpr Duration kAnswer = std::chrono::seconds{4};

/// Why a component could not be connected.
void judge(const xmpp::Down& down, const xmpp::NativeStreamOptions& link, const std::string& key,
           Finding& finding) {
  const std::string& domain = link.domain;
  switch (down.kind) {
    case xmpp::DownKind::kAuthentication:
      finding.fail("the server refuses our secret for " + domain + ": " + down.reason,
                   key + ".secret and component_secret of Component \"" + domain +
                       "\" must be the same; Prosody reads it again at a restart");
      return;
    case xmpp::DownKind::kConflict:
      finding.ok("the secret of " + domain + " is right; somebody connected as it a moment ago");
      return;
    case xmpp::DownKind::kConnection:
      if (accepts(link.host, link.port)) {
        finding.fail(
            domain + ": the server accepts connections and does not answer: " + down.reason,
            "is " + std::to_string(link.port) +
                " the component port, and is the server "
                "overloaded?");
      } else {
        finding.skip(domain +
                     ": not tried, the server cannot be reached (see ports): " + down.reason);
      }
      return;
    default:
      finding.fail(domain + ": " + down.reason, "add Component \"" + domain +
                                                    "\" with its component_secret to the "
                                                    "configuration of Prosody, and reload it");
  }
}

/// False when it must not be tried, because somebody is connected; says so.
bool may_try(Examination& examination, const Jid& component, std::string_view down_problem,
             Finding& finding) {
  const std::string name = component.to_string();
  if (examination.is_running() && !examination.has_problem(down_problem)) {
    finding.ok("the running bascule is connected as " + name +
               "; the secret was not tried, a second connection could end that one");
    return false;
  }
  switch (examination.occupancy(component)) {
    case Occupancy::kFree:
      return true;
    case Occupancy::kTaken:
      finding.skip("somebody else is connected as " + name +
                   " (a standby's partner, another host, Jicofo): not tried, that could end it");
      return false;
    case Occupancy::kUnknown:
      break;
  }
  finding.skip(name +
               ": not tried, because nobody could log in to see whether somebody else is "
               "connected as it");
  return false;
}

/// mod_client_proxy speaks for the domain clients send to.
void check_proxy(Examination& examination, Finding& finding) {
  const std::string domain = examination.config().xmpp.focus;
  if (examination.has_problem("proxy_unaware")) {
    finding.fail("the running bascule says that " + domain + " does not know of it",
                 "target_address of Component \"" + domain + "\" must be " +
                     examination.config().client_address.bare().to_string());
    return;
  }
  Peer* const peer = examination.need_client(finding);
  const auto component = Jid::parse(domain);
  if (peer == nullptr || !component) {
    return;
  }
  const auto answer = peer->ask(*component, proto::DiscoInfoRequest{}, kAnswer);
  if (!answer &&
      (is_timeout(answer.error()) || is(answer.error(), proto::Condition::kRemoteServerNotFound) ||
       is(answer.error(), proto::Condition::kRemoteServerTimeout) ||
       is(answer.error(), proto::Condition::kNotAllowed))) {
    finding.fail(
        "nobody forwards conference requests at " + domain + ": " + describe(answer.error()),
        "Component \"" + domain +
            "\" \"client_proxy\" with target_address, as in the "
            "manual");
    return;
  }
  finding.ok("there is a " + domain + " that answers");
}

}  // namespace

void check_requests(Examination& examination, Finding& finding) {
  const config::Config& config = examination.config();
  switch (config.requests.mode) {
    case config::RequestsMode::kOff:
      finding.skip("requests arrive over HTTP only (links.requests.mode)");
      return;
    case config::RequestsMode::kClientProxy:
      check_proxy(examination, finding);
      return;
    case config::RequestsMode::kComponent:
      break;
  }
  if (!may_try(examination, config.requests_address, "requests_link_down", finding)) {
    return;
  }
  const xmpp::NativeStreamOptions link = config::requests_options(config);
  Peer peer(examination.io(), link);
  if (const auto down = peer.open()) {
    judge(*down, link, "links.requests", finding);
  } else {
    finding.ok("the server takes us for " + link.domain);
  }
}

void check_service(Examination& examination, Finding& finding) {
  const config::Config& config = examination.config();
  const std::string name = config.service_address.bare().to_string();
  const bool component = config.service.mode == config::ServiceMode::kComponent;
  if (component && !may_try(examination, config.service_address, "service_link_down", finding)) {
    return;
  }
  if (examination.service() != nullptr) {
    finding.ok("the server takes us for " + name);
    return;
  }
  const xmpp::Down down = examination.service_failure().value_or(
      xmpp::Down{.kind = xmpp::DownKind::kConnection, .reason = "not tried"});
  if (component) {
    judge(down, config::service_options(config), "links.service", finding);
  } else if (down.kind == xmpp::DownKind::kAuthentication) {
    finding.fail(name + ": " + down.reason, "links.service.secret must be the account's password");
  } else {
    finding.skip(name + ": not tried (see ports and tls): " + down.reason);
  }
}

}  // namespace bascule::ctl::doctor
