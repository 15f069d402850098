#pragma once

#include <string>
#include <variant>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "focus/order.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/message.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/request.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/transport.h"

/// Everything that can happen to the focus.
namespace bascule::focus::in {

struct StreamUp {
  StreamId stream;
  Jid bound_jid;
  bool resumed = false;  ///< XEP-0198: our rooms and our outstanding IQs survived the cut.
  /// An earlier session of ours that may still be in the rooms; see xmpp::Up.
  std::optional<Jid> beside = std::nullopt;
  std::optional<Duration> resumable_for = std::nullopt;  ///< Likewise.
};
/// Follows every failed open and every loss. The shell has already answered all outstanding IQs of
/// the stream with kUnavailable unless the stream can still be resumed.
struct StreamDown {
  StreamId stream;
  xmpp::DownKind kind;
  std::string reason;
};
/// An IQ get or set somebody sent us; answered by exactly one out::AnswerIq.
struct IqRequest {
  StreamId stream;
  Jid from;
  Jid to;
  std::string stanza_id;
  proto::Request payload;
};
/// A conference request over HTTP; answered by exactly one out::AnswerHttp.
struct HttpConferenceRequest {
  HttpId request;
  proto::ConferenceRequest payload;
};
/// The one answer to an out::SendIq: result, stanza error, or our own error (kTimeout, kUnavailable
/// when the stream went down, kMalformed when the result could not be understood).
struct IqAnswer {
  RequestId request;
  tl::expected<proto::Answer, std::variant<proto::StanzaError, Error>> outcome;
};
struct PresenceReceived {
  StreamId stream;
  proto::MucPresence presence;
};
struct MessageReceived {
  StreamId stream;
  proto::Message message;
};
/// The one answer to an out::StoreWrite.
struct StoreAnswer {
  WriteId write;
  Result<> outcome;
};
/// Operations can (no longer) be made durable before their effects leave; readiness shows it.
struct CommitDegraded {
  bool degraded;
};
/// Somebody wants every live source of bridge stats asked again, now; see Focus::stats_requery.
struct RequeryStats {};
/// An operator wants something; answered by exactly one out::AnswerOrder.
struct OperatorOrder {
  OrderId order;
  std::string by;  ///< Who, for the record.
  Order what;
};
/// The end of the service: refuse new rooms, say goodbye in order, then out::Stopped.
struct Shutdown {
  /// Conferences that are there may go on until they end by themselves.
  bool when_empty = false;
};

}  // namespace bascule::focus::in

namespace bascule::focus {

using Input = std::variant<in::StreamUp, in::StreamDown, in::IqRequest, in::HttpConferenceRequest,
                           in::IqAnswer, in::PresenceReceived, in::MessageReceived, in::StoreAnswer,
                           in::CommitDegraded, in::RequeryStats, in::OperatorOrder, in::Shutdown>;

}  // namespace bascule::focus
