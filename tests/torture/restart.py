#!/usr/bin/env python3
"""The focus is killed again and again while people meet, come, leave, share their screens and mute each other.

Real Prosody, bridges and participants on loopback. A round: some people come and some leave, and at a random moment of
that the focus ends in one of the ways of endings.py; another process is started on the same state. The round is over when
everybody has media on the bridge that knows of it, nobody waits, and the focus, the bridges and the participants agree
about who is where. It fails when a participant noticed what this ending does not excuse: a reload, a move, an ICE restart, an
invitation too many, a source that stayed away, a request that was answered never, twice or wrongly.
"""

import itertools
import pathlib
import random
import re
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "demo"))

# pylint: disable=wrong-import-position
import endings
from runner import Runner, RunFailed, argument_parser, conduct
from scene import Crowd, Fleet, Focus, Scene

BRIDGES = 4
ARRIVAL_S = 4
SETTLED_S = 60
AGREED_S = 15
LEFTOVERS_S = 75  # Bridges keep what nobody ends for a minute (and ask once in a while).
CHURN = 4  # People who come, and as many who leave, in a round.
MUTES = 6
# As docs/operations.md wants it: with its default of 4096 bytes Prosody may close the connection of a dead focus before
# it has read all of it, in the middle of a stanza, and then nobody can go on with that session.
SERVER_SETTINGS = 'gc = { mode = "generational" }; network_default_read_size = 4194304'
NOTICED = ("reloads", "moved", "restarts")
# A component has no session: what the server had handed to it is gone with the process. Clients ask again.
LOST_REQUEST = "conference request unanswered"
ENDPOINT_FORGOTTEN = "create for the existing endpoint"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Restarts(Runner):
    def __init__(self, scene, arguments):
        super().__init__(scene, lambda bridges: " ".join(str(one["participants"]) for one in bridges.values()))
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.came = arguments.participants
        self.rounds = {}   # How often each ending was done.
        self.measured = {"back": [], "ready": [], "first_answer": [], "pause": [], "settled": []}  # seconds
        self.inherited = 0
        self.complaints = 0  # Of participants, so far.
        self.excused = 0     # Of them: to be expected.
        self.bridges_said = set()  # Violations that bridges reported and were excused.
        self.leftovers_until = 0.0  # Until then bridges may have endpoints that nobody knows any more.
        self.full = scene.folder / "disk-is-full"

    def run(self):
        scene = self.scene
        scene.start_servers()
        scene.start_daemon()
        scene.start_clients()
        self.until_everybody_is_in("arrival", ARRIVAL_S + SETTLED_S)
        order = endings.in_random_order(self.random)
        for number, ending in enumerate(itertools.islice(order, self.arguments.rounds), start=1):
            try:
                self.round(ending, f"round {number}, {ending.name}")
            except RunFailed as failure:
                raise RunFailed(f"round {number}, {ending.name} (seed {self.arguments.seed}): {failure}") from None
        self.judge()

    def status(self):
        return self.scene.clients.ask("status", timeout=30)

    def round(self, ending, title):
        scene, before = self.scene, self.status()
        round_ = endings.Round(scene, self.random, self.full)
        came = self.came
        self.churn()
        if not ending.continues:
            self.leftovers_until = time.monotonic() + LEFTOVERS_S + SETTLED_S
        time.sleep(self.random.uniform(0.0, 0.6))
        ending.end(round_)
        self.measured["ready"].append(scene.daemon.start())
        self.churn()
        if ending.after_start is not None:
            ending.after_start(round_)
        settled = self.until_everybody_is_in(title, SETTLED_S)
        if not ending.continues:
            self.leftovers_until = time.monotonic() + LEFTOVERS_S
        self.until_agreed()
        self.rounds[ending.name] = self.rounds.get(ending.name, 0) + 1
        self.look_back(ending, round_, before, self.came - came)
        if ending.continues:
            self.measured["settled"].append(settled)

    def everybody_is_in(self, status):
        return status["with_media"] == status["participants"] and not self.scene.stranded()

    def churn(self):
        # While the server is away nobody can leave: later more do.
        surplus = self.status()["participants"] - self.arguments.participants
        self.scene.clients.ask(f"leave {CHURN // 2 + max(0, surplus)}")
        self.scene.clients.ask(f"join {CHURN // 2}")
        self.scene.clients.ask(f"mute {MUTES // 2}")
        self.came += CHURN // 2

    def until_agreed(self):
        """Focus, bridges and participants count the same people on each bridge, and nobody waits for one."""
        deadline = time.monotonic() + AGREED_S
        while True:
            said = self.counts()
            if said["focus"] == said["bridges"] == said["people"] and said["waiting"] == 0:
                return
            if time.monotonic() > deadline:
                raise RunFailed(f"after {AGREED_S} s they do not agree who is where: {said}")
            time.sleep(self.poll_s / 2)

    def counts(self):
        held = [one for host in self.scene.live_hosts() for one in host.ask("endpoints")["bridges"]]
        ports = {one["port"]: one["bridge"] for one in held}
        strict = time.monotonic() > self.leftovers_until
        focus = {int(one["bridge"].rsplit("jvb", 1)[1]): one["participants"]
                 for one in self.scene.daemon.ask("/v1/bridges")["bridges"]}
        people = dict.fromkeys(ports.values(), 0)
        for session in self.scene.clients.ask("sessions")["sessions"]:
            if session["active"]:
                people[ports[session["port"]]] += 1
        return {"focus": focus, "people": people,
                "bridges": {one["bridge"]: sum(1 for each in one["endpoints"] if strict or each["connected"])
                            for one in held},
                "waiting": sum(self.scene.daemon.ask("/v1/placement")["queue"].values())}

    def look_back(self, ending, round_, before, came):
        status, text = self.status(), round_.log()
        up = re.findall(r"^(\S+) info link\.up link=client .*inherited=true", text, re.M)
        if ending.continues and not up:
            raise RunFailed("the session was not continued")
        self.inherited += 1 if up else 0
        if "damage" not in ending.name and "store.damaged" in text:
            raise RunFailed("the store was damaged")
        grown = {name: status[name] - before[name] for name in (*NOTICED, "invites")}
        unexcused = {name: grown[name] for name in NOTICED if grown[name] > 0 and name not in ending.may_grow}
        surplus = grown["invites"] - came - sum(grown[name] for name in NOTICED)
        if unexcused or surplus > 0 and ending.continues:
            raise RunFailed(f"people noticed: {grown}, though {came} came")
        complaints = self.violations()
        new, self.complaints = complaints[self.complaints:], len(complaints)
        bad = [line for line in new if not any(words in line for words in ending.excuses)]
        if bad:
            raise RunFailed(bad[0])
        self.excused += len(new)
        self.look_at_bridges(ending)
        if ending.continues:
            asked = status["since_mark"]
            if asked["first_answer_ms"] is not None:
                self.measured["first_answer"].append(asked["first_answer_ms"] / 1e3)
            self.measured["pause"].append(asked["slowest_answer_ms"] / 1e3)
            self.measured["back"].append(time.mktime(time.strptime(up[-1][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
                                         + float("0" + up[-1][19:23]) - round_.killed)
        print(f"      {ending.name}: {grown} {round_.notes or ''}", flush=True)

    def look_at_bridges(self, ending):
        """Where operations could be lost, an endpoint that nobody remembers may be in the way of the same one again."""
        said = {line for host in self.scene.live_hosts() for line in host.violations()}
        bad = sorted(line for line in said - self.bridges_said if ending.continues or ENDPOINT_FORGOTTEN not in line)
        if bad:
            raise RunFailed(bad[0])
        self.bridges_said |= said

    def violations(self):
        return [line for line in self.scene.clients.violations() if LOST_REQUEST not in line]

    def judge(self):
        status = self.status()
        lost = len(self.scene.clients.violations()) - len(self.violations())
        summary, code = self.scene.clients.quit(timeout=60)
        if code != 0 and lost + self.excused == 0 or len(self.violations()) > self.complaints:
            raise RunFailed((self.violations()[self.complaints:] or ["see the log of the participants"])[0])
        for host in self.scene.live_hosts():
            if host.quit()[1] != 0 and not self.bridges_said.issuperset(host.violations() or [f"see {host.log}"]):
                raise RunFailed((host.violations() or [f"see {host.log}"])[-1])
        self.figures.update({
            "participants": self.arguments.participants, "rooms": self.arguments.rooms, "came": self.came,
            "invites": status["invites"], "refused_while_away": summary["refused"], "requests_lost": lost,
            "mutes": f"{status['mutes_asked']} asked, {status['mutes_done']} done, {status['mutes_received']} received"})
        # On a full disk something may be said twice.
        if status["mutes_received"] > status["mutes_asked"] + MUTES * self.rounds.get("full disk", 0):
            raise RunFailed(f"{status['mutes_received']} people were muted, {status['mutes_asked']} times it was asked for")


def finish(runner, _page, failure):
    runner.figures.update({
        "rounds": ", ".join(f"{count} {name}" for name, count in sorted(runner.rounds.items())),
        **{f"{name}_{word}_s": percentile(values, share) for name, values in runner.measured.items()
           for word, share in (("p50", 0.50), ("p99", 0.99), ("max", 1.0))}})
    runner.print_table([(key, f"{value:.3f}" if isinstance(value, float) else value)
                        for key, value in runner.figures.items()])
    print(f"FAILED: {failure}" if failure else f"{runner.inherited} sessions continued, nobody noticed")


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--participants", type=int, default=300)
    parser.add_argument("--rooms", type=int, default=40)
    arguments = parser.parse_args()
    people = [arguments.participants // arguments.rooms + (1 if room < arguments.participants % arguments.rooms else 0)
              for room in range(arguments.rooms)]
    crowd = Crowd(arguments.participants, arguments.rooms,
                  ["--room-sizes", *people, "--spread", ARRIVAL_S, "--screen-interval", 10, "--json-percent", 50,
                   "--rejoin-min", 0.3, "--rejoin-max", 1.5, "--reload-min", 1, "--reload-max", 3])

    def make_runner(logs):
        focus = Focus(server_settings=SERVER_SETTINGS, selection_settings="unknown-window = 0.0", environment={
            "LD_PRELOAD": (arguments.bindir / "libbascule_bad_disk.so").resolve(),
            "BASCULE_FULL_WHILE": logs / "disk-is-full", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        fleet = Fleet(BRIDGES, ["--capacity", 1000], process_each=False)
        return Restarts(Scene(arguments.bindir, logs, fleet, crowd, focus, arguments.seed), arguments)

    return conduct("restart", arguments, make_runner, finish)


if __name__ == "__main__":
    sys.exit(main())
