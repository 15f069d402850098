#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bascule::admin {

/// Limits of the server that were reached. Who may not do something is counted by Access.
enum class HttpRefusal : std::uint8_t {
  kConnections,  ///< Closed at once.
  kHandshake,    ///< TLS did not come about; closed.
  kMalformed,    ///< Not HTTP; 400.
  kHeader,       ///< 431.
  kBody,         ///< 413.
  kSlowRequest,  ///< 408.
  kSlowReader,   ///< Did not take its answer in time, or events as they came; closed.
  kStreams,      ///< 503.
  kMemory,       ///< Too much that others have not read yet; 503.
  kLate,         ///< The handler did not answer in time; 504.
};
inline constexpr std::size_t kHttpRefusals = 10;

struct HttpCounters {
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
  std::array<std::uint64_t, kHttpRefusals> refused{};
  std::array<std::uint64_t, 6> answers_by_class{};  ///< [2]: 2xx; [0] is unused.
  std::size_t connections_open = 0;
  std::size_t streams_open = 0;
  std::size_t answer_bytes = 0;  ///< Of answers that the peers have not read yet.

  void refuse(HttpRefusal why) { ++refused[static_cast<std::size_t>(why)]; }
  [[nodiscard]] std::uint64_t refused_for(HttpRefusal why) const {
    return refused[static_cast<std::size_t>(why)];
  }
};

}  // namespace bascule::admin
