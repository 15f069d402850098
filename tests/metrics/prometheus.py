"""A Prometheus of one's own on a loopback port, with the shipped rules."""

import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "demo"))

# pylint: disable=wrong-import-position
from children import end, spawn
from prosody import free_ports

RULES = FOLDER.parent.parent / "docker" / "prometheus"
START_DEADLINE_S = 30
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/*.rules.yml]
scrape_configs:
  - job_name: bascule
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """Scrapes once a second. What an alert waits for is shortened to `patience_s`; the rules are the shipped ones
    otherwise."""

    def __init__(self, folder, target, patience_s):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.port = free_ports(1)[0]
        self.process = None
        for name in ("bascule.records.yml", "bascule.alerts.yml"):
            text = re.sub(r"^( +for: ).*$", rf"\g<1>{patience_s}s", (RULES / name).read_text(encoding="utf-8"),
                          flags=re.M)
            (self.folder / name.replace(".yml", ".rules.yml")).write_text(text, encoding="utf-8")
        self.config = self.folder / "prometheus.yml"
        self.config.write_text(CONFIG.format(folder=self.folder, target=target), encoding="utf-8")

    def start(self):
        """Returns when it answers."""
        with open(self.folder / "prometheus.log", "ab") as log:
            self.process = spawn(["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/data",
                                  f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log)
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"prometheus does not start; see {self.folder}/prometheus.log")
            time.sleep(0.1)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, path, **parameters):
        """`data` of an answer of its API. Raises ValueError with its words when it refuses."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal)["error"]) from None

    def query(self, expression):
        """Samples now: (labels, value)."""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression)["result"]]

    def value(self, expression):
        """Of the only sample; None when there is none yet."""
        samples = self.query(expression)
        if len(samples) > 1:
            raise ValueError(f"{expression} has {len(samples)} samples")
        return samples[0][1] if samples else None

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def alerts(self):
        """Name to state of those that are not inactive."""
        return {rule["name"]: rule["state"] for rule in self.rules()
                if rule["type"] == "alerting" and rule["state"] != "inactive"}

    def stop(self):
        end(self.process)
