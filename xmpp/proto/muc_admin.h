#pragma once

// XEP-0045 9 and 10: what a room owner and a moderator ask of a room.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/data_form.h"
#include "xmpp/proto/muc.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kMucOwnerNamespace = "http://jabber.org/protocol/muc#owner";
inline constexpr std::string_view kMucAdminNamespace = "http://jabber.org/protocol/muc#admin";
inline constexpr std::string_view kMucRoomConfigFormType =
    "http://jabber.org/protocol/muc#roomconfig";

/// IQ get: the configuration form of a room.
struct MucOwnerFormRequest {
  friend bool operator==(const MucOwnerFormRequest&, const MucOwnerFormRequest&) = default;
};

/// Its result.
struct MucForm {
  DataForm form;
  friend bool operator==(const MucForm&, const MucForm&) = default;
};

/// IQ set: only the fields to change; FORM_TYPE is added by `encode` and removed by the decoder. A
/// room applies only the submitted fields, so a partial form cannot undo somebody else's change.
struct MucOwnerFormSubmit {
  std::vector<FormField> fields;
  friend bool operator==(const MucOwnerFormSubmit&, const MucOwnerFormSubmit&) = default;
};

/// IQ set: destroys the room.
struct MucDestroy {
  std::optional<std::string> reason;
  std::optional<Jid> alternate;
  friend bool operator==(const MucDestroy&, const MucDestroy&) = default;
};

/// One change: an affiliation for a bare `jid`, or a role for a `nick` (role none: kick).
struct MucAdminItem {
  std::optional<Affiliation> affiliation;
  std::optional<Role> role;
  std::optional<Jid> jid;
  std::optional<std::string> nick;
  std::optional<std::string> reason;
  friend bool operator==(const MucAdminItem&, const MucAdminItem&) = default;
};

/// IQ set.
struct MucAdminSet {
  std::vector<MucAdminItem> items;
  friend bool operator==(const MucAdminSet&, const MucAdminSet&) = default;
};

xml::Element encode(const MucOwnerFormRequest& request);
xml::Element encode(const MucForm& form);
xml::Element encode(const MucOwnerFormSubmit& submit);
xml::Element encode(const MucDestroy& destroy);
xml::Element encode(const MucAdminSet& set);
Result<MucOwnerFormRequest> decode_muc_owner_form_request(const xml::Element& query);
Result<MucForm> decode_muc_form(const xml::Element& query);
Result<MucOwnerFormSubmit> decode_muc_owner_form_submit(const xml::Element& query);
bool is_muc_destroy(const xml::Element& query);
Result<MucDestroy> decode_muc_destroy(const xml::Element& query);
Result<MucAdminSet> decode_muc_admin_set(const xml::Element& query);

}  // namespace bascule::proto
