#!/usr/bin/env python3
"""Several nodes on one PostgreSQL, many clients that write and read through all of them.

    nodes.py [--nodes N] [--clients N] [--seconds N]

Afterwards: positions have no gap and are in the order in which saves were answered; everybody read at once what was saved
by whatever node; each node's live feed was complete and in order; requests sent twice to different nodes were done once;
the log verifies and the tables are what it says. Prints TAP.
"""

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import support  # noqa: E402
from postgres import available  # noqa: E402
from support import CUT_OFF, Server, Stream, Tap  # noqa: E402


class Client(threading.Thread):
    """Saves by one node, reads by another."""

    def __init__(self, number, nodes, key, end):
        super().__init__(daemon=True)
        self.number, self.end, self.chance = number, end, random.Random(number)
        self.apis = [node.api(key, timeout=60) for node in nodes]
        self.saves, self.reads, self.twice = [], 0, 0  # (sent, answered, id, version)
        self.wrong = []

    def run(self):
        try:
            for i in itertools.count():
                if time.monotonic() > self.end:
                    return
                self.turn(i)
        except CUT_OFF as error:
            self.wrong.append(f"cut off: {error}")

    def turn(self, i):
        writer, reader = self.chance.choice(self.apis), self.chance.choice(self.apis)
        if i % 10 == 0 or not self.saves:
            request = ("POST", "/api/contacts", {"name": f"c{self.number}-{i}", "city": "Łódź"})
        else:
            request = ("PATCH", f"/api/contacts/{self.saves[-1][2]}", {"city": f"City {i}"})
        headers = {"Idempotency-Key": f"{self.number}-{i}"}
        sent = time.monotonic()
        status, _, body = writer.request(*request, headers)
        answered = time.monotonic()
        if status not in (200, 201):
            self.wrong.append(f"{request}: {status} {body}")
            return
        self.saves.append((sent, answered, body["id"], body["version"]))
        if i % 7 == 0:
            _, again, same = reader.request(*request, headers)
            self.twice += 1
            if again.get("Idempotent-Replayed") != "true" or same["id"] != body["id"]:
                self.wrong.append(f"sent twice, done twice: {same}")
        status, _, found = reader.request("GET", f"/api/contacts/{body['id']}")
        self.reads += 1
        if status != 200 or found["version"] != body["version"] or found["city"] != body["city"]:
            self.wrong.append(f"saved {body}, read {status} {found}")


class Story:
    def __init__(self, tap, options):
        self.tap, self.options = tap, options
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-nodes-"))
        self.nodes = [Server(self.folder / "0").start()]
        database = support.environment_of(self.nodes[0].data)
        self.nodes += [Server(self.folder / str(i), environment=database).start() for i in range(1, options.nodes)]
        self.key = self.nodes[0].new_key()
        self.start = self.newest()
        self.streams = [Stream(node.port, f"/api/live?after={self.start}", {"Authorization": f"Bearer {self.key}"})
                        for node in self.nodes]

    def sql(self, text):
        return support.psql(self.nodes[0].data, text)

    def newest(self):
        return int(self.sql("SELECT max(position) FROM events"))

    def tell(self):
        end = time.monotonic() + self.options.seconds
        clients = [Client(i, self.nodes, self.key, end) for i in range(self.options.clients)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        saves = sum(len(c.saves) for c in clients)
        self.tap.note(f"{len(self.nodes)} nodes, {len(clients)} clients, {self.options.seconds} s: {saves} saves, "
                      f"{sum(c.reads for c in clients)} reads, {sum(c.twice for c in clients)} sent twice")
        wrong = [text for c in clients for text in c.wrong]
        self.tap.case("every save is taken, read at once by any node, and done once", "\n".join(wrong[:5]) or None)
        self.log(clients, saves)
        self.feeds()
        self.end_nodes()
        for command in (("verify",), ("rebuild", "--check")):
            code, printed = self.nodes[0].command(*command, check=False)
            self.tap.case(f"cronista {' '.join(command)}", printed if code else None)

    def log(self, clients, saves):
        gaps = self.sql("SELECT max(position) + 1 - count(*) FROM events")
        self.tap.case("positions have no gap", None if gaps == "0" else gaps)
        rows = self.sql(f"SELECT record, position FROM log WHERE position > {self.start} AND module ="
                        " (SELECT module FROM log WHERE record > 0 ORDER BY position DESC LIMIT 1) ORDER BY position")
        positions = {}
        for line in rows.splitlines():
            record, position = map(int, line.split("|"))
            positions.setdefault(record, []).append(position)
        made = sum(map(len, positions.values()))
        self.tap.case("an event for each save", None if made == saves else f"{made} events, {saves} saves")
        # A save that was sent after another was answered has the later position.
        known = sorted((sent, answered, positions[record][version - 1])
                       for c in clients for sent, answered, record, version in c.saves)
        by_answer = sorted(known, key=lambda save: save[1])
        newest, at, wrong = -1, 0, None
        for sent, _, position in known:
            while at < len(by_answer) and by_answer[at][1] < sent:
                newest = max(newest, by_answer[at][2])
                at += 1
            if position < newest:
                wrong = f"{position} was sent after {newest} had been answered"
        self.tap.case("positions are in the order of the answers", wrong)

    def feeds(self):
        wanted = list(range(self.start + 1, self.newest() + 1))
        for i, stream in enumerate(self.streams):
            got = stream.wait_for(len(wanted), 20)
            why = None if got == wanted else f"{len(got)} of {len(wanted)} messages, in order: {got == sorted(got)}"
            self.tap.case(f"the live feed of node {i + 1} is complete and in order", why)
            stream.close()

    def end_nodes(self):
        codes = [node.stop() for node in self.nodes]
        self.tap.case("the nodes end in order", None if not any(codes) else str(codes))

    def end(self):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120)
    tap, options = Tap(), parser.parse_args()
    if not available():
        tap.skip("several nodes", "PostgreSQL is not installed")
        return tap.end()
    support.tell_on_postgres(tap, lambda _: Story(tap, options))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
