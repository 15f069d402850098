#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {

inline constexpr const char* kStatsNode = "sharedStatsNode";
inline constexpr const char* kOwnerNamespace = "http://jabber.org/protocol/pubsub#owner";

/// Somebody with an admin's account and his own connection.
class Operator : public peers::XmppClient::Listener {
 public:
  explicit Operator(Stage& stage);
  ~Operator() override { client_->abort(); }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  std::shared_ptr<Reply> ask(const char* ns, xml::Element action);

  void on_ready(const Jid& /*own*/) override { ready_ = true; }
  void on_presence(const xml::Element& /*stanza*/) override {}
  void on_iq_request(const xml::Element& stanza) override {
    client_->send(peers::result_of(stanza));
  }
  void on_message(const xml::Element& /*stanza*/) override {}
  void on_closed(const std::string& /*reason*/) override { ready_ = false; }

 private:
  std::string service_;
  std::shared_ptr<peers::XmppClient> client_;
  bool ready_ = false;
};

/// The console of a running Prosody (mod_admin_telnet) on a loopback port of its own.
class ServerConsole {
 public:
  ServerConsole() : port_(free_port()) {}
  /// Lua for the end of the global section.
  [[nodiscard]] std::string configuration() const;
  /// What the server answered. Throws std::runtime_error when it did not say OK.
  std::string run(const std::string& command) const;

 private:
  std::uint16_t port_;
};

/// Two people who come in while something is broken, and ask until they are let in.
class Newcomers {
 public:
  Newcomers(Stage& stage, const std::string& room)
      : stage_(stage), people_{&stage.client(room), &stage.client(room)} {}

  /// Goes one step further if it can; true when both have their sessions.
  bool have_sessions();

 private:
  Stage& stage_;
  std::array<ScriptedClient*, 2> people_;
  std::array<std::shared_ptr<Reply>, 2> asked_;
  std::array<bool, 2> joined_{};
};

/// One row of the table in docs/operations.md.
struct Row {
  std::optional<double> noticed, repaired, placed;  ///< Seconds.
  std::string told;                                 ///< The lines `pubsub.…` of the log.
};
void print(const std::string& name, const Row& row);

class StatsNodeLive : public ::testing::Test {
 protected:
  static Stage::Options options(bool publishes = false);
  static double events(const Stage& stage) {
    return stage.daemon.metric("bascule_pubsub_events_total");
  }
  static bool is(const Stage& stage, const std::string& state) {
    return stage.daemon.metric("bascule_pubsub_state{state=\"" + state + "\"}") == 1;
  }
  static void until_working(Stage& stage);
  static std::filesystem::path host_folder(const Stage& stage) {
    return stage.prosody.data() / "pubsub%2ebascule%2etest";
  }
  static std::filesystem::path list_file(const Stage& stage) {
    return host_folder(stage) / (std::string("pubsub_") + kStatsNode + ".list");
  }
  static std::filesystem::path record_file(const Stage& stage) {
    return host_folder(stage) / "pubsub_nodes" / (std::string(kStatsNode) + ".dat");
  }
  /// Half of two items of the same size would be one that can be read.
  static void truncate_in_an_item(const std::filesystem::path& file) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) * 2 / 3);
  }
  static void overwrite_with_nul(const std::filesystem::path& file);
  /// The address under which the daemon is subscribed.
  static std::string own_address(const Stage& stage);
  /// Kills Prosody, does something to its files, starts it again.
  static void restart_with(Stage& stage, const std::function<void()>& damage);
  /// What the log said of the node, without the times.
  static std::string told_since(const Stage& stage, std::size_t before);

  /// Waits until the fault is noticed (unless `harmless`), events flow again and two people who
  /// came meanwhile have their sessions; prints the row.
  static Row measure(Stage& stage, const std::string& name, const std::function<void()>& inflict,
                     bool harmless = false);
};

}  // namespace bascule::test
