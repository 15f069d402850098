"""Everything the demo runs: Prosody, bridges (one process each), the daemon, the participants."""

import time

from children import cpu_seconds, rss_megabytes
from daemon import Daemon
from peer import Peer
from prosody import Prosody

# Unequal machines: endpoints of a large conference that fill each bridge.
CAPACITIES = (80, 100, 120, 140)
OVERLOAD_STRESS = 1.0


class Scene:
    def __init__(self, bindir, folder, rooms, per_room, arrival_s, seed):
        self.bindir = bindir
        self.folder = folder
        self.rooms, self.per_room = rooms, per_room
        self.arrival_s = arrival_s
        self.seed = seed
        self.began = time.monotonic()
        self.ended = None  # what comes later is taking it all down
        self.marks = []  # (seconds since the beginning, text)
        self.prosody_cpu_s = 0.0  # of servers that have been killed
        self.bridges, self.clients, self.daemon, self.prosody = {}, None, None, None
        self.dead_bridges = set()

    @property
    def participants(self):
        return self.rooms * self.per_room

    def now(self):
        return time.monotonic() - self.began

    def mark(self, text):
        self.marks.append((self.now(), text))

    def start_servers(self):
        """Prosody and the bridges; returns when every bridge is in the brewery."""
        (self.folder / "prosody").mkdir()
        self.prosody = Prosody(self.folder / "prosody")
        self.prosody.start()
        for number in range(1, len(CAPACITIES) + 1):
            self.bridges[number] = Peer(f"bridge{number}", [
                self.bindir / "bascule-bridgesim", *self._address(), "--password", self.prosody.passwords["jvb"],
                "--bridges", 1, "--first-id", number, "--capacity", ",".join(map(str, CAPACITIES)),
                "--limit", OVERLOAD_STRESS, "--seed", self.seed], self.folder)
        self._wait(lambda: all(self._bridge_status(bridge)["joined"] for bridge in self.bridges.values()),
                   10, "the bridges in the brewery")

    def start_daemon(self):
        """Returns the seconds from start to ready."""
        self.daemon = Daemon(self.bindir / "bascule", self.folder / "bascule", self.prosody)
        return self.daemon.start()

    def start_clients(self):
        self.clients = Peer("clients", [
            self.bindir / "bascule-clientsim", *self._address(), "--rooms", self.rooms, "--per-room", self.per_room,
            "--spread", self.arrival_s, "--reload-min", 0, "--reload-max", 20, "--seed", self.seed], self.folder)

    def _address(self):
        return ["--port", self.prosody.c2s_port, "--domain", self.prosody.domain]

    @staticmethod
    def _bridge_status(bridge):
        return bridge.ask("status")["bridges"][0]

    def _wait(self, condition, deadline_s, what):
        deadline = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {deadline_s} s for {what}")
            time.sleep(0.05)

    # --- looking ----------------------------------------------------------------------------------

    def live_bridges(self):
        return {number: bridge for number, bridge in self.bridges.items() if number not in self.dead_bridges}

    def bridge_status(self):
        return {number: self._bridge_status(bridge) for number, bridge in self.live_bridges().items()}

    def stranded(self):
        """Participants without media, or whose bridge does not list them."""
        held = {}
        for bridge in self.live_bridges().values():
            for report in bridge.ask("endpoints")["bridges"]:
                held[report["port"]] = {(one["room"], one["id"]) for one in report["endpoints"]}
        return [one for one in self.clients.ask("sessions")["sessions"]
                if not one["media"] or (one["room"], one["id"]) not in held.get(one["port"], set())]

    def endpoints_held(self):
        return sum(status["participants"] for status in self.bridge_status().values())

    def usage(self):
        """CPU seconds and resident megabytes so far."""
        return {"bascule_cpu_s": cpu_seconds(self.daemon.pid),
                "prosody_cpu_s": self.prosody_cpu_s + cpu_seconds(self.prosody.pid),
                "bascule_rss_mb": rss_megabytes(self.daemon.pid), "prosody_rss_mb": rss_megabytes(self.prosody.pid)}

    # --- breaking ---------------------------------------------------------------------------------

    def kill_bridge(self, number):
        """SIGKILL; the participants are told when, to measure from there. They notice by themselves."""
        port = self.bridges[number].ask("endpoints")["bridges"][0]["port"]
        self.bridges[number].kill()
        self.dead_bridges.add(number)
        self.clients.ask(f"bridge-dead {port}")

    def kill_prosody(self):
        self.prosody_cpu_s += cpu_seconds(self.prosody.pid)
        self.prosody.kill()

    def stop(self):
        for peer in (self.clients, *self.bridges.values()):
            if peer is not None:
                peer.stop()
        for program in (self.daemon, self.prosody):
            if program is not None:
                program.stop()
