#!/usr/bin/env python3
"""The main job in front of your eyes: 200 participants in 40 rooms join, a bridge is killed, Prosody is killed.

Everything is real except media: Prosody, the bascule daemon, four simulated bridges and the participants are
processes of their own on loopback ports, in a folder of their own, and end with this program.
"""

import json
import sys
import time

import report
from runner import RunFailed, Runner, argument_parser, conduct
from scene import Crowd, Fleet, Scene

PHASE_DEADLINE_S = 60
SETTLE_S = 9         # after (a) and (b): the load of new participants builds up over 15 s
PROSODY_DOWN_S = 1.5
VICTIM = 2
# Unequal machines: endpoints of a large conference that fill each bridge.
CAPACITIES = (80, 100, 120, 140)
OVERLOAD_STRESS = 1.0


def describe_bridges(bridges):
    return "  ".join(f"{bridges[number]['participants']:3d} {bridges[number]['stress']:4.2f}"
                     if number in bridges else "  --- dead" for number in range(1, len(CAPACITIES) + 1))


class Demo(Runner):
    def __init__(self, scene, arrival_s):
        super().__init__(scene, describe_bridges)
        self.arrival_s = arrival_s

    def run(self):
        scene = self.scene
        scene.start_servers()
        self.progress.say(f"Prosody on port {scene.prosody.c2s_port}, {len(scene.bridges)} bridges in the brewery")
        self.extra["ready_s"] = scene.start_daemon()
        self.extra["idle_rss_mb"] = scene.usage()["bascule_rss_mb"]
        self.progress.say(f"bascule ready after {self.extra['ready_s']:.2f} s")

        scene.start_clients()
        scene.clients.ask("phase arrival")
        scene.mark("arrival")
        took = self.until_everybody_is_in("(a) arrival", PHASE_DEADLINE_S)
        self.progress.say(f"(a) everybody in after {took:.1f} s (arrivals are spread over {self.arrival_s} s)")
        self.extra["arrival_s"] = took
        self.settle("(a) load builds up", SETTLE_S)

        on_victim = scene.bridge_status()[VICTIM]["participants"]
        scene.clients.ask("phase bridge-death")
        scene.mark(f"bridge {VICTIM} killed")
        moved_before = scene.clients.ask("status")["moved"]
        scene.kill_bridge(VICTIM)
        took = self.until_everybody_is_in("(b) bridge killed", PHASE_DEADLINE_S)
        moved = scene.clients.ask("status")["moved"] - moved_before
        self.progress.say(f"(b) bridge {VICTIM} killed with {on_victim} participants: {moved} moved after {took:.1f} s")
        self.extra.update(evacuation_s=took, on_killed_bridge=on_victim)
        if moved < on_victim:
            raise RunFailed(f"only {moved} of {on_victim} participants were moved")
        self.settle("(b) load builds up", SETTLE_S)

        scene.clients.ask("phase server-death")
        scene.mark("Prosody killed")
        killed = time.monotonic()
        scene.kill_prosody()
        self.settle("(c) Prosody is dead", PROSODY_DOWN_S)
        scene.prosody.start()
        scene.mark("Prosody restarted")
        self.until_everybody_is_in("(c) reloading", PHASE_DEADLINE_S)
        self.figures["recovery_s"] = time.monotonic() - killed
        scene.mark("everybody back")
        self.progress.say(f"(c) everybody back {self.figures['recovery_s']:.1f} s after Prosody was killed "
                          "(pages reload 0-20 s after they notice)")
        self.settle("(c) load builds up", SETTLE_S)
        self.finish()

    def finish(self):
        """The last look, then an orderly end whose exit codes count."""
        scene = self.scene
        stranded = scene.stranded()
        status = scene.clients.ask("status")
        self.extra["endpoints_left_over"] = scene.endpoints_held() - (status["participants"] - len(stranded))
        self.extra.update(scene.usage())
        bridges = scene.bridge_status()
        scene.ended = scene.now()
        summary, clients_code = scene.clients.quit()
        complaints = [("clients", clients_code, scene.clients)]
        for bridge in scene.live_hosts():
            complaints.append((bridge.name, bridge.quit()[1], bridge))
        daemon_code = scene.daemon.stop()
        latency = summary["latency_ms"]
        ever = report.bridge_series(scene)
        self.figures.update({
            "participants": status["participants"],
            "placed": status["participants"] - len(stranded),
            "accepted": status["active"],
            "moved": summary["moved"],
            "refused": summary["refused"],
            "bridges_overloaded": sum(1 for series in ever.values() if series.overloads),
            "max_bridge_stress": max([series.max_stress for series in ever.values()] +
                                     [one["max_stress"] for one in bridges.values()]),
            "invite_p50_ms": latency["invite"]["arrival"]["p50"],
            "invite_p99_ms": latency["invite"]["arrival"]["p99"],
            "move_p99_ms": latency["move"]["bridge-death"]["p99"],
        })
        self.extra["latency_ms"] = latency
        self.extra["counters"] = {key: summary[key] for key in (
            "requests", "deferred", "invites", "accepts", "reloads", "restarts", "source_messages")}
        if stranded:
            raise RunFailed(f"{len(stranded)} participants have no active session on a live bridge, for example "
                            f"{stranded[0]}")
        for name, code, peer in complaints:
            if code != 0:
                raise RunFailed(f"{name} found fault with the focus: {(peer.violations() or ['see its log'])[0]}")
        if self.figures["bridges_overloaded"]:
            raise RunFailed(f"{self.figures['bridges_overloaded']} bridges were over their limit")
        if daemon_code != 0:
            raise RunFailed(f"bascule exited with {daemon_code} at the end")


FIGURES = ("participants", "placed", "accepted", "moved", "refused", "bridges_overloaded", "max_bridge_stress",
           "invite_p50_ms", "invite_p99_ms", "move_p99_ms", "recovery_s")
EXTRA = ("ready_s", "arrival_s", "evacuation_s", "idle_rss_mb", "bascule_rss_mb", "bascule_cpu_s", "prosody_cpu_s",
         "prosody_rss_mb", "endpoints_left_over")


def parse_arguments():
    parser = argument_parser(__doc__)
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--per-room", type=int, default=5)
    parser.add_argument("--arrival", type=float, default=10, metavar="SECONDS", help="arrivals are spread over it")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    def make_runner(logs):
        fleet = Fleet(len(CAPACITIES), ["--capacity", ",".join(map(str, CAPACITIES)), "--limit", OVERLOAD_STRESS])
        crowd = Crowd(arguments.rooms * arguments.per_room, arguments.rooms, [
            "--rooms", arguments.rooms, "--per-room", arguments.per_room, "--spread", arguments.arrival,
            "--reload-min", 0, "--reload-max", 20])
        return Demo(Scene(arguments.bindir.resolve(), logs, fleet, crowd, seed=arguments.seed), arguments.arrival)

    def finish(demo, page, failure):
        scene = demo.scene
        figures = report.rounded(demo.figures, FIGURES)
        page.write_text(report.render(scene, report.Page(
            title="Bascule demo",
            intro=f"{scene.participants} participants in {scene.crowd.rooms} rooms on {len(scene.bridges)} bridges of "
                  "unequal size; a bridge is killed, then Prosody is killed and restarted.",
            claim="Everybody who is present has media on a live bridge, and no bridge was over its limit.",
            figures=figures, extra=demo.extra), failure), encoding="utf-8")
        demo.print_table(list(figures.items()) +
                         [(key, round(demo.extra[key], 2)) for key in EXTRA if key in demo.extra])
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    return conduct("demo", arguments, make_runner, finish)


if __name__ == "__main__":
    sys.exit(main())
