#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "ctl/exit_status.h"
#include "ctl/http_client.h"

namespace bascule::ctl {

/// One request to the running bascule, and its answer, a JSON object; empty for an answer without
/// content. `body` is sent unless it is null.
/// Errors: the detail of a problem+json answer: kInvalidArgument (400), kRefused (401 and 403, with
/// what to do), kNotFound (404), kConflict (409), kUnavailable (others, nobody there, or an answer
/// that is not bascule's).
Result<nlohmann::ordered_json> ask_json(const Connection& connection, const char* method,
                                        const std::string& target,
                                        const nlohmann::ordered_json& body = nullptr);

/// Whether anybody answers there at all.
bool is_listening(const Connection& connection);

/// Says why on stderr and returns the exit status.
int failed(const Error& error);

/// One object on one line of stdout; bytes that are not UTF-8 are replaced.
void print_json(const nlohmann::ordered_json& object);

/// The end of a command that asked one thing: prints the answer as JSON or by `print`, or the
/// error. `exit_status` of an answer: `good`.
int finish(const Result<nlohmann::ordered_json>& answer, bool json,
           const std::function<void(const nlohmann::ordered_json&)>& print, int good = kExitOk);

}  // namespace bascule::ctl
