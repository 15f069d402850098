#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "xmpp/negotiation.h"
#include "xmpp/scram.h"

namespace bascule::xmpp {

enum class TlsMode {
  kRequired,   ///< No TLS offered: the link fails before any credential is sent.
  kIfOffered,  ///< For servers on loopback.
  kOff,
};

/// Who logs in and how.
struct ClientLogin {
  std::string user;  ///< Localpart; empty for SASL ANONYMOUS (RFC 4505), then `password` is unused.
  std::string domain;
  std::string resource;  ///< Asked for in bind; empty: the server chooses.
  /// Of an earlier session of ours that may live on; empty: there is none. To bind it would end
  /// that session, and everybody in its rooms would see us leave; so another name is bound unless
  /// the session is resumed, or the server says that there is none.
  std::string earlier_resource = {};
  std::string password;
  TlsMode tls = TlsMode::kRequired;
  bool stream_management = true;
  std::string nonce;  ///< For SCRAM: fresh for each login, from a secure source (see ScramClient).
};

/// The client side of RFC 6120: features, STARTTLS, SASL, then resume (XEP-0198) or bind, then
/// enable (XEP-0198).
///
/// A refused resume is followed by a bind on the same stream, beside the session that could not be
/// resumed if that may still be there: the server keeps the stream usable
/// (XEP-0198 5). Stanzas that arrive between bind and `<enabled/>` are not counted by either side
/// and are handed back by take_early_stanzas().
class ClientNegotiation final : public Negotiation {
 public:
  /// `resume_request` is `<resume/>` of StreamManagement when there is a session to continue.
  ClientNegotiation(ClientLogin login, std::optional<xml::Element> resume_request);
  ~ClientNegotiation() override;
  [[nodiscard]] std::string header() const override;
  Steps on_header(const xml::Element& header) override;
  Steps on_element(const xml::Element& element) override;
  Steps on_tls_established() override;

  /// The server refused to continue the old session (the outbox of that session is void).
  [[nodiscard]] bool resume_refused() const { return resume_refused_; }
  std::vector<xml::Element> take_early_stanzas() { return std::move(early_stanzas_); }

 private:
  enum class State { kFeatures, kTls, kSasl, kResume, kBind, kEnable, kDone };

  Steps on_features(const xml::Element& features);
  Steps on_features_before_login(const xml::Element& features);
  Steps begin_login(const xml::Element& features);
  Steps begin_session();
  Steps on_tls(const xml::Element& element);
  Steps on_sasl(const xml::Element& element);
  Steps on_sasl_success(const xml::Element& element);
  Steps on_resume(const xml::Element& element);
  Steps begin_bind();
  Steps establish(xml::Element enabled);
  Steps on_bind(const xml::Element& element);
  Steps on_enable(const xml::Element& element);
  Steps fail_with(DownKind kind, std::string reason);

  ClientLogin login_;
  std::optional<xml::Element> resume_request_;
  State state_ = State::kFeatures;
  bool secured_ = false;
  bool logged_in_ = false;
  bool server_has_sm_ = false;
  bool proof_seen_ = false;  // The server's signature was verified.
  bool resume_refused_ = false;
  std::optional<ScramClient> scram_;
  bool final_sent_ = false;
  Jid bound_;
  std::vector<xml::Element> early_stanzas_;
};

}  // namespace bascule::xmpp
