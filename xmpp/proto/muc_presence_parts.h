#pragma once

// The parts of a room presence that Jitsi programs add, and the tables muc and muc_admin share.
// Internal to this folder.

#include <vector>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/muc.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr Names<Affiliation, 5> kAffiliations{{
    {Affiliation::kNone, "none"},
    {Affiliation::kOutcast, "outcast"},
    {Affiliation::kMember, "member"},
    {Affiliation::kAdmin, "admin"},
    {Affiliation::kOwner, "owner"},
}};

inline constexpr Names<Role, 4> kRoles{{
    {Role::kNone, "none"},
    {Role::kVisitor, "visitor"},
    {Role::kParticipant, "participant"},
    {Role::kModerator, "moderator"},
}};

void encode_participant(const ParticipantInfo& participant, xml::Element& presence);
/// Does nothing when the child is none of a participant's.
void decode_participant_child(const xml::Element& child, ParticipantInfo& participant);
void encode_focus(const FocusInfo& focus, xml::Element& presence);
/// Does nothing when the child is none of the focus'.
void decode_focus_child(const xml::Element& child, FocusInfo& focus);

/// `<x/>` of muc#user with status codes only, as in a message.
xml::Element encode_muc_statuses(const std::vector<int>& statuses);
std::vector<int> decode_muc_statuses(const xml::Element& x, Reader& reader);

}  // namespace bascule::proto
