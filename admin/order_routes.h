#pragma once

#include <functional>

#include "admin/http.h"
#include "admin/order_desk.h"
#include "base/time.h"
#include "focus/orders.h"
#include "focus/placement.h"

namespace bascule::admin {

/// Everything here is read when a request asks for it.
struct OrderSources {
  std::function<const focus::Placement&()> placement;
  std::function<const focus::Orders&()> orders;
  std::function<Now()> now;
};

/// What operators change, as JSON (RFC 9457 for errors). A bridge is named by its nick or its whole
/// address. Answers come when the change is durable; repeating one is without effect.
///   GET    /v1/drains                the operator's drains, and how far they are
///   GET    /v1/bridges/{}/drain      one of them; 404 when there is none
///   PUT    /v1/bridges/{}/drain      {reason?, evacuate?}: nobody new there; `evacuate`: and
///                                    everybody elsewhere
///   DELETE /v1/bridges/{}/drain      204, also when there was none
///   GET    /v1/pins                  conferences that must use bridges of one version
///   PUT    /v1/pins/{}               {version, minutes}
///   DELETE /v1/pins/{}               204, also when there was none
///   POST   /v1/conferences/{}/move   {from?, to?, participants?}: 202 with how many were asked to
///   POST   /v1/conferences/{}/participants/{}/move   {to?}
///   GET    /v1/audit                 ?limit=1..1000&before=CURSOR: what was changed by hand, the
///                                    newest first
/// `desk` outlives the router.
void add_order_routes(Router& router, OrderDesk& desk, OrderSources sources);

}  // namespace bascule::admin
