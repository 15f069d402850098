#!/usr/bin/env python3
"""Fails when a source file includes or uses what its layer may not (docs/architecture.md, "Layers").

Link rules (cmake/BasculeLibrary.cmake) do not stop a header-only leak, so every #include is compared
with the table below, and core code is searched for what would make it impure.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Longest matching prefix wins. Value: (layer, project folders it may include).
FOLDERS = {
    "base": ("core", {"base"}),
    "base/asio": ("shell", {"base"}),
    "xmpp": ("core", {"base", "xmpp/xml", "xmpp/proto", "xmpp"}),
    "xmpp/xml": ("core", {"base", "xmpp/xml"}),
    "xmpp/proto": ("core", {"base", "xmpp/xml", "xmpp/proto"}),
    "xmpp/stream": ("shell", {"base", "base/asio", "xmpp/xml", "xmpp", "xmpp/stream"}),
    "xmpp/strophe": ("shell", {"base", "base/asio", "xmpp/xml", "xmpp", "xmpp/strophe"}),
    "stats": ("core", {"base", "xmpp/xml", "xmpp/proto", "stats"}),
    "stats/sqlite": ("shell", {"base", "xmpp/xml", "xmpp/proto", "stats", "focus", "stats/sqlite"}),
    "focus": ("core", {"base", "xmpp/xml", "xmpp/proto", "xmpp", "stats", "focus"}),
    "config": ("core", {"base", "xmpp", "stats", "focus", "config"}),
    "config/xmpp": ("shell", {"base", "base/asio", "xmpp/xml", "xmpp", "xmpp/stream", "stats", "focus", "config", "config/xmpp"}),
    "config/toml": ("shell", {"base", "xmpp", "stats", "focus", "config", "config/toml"}),
    "admin": ("shell", {"base", "base/asio", "xmpp/xml", "xmpp/proto", "stats", "focus", "config", "admin"}),
    "ha": ("core", {"base", "stats", "focus", "ha"}),
    "ha/local": ("shell", {"base", "base/asio", "ha", "ha/local"}),
    "daemon": ("shell", None),
    "ctl/manual": ("shell", {"base", "config", "ctl", "ctl/manual", "daemon"}),
    "ctl": ("shell", {"base", "stats", "stats/sqlite", "config", "config/toml", "ctl", "ctl/doctor"}),
    "ctl/doctor": ("shell", {"base", "xmpp/xml", "xmpp/proto", "xmpp", "xmpp/stream", "stats", "stats/sqlite", "focus", "config",
                             "config/xmpp", "ctl/doctor"}),
    "sim/storm": ("core", {"base", "stats", "focus", "sim/storm"}),
    "sim": ("core", {"base", "xmpp/xml", "xmpp/proto", "xmpp", "stats", "focus", "sim"}),
    "bench": ("shell", {"base", "admin", "config", "xmpp/xml", "xmpp/proto", "stats", "stats/sqlite", "focus", "sim/storm", "daemon", "bench"}),
    "tests/peers": ("shell", {"base", "base/asio", "xmpp/xml", "tests/peers"}),
    "tests": ("shell", None),
}

CORE_SYSTEM_BANS = {
    "thread", "mutex", "shared_mutex", "condition_variable", "atomic", "future", "stop_token",
    "iostream", "fstream", "sstream", "filesystem", "random", "unordered_map", "unordered_set",
}
# The main programs of the simulators print and read arguments; everything else of sim/ is as pure as core.
CORE_EXEMPT = {"sim/main.cc", "sim/storm/main.cc"}
CORE_HEADER_BANS = re.compile(r"^(boost/|strophe\.h|sqlite3\.h|spdlog/|fmt/|prometheus/|openssl/ssl\.h|sys/|unistd\.h|toml)")
CORE_TEXT_BANS = [
    (re.compile(r"_clock::now\s*\("), "reads a clock"),
    (re.compile(r"\bgetenv\s*\("), "reads the environment"),
    (re.compile(r"\bs?rand\s*\("), "unseeded randomness; use base/prng.h"),
    (re.compile(r"\bstd::(sto[dfil]|strtod|strtof)\b|\bstrto[dl]\s*\("), "locale-dependent parsing; use std::from_chars"),
    (re.compile(r"^\s*static\s+(?!constexpr|const\b|_?assert|inline constexpr)[A-Za-z_:<>]+\s+\w+\s*(=|;|\{)"),
     "mutable state"),
    (re.compile(r"\bspdlog::"), "logs directly; append an out::Log"),
]
TEXT_BANS = [
    (re.compile(r"\[=\]"), "spell out lambda captures"),
    (re.compile(r"\bstd::endl\b"), "use '\\n'"),
    (re.compile(r"\bFIXME\b"), "FIXME does not merge"),
    (re.compile(r"\bTODO\b(?!\(#\d+\):)"), "TODO needs an issue: TODO(#12): ..."),
]
XML_LITERAL = re.compile(r'"[^"]*<(iq|presence|message|stream:stream)\b')
LINES_MAX, TEST_LINES_MAX = 500, 800


def folder_of(path: str) -> str:
    best = ""
    for folder in FOLDERS:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def strip_comments(line: str) -> str:
    return re.sub(r"//.*$", "", line)


def check(path: str) -> list[str]:
    folder = folder_of(path)
    if not folder:
        return [f"{path}: folder is not in the table of scripts/check_layers.py"]
    layer, allowed = FOLDERS[folder]
    is_test = path.startswith("tests/")
    core = layer == "core" and path not in CORE_EXEMPT
    problems = []
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > (TEST_LINES_MAX if is_test else LINES_MAX):
        problems.append(f"{path}: {len(lines)} lines; split it")
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        system = re.match(r"#include <([^>]+)>", line)
        own = re.match(r'#include "([^"]+)"', line)
        if system and core:
            header = system.group(1)
            if header in CORE_SYSTEM_BANS or CORE_HEADER_BANS.match(header):
                problems.append(f"{where}: core code must not include <{header}>")
        if own and allowed is not None:
            target = folder_of(own.group(1))
            if target and target not in allowed and target != folder:
                problems.append(f"{where}: {folder}/ must not include {own.group(1)}")
        code = strip_comments(line)
        for pattern, reason in (CORE_TEXT_BANS if core else []):
            if pattern.search(code):
                problems.append(f"{where}: {reason}")
        for pattern, reason in TEXT_BANS:
            if pattern.search(line):
                problems.append(f"{where}: {reason}")
        if path.endswith(".h") and re.match(r"\s*using namespace", code):
            problems.append(f"{where}: using namespace in a header")
        if not is_test and not path.startswith("xmpp/") and XML_LITERAL.search(code):
            problems.append(f"{where}: XML literals belong in xmpp/")
    return problems


def main() -> int:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "*.cc", "*.h"],
        check=True, capture_output=True, text=True).stdout.split()
    paths = [path for path in listed if (ROOT / path).exists()]
    problems = [problem for path in paths for problem in check(path)]
    print("\n".join(problems) if problems else f"layers: {len(paths)} files, no violation")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
