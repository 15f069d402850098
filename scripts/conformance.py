#!/usr/bin/env python3
"""Generates docs/conformance.md from the conformance tests, or fails when it is out of date.

A test says which statement it is about (tests/conformance/statement.h); its name carries the number.
Fails when a number has no test, a test failed, or the file is not what the tests say. With
BASCULE_REWRITE=1 in the environment the file is written anew.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/conformance.md"
REFRESH = "BASCULE_REWRITE=1 ctest --test-dir build/dev -R '^conformance.document$'"
SECTIONS = [("The offer", 1, 30), ("The life of a session", 31, 65), ("Sources", 66, 87), ("Mute and moderation", 88, 90)]
LAST = 90


class Statement:
    def __init__(self) -> None:
        self.kind = ""
        self.text = ""
        self.tests: list[tuple[str, bool]] = []  # Name and whether it passed.

    @property
    def passed(self) -> bool:
        return all(passed for _, passed in self.tests)


def run(program: str) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        subprocess.run([program, f"--gtest_output=json:{report}", "--gtest_brief=1"],
                       stdout=subprocess.DEVNULL, check=False)
        if not report.exists():
            sys.exit(f"{program} ended before its report: a test aborted. Run it by hand.")
        suites = json.loads(report.read_text(encoding="utf-8"))["testsuites"]
    return [test | {"suite": suite["name"]} for suite in suites for test in suite["testsuite"]]


def label(test: dict) -> tuple[str, int]:
    """`Session.C31_...`, or `C69_A16` of a generated test; and the number in it."""
    name = test["name"]
    short = name.split("/")[-1] if "/" in name else f"{test['suite']}.{name}"
    number = re.search(r"\bC(\d\d)_", short)
    return short, int(number.group(1)) if number else 0


def collect(tests: list[dict], problems: list[str]) -> dict[int, Statement]:
    statements: dict[int, Statement] = {}
    for test in tests:
        name, number = label(test)
        if int(test.get("statement", 0)) != number or number == 0:
            problems.append(f"{name} is about statement {test.get('statement', '(none)')} by what it says")
        statement = statements.setdefault(number, Statement())
        text = test.get("text", "")
        if text and statement.text not in ("", text):
            problems.append(f"statement {number} has two texts, one in {name}")
        statement.text = text or statement.text
        statement.kind = test.get("kind", statement.kind)
        passed = test["result"] == "COMPLETED" and not test.get("failures")
        statement.tests.append((name, passed))
        if not passed:
            problems.append(f"{name} failed")
    return statements


def check_numbers(statements: dict[int, Statement], problems: list[str]) -> None:
    for number in range(1, LAST + 1):
        if number not in statements:
            problems.append(f"statement {number} has no test")
        elif not statements[number].text:
            problems.append(f"statement {number} has tests but no text")
    problems.extend(f"there is no statement {number}" for number in statements if not 1 <= number <= LAST)


def natural(name: str) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def row(number: int, statements: dict[int, Statement]) -> str:
    if number not in statements:
        return f"| {number} | | | | missing |"
    statement = statements[number]
    names = sorted((name for name, _ in statement.tests), key=natural)
    tests = ", ".join(f"`{name}`" for name in names)
    return f"| {number} | {statement.kind} | {statement.text} | {tests} | {'pass' if statement.passed else 'FAIL'} |"


def document(statements: dict[int, Statement]) -> str:
    known = [number for number in range(1, LAST + 1) if number in statements]
    passed = sum(statements[number].passed for number in known)
    tests = sum(len(statements[number].tests) for number in known)
    lines = [
        "# Conformance",
        "",
        "What clients and bridges can rely on, statement by statement. Generated from the tests in",
        "[tests/conformance](../tests/conformance): do not edit, but run",
        "",
        f"    {REFRESH}",
        "",
        "Each text completes “The focus …”. Kind J: as Jicofo does. Kind S: where Bascule does otherwise, or where",
        "Jicofo leaves a hole. Every test drives the whole focus through the XML of a client, unless the statement is",
        "about one part alone.",
        "",
        f"{passed} of {LAST} statements pass, in {tests} tests; {LAST - len(known)} have no test yet.",
    ]
    for title, first, last in SECTIONS:
        lines += ["", f"## {title}", "", "| No. | Kind | The focus … | Tests | Result |", "|--:|:-:|---|---|---|"]
        lines += [row(number, statements) for number in range(first, last + 1)]
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", default=str(ROOT / "build/dev/tests/conformance/test_conformance"))
    program = arguments.parse_args().program
    problems: list[str] = []
    statements = collect(run(program), problems)
    check_numbers(statements, problems)
    text = document(statements)
    if os.environ.get("BASCULE_REWRITE"):
        DOCUMENT.write_text(text, encoding="utf-8")
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        problems.append(f"docs/conformance.md is not what the tests say. Write it anew and commit it:\n  {REFRESH}")
    print("\n".join(problems) if problems
          else f"conformance: {len(statements)} of {LAST} statements have tests, and all pass")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
