#!/usr/bin/env python3
"""Fails when the operator's manual and the code disagree about metric names or log events."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs/operations.md"


def sources() -> list[pathlib.Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard",
         "focus/*.cc", "daemon/*.cc"],
        check=True, capture_output=True, text=True).stdout.split()
    return [ROOT / path for path in listed if (ROOT / path).exists()]


def compare(what: str, in_code: set[str], in_manual: set[str]) -> list[str]:
    return ([f"{what} {name} is not in docs/operations.md" for name in sorted(in_code - in_manual)] +
            [f"docs/operations.md lists {what} {name}, which does not exist" for name in sorted(in_manual - in_code)])


def main() -> int:
    manual = MANUAL.read_text(encoding="utf-8")
    metrics_code = {name for path in sorted((ROOT / "daemon").glob("*metrics.cc"))
                    for name in re.findall(r'"(bascule_[a-z_]+)"', path.read_text(encoding="utf-8"))}
    metrics_manual = set(re.findall(r"^\| `(bascule_[a-z_]+)`", manual, re.M))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources())
    # Events are literals of the form "noun.what_happened"; docs list them in a table of their own.
    events_code = set(re.findall(r'"([a-z]+(?:_[a-z]+)*\.[a-z_]+)"', code))
    events_manual = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", manual, re.M))
    problems = compare("metric", metrics_code, metrics_manual) + compare("event", events_code, events_manual)
    print("\n".join(problems) if problems
          else f"docs: {len(metrics_code)} metrics and {len(events_code)} events, all listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
