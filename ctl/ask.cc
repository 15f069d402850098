#include "ctl/ask.h"

#include <cstdio>

#include "ctl/http_client.h"

namespace bascule::ctl {
namespace {

using Json = nlohmann::ordered_json;

/// The detail of an application/problem+json.
Error problem_of(const HttpAnswer& answer, const Json& body) {
  const Errc code = answer.status == 400   ? Errc::kInvalidArgument
                    : answer.status == 409 ? Errc::kConflict
                                           : Errc::kUnavailable;
  const bool told = body.is_object() && body.contains("detail");
  return {code, told ? body.at("detail").get<std::string>()
                     : "HTTP status " + std::to_string(answer.status)};
}

}  // namespace

Result<Json> ask_json(const Connection& connection, const char* method, const std::string& target) {
  const auto client = HttpClient::make(connection.url);
  if (!client) {
    return tl::make_unexpected(client.error());
  }
  const auto answer = client->ask(method, target);
  if (!answer) {
    return tl::make_unexpected(answer.error());
  }
  Json body = Json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status >= 300) {
    return tl::make_unexpected(problem_of(*answer, body));
  }
  if (!body.is_object()) {
    return fail(Errc::kUnavailable, connection.url + " does not answer like bascule");
  }
  return body;
}

bool is_listening(const Connection& connection) {
  const auto client = HttpClient::make(connection.url);
  return client && client->ask("GET", "/livez").has_value();
}

int failed(const Error& error) {
  std::fprintf(stderr, "basculectl: %s\n", error.what.c_str());
  return error.code == Errc::kCorrupt           ? kExitDamaged
         : error.code == Errc::kInvalidArgument ? kExitUsage
                                                : kExitFailed;
}

void print_json(const Json& object) {
  std::printf("%s\n", object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace bascule::ctl
