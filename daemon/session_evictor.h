#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/jid.h"
#include "daemon/log_sink.h"
#include "xmpp/stream/options.h"

namespace bascule::daemon {

/// Performs out::EvictSession: logs in once more, binds the address of the session, which makes the
/// server end that one (RFC 6120 7.7.2.2), and leaves again.
class SessionEvictor {
 public:
  /// `account`: how to log in; its resource does not matter.
  SessionEvictor(boost::asio::io_context& io, xmpp::NativeStreamOptions account, LogSink& log);
  ~SessionEvictor();
  SessionEvictor(const SessionEvictor&) = delete;
  SessionEvictor& operator=(const SessionEvictor&) = delete;

  /// Once, without waiting; how it ended is logged (`session.evicted`, `session.not_evicted`).
  void evict(const Jid& session);

 private:
  class Eviction;
  void ended(std::uint64_t number);

  boost::asio::io_context& io_;
  xmpp::NativeStreamOptions account_;
  LogSink& log_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Eviction>> running_;
};

}  // namespace bascule::daemon
