#include "tests/peers/common/stanza.h"

namespace bascule::peers {

xml::Element element(std::string_view name, std::string_view ns, Attributes attributes) {
  xml::Element made;
  made.name = name;
  made.ns = ns;
  for (const auto& [key, value] : attributes) {
    made.attributes.emplace_back(key, value);
  }
  return made;
}

xml::Element text_element(std::string_view name, std::string_view ns, std::string_view text) {
  xml::Element made = element(name, ns);
  made.text = text;
  return made;
}

xml::Element iq(std::string_view type, std::string_view to) {
  return element("iq", ns::kClient, {{"type", type}, {"to", to}});
}

xml::Element presence(std::string_view to, std::string_view type) {
  xml::Element made = element("presence", ns::kClient, {{"to", to}});
  if (!type.empty()) {
    made.set("type", type);
  }
  return made;
}

xml::Element result_of(const xml::Element& request) {
  xml::Element answer = iq("result", request.attribute_or_empty("from"));
  answer.set("id", request.attribute_or_empty("id"));
  return answer;
}

xml::Element error_of(const xml::Element& request, const StanzaError& error) {
  xml::Element answer = result_of(request);
  answer.set("type", "error");
  xml::Element& body = answer.add(element("error", ns::kClient, {{"type", error.type}}));
  body.add(element(error.condition, ns::kStanzas));
  if (!error.text.empty()) {
    body.add(text_element("text", ns::kStanzas, error.text)).set("xml:lang", "en");
  }
  return answer;
}

std::string error_condition(const xml::Element& stanza) {
  const xml::Element* error = stanza.child("error", ns::kClient);
  if (error != nullptr) {
    for (const xml::Element& child : error->children) {
      if (child.ns == ns::kStanzas && child.name != "text") {
        return child.name;
      }
    }
  }
  return "undefined-condition";
}

std::string error_text(const xml::Element& stanza) {
  const xml::Element* error = stanza.child("error", ns::kClient);
  const xml::Element* text = error == nullptr ? nullptr : error->child("text", ns::kStanzas);
  return text == nullptr ? std::string() : text->text;
}

bool has_muc_status(const xml::Element& presence, std::string_view code) {
  const xml::Element* user = presence.child("x", ns::kMucUser);
  if (user == nullptr) {
    return false;
  }
  for (const xml::Element& child : user->children) {
    if (child.is("status", ns::kMucUser) && child.attribute_or_empty("code") == code) {
      return true;
    }
  }
  return false;
}

std::string_view muc_item_jid(const xml::Element& presence) {
  const xml::Element* user = presence.child("x", ns::kMucUser);
  const xml::Element* item = user == nullptr ? nullptr : user->child("item", ns::kMucUser);
  return item == nullptr ? std::string_view() : item->attribute_or_empty("jid");
}

std::string_view resource_of(std::string_view jid) {
  const std::size_t slash = jid.find('/');
  return slash == std::string_view::npos ? std::string_view() : jid.substr(slash + 1);
}

std::string_view bare_of(std::string_view jid) {
  return jid.substr(0, jid.find('/'));
}

}  // namespace bascule::peers
