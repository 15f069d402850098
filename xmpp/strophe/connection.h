#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <strophe.h>

#include "base/jid.h"
#include "xmpp/strophe/convert.h"
#include "xmpp/strophe/low_descriptor.h"
#include "xmpp/strophe/strophe_transport.h"

namespace bascule::xmpp::strophe {

/// One libstrophe context with one connection, from connect to disconnect; never reused. It hides
/// the library's habits (README.md) and knows nothing of Asio or threads. All calls come from one
/// thread.
class Connection {
 public:
  /// Called inside `connect` and `run_once`; must not call back into the connection.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_connected(const Jid& bound_jid) = 0;
    virtual void on_stanza(std::variant<xml::Element, OverLimit> stanza) = 0;
  };

  Connection(const StropheOptions& options, LowDescriptor& reserved, Listener& listener);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Starts to connect to a numeric address. False when it failed at once; `down()` then says why.
  bool connect(const std::string& numeric_address);

  /// One step of the library: writes what is queued, then reads at most 4096 bytes.
  void run_once();
  /// Queues bytes that form whole stanzas. Only while connected.
  void send(std::string_view bytes);
  /// Sends `</stream:stream>`; the peer's answer ends the connection.
  void end_stream();

  /// The socket while there is one; it belongs to libstrophe.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] bool is_encrypted() const { return xmpp_conn_is_secured(connection_) != 0; }
  /// Why the connection ended; nullopt while it lives.
  [[nodiscard]] const std::optional<Down>& down() const { return down_; }
  /// Whether the TCP connection was established: the next address is of no use then.
  [[nodiscard]] bool reached_peer() const { return reached_peer_; }
  /// Stanzas queued and not completely written.
  [[nodiscard]] std::size_t queue_length() const;
  /// Stanzas delivered so far; the pump's sign of progress.
  [[nodiscard]] std::uint64_t stanzas() const { return stanzas_; }

 private:
  static int on_socket(xmpp_conn_t* conn, void* socket);
  static int refuse_socket(xmpp_conn_t* conn, void* socket);
  static int on_certificate(const xmpp_tlscert_t* certificate, const char* problem);
  static void on_event(xmpp_conn_t* conn, xmpp_conn_event_t event, int error,
                       xmpp_stream_error_t* stream_error, void* self);
  static int on_stanza(xmpp_conn_t* conn, xmpp_stanza_t* stanza, void* self);
  static void on_log(void* self, xmpp_log_level_t level, const char* area, const char* message);

  void prime_component();
  int prepare_socket(int& socket);
  [[nodiscard]] bool accept_certificate(const xmpp_tlscert_t* certificate, const char* problem);
  [[nodiscard]] Down classify(int error, const xmpp_stream_error_t* stream_error) const;

  const StropheOptions& options_;
  LowDescriptor& reserved_;
  Listener& listener_;
  xmpp_log_t log_;
  xmpp_ctx_t* context_;
  xmpp_conn_t* connection_;
  int descriptor_ = -1;
  bool connected_ = false;
  bool reached_peer_ = false;
  bool login_refused_ = false;
  bool login_just_completed_ = false;
  std::uint64_t stanzas_ = 0;
  std::string certificate_problem_;
  std::string last_error_;  // The library's last error line before the login was complete.
  std::optional<Down> down_;
};

}  // namespace bascule::xmpp::strophe
