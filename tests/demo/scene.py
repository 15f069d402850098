"""What a run is made of: Prosody, bridges, the daemon, the participants; how it is looked at and broken."""

import dataclasses
import pathlib
import time

from children import cpu_seconds, rss_megabytes
from daemon import Daemon
from peer import Peer
from prosody import Prosody


@dataclasses.dataclass
class Fleet:
    """`options` are those of bascule-bridgesim. Bridges with a process each can be killed one by one."""
    bridges: int
    options: list
    process_each: bool = True


@dataclasses.dataclass
class Crowd:
    """`options` are those of bascule-clientsim."""
    participants: int
    rooms: int
    options: list


@dataclasses.dataclass
class Focus:
    """The program under test, lines for sections of its configuration, and what it asks of the server."""
    program: str = "bascule"
    service_settings: str = ""
    selection_settings: str = ""
    server_settings: str = ""  # a line for the global section of Prosody's configuration
    client_settings: str = ""
    environment: dict = dataclasses.field(default_factory=dict)
    state: pathlib.Path = None  # its state directory; else one in the folder of the run


class Scene:
    def __init__(self, bindir, folder, fleet, crowd, focus=Focus(), seed=1):
        self.bindir = bindir
        self.folder = folder
        self.fleet, self.crowd, self.focus = fleet, crowd, focus
        self.seed = seed
        self.began = time.monotonic()
        self.ended = None  # what comes later is taking it all down
        self.marks = []  # (seconds since the beginning, text)
        self.prosody_cpu_s = 0.0  # of servers that have been killed
        self.hosts, self.clients, self.daemon, self.prosody = {}, None, None, None
        self.dead_bridges = set()

    @property
    def participants(self):
        return self.crowd.participants

    @property
    def bridges(self):
        return range(1, self.fleet.bridges + 1)

    def now(self):
        return time.monotonic() - self.began

    def mark(self, text):
        self.marks.append((self.now(), text))

    # --- starting ---------------------------------------------------------------------------------

    def start_servers(self):
        """Prosody and the bridges; returns when every bridge is in the brewery."""
        (self.folder / "prosody").mkdir()
        self.prosody = Prosody(self.folder / "prosody", self.focus.server_settings)
        self.prosody.start()
        if self.fleet.process_each:
            for number in self.bridges:
                self.hosts[number] = self._start_bridges(f"bridge{number}", number, 1)
        else:
            self.hosts[1] = self._start_bridges("bridges", 1, self.fleet.bridges)
        self._wait(lambda: all(status["joined"] for status in self.bridge_status().values()), 20,
                   "the bridges in the brewery")

    def _start_bridges(self, name, first, count):
        return Peer(name, [self.bindir / "bascule-bridgesim", *self._address(), "--password",
                           self.prosody.passwords["jvb"], "--bridges", count, "--first-id", first, "--seed", self.seed,
                           *self.fleet.options], self.folder)

    def start_daemon(self):
        """Returns the seconds from start to ready."""
        self.daemon = Daemon(self.bindir / self.focus.program, self.folder / "bascule", self.prosody,
                             self.focus.service_settings, self.focus.selection_settings,
                             self.focus.client_settings, self.focus.environment, self.focus.state)
        return self.daemon.start()

    def start_clients(self):
        self.clients = Peer("clients", [self.bindir / "bascule-clientsim", *self._address(), "--seed", self.seed,
                                        *self.crowd.options], self.folder)

    def _address(self):
        return ["--port", self.prosody.c2s_port, "--domain", self.prosody.domain]

    def _wait(self, condition, deadline_s, what):
        deadline = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {deadline_s} s for {what}")
            time.sleep(0.05)

    # --- looking ----------------------------------------------------------------------------------

    def live_hosts(self):
        """The processes with bridges that have not been killed."""
        return [host for number, host in self.hosts.items() if number not in self.dead_bridges]

    def bridge_status(self):
        return {status["bridge"]: status for host in self.live_hosts() for status in host.ask("status")["bridges"]}

    def stranded(self):
        """Participants without media, or whose bridge does not list them."""
        held = {}
        for host in self.live_hosts():
            for report in host.ask("endpoints")["bridges"]:
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
        port = self.hosts[number].ask("endpoints")["bridges"][0]["port"]
        self.hosts[number].kill()
        self.dead_bridges.add(number)
        self.clients.ask(f"bridge-dead {port}")

    def break_bridges(self, fault):
        """A fault of tests/peers/README.md for every bridge that is alive."""
        for host in self.live_hosts():
            host.ask(f"bridge all {fault}")

    def kill_prosody(self):
        self.prosody_cpu_s += cpu_seconds(self.prosody.pid)
        self.prosody.kill()

    def stop(self):
        for peer in (self.clients, *self.hosts.values()):
            if peer is not None:
                peer.stop()
        for program in (self.daemon, self.prosody):
            if program is not None:
                program.stop()
