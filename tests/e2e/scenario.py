"""The life of a meeting in real browsers, step by step. Every step waits for what it is about, with a deadline."""

import contextlib
import time

from complaints import unexpected
from steps import StepFailed, Steps

DEADLINE_S = 20          # of what takes well under a second on an idle machine
ICE_FAILURE_S = 60       # a browser gives up a silent pair after 15 to 30 s, the library waits 2 s more
SSRC_REWRITING = "http://jitsi.org/ssrc-rewriting-1"
# Participants and what they bring. A library of this age carries one video track each: the one who shares brings none.
DEVICES = {"ann": "audio,video", "bob": "audio,video", "cat": "audio"}


class Meeting(Steps):
    def __init__(self, stage):
        self.stage = stage
        self.pages = {}
        self.loaded = {}
        self.ids = {}
        self.sources = {"ann": "audio, camera", "bob": "audio, camera", "cat": "audio"}

    def remember_pages(self):
        """Once they are open: a page that is loaded again has another time of origin."""
        self.loaded = {name: page.opened().value("performance.timeOrigin") for name, page in self.pages.items()}

    def everybody(self, condition, deadline_s=DEADLINE_S, but=None):
        """Waits until the JavaScript condition over `client` is true on every page."""
        for wait in [page.begin_until(condition, deadline_s) for page in self.pages.values() if page.name != but]:
            wait()

    def everybody_sees(self, name, sources):
        self.everybody(f"client.tracksOf('{self.ids[name]}') === '{sources}'", but=name)

    def counts(self, what):
        return {name: page.value(f"client.count('{what}')") for name, page in self.pages.items()}

    def everybody_has_more(self, before, what, but=None):
        for wait in [self.pages[name].begin_until(f"client.count('{what}') > {count}", DEADLINE_S)
                     for name, count in before.items() if name != but]:
            wait()

    def nothing_went_wrong(self):
        """No failure a person would see, no page loaded again, no request to the focus refused."""
        for name, page in self.pages.items():
            troubles = page.value("client.troubles")
            if troubles:
                raise StepFailed(f"{name}: {troubles}")
            if page.value("performance.timeOrigin") != self.loaded[name]:
                raise StepFailed(f"{name} was loaded again")

    # --- the steps ------------------------------------------------------------------------------------

    def arrive(self):
        with self.step("three pages of real browsers are open"):
            self.pages = {name: self.stage.page(name, room="meeting", devices=devices)
                          for name, devices in DEVICES.items()}
            self.remember_pages()
        with self.step("connected to Prosody by WebSocket"):
            self.everybody("client.connected")
        with self.step("the conference request was answered ready"):
            self.everybody("client.ready")
        with self.step("in the room"):
            self.everybody("client.joined")
            self.ids = {name: page.value("client.id") for name, page in self.pages.items()}
        with self.step("the focus is recognised by its real address"):
            self.everybody("client.knowsFocus")
        with self.step("the offer was accepted, and that confirmed by the focus"):
            self.everybody("client.active")
            self.nothing_went_wrong()
        with self.step("ICE is connected to the bridge of the offer"):
            self.everybody("client.iceState === 'connected'")
        with self.step("everybody sees the two others"):
            self.everybody("client.people.size === 2")
        with self.step("everybody has the sources of the two others"):
            self.sources_are_complete()

    def sources_are_complete(self):
        for name, sources in self.sources.items():
            self.everybody_sees(name, sources)

    def mute(self):
        with self.step("a muted microphone is seen muted by the others"):
            self.pages["ann"].value("client.setMuted('audio', true)")
            self.everybody_sees("ann", "audio muted, camera")
        with self.step("and unmuted again"):
            self.pages["ann"].value("client.setMuted('audio', false)")
            self.everybody_sees("ann", "audio, camera")
        with self.step("the moderator mutes another, who obeys"):
            moderators = [name for name, page in self.pages.items() if page.value("client.conference.isModerator()")]
            if len(moderators) != 1:
                raise StepFailed(f"moderators: {moderators}")
            muted = next(name for name in self.pages if name not in moderators)
            self.pages[moderators[0]].value(f"client.muteOther('{self.ids[muted]}')")
            self.everybody_sees(muted, self.sources[muted].replace("audio", "audio muted"))
            self.pages[muted].value("client.setMuted('audio', false)")
            self.everybody_sees(muted, self.sources[muted])
            self.nothing_went_wrong()

    def share(self):
        with self.step("a shared screen arrives at the others as source-add"):
            before = self.counts("received source-add")
            self.pages["cat"].value("client.addDesktop()")
            self.everybody_has_more(before, "received source-add", but="cat")
            self.everybody_sees("cat", "audio, desktop")

    def share_no_more(self):
        with self.step("and goes as source-remove"):
            before = self.counts("received source-remove")
            self.pages["cat"].value("client.removeDesktop()")
            self.everybody_has_more(before, "received source-remove", but="cat")
            self.everybody_sees("cat", "audio")
            self.nothing_went_wrong()

    def other_process(self, how, end):
        """The focus ends by `end`, and a new process goes on."""
        invited = self.counts("received session-initiate")
        with self.step(f"the focus {how}, another process goes on: in no page anything is loaded or invited again"):
            end()
            self.stage.scene.daemon.start()
            self.nothing_went_wrong()
            if self.counts("received session-initiate") != invited:
                raise StepFailed("somebody was invited again")

    def restart(self):
        with self.step("ICE fails: every library asks for a restart by itself, and is confirmed"):
            self.stage.scene.break_bridges("deaf")
            self.everybody("client.count('result of session-terminate') === 1", ICE_FAILURE_S)
            self.stage.scene.break_bridges("clear")
        with self.step("everybody has a new session, in the same page, with ICE and all sources"):
            self.new_sessions(2)

    def new_sessions(self, number):
        self.everybody(f"client.sessions.length >= {number} && client.active && client.iceState === 'connected'")
        self.sources_are_complete()
        self.nothing_went_wrong()

    def move(self):
        number = self.stage.bridge_of(self.ids["ann"])
        before = self.counts("received session-initiate")
        with self.step(f"bridge {number} is killed: the focus ends the sessions on it as moving"):
            self.stage.kill_bridge(number)
            self.pages["ann"].until("client.notes.some(note => note.what === 'received session-terminate' && "
                                    "note.jingle.querySelector('reason > success') && "
                                    "note.jingle.querySelector('reason > text').textContent === 'moving')", DEADLINE_S)
        with self.step("everybody has a session on the other bridge, in the same page"):
            self.new_sessions(before["ann"] + 1)
            places = {name: self.stage.bridge_of(one) for name, one in self.ids.items()}
            if None in places.values():
                raise StepFailed(f"bridges by participant: {places}")

    def leave(self):
        with self.step("who leaves is gone for the others"):
            self.pages["cat"].value("client.leave()")
            self.everybody(f"!client.people.has('{self.ids['cat']}')", but="cat")
        with self.step("the last ones leave"):
            for name in ("bob", "ann"):
                self.pages[name].value("client.leave()")
        with self.step("focus and bridge have forgotten the room"):
            self.eventually(lambda: self.stage.metrics()["bascule_conferences"] == 0, "a conference is left")
            self.eventually(lambda: self.stage.scene.endpoints_held() == 0, "a bridge still has participants")

    def bosh(self):
        with self.step("three meet over BOSH: one without source names, one with SSRC rewriting, one without devices"):
            self.pages = {"dan": self.stage.page("dan", room="bosh", transport="bosh", names="no"),
                          "eve": self.stage.page("eve", room="bosh", transport="bosh", features=SSRC_REWRITING),
                          "fay": self.stage.page("fay", room="bosh", transport="bosh", devices="")}
            self.remember_pages()
            self.everybody("client.active && client.iceState === 'connected' && client.people.size === 2")
            self.ids = {name: page.value("client.id") for name, page in self.pages.items()}
            for one, sender in (("dan", "eve"), ("fay", "dan"), ("fay", "eve")):
                self.pages[one].until(f"client.tracksOf('{self.ids[sender]}') === 'audio, camera'", DEADLINE_S)
            eve = self.pages["eve"]
            owners = eve.value("client.offeredOwners")
            told = eve.value("client.count('received source-add')")
            if owners != ["jvb"] or told != 0:
                raise StepFailed(f"eve was offered sources of {owners} and told of more {told} times")
            self.nothing_went_wrong()
            for page in self.pages.values():
                page.value("client.leave()")
        self.look_back()

    def look_back(self):
        """Before pages are closed: what they were owed, and what their library complained about."""
        with self.step("every request to the focus was answered"):
            self.everybody("client.stanzas.owed().length === 0")
        with self.step("the library had nothing to complain about"):
            found = {name: unexpected(page.complaints()) for name, page in self.pages.items()}
            if any(found.values()):
                raise StepFailed("\n".join(f"{name}: {text}" for name, texts in found.items() for text in texts))
        for page in self.pages.values():
            page.close()

    def end(self):
        with self.step("bridges and focus saw no mistake of the other"):
            scene = self.stage.scene
            metrics = self.stage.metrics()
            total = lambda name: sum(value for key, value in metrics.items() if key.split("{")[0] == name)
            wrong = {name: total(name) for name in (
                "bascule_bugs_total", "bascule_iq_unknown_total", "bascule_iq_strangers_total",
                "bascule_jingle_unknown_session_total", "bascule_sources_refused_total",
                "bascule_invites_refused_total", "bascule_accept_timeouts_total") if total(name) != 0}
            if wrong:
                raise StepFailed(str(wrong))
            code = scene.daemon.stop()
            if code != 0:
                raise StepFailed(f"bascule exited with {code}")
            for host in scene.live_hosts():
                if host.quit()[1] != 0:
                    raise StepFailed((host.violations() or [f"see {host.log}"])[0])

    def eventually(self, condition, otherwise):
        """For what only can be asked for."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise StepFailed(f"{otherwise} after {DEADLINE_S} s")
            time.sleep(0.1)

    def run(self):
        self.arrive()
        self.mute()
        # Signaling goes on across processes: what one began the next one ends.
        self.other_process("is killed", self.stage.scene.daemon.kill)
        self.share()
        self.other_process("is asked to end (SIGTERM)", self.stage.scene.daemon.suspend)
        self.share_no_more()
        self.restart()
        self.move()
        self.leave()
        self.look_back()
        self.bosh()
        self.end()

    def describe(self):
        """What the pages saw last, for a failure."""
        for name, page in self.pages.items():
            with contextlib.suppress(Exception):
                print(f"{name}: {page.value('client.tail(40)')}")
                print("".join(f"  {text}\n" for text in unexpected(page.complaints())), end="")
