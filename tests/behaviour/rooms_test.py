"""Facts about rooms: several sessions on one nick, entering again, taking a resource over (E1 to E8, E13)."""

from facts import BehaviourTest, fact
from xmpp import is_iq, is_presence, items, mark, marks, name


class TwoSessionsOnTheNick(BehaviourTest):
    def setUp(self):
        super().setUp()
        self.first, self.second, self.p = self.focus("a"), self.focus("b"), self.person()
        self.first.join(self.focus_in_room, mark("a"))
        self.p.join(self.person_in_room)
        self.p.barrier().forget()
        self.second.join(self.focus_in_room, mark("b"))
        self.seen_at_join = self.p.barrier().inbox[:]
        for one in (self.first, self.second, self.p):
            one.barrier().forget()

    @fact("E1", "a second session of the account on the same nick is seen as an available presence with the payload of "
          "the first and an <item/> for each", "beside")
    def test_the_second_is_an_update_of_the_first(self):
        self.assertTrue(self.seen_at_join and all(is_presence(one, self.focus_in_room) for one in self.seen_at_join),
                        [(one.get("from"), one.get("type")) for one in self.seen_at_join])
        self.assertEqual(2, len(items(self.seen_at_join[-1])))
        self.assertEqual(["a"], marks(self.seen_at_join[-1]))

    @fact("E2", "an IQ to the nick reaches only the session that joined first", "beside")
    def test_requests_go_to_the_first(self):
        self.p.ask(self.focus_in_room, "e2")
        self.first.wait(is_iq, "request of the person")
        self.second.barrier()
        self.assertEqual(0, self.second.count(is_iq), "the second session got it as well")

    @fact("E3", "the answer to an IQ of either session returns to it, with its own id", "beside")
    def test_answers_return_to_who_asked(self):
        self.second.ask(self.person_in_room, "e3-own-id")
        self.p.reply(self.p.wait(is_iq, "request of the second session"))
        self.assertEqual("result", self.second.answer("e3-own-id").get("type"))
        self.first.barrier()
        self.assertEqual([], self.first.inbox)

    @fact("E4", "an IQ get of a session to its own nick is delivered to the session that joined first", "beside")
    def test_who_is_the_first_can_be_found_out(self):
        self.second.ask(self.focus_in_room, "e4", "get")
        self.first.wait(is_iq, "request of the second session")

    @fact("E5", "a presence of the second session is stored and not shown: the room repeats that of the first", "beside")
    def test_the_second_cannot_change_what_is_seen(self):
        self.second.presence(self.focus_in_room, mark("changed"))
        seen = self.p.wait(lambda one: is_presence(one, self.focus_in_room), "presence of the focus")
        self.assertEqual(["a"], marks(seen))

    @fact("E6", "when the first session's connection is lost (without XEP-0198) the second takes its place and nobody sees "
          "the focus leave", "beside")
    def test_the_second_takes_the_place_of_the_first(self):
        self.first.drop()
        self.p.wait(lambda one: is_presence(one, self.focus_in_room) and marks(one) == ["b"], "presence of the second")
        self.assertEqual(0, self.p.count(lambda one: one.get("type") == "unavailable"), "somebody saw the focus leave")
        self.p.ask(self.focus_in_room, "e6")
        self.second.wait(is_iq, "request of the person")

    @fact("E7", "who enters again and outlives the other is first again", "beside")
    def test_who_comes_back_is_first_after_the_other_left(self):
        self.first.presence(self.focus_in_room, kind="unavailable")
        self.first.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "own leaving")
        self.first.join(self.focus_in_room, mark("a again"))
        self.second.presence(self.focus_in_room, kind="unavailable")
        self.second.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "own leaving")
        self.second.join(self.focus_in_room, mark("b again"))
        self.p.barrier()
        self.assertEqual(0, self.p.count(lambda one: one.get("type") == "unavailable"), "somebody saw the focus leave")
        self.p.ask(self.focus_in_room, "e7")
        self.first.wait(is_iq, "request of the person")

    @fact("E8", "binding the resource of a session that reads nothing ends that session at once with <conflict/>; its place "
          "is taken by the other one", "when the server dies")
    def test_a_bind_takes_the_resource_from_who_hangs(self):
        usurper = self.armed()
        usurper.bind(self.first.jid.rsplit("/", 1)[1])
        self.assertEqual(self.first.jid, usurper.jid)
        self.first.wait(lambda one: name(one) == "error" and one.find("{*}conflict") is not None, "<conflict/>")
        self.first.until_closed()
        self.p.wait(lambda one: is_presence(one, self.focus_in_room) and marks(one) == ["b"], "presence of the second")
        self.p.ask(self.focus_in_room, "e8")
        self.second.wait(is_iq, "request of the person")
        self.assertEqual(0, self.p.count(lambda one: one.get("type") == "unavailable"), "somebody saw the focus leave")


class Presence(BehaviourTest):
    @fact("3.1", "who enters a room again in which it is gets the presence of everybody again, and others see one available "
          "presence", "entered again")
    def test_entering_again_repeats_everybody(self):
        focus, person, _ = self.meeting()
        focus.join(self.focus_in_room, mark("again"))
        self.assertEqual(1, focus.count(lambda one: is_presence(one, self.person_in_room)), "presence of the person")
        seen = [one for one in person.barrier().inbox if name(one) == "presence"]
        self.assertEqual([(self.focus_in_room, None)], [(one.get("from"), one.get("type")) for one in seen])

    @fact("F1", "when the only session of the nick is lost (without XEP-0198) the room sees it leave", "forgotten")
    def test_the_last_session_leaves(self):
        focus, person, _ = self.meeting()
        focus.drop()
        person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "focus leaving")

    @fact("3.2", "a session without broadcast presence is reached by its full address, and an address nobody has bound is "
          "answered at once with service-unavailable", "links")
    def test_directed_presence_is_enough(self):
        focus, person, _ = self.meeting()
        person.ask(focus.jid, "direct")
        focus.reply(focus.wait(is_iq, "request by full address"))
        self.assertEqual("result", person.answer("direct").get("type"))
        person.ask(focus.jid + "-nobody", "nobody")
        self.assertIsNotNone(person.answer("nobody").find(".//{*}service-unavailable"))

    @fact("E13", "directed presence reaches a component, directed unavailable as well without leaving rooms, and the loss of "
          "the session is told to whom presence was directed", "links")
    def test_a_component_is_told_by_directed_presence(self):
        component = self.component("bascule")
        component.handshake(self.server.bascule_secret)
        focus, person, _ = self.meeting()

        def told(kind):
            component.wait(lambda one: is_presence(one, focus.jid, kind), f"presence {kind or 'available'}")
        focus.presence(component.to)
        told(None)
        focus.presence(component.to, kind="unavailable")
        told("unavailable")
        self.expect_nothing_seen(person)
        focus.presence(component.to)
        told(None)
        focus.drop()
        told("unavailable")

    @fact("E16", "taking a session over by binding its resource makes every room see the focus leave, one stanza each, by "
          "resuming it nobody sees anything, and resuming does not become dearer with the number of rooms", "resume")
    def test_a_resume_costs_the_same_with_many_rooms(self):
        few, many = self.take_over(20), self.take_over(200)
        print(f"\n  E16: server time of a resume {few[0] * 1e3:.2f} ms with 20 rooms, {many[0] * 1e3:.2f} ms with 200; of "
              f"a bind {few[1] * 1e3:.1f} and {many[1] * 1e3:.1f} ms")
        self.assertLess(many[0], 4 * few[0], "ten times as many rooms cost")
        dearer = many[1] - few[1]  # What the first bind costs beside its rooms varies.
        self.assertGreater(dearer, max(5e-3, 10 * (many[0] - few[0])), "a bind does not cost what rooms it leaves")

    def take_over(self, rooms):
        """Returns the server's time (s) for a resume and for a bind."""
        resource = f"focus-{rooms}"
        focus, person = self.focus(resource), self.person()
        occupants = [f"{self.tag}-{rooms}-{number}@conference.{self.server.domain}" for number in range(rooms)]
        for one in occupants:
            focus.presence(one + "/focus", "<x xmlns='http://jabber.org/protocol/muc'/>")
        focus.barrier()
        for one in occupants:
            person.presence(one + "/p1", "<x xmlns='http://jabber.org/protocol/muc'/>")
        person.barrier().forget()
        focus.barrier().forget()
        token, spent = focus.enable(), []
        for _ in range(10):
            focus = self.armed()
            before = self.cpu_s()
            self.assertEqual("resumed", name(focus.resume(token, 0)))
            focus.barrier()
            focus.acknowledge(0)
            spent.append(self.cpu_s() - before)
        self.expect_nothing_seen(person)
        usurper = self.armed()
        before = self.cpu_s()
        usurper.bind(f"{self.tag}-{resource}")
        bind_s = self.cpu_s() - before
        person.barrier()
        left = person.count(lambda one: name(one) == "presence" and one.get("type") == "unavailable")
        self.assertEqual(rooms, left, "rooms that saw the focus leave")
        return sorted(spent)[len(spent) // 2], bind_s
