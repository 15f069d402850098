#include "xmpp/proto/muc_admin.h"

#include "xmpp/proto/codec.h"
#include "xmpp/proto/muc_presence_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kQueryName = "query";
constexpr std::string_view kXName = "x";
constexpr std::string_view kDestroyName = "destroy";
constexpr std::string_view kReasonName = "reason";
constexpr std::string_view kItemName = "item";
constexpr std::string_view kAffiliationName = "affiliation";
constexpr std::string_view kRoleName = "role";
constexpr std::string_view kJidName = "jid";
constexpr std::string_view kNickName = "nick";

xml::Element encode_item(const MucAdminItem& item) {
  xml::Element element = make_element(kItemName, kMucAdminNamespace);
  if (item.affiliation) {
    element.set(kAffiliationName, to_string(*item.affiliation));
  }
  if (item.role) {
    element.set(kRoleName, to_string(*item.role));
  }
  set_optional(element, kJidName, item.jid);
  set_optional(element, kNickName, item.nick);
  if (item.reason) {
    element.add(make_text_element(kReasonName, kMucAdminNamespace, *item.reason));
  }
  return element;
}

Result<MucAdminItem> decode_item(const xml::Element& element) {
  Reader reader(element);
  MucAdminItem item{.affiliation = reader.optional_enum(kAffiliations, kAffiliationName),
                    .role = reader.optional_enum(kRoles, kRoleName),
                    .jid = reader.optional_jid(kJidName),
                    .nick = optional_text(element, kNickName),
                    .reason = child_text(element, kReasonName, kMucAdminNamespace)};
  return reader.finish(std::move(item));
}

/// The form of an owner query.
DataForm read_form(const xml::Element& query, Reader& reader) {
  const xml::Element* x = query.child(kXName, kDataFormNamespace);
  if (x == nullptr) {
    reader.reject("<query/> without a form");
    return {};
  }
  return reader.take(decode_data_form(*x));
}

}  // namespace

xml::Element encode(const MucOwnerFormRequest& /*request*/) {
  return make_element(kQueryName, kMucOwnerNamespace);
}

xml::Element encode(const MucForm& form) {
  xml::Element query = make_element(kQueryName, kMucOwnerNamespace);
  query.add(encode(form.form));
  return query;
}

xml::Element encode(const MucOwnerFormSubmit& submit) {
  xml::Element query = make_element(kQueryName, kMucOwnerNamespace);
  query.add(encode(make_submit_form(kMucRoomConfigFormType, submit.fields)));
  return query;
}

xml::Element encode(const MucDestroy& destroy) {
  xml::Element query = make_element(kQueryName, kMucOwnerNamespace);
  xml::Element& element = query.add(make_element(kDestroyName, kMucOwnerNamespace));
  set_optional(element, kJidName, destroy.alternate);
  if (destroy.reason) {
    element.add(make_text_element(kReasonName, kMucOwnerNamespace, *destroy.reason));
  }
  return query;
}

xml::Element encode(const MucAdminSet& set) {
  xml::Element query = make_element(kQueryName, kMucAdminNamespace);
  for (const MucAdminItem& item : set.items) {
    query.add(encode_item(item));
  }
  return query;
}

Result<MucOwnerFormRequest> decode_muc_owner_form_request(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kMucOwnerNamespace);
  return reader.finish(MucOwnerFormRequest{});
}

Result<MucForm> decode_muc_form(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kMucOwnerNamespace);
  return reader.finish(MucForm{.form = read_form(query, reader)});
}

Result<MucOwnerFormSubmit> decode_muc_owner_form_submit(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kMucOwnerNamespace);
  DataForm form = read_form(query, reader);
  if (form.type != FormType::kSubmit) {
    reader.reject("the form is not a submission");
  }
  return reader.finish(MucOwnerFormSubmit{.fields = without_form_type(std::move(form.fields))});
}

bool is_muc_destroy(const xml::Element& query) {
  return query.is(kQueryName, kMucOwnerNamespace) &&
         query.child(kDestroyName, kMucOwnerNamespace) != nullptr;
}

Result<MucDestroy> decode_muc_destroy(const xml::Element& query) {
  if (!is_muc_destroy(query)) {
    return fail(Errc::kMalformed, "<query/> without <destroy/>");
  }
  const xml::Element* destroy = query.child(kDestroyName, kMucOwnerNamespace);
  Reader reader(*destroy);
  return reader.finish(MucDestroy{.reason = child_text(*destroy, kReasonName, kMucOwnerNamespace),
                                  .alternate = reader.optional_jid(kJidName)});
}

Result<MucAdminSet> decode_muc_admin_set(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kMucAdminNamespace);
  MucAdminSet set;
  for (const xml::Element& child : query.children) {
    if (child.is(kItemName, kMucAdminNamespace)) {
      set.items.push_back(reader.take(decode_item(child)));
    }
  }
  if (set.items.empty()) {
    reader.reject("<query/> without <item/>");
  }
  return reader.finish(std::move(set));
}

}  // namespace bascule::proto
