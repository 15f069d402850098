"""A private Prosody on free loopback ports, from the template of tests/integration."""

import pathlib
import random
import re
import shutil
import socket
import subprocess
import time

from children import end, spawn

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TEMPLATE = ROOT / "tests" / "integration" / "prosody.cfg.lua.in"
START_DEADLINE_S = 10


# Below the ports that kernels give to connections, which could take one while its server is started again; and not
# those of tests/integration/prosody.cc.
PORTS = range(10_000, 20_000)


def free_ports(count):
    """Ports of loopback nobody uses right now; all different."""
    ports = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("no free port")


class Prosody:
    """`folder` must be empty; everything of this server is below it. `settings` is a line of its global section, `hosts`
    a line at the end."""

    def __init__(self, folder, settings="", domain="bascule.test", hosts=""):
        self.folder = pathlib.Path(folder)
        self.domain = domain
        self.settings, self.hosts = settings, hosts
        self.focus_secret = "focus-component-secret"
        self.bascule_secret = "service-component-secret"
        self.passwords = {"focus": "focus-password", "jvb": "jvb-password"}
        self.c2s_port, self.component_port = free_ports(2)
        self.config = self.folder / "prosody.cfg.lua"
        self.process = None
        for name in ("data", "certs"):
            (self.folder / name).mkdir(parents=True)
        self._make_certificate()
        self.config.write_text(self._render(), encoding="utf-8")
        for user, password in self.passwords.items():
            self._run(["prosodyctl", "--config", str(self.config), "register", user,
                       "auth." + domain, password])

    def _render(self):
        values = {"DIR": str(self.folder), "DOMAIN": self.domain, "C2S_PORT": str(self.c2s_port),
                  "COMPONENT_PORT": str(self.component_port), "FOCUS_SECRET": self.focus_secret,
                  "BASCULE_SECRET": self.bascule_secret, "EXTRA_GLOBAL": self.settings,
                  "EXTRA_HOSTS": self.hosts}
        text = TEMPLATE.read_text(encoding="utf-8")
        return re.sub(r"@([A-Z0-9_]+)@", lambda found: values.get(found.group(1), ""), text)

    def _make_certificate(self):
        """STARTTLS is offered when there is a certificate; the links of the daemon want one."""
        names = [self.domain] + [f"{part}.{self.domain}" for part in ("auth", "focus", "bascule", "conference")]
        self._run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "30", "-subj", f"/CN={self.domain}",
                   "-addext", "subjectAltName=" + ",".join("DNS:" + name for name in names),
                   "-keyout", str(self.folder / "certs" / "prosody.key"),
                   "-out", str(self.folder / "certs" / "prosody.crt")])

    @property
    def certificate(self):
        return self.folder / "certs" / "prosody.crt"

    @staticmethod
    def _run(command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")

    def start(self):
        """Returns when both ports accept connections."""
        if shutil.which("prosody") is None:
            raise RuntimeError("prosody is not installed (scripts/install_deps.sh)")
        log = open(self.folder / "prosody.out", "ab")
        self.process = spawn(["prosody", "--config", self.config, "-F"], stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log)
        log.close()
        deadline = time.monotonic() + START_DEADLINE_S
        for port in (self.component_port, self.c2s_port):
            while not self._accepts(port):
                if self.process.poll() is not None:
                    raise RuntimeError(f"prosody exited with {self.process.returncode}; see {self.folder}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"prosody does not listen on port {port}; see {self.folder}")
                time.sleep(0.02)

    @staticmethod
    def _accepts(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """SIGKILL: nothing is said to anybody, nothing is written."""
        self.process.kill()
        self.process.wait()

    def forget_pubsub(self):
        """Removes every pubsub node and its items from the disk of a server that is down. Returns how many files."""
        host = "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in "pubsub." + self.domain)
        files = [path for path in (self.folder / "data" / host).rglob("*") if path.is_file()]
        for path in files:
            path.unlink()
        return len(files)

    def stop(self):
        end(self.process)
