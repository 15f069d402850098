"""What a test of `basculectl doctor` needs: a Prosody whose configuration may be changed, a configuration of Bascule
whose parts may be wrong, and the answer of the doctor."""

import ctypes
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "demo"), str(ROOT / "tests" / "behaviour")]

from daemon import Daemon  # noqa: E402  pylint: disable=wrong-import-position
from prosody import Prosody  # noqa: E402  pylint: disable=wrong-import-position
from xmpp import Client  # noqa: E402  pylint: disable=wrong-import-position

MODULES = ["roster", "saslauth", "tls", "disco", "ping", "smacks", "version", "time"]
BREWERY = "jvbbrewery@internal.auth.bascule.test"
PUBSUB = 'pubsub-service = "pubsub.bascule.test"\npubsub-node = "sharedStatsNode"'
MANUAL = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TIME_ERROR, EXIT_STATUSES = 5, {"ok": 0, "skipped": 0, "fail": 1, "warn": 5}


def modules(*left_out, more=()):
    """A line of the global section."""
    names = [name for name in MODULES if name not in left_out] + list(more)
    return "modules_enabled = { " + ", ".join(f'"{name}"' for name in names) + " }"


def kernel_keeps_time():
    return ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) != TIME_ERROR


class ChangingProsody(Prosody):
    """Prosody as the manual wants it; `change` starts it again with something else."""

    def __init__(self, folder):
        super().__init__(folder, modules())
        self.good = self.config.read_text(encoding="utf-8")

    def change(self, settings="", replace=("", ""), files=None):
        """Kills it, replaces a text of its configuration, adds settings to the global section, does something to its
        files, and starts it."""
        self.kill()
        before, after = replace
        assert before in self.good, before
        text = self.good.replace(before, after) if before else self.good
        self.config.write_text(text.replace('\nVirtualHost "', f'\n{settings}\nVirtualHost "', 1), encoding="utf-8")
        if files is not None:
            files()
        self.start()

    def certificate_of(self, names, days):
        """Another certificate, of the same key, in the place of the one it has."""
        certs = self.folder / "certs"
        (certs / "names").write_text("subjectAltName=" + ",".join("DNS:" + name for name in names), encoding="utf-8")
        key, request = str(certs / "prosody.key"), str(certs / "request")
        self._run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=bascule.test", "-out", request])
        self._run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-extfile",
                   str(certs / "names"), "-out", str(self.certificate)])

    def pubsub_files(self):
        """The record of the node and the list of its items."""
        folder = self.folder / "data" / "pubsub%2ebascule%2etest"
        return folder / "pubsub_nodes" / "sharedStatsNode.dat", folder / "pubsub_sharedStatsNode.list"


class Bridge:
    """An occupant of the brewery that says what a bridge says, when it is told to."""

    def __init__(self, server, nick, stats=True, age_s=0, version="2.3.1"):
        self.client = Client(server, "auth." + server.domain, "jvb").bind(nick)
        self.nick = nick
        self.client.join(f"{BREWERY}/{nick}", self._stats(age_s, version) if stats else "")

    def publish(self, age_s=0, version="2.3.1"):
        self.client.presence(f"{BREWERY}/{self.nick}", self._stats(age_s, version))
        self.client.barrier().forget()

    @classmethod
    def _stats(cls, age_s, version):
        values = {"stress_level": "0.1", "version": version, "current_timestamp": cls._time(age_s)}
        return "<stats xmlns='http://jitsi.org/protocol/colibri'>" + "".join(
            f"<stat name='{name}' value='{value}'/>" for name, value in values.items()) + "</stats>"

    @staticmethod
    def _time(age_s):
        import datetime  # pylint: disable=import-outside-toplevel
        at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
        return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"

    def leave(self):
        self.client.drop()


class DoctorTest(unittest.TestCase):
    """One Prosody and one configuration for all tests of a class. Nobody but the test speaks to either."""

    bindir = None
    usual = {}  # Checks that complain in every test of the class, because of what is not there.

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="bascule-doctor-")
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.server = ChangingProsody(cls.folder / "prosody")
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        cls.daemon = cls.make_daemon()
        cls.daemon.state.chmod(0o700)

    @classmethod
    def make_daemon(cls):
        return Daemon(cls.bindir / "bascule", cls.folder / "bascule", cls.server)

    def setUp(self):
        self.number = 0

    def variant(self, *changes, text=None, mode=0o600):
        """A configuration that differs from the good one; each change is (old, new)."""
        content = text if text is not None else self.daemon.config.read_text(encoding="utf-8")
        for old, new in changes:
            self.assertIn(old, content)
            content = content.replace(old, new)
        self.number += 1
        path = self.folder / f"{self._testMethodName}-{self.number}.toml"
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
        return path

    def doctor(self, config=None, *arguments):
        """The checks by name; the exit status and the help are compared with what the manual says."""
        done = subprocess.run([self.bindir / "basculectl", "--json", "doctor", "--config", config or self.daemon.config,
                               *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual("", done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(EXIT_STATUSES[answer["worst"]], done.returncode)
        for check in answer["checks"]:
            file, anchor = check["help"].split("#")
            self.assertEqual("docs/operations.md", file)
            self.assertIn(f'<a id="{anchor}"></a>', MANUAL)
        return {check["check"]: check for check in answer["checks"]}

    def complaints(self, checks):
        """Status of every check that is not content, but for the usual ones."""
        found = {name: check["status"] for name, check in checks.items() if check["status"] in ("warn", "fail")}
        if not kernel_keeps_time() and checks.get("clock", {}).get("status") == "warn":
            self.assertIn("nothing keeps the clock", " ".join(checks["clock"]["seen"]))
            del found["clock"]
        return {name: status for name, status in found.items() if self.usual.get(name) != status}

    def expect(self, checks, name, status, seen, action=None):
        """Exactly this check complains, with these words (regular expressions)."""
        self.assertEqual({name: status}, self.complaints(checks), json.dumps(checks[name], indent=1))
        self.assertRegex(" | ".join(checks[name]["seen"]), seen)
        self.assertTrue(checks[name]["do"], "it says what is wrong, and not what to do")
        if action is not None:
            self.assertRegex(" | ".join(checks[name]["do"]), action)
        self.assertNotRegex(json.dumps(checks), re.escape(self.server.passwords["focus"]), "a secret is printed")
