#!/usr/bin/env python3
"""Checks docker/: what can be known of an image file and a compose file without a container engine.

The rules are those of hadolint and of the compose specification that this repository could break; each finding names
file, place and rule. Exit status 1 when there is one.
"""

import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"

INSTRUCTIONS = {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "SHELL",
                "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
LABELS = {"title", "description", "version", "revision", "created", "licenses", "documentation", "vendor"}
# What the services of docker/compose.yml use of the compose specification, with the type of each key.
SERVICE_KEYS = {"build": dict, "cap_drop": list, "command": list, "depends_on": (list, dict), "env_file": (str, list),
                "environment": dict, "expose": list, "healthcheck": dict, "image": str, "network_mode": str,
                "networks": dict, "ports": list, "profiles": list, "read_only": bool, "restart": str,
                "security_opt": list, "stop_grace_period": str, "tmpfs": list, "volumes": list}
TOP_KEYS = {"name": str, "networks": dict, "services": dict, "volumes": dict}
VARIABLE = re.compile(r"\$(?:\{(\w+)(?:(:?[-?+])([^}]*))?\}|(\w+)|(\$))")


def instructions(text: str) -> list[tuple[int, str, str]]:
    """(line, instruction, arguments) with continuation lines joined and comments left out."""
    found = []
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#", line) or (not joined and not line.strip()):
            continue
        start = start if joined else number
        joined += line.rstrip("\\") if line.endswith("\\") else line
        if not line.endswith("\\"):
            word, _, rest = joined.strip().partition(" ")
            found.append((start, word.upper(), rest.strip()))
            joined = ""
    return found


def is_exec_form(arguments: str) -> bool:
    try:
        parsed = json.loads(arguments)
    except ValueError:
        return False
    return isinstance(parsed, list) and all(isinstance(word, str) for word in parsed)


def check_run(arguments: str) -> list[str]:
    problems = []
    if "apt-get install" in arguments:
        if "--no-install-recommends" not in arguments:
            problems.append("apt-get install without --no-install-recommends")
        if " -y" not in arguments:
            problems.append("apt-get install would ask: -y")
        if "apt-get update" not in arguments:
            problems.append("apt-get install without update in the same layer")
        if "rm -rf /var/lib/apt/lists" not in arguments:
            problems.append("the lists of apt stay in the layer")
    if re.search(r"\bsudo\b|\bcurl\b[^|]*\|\s*(ba)?sh", arguments):
        problems.append("sudo, or a script from the network")
    command = re.sub(r"--mount=\S+", "", arguments)
    if "|" in command.replace("||", "") and "pipefail" not in command:
        problems.append("a pipe without pipefail")
    syntax = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True)
    if syntax.returncode != 0:
        problems.append(f"the shell does not understand it: {syntax.stderr.strip()}")
    return problems


def check_stages(steps: list[tuple[int, str, str]], name: str) -> list[str]:
    """Names of stages, pinned bases, sources of COPY."""
    problems, stages, arguments_known = [], set(), {}
    for line, word, rest in steps:
        where = f"{name}:{line}: "
        if word == "ARG" and not stages:
            key, _, value = rest.partition("=")
            arguments_known[key] = value.strip('"')
        if word == "FROM":
            match = re.fullmatch(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?", rest)
            base = match and re.sub(r"\$\{(\w+)\}", lambda m: arguments_known.get(m[1], ""), match[1])
            if not match or (base not in stages and not re.search(r":[\w.-]+$|@sha256:[0-9a-f]{64}$", base or "")):
                problems.append(where + "the base has no version")
            elif base.endswith(":latest"):
                problems.append(where + "the base is whatever is latest")
            stages.add(match[2] if match and match[2] else f"#{len(stages)}")
        used = re.findall(r"from=([\w-]+)", rest) if word in {"COPY", "RUN"} else []
        for source in used:
            if source not in stages:
                problems.append(where + f"no stage {source} before")
        if word == "COPY" and not used:
            for source in [part for part in rest.split()[:-1] if not part.startswith("--")]:
                if not (ROOT / source).exists():
                    problems.append(where + f"{source} does not exist")
    return problems


def check_dockerfile(path: pathlib.Path) -> list[str]:
    text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
    steps = instructions(text)
    problems = check_stages(steps, name)
    if not steps or steps[0][1] not in {"FROM", "ARG"}:
        problems.append(f"{name}: begins with neither FROM nor ARG")
    last = max((i for i, step in enumerate(steps) if step[1] == "FROM"), default=0)
    final = {word: rest for _, word, rest in steps[last:]}
    for line, word, rest in steps:
        where = f"{name}:{line}: "
        if word not in INSTRUCTIONS:
            problems.append(where + f"no instruction: {word}")
        if word == "RUN":
            problems += [where + problem for problem in check_run(rest)]
        if word in {"CMD", "ENTRYPOINT"} and not is_exec_form(rest):
            problems.append(where + f"{word} is not in exec form: signals would go to a shell")
        if word == "ADD":
            problems.append(where + "ADD; use COPY")
    check = re.search(r"\bCMD\s+(\[.*)$", final.get("HEALTHCHECK", ""))
    if not check or not is_exec_form(check[1]):
        problems.append(f"{name}: the final stage has no HEALTHCHECK in exec form")
    if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", final.get("USER", "")):
        problems.append(f"{name}: the final stage does not run as a number other than 0")
    for word in ("ENTRYPOINT", "STOPSIGNAL", "LABEL"):
        if word not in final:
            problems.append(f"{name}: the final stage has no {word}")
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", final.get("LABEL", "")))
    problems += [f"{name}: no label {label}" for label in sorted(LABELS - labels)]
    return problems


def interpolate(text: str, environment: dict[str, str]) -> tuple[str, list[str]]:
    """As compose does; the names of variables that have neither a value nor a default."""
    missing = []

    def value(match: re.Match) -> str:
        name = match[1] or match[4]
        if match[5]:
            return "$"
        if environment.get(name):
            return environment[name]
        if match[2] in {":-", "-"}:
            return match[3]
        missing.append(name)
        return ""

    return VARIABLE.sub(value, text), missing


def check_service(name: str, service: dict, compose: dict) -> list[str]:
    problems = []
    for key, value in service.items():
        if key not in SERVICE_KEYS:
            problems.append(f"unknown key {key}")
        elif not isinstance(value, SERVICE_KEYS[key]):
            problems.append(f"{key} has the wrong type")
    if not re.search(r"[:@][^/]+$", service.get("image", "")) or service.get("image", "").endswith(":latest"):
        problems.append("the image has no version")
    for network in service.get("networks") or {}:
        if network not in compose["networks"]:
            problems.append(f"no network {network}")
    others = list(service.get("depends_on") or {})
    others += [service["network_mode"].removeprefix("service:")] if "network_mode" in service else []
    problems += [f"no service {other}" for other in others if other not in compose["services"]]
    for volume in service.get("volumes", []):
        source, target = volume.split(":")[:2]
        if not target.startswith("/"):
            problems.append(f"volume {volume}: the target is not absolute")
        if source.startswith("./") and not source.startswith("./certs/") and not (DOCKER / source).exists():
            problems.append(f"volume {volume}: docker/{source} does not exist")
        if re.fullmatch(r"[\w-]+", source) and source not in compose["volumes"]:
            problems.append(f"no volume {source}")
    for port in service.get("ports", []):
        if not re.fullmatch(r"(\d+\.\d+\.\d+\.\d+:)?\d+:\d+(/udp)?", port):
            problems.append(f"port {port} is malformed")
    return [f"service {name}: {problem}" for problem in problems]


def check_compose(path: pathlib.Path) -> list[str]:
    name = path.relative_to(ROOT)
    # What docker/prepare.sh writes; what it computes is anything.
    written = re.findall(r"^([A-Z_]+)=(.*)$", (DOCKER / "prepare.sh").read_text(encoding="utf-8"), re.M)
    prepared = {key: "x" if "$" in value else value for key, value in written} | {"CONFIG": "/config"}
    text, missing = interpolate(path.read_text(encoding="utf-8"), prepared)
    problems = [f"{variable} has no default, and prepare.sh does not write it" for variable in sorted(set(missing))]
    compose = yaml.safe_load(text)
    for key, value in compose.items():
        if not key.startswith("x-") and not isinstance(value, TOP_KEYS.get(key, ())):
            problems.append(f"{key}: unknown, or of the wrong type")
    if "jicofo" in compose["services"]:
        problems.append("jicofo beside bascule: two focuses on one account")
    for service, content in compose["services"].items():
        problems += check_service(service, content, compose)
    bascule = compose["services"]["bascule"]
    if not bascule.get("read_only") or bascule.get("cap_drop") != ["ALL"]:
        problems.append("bascule is not read-only, or has capabilities")
    return [f"{name}: {problem}" for problem in problems]


def main() -> int:
    problems = check_dockerfile(DOCKER / "Dockerfile") + check_compose(DOCKER / "compose.yml")
    script = subprocess.run(["bash", "-n", str(DOCKER / "prepare.sh")], capture_output=True, text=True)
    problems += [f"docker/prepare.sh: {script.stderr.strip()}"] if script.returncode else []
    print("\n".join(problems) if problems else "docker: nothing found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
