"""What the page does with a daemon that is not there: every state, hostile names, tokens, silence, many bridges."""

import json
import time

from fake import HOSTILE_ENDPOINT, HOSTILE_ROOM, Fake
from pages import Dashboard
from steps import Steps

SEEN_ENDPOINT = HOSTILE_ENDPOINT
SEEN_ROOM = HOSTILE_ROOM.split("@")[0].replace("\u202e", "‹U+202E›")
REFUSED = ("status of 401",)  # Chromium prints every refused request.
NO_STREAM = ("status of 404",)
ROW = "ol.bridges > li"
STALE_MS = 40_000
PLACES = [(), ("queue",), ("events",), ("conferences",), ("bridges", "jvb-2"), ("conferences", HOSTILE_ROOM),
          ("why", HOSTILE_ROOM, HOSTILE_ENDPOINT)]
UPDATES = 6
UPDATE_S_MAX = 0.1  # of processor time: ten of them a second would still leave a page that can be used
PARTS = ("first_look", "hostile_names", "many_bridges", "tokens", "silence", "themes", "keyboard", "every_place")


class OnFake(Steps):
    def __init__(self, browser, shots):
        self.browser, self.shots = browser, shots
        self.pages = 0

    def open(self, fake, path="", **profile):
        self.pages += 1
        page = Dashboard(self.browser, f"fake{self.pages}", fake.address, self.shots, **profile)
        if path:
            page.look(f"location.hash = {json.dumps(path)}")
        return page

    # --- the steps ------------------------------------------------------------------------------------

    def first_look(self):
        with self.step("four bridges, all well: one sentence, one row each, live"):
            fake = Fake(bridges=4)
            page = self.open(fake, colorScheme="light")
            page.sees_text("#findings", "All is well")
            page.sees_text("#connection", "Live")
            if page.count(ROW) != 4 or page.count("#findings li") != 1:
                raise AssertionError(f"{page.count(ROW)} rows, {page.texts('#findings li')}")
            page.sees(".spark path")
            page.check()
            page.shot("fleet-small-light")
            page.close()
            fake.stop()

    def hostile_names(self):
        fake = Fake(bridges=4, trouble=True)
        page = self.open(fake)
        with self.step("a hostile room and a hostile nick are text: queue, events, search, conference, why"):
            page.sees_text("ol.tickets", SEEN_ENDPOINT)
            page.sees_text("ol.notes", SEEN_ENDPOINT)
            page.press("/")
            page.fill("#search", "<IMG")
            page.press("Enter")
            page.sees("ol.conferences >> text=onerror")
            if page.texts("ol.conferences .name") != [SEEN_ROOM]:
                raise AssertionError(f"found {page.texts('ol.conferences .name')}")
            page.click("ol.conferences a")
            page.sees_text("table.people", SEEN_ENDPOINT)
            page.shot("conference-hostile", full=True)
            page.click("table.people tbody tr >> nth=0 >> td a >> nth=-1")
            page.sees_text("main h2", SEEN_ENDPOINT)
            page.sees(".candidates .chosen")
            page.shot("why-hostile", full=True)
            strange = page.look("document.querySelectorAll('main img, main script, main iframe, .summary img').length")
            if strange != 0:
                raise AssertionError("text became markup")
            page.check()
        with self.step("and the browser would have refused it: markup from text, another host"):
            refused = page.look("""(() => { const tried = [];
              try { document.body.innerHTML = '<b>x</b>'; } catch (error) { tried.push(error.name); }
              return fetch('http://127.0.0.1:1/').catch(error => tried.push(error.name)).then(() => tried); })()""")
            if refused != ["TypeError", "TypeError"]:
                raise AssertionError(f"refused: {refused}")
            page.close()
            fake.stop()

    def many_bridges(self):
        with self.step("200 bridges: those in trouble first, filtered by name, smooth while all of them change") as told:
            fake = Fake(bridges=200, trouble=True)
            page = self.open(fake, size=(1440, 900), colorScheme="dark")
            page.sees(f"{ROW} >> nth=199")
            page.sees("svg.strip")
            first = [page.text(f"{ROW} >> nth={index} >> .badge") for index in range(3)]
            if first != ["no answer", "full", "silent"]:
                raise AssertionError(f"the first rows are {first}")
            effort = self.effort_per_update(page)
            told.append(f"{effort * 1000:.1f} ms of processor time per update")
            if effort > UPDATE_S_MAX:
                raise AssertionError(told[0])
            page.shot("fleet-200-dark")
            page.fill("input[aria-label='Filter bridges']", "jvb-17")
            page.sees_text(".fleet header", "11 of 200")
            page.check()
            page.close()
            fake.stop()

    @staticmethod
    def effort_per_update(page):
        page.look("""(async () => {
          const { live } = await import('./dashboard/live.js');
          window.updates = 0;
          live.addEventListener('overview', () => { ++window.updates; });
        })()""")
        before = page.effort()
        first = page.look("window.updates")
        while (seen := page.look("window.updates") - first) < UPDATES:
            time.sleep(0.2)
        return (page.effort() - before) / seen

    def tokens(self):
        fake = Fake(bridges=4, tokens=True)
        page = self.open(fake)
        with self.step("without a token nothing is shown; who closes the question can be asked again"):
            page.sees("dialog input[type=password]")
            page.shot("token")
            page.press("Escape")
            page.sees_text("#stale", "needs a token")
            if page.count(ROW) != 0:
                raise AssertionError("bridges are shown")
            page.click("#access >> text=Sign in")
        with self.step("a wrong token is refused, the right one is taken and kept in this tab only"):
            page.fill("#token", "wrong")
            page.press("Enter")
            page.sees_text("dialog", "not accepted")
            page.fill("#token", "reader")
            page.press("Enter")
            page.sees(ROW)
            page.sees_text("#role", "read")
            kept = page.look("[sessionStorage.length, localStorage.length, document.cookie, location.href.includes('reader')]")
            if kept != [1, 0, "", False]:
                raise AssertionError(f"kept: {kept}")
        with self.step("who may only read sees the buttons, why they do nothing, and changes nothing"):
            page.sees(f"{ROW} button[aria-disabled=true]")
            page.act("click", f"{ROW} button >> nth=0", {"force": True})  # Playwright itself waits for enabled buttons.
            page.sees_text("#notices", "Needs the role operate")
            page.go("bridges", "jvb-2")
            page.sees_text(".actions", "yours is read")
            if fake.fleet.drains:
                raise AssertionError("something was drained")
            page.check(REFUSED)
        with self.step("signed out, everything is asked again"):
            page.click("#access >> text=Sign out")
            page.sees("dialog input[type=password]")
            page.close()
            fake.stop()

    def silence(self):
        with self.step("a daemon that falls silent: stale since when; it is back by itself"):
            fake = Fake(bridges=4)
            page = self.open(fake)
            page.sees_text("#connection", "Live")
            fake.fleet.silent = True
            page.sees_text("#stale", "Stale since", STALE_MS)
            page.sees_text("#connection", "Stale since")
            page.shot("stale")
            fake.fleet.silent = False
            page.sees_text("#connection", "Live", STALE_MS)
            page.sees_no("#stale")
            page.close()
            fake.stop()
        with self.step("without a stream it asks every two seconds, and says so"):
            fake = Fake(bridges=4, streams=False)
            page = self.open(fake)
            page.sees_text("#connection", "Every 2 s")
            page.sees_text(".events", "Events need the stream")
            page.check(NO_STREAM)
            page.close()
            fake.stop()

        with self.step("a process that stands by says so, and shows everything when it has taken over"):
            fake = Fake(bridges=4)
            fake.fleet.stands_by = True
            page = self.open(fake)
            page.sees_text("#stale", "stands by")
            fake.fleet.stands_by = False
            page.sees_text("#connection", "Live", STALE_MS)
            page.sees(ROW)
            page.close()
            fake.stop()

    def themes(self):
        with self.step("light and dark by the system, and by the switch, kept when the page is loaded again"):
            fake = Fake(bridges=4)
            background = "getComputedStyle(document.body).backgroundColor"
            page = self.open(fake, colorScheme="dark")
            page.sees(ROW)
            dark = page.look(background)
            page.click("#theme")  # system -> light
            light = page.look(background)
            page.act("reload")
            page.sees(ROW)
            if light == dark or page.look(background) != light:
                raise AssertionError(f"dark {dark}, light {light}, then {page.look(background)}")
            page.close()
            fake.stop()

    def every_place(self):
        fake = Fake(bridges=12, trouble=True)
        for scheme, size in (("light", (375, 812)), ("dark", (375, 812)), ("light", (1440, 900)), ("dark", (1440, 900))):
            kind = f"{'phone' if size[0] < 500 else 'wide'}-{scheme}"
            with self.step(f"{kind}: every place fits, all text can be read, everything has a name"):
                page = self.open(fake, size=size, colorScheme=scheme)
                for place in PLACES:
                    page.go(*place)
                    page.sees("main .panel")
                    page.sees(".panel .bridges, .ticket, .note, .conference, .chart path, .people tbody tr, .candidates tbody tr")
                    page.check()
                    name = "fleet" if not place else place[0].removesuffix("s") if len(place) == 2 else place[0]
                    page.shot(f"{kind}-{name}", full=len(place) > 1)
                page.close()
        fake.stop()

    def keyboard(self):
        fake = Fake(bridges=4)
        page = self.open(fake, reducedMotion="reduce")
        page.sees(ROW)
        with self.step("by keyboard: skip link, one Tab stop for the list, arrows in it"):
            page.press("Tab")
            if page.focused() != "Skip to the content":
                raise AssertionError(f"the first stop is {page.focused()}")
            page.press("Enter", "Tab", "Tab", "Tab")
            names = [text.split("\n")[0] for text in page.texts(ROW)]
            if not page.focused().startswith(names[0] + ","):
                raise AssertionError(f"{page.focused()} is not the first row, {names[0]}")
            page.press("End", "ArrowUp")
            if not page.focused().startswith(names[2] + ","):
                raise AssertionError(f"{page.focused()} is not the third row, {names[2]}")
            page.press("Tab", "Tab")
            if "aria-label" in page.focused() or page.look("document.activeElement.closest('ol.bridges') !== null"):
                raise AssertionError(f"Tab stays in the list: {page.focused()}")
            page.press("Shift+Tab", "Shift+Tab")
        with self.step("by keyboard: Esc closes the question and changes nothing, and the focus is back on the row"):
            page.press("d")
            page.sees_text("dialog h2", f"Drain {names[2]}?")
            if not page.look("document.activeElement.closest('dialog') !== null"):
                raise AssertionError("the focus is not in the question")
            page.shot("drain-question")
            page.press("Escape")
            page.sees_no("dialog")
            if fake.fleet.drains or not page.focused().startswith(names[2] + ","):
                raise AssertionError(f"drains {fake.fleet.drains}, focus on {page.focused()}")
        with self.step("by keyboard: a bridge is drained with a reason, evacuated, and taken back"):
            page.press("d")
            page.sees("dialog")
            page.act("type", None, "new kernel")
            page.press("Enter")
            page.sees_text(f"{ROW}[data-level=info]", "drains")
            page.press("Enter")
            page.sees_text("main h2", names[2])
            page.sees_text(".drain", "By fake")
            page.sees_text(".drain", "ago: new kernel")
            self.press_button(page, "Evacuate…")
            page.sees_text("dialog h2", "Evacuate")
            page.press("Enter")
            page.sees_text(".drain", "It is being evacuated")
            page.shot("evacuating")
            page.sees_text(".drain", "Nobody is left on it")
            page.shot("evacuated")
            self.press_button(page, "Undrain…")
            page.sees_text("dialog h2", "Undrain")
            page.press("Tab", "Enter")  # "Cancel" comes first.
            page.sees_no(".drain")
            page.press("Escape")
            page.sees(ROW)
            if fake.fleet.drains:
                raise AssertionError(f"still {fake.fleet.drains}")
            page.check()
            page.close()
            fake.stop()

    @staticmethod
    def press_button(page, label):
        """Tabs on until the button has the focus."""
        for _ in range(40):
            if page.focused() == label:
                page.press("Enter")
                return
            page.press("Tab")
        raise AssertionError(f"Tab does not reach {label}")
