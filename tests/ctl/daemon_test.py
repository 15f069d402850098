#!/usr/bin/env python3
"""basculectl and the real daemon: people meet on a private Prosody, and an operator acts. Needs the programs only."""

import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "demo"))

# pylint: disable=wrong-import-position
from program import BUILD, DAMAGED, FAILED, OK, CtlTest, Terminal, ctl, main
from scene import Crowd, Fleet, Scene

ROOMS, PER_ROOM = 3, 3
PATIENCE_S = 60


class WithDaemon(CtlTest):
    """One scene for all tests; each leaves it as it was: everybody has media, no order is open."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bascule-ctl-"))
        cls.scene = Scene(BUILD / "bin", cls.folder, Fleet(3, ["--capacity", "120"]),
                          Crowd(ROOMS * PER_ROOM, ROOMS, ["--rooms", ROOMS, "--per-room", PER_ROOM, "--spread", 1]))
        try:
            cls.scene.start_servers()
            cls.scene.start_daemon()
            cls.scene.start_clients()
            cls.scene.clients.ask("phase arrival")
            cls.url = f"http://127.0.0.1:{cls.scene.daemon.admin_port}"
            cls.until_everybody_has_media()
        except Exception:
            cls.scene.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.scene.stop()
        shutil.rmtree(cls.folder)

    @classmethod
    def until(cls, what, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {PATIENCE_S} s for {what}; see {cls.folder}")
            time.sleep(0.1)

    @classmethod
    def until_everybody_has_media(cls):
        cls.until("media for everybody", lambda: cls.scene.clients.ask("status", timeout=30)["with_media"] ==
                  cls.scene.participants and not cls.scene.stranded())

    def run_ctl(self, *arguments, status=OK):
        outcome = ctl(*arguments, url=self.url)
        self.assertEqual(outcome.status, status, outcome.out + outcome.err)
        return outcome.out

    def asked(self, *arguments):
        return json.loads(self.run_ctl(*arguments, "--json"))

    def busiest(self):
        """Nick and people of the bridge with the most."""
        bridge = max(self.asked("bridges")["bridges"], key=lambda each: each["participants"])
        return bridge["bridge"].split("/")[1], bridge["participants"]

    def a_room(self):
        return self.asked("conferences")["conferences"][0]["room"]


class Looking(WithDaemon):
    def test_status(self):
        out = self.run_ctl("status", "--once")
        self.assertRegex(out, r"^ALL WELL - bascule \d")
        self.assertIn(f"{self.scene.participants} people in {ROOMS} conferences", out)
        self.assertIn("client up", out)
        for number in self.scene.bridges:
            self.assertIn(f"jvb{number} ", out)

    def test_live(self):
        with Terminal("status", "--url", self.url) as terminal:
            terminal.until("ALL WELL")
            terminal.until("jvb1")
            terminal.type("q")
            self.assertEqual(terminal.end(), OK)
            self.assertTrue(terminal.is_as_before())

    def test_bridges(self):
        nick, people = self.busiest()
        self.assertIn(nick, self.run_ctl("bridges"))
        self.assertIn(f"{people} people in", self.run_ctl("bridge", nick))
        address = self.asked("bridge", nick)["bridge"]
        self.assertEqual(self.asked("bridge", address)["bridge"], address)
        self.assertIn("no bridge", ctl("bridge", "nobody", url=self.url).err)
        self.run_ctl("bridge", "nobody", status=FAILED)

    def test_conferences_and_why(self):
        room = self.a_room()
        self.assertIn(room, self.run_ctl("conferences", "--search", room.split("@")[0]))
        self.assertEqual(len(self.asked("conferences", "--all")["conferences"]), ROOMS)
        people = self.asked("conference", room.split("@")[0])["participants"]
        self.assertEqual(len(people), PER_ROOM)
        endpoint = people[0]["endpoint"]
        self.assertIn(endpoint, self.run_ctl("conference", room))
        why = " ".join(self.run_ctl("why", room, endpoint).split())
        self.assertIn(f"{endpoint} in {room}", why)
        self.assertRegex(why, r"jvb\d was chosen: .*\(rule \w+\)")
        self.assertIn("candidate", why)
        self.assertEqual(self.run_ctl("why", room).count(" was chosen: "), PER_ROOM)

    def test_queue_readiness_and_config(self):
        self.assertEqual(self.run_ctl("queue"), "nobody waits\n")
        self.assertIn("ready\n", self.run_ctl("readiness"))
        self.assertIn("xmpp.domain", self.run_ctl("config", "show", "--changed"))
        self.assertIn("no problem found", self.run_ctl("config", "check", str(self.scene.daemon.config)))
        self.assertIn("sound", self.run_ctl("stats", "status"))

    def test_log_level(self):
        before = self.run_ctl("log-level")
        self.assertEqual(self.run_ctl("log-level", "debug"), "debug\n")
        self.assertEqual(self.run_ctl("log-level"), "debug\n")
        self.run_ctl("log-level", before.strip())


class Acting(WithDaemon):
    def test_drain_and_undrain(self):
        nick, people = self.busiest()
        self.assertIn(f"{nick} takes nobody new", self.run_ctl("drain", nick, "--reason", "new kernel"))
        self.assertIn("(new kernel)", self.run_ctl("bridge", nick))
        self.assertIn(f"draining: {people} people left", self.run_ctl("bridges"))
        self.run_ctl("drain", nick, "--wait", "--timeout", "1", status=DAMAGED)  # Nobody is made to go.
        self.run_ctl("undrain", nick)
        self.run_ctl("undrain", nick)
        self.assertNotIn("draining", self.run_ctl("bridges"))

    def test_evacuate_until_nobody_is_left(self):
        nick, people = self.busiest()
        self.assertGreater(people, 0)
        self.addCleanup(ctl, "undrain", nick, url=self.url)
        outcome = ctl("evacuate", nick, "--wait", "--timeout", "60", url=self.url)
        self.expect(outcome, OK, err="gone, empty")  # Some may be elsewhere before the first answer is there.
        self.until_everybody_has_media()
        self.assertEqual(self.asked("bridge", nick)["participants"], 0)

    def test_move_a_conference(self):
        room = self.a_room()
        here = self.asked("conference", room)["bridges"][0]["bridge"]
        there = next(each["bridge"] for each in self.asked("bridges")["bridges"] if each["bridge"] != here)
        self.assertIn("asked to move", self.run_ctl("move", room, "--to", there.split("/")[1]))
        self.until("the move", lambda: [place["bridge"] for place in self.asked("conference", room)["bridges"]] == [there])
        self.until_everybody_has_media()
        endpoint = self.asked("conference", room)["participants"][0]["endpoint"]
        self.assertIn("a move, with its media still on another bridge",
                      " ".join(self.run_ctl("why", room, endpoint).split()))

    def test_pins(self):
        room = self.a_room()
        self.run_ctl("pin", room, "2.3", "--minutes", "5")
        self.assertIn(room, self.run_ctl("pins"))
        self.run_ctl("unpin", room)
        self.assertEqual(self.run_ctl("pins"), "no room is pinned\n")

    def test_everything_done_is_in_the_audit_log(self):
        nick, _ = self.busiest()
        self.run_ctl("drain", nick, "--reason", "for the log")
        self.run_ctl("undrain", nick)
        self.assertIn("for the log", self.run_ctl("audit"))

    def test_wrong_targets(self):
        for wrong in (("drain", "nobody"), ("move", "nothing@conference.bascule.test")):
            self.run_ctl(*wrong, status=FAILED)


class Ending(WithDaemon):
    def test_stop_for_good(self):
        self.assertEqual(ctl("stop", "--leave", url=self.url).status, OK)
        self.assertEqual(self.scene.daemon.process.wait(timeout=20), 0)
        self.assertIn("no answer from", ctl("status", url=self.url).err)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
