#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/jid.h"
#include "focus/note.h"
#include "focus/options.h"

/// Everything an operator may set, with its defaults. Keys, ranges and texts are in the table of
/// schema.h; this file says what the values mean to the program.
namespace bascule::config {

/// A password or component secret. Nothing prints `value`.
struct Secret {
  std::string value;  ///< Empty: not set.
  friend bool operator==(const Secret&, const Secret&) = default;
};

/// Domains of the Jitsi Meet installation. Empty ones are derived from `domain` by `finish`.
struct XmppDomains {
  std::string domain;        ///< The main virtual host, where clients log in.
  std::string auth;          ///< Default `auth.<domain>`.
  std::string muc;           ///< Default `conference.<domain>`.
  std::string internal_muc;  ///< Default `internal.auth.<domain>`.
  std::string breakout;      ///< Default `breakout.<domain>`.
  std::string focus;         ///< Default `focus.<domain>`: the address clients send requests to.
  friend bool operator==(const XmppDomains&, const XmppDomains&) = default;
};

enum class RequestsMode : std::uint8_t {
  kComponent,    ///< External component (XEP-0114) `focus.<domain>`.
  kClientProxy,  ///< The server's mod_client_proxy forwards to the client link.
  kOff,          ///< Conference requests arrive by HTTP only.
};
enum class ServiceMode : std::uint8_t {
  kComponent,  ///< External component `bascule.<domain>`.
  kClient,     ///< An account, by default the one of the client link with another resource.
};
enum class ServiceTransport : std::uint8_t {
  kLibstrophe,  ///< A kept library; parses without limits of its own.
  kNative,      ///< Our own stream, with limits per stanza.
};
enum class TlsMode : std::uint8_t { kRequired, kOff };
enum class LogFormat : std::uint8_t { kText, kLogfmt, kJson };
/// How SIGTERM ends the process (docs/operations.md).
enum class StopPolicy : std::uint8_t {
  kSuspend,         ///< Without a word: the next process goes on.
  kLeave,           ///< Everybody is told now.
  kLeaveWhenEmpty,  ///< As kLeave when the last conference has ended, or at the deadline.
};

struct RequestsLink {
  RequestsMode mode = RequestsMode::kComponent;
  std::string host = "localhost";
  std::uint16_t port = 5347;
  Secret secret;
  friend bool operator==(const RequestsLink&, const RequestsLink&) = default;
};

struct ClientLink {
  std::string host = "localhost";
  std::uint16_t port = 5222;
  std::string user = "focus";
  std::string domain;  ///< Default: the auth domain.
  std::string resource = "focus";
  Secret password;
  TlsMode tls = TlsMode::kRequired;
  std::string ca_file;
  std::vector<std::string> pins;  ///< SHA-256 of certificates, 64 lower-case hex digits.
  bool stream_management = true;  ///< XEP-0198 with resumption.
  friend bool operator==(const ClientLink&, const ClientLink&) = default;
};

struct ServiceLink {
  ServiceMode mode = ServiceMode::kComponent;
  ServiceTransport transport = ServiceTransport::kLibstrophe;
  std::string host = "localhost";
  std::uint16_t port = 0;        ///< 0: 5347 for a component, else the client link's.
  std::string component_domain;  ///< Default `bascule.<domain>`.
  std::string user;              ///< Default: the user of the client link.
  std::string user_domain;       ///< Default: the domain of the client link.
  std::string resource = "bascule-service";
  Secret secret;  ///< Of the component, or the password; see `finish`.
  TlsMode tls = TlsMode::kRequired;
  std::string ca_file;
  std::vector<std::string> pins;
  std::string brewery = "jvbbrewery";  ///< Room name in the internal MUC, or a whole address.
  std::string pubsub_service;
  std::string pubsub_node;
  bool pubsub_persist = false;
  bool pubsub_publish = false;
  friend bool operator==(const ServiceLink&, const ServiceLink&) = default;
};

/// HTTP for operators and clients (docs/adr/0018). Paths and lists may be empty: there is none.
struct Admin {
  std::string address = "127.0.0.1";  ///< Others than loopback need certificate and tokens.
  std::uint16_t port = 8888;
  std::uint32_t metrics_bridges_max = 2'000;  ///< Bridges with series of their own.
  std::string unix_socket;
  std::string tls_certificate;  ///< Chain, PEM.
  std::string tls_key;
  std::string tokens_file;
  std::vector<std::string> trusted_hosts;               ///< Names without port.
  std::vector<std::string> conference_request_origins;  ///< As browsers write them, or "*".
  bool jicofo_routes = true;      ///< What Jicofo serves, under its paths and names.
  bool jicofo_get_moves = false;  ///< Its orders to move people also as GET.
  friend bool operator==(const Admin&, const Admin&) = default;
};

struct State {
  std::string dir = "/var/lib/bascule";
  Duration verify_interval = std::chrono::hours{24};  ///< 0: only when asked.
  Duration backup_interval = std::chrono::hours{6};   ///< 0: only when asked.
  std::string backup_dir;                             ///< Default `<dir>/backup`.
  std::int64_t backups_kept = 8;
  std::int64_t history_rows = 1'000'000;
  std::int64_t history_minutes = 1'000'000;
  Duration history_age = std::chrono::hours{7 * 24};
  friend bool operator==(const State&, const State&) = default;
};

/// Who decides which of several processes is active.
enum class HaCoordinator : std::uint8_t {
  kNone,  ///< There is one process.
  kFile,  ///< Two processes on one host, a lock file.
};

/// Two processes (docs/adr/0016).
struct Ha {
  HaCoordinator coordinator = HaCoordinator::kNone;
  std::string shared = "/var/lib/bascule-ha";  ///< Directory that both processes use.
  std::string node;                            ///< Name of this one.
  Duration heartbeat_timeout = std::chrono::seconds{3};
  Duration sync_timeout = std::chrono::milliseconds{250};
  friend bool operator==(const Ha&, const Ha&) = default;
};

struct Log {
  focus::NoteLevel level = focus::NoteLevel::kInfo;
  LogFormat format = LogFormat::kText;
  bool hash_jids = false;
  friend bool operator==(const Log&, const Log&) = default;
};

/// How the process ends.
struct Life {
  StopPolicy stop = StopPolicy::kSuspend;
  Duration stop_deadline = std::chrono::hours{1};  ///< Of kLeaveWhenEmpty.
  friend bool operator==(const Life&, const Life&) = default;
};

struct Config {
  XmppDomains xmpp;
  RequestsLink requests;
  ClientLink client;
  ServiceLink service;
  /// Its deployment addresses are filled in by `finish`.
  focus::Options focus;
  Admin admin;
  State state;
  Ha ha;
  Life life;
  Log log;

  std::string revision;  ///< Of the program, beside focus.version; no setting.

  // What `finish` derives for the wiring.
  Jid requests_address;  ///< Domain of the requests component; empty unless in that mode.
  Jid client_address;    ///< user@domain/resource.
  Jid service_address;   ///< A component's domain, or user@domain/resource.
};

}  // namespace bascule::config
