#include "daemon/link_runtime.h"

#include <deque>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "xmpp/xml/parser.h"

namespace bascule::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Remembers what it is told.
struct RecordingTransport final : xmpp::Transport {
  void open() override {}
  void send(const xml::Element&) override {}
  void send_text(std::string text) override { sent.push_back(std::move(text)); }
  void handled(std::uint64_t sequence) override { acknowledged.push_back(sequence); }
  void close() override {}
  [[nodiscard]] std::optional<xmpp::SmState> resumable_session() const override {
    return xmpp::SmState{.id = "id", .bound_jid = "focus@auth.example/focus", .outbox = {}};
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }

  std::vector<std::string> sent;
  std::vector<std::uint64_t> acknowledged;
};

struct LinkRuntimeTest : testing::Test {
  std::deque<std::uint64_t> tokens;  // Of inputs that wait for a turn.
  LinkRuntime runtime{{.stream = StreamId::kClient, .resumable = true},
                      [this](const focus::Input&, std::uint64_t token) { tokens.push_back(token); },
                      [] {}};
  RecordingTransport* transport = nullptr;
  std::uint64_t turn = 0;

  LinkRuntimeTest() {
    auto made = std::make_unique<RecordingTransport>();
    transport = made.get();
    runtime.attach(std::move(made));
    come_up();
  }
  void come_up() {
    runtime.on_up({.bound_jid = Jid::parse("focus@auth.example/focus").value()});
    EXPECT_EQ(tokens.back(), 0U) << "that the link is up is no stanza";
    tokens.pop_back();
  }
  void ping(std::uint64_t sequence) {
    runtime.on_stanza(
        xml::parse("<iq xmlns='jabber:client' type='get' id='p' from='somebody@example/x' "
                   "to='focus@auth.example/focus'><ping xmlns='urn:xmpp:ping'/></iq>")
            .value(),
        sequence);
  }
  void handle(std::size_t count) {
    for (; count > 0; --count) {
      runtime.consumed(tokens.front());
      tokens.pop_front();
    }
  }
  /// What the store is told that was handled, with the turn that ends; 0: nothing.
  std::uint64_t end_turn() {
    std::vector<focus::Operation> operations;
    runtime.append_durable(operations, WallTime{});
    runtime.end_turn(++turn);
    for (const auto& operation : operations) {
      if (const auto* inbound = std::get_if<focus::op::InboundHandled>(&operation)) {
        return inbound->handled;
      }
    }
    return 0;
  }
};

TEST_F(LinkRuntimeTest, WhatWaitsForATurnIsNeitherStoredNorAcknowledged) {
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    ping(sequence);
  }
  handle(2);
  EXPECT_EQ(end_turn(), 2U);
  EXPECT_THAT(transport->acknowledged, IsEmpty()) << "the turn is not released";
  runtime.released(turn, turn);
  EXPECT_THAT(transport->acknowledged, ElementsAre(2U));
  handle(1);
  EXPECT_EQ(end_turn(), 3U);
  runtime.released(turn, turn);
  EXPECT_THAT(transport->acknowledged, ElementsAre(2U, 3U));
}

TEST_F(LinkRuntimeTest, AStanzaThatNeedsNothingWaitsForThoseBeforeIt) {
  ping(1);
  runtime.on_stanza(xml::parse("<presence xmlns='jabber:client' type='probe'/>").value(), 2);
  EXPECT_EQ(end_turn(), 0U);
  handle(1);
  EXPECT_EQ(end_turn(), 2U);
}

TEST_F(LinkRuntimeTest, InputsOfAnOldSessionCountNothingInTheNewOne) {
  ping(1);
  ping(2);
  come_up();
  ping(1);
  handle(2);  // Those of the old session.
  EXPECT_EQ(end_turn(), 0U);
  handle(1);
  EXPECT_EQ(end_turn(), 1U);
}

TEST_F(LinkRuntimeTest, MalformedRequestsAreAnsweredWithTheTurnAndStored) {
  runtime.on_stanza(xml::parse("<iq xmlns='jabber:client' type='get' id='q' "
                               "from='somebody@example/x' to='focus@auth.example/focus'/>")
                        .value(),
                    1);
  std::vector<focus::Operation> operations;
  runtime.append_durable(operations, WallTime{});
  ASSERT_EQ(operations.size(), 3U) << "the session, what was heard, and the answer";
  const auto* push = std::get_if<focus::op::OutboundPush>(&operations[2]);
  ASSERT_NE(push, nullptr);
  runtime.end_turn(1);
  EXPECT_THAT(transport->sent, IsEmpty());
  runtime.released(1, 1);
  EXPECT_THAT(transport->sent, ElementsAre(push->xml));
}

}  // namespace
}  // namespace bascule::daemon
