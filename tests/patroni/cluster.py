"""A PostgreSQL cluster under Patroni for tests: etcd and three nodes that can be killed, cut off and brought back.

Where the machine allows it, run_apart() runs the program again in namespaces of its own: each node is then a host with
an address of its own behind a bridge, cutting it off drops every packet to and from it without a word, and nothing
outlives the program, however it ends. Without namespaces all is on loopback, and a node that is to be cut off is
frozen (SIGSTOP) instead: its kernel still takes connections, and nobody answers.

Replication is synchronous and strict: a commit is answered when a replica has it, and only that replica may follow the
leader. The times are as short as Patroni's rule loop_wait + 2 * retry_timeout <= ttl allows with some air.

Patroni and etcd are Debian's packages patroni and etcd-server; psycopg2 comes with the former.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql/15/bin")
APART = "CRONISTA_TEST_APART"  # set to the folder where run_apart() has done its work
TTL, LOOP_WAIT, RETRY_TIMEOUT = 6, 1, 2  # seconds: a leader that is gone is followed after TTL at the latest
SUPERUSER, REPLICATOR = "postgres", "replicator"
OWNER, APPLICATION, DATABASE = "cronista_owner", "cronista", "cronista"
NETWORK = "10.118.0."  # in namespaces of our own, so it can't meet anybody else's

# What a client must set so that a server that says nothing is noticed; libpq's shortest connect_timeout is 2 s.
CLIENT = "connect_timeout=2&keepalives_idle=1&keepalives_interval=1&keepalives_count=3&tcp_user_timeout=3000"

PARAMETERS = {
    "max_connections": 60,
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "wal_keep_size": "256MB",  # a node that was away finds what it missed
    "synchronous_commit": "on",
    "wal_sender_timeout": "3s",
    "wal_receiver_timeout": "3s",
    "wal_retrieve_retry_interval": "500ms",
    # A client that vanished in the middle of a write holds everybody's lock until it is noticed.
    "tcp_keepalives_idle": 2,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": "4s",
    "client_connection_check_interval": "1s",
    "idle_in_transaction_session_timeout": "10s",
}


class Unusable(Exception):
    """The cluster does not do what it must."""


def why_not():
    """Why no cluster can be had here, or None."""
    for program in ("patroni", "etcd"):
        if not shutil.which(program):
            return f"no {program} on this machine"
    if not (BINARIES / "pg_rewind").exists():
        return "no PostgreSQL 15 on this machine"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "run by root, and there is no user postgres for the servers"
    return None


# ---------------------------------------------------------------- a world of its own

def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def run_apart(loopback=False, keep=None):
    """Runs this program again in its own namespaces, in a folder that is removed afterwards (or kept as `keep`, a new one).

    Returns its exit code; where there are no namespaces it is run in ours. In the program that is run again: None.
    """
    if APART in os.environ:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _become_first()
        return None
    apart = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    way = ["unshare", *user, *apart]
    probe = "ip link add cronista0 type bridge && ip link add cronista1 type veth peer name cronista2"
    try:
        if loopback or subprocess.run([*way, "sh", "-c", probe], capture_output=True, check=False).returncode != 0:
            way = []
    except OSError:
        way = []
    folder = keep or tempfile.mkdtemp(prefix="cronista-patroni-")
    Path(folder).mkdir(mode=0o700, exist_ok=not keep)
    environment = {**os.environ, APART: str(folder), APART + "_NET": "yes" if way else ""}
    signal.signal(signal.SIGTERM, _interrupt)
    child = subprocess.Popen([*way, sys.executable, "-B", *sys.argv], env=environment, preexec_fn=_die_with_parent)
    try:
        return child.wait()
    except KeyboardInterrupt:
        if not way:  # else its world ends with it
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
                child.wait(30)
        return 128 + signal.SIGINT
    finally:
        child.kill()
        child.wait()
        end = time.monotonic() + 10
        while not keep and os.path.exists(folder) and time.monotonic() < end:  # what was killed may write a last time
            shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_):
    raise KeyboardInterrupt


def _become_first():
    """As the first process of a namespace: go on in a child, and bury whoever is left to us."""
    if os.getpid() != 1:
        return
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        process, status = os.wait()
        if process == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def folder():
    return Path(os.environ[APART])


def has_network():
    return bool(os.environ.get(APART + "_NET"))


def _run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unusable(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def _free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Bridge:
    """Hosts behind a bridge, each a network namespace held open by a process that sleeps."""

    HERE = NETWORK + "1"

    def __init__(self):
        self.holders = {}
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "hub", "type", "bridge")
        _run("ip", "address", "add", f"{self.HERE}/24", "dev", "hub")
        _run("ip", "link", "set", "hub", "up")

    def add(self, number):
        """(address, what to put before a command to run it there)"""
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], start_new_session=True)
        self.holders[number] = holder
        ours, end = os.readlink("/proc/self/ns/net"), time.monotonic() + 10
        while os.readlink(f"/proc/{holder.pid}/ns/net") == ours:
            if time.monotonic() > end:
                raise Unusable("unshare made no network namespace")
            time.sleep(0.01)
        inside = ["nsenter", f"--target={holder.pid}", "--net"]
        address = f"{NETWORK}{10 + number}"
        _run("ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", holder.pid)
        _run("ip", "link", "set", f"port{number}", "master", "hub", "up")
        _run(*inside, "ip", "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run(*inside, "ip", "link", "set", device, "up")
        return address, inside

    def cut(self, number):
        """Its packets go nowhere from now on; neither side is told."""
        _run("ip", "link", "set", f"port{number}", "nomaster")

    def heal(self, number):
        _run("ip", "link", "set", f"port{number}", "master", "hub")

    def close(self):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()


# ---------------------------------------------------------------- processes

def _as_user():
    """Before a command: as the servers' user, and told to end when this program is no more."""
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig=TERM"]


def _signal(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _signal_group(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, number)


def _is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _children(process):
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


class Node:
    """One PostgreSQL with its Patroni."""

    def __init__(self, cluster, number, address, inside, ports):
        self.cluster, self.number, self.name = cluster, number, f"node{number}"
        self.address, self.inside = address, inside
        self.port, self.rest = ports
        self.folder = cluster.folder / self.name
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.patroni = None
        self.frozen = []  # processes

    def configure(self):
        self.folder.mkdir(mode=0o700)
        users = {what: {"username": name, "password": self.cluster.password}
                 for what, name in (("superuser", SUPERUSER), ("replication", REPLICATOR))}
        settings = {
            "scope": "cronista",
            "name": self.name,
            "restapi": {"listen": f"{self.address}:{self.rest}", "connect_address": f"{self.address}:{self.rest}"},
            # The older API of etcd: by the newer one a leader that was frozen takes its lock back from the next leader,
            # and what that one answered is lost (Patroni before 3.0.3, and Debian 12 has 3.0.2).
            "etcd": {"host": self.cluster.etcd_at},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL, "loop_wait": LOOP_WAIT, "retry_timeout": RETRY_TIMEOUT,
                    "maximum_lag_on_failover": 1 << 20,
                    "primary_start_timeout": 0,  # a leader that crashed is followed, not waited for
                    "synchronous_mode": True, "synchronous_mode_strict": True,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": PARAMETERS},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{self.address}:{self.port}", "connect_address": f"{self.address}:{self.port}",
                "data_dir": str(self.data), "bin_dir": str(BINARIES), "pgpass": str(self.folder / "pgpass"),
                "authentication": users,
                "parameters": {"unix_socket_directories": str(self.folder)},
                "pg_hba": ["local all all scram-sha-256", "host all all all scram-sha-256",
                           "host replication all all scram-sha-256"],
            },
        }
        # YAML understands JSON.
        (self.folder / "patroni.yml").write_text(json.dumps(settings, indent=1))
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "patroni.yml"):
                shutil.chown(path, "postgres", "postgres")

    def start(self):
        with open(self.log, "ab") as log:
            self.patroni = subprocess.Popen(
                [*self.inside, *_as_user(), shutil.which("patroni"), str(self.folder / "patroni.yml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)

    def postmaster(self):
        """Its process id, or None when there is none."""
        try:
            process = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return process if _is_running(process) else None

    def kill(self):
        """kill -9 of Patroni, whatever it has started, and the postmaster; the latter's children end by themselves."""
        postmaster = self.postmaster()
        _signal_group(self.patroni.pid, signal.SIGKILL)
        if postmaster:
            _signal(postmaster, signal.SIGKILL)
        self.patroni.wait()
        end = time.monotonic() + 10
        while postmaster and _is_running(postmaster) and time.monotonic() < end:
            time.sleep(0.01)

    def freeze(self):
        """Patroni, the postmaster and its children stand still."""
        postmaster = self.postmaster()
        # Parents first, so that none of them gets another child meanwhile.
        for process in (self.patroni.pid, postmaster):
            if process:
                _signal(process, signal.SIGSTOP)
                self.frozen.append(process)
        for process in _children(postmaster) if postmaster else []:
            _signal(process, signal.SIGSTOP)
            self.frozen.append(process)

    def thaw(self):
        for process in reversed(self.frozen):
            _signal(process, signal.SIGCONT)
        self.frozen = []

    def stop(self):
        """For good, and without ceremony: the data will not be used again."""
        if self.patroni is None:
            return
        self.thaw()
        _signal_group(self.patroni.pid, signal.SIGKILL)
        self.patroni.wait()
        for number, seconds in ((signal.SIGQUIT, 8), (signal.SIGKILL, 2)):
            postmaster = self.postmaster()
            if postmaster:
                _signal(postmaster, number)
            end = time.monotonic() + seconds
            while self.postmaster() and time.monotonic() < end:
                time.sleep(0.02)

    def status(self):
        """What Patroni says of it, or None."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{self.rest}/patroni", timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def rewinds(self):
        """How often it took back what the next leader did not have."""
        return self.log.read_text(errors="replace").count("Done!")  # which pg_rewind says in the end

    def log_tail(self, lines=25):
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


class Cluster:
    """etcd and the nodes. Use it with `with`; afterwards none of its processes is left."""

    def __init__(self, nodes=3):
        self.folder = folder()
        self.password = secrets.token_urlsafe(16)
        self.bridge = Bridge() if has_network() else None
        self.etcd = None
        self.nodes = []
        self.away = set()  # nodes that are dead, cut off or frozen
        if self.bridge:
            here, ports = Bridge.HERE, [(2379, 2380)] + [(5432, 8008)] * nodes
        else:
            free = _free_ports(2 * (nodes + 1))
            here, ports = "127.0.0.1", list(zip(free[::2], free[1::2]))
        self.etcd_at, self.etcd_peer = f"{here}:{ports[0][0]}", f"{here}:{ports[0][1]}"
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        for number in range(1, nodes + 1):
            address, inside = self.bridge.add(number) if self.bridge else (here, [])
            self.nodes.append(Node(self, number, address, inside, ports[number]))

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        client, peer = f"http://{self.etcd_at}", f"http://{self.etcd_peer}"
        with open(self.folder / "etcd.log", "ab") as log:
            self.etcd = subprocess.Popen(
                [*_as_user(), shutil.which("etcd"), "--name=one", f"--data-dir={self.folder / 'etcd'}",
                 f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                 f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                 f"--initial-cluster=one={peer}", "--enable-v2=true"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        self.wait(20, "etcd answers", self.etcd_answers)
        for node in self.nodes:
            node.configure()
            node.start()
        self.wait_settled(90)
        self.make_roles()

    def etcd_answers(self):
        try:
            with urllib.request.urlopen(f"http://{self.etcd_at}/health", timeout=2) as answer:
                return json.load(answer).get("health") == "true"
        except (OSError, ValueError):
            return False

    def stop(self):
        for node in self.nodes:
            node.stop()
        if self.etcd:
            self.etcd.kill()
            self.etcd.wait()
        if self.bridge:
            self.bridge.close()

    def make_roles(self):
        """One that owns the database, and a weaker one for the application."""
        leader, _ = self.wait_settled(60)
        for statement in (f"CREATE ROLE {OWNER} LOGIN PASSWORD '{self.password}'",
                          f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{self.password}'",
                          f"CREATE DATABASE {DATABASE} OWNER {OWNER}"):
            self.ask(leader, statement)
        self.wait_applied()  # a client that comes to a replica first is not sent on when its database is not there

    def url(self, user=APPLICATION, database=DATABASE):
        """Where clients find the leader, whoever it is."""
        hosts = ",".join(f"{node.address}:{node.port}" for node in self.nodes)
        return f"postgres://{user}:{self.password}@{hosts}/{database}?target_session_attrs=read-write&{CLIENT}"

    def wait(self, seconds, what, condition):
        """What the condition gave when it held; Unusable when it never did."""
        end = time.monotonic() + seconds
        while True:
            got = condition()
            if got:
                return got
            if time.monotonic() > end:
                logs = "\n".join(f"{node.name}{' (away)' if node in self.away else ''}: {node.status()}\n{node.log_tail()}"
                                 for node in self.nodes)
                raise Unusable(f"not within {seconds} s: {what}\n{logs}")
            time.sleep(0.1)

    def leader(self):
        """The node that leads among those that are not away, or None."""
        for node in self.nodes:
            status = node not in self.away and node.status()
            if status and status["state"] == "running" and status["role"] in ("master", "primary"):
                return node
        return None

    def settled(self):
        """(leader, its synchronous replica) when all that are not away are there and one of them may follow."""
        present = {node: node.status() for node in self.nodes if node not in self.away}
        leads = [n for n, s in present.items() if s and s["state"] == "running" and s["role"] in ("master", "primary")]
        if len(leads) != 1:
            return None
        streams = {r["application_name"]: r["sync_state"] for r in present[leads[0]].get("replication") or []
                   if r["state"] == "streaming"}
        others = [node for node in present if node != leads[0]]
        if any(node.name not in streams or present[node]["state"] != "running" for node in others):
            return None
        following = [node for node in others if streams[node.name] == "sync" and present[node].get("sync_standby")]
        return (leads[0], following[0]) if following else None

    def wait_settled(self, seconds):
        return self.wait(seconds, "a leader, all others streaming, one of them synchronous", self.settled)

    def kill(self, node):
        node.kill()
        self.away.add(node)

    def cut(self, node):
        """Neither clients nor etcd nor the other nodes reach it, nor it them."""
        if self.bridge:
            self.bridge.cut(node.number)
        else:
            node.freeze()
        self.away.add(node)

    def freeze(self, node):
        node.freeze()
        self.away.add(node)

    def bring_back(self, node):
        """After kill(), cut() or freeze(). Patroni does the rest."""
        if node.patroni.poll() is not None:
            node.start()
        elif node.frozen:
            node.thaw()
        else:
            self.bridge.heal(node.number)
        self.away.discard(node)

    def switch_over(self):
        """The leader hands over to its synchronous replica, as an administrator asks it to; the new leader."""
        old = self.leader()
        if old is None:
            raise Unusable("nobody leads, so nobody can hand over")
        request = urllib.request.Request(f"http://{old.address}:{old.rest}/switchover", method="POST",
                                         data=json.dumps({"leader": old.name}).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Unusable(f"switchover refused: {error.code} {error.read().decode()}") from None
        except OSError as error:
            said = str(error)
        return self.wait(30, f"another leader; Patroni said {said}", lambda: self.leader() not in (None, old) and self.leader())

    def at(self, node, database):
        return f"postgres://{SUPERUSER}:{self.password}@{node.address}:{node.port}/{database}"

    def ask(self, node, statement, *values):
        """The first row, if the statement gives rows, of one node."""
        import psycopg2  # comes with Patroni

        connection = psycopg2.connect(self.at(node, "postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchone() if cursor.description else None
        finally:
            connection.close()

    def wait_applied(self):
        """Until every replica has applied all that the leader has written by now."""
        leader, _ = self.wait_settled(60)
        # What was committed without waiting for the disk is seen on the leader before its log is written: one that waits.
        self.ask(leader, "SELECT pg_logical_emit_message(true, 'cronista', 'all before this is written')")
        end = self.ask(leader, "SELECT pg_current_wal_lsn()")[0]
        for node in self.nodes:
            if node != leader:
                self.wait(30, f"{node.name} has applied {end}", lambda node=node: self.ask(
                    node, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", end)[0])

    def fingerprints(self, database=DATABASE):
        """Of what the database holds, by node; nobody must write meanwhile."""
        self.wait_applied()
        prints = {}
        for node in self.nodes:
            # What is not logged is nowhere but on the leader.
            dump = subprocess.run([BINARIES / "pg_dump", "--data-only", "--no-unlogged-table-data", self.at(node, database)],
                                  capture_output=True, check=True).stdout
            lines = [line for line in dump.split(b"\n") if not line.startswith((b"\\restrict ", b"\\unrestrict "))]  # random
            prints[node.name] = hashlib.sha256(b"\n".join(lines)).hexdigest()
        return prints
