"""The program under test, with a configuration of its own."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

from children import end, spawn
from prosody import free_ports

READY_DEADLINE_S = 30
CONFIG = """\
# Written by tests/demo: a private server on loopback. config/bascule.example.toml documents every key.
[xmpp]
domain = "{domain}"

[links.requests]
host = "127.0.0.1"
port = {component_port}
secret-file = "{folder}/requests.secret"

[links.client]
host = "127.0.0.1"
port = {c2s_port}
password-file = "{folder}/client.password"
ca-file = "{certificate}"
{client_settings}

[links.service]
host = "127.0.0.1"
port = {component_port}
secret-file = "{folder}/service.secret"
{service_settings}

[selection]
{selection_settings}

[admin]
address = "127.0.0.1"
port = {admin_port}

[state]
dir = "{state}"
"""


class Daemon:
    def __init__(self, binary, folder, prosody, service_settings="", selection_settings="", client_settings="", environment=None,
                 state=None):
        self.folder = folder
        self.binary = binary
        self.environment = environment
        self.state = state or folder / "state"
        self.process = None
        self.log = folder / "bascule.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.state.mkdir(parents=True)
        self.admin_port = free_ports(1)[0]
        self.config = folder / "bascule.toml"
        self.config.write_text(CONFIG.format(
            domain=prosody.domain, component_port=prosody.component_port, c2s_port=prosody.c2s_port, folder=folder,
            certificate=prosody.certificate, admin_port=self.admin_port,
            service_settings=service_settings, selection_settings=selection_settings,
            client_settings=client_settings, state=self.state), encoding="utf-8")
        for name, secret in (("requests.secret", prosody.focus_secret), ("client.password", prosody.passwords["focus"]),
                             ("service.secret", prosody.bascule_secret)):
            (folder / name).write_text(secret + "\n", encoding="utf-8")
            (folder / name).chmod(0o600)

    @property
    def pid(self):
        return self.process.pid

    def begin(self):
        """Starts the process and does not wait for anything."""
        with open(self.log, "ab") as log:
            self.process = spawn([self.binary, "--config", self.config], self.environment, stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)

    def start(self):
        """Returns the seconds from start to ready."""
        began = time.monotonic()
        self.begin()
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"bascule exited with {self.process.returncode}; see {self.log}")
            if time.monotonic() - began > READY_DEADLINE_S:
                raise RuntimeError(f"bascule is not ready after {READY_DEADLINE_S} s; see {self.log}")
            time.sleep(0.02)
        return time.monotonic() - began

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, path):
        """A JSON document of its HTTP interface, or the reasons of /readyz; also of an answer that is an error."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode()
        return json.loads(text)

    @property
    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """SIGINT: conferences end in order. Returns the exit code."""
        return end(self.process, patience_s=10, number=signal.SIGINT)

    def suspend(self):
        """SIGTERM: the next process goes on. Returns the exit code."""
        return end(self.process, patience_s=10)

    def kill(self):
        """SIGKILL; returns when it is gone."""
        self.process.kill()
        self.process.wait()
