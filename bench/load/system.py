"""Processes and their figures in /proc: CPU time, memory, children; CPUs to pin to."""

import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpus():
    """(CPU of the proxy, CPU of backend and client); the same one twice on a machine with one CPU."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1] if len(usable) > 1 else usable[0]


PROXY_CPU, LOAD_CPU = cpus()


def raise_open_files(wanted=65536):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_files():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu), *map(str, command)]


def spawn(cpu, command, log, env=None):
    """Starts a program pinned to a CPU, output in a file, as leader of its own process group."""
    with open(log, "ab") as out:
        return subprocess.Popen(pinned(cpu, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                env={**os.environ, **(env or {})}, start_new_session=True)


def end(process, number=signal.SIGTERM, limit=20):
    """Ends a spawned program; what does not go by itself is killed with its process group."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def until(condition, limit=20, step=0.01):
    stop = time.monotonic() + limit
    while not condition():
        if time.monotonic() > stop:
            return False
        time.sleep(step)
    return True


def answers(port, path="/", host="localhost"):
    """Whether a GET is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.settimeout(5)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return client.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def fetch(port, path):
    """Status and body of a GET."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(5)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        text = b""
        while block := client.recv(65536):
            text += block
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head[9:12] or 0), body.decode(errors="replace")


def children(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def cpu_of(pids):
    """(nanoseconds on a CPU by the scheduler's count, user ticks, kernel ticks) of all threads of the processes."""
    run = user = kernel = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                run += int((task / "schedstat").read_text().split()[0])
                fields = (task / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            user += int(fields[11])
            kernel += int(fields[12])
    return run, user, kernel


def memory_of(pids, key):
    """Sum of one line of smaps_rollup over processes, in bytes: Private_Dirty, Rss, Pss."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(key + ":"))
    return total * 1024
