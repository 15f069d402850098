"""A page of the dashboard in a real browser, as a person uses it."""

import json
import urllib.parse

from browser import BrowserError

PATIENCE_MS = 60_000  # of what takes well under a second on an idle machine
ANSWER_S = 90

# Every text that is seen, its contrast with what is behind it (WCAG 2.2, 1.4.3); what is below the threshold.
CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const channel = value => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (text === '' || !element.checkVisibility({ visibilityProperty: true }) || element.closest('.unseen, .skip, svg, noscript')) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) bad.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return bad;
})()"""

# What can be used and has no name that a screen reader could say.
NAMELESS = """[...document.querySelectorAll('a[href], button, input, select, [tabindex="0"], dialog, svg[role=img]')]
  .filter(each => each.checkVisibility() && !(each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') ||
    each.textContent.trim() || (each.labels && each.labels.length)))
  .map(each => each.outerHTML.slice(0, 80))"""


class Dashboard:
    def __init__(self, browser, name, address, shots, size=(1280, 860), **profile):
        self.browser, self.name, self.address, self.shots = browser, name, address, shots
        viewport = {"width": size[0], "height": size[1]}
        self._order("opens", open=address, profile={"viewport": viewport, **profile})

    def _order(self, what, **order):
        return self.browser.order(f"{self.name} {what}", page=self.name, **order)(ANSWER_S)

    def act(self, method, at=None, *given):
        """A method of playwright's Locator of the selector `at`; without one of the Page or the keyboard."""
        return self._order(f"{method} {at or ''} {given or ''}", act=method, at=at, **{"with": list(given)})

    def look(self, source):
        return self._order(f"looks at {source[:60]}", look=source)

    # --- what a person does ---------------------------------------------------------------------------

    def click(self, at):
        self.act("click", at, {"timeout": PATIENCE_MS})

    def fill(self, at, text):
        self.act("fill", at, text, {"timeout": PATIENCE_MS})

    def press(self, *keys):
        for key in keys:
            self.act("press", None, key)

    def go(self, *place, **query):
        """To a place: go("bridges", "jvb-1")."""
        path = "/".join(urllib.parse.quote(each, safe="") for each in place)
        target = f"#/{path}{'?' + urllib.parse.urlencode(query) if query else ''}"
        self.look(f"location.hash = {json.dumps(target)}")

    # --- what a person sees ---------------------------------------------------------------------------

    def sees(self, at, patience_ms=PATIENCE_MS):
        """Waits until it is there to be seen."""
        self.act("waitFor", f"{at} >> nth=0", {"state": "visible", "timeout": patience_ms})

    def has(self, at):
        """Waits until it is there; a flat line has no height to be seen by."""
        self.act("waitFor", f"{at} >> nth=0", {"state": "attached", "timeout": PATIENCE_MS})

    def sees_text(self, at, text, patience_ms=PATIENCE_MS):
        self.sees(f"{at}:visible >> text={text}", patience_ms)

    def sees_no(self, at, patience_ms=PATIENCE_MS):
        self.act("waitFor", f"{at} >> nth=0", {"state": "hidden", "timeout": patience_ms})

    def count(self, at):
        return self.act("count", at)

    def text(self, at):
        return self.act("innerText", f"{at} >> nth=0", {"timeout": PATIENCE_MS})

    def texts(self, at):
        return self.act("allInnerTexts", at)

    def focused(self):
        """The text or label of what has the focus."""
        return self.look("(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || "
                         "document.activeElement.id).trim()")

    def shot(self, name, full=False):
        self.act("screenshot", None, {"path": str(self.shots / f"{name}.png"), "fullPage": full})

    def effort(self):
        """Seconds of processor time of its main thread so far; independent of what else the machine does."""
        return self._order("effort", effort=True)

    # --- what has to be true of every page ------------------------------------------------------------

    def check(self, expected_complaints=()):
        """Nothing printed but what is expected, nobody else asked, nothing wider than the screen, all text readable."""
        complaints = [text for text in self._order("console", console=True)
                      if not any(part in text for part in expected_complaints)]
        others = [url for url in self._order("requests", requests=True) if not url.startswith(self.address)]
        problems = [f"complaints: {complaints}"] * bool(complaints) + [f"asked others: {others}"] * bool(others)
        problems += self.looks_wrong()
        if problems:
            raise BrowserError(f"{self.name}: {'; '.join(problems)}")

    def looks_wrong(self):
        wider = self.look("document.documentElement.scrollWidth - innerWidth")
        faint = self.look(CONTRAST)
        nameless = self.look(NAMELESS)
        return ([f"{wider} px wider than the screen"] * (wider > 0) + [f"hard to read: {faint}"] * bool(faint) +
                [f"without a name: {nameless}"] * bool(nameless))

    def close(self):
        self._order("closes", close=True)
