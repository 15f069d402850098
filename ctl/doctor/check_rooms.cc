// A throw-away room: what the focus may do in rooms, tried in one that nobody else knows.

#include <random>
#include <string>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/room_visit.h"
#include "xmpp/proto/muc_admin.h"

namespace bascule::ctl::doctor {
namespace {

constexpr Duration kAnswer = std::chrono::seconds{5};
constexpr std::string_view kWhois = "muc#roomconfig_whois";

struct Trial {
  Peer& peer;
  Jid room;
  std::string account;  ///< Of the focus.
  std::string service;
};

std::string make_admin(const Trial& trial) {
  return "add \"" + trial.account +
         "\" to admins in the global section of Prosody's configuration, "
         "with component_admins_as_room_owners = true for " +
         trial.service;
}

/// Who is in a room must be seen by everybody: clients recognise the focus by its real address.
void check_real_addresses(Trial& trial, Finding& finding) {
  const auto answer = trial.peer.ask(trial.room, proto::MucOwnerFormRequest{}, kAnswer);
  const auto* form = answer ? std::get_if<proto::MucForm>(&*answer) : nullptr;
  if (form == nullptr) {
    finding.fail("the room does not show its configuration: " +
                     (answer ? std::string("an answer without a form") : describe(answer.error())),
                 make_admin(trial));
    return;
  }
  const std::string before(form->form.value(kWhois).value_or(""));
  const auto set = trial.peer.ask(
      trial.room,
      proto::MucOwnerFormSubmit{
          .fields = {{.var = std::string(kWhois), .type = std::nullopt, .values = {"anyone"}}}},
      kAnswer);
  if (!set) {
    finding.fail(
        "real addresses cannot be made visible in a room (whois=anyone): " + describe(set.error()),
        make_admin(trial));
  } else if (before != "anyone") {
    finding.warn(
        "a new room hides real addresses (whois=" + before + ") until the focus has configured it",
        "muc_room_default_public_jids = true in Component \"" + trial.service + "\"");
  } else {
    finding.ok("everybody sees real addresses");
  }
}

void check_granting(Trial& trial, Finding& finding) {
  const auto somebody = Jid::parse("doctor@" + trial.service);
  const auto granted =
      trial.peer.ask(trial.room,
                     proto::MucAdminSet{.items = {{.affiliation = proto::Affiliation::kOwner,
                                                   .role = std::nullopt,
                                                   .jid = *somebody,
                                                   .nick = std::nullopt,
                                                   .reason = std::nullopt}}},
                     kAnswer);
  if (granted) {
    finding.ok("it can make others owner");
  } else {
    finding.fail("it cannot make others owner of a room: " + describe(granted.error()),
                 make_admin(trial));
  }
}

void destroy(Trial& trial, const Jid& occupant, Finding& finding) {
  const auto gone = trial.peer.ask(
      trial.room, proto::MucDestroy{.reason = "basculectl doctor", .alternate = std::nullopt},
      kAnswer);
  if (!gone) {
    leave(trial.peer, occupant, kAnswer);
    finding.warn(
        "the room " + trial.room.to_string() + " could not be destroyed: " + describe(gone.error()),
        "muc_room_allow_persistent = false, so that rooms vanish with their last occupant");
  }
}

}  // namespace

void check_rooms(Examination& examination, Finding& finding) {
  Peer* const peer = examination.need_client(finding);
  if (peer == nullptr) {
    return;
  }
  const std::string service = examination.config().focus.conference_service.domain();
  const auto room =
      Jid::parse("bascule-doctor-" + std::to_string(std::random_device{}()) + "@" + service);
  Trial trial{.peer = *peer,
              .room = *room,
              .account = examination.config().client_address.bare().to_string(),
              .service = service};
  const Jid occupant = room->with_resource("focus");
  const RoomVisit visit = enter(*peer, occupant, kAnswer);
  if (!visit.self) {
    const auto known = peer->ask(*Jid::parse(service), proto::DiscoInfoRequest{}, kAnswer);
    finding.fail("the focus cannot make a room on " + service + ": " +
                     (visit.refusal ? describe(*visit.refusal) : std::string("no answer")),
                 known ? make_admin(trial)
                       : "is there a Component \"" + service +
                             "\" \"muc\" in the configuration of Prosody? Else correct "
                             "xmpp.muc-domain");
    return;
  }
  const bool owner = !visit.self->items.empty() &&
                     visit.self->items.front().affiliation == proto::Affiliation::kOwner;
  if (!owner) {
    finding.fail("the focus is not owner of a room that it makes", make_admin(trial));
  } else {
    finding.ok(trial.account + " makes rooms on " + service + " and owns them");
    check_real_addresses(trial, finding);
    check_granting(trial, finding);
  }
  destroy(trial, occupant, finding);
}

}  // namespace bascule::ctl::doctor
