"""Traceability: the report over many cases, made here or told by another system."""

import gzip
import hashlib
import os
import sqlite3
import time
from pathlib import Path

from harness import Failed, Server, run_program

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CRONISTA_SHARED_DATA", ROOT / "../shared/data"))
A_MONTH = "from=2016-04-01&to=2016-04-30"


def journeys_server(b, cases):
    """(a server that has just started, the data's directory)"""
    digest = hashlib.sha256((ROOT / "bench/journeys_bench.c").read_bytes()).hexdigest()[:6]
    kept = b.kept / f"data-journeys-{cases}-{digest}-{b.version()}"
    if not kept.exists():
        b.say(f"making {cases:,} cases of ten events")
        making = b.folder / kept.name
        restarted(b, making, "journeys-made").stop()
        b.say(run_program([b.build / "bench/journeys_bench", "make", making, cases], timeout=4 * 3600).strip())
        making.rename(kept)
    b.say(run_program([b.build / "bench/journeys_bench", "check", kept], timeout=3600).strip())  # fails where the report is not what the log says
    return restarted(b, kept, "journeys"), kept


def restarted(b, data, name):
    server = Server(b.program, data, b.folder / f"{name}.log")
    b.stack.callback(server.stop)
    server.start()
    server.new_key()
    return server


def asked(server, query):
    """Milliseconds of one answer."""
    start = time.perf_counter()
    status, _, body = server.request("GET", f"/api/cases/journeys{query}", headers=dict(h.split(": ", 1) for h in server.key_headers()))
    if status != 200:
        raise Failed(f"{query}: {status} {body[:300]!r}")
    return 1000 * (time.perf_counter() - start)


def bare_scan(data):
    """SQLite reading the same rows, without any program around it."""
    database = sqlite3.connect(f"file:{data}/cronista.db?mode=ro", uri=True)
    start = time.perf_counter()
    database.execute("SELECT count(*), sum(record), sum(length(steps)) FROM passages WHERE module = 5").fetchone()
    taken = 1000 * (time.perf_counter() - start)
    database.close()
    return taken


def measure(b):
    cases = 2000 if b.o.smoke else 1000000 if b.o.million else 100000
    server, data = journeys_server(b, cases)
    first = []
    for _ in range(b.o.rounds):
        server.stop()
        server = restarted(b, data, "journeys")
        first.append(asked(server, "?by=level"))
    f = b.figure("l", f"levels of {cases:,} cases, {10 * cases:,} events: first answer", "ms", first, [bare_scan(data) for _ in range(b.o.rounds)], "bare SQLite", more_is_better=False)
    f.aim(1000, "< 1 s", f.median)
    for name, query in (("a month of it", "?by=level&from=2026-03-01&to=2026-03-31"), ("by status", "?by=status"), ("of one priority", "?by=level&filter[priority][eq]=high"),
                        ("the fifty that came back most", "/records?by=level&sort=back")):
        b.figure("l", f"  {name}", "ms", [asked(server, query) for _ in range(b.o.rounds)], more_is_better=False)
    if not (SHARED / "incidents").exists() or b.o.smoke:
        return
    told = b.folder / "incidents"
    rows = b.folder / "incidents.csv"
    rows.write_bytes(gzip.decompress((SHARED / "incidents/incident_event_log.csv.gz").read_bytes()))
    restarted(b, told, "incidents-made").stop()
    start = time.monotonic()
    run_program([b.program, "import", "cases", rows, "--map", ROOT / "tests/data/history_incidents.json", "--data", told], timeout=3600)
    f = b.figure("l", "import of 119,998 rows of another system's history", "s", [time.monotonic() - start], more_is_better=False)
    f.aim(60, "< 60 s", f.median)
    server = restarted(b, told, "incidents")
    for name, query, most in (("levels of its 20,769 cases", "?by=level", 300), ("  in a month", f"?by=level&{A_MONTH}", 100),
                              ("  in a month, one priority", f"?by=level&{A_MONTH}&filter[priority][eq]=high", 100)):
        f = b.figure("l", name, "ms", [asked(server, query) for _ in range(4 * b.o.rounds)], more_is_better=False)
        f.aim(most, f"< {most} ms", f.median)
