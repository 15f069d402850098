#include "xmpp/client_negotiation.h"

#include <utility>

#include "xmpp/base64.h"
#include "xmpp/stream_management.h"

namespace bascule::xmpp {
namespace {

constexpr std::string_view kTlsNamespace = "urn:ietf:params:xml:ns:xmpp-tls";
constexpr std::string_view kSaslNamespace = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view kBindNamespace = "urn:ietf:params:xml:ns:xmpp-bind";
constexpr std::string_view kStanzaErrorNamespace = "urn:ietf:params:xml:ns:xmpp-stanzas";
constexpr std::string_view kBindId = "bind";
/// Appended to the configured resource while an earlier session holds that.
constexpr std::string_view kOtherResource = "-2";
constexpr std::size_t kMaxEarlyStanzas = 100;

xml::Element element_in(std::string_view name, std::string_view ns) {
  return {.name = std::string(name), .ns = std::string(ns)};
}

/// The defined condition of a SASL failure or stanza error: the first child in `ns` but the text.
std::string condition_of(const xml::Element& error, std::string_view ns) {
  for (const xml::Element& child : error.children) {
    if (child.ns == ns && child.name != "text") {
      return child.name;
    }
  }
  return "undefined-condition";
}

std::string text_of(const xml::Element& error, std::string_view ns) {
  const xml::Element* text = error.child("text", ns);
  return text == nullptr || text->text.empty() ? "" : ": " + text->text;
}

std::vector<std::string> offered_mechanisms(const xml::Element& features) {
  std::vector<std::string> offered;
  if (const auto* mechanisms = features.child("mechanisms", kSaslNamespace)) {
    for (const xml::Element& child : mechanisms->children) {
      if (child.is("mechanism", kSaslNamespace)) {
        offered.push_back(child.text);
      }
    }
  }
  return offered;
}

bool is_stanza(const xml::Element& element) {
  return element.ns == kClientNamespace &&
         (element.name == "iq" || element.name == "message" || element.name == "presence");
}

}  // namespace

ClientNegotiation::ClientNegotiation(ClientLogin login, std::optional<xml::Element> resume_request)
    : login_(std::move(login)), resume_request_(std::move(resume_request)) {
}

ClientNegotiation::~ClientNegotiation() = default;

std::string ClientNegotiation::header() const {
  return stream_header(kClientNamespace, login_.domain, "1.0");
}

Steps ClientNegotiation::fail_with(DownKind kind, std::string reason) {
  state_ = State::kDone;
  return {step::Failed{{.kind = kind, .reason = std::move(reason)}}};
}

Steps ClientNegotiation::on_header(const xml::Element& header) {
  if (!header.is("stream", kStreamNamespace)) {
    return fail_with(DownKind::kProtocol, "not an XMPP stream");
  }
  if (header.attribute_or_empty("version").empty()) {
    return fail_with(DownKind::kProtocol, "the server does not speak XMPP 1.0");
  }
  return {};
}

Steps ClientNegotiation::on_element(const xml::Element& element) {
  if (element.is("error", kStreamNamespace)) {
    state_ = State::kDone;
    return {step::Failed{down_from_stream_error(element)}};
  }
  switch (state_) {
    case State::kFeatures:
      return on_features(element);
    case State::kTls:
      return on_tls(element);
    case State::kSasl:
      return on_sasl(element);
    case State::kResume:
      return on_resume(element);
    case State::kBind:
      return on_bind(element);
    case State::kEnable:
      return on_enable(element);
    case State::kDone:
      break;
  }
  return {};
}

Steps ClientNegotiation::on_features(const xml::Element& features) {
  if (!features.is("features", kStreamNamespace)) {
    return fail_with(DownKind::kProtocol, "expected features, got '" + features.name + "'");
  }
  if (!logged_in_) {
    return on_features_before_login(features);
  }
  server_has_sm_ = features.child("sm", kSmNamespace) != nullptr;
  if (features.child("bind", kBindNamespace) == nullptr) {
    return fail_with(DownKind::kProtocol, "the server offers no resource binding");
  }
  return begin_session();
}

Steps ClientNegotiation::on_features_before_login(const xml::Element& features) {
  const xml::Element* offer = features.child("starttls", kTlsNamespace);
  if (!secured_ && login_.tls != TlsMode::kOff && offer != nullptr) {
    state_ = State::kTls;
    return {step::Send{element_in("starttls", kTlsNamespace)}};
  }
  if (!secured_ && login_.tls == TlsMode::kRequired) {
    return fail_with(DownKind::kCertificate, "TLS is required and the server does not offer it");
  }
  if (!secured_ && offer != nullptr && offer->child("required", kTlsNamespace) != nullptr) {
    return fail_with(DownKind::kProtocol, "the server requires TLS and our TLS is switched off");
  }
  return begin_login(features);
}

Steps ClientNegotiation::on_tls(const xml::Element& element) {
  if (!element.is("proceed", kTlsNamespace)) {
    return fail_with(DownKind::kProtocol, "the server refused to start TLS: " + element.name);
  }
  return {step::StartTls{}};
}

Steps ClientNegotiation::on_tls_established() {
  secured_ = true;
  state_ = State::kFeatures;
  return {step::RestartStream{}};
}

Steps ClientNegotiation::begin_login(const xml::Element& features) {
  const std::vector<std::string> offered = offered_mechanisms(features);
  xml::Element auth = element_in("auth", kSaslNamespace);
  state_ = State::kSasl;
  if (login_.user.empty()) {
    proof_seen_ = true;  // ANONYMOUS proves nothing to either side.
    auth.set("mechanism", "ANONYMOUS");
    return {step::Send{std::move(auth)}};
  }
  const auto hash = choose_scram(offered);
  if (!hash) {
    std::string names;
    for (const std::string& name : offered) {
      names += " " + name;
    }
    return fail_with(DownKind::kAuthentication,
                     "the server offers no SCRAM mechanism we speak; it offers:" + names);
  }
  auto scram = ScramClient::create(*hash, login_.user, login_.password, login_.nonce);
  if (!scram) {
    return fail_with(DownKind::kAuthentication, scram.error().what);
  }
  scram_ = std::move(*scram);
  auth.set("mechanism", mechanism_name(*hash));
  auth.text = base64_encode(scram_->first_message());
  return {step::Send{std::move(auth)}};
}

Steps ClientNegotiation::on_sasl(const xml::Element& element) {
  if (element.is("failure", kSaslNamespace)) {
    const std::string condition = condition_of(element, kSaslNamespace);
    const DownKind kind =
        condition == "temporary-auth-failure" ? DownKind::kConnection : DownKind::kAuthentication;
    return fail_with(kind, "login refused: " + condition + text_of(element, kSaslNamespace));
  }
  if (element.is("success", kSaslNamespace)) {
    return on_sasl_success(element);
  }
  if (!element.is("challenge", kSaslNamespace) || !scram_) {
    return fail_with(DownKind::kProtocol, "unexpected '" + element.name + "' during login");
  }
  const auto challenge = base64_decode(element.text);
  if (!challenge) {
    return fail_with(DownKind::kProtocol, challenge.error().what);
  }
  xml::Element response = element_in("response", kSaslNamespace);
  if (!final_sent_) {
    const auto answer = scram_->final_message(*challenge);
    if (!answer) {
      return fail_with(DownKind::kAuthentication, answer.error().what);
    }
    final_sent_ = true;
    response.text = base64_encode(*answer);
  } else {  // The server's proof as a challenge of its own; the answer is empty.
    if (const auto proven = scram_->verify(*challenge); !proven) {
      return fail_with(DownKind::kAuthentication, proven.error().what);
    }
    proof_seen_ = true;
  }
  return {step::Send{std::move(response)}};
}

Steps ClientNegotiation::on_sasl_success(const xml::Element& element) {
  if (!proof_seen_) {
    const auto proof = base64_decode(element.text);
    if (!proof || !scram_) {
      return fail_with(DownKind::kAuthentication, "login: the server sent no proof");
    }
    if (const auto proven = scram_->verify(*proof); !proven) {
      return fail_with(DownKind::kAuthentication, proven.error().what);
    }
  }
  logged_in_ = true;
  scram_.reset();
  login_.password.clear();
  state_ = State::kFeatures;
  return {step::RestartStream{}};
}

Steps ClientNegotiation::begin_session() {
  if (!resume_request_) {
    return begin_bind();
  }
  if (!server_has_sm_) {
    resume_refused_ = true;
    login_.earlier_resource.clear();  // Without that no session outlives its connection.
    return begin_bind();
  }
  state_ = State::kResume;
  return {step::Send{*resume_request_}};
}

Steps ClientNegotiation::on_resume(const xml::Element& element) {
  if (element.is("resumed", kSmNamespace)) {
    state_ = State::kDone;
    return {step::Resumed{element}};
  }
  if (!element.is("failed", kSmNamespace)) {
    return fail_with(DownKind::kProtocol, "expected resumed or failed, got '" + element.name + "'");
  }
  resume_refused_ = true;
  if (element.child("item-not-found", kStanzaErrorNamespace) != nullptr) {
    login_.earlier_resource.clear();
  }
  return begin_bind();
}

Steps ClientNegotiation::begin_bind() {
  state_ = State::kBind;
  if (!login_.earlier_resource.empty() && login_.earlier_resource == login_.resource) {
    login_.resource += kOtherResource;
  }
  xml::Element bind = element_in("bind", kBindNamespace);
  if (!login_.resource.empty()) {
    xml::Element resource = element_in("resource", kBindNamespace);
    resource.text = login_.resource;
    bind.add(std::move(resource));
  }
  xml::Element iq = element_in("iq", kClientNamespace);
  iq.set("type", "set").set("id", kBindId);
  iq.add(std::move(bind));
  return {step::Send{std::move(iq)}};
}

Steps ClientNegotiation::on_bind(const xml::Element& element) {
  if (!element.is("iq", kClientNamespace) || element.attribute_or_empty("id") != kBindId) {
    return fail_with(DownKind::kProtocol,
                     "expected the answer to bind, got '" + element.name + "'");
  }
  if (const auto* error = element.child("error", kClientNamespace)) {
    const std::string condition = condition_of(*error, kStanzaErrorNamespace);
    return fail_with(condition == "conflict" ? DownKind::kConflict : DownKind::kProtocol,
                     "bind refused: " + condition + text_of(*error, kStanzaErrorNamespace));
  }
  const auto* bind = element.child("bind", kBindNamespace);
  const auto* jid = bind == nullptr ? nullptr : bind->child("jid", kBindNamespace);
  auto bound =
      jid == nullptr ? Result<Jid>(fail(Errc::kMalformed, "no address")) : Jid::parse(jid->text);
  if (!bound || bound->is_bare()) {
    return fail_with(DownKind::kProtocol, "bind: the server's answer has no full address");
  }
  bound_ = std::move(*bound);
  if (login_.stream_management && server_has_sm_) {
    state_ = State::kEnable;
    return {step::Send{StreamManagement::enable_request()}};
  }
  return establish({});
}

Steps ClientNegotiation::establish(xml::Element enabled) {
  state_ = State::kDone;
  step::Established established{.bound = bound_, .enabled = std::move(enabled)};
  if (!login_.earlier_resource.empty()) {
    established.beside = bound_.with_resource(login_.earlier_resource);
  }
  return {std::move(established)};
}

Steps ClientNegotiation::on_enable(const xml::Element& element) {
  if (element.is("enabled", kSmNamespace)) {
    return establish(element);
  }
  if (element.is("failed", kSmNamespace)) {  // The link works without it.
    return establish({});
  }
  if (is_stanza(element) && early_stanzas_.size() < kMaxEarlyStanzas) {
    early_stanzas_.push_back(element);
    return {};
  }
  return fail_with(DownKind::kProtocol, "expected enabled or failed, got '" + element.name + "'");
}

}  // namespace bascule::xmpp
