#!/usr/bin/env python3
"""A PostgreSQL server that crashes and comes back while two nodes save on it: refusals that say so, nothing lost, nothing twice,
and all is well by itself once it is back. Prints TAP.
"""

import itertools
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import support  # noqa: E402
from postgres import available  # noqa: E402
from support import CUT_OFF, Server, Tap  # noqa: E402

CRASHES = 3
WRITERS = 3   # per node
WITHIN = 30   # seconds in which saves must be taken again


class Node(Server):
    """Another server on the database of the first."""

    def __init__(self, data, first):
        super().__init__(data, environment=support.environment_of(first))


class Writer(threading.Thread):
    def __init__(self, number, node, key):
        super().__init__(daemon=True)
        self.number, self.api, self.go = number, node.api(key, timeout=60), True
        self.saved, self.unsure, self.refused, self.wrong = [], [], Counter(), []

    def run(self):
        for i in itertools.count():
            if not self.go:
                return
            name = f"w{self.number}-{i}"
            try:
                status, _, body = self.api.request("POST", "/api/contacts", {"name": name})
            except CUT_OFF:
                self.unsure.append(name)
                continue
            if status == 201:
                self.saved.append(name)
            elif status == 503:
                self.unsure.append(name)  # of a commit whose answer was lost nobody knows
                self.refused[status] += 1
                time.sleep(0.05)
            else:
                self.wrong.append(f"{status} {body}")
                time.sleep(0.05)


class Story:
    def __init__(self, tap, cluster):
        self.tap, self.cluster = tap, cluster
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-outage-"))
        first = Server(self.folder / "one").start()
        self.nodes = [first, Node(self.folder / "two", first.data).start()]
        self.key = first.new_key()
        self.writers = [Writer(i, node, self.key) for i, node in enumerate(self.nodes * WRITERS)]

    def all_save(self, since):
        """Seconds until each writer's save was taken again; None when one's was not."""
        begun, before = time.monotonic(), [len(w.saved) for w in self.writers]
        while time.monotonic() < begun + WITHIN:
            if all(len(w.saved) > n for w, n in zip(self.writers, before)):
                return time.monotonic() - since
            time.sleep(0.02)
        return None

    def tell(self):
        for writer in self.writers:
            writer.start()
        self.tap.case("both nodes save", None if self.all_save(time.monotonic()) else "not all writers' saves were taken")
        for i in range(CRASHES):
            time.sleep(1)
            down = time.monotonic()
            self.cluster.halt(signal.SIGQUIT)
            time.sleep(0.5)
            self.cluster.launch()
            took = self.all_save(down)
            self.tap.case(f"crash {i + 1}: saves are taken again by themselves",
                          None if took else "\n".join(node.log_tail() for node in self.nodes))
            self.tap.note(f"after {took or 0:.1f} s, of which PostgreSQL was away for at least 0.5")
        for writer in self.writers:
            writer.go = False
        for writer in self.writers:
            writer.join()
        self.compare()

    def compare(self):
        names = Counter(support.psql(self.nodes[0].data, "SELECT f_name FROM m_contacts").splitlines())
        saved = {name for w in self.writers for name in w.saved}
        unsure = {name for w in self.writers for name in w.unsure}
        self.tap.note(f"{len(saved)} saved, {len(unsure)} without an answer or refused, {len(names)} there")
        lost, twice = saved - set(names), [name for name, n in names.items() if n > 1]
        wrong = [text for w in self.writers for text in w.wrong]
        strangers = set(names) - saved - unsure
        self.tap.case("nothing answered is lost", f"lost: {sorted(lost)[:5]}" if lost else None)
        self.tap.case("nothing is there twice", f"twice: {twice[:5]}" if twice else None)
        self.tap.case("nothing is there that nobody saved", f"{sorted(strangers)[:5]}" if strangers else None)
        self.tap.case("whoever was refused was told to come again", wrong[0] if wrong else None)
        gaps = support.psql(self.nodes[0].data, "SELECT count(*) - max(position) - 1 FROM events")
        self.tap.case("positions have no gap", None if gaps == "0" else gaps)
        for node in self.nodes:
            node.stop()
        for command in (("verify",), ("rebuild", "--check")):
            code, printed = self.nodes[0].command(*command, check=False)
            self.tap.case(f"cronista {' '.join(command)}", printed if code else None)

    def end(self):
        for node in self.nodes:
            node.stop(5)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    tap = Tap()
    if not available():
        tap.skip("PostgreSQL goes away", "it is not installed")
        return tap.end()
    support.tell_on_postgres(tap, lambda cluster: Story(tap, cluster))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
