"""What the measurements are made with: figures and their targets, runs in turn, wrk, nginx, the server, memory."""

import contextlib
import html
import http.client
import json
import math
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ADMINISTRATOR = "admin@example.org"
PASSWORD = "a bench's own password"
CONNECTIONS_PER_THREAD = 4


class Failed(Exception):
    """Something could not be measured; the text says what."""


# ---------------------------------------------------------------- figures

class Figure:
    """Samples of one thing, perhaps with those of what it stands beside, taken in the same round."""

    def __init__(self, section, name, unit, more_is_better=True):
        self.section, self.name, self.unit, self.more_is_better = section, name, unit, more_is_better
        self.samples, self.beside, self.beside_name = [], [], None
        self.target = self.target_text = self.value = None
        self.notes = {}

    def add(self, sample, beside=None):
        self.samples.append(sample)
        if beside is not None:
            self.beside.append(beside)

    @property
    def median(self):
        return statistics.median(self.samples)

    @property
    def ratio(self):
        """Median of the ratios to what it stands beside, each of one round."""
        ratios = [a / b for a, b in zip(self.samples, self.beside) if b]
        return statistics.median(ratios) if ratios else None

    def aim(self, target, text, value=None):
        """target: what `value` must reach (the ratio when there is something beside, else the median)."""
        self.target, self.target_text, self.value = target, text, value
        return self

    def factor(self):
        """How far past the target (above 1) or short of it (below 1); None without a target."""
        value = self.value if self.value is not None else self.ratio if self.beside else self.median
        if self.target is None or value is None:
            return None
        if self.more_is_better:
            return value / self.target
        return self.target / value if value else math.inf

    def verdict(self):
        factor = self.factor()
        if factor is None:
            return ""
        return f"met ({factor:.2f} x)" if factor >= 1 else f"NOT MET ({factor:.2f} x)"

    def to_json(self):
        ratio = self.ratio
        return {"section": self.section, "name": self.name, "unit": self.unit, "min": min(self.samples),
                "median": self.median, "max": max(self.samples), "samples": self.samples,
                "beside": self.beside_name, "beside_median": statistics.median(self.beside) if self.beside else None,
                "beside_samples": self.beside, "ratio": ratio, "target": self.target_text, "factor": self.factor(),
                "met": None if self.factor() is None else self.factor() >= 1, "notes": self.notes}


def in_turn(subjects, rounds):
    """Calls each subject (name: function without arguments) in each round, one after the other, the order turning by one
    each time, so that none always follows the same. {name: [result of each round]}."""
    results = {name: [] for name in subjects}
    names = list(subjects)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            results[name].append(subjects[name]())
    return results


def number_text(value):
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def table(figures):
    """The figures as text."""
    head = ["", "what", "unit", "min", "median", "max", "beside", "median", "ratio", "target", ""]
    rows = []
    for f in figures:
        beside = statistics.median(f.beside) if f.beside else None
        rows.append([f.section, f.name, f.unit, number_text(min(f.samples)), number_text(f.median),
                     number_text(max(f.samples)), f.beside_name or "", number_text(beside), number_text(f.ratio),
                     f.target_text or "", f.verdict()])
    widths = [max(len(row[i]) for row in rows + [head]) for i in range(len(head))]
    right = {3, 4, 5, 7, 8}
    lines = []
    for row in [head] + rows:
        cells = [cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


# ---------------------------------------------------------------- programs

def run_program(command, timeout=600, **options):
    """Its standard output; Failed with what it said when it fails."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", timeout=timeout, check=False, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def proc_numbers(pid, file, names):
    """Values of /proc/PID/FILE in KiB; 0 where there are none (the process has ended)."""
    found = dict.fromkeys(names, 0)
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return found
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0])
    return found


def run_measured(command, timeout=600):
    """Runs a program to its end: {"seconds", "processor" (seconds of it), "peak" (MiB of resident memory), "own" (those
    of them that are no file's)}."""
    start = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL)
    peak = own = 0
    try:
        while True:
            now = proc_numbers(child.pid, "status", ["VmHWM", "RssAnon"])
            peak, own = max(peak, now["VmHWM"]), max(own, now["RssAnon"])
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - start > timeout:
                child.kill()
                os.wait4(child.pid, 0)
                child.returncode = -signal.SIGKILL
                raise Failed(f"{' '.join(map(str, command))}: not done after {timeout} s")
            time.sleep(0.004)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        said = child.stdout.read().decode("utf-8", "replace")
    finally:
        child.stdout.close()
    if child.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit code {child.returncode}\n{said}")
    # The system's own figure is exact, but starts from the memory of this process, of which the child is a fork.
    if usage.ru_maxrss > proc_numbers(os.getpid(), "status", ["VmHWM"])["VmHWM"]:
        peak = max(peak, usage.ru_maxrss)
    return {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime, "peak": peak / 1024, "own": own / 1024,
            "said": said}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wrk_once(command, seconds):
    """wrk for so long; what load.lua says at its end."""
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, wait = None, seconds + 0.1
    try:
        # It only knows whole seconds by itself, but an interrupt makes it end and report.
        for _ in range(200):
            try:
                said = child.communicate(timeout=wait)[0]
                break
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGINT)
                wait = 0.5
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    try:
        return json.loads(said.strip().splitlines()[-1])
    except (AttributeError, ValueError, IndexError):
        raise Failed(f"wrk said: {said}") from None


def processor_seconds(pids):
    """Of the processor, used by these processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def settle(pids, seconds=60):
    """Waits until these processes have finished what earlier measurements left behind."""
    end = time.monotonic() + seconds
    before = None
    while time.monotonic() < end:
        now = processor_seconds(pids)
        if now == before:
            return
        before = now
        time.sleep(0.05)


def wrk(port, calls, seconds, connections, headers=(), seed=None, pids=()):
    """Load on a loopback port: {"rate", "p50", "p99", "max" (milliseconds), "bytes" (of an answer with its headers),
    "possible" (the rate if all processors did nothing but this: from the time of the processor that the server, which
    are the processes `pids`, and wrk used)}. Every answer must be a good one. Goes on for longer when nothing is
    answered in that time."""
    threads = max(1, min(2, connections // CONNECTIONS_PER_THREAD))
    settle(pids)
    for longer in (1, 1, 4, 16):
        command = ["wrk", "-t", threads, "-c", connections, "-d", "300s", "--timeout", "100s", "-s", HERE / "load.lua",
                   f"http://127.0.0.1:{port}/", "--", calls, seed or time.time_ns() // 1000000, *headers]
        before = processor_seconds(pids), resource.getrusage(resource.RUSAGE_CHILDREN)
        r = wrk_once(command, seconds * longer)
        client = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = processor_seconds(pids) - before[0] + client.ru_utime + client.ru_stime - before[1].ru_utime - before[1].ru_stime
        broken = any(int(n) for n in re.findall(r"\d+", r["broken"]))
        # An interrupt before wrk was ready for it leaves a clock that ran on.
        if broken or r["refused"] or (r["requests"] and r["micros"] < (seconds * longer + 0.4) * 1.2e6):
            break
    if r["refused"] or broken:
        raise Failed(f"of {r['requests']} requests of {calls} {r['refused']} were refused; broken: {r['broken']}")
    return {"rate": r["requests"] / r["micros"] * 1e6, "p50": r["p50"] / 1e3, "p99": r["p99"] / 1e3,
            "max": r["max"] / 1e3, "bytes": r["bytes"] / max(1, r["requests"]),
            "possible": r["requests"] / used * os.cpu_count() if used else 0}


def write_calls(path, calls):
    path.write_text("".join("\t".join(call) + "\n" for call in calls))
    return path


class Bare:
    """SQLite without Cronista."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory

    def measure(self, what, seconds, contacts=10000):
        """{"rate"} of one thing; of `commits` also p50 and p99 in milliseconds."""
        said = run_program([self.program, "--seconds", seconds, "--directory", self.directory, "--contacts", contacts,
                            what]).split()
        result = {"rate": float(said[1])}
        if len(said) > 2:
            result.update(p50=float(said[2]) / 1e3, p99=float(said[3]) / 1e3)
        return result


NGINX = """daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=1000;
    open_file_cache_valid 600s;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/files; }}
}}
"""


class Nginx:
    """Serves files of the sizes asked for, as quickly as it can."""

    def __init__(self, folder):
        self.folder, self.port = Path(folder), free_port()
        (self.folder / "files").mkdir(parents=True)
        user = "user root;" if os.getuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, port=self.port, user=user))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", self.folder, "-c", self.folder / "nginx.conf"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for_port(self.port, self.process)

    @staticmethod
    def there():
        return bool(shutil.which("nginx") or Path("/usr/sbin/nginx").exists())

    def file(self, size):
        """A file of requests for one of this size."""
        (self.folder / "files" / f"{size}.json").write_bytes(b"x" * size)
        return write_calls(self.folder / f"{size}.calls", [("GET", f"/{size}.json")])

    def pids(self):
        """Of the processes that answer."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()


def wait_for_port(port, process, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise Failed(f"nothing answers on port {port}; {process.args[0]} "
                 f"{'runs' if process.poll() is None else 'has ended'}")


# ---------------------------------------------------------------- Cronista

class Server:
    """`cronista serve` on a data directory."""

    def __init__(self, program, data, log, environment=None):
        self.program, self.data, self.log = program, Path(data), Path(log)
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.key = None

    def start(self):
        """Returns the seconds from the fork to the first good answer."""
        self.port = free_port()
        environment = {**self.environment, "CRONISTA_ADMIN_EMAIL": ADMINISTRATOR, "CRONISTA_ADMIN_PASSWORD": PASSWORD}
        with open(self.log, "ab") as log:
            start = time.monotonic()
            self.process = subprocess.Popen(
                [self.program, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while time.monotonic() - start < 60:
            if self.healthy():
                return time.monotonic() - start
            if self.process.poll() is not None:
                break
            time.sleep(0.001)
        raise Failed("the server does not answer:\n" + self.log.read_text(errors="replace")[-2000:])

    def healthy(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return s.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def new_key(self):
        self.key = self.key_of(ADMINISTRATOR)
        return self.key

    def key_of(self, email):
        said = run_program([self.program, "token", "add", email, "--data", self.data], env=self.environment)
        return max(said.split(), key=len)

    def pids(self):
        return [self.process.pid]

    def key_headers(self, key=None):
        return [f"Authorization: Bearer {key or self.key}", "Accept: application/json", "Content-Type: application/json"]

    def request(self, method, path, body=None, headers=None):
        """(status, headers, bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def api(self, path):
        status, _, body = self.request("GET", "/api" + path, headers={"Authorization": f"Bearer {self.key}"})
        if status != 200:
            raise Failed(f"GET /api{path}: {status} {body[:500]!r}")
        return json.loads(body)

    def sign_in(self, email=ADMINISTRATOR, password=PASSWORD):
        """Headers of a browser that has signed in."""
        _, headers, page = self.request("GET", "/sign-in")
        cookies = [c.split(";")[0] for c in headers.get_all("Set-Cookie") or []]
        token = re.search(rb'name="csrf"[^>]*value="([^"]*)"|value="([^"]*)"[^>]*name="csrf"', page)
        if not token:
            raise Failed("the sign-in page has no csrf field")
        value = html.unescape((token[1] or token[2]).decode())
        form = "&".join(f"{name}={http_quote(text)}" for name, text in
                        (("csrf", value), ("email", email), ("password", password)))
        status, headers, page = self.request("POST", "/sign-in", form, {
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": "; ".join(cookies)})
        kept = [c.split(";")[0] for c in headers.get_all("Set-Cookie") or [] if not c.split(";")[0].endswith("=")]
        if status != 303 or not kept:
            raise Failed(f"signing in: {status} {page[:300]!r}")
        return ["Cookie: " + "; ".join(kept), "Accept: text/html"]

    def memory(self):
        """MiB: {"rss", "anonymous", "pss", "peak"}."""
        status = proc_numbers(self.process.pid, "status", ["VmRSS", "RssAnon", "VmHWM"])
        pss = proc_numbers(self.process.pid, "smaps_rollup", ["Pss"])["Pss"]
        return {"rss": status["VmRSS"] / 1024, "anonymous": status["RssAnon"] / 1024, "pss": pss / 1024,
                "peak": status["VmHWM"] / 1024}


def http_quote(text):
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


@contextlib.contextmanager
def temporary(directory):
    folder = tempfile.mkdtemp(dir=directory, prefix="run-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def machine():
    """What the figures were measured on."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"processor": model[1] if model else "", "processors": os.cpu_count(), "load_before": os.getloadavg()[0],
            "kernel": os.uname().release, "python": sys.version.split()[0]}
