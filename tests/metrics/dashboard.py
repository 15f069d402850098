"""The dashboard in docker/grafana as its queries see it."""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATH = ROOT / "docker" / "grafana" / "bascule.json"


def load():
    return json.loads(PATH.read_text(encoding="utf-8"))


def queries(dashboard, values):
    """(panel title, expression) of every panel, with Grafana's variables replaced by `values`."""
    found = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in values.items():
                expression = expression.replace(f"${name}", value)
            found.append((panel["title"], expression))
    return found
