"""The page with the daemon it belongs to: Prosody, bridges and people are as real as in tests/demo."""

import base64
import hashlib
import os
import time

from children import end
from pages import Dashboard
from scene import Crowd, Fleet, Scene
from steps import Steps

BRIDGES = 3
ROOMS, PER_ROOM = 6, 4
PEOPLE = ROOMS * PER_ROOM
DEADLINE_S = 60
MOVED_MS = 60_000
ROW = "ol.bridges > li"
REFUSED = ("status of 401",)


def make_token():
    """As `basculectl token` makes them (base/access_token.h): random bytes and their CRC-32C."""
    entropy = os.urandom(32)
    crc = 0xFFFFFFFF
    for byte in entropy:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return "bsc_" + base64.urlsafe_b64encode(entropy + (crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


TOKENS = {"night-shift": ("operate", make_token()), "screen": ("read", make_token())}


class OnDaemon(Steps):
    def __init__(self, browser, shots, bindir, logs):
        self.browser, self.shots, self.logs = browser, shots, logs
        self.scene = Scene(bindir, logs, Fleet(BRIDGES, ["--capacity", "100"]), Crowd(PEOPLE, ROOMS, [
            "--rooms", ROOMS, "--per-room", PER_ROOM, "--room-prefix", "standup", "--spread", 1]))
        self.page = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.scene.daemon.admin_port}/"

    def eventually(self, condition, otherwise, deadline_s=DEADLINE_S):
        """For what only can be asked for."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise} after {deadline_s} s")
            time.sleep(0.1)

    def everybody_has_media(self):
        return self.scene.clients.ask("status")["with_media"] == PEOPLE and not self.scene.stranded()

    def people_on(self, nick):
        """As the bridge itself says, not the focus."""
        return self.scene.bridge_status()[int(nick.removeprefix("jvb"))]["participants"]

    # --- the steps ------------------------------------------------------------------------------------

    def start(self):
        with self.step(f"Prosody, {BRIDGES} bridges, the daemon, {PEOPLE} people in {ROOMS} rooms"):
            self.scene.start_servers()
            self.scene.start_daemon()
            self.scene.start_clients()
            self.eventually(self.everybody_has_media, "not everybody has media")

    def look(self):
        with self.step("the page of the daemon: all is well, live, every bridge, all people"):
            self.page = Dashboard(self.browser, "real", self.address, self.shots, colorScheme="light")
            self.page.sees_text("#findings", "All is well")
            self.page.sees_text("#connection", "Live")
            self.page.sees_text("#role", "admin")
            self.page.sees(f"{ROW} >> nth={BRIDGES - 1}")
            self.page.sees_text("#figures", str(PEOPLE))
            self.page.check()
            self.page.shot("real-fleet")
            self.page.go("events")
            self.page.fill("input[aria-label='Filter events']", "bridge.placed")
            self.page.sees_text("ol.notes", "bridge.placed")

    def find(self):
        with self.step("a conference is found by a part of its name; who is where, since when, and why"):
            page = self.page
            page.press("Escape", "/")  # Out of the filter first: there it is a letter.
            page.act("type", None, "STANDUP")
            page.press("Enter")
            page.sees(f"ol.conferences > li >> nth={ROOMS - 1}")
            page.click("ol.conferences a >> nth=0")
            page.sees(f"table.people tbody tr >> nth={PER_ROOM - 1}")
            if any("–" in text for text in page.texts("table.people tbody td:last-child")):
                raise AssertionError(f"a reason is missing: {page.texts('table.people tbody td:last-child')}")
            page.check()
            page.shot("real-conference", full=True)
            page.click("table.people tbody td:last-child a >> nth=0")
            page.sees(".answer >> text=has media")
            page.sees(".candidates .chosen")
            page.sees(".decision .reason")
            page.check()
            page.shot("real-why", full=True)

    def evacuate(self):
        page = self.page
        page.go()
        page.sees(ROW)
        page.act("selectOption", "select[aria-label='Order of the bridges']", "people")
        nick = page.text(f"{ROW} >> nth=0 >> .row-link")
        page.fill("input[aria-label='Filter bridges']", nick)
        before = self.people_on(nick)
        with self.step(f"{nick}, with {before} people on it, is drained by click: the question first, nobody new after"):
            if before == 0:
                raise AssertionError("nobody is on the fullest bridge")
            page.click(f"{ROW} >> nth=0 >> button")
            page.sees_text("dialog", f"{before} people")
            page.sees_text("dialog", "on average")
            page.shot("real-drain-question")
            page.click("dialog button >> text=Drain")
            page.sees_text(".badge", f"drains, {before} left")
        with self.step(f"{nick} is evacuated by click: people move, the progress ends, each has media elsewhere"):
            page.click(f"{ROW} a >> text={nick}")
            page.sees_text(".drain", f"{before} people")
            page.click(".actions button >> text=Evacuate")
            page.sees_text("dialog", "are moved")
            page.click("dialog button[type=submit]")
            page.sees_text(".drain", "Nobody is left on it", MOVED_MS)
            self.eventually(lambda: self.people_on(nick) == 0, "the bridge itself still has people")
            self.eventually(self.everybody_has_media, "not everybody has media again")
            page.check()
            page.shot("real-evacuated", full=True)
        with self.step(f"{nick} is taken back by keyboard"):
            page.look("[...document.querySelectorAll('.actions button')].find(each => each.textContent === 'Undrain…').focus()")
            page.press("Enter")
            page.sees_text("dialog h2", f"Undrain {nick}?")
            page.click("dialog button[type=submit]")
            page.sees_no(".drain")
            if self.scene.daemon.ask("/v1/drains")["drains"]:
                raise AssertionError("a drain is left")

    def history(self):
        with self.step("the chart of the last hour and of the last day"):
            page = self.page
            page.has(".chart path.line")
            page.click(".choice button >> text=Last day")
            page.has(".chart path.line")
            page.check()

    def break_bridge(self):
        with self.step("a bridge is killed: the events say so while it happens, nobody stays without media"):
            page = self.page
            page.go()
            page.sees(ROW)
            page.act("selectOption", "select[aria-label='Least level']", "warn")  # Those who move make many more notes.
            self.scene.kill_bridge(2)
            page.sees_text("ol.notes", "bridge.lost")
            self.eventually(self.everybody_has_media, "not everybody has media again")
            page.sees_text("#figures", str(PEOPLE))
            page.shot("real-bridge-lost")
            page.check()
            page.close()

    def protect(self):
        """The next process asks for tokens."""
        daemon = self.scene.daemon
        if daemon.suspend() != 0:
            raise AssertionError(f"bascule exited badly; see {daemon.log}")
        tokens = daemon.folder / "tokens"
        lines = [f"{name} {role} sha256:{hashlib.sha256(token.encode()).hexdigest()}" for name, (role, token) in TOKENS.items()]
        tokens.write_text("\n".join(lines) + "\n", encoding="utf-8")
        tokens.chmod(0o600)
        text = daemon.config.read_text(encoding="utf-8")
        daemon.config.write_text(text.replace("[admin]\n", f'[admin]\ntokens-file = "{tokens}"\n'), encoding="utf-8")
        daemon.start()

    def deny(self):
        with self.step("a daemon that wants tokens: none, a wrong one, one that may read, one that may operate"):
            self.protect()
            page = self.page = Dashboard(self.browser, "protected", self.address, self.shots, colorScheme="dark")
            page.sees("dialog input[type=password]")
            page.fill("#token", make_token())
            page.press("Enter")
            page.sees_text("dialog", "not accepted")
            page.fill("#token", TOKENS["screen"][1])
            page.press("Enter")
            page.sees_text("#role", "read")
            page.sees(f"{ROW} button[aria-disabled=true]")
            page.sees_text("#connection", "Live")
            page.click("#access >> text=Sign out")
            page.sees("dialog input[type=password]")
            page.fill("#token", TOKENS["night-shift"][1])
            page.press("Enter")
            page.sees_text("#role", "operate")
            page.sees_no(f"{ROW} button[aria-disabled=true]")
            page.click(f"{ROW} >> nth=0 >> button")
            page.click("dialog button >> text=Drain")
            page.sees_text(".badge", "drain")
            page.go("bridges", page.text(f"{ROW} >> nth=0 >> .row-link"))
            page.sees_text(".drain", "night-shift")
            page.check(REFUSED)
            page.shot("real-tokens", full=True)
            page.close()

    def finish(self):
        with self.step("bridges and people saw no mistake of the focus"):
            if self.scene.clients.quit()[1] != 0:
                raise AssertionError((self.scene.clients.violations() or [f"see {self.scene.clients.log}"])[0])
            code = end(self.scene.daemon.process, patience_s=10)
            if code != 0:
                raise AssertionError(f"bascule exited with {code}")
            for host in self.scene.live_hosts():
                if host.quit()[1] != 0:
                    raise AssertionError((host.violations() or [f"see {host.log}"])[0])

    def run(self):
        try:
            self.start()
            self.look()
            self.find()
            self.evacuate()
            self.history()
            self.break_bridge()
            self.deny()
            self.finish()
        finally:
            self.scene.stop()
