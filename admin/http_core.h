#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "admin/access.h"
#include "admin/http.h"
#include "admin/http_counters.h"
#include "admin/http_server.h"

namespace bascule::admin {

/// What the listeners and connections of one server share.
struct HttpCore {
  boost::asio::io_context& io;
  HttpServerOptions options;
  Router router;
  std::shared_ptr<Access> access;
  std::string id_prefix;  ///< Of the ids made for requests: another in each process.
  std::uint64_t last_id = 0;
  HttpCounters counters;

  std::string next_id() { return id_prefix + "-" + std::to_string(++last_id); }
};

}  // namespace bascule::admin
