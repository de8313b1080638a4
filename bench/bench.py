#!/usr/bin/env python3
"""How fast Cronista is beside what the machine can do: prints ratios, each pair measured in the same run and in turn.

    bench/bench.py [--sections abcdefghijk] [--seconds 3] [--rounds 5] [--quick] [--million] [--full] [--build DIR]

What the sections measure, and how to read the table: bench/README.md. The same figures go to BUILD/bench/figures.json.
"""

import argparse
import contextlib
import csv
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import journeys  # noqa: E402
import live  # noqa: E402
import organisation  # noqa: E402
from harness import (Bare, Failed, Figure, Nginx, Server, http_quote, in_turn, machine, run_measured,  # noqa: E402
                     run_program, table, temporary, wrk, write_calls)

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = "abcdefghijkl"
CONTACTS = 100000
LOAD = 64            # connections where nothing else is said
STORY_EVERY = 50     # contacts 1, 51, 101 ... have the long stories; see records_bench.c
EVENTS = 20          # of a card
CALLS = 3000         # different requests of a kind

# Of the machine that the targets were set on: a static file of 5 KB from nginx, answers a second.
NGINX_THERE = 107000


class Bench:
    """The options, the programs, and what the sections share."""

    def __init__(self, options, stack):
        self.o = options
        self.stack = stack
        self.build = options.build
        self.program = self.build / "cronista"
        self.kept = self.build / "bench"
        self.kept.mkdir(parents=True, exist_ok=True)
        self.folder = stack.enter_context(temporary(self.kept))
        self.bare = Bare(self.build / "bench/sqlite_bare", self.folder)
        self.figures = []
        self.random = random.Random(options.seed)
        self.servers = {}
        self.copies = 0
        self._nginx = None

    # ------------------------------------------------ output

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def figure(self, section, name, unit, samples, beside=None, beside_name=None, more_is_better=True):
        f = Figure(section, name, unit, more_is_better)
        f.samples, f.beside, f.beside_name = list(samples), list(beside or []), beside_name
        self.figures.append(f)
        return f

    # ------------------------------------------------ installations

    def version(self):
        """Of what decides how an installation lies on disk."""
        digest = hashlib.sha256()
        for pattern in ("sql/migrations/**/*.sql", "sql/*.sql", "modules/*.json", "src/records/schema.c"):
            for path in sorted(ROOT.glob(pattern)):
                digest.update(path.read_bytes())
        digest.update((ROOT / "bench/records_bench.c").read_text().partition("enum what")[0].encode())
        return digest.hexdigest()[:12]

    def installation(self, contacts, edits):
        """A directory to copy from: made once and kept while the layout stays what it is."""
        version = self.version()
        path = self.kept / f"data-{contacts}-{edits}-{version}"
        for old in self.kept.glob("data-*"):
            if not old.name.endswith((version, version + ".json")):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        if path.exists():
            return path
        self.say(f"making {contacts:,} contacts and {edits:,} edits")
        making = self.folder / path.name
        start = time.monotonic()
        said = run_program([self.build / "bench/records_bench", making, contacts, "fill", edits], timeout=4 * 3600)
        Path(f"{path}.json").write_text(json.dumps({"seconds": time.monotonic() - start, "said": said.splitlines()}))
        making.rename(path)
        return path

    def copy(self, contacts, edits, name=None):
        kept = self.installation(contacts, edits)
        self.copies += 1
        to = self.folder / f"{name or kept.name}-{self.copies}"
        shutil.copytree(kept, to)
        return to

    def server(self, contacts, edits):
        """Running on a copy; one for each size."""
        if (contacts, edits) not in self.servers:
            self.servers[contacts, edits] = self.server_of_its_own(contacts, edits)
        return self.servers[contacts, edits]

    def server_of_its_own(self, contacts, edits, name=None):
        """Running on a copy that nobody else changes."""
        data = self.copy(contacts, edits, name)
        server = Server(self.program, data, f"{data}.log")
        self.stack.callback(server.stop)
        server.start()
        server.new_key()
        server.contacts = contacts
        server.cookie = server.sign_in()
        return server

    def nginx(self):
        if not self._nginx:
            self._nginx = Nginx(self.folder / "nginx")
            self.stack.callback(self._nginx.stop)
        return self._nginx

    # ------------------------------------------------ requests

    def calls(self, server, name, calls):
        calls = [(call,) if isinstance(call, str) else call for call in calls]
        return write_calls(self.folder / f"{name}-{server.port}.calls", calls)

    def any_ids(self, server, n=CALLS):
        return [self.random.randint(1, server.contacts) for _ in range(n)]

    def story_ids(self, server, n=CALLS):
        return [1 + STORY_EVERY * self.random.randrange((server.contacts + STORY_EVERY - 1) // STORY_EVERY)
                for _ in range(n)]

    def names(self, server):
        if not hasattr(server, "names"):
            ids = self.any_ids(server, 150)
            server.names = [server.api(f"/contacts/{i}")["name"] for i in ids]
        return server.names

    def pieces(self, server, what):
        """Substrings of real names: `any` three to six letters of anywhere in it, `many` of a word, `few` its number."""
        found = []
        while len(found) < CALLS:
            name = self.random.choice(self.names(server))
            if what == "few":
                found.append(name.split()[-1])
                continue
            if what == "many":
                name = self.random.choice([w for w in name.split() if len(w) > 2 and not w.isdigit()])
            n = self.random.randint(3, 6)
            at = self.random.randint(0, max(0, len(name) - n))
            piece = name[at:at + n].strip()
            if len(piece) >= 3:
                found.append(piece)
        return found

    def list_calls(self, server, what, field="name", sorts=("name",)):
        return self.calls(server, f"list-{what}-{field}-{len(sorts)}", [
            ("GET", f"/api/contacts?filter[{field}][contains]={http_quote(piece)}&sort={sorts[i % len(sorts)]}&limit=50")
            for i, piece in enumerate(self.pieces(server, what))])

    def save_calls(self, server):
        return self.calls(server, "save", [("PATCH", f"/api/contacts/{i}", '{"city":"City {n}"}') for i in self.any_ids(server)])

    def card_calls(self, server):
        """The record with its newest events."""
        return self.calls(server, "card", [("GET", f"/api/contacts/{i}?history={EVENTS}") for i in self.story_ids(server)])

    def page_calls(self, server):
        return self.calls(server, "page", [("GET", f"/contacts/{i}") for i in self.story_ids(server)])

    def size_of(self, server, calls, headers, pick=40):
        """Bytes of an answer's body, as the median over some of the calls."""
        sizes = []
        for line in calls.read_text().splitlines()[:pick]:
            method, path = line.split("\t")[:2]
            status, _, body = server.request(method, path, headers=dict(h.split(": ", 1) for h in headers))
            if status != 200:
                raise Failed(f"{method} {path}: {status} {body[:300]!r}")
            sizes.append(len(body))
        return sizes

    def load(self, server, calls, headers=None, connections=LOAD, seconds=None):
        return wrk(server.port, calls, seconds or self.o.seconds, connections,
                   server.key_headers() if headers is None else headers, pids=server.pids())


def rates(results):
    return [r["rate"] for r in results]


def times(results, which):
    return [r[which] for r in results]


# ---------------------------------------------------------------- (a) saves

def section_a(b):
    server = b.server(b.o.contacts, b.o.contacts)
    calls = b.save_calls(server)

    def save(connections):
        before = newest(server)
        result = b.load(server, calls, connections=connections)
        made = newest(server) - before
        asked = result["rate"] * b.o.seconds
        if made < asked * 0.9 - connections:
            raise Failed(f"{asked:.0f} saves were answered, but the log grew by {made}")
        return result

    subjects = {"bare": lambda: b.bare.measure("commits", b.o.seconds)}
    for connections in (1, 8, LOAD):
        subjects[connections] = lambda n=connections: save(n)
    r = in_turn(subjects, b.o.rounds)
    for connections in (1, 8, LOAD):
        f = b.figure("a", f"saves, {connections} connection{'s' * (connections > 1)}", "1/s", rates(r[connections]), rates(r["bare"]),
                     "bare commits/s")
        if connections == LOAD:
            f.aim(1, ">= bare")
        for which in ("p50", "p99"):
            g = b.figure("a", f"  {which}", "ms", times(r[connections], which), times(r["bare"], which),
                         f"bare {which} of one", more_is_better=False)
            if connections == LOAD and which == "p99":
                g.aim(20, "< 20 ms", g.median)


def newest(server):
    items = server.api("/history?limit=1")["items"]
    return items[0]["position"] if items else -1


# ---------------------------------------------------------------- (b) reads

def section_b(b):
    read(b, b.server(b.o.contacts, b.o.contacts), cards=True)
    if b.o.million and b.o.contacts < 1000000:
        read(b, b.server(1000000, 1000000), cards=False)


def read(b, server, cards):
    many = f"{server.contacts:,}"
    kinds = {}  # name: (calls, headers)
    if cards:
        kinds[f"card with {EVENTS} events, JSON"] = (b.card_calls(server), server.key_headers())
        kinds[f"card with {EVENTS} events, HTML"] = (b.page_calls(server), server.cookie)
    sorts = ("name", "city", "-updated_at", "-name")
    kinds[f"50 of {many} by substring, sorted"] = (b.list_calls(server, "any", sorts=sorts), server.key_headers())
    kinds[f"50 of {many} by substring, by name"] = (b.list_calls(server, "any"), server.key_headers())
    kinds["  the substring in many names"] = (b.list_calls(server, "many"), server.key_headers())
    kinds["  the substring in few names"] = (b.list_calls(server, "few"), server.key_headers())
    kinds[f"50 of {many} by search in all fields"] = (b.list_calls(server, "any", "q"), server.key_headers())

    subjects, sizes = {}, {}
    for name, (calls, headers) in kinds.items():
        subjects[name] = lambda c=calls, h=headers: b.load(server, c, h)
        sizes[name] = int(statistics.fmean(b.size_of(server, calls, headers)))
        if Nginx.there():
            rounded = max(1, round(sizes[name] / 500)) * 500
            subjects[rounded] = lambda n=rounded: b.load(b.nginx(), b.nginx().file(n), [])
    r = in_turn(subjects, b.o.rounds)
    for name in kinds:
        there = r[max(1, round(sizes[name] / 500)) * 500] if Nginx.there() else []
        for which, label in (("rate", name), ("possible", "    by time of the processor")):
            f = b.figure("b", label, "1/s", times(r[name], which), times(there, which),
                         f"nginx {sizes[name] / 1000:.1f} KB")
            f.notes["bytes"] = sizes[name]
            if "JSON" in name:
                f.aim(0.25, ">= 1/4 of nginx")
            elif "HTML" in name:
                f.aim(0.1, ">= 1/10 of nginx")
            elif "search" not in name and which == "rate":
                f.aim(3000, ">= 3,000/s", f.median)
            elif "search" not in name and there:
                f.aim(3000 / NGINX_THERE, f">= {3000 / NGINX_THERE:.3f} of nginx")
        for which in ("p50", "p99"):
            b.figure("b", f"    {which}", "ms", times(r[name], which), more_is_better=False)


# ---------------------------------------------------------------- (c) import

FIRST = ("Ana Łukasz Ioana José María Piotr Andrei Laura Julián Zofia Elena Pedro Ștefan Marta Jorge Agnieszka Carmen Tomasz "
         "Mihai Lucía Rafael Katarzyna Vlad Isabel Óscar Magdalena Cristina Diego Paweł Raluca Íñigo Barbara Radu Nuria").split()
LAST = ("García Kowalski Popescu Núñez Wiśniewska Ionescu Fernández Wójcik Dumitru Ramírez Lewandowska Stan Castillo Żak "
        "Zieliński Constantin Ibáñez Szymańska Gheorghe Muñoz Dąbrowski Marin Peña Kozłowska Tudor Ortega Jankowski Florea").split()
CITIES = ("Madrid Kraków Iași Bogotá Sevilla Łódź Cluj-Napoca Lima Valencia Gdańsk Timișoara Quito Málaga Poznań Brașov "
          "Medellín Bilbao Wrocław Constanța Guayaquil").split()


def write_contacts(path, n):
    pick = random.Random(1)
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Full name", "E-mail", "Phone", "City", "Remarks"])
        for i in range(n):
            first, last, other = pick.choice(FIRST), pick.choice(LAST), pick.choice(LAST)
            rows.writerow([f"{first} {last} {other}", f"contact{i}@example{i % 997}.com", f"+346{10000000 + i:08d}",
                           pick.choice(CITIES), "met at the fair"])
    return path


def section_c(b):
    n = b.o.contacts
    file = write_contacts(b.folder / "contacts.csv", n)

    def import_all():
        data = b.folder / "import"
        r = run_measured([b.program, "import", "contacts", file, "--json", "--data", data])
        report = json.loads(r["said"][r["said"].index("{"):])
        shutil.rmtree(data)
        if report.get("created") != n:
            raise Failed(f"of {n} rows {report.get('created')} were imported: {r['said'][:2000]}")
        return {"rate": n / r["seconds"], **r}

    r = in_turn({"import": import_all, "batch100": lambda: b.bare.measure("batch100", b.o.seconds),
                 "batch1000": lambda: b.bare.measure("batch1000", b.o.seconds)}, b.o.long_rounds)
    f = b.figure("c", f"import of {n:,} contacts, CSV", "rows/s", rates(r["import"]), rates(r["batch100"]),
                 "bare, batches of 100")
    f.aim(0.25, ">= 1/4 of bare")
    b.figure("c", "  beside larger batches", "rows/s", rates(r["import"]), rates(r["batch1000"]), "bare, batches of 1000")
    b.figure("c", "  seconds of processor", "s", times(r["import"], "processor"), more_is_better=False)
    b.figure("c", "  peak memory, resident", "MiB", times(r["import"], "peak"), more_is_better=False)
    b.figure("c", "  of it its own, not files", "MiB", times(r["import"], "own"), more_is_better=False)


# ---------------------------------------------------------------- (d) export

def section_d(b):
    n = b.o.contacts
    data = b.installation(n, n)

    def export(kind):
        to = b.folder / f"out.{kind}"
        r = run_measured([b.program, "export", "contacts", to, "--data", data])
        r["bytes"] = to.stat().st_size
        if kind == "csv":
            with open(to, newline="", encoding="utf-8-sig") as file:
                rows = sum(1 for _ in csv.reader(file)) - 1
            if rows != n:
                raise Failed(f"{rows} of {n} contacts were exported")
        return r

    r = in_turn({"xlsx": lambda: export("xlsx"), "csv": lambda: export("csv"),
                 "bare": lambda: b.bare.measure("csv", b.o.seconds, contacts=n)}, b.o.long_rounds)
    scale = n / CONTACTS
    for kind, seconds in (("xlsx", 3), ("csv", 0.5)):
        f = b.figure("d", f"export of {n:,} contacts, {kind.upper()}", "s", times(r[kind], "seconds"),
                     [n / x for x in rates(r["bare"])], "bare rows to a file", more_is_better=False)
        f.aim(seconds * scale, f"< {seconds} s", f.median)
        f.notes["bytes"] = r[kind][0]["bytes"]
        g = b.figure("d", "  seconds of processor", "s", times(r[kind], "processor"), more_is_better=False)
        g.aim(seconds * scale, f"< {seconds} s")
        h = b.figure("d", "  peak memory, resident", "MiB", times(r[kind], "peak"), more_is_better=False)
        h.aim(64, "< 64 MiB")
        b.figure("d", "  of it its own, not files", "MiB", times(r[kind], "own"), more_is_better=False)


# ---------------------------------------------------------------- (e) sizes

class Watch:
    """The most memory a server has while something runs."""

    def __init__(self, server):
        self.server, self.most = server, {}
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.wait(0.2):
            for name, value in self.server.memory().items():
                self.most[name] = max(value, self.most.get(name, 0))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.end.set()
        self.thread.join()


def section_e(b):
    memory(b)
    b.figure("e", "size of the program", "MiB", [b.program.stat().st_size / 2**20], more_is_better=False)
    stripped = b.folder / "stripped"
    with contextlib.suppress(OSError, Failed):
        run_program(["strip", "-o", stripped, b.program])
        b.figure("e", "  without what debuggers read", "MiB", [stripped.stat().st_size / 2**20], more_is_better=False)
    disk(b, "city", lambda: f"City {b.random.randrange(500)}", "an indexed and searched field")
    disk(b, "position", lambda: b.random.choice(WORDS), "a searched field")


def memory(b):
    n = b.o.contacts
    data = b.copy(n, n, "memory")
    starts, idle, after = [], [], []
    most = None
    server = Server(b.program, data, f"{data}.log")
    b.stack.callback(server.stop)
    server.start()
    server.new_key()
    cookie = server.sign_in()
    server.contacts = n
    calls = b.page_calls(server), b.list_calls(server, "any"), b.save_calls(server)
    server.stop()
    for _ in range(b.o.rounds):
        starts.append(server.start() * 1000)
        time.sleep(0.5)
        idle.append(server.memory())
        if not most:
            with Watch(server) as watch:
                b.load(server, calls[0], cookie)
                b.load(server, calls[1])
                b.load(server, calls[2])
            most = watch.most
            time.sleep(0.5)
            after.append(server.memory())
        server.stop()
    f = b.figure("e", f"start to first answer, {n:,} contacts", "ms", starts, more_is_better=False)
    f.aim(100, "< 100 ms")
    for name, label in (("rss", "resident (Rss)"), ("pss", "its share (Pss)"), ("anonymous", "its own (RssAnon)")):
        g = b.figure("e", f"memory idle, {label}", "MiB", times(idle, name), more_is_better=False)
        if name == "rss":
            g.aim(40, "< 40 MiB")
        b.figure("e", "  most under load", "MiB", [most.get(name) or after[0][name]], more_is_better=False)
        b.figure("e", "  after it", "MiB", times(after, name), more_is_better=False)


def sizes_of(folder):
    """Bytes of the main database and of the search index, and those of each table and index of the former."""
    db = sqlite3.connect(f"file:{folder}/cronista.db?mode=ro", uri=True)
    db.execute("PRAGMA query_only = 1")
    try:
        parts = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    except sqlite3.Error:
        parts = {}
    events = db.execute("SELECT max(position) + 1 FROM events").fetchone()[0]
    db.close()
    on_disk = {name: sum(p.stat().st_size for p in folder.glob(f"{name}.db*") if not p.name.endswith("-shm"))
               for name in ("cronista", "search")}
    return events, on_disk, parts


WORDS = ("Compras Ventas Gerente Soporte Calidad Jurista Logista Directora Comercial Operario Redactora Contable Analista "
         "Portera Becaria Delegado").split()


def index_catches_up(folder, seconds=60):
    """Waits until the search index has read the whole log."""
    def number(file, sql):
        db = sqlite3.connect(f"file:{folder}/{file}.db?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchone()[0]
        finally:
            db.close()

    end = time.monotonic() + seconds
    while number("search", "SELECT position FROM search_state") < number("cronista", "SELECT max(position) + 1 FROM events"):
        if time.monotonic() > end:
            raise Failed(f"the search index of {folder} does not catch up")
        time.sleep(0.05)


def disk(b, field, value, label):
    """How the files grow by one-field saves through the server, which has ended (and put its journals away) at both ends.
    value(): one of the size that the field already has, so that no record grows."""
    n = b.o.contacts
    data = b.copy(n, n, f"disk-{field}")
    server = Server(b.program, data, f"{data}.log")
    b.stack.callback(server.stop)
    server.contacts = n
    server.start()
    server.new_key()
    server.stop()
    before, files, parts = sizes_of(data)
    end = time.monotonic() + 120
    events = before
    while events - before < b.o.disk_edits and time.monotonic() < end:
        calls = b.calls(server, f"disk-{field}", [("PATCH", f"/api/contacts/{i}", json.dumps({field: value()}))
                                                  for i in b.any_ids(server, 20000)])
        server.start()
        b.load(server, calls, seconds=min(1, b.o.seconds))
        index_catches_up(data)
        server.stop()
        events, files_after, parts_after = sizes_of(data)
    made = events - before
    grown = {name: (files_after[name] - files[name]) / made for name in files}
    f = b.figure("e", f"on disk per one-field event, {label}", "bytes", [grown["cronista"]], more_is_better=False)
    f.aim(500, "< 500 bytes")
    f.notes["parts"] = {name: round((size - parts.get(name, 0)) / made, 1) for name, size in
                        sorted(parts_after.items(), key=lambda p: parts.get(p[0], 0) - p[1]) if size != parts.get(name, 0)}
    f.notes["events"] = made
    g = b.figure("e", "  with search.db", "bytes", [grown["cronista"] + grown["search"]], more_is_better=False)
    g.aim(500, "< 500 bytes")


# ---------------------------------------------------------------- (f) growth

def section_f(b):
    base = (b.o.contacts, b.o.contacts)
    sizes = [(b.o.contacts // 10, b.o.contacts // 10), base]
    if b.o.million:
        sizes.append((b.o.contacts * 10, b.o.contacts * 10))
    if b.o.full:
        sizes.append((b.o.contacts * 10, b.o.contacts * 90))
    subjects = {}
    for size in sizes:
        server = b.server(*size)
        sorts = ("name", "city", "-updated_at", "-name")
        for kind, calls, headers in (
                ("save", b.save_calls(server), server.key_headers()), ("card, JSON", b.card_calls(server), server.key_headers()),
                ("card, HTML", b.page_calls(server), server.cookie),
                ("list by substring, sorted", b.list_calls(server, "any", sorts=sorts), server.key_headers())):
            subjects[kind, size] = lambda s=server, c=calls, h=headers: b.load(s, c, h)
    # Saves come last: what they leave to be done in the background would be counted with what is read next.
    reads = {key: subject for key, subject in sorted(subjects.items()) if key[0] != "save"}
    r = in_turn(reads, b.o.rounds)
    r.update(in_turn({key: subjects[key] for key in sorted(subjects) if key not in reads}, b.o.rounds))
    for kind, size in subjects:
        if size == base:
            continue
        name = f"{kind}: {size[0]:,} contacts, {sum(size):,} events"
        for which, label in (("rate", name), ("possible", "    by time of the processor")):
            cost, cost_there = ([1e6 / max(1e-3, x) for x in times(r[kind, s], which)] for s in (size, base))
            f = b.figure("f", label, "us", cost, cost_there, f"with {base[0]:,}", more_is_better=False)
            if size[0] > base[0]:
                f.aim(1.5, "<= 1.5 times")
    for size in sizes:
        took = b.kept / f"data-{size[0]}-{size[1]}-{b.version()}.json"
        if took.exists():
            g = b.figure("f", f"making {size[0]:,} contacts, {sum(size):,} events", "s", [json.loads(took.read_text())["seconds"]],
                         more_is_better=False)
            g.notes["bytes"] = sum(p.stat().st_size for p in Path(str(took)[:-5]).glob("*"))


# ---------------------------------------------------------------- (g) PostgreSQL

BARE_TABLES = """
CREATE TABLE bare_contacts (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, name TEXT NOT NULL, city TEXT);
CREATE TABLE bare_events (position BIGSERIAL PRIMARY KEY, head BYTEA NOT NULL, body BYTEA NOT NULL);
INSERT INTO bare_contacts SELECT i, 1, 'Contact ' || i, 'City' FROM generate_series(1, 100000) i;"""
BARE_SAVE = r"""
\set id random(1, 100000)
BEGIN;
UPDATE bare_contacts SET city = 'City ' || :id, version = version + 1 WHERE id = :id;
INSERT INTO bare_events (head, body) VALUES (decode(repeat('ab', 200), 'hex'), decode(repeat('cd', 120), 'hex'));
COMMIT;
"""
# What a card asks of the database, and nothing but that: who asks, the record, its newest events. In one trip, as Cronista does.
BARE_CARD = r"""
\set id random(0, {last}) * 50 + 1
\startpipeline
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT u.* FROM m_users u WHERE u.id = 1;
SELECT c.* FROM m_contacts c WHERE c.id = :id;
SELECT e.head, p.body FROM timeline t JOIN events e ON e.position = t.position JOIN payloads p ON p.position = e.position
WHERE t.card_module = {module} AND t.card = :id ORDER BY t.position DESC LIMIT 20;
ROLLBACK;
\endpipeline
"""


class Postgres:
    """A PostgreSQL server with an installation moved there, and what pgbench says of the same server."""

    def __init__(self, b, contacts, settings=None):
        sys.path.insert(0, str(ROOT / "tests"))
        import postgres
        if not postgres.available():
            raise Failed("PostgreSQL is missing (Debian's package postgresql-15)")
        self.cluster = postgres.Cluster(settings={"shared_buffers": "512MB", "max_wal_size": "4GB"})
        b.stack.callback(self.cluster.stop)
        self.cluster.start()
        self.pgbench = postgres.PROGRAMS / "pgbench"
        self.cluster.sql(BARE_TABLES)
        self.folder = b.folder
        owner, application = (postgres.as_role(self.cluster.url, role) for role in (postgres.OWNER, postgres.APPLICATION))
        files = b.folder / "postgres-files"
        run_program([b.program, "migrate"], env={**os.environ, "CRONISTA_DATABASE": owner})
        run_program([b.program, "move", "--from", b.copy(contacts, contacts), "--to", application, "--files", files], timeout=3600)
        self.cluster.sql("ANALYZE")
        self.server = Server(b.program, files, f"{files}.log", {"CRONISTA_DATABASE": application, **(settings or {})})
        b.stack.callback(self.server.stop)
        self.server.start()
        self.server.new_key()
        self.server.contacts = contacts
        self.server.cookie = self.server.sign_in()

    def transactions(self, connections, seconds, sql=BARE_SAVE):
        script = self.folder / "bare.sql"
        script.write_text(sql)
        said = run_program([self.pgbench, "-n", "-M", "prepared", "-c", connections, "-j", min(2, connections), "-T", max(1, round(seconds)),
                            "-f", script, "-h", self.cluster.folder, "-p", self.cluster.port, "-U", "postgres", "cronista"])
        return {"rate": float(re.search(r"^tps = ([0-9.]+)", said, re.M)[1]),
                "mean": float(re.search(r"^latency average = ([0-9.]+) ms", said, re.M)[1])}

    def cards(self, seconds):
        module = self.cluster.sql("SELECT card_module FROM timeline GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").strip()
        return self.transactions(2, seconds, BARE_CARD.format(last=self.server.contacts // 50 - 1, module=module))


def section_g(b):
    contacts = b.o.contacts
    embedded, remote = b.server(contacts, contacts), Postgres(b, contacts)
    server, subjects = remote.server, {}
    kinds = {"card, JSON": (b.card_calls, "key_headers"), "card, HTML": (b.page_calls, "cookie"),
             f"50 of {contacts:,} by substring, sorted":
                 (lambda s: b.list_calls(s, "any", sorts=("name", "city", "-updated_at", "-name")), "key_headers")}
    for name, (calls, headers) in kinds.items():
        for at in (embedded, server):
            given = getattr(at, headers)
            given = given() if callable(given) else given
            subjects[name, at.port] = lambda s=at, c=calls(at), h=given: b.load(s, c, h, connections=2)
    subjects["bare card"] = lambda: remote.cards(b.o.seconds)
    r = in_turn(subjects, b.o.rounds)
    saves = b.save_calls(server)
    subjects = {}
    for connections in (1, 8, LOAD):
        subjects[connections] = lambda n=connections: b.load(server, saves, connections=n)
        subjects["bare", connections] = lambda n=connections: remote.transactions(n, b.o.seconds)
    r.update(in_turn(subjects, b.o.rounds))
    for connections in (1, 8, LOAD):
        f = b.figure("g", f"saves on PostgreSQL, {connections} connection{'s' * (connections > 1)}", "1/s", rates(r[connections]),
                     rates(r["bare", connections]), "pgbench")
        f.aim(1 / 3, ">= 1/3 of pgbench")
        b.figure("g", "  p99", "ms", times(r[connections], "p99"), more_is_better=False)
    for name in kinds:
        f = b.figure("g", f"{name}, p50", "ms", times(r[name, server.port], "p50"), times(r[name, embedded.port], "p50"), "SQLite",
                     more_is_better=False)
        f.aim(2, "<= 2 times")
    b.figure("g", "what a JSON card asks PostgreSQL, by pgbench (mean)", "ms", times(r["bare card"], "mean"),
             times(r["card, JSON", embedded.port], "p50"), "all of SQLite's card", more_is_better=False)


CARDS_OPEN = 2000
CHANGES = 500  # a second, each of another card in turn


def section_h(b):
    data = b.copy(b.o.contacts, b.o.contacts, "live")
    cards = min(CARDS_OPEN, b.o.contacts)
    settings = {"CRONISTA_STREAMS": str(cards + 10), "CRONISTA_CONNECTIONS": str(cards + 100), "CRONISTA_CONNECTIONS_PER_ADDRESS": "0"}
    server = Server(b.program, data, f"{data}.log", settings)
    b.stack.callback(server.stop)
    server.start()
    server.new_key()
    live_cards(b, server, cards, "SQLite")
    server.stop()
    live_cards(b, Postgres(b, b.o.contacts, settings).server, cards, "PostgreSQL")


def live_cards(b, server, cards, database):
    server.api("/contacts?limit=1")
    records = b.random.sample(range(1, b.o.contacts + 1), cards)
    rate, seconds = (CHANGES, 20) if not b.o.smoke else (50, 1)
    r = live.run(server, records, server.key_headers(), rate, seconds, connections=16)
    if r["missed"] or r["twice"] or r["strange"] or not r["written"]:
        raise Failed(f"live streams: of {r['written']} changes {r['missed']} missed, {r['twice']} twice, {r['strange']} that never were")
    f = b.figure("h", f"{cards:,} open cards on {database}: {rate} changes a second wanted, there were", "1/s", [r["rate"]])
    f.aim(0.98 * rate, f">= {0.98 * rate:.0f}")
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1, "the last")):
        delay = r["delays"][min(len(r["delays"]) - 1, int(share * len(r["delays"])))]
        f = b.figure("h", f"  from the change to its arrival, {name}", "ms", [delay * 1000], more_is_better=False)
        if name == "p99":
            f.aim(250, "<= 250 ms")
    f = b.figure("h", "  memory of an open card", "KiB", [r["card_kib"]], more_is_better=False)
    f.aim(16, "<= 16 KiB")


# ---------------------------------------------------------------- (i) long stories

SHORT, LONG = 100, 100000  # events


def section_i(b):
    server = b.server_of_its_own(b.o.contacts, b.o.contacts, "stories")
    long = LONG if not b.o.smoke else 1000
    card = {}
    for events in (SHORT, long):
        made = json.loads(server.request("POST", "/api/contacts", '{"name":"Story"}', dict(h.split(": ", 1) for h in server.key_headers()))[2])["id"]
        card[events] = made
        live.fill(server, made, server.key_headers(), events)
    kinds = {"JSON": (f"/api/contacts/{{}}?history={EVENTS}", server.key_headers()), "HTML": ("/contacts/{}", server.cookie)}
    subjects = {}
    for kind, (path, headers) in kinds.items():
        for events, made in card.items():
            calls = b.calls(server, f"story-{events}-{kind}", [("GET", path.format(made))])
            subjects[kind, events] = lambda c=calls, h=headers: b.load(server, c, h, connections=2)
    r = in_turn(subjects, b.o.rounds)
    for kind in kinds:
        f = b.figure("i", f"card with {long:,} events, {kind}, p50", "ms", times(r[kind, long], "p50"), times(r[kind, SHORT], "p50"),
                     f"with {SHORT}", more_is_better=False)
        f.aim(1.3, "<= 1.3 times")


# ---------------------------------------------------------------- (k) a large organisation

USERS, ROLES, DEPTH, PROFILES = 5000, 200, 8, 200


def section_k(b):
    people_lists(b, b.server_of_its_own(b.o.contacts, b.o.contacts, "organisation"), "SQLite")
    if b.o.log_postgres or b.o.full:
        people_lists(b, Postgres(b, b.o.contacts).server, "PostgreSQL")


def people_lists(b, server, database):
    """What people see of a module whose records are theirs and their subordinates', beside what an administrator sees."""
    users, roles, profiles = (USERS, ROLES, PROFILES) if not b.o.smoke else (20, 12, 3)
    made = organisation.build(server, b.o.contacts, users, roles, DEPTH, profiles)
    tree = made["roles"]
    for name, role in (("the head", tree[0][0]), ("in the middle", max(tree[2], key=lambda r: len(made["below"][r]))), ("at the foot", tree[-1][0])):
        person = organisation.somebody(made, server, name.replace(" ", "-"), role)
        key, cookie = server.key_of(person["email"]), server.sign_in(person["email"], person["password"])
        stories = [i for i in range(1, b.o.contacts + 1, 50) if person["sees"](i)][:CALLS] or [made["call"]("POST", "/contacts", {"name": "x", "owner": person["user"]})["id"]]
        share = sum(map(person["sees"], range(1, b.o.contacts + 1, 7))) / len(range(1, b.o.contacts + 1, 7))
        kinds = {"card, JSON": ([("GET", f"/api/contacts/{i}?history={EVENTS}") for i in stories], False),
                 "card, HTML": ([("GET", f"/contacts/{i}") for i in stories], True),
                 "list, last changed first": ([("GET", f"/api/contacts?limit=50&columns=name,city,{f}") for f in ("email", "phone", "owner")], False),
                 "list by name": ([("GET", f"/api/contacts?limit=50&sort=name&columns=name,{f}") for f in ("email", "city", "owner")], False),
                 "list by a part of the name": ([("GET", f"/api/contacts?filter[name][contains]={http_quote(p)}&sort=name&limit=50") for p in b.pieces(server, "any")], False)}
        subjects = {}
        for kind, (calls, page) in kinds.items():
            calls = b.calls(server, f"k-{name[:6]}-{kind[:9]}-{len(calls)}", calls)
            for who, headers in (("theirs", cookie if page else server.key_headers(key)), ("all", server.cookie if page else server.key_headers())):
                subjects[kind, who] = lambda c=calls, h=headers: b.load(server, c, h, connections=2)
        r = in_turn(subjects, b.o.rounds)
        for kind in kinds:
            f = b.figure("k", f"{database}, {name} (sees {100 * share:.3g} %): {kind}, p50", "ms", times(r[kind, "theirs"], "p50"), times(r[kind, "all"], "p50"),
                         "administrator", more_is_better=False)
            f.aim(1.2, "<= 1.2 times")


# ---------------------------------------------------------------- (j) the change log

LOG_USERS = 40


def log_filters(b):
    """The parts of addresses that each filter is set by; the rare and the frequent in turn."""
    users = [f"user={n}" for n in range(LOG_USERS + 1)]
    modules = [f"module={m}" for m in ("contacts", "companies", "opportunities", "tasks", "cases")]
    kinds = [f"kind={k}" for k in ("edited", "created", "commented", "deleted", "restored", "assigned", "exported", "closed", "noted")]
    fields = [f"field={f}" for f in ("name", "city", "email", "position", "phone", "country", "birthday", "postcode", "external_id", "notes")]
    dates = []
    for _ in range(200):
        day = time.time() - b.random.random() * 7 * 365 * 86400
        days = b.random.choice((1, 7, 30, 90, 365))
        dates.append("from={}&to={}".format(*(time.strftime("%Y-%m-%d", time.gmtime(at)) for at in (day, day + days * 86400))))
    return {"user": users, "date": dates, "module": modules, "operation": kinds, "field": fields}


def log_calls(b, server):
    """{name: requests}: each filter, each pair, and three at once."""
    filters = log_filters(b)
    names = [(name,) for name in filters]
    names += [(one, other) for i, one in enumerate(filters) for other in list(filters)[i + 1:]]
    names.append(("user", "module", "field"))
    every = {}
    for choice in names:
        picked = {**filters, "module": filters["module"][:1]} if {"module", "field"} <= set(choice) else filters
        calls = [("GET", "/api/history?limit=50&" + "&".join(b.random.choice(picked[name]) for name in choice)) for _ in range(600)]
        every[" and ".join(choice)] = b.calls(server, "log-" + "-".join(choice), calls)
    # Two that are never in one event: the log is looked through to its beginning.
    every["a pair that meets nowhere"] = b.calls(server, "log-never", [("GET", "/api/history?limit=50&user=39&field=notes")])
    return every


def make_log(b, server, folder, environment=None, url=()):
    """Users through the server, which ends then; events by log_bench. Returns the seconds that took."""
    environment = {**os.environ, **(environment or {})}
    for n in range(LOG_USERS):
        body = json.dumps({"name": f"User {n}", "email": f"user{n}@example.com", "profile": "member", "active": n % 8 != 0})
        status, _, said = server.request("POST", "/api/users", body, {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"})
        if status != 201:
            raise Failed(f"a user: {status} {said[:300]!r}")
    server.stop()
    start = time.monotonic()
    b.say(run_program([b.build / "bench/log_bench", folder, b.o.events, *url], timeout=4 * 3600, env=environment).strip())
    return time.monotonic() - start


def log_server(b):
    digest = hashlib.sha256((ROOT / "bench/log_bench.c").read_bytes()).hexdigest()[:6]
    kept = b.kept / f"data-log-{b.o.events}-{digest}-{b.version()}"
    if not kept.exists():
        b.say(f"making a log of {b.o.events:,} events")
        making = b.folder / kept.name
        server = Server(b.program, making, f"{making}.log")
        b.stack.callback(server.stop)
        server.start()
        server.new_key()
        make_log(b, server, making)
        making.rename(kept)
    server = Server(b.program, kept, b.folder / "log.log") # which only reads it
    b.stack.callback(server.stop)
    server.start()
    server.new_key()
    return server


def log_postgres(b):
    sys.path.insert(0, str(ROOT / "tests"))
    import postgres
    if not postgres.available():
        raise Failed("PostgreSQL is missing (Debian's package postgresql-15)")
    cluster = postgres.Cluster(settings={"shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "off"})
    b.stack.callback(cluster.stop)
    cluster.start()
    owner, application = (postgres.as_role(cluster.url, role) for role in (postgres.OWNER, postgres.APPLICATION))
    files = b.folder / "postgres-log"
    run_program([b.program, "migrate"], env={**os.environ, "CRONISTA_DATABASE": owner})
    server = Server(b.program, files, f"{files}.log", {"CRONISTA_DATABASE": application})
    b.stack.callback(server.stop)
    server.start()
    server.new_key()
    make_log(b, server, files, url=(application,))
    cluster.sql("VACUUM ANALYZE")
    server.start()
    return server


def section_j(b):
    servers = {"": log_server(b)}
    if b.o.full or b.o.log_postgres:
        servers[" (PostgreSQL)"] = log_postgres(b)
    for where, server in servers.items():
        for name, calls in log_calls(b, server).items():
            r = [b.load(server, calls, connections=1) for _ in range(b.o.rounds)]
            b.figure("j", f"log of {b.o.events:,}{where} by {name}, p50", "ms", times(r, "p50"), more_is_better=False)
            f = b.figure("j", "  p99", "ms", times(r, "p99"), more_is_better=False)
            f.aim(50, "< 50 ms", f.median)
        counting = b.calls(server, "log-counts", [
            ("GET", "/api/history?limit=1&counts=1&" + b.random.choice(choices)) for choices in log_filters(b).values() for _ in range(40)])
        r = [b.load(server, counting, connections=1) for _ in range(b.o.rounds)]
        b.figure("j", f"  counts for each choice{where}, p50", "ms", times(r, "p50"), more_is_better=False)
        b.figure("j", "  p99", "ms", times(r, "p99"), more_is_better=False)


# ---------------------------------------------------------------- (l) how records passed from hand to hand

def section_l(b):
    journeys.measure(b)


# ---------------------------------------------------------------- the run

def options():
    parser = argparse.ArgumentParser(description="Measures Cronista beside what the machine can do.")
    parser.add_argument("--sections", default=SECTIONS, help="of abcdefghijkl: saves, reads, import, export, sizes, growth, PostgreSQL, live, long stories, change log, organisation, journeys")
    parser.add_argument("--seconds", type=float, default=3, help="of one measurement (3)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is repeated, in turn (5)")
    parser.add_argument("--contacts", type=int, default=CONTACTS, help=argparse.SUPPRESS)
    parser.add_argument("--million", action="store_true", help="lists of, and growth to, a million contacts too")
    parser.add_argument("--full", action="store_true", help="and ten million events")
    parser.add_argument("--events", type=int, default=0, help="of section j's log (1,000,000; 10,000,000 with --full)")
    parser.add_argument("--log-postgres", action="store_true", help="section j on PostgreSQL too, as --full does")
    parser.add_argument("--quick", action="store_true", help="less sure, in a minute and a half")
    parser.add_argument("--smoke", action="store_true", help="only whether the harness works; as TAP")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of records and words")
    parser.add_argument("--build", type=Path, default=ROOT / os.environ.get("BUILD", "build"), help="build directory")
    o = parser.parse_args()
    unknown = set(o.sections) - set(SECTIONS)
    if unknown or o.seconds <= 0 or o.rounds < 1:
        parser.error(f"sections are of {SECTIONS}; seconds and rounds above 0")
    o.million = o.million or o.full
    o.events = o.events or (10000000 if o.full else 1000000)
    o.build = o.build.resolve()
    o.long_rounds, o.disk_edits = min(3, o.rounds), 20000
    if o.quick:
        o.seconds, o.rounds, o.long_rounds = 0.5, 3, 1
    if o.smoke:
        o.seconds, o.rounds, o.long_rounds, o.contacts, o.disk_edits, o.million, o.full = 0.3, 1, 1, 1000, 200, False, False
        o.events, o.log_postgres = 30000, False
    return o


def build_programs(o):
    targets = ["cronista", "bench/sqlite_bare", "bench/records_bench", "bench/log_bench", "bench/journeys_bench"]
    done = subprocess.run(["ninja", "-C", o.build, *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"the programs can't be built in {o.build}:\n{done.stdout[-3000:]}")
    if not shutil.which("wrk"):
        raise Failed("wrk is missing (Debian's package wrk)")
    if not Nginx.there() and not o.smoke:
        raise Failed("nginx is missing (Debian's package nginx-light)")


def report(b, about):
    (b.kept / "figures.json").write_text(json.dumps({**about, "figures": [f.to_json() for f in b.figures]}, indent=1))
    print(table(b.figures))
    for f in b.figures:
        if "parts" in f.notes:
            parts = ", ".join(f"{name} {size}" for name, size in f.notes["parts"].items() if abs(size) >= 1)
            print(f"\n{f.name}: {parts}")
    aimed = [f for f in b.figures if f.target is not None]
    print(f"\n{about['processor']}, {about['processors']} processors; load average {about['load_before']:.1f} before, "
          f"{about['load_after']:.1f} after. {sum(f.factor() >= 1 for f in aimed)} of {len(aimed)} targets met.")


def smoke_report(b):
    """Each figure must be a number above nothing; how large it is says nothing here."""
    bad = 0
    for number, f in enumerate(b.figures, 1):
        fine = f.samples and all(s >= 0 for s in f.samples) and (max(f.samples) > 0 or f.unit == "bytes")
        fine = fine and (f.beside_name is None or not f.beside or min(f.beside) > 0)
        bad += not fine
        print(f"{'ok' if fine else 'not ok'} {number} - {f.section}: {f.name.strip()}")
    print(f"1..{len(b.figures)}")
    return 1 if bad or not b.figures else 0


def main():
    o = options()
    start = time.monotonic()
    about, failed = machine(), False
    try:
        build_programs(o)
        with contextlib.ExitStack() as stack:
            b = Bench(o, stack)
            for name in o.sections:
                b.say(f"section {name} ({time.monotonic() - start:.0f} s)")
                try:
                    globals()[f"section_{name}"](b)
                except Failed as e:
                    failed = True
                    print(f"bench: section {name}: {e}", file=sys.stderr)
            about.update(load_after=os.getloadavg()[0], seconds=time.monotonic() - start,
                         options={k: str(v) for k, v in vars(o).items()})
            if o.smoke:
                return smoke_report(b) or failed
            report(b, about)
    except (Failed, OSError, subprocess.SubprocessError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
