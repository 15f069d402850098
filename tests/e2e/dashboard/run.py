#!/usr/bin/env python3
"""The dashboard in a real browser: every state with a daemon that is not there, and a drain with one that is.

Screenshots of every place are kept in the folder of --shots, for eyes.
"""

import argparse
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent), str(FOLDER.parents[1] / "demo")]

# pylint: disable=wrong-import-position
from browser import Browser
from on_daemon import OnDaemon
from on_fake import PARTS, OnFake
from steps import missing_tools, with_logs


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindir", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--shots", type=pathlib.Path, required=True, help="where screenshots go")
    parser.add_argument("--only", choices=["daemon", *PARTS], help="the real daemon, or one part of what the fake shows")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if missing_tools():
        return 2
    arguments.shots.mkdir(parents=True, exist_ok=True)

    def work(logs):
        browser = Browser(logs / "browser.log")
        try:
            print(f"Chromium {browser.version}", flush=True)
            for part in [arguments.only] if arguments.only else ["daemon", *PARTS]:
                if part == "daemon":
                    OnDaemon(browser, arguments.shots, arguments.bindir.resolve(), logs).run()
                else:
                    getattr(OnFake(browser, arguments.shots), part)()
        finally:
            browser.stop()
        print(f"screenshots: {arguments.shots}")

    return with_logs("bascule-dashboard-", work, arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
