#!/usr/bin/env python3
"""The control plane in numbers, against the bounds that it has to keep. Started by bench/control.sh."""

import argparse
import http.client
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import system

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "build/release/bin"
FULL = {"routes": 50000, "puts": 2000, "clients": 8, "client_seconds": 15, "memory": 100000, "revisions": 10000,
        "fsyncs": 500}
SMALL = {"routes": 1000, "puts": 100, "clients": 8, "client_seconds": 2, "memory": 2000, "revisions": 200,
         "fsyncs": 50}
PARTS = ["apply", "puts", "clients", "memory", "history", "churn"]
CHANGES_A_SECOND = 50
DONE = (0, 4)  # 4: done, but a worker lags


class Gateway:
    """Two workers, an empty route file, a store; everything in a folder of its own."""

    def __init__(self, folder, history=""):
        self.folder = Path(tempfile.mkdtemp(prefix="control.", dir=folder))
        (self.folder / "routes.yaml").write_text("routes: []\n")
        (self.folder / "gateway.yaml").write_text(f"""apisix:
  node_listen: [{{ip: 127.0.0.1, port: 0}}]
  enable_control: false
nginx_config:
  worker_processes: 2
  error_log: stderr
  http: {{enable_access_log: false}}
gateway: {{data_dir: data, socket: gateway.sock{history}}}
plugin_attr: {{prometheus: {{enable_export_server: false}}}}
deployment: {{admin: {{admin_listen: {{port: 0}}}}}}
""")
        with open(self.folder / "output", "ab") as out:
            self.process = subprocess.Popen([BIN / "gatewayd", "-c", self.folder / "gateway.yaml"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                            env={**os.environ, "LOGS_DIRECTORY": str(self.folder)})
        if not system.until(lambda: self.status().get("state") == "ready", 30, 0.1):
            self.stop()
            raise RuntimeError("the gateway did not get ready: " + (self.folder / "output").read_text()[-2000:])
        status = self.status()
        self.port, self.admin_port = status["listeners"][0]["port"], status["admin_port"]
        self.key = (self.folder / "data/admin.key").read_text().strip()

    def stop(self):
        system.end(self.process, signal.SIGTERM)

    def ctl(self, *arguments, limit=120):
        result = subprocess.run([BIN / "gatewayctl", "-c", self.folder / "gateway.yaml", "--timeout", str(limit),
                                 *map(str, arguments)], capture_output=True, text=True, timeout=limit + 10)
        return result

    def done(self, *arguments):
        """Seconds that the command took; fails if it was refused."""
        start = time.monotonic()
        result = self.ctl(*arguments)
        took = time.monotonic() - start
        if result.returncode not in DONE:
            raise RuntimeError(f"gatewayctl {arguments}: {result.stdout[-500:]}{result.stderr[-500:]}")
        return took

    def status(self):
        try:
            return json.loads(self.ctl("--json", "status", limit=20).stdout).get("result") or {}
        except (ValueError, subprocess.TimeoutExpired):
            return {}

    def control(self):
        return self.status()["control"]["pid"]

    def processes(self):
        status = self.status()
        names = {f"worker {worker['index']}": worker["pid"] for worker in status["workers"]}
        return {"master": self.process.pid, "control": status["control"]["pid"], **names}

    def apply(self, count, mark="a"):
        """Seconds until all routes are in force, and until the last of them answers."""
        routes = [route(i, mark) for i in range(count)]
        (self.folder / "apply.json").write_text(json.dumps({"routes": routes}))
        start = time.monotonic()
        took = self.done("apply", self.folder / "apply.json")
        if not system.until(lambda: system.fetch(self.port, f"/r/{count - 1}")[1].strip() == mark, 30):
            raise RuntimeError("the last route does not answer")
        return took, time.monotonic() - start


def route(number, mark):
    return {"id": f"r{number}", "uri": f"/r/{number}", "plugins": {"mocking": {"response_example": mark}}}


class Admin:
    """One connection to the Admin API."""

    def __init__(self, gateway):
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.admin_port, timeout=60)
        self.key = gateway.key
        self.pending = 0

    def put(self, number, mark):
        """Seconds until it was acknowledged."""
        body = route(number, mark)
        start = time.monotonic()
        self.connection.request("PUT", f"/apisix/admin/routes/{body.pop('id')}", json.dumps(body),
                                {"X-API-KEY": self.key})
        answer = self.connection.getresponse()
        text = answer.read()
        took = time.monotonic() - start
        if answer.status not in (200, 201):
            raise RuntimeError(f"PUT: {answer.status} {text[:300]}")
        self.pending += answer.getheader("X-Gateway-Pending") is not None
        return took


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def fsync_time(folder, count):
    """Median and 99th percentile of writing 4 KiB and fsync, in the same folder."""
    times = []
    with open(folder / "fsync.probe", "wb") as probe:
        for _ in range(count):
            start = time.monotonic()
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
            times.append(time.monotonic() - start)
    return percentile(times, 0.5), percentile(times, 0.99)


def memory(pid):
    return system.memory_of([pid], "Rss")


class Bench:
    def __init__(self, size, churn):
        self.size, self.churn_seconds = size, churn
        self.folder = tempfile.mkdtemp(prefix="gateway-control-bench.")
        self.rows, self.notes = [], []

    def row(self, what, found, bound="", met=None):
        self.rows.append((what, found, bound, "" if met is None else "yes" if met else "**no**"))
        print(f"{what}: {found}  (bound {bound or '-'}{', missed' if met is False else ''})", flush=True)

    def with_gateway(self, action, history=""):
        gateway = Gateway(self.folder, history)
        try:
            action(gateway)
        finally:
            gateway.stop()

    def loaded(self, parts):
        """What is measured with many routes in force, all in one gateway."""
        def action(gateway):
            count = self.size["routes"]
            took, live = gateway.apply(count)
            if "apply" in parts:
                self.row(f"apply of {count:,} routes: answered / last route live", f"{took:.2f} s / {live:.2f} s", "5 s",
                         live <= 5)
            if "puts" in parts:
                self.puts(gateway)
            if "clients" in parts:
                self.clients(gateway)
        self.with_gateway(action)

    def puts(self, gateway):
        admin, count = Admin(gateway), self.size["routes"]
        for i in range(20):
            admin.put(i, "warm")
        times = [admin.put(i * 7919 % count, f"p{i}") for i in range(self.size["puts"])]
        p50, p99 = percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000
        self.row(f"PUT of one route among {count:,}: p50", f"{p50:.1f} ms", "20 ms", p50 <= 20)
        self.row(f"PUT of one route among {count:,}: p99", f"{p99:.1f} ms", "100 ms", p99 <= 100)
        self.notes.append(f"{admin.pending} of {len(times)} single PUTs did not wait for a lagging worker")

    def clients(self, gateway):
        until = time.monotonic() + self.size["client_seconds"]
        times, failures = [], []

        def work(client):
            try:
                admin, number = Admin(gateway), client
                while time.monotonic() < until:
                    times.append(admin.put(number % self.size["routes"], f"c{number}"))
                    number += self.size["clients"]
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        threads = [threading.Thread(target=work, args=(client,)) for client in range(self.size["clients"])]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = len(times) / (time.monotonic() - start)
        p50, p99 = fsync_time(gateway.folder / "data", self.size["fsyncs"])
        if failures:
            raise failures[0]
        self.row(f"PUTs by {self.size['clients']} clients, acknowledged", f"{rate:.0f}/s", "200/s", rate >= 200)
        self.row("write of 4 KiB and fsync in the same folder: p50 / p99", f"{p50 * 1000:.2f} / {p99 * 1000:.2f} ms")

    def memory(self):
        def action(gateway):
            count = self.size["memory"]
            gateway.apply(count)
            used = memory(gateway.control()) / 2**20
            self.row(f"RSS of control with {count:,} routes, after the apply", f"{used:.0f} MiB", "600 MiB", used <= 600)
            admin = Admin(gateway)
            for i in range(100):
                admin.put(i, "again")
            used = memory(gateway.control()) / 2**20
            self.row(f"the same after 100 PUTs", f"{used:.0f} MiB", "600 MiB", used <= 600)
        self.with_gateway(action)

    def fill_history(self, gateway, count):
        """So many revisions of a hundred routes, by several clients."""
        failures = []

        def work(client):
            try:
                admin = Admin(gateway)
                for i in range(client, count, self.size["clients"]):
                    admin.put(i % 100, f"h{i}")
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        threads = [threading.Thread(target=work, args=(client,)) for client in range(self.size["clients"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def history(self):
        count = self.size["revisions"]

        def action(gateway):
            self.fill_history(gateway, count)
            kept = json.loads(gateway.ctl("--json", "history", "-n", count + 1000).stdout)["result"]
            oldest = kept[-1]["revision"]
            self.row(f"history, the newest 20 of {len(kept):,}", f"{gateway.done('history'):.2f} s", "1 s")
            took = gateway.done("history", "-n", count)
            self.row(f"history -n {count}", f"{took:.2f} s", "1 s", took <= 1)
            took = gateway.done("diff", "--rev", oldest)
            self.row(f"diff --rev of the oldest of {len(kept):,}", f"{took:.2f} s")
            took = gateway.done("rollback", oldest)
            self.row(f"rollback to the oldest of {len(kept):,}", f"{took:.2f} s", "1 s", took <= 1)
            self.row(f"store with {len(kept):,} revisions", f"{store_bytes(gateway) / 2**20:.1f} MiB")
        self.with_gateway(action)

        def bounded(gateway):
            self.fill_history(gateway, count)
            kept = json.loads(gateway.ctl("--json", "history", "-n", count + 1000).stdout)["result"]
            self.row(f"revisions kept of {count:,} with gateway.history.revisions {count // 10}",
                     f"{len(kept)}, store {store_bytes(gateway) / 2**20:.1f} MiB", str(count // 10),
                     len(kept) <= count // 10)
        self.with_gateway(bounded, f", history: {{revisions: {count // 10}}}")

    def churn(self):
        def action(gateway):
            gateway.apply(1000)
            admin, seconds = Admin(gateway), self.churn_seconds
            processes = gateway.processes()
            start, number, warm, late = time.monotonic(), 0, None, 0
            warm_at = max(seconds * 0.2, min(10, seconds * 0.5))
            while time.monotonic() - start < seconds:
                admin.put(number % 1000, f"n{number}")
                number += 1
                if warm is None and time.monotonic() - start >= warm_at:
                    warm = {name: memory(pid) for name, pid in processes.items()}
                rest = start + number / CHANGES_A_SECOND - time.monotonic()
                if rest > 0:
                    time.sleep(rest)
                elif rest < -1:
                    late += 1
            self.row(f"churn: changes a second over {seconds} s", f"{number / seconds:.1f}", f"{CHANGES_A_SECOND}/s",
                     late == 0)
            if gateway.processes() != processes:
                raise RuntimeError("a process died")
            for name, pid in processes.items():
                grown = memory(pid) / warm[name] - 1
                self.row(f"churn: RSS of {name} since warm-up at {warm_at:.0f} s",
                         f"{warm[name] / 2**20:.1f} MiB {grown * 100:+.1f} %", "< +5 %", grown < 0.05)
        self.with_gateway(action)

    def run(self, parts):
        jobs = [({"apply", "puts", "clients"}, lambda: self.loaded(parts)), ({"memory"}, self.memory),
                ({"history"}, self.history), ({"churn"}, self.churn)]
        for names, action in jobs:
            if not names & set(parts):
                continue
            try:
                action()
            except Exception as error:  # pylint: disable=broad-except
                self.notes.append(f"failed: {', '.join(sorted(names))}: {error}")
                print(f"{names}: {error}", file=sys.stderr)

    def report(self, what):
        lines = ["# Control plane", "", f"`bench/control.sh`{what}, {time.strftime('%Y-%m-%d')}, "
                 f"{len(os.sched_getaffinity(0))} CPUs, kernel {platform.release()}, two workers.", "",
                 "| what | found | bound | met |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *[f"- {note}" for note in self.notes]]) + "\n"


def store_bytes(gateway):
    return sum(file.stat().st_size for file in (gateway.folder / "data").glob("store.db*"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--churn", type=int, default=None)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    parts = options.parts.split(",")
    if set(parts) - set(PARTS):
        parser.error("parts are " + ",".join(PARTS))
    bench = Bench(SMALL if options.small else FULL, options.churn or (10 if options.small else 60))
    bench.run(parts)
    target = ROOT / "bench/results/control.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(bench.report(" --small" if options.small else ""))
    print(target)
    return 1 if any("failed" in note for note in bench.notes) else 0


if __name__ == "__main__":
    sys.exit(main())
