#include "ha/local/peer_socket.h"

#include <chrono>
#include <csignal>
#include <filesystem>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ha/replica.h"
#include "ha/replicator.h"

namespace bascule::ha {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

/// Both ends of a connection in one loop.
class PeerSocketTest : public testing::Test {
 protected:
  struct End {
    std::shared_ptr<PeerConnection> connection;
    std::vector<Frame> frames;
    std::optional<std::string> closed;
    bool accepts = true;
  };

  PeerSocketTest() {
    std::string pattern = (fs::temp_directory_path() / "bascule-peer-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path = (folder_ / "peer.sock").string();
  }
  ~PeerSocketTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  PeerConnection::Callbacks callbacks(End& end) {
    return {.frame = [&end](const Frame& frame) -> Result<> {
              if (!end.accepts) {
                return fail(Errc::kMalformed, "not this");
              }
              end.frames.push_back(frame);
              return {};
            },
            .read = [] {},
            .drained = [] {},
            .closed = [&end](const std::string& why) { end.closed = why; }};
  }
  void until(const std::function<bool()>& condition) {
    const auto deadline = SteadyClock::now() + seconds{10};
    while (!condition() && SteadyClock::now() < deadline) {
      io.restart();
      io.run_one_for(milliseconds{10});
    }
    ASSERT_TRUE(condition());
  }
  void listen() {
    auto made = PeerListener::listen(io, path, [this](PeerConnection::Socket socket) {
      server.connection = PeerConnection::start(std::move(socket), callbacks(server));
    });
    ASSERT_TRUE(made.has_value()) << made.error().what;
    listener = *std::move(made);
  }
  void connect() {
    listen();
    client.connection = PeerConnection::start(connect_to_peer(io, path).value(), callbacks(client));
    until([this] { return server.connection != nullptr; });
  }

  boost::asio::io_context io{1};
  std::string path;
  std::unique_ptr<PeerListener> listener;
  End server;
  End client;

 private:
  fs::path folder_;
};

TEST_F(PeerSocketTest, NobodyListens) {
  EXPECT_EQ(connect_to_peer(io, path).error().code, Errc::kUnavailable);
  EXPECT_EQ(connect_to_peer(io, std::string(200, 'x')).error().code, Errc::kInvalidArgument);
}

TEST_F(PeerSocketTest, OnlyOurUserMayConnectAndWeKnowWhoDoes) {
  connect();
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const End* end : {&server, &client}) {
    EXPECT_EQ(end->connection->peer_pid(), getpid());
    EXPECT_EQ(end->connection->peer_uid(), geteuid());
  }
}

TEST_F(PeerSocketTest, ManyFramesBothWays) {
  connect();
  std::string payload;
  for (int i = 0; i < 200; ++i) {
    payload.append(997, static_cast<char>(i));
    client.connection->send(encode_frame(FrameType::kOperations, payload));
    server.connection->send(encode_frame(FrameType::kAck, std::to_string(i)));
  }
  until([this] { return server.frames.size() == 200 && client.frames.size() == 200; });
  EXPECT_EQ(server.frames.back().payload, payload);
  EXPECT_EQ(client.frames.back().payload, "199");
  EXPECT_EQ(client.connection->queued_bytes(), 0U);
}

TEST_F(PeerSocketTest, TheOtherEndIsToldOfAnEnd) {
  connect();
  client.connection->close();
  until([this] { return server.closed.has_value(); });
  EXPECT_FALSE(client.closed.has_value());
  client.connection->send("into the void");
}

TEST_F(PeerSocketTest, AFrameThatIsRefusedEndsTheConnection) {
  connect();
  server.accepts = false;
  client.connection->send(encode_frame(FrameType::kAck, "x"));
  until([this] { return server.closed.has_value() && client.closed.has_value(); });
  EXPECT_EQ(*server.closed, "not this");
}

TEST_F(PeerSocketTest, NoiseEndsTheConnection) {
  listen();
  auto raw = connect_to_peer(io, path).value();
  boost::system::error_code error;
  boost::asio::write(raw, boost::asio::buffer(std::string(64, '\xFF')), error);
  until([this] { return server.closed.has_value(); });
  EXPECT_THAT(*server.closed, HasSubstr("too long"));
}

TEST_F(PeerSocketTest, AStaleSocketIsReplaced) {
  listen();
  listener.reset();
  EXPECT_TRUE(fs::exists(path));
  EXPECT_FALSE(connect_to_peer(io, path).has_value());
  connect();
}

TEST(ProcessHandle, KillsExactlyThisProcess) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto handle = ProcessHandle::open(child);
  ASSERT_TRUE(handle.has_value());
  EXPECT_EQ(handle->pid(), child);
  EXPECT_TRUE(handle->kill());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(handle->kill()) << "its number may belong to another one by now";
  EXPECT_FALSE(ProcessHandle::open(child).has_value());
  EXPECT_FALSE(ProcessHandle::open(-1).has_value());
}

/// 400 rooms with 25 people, each with three sources, a session and an endpoint.
focus::Tables crowd() {
  focus::Tables tables;
  const BridgeJid bridge(Jid::parse("brewery@muc.example.net/jvb1").value());
  std::uint32_t ssrc = 1;
  for (int r = 0; r < 400; ++r) {
    const std::string name = "room" + std::to_string(r) + "@conference.example.net";
    const RoomJid room(Jid::parse(name).value());
    tables.apply(focus::op::ConferenceCreate{.room = room, .meeting_id = name});
    tables.apply(focus::op::BridgeSessionAdd{.room = room, .bridge = bridge, .meeting_id = name});
    for (int p = 0; p < 25; ++p) {
      const std::string nick = "person" + std::to_string(p);
      const EndpointId endpoint(nick);
      const OccupantJid occupant(Jid::parse(name).value().with_resource(nick));
      tables.apply(focus::op::ParticipantAdd{
          .room = room, .occupant = occupant, .features = std::vector<std::string>(12, "urn:f")});
      tables.apply(focus::op::JingleSet{.room = room, .endpoint = endpoint, .sid = nick});
      tables.apply(focus::op::EndpointSet{.room = room, .endpoint = endpoint, .bridge = bridge});
      focus::op::SourcesAdd sources{.room = room, .owner = endpoint};
      for (int s = 0; s < 3; ++s) {
        sources.sources.push_back(
            {.ssrc = Ssrc(ssrc++), .name = nick + "-v0", .msid = "stream track"});
      }
      tables.apply(sources);
    }
  }
  return tables;
}

void tell(const char* what, SteadyClock::time_point begin, int times = 1) {
  const auto took = SteadyClock::now() - begin;
  std::printf("[ MEASURED ] %s: %lld us\n", what,
              static_cast<long long>(
                  std::chrono::duration_cast<std::chrono::microseconds>(took).count() / times));
}

/// What the loop of the active process spends on 10 000 people, and what a commit waits for.
TEST_F(PeerSocketTest, WhatReplicationCosts) {
  Replicator active({.node = "a"}, focus::Restored{.tables = crowd()});
  Replica standby("b", "1", {});
  const PeerId peer(1);
  const Now now{};
  auto begin = SteadyClock::now();
  active.join(peer, {.node = "b"}, now);
  tell("snapshot of 10 000 people, the loop stands for", begin);
  begin = SteadyClock::now();
  std::size_t bytes = 0;
  std::size_t frames = 0;
  while (const auto frame = active.next_frame(peer)) {
    bytes += frame->size();
    ++frames;
    FrameReader reader;
    reader.append(*frame);
    ASSERT_TRUE(standby.receive(**reader.next()));
  }
  std::printf("[ MEASURED ] the same in %zu frames, %zu bytes\n", frames, bytes);
  tell("the same encoded, decoded and applied", begin);
  EXPECT_EQ(standby.tables(), active.tables());

  connect();
  constexpr int kRounds = 2'000;
  const std::vector<focus::Operation> turn(
      5, focus::op::InboundHandled{.stream = StreamId::kClient, .handled = 1});
  begin = SteadyClock::now();
  for (int i = 1; i <= kRounds; ++i) {
    const auto count = static_cast<std::size_t>(i);
    server.connection->send(encode_operations(count, turn).front());
    until([this, count] { return client.frames.size() == count; });
    client.connection->send(encode(FrameType::kAck, Position{1, count}));
    until([this, count] { return server.frames.size() == count; });
  }
  tell("a commit of 5 operations to the standby and back, one process", begin, kRounds);
}

}  // namespace
}  // namespace bascule::ha
