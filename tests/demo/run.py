#!/usr/bin/env python3
"""The main job in front of your eyes: 200 participants in 40 rooms join, a bridge is killed, Prosody is killed.

Everything is real except media: Prosody, the bascule daemon, four simulated bridges and the participants are
processes of their own on loopback ports, in a folder of their own, and end with this program.
"""

import argparse
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import report
from scene import Scene

PHASE_DEADLINE_S = 60
SETTLE_S = 9         # after (a) and (b): the load of new participants builds up over 15 s
PROSODY_DOWN_S = 1.5
VICTIM = 2


class DemoFailed(Exception):
    """What went wrong, in one line."""


class Progress:
    """One line a second; rewritten in place on a terminal."""

    def __init__(self, scene):
        self.scene = scene
        self.next = 0.0
        self.live = sys.stdout.isatty()

    def show(self, status, phase):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + 1
        bridges = self.scene.bridge_status()
        loads = "  ".join(f"{bridges[number]['participants']:3d} {bridges[number]['stress']:4.2f}"
                          if number in bridges else "  --- dead" for number in self.scene.bridges)
        line = (f"{self.scene.now():5.1f} s  {phase:22s}  in room {status['in_room']:3d}  "
                f"with media {status['with_media']:3d}/{status['participants']}  bridges [{loads}]")
        print("\r\033[K" + line if self.live else line, end="" if self.live else "\n", flush=True)

    def say(self, text):
        print(("\r\033[K" if self.live else "") + text, flush=True)


class Demo:
    def __init__(self, scene):
        self.scene = scene
        self.progress = Progress(scene)
        self.figures = {}
        self.extra = {}

    def until_everybody_is_in(self, phase, deadline_s=PHASE_DEADLINE_S):
        """Returns the seconds it took until nobody was stranded."""
        began = time.monotonic()
        while True:
            status = self.watch(phase)
            if status["with_media"] == self.scene.participants and not self.scene.stranded():
                return time.monotonic() - began
            if time.monotonic() - began > deadline_s:
                raise DemoFailed(f"{phase}: {status['with_media']} of {self.scene.participants} participants have media "
                                 f"after {deadline_s} s")
            time.sleep(0.1)

    def watch(self, phase):
        if not self.scene.daemon.alive:
            raise DemoFailed(f"bascule exited with {self.scene.daemon.process.returncode}")
        status = self.scene.clients.ask("status")
        self.progress.show(status, phase)
        return status

    def settle(self, phase, seconds):
        """Lets load build up; not waiting for anything in particular."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch(phase)
            time.sleep(0.2)

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
        took = self.until_everybody_is_in("(a) arrival")
        self.progress.say(f"(a) everybody in after {took:.1f} s (arrivals are spread over {scene.arrival_s} s)")
        self.extra["arrival_s"] = took
        self.settle("(a) load builds up", SETTLE_S)

        on_victim = scene.bridge_status()[VICTIM]["participants"]
        scene.clients.ask("phase bridge-death")
        scene.mark(f"bridge {VICTIM} killed")
        moved_before = scene.clients.ask("status")["moved"]
        scene.kill_bridge(VICTIM)
        took = self.until_everybody_is_in("(b) bridge killed")
        moved = scene.clients.ask("status")["moved"] - moved_before
        self.progress.say(f"(b) bridge {VICTIM} killed with {on_victim} participants: {moved} moved after {took:.1f} s")
        self.extra.update(evacuation_s=took, on_killed_bridge=on_victim)
        if moved < on_victim:
            raise DemoFailed(f"only {moved} of {on_victim} participants were moved")
        self.settle("(b) load builds up", SETTLE_S)

        scene.clients.ask("phase server-death")
        scene.mark("Prosody killed")
        killed = time.monotonic()
        scene.kill_prosody()
        self.settle("(c) Prosody is dead", PROSODY_DOWN_S)
        scene.prosody.start()
        scene.mark("Prosody restarted")
        self.until_everybody_is_in("(c) reloading")
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
        for number, bridge in scene.live_bridges().items():
            complaints.append((f"bridge {number}", bridge.quit()[1], bridge))
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
            raise DemoFailed(f"{len(stranded)} participants have no active session on a live bridge, for example "
                             f"{stranded[0]}")
        for name, code, peer in complaints:
            if code != 0:
                raise DemoFailed(f"{name} found fault with the focus: {(peer.violations() or ['see its log'])[0]}")
        if self.figures["bridges_overloaded"]:
            raise DemoFailed(f"{self.figures['bridges_overloaded']} bridges were over their limit")
        if daemon_code != 0:
            raise DemoFailed(f"bascule exited with {daemon_code} after SIGTERM")


FIGURES = ("participants", "placed", "accepted", "moved", "refused", "bridges_overloaded", "max_bridge_stress",
           "invite_p50_ms", "invite_p99_ms", "move_p99_ms", "recovery_s")


def rounded(figures):
    return {key: round(figures[key], 3) if isinstance(figures[key], float) else figures[key]
            for key in FIGURES if key in figures}


def print_table(demo):
    rows = list(rounded(demo.figures).items())
    rows += [(key, round(demo.extra[key], 2)) for key in (
        "ready_s", "arrival_s", "evacuation_s", "idle_rss_mb", "bascule_rss_mb", "bascule_cpu_s", "prosody_cpu_s",
        "prosody_rss_mb", "endpoints_left_over") if key in demo.extra]
    width = max(len(key) for key, _ in rows) if rows else 0
    print()
    for key, value in rows:
        print(f"  {key:{width}s}  {value}")
    print()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindir", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="write the HTML report here")
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--per-room", type=int, default=5)
    parser.add_argument("--arrival", type=float, default=10, metavar="SECONDS", help="arrivals are spread over it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and events")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bascule-demo-"))
    logs = folder / "run"
    logs.mkdir()
    scene = Scene(arguments.bindir.resolve(), logs, arguments.rooms, arguments.per_room, arguments.arrival,
                  arguments.seed)
    demo = Demo(scene)
    failure = None
    try:
        demo.run()
    except KeyboardInterrupt:
        failure = "interrupted"
    except Exception as error:  # Whatever it was: clean up, tell, exit non-zero.
        failure = str(error) or type(error).__name__
    finally:
        scene.stop()
    page = arguments.report or folder / "report.html"
    page.write_text(report.render(scene, rounded(demo.figures), demo.extra, failure), encoding="utf-8")
    print_table(demo)
    if arguments.json:
        arguments.json.write_text(json.dumps(rounded(demo.figures), indent=2) + "\n", encoding="utf-8")
    print(f"report: {page}")
    if failure:
        print(f"FAILED: {failure}\nlogs: {logs}", file=sys.stderr)
        return 130 if failure == "interrupted" else 1
    if not arguments.keep:
        shutil.rmtree(logs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
