#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "admin/http.h"
#include "admin/jicofo_orders.h"
#include "admin/jicofo_routes.h"
#include "config/config.h"
#include "focus/focus.h"

namespace bascule::daemon {

struct JicofoApiSources {
  boost::asio::io_context& io;
  std::weak_ptr<const void> alive;  ///< Expires before what is named here goes.
  const focus::Focus& focus;
  std::function<admin::Health()> health;
  decltype(admin::JicofoOrderSources::order) order;
};

/// What tools made for Jicofo read and order, as `config` wants it. What `sources` names outlives
/// the router; an answer that is still being written then is given up.
void add_jicofo_api(admin::Router& router, const config::Admin& config, JicofoApiSources sources);

}  // namespace bascule::daemon
