#include "xmpp/negotiation.h"

namespace bascule::xmpp {
namespace {

constexpr std::string_view kStreamErrorNamespace = "urn:ietf:params:xml:ns:xmpp-streams";

/// Domains come from the configuration; escaping keeps a mistyped one from breaking the header.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

std::string stream_header(std::string_view default_namespace, std::string_view to,
                          std::string_view version) {
  std::string header = "<?xml version='1.0'?><stream:stream xmlns='";
  header += default_namespace;
  header += "' xmlns:stream='";
  header += kStreamNamespace;
  header += "' to='";
  header += escaped(to);
  if (!version.empty()) {
    header += "' version='";
    header += version;
  }
  header += "'>";
  return header;
}

Down down_from_stream_error(const xml::Element& error) {
  std::string condition = "undefined-condition";
  std::string text;
  for (const xml::Element& child : error.children) {
    if (child.ns != kStreamErrorNamespace) {
      continue;
    }
    if (child.name == "text") {
      text = child.text;
    } else {
      condition = child.name;
    }
  }
  DownKind kind = DownKind::kProtocol;
  if (condition == "conflict") {
    kind = DownKind::kConflict;
  } else if (condition == "not-authorized") {
    kind = DownKind::kAuthentication;
  } else if (condition == "system-shutdown" || condition == "connection-timeout" ||
             condition == "reset" || condition == "remote-connection-failed" ||
             condition == "resource-constraint") {
    kind = DownKind::kConnection;
  }
  return {.kind = kind, .reason = "stream error " + condition + (text.empty() ? "" : ": " + text)};
}

}  // namespace bascule::xmpp
