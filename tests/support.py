"""A real server for tests: started on a free port with a data directory, asked through its API, ended or killed.

CRONISTA_PROGRAM names the program; else it is build/cronista. With CRONISTA_TEST_DATABASE (tests/postgres.py) the database
of a data directory is a schema on that PostgreSQL server; see environment_of().
"""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from postgres import APPLICATION, OWNER, Cluster, as_role, free_port

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("CRONISTA_PROGRAM", ROOT / "build/cronista")).resolve()
ADMINISTRATOR = "admin@example.org"
PASSWORD = "a test's own password"


POSTGRES = os.environ.get("CRONISTA_TEST_DATABASE")
ready = set()  # data directories whose schema has its tables


def schema_of(data):
    return "d" + hashlib.sha256(str(Path(data).resolve()).encode()).hexdigest()[:20]


def psql(data, text, role="postgres"):
    """What PostgreSQL answers in the schema of a data directory, a line a row; by the superuser, whom nothing stops."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", as_role(POSTGRES, role, schema_of(data)), "-c", text],
                          capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def environment_of(data):
    """What tells the program where the database of a data directory is; nothing when it is in there."""
    if not POSTGRES or not data:
        return {}
    schema = schema_of(data)
    if data not in ready:
        psql(data, f"CREATE SCHEMA IF NOT EXISTS {schema}", OWNER)
        owner = {"CRONISTA_DATABASE": as_role(POSTGRES, OWNER, schema)}
        subprocess.run([PROGRAM, "migrate"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **owner})
        ready.add(data)
    return {"CRONISTA_DATABASE": as_role(POSTGRES, APPLICATION, schema)}


def environment_for(arguments):
    """The same for the arguments of a subcommand."""
    words = [str(a) for a in arguments]
    return environment_of(words[words.index("--data") + 1] if "--data" in words[:-1] else None)


class Refused(Exception):
    """An answer that was not the one wanted."""

    def __init__(self, method, path, status, body):
        super().__init__(f"{method} {path}: {status} {body}")
        self.status, self.body = status, body


def command(*arguments, check=True, timeout=300, text=None):
    """Runs a subcommand: (exit code, everything it printed). With check a failure raises."""
    done = subprocess.run([PROGRAM, *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL if text is None else None,
                          env={**os.environ, **environment_for(arguments)})
    if check and done.returncode != 0:
        raise AssertionError(f"cronista {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}")
    return done.returncode, done.stdout


class Server:
    def __init__(self, data, arguments=(), environment=None):
        self.data, self.arguments = Path(data), list(arguments)
        self.environment = {"CRONISTA_ADMIN_EMAIL": ADMINISTRATOR, "CRONISTA_ADMIN_PASSWORD": PASSWORD,
                            **(environment or {})}
        self.log = Path(f"{data}.log")
        self.process = None
        self.port = None

    def start(self, wait=30):
        """Starts it; with wait (seconds) not before it is ready."""
        self.port = free_port()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.arguments],
                env={**os.environ, **environment_of(self.data), **self.environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait_ready(wait)
        return self

    def wait_ready(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}\n{self.log_tail()}")
            try:
                if self.api().request("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s\n{self.log_tail()}")

    def log_tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=20):
        """As an administrator stops it. Its exit code; None when it had to be killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def command(self, *arguments, **options):
        return command(*arguments, "--data", str(self.data), **options)

    def new_key(self, email=ADMINISTRATOR):
        """An API key for a user: the longest word of what `token add` prints."""
        printed = self.command("token", "add", email)[1]
        return max(printed.split(), key=len)

    def api(self, key=None, timeout=30):
        return Api(self.port, key, timeout)


class Api:
    """One connection, kept open. Not for several threads at once."""

    def __init__(self, port, key=None, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.key = key
        self.used = time.monotonic()

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body): of JSON the value, else the text. OSError or HTTPException when it was cut off."""
        send = {"Accept": "application/json", **(headers or {})}
        if self.key:
            send["Authorization"] = f"Bearer {self.key}"
        if body is not None and not isinstance(body, (bytes, str)):
            send.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        if time.monotonic() - self.used > 20:
            self.connection.close()  # the server closes what is idle for long
        try:
            self.connection.request(method, path, body, send)
            answer = self.connection.getresponse()
            data = answer.read()
            self.used = time.monotonic()
        except Exception:
            self.connection.close()
            raise
        text = data.decode("utf-8", "replace")
        if text and "json" in answer.headers.get("Content-Type", ""):
            text = json.loads(text)
        return answer.status, answer.headers, text

    def want(self, status, method, path, body=None, headers=None):
        """The body of an answer that must have this status."""
        got, _, text = self.request(method, path, body, headers)
        if got != status:
            raise Refused(method, path, got, text)
        return text

    def close(self):
        self.connection.close()


class Stream:
    """The messages of a stream, as they come."""

    def __init__(self, port, path, headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.positions, self.ended = [], threading.Event()
        self.news = threading.Condition()
        self.socket = self.connection.sock
        self.reader = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self.reader.start()

    def _read(self):
        try:
            while line := self.answer.readline():
                if line.startswith(b"id: "):
                    with self.news:
                        self.positions.append(int(line[4:]))
                        self.news.notify_all()
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self.ended.set()

    def wait_for(self, count, seconds=10):
        with self.news:
            self.news.wait_for(lambda: len(self.positions) >= count, seconds)
            return list(self.positions)

    def close(self):
        if self.reader.is_alive():
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.reader.join(5)
        self.connection.close()


CUT_OFF = (OSError, http.client.HTTPException)


class Tap:
    """Cases as they are counted by tests/run.py."""

    def __init__(self):
        self.number = self.failed = 0

    def case(self, name, why=None):
        """why: text of what is wrong, or None when it is right."""
        self.number += 1
        print(f"{'not ok' if why else 'ok'} {self.number} - {name}")
        for line in (why or "").splitlines():
            print(f"# {line}")
        self.failed += bool(why)
        sys.stdout.flush()

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}")

    def note(self, text):
        for line in text.splitlines():
            print(f"# {line}", flush=True)

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failed or not self.number else 0


def tell_on_postgres(tap, make):
    """Tells a story on a PostgreSQL of its own: make(cluster) has tell() and end()."""
    global POSTGRES
    cluster, story = Cluster(), None
    try:
        POSTGRES = cluster.start().url
        story = make(cluster)
        story.tell()
    except (AssertionError, *CUT_OFF) as error:
        tap.case("the story ends well", f"{type(error).__name__}: {error}")
    finally:
        if story:
            story.end()
        cluster.stop()
