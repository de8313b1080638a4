"""Many cards held open by live streams while others write: how soon what is committed arrives, and whether all of it does."""

import json
import selectors
import socket
import threading
import time
from datetime import datetime

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Streams:
    """One open card for each record, all read by one thread."""

    def __init__(self, server, records, headers):
        self.arrived = {}  # (record, position): when, by time.time()
        self.twice = 0
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.sockets = []
        ask = "\r\n".join(["Host: 127.0.0.1", "Accept: text/event-stream", *headers])
        for record in records:
            s = socket.create_connection(("127.0.0.1", server.port), 60)
            s.sendall(f"GET /api/live?record=contacts/{record} HTTP/1.1\r\n{ask}\r\n\r\n".encode())
            answer = s.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"a stream was refused: {answer[:200]!r}")
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, [record, answer.partition(b"\r\n\r\n")[2]])
            self.sockets.append(s)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            for key, _ in self.selector.select(0.2):
                self.take(key.fileobj, key.data)

    def take(self, s, state):
        try:
            data = s.recv(65536)
        except BlockingIOError:
            return
        now = time.time()
        if not data:
            self.selector.unregister(s)
            return
        lines = (state[1] + data).split(b"\n")
        state[1] = lines.pop()
        for line in lines:
            if line.startswith(b"id: "):
                event = (state[0], int(line[4:]))
                self.twice += event in self.arrived
                self.arrived.setdefault(event, now)

    def close(self):
        self.stopping = True
        self.thread.join()
        for s in self.sockets:
            s.close()


def fill(server, record, headers, events):
    """So many changes of one record, as fast as they go."""
    writers = Writers(server, [record], headers, 1e9, events / 1e9, 64)
    writers.run()


class Writers:
    """So many changes a second of the records in turn, over some connections; `late` tells how many could not be sent in time."""

    def __init__(self, server, records, headers, rate, seconds, connections):
        self.server, self.records, self.headers = server, records, "\r\n".join(headers)
        self.rate, self.n = rate, round(rate * seconds)
        self.next, self.late, self.lock = 0, 0, threading.Lock()
        self.start = time.monotonic() + 0.1
        self.threads = [threading.Thread(target=self.write, daemon=True) for _ in range(connections)]
        self.failed = []

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise RuntimeError(self.failed[0])
        return time.monotonic() - self.start

    def number(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def write(self):
        try:
            s = socket.create_connection(("127.0.0.1", self.server.port), 60)
            while (i := self.number()) < self.n:
                wait = self.start + i / self.rate - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                elif wait < -1:
                    self.late += 1
                self.change(s, self.records[i * 7919 % len(self.records)], i)
            s.close()
        except (OSError, RuntimeError) as e:
            self.failed.append(f"{e}")

    def change(self, s, record, i):
        body = f'{{"city":"Ciudad {i}"}}'
        s.sendall(f"PATCH /api/contacts/{record} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.headers}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += s.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a change was refused: {answer[:300]!r}")
        size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(rest) < size:
            rest += s.recv(65536)


def log_since(server, position):
    """(record, position): when it was written down, by the log, in seconds; of contacts."""
    found, after = {}, position
    while True:
        d = server.api(f"/events?after={after}&limit=1000")
        for event in d["items"]:
            if event["module"] == "contacts":
                at = datetime.fromisoformat(event["at"].replace("Z", "+00:00"))
                found[event["record"], event["position"]] = (at - EPOCH).total_seconds()
        if d["next"] <= after:
            return found
        after = d["next"]


def run(server, records, headers, rate, seconds, connections, settle=3):
    """{"delays": seconds from the event's own time to its arrival, "missed", "twice", "strange", "late", "card_kib"}."""
    idle = server.memory()["anonymous"]
    streams = Streams(server, records, headers)
    time.sleep(1)
    opened = server.memory()["anonymous"]
    newest = json.loads(server.request("GET", "/api/history?limit=1", headers=dict(h.split(": ", 1) for h in headers))[2])["items"][0]["position"]
    writers = Writers(server, records, headers, rate, seconds, connections)
    took = writers.run()
    time.sleep(settle)
    written = log_since(server, newest)
    streams.close()
    delays = sorted(streams.arrived[e] - at for e, at in written.items() if e in streams.arrived)
    return {"delays": delays, "missed": sum(e not in streams.arrived for e in written), "twice": streams.twice,
            "strange": sum(e not in written for e in streams.arrived), "late": writers.late, "rate": len(written) / took,
            "written": len(written), "card_kib": (opened - idle) * 1024 / len(records)}
