#include "xmpp/xml/element.h"

#include <gtest/gtest.h>

namespace bascule::xml {
namespace {

TEST(Element, SetReplacesAndKeepsOrder) {
  Element element{.name = "a"};
  element.set("x", "1").set("y", "2").set("x", "3");
  ASSERT_EQ(element.attributes.size(), 2U);
  EXPECT_EQ(element.attributes[0].second, "3");
  element.unset("x");
  element.unset("absent");
  EXPECT_FALSE(element.attribute("x").has_value());
  EXPECT_EQ(element.attribute_or_empty("x"), "");
  EXPECT_EQ(element.attribute("y"), "2");
}

TEST(Element, FindsChildrenByNameAndNamespace) {
  Element element{.name = "a", .ns = "u"};
  element.add({.name = "b", .ns = "u"});
  element.add({.name = "b", .ns = "v", .text = "first"});
  element.add({.name = "b", .ns = "v", .text = "second"});
  EXPECT_EQ(element.child("b", "v")->text, "first");
  EXPECT_EQ(element.child_in("v")->text, "first");
  EXPECT_EQ(element.child("c", "v"), nullptr);
  EXPECT_EQ(element.child_in("w"), nullptr);
}

TEST(Element, RenamesANamespaceEverywhere) {
  Element element{.name = "iq", .ns = "jabber:component:accept"};
  element.add({.name = "error", .ns = "jabber:component:accept"}).add({.name = "q", .ns = "urn:q"});
  rename_namespace(element, "jabber:component:accept", "jabber:client");
  EXPECT_EQ(element.ns, "jabber:client");
  EXPECT_EQ(element.children[0].ns, "jabber:client");
  EXPECT_EQ(element.children[0].children[0].ns, "urn:q");
}

}  // namespace
}  // namespace bascule::xml
