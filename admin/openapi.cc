#include "admin/openapi.h"

#include "admin/json.h"

namespace bascule::admin {

void add_openapi_route(Router& router) {
  router.add("GET", "/openapi.json", Role::kPublic,
             [](const HttpRequest& request, const Respond& respond) {
               respond(with_etag(request, json_text_response(std::string(openapi_json()))));
             });
}

}  // namespace bascule::admin
