#!/usr/bin/env python3
"""Runs every measurement, prints what it finds and writes bench/results/latest.md. Started by bench/run.sh."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import chains
import report
import scenarios
import system
from proxies import ROOT, Backends, BareLoop, Direct, Gateway, Haproxy, Nginx, Setting, TaskLoop

QUICK = {"rounds": 5, "seconds": 1, "few": 500, "many": 1500, "calls": 2000, "idle": 5000,
         "reloads": 6, "own_reloads": 20, "pause": 0.2,
         "routes": [("paths", 1000), ("paths", 100000)], "others_routes": [],
         "route_seconds": 0.3, "route_rounds": 5, "consumers": 100000,
         "changes": 50000, "change_seconds": 6, "bytes": 2**28, "body_rounds": 1,
         "scraped_routes": 10000, "scrape_seconds": 5}
FULL = {"rounds": 9, "seconds": 2, "few": 1000, "many": 5000, "calls": 20000, "idle": 10000,
        "reloads": 30, "own_reloads": 100, "pause": 0.3,
        "routes": [("paths", 1), ("paths", 1000), ("paths", 100000), ("hosts", 100000)],
        "others_routes": [("paths", 1), ("paths", 100000)], "route_seconds": 1, "route_rounds": 9, "consumers": 100000,
        "changes": 50000, "change_seconds": 60, "bytes": 2**30, "body_rounds": 3,
        "scraped_routes": 10000, "scrape_seconds": 20}
PARTS = ["throughput", "instructions", "calls", "allocations", "idle", "reloads", "bodies", "routes", "changes", "metrics",
         "chains"]
LONG_PARTS = ["metrics", "chains"]  # not in the quick run unless named


class Bench:
    def __init__(self, size, only, parts):
        self.size, self.parts = size, parts
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-bench."))
        self.kinds = [kind for kind in scenarios.ALL
                      if (not only or kind.name in only) and kind(self.folder).available()]
        self.results = {"size": "full" if size is FULL else "quick", "missing": {}}
        self.backends = Backends(self.folder)

    def setting(self):
        return Setting(self.backends.ports)

    def proxies(self, *, without=()):
        return [kind for kind in self.kinds if kind not in without]

    def part(self, name, action):
        """One measurement; what fails is named in the report and does not end the rest."""
        if name not in self.parts:
            return
        start = time.monotonic()
        try:
            self.results[name] = action()
        except Exception as error:  # pylint: disable=broad-except
            self.results["missing"][name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)

    def started(self, kinds):
        running = []
        for kind in kinds:
            proxy = kind(self.folder)
            try:
                proxy.start(self.setting())
                running.append(proxy)
            except RuntimeError as error:
                self.results["missing"][kind.name] = str(error)
                self.kinds.remove(kind)
                print(error, file=sys.stderr)
        return running

    def on_running(self, kinds, action):
        """The action's result for each kind, each started for it alone."""
        rows = {}
        for kind in kinds:
            for proxy in self.started([kind]):
                try:
                    rows[proxy.name] = action(proxy)
                finally:
                    proxy.stop()
        return rows

    def throughput(self):
        running = self.started(self.kinds)
        try:
            return scenarios.throughput(running, self.size["rounds"], self.size["seconds"])
        finally:
            for proxy in running:
                proxy.stop()

    def bodies(self):
        running = self.started(self.proxies(without=(Direct, BareLoop, TaskLoop)))
        try:
            return scenarios.large_bodies(running, self.size["bytes"], self.size["body_rounds"])
        finally:
            for proxy in running:
                proxy.stop()

    def routes(self):
        rows = {}
        for kind in self.proxies(without=(Direct, BareLoop, TaskLoop)):
            for one in self.started([kind]):
                try:
                    for shape, count in self.size["routes" if kind is Gateway else "others_routes"]:
                        self.row(rows, f"{kind.name}, {count:,} {shape}", lambda: scenarios.routes(
                            kind, self.folder, one, self.backends.ports, count, self.size["route_seconds"],
                            self.size["route_rounds"], shape))
                finally:
                    one.stop()
        return rows

    def row(self, rows, name, action):
        """One row of a part; one that cannot be measured leaves the others."""
        try:
            rows[name] = action()
        except RuntimeError as error:
            self.results["missing"][name] = str(error)
            print(error, file=sys.stderr)

    def run(self):
        size, proxies = self.size, self.proxies
        self.part("throughput", self.throughput)
        self.part("instructions", lambda: scenarios.instructions(
            proxies(without=(Direct,)), self.folder, self.setting(), size["few"], size["many"]))
        self.part("calls", lambda: self.on_running(
            proxies(without=(Direct,)), lambda proxy: scenarios.system_calls(
                proxy, size["calls"] // 4, size["calls"])))
        counted = proxies(without=(Direct, BareLoop, TaskLoop, Haproxy))
        self.part("allocations", lambda: {
            kind.name: scenarios.allocations(kind, self.folder, self.setting(), size["calls"]) for kind in counted})
        self.part("idle", lambda: self.on_running(
            proxies(without=(Direct, BareLoop, TaskLoop)), lambda proxy: scenarios.idle_memory(proxy, size["idle"])))
        self.part("reloads", lambda: self.on_running(
            proxies(without=(Direct, BareLoop, TaskLoop)),
            lambda proxy: scenarios.reloads(
                proxy, self.setting(), size["own_reloads" if proxy.name == "gateway" else "reloads"], size["pause"])))
        self.part("bodies", self.bodies)
        self.part("routes", self.routes)
        if Gateway in self.kinds:
            self.part("changes", lambda: scenarios.changes(
                self.folder, self.backends.ports, size["changes"], size["change_seconds"], 50))
            self.part("metrics", lambda: scenarios.metrics(
                self.folder, self.backends.ports, size["scraped_routes"], size["scrape_seconds"]))
            self.part("chains", lambda: chains.measure(self.folder, self.setting(), size))

    def close(self):
        self.backends.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="at most two minutes instead of fifteen")
    options.add_argument("--only", help="names of proxies, comma between", default="")
    options.add_argument("--parts", help=f"of {','.join(PARTS)}; quick without {' and '.join(LONG_PARTS)}")
    options.add_argument("--output", help="the report", default=str(ROOT / "bench/results/latest.md"))
    chosen = options.parse_args()
    system.raise_open_files()
    start = time.monotonic()
    bench = Bench(QUICK if chosen.quick else FULL, [name for name in chosen.only.split(",") if name],
                  chosen.parts.split(",") if chosen.parts else
                  [part for part in PARTS if not chosen.quick or part not in LONG_PARTS])
    try:
        bench.run()
    finally:
        bench.close()
    bench.results["seconds"] = time.monotonic() - start
    text = report.markdown(bench.results)
    output = Path(chosen.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    output.with_suffix(".json").write_text(json.dumps(bench.results, indent=1))
    print(text)
    return 1 if bench.results["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
