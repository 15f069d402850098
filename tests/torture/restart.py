#!/usr/bin/env python3
"""The focus is killed again and again while people meet, come, leave and share their screens: nobody may notice.

Real Prosody, bridges and participants on loopback. A round: some people come and some leave, and at a random moment of
that the focus ends (SIGKILL; now and then SIGTERM, or SIGKILL again while it starts); another process is started on the
same state. The round is over when everybody has media on the bridge that knows of it. It fails when a participant
reloaded, was moved, restarted ICE, missed a source for too long, or got an answer that makes no sense; and at the end
nobody may have been invited more often than they came.
"""

import pathlib
import random
import re
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "demo"))

# pylint: disable=wrong-import-position
from runner import Runner, RunFailed, argument_parser, conduct
from scene import Crowd, Fleet, Focus, Scene

BRIDGES = 4
ARRIVAL_S = 4
SETTLED_S = 60
CHURN = 4  # People who come, and as many who leave, in a round.
# As docs/operations.md wants it: with its default of 4096 bytes Prosody may close the connection of a dead focus before
# it has read all of it, in the middle of a stanza, and then nobody can go on with that session.
SERVER_SETTINGS = 'gc = { mode = "generational" }; network_default_read_size = 4194304'
HARMLESS = ("reloads", "moved", "restarts")  # Must not grow.
# A component has no session: what the server had handed to it is gone with the process. Clients ask again.
LOST_REQUEST = "conference request unanswered"
ENDINGS = (("SIGKILL", 6), ("SIGTERM", 2), ("twice", 2))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Restarts(Runner):
    def __init__(self, scene, arguments):
        super().__init__(scene, lambda bridges: " ".join(str(one["participants"]) for one in bridges.values()))
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.came = arguments.participants
        self.ready_s, self.back_s, self.settled_s = [], [], []
        self.inherited = 0

    def run(self):
        scene = self.scene
        scene.start_servers()
        scene.start_daemon()
        scene.start_clients()
        self.until_everybody_is_in("arrival", ARRIVAL_S + SETTLED_S)
        for number in range(1, self.arguments.rounds + 1):
            self.round(number)
        self.judge()

    def round(self, number):
        scene = self.scene
        log_before = scene.daemon.log.stat().st_size
        self.churn()
        time.sleep(self.random.uniform(0.0, 0.6))
        how = self.random.choices([name for name, _ in ENDINGS], [weight for _, weight in ENDINGS])[0]
        ended = time.time()
        if how == "SIGTERM":
            if scene.daemon.suspend() != 0:
                raise RunFailed(f"round {number}: the daemon exited with {scene.daemon.process.returncode}")
        else:
            scene.daemon.kill()
        if how == "twice":
            scene.daemon.begin()
            time.sleep(self.random.uniform(0.0, 0.3))
            scene.daemon.kill()
        began = time.monotonic()
        scene.daemon.start()
        self.ready_s.append(time.monotonic() - began)
        self.churn()
        settled = self.until_everybody_is_in(f"round {number}, {how}", SETTLED_S)
        self.settled_s.append(settled)
        self.look_back(number, how, log_before, ended)

    def churn(self):
        self.scene.clients.ask(f"leave {CHURN // 2}")
        self.scene.clients.ask(f"join {CHURN // 2}")
        self.came += CHURN // 2

    def look_back(self, number, how, log_before, ended):
        with open(self.scene.daemon.log, encoding="utf-8") as log:
            log.seek(log_before)
            text = log.read()
        up = re.findall(r"^(\S+) info link\.up link=client .*inherited=true", text, re.M)
        if not up:
            raise RunFailed(f"round {number}, {how}: the session was not continued")
        self.inherited += 1
        self.back_s.append(time.mktime(time.strptime(up[-1][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
                           + float("0" + up[-1][19:23]) - ended)
        if "store.damaged" in text:
            raise RunFailed(f"round {number}, {how}: the store was damaged")
        status = self.scene.clients.ask("status", timeout=30)
        grown = {name: status[name] for name in HARMLESS if status[name] > 0}
        if grown or self.violations():
            raise RunFailed(f"round {number}, {how}: {grown} {self.violations()[:1]}")

    def violations(self):
        return [line for line in self.scene.clients.violations() if LOST_REQUEST not in line]

    def judge(self):
        status = self.scene.clients.ask("status", timeout=30)
        lost = len(self.scene.clients.violations()) - len(self.violations())
        summary, code = self.scene.clients.quit(timeout=60)
        if code != 0 and lost == 0:
            raise RunFailed((self.violations() or ["see the log of the participants"])[0])
        for host in self.scene.live_hosts():
            if host.quit()[1] != 0:
                raise RunFailed((host.violations() or [f"see {host.log}"])[0])
        surplus = status["invites"] - self.came
        self.figures.update({
            "rounds": self.arguments.rounds, "participants": self.arguments.participants,
            "rooms": self.arguments.rooms, "came": self.came, "invites": status["invites"],
            "refused_while_away": summary["refused"], "requests_lost": lost,
            "back_p50_s": percentile(self.back_s, 0.50), "back_p99_s": percentile(self.back_s, 0.99),
            "back_max_s": max(self.back_s), "ready_p50_s": percentile(self.ready_s, 0.50),
            "ready_max_s": max(self.ready_s), "settled_p50_s": percentile(self.settled_s, 0.50),
            "settled_max_s": max(self.settled_s)})
        if surplus > 0:
            raise RunFailed(f"{surplus} invitations more than people who came")


def finish(runner, _page, failure):
    runner.print_table([(key, f"{value:.3f}" if isinstance(value, float) else value)
                        for key, value in runner.figures.items()])
    print(f"FAILED: {failure}" if failure else f"{runner.inherited} restarts, nobody noticed")


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
    return conduct("restart", arguments,
                   lambda logs: Restarts(Scene(arguments.bindir, logs,
                                               Fleet(BRIDGES, ["--capacity", 1000], process_each=False), crowd,
                                               Focus(server_settings=SERVER_SETTINGS), arguments.seed), arguments),
                   finish)


if __name__ == "__main__":
    sys.exit(main())
