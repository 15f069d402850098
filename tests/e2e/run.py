#!/usr/bin/env python3
"""A real browser with a real lib-jitsi-meet against Prosody, simulated bridges and bascule, all on loopback.

Without options the life of a meeting, step by step. With --joins N how long it takes to join. With --serve nothing is
done: the servers run until Ctrl-C, for a browser of your own.
"""

import argparse
import json
import pathlib
import signal
import sys

import stage as servers
import joins
from scenario import Meeting
from steps import missing_tools, with_logs


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindir", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--joins", type=int, metavar="N", help="measure N joins instead")
    parser.add_argument("--transport", choices=("websocket", "bosh"), default="websocket",
                        help="of --joins and --serve")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures of --joins here")
    parser.add_argument("--serve", action="store_true", help="only run the servers, until Ctrl-C")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    return parser.parse_args()


def serve(stage, arguments):
    print(f"{stage.address('lobby', transport=arguments.transport)}\nCtrl-C ends it.", flush=True)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        print()


def perform(stage, arguments):
    if arguments.serve:
        serve(stage, arguments)
        return
    stage.start_browser()
    print(f"Chromium {stage.browser.version}", flush=True)
    if arguments.joins:
        figures = joins.measure(stage, arguments.joins, arguments.transport)
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        return
    meeting = Meeting(stage)
    try:
        meeting.run()
    except Exception:
        meeting.describe()
        raise
    print(f"{meeting.passed} steps, all ok")


def main():
    arguments = parse_arguments()
    if missing_tools():
        return 2

    def work(logs):
        stage = servers.Stage(arguments.bindir.resolve(), logs)
        try:
            stage.start()
            perform(stage, arguments)
        finally:
            stage.stop()

    return with_logs("bascule-e2e-", work, arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
