#include "tests/integration/scripted_bridge.h"

#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using peers::element;
namespace ns = peers::ns;

}  // namespace

ScriptedBridge::ScriptedBridge(boost::asio::io_context& io, std::uint16_t port,
                               const std::string& domain, std::string nick)
    : brewery_("jvbbrewery@internal.auth." + domain), nick_(std::move(nick)) {
  peers::Account account;
  account.server = {boost::asio::ip::address_v4::loopback(), port};
  account.domain = "auth." + domain;
  account.user = "jvb";
  account.password = "jvb-password";
  account.resource = nick_;
  client_ = peers::XmppClient::start(io, account, *this);
}

ScriptedBridge::~ScriptedBridge() {
  if (client_) {
    client_->abort();
  }
}

ScriptedBridge::Stats ScriptedBridge::honest_stats() {
  return {{"stress_level", "0.01"},       {"healthy", "true"},        {"drain", "false"},
          {"graceful_shutdown", "false"}, {"shutting_down", "false"}, {"version", "2.3.1"},
          {"participants", "0"}};
}

void ScriptedBridge::publish(const Stats& stats) {
  xml::Element extension = element("stats", ns::kColibri);
  for (const auto& [name, value] : stats) {
    extension.add(element("stat", ns::kColibri, {{"name", name}, {"value", value}}));
  }
  publish_extension(extension);
}

void ScriptedBridge::publish_extension(const xml::Element& extension) {
  xml::Element stanza = peers::presence(brewery_ + "/" + nick_);
  stanza.add(element("x", ns::kMuc));
  stanza.add(extension);
  client_->send(stanza);
}

std::shared_ptr<Reply> ScriptedBridge::ask(xml::Element stanza) {
  return send_request(*client_, std::move(stanza));
}

void ScriptedBridge::on_ready(const Jid& /*own*/) {
  publish(honest_stats());
}

void ScriptedBridge::on_presence(const xml::Element& stanza) {
  if (stanza.attribute_or_empty("from") == brewery_ + "/" + nick_) {
    in_ = stanza.attribute_or_empty("type").empty();
  }
}

void ScriptedBridge::on_iq_request(const xml::Element& stanza) {
  if (stanza.child("conference-modify", ns::kColibri2) == nullptr) {
    client_->send(peers::result_of(stanza));  // Health checks.
    return;
  }
  ++requests;
  if (answer) {
    if (const auto made = answer(stanza)) {
      client_->send(*made);
    }
  }
}

void ScriptedBridge::on_message(const xml::Element& /*stanza*/) {
}

void ScriptedBridge::on_closed(const std::string& /*reason*/) {
  client_.reset();
  in_ = false;
}

}  // namespace bascule::test
