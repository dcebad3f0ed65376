"""Lays the results out as bench/results/latest.md."""

import os
import platform
import subprocess
import time
from pathlib import Path

ORDER = ["direct", "bare Asio loop", "bare Task loop", "nginx", "HAProxy", "gateway"]


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).splitlines()[0]
    except (OSError, IndexError):
        return "missing"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=1, unit=""):
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def ratio(value, other):
    return "–" if not value or not other else f"{value / other:.2f}"


def ordered(rows):
    return [(name, rows[name]) for name in ORDER if name in rows]


def machine():
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown CPU")
    versions = [first_line("nginx", "-v"), first_line("haproxy", "-v").partition(" 20")[0],
                first_line("gcc", "--version")]
    commit = first_line("git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD")
    return (f"{time.strftime('%Y-%m-%d %H:%M')} · commit {commit} · {os.cpu_count()} CPUs, {model} · "
            f"Linux {platform.release()} · {' · '.join(versions)}")


def throughput(rows):
    head = ["", "CPU µs/request", "user", "kernel", "least – most", "× nginx", "× HAProxy", "requests/s",
            "p50 µs", "p99 µs"]
    body = []
    for name, row in ordered(rows):
        cpu = row["cpu"] if name != "direct" else None
        spread = " – ".join(number(value, 2) for value in row["spread"]) if cpu else "–"
        body.append([name, number(cpu, 2), number(cpu and row["user"], 2), number(cpu and row["kernel"], 2), spread,
                     number(cpu and row["times"].get("nginx"), 2), number(cpu and row["times"].get("HAProxy"), 2),
                     number(row["rate"], 0), number(row["p50"], 0), number(row["p99"], 0)])
    return "## Proxied keep-alive requests, 1 KiB answer\n\n" + table(head, body)


def per_request(results):
    counts, calls = results.get("instructions", {}), results.get("calls", {})
    allocations = results.get("allocations", {})
    head = ["", "instructions/request", "× nginx", "system calls/request", "of them", "heap allocations/request"]
    body = []
    for name in ORDER[1:]:
        if name not in counts and name not in calls:
            continue
        mine = calls.get(name, {})
        most = ", ".join(f"{call} {times:.2f}" for call, times in sorted(mine.items(), key=lambda item: -item[1])[:6])
        body.append([name, number(counts.get(name), 0), ratio(counts.get(name), counts.get("nginx")),
                     number(sum(mine.values()) if mine else None, 2), most, number(allocations.get(name), 3)])
    return "## Per request\n\n" + table(head, body)


def idle(rows):
    body = [[name, number(row["connections"], 0), number(row["bytes"], 0), number(row["answered"], 0)]
            for name, row in ordered(rows)]
    return "## Idle keep-alive connections\n\n" + table(
        ["", "connections", "private bytes each", "answered afterwards"], body)


def reloads(rows):
    head = ["", "reloads", "POSTs", "broken", "short requests", "broken", "WebSockets", "broken", "idle", "closed",
            "processes before", "at most", "workers replaced"]
    body = [[name, row["times"], number(row["posts"], 0), row["post_broken"], number(row["short"], 0),
             row["short_broken"], row["tunnels"], row["tunnels_broken"], row["idle"], row["idle_closed"],
             row["processes_before"], row["processes_most"], row["workers_gone"]] for name, row in ordered(rows)]
    return ("## Reloads under load, each changing what is in use\n\n"
            "32 keep-alive POST clients, 32 clients with a connection per request, 200 WebSockets, 500 idle keep-alive "
            "connections. nginx and HAProxy: the nodes change. Gateway: nodes, a route, a plugin setting and a global "
            "rule, every tenth time a listener and the number of workers.\n\n" + table(head, body))


def bodies(rows):
    body = [[name, number(row["down"], 1), number(row["up"], 1)] for name, row in ordered(rows)]
    return "## Large bodies\n\n" + table(["", "CPU µs per MiB down", "up"], body)


def routes(rows):
    head = ["", "time to ready s", "CPU µs/request, one route", "1,000 hot", "× one", "all", "× one", "worker MiB",
            "control MiB"]
    body = [[name, number(row["ready"], 2), number(row["one"], 2),
             number(row["hot"], 2), number(row["times_hot"], 2), number(row["all"], 2), number(row["times_all"], 2),
             number(row["worker"] / 2**20, 1), number(row["control"] and row["control"] / 2**20, 1)]
            for name, row in rows.items()]
    return ("## Many routes\n\nDistinct paths, or one path with as many hosts; beside each runs the same program with "
            "one route, taking turns.\n\n" + table(head, body))


def changes(row):
    milliseconds = {key: None if row[key] is None else row[key] * 1000 for key in ("seen", "seen_most")}
    body = [["changes made (put, over the control socket)", f"{row['made']} ({row['per_second']:.0f} a second)"],
            ["traffic meanwhile and before", f"{row['rate']:,} requests a second"],
            ["served after (median, most)", " ms, ".join(number(value) for value in milliseconds.values()) + " ms"],
            ["CPU of the worker per change", number(row["worker_cpu"], 0, " µs")],
            ["CPU of control per change", number(row["control_cpu"], 0, " µs")],
            ["p50 quiet, while changing", f"{row['quiet_p50']} µs, {row['busy_p50']} µs"],
            ["p99 quiet, while changing", f"{row['quiet_p99']} µs, {row['busy_p99']} µs"],
            ["broken requests", row["broken"]],
            ["growth of the worker's memory", f"{row['growth'] * 100:.1f} %"],
            ["longest loop turn since start, while applying (CPU time)",
             f"{row['longest_turn']} µs, {row['longest_apply']} µs"]]
    return f"## One changed route among {row['routes']:,}\n\n" + table(["", ""], body)


def metrics(row):
    body = [["traffic", f"{row['rate']:,} requests a second"],
            ["scrapes, bytes of the last", f"{row['scrapes']}, {row['bytes']:,}"],
            ["p50 quiet, while scraped", f"{row['quiet_p50']} µs, {row['busy_p50']} µs"],
            ["p99 quiet, while scraped", f"{row['quiet_p99']} µs, {row['busy_p99']} µs"],
            ["p99 × quiet", number(row["times_p99"], 2)],
            ["broken requests", row["broken"]],
            ["control MiB", number(row["control"] / 2**20, 1)]]
    return f"## Metrics of {row['routes']:,} routes, scraped without a rest\n\n" + table(["", ""], body)


FULL = "key-auth, limit-count, prometheus"


def chains(row):
    counts, plain = row["instructions"], row["instructions"].get("none")
    body = [[name, number(value, 0), number(value and plain and value - plain, 0)] for name, value in counts.items()]
    text = "## Plugins\n\n" + table(["chain", "instructions/request", "more than none"], body)
    cpu = row["cpu"]
    text += "\nkey-auth, limit-count and prometheus beside nginx with Lua doing the same:\n\n" + table(
        ["", "CPU µs/request", "× nginx + Lua"],
        [[name, number(value, 2), ratio(value, cpu.get("nginx+Lua"))] for name, value in cpu.items()])
    if row["timing"] and counts.get(FULL):
        timing = row["timing"]
        text += (f"\nTime per plugin, always on, takes {timing['instructions']:.1f} instructions and "
                 f"{timing['clocks']:.3f} readings of the clock of such a request "
                 f"({timing['instructions'] / counts[FULL]:.2%} of its instructions).\n")
    many = row["consumers"]
    return text + f"\nkey-auth with {many['count']:,} consumers (10: {number(many['few'], 2)} µs/request):\n\n" + table(
        ["keys in use", "CPU µs/request", "× with 10 consumers"],
        [["10", number(many["same"], 2), number(many["times_same"], 2)],
         ["1,000", number(many["hot"], 2), number(many["times_hot"], 2)],
         ["all", number(many["all"], 2), number(many["times_all"], 2)]]) + (
        f"\nReady after {many['ready']:.1f} s, worker {many['worker'] / 2**20:.0f} MiB; a changed consumer counts after "
        f"{many['seen'] * 1000:.1f} ms (median), {many['seen_most'] * 1000:.1f} ms at most.\n")


def chain_bounds(row):
    found = []

    def bound(what, value, limit, digits=2):
        if value is not None:
            found.append([what, number(value, digits), f"≤ {limit:,}", "yes" if value <= limit else "**no**"])

    counts, names = row["instructions"], list(row["instructions"])
    full, cpu, many = counts.get(FULL), row["cpu"], row["consumers"]
    bound(f"instructions per request, {FULL}", full, 14000, 0)
    bound("time per plugin, part of its instructions", full and row["timing"]["instructions"] / full, 0.01, 4)
    if "nginx+Lua" in cpu:
        bound("CPU time per request, same chain, × nginx + Lua", cpu["gateway"] / cpu["nginx+Lua"], 0.70)
    for name in names[4:6]:
        bound(f"instructions more, {name}", full and counts[name] and counts[name] - full, 300, 0)
    bound("heap allocations per request, same chain", row["allocations"], 0.0005, 3)
    bound(f"{many['count']:,} consumers: CPU × with 10", many["times_same"], 1.1)
    bound(f"{many['count']:,} consumers: ms until a change counts, most", many["seen_most"] * 1000, 100, 1)
    return found


def bounds(results):
    """The numbers to reach, met or not."""
    rows = []

    def bound(what, value, limit, digits=2):
        if value is not None:
            rows.append([what, number(value, digits), f"≤ {limit:,}", "yes" if value <= limit else "**no**"])

    fast = results.get("throughput", {})
    for other, limit in (("nginx", 0.90), ("HAProxy", 0.80)):
        bound(f"CPU time per request, × {other}", fast.get("gateway", {}).get("times", {}).get(other), limit)
    bound("instructions per request", results.get("instructions", {}).get("gateway"), 10250, 0)
    calls = results.get("calls", {}).get("gateway")
    bound("system calls per request without epoll_wait",
          sum(times for name, times in calls.items() if not name.startswith("epoll")) if calls else None, 4.05)
    bound("heap allocations per request", results.get("allocations", {}).get("gateway"), 0.0005, 3)
    bound("private bytes per idle connection", results.get("idle", {}).get("gateway", {}).get("bytes"), 1024, 0)
    reload = results.get("reloads", {}).get("gateway")
    broken = ("post_broken", "short_broken", "tunnels_broken", "idle_closed")
    bound("broken over reloads", reload and sum(reload[key] for key in broken), 0, 0)
    big = results.get("bodies", {})
    if "gateway" in big and "HAProxy" in big:
        for direction in ("down", "up"):
            mine, other = big["gateway"][direction], big["HAProxy"][direction]
            bound(f"large bodies {direction}, × HAProxy", mine / other if mine and other else None, 1.0)
    rows += route_bounds(results.get("routes", {}))
    if row := results.get("changes"):
        bound("50 changes a second: p99 × quiet", row["busy_p99"] / row["quiet_p99"], 1.2)
        bound("50 changes a second: ms until served, most", row["seen_most"] * 1000, 100, 1)
        bound("50 changes a second: growth of memory", row["growth"], 0.05, 3)
        bound("50 changes a second: longest loop turn while applying, µs of CPU", row["longest_apply"], 2000, 0)
    if row := results.get("metrics"):
        bound("metrics scraped in a loop: p99 × quiet", row["times_p99"], 1.05)
    if row := results.get("chains"):
        rows += chain_bounds(row)
    return "## Numbers to reach\n\n" + table(["what", "measured", "bound", "met"], rows) if rows else ""


def route_bounds(rows):
    found = []
    for name, row in rows.items():
        if not name.startswith("gateway, 100,000"):
            continue
        name = name.removeprefix("gateway, ")
        for what, value, limit in ((f"{name}: seconds to ready", row["ready"], 5),
                                   (f"{name}: worker MiB", row["worker"] / 2**20, 250),
                                   (f"{name}: control MiB", (row["control"] or 0) / 2**20, 600),
                                   (f"{name}: CPU × one route, 1,000 hot", row["times_hot"], 1.05),
                                   (f"{name}: CPU × one route, all", row["times_all"], 1.15)):
            found.append([what, number(value, 2), f"≤ {limit:,}", "yes" if value <= limit else "**no**"])
    return found


def markdown(results):
    parts = [f"# Bench, {results['size']} run\n\n{machine()}\n\n"
             "One proxy worker on one CPU, backend and client on the other; all proxies run side by side and take "
             "turns, medians of the rounds; so are the ratios, each of two turns of one round. CPU time is the "
             "scheduler's count of the processes that carry traffic.\n"]
    parts.append(bounds(results))
    if "throughput" in results:
        parts.append(throughput(results["throughput"]))
    if "instructions" in results or "calls" in results:
        parts.append(per_request(results))
    laid_out = {"idle": idle, "reloads": reloads, "bodies": bodies, "routes": routes, "changes": changes, "metrics": metrics,
                "chains": chains}
    for name, lay_out in laid_out.items():
        if results.get(name):
            parts.append(lay_out(results[name]))
    if results["missing"]:
        rows = [[name, why.replace("\n", " ")[:300]] for name, why in results["missing"].items()]
        parts.append("## Not measured\n\n" + table(["what", "why"], rows))
    parts.append(f"The whole run took {results['seconds']:.0f} s.\n")
    return "\n".join(part for part in parts if part)
