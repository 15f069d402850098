#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/prng.h"
#include "tests/peers/clientsim/samples.h"
#include "tests/peers/common/event_log.h"
#include "tests/peers/common/media_socket.h"
#include "tests/peers/common/timer.h"

namespace bascule::peers {

class Participant;

/// What all participants have in common.
struct CrowdOptions {
  boost::asio::ip::tcp::endpoint server;
  std::string domain;
  std::string focus_address;        ///< Where conference requests go.
  Milliseconds reload_min{10'000};  ///< Overlay of jitsi-meet: 10 s + 0..20 s.
  Milliseconds reload_max{30'000};
  Milliseconds reconnect_min{10'000};  ///< The same after the connection was lost.
  Milliseconds reconnect_max{30'000};
  Milliseconds rejoin_min{5'000};  ///< A person who must click "Rejoin now".
  Milliseconds rejoin_max{15'000};
  Milliseconds accept_delay_min{30};  ///< From the offer to session-accept.
  Milliseconds accept_delay_max{200};
  Milliseconds ice_timeout_min{10'000};  ///< Until a browser notices that its bridge is dead.
  Milliseconds ice_timeout_max{20'000};
  Milliseconds screen_interval{0};  ///< Between starting or ending a screen share; 0: never.
  bool ssrc_rewriting = false;
  bool data_channel = true;
};

/// Counters of the whole crowd.
struct Figures {
  std::uint64_t requests = 0;
  std::uint64_t deferred = 0;  ///< `ready='false'` answers.
  std::uint64_t refused = 0;   ///< Answers after which a person must act.
  std::uint64_t invites = 0;   ///< session-initiates.
  std::uint64_t accepts = 0;   ///< session-accepts with a result.
  std::uint64_t moved = 0;     ///< New sessions after one that was taken away.
  std::uint64_t reloads = 0;
  std::uint64_t restarts = 0;         ///< ICE restarts asked for by session-terminate.
  std::uint64_t source_messages = 0;  ///< source-add and source-remove received.
  std::uint64_t screen_changes = 0;   ///< source-add and source-remove sent.
  std::uint64_t mutes_asked = 0;      ///< By moderators, of others.
  std::uint64_t mutes_done = 0;       ///< Of them, confirmed by the focus.
  std::uint64_t mutes_received = 0;
};

/// Shared by all participants of a process; one thread.
struct World {
  boost::asio::io_context& io;
  CrowdOptions options;
  EventLog& log;
  MediaSocket& media;
  Prng random;
  Samples samples;
  Figures figures;
  AnswerWatch answers;
  /// Who is in which room, by endpoint id: lets a participant check what it is told about others.
  std::map<std::string, std::map<std::string, Participant*, std::less<>>, std::less<>> rooms;

  [[nodiscard]] const Participant* find(std::string_view room, std::string_view endpoint) const {
    const auto members = rooms.find(room);
    if (members == rooms.end()) {
      return nullptr;
    }
    const auto found = members->second.find(endpoint);
    return found == members->second.end() ? nullptr : found->second;
  }
};

}  // namespace bascule::peers
