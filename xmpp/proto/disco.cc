#include "xmpp/proto/disco.h"

#include <algorithm>

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kQueryName = "query";
constexpr std::string_view kNodeName = "node";
constexpr std::string_view kIdentityName = "identity";
constexpr std::string_view kCategoryName = "category";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kFeatureName = "feature";
constexpr std::string_view kVarName = "var";
constexpr std::string_view kItemName = "item";
constexpr std::string_view kJidName = "jid";
constexpr std::string_view kXName = "x";
constexpr std::string_view kCapsName = "c";
constexpr std::string_view kCapsNamespace = "http://jabber.org/protocol/caps";
constexpr std::string_view kHashName = "hash";
constexpr std::string_view kVerName = "ver";

DiscoIdentity decode_identity(const xml::Element& element, Reader& reader) {
  Reader child(element);
  DiscoIdentity identity{.category = child.required(kCategoryName),
                         .type = child.required(kTypeName),
                         .name = optional_text(element, kNameName)};
  return reader.take(child.finish(std::move(identity)));
}

DiscoItem decode_item(const xml::Element& element, Reader& reader) {
  Reader child(element);
  DiscoItem item{.jid = child.required_jid(kJidName),
                 .node = optional_text(element, kNodeName),
                 .name = optional_text(element, kNameName)};
  return reader.take(child.finish(std::move(item)));
}

}  // namespace

bool DiscoInfo::has_feature(std::string_view feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

xml::Element encode(const DiscoInfoRequest& request) {
  xml::Element query = make_element(kQueryName, kDiscoInfoNamespace);
  set_optional(query, kNodeName, request.node);
  return query;
}

xml::Element encode(const DiscoInfo& info) {
  xml::Element query = make_element(kQueryName, kDiscoInfoNamespace);
  set_optional(query, kNodeName, info.node);
  for (const DiscoIdentity& identity : info.identities) {
    xml::Element& element = query.add(make_element(kIdentityName, kDiscoInfoNamespace));
    element.set(kCategoryName, identity.category).set(kTypeName, identity.type);
    set_optional(element, kNameName, identity.name);
  }
  for (const std::string& feature : info.features) {
    query.add(make_element(kFeatureName, kDiscoInfoNamespace)).set(kVarName, feature);
  }
  for (const DataForm& form : info.forms) {
    query.add(encode(form));
  }
  return query;
}

xml::Element encode(const DiscoItemsRequest& request) {
  xml::Element query = make_element(kQueryName, kDiscoItemsNamespace);
  set_optional(query, kNodeName, request.node);
  return query;
}

xml::Element encode(const DiscoItems& items) {
  xml::Element query = make_element(kQueryName, kDiscoItemsNamespace);
  set_optional(query, kNodeName, items.node);
  for (const DiscoItem& item : items.items) {
    xml::Element& element = query.add(make_element(kItemName, kDiscoItemsNamespace));
    element.set(kJidName, item.jid.to_string());
    set_optional(element, kNodeName, item.node);
    set_optional(element, kNameName, item.name);
  }
  return query;
}

xml::Element encode(const Caps& caps) {
  xml::Element c = make_element(kCapsName, kCapsNamespace);
  c.set(kHashName, caps.hash).set(kNodeName, caps.node).set(kVerName, caps.ver);
  return c;
}

Result<DiscoInfoRequest> decode_disco_info_request(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kDiscoInfoNamespace);
  return reader.finish(DiscoInfoRequest{.node = optional_text(query, kNodeName)});
}

Result<DiscoInfo> decode_disco_info(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kDiscoInfoNamespace);
  DiscoInfo info{.node = optional_text(query, kNodeName)};
  for (const xml::Element& child : query.children) {
    if (child.is(kIdentityName, kDiscoInfoNamespace)) {
      info.identities.push_back(decode_identity(child, reader));
    } else if (child.is(kFeatureName, kDiscoInfoNamespace)) {
      Reader feature(child);
      info.features.push_back(reader.take(feature.finish(feature.required(kVarName))));
    } else if (child.is(kXName, kDataFormNamespace)) {
      info.forms.push_back(reader.take(decode_data_form(child)));
    }
  }
  return reader.finish(std::move(info));
}

Result<DiscoItemsRequest> decode_disco_items_request(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kDiscoItemsNamespace);
  return reader.finish(DiscoItemsRequest{.node = optional_text(query, kNodeName)});
}

Result<DiscoItems> decode_disco_items(const xml::Element& query) {
  Reader reader(query);
  reader.expect(kQueryName, kDiscoItemsNamespace);
  DiscoItems items{.node = optional_text(query, kNodeName)};
  for (const xml::Element& child : query.children) {
    if (child.is(kItemName, kDiscoItemsNamespace)) {
      items.items.push_back(decode_item(child, reader));
    }
  }
  return reader.finish(std::move(items));
}

bool is_caps(const xml::Element& element) {
  return element.is(kCapsName, kCapsNamespace);
}

Result<Caps> decode_caps(const xml::Element& c) {
  Reader reader(c);
  reader.expect(kCapsName, kCapsNamespace);
  Caps caps{.node = reader.required(kNodeName),
            .ver = reader.required(kVerName),
            .hash = std::string(c.attribute_or_empty(kHashName))};
  return reader.finish(std::move(caps));
}

}  // namespace bascule::proto
