#!/usr/bin/env python3
"""How long a card as it was takes, of a record of 1,000 events: fields, links and files, at moments of all its life.

    bench/past.py                        embedded
    tests/postgres.py bench/past.py      on a PostgreSQL of its own

What a client waits for over the loopback, in milliseconds. Exit code 1 when a median of a figure is above its limit.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support import ADMINISTRATOR, PASSWORD, Server  # noqa: E402

LIMIT = 20.0


def tell_a_life(api, events):
    """A company with so many events of its own, contacts that came and went, activities and files; its path."""
    companies = [api.want(201, "POST", "/api/companies", {"name": f"Company {i}"})["id"] for i in range(3)]
    path = f"/api/companies/{companies[0]}"
    files = [api.want(201, "POST", f"/api/files?name=logo{i}.txt", f"logo {i}\n".encode(),
                      {"Content-Type": "application/octet-stream"}) for i in range(20)]
    contacts = []
    for i in range(1, events):
        change = {"city": f"City {i}", "employees": i, "description": f"How it was after change {i}. " * 8}
        if i % 20 == 0:
            change["parent"] = companies[1 + i // 20 % 2]
        if i % 50 == 0:
            change["logo"] = files[i // 50 % len(files)]
        api.want(200, "PATCH", path, change)
        if i % 10 == 0:
            contacts.append(api.want(201, "POST", "/api/contacts", {"name": f"Contact {i}", "company": companies[0]})["id"])
        if i % 20 == 5 and contacts:
            api.want(200, "PATCH", f"/api/contacts/{contacts[i // 40]}", {"company": companies[1]})
        if i % 25 == 0:
            api.want(201, "POST", "/api/tasks", {"subject": f"Task {i}", "company": companies[0]})
        if i % 100 == 0:
            api.want(200, "PATCH", f"/api/companies/{companies[1]}", {"name": f"Company 1 after {i}"})
    return path


def sign_in(server):
    api = server.api()
    page = api.request("GET", "/sign-in", headers={"Accept": "text/html"})
    csrf = re.search(r'name="csrf" value="([^"]*)"', page[2]).group(1)
    cookies = "; ".join(c.split(";")[0] for c in page[1].get_all("Set-Cookie", []))
    answer = api.request("POST", "/sign-in", urlencode({"email": ADMINISTRATOR, "password": PASSWORD, "csrf": csrf}),
                         {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies, "Accept": "text/html"})
    return {"Cookie": "; ".join(c.split(";")[0] for c in answer[1].get_all("Set-Cookie", [])), "Accept": "text/html"}


def processor(server):
    """Milliseconds of processor time that the server has taken so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(server, name, ask, moments):
    times = []
    taken = processor(server)
    for moment in moments:
        begun = time.perf_counter()
        ask(moment)
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    median, most = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{name:44} median {median:6.2f}  p99 {most:6.2f}  server's processor {(processor(server) - taken) / len(times):6.2f}  {'' if median < LIMIT else 'TOO SLOW'}", flush=True)
    return median < LIMIT


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--moments", type=int, default=200)
    asked = parser.parse_args()
    random.seed(1)
    folder = tempfile.mkdtemp(prefix="cronista-past-")
    server = Server(Path(folder) / "data").start()
    try:
        api = server.api(server.new_key())
        begun = time.time()
        path = tell_a_life(api, asked.events)
        ended = time.time()
        card = path.removeprefix("/api")
        moments = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"
                   for at in (begun + 1 + (ended - begun - 1) * random.random() for _ in range(asked.moments))]
        first = min(moments)
        session = sign_in(server)
        page = server.api()
        good = [
            measure(server, "card now, JSON", lambda m: api.want(200, "GET", path), moments),
            measure(server, "card now, page", lambda m: page.want(200, "GET", card, headers=session), moments),
            measure(server, "card as of a moment, JSON", lambda m: api.want(200, "GET", f"{path}?as_of={m}"), moments),
            measure(server, "the same with what pointed to it", lambda m: api.want(200, "GET", f"{path}?as_of={m}&related=1"), moments),
            measure(server, "card as of a moment, page", lambda m: page.want(200, "GET", f"{card}?as_of={m}", headers=session), moments),
            measure(server, "card as of its first moments, page", lambda m: page.want(200, "GET", f"{card}?as_of={first}", headers=session), moments),
            measure(server, "ribbon", lambda m: api.want(200, "GET", f"{path}/ribbon?as_of={m}"), moments),
            measure(server, "difference to now", lambda m: api.want(200, "GET", f"{path}/difference?from={m}"), moments),
        ]
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
