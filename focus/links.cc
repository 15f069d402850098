#include "focus/links.h"

#include <utility>

#include "base/check.h"

namespace bascule::focus {
namespace {

/// A restart takes a second; an upgrade with its package manager, or a crash loop, several.
constexpr Duration kHibernationMin = std::chrono::seconds{15};

TimerKey retry_timer(StreamId stream) {
  return {TimerKind::kStreamRetry, static_cast<std::uint64_t>(stream)};
}

bool is_for_an_operator(xmpp::DownKind kind) {
  return kind == xmpp::DownKind::kAuthentication || kind == xmpp::DownKind::kCertificate ||
         kind == xmpp::DownKind::kConflict;
}

}  // namespace

std::string_view name_of(StreamId stream) {
  switch (stream) {
    case StreamId::kRequests:
      return "requests";
    case StreamId::kClient:
      return "client";
    case StreamId::kService:
      return "service";
  }
  check_failed("stream is one of StreamId", __FILE__, __LINE__);
}

void Links::start(Turn& turn) {
  open(StreamId::kClient, turn);
  open(StreamId::kService, turn);
  if (turn.options().requests_link) {
    open(StreamId::kRequests, turn);
  }
}

void Links::open(StreamId stream, Turn& turn) {
  if (closed_ || link(stream).opened) {
    return;
  }
  link(stream).opened = true;
  turn.act(out::OpenStream{stream});
}

Links::Came Links::on_up(const in::StreamUp& up, Turn& turn) {
  Link& entry = link(up.stream);
  entry.opened = true;
  entry.policy.went_up();
  entry.up_since = turn.now.mono;
  turn.shared.stream_up[static_cast<std::size_t>(up.stream)] = true;
  turn.clear_timer(retry_timer(up.stream));
  if (up.stream == StreamId::kClient) {
    turn.shared.client_jid = up.bound_jid;
    beside_ = up.beside ? up.beside : beside_;
  } else if (up.stream == StreamId::kService) {
    turn.shared.service_jid = up.bound_jid;
  }
  const bool was_up = std::exchange(entry.was_up, true);
  turn.counters().links_resumed += up.resumed ? 1U : 0U;
  turn.info("link.up", {{"link", std::string(name_of(up.stream))},
                        {"jid", up.bound_jid.to_string()},
                        {"resumed", up.resumed},
                        {"inherited", up.resumed && !was_up}});
  if (!up.resumed) {
    judge_session(up, turn);
    return Came::kFresh;
  }
  return was_up ? Came::kResumed : Came::kInherited;
}

void Links::judge_session(const in::StreamUp& up, Turn& turn) {
  if (up.stream != StreamId::kClient || !turn.options().session_outlives_process) {
    return;
  }
  if (!up.resumable_for) {
    turn.warn("session.not_resumable", {{"server", turn.shared.client_jid.domain()}});
  } else if (*up.resumable_for > Duration::zero() && *up.resumable_for < kHibernationMin) {
    turn.warn("session.resumable_briefly",
              {{"server", turn.shared.client_jid.domain()}, {"for", *up.resumable_for}});
  }
}

void Links::rooms_entered(Turn& turn) {
  if (const auto session = std::exchange(beside_, std::nullopt)) {
    turn.act(out::EvictSession{*session});
  }
}

bool Links::on_down(const in::StreamDown& down, Turn& turn) {
  Link& entry = link(down.stream);
  bool& up = turn.shared.stream_up[static_cast<std::size_t>(down.stream)];
  const bool was_up = up;
  up = false;
  entry.opened = false;
  turn.counters().links_lost += was_up ? 1U : 0U;
  if (closed_) {
    return was_up;
  }
  const Duration up_for = was_up ? turn.now.mono - entry.up_since : Duration::zero();
  const Duration delay = entry.policy.next_delay(down.kind, turn.shared.prng, up_for);
  turn.set_timer(retry_timer(down.stream), delay);
  const std::initializer_list<Turn::Field> fields = {
      {"link", std::string(name_of(down.stream))}, {"reason", down.reason}, {"retry_in", delay}};
  if (is_for_an_operator(down.kind)) {
    turn.error("link.refused", fields);
  } else if (was_up) {
    turn.warn("link.lost", fields);
  } else {
    turn.debug("link.not_opened", fields);
  }
  return was_up;
}

void Links::on_retry(StreamId stream, Turn& turn) {
  open(stream, turn);
}

void Links::close_all(Turn& turn) {
  closed_ = true;
  for (const StreamId stream : {StreamId::kRequests, StreamId::kClient, StreamId::kService}) {
    turn.clear_timer(retry_timer(stream));
    if (link(stream).opened) {
      turn.act(out::CloseStream{stream});
    }
  }
}

}  // namespace bascule::focus
