"""Child processes that take commands on stdin and answer with JSON lines on stdout."""

import json
import os
import queue
import subprocess
import threading

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """User and system time of a process so far; 0.0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    except (OSError, IndexError, ValueError):
        return 0.0


def rss_megabytes(pid):
    """Resident memory of a process; 0.0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * PAGE_BYTES / 1e6
    except (OSError, IndexError, ValueError):
        return 0.0


class PeerError(RuntimeError):
    """A peer died, did not answer or found the program under test wrong."""


class Peer:
    """One test peer. Its stderr goes to LOGS/NAME.log, its events to LOGS/NAME.jsonl."""

    def __init__(self, name, command, logs):
        self.name = name
        self.events = logs / f"{name}.jsonl"
        self.log = logs / f"{name}.log"
        self._answers = queue.Queue()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*map(str, command), "--control", "--events", str(self.events)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def _next_answer(self, timeout):
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise PeerError(f"{self.name} does not answer; see {self.log}") from None
        if line is None:
            raise PeerError(f"{self.name} exited with {self.process.wait()}; see {self.log}")
        return json.loads(line)

    def ask(self, command, timeout=10):
        """Sends a command and returns its answer."""
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except OSError:
            raise PeerError(f"{self.name} is gone; see {self.log}") from None
        answer = self._next_answer(timeout)
        if answer["answer"] == "error":
            raise PeerError(f"{self.name}: {answer['text']}")
        return answer

    @property
    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def quit(self, timeout=15):
        """Ends the peer; returns (summary, exit code)."""
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        summary = self._next_answer(timeout)
        return summary, self.process.wait(timeout=timeout)

    def stop(self):
        """Ends it whatever state it is in."""
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self.kill()

    def violations(self):
        """The violations it has reported so far."""
        return [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()
                if line.startswith("VIOLATION")]
