#include "admin/conference_requests.h"

#include <utility>

namespace bascule::admin {
namespace {

HttpResponse json(std::string body) {
  return {
      .status = 200, .content_type = "application/json", .body = std::move(body), .headers = {}};
}

HttpResponse to_response(const proto::StanzaError& error) {
  if (error.condition == proto::Condition::kNotAuthorized) {
    return problem(403, "Not authorized", error.text);
  }
  if (error.condition == proto::Condition::kNotAcceptable) {
    HttpResponse response;
    response.status = 400;
    response.body = "HTTP ERROR 400 invalid-session";
    return response;
  }
  return problem(400, "Bad request", error.text);
}

}  // namespace

ConferenceRequests::ConferenceRequests(Submit submit, std::size_t waiting_max)
    : submit_(std::move(submit)), waiting_max_(waiting_max) {
}

void ConferenceRequests::handle(const HttpRequest& request, Respond respond) {
  auto decoded = proto::decode_conference_request_json(request.body);
  if (!decoded) {
    respond(problem(400, "Bad request", decoded.error().what));
    return;
  }
  decoded->token = proto::parse_bearer_token(request.authorization);
  if (waiting_.size() >= waiting_max_) {
    proto::ConferenceAnswer later;
    later.room = decoded->room;
    respond(json(proto::encode_conference_answer_json(later)));
    return;
  }
  const HttpId id{next_id_++};
  waiting_.emplace(id, std::move(respond));
  submit_(id, *std::move(decoded));
}

void ConferenceRequests::answer(
    HttpId request, const tl::expected<proto::ConferenceAnswer, proto::StanzaError>& outcome) {
  const auto found = waiting_.find(request);
  if (found == waiting_.end()) {
    return;
  }
  const Respond respond = std::move(found->second);
  waiting_.erase(found);
  respond(outcome ? json(proto::encode_conference_answer_json(*outcome))
                  : to_response(outcome.error()));
}

}  // namespace bascule::admin
