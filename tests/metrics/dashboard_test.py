#!/usr/bin/env python3
"""The structure of the dashboard: what Grafana needs to import it, and what people need to read it."""

import unittest

from dashboard import load, queries

UNITS = {"short", "s", "percentunit", "ops", "bytes"}
ROWS = ["Is it well?", "Bridges", "Queue and placement", "XMPP links", "Stats sources", "Store", "Process"]
COLUMNS = 24


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = load()
        self.panels = [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]

    def test_it_can_be_imported_again_and_again(self):
        self.assertEqual(self.dashboard["uid"], "bascule-fleet")
        self.assertEqual(self.dashboard["schemaVersion"], 38)
        self.assertNotIn("id", self.dashboard)

    def test_where_the_data_come_from_is_chosen_by_whoever_looks(self):
        variables = {one["name"]: one for one in self.dashboard["templating"]["list"]}
        self.assertEqual(list(variables), ["datasource", "job", "instance"])
        self.assertEqual(variables["datasource"]["type"], "datasource")
        for panel in self.panels:
            for part in (panel, *panel["targets"]):
                self.assertEqual(part["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])

    def test_every_query_asks_for_the_job_and_instance_that_were_chosen(self):
        for title, expression in queries(self.dashboard, {}):
            self.assertEqual(expression.count("{"), expression.count('{job=~"$job", instance=~"$instance"'),
                             f"{title}: {expression}")
            self.assertGreater(expression.count("$instance"), 0, title)

    def test_rows_go_from_what_matters_to_what_explains_it(self):
        self.assertEqual([panel["title"] for panel in self.dashboard["panels"] if panel["type"] == "row"], ROWS)

    def test_every_panel_has_a_title_of_its_own_and_a_unit(self):
        titles = [panel["title"] for panel in self.panels]
        self.assertEqual(sorted(titles), sorted(set(titles)))
        for panel in self.panels:
            self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS, panel["title"])

    def test_panels_have_ids_of_their_own_and_do_not_overlap(self):
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(sorted(ids), sorted(set(ids)))
        taken = {}
        for panel in self.dashboard["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], COLUMNS, panel["title"])
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} lies on {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_load_is_shown_against_its_limit(self):
        for panel in self.panels:
            if "stress_expected" in panel["targets"][0]["expr"] and panel["type"] == "timeseries":
                self.assertIn("limit", [target["legendFormat"] for target in panel["targets"]])
                dashed = [override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]
                          if any(one["id"] == "custom.lineStyle" for one in override["properties"])]
                self.assertEqual(dashed, ["limit"], panel["title"])
                return
        self.fail("no panel with the load of bridges")


if __name__ == "__main__":
    unittest.main()
