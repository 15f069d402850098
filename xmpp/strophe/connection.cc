#include "xmpp/strophe/connection.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace bascule::xmpp::strophe {
namespace {

// Also a server that is alive and too busy to read lets data lie (tcp(7)): as in xmpp/stream.
constexpr int kTcpUserTimeoutMs = 60'000;
constexpr std::string_view kClientNamespace = "jabber:client";
constexpr std::string_view kLibraryIdPrefix = "_xmpp_";  // Of the IQs libstrophe sends itself.

/// Two of libstrophe's callbacks carry no user pointer. They are called inside `connect` and
/// `run_once` only, and one thread drives one connection at a time.
thread_local Connection* current = nullptr;

class CurrentScope {
 public:
  explicit CurrentScope(Connection* connection) : previous_(current) { current = connection; }
  ~CurrentScope() { current = previous_; }
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;

 private:
  Connection* previous_;
};

/// libstrophe hands the first context of the process to expat's allocator and keeps the pointer for
/// ever (parser_expat.c `mem_ctx`), so the first one must never be freed.
void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmpp_initialize();
    static xmpp_ctx_t* const immortal = xmpp_ctx_new(nullptr, nullptr);
    static xmpp_conn_t* const first_parser = xmpp_conn_new(immortal);
    BASCULE_CHECK(first_parser != nullptr);
  });
}

DownKind kind_of(xmpp_error_type_t type) {
  switch (type) {
    case XMPP_SE_NOT_AUTHORIZED:
      return DownKind::kAuthentication;
    case XMPP_SE_CONFLICT:
      return DownKind::kConflict;
    case XMPP_SE_SYSTEM_SHUTDOWN:
    case XMPP_SE_CONN_TIMEOUT:
    case XMPP_SE_REMOTE_CONN_FAILED:
    case XMPP_SE_INTERNAL_SERVER_ERROR:
    case XMPP_SE_RESOURCE_CONSTRAINT:
      return DownKind::kConnection;
    default:
      return DownKind::kProtocol;
  }
}

/// The name of the condition: the first child that is not `<text/>` (RFC 6120 4.9.2).
std::string condition_of(const xmpp_stream_error_t& error) {
  std::string text = "stream error";
  for (auto* child = xmpp_stanza_get_children(error.stanza); child != nullptr;
       child = xmpp_stanza_get_next(child)) {
    const char* name = xmpp_stanza_get_name(child);
    if (name != nullptr && std::string_view(name) != "text") {
      text += " ";
      text += name;
      break;
    }
  }
  if (error.text != nullptr) {
    text += ": ";
    text += error.text;
  }
  return text;
}

std::string certificate_field(const xmpp_tlscert_t* certificate, xmpp_cert_element_t field) {
  const char* value = xmpp_tlscert_get_string(certificate, field);
  return value == nullptr ? "" : value;
}

std::string lower_hex(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

void set_socket_option(int socket, int level, int option, int value) {
  // A kernel without the option costs latency or detection time, not correctness.
  static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
}

}  // namespace

Connection::Connection(const StropheOptions& options, LowDescriptor& reserved, Listener& listener)
    : options_(options), reserved_(reserved), listener_(listener), log_{&Connection::on_log, this} {
  initialize_library();
  context_ = xmpp_ctx_new(nullptr, &log_);
  BASCULE_CHECK(context_ != nullptr);
  connection_ = xmpp_conn_new(context_);
  BASCULE_CHECK(connection_ != nullptr);
}

Connection::~Connection() {
  CurrentScope scope(this);
  log_.handler = nullptr;
  xmpp_conn_release(connection_);  // Disconnects, which calls on_event.
  xmpp_ctx_free(context_);
  reserved_.reserve();
}

bool Connection::connect(const std::string& numeric_address) {
  CurrentScope scope(this);
  xmpp_conn_set_jid(connection_, options_.address.to_string().c_str());
  xmpp_conn_set_pass(connection_, options_.secret.c_str());
  int result = XMPP_EINT;
  if (options_.mode == StropheMode::kComponent) {
    prime_component();
    xmpp_conn_set_sockopt_callback(connection_, &Connection::on_socket);
    result = xmpp_connect_component(connection_, numeric_address.c_str(), options_.port,
                                    &Connection::on_event, this);
  } else {
    const auto tls = options_.tls == StropheTls::kRequired ? XMPP_CONN_FLAG_MANDATORY_TLS
                                                           : XMPP_CONN_FLAG_DISABLE_TLS;
    const auto flags = static_cast<long>(tls | XMPP_CONN_FLAG_DISABLE_SM);
    BASCULE_CHECK(xmpp_conn_set_flags(connection_, flags) == XMPP_EOK);
    if (!options_.ca_file.empty()) {
      xmpp_conn_set_cafile(connection_, options_.ca_file.c_str());
    }
    xmpp_conn_set_certfail_handler(connection_, &Connection::on_certificate);
    xmpp_conn_set_sockopt_callback(connection_, &Connection::on_socket);
    result = xmpp_connect_client(connection_, numeric_address.c_str(), options_.port,
                                 &Connection::on_event, this);
  }
  if (result != XMPP_EOK && !down_) {
    down_ = Down{.kind = DownKind::kConnection,
                 .reason = "cannot connect to " + numeric_address + " port " +
                           std::to_string(options_.port) +
                           (last_error_.empty() ? "" : ": " + last_error_)};
  }
  xmpp_handler_add(connection_, &Connection::on_stanza, nullptr, nullptr, nullptr, this);
  return !down_;
}

// COMPAT(libstrophe, 0.12 to 0.14): only xmpp_connect_client allocates the stream management state
// that sending and disconnecting dereference. A client connect that is refused its socket allocates
// it without any traffic; without this a component crashes at its first stanza.
void Connection::prime_component() {
  xmpp_conn_set_sockopt_callback(connection_, &Connection::refuse_socket);
  const int result = xmpp_connect_client(connection_, "127.0.0.1", 1, &Connection::on_event, this);
  BASCULE_CHECK(result != XMPP_EOK);
}

void Connection::run_once() {
  CurrentScope scope(this);
  xmpp_run_once(context_, 0);
}

void Connection::send(std::string_view bytes) {
  xmpp_send_raw(connection_, bytes.data(), bytes.size());
}

void Connection::end_stream() {
  xmpp_disconnect(connection_);
}

std::size_t Connection::queue_length() const {
  return static_cast<std::size_t>(std::max(0, xmpp_conn_send_queue_len(connection_)));
}

int Connection::refuse_socket(xmpp_conn_t* /*conn*/, void* /*socket*/) {
  return -1;
}

int Connection::on_socket(xmpp_conn_t* /*conn*/, void* socket) {
  return current->prepare_socket(*static_cast<int*>(socket));
}

int Connection::prepare_socket(int& socket) {
  // Without TCP_NODELAY a batch of two stanzas waits 40 ms for the peer's delayed acknowledgement.
  set_socket_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_socket_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kTcpUserTimeoutMs);
  set_socket_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_socket_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_socket_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set_socket_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  if (!reserved_.lower(socket)) {
    last_error_ = "no file descriptor below FD_SETSIZE is free";
    return -1;
  }
  descriptor_ = socket;
  return 0;
}

int Connection::on_certificate(const xmpp_tlscert_t* certificate, const char* problem) {
  return current->accept_certificate(certificate, problem) ? 1 : 0;
}

bool Connection::accept_certificate(const xmpp_tlscert_t* certificate, const char* problem) {
  const auto sha256 = lower_hex(certificate_field(certificate, XMPP_CERT_FINGERPRINT_SHA256));
  const auto& pins = options_.pinned_sha256;
  if (std::find(pins.begin(), pins.end(), sha256) != pins.end()) {
    return true;
  }
  certificate_problem_ = "certificate of " + options_.address.domain() + " refused: " + problem +
                         "; subject " + certificate_field(certificate, XMPP_CERT_SUBJECT) +
                         ", issuer " + certificate_field(certificate, XMPP_CERT_ISSUER) +
                         ", valid until " + certificate_field(certificate, XMPP_CERT_NOTAFTER) +
                         ", SHA-256 " + sha256;
  return false;
}

void Connection::on_event(xmpp_conn_t* conn, xmpp_conn_event_t event, int error,
                          xmpp_stream_error_t* stream_error, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (event == XMPP_CONN_CONNECT) {
    connection.connected_ = true;
    connection.login_just_completed_ = true;
    connection.log_.handler = nullptr;  // From here on it would only format every stanza.
    const char* bound = xmpp_conn_get_bound_jid(conn);
    const auto jid = Jid::parse(bound == nullptr ? std::string_view() : std::string_view(bound));
    connection.listener_.on_connected(jid.value_or(connection.options_.address));
    return;
  }
  connection.connected_ = false;
  connection.descriptor_ = -1;
  if (!connection.down_) {
    connection.down_ = connection.classify(error, stream_error);
  }
}

Down Connection::classify(int error, const xmpp_stream_error_t* stream_error) const {
  if (!certificate_problem_.empty()) {
    return {.kind = DownKind::kCertificate, .reason = certificate_problem_};
  }
  if (stream_error != nullptr) {
    return {.kind = kind_of(stream_error->type), .reason = condition_of(*stream_error)};
  }
  const bool was_connected = log_.handler == nullptr;
  if (!was_connected && login_refused_) {
    return {.kind = DownKind::kAuthentication,
            .reason = "the server refused the login of " + options_.address.bare().to_string()};
  }
  if (!was_connected && reached_peer_ && !last_error_.empty()) {
    return {.kind = DownKind::kProtocol, .reason = last_error_};
  }
  std::string reason = reached_peer_ ? "connection closed" : "cannot connect";
  if (!was_connected && !last_error_.empty()) {
    reason += ": " + last_error_;
  } else if (error > 0) {
    reason += ": " + error_text(error);
  }
  return {.kind = DownKind::kConnection, .reason = std::move(reason)};
}

int Connection::on_stanza(xmpp_conn_t* /*conn*/, xmpp_stanza_t* stanza, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  ++connection.stanzas_;
  // The result of the resource binding completes the login and then falls through to us.
  const char* id = xmpp_stanza_get_id(stanza);
  if (std::exchange(connection.login_just_completed_, false) && id != nullptr &&
      std::string_view(id).substr(0, kLibraryIdPrefix.size()) == kLibraryIdPrefix) {
    return 1;
  }
  auto converted = from_strophe(stanza, connection.options_.limits);
  const auto* whole = std::get_if<xml::Element>(&converted);
  const auto& head = whole != nullptr ? *whole : std::get<OverLimit>(converted).head;
  if (head.ns == kClientNamespace) {  // Everything else (stream errors) is the library's business.
    connection.listener_.on_stanza(std::move(converted));
  }
  return 1;
}

// The library reports a refused login and a refused TCP connection alike, as a disconnect with
// error 0; only its log tells them apart. Nothing is kept but its own fixed error texts: the lines
// it logs at debug level contain passwords.
void Connection::on_log(void* self, xmpp_log_level_t level, const char* /*area*/,
                        const char* message) {
  auto& connection = *static_cast<Connection*>(self);
  const std::string_view line(message);
  if (level == XMPP_LEVEL_ERROR) {
    connection.last_error_ = line;
  }
  if (line == "connection successful") {
    connection.reached_peer_ = true;
  } else if (line.substr(0, 5) == "SASL " && line.size() > 12 &&
             line.substr(line.size() - 12) == " auth failed") {
    connection.login_refused_ = true;
  } else if (constexpr std::string_view kFailed = "connection failed, error ";
             line.substr(0, kFailed.size()) == kFailed) {
    int error = 0;
    std::from_chars(line.data() + kFailed.size(), line.data() + line.size(), error);
    connection.last_error_ = error_text(error);
  }
}

}  // namespace bascule::xmpp::strophe
