#include "focus/turn.h"

namespace bascule::focus {

Shared::Shared(Options focus_options, std::uint64_t seed)
    : options(std::move(focus_options)), prng(seed), placement(options.placement, prng.next()) {
}

void Turn::send_iq(IqNote note, Jid to, proto::Request payload) {
  send_iq(std::move(note), std::move(to), std::move(payload), options().iq_timeout);
}

void Turn::send_iq(IqNote note, Jid to, proto::Request payload, Duration timeout) {
  const StreamId stream = note.stream;
  note.sent = now.mono;
  const RequestId request = shared.iqs.open(std::move(note));
  act(out::SendIq{request, stream, std::move(to), std::move(payload), timeout});
}

void Turn::send_presence(StreamId stream, proto::MucPresence presence) {
  act(out::SendPresence{stream, std::move(presence)});
}

void Turn::persist(Operation operation) {
  act(out::Persist{std::move(operation)});
}

void Turn::debug(std::string_view event, std::initializer_list<Field> fields) {
  log(NoteLevel::kDebug, event, fields);
}

void Turn::info(std::string_view event, std::initializer_list<Field> fields) {
  log(NoteLevel::kInfo, event, fields);
}

void Turn::warn(std::string_view event, std::initializer_list<Field> fields) {
  log(NoteLevel::kWarn, event, fields);
}

void Turn::error(std::string_view event, std::initializer_list<Field> fields) {
  log(NoteLevel::kError, event, fields);
}

void Turn::log(NoteLevel level, std::string_view event, std::initializer_list<Field> fields) {
  act(out::Log{Note{level, event, fields}});
}

Duration Turn::jitter(Duration limit) {
  return limit <= Duration::zero() ? Duration::zero()
                                   : Duration(static_cast<std::int64_t>(shared.prng.below(
                                         static_cast<std::uint64_t>(limit.count()))));
}

bool is_unanswered(const std::variant<proto::StanzaError, Error>& error) {
  const auto* own = std::get_if<Error>(&error);
  return own != nullptr && own->code != Errc::kMalformed;
}

bool is_link_down(const std::variant<proto::StanzaError, Error>& error) {
  const auto* own = std::get_if<Error>(&error);
  return own != nullptr && (own->code == Errc::kUnavailable || own->code == Errc::kRefused);
}

}  // namespace bascule::focus
