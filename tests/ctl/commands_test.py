import pathlib
import tempfile
import threading
import unittest

from program import DAMAGED, FAILED, NOT_PERMITTED, OK, USAGE, CtlTest, ctl
from server import Server, problem, recorded

STANDUP = "standup%40conference.meet.example"
MINIMAL = """
[xmpp]
domain = "meet.example"
[links.requests]
secret = "a"
[links.client]
password = "b"
[links.service]
secret = "c"
"""


class Reading(CtlTest):
    def shows(self, command, path, name, golden, **query):
        with Server({("GET", path): (200, recorded(name)),
                     ("GET", "/v1/conferences"): (200, recorded("conferences"))}) as server:
            outcome = ctl(*command, url=server.url)
            self.expect(outcome, OK)
            self.assertEqual((server.last()["method"], server.last()["path"]), ("GET", path))
            self.assertEqual({key: server.last()["query"].get(key) for key in query}, query)
            self.expect_golden(golden, outcome.out)
            machine = ctl(*command, "--json", url=server.url)
            self.expect(machine, OK, out=recorded(name)["bridge"] if name == "bridge" else "")
            self.assertEqual(machine.out.count("\n"), 1)

    def test_bridges(self):
        self.shows(["bridges"], "/v1/bridges", "bridges", "bridges.txt")

    def test_bridge(self):
        self.shows(["bridge", "jvb-3"], "/v1/bridges/jvb-3", "bridge", "bridge.txt")

    def test_a_bridge_by_its_address_is_one_segment(self):
        with Server() as server:
            self.expect(ctl("bridge", "b@x/jvb 1", url=server.url), FAILED, err="there is nothing at")
            self.assertEqual(server.last()["path"], "/v1/bridges/b%40x%2Fjvb%201")

    def test_conferences(self):
        self.shows(["conferences", "--search", "st", "--bridge", "jvb-2"], "/v1/conferences", "conferences",
                   "conferences.txt", search="st", bridge="jvb-2", limit="50")

    def test_conferences_page_by_page(self):
        pages = [dict(recorded("conferences"), next="cur sor", total=4), recorded("conferences")]
        with Server({("GET", "/v1/conferences"): lambda: (200, pages.pop(0))}) as server:
            outcome = ctl("conferences", "--all", url=server.url)
            self.expect(outcome, OK)
            self.assertEqual(outcome.out.count("standup@"), 2)
            self.assertEqual(server.last()["query"]["after"], "cur sor")
        with Server({("GET", "/v1/conferences"): (200, dict(recorded("conferences"), next="x", total=4))}) as server:
            self.expect(ctl("conferences", url=server.url), OK, out="2 of 4; --all shows all")

    def test_conference(self):
        self.shows(["conference", "standup"], f"/v1/conferences/{STANDUP}", "conference", "conference.txt")

    def test_why_one_is_where_it_is(self):
        decisions = recorded("decisions")
        decisions["decisions"] = [each for each in decisions["decisions"] if each["endpoint"] == "abcd1234"]
        with Server({("GET", "/v1/decisions"): (200, decisions)}) as server:
            outcome = ctl("why", "standup@conference.meet.example", "abcd1234", url=server.url)
            self.expect(outcome, OK)
            self.assertEqual(server.last()["query"], {"room": "standup@conference.meet.example",
                                                      "endpoint": "abcd1234", "limit": "20"})
            self.expect_golden("why_one.txt", outcome.out)

    def test_why_everybody_is_where_they_are(self):
        self.shows(["why", "standup@conference.meet.example"], "/v1/decisions", "decisions", "why_room.txt",
                   room="standup@conference.meet.example")

    def test_why_without_a_decision(self):
        with Server({("GET", "/v1/decisions"): (200, {"decisions": []})}) as server:
            self.expect(ctl("why", "a@b", url=server.url), OK, out="no decision is remembered")

    def test_queue(self):
        self.shows(["queue"], "/v1/queue", "queue", "queue.txt", limit="1000")

    def test_what_strangers_chose_cannot_colour_the_terminal(self):
        with Server({("GET", "/v1/queue"): (200, recorded("queue"))}) as server:
            self.assertNotIn("\x1b", ctl("queue", url=server.url).out)

    def test_names_that_stand_for_no_room_or_two(self):
        with Server({("GET", "/v1/conferences"): (200, recorded("conferences"))}) as server:
            self.expect(ctl("conference", "stand", url=server.url), FAILED, err="no conference is called 'stand' now")
        two = recorded("conferences")
        two["conferences"][1]["room"] = "standup@other.example"
        with Server({("GET", "/v1/conferences"): (200, two)}) as server:
            self.expect(ctl("why", "standup", url=server.url), FAILED, err="give the full address")

    def test_audit(self):
        entry = {"number": 7, "at": "2026-11-29T21:55:00.000Z", "by": "ann", "what": "drain",
                 "target": "jvb-3", "before": None, "after": {"evacuate": True}}
        with Server({("GET", "/v1/audit"): (200, {"entries": [entry], "next": "1795-7"})}) as server:
            outcome = ctl("audit", "--limit", "1", "--before", "17-9", url=server.url)
            self.expect(outcome, OK, out="ann  drain  jvb-3")
            self.assertIn('- -> {"evacuate":true}', outcome.out)
            self.assertIn("older ones: --before 1795-7", outcome.out)
            self.assertEqual(server.last()["query"], {"limit": "1", "before": "17-9"})

    def test_readiness(self):
        checks = [{"check": "client_link", "ok": False, "since": "2026-11-29T21:55:00.000Z", "detail": "refused",
                   "help": "#health"}, {"check": "store", "ok": True, "detail": "", "help": "#state"}]
        with Server({("GET", "/v1/readiness"): (200, {"ready": False, "checks": checks})}) as server:
            outcome = ctl("readiness", url=server.url)
            self.expect(outcome, DAMAGED, out="NOT READY")
            self.assertRegex(outcome.out, r"client_link +NO +2026-11-29 21:55:00 UTC +refused +#health")
            self.assertEqual(ctl("readiness", "--json", url=server.url).status, DAMAGED)
        with Server({("GET", "/v1/readiness"): (200, {"ready": True, "checks": checks[1:]})}) as server:
            self.expect(ctl("readiness", url=server.url), OK, out="ready")


class Status(CtlTest):
    def test_a_bad_night(self):
        with Server({("GET", "/v1/overview"): (200, recorded("bad_night"))}) as server:
            outcome = ctl("status", "--once", url=server.url)
            self.expect(outcome, DAMAGED)
            self.expect_golden("status_bad.txt", outcome.out)
            self.assertEqual(ctl("status", "--json", url=server.url).status, DAMAGED)

    def test_a_good_night(self):
        with Server({("GET", "/v1/overview"): (200, recorded("good_night"))}) as server:
            outcome = ctl("status", url=server.url)  # stdout is a pipe.
            self.expect(outcome, OK)
            self.expect_golden("status_good.txt", outcome.out)

    def test_nothing_known(self):
        for strange in ({}, {"ready": "yes", "bridges": {}, "queue": [], "links": 7, "problems": "many"}):
            with Server({("GET", "/v1/overview"): (200, strange)}) as server:
                self.expect(ctl("status", url=server.url), DAMAGED, out="NOT READY")

    def test_everything_that_needs_somebody(self):
        night = dict(recorded("good_night"), overload="fleet_full", problems=["store_damaged: stats.db", "new_thing: x"])
        with Server({("GET", "/v1/overview"): (200, night)}) as server:
            out = ctl("status", url=server.url).out
            self.assertIn("! overloaded (fleet_full)", out)
            self.assertIn("> basculectl stats rebuild --dry-run", out)
            self.assertIn("! new_thing: x\n  > basculectl readiness", out)
            self.assertLess(out.index("overloaded"), out.index("store_damaged"))  # What harms people first.


class Drains(CtlTest):
    PATH = "/v1/bridges/jvb-3/drain"

    def orders(self, *steps):
        """One answer after another; the last one again and again."""
        left = [step if isinstance(step, tuple) else (200, dict(recorded("drain"), **step)) for step in steps]
        return lambda: left.pop(0) if len(left) > 1 else left[0]

    def test_drain(self):
        with Server({("PUT", self.PATH): (200, dict(recorded("drain"), evacuate=False, stuck=0, moving=0))}) as server:
            outcome = ctl("drain", "jvb-3", "--reason", "new kernel", url=server.url)
            self.expect(outcome, OK, out="jvb-3 takes nobody new since 2026-11-29 21:55:00 UTC, by ann (kernel): "
                                         "14 people left in 2 conferences\n")
            self.assertEqual(server.last()["body"], {"reason": "new kernel"})

    def test_evacuate_is_followed_to_the_end(self):
        steps = self.orders({"participants": 12, "moving": 4, "stuck": 0}, {"participants": 5, "moving": 0, "stuck": 5},
                            {"participants": 0, "conferences": 0, "moving": 0, "stuck": 0, "done": True})
        with Server({("PUT", self.PATH): (200, dict(recorded("drain"), stuck=0)), ("GET", self.PATH): steps}) as server:
            outcome = ctl("evacuate", "jvb-3", "--wait", url=server.url)
            self.expect(outcome, OK, out="is being emptied")
            self.assertEqual(server.requests[0]["body"], {"evacuate": True})
            self.assertIn("2 of 14 gone, 12 people left, 4 moving\n", outcome.err)
            self.assertIn("9 of 14 gone, 5 people left, 5 STUCK\n", outcome.err)
            self.assertIn("5 people want to move, and no other bridge has room", " ".join(outcome.err.split()))
            self.assertIn("14 of 14 gone, empty\n", outcome.err)
            self.assertNotIn("\r", outcome.err)

    def test_time_is_up(self):
        with Server({("PUT", self.PATH): (200, recorded("drain")), ("GET", self.PATH): (200, recorded("drain"))}) as server:
            outcome = ctl("evacuate", "jvb-3", "--wait", "--timeout", "1", "--json", url=server.url)
            self.expect(outcome, DAMAGED, out='"done":false')
            self.assertEqual(outcome.out.count("\n"), 1)

    def test_somebody_takes_it_back(self):
        with Server({("PUT", self.PATH): (200, recorded("drain")), ("GET", self.PATH): problem(404, "no order")}) as server:
            self.expect(ctl("drain", "jvb-3", "--wait", url=server.url), FAILED, err="somebody took the order back")

    def test_a_daemon_that_is_restarted_meanwhile_is_waited_for(self):
        answers = {("PUT", self.PATH): (200, recorded("drain"))}
        asked = threading.Event()

        def ask_again():
            asked.set()
            return 200, recorded("drain")
        with Server({**answers, ("GET", self.PATH): ask_again}) as server:
            done = []
            thread = threading.Thread(target=lambda: done.append(ctl("drain", "jvb-3", "--wait", url=server.url)))
            thread.start()
            self.assertTrue(asked.wait(20))
            port = server.port
        end = {"participants": 0, "stuck": 0, "moving": 0, "done": True}
        with Server({("GET", self.PATH): self.orders(end)}, port=port):
            thread.join()
        self.expect(done[0], OK, err="empty")

    def test_undrain(self):
        with Server({("DELETE", self.PATH): (204, None)}) as server:
            self.expect(ctl("undrain", "jvb-3", url=server.url), OK, out="jvb-3 takes people again")
            self.expect(ctl("undrain", "jvb-3", "--json", url=server.url), OK, out="{}")

    def test_refusals(self):
        with Server({("PUT", self.PATH): problem(404, "no bridge is known as jvb-3")}) as server:
            self.expect(ctl("drain", "jvb-3", url=server.url), FAILED, err="no bridge is known as jvb-3")
        with Server({("DELETE", self.PATH): problem(403, "only reading")}) as server:
            self.expect(ctl("undrain", "jvb-3", url=server.url), NOT_PERMITTED, err="role operate")


class Changing(CtlTest):
    ROOM = "standup@conference.meet.example"

    def test_move_a_conference(self):
        with Server({("POST", f"/v1/conferences/{STANDUP}/move"): (202, {"moving": 3})}) as server:
            self.expect(ctl("move", self.ROOM, "--to", "jvb-1", "--from", "jvb-2", "--participants", "3",
                            url=server.url), OK, out="3 people are asked to move")
            self.assertEqual(server.last()["body"], {"from": "jvb-2", "to": "jvb-1", "participants": 3})

    def test_move_one_person(self):
        with Server({("POST", f"/v1/conferences/{STANDUP}/participants/abcd/move"): (202, {"moving": 1})}) as server:
            self.expect(ctl("move", self.ROOM, "abcd", url=server.url), OK, out="1 person is asked to move")
            self.assertEqual(server.last()["body"], {})

    def test_move_that_cannot_be(self):
        with Server({("POST", f"/v1/conferences/{STANDUP}/move"): problem(409, "jvb-1 has no room")}) as server:
            self.expect(ctl("move", self.ROOM, "--to", "jvb-1", url=server.url), FAILED, err="jvb-1 has no room")

    def test_pins(self):
        path = f"/v1/pins/{STANDUP}"
        pin = {"room": self.ROOM, "version": "2.3", "until": "2026-11-29T23:00:00.000Z", "by": "ann"}
        with Server({("PUT", path): (200, pin), ("DELETE", path): (204, None),
                     ("GET", "/v1/pins"): (200, {"pins": [pin]})}) as server:
            self.expect(ctl("pin", self.ROOM, "2.3", "--minutes", "5", url=server.url), OK, out="for 5 minutes")
            self.assertEqual(server.last()["body"], {"version": "2.3", "minutes": 5})
            self.expect(ctl("pins", url=server.url), OK, out="2026-11-29 23:00:00 UTC")
            self.expect(ctl("unpin", self.ROOM, url=server.url), OK, out="is not pinned")
        with Server({("GET", "/v1/pins"): (200, {"pins": []})}) as server:
            self.expect(ctl("pins", url=server.url), OK, out="no room is pinned")

    def test_log_level(self):
        with Server({("GET", "/v1/log-level"): (200, {"level": "info"}),
                     ("PUT", "/v1/log-level"): (200, {"level": "debug"})}) as server:
            self.expect(ctl("log-level", url=server.url), OK, out="info\n")
            self.expect(ctl("log-level", "debug", url=server.url), OK, out="debug\n")
            self.assertEqual(server.last()["body"], {"level": "debug"})

    def test_stop_and_pair(self):
        with Server({("POST", "/v1/stop"): (202, {"mode": "leave", "conferences": 2})}) as server:
            self.expect(ctl("stop", "--leave", "--no-wait", url=server.url), OK, err="leave: 2 conferences")
            self.assertEqual(server.last()["query"], {"mode": "leave"})
        with Server() as server:
            self.expect(ctl("ha", "status", url=server.url), FAILED, err="this bascule is alone")


class Configuration(CtlTest):
    def check(self, text, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "bascule.toml")
            path.write_text(text, encoding="utf-8")
            return ctl("config", "check", str(path), *arguments), str(path)

    def test_a_sound_file(self):
        outcome, path = self.check(MINIMAL)
        self.expect(outcome, OK, out=f"{path}: no problem found")

    def test_every_mistake_with_line_and_key(self):
        outcome, path = self.check(MINIMAL + '[admin]\nport = 99999\n[log]\nlevl = "info"\n')
        self.expect(outcome, DAMAGED, err=f"{path}:11: admin.port = 99999: ")
        self.assertIn(f"{path}:13: log.levl", outcome.err)
        machine, _ = self.check("nonsense", "--json")
        self.expect(machine, DAMAGED, out='"line":1')

    def test_no_file(self):
        self.expect(ctl("config", "check", "/nowhere.toml"), DAMAGED, err="cannot be read")

    def test_show(self):
        keys = [{"key": "admin.port", "value": 8888, "origin": "default", "default": 8888, "reload": False},
                {"key": "log.level", "value": "debug", "origin": "line 3", "default": "info", "reload": True}]
        with Server({("GET", "/v1/config"): (200, {"file": "/etc/bascule/bascule.toml", "keys": keys})}) as server:
            self.expect(ctl("config", "show", url=server.url), OK, out="admin.port  8888   default")
            changed = ctl("config", "show", "--changed", url=server.url)
            self.expect(changed, OK, out="log.level  debug  line 3")
            self.assertNotIn("admin.port", changed.out)

    def test_wrong_usage(self):
        self.assertEqual(ctl("config").status, USAGE)


if __name__ == "__main__":
    unittest.main()
