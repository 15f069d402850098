#pragma once

// XEP-0030: service discovery; XEP-0115: entity capabilities.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/data_form.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kDiscoInfoNamespace = "http://jabber.org/protocol/disco#info";
inline constexpr std::string_view kDiscoItemsNamespace = "http://jabber.org/protocol/disco#items";

struct DiscoInfoRequest {
  std::optional<std::string> node;
  friend bool operator==(const DiscoInfoRequest&, const DiscoInfoRequest&) = default;
};

struct DiscoIdentity {
  std::string category;
  std::string type;
  std::optional<std::string> name;
  friend bool operator==(const DiscoIdentity&, const DiscoIdentity&) = default;
};

struct DiscoInfo {
  std::optional<std::string> node;
  std::vector<DiscoIdentity> identities;
  std::vector<std::string> features;
  std::vector<DataForm> forms;  ///< XEP-0128.
  friend bool operator==(const DiscoInfo&, const DiscoInfo&) = default;
  [[nodiscard]] bool has_feature(std::string_view feature) const;
};

struct DiscoItemsRequest {
  std::optional<std::string> node;
  friend bool operator==(const DiscoItemsRequest&, const DiscoItemsRequest&) = default;
};

struct DiscoItem {
  Jid jid;
  std::optional<std::string> node;
  std::optional<std::string> name;
  friend bool operator==(const DiscoItem&, const DiscoItem&) = default;
};

struct DiscoItems {
  std::optional<std::string> node;
  std::vector<DiscoItem> items;
  friend bool operator==(const DiscoItems&, const DiscoItems&) = default;
};

/// XEP-0115 `<c/>`.
struct Caps {
  std::string node;
  std::string ver;
  std::string hash;
  friend bool operator==(const Caps&, const Caps&) = default;
};

xml::Element encode(const DiscoInfoRequest& request);
xml::Element encode(const DiscoInfo& info);
xml::Element encode(const DiscoItemsRequest& request);
xml::Element encode(const DiscoItems& items);
xml::Element encode(const Caps& caps);
Result<DiscoInfoRequest> decode_disco_info_request(const xml::Element& query);
Result<DiscoInfo> decode_disco_info(const xml::Element& query);
Result<DiscoItemsRequest> decode_disco_items_request(const xml::Element& query);
Result<DiscoItems> decode_disco_items(const xml::Element& query);
bool is_caps(const xml::Element& element);
Result<Caps> decode_caps(const xml::Element& c);

}  // namespace bascule::proto
