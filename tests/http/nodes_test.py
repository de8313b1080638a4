"""Several nodes on one PostgreSQL are one: what one of them was told or given, the others know."""

import shutil
import tempfile
import time
import unittest
from pathlib import Path

from harness import ADMINISTRATOR, PASSWORD, Browser, Server
from support import POSTGRES, environment_of, psql


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

    def test_an_account_has_its_attempts_once(self):
        email = "somebody@example.org"
        statuses = [self.attempt(i % 2, f"198.51.100.{10 + i}", email).status for i in range(9)]
        self.assertEqual([403] * 6 + [429] * 3, statuses)
        self.assertEqual(429, self.attempt(1, "198.51.100.30", email.upper()).status)
        self.assertEqual(403, self.attempt(1, "198.51.100.30", "else@example.org").status)

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


if __name__ == "__main__":
    unittest.main()
