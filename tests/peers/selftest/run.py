#!/usr/bin/env python3
"""Do the test peers work on a real Prosody, and do they notice a focus that breaks the rules?"""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "demo"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import faults  # noqa: E402
from fake_focus import FakeFocus  # noqa: E402
from peer import Peer, PeerError  # noqa: E402
from prosody import Prosody  # noqa: E402

DEADLINE_S = 20


def wait_for(what, condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise PeerError(f"{what} did not happen within {DEADLINE_S} s")
        time.sleep(0.05)


class Scene:
    """Prosody with bridges, a fake focus and participants."""

    def __init__(self, bindir, folder, mistakes=(), rooms=1, per_room=2):
        self.folder = folder
        folder.mkdir()
        (folder / "prosody").mkdir()
        self.prosody = Prosody(folder / "prosody")
        self.prosody.start()
        address = ["--port", self.prosody.c2s_port, "--domain", self.prosody.domain]
        self.bridges = Peer("bridges", [bindir / "bascule-bridgesim", *address, "--password",
                                        self.prosody.passwords["jvb"], "--bridges", 2, "--interval-ms", 500], folder)
        self.focus = FakeFocus(self.prosody, mistakes)
        self.focus.start()
        wait_for("bridge in the brewery", lambda: self.focus.seen["bridge_stats"] >= 2)
        self.clients = Peer("clients", [bindir / "bascule-clientsim", *address, "--rooms", rooms, "--per-room",
                                        per_room, "--reload-min", 1, "--reload-max", 2, "--visibility-grace", 1],
                            folder)

    def stop(self):
        for peer in (self.clients, self.bridges):
            peer.stop()
        self.focus.stop()
        self.prosody.stop()


def check(holds, text):
    if not holds:
        raise PeerError(text)


def good_focus(bindir, folder):
    """Everybody gets a session and sees the others; Prosody dies and everybody comes back."""
    scene = Scene(bindir, folder, rooms=2, per_room=3)
    try:
        def complete():
            status = scene.clients.ask("status")
            return status["with_media"] == 6 and status["pairs_seen"] == status["pairs_expected"] == 12
        wait_for("six participants seeing each other", complete)
        sessions = scene.clients.ask("sessions")["sessions"]
        bridges = {bridge["port"]: {endpoint["id"] for endpoint in bridge["endpoints"]}
                   for bridge in scene.bridges.ask("endpoints")["bridges"]}
        for session in sessions:
            check(session["id"] in bridges[session["port"]], f"{session} is not on its bridge: {bridges}")
        scene.bridges.ask("bridge 2 drain on")
        scene.prosody.kill()
        scene.focus.stop()
        scene.prosody.start()
        scene.focus = FakeFocus(scene.prosody)
        scene.focus.start()
        wait_for("everybody back after the death of Prosody", complete)
        summary, code = scene.clients.quit()
        check(code == 0 and summary["violations"] == 0, f"participants complain: {scene.clients.violations()}")
        check(summary["latency_ms"]["invite"]["all"]["n"] == 12, f"latencies: {json.dumps(summary)}")
        check(summary["reloads"] == 6, f"reloads: {summary['reloads']}")
        summary, code = scene.bridges.quit()
        check(code == 0, f"bridges complain: {scene.bridges.violations()}")
        check(scene.focus.failure is None, f"fake focus: {scene.focus.failure}")
    finally:
        scene.stop()


def bad_focus(bindir, folder, mistake, who, expected):
    """The peer must say what is wrong and exit with 1."""
    scene = Scene(bindir, folder, {mistake})
    try:
        peer = {"clients": scene.clients, "bridges": scene.bridges}[who]
        if mistake == "silent-sources":
            wait_for("sources being overdue", lambda: scene.clients.ask("status")["pairs_overdue"] > 0)
        else:
            wait_for(f"{who} noticing {mistake}", lambda: peer.ask("status")["violations"] > 0)
        _, code = peer.quit()
        found = peer.violations()
        check(any(expected in line for line in found), f"{mistake}: expected '{expected}' in {found}")
        check(code == 1, f"{mistake}: exit code {code}")
    finally:
        scene.stop()


MISTAKES = (
    ("no-source-names", "bridges", "without capability source-names"),
    ("no-rtcp-mux", "clients", "no rtcp-mux"),
    ("two-sessions", "clients", "is alive"),
    ("answers-twice", "clients", "answered twice"),
    ("refuse-accept", "clients", "session-accept refused"),
    ("wrong-msid", "clients", "is not what"),
    ("silent-sources", "clients", "pairs miss sources"),
)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bindir", type=pathlib.Path, required=True)
    bindir = arguments.parse_args().bindir.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bascule-selftest-"))
    try:
        good_focus(bindir, folder / "good")
        print("ok: a good focus")
        for mistake, who, expected in MISTAKES:
            bad_focus(bindir, folder / mistake, mistake, who, expected)
            print(f"ok: {mistake}")
        faults.run(bindir, folder / "faults")
    except Exception as error:
        print(f"FAILED: {error}\nlogs: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
