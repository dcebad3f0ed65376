#!/usr/bin/env python3
"""Checks what a compiler does not: which room includes which, file sizes, and that every header says what it is for."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = {"libgateway/plugin/build_id.hpp"}  # made by the build
LONGEST_FILE = 450

# Room -> rooms it may include besides its own, or single headers of them ("room/stem"); README.md draws the same table.
FLOOR_1 = ["json", "net", "http", "telemetry", "shm", "expr", "schema", "config", "control", "redis", "keyring"]
BELOW_3 = ["base", *FLOOR_1, "route", "tls", "upstream", "delivery"]
BELOW_5 = [*BELOW_3, "plugin", "snapshot"]
MAY_INCLUDE = {
    "base": [],
    "impl": [],
    "json": ["base"],
    "net": ["base"],
    "http": ["base"],
    "telemetry": ["base"],
    "shm": ["base"],
    "expr": ["base", "json"],
    "schema": ["base", "json", "expr"],
    "config": ["base", "json"],
    "control": ["base", "json"],
    "redis": ["base", "net"],
    "keyring": ["base"],
    "route": ["base", "http", "expr", "json"],
    "tls": ["base", "net", "route/persistent_map"],
    "upstream": ["base", "net", "http", "telemetry", "shm"],
    "delivery": ["base", "net", "http", "telemetry", "client"],
    "client": ["base", "net", "http", "upstream"],
    "etcd": ["base", "json", "config/etcd_settings", "keyring/base64"],
    "plugin": ["base", *FLOOR_1, "delivery", "route/match", "client/client", "upstream/pick_hint", "upstream/endpoint",
               "upstream/upstream"],
    "snapshot": [*BELOW_3, "plugin"],
    "proxy": BELOW_5,
    "sources": BELOW_5,
    "store": ["base", "config"],
    "admin": [*BELOW_5, "sources", "store"],
    "prober": BELOW_5,
    "process": [*BELOW_5, "etcd", "proxy", "sources", "store", "admin", "prober"],
}
PLUGIN_MAY_INCLUDE = [
    "base", "http", "json", "expr", "schema", "telemetry", "config", "plugin", "shm", "redis", "upstream", "client",
    "delivery"
]
APP_MAY_INCLUDE = {"gatewayd": ["base", "process"], "gatewayctl": ["base", "control", "json"]}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def place_of(path):
    """(kind, room) of a file or of an include target, by its first two folders."""
    parts = Path(path).parts
    return (parts[0], parts[1]) if len(parts) > 2 else (parts[0], "")


def allowed(source, target):
    kind, room = place_of(source)
    target_kind, target_room = place_of(target)
    if kind == "libgateway":
        master_only = room == "process" and Path(source).stem.startswith("master")
        if master_only and target_room == "proxy":
            return False
        header = f"{target_room}/{Path(target).stem}"
        rooms = [room, *MAY_INCLUDE.get(room, [])]
        return target_kind == "libgateway" and (target_room in rooms or header in rooms)
    if kind == "libplugins":
        if target_kind == "libplugins":
            return target_room in (room, "common")
        return target_kind == "libgateway" and target_room in PLUGIN_MAY_INCLUDE
    if kind == "apps":
        return target_kind == kind or target_room in APP_MAY_INCLUDE.get(room, [])
    return True  # tests and bench look at everything


def problems_of(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{name}:{LONGEST_FILE}: the file has {lines} lines, at most {LONGEST_FILE} are allowed"
    if name.endswith(".hpp") and not text.startswith("//"):
        yield f"{name}:1: a header opens with one sentence on its purpose"
    if name.endswith(".hpp") and "#pragma once" not in text:
        yield f"{name}:1: #pragma once is missing"
    for match in INCLUDE.finditer(text):
        target = match.group(1)
        line = text.count("\n", 0, match.start(1)) + 1
        if target in GENERATED:
            continue
        if not (ROOT / target).is_file():
            yield f"{name}:{line}: \"{target}\" is not a path from the root"
        elif not allowed(name, target):
            yield f"{name}:{line}: {'/'.join(place_of(name))} may not include {'/'.join(place_of(target))}"


def main():
    listed = subprocess.run(["git", "ls-files", "*.cpp", "*.hpp", "*.cc"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    names = listed.stdout.split()
    problems = [problem for name in names if (ROOT / name).is_file() for problem in problems_of(name)]
    for problem in problems:
        print(problem)
    print(f"{len(names)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
