"""Several nodes on one PostgreSQL are one: what one of them was told or given, the others know."""

import http.client
import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from harness import ADMINISTRATOR, PASSWORD, TEST_LIMITS, Browser, Server, at_once
from signin_test import Clock
from support import POSTGRES, environment_of, psql
from transfer_test import multipart, table


class Wanderer(Browser):
    """Asks another node when told to."""

    def __init__(self, nodes):
        super().__init__(nodes[0].port)
        self.connections = [self.connection, *(Browser(node.port).connection for node in nodes[1:])]

    def at(self, node):
        self.connection = self.connections[node]
        return self


@unittest.skipUnless(POSTGRES, "without PostgreSQL there is one node")
class Nodes(unittest.TestCase):
    """A class of stories of two nodes."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cronista-"))
        cls.nodes = [Server(cls.folder / "0", cls.arguments).start()]
        cls.nodes.append(Server(cls.folder / "1", cls.arguments, environment_of(cls.nodes[0].data)).start())
        cls.key = cls.nodes[0].new_key()
        cls.apis = [node.api(cls.key) for node in cls.nodes]

    @classmethod
    def tearDownClass(cls):
        codes = [node.stop() for node in cls.nodes]
        logs = [node.log_tail(200) for node in cls.nodes]
        shutil.rmtree(cls.folder, ignore_errors=True)
        if any(codes):
            raise AssertionError(f"the nodes ended with {codes}\n" + "\n".join(logs))
        for log in logs:
            if "Sanitizer" in log or "runtime error:" in log:
                raise AssertionError(log)

    def sql(self, text):
        return psql(self.nodes[0].data, text)


class SecondFactors(Nodes):
    arguments = TEST_LIMITS

    def test_a_code_at_two_nodes_at_once_lets_in_once(self):
        owner = Browser(self.nodes[0].port)
        owner.get("/sign-in")
        owner.submit("/sign-in", {"email": ADMINISTRATOR, "password": PASSWORD})
        token = {"Content-Type": "application/json", "Cronista-Csrf": owner.csrf}
        clock = Clock(owner.send("POST", "/api/settings/second-factor", json.dumps({"password": PASSWORD}), token).json["secret"])
        recovery = owner.send("POST", "/api/settings/second-factor/confirm", json.dumps({"code": clock.code()}), token).json["recovery_codes"]
        for code in (clock.code(), *recovery[:3]):
            browsers = []
            for i in range(8):
                browser = Browser(self.nodes[i % 2].port)
                browser.get("/sign-in")
                browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": PASSWORD})
                browsers.append(browser)
            at_once([lambda b=b: b.submit("/sign-in/second", {"code": code}) for b in browsers])
            self.assertEqual(1, sum("cronista" in browser.cookies for browser in browsers), code)


class Attempts(Nodes):
    arguments = ("--proxy", "yes", "--attempts", "4", "--account-attempts", "6")

    def attempt(self, node, address, email="nobody@example.org", password="wrong"):
        browser = Browser(self.nodes[node].port)
        browser.get("/sign-in")
        page = browser.submit("/sign-in", {"email": email, "password": password}, follow=False,
                              headers={"X-Forwarded-For": address})
        browser.connection.close()
        return page

    def attempts(self, *arguments, times, **values):
        """Alternating between the nodes."""
        return [self.attempt(i % 2, *arguments, **values).status for i in range(times)]

    def test_an_address_has_its_attempts_once(self):
        self.assertEqual([403] * 4 + [429] * 4, self.attempts("198.51.100.1", times=8))
        page = self.attempt(1, "198.51.100.1")
        self.assertTrue(0 < int(page.headers["Retry-After"]) <= 10, page.headers["Retry-After"])
        self.assertEqual(303, self.attempt(1, "198.51.100.2", ADMINISTRATOR, PASSWORD).status)

    def test_an_account_has_its_attempts_once_from_an_address(self):
        email = "somebody@example.org"
        self.attempts("198.51.100.10", times=4, email=email)
        self.assertEqual([429, 429], self.attempts("198.51.100.10", times=2, email=email))
        # Nobody locks somebody else out.
        self.assertEqual([403] * 9, [self.attempt(i % 2, f"198.51.100.{11 + i}", email).status for i in range(9)])

    def test_a_browser_known_to_one_node_is_known_to_all(self):
        self.apis[0].want(201, "POST", "/api/users", {"name": "Known", "email": "known@example.org", "profile": "member",
                                                      "password": "another test password"})
        person, here = Wanderer(self.nodes), {"X-Forwarded-For": "198.51.100.90"}

        def sign_in(node):
            person.cookies.pop("__Host-cronista", None)
            person.at(node).get("/sign-in")
            return person.submit("/sign-in", {"email": "known@example.org", "password": "another test password"}, follow=False, headers=here).status

        self.assertEqual(303, sign_in(0))
        self.assertEqual(429, self.attempts("198.51.100.90", times=5, email="known@example.org")[-1])
        self.assertEqual(303, sign_in(1))
        person.cookies.pop("cronista-device")
        self.assertEqual(429, sign_in(1))

    def test_the_limit_ends(self):
        self.assertEqual([403] * 4 + [429], self.attempts("198.51.100.40", times=5, email="ends@example.org"))
        page = self.attempt(1, "198.51.100.40", "ends@example.org")
        self.assertEqual(429, page.status)
        time.sleep(int(page.headers["Retry-After"]))
        self.assertEqual([403, 429], self.attempts("198.51.100.40", times=2, email="ends@example.org"))

    def test_a_right_password_is_no_attempt(self):
        for i in range(10):
            self.assertEqual(303, self.attempt(i % 2, "198.51.100.50", ADMINISTRATOR, PASSWORD).status)

    def test_the_present_password_is_asked_for_so_often_by_all(self):
        self.apis[0].want(201, "POST", "/api/users", {"name": "Settles", "email": "settles@example.org",
                                                      "profile": "member", "password": "another test password"})
        browser, statuses = Wanderer(self.nodes).sign_in("settles@example.org", "another test password"), []
        for i in range(8):
            browser.at(i % 2).get("/settings")
            page = browser.submit("/settings/password", {"password": "wrong one", "new_password": "a better password"})
            statuses.append(page.status)
        self.assertEqual([422] * 6 + [429] * 2, statuses)

    def test_a_flood_is_no_flood_of_writes(self):
        self.attempts("198.51.100.60", times=6, email="flood@example.org")
        before = self.sql("SELECT xmin, full_at FROM attempts ORDER BY key")
        self.assertEqual([429] * 20, self.attempts("198.51.100.60", times=20, email="flood@example.org")[-20:])
        self.assertEqual(before, self.sql("SELECT xmin, full_at FROM attempts ORDER BY key"))

    def test_nothing_is_told_by_the_table(self):
        self.attempt(0, "198.51.100.70", "table@example.org")
        self.assertNotIn("table", self.sql("SELECT encode(key, 'escape') FROM attempts"))

    def test_without_the_table_each_node_counts_for_itself(self):
        self.sql("REVOKE INSERT ON attempts FROM cronista_application")
        try:
            statuses = self.attempts("198.51.100.80", times=10, email="alone@example.org")
        finally:
            self.sql("GRANT INSERT ON attempts TO cronista_application")
            time.sleep(5.5)  # they ask again
        self.assertEqual([403] * 8 + [429] * 2, statuses)


class Imports(Nodes):
    def upload(self, browser, name, data):
        browser.get("/contacts/import")
        kind, body = multipart(browser.page.form("/contacts/import").fields, {"file": (name, data)})
        browser.send("POST", "/contacts/import", body, {"Content-Type": kind}, follow=False)
        self.assertEqual(303, browser.page.status, browser.page.text)
        return browser.page.headers["Location"]

    def state(self, node, number, wanted=lambda state: state["state"] != "running"):
        end = time.monotonic() + 60
        state = self.apis[node].want(200, "GET", f"/api/import/contacts/{number}")
        while not wanted(state) and time.monotonic() < end:
            time.sleep(0.02)
            state = self.apis[node].want(200, "GET", f"/api/import/contacts/{number}")
        self.assertTrue(wanted(state), state)
        return state

    def begin(self, node, name, rows):
        data = table([["name", "city"]] + [[f"{name} {i}", f"City {i % 50}"] for i in range(rows)])
        return self.apis[node].want(202, "POST", f"/api/import/contacts?name={name}.csv", data, {"Content-Type": "text/csv"})["id"]

    def waiting(self):
        """Names of what waits: in the directories of the nodes, and in the database."""
        here = [{str(path.relative_to(node.data)) for path in (node.data / "imports-waiting").glob("*/*")}
                for node in self.nodes]
        return *here, set(self.sql("SELECT name FROM files WHERE name LIKE 'imports-waiting/%'").split())

    def age(self):
        """Two days pass for all that waits."""
        self.sql("UPDATE files SET put_at = put_at - 172800000000 WHERE name LIKE 'imports-waiting/%'")
        for node in self.nodes:
            for folder in (node.data / "imports-waiting").glob("*"):
                os.utime(folder, (time.time() - 172800,) * 2)

    def test_each_step_at_another_node(self):
        data = table([["Nombre", "E-mail", "Junk"], ["Step One", "one@example.org", "x"], ["Step Two", "no address", "y"]])
        a, b = 0, 1
        browser = Wanderer(self.nodes).sign_in()
        action = self.upload(browser.at(a), "steps.csv", data)
        page = browser.at(b).get(action)
        self.assertEqual(200, page.status, page.text)
        page = browser.submit(action, {"column.2": "notes"}, ("do", "again"))
        self.assertEqual("notes", dict(page.form(action).fields)["column.2"])
        page = browser.at(a).get(action)  # what was chosen at the other one
        self.assertEqual("notes", dict(page.form(action).fields)["column.2"])
        browser.submit(action, button=("do", "try"))
        self.assertRegex(browser.until_done().text, r"Would be created 1 .*Would be refused 1")
        page = browser.at(b).get(action + "/run")
        self.assertRegex(page.text, r"Would be created 1 .*Would be refused 1")
        self.assertIn("no address", browser.get(action + "/refused.csv").text)
        browser.get(action + "/run")
        browser.submit(action)
        self.assertRegex(browser.until_done().text, r"Created 1 .*Refused 1")
        here = browser.path
        self.assertRegex(here, r"^/contacts/import/\d+$")
        page = browser.at(a).get(here)
        self.assertRegex(page.text, r"Created 1 .*Refused 1")
        self.assertIn(here + "/refused.csv", page.links)
        page = browser.get(here + "/refused.csv")
        self.assertIn("no address", page.text)
        browser.get(action + "/run")  # it knows where the file went
        self.assertEqual(here, browser.path)
        found = self.apis[a].want(200, "GET", "/api/contacts?filter[name]=Step%20One")["items"]
        self.assertEqual(1, len(found))
        token = action.rsplit("/", 1)[1]
        self.assertEqual([True] * 3, [any(token in name for name in place) for place in self.waiting()])
        self.age()
        for node in a, b:  # whoever brings a file puts away what is old
            self.upload(browser.at(node), "next.csv", data)
        self.assertEqual([False] * 3, [any(token in name for name in place) for place in self.waiting()])
        self.assertEqual(404, browser.at(b).get(action).status)

    def test_somebody_elses_file_is_nobodys(self):
        browser = Wanderer(self.nodes).sign_in()
        action = self.upload(browser, "mine.csv", table([["name"], ["Mine"]]))
        self.apis[0].want(201, "POST", "/api/users", {"name": "O", "email": "other@example.org", "profile": "administrator",
                                                      "password": "another test password"})
        other = Wanderer(self.nodes).sign_in("other@example.org", "another test password")
        for node in 0, 1:
            self.assertEqual(404, other.at(node).get(action).status)

    def test_a_trial_of_the_api_is_read_anywhere(self):
        data = table([["name", "email"], ["Tried", "t@example.org"], ["Refused", "no address"]])
        report = self.apis[0].want(200, "POST", "/api/import/contacts?dry_run=1&name=t.csv", data, {"Content-Type": "text/csv"})
        for api in self.apis:
            state = api.want(200, "GET", f"/api/import/contacts/{report['upload']}")
            self.assertEqual(("done", True, 1, 1), (state["state"], state["dry_run"], state["created"], state["refused"]))
            self.assertIn("no address", api.want(200, "GET", state["refused_rows"]))

    def test_one_that_runs_elsewhere(self):
        number = self.begin(0, "Runs", 8000)
        seen = self.state(1, number, lambda state: state["rows"] > 0)
        self.assertEqual("running", seen["state"], "it ended too soon to be seen")
        self.assertFalse(seen["can_continue"])
        self.assertEqual(409, self.apis[1].request("POST", f"/api/import/contacts/{number}/continue", {})[0])
        self.apis[1].want(202, "POST", f"/api/import/contacts/{number}/stop", {})
        state = self.state(1, number)
        self.assertEqual(("stopped", True), (state["state"], state["can_continue"]))
        self.assertLess(state["rows"], 8000)
        self.apis[1].want(202, "POST", f"/api/import/contacts/{number}/continue", {})
        state = self.state(0, number)
        self.assertEqual(("done", 8000, 8000), (state["state"], state["created"], state["rows"]))
        self.names_are_once("Runs", 8000)

    def names_are_once(self, name, rows):
        found = self.sql(f"SELECT count(*), count(DISTINCT f_name) FROM m_contacts WHERE f_name LIKE '{name} %'")
        self.assertEqual(f"{rows}|{rows}", found)

    def test_another_node_goes_on_when_one_dies(self):
        number = self.begin(0, "Dies", 8000)
        self.state(0, number, lambda state: state["rows"] > 800)
        self.nodes[0].kill()
        try:
            state = self.state(1, number)
            self.assertEqual(("interrupted", True), (state["state"], state["can_continue"]))
            self.assertLess(state["rows"], 8000)
            self.apis[1].want(202, "POST", f"/api/import/contacts/{number}/continue", {})
            state = self.state(1, number)
            self.assertEqual(("done", 8000, 8000), (state["state"], state["created"], state["rows"]))
        finally:
            self.nodes[0].start()
            self.apis[0] = self.nodes[0].api(self.key)
        self.assertEqual("done", self.state(0, number)["state"])
        self.names_are_once("Dies", 8000)


class Told(Nodes):
    def test_who_is_mentioned_at_one_node_hears_of_it_at_the_other(self):
        self.apis[0].want(201, "POST", "/api/users", {"name": "Far Away", "email": "far@example.org", "profile": "member", "active": True,
                                                      "password": "another test password"})
        far = self.nodes[1].api(self.nodes[0].new_key("far@example.org"))
        contact = self.apis[0].want(201, "POST", "/api/contacts", {"name": "Between nodes"})["id"]
        connection = http.client.HTTPConnection("127.0.0.1", self.nodes[1].port, timeout=20)
        connection.request("GET", "/api/live?notifications=1", headers={"Authorization": f"Bearer {far.key}"})
        answer = connection.getresponse()

        def next_number():
            while line := answer.readline():
                if line.startswith(b"data:"):
                    return json.loads(line[5:])["unread"]
            return None

        self.assertEqual(0, next_number())
        for n in range(1, 4):
            self.apis[n % 2].want(201, "POST", f"/api/contacts/{contact}/comments", {"text": "@Far Away"})
            start = time.monotonic()
            self.assertEqual(n, next_number())
            self.assertLess(time.monotonic() - start, 3)
        answer.close()
        connection.close()
        told = far.want(200, "GET", "/api/notifications")["items"]
        self.assertEqual(3, len({item["position"] for item in told}))


if __name__ == "__main__":
    unittest.main()
