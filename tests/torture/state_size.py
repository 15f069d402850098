#!/usr/bin/env python3
"""How large state.db is for so many participants, and what keeping it costs a join.

The same arrival several times, each with a new server and a new state directory: on the disk, in memory (/dev/shm: what
the disk costs), and on the disk without XEP-0198 (what storing the stanzas of the client link costs). A focus without state
does not exist. CPU time and bytes written are those of the daemon; a join is from a person's presence to the offer.
"""

import pathlib
import shutil
import sqlite3
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "demo"))

# pylint: disable=wrong-import-position
from meetings import room_sizes
from runner import Runner, RunFailed, argument_parser, conduct
from scene import Crowd, Fleet, Focus, Scene

BRIDGES = 8
LARGEST_ROOM = 30
ARRIVALS_PER_S = 25
PATIENCE_S = 120
SERVER_SETTINGS = 'gc = { mode = "generational" }; network_default_read_size = 4194304'
WAYS = ("on disk", "in memory", "without XEP-0198")
MEMORY = pathlib.Path("/dev/shm")


def process_counters(pid):
    """CPU seconds; bytes given to the kernel and bytes sent to the disk."""
    lines = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines())
    cpu = sum(int((task / "schedstat").read_text(encoding="ascii").split()[0])
              for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9
    return {"cpu_s": cpu, "written_kb": int(lines["wchar"]) / 1e3, "to_disk_kb": int(lines["write_bytes"]) / 1e3}


def database_size(path):
    """After what is in the write-ahead log was put into the file: its size, and what of it is in use (bytes)."""
    database = sqlite3.connect(path)
    try:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, size = (database.execute(f"PRAGMA {name}").fetchone()[0]
                             for name in ("page_count", "freelist_count", "page_size"))
    finally:
        database.close()
    return pages * size, (pages - free) * size


class Arrival(Runner):
    """Everybody comes; then the focus is left as for an upgrade, and its file is looked at."""

    def run(self):
        scene = self.scene
        scene.start_servers()
        scene.start_daemon()
        before = process_counters(scene.daemon.pid)
        scene.start_clients()
        self.until_everybody_is_in("arrival", scene.participants / ARRIVALS_PER_S + PATIENCE_S)
        after = process_counters(scene.daemon.pid)
        status = scene.clients.ask("status")
        if status["reloads"] or status["refused"]:
            raise RunFailed(f"{status['reloads']} reloads, {status['refused']} refusals: not the same arrival")
        if scene.daemon.suspend() != 0:
            raise RunFailed(f"the daemon exited with {scene.daemon.process.returncode}")
        size, used = database_size(scene.daemon.state / "state.db")
        summary, _ = scene.clients.quit(timeout=60)
        people = scene.participants
        self.figures.update({
            "participants": people, "rooms": scene.crowd.rooms,
            "state_db_kb_per_1000": size / 1e3 / people * 1000, "in_use_kb_per_1000": used / 1e3 / people * 1000,
            "cpu_ms_per_join": (after["cpu_s"] - before["cpu_s"]) / people * 1e3,
            "written_kb_per_join": (after["written_kb"] - before["written_kb"]) / people,
            "to_disk_kb_per_join": (after["to_disk_kb"] - before["to_disk_kb"]) / people,
            "offer_p50_ms": summary["latency_ms"]["invite"]["all"]["p50"],
            "offer_p99_ms": summary["latency_ms"]["invite"]["all"]["p99"],
            "accept_p50_ms": summary["latency_ms"]["accept"]["all"]["p50"],
            "accept_p99_ms": summary["latency_ms"]["accept"]["all"]["p99"]})


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--participants", type=int, default=500)
    parser.add_argument("--way", action="append", choices=WAYS, help="default: all")
    arguments = parser.parse_args()
    sizes = room_sizes(arguments.participants, LARGEST_ROOM, arguments.seed)
    results = {}
    for way in arguments.way or WAYS:
        memory = pathlib.Path(tempfile.mkdtemp(prefix="bascule-state-", dir=MEMORY)) if way == "in memory" else None
        focus = Focus(server_settings=SERVER_SETTINGS, selection_settings="unknown-window = 0.0",
                      client_settings="stream-management = false" if way == "without XEP-0198" else "",
                      state=memory / "state" if memory else None)
        crowd = Crowd(arguments.participants, len(sizes),
                      ["--room-sizes", ",".join(map(str, sizes)), "--spread", arguments.participants / ARRIVALS_PER_S])
        fleet = Fleet(BRIDGES, ["--capacity", 2 * arguments.participants], process_each=False)

        def make_runner(logs, focus=focus, crowd=crowd, fleet=fleet):
            return Arrival(Scene(arguments.bindir.resolve(), logs, fleet, crowd, focus, arguments.seed),
                           lambda bridges: " ".join(str(one["participants"]) for one in bridges.values()))

        def finish(runner, _page, _failure, way=way):
            results[way] = runner.figures
        try:
            if code := conduct("state", arguments, make_runner, finish):
                return code
        finally:
            if memory:
                shutil.rmtree(memory)
    print("\n  " + " " * 22 + "".join(f"{way:>18s}" for way in results))
    for key in next(iter(results.values())):
        print(f"  {key:22s}" + "".join(f"{figures[key]:18.1f}" for figures in results.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
