#!/usr/bin/env python3
"""A real Prometheus against a live bascule: what is scraped, what is asked of it, and who is alarmed."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from dashboard import load, queries
from prometheus import Prometheus

# pylint: disable=wrong-import-order
from scene import Crowd, Fleet, Focus, Scene

BRIDGES, ROOMS, PER_ROOM = 3, 4, 3
PATIENCE_S = 30
ALERT_FOR_S = 4
# Of panels that are empty while all is well, or without a pubsub node, a partner or a backup.
EMPTY_WHEN_WELL = {"State of the pubsub node", "Two processes", "Age of the last backup"}
BINDIR = None


class PrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bascule-metrics-"))
        cls.scene = Scene(BINDIR, cls.folder,
                          Fleet(BRIDGES, ["--capacity", 200], process_each=True),
                          Crowd(ROOMS * PER_ROOM, ROOMS, ["--rooms", ROOMS, "--per-room", PER_ROOM, "--spread", 1]),
                          Focus(selection_settings='settle-quiet = "1 s"\nunknown-window = 0.0'))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.addClassCleanup(cls.scene.stop)
        cls.scene.start_servers()
        cls.scene.start_daemon()
        cls.prometheus = Prometheus(cls.folder / "prometheus", f"127.0.0.1:{cls.scene.daemon.admin_port}", ALERT_FOR_S)
        cls.addClassCleanup(cls.prometheus.stop)
        cls.prometheus.start()
        # A rate needs a scrape from before what it counts.
        cls.until("the first scrape", lambda: cls.prometheus.value("sum(bascule_bridges)") == BRIDGES)
        cls.scene.start_clients()
        cls.until("everybody has media", lambda: cls.prometheus.value("bascule_sessions") == ROOMS * PER_ROOM)
        # And two within its window.
        began = time.time()
        cls.until("ten more scrapes", lambda: cls.prometheus.value("timestamp(bascule_ready)") > began + 10)

    @classmethod
    def until(cls, what, condition, patience_s=PATIENCE_S):
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience_s} s until {what}; alerts: {cls.prometheus.alerts()}")
            time.sleep(0.2)

    def scrape(self, accept=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.scene.daemon.admin_port}/metrics",
                                         headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def test_1_a_scrape_is_what_promtool_wants(self):
        content_type, text = self.scrape()
        self.assertEqual(content_type, "text/plain; version=0.0.4; charset=utf-8")
        lint = subprocess.run(["promtool", "check", "metrics", "--extended"], input=text, capture_output=True, text=True,
                              check=False)
        self.assertEqual((lint.returncode, lint.stderr), (0, ""))

    def test_1_whatever_a_client_accepts_it_gets_the_text(self):
        for accept in ("application/json", "image/png", "application/openmetrics-text; version=1.0.0", "nonsense"):
            self.assertEqual(self.scrape(accept)[0], "text/plain; version=0.0.4; charset=utf-8", accept)

    def test_1_names_and_labels_are_bounded(self):
        _, text = self.scrape()
        self.assertNotIn("@", text)  # No address, so no room and no person.
        series = [line for line in text.splitlines() if not line.startswith("#")]
        of_bridges = [line for line in series if 'bridge="' in line]
        self.assertEqual(len(of_bridges) % BRIDGES, 0)
        self.assertLessEqual(len(of_bridges), 20 * BRIDGES)
        self.assertLessEqual(len(series) - len(of_bridges), 700)

    def test_2_known_figures_are_right(self):
        people = ROOMS * PER_ROOM
        for expression, expected in (
                ("up", 1), ("bascule_ready", 1), ("bascule_conferences", ROOMS), ("bascule_participants", people),
                ("bascule_visitors", 0), ('bascule_bridges{state="operational"}', BRIDGES),
                ("sum(bascule_bridges)", BRIDGES), ("sum(bascule_bridge_participants)", people),
                ("count(bascule_bridge_present == 1)", BRIDGES), ("sum(bascule_bridge_placements_total)", people),
                ("sum(bascule_queue_tickets)", 0), ("sum(bascule_queue_wait_seconds_count)", people),
                ("bascule_invite_seconds_count", people), ("bascule_accept_seconds_count", people),
                ("sum(bascule_move_seconds_count)", 0), ("sum(bascule_link_up)", 3), ("bascule_bridges_not_shown", 0),
                ("min(bascule_healthy)", 1), ("count(bascule_build_info)", 1)):
            self.assertEqual(self.prometheus.value(expression), expected, expression)
        status = self.scene.bridge_status()
        for labels, value in self.prometheus.query("bascule_bridge_participants"):
            number = int(labels["bridge"].removeprefix("jvb"))
            self.assertEqual(value, status[number]["participants"], labels)
        for histogram in ("commit", "loop_turn", "loop_delay", "iq", "conference_ready"):
            self.assertGreater(self.prometheus.value(f"sum(bascule_{histogram}_seconds_count)"), 0, histogram)
        started = self.prometheus.value("process_start_time_seconds")
        self.assertLess(abs(time.time() - started), 300)
        self.assertLess(started, time.time())

    def test_2_every_panel_has_data(self):
        values = {"job": "bascule", "instance": ".+", "__rate_interval": "10s"}
        for title, expression in queries(load(), values):
            with self.subTest(panel=title, expression=expression):
                self.assertNotIn("$", expression)
                may_be_empty = (title in EMPTY_WHEN_WELL or "histogram_quantile" in expression or
                                expression.endswith("> 0"))
                if not may_be_empty:  # A scrape may be late on a machine that is full of other tests.
                    self.until("data", lambda shown=expression: self.prometheus.query(shown), 20)
                else:
                    self.prometheus.query(expression)

    def test_2_percentiles_are_between_the_edges(self):
        values = {"job": "bascule", "instance": ".+", "__rate_interval": "2m"}
        asked = [(title, expression) for title, expression in queries(load(), values) if "histogram_quantile" in expression]
        self.assertGreater(len(asked), 8)
        for title, expression in asked:
            for labels, value in self.prometheus.query(expression):
                self.assertTrue(value != value or 0 <= value <= 60, (title, labels, value))  # NaN: nobody waited.
        median = self.prometheus.value(
            "histogram_quantile(0.5, sum by (le) (rate(bascule_queue_wait_seconds_bucket[2m])))")
        self.assertLess(median, PATIENCE_S)

    def test_3_every_rule_is_evaluated_and_nobody_is_alarmed(self):
        rules = self.prometheus.rules()
        self.assertGreater(len(rules), 40)
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
            self.prometheus.query(rule["query"])
        # Other tests take the processor, and that is what a slow loop is told by.
        alarmed = {name for name in self.prometheus.alerts() if name != "BasculeLoopSlow"}
        self.assertEqual(alarmed, set())

    def test_4_all_bridges_gone_is_an_alarm(self):
        for number in list(self.scene.bridges):
            self.scene.kill_bridge(number)
        wanted = {"BasculeBridgesMissing", "BasculeNoBridgeUsable", "BasculeNotReady"}
        self.until("the alerts fire", lambda: all(self.prometheus.alerts().get(name) == "firing" for name in wanted), 60)
        self.assertEqual(self.prometheus.value("sum(bascule_bridges)"), 0)
        # Those that are gone keep their series.
        self.assertEqual(self.prometheus.value("count(bascule_bridge_present == 0)"), BRIDGES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bindir", type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    BINDIR = arguments.bindir.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
