#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "xmpp/xml/element.h"

namespace bascule::peers {

namespace ns {
inline constexpr std::string_view kClient = "jabber:client";
inline constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view kBind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view kStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kMuc = "http://jabber.org/protocol/muc";
inline constexpr std::string_view kMucUser = "http://jabber.org/protocol/muc#user";
inline constexpr std::string_view kMucOwner = "http://jabber.org/protocol/muc#owner";
inline constexpr std::string_view kData = "jabber:x:data";
inline constexpr std::string_view kCaps = "http://jabber.org/protocol/caps";
inline constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";
inline constexpr std::string_view kPubsub = "http://jabber.org/protocol/pubsub";
inline constexpr std::string_view kPing = "urn:xmpp:ping";
inline constexpr std::string_view kVersion = "jabber:iq:version";
inline constexpr std::string_view kFocus = "http://jitsi.org/protocol/focus";
inline constexpr std::string_view kColibri = "http://jitsi.org/protocol/colibri";
inline constexpr std::string_view kColibri2 = "jitsi:colibri2";
inline constexpr std::string_view kHealth = "http://jitsi.org/protocol/healthcheck";
inline constexpr std::string_view kJingle = "urn:xmpp:jingle:1";
inline constexpr std::string_view kJingleErrors = "urn:xmpp:jingle:errors:1";
inline constexpr std::string_view kRtp = "urn:xmpp:jingle:apps:rtp:1";
inline constexpr std::string_view kRtcpFb = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0";
inline constexpr std::string_view kHdrext = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0";
inline constexpr std::string_view kSources = "urn:xmpp:jingle:apps:rtp:ssma:0";
inline constexpr std::string_view kIce = "urn:xmpp:jingle:transports:ice-udp:1";
inline constexpr std::string_view kDtls = "urn:xmpp:jingle:apps:dtls:0";
inline constexpr std::string_view kSctp = "urn:xmpp:jingle:transports:dtls-sctp:1";
inline constexpr std::string_view kGrouping = "urn:xmpp:jingle:apps:grouping:0";
inline constexpr std::string_view kJitmeet = "http://jitsi.org/jitmeet";
}  // namespace ns

using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// An element without children.
xml::Element element(std::string_view name, std::string_view ns, Attributes attributes = {});
/// An element that holds text only.
xml::Element text_element(std::string_view name, std::string_view ns, std::string_view text);

/// `type` is get or set. The id is added by XmppClient::request.
xml::Element iq(std::string_view type, std::string_view to);
/// Type and payload are the caller's; an empty type means available.
xml::Element presence(std::string_view to, std::string_view type = {});

/// What goes into an IQ of type error (RFC 6120 8.3).
struct StanzaError {
  std::string type;       ///< cancel, modify, auth, wait
  std::string condition;  ///< defined condition, e.g. item-not-found
  std::string text;       ///< may be empty
};
xml::Element result_of(const xml::Element& request);
xml::Element error_of(const xml::Element& request, const StanzaError& error);

/// The defined condition of an error stanza; "undefined-condition" when there is none.
std::string error_condition(const xml::Element& stanza);
/// The text of an error stanza, or empty.
std::string error_text(const xml::Element& stanza);

/// Is this status code in the muc#user extension of a presence (XEP-0045 15.6.2)?
bool has_muc_status(const xml::Element& presence, std::string_view code);
/// The real JID of the occupant the presence is about (first item), or empty.
std::string_view muc_item_jid(const xml::Element& presence);
/// The part behind the first slash, or empty.
std::string_view resource_of(std::string_view jid);
/// The part before the first slash.
std::string_view bare_of(std::string_view jid);

}  // namespace bascule::peers
