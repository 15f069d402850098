#include "ctl/ask.h"

#include <cstdio>
#include <string_view>

#include "ctl/text.h"

namespace bascule::ctl {
namespace {

Errc code_of(unsigned status) {
  switch (status) {
    case 400:
    case 422:
      return Errc::kInvalidArgument;
    case 401:
    case 403:
      return Errc::kRefused;
    case 404:
      return Errc::kNotFound;
    case 409:
      return Errc::kConflict;
    default:
      return Errc::kUnavailable;
  }
}

/// What a token needs for this request (the rule of the router: reading, or changing).
std::string_view role_for(std::string_view method, std::string_view target) {
  if (target.starts_with("/v1/log-level")) {
    return "admin";
  }
  return method == "GET" ? "read" : "operate";
}

/// What to do about a 401 or 403.
std::string advice(const HttpClient& client, unsigned status, std::string_view method,
                   std::string_view target) {
  const std::string role(role_for(method, target));
  if (status == 403) {
    return "this needs the role " + role + ": use a token of that role (--token-file)";
  }
  if (client.has_token()) {
    return client.address() +
           " does not know this token; an admin makes one with 'basculectl "
           "token NAME " +
           role + "'";
  }
  return client.address() + " wants a token of the role " + role +
         ": --token-file FILE or BASCULE_TOKEN";
}

/// The detail of an application/problem+json.
Error problem_of(const HttpClient& client, const HttpAnswer& answer, const Json& body,
                 std::string_view method, std::string_view target) {
  const Errc code = code_of(answer.status);
  std::string what = text_at(body, "detail", "");
  if (what.empty()) {
    what = "HTTP status " + std::to_string(answer.status);
  }
  if (code == Errc::kRefused) {
    what += "; " + advice(client, answer.status, method, target);
  }
  return {code, what};
}

}  // namespace

Result<Json> ask_json(const Connection& connection, const char* method, const std::string& target,
                      const Json& body) {
  const auto client = HttpClient::make(connection);
  if (!client) {
    return tl::make_unexpected(client.error());
  }
  const auto answer = client->ask(method, target, body.is_null() ? std::string() : body.dump());
  if (!answer) {
    return tl::make_unexpected(answer.error());
  }
  Json told = Json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status >= 300) {
    return tl::make_unexpected(problem_of(*client, *answer, told, method, target));
  }
  if (answer->body.empty()) {
    return Json::object();
  }
  if (!told.is_object()) {
    return fail(Errc::kUnavailable, client->address() + " does not answer like bascule");
  }
  return told;
}

bool is_listening(const Connection& connection) {
  const auto client = HttpClient::make(connection);
  return client && client->ask("GET", "/livez").has_value();
}

int failed(const Error& error) {
  std::fprintf(stderr, "basculectl: %s\n", printable(error.what).c_str());
  switch (error.code) {
    case Errc::kCorrupt:
      return kExitDamaged;
    case Errc::kInvalidArgument:
      return kExitUsage;
    case Errc::kRefused:
      return kExitNotPermitted;
    default:
      return kExitFailed;
  }
}

void print_json(const Json& object) {
  std::printf("%s\n", object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

int finish(const Result<Json>& answer, bool json, const std::function<void(const Json&)>& print,
           int good) {
  if (!answer) {
    return failed(answer.error());
  }
  try {
    if (json) {
      print_json(*answer);
    } else {
      print(*answer);
    }
  } catch (const Json::exception& error) {
    return failed(
        {Errc::kUnavailable, "an answer of another version: " + std::string(error.what())});
  }
  return good;
}

}  // namespace bascule::ctl
