#include "xmpp/proto/colibri2_parts.h"

#include "xmpp/proto/codec.h"
#include "xmpp/proto/rtp_description_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kMediaName = "media";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kTransportName = "transport";
constexpr std::string_view kIceControllingName = "ice-controlling";
constexpr std::string_view kUseUniquePortName = "use-unique-port";
constexpr std::string_view kIceRestartName = "ice-restart";
constexpr std::string_view kSctpName = "sctp";
constexpr std::string_view kRoleName = "role";
constexpr std::string_view kPortName = "port";
constexpr std::string_view kSourcesName = "sources";
constexpr std::string_view kMediaSourceName = "media-source";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kSyntheticName = "synthetic";

constexpr Names<SctpRole, 2> kSctpRoles{{
    {SctpRole::kClient, "client"},
    {SctpRole::kServer, "server"},
}};

/// Audio or video: the only media a bridge knows.
MediaType read_media_type(Reader& reader) {
  const auto type = parse_media_type(reader.required(kTypeName));
  if (!type || (*type != MediaType::kAudio && *type != MediaType::kVideo)) {
    reader.reject("media type is neither audio nor video");
    return MediaType::kAudio;
  }
  return *type;
}

Result<Sctp> decode_sctp(const xml::Element& element) {
  Reader reader(element);
  Sctp sctp{.port = reader.optional_integer<std::uint16_t>(kPortName)};
  if (const auto role = element.attribute(kRoleName)) {
    sctp.role = value_of(kSctpRoles, to_lower(*role));
    if (!sctp.role) {
      reader.reject("unknown sctp role");
    }
  }
  return reader.finish(sctp);
}

Result<MediaSource> decode_media_source(const xml::Element& element) {
  Reader reader(element);
  MediaSource media_source{.type = read_media_type(reader),
                           .id = reader.required(kIdName),
                           .synthetic = reader.flag(kSyntheticName)};
  for (const xml::Element& child : element.children) {
    if (is_source(child)) {
      media_source.sources.push_back(reader.take(decode_source(child)));
    } else if (is_source_group(child)) {
      media_source.source_groups.push_back(reader.take(decode_source_group(child)));
    }
  }
  return reader.finish(std::move(media_source));
}

}  // namespace

xml::Element encode_media(const Media& media) {
  xml::Element element = make_element(kMediaName, kColibri2Namespace);
  element.set(kTypeName, to_string(media.type));
  encode_formats(media, element);
  return element;
}

bool is_media(const xml::Element& element) {
  return element.is(kMediaName, kColibri2Namespace);
}

Result<Media> decode_media(const xml::Element& element) {
  Reader reader(element);
  Media media{.type = read_media_type(reader)};
  for (const xml::Element& child : element.children) {
    decode_format_child(child, media, reader);
  }
  return reader.finish(std::move(media));
}

xml::Element encode_transport(const Transport& transport) {
  xml::Element element = make_element(kTransportName, kColibri2Namespace);
  set_flag(element, kIceControllingName, transport.ice_controlling);
  set_flag(element, kUseUniquePortName, transport.use_unique_port);
  set_flag(element, kIceRestartName, transport.ice_restart);
  if (transport.ice_udp) {
    element.add(encode(*transport.ice_udp));
  }
  if (transport.sctp) {
    xml::Element& sctp = element.add(make_element(kSctpName, kColibri2Namespace));
    if (transport.sctp->role) {
      sctp.set(kRoleName, name_of(kSctpRoles, *transport.sctp->role));
    }
    set_optional_number(sctp, kPortName, transport.sctp->port);
  }
  return element;
}

bool is_transport(const xml::Element& element) {
  return element.is(kTransportName, kColibri2Namespace);
}

Result<Transport> decode_transport(const xml::Element& element) {
  Reader reader(element);
  Transport transport{.ice_controlling = reader.flag(kIceControllingName),
                      .use_unique_port = reader.flag(kUseUniquePortName),
                      .ice_restart = reader.flag(kIceRestartName)};
  for (const xml::Element& child : element.children) {
    if (is_ice_udp_transport(child)) {
      transport.ice_udp = reader.take(decode_ice_udp_transport(child));
    } else if (child.is(kSctpName, kColibri2Namespace)) {
      transport.sctp = reader.take(decode_sctp(child));
    }
  }
  return reader.finish(std::move(transport));
}

xml::Element encode_sources(const Sources& sources) {
  xml::Element element = make_element(kSourcesName, kColibri2Namespace);
  for (const MediaSource& media_source : sources.media_sources) {
    xml::Element& child = element.add(make_element(kMediaSourceName, kColibri2Namespace));
    child.set(kTypeName, to_string(media_source.type)).set(kIdName, media_source.id);
    set_flag(child, kSyntheticName, media_source.synthetic);
    for (const Source& source : media_source.sources) {
      child.add(encode(source));
    }
    for (const SourceGroup& group : media_source.source_groups) {
      child.add(encode(group));
    }
  }
  return element;
}

bool is_sources(const xml::Element& element) {
  return element.is(kSourcesName, kColibri2Namespace);
}

Result<Sources> decode_sources(const xml::Element& element) {
  Reader reader(element);
  Sources sources;
  for (const xml::Element& child : element.children) {
    if (child.is(kMediaSourceName, kColibri2Namespace)) {
      sources.media_sources.push_back(reader.take(decode_media_source(child)));
    }
  }
  return reader.finish(std::move(sources));
}

}  // namespace bascule::proto
