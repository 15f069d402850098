#!/usr/bin/env python3
"""Runs the fuzzers that `./scripts/dev fuzz` built; fails when one finds something."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

TARGETS = ("xml_stream", "jingle", "json", "stanza")
UNIT_SECONDS_MAX = 25  # For one input; long, because the machine may be busy.
SYMBOLIZER = "/usr/bin/llvm-symbolizer-14"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./scripts/dev fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--target", action="append", choices=TARGETS, help="may be repeated (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="targets that run at the same time (default: 1)")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/fuzz"), help=argparse.SUPPRESS)
    return parser.parse_args()


def command(build: pathlib.Path, target: str, seconds: int) -> list[str]:
    seeds = build / "tests/fuzz/corpus" / target
    found = build / "fuzz" / target / "corpus"  # Grows from run to run.
    findings = build / "fuzz" / target / "findings"
    for folder in (found, findings):
        folder.mkdir(parents=True, exist_ok=True)
    regressions = pathlib.Path(__file__).resolve().parent / "regressions" / target
    options = {"max_total_time": seconds, "timeout": UNIT_SECONDS_MAX, "report_slow_units": UNIT_SECONDS_MAX,
               "rss_limit_mb": 2048, "print_final_stats": 1, "print_funcs": 0, "dict": f"{seeds}.dict",
               "artifact_prefix": f"{findings}/"}
    return ([str(build / "bin" / f"bascule-fuzz-{target}")] +
            [f"-{name}={value}" for name, value in options.items()] +
            [str(found), str(seeds)] + [str(regressions)] * regressions.is_dir())


def last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(build: pathlib.Path, target: str, seconds: int) -> bool:
    environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1")
    if os.path.exists(SYMBOLIZER):
        environment["ASAN_SYMBOLIZER_PATH"] = SYMBOLIZER
    log = build / "fuzz" / f"{target}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as output:
        status = subprocess.run(command(build, target, seconds), env=environment, stdout=output,
                                stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    findings = re.findall(r"Test unit written to (\S+)", text)
    executions = last(r"stat::number_of_executed_units: *(\d+)", text)
    edges, features, inputs = (last(name + r": (\d+)", text) for name in ("cov", "ft", "corp"))
    print(f"{target:<11} {executions:>11} executions  {edges:>6} edges  {features:>6} features  "
          f"{inputs:>5} inputs  {len(findings)} findings", flush=True)
    if status != 0:
        print(f"  it ended with status {status}: {log}")
        for path in findings:
            print(f"  again: {build}/bin/bascule-fuzz-{target} {path}\n"
                  f"  keep:  cp {path} tests/fuzz/regressions/{target}/ (create the folder), fix, then ./scripts/dev test")
    return status == 0


def main() -> int:
    options = arguments()
    targets = list(dict.fromkeys(options.target or TARGETS))
    with ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        outcomes = list(pool.map(lambda target: run(options.build, target, options.seconds), targets))
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
