"""What writes while the cluster suffers. Each workload has

    prepare(url) makes what it needs, as the database's owner
    start(url)   begins to write, with several clients, to the database that the URL leads to
    stop()       no new writes; returns when each client has the answer it waits for, or has lost patience
    close()      after stop() and the last check(): ends what else it has started, so that nothing writes any more
    answers      list of Answer, in the order they came; may be read at any time
    wrong        list of texts: what must not happen even while the cluster suffers
    check(url)   list of texts: what is wrong with what is there; may be called while clients write

A client asks again until it is answered, always with the same key, so that what was done before is not done twice.
"""

import os
import secrets
import socket
import sys
import threading
import time
from collections import Counter, namedtuple
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import CUT_OFF, Refused, Server, command  # noqa: E402

# begun: first asked; ended: answered. what: of the workload.
Answer = namedtuple("Answer", "client key begun ended what")

PAUSE = 0.01     # seconds between a client's writes: the load is steady, not the highest possible
AGAIN = 0.1      # seconds before it asks again
PATIENCE = 120   # seconds after which it says that the cluster does not recover
SILENCE = 6      # seconds without a word from a server after which its connection is given up


class Workload:
    def __init__(self, clients):
        self.answers, self.wrong = [], []
        self.numbers = range(clients)
        self.threads = []
        self.stopping = threading.Event()

    def run_clients(self):
        self.threads = [threading.Thread(target=self.client, args=(number,)) for number in self.numbers]
        for thread in self.threads:
            thread.start()

    def client(self, number):
        """One client after another write: write(number, key) until none of self.AGAIN_AFTER is raised."""
        try:
            count = 0
            while not self.stopping.is_set():
                key = f"{number}-{count}"
                begun = time.monotonic()
                what = self.until_answered(number, key, begun)
                self.answers.append(Answer(number, key, begun, time.monotonic(), what))
                count += 1
                time.sleep(PAUSE)
        except Exception as error:
            self.wrong.append(f"client {number}, {key}: {type(error).__name__}: {error}")

    def until_answered(self, number, key, begun):
        while True:
            try:
                return self.write(number, key)
            except self.AGAIN_AFTER as error:
                if time.monotonic() - begun > PATIENCE:
                    raise TimeoutError(f"no answer in {PATIENCE} s; at last: {error}") from None
            time.sleep(AGAIN)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE + 60)

    def close(self):
        pass


class SqlWorkload(Workload):
    """Appends rows with gapless positions, one writer at a time by an advisory lock: the way of Cronista's log."""

    LOCK = 20231

    # No constraint keeps positions or keys apart: what goes wrong must show.
    TABLE = """CREATE TABLE log (position bigint NOT NULL, key text NOT NULL, seen integer NOT NULL DEFAULT 0);
               CREATE INDEX ON log (position);
               CREATE INDEX ON log (key);
               GRANT SELECT, INSERT, UPDATE (seen) ON log TO cronista"""

    def __init__(self, clients=4):
        import psycopg2
        import psycopg2.errors

        super().__init__(clients)
        self.library = psycopg2
        self.AGAIN_AFTER = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction)
        self.connections = {}  # client -> (connection, when it was last spoken to)
        self.guard = threading.Lock()

    def prepare(self, owner_url):
        with self.library.connect(owner_url) as connection, connection.cursor() as cursor:
            cursor.execute(self.TABLE)
        connection.close()

    def start(self, url):
        self.url = url
        self.run_clients()
        self.minder = threading.Thread(target=self.mind_silence, daemon=True)
        self.minder.start()

    def mind_silence(self):
        """A frozen server's kernel still acknowledges what it is sent, so no setting of TCP notices it."""
        while any(thread.is_alive() for thread in self.threads):
            with self.guard:
                for connection, since in self.connections.values():
                    if since and time.monotonic() - since > SILENCE and not connection.closed:
                        with socket.socket(fileno=os.dup(connection.fileno())) as line:
                            try:
                                line.shutdown(socket.SHUT_RDWR)
                            except OSError:
                                pass
            time.sleep(0.2)

    def hold(self, number, connection, since):
        with self.guard:
            self.connections[number] = (connection, since)

    def drop(self, number):
        with self.guard:
            held = self.connections.pop(number, None)
            if held:
                held[0].close()

    def write(self, number, key):
        try:
            if number not in self.connections:
                self.hold(number, self.library.connect(self.url), None)
            connection = self.connections[number][0]
            self.hold(number, connection, time.monotonic())
            position = self.append(connection, key)
            self.hold(number, connection, None)
            return position
        except self.AGAIN_AFTER:
            self.drop(number)
            raise

    def append(self, connection, key):
        del connection.notices[:]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (self.LOCK,))
            # Written, not read, when it is there already: a commit of an earlier try may be in this server's log alone,
            # and only a transaction that has written waits for the replica.
            cursor.execute("UPDATE log SET seen = seen + 1 WHERE key = %s RETURNING position", (key,))
            there = cursor.fetchone()
            if not there:
                cursor.execute("INSERT INTO log (position, key) SELECT coalesce(max(position) + 1, 0), %s FROM log "
                               "RETURNING position", (key,))
                there = cursor.fetchone()
        connection.commit()
        if any("synchronous replication" in notice for notice in connection.notices):
            raise self.library.OperationalError("committed on the leader alone")  # PostgreSQL calls that a success
        return there[0]

    def stop(self):
        super().stop()
        self.minder.join()
        for number in self.numbers:
            self.drop(number)

    def check(self, url):
        answered = list(self.answers)  # before it is read
        with self.library.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT position, key FROM log ORDER BY position")
            rows = cursor.fetchall()
        connection.close()
        positions = [position for position, _ in rows]
        wrong = []
        if positions != list(range(len(rows))):
            odd = next(i for i, position in enumerate(positions) if position != i)
            wrong.append(f"positions are not gapless: {positions[odd]} after {odd} rows")
        wrong += [f"{key} was applied {times} times" for key, times in Counter(key for _, key in rows).items() if times > 1]
        there = {key: position for position, key in rows}
        for answer in answered:
            if there.get(answer.key) != answer.what:
                wrong.append(f"{answer.key}: answered as position {answer.what}, is {there.get(answer.key, 'lost')}")
        return wrong


class CronistaWorkload(Workload):
    """Creates and edits contacts through several nodes of Cronista before one database."""

    AGAIN_AFTER = CUT_OFF
    NOT_NOW = (502, 503, 504)
    EDITS = 4  # of each contact, after it was made

    def __init__(self, folder, clients=4, nodes=2):
        super().__init__(clients)
        self.run = secrets.token_hex(4)  # keys and names of this run alone
        self.servers = [Server(Path(folder) / f"cronista{number}") for number in range(nodes)]
        self.apis, self.made = {}, {}

    def prepare(self, owner_url):
        os.environ["CRONISTA_DATABASE"] = owner_url
        command("migrate", "--application", "cronista", "--data", self.servers[0].data)

    def start(self, url):
        os.environ["CRONISTA_DATABASE"] = url
        for server in self.servers:
            server.start(wait=60)
        self.key = self.servers[0].new_key()
        self.run_clients()

    def write(self, number, key):
        """(contact's id, version, name) as answered."""
        turn, api = self.apis.get(number) or (number, None)
        if api is None:
            api = self.servers[turn % len(self.servers)].api(self.key, timeout=SILENCE)
            self.apis[number] = (turn, api)
        name = f"Failover {self.run}-{key}"
        contact = self.made.get(number) if int(key.split("-")[1]) % (1 + self.EDITS) else None
        what = ("PATCH", f"/api/contacts/{contact}") if contact else ("POST", "/api/contacts")
        try:
            status, _, body = api.request(*what, {"name": name}, {"Idempotency-Key": f"{self.run}-{key}"})
            if status in self.NOT_NOW:
                raise OSError(f"{status} {body}")
            if status in (200, 201) and "version" not in body:
                raise OSError("done, but it could not be read: asked again with the same key it is told")
        except CUT_OFF:
            api.close()
            self.apis[number] = (turn + 1, None)  # the other node, next time
            raise
        if status not in (200, 201):
            raise ValueError(f"answered {status}: {body}")
        self.made[number] = body["id"]
        return body["id"], body["version"], name

    def close(self):
        codes = [server.stop() for server in self.servers]
        if any(codes):
            self.wrong.append(f"the nodes ended with {codes}")

    def there(self):
        """All contacts of this run: id -> (version, name)."""
        api, after, found = self.servers[0].api(self.key), "", {}
        while after is not None:
            page = api.want(200, "GET", f"/api/contacts?columns=name&sort=id&filter[name][starts]=Failover {self.run}-"
                            f"&limit=200&after={after}".replace(" ", "%20"))
            found.update({item["id"]: (item["version"], item["name"]) for item in page["items"]})
            after = page["next"] and quote(page["next"])
        return found

    def check(self, url):
        for left in range(10, -1, -1):
            # What the clients are at while the contacts are listed; with the next write one leaves its contact for another.
            moving = set() if self.stopping.is_set() else set(self.made.values())
            answered = list(self.answers)
            try:
                there = self.there()
                break
            except (*CUT_OFF, Refused) as error:  # as anybody would do, it is tried again
                if not left:
                    return [f"the contacts can't be listed: {error}"]
                time.sleep(1)
        moving |= set() if self.stopping.is_set() else set(self.made.values())
        versions, last, wrong = {}, {}, []
        for answer in answered:
            contact, version, name = answer.what
            versions.setdefault(contact, []).append(version)
            last[contact] = (version, name)
        for contact, seen in versions.items():
            if seen != list(range(seen[0], seen[0] + len(seen))):
                wrong.append(f"contact {contact}: answered versions {seen}, so a change was lost or applied twice")
        for contact, (version, name) in last.items():
            found = there.get(contact, (0, "lost"))
            if found != (version, name) and not (contact in moving and found[0] > version):
                wrong.append(f"contact {contact}: answered {version} {name!r}, is {found[0]} {found[1]!r}")
        # Of those made while they were listed somebody has been told by now, or is about to be.
        unknown = len(set(there) - {answer.what[0] for answer in list(self.answers)})
        if unknown > (0 if self.stopping.is_set() else len(self.numbers)):
            wrong.append(f"{unknown} contacts that nobody was told of, with {len(self.numbers)} clients")
        code, printed = command("verify", "--data", self.servers[0].data, check=False)
        return wrong + ([f"cronista verify: exit code {code}\n{printed}"] if code else [])
