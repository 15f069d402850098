#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "xmpp/transport.h"

namespace bascule::test {

/// Keeps everything a transport reports.
struct LinkRecorder : xmpp::TransportListener {
  std::vector<xmpp::Up> ups;
  std::vector<xmpp::Down> downs;
  std::vector<xml::Element> stanzas;
  std::vector<std::string> rejections;  ///< "name: reason".
  std::uint64_t last_sequence = 0;

  void on_up(const xmpp::Up& up) override { ups.push_back(up); }
  void on_down(const xmpp::Down& down) override { downs.push_back(down); }
  void on_stanza(xml::Element stanza, std::uint64_t sequence) override {
    last_sequence = sequence;
    stanzas.push_back(std::move(stanza));
  }
  void on_rejected(const xml::Element& head, const std::string& reason,
                   std::uint64_t sequence) override {
    last_sequence = sequence;
    rejections.push_back(head.name + ": " + reason);
  }
};

/// A test of one transport, with the event loop in the test's own thread.
class LinkTest : public testing::Test {
 protected:
  /// As the daemon does: a farewell to a server that has gone is an error code, not the end.
  LinkTest() { std::signal(SIGPIPE, SIG_IGN); }

  /// Runs the loop until the condition holds; false when it does not within `patience`.
  bool run_until(const std::function<bool()>& condition,
                 std::chrono::milliseconds patience = std::chrono::seconds{5}) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_until(deadline);
    }
    return condition();
  }
  /// Opens the transport; true when it came up, false when it reported why not.
  bool connect() {
    const auto ups = recorder.ups.size();
    const auto downs = recorder.downs.size();
    transport->open();
    const bool answered =
        run_until([&] { return recorder.ups.size() > ups || recorder.downs.size() > downs; },
                  std::chrono::seconds{15});
    EXPECT_TRUE(answered);
    return recorder.ups.size() > ups;
  }
  bool run_until_down() {
    return run_until([this] { return !recorder.downs.empty(); });
  }

  boost::asio::io_context io;
  LinkRecorder recorder;
  std::unique_ptr<xmpp::Transport> transport;
};

}  // namespace bascule::test
