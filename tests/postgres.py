#!/usr/bin/env python3
"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a socket and a free port, gone afterwards.

    tests/postgres.py [--no-fsync] COMMAND...

runs a command with CRONISTA_TEST_DATABASE set, which makes the tests use it; its exit code is the command's. PostgreSQL
refuses to run as root: then it runs as the user postgres.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

PROGRAMS = Path(os.environ.get("CRONISTA_POSTGRES", "/usr/lib/postgresql/15/bin"))
OWNER, APPLICATION, DATABASE = "cronista_owner", "cronista_application", "cronista"
SUPERUSER_PASSWORD = "only of this test"
SETTINGS = {"max_connections": 200, "shared_buffers": "64MB", "max_wal_size": "256MB", "autovacuum_naptime": "10s",
            "log_min_messages": "warning", "lc_messages": "C"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def available():
    return (PROGRAMS / "initdb").exists()


class Cluster:
    """Started by start(), ended by stop(). `url` is without a role: see as_role()."""

    def __init__(self, fsync=True, settings=None):
        self.settings = {**SETTINGS, "fsync": "on" if fsync else "off", **(settings or {})}
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = self.process = self.port = None

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-pg-"))
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        password = self.folder / "password"
        password.write_text(SUPERUSER_PASSWORD)
        password.chmod(0o644)
        self.run("initdb", "-D", self.folder / "data", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                 "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}")
        self.launch()
        for sql in (f"CREATE ROLE {OWNER} LOGIN", f"CREATE ROLE {APPLICATION} LOGIN",
                    f"CREATE DATABASE {DATABASE} OWNER {OWNER}"):
            self.sql(sql, database="postgres")
        return self

    def launch(self):
        """The server's process alone; the cluster is there."""
        self.port = self.port or free_port()
        settings = {**self.settings, "port": self.port, "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": self.folder}
        command = [PROGRAMS / "postgres", "-D", self.folder / "data"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.as_user(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd="/", start_new_session=True)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            ready = subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)], check=False)
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL does not start\n" + (self.folder / "log").read_text(errors="replace"))

    def as_user(self, command):
        if not self.user:
            return [str(part) for part in command]
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *map(str, command)]

    def run(self, program, *arguments):
        done = subprocess.run(self.as_user([PROGRAMS / program, *arguments]), stdin=subprocess.DEVNULL, cwd="/",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{program}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def sql(self, text, database=DATABASE, role="postgres"):
        """What psql prints of it, unaligned and without headings."""
        return self.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", role,
                        "-d", database, "-c", text).strip()

    @property
    def url(self):
        return f"postgres:///{DATABASE}?host={quote(str(self.folder), safe='')}&port={self.port}"

    def halt(self, how=signal.SIGINT):
        """Ends the server's process, by its id: SIGINT at once but in order, SIGQUIT as a crash would."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self):
        self.halt()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Standby(Cluster):
    """A server that follows another: a copy of it that goes on reading its write-ahead log, and answers what only reads."""

    def __init__(self, primary):
        super().__init__()
        self.primary, self.settings = primary, primary.settings

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-pg-"))
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.run("pg_basebackup", "-h", self.primary.folder, "-p", str(self.primary.port), "-U", "postgres", "-c", "fast",
                 "-X", "stream", "-R", "--no-sync", "-D", self.folder / "data")
        self.launch()
        return self

    def pause(self):
        """From now on it shows what was until now."""
        self.sql("SELECT pg_wal_replay_pause()", "postgres")
        self.wait_for("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume(self):
        self.sql("SELECT pg_wal_replay_resume()", "postgres")
        self.catch_up()

    def catch_up(self):
        """Waits until it has everything that the primary has now."""
        end = self.primary.sql("SELECT pg_current_wal_insert_lsn()", "postgres")
        self.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")

    def wait_for(self, question, seconds=30):
        end = time.monotonic() + seconds
        while self.sql(question, "postgres") != "t":
            assert time.monotonic() < end, f"never true: {question}"
            time.sleep(0.02)


def as_role(url, role, schema=None):
    """The URL as this role, everything in this schema."""
    found = url.replace("postgres://", f"postgres://{role}@", 1)
    return found + (f"&options={quote('-csearch_path=' + schema, safe='')}" if schema else "")


def main():
    arguments = sys.argv[1:]
    fsync = "--no-fsync" not in arguments[:1]
    command = arguments[0 if fsync else 1:]
    if not command:
        sys.exit(__doc__)
    cluster = Cluster(fsync)
    try:
        cluster.start()
        return subprocess.run(command, env={**os.environ, "CRONISTA_TEST_DATABASE": cluster.url}, check=False).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
