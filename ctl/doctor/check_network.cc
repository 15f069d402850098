// Names, ports, certificates: the way to the servers.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/xmpp/link_options.h"
#include "ctl/doctor/checks.h"
#include "ctl/doctor/tcp.h"
#include "ctl/doctor/tls_probe.h"
#include "xmpp/stream/tls.h"

namespace bascule::ctl::doctor {
namespace {

using Link = xmpp::NativeStreamOptions;

constexpr Duration kSlowName = std::chrono::seconds{1};
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kExpiryWarn = 14 * kDay;

/// Every link that the daemon opens, with its name in the configuration.
std::vector<std::pair<std::string, Link>> links_of(const config::Config& config) {
  std::vector<std::pair<std::string, Link>> links = {
      {"links.client", config::client_options(config)},
      {"links.service", config::service_options(config)}};
  if (config.requests.mode == config::RequestsMode::kComponent) {
    links.emplace_back("links.requests", config::requests_options(config));
  }
  return links;
}

std::string place(const Link& link) {
  return link.host + " port " + std::to_string(link.port);
}

/// One of each that is equal in `key`.
template <class Key>
std::vector<std::pair<std::string, Link>> distinct(std::vector<std::pair<std::string, Link>> links,
                                                   Key key) {
  std::vector<std::pair<std::string, Link>> kept;
  for (auto& [name, link] : links) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& other) {
      return key(other.second) == key(link);
    });
    if (same == kept.end()) {
      kept.emplace_back(std::move(name), std::move(link));
    } else {
      same->first += ", " + name;
    }
  }
  return kept;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += (all.empty() ? "" : ", ") + text;
  }
  return all;
}

void check_one_port(const std::string& name, const Link& link, Finding& finding) {
  const auto addresses = resolve(link.host, link.port);
  if (!addresses) {
    finding.skip(place(link) + ": has no address (see dns)");
    return;
  }
  std::string refused;
  for (const Address& address : *addresses) {
    const auto socket = Socket::connect(address);
    if (socket) {
      finding.ok(place(link) + " (" + name + ") accepts connections at " + address.text);
      return;
    }
    refused += (refused.empty() ? "" : "; ") + address.text + ": " + socket.error().what;
  }
  const bool component = link.mode == Link::Mode::kComponent;
  finding.fail(
      place(link) + " (" + name + "): " + refused,
      std::string("does Prosody run, and do ") +
          (component ? "component_ports and component_interfaces" : "c2s_ports and interfaces") +
          " of its configuration name this port and an address that is reached from here? "
          "A firewall between shows as a time-out");
}

void judge_dates(const CertificateFacts& facts, const std::string& where, Finding& finding) {
  const std::string action = "renew the certificate, and reload Prosody: prosodyctl reload";
  if (facts.seconds_left <= 0) {
    finding.fail(where + ": its certificate expired (" + facts.expires + ")", action);
  } else if (!facts.is_valid_yet) {
    finding.fail(where + ": its certificate is not valid yet", "is the clock of this host right?");
  } else if (facts.seconds_left < kExpiryWarn) {
    finding.warn(where + ": its certificate expires in " +
                     std::to_string(facts.seconds_left / kDay) + " days (" + facts.expires + ")",
                 action);
  }
}

/// With pins nothing else counts, so nothing else is a fault.
void judge_pins(const CertificateFacts& facts, const Link& link, const std::string& where,
                Finding& finding) {
  for (const std::string& pin : link.tls.pinned_sha256) {
    if (xmpp::normalised_pin(pin) == facts.fingerprint) {
      finding.ok(where + ": " + facts.protocol + ", the certificate is the pinned one");
      return;
    }
  }
  finding.fail(where + ": its certificate has the fingerprint " + facts.fingerprint +
                   ", which is not among the pins",
               "if that is the server's new certificate, put the fingerprint into pins");
}

void check_certificate(const std::string& name, const Link& link, Finding& finding) {
  const std::string where = place(link) + " (" + name + ")";
  if (link.tls.mode == xmpp::TlsMode::kOff) {
    finding.ok(where + ": TLS is switched off in the configuration");
    return;
  }
  const auto facts = probe_tls(link);
  if (!facts &&
      (facts.error().code == Errc::kUnavailable || facts.error().code == Errc::kNotFound)) {
    finding.skip(where + ": cannot be reached (see ports): " + facts.error().what);
    return;
  }
  if (!facts && facts.error().code == Errc::kTimeout) {
    finding.fail(where + ": accepts connections and does not speak XMPP: " + facts.error().what,
                 "is it the client port, and is the server overloaded? Its log, and top");
    return;
  }
  if (!facts) {
    finding.fail(where + ": " + facts.error().what,
                 "load the module tls in Prosody, with a certificate for " + link.domain +
                     "; or see ca-file");
    return;
  }
  if (!link.tls.pinned_sha256.empty()) {
    judge_pins(*facts, link, where, finding);
    return;
  }
  judge_dates(*facts, where, finding);
  if (!facts->has_name) {
    finding.fail(
        where + ": its certificate is for " + joined(facts->names) + " and not for " + link.domain,
        "give Prosody a certificate that names " + link.domain +
            " (the domain of the account, not the host), or pin this one: " + facts->fingerprint);
  }
  if (!facts->chain_error.empty()) {
    finding.fail(where + ": nobody we trust vouches for its certificate: " + facts->chain_error +
                     " (issuer " + facts->issuer + ")",
                 "set ca-file of the link to the PEM file of its authority, or pin the "
                 "certificate: " +
                     facts->fingerprint);
  }
  if (finding.status() < Status::kWarn) {
    finding.ok(where + ": " + facts->protocol + ", " + facts->subject + ", valid for " +
               std::to_string(facts->seconds_left / kDay) + " days");
  }
}

}  // namespace

void check_dns(Examination& examination, Finding& finding) {
  for (const auto& [name, link] :
       distinct(links_of(examination.config()), [](const Link& one) { return one.host; })) {
    const Instant begun = read_now().mono;
    const auto addresses = resolve(link.host, link.port);
    const Duration took = read_now().mono - begun;
    if (!addresses) {
      finding.fail(link.host + " (" + name + "): " + addresses.error().what,
                   "correct the host of the link, or the DNS or /etc/hosts of this machine");
      continue;
    }
    std::vector<std::string> texts;
    for (const Address& address : *addresses) {
      texts.push_back(address.text);
    }
    const std::string seen = link.host + " (" + name + ") is " + joined(texts);
    if (took > kSlowName) {
      finding.warn(seen + "; the resolver took " +
                       std::to_string(took / std::chrono::milliseconds{1}) + " ms to say so",
                   "a reconnect waits for that: repair the resolver, or use an address");
    } else {
      finding.ok(seen);
    }
  }
}

void check_ports(Examination& examination, Finding& finding) {
  const auto key = [](const Link& one) { return std::pair(one.host, one.port); };
  for (const auto& [name, link] : distinct(links_of(examination.config()), key)) {
    check_one_port(name, link, finding);
  }
}

void check_tls(Examination& examination, Finding& finding) {
  auto links = links_of(examination.config());
  std::erase_if(links, [](const auto& link) { return link.second.mode == Link::Mode::kComponent; });
  const auto key = [](const Link& one) { return std::tuple(one.host, one.port, one.domain); };
  for (const auto& [name, link] : distinct(std::move(links), key)) {
    Finding one;
    check_certificate(name, link, one);
    finding.merge(one);
  }
}

}  // namespace bascule::ctl::doctor
