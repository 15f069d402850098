#include "xmpp/session.h"

#include <array>
#include <charconv>

#include "base/check.h"
#include "xmpp/proto/iq.h"

namespace bascule::xmpp {
namespace {

constexpr int kBase36 = 36;

std::string to_base36(std::uint64_t value) {
  std::array<char, 13> buffer{};  // 36^13 > 2^64
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, kBase36);
  BASCULE_CHECK(end.ec == std::errc{});
  return std::string(buffer.data(), end.ptr);
}

/// The request an id of ours stands for. Only the one spelling that `to_base36` produces counts.
std::optional<std::uint64_t> request_in(std::string_view id, std::string_view prefix) {
  if (id.substr(0, prefix.size()) != prefix) {
    return std::nullopt;
  }
  const auto digits = id.substr(prefix.size());
  std::uint64_t value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, kBase36);
  if (end.ec != std::errc{} || to_base36(value) != digits) {
    return std::nullopt;
  }
  return value;
}

Completed failed(std::uint64_t request, Errc code, const char* what) {
  return {.request = RequestId(request),
          .outcome = tl::make_unexpected(IqFailure(Error{.code = code, .what = what}))};
}

}  // namespace

Session::Session(SessionOptions options)
    : outstanding_max_(options.outstanding_max),
      id_prefix_("b" + to_base36(options.id_token) + "-") {
  BASCULE_CHECK(outstanding_max_ >= 1);
}

void Session::stream_up(const Jid& bound_jid, const Jid& send_from) {
  up_ = true;
  bound_jid_ = bound_jid;
  send_from_ = send_from;
}

void Session::stream_down(std::vector<Completed>& out) {
  up_ = false;
  counters_.unavailable += waiting_.size();
  for (const auto& [request, waiting] : waiting_) {
    out.push_back(failed(request, Errc::kUnavailable, "the stream went down"));
  }
  waiting_.clear();
  deadlines_.clear();
}

tl::expected<xml::Element, Completed> Session::send(RequestId request, const Jid& to,
                                                    const proto::Request& payload, Duration timeout,
                                                    Now now) {
  BASCULE_CHECK(timeout > Duration::zero());
  BASCULE_CHECK(!waiting_.contains(request.value()));
  if (!up_) {
    ++counters_.unavailable;
    return tl::make_unexpected(failed(request.value(), Errc::kUnavailable, "the stream is not up"));
  }
  if (waiting_.size() >= outstanding_max_) {
    ++counters_.refused;
    return tl::make_unexpected(
        failed(request.value(), Errc::kRefused, "too many requests wait for an answer"));
  }
  const auto deadline = now.mono + timeout;
  waiting_.emplace(request.value(),
                   Waiting{.to = to, .deadline = deadline, .request_index = payload.index()});
  deadlines_.emplace(deadline, request.value());
  ++counters_.sent;
  auto encoded = proto::encode_request(payload);
  return proto::encode_iq({.from = send_from_,
                           .to = to,
                           .id = id_prefix_ + to_base36(request.value()),
                           .type = encoded.type},
                          std::move(encoded.payload));
}

bool Session::is_answer(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  return stanza.is("iq", proto::kStanzaNamespace) && (type == "result" || type == "error");
}

std::optional<Completed> Session::receive(const xml::Element& iq) {
  const auto request = request_in(iq.attribute_or_empty("id"), id_prefix_);
  if (!is_answer(iq) || !request) {
    ++counters_.unknown_id;
    return std::nullopt;
  }
  const auto entry = waiting_.find(*request);
  if (entry == waiting_.end()) {
    ++counters_.late_or_duplicate;
    return std::nullopt;
  }
  if (!is_from_whom_we_asked(entry->second, iq.attribute_or_empty("from"))) {
    ++counters_.wrong_sender;
    return std::nullopt;
  }
  const auto request_index = entry->second.request_index;
  forget(entry);
  return {{.request = RequestId(*request), .outcome = decode(iq, request_index)}};
}

IqOutcome Session::decode(const xml::Element& iq, std::size_t request_index) {
  if (iq.attribute_or_empty("type") == "error") {
    auto error = proto::decode_iq_error(iq);
    if (error) {
      ++counters_.stanza_errors;
      return tl::make_unexpected(IqFailure(std::move(*error)));
    }
    ++counters_.malformed;
    return tl::make_unexpected(IqFailure(std::move(error.error())));
  }
  auto answer = proto::decode_answer(iq, request_index);
  if (!answer) {
    ++counters_.malformed;
    return tl::make_unexpected(IqFailure(std::move(answer.error())));
  }
  ++counters_.results;
  return std::move(*answer);
}

void Session::fire_timers(Now now, std::vector<Completed>& out) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    const auto request = deadlines_.begin()->second;
    forget(waiting_.find(request));
    ++counters_.timeouts;
    out.push_back(failed(request, Errc::kTimeout, "no answer within the time limit"));
  }
}

std::optional<Instant> Session::next_deadline() const {
  if (deadlines_.empty()) {
    return std::nullopt;
  }
  return deadlines_.begin()->first;
}

bool Session::is_from_whom_we_asked(const Waiting& waiting, std::string_view from) const {
  const auto own = bound_jid_.bare();
  // Only the own server can deliver a stanza without `from`; it speaks for itself or for the own
  // account (RFC 6120 8.1.2.1, rules for server-generated stanzas).
  const bool asked_own_account = waiting.to.empty() || waiting.to == own;
  const bool asked_own_server =
      waiting.to.is_bare() && waiting.to.local().empty() && waiting.to.domain() == own.domain();
  if (from.empty()) {
    return asked_own_account || asked_own_server;
  }
  const auto sender = Jid::parse(from);
  if (!sender) {
    return false;
  }
  if (*sender == waiting.to) {
    return true;
  }
  const bool is_own_server =
      sender->is_bare() && sender->local().empty() && sender->domain() == own.domain();
  // What was addressed to the own account may be answered in the name of the account, of the bound
  // session (both are us), or of the server.
  return asked_own_account && (*sender == own || *sender == bound_jid_ || is_own_server);
}

void Session::forget(WaitingTable::iterator entry) {
  BASCULE_CHECK(entry != waiting_.end());
  BASCULE_CHECK(deadlines_.erase({entry->second.deadline, entry->first}) == 1);
  waiting_.erase(entry);
}

}  // namespace bascule::xmpp
