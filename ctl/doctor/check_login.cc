// The account of the focus: login, resumption, how fast the server reads from it.

#include <string>
#include <vector>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/tcp.h"

namespace bascule::ctl::doctor {
namespace {

constexpr Duration kBriefly = std::chrono::seconds{15};
// As much as a focus says within a second when a busy room forms; at the rate of 10 kB/s that
// Debian's Prosody is installed with it takes five.
constexpr std::size_t kBurstStanzas = 48;
constexpr std::size_t kBurstStanzaBytes = 1024;
constexpr Duration kBurstLimit = std::chrono::seconds{10};
constexpr Duration kBurstSlow = std::chrono::seconds{1};

std::string account(Examination& examination) {
  return examination.config().client_address.bare().to_string();
}

/// When TLS is wanted, the check of it says what is wrong with a server that does not answer.
void judge_connection(const config::ClientLink& link, const xmpp::Down& down, Finding& finding) {
  if (link.tls == config::TlsMode::kRequired || !accepts(link.host, link.port)) {
    finding.skip("not tried, the server cannot be reached (see ports and tls): " + down.reason);
  } else {
    finding.fail("the server accepts connections and nobody can log in: " + down.reason,
                 "is it the client port, and is the server overloaded? Its log, and top");
  }
}

}  // namespace

void check_login(Examination& examination, Finding& finding) {
  if (Peer* const peer = examination.client()) {
    finding.ok(account(examination) + " logs in (as " + peer->up().bound_jid.resource() +
               ", which sends presence to nobody)");
    return;
  }
  const xmpp::Down& down = examination.client_failure();
  switch (down.kind) {
    case xmpp::DownKind::kAuthentication:
      finding.fail(
          account(examination) + ": " + down.reason,
          "links.client.password must be the account's: prosodyctl passwd " + account(examination));
      return;
    case xmpp::DownKind::kCertificate:
      finding.skip("not tried, because no password is sent then (see tls): " + down.reason);
      return;
    case xmpp::DownKind::kConnection:
      judge_connection(examination.config().client, down, finding);
      return;
    default:
      finding.fail(account(examination) + ": " + down.reason,
                   "is " + examination.config().client_address.domain() +
                       " a VirtualHost with authentication = \"internal_hashed\"?");
  }
}

void check_resume(Examination& examination, Finding& finding) {
  if (!examination.config().client.stream_management) {
    finding.warn(
        "links.client.stream-management is switched off: after a restart of Bascule "
        "everybody in a meeting is invited again",
        "switch it on");
    return;
  }
  Peer* const peer = examination.need_client(finding);
  if (peer == nullptr) {
    return;
  }
  const std::string host = examination.config().client_address.domain();
  const auto promised = peer->up().resumable_for;
  if (!promised) {
    finding.fail("the server does not let a session of " + account(examination) +
                     " be resumed: after a restart of Bascule everybody is invited again",
                 "load the module smacks on VirtualHost \"" + host + "\"");
    return;
  }
  const std::string seconds =
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*promised).count()) + " s";
  const auto resumed = peer->cut_and_resume();
  if (!resumed || !*resumed) {
    finding.fail("the server promised to keep a session for " + seconds +
                     " and did not resume it: " +
                     (resumed ? "it gave us a new one" : resumed.error().reason),
                 "the log of Prosody says why; smacks_max_old_sessions must be 1 or more");
    return;
  }
  if (*promised < kBriefly) {
    finding.warn("a cut session was resumed; the server keeps it for " + seconds + " only",
                 "smacks_hibernation_time of VirtualHost \"" + host +
                     "\" to 15 or more: a restart must fit in");
    return;
  }
  finding.ok("a cut session was resumed; the server keeps it for " + seconds +
             " (how long its queue is cannot be seen: smacks_max_queue_size = 50000)");
}

void check_rates(Examination& examination, Finding& finding) {
  Peer* const peer = examination.need_client(finding);
  if (peer == nullptr) {
    return;
  }
  const auto host = Jid::parse(examination.config().client_address.domain());
  proto::UnknownRequest padded{.type = proto::IqType::kGet, .payload = encode(proto::Ping{})};
  padded.payload.text = std::string(kBurstStanzaBytes, 'x');
  const std::vector<proto::Request> burst(kBurstStanzas, padded);
  const Instant begun = read_now().mono;
  const bool answered = peer->ask_all(*host, burst, kBurstLimit);
  const Duration took = read_now().mono - begun;
  const auto milliseconds = took / std::chrono::milliseconds{1};
  const std::string seen = std::to_string(kBurstStanzas) + " stanzas of 1 KiB at once were " +
                           (answered ? "" : "not all ") + "answered within " +
                           std::to_string(milliseconds) + " ms";
  if (!answered || took > kBurstSlow) {
    finding.fail(seen + ": the server reads slowly from " + account(examination),
                 "unlimited_jids = { \"" + account(examination) +
                     "\" } in the global section of Prosody's configuration (with the module "
                     "limits_exception where it is Jitsi's); or the server is overloaded");
    return;
  }
  finding.ok(seen);
}

}  // namespace bascule::ctl::doctor
