"""What every run does while it waits: it looks, shows a line a second and gives up in time."""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import time


class RunFailed(Exception):
    """What went wrong, in one line."""


class Progress:
    """One line a second; rewritten in place on a terminal. `describe(bridge_status)` words the fleet."""

    def __init__(self, scene, describe):
        self.scene = scene
        self.describe = describe
        self.next = 0.0
        self.live = sys.stdout.isatty()

    def show(self, status, phase):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + 1
        line = (f"{self.scene.now():5.1f} s  {phase:22s}  in room {status['in_room']:3d}  "
                f"with media {status['with_media']:3d}/{status['participants']}  "
                f"bridges [{self.describe(self.scene.bridge_status())}]")
        print("\r\033[K" + line if self.live else line, end="" if self.live else "\n", flush=True)

    def say(self, text):
        print(("\r\033[K" if self.live else "") + text, flush=True)


class Runner:
    poll_s = 0.2

    def __init__(self, scene, describe):
        self.scene = scene
        self.progress = Progress(scene, describe)
        self.figures = {}
        self.extra = {}

    def watch(self, phase):
        if not self.scene.daemon.alive:
            raise RunFailed(f"the focus exited with {self.scene.daemon.process.returncode}")
        status = self.scene.clients.ask("status", timeout=30)
        self.progress.show(status, phase)
        return status

    def everybody_is_in(self, status):
        return status["with_media"] == self.scene.participants and not self.scene.stranded()

    def until_everybody_is_in(self, phase, deadline_s):
        """Returns the seconds it took until nobody was stranded."""
        began = time.monotonic()
        while True:
            status = self.watch(phase)
            if self.everybody_is_in(status):
                return time.monotonic() - began
            if time.monotonic() - began > deadline_s:
                raise RunFailed(f"{phase}: {status['with_media']} of {self.scene.participants} participants have media "
                                f"after {deadline_s} s")
            time.sleep(self.poll_s / 2)

    def settle(self, phase, seconds):
        """Lets load build up; not waiting for anything in particular."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch(phase)
            time.sleep(self.poll_s)

    def print_table(self, rows):
        width = max((len(key) for key, _ in rows), default=0)
        print()
        for key, value in rows:
            print(f"  {key:{width}s}  {value}")
        print()


def argument_parser(description):
    """What all runs have in common."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindir", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="write the HTML report here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and events")
    return parser


def conduct(name, arguments, make_runner, finish):
    """Runs `make_runner(logs).run()` in a folder of its own, and whatever happens takes everything down, then calls
    `finish(runner, page, failure)`, which writes and prints the results. Returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bascule-{name}-"))
    logs = folder / "run"
    logs.mkdir()
    runner = make_runner(logs)
    failure = None
    try:
        runner.run()
    except KeyboardInterrupt:
        failure = "interrupted"
    except Exception as error:  # Whatever it was: clean up, tell, exit non-zero.
        failure = str(error) or type(error).__name__
    finally:
        runner.scene.stop()
    page = arguments.report or folder / "report.html"
    finish(runner, page, failure)
    print(f"report: {page}")
    if failure:
        print(f"FAILED: {failure}\nlogs: {logs}", file=sys.stderr)
        return 130 if failure == "interrupted" else 1
    if arguments.keep:
        print(f"logs: {logs}")
    else:
        shutil.rmtree(logs)
    return 0
