"""Runs basculectl: with pipes, or on a terminal of its own."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ.get("BASCULE_BUILD", ROOT / "build/dev"))
PROGRAM = str(BUILD / "bin/basculectl")
OK, DAMAGED, USAGE, FAILED, NOT_PERMITTED = range(5)


def environment(**changes):
    env = {name: value for name, value in os.environ.items()
           if name not in ("BASCULE_URL", "BASCULE_TOKEN", "NO_COLOR", "COLUMNS", "LC_ALL")}
    return {**env, "LC_ALL": "C", "TERM": "xterm", **changes}


class Outcome:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def ctl(*arguments, url=None, **env):
    command = [PROGRAM, *arguments] + (["--url", url] if url else [])
    done = subprocess.run(command, env=environment(**env), capture_output=True, text=True, timeout=60, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


class CtlTest(unittest.TestCase):
    maxDiff = None

    def expect(self, outcome, status, out="", err=""):
        self.assertEqual(outcome.status, status, outcome.out + outcome.err)
        self.assertIn(out, outcome.out)
        self.assertIn(err, outcome.err)

    def expect_golden(self, name, text):
        """BASCULE_REWRITE=1 in the environment writes the file anew; look at it before you commit."""
        path = HERE / "golden" / name
        if os.environ.get("BASCULE_REWRITE"):
            path.write_text(text, encoding="utf-8")
        self.assertEqual(path.read_text(encoding="utf-8"), text)


class Terminal:
    """basculectl as the foreground process of a pseudo-terminal."""

    def __init__(self, *arguments, rows=30, columns=100, **env):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.output = ""
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=environment(**env), start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.output += os.read(self.master, 65536).decode("utf-8", "replace")
        return bool(ready)

    def until(self, text, seconds=20):
        """Waits for a text that has not been there since the last call; forgets what stands before it."""
        end = time.monotonic() + seconds
        while text not in self.output:
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} does not come; there is {self.output!r}")
            self.read(0.2)
        found = self.output[:self.output.index(text) + len(text)]
        self.output = self.output[len(found):]
        return found

    def end(self, seconds=20):
        """The exit status; everything that was written until then is in `output`."""
        limit = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > limit:
                raise AssertionError(f"it does not end; there is {self.output!r}")
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before


def without_colours(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def main(*modules):
    loader = unittest.defaultTestLoader
    wanted = sys.argv[1:]  # Words of names of tests; none: all.
    suite = unittest.TestSuite()
    for module in modules:
        for group in loader.loadTestsFromModule(module):
            suite.addTests(test for test in group if not wanted or any(word in test.id() for word in wanted))
    outcome = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    return 0 if outcome.wasSuccessful() and outcome.testsRun > 0 else 1
