#!/usr/bin/env python3
"""kill -9 under load, again and again: every answered change must be there afterwards, none may be half there.

    storm.py [--rounds N] [--clients N] [--seconds LONGEST] [--seed N] [--keep DIRECTORY]

Each round: the server runs, clients create, edit, delete, restore, assign and comment through the API, each
noting what was answered, and another process imports a file; at a random moment both are killed. The server must start
again without help, and then

    - a record whose last change was answered has exactly those values and that version;
    - a change that was cut off is wholly there or not at all, whatever number of fields or records it had;
    - of the file the first rows are there, each whole and once; going on with the import brings the rest, once;
    - comments are there once when answered, at most once when cut off;
    - `verify` holds, also against the checkpoint taken before the kill; `rebuild --check` finds no difference.

Prints TAP, one case a round. The data directory lives through all rounds.
"""

import argparse
import csv
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import ADMINISTRATOR, CUT_OFF, PROGRAM, Refused, Server, Tap  # noqa: E402

TWINS = ("city", "region")  # always changed together, to the same value
SHARED = ("address", "postcode", "country", "position", "treatment", "identity_number", "email_other", "notes")
BULK = 12                   # records of a bulk change, well below one slice of it
LISTED = 200
IMPORTED = 5000             # rows of the file
OLD = 100                   # records of earlier rounds looked at in each


class Record:
    """What must be there: the state of the last answer, and perhaps one change whose answer never came."""

    def __init__(self, external, values):
        self.external = external
        self.id = self.version = None
        self.values = values
        self.owner, self.deleted = None, False
        self.said, self.comment_cut_off = [], None
        self.cut_off = None  # None, or {"values"|"owner"|"deleted"|"created": ...}

    def settle(self, now):
        """Takes what is there as known from now on."""
        self.version, self.deleted = now["version"], bool(now["deleted_at"])
        self.values = {key: now[key] for key in self.values}
        self.owner = now["owner"] and now["owner"]["id"]
        self.cut_off = self.comment_cut_off = None


class Client(threading.Thread):
    def __init__(self, number, storm):
        super().__init__()
        self.number, self.storm = number, storm
        self.random = random.Random(f"{storm.seed}-{storm.round}-{number}")
        self.records = []
        self.answered = 0
        self.shared_answered = self.shared_cut_off = None
        self.shared_version = storm.shared_version
        self.bulks = []    # (records, user) cut off
        self.wrong = []    # what must not happen even while the server runs

    def run(self):
        try:
            self.api = self.storm.server.api(self.storm.key)
            while True:
                self.step()
                self.answered += 1
        except CUT_OFF:
            pass
        except Refused as refused:
            self.wrong.append(f"refused: {refused}")
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    def step(self):
        living = [r for r in self.records if not r.deleted]
        dice = self.random.random()
        if not living or dice < 0.30:
            self.create()
        elif dice < 0.62:
            self.edit(self.random.choice(living))
        elif dice < 0.72:
            self.edit_shared()
        elif dice < 0.82:
            self.comment(self.random.choice(living))
        elif dice < 0.88:
            self.delete_or_restore(self.random.choice(self.records))
        elif dice < 0.93 and len(living) >= BULK:
            self.assign_many(self.random.sample(living, BULK))
        else:
            self.api.want(200, "GET", f"/api/contacts?filter[name][contains]={self.number}&sort=-created_at&limit=20")

    def word(self):
        return f"{self.storm.round}-{self.number}-{self.random.randrange(1 << 40):x}"

    def create(self):
        value = self.word()
        record = Record(f"x-{value}", {"name": f"Storm {value}", "external_id": f"x-{value}", **dict.fromkeys(TWINS, value)})
        record.cut_off = {"created": True}
        self.records.append(record)
        made = self.api.want(201, "POST", "/api/contacts", record.values)
        record.id, record.version, record.cut_off = made["id"], made["version"], None
        record.owner = made["owner"] and made["owner"]["id"]

    def edit(self, record):
        change = dict.fromkeys(TWINS, self.word())
        record.cut_off = {"values": change}
        started = {"If-Match": f'"{record.version}"'} if record.version else {}
        now = self.api.want(200, "PATCH", f"/api/contacts/{record.id}", change, started)
        record.values.update(change)
        record.version, record.cut_off = now["version"], None

    def edit_shared(self):
        """Everybody's record, a field each, from an old version: merged with what the others save."""
        value = self.word()
        if SHARED[self.number] == "email_other":
            value += "@example.org"
        self.shared_cut_off = value
        now = self.api.want(200, "PATCH", f"/api/contacts/{self.storm.shared}", {SHARED[self.number]: value},
                            {"If-Match": f'"{self.shared_version}"'})
        self.shared_version = now["version"]
        self.shared_answered, self.shared_cut_off = value, None

    def comment(self, record):
        text = f"said {self.word()}"
        record.comment_cut_off = text
        self.api.want(201, "POST", f"/api/contacts/{record.id}/comments", {"text": text})
        record.said.append(text)
        record.comment_cut_off = None

    def delete_or_restore(self, record):
        record.cut_off = {"deleted": not record.deleted}
        if record.deleted:
            self.api.want(200, "POST", f"/api/contacts/{record.id}/restore", {})
        else:
            self.api.want(204, "DELETE", f"/api/contacts/{record.id}")
        record.deleted, record.cut_off = not record.deleted, None
        record.version = None  # not part of the answer

    def assign_many(self, records):
        user = self.random.choice(self.storm.users)
        for record in records:
            record.cut_off = {"owner": user}
        self.bulks.append((records, user))
        self.api.want(200, "POST", "/api/contacts/bulk", {"do": "assign", "id": [r.id for r in records], "user": user})
        self.bulks.pop()
        for record in records:
            record.owner, record.version, record.cut_off = user, None, None


class Import:
    """A file of contacts on its way in by `cronista import`, cut off at any row."""

    def __init__(self, storm, folder):
        self.storm, self.file = storm, folder / "people.csv"
        with open(self.file, "w", encoding="utf-8", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(("Full name", "External number", "City", "Region"))
            for row in range(IMPORTED):
                value = f"{storm.round}-{row}"
                rows.writerow((f"Import {value}", f"i-{value}", value, value))
        self.process = None

    def command(self, *more):
        return [PROGRAM, "import", "contacts", self.file, "--data", self.storm.server.data, *more]

    def start(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.finished = self.process.wait() == 0

    def rows(self, api):
        """Numbers of the rows that are there, as often as they are; wrong for one that is not whole."""
        after, numbers = "", []
        while after is not None:
            page = api.want(200, "GET", "/api/contacts?columns=name,external_id,city,region&sort=external_id&limit=200"
                            f"&filter[external_id][starts]=i-{self.storm.round}-&after={quote(after)}")
            for item in page["items"]:
                value = item["external_id"].removeprefix("i-")
                if (item["name"], item["city"], item["region"]) != (f"Import {value}", value, value):
                    self.wrong.append(f"imported row {value} is half there: {item}")
                numbers.append(int(value.split("-")[1]))
            after = page["next"]
        return sorted(numbers)

    def look(self, api):
        self.wrong = []
        there = self.rows(api)
        if there != list(range(len(there))):
            self.wrong.append(f"imported rows are no beginning of the file: {len(there)} from {there[:3]} to {there[-3:]}")
        if self.finished and len(there) != IMPORTED:
            self.wrong.append(f"the import had ended well, and {len(there)} rows of {IMPORTED} are there")
        if not self.finished:
            self.storm.counts["imports cut off"] += 1
            done = subprocess.run(self.command(*(["--continue"] if there else [])), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0 and len(there) < IMPORTED:
                self.wrong.append(f"the import can't go on: {done.stdout}{done.stderr}")
        there = self.rows(api)
        if there != list(range(IMPORTED)):
            self.wrong.append(f"after going on, {len(there)} rows of {IMPORTED} are there")
        return self.wrong


class Storm:
    def __init__(self, arguments, folder):
        self.clients_wanted, self.longest = arguments.clients, arguments.seconds
        self.seed = arguments.seed
        self.random = random.Random(self.seed)
        self.server = Server(folder / "data")
        self.checkpoint = folder / "checkpoint"
        self.round = 0
        self.old = []  # records of earlier rounds, which must stay as they are
        self.folder = folder
        self.counts = {"answered": 0, "imports cut off": 0, "cut off and there": 0, "cut off and not there": 0}

    def prepare(self):
        self.server.start()
        self.key = self.server.new_key()
        api = self.server.api(self.key)
        shared = api.want(201, "POST", "/api/contacts", {"name": "Shared"})
        self.shared, self.shared_version = shared["id"], shared["version"]
        self.shared_values = dict.fromkeys(SHARED)
        for number in range(2):
            self.server.command("user", "add", f"user{number}@example.org", "--name", f"User {number}", "--profile", "member",
                                "--level", "1", "--password-stdin", text="a test's own password\n")
        self.users = [u["id"] for u in api.want(200, "GET", "/api/users?limit=50")["items"]]
        self.server.stop()

    def rage(self):
        """Load until the kill; the clients with what they know."""
        self.server.start()
        checkpoint = self.server.api(self.key).want(200, "GET", "/api/log/checkpoint")
        self.checkpoint.write_text(checkpoint)
        clients = [Client(n, self) for n in range(self.clients_wanted)]
        self.importing = Import(self, self.folder)
        for one in [self.importing, *clients]:
            one.start()
        time.sleep(self.random.uniform(0.05, self.longest))
        for one in self.random.sample([self.importing, self.server], 2):
            one.kill()
        for client in clients:
            client.join()
        # Now and then it dies while it recovers.
        for _ in range(self.random.choice((0, 0, 0, 1, 3))):
            self.server.start(wait=0)
            time.sleep(self.random.uniform(0, 0.15))
            self.server.kill()
        return clients

    def look(self, clients):
        """What is wrong after the restart, as texts."""
        self.server.start()
        api = self.server.api(self.key)
        for record in self.random.sample(self.old, min(OLD, len(self.old))):
            found = self.find(api, record)
            yield from self.compare(record, found) if found else [f"contacts/{record.id} of an earlier round is lost"]
        for client in clients:
            yield from client.wrong
            now = {}
            for record in client.records:
                found = self.find(api, record)
                if found is None:
                    if not (record.cut_off and "created" in record.cut_off):
                        yield f"{record.external}: answered, and lost"
                    self.counts["cut off and not there"] += 1
                    continue
                now[record] = found
            for records, user in client.bulks:
                present = [r for r in records if r in now]
                others = [r.owner != user for r in present]
                moved = [other and bool(now[r]["owner"]) and now[r]["owner"]["id"] == user
                         for r, other in zip(present, others)]
                if any(moved) and moved != others:
                    yield f"bulk change half there: {sum(moved)} of {sum(others)}"
            for record, found in now.items():
                yield from self.compare(record, found)
                yield from self.compare_story(api, record)
                record.settle(found)
            self.old += self.random.sample(list(now), min(5, len(now)))
        yield from self.look_at_shared(api, clients)
        yield from self.importing.look(api)
        self.server.stop()

    def find(self, api, record):
        if record.id is not None:
            status, _, body = api.request("GET", f"/api/contacts/{record.id}")
            return body if status == 200 else None
        found = []
        for deleted in ("", "&deleted=1"):
            found += api.want(200, "GET", f"/api/contacts?filter[external_id][eq]={quote(record.external)}{deleted}")["items"]
        if len(found) > 1:
            raise AssertionError(f"{record.external} is there {len(found)} times")
        if not found:
            return None
        record.id = found[0]["id"]
        return api.want(200, "GET", f"/api/contacts/{record.id}")

    def compare(self, record, found):
        maybe = record.cut_off or {}
        values = {key: found.get(key) for key in record.values}
        allowed = [record.values]
        if "values" in maybe:
            allowed.append({**record.values, **maybe["values"]})
        if values not in allowed:
            yield f"contacts/{record.id}: has {values}, must be one of {allowed}"
        if maybe:
            owner = found["owner"] and found["owner"]["id"]
            happened = ("created" in maybe or values != record.values or owner != record.owner
                        or bool(found["deleted_at"]) != record.deleted)
            self.counts["cut off and there" if happened else "cut off and not there"] += 1
        if record.version is not None and record.version != found["version"] and not maybe:
            yield f"contacts/{record.id}: version {found['version']}, answered was {record.version}"
        if record.version is not None and found["version"] not in (record.version, record.version + 1):
            yield f"contacts/{record.id}: version {found['version']} after {record.version}"
        if bool(found["deleted_at"]) != record.deleted and "deleted" not in maybe:
            yield f"contacts/{record.id}: deleted is {found['deleted_at']}, answered was {record.deleted}"
        owner = found["owner"] and found["owner"]["id"]
        if owner != record.owner and "created" not in maybe and maybe.get("owner", record.owner) != owner:
            yield f"contacts/{record.id}: owner {owner}, answered was {record.owner}"

    def compare_story(self, api, record):
        if not record.said and not record.comment_cut_off:
            return
        story = api.want(200, "GET", f"/api/contacts/{record.id}/history?kind=commented&limit={LISTED}")
        said = [event.get("text") for event in story["items"]]
        for text in record.said:
            if said.count(text) != 1:
                yield f"contacts/{record.id}: comment {text!r} is there {said.count(text)} times"
        if record.comment_cut_off and said.count(record.comment_cut_off) > 1:
            yield f"contacts/{record.id}: comment {record.comment_cut_off!r} is there twice"

    def look_at_shared(self, api, clients):
        found = api.want(200, "GET", f"/api/contacts/{self.shared}")
        for client in clients:
            field = SHARED[client.number]
            wanted = client.shared_answered or self.shared_values[field]
            if found.get(field) not in (wanted, client.shared_cut_off or wanted):
                yield f"shared record: {field} is {found.get(field)}, answered was {wanted}"
            self.shared_values[field] = found.get(field)
        self.shared_version = found["version"]

    def prove(self, rebuild):
        for arguments in (["verify"], ["verify", "--against", str(self.checkpoint)],
                          *([["rebuild", "--check"]] if rebuild else [])):
            code, printed = self.server.command(*arguments, check=False, timeout=900)
            if code != 0:
                yield f"cronista {' '.join(arguments)}: exit code {code}\n{printed}"

    def one_round(self, last):
        self.round += 1
        clients = self.rage()
        wrong = list(self.look(clients))
        wrong += self.prove(last or self.round <= 5 or self.round % 20 == 0)
        answered = sum(c.answered for c in clients)
        self.counts["answered"] += answered
        if not answered:
            wrong.append("nothing was answered before the kill")
        return answered, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="longest time before the kill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", type=Path, help="use this (new) directory and leave it")
    arguments = parser.parse_args()
    if not 1 <= arguments.clients <= len(SHARED):
        parser.error(f"--clients: 1 to {len(SHARED)}")

    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="cronista-storm-"))
    folder.mkdir(parents=True, exist_ok=True)
    tap, storm = Tap(), Storm(arguments, folder)
    tap.note(f"seed {arguments.seed}, signed in as {ADMINISTRATOR}")
    try:
        storm.prepare()
        for number in range(1, arguments.rounds + 1):
            answered, wrong = storm.one_round(number == arguments.rounds)
            tap.case(f"round {number}, {answered} answers", "\n".join(wrong[:40]) or None)
        tap.note(", ".join(f"{count} {what}" for what, count in storm.counts.items()))
    except Exception as error:
        tap.case(f"round {storm.round}", f"{type(error).__name__}: {error}\n{storm.server.log_tail()}")
    finally:
        storm.server.stop(1)
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
