"""What a fact is, the servers it is tried on, and what is said when it does not hold."""

import functools
import pathlib
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "demo"))

# pylint: disable=wrong-import-position
from prosody import Prosody  # noqa: E402
from xmpp import PATIENCE_S, Client, Component, Unseen  # noqa: E402

C2S_TIMEOUT_S = 2
STRICT_SECRET = "strict-secret"
PLACES = {  # Where our own documents rely on facts: file and words that must be there.
    "resume": ("docs/adr/0014-session-outlives-process.md", "A server keeps the session of a broken connection"),
    "handled": ("docs/adr/0014-session-outlives-process.md", "What a turn hears and says is committed"),
    "server's count": ("docs/adr/0014-session-outlives-process.md", "The server's count is believed once"),
    "entered again": ("docs/adr/0014-session-outlives-process.md", "Rooms are entered again after a resume"),
    "whole writes": ("docs/adr/0014-session-outlives-process.md", "Writes leave whole."),
    "beside": ("docs/adr/0014-session-outlives-process.md", "A nick with two sessions leaves a room with the last of them"),
    "held socket": ("docs/adr/0014-session-outlives-process.md", "Somebody else holds the socket"),
    "restart": ("docs/operations.md", "SIGTERM: the next process goes on."),
    "forgotten": ("docs/operations.md", "rooms are entered again and web clients reload"),
    "refused requests": ("docs/operations.md", "Requests for conferences that arrive while no process is there"),
    "server settings": ("docs/operations.md", "## What Prosody needs"),
    "links": ("docs/architecture.md", "## Links"),
    "when the server dies": ("docs/architecture.md", "## When the XMPP server dies"),
}


def fact(experiment, statement, place):
    """Of a test: what it says about the server, and where we rely on it (a key of PLACES)."""
    def decorate(test):
        @functools.wraps(test)
        def tell(self):
            try:
                test(self)
            except (AssertionError, OSError) as seen:
                where, words = PLACES[place]
                raise AssertionError(
                    f"\n{experiment} does not hold on Prosody {Servers.version}\n  fact: {statement}\n"
                    f"  we rely on it in {where}, \u201c{words}\u201d\n  seen instead: {seen}") from None
        tell.fact = (experiment, statement, place)
        return tell
    return decorate


class Servers:
    """`ours` is set up as docs/operations.md wants it, `stock` has the defaults that we tell people to change."""
    folder = ours = stock = None
    version = "(unknown)"

    @classmethod
    def start(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="bascule-behaviour-")
        base = pathlib.Path(cls.folder.name)
        cls.ours = Prosody(base / "ours", f"network_default_read_size = 4194304; c2s_timeout = {C2S_TIMEOUT_S}",
                           hosts=f'Component "strict.bascule.test"; component_secret = "{STRICT_SECRET}"')
        cls.stock = Prosody(base / "stock", "smacks_max_queue_size = nil; network_default_read_size = nil")
        for server in (cls.ours, cls.stock):
            server.start()
        person = Client(cls.ours, cls.ours.domain).bind()
        person.ask(cls.ours.domain, "version", "get", "<query xmlns='jabber:iq:version'/>")
        cls.version = next(person.answer("version").iter("{jabber:iq:version}version")).text
        person.drop()

    @classmethod
    def stop(cls):
        for server in (cls.ours, cls.stock):
            if server is not None:
                server.stop()
        if cls.folder is not None:
            cls.folder.cleanup()


class BehaviourTest(unittest.TestCase):
    """A room of its own for each test, and short words for who takes part."""

    def setUp(self):
        self.server = Servers.ours
        self.streams = []
        self.tag = self.id().rsplit(".", 1)[-1].replace("_", "-")[:48].lower()
        self.room = self.room_number(0)
        self.focus_in_room = self.room + "/focus"
        self.person_in_room = self.room + "/p1"

    def tearDown(self):
        for stream in self.streams:
            stream.drop()

    def room_number(self, number):
        return f"{self.tag}-{number}@conference.{self.server.domain}"

    def keep(self, stream):
        self.streams.append(stream)
        return stream

    def armed(self):
        """Logged in as the focus, not bound."""
        return self.keep(Client(self.server, "auth." + self.server.domain, "focus"))

    def focus(self, resource="focus"):
        return self.armed().bind(f"{self.tag}-{resource}")

    def person(self):
        return self.keep(Client(self.server, self.server.domain).bind())

    def component(self, host):
        return self.keep(Component(self.server, f"{host}.{self.server.domain}"))

    def meeting(self, sm=False):
        """A focus and a person in the room: (focus, person, token). With `sm` what the focus hears from here on counts,
        and nothing was heard yet."""
        focus, person = self.focus(), self.person()
        focus.join(self.focus_in_room)
        person.join(self.person_in_room)
        focus.wait(lambda one: one.get("from") == self.person_in_room, "presence of the person")
        token = focus.enable() if sm else None
        focus.barrier()
        person.barrier().forget()
        focus.forget()
        return focus, person, token

    def until_disconnected(self, stream):
        """Drops a connection and waits until the server has noticed: only its log says so."""
        before = self.disconnections()
        stream.drop()
        deadline = time.monotonic() + PATIENCE_S
        while self.disconnections() == before:
            if time.monotonic() > deadline:
                raise Unseen("the server does not notice that a connection was closed")
            time.sleep(0.005)

    def disconnections(self):
        log = (self.server.folder / "prosody.log").read_text(encoding="utf-8", errors="replace")
        return log.count("Client disconnected") + log.count("component disconnected")

    def cpu_s(self):
        """Time the server has computed; does not depend on what else the machine does."""
        return int(pathlib.Path(f"/proc/{self.server.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9

    def expect_nothing_seen(self, person):
        person.barrier()
        self.assertEqual([], person.inbox, "the person in the room noticed it")
