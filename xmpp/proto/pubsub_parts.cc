#include "xmpp/proto/pubsub_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kPublisherName = "publisher";
constexpr std::string_view kAffiliationName = "affiliation";
constexpr std::string_view kOfflineName = "service-unavailable";

constexpr Names<PubsubAffiliation, 6> kAffiliations{{
    {PubsubAffiliation::kNone, "none"},
    {PubsubAffiliation::kOutcast, "outcast"},
    {PubsubAffiliation::kMember, "member"},
    {PubsubAffiliation::kPublisher, "publisher"},
    {PubsubAffiliation::kPublishOnly, "publish-only"},
    {PubsubAffiliation::kOwner, "owner"},
}};

PubsubPayload decode_payload(const xml::Element& item, Reader& reader) {
  if (item.children.empty()) {
    return std::monostate{};
  }
  const xml::Element& payload = item.children.front();
  if (is_colibri_stats(payload)) {
    return reader.take(decode_colibri_stats(payload));
  }
  if (payload.name == kOfflineName) {
    return BridgeOffline{};
  }
  return payload;
}

}  // namespace

xml::Element encode_pubsub_item(const PubsubItem& item, std::string_view ns) {
  xml::Element element = make_element(kPubsubItemName, ns);
  set_optional(element, kPubsubIdName, item.id);
  set_optional(element, kPublisherName, item.publisher);
  std::visit(
      Overloaded{
          [](const std::monostate&) {},
          [&](const ColibriStats& stats) { element.add(encode(stats)); },
          [&](const BridgeOffline&) { element.add(make_element(kOfflineName, kColibriNamespace)); },
          [&](const xml::Element& payload) { element.add(payload); },
      },
      item.payload);
  return element;
}

Result<PubsubItem> decode_pubsub_item(const xml::Element& element) {
  Reader reader(element);
  PubsubItem item{.id = optional_text(element, kPubsubIdName),
                  .publisher = optional_text(element, kPublisherName),
                  .payload = decode_payload(element, reader)};
  return reader.finish(std::move(item));
}

std::vector<PubsubItem> decode_pubsub_items(const xml::Element& items, Reader& reader) {
  std::vector<PubsubItem> decoded;
  for (const xml::Element& child : items.children) {
    if (child.is(kPubsubItemName, items.ns)) {
      decoded.push_back(reader.take(decode_pubsub_item(child)));
    }
  }
  return decoded;
}

xml::Element encode_affiliations(std::string_view node,
                                 const std::vector<PubsubAffiliate>& affiliates) {
  xml::Element element = make_node_element(kPubsubAffiliationsName, kPubsubOwnerNamespace, node);
  for (const PubsubAffiliate& affiliate : affiliates) {
    element.add(make_element(kAffiliationName, kPubsubOwnerNamespace))
        .set(kPubsubJidName, affiliate.jid.to_string())
        .set(kAffiliationName, name_of(kAffiliations, affiliate.affiliation));
  }
  return element;
}

std::vector<PubsubAffiliate> decode_affiliations(const xml::Element& element, Reader& reader) {
  std::vector<PubsubAffiliate> affiliates;
  for (const xml::Element& child : element.children) {
    if (child.is(kAffiliationName, kPubsubOwnerNamespace)) {
      Reader child_reader(child);
      PubsubAffiliate affiliate{.jid = child_reader.required_jid(kPubsubJidName)};
      child_reader.require_enum(kAffiliations, kAffiliationName, affiliate.affiliation);
      affiliates.push_back(reader.take(child_reader.finish(std::move(affiliate))));
    }
  }
  return affiliates;
}

xml::Element make_pubsub(std::string_view ns, xml::Element action) {
  xml::Element pubsub = make_element(kPubsubName, ns);
  pubsub.add(std::move(action));
  return pubsub;
}

xml::Element make_node_element(std::string_view name, std::string_view ns, std::string_view node) {
  xml::Element element = make_element(name, ns);
  element.set(kPubsubNodeName, node);
  return element;
}

}  // namespace bascule::proto
