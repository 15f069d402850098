// What tests read of a stage.

#include <map>
#include <optional>
#include <string>

#include "stage.h"

namespace bascule::focus {
namespace {
const proto::ConferenceAnswer* conference_answer(
    const std::map<std::string, tl::expected<proto::Answer, proto::StanzaError>>& answers,
    const std::string& id) {
  const auto entry = answers.find(id);
  return entry == answers.end() || !entry->second
             ? nullptr
             : std::get_if<proto::ConferenceAnswer>(&*entry->second);
}
}  // namespace

bool Stage::answered_ready(const std::string& id) const {
  const auto* answer = conference_answer(answers, id);
  return answer != nullptr && answer->ready;
}

bool Stage::answered_later(const std::string& id) const {
  const auto* answer = conference_answer(answers, id);
  return answer != nullptr && !answer->ready;
}

std::optional<proto::Condition> Stage::refused_with(const std::string& id) const {
  const auto entry = answers.find(id);
  return entry == answers.end() || entry->second ? std::nullopt
                                                 : std::optional(entry->second.error().condition);
}

ParticipantState Stage::state_of(const std::string& room, const std::string& nick) const {
  ParticipantState state = ParticipantState::kGone;
  focus.for_each_conference([&](const ConferenceView& view) {
    for (const auto& participant : view.participants) {
      if (view.summary.room.jid().local() == room && participant.endpoint.value() == nick) {
        state = participant.state;
      }
    }
  });
  return state;
}

std::optional<std::string> Stage::bridge_of(const std::string& room,
                                            const std::string& nick) const {
  std::optional<std::string> bridge;
  focus.for_each_conference([&](const ConferenceView& view) {
    for (const auto& participant : view.participants) {
      if (view.summary.room.jid().local() == room && participant.endpoint.value() == nick &&
          participant.bridge) {
        bridge = participant.bridge->jid().resource();
      }
    }
  });
  return bridge;
}

std::optional<std::map<std::string, std::size_t>> Stage::remote(const std::string& near,
                                                                const std::string& far,
                                                                const std::string& meeting) const {
  const auto& meetings = bridges.at(near).relays;
  const auto relays = meetings.find(meeting);
  if (relays == meetings.end() || !relays->second.contains(far + "-relay") ||
      !relays->second.at(far + "-relay").has_transport) {
    return std::nullopt;
  }
  return relays->second.at(far + "-relay").endpoints;
}

std::size_t Stage::logged(std::string_view event) const {
  const auto entry = log.find(std::string(event));
  return entry == log.end() ? 0 : entry->second;
}

Stage::Client& Stage::client(const std::string& name, const std::string& nick) {
  return rooms_.at(name).clients.at(nick);
}

}  // namespace bascule::focus
