#!/usr/bin/env python3
"""A node that reads lists and exports from a PostgreSQL server that follows the database's own, which is made to stay behind,
to go away and to come back.

Whoever wrote always finds it; others see what the replica has; nobody ever sees an error for it. Prints TAP.
"""

import re
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "http")]
import support  # noqa: E402
from harness import TEST_LIMITS, Browser  # noqa: E402
from postgres import APPLICATION, Standby, as_role, available  # noqa: E402
from support import Server, Tap  # noqa: E402

PASSWORD = "another test password"
LISTS = ("/contacts", "/", "/search?q=early", "/history")
EXPORTS = ("/contacts/export.csv", "/history/export.csv")
PATIENCE = 20  # seconds until a replica that came back is used again


class Wrong(AssertionError):
    pass


def want(condition, why):
    if not condition:
        raise Wrong(str(why))


class Story:
    def __init__(self, tap, cluster):
        self.tap, self.cluster = tap, cluster
        self.standby = Standby(cluster)
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-replicas-"))
        self.nodes = []

    def node(self, name, replica, data=None):
        environment = {"CRONISTA_REPLICA": replica} if replica else {}
        if data:
            environment.update(support.environment_of(data))
        node = Server(self.folder / name, TEST_LIMITS, environment)
        self.nodes.append(node)
        return node

    def person(self, email, profile="administrator"):
        """Signed in by a browser, and with all that they have written at the replica."""
        if not self.api.want(200, "GET", f"/api/users?filter[email]={email}")["items"]:
            self.api.want(201, "POST", "/api/users", {"name": email.split("@")[0].title(), "email": email, "profile": profile,
                                                       "active": True, "password": PASSWORD})
        return Browser(self.first.port).sign_in(email, PASSWORD)

    def counts(self, node=None):
        text = (node or self.first).api().want(200, "GET", "/metrics")
        return [int(re.search(rf"^cronista_replica_{name}_total (\d+)$", text, re.M).group(1)) for name in ("reads", "fallbacks")]

    def asks(self, where, fn, *arguments, node=None, **options):
        """What fn answers, which must have come from there: from the replica, or from the database instead, or from it anyway."""
        before = self.counts(node)
        answer = fn(*arguments, **options)
        reads, fallbacks = (b - a for a, b in zip(before, self.counts(node)))
        found = {(1, 0): "replica", (0, 1): "instead", (0, 0): "database"}.get((reads, fallbacks), (reads, fallbacks))
        want(found == where, f"{arguments}: from {found}, not {where}")
        return answer

    def sees(self, where, browser, path, *names, lacks=()):
        page = self.asks(where, browser.get, path)
        want(page.status == 200, f"{path}: {page.status} {page.text[:300]}")
        for name in names:
            want(name in page.text, f"{path} lacks {name}")
        for name in lacks:
            want(name not in page.text, f"{path} has {name}")
        return page

    @contextmanager
    def case(self, name):
        try:
            yield
            self.tap.case(name)
        except (AssertionError, support.Refused) as error:
            self.tap.case(name, f"{error}\n{self.first.log_tail(10)}")

    def tell(self):
        self.standby.start()
        data = self.folder / "one"
        url = as_role(self.standby.url, APPLICATION, support.schema_of(data))
        support.environment_of(data)
        self.standby.catch_up()
        self.first = self.node("one", url).start()
        self.key = self.first.new_key()
        self.api = self.first.api(self.key)
        self.card = self.api.want(201, "POST", "/api/contacts", {"name": "Early Bird"})["id"]
        self.ann, self.bob, self.cyn = (self.person(f"{name}@example.org") for name in ("ann", "bob", "cyn"))
        self.ivo, self.eva = self.person("ivo@example.org"), self.person("eva@example.org")
        self.standby.catch_up()
        self.settle(self.bob)
        for step in (self.up_to_date, self.behind, self.not_welcome, self.new_field, self.caught_up, self.failing,
                     self.away, self.hanging,
                     self.another_account):
            step()

    def settle(self, browser, seconds=PATIENCE):
        """Until each event loop reads from the replica; how long that took."""
        begun, good = time.monotonic(), 0
        while good < 20:
            before = self.counts()[0]
            page = Browser(self.first.port)
            page.cookies = browser.cookies
            want(page.get("/contacts").status == 200, page.page.text[:300])
            page.connection.close()
            good = good + 1 if self.counts()[0] > before else 0
            want(time.monotonic() < begun + seconds, "the replica is not used")
        return time.monotonic() - begun

    def up_to_date(self):
        with self.case("lists and exports come from the replica"):
            for path in LISTS:
                self.sees("replica", self.bob, path, "Early Bird")
            self.sees("replica", self.cyn, "/contacts?count=1&sort=name", "Early Bird")
            for path in EXPORTS:
                self.sees("replica", self.bob, path, "Early Bird")
                self.standby.catch_up()
        with self.case("cards, forms and settings do not"):
            for path in (f"/contacts/{self.card}", f"/contacts/{self.card}/edit", f"/contacts/{self.card}/history", "/settings"):
                self.sees("database", self.bob, path)
        with self.case("a program that says nothing of positions is answered by the database"):
            self.asks("database", self.api.want, 200, "GET", "/api/contacts")
            self.asks("replica", self.api.want, 200, "GET", "/api/contacts", headers={"Cronista-Position": "0"})

    def behind(self):
        self.standby.pause()
        with self.case("behind: who wrote finds it in every list"):
            self.ann.get("/contacts/new")
            page = self.asks("database", self.ann.submit, "/contacts", {"name": "Just Written, early"})
            want("Just Written" in page.source, page.text[:300])
            for path in LISTS:
                self.sees("instead", self.ann, path, "Just Written")
        with self.case("behind: others see what the replica has"):
            for path in LISTS:
                self.sees("replica", self.bob, path, "Early Bird", lacks=["Just Written"])
            self.sees("replica", self.bob, "/contacts?count=1&sort=name", "Early Bird", lacks=["Just Written"])
        with self.case("behind: an export has what its reader wrote, and of others what the replica has"):
            self.sees("instead", self.ann, "/contacts/export.csv", "Just Written")
            self.sees("replica", self.bob, "/contacts/export.csv", "Early Bird", lacks=["Just Written"])
        with self.case("behind: an export is something that was written, too"):
            self.sees("instead", self.bob, "/history", "Just Written")
        with self.case("behind: whoever signs in again has what they wrote before"):
            self.sees("instead", self.person("ann@example.org"), "/contacts", "Just Written")
        with self.case("behind: a program finds what it wrote, if it passes the position on"):
            status, headers, _ = self.api.request("POST", "/api/contacts", {"name": "By a program"})
            position = headers["Cronista-Position"]
            want(status == 201 and position.isdigit(), (status, position))
            for where, sent, there in (("instead", position, True), ("database", None, True), ("replica", "0", False),
                                       ("instead", str(2 ** 63 - 1), True), ("database", "9" * 30, True), ("database", "-1", True),
                                       ("database", "x", True)):
                send = {"Cronista-Position": sent} if sent else {}
                found = self.asks(where, self.api.want, 200, "GET", "/api/contacts", headers=send)
                want(there == ("By a program" in str(found)), f"position {sent}")
        with self.case("behind: what an import has taken in is found by who waited for it"):
            status, headers, _ = self.api.request("POST", "/api/import/contacts?name=few.csv", "name\nFrom a file\n", {"Content-Type": "text/csv"})
            want(status == 202, status)
            state, end = {"state": "running"}, time.monotonic() + PATIENCE
            while state["state"] == "running" and time.monotonic() < end:
                time.sleep(0.05)
                _, seen, state = self.api.request("GET", headers["Location"])
            want(state["state"] == "done" and seen["Cronista-Position"], (headers["Location"], state, seen.items()))
            found = self.asks("instead", self.api.want, 200, "GET", "/api/contacts", headers={"Cronista-Position": seen["Cronista-Position"]})
            want("From a file" in str(found), state)
        with self.case("behind: a position that is none does no harm"):
            for where, cookie in (("database", "x"), ("database", "9" * 30), ("database", "-5"), ("instead", str(2 ** 63 - 1)),
                                  ("replica", "0")):
                strange = Browser(self.first.port)
                strange.cookies = {**self.cyn.cookies, "cronista-position": cookie}
                self.sees(where, strange, "/contacts", "Early Bird")
        with self.case("behind: many records changed at once are seen by who changed them"):
            changed = Browser(self.first.port)
            changed.cookies = dict(self.eva.cookies)
            csrf = changed.get("/contacts") and changed.csrf
            body = f"csrf={csrf}&do=delete&id={self.card}&confirmed=1"
            changed.send("POST", "/contacts/bulk", body, {"Content-Type": "application/x-www-form-urlencoded"}, follow=False)
            self.sees("instead", changed, "/contacts", lacks=["Early Bird"])
            self.api.want(200, "POST", f"/api/contacts/{self.card}/restore")

    def not_welcome(self):
        with self.case("behind: a session that has ended is refused, though the replica still has it"):
            kept = Browser(self.first.port)
            kept.cookies = dict(self.ivo.cookies)
            self.sees("replica", kept, "/contacts", "Early Bird")
            self.ivo.get("/")
            self.ivo.submit("/sign-out")
            page = self.asks("database", kept.get, "/contacts")
            want("/sign-in" in kept.path and "Early Bird" not in page.source, kept.path)
        with self.case("behind: so is that of a user who was deactivated"):
            user = self.api.want(200, "GET", "/api/users?filter[email]=eva@example.org")["items"][0]["id"]
            self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
            page = self.asks("database", self.eva.get, "/contacts")
            want("/sign-in" in self.eva.path and "Early Bird" not in page.source, self.eva.path)

    def new_field(self):
        with self.case("behind: a field that the replica lacks is in the lists"):
            self.api.want(201, "POST", "/api/settings/modules/contacts/fields", {"key": "x_shoe", "label": "Shoe size", "type": "integer"})
            self.api.want(200, "PATCH", f"/api/contacts/{self.card}", {"x_shoe": 47})
            self.sees("instead", self.cyn, "/contacts?columns=name,x_shoe&sort=x_shoe&filter[x_shoe][gt]=40", "Early Bird", "Shoe size", "47")
            self.sees("instead", self.cyn, "/contacts/export.csv", "x_shoe", "47")

    def caught_up(self):
        self.standby.resume()
        with self.case("it has caught up: everything comes from it again"):
            self.settle(self.ann)
            for browser in (self.ann, self.bob, self.cyn):
                self.sees("replica", browser, "/contacts", "Early Bird", "Just Written", "By a program")
            self.sees("replica", self.cyn, "/contacts?columns=name,x_shoe", "47")

    def failing(self):
        table = f"{support.schema_of(self.first.data)}.m_contacts"
        self.cluster.sql(f"REVOKE SELECT ON {table} FROM {APPLICATION}")
        self.standby.catch_up()
        self.standby.pause()
        self.cluster.sql(f"GRANT SELECT ON {table} TO {APPLICATION}")
        with self.case("a statement that fails there is asked of the database instead"):
            for path in ("/contacts", "/", "/search?q=early", "/contacts/export.csv"):
                self.sees("instead", self.cyn, path, "Early Bird")
        self.standby.resume()

    def away(self):
        self.standby.halt()
        with self.case("it has gone away: everything goes on, and nobody waits"):
            begun = time.monotonic()
            for path in (*LISTS, *EXPORTS):
                self.sees("instead", self.bob, path, "Early Bird")
            self.ann.get("/contacts/new")
            self.ann.submit("/contacts", {"name": "While it was away"})
            self.sees("instead", self.cyn, "/contacts", "While it was away")
            want(time.monotonic() - begun < 10, f"{time.monotonic() - begun:.1f} s")
        self.standby.launch()
        self.standby.catch_up()
        with self.case("it is back: it is used again by itself"):
            took = self.settle(self.bob)
            self.tap.note(f"after {took:.1f} s")
            self.sees("replica", self.bob, "/contacts", "While it was away")

    def hanging(self):
        """A server whose machine stands still: it takes connections, and says nothing."""
        self.standby.process.send_signal(signal.SIGSTOP)
        try:
            with self.case("it hangs: a node that must reach it first waits for seconds at most, and then not again"):
                node = self.node("two", self.nodes[0].environment["CRONISTA_REPLICA"], self.first.data).start()
                browser, begun = Browser(node.port).sign_in("bob@example.org", PASSWORD), time.monotonic()
                for _ in range(5):
                    page = self.asks("instead", browser.get, "/contacts", node=node)
                    want("Early Bird" in page.source, page.text[:300])
                want(time.monotonic() - begun < 5, f"{time.monotonic() - begun:.1f} s")
        finally:
            self.standby.process.send_signal(signal.SIGCONT)

    def another_account(self):
        with self.case("another account's database is never taken for a replica"):
            other = self.node("other", None).start()
            other.api(other.new_key()).want(201, "POST", "/api/contacts", {"name": "Of somebody else"})
            other.stop()
            self.standby.catch_up()
            node = self.node("three", as_role(self.standby.url, APPLICATION, support.schema_of(other.data)), self.first.data).start()
            browser = Browser(node.port).sign_in("bob@example.org", PASSWORD)
            page = self.asks("instead", browser.get, "/contacts", node=node)
            want("Early Bird" in page.source and "somebody else" not in page.source, page.text[:300])
            want("The replica is not one of this database" in node.log_tail(), node.log_tail())

    def end(self):
        codes = [node.stop() for node in self.nodes]
        self.tap.case("the nodes end in order", None if not any(codes) else str(codes))
        self.standby.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    tap = Tap()
    if not available():
        tap.skip("replicas", "PostgreSQL is not installed")
        return tap.end()
    support.tell_on_postgres(tap, lambda cluster: Story(tap, cluster))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
