"""A real browser with pages of the reference client, told what to do by browser.mjs."""

import functools
import http.server
import json
import pathlib
import queue
import subprocess
import threading
import urllib.parse

from children import end, spawn

FOLDER = pathlib.Path(__file__).resolve().parent
START_DEADLINE_S = 30


class BrowserError(RuntimeError):
    """The browser refused, failed or did not answer."""


class Site:
    """This folder over HTTP on loopback: browsers give devices to pages of localhost."""

    def __init__(self):
        handler = functools.partial(QuietHandler, directory=str(FOLDER))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, **query):
        return f"http://127.0.0.1:{self.server.server_address[1]}/page/?{urllib.parse.urlencode(query)}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002, the name is the base class's
        pass


class Browser:
    def __init__(self, log):
        self._waiting = {}  # id of an order -> queue of its answer
        self._last_id = 0
        self._lock = threading.Lock()
        greeting = self._waiting[0] = queue.Queue()
        with open(log, "ab") as stderr:
            self.process = spawn(["node", FOLDER / "browser.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=stderr, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self._take(greeting, START_DEADLINE_S, "start of the browser")

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self._lock:
                waiting = self._waiting.pop(answer["id"], None)
            if waiting is not None:
                waiting.put(answer)
        with self._lock:
            abandoned, self._waiting = self._waiting, {}
        for waiting in abandoned.values():
            waiting.put({"error": "the browser has ended"})

    @staticmethod
    def _take(waiting, deadline_s, what):
        try:
            answer = waiting.get(timeout=deadline_s)
        except queue.Empty:
            raise BrowserError(f"{what}: no answer within {deadline_s} s") from None
        if "error" in answer:
            raise BrowserError(f"{what}: {answer['error']}")
        return answer["value"]

    def order(self, what, **order):
        """Sends an order; returns a function that waits for its value."""
        waiting = queue.Queue()
        with self._lock:
            self._last_id += 1
            order["id"] = self._last_id
            self._waiting[self._last_id] = waiting
            try:
                self.process.stdin.write(json.dumps(order) + "\n")
                self.process.stdin.flush()
            except OSError:
                raise BrowserError("the browser has ended") from None
        return lambda deadline_s=30: self._take(waiting, deadline_s, what)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            end(self.process)


class Page:
    """A participant: its page is opened at once; `client` is the object of page/client.js."""

    def __init__(self, browser, name, address):
        self.browser = browser
        self.name = name
        self._opened = browser.order(f"{name} opens its page", page=name, open=address)

    def opened(self):
        self._opened()
        return self

    def begin(self, source):
        """Starts a JavaScript expression over `client`; returns a function that waits for its value."""
        return self.browser.order(f"{self.name}: {source}", page=self.name, run=source)

    def value(self, source):
        return self.begin(source)()

    def until(self, condition, deadline_s):
        """Waits until a JavaScript expression over `client` is true; returns its value."""
        return self.begin_until(condition, deadline_s)()

    def begin_until(self, condition, deadline_s):
        wait = self.browser.order(f"{self.name} waits for {condition}", page=self.name,
                                  run=f"client.until(client => {condition}, {round(deadline_s * 1000)})")
        return lambda: wait(deadline_s + 5)

    def complaints(self):
        return self.browser.order(f"{self.name}: console", page=self.name, console=True)()

    def close(self):
        self.browser.order(f"{self.name} closes", page=self.name, close=True)()
