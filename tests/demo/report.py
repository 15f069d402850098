"""The report of a run: one HTML file, no other files, no scripts."""

import dataclasses
import html
import json
import math

WIDTH, HEIGHT = 960, 250
LEFT, RIGHT, TOP, BOTTOM = 48, 96, 40, 28
NAMED_LINES_MAX = 4
STRESS_TOP = 3


@dataclasses.dataclass
class Series:
    name: str
    times: list = dataclasses.field(default_factory=list)
    participants: list = dataclasses.field(default_factory=list)
    stress: list = dataclasses.field(default_factory=list)
    overloads: int = 0
    max_stress: float = 0.0
    deaths: list = dataclasses.field(default_factory=list)  # (seconds, stress) of each death of overload


@dataclasses.dataclass
class Page:
    """What differs between the reports of different runs."""
    title: str
    intro: str
    claim: str  # what is true when the run has not failed
    figures: dict
    extra: dict


def events_of(scene, peer):
    """What a peer noted during the run; a killed one may have left half a line at the end."""
    if not peer.events.exists():
        return
    for line in peer.events.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            return
        if scene.ended is not None and event["t"] - scene.began > scene.ended:
            return
        yield event


def bridge_series(scene):
    """Each bridge's own record, by its number."""
    result = {number: Series(f"bridge {number}") for number in scene.bridges}
    for host in scene.hosts.values():
        for event in events_of(scene, host):
            series = result.get(event.get("bridge"))
            if event["event"] == "overload":
                series.overloads += 1
            elif event["event"] == "bridge-dead":
                series.deaths.append((event["t"] - scene.began, event["stress"]))
            elif event["event"] == "bridge":
                series.times.append(event["t"] - scene.began)
                series.participants.append(event["participants"])
                series.stress.append(event["peak"])
                series.max_stress = max(series.max_stress, event["max_stress"])
    return result


def crowd_series(scene):
    lines = {"in a room": ([], []), "with media": ([], [])}
    if scene.clients is not None:
        for event in events_of(scene, scene.clients):
            if event["event"] == "crowd":
                for name, key in (("in a room", "in_room"), ("with media", "with_media")):
                    lines[name][0].append(event["t"] - scene.began)
                    lines[name][1].append(event[key])
    return lines


def nice_top(value):
    """A round number not below the value."""
    if value <= 0:
        return 1
    step = 10 ** math.floor(math.log10(value))
    for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10):  # A quarter of each is round as well.
        if factor * step >= value:
            return factor * step
    return 10 * step


class Chart:
    def __init__(self, title, seconds, top, unit):
        self.title, self.seconds, self.top, self.unit = title, max(seconds, 1), nice_top(top), unit
        self.parts = []
        self.labels = []

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value, self.top) / self.top

    def grid(self):
        for i in range(5):
            value = self.top * i / 4
            text = f"{value:.0f}" if self.top >= 4 else f"{value:.2f}"
            self.parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(value):.1f}" '
                              f'y2="{self.y(value):.1f}"/><text class="tick" x="{LEFT - 6}" y="{self.y(value) + 4:.1f}" '
                              f'text-anchor="end">{text}</text>')
        step = 10 if self.seconds <= 150 else 30 if self.seconds <= 450 else 60
        for second in range(0, int(self.seconds) + 1, step):
            self.parts.append(f'<text class="tick" x="{self.x(second):.1f}" y="{HEIGHT - 8}" '
                              f'text-anchor="middle">{second}{" s" if second == 0 else ""}</text>')

    def event_marks(self, marks):
        ends = [0.0, 0.0]  # Where the last label of each of two rows ended.
        for seconds, text in marks:
            row = 0 if ends[0] <= self.x(seconds) else 1
            ends[row] = self.x(seconds) + 6.4 * len(text) + 10
            y = 12 + 14 * row
            self.parts.append(f'<line class="mark" x1="{self.x(seconds):.1f}" x2="{self.x(seconds):.1f}" y1="{y - 8}" '
                              f'y2="{HEIGHT - BOTTOM}"/><text class="event" x="{self.x(seconds) + 4:.1f}" y="{y}">'
                              f'{html.escape(text)}</text>')

    def limit(self, value, text):
        self.parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(value):.1f}" '
                          f'y2="{self.y(value):.1f}"/><text class="limit-text" x="{WIDTH - RIGHT - 4}" '
                          f'y="{self.y(value) - 4:.1f}" text-anchor="end">{html.escape(text)}</text>')

    def line(self, name, times, values, colour):
        """A nameless line is one of many and drawn thinner."""
        if not times:
            return
        points = " ".join(f"{self.x(t):.1f},{self.y(v):.1f}" for t, v in zip(times, values))
        thin = "" if name else " thin"
        self.parts.append(f'<polyline class="c{colour}{thin}" points="{points}"/>')
        if name:
            self.labels.append([self.y(values[-1]), name, colour])

    def cross(self, time, value):
        x, y = self.x(time), self.y(value)
        self.parts.append(f'<path class="death" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"/>')

    def dead(self, time, value, colour):
        """A cross where the last line ends, and its name there instead of at the right."""
        x, y = self.x(time), self.y(value)
        name = self.labels.pop()[1]
        self.parts.append(f'<path class="c{colour}" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"/>'
                          f'<text class="name t{colour}" x="{x - 10:.1f}" y="{y - 8:.1f}" text-anchor="end">'
                          f'{html.escape(name)}</text>')

    def svg(self):
        """Labels at the right end, moved apart so that none covers another."""
        previous = -math.inf
        for label in sorted(self.labels):
            label[0] = max(label[0], previous + 15)
            previous = label[0]
        overflow = previous - (HEIGHT - BOTTOM)
        texts = "".join(f'<text class="name t{colour}" x="{WIDTH - RIGHT + 8}" y="{y - max(0, overflow) + 4:.1f}">'
                        f'{html.escape(name)}</text>' for y, name, colour in self.labels)
        title = html.escape(self.title)
        return (f'<figure><figcaption>{title} <span>{html.escape(self.unit)}</span></figcaption>'
                f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(self.parts)}{texts}'
                '</svg></figure>')


def charts(scene):
    bridges = bridge_series(scene)
    crowd = crowd_series(scene)
    end = max([scene.now() if not scene.marks else scene.marks[-1][0]] +
              [series.times[-1] for series in bridges.values() if series.times])
    people = Chart("Participants", end, max(scene.participants, 1), "in a room, and with media")
    load = Chart("Participants per bridge", end,
                 max([max(series.participants, default=0) for series in bridges.values()], default=1), "endpoints")
    # Far above full it does not matter how far.
    highest = min(STRESS_TOP, max([1.05] + [series.max_stress for series in bridges.values()]))
    stress = Chart("Stress per bridge", end, highest, "highest true load of each second, 1 = full" +
                   (", a cross is a death" if any(series.deaths for series in bridges.values()) else ""))
    for chart in (people, load, stress):
        chart.grid()
        chart.event_marks(scene.marks)
    for colour, (name, (times, values)) in enumerate(crowd.items(), start=5):
        people.line(name, times, values, colour)
    stress.limit(1.0, "limit")
    many = len(bridges) > NAMED_LINES_MAX
    for number, series in bridges.items():
        colour = (number - 1) % NAMED_LINES_MAX + 1
        for chart, values in ((load, series.participants), (stress, series.stress)):
            chart.line("" if many else series.name, series.times, values, colour)
            if number in scene.dead_bridges and series.times:
                chart.dead(series.times[-1], values[-1], colour)
        for time, value in series.deaths:
            stress.cross(time, value)
    return people.svg() + load.svg() + stress.svg()


STYLE = """
:root { color-scheme: light dark; --text: #1d2430; --dim: #667085; --back: #fff; --panel: #f6f7f9; --line: #e3e6eb;
  --c1: #2563c9; --c2: #c2410c; --c3: #15803d; --c4: #8b3fc4; --c5: #98a2b3; --c6: #2563c9; --bad: #b42318;
  --good: #15803d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ef; --dim: #98a2b3; --back: #12161d; --panel: #1b212b;
  --line: #2c3542; --c1: #6ea8fe; --c2: #fb923c; --c3: #4ade80; --c4: #d09bf7; --c5: #667085; --c6: #6ea8fe;
  --bad: #f97066; --good: #4ade80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 1rem; color: var(--dim); }
.verdict { font-weight: 600; color: var(--good); } .verdict.bad { color: var(--bad); }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } figcaption span { font-weight: 400; color: var(--dim); }
svg { width: 100%; height: auto; background: var(--panel); border-radius: 6px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
.grid { stroke: var(--line); } .tick, .limit-text { fill: var(--dim) !important; }
.mark { stroke: var(--dim); stroke-dasharray: 3 3; } .event { fill: var(--dim) !important; }
.limit { stroke: var(--bad); stroke-dasharray: 6 3; }
polyline, path { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.thin { stroke-width: 1; opacity: .8; } .death { stroke: var(--bad); }
table { border-collapse: collapse; } td { padding: .2rem 1.5rem .2rem 0; border-bottom: 1px solid var(--line); }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; padding-right: 0; }
.columns { display: flex; gap: 3rem; flex-wrap: wrap; align-items: flex-start; }
""" + "".join(f".c{i} {{ stroke: var(--c{i}); }} .t{i} {{ fill: var(--c{i}) !important; }}\n" for i in range(1, 7))

WORDS = {
    "participants": "participants at the end", "placed": "with a session on a live bridge",
    "accepted": "with media", "moved": "moved to another bridge", "refused": "refused",
    "bridges_overloaded": "bridges over their limit", "max_bridge_stress": "highest stress of a bridge",
    "invite_p50_ms": "join to invitation, median (ms)", "invite_p99_ms": "join to invitation, p99 (ms)",
    "move_p99_ms": "bridge death to invitation, p99 (ms)", "recovery_s": "Prosody killed to everybody back (s)",
    "ready_s": "bascule start to ready (s)", "arrival_s": "first arrival to everybody in (s)",
    "evacuation_s": "bridge killed to everybody moved (s)", "idle_rss_mb": "bascule idle memory (MB)",
    "bascule_rss_mb": "bascule memory at the end (MB)", "bascule_cpu_s": "bascule CPU (s)",
    "prosody_cpu_s": "Prosody CPU (s)", "prosody_rss_mb": "Prosody memory at the end (MB)",
    "conferences": "conferences", "bridges": "bridges", "steady_load": "load of the fleet before the incident",
    "bridges_died": "bridges that died in the incident", "deaths": "deaths of bridges in the incident",
    "deaths_before": "deaths before it", "max_bridge_stress_incident": "highest stress in the incident",
    "had_media_again": "had media again", "restarts": "sessions restarted by participants",
    "deferred": "requests answered \u201ccome back\u201d", "last_login_s": "server back to the last login (s)",
    "last_in_room_s": "server back to the last one in a room (s)",
    "recovery_p50_s": "server back to media, median (s)", "recovery_p99_s": "server back to media, p99 (s)",
    "recovery_max_s": "server back to media, last (s)", "wait_p50_s": "own login to media, median (s)",
    "wait_p99_s": "own login to media, p99 (s)", "fluid_limit_s": "what no focus can beat (s)",
    "queue_wait_p50_s": "in the queue of the focus, median (s)", "queue_wait_p99_s": "in the queue, p99 (s)",
    "queue_wait_max_s": "in the queue, longest (s)",
    "join_work_s": "of that: work of letting everybody in (s)",
    "steady_rss_mb": "bascule memory before the incident (MB)",
    "peak_rss_mb": "bascule memory, highest (MB)", "incident_bascule_cpu_s": "bascule CPU in the incident (s)",
    "incident_prosody_cpu_s": "Prosody CPU in the incident (s)",
}


def rounded(figures, keys):
    return {key: round(figures[key], 3) if isinstance(figures[key], float) else figures[key]
            for key in keys if key in figures}


def table(values):
    rows = "".join(f"<tr><td>{html.escape(WORDS.get(key, key))}</td><td>{value:g}</td></tr>"
                   for key, value in values.items() if isinstance(value, (int, float)))
    return f"<table>{rows}</table>"


def render(scene, page, failure):
    more = {key: round(page.extra[key], 2) for key in WORDS if key in page.extra and key not in page.figures}
    verdict = (f'<p class="verdict bad">Failed: {html.escape(failure)}</p>' if failure else
               f'<p class="verdict">{html.escape(page.claim)}</p>')
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width"><title>{html.escape(page.title)}</title><style>{STYLE}</style></head><body>'
            f'<h1>{html.escape(page.title)}</h1><p>{html.escape(page.intro)}</p>{verdict}{charts(scene)}'
            f'<h2>Figures</h2><div class="columns">{table(page.figures)}{table(more)}</div></body></html>\n')
