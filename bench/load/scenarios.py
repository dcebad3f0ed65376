"""The measurements. Each returns plain dictionaries that report.py lays out."""

import json
import os
import re
import signal
import statistics
import struct
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread, get_native_id

import system
from proxies import BIN, BareLoop, Direct, Gateway, Haproxy, Load, Nginx, Setting, TaskLoop


def median(values):
    return statistics.median(values) if values else None


def wrk(port, seconds, connections=32):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/"]
    text = subprocess.run(system.pinned(system.LOAD_CPU, command), capture_output=True, text=True, check=True).stdout
    unit = {"us": 1, "ms": 1e3, "s": 1e6}

    def percentile(name):
        number, of = re.search(name + r"%\s+([\d.]+)(us|ms|s)", text).groups()
        return float(number) * unit[of]

    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"requests": int(re.search(r"(\d+) requests in", text).group(1)),
            "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            "p50": percentile("50"), "p99": percentile("99"), "failed": int(failed.group(1)) if failed else 0}


def cpu_around(pids, action):
    """(result of the action, nanoseconds of CPU, user ticks, kernel ticks) of the processes meanwhile."""
    before = system.cpu_of(pids)
    result = action()
    after = system.cpu_of(pids)
    return result, *(b - a for a, b in zip(before, after))


def throughput(proxies, rounds, seconds):
    """Takes turns, another one first in each round; medians over the rounds."""
    rows = {proxy.name: [] for proxy in proxies}
    for turn in range(rounds):
        for proxy in proxies[turn % len(proxies):] + proxies[:turn % len(proxies)]:
            result, run, user, kernel = cpu_around(proxy.traffic(), lambda: wrk(proxy.port, seconds))
            rows[proxy.name].append({**result, "run": run, "user": user, "kernel": kernel})
    return {name: {**summary(turns), "times": {other: ratio(turns, rows[other]) for other in rows}}
            for name, turns in rows.items()}


def ratio(turns, others):
    """Median over the rounds of CPU per request against another in the same round, so that slow rounds do not count."""
    return median([(a["run"] / a["requests"]) / (b["run"] / b["requests"]) for a, b in zip(turns, others) if b["run"]])


def summary(turns):
    cpu = median([turn["run"] / turn["requests"] / 1000 for turn in turns])
    user, kernel = (sum(turn[key] for turn in turns) for key in ("user", "kernel"))
    part = user / (user + kernel) if user + kernel else 0
    return {"cpu": cpu, "user": cpu * part, "kernel": cpu * (1 - part), "failed": sum(t["failed"] for t in turns),
            "spread": [f(t["run"] / t["requests"] / 1000 for t in turns) for f in (min, max)],
            **{key: median([turn[key] for turn in turns]) for key in ("rate", "p50", "p99")}}


def callgrind_total(folder, pid):
    for file in Path(folder).glob(f"callgrind.{pid}"):
        found = re.search(r"^(?:summary|totals): (\d+)", file.read_text(errors="replace"), re.MULTILINE)
        if found:
            return int(found.group(1))
    return None


def instructions_of_run(kind, folder, setting, count, **pattern):
    proxy = kind(folder)
    proxy.limit = 120
    prefix = ["valgrind", "--tool=callgrind", "--trace-children=yes",
              f"--callgrind-out-file={proxy.folder}/callgrind.%p", "-q"]
    proxy.start(setting, prefix=prefix, alone=True)
    try:
        pid = proxy.traffic()[0]
        done = Load("requests", proxy.port, count=count, connections=16, **pattern).finish()
    finally:
        proxy.stop(60)
    total = callgrind_total(proxy.folder, pid)
    return total if done.get("good") == count else None


def instructions(kinds, folder, setting, few, many):
    """User-space instructions per request: the difference of two runs, start-up and end cancel out."""
    def measure(kind, count):
        return instructions_of_run(kind, folder / f"callgrind-{count}", setting, count)

    with ThreadPoolExecutor(2) as pool:
        jobs = {kind.name: [pool.submit(measure, kind, count) for count in (few, many)] for kind in kinds}
        result = {}
        for name, pair in jobs.items():
            try:
                low, high = (job.result() for job in pair)
                result[name] = (high - low) / (many - few) if low and high else None
            except RuntimeError as error:
                print(f"callgrind: {error}")
                result[name] = None
    return result


def traced_calls(proxy, count):
    file = proxy.folder / "strace"
    attach = [argument for pid in proxy.traffic() for argument in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", str(file), *attach], stderr=subprocess.PIPE, text=True)
    tracer.stderr.readline()  # "Process … attached"
    Load("requests", proxy.port, count=count, connections=32).finish()
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    calls = {}
    for line in file.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and re.fullmatch(r"[\d.]+", fields[0]) and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    return calls


def system_calls(proxy, few, many):
    """Calls per request of the traffic processes, by name: difference of two traced runs, connecting cancels out."""
    low, high = traced_calls(proxy, few), traced_calls(proxy, many)
    calls = {name: (high[name] - low.get(name, 0)) / (many - few) for name in high}
    return {name: times for name, times in calls.items() if times >= 0.005}


def allocations(kind, folder, setting, count, **pattern):
    """Heap allocations per request once warm, counted in the traffic process by a preloaded library: the difference of
    two runs, so that connecting cancels out."""
    proxy = kind(folder / "alloc")
    file = proxy.folder / "allocations"
    file.unlink(missing_ok=True)
    proxy.start(setting, env={"LD_PRELOAD": str(BIN / "alloc_preload.so"), "GATEWAY_ALLOC_FILE": str(file)})
    try:
        pids = proxy.traffic()

        def counted():
            pairs = struct.iter_unpack("QQ", file.read_bytes())
            return sum(number for pid, number in pairs if pid in pids)

        def counted_over(requests):
            before = counted()
            Load("requests", proxy.port, count=requests, **pattern).finish()
            return counted() - before

        few = count // 4
        counted_over(max(2000, few))
        low, high = counted_over(few), counted_over(count)
        return max(high - low, 0) / (count - few)
    finally:
        proxy.stop()


def idle_memory(proxy, connections):
    """Private memory that an idle keep-alive connection costs, after it has made one request."""
    # As many at once as there will be while connecting, so that buffers and upstream connections are there before.
    Load("requests", proxy.port, milliseconds=500, connections=128).finish()
    time.sleep(1.5)
    pids = proxy.everything()
    before = system.memory_of(pids, "Private_Dirty")
    load = Load("idle", proxy.port, connections=connections)
    first = load.line()
    time.sleep(1.5)  # timers that shrink buffers of idle connections have run
    after = system.memory_of(pids, "Private_Dirty")
    second = load.again()
    load.finish()
    return {"connections": first["open"], "bytes": (after - before) / max(first["open"], 1),
            "answered": second["requests"] - second["broken"] - second["reopened"]}


def reloads(proxy, setting, times, pause):
    """Broken requests and tunnels while the configuration in use changes again and again."""
    before, workers = len(proxy.everything()), set(proxy.traffic())
    idle = Load("idle", proxy.port, connections=500)
    held = idle.line()["open"]
    posts = Load("requests", proxy.port, method="POST", body=512, connections=32)
    short = Load("requests", proxy.port, connections=32, short=1)
    tunnels = Load("websockets", proxy.port, connections=200)
    opened = tunnels.line()["open"]
    most = before
    for turn in range(1, times + 1):
        setting.mark = turn
        proxy.reload(setting)
        time.sleep(pause)
        most = max(most, len(proxy.everything()))
    post, once, tunnel, asked = posts.finish(), short.finish(), tunnels.finish(), idle.again()
    idle.finish()
    return {"times": times, "posts": post["requests"], "post_broken": post["broken"], "post_reasons": post["reasons"],
            "short": once["requests"], "short_broken": once["broken"], "short_reasons": once["reasons"],
            "tunnels": opened, "tunnels_broken": tunnel["broken"], "idle": held,
            "idle_closed": asked["reopened"] + asked["broken"], "processes_before": before, "processes_most": most,
            "workers_gone": len(workers - set(proxy.traffic()))}


def cpu_per_request(proxy, seconds, **options):
    result, run, _, _ = cpu_around(proxy.traffic(), lambda: Load("requests", proxy.port,
                                                                 milliseconds=int(seconds * 1000), **options).finish())
    return run / max(result["requests"], 1) / 1000


def spreads_in_turns(proxy, one, count, pattern, seconds, rounds):
    """CPU per request on one route of `one`, then on 1,000 hot and on all routes of `proxy`, taking turns."""
    turns = {"one": [], "hot": [], "all": []}
    for _ in range(rounds):
        turns["one"].append(cpu_per_request(one, seconds, path="/x"))
        turns["hot"].append(cpu_per_request(proxy, seconds, spread=min(1000, count), **pattern))
        turns["all"].append(cpu_per_request(proxy, seconds, spread=count, **pattern))
    row = {name: median(values) for name, values in turns.items()}
    for name in ("hot", "all"):
        row["times_" + name] = median([value / base for value, base in zip(turns[name], turns["one"])])
    return row


def routes(kind, folder, one, backends, count, seconds, rounds, shape="paths"):
    """Start with so many routes: time to ready, memory, CPU per request against `one`, which has a single route."""
    proxy = kind(folder / f"{shape}-{count}")
    setting = Setting(backends, **({"routes": count} if shape == "paths" else {"hosts": count}))
    start = time.monotonic()
    proxy.start(setting)
    try:
        last = {"path": f"/r/{count - 1}"} if shape == "paths" else {"host": f"h{count - 1}"}
        system.until(lambda: system.answers(proxy.port, **last), 60)
        row = {"ready": time.monotonic() - start}
        pattern = {"path": "/r/%d"} if shape == "paths" else {"path": "/x", "host": "h%d"}
        Load("requests", proxy.port, milliseconds=300, spread=count, **pattern).finish()
        row.update(spreads_in_turns(proxy, one, count, pattern, seconds, rounds))
        row["worker"] = system.memory_of(proxy.traffic()[:1], "Rss")
        row["control"] = system.memory_of(proxy.control(), "Rss") if isinstance(proxy, Gateway) else None
        return row
    finally:
        proxy.stop()


def turns_of(status, name):
    return max((worker[name] for worker in status.get("workers", []) if name in worker), default=None)


def changes(folder, backends, count, seconds, per_second):
    """One changed route at a time among many: time until served, CPU it costs, and what traffic notices.

    The traffic comes at a steady rate, far below what the proxy could bear, so that times mean something.
    """
    gateway = Gateway(folder / "changes")
    # A worker counts its turns by CPU time, or a stall of the host would be the longest one.
    gateway.start(Setting(backends, routes=count), env={"GATEWAY_TURNS_BY_CPU": "1"})
    try:
        pattern = {"path": "/r/%d", "spread": count}
        Load("requests", gateway.port, milliseconds=500, **pattern).finish()
        workers, control = gateway.traffic(), gateway.control()
        change(gateway, 2, per_second)  # warm: the first changes build what later ones find
        before_memory = system.memory_of(workers, "Rss")
        quiet, busy, made, quiet_cpu, busy_cpu, control_cpu = [], [], [], 0, 0, 0
        with ThreadPoolExecutor(1) as pool:
            for block in blocks(seconds):  # turn by turn: the machine is never the same for long
                windows, cpu, _, _ = cpu_around(workers, lambda: steady(gateway, block, pattern))
                quiet, quiet_cpu = quiet + windows, quiet_cpu + cpu
                before_control = system.cpu_of(control)[0]
                changing = pool.submit(change, gateway, block, per_second)
                windows, cpu, _, _ = cpu_around(workers, lambda: steady(gateway, block, pattern))
                busy, busy_cpu, made = busy + windows, busy_cpu + cpu, made + [changing.result()]
                control_cpu += system.cpu_of(control)[0] - before_control
        quiet, busy, made = over_windows(quiet), over_windows(busy), over_blocks(made)
        status = gateway.status()
        extra = busy_cpu - quiet_cpu * busy["requests"] / max(quiet["requests"], 1)
        return {"routes": count, "made": made["made"], "per_second": made["made"] / made["seconds"],
                "seen": made["median_ms"] / 1000, "seen_most": made["most_ms"] / 1000,
                "worker_cpu": max(extra, 0) / made["made"] / 1000, "control_cpu": control_cpu / made["made"] / 1000,
                "rate": STEADY_RATE, "quiet_p50": quiet["p50"], "busy_p50": busy["p50"],
                "quiet_p99": quiet["p99"], "busy_p99": busy["p99"],
                "broken": busy["broken"], "growth": system.memory_of(workers, "Rss") / before_memory - 1,
                "longest_turn": turns_of(status, "longest_turn_us"),
                "longest_apply": turns_of(status, "longest_apply_us")}
    finally:
        gateway.stop()


def change(gateway, seconds, per_second):
    command = [BIN / "gateway-bench-changer", "--socket", gateway.folder / "gateway.sock", "--port", gateway.port,
               "--seconds", seconds, "--per-second", per_second]
    # Idle class: who puts shall not delay the requests that are measured on the same CPU.
    command = system.pinned(system.LOAD_CPU, ["chrt", "--idle", "0", *command])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("changer: " + done.stderr)
    return json.loads(done.stdout)


STEADY_RATE, WINDOW_MS = 5000, 50


def steady(gateway, seconds, pattern):
    """Requests at the steady rate, with times for windows so short that a stall of the host spoils few of them."""
    return [Load("requests", gateway.port, seconds=seconds, connections=16, rate=STEADY_RATE, window=WINDOW_MS,
                 **pattern).finish()]


def blocks(seconds, longest=5):
    return [min(longest, seconds - at) for at in range(0, seconds, longest)]


def over_windows(runs):
    """Medians over their windows: what else the machine does in one of them tells nothing."""
    windows = [window for run in runs for window in run["windows"]]
    return {"requests": sum(run["requests"] for run in runs), "broken": sum(run["broken"] for run in runs),
            **{key: median([window[key] for window in windows]) for key in ("p50", "p99")}}


def over_blocks(made):
    return {"made": sum(one["made"] for one in made), "seconds": sum(one["seconds"] for one in made),
            "median_ms": median([one["median_ms"] for one in made]), "most_ms": max(one["most_ms"] for one in made)}


METRICS_TURNS = 3  # of being scraped and being left alone


class Scraper:
    """A client that reads the metrics again and again, as long as it is entered."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/apisix/prometheus/metrics"
        self.times, self.bytes, self.over = 0, 0, False

    def once(self):
        with urllib.request.urlopen(self.url, timeout=30) as answer:
            size = 0
            while part := answer.read(2**20):
                size += len(part)
        return size

    def run(self):
        """On the load's CPU and behind it: the reader of the text is not what is measured."""
        os.sched_setaffinity(0, {system.LOAD_CPU})
        os.sched_setscheduler(get_native_id(), os.SCHED_IDLE, os.sched_param(0))
        while not self.over:
            self.bytes = self.once()
            self.times += 1

    def __enter__(self):
        self.over = False
        self.thread = Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def metrics(folder, backends, count, seconds):
    """What traffic over many routes, all counted, notices of metrics scraped without a rest; with settings as shipped."""
    gateway = Gateway(folder / "metrics")
    setting = Setting(backends, routes=count, metrics=system.free_port())
    gateway.start(setting)
    pattern = {"path": "/r/%d", "spread": count}
    windows = {"busy": [], "quiet": []}
    scraper = Scraper(setting.metrics)
    try:
        Load("requests", gateway.port, milliseconds=3000, **pattern).finish()
        system.until(lambda: scraper.once() > count * 1000, setting.refresh * 2)
        for _ in range(METRICS_TURNS):
            with scraper:
                windows["busy"] += steady(gateway, max(1, seconds // METRICS_TURNS), pattern)
            windows["quiet"] += steady(gateway, max(1, seconds // METRICS_TURNS), pattern)
        memory = system.memory_of(gateway.control(), "Rss")
        busy, quiet = over_windows(windows["busy"]), over_windows(windows["quiet"])
        return {"routes": count, "scrapes": scraper.times, "bytes": scraper.bytes, "rate": STEADY_RATE,
                "broken": quiet["broken"] + busy["broken"], "times_p99": busy["p99"] / quiet["p99"],
                "control": memory, "quiet_p50": quiet["p50"], "busy_p50": busy["p50"],
                "quiet_p99": quiet["p99"], "busy_p99": busy["p99"]}
    finally:
        gateway.stop()


def large_bodies(proxies, size, rounds):
    """CPU per MiB of the traffic processes, down and up."""
    rows = {proxy.name: {"down": [], "up": []} for proxy in proxies}
    for _ in range(rounds):
        for proxy in proxies:
            for direction in ("down", "up"):
                result, run, _, _ = cpu_around(proxy.traffic(), lambda: Load(
                    "transfer", proxy.port, bytes=size, direction=direction).finish())
                if result.get("whole"):
                    rows[proxy.name][direction].append(run / (size / 2**20) / 1000)
    return {name: {direction: median(values) for direction, values in row.items()} for name, row in rows.items()}


ALL = [Direct, BareLoop, TaskLoop, Nginx, Haproxy, Gateway]
