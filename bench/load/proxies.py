"""What is measured: direct connection, bare loops, nginx, HAProxy, gateway, each started and changed alike."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import system

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = ROOT / "build/release/bin"


class Setting:
    """What a proxy is to serve: backends, exact paths /r/0 … or hosts h0 … of one path; reloads change the mark.

    `metrics`: port where the gateway's metrics are served, made every `refresh` seconds; 0: it keeps none.
    """

    def __init__(self, backends, routes=0, hosts=0, mark=0, metrics=0, refresh=15):
        self.backends, self.routes, self.hosts, self.mark = backends, routes, hosts, mark
        self.metrics, self.refresh = metrics, refresh

    def nodes(self):
        """Reloads use the second backend every other time."""
        return self.backends if self.mark % 2 else self.backends[:1]


class Proxy:
    """One program in a folder of its own; `traffic()` are the processes that carry requests."""

    name = ""
    limit = 20

    def __init__(self, folder):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.port = 0

    def available(self):
        return True

    def start(self, setting, prefix=(), env=None, alone=False):
        """`prefix`: a tool to run it under; `alone`: no processes beside the one that carries traffic, if it can."""
        self.configure(setting, alone)
        self.process = system.spawn(system.PROXY_CPU, [*prefix, *self.command(alone)], self.folder / "output", env)
        if not system.until(self.ready, self.limit) or self.process.poll() is not None:
            text = (self.folder / "output").read_text(errors="replace")[-2000:]
            self.stop()
            raise RuntimeError(f"{self.name} did not get ready: {text}")

    def ready(self):
        return self.process.poll() is not None or system.answers(self.port)

    def stop(self, limit=20):
        if self.process:
            system.end(self.process, self.stop_signal, limit)
        self.process = None

    stop_signal = signal.SIGTERM

    def everything(self):
        return [self.process.pid, *system.descendants(self.process.pid)]

    def traffic(self):
        return system.children(self.process.pid) or [self.process.pid]

    def fill(self, template, values):
        text = (HERE / template).read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        (self.folder / template).write_text(text)


class Direct(Proxy):
    name = "direct"

    def start(self, setting, prefix=(), env=None, alone=False):
        self.port = setting.backends[0]

    def traffic(self):
        return []


class BareLoop(Proxy):
    name = "bare Asio loop"
    program = "gateway-bare-loop"

    def configure(self, setting, alone):
        self.port = system.free_port()
        self.backend = setting.backends[0]

    def command(self, alone):
        return [BIN / self.program, self.port, self.backend]


class TaskLoop(BareLoop):
    name = "bare Task loop"
    program = "gateway-task-loop"


class Nginx(Proxy):
    name = "nginx"
    limit = 90  # it needs that long to sort 100,000 locations

    def available(self):
        return shutil.which("nginx") is not None

    def configure(self, setting, alone):
        self.port = self.port or system.free_port()
        self.write(setting, alone)

    def write(self, setting, alone=False):
        locations = [f"location = /r/{i} {{ proxy_pass http://backend; }}" for i in range(setting.routes)]
        self.fill("nginx.conf", {**self.values(setting, alone), "LOCATIONS": "\n".join(locations + [f"# {setting.mark}"])})

    def values(self, setting, alone):
        return {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "MASTER": "off" if alone else "on",
            "FOLDER": self.folder,
            "FILES": system.open_files(),
            "PORT": self.port,
            "SERVERS": " ".join(f"server 127.0.0.1:{port};" for port in setting.nodes()),
        }

    def command(self, alone):
        return ["nginx", "-c", self.folder / "nginx.conf", "-p", self.folder]

    def reload(self, setting):
        self.write(setting)
        self.process.send_signal(signal.SIGHUP)


class Haproxy(Proxy):
    name = "HAProxy"

    def available(self):
        return shutil.which("haproxy") is not None

    def configure(self, setting, alone):
        self.port = self.port or system.free_port()
        self.write(setting)

    def write(self, setting):
        routes = ""
        if setting.routes:
            (self.folder / "routes.map").write_text("".join(f"/r/{i} back\n" for i in range(setting.routes)))
            routes = f"use_backend %[path,map_str({self.folder}/routes.map,back)]"
        servers = [f"server s{port} 127.0.0.1:{port}" for port in setting.nodes()]
        self.fill("haproxy.cfg", {
            "FOLDER": self.folder,
            "PORT": self.port,
            "ROUTES": routes,
            "SERVERS": "\n    ".join(servers + [f"# {setting.mark}"]),
        })

    def command(self, alone):
        return ["haproxy", "-f", self.folder / "haproxy.cfg", "-db" if alone else "-W"]

    def reload(self, setting):
        self.write(setting)
        self.process.send_signal(signal.SIGUSR2)


class Gateway(Proxy):
    name = "gateway"
    limit = 60
    stop_signal = signal.SIGTERM
    workers = 1

    def available(self):
        return (BIN / "gatewayd").exists()

    def configure(self, setting, alone):
        self.port = self.port or system.free_port()
        self.second_port = system.free_port()
        self.write_static(setting)
        self.write(setting)

    def write_static(self, setting):
        """Every tenth reload brings or takes a worker and a listener."""
        odd = setting.mark // 10 % 2
        ports = [self.port, self.second_port] if odd else [self.port]
        listeners = ", ".join(f"{{ip: 127.0.0.1, port: {port}}}" for port in ports)
        (self.folder / "gateway.yaml").write_text(
            self.static_file(listeners, self.workers + odd) + self.metrics_section(setting))

    @staticmethod
    def metrics_section(setting):
        own = "enable_export_server: false"
        if setting.metrics:
            own = f"export_addr: {{port: {setting.metrics}}}, refresh_interval: {setting.refresh}"
        return f"plugin_attr: {{prometheus: {{{own}}}}}\n"

    def static_file(self, listeners, workers):
        return f"""apisix:
  node_listen: [{listeners}]
nginx_config:
  worker_processes: {workers}
  error_log: stderr
  worker_rlimit_nofile: {system.open_files()}
  event: {{worker_connections: 15000}}
  http:
    enable_access_log: false
    keepalive_timeout: 300s
    upstream: {{keepalive: 320, keepalive_requests: 100000000}}
gateway: {{data_dir: data, socket: gateway.sock}}
"""

    def write(self, setting):
        nodes = ", ".join(f'"127.0.0.1:{port}": 1' for port in setting.nodes())
        lines = [f"upstreams:\n  - {{id: back, type: roundrobin, nodes: {{{nodes}}}}}\n"]
        lines += self.marks(setting.mark)
        if setting.metrics:
            lines.append("global_rules:\n  - {id: metrics, plugins: {prometheus: {}}}\n")
        lines.append("routes:\n")
        lines += [f"  - {{id: r{i}, uri: /r/{i}, upstream_id: back}}\n" for i in range(setting.routes)]
        lines += [f"  - {{id: h{i}, uri: /*, host: h{i}, upstream_id: back}}\n" for i in range(setting.hosts)]
        # The youngest, for among routes of one path the older one wins.
        lines.append("  - {id: all, uri: /*, enable_websocket: true, upstream_id: back")
        lines.append(f", desc: 'round {setting.mark}'{self.marked_plugins(setting.mark)}}}\n")
        fresh = self.folder / "routes.new"
        fresh.write_text("".join(lines))
        fresh.rename(self.folder / "routes.yaml")

    @staticmethod
    def marks(mark):
        """A global rule that every reload changes; none before the first."""
        rule = f"{{response-rewrite: {{headers: {{set: {{X-Round: '{mark}'}}}}}}}}"
        return [f"global_rules:\n  - {{id: 1, plugins: {rule}}}\n"] if mark else []

    @staticmethod
    def marked_plugins(mark):
        return f", plugins: {{proxy-rewrite: {{headers: {{set: {{X-Round: '{mark}'}}}}}}}}" if mark else ""

    def command(self, alone):
        return [BIN / "gatewayd", "-c", self.folder / "gateway.yaml"]

    def ctl(self, *arguments, text=None):
        return subprocess.run(system.pinned(system.LOAD_CPU, [BIN / "gatewayctl", "-c", self.folder / "gateway.yaml",
                                                             *arguments]),
                              input=text, capture_output=True, text=True, timeout=60)

    def status(self):
        try:
            return json.loads(self.ctl("--json", "status").stdout).get("result") or {}
        except (ValueError, subprocess.TimeoutExpired):
            return {}

    def traffic(self):
        return [worker["pid"] for worker in self.status().get("workers", [])]

    def control(self):
        return [pid for pid in [self.status().get("control", {}).get("pid")] if pid]

    def reload(self, setting):
        self.write(setting)
        self.write_static(setting)
        result = self.ctl("reload")
        if result.returncode not in (0, 4):  # 4: done, but a worker lags
            raise RuntimeError("gatewayctl reload: " + result.stdout + result.stderr)


class Backends:
    """Two upstream servers on the load CPU."""

    def __init__(self, folder):
        self.ports = [system.free_port(), system.free_port()]
        self.processes = [system.spawn(system.LOAD_CPU, [BIN / "gateway-bench-backend", "--port", port],
                                       folder / "backend") for port in self.ports]
        for port in self.ports:
            if not system.until(lambda: system.answers(port), 5):
                raise RuntimeError("the backend did not start")

    def stop(self):
        for process in self.processes:
            system.end(process)


class Load:
    """A running gateway-loadgen; `finish()` ends its input and returns the last line it printed."""

    def __init__(self, mode, port, **options):
        command = [BIN / "gateway-loadgen", mode, "--port", port]
        for name, value in options.items():
            command += ["--" + name, value]
        self.process = subprocess.Popen(system.pinned(system.LOAD_CPU, command), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def line(self):
        return json.loads(self.process.stdout.readline())

    def again(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.line()

    def finish(self):
        out = self.process.communicate()[0].strip().splitlines()
        return json.loads(out[-1]) if out else {}

