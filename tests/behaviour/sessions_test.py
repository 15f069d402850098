"""Facts about sessions that are resumed (XEP-0198): E9 to E11, E14, E15, E17, E18, and what a dead connection leaves."""

import os
import signal
import subprocess

from facts import BehaviourTest, Servers, fact
from xmpp import SM, Stream, is_iq, is_presence, name, statuses

PING = "<ping xmlns='urn:xmpp:ping'/>"


def is_request(element):
    return name(element) == "iq" and element.get("type") in ("get", "set")


class Resume(BehaviourTest):
    def expect_ended(self, token, handled, person):
        """A resume that ends the session: 0.12 says nothing on the connection that asked for it, it closes that."""
        successor = self.armed()
        successor.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='{handled}'/>")
        successor.until_closed()
        self.assertEqual([], successor.inbox, "the connection that asked for the resume was told something")
        return person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "focus leaving")

    @fact("E9", "a resume by another connection takes a living session over: what was not acknowledged comes again in "
          "order, nobody sees anything, the old connection is closed", "resume")
    def test_another_connection_takes_over(self):
        component = self.component("bascule")
        component.handshake(self.server.bascule_secret)
        focus, person, token = self.meeting(sm=True)
        for number in range(3):
            person.ask(self.focus_in_room, f"asked{number}")
        person.barrier()
        component.send(f"<iq type='set' id='proxied' from='{component.to}/client' to='{focus.jid}'><query "
                       "xmlns='urn:example:ask'/></iq>")
        focus.wait(lambda one: is_iq(one) and one.get("from").startswith(component.to), "request of the component")
        heard = [one for one in focus.inbox if is_request(one)]
        self.assertEqual(3, len(heard))
        handled = 2  # The answer to the ping of `meeting`, and the first request.
        successor = self.armed()
        resumed = successor.resume(token, handled)
        self.assertEqual((SM + "resumed", "1"), (resumed.tag, resumed.get("h")), "the ping is what the server handled")
        again = [successor.wait(is_request, f"request {number} again") for number in range(3)]
        self.assertEqual([one.get("id") for one in heard[1:]], [one.get("id") for one in again[:2]])
        self.assertEqual([], [one for one in again if one.find("{*}delay") is not None], "requests with <delay/>")
        focus.until_closed()
        self.assertEqual(0, focus.count(lambda one: name(one) == "error"), "the old connection got a stream error")
        self.expect_nothing_seen(person)
        successor.reply(again[2])
        component.wait(lambda one: one.get("id") == "proxied" and one.get("type") == "result", "answer")
        successor.reply(again[0])
        self.assertEqual("result", person.answer("asked1").get("type"))

    @fact("3.3", "the token of a session stays the same over several resumes", "resume")
    def test_the_token_stays(self):
        focus, person, token = self.meeting(sm=True)
        for _ in range(3):
            successor = self.armed()
            self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
        self.expect_nothing_seen(person)

    @fact("3.3", "a presence that comes again carries <delay/>; it is not stale", "handled")
    def test_presence_comes_again_with_delay(self):
        focus, person, token = self.meeting(sm=True)
        person.presence(self.person_in_room, "<show>away</show>")
        focus.wait(lambda one: is_presence(one, self.person_in_room), "presence of the person")
        successor = self.armed()
        successor.resume(token, 1)
        again = successor.wait(lambda one: is_presence(one, self.person_in_room), "presence again")
        self.assertIsNotNone(again.find("{urn:xmpp:delay}delay"))

    @fact("E10", "a resume that claims more stanzas than were sent ends the session without an answer: what was not "
          "acknowledged is answered with an error, and the room sees the focus kicked (333)", "handled")
    def test_too_many_handled(self):
        _, person, token = self.meeting(sm=True)
        person.ask(self.focus_in_room, "lost")
        person.presence(self.person_in_room, "<show>away</show>")
        person.barrier()
        self.assertIn("333", statuses(self.expect_ended(token, 99, person)))
        self.assertIsNotNone(person.answer("lost").find(".//{*}recipient-unavailable"))

    @fact("E11", "a resume that claims less than was acknowledged before ends the session without an answer", "handled")
    def test_too_few_handled(self):
        focus, person, token = self.meeting(sm=True)
        focus.acknowledge(1)
        focus.barrier()
        self.expect_ended(token, 0, person)

    @fact("E11", "with the default of smacks_max_queue_size a session with 600 stanzas that nobody acknowledged cannot be "
          "resumed and ends", "server settings")
    def test_the_default_queue_overflows(self):
        self.server = Servers.stock
        _, person, token = self.meeting(sm=True)
        for number in range(600):
            person.ask(self.focus_in_room, f"asked{number}")
        person.barrier()
        self.expect_ended(token, 1, person)

    @fact("E11", "with smacks_max_queue_size as we ask for it 600 stanzas that nobody acknowledged come again",
          "server settings")
    def test_our_queue_holds_them(self):
        _, person, token = self.meeting(sm=True)
        for number in range(600):
            person.ask(self.focus_in_room, f"asked{number}")
        person.barrier()
        successor = self.armed()
        self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
        successor.barrier()
        self.assertEqual(600, successor.count(is_request))
        self.expect_nothing_seen(person)

    @fact("3.3", "resume after bind is refused with unexpected-request and changes nothing", "resume")
    def test_resume_after_bind(self):
        _, person, token = self.meeting(sm=True)
        answer = self.focus("late").resume(token, 1)
        self.assertEqual(SM + "failed", answer.tag)
        self.assertIsNotNone(answer.find("{*}unexpected-request"))
        self.expect_nothing_seen(person)

    @fact("3.2", "the end of the stream, unlike a lost connection, ends the session: the room sees the focus leave",
          "restart")
    def test_the_end_of_the_stream_ends_the_session(self):
        focus, person, token = self.meeting(sm=True)
        focus.send("</stream:stream>")
        person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "focus leaving")
        answer = self.armed().resume(token, 1)
        self.assertEqual(SM + "failed", answer.tag)
        self.assertIsNotNone(answer.find("{*}item-not-found"))

    @fact("E14", "who has logged in and bound nothing may wait longer than c2s_timeout and resume then", "resume")
    def test_an_armed_connection_may_wait(self):
        _, person, token = self.meeting(sm=True)
        stranger = self.keep(Stream(self.server.c2s_port, "auth." + self.server.domain, "jabber:client"))
        armed = self.armed()
        successor = self.keep(Stream(self.server.c2s_port, "auth." + self.server.domain, "jabber:client"))
        stranger.until_closed()
        successor.until_closed()  # Opened after `armed`: its time is over as well.
        self.assertEqual(SM + "resumed", armed.resume(token, 1).tag)
        self.expect_nothing_seen(person)

    @fact("E15", "a ping to the focus's address is answered service-unavailable when nobody has it, by the session when it is "
          "connected, and kept for later while the session hibernates", "resume")
    def test_who_is_gone_and_who_will_be_back(self):
        focus, person, token = self.meeting(sm=True)
        person.ask(focus.jid, "present", "get", PING)
        focus.reply(focus.wait(is_request, "ping"))
        self.assertEqual("result", person.answer("present").get("type"))
        person.ask(focus.jid + "-absent", "absent", "get", PING)
        self.assertIsNotNone(person.answer("absent").find(".//{*}service-unavailable"))
        self.until_disconnected(focus)
        person.ask(focus.jid, "hibernating", "get", PING)
        self.expect_nothing_seen(person)
        successor = self.armed()
        self.assertEqual(SM + "resumed", successor.resume(token, 2).tag)
        successor.reply(successor.wait(is_request, "ping, later"))
        self.assertEqual("result", person.answer("hibernating").get("type"))

    @fact("E17", "while another process holds a copy of the socket a killed process is not missed: the session stays "
          "connected, and a resume brings everything", "held socket")
    def test_a_held_socket_hides_a_kill(self):
        focus, person, token = self.meeting(sm=True)
        owner = subprocess.Popen(["sleep", "60"], pass_fds=[focus.socket.fileno()])
        holder, before = os.dup(focus.socket.fileno()), self.disconnections()
        try:
            focus.drop()
            owner.kill()
            owner.wait()
            person.ask(self.focus_in_room, "asked")
            self.expect_nothing_seen(person)
            self.assertEqual(before, self.disconnections(), "the server noticed that the process was killed")
            successor = self.armed()
            self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
            successor.reply(successor.wait(is_request, "request"))
            self.assertEqual("result", person.answer("asked").get("type"))
        finally:
            os.close(holder)

    @fact("E18", "what is queued for a session without connection costs the server far more than for one that is only "
          "silent: keep the gap short", "restart")
    def test_the_price_of_a_queue_while_nobody_is_connected(self):
        silent, hibernating = self.price(3000, lambda _: None), self.price(3000, self.until_disconnected)
        print(f"\n  E18: server time for 3000 requests to a silent session {silent:.2f} s, to one without connection "
              f"{hibernating:.2f} s")
        self.assertGreater(hibernating, 1.5 * silent)

    def price(self, requests, lose):
        focus, person, token = self.meeting(sm=True)
        lose(focus)
        before = self.cpu_s()
        for number in range(requests):
            person.ask(self.focus_in_room, f"asked{number}")
        person.barrier()
        spent = self.cpu_s() - before
        successor = self.armed()
        self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
        successor.barrier()
        self.assertEqual(requests, successor.count(is_request))
        successor.send("</stream:stream>")
        person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "focus leaving")
        person.presence(self.person_in_room, kind="unavailable")
        person.barrier()
        return spent


class DeadConnection(BehaviourTest):
    """What a server makes of a connection whose other end is gone."""

    def say_and_die(self, pings):
        """Fills the connection while the server sleeps, and closes it; returns what it has handled of that."""
        focus, person, token = self.meeting(sm=True)
        os.kill(self.server.pid, signal.SIGSTOP)
        try:
            for number in range(pings):
                focus.ask(self.server.domain, f"said{number}", "get", PING)
        finally:
            focus.drop()
            os.kill(self.server.pid, signal.SIGCONT)
        successor = self.armed()
        resumed = successor.resume(token, 1)
        self.assertEqual(SM + "resumed", resumed.tag)
        return int(resumed.get("h")) - 1

    @fact("ADR 0014", "with network_default_read_size as we ask for it everything that a dead process had said is handled",
          "server settings")
    def test_everything_said_is_heard(self):
        self.assertEqual(400, self.say_and_die(400))

    @fact("ADR 0014", "with the default of network_default_read_size the server closes a dead connection when it fails to "
          "write to it, before it has read everything", "server settings")
    def test_by_default_the_end_is_lost(self):
        self.server = Servers.stock
        handled = self.say_and_die(400)
        print(f"\n  ADR 0014: with the default read size {handled} of 400 stanzas of a dead connection were handled")
        self.assertLess(handled, 400)

    @fact("ADR 0014", "after a resume the server goes on parsing where the old connection broke off: the rest of a cut stanza "
          "completes it", "whole writes")
    def test_a_cut_stanza_is_completed_by_the_next_connection(self):
        focus, person, token = self.meeting(sm=True)
        focus.send(f"<iq type='get' id='cut' to='{self.server.domain}'><ping xmlns='urn:xmpp:ping'")
        self.until_disconnected(focus)
        successor = self.armed()
        self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
        successor.send("/></iq>")
        self.assertEqual("result", successor.answer("cut").get("type"))

    @fact("ADR 0014", "a cut stanza spoils the session for whoever goes on with whole ones: not-well-formed, and the room sees "
          "the focus leave", "whole writes")
    def test_a_cut_stanza_spoils_the_session(self):
        focus, person, token = self.meeting(sm=True)
        focus.send(f"<iq type='get' id='cut' to='{self.server.domain}'><ping xmlns='urn:xmpp:ping'")
        self.until_disconnected(focus)
        successor = self.armed()
        self.assertEqual(SM + "resumed", successor.resume(token, 1).tag)
        successor.ask(self.server.domain, "whole", "get", PING)
        successor.wait(lambda one: name(one) == "error" and one.find("{*}not-well-formed") is not None,
                       "<not-well-formed/>")
        person.wait(lambda one: is_presence(one, self.focus_in_room, "unavailable"), "focus leaving")


class ServerRestart(BehaviourTest):
    @fact("3.3", "a server that was killed has forgotten sessions and rooms: a resume fails with item-not-found",
          "when the server dies")
    def test_a_killed_server_knows_nothing(self):
        self.server = Servers.stock
        _, person, token = self.meeting(sm=True)
        self.server.kill()
        person.until_closed()
        self.server.start()
        answer = self.armed().resume(token, 1)
        self.assertEqual(SM + "failed", answer.tag)
        self.assertIsNotNone(answer.find("{*}item-not-found"))
        person = self.person()
        person.presence(self.person_in_room, "<x xmlns='http://jabber.org/protocol/muc'/>")
        refused = person.wait(lambda one: is_presence(one, self.person_in_room, "error") or
                              is_presence(one, self.person_in_room), "answer of the room")
        self.assertEqual("error", refused.get("type"), "only the focus makes rooms")
