#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/note.h"
#include "focus/operation.h"
#include "focus/order.h"
#include "stats/batch.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/request.h"
#include "xmpp/proto/stanza_error.h"

/// Everything the focus can do to the world. Performing an action never decides anything.
namespace bascule::focus::out {

/// Answered by in::StreamUp or in::StreamDown. When to retry is the focus's decision.
struct OpenStream {
  StreamId stream;
};
struct CloseStream {
  StreamId stream;
};
/// Ends a session of ours that another process left behind (in::StreamUp::beside). Best effort: one
/// that cannot be ended ends when the server gives it up.
struct EvictSession {
  Jid session;
};
/// Answered by exactly one in::IqAnswer.
struct SendIq {
  RequestId request;
  StreamId stream;
  Jid to;
  proto::Request payload;
  Duration timeout;
};
/// Answers one in::IqRequest; `from` is the address it was sent to.
struct AnswerIq {
  StreamId stream;
  Jid from;
  Jid to;
  std::string stanza_id;
  tl::expected<proto::Answer, proto::StanzaError> outcome;
};
struct AnswerHttp {
  HttpId request;
  tl::expected<proto::ConferenceAnswer, proto::StanzaError> outcome;
};
/// Errors: kNotFound (no such bridge, conference or participant), kConflict (it cannot be done as
/// things are: the text says why), kInvalidArgument.
struct AnswerOrder {
  OrderId order;
  Result<OrderDone> outcome;
};
/// Also joins (`presence.join`) and leaves (`presence.type`) rooms; `presence.to` is room/nick.
struct SendPresence {
  StreamId stream;
  proto::MucPresence presence;
};
/// A durable change. The shell commits all operations of one turn before it performs any action
/// that follows the first of them (output commit).
struct Persist {
  Operation operation;
};
/// Stats reports for the history; answered by exactly one in::StoreAnswer.
struct StoreWrite {
  WriteId write;
  stats::Batch batch;
};
struct Log {
  Note note;
};
/// The graceful stop is complete; the process may end.
struct Stopped {};

}  // namespace bascule::focus::out

namespace bascule::focus {

using Action = std::variant<out::OpenStream, out::CloseStream, out::EvictSession, out::SendIq,
                            out::AnswerIq, out::AnswerHttp, out::AnswerOrder, out::SendPresence,
                            out::Persist, out::StoreWrite, out::Log, out::Stopped>;
using Actions = std::vector<Action>;

}  // namespace bascule::focus
