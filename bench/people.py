#!/usr/bin/env python3
"""How long it takes to hand over what a user has in charge, and to undo that; how long others wait to save meanwhile.

    bench/people.py                        embedded
    tests/postgres.py bench/people.py      on a PostgreSQL of its own

Exit code 1 when one of them takes longer than its limit.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support import Server  # noqa: E402

LIMIT = 120.0  # seconds for each, of 10,000 records


def bring(api, records):
    rows = "Name\n" + "".join(f"Company {i}\n" for i in range(records))
    status, _, state = api.request("POST", "/api/import/companies?name=companies.csv", rows.encode(), {"Content-Type": "text/csv"})
    assert status in (200, 202), state
    while state["state"] in ("waiting", "running"):
        time.sleep(0.1)
        state = api.want(200, "GET", f"/api/import/companies/{state['id']}")
    assert state["created"] == records, state


def wait(api, path, part, saves):
    """Until it is done; meanwhile somebody saves now and then."""
    while True:
        began = time.monotonic()
        api.want(201, "POST", "/api/contacts", {"name": "Meanwhile"})
        saves.append(1000 * (time.monotonic() - began))
        state = api.want(200, "GET", path)[part]
        if state["state"] != "running":
            return state
        time.sleep(0.02)


def tell(name, records, began, saves):
    took = time.monotonic() - began
    print(f"{name}: {records} records in {took:.1f} s, {records / took:.0f} a second; saves meanwhile: "
          f"median {statistics.median(saves):.1f} ms, longest {max(saves):.1f} ms")
    return took * 10000 / records < LIMIT


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--records", type=int, default=10000)
    records = parser.parse_args().records
    folder = Path(tempfile.mkdtemp(prefix="cronista-bench-"))
    server = Server(folder / "data").start(60)
    try:
        api = server.api(server.new_key(), timeout=120)
        person = {"name": "Heir", "email": "heir@example.org", "profile": "member", "active": True}
        heir = api.want(201, "POST", "/api/users", person)["id"]
        bring(api, records)
        saves, began = [], time.monotonic()
        api.want(202, "POST", "/api/users/1/hand-over", {"to": [heir], "modules": ["companies"]})
        handed = wait(api, "/api/users/1/hand-over", "hand_over", saves)
        assert handed["changed"] == records, handed
        good = tell("hand over", records, began, saves)
        operation, began = handed["operation"], time.monotonic()
        found = api.want(200, "GET", f"/api/operations/{operation}/undo")["preview"]
        print(f"preview of undoing it: {found['changed']} records in {time.monotonic() - began:.1f} s")
        saves, began = [], time.monotonic()
        api.want(202, "POST", f"/api/operations/{operation}/undo", {})
        undone = wait(api, f"/api/operations/{operation}/undo", "undo", saves)
        assert undone["changed"] == records, undone
        good = tell("undo", records, began, saves) and good
        return 0 if good else 1
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
