#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace bascule::ctl {

// Exit statuses (docs/operations.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitDamaged = 1;  ///< Something is damaged or lost.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailed = 3;  ///< It could not be done.

/// How to reach the daemon.
struct Connection {
  std::string url = "http://127.0.0.1:8888";
};

/// One request to the running bascule, and its answer, a JSON object.
/// Errors: the detail of a problem+json answer: kInvalidArgument (400), kConflict (409),
/// kUnavailable (others, nobody there, or an answer that is not bascule's).
Result<nlohmann::ordered_json> ask_json(const Connection& connection, const char* method,
                                        const std::string& target);

/// Whether anybody answers there at all.
bool is_listening(const Connection& connection);

/// Says why on stderr and returns the exit status.
int failed(const Error& error);

/// One object on one line of stdout; bytes that are not UTF-8 are replaced.
void print_json(const nlohmann::ordered_json& object);

}  // namespace bascule::ctl
