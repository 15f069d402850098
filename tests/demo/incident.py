#!/usr/bin/env python3
"""The incident this project was started for, replayed with real processes on loopback.

A fleet of simulated bridges carries a public service at 60 % load. Prosody is killed and restarted: everybody comes
back within five seconds. At the same moment the statistics go wrong: the pubsub node is gone, and for half a minute no
bridge publishes anything but what it said last. Bridges that are overloaded lose reports, answer late and die.

The claim: no bridge dies, none is ever over its limit, and everybody has media again. It is checked with the records
of the bridges and of the participants, not with what the focus says. With --naive a focus that trusts the reports takes
the place of bascule (tests/naive/README.md); then the claim is that bridges die, or the scenario proves nothing.
"""

import json
import re
import sys
import time

import report
from meetings import load_units, room_sizes
from runner import RunFailed, Runner, argument_parser, conduct
from scene import Crowd, Fleet, Focus, Scene

FLEET_LOAD = 0.60            # of the fleet's capacity, when everybody is in
JOIN_STRESS_SECONDS = 0.012   # of a bridge of ordinary size; smaller ones would only show that they are small
PROSODY_DOWN_S = 2.0
RETURN_SPREAD_S = 5.0
STATS_STOPPED_S = 30
AFTERMATH_S = 30             # ramp of those who came last, and what it takes to die of that
ARRIVAL_DEADLINE_S = 120     # after the last arrival
# What stock settings do to a server that everybody returns to: Lua's incremental collector marks everything again
# after every few megabytes (more than half of a core with 1500 people); and a connection that had more to say than one
# read takes (4 KiB) is heard again only when no other has anything to say (net/server_epoll.lua: dirty, pausefor): the
# busiest one, which is the focus, is heard last, or not at all for a minute.
SERVER_SETTINGS = ('gc = { mode = "generational" }; network_default_read_size = 4194304; '
                   "network_settings = { tcp_backlog = 4096 }")
PUBSUB_NODE = "sharedStatsNode"


def describe_bridges(bridges):
    up = [bridge for bridge in bridges.values() if bridge["alive"]]
    stress = sorted(bridge["stress"] for bridge in up) or [0.0]
    return (f"{len(up)} up, stress {stress[0]:4.2f}..{stress[-1]:4.2f}, fullest "
            f"{max((bridge['participants'] for bridge in up), default=0):3d}, "
            f"deaths {sum(bridge['deaths'] for bridge in bridges.values())}")


def percentile(values, share):
    """Nearest rank; None without values."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)] if ordered else None


class Record:
    """What the peers wrote down themselves; times in seconds since the beginning of the run."""

    def __init__(self, scene, killed, back):
        self.killed, self.back = killed, back
        self.logins, self.rooms, self.media = {}, {}, {}  # by person: first one after the server was back
        first = {"login": self.logins, "joined": self.rooms, "media": self.media}
        for event in report.events_of(scene, scene.clients):
            seconds = event["t"] - scene.began
            if seconds >= back and event["event"] in first:
                first[event["event"]].setdefault(event["number"], seconds)
        series = report.bridge_series(scene)
        self.deaths_before = sum(1 for one in series.values() for time_s, _ in one.deaths if time_s < killed)
        self.deaths = sum(len(one.deaths) for one in series.values()) - self.deaths_before
        self.bridges_died = sum(1 for one in series.values() if any(time_s >= killed for time_s, _ in one.deaths))
        self.overloaded = sum(1 for one in series.values() if one.overloads)
        self.max_stress = max(one.max_stress for one in series.values())
        self.max_stress_after = max((value for one in series.values() for time_s, value in zip(one.times, one.stress)
                                     if time_s >= killed), default=0.0)

    def since_back(self, moments):
        return [moment - self.back for moment in moments.values()]

    def waits(self):
        """From a person's own login to media."""
        return [moment - self.logins[number] for number, moment in self.media.items() if number in self.logins]


class Incident(Runner):
    poll_s = 0.5

    def __init__(self, scene, sizes, capacities, arguments):
        super().__init__(scene, describe_bridges)
        self.sizes, self.capacities, self.arguments = sizes, capacities, arguments
        self.before, self.log_before = {}, 0
        self.rss_mb = 0.0
        self.everybody_back = False

    def watch(self, phase):
        status = super().watch(phase)
        self.rss_mb = max(self.rss_mb, self.scene.usage()["bascule_rss_mb"])
        return status

    def run(self):
        scene = self.scene
        scene.start_servers()
        self.extra["ready_s"] = scene.start_daemon()
        self.progress.say(f"{len(scene.bridges)} bridges of {min(self.capacities):.0f} to "
                          f"{max(self.capacities):.0f} units, {scene.focus.program} is ready; "
                          f"{scene.participants} people in {len(self.sizes)} conferences arrive over "
                          f"{self.arguments.arrival:.0f} s")
        self.extra["idle_rss_mb"] = scene.usage()["bascule_rss_mb"]
        scene.start_clients()
        scene.clients.ask("phase arrival")
        scene.mark("arrival")
        self.extra["arrival_s"] = self.until_everybody_is_in("arrival", self.arguments.arrival + ARRIVAL_DEADLINE_S)
        scene.mark("all in")
        self.settle("load builds up", self.arguments.steady)
        self.extra["steady_load"] = self.fleet_load()
        self.extra["steady_rss_mb"] = scene.usage()["bascule_rss_mb"]
        killed, back = self.break_it()
        self.recover()
        if self.everybody_back:
            self.settle("load builds up", max(AFTERMATH_S, back + STATS_STOPPED_S + 5 - scene.now()))
        self.finish(killed, back)

    def fleet_load(self):
        """Share of the capacity of all bridges that is used."""
        bridges = self.scene.bridge_status()
        used = sum(bridge["stress"] * self.capacities[number - 1] for number, bridge in bridges.items())
        return used / sum(self.capacities)

    def break_it(self):
        scene = self.scene
        scene.clients.ask("phase incident")
        self.before = scene.usage()
        self.log_before = scene.daemon.log.stat().st_size
        killed = scene.now()
        scene.mark("Prosody killed")
        scene.kill_prosody()
        scene.break_bridges(f"stats stopped for {STATS_STOPPED_S}s")
        if scene.prosody.forget_pubsub() == 0:
            raise RunFailed("there was no pubsub node to lose")
        self.settle("Prosody is dead", PROSODY_DOWN_S)
        scene.prosody.start()
        scene.mark("back")
        return killed, scene.now()

    def recover(self):
        """A focus that lets bridges die may never get there; that is the result then, not the end of the run."""
        try:
            self.until_everybody_is_in("everybody returns", self.arguments.patience)
            self.everybody_back = True
            self.scene.mark("all back")
        except RunFailed as failed:
            self.progress.say(str(failed))

    def finish(self, killed, back):
        scene = self.scene
        stranded = scene.stranded()
        status = scene.clients.ask("status", timeout=30)
        after = scene.usage()
        scene.ended = scene.now()
        self.extra.update(after, peak_rss_mb=self.rss_mb)
        for program in ("bascule", "prosody"):
            self.extra[f"incident_{program}_cpu_s"] = after[f"{program}_cpu_s"] - self.before[f"{program}_cpu_s"]
        summary, clients_code = scene.clients.quit(timeout=60)
        complaints = [(scene.clients, clients_code)] + [(host, host.quit()[1]) for host in scene.live_hosts()]
        daemon_code = scene.daemon.stop()
        record = Record(scene, killed, back)
        self.account(record, status, summary, stranded)
        self.judge(record, stranded, complaints, daemon_code)

    def queue_waits(self):
        """Seconds each placement since the kill had waited in the queue of the focus, by its own log."""
        with open(self.scene.daemon.log, encoding="utf-8") as log:
            log.seek(self.log_before)
            return [int(found.group(1)) / 1000 for found in re.finditer(r" bridge\.placed .* waited=(\d+)", log.read())]

    def account(self, record, status, summary, stranded):
        recovery, waits = record.since_back(record.media), record.waits()
        queue = self.queue_waits()
        last_login = max(record.since_back(record.logins), default=0.0)
        self.figures.update({
            "participants": self.scene.participants, "conferences": len(self.sizes),
            "bridges": len(self.scene.bridges), "steady_load": self.extra["steady_load"],
            "bridges_died": record.bridges_died, "deaths": record.deaths, "deaths_before": record.deaths_before,
            "bridges_overloaded": record.overloaded,
            "max_bridge_stress": record.max_stress, "max_bridge_stress_incident": record.max_stress_after,
            "placed": status["participants"] - len(stranded), "had_media_again": len(record.media),
            "refused": summary["refused"], "moved": summary["moved"], "restarts": summary["restarts"],
            "deferred": summary["deferred"],
            "last_login_s": last_login, "last_in_room_s": max(record.since_back(record.rooms), default=0.0),
            "recovery_p50_s": percentile(recovery, 0.50), "recovery_p99_s": percentile(recovery, 0.99),
            "recovery_max_s": max(recovery, default=None),
            "wait_p50_s": percentile(waits, 0.50), "wait_p99_s": percentile(waits, 0.99),
            "queue_wait_p50_s": percentile(queue, 0.50), "queue_wait_p99_s": percentile(queue, 0.99),
            "queue_wait_max_s": max(queue, default=None),
            "fluid_limit_s": max(last_login, self.join_work_s()), "join_work_s": self.join_work_s(),
        })

    def join_work_s(self):
        """What it takes the bridges to let everybody in, spread evenly, if everybody came at once."""
        return self.scene.participants * JOIN_STRESS_SECONDS / len(self.capacities)

    def judge(self, record, stranded, complaints, daemon_code):
        if self.arguments.naive:
            if record.deaths == 0:
                raise RunFailed("the naive focus killed no bridge: the scenario proves nothing")
            return
        if record.deaths or record.deaths_before:
            raise RunFailed(f"{record.bridges_died} bridges died")
        if not self.everybody_back or stranded or len(record.media) < self.scene.participants:
            raise RunFailed(f"{len(stranded)} participants have no media at the end, "
                            f"{self.scene.participants - len(record.media)} never had any after the incident")
        if record.max_stress > 1.0:
            raise RunFailed(f"a bridge reached a true load of {record.max_stress:.3f}")
        for peer, code in complaints:
            if code != 0:
                raise RunFailed(f"{peer.name} found fault with the focus: {(peer.violations() or ['see its log'])[0]}")
        if daemon_code != 0:
            raise RunFailed(f"{self.scene.focus.program} exited with {daemon_code} at the end")


FIGURES = ("participants", "conferences", "bridges", "steady_load", "bridges_died", "deaths", "deaths_before",
           "bridges_overloaded", "max_bridge_stress", "max_bridge_stress_incident", "placed", "had_media_again",
           "refused", "moved", "restarts", "deferred", "last_login_s", "last_in_room_s", "recovery_p50_s",
           "recovery_p99_s", "recovery_max_s", "wait_p50_s", "wait_p99_s", "queue_wait_p50_s", "queue_wait_p99_s",
           "queue_wait_max_s", "fluid_limit_s", "join_work_s",
           "arrival_s", "idle_rss_mb", "steady_rss_mb", "peak_rss_mb", "bascule_rss_mb", "bascule_cpu_s",
           "incident_bascule_cpu_s", "prosody_cpu_s", "incident_prosody_cpu_s", "prosody_rss_mb")


def parse_arguments():
    parser = argument_parser(__doc__)
    parser.add_argument("--participants", type=int, default=1500)
    parser.add_argument("--bridges", type=int, default=20)
    parser.add_argument("--mixed", action="store_true",
                        help="of four bridges one has half and one double the capacity of the others")
    parser.add_argument("--arrival", type=float, metavar="SECONDS",
                        help="first arrivals are spread over it; default: 40 a second, at least 5 s")
    parser.add_argument("--filtered", action="store_true",
                        help="bridges publish only what JVB's stats filter lets through (a third of the server's work)")
    parser.add_argument("--steady", type=float, default=30, metavar="SECONDS",
                        help="between the arrival and the incident: ramp, sampler and report of those who came last")
    parser.add_argument("--patience", type=float, default=120, metavar="SECONDS", help="everybody must be back by then")
    parser.add_argument("--largest-share", type=float, default=0.5,
                        help="of one bridge: no conference is larger")
    parser.add_argument("--selection", action="append", default=[], metavar="LINE",
                        help="for the section [selection] of the focus's configuration; more than once")
    parser.add_argument("--naive", action="store_true", help="a focus that trusts the reports, instead of bascule")
    arguments = parser.parse_args()
    if arguments.bridges < 2 or arguments.participants < 4 * arguments.bridges:
        parser.error("at least 2 bridges, and 4 participants for each")
    if arguments.arrival is None:
        arguments.arrival = max(5.0, arguments.participants / 40)
    return arguments


def capacities(bridges, units, mixed):
    """Units that fill each bridge, by its number, so that `units` are FLEET_LOAD of all."""
    shares = [(0.5, 1.0, 1.0, 2.0)[number % 4] if mixed else 1.0 for number in range(bridges)]
    return [units / FLEET_LOAD * share / sum(shares) for share in shares]


def largest_conference(participants, bridges, share):
    """The largest conference that is not more than this share of a bridge."""
    mean_units = 1.14  # of a participant
    bridge = participants * mean_units / FLEET_LOAD / bridges
    return max(size for size in range(2, 61) if size == 2 or load_units(size) <= share * bridge)


def build(arguments, logs):
    largest = largest_conference(arguments.participants, arguments.bridges, arguments.largest_share)
    sizes = room_sizes(arguments.participants, largest, arguments.seed)
    each = capacities(arguments.bridges, sum(map(load_units, sizes)), arguments.mixed)
    fleet = Fleet(arguments.bridges, [
        "--capacity", ",".join(f"{capacity:.2f}" for capacity in each), "--overload-model",
        f"storm,join={JOIN_STRESS_SECONDS * sum(each) / len(each):.3f}",
        "--participant-stress", f"{len(each) / sum(each):.4f}",
        "--limit", 1.0, "--pubsub-node", PUBSUB_NODE,
        *(["--whitelist"] if arguments.filtered else [])], process_each=False)
    crowd = Crowd(arguments.participants, len(sizes), [
        "--room-sizes", ",".join(map(str, sizes)), "--spread", arguments.arrival, "--visibility-grace", 30,
        "--reconnect-min", PROSODY_DOWN_S, "--reconnect-max", PROSODY_DOWN_S + RETURN_SPREAD_S])
    focus = Focus("bascule-naive" if arguments.naive else "bascule",
                  f'pubsub-service = "pubsub.bascule.test"\npubsub-node = "{PUBSUB_NODE}"',
                  "\n".join(arguments.selection), SERVER_SETTINGS)
    scene = Scene(arguments.bindir.resolve(), logs, fleet, crowd, focus, arguments.seed)
    return Incident(scene, sizes, each, arguments)


def main():
    arguments = parse_arguments()
    began = time.monotonic()

    def finish(incident, page, failure):
        scene = incident.scene
        figures = report.rounded({**incident.extra, **incident.figures}, FIGURES)
        who = "a focus that trusts the reports" if arguments.naive else "bascule"
        page.write_text(report.render(scene, report.Page(
            title="The incident, replayed",
            intro=f"{scene.participants} participants in {scene.crowd.rooms} conferences on {len(scene.bridges)} "
                  f"bridges at 60 % load, with {who}. Prosody is killed and restarted, everybody returns within "
                  f"{RETURN_SPREAD_S:.0f} s, and no bridge publishes statistics for {STATS_STOPPED_S} s.",
            claim="As expected of a focus that trusts the reports, bridges died." if arguments.naive else
                  "No bridge died, none was over its limit, and everybody has media again.",
            figures=figures, extra={}), failure), encoding="utf-8")
        incident.print_table(list(figures.items()))
        print(f"took {time.monotonic() - began:.0f} s")
        if arguments.json:
            result = {"focus": scene.focus.program, "passed": failure is None, "failure": failure, **figures}
            arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")

    return conduct("incident", arguments, lambda logs: build(arguments, logs), finish)


if __name__ == "__main__":
    sys.exit(main())
