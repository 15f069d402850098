#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "xmpp/transport.h"

namespace bascule::test {

/// Keeps what a transport reports; the hooks run after the record is made.
struct LinkRecorder final : xmpp::TransportListener {
  int ups = 0;
  xmpp::Up last_up;
  std::vector<xmpp::Down> downs;
  std::vector<xml::Element> stanzas;
  std::vector<xml::Element> rejected;
  std::vector<std::uint64_t> sequences;
  std::function<void()> on_up_hook;
  std::function<void()> on_down_hook;
  std::function<void()> on_stanza_hook;

  void on_up(const xmpp::Up& up) override {
    ++ups;
    last_up = up;
    if (on_up_hook) {
      on_up_hook();
    }
  }
  void on_down(const xmpp::Down& down) override {
    downs.push_back(down);
    if (on_down_hook) {
      on_down_hook();
    }
  }
  void on_stanza(xml::Element stanza, std::uint64_t sequence) override {
    stanzas.push_back(std::move(stanza));
    sequences.push_back(sequence);
    if (on_stanza_hook) {
      on_stanza_hook();
    }
  }
  void on_rejected(const xml::Element& head, const std::string&, std::uint64_t sequence) override {
    rejected.push_back(head);
    sequences.push_back(sequence);
  }

  /// Runs the loop until `done`; false after `limit`, so that a test fails instead of hanging.
  static bool run_until(boost::asio::io_context& io, const std::function<bool()>& done,
                        std::chrono::milliseconds limit = std::chrono::seconds{10}) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    io.restart();
    while (!done()) {
      if (io.run_one_until(deadline) == 0 && !done()) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace bascule::test
