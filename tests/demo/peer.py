"""Child processes that take commands on stdin and answer with JSON lines on stdout."""

import json
import queue
import subprocess
import threading

from children import end, spawn

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
            self.process = spawn([*command, "--control", "--events", self.events],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
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
        end(self.process, patience_s=3)

    def violations(self):
        """The violations it has reported so far."""
        return [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()
                if line.startswith("VIOLATION")]
