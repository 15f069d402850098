#pragma once

// Payload types and header extensions, which a Jingle description and a colibri2 media element
// hold alike. Internal to this folder.

#include "xmpp/proto/codec.h"
#include "xmpp/proto/rtp.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

xml::Element make_extmap_allow_mixed();
bool is_payload_type(const xml::Element& element);
bool is_rtp_header_extension(const xml::Element& element);
bool is_extmap_allow_mixed(const xml::Element& element);

template <class Formats>
void encode_formats(const Formats& formats, xml::Element& element) {
  for (const PayloadType& payload_type : formats.payload_types) {
    element.add(encode(payload_type));
  }
  for (const RtpHeaderExtension& extension : formats.header_extensions) {
    element.add(encode(extension));
  }
  if (formats.extmap_allow_mixed) {
    element.add(make_extmap_allow_mixed());
  }
}

template <class Formats>
void decode_format_child(const xml::Element& child, Formats& formats, Reader& reader) {
  if (is_payload_type(child)) {
    formats.payload_types.push_back(reader.take(decode_payload_type(child)));
  } else if (is_rtp_header_extension(child)) {
    formats.header_extensions.push_back(reader.take(decode_rtp_header_extension(child)));
  } else if (is_extmap_allow_mixed(child)) {
    formats.extmap_allow_mixed = true;
  }
}

}  // namespace bascule::proto
