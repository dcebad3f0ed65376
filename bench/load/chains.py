"""What plugins cost: chains of key-auth, limit-count and prometheus beside nginx with Lua doing the same work."""

import json
import shutil
import socket
import time
from pathlib import Path

import system
from callgrind import plugin_times
from proxies import Gateway, Load, Nginx
from scenarios import allocations, cpu_around, instructions_of_run, median

KEY_AUTH = {"key-auth": {}}
LIMIT = {"limit-count": {"count": 100000000, "time_window": 60}}
PROMETHEUS = {"prometheus": {}}
REWRITE = {"proxy-rewrite": {"headers": {"set": {"X-Bench": "1"}}}}
ADDRESSES = {"ip-restriction": {"whitelist": ["127.0.0.0/8"]}}
LINE = {"file-logger": {"path": "/dev/null"}}
FULL = {**KEY_AUTH, **LIMIT, **PROMETHEUS}
CHAINS = {"none": {}, "key-auth": KEY_AUTH, "key-auth, limit-count": {**KEY_AUTH, **LIMIT},
          "key-auth, limit-count, prometheus": FULL, "the same and a header rewrite": {**FULL, **REWRITE},
          "the same and an address check": {**FULL, **ADDRESSES},
          "the same and a line of file-logger": {**FULL, **LINE}}
# One name for all: the length of `apikey: k7` shall not differ.
HEADER = "apikey: k%d"


def with_plugins(plugins, consumers=10):
    """A gateway whose only route has these plugins."""
    class Chained(Gateway):
        limit = 120

        def write(self, setting):
            nodes = ", ".join(f'"127.0.0.1:{port}": 1' for port in setting.nodes())
            lines = ["routes:\n", f"  - {{id: all, uri: /*, plugins: {json.dumps(plugins)}, "
                                  f"upstream: {{type: roundrobin, nodes: {{{nodes}}}}}}}\n"]
            if consumers:
                lines.append("consumers:\n")
                lines += [f"  - {{username: c{i}, plugins: {{key-auth: {{key: k{i}}}}}}}\n" for i in range(consumers)]
            (self.folder / "routes.yaml").write_text("".join(lines))

        def ready(self):
            return self.process.poll() is not None or opens(self.port)
    return Chained


class NginxLua(Nginx):
    name = "nginx+Lua"
    template = "nginx-lua.conf"
    consumers = 10

    def available(self):
        return super().available() and Path("/usr/lib/nginx/modules/ngx_http_lua_module.so").exists()

    def write(self, setting, alone=False):
        self.fill(self.template, {**self.values(setting, alone), "CONSUMERS": self.consumers})

    def command(self, alone):
        return ["nginx", "-c", self.folder / self.template, "-p", self.folder]

    def ready(self):
        return self.process.poll() is not None or opens(self.port)


def opens(port):
    """Whether a request with a key is answered with 200."""
    return Load("requests", port, count=1, connections=1, header=HEADER).finish().get("good") == 1


def instructions(folder, setting, few, many):
    rows = {}
    for number, (name, plugins) in enumerate(CHAINS.items()):
        kind = with_plugins(plugins)
        low, high = (instructions_of_run(kind, folder / f"chain{number}-{count}", setting, count, header=HEADER,
                                         spread=10) for count in (few, many))
        rows[name] = (high - low) / (many - few) if low and high else None
    return rows


def timing(folder, few, many):
    """What the time per plugin, always on, takes of a request of the full chain: instructions, readings of the clock.
    From the runs of instructions(). Not in it: the test at each hook whether this request is one of the 64."""
    number = list(CHAINS.values()).index(FULL)
    low, high = (plugin_times(folder / f"chain{number}-{count}" / Gateway.name) for count in (few, many))
    return {name: (b - a) / (many - few) for name, a, b in zip(("instructions", "clocks"), low, high)}


def beside_lua(folder, setting, rounds, seconds):
    """CPU per request of both programs, taking turns; medians."""
    proxies = [kind(folder) for kind in (with_plugins(FULL), NginxLua) if kind(folder).available()]
    rows = {proxy.name: [] for proxy in proxies}
    try:
        for proxy in proxies:
            proxy.start(setting)
        for turn in range(rounds + 1):
            for proxy in proxies[turn % 2:] + proxies[:turn % 2]:
                load, run, _, _ = cpu_around(proxy.traffic(), lambda: Load(
                    "requests", proxy.port, milliseconds=int(seconds * 1000), header=HEADER, spread=10).finish())
                if load["good"] != load["requests"]:
                    raise RuntimeError(f"{proxy.name}: {load['requests'] - load['good']} answers are not 200")
                if turn:  # the first one warms up
                    rows[proxy.name].append(run / load["requests"] / 1000)
    finally:
        for proxy in proxies:
            proxy.stop()
    return {name: median(values) for name, values in rows.items()}


def many_consumers(folder, setting, count, rounds, seconds):
    """Ten consumers beside many: CPU per request of key-auth, and how soon one that is changed counts."""
    few, many = with_plugins(KEY_AUTH)(folder / "few"), with_plugins(KEY_AUTH, count)(folder / "many")
    turns = []
    try:
        start = time.monotonic()
        many.start(setting)
        row = {"count": count, "ready": time.monotonic() - start}
        few.start(setting)
        for _ in range(rounds):
            costs = []
            for proxy, spread in ((few, 10), (many, 10), (many, 1000), (many, count)):
                load, run, _, _ = cpu_around(proxy.traffic(), lambda: Load(
                    "requests", proxy.port, milliseconds=int(seconds * 1000), header=HEADER, spread=spread).finish())
                costs.append(run / load["requests"] / 1000)
            turns.append(costs)
        row.update({name: median([costs[at] for costs in turns])
                    for at, name in enumerate(("few", "same", "hot", "all"))})
        row.update({"times_" + name: median([costs[at] / costs[0] for costs in turns])
                    for at, name in enumerate(("few", "same", "hot", "all")) if at})
        row["seen"], row["seen_most"] = changed_consumers(many)
        row["worker"] = system.memory_of(many.traffic()[:1], "Rss")
        return row
    finally:
        few.stop()
        many.stop()


def changed_consumers(gateway, times=20):
    """Seconds from a put over the control socket until the new key opens, median and most."""
    took = []
    with socket.socket(socket.AF_UNIX) as control, socket.create_connection(("127.0.0.1", gateway.port)) as client:
        control.connect(str(gateway.folder / "gateway.sock"))
        answers = control.makefile()
        for turn in range(times):
            key = f"new{turn}"
            content = json.dumps({"username": "fresh", "plugins": {"key-auth": {"key": key}}})
            start = time.monotonic()
            control.sendall(json.dumps({"command": "put", "arguments": {
                "kind": "consumer", "id": "fresh", "content": content}}).encode() + b"\n")
            answer = json.loads(answers.readline())
            if answer.get("status") != "ok":
                raise RuntimeError(f"put: {answer}")
            while not asked(client, key):
                if time.monotonic() - start > 10:
                    raise RuntimeError("a new key does not open")
            took.append(time.monotonic() - start)
    return median(took), max(took)


def asked(client, key):
    client.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\napikey: {key}\r\n\r\n".encode())
    text = b""
    while b"\r\n\r\n" not in text:
        text += client.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    while len(body) < size:
        body += client.recv(65536)
    return head.split(b" ", 2)[1] == b"200"


def measure(folder, setting, size):
    folder = folder / "chains"
    shutil.rmtree(folder, ignore_errors=True)
    counts = instructions(folder, setting, size["few"], size["many"])
    return {"instructions": counts,
            "timing": timing(folder, size["few"], size["many"]),
            "cpu": beside_lua(folder, setting, size["rounds"], size["seconds"]),
            "allocations": allocations(with_plugins(FULL), folder, setting, size["calls"], header=HEADER, spread=10),
            "consumers": many_consumers(folder, setting, size["consumers"], size["route_rounds"],
                                        size["route_seconds"])}
