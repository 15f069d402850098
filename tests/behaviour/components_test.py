"""Facts about components (XEP-0114), E12: they have no session."""

from facts import STRICT_SECRET, BehaviourTest, fact
from xmpp import is_presence, name, statuses


def stream_error(element):
    return name(element) == "error"


class Components(BehaviourTest):
    def connect(self, host, secret):
        component = self.component(host)
        self.assertEqual("handshake", name(component.handshake(secret)))
        return component

    @fact("E12", "by default a second connection of a component is refused with <conflict/>", "server settings")
    def test_the_default_refuses_the_newcomer(self):
        self.connect("strict", STRICT_SECRET)
        answer = self.component("strict").handshake(STRICT_SECRET)
        self.assertIsNotNone(answer.find("{*}conflict"), "the newcomer was let in")

    @fact("E12", "with kick_old the second connection replaces the first, which gets <conflict/>, and its occupants stay",
          "server settings")
    def test_kick_old_replaces(self):
        first = self.connect("bascule", self.server.bascule_secret)
        person = self.in_a_room(first)
        self.connect("bascule", self.server.bascule_secret)
        self.assertIsNotNone(first.wait(stream_error, "stream error").find("{*}conflict"))
        first.until_closed()
        self.expect_nothing_seen(person)

    @fact("E12", "with no component connected the first stanza to it makes rooms kick its occupants (333)", "links")
    def test_nobody_connected_means_kicked(self):
        component = self.connect("bascule", self.server.bascule_secret)
        person = self.in_a_room(component)
        self.until_disconnected(component)
        self.expect_nothing_seen(person)
        person.presence(self.person_in_room, "<show>away</show>")
        kicked = person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "component kicked")
        self.assertIn("333", statuses(kicked))

    @fact("E12", "a request to a component that is not connected is answered at once with an error, of the kind wait",
          "refused requests")
    def test_requests_are_refused_while_nobody_is_there(self):
        person = self.person()
        person.ask("focus." + self.server.domain, "conference")
        error = person.answer("conference").find("{*}error")
        self.assertEqual("wait", error.get("type"))
        self.assertIsNotNone(error.find("{*}remote-server-timeout"), [one.tag for one in error])

    def in_a_room(self, component):
        """The component is an occupant, and a person sees it."""
        person = self.person()
        component.send(f"<presence from='focus@{component.to}/x' to='{self.focus_in_room}'><x "
                       "xmlns='http://jabber.org/protocol/muc'/></presence>")
        component.wait(lambda one: is_presence(one, self.focus_in_room), "own presence")
        person.join(self.person_in_room)
        person.barrier().forget()
        return person
