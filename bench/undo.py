#!/usr/bin/env python3
"""How long it takes to look at, and to do, the undoing of an import that told thousands of events of one case, which was edited thousands of
times since; how long others wait to save meanwhile.

    bench/undo.py                        embedded
    tests/postgres.py bench/undo.py      on a PostgreSQL of its own

Exit code 1 when it takes longer, or others wait longer, than the limits.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support import Server  # noqa: E402

LIMIT = 10.0  # seconds for the preview, and for the undoing
LONGEST = 1000.0  # milliseconds that a save waits
MAP = {"module": "cases", "language": "en", "zone": "UTC",
       "history": {"rows": "events", "source": "Old desk", "case": "Ticket", "time": {"column": "When", "dates": "dmy"},
                   "activity": {"column": "What", "sets": {"status": {"Register": "new", "Take over": "open"}}}},
       "columns": {"Ticket": "external_id"}, "set": {"subject": "{Ticket}"}}


def tell(api, events, others):
    """An import of so many events of one case, and a few of each of so many others. Its operation."""
    rows = ["Ticket;When;What"]
    for i in range(events):
        rows.append(f"BIG;{1 + i // 1440 % 28:02}/{1 + i // (1440 * 28):02}/2021 {i // 60 % 24:02}:{i % 60:02};{'Take over' if i % 2 else 'Register'}")
    for i in range(others):
        rows += [f"T{i};01/01/2022 0{hour}:00;{'Take over' if hour % 2 else 'Register'}" for hour in range(3)]
    path = "/api/import/cases?name=old.csv&map=" + urllib.parse.quote(json.dumps(MAP))
    status, _, state = api.request("POST", path, ("\n".join(rows) + "\n").encode(), {"Content-Type": "text/csv"})
    assert status in (200, 202), state
    while state["state"] in ("waiting", "running"):
        time.sleep(0.1)
        state = api.want(200, "GET", f"/api/import/cases/{state['id']}")
    assert state["state"] == "done", state
    return state["operation"]


class Saves(threading.Thread):
    """Somebody saves now and then."""

    def __init__(self, api):
        super().__init__()
        self.api, self.took, self.over = api, [], False
        self.id = api.want(201, "POST", "/api/contacts", {"name": "Meanwhile"})["id"]

    def run(self):
        while not self.over:
            began = time.monotonic()
            self.api.want(200, "PATCH", f"/api/contacts/{self.id}", {"city": f"City {len(self.took)}"})
            self.took.append(1000 * (time.monotonic() - began))
            time.sleep(0.01)

    def end(self):
        self.over = True
        self.join()
        return max(self.took)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=15000)
    parser.add_argument("--others", type=int, default=2000)
    parser.add_argument("--edits", type=int, default=2000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cronista-bench-"))
    server = Server(folder / "data").start(60)
    try:
        key = server.new_key()
        api = server.api(key, timeout=600)
        operation = tell(api, asked.events, asked.others)
        case = api.want(200, "GET", "/api/cases?filter[external_id][eq]=BIG")["items"][0]["id"]
        for i in range(asked.edits):
            api.want(200, "PATCH", f"/api/cases/{case}", {"priority": ["low", "high"][i % 2]})
        here, good, before = f"/api/operations/{operation}/undo", True, None
        for what, method in (("preview", "GET"), ("undo", "POST")):
            saves = Saves(server.api(key, timeout=600))
            saves.start()
            began = time.monotonic()
            state = api.want(200 if method == "GET" else 202, method, here, None if method == "GET" else {})
            while method == "POST" and (state := api.want(200, "GET", here))["undo"]["state"] == "running":
                time.sleep(0.05)
            took, longest = time.monotonic() - began, saves.end()
            before = state[what] if what == "preview" else before
            print(f"{what}: {asked.events + asked.others * 3} events, {asked.others + 1} records in {took:.1f} s; saves meanwhile: "
                  f"median {statistics.median(saves.took):.1f} ms, longest {longest:.0f} ms")
            good = good and took < LIMIT and longest < LONGEST
        assert state["undo"]["changed"] >= asked.others, state["undo"]
        return 0 if good else 1
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
