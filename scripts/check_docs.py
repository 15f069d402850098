#!/usr/bin/env python3
"""Fails when the operator's manual and the code disagree about metric names, log events or checks of the doctor, or when
an alert, a rule or the dashboard speaks of something that does not exist."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs/operations.md"
RUNBOOK = ROOT / "docs/runbook.md"
RULES = ROOT / "docker/prometheus"
DASHBOARD = ROOT / "docker/grafana/bascule.json"
RECORDED = re.compile(r"[a-z_]+:[a-z_]+:[a-z0-9_]+")


def sources() -> list[pathlib.Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard",
         "focus/*.cc", "daemon/*.cc"],
        check=True, capture_output=True, text=True).stdout.split()
    return [ROOT / path for path in listed if (ROOT / path).exists()]


def exported_metrics() -> set[str]:
    return {name for path in sorted((ROOT / "daemon").glob("*metrics.cc"))
            for name in re.findall(r'"((?:bascule|process)_[a-z_]+)"', path.read_text(encoding="utf-8"))}


def compare(what: str, in_code: set[str], in_manual: set[str]) -> list[str]:
    return ([f"{what} {name} is not in docs/operations.md" for name in sorted(in_code - in_manual)] +
            [f"docs/operations.md lists {what} {name}, which does not exist" for name in sorted(in_manual - in_code)])


def anchors(page: pathlib.Path) -> set[str]:
    """Of its headings, as GitHub and most others make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def metrics_in(expression: str) -> set[str]:
    """Names of ours in a PromQL expression, without those that rules record."""
    names = re.findall(r"\b(?:bascule|process)_[a-z_]+", RECORDED.sub("", expression))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def rule_expressions(text: str) -> list[str]:
    """One line, or a block that is indented deeper than its key."""
    found = []
    for indent, first, block in re.findall(r"^( *)expr: (.*)\n((?:\1 +.*\n)*)", text, re.M):
        found.append(first + "\n" + (block if first == "|" else ""))
    return found


def check_rules(exported: set[str]) -> list[str]:
    problems = []
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.yml"))}
    recorded = set(re.findall(r"- record: (\S+)", "".join(texts.values())))
    tests = texts["bascule.alerts_test.yml"]
    alerts = re.findall(r"- alert: (\S+)", texts["bascule.alerts.yml"])
    urls = re.findall(r"runbook_url: (\S+)", texts["bascule.alerts.yml"])
    known = anchors(RUNBOOK)
    if len(urls) != len(alerts):
        problems.append("an alert has no runbook_url")
    for alert, url in zip(alerts, urls):
        page, _, anchor = url.partition("#")
        if page != "docs/runbook.md" or anchor != alert.lower() or anchor not in known:
            problems.append(f"alert {alert}: {url} is no section of the runbook named after it")
        if f"labels: 'ALERTS{{alertname=\"{alert}\"" not in tests:
            problems.append(f"alert {alert} fires in no test of bascule.alerts_test.yml")
    for anchor in sorted(known & {name for name in known if name.startswith("bascule")} - {a.lower() for a in alerts}):
        problems.append(f"docs/runbook.md has a section {anchor} for an alert that does not exist")
    for name in ("bascule.records.yml", "bascule.alerts.yml"):
        for expression in rule_expressions(texts[name]):
            problems += missing(name, expression, exported, recorded)
    return problems


def missing(where: str, expression: str, exported: set[str], recorded: set[str]) -> list[str]:
    return ([f"{where} asks for {name}, which is not exported" for name in sorted(metrics_in(expression) - exported)] +
            [f"{where} asks for {name}, which no rule records"
             for name in sorted(set(RECORDED.findall(expression)) - recorded)])


def check_dashboard(exported: set[str]) -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    problems = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            problems += missing(f"dashboard panel '{panel['title']}'", target["expr"], exported, set())
    for variable in dashboard["templating"]["list"]:
        problems += missing("dashboard variable", variable.get("definition", ""), exported, set())
    return problems


def main() -> int:
    manual = MANUAL.read_text(encoding="utf-8")
    metrics_code = exported_metrics()
    metrics_manual = set(re.findall(r"^\| `((?:bascule|process)_[a-z_]+)`", manual, re.M))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources())
    # Events are literals of the form "noun.what_happened"; docs list them in a table of their own.
    events_code = set(re.findall(r'"([a-z]+(?:_[a-z]+)*\.[a-z_]+)"', code))
    events_manual = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", manual, re.M))
    # Each check of the doctor points to its row.
    checks_code = set(re.findall(r'Check\{"([a-z]+)"', (ROOT / "ctl/doctor/checks.cc").read_text(encoding="utf-8")))
    checks_manual = set(re.findall(r'<a id="doctor-([a-z]+)"></a>', manual))
    problems = (compare("metric", metrics_code, metrics_manual) + compare("event", events_code, events_manual) +
                compare("check", checks_code, checks_manual) + check_rules(metrics_code) + check_dashboard(metrics_code))
    print("\n".join(problems) if problems
          else f"docs: {len(metrics_code)} metrics, {len(events_code)} events and {len(checks_code)} checks, all listed; rules "
               "and dashboard ask for nothing else")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
