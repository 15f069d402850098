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

std::optional<ParticipantView> Stage::participant(const std::string& room,
                                                  const std::string& nick) const {
  const auto jid = Jid::parse(room + "@" + focus.options().conference_service.domain());
  if (const auto view = focus.conference(RoomJid(jid.value()))) {
    for (const ParticipantView& participant : view->participants) {
      if (participant.endpoint.value() == nick) {
        return participant;
      }
    }
  }
  return std::nullopt;
}

ParticipantState Stage::state_of(const std::string& room, const std::string& nick) const {
  const auto found = participant(room, nick);
  return found ? found->state : ParticipantState::kGone;
}

std::optional<std::string> Stage::bridge_of(const std::string& room,
                                            const std::string& nick) const {
  const auto found = participant(room, nick);
  return found && found->bridge ? std::optional(found->bridge->jid().resource()) : std::nullopt;
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
