"""API keys that are for less than all: by what they may do, in which modules, and until when."""

import json
import re
import sqlite3
import time
import unittest
from datetime import datetime, timedelta, timezone

from harness import Story, command
from support import POSTGRES, Stream, psql

OWN = "another test password"
WORD = "Quetzalcoatlus"
VALUES = {"{position}": "0", "{key}": "0000000000000000", "{rest}": "0/000.p/1", "{name}": "x", "{version}": "x", "{upload}": "0" * 32, "{field}": "photo",
          "{digest}": "0" * 64, "{token}": "x" * 43}


# How one signs in is changed in a session.
SESSION_ONLY = {("/settings/provider", "DELETE"), ("/settings/password", "POST"), ("/settings/keys", "POST"), ("/settings/keys/{key}", "DELETE"), ("/settings/sessions", "DELETE"),
                ("/settings/sessions/{key}", "DELETE"), ("/settings/second-factor", "POST"), ("/settings/second-factor/confirm", "POST"),
                ("/settings/second-factor/codes", "POST"), ("/settings/second-factor", "DELETE")}


def rows():
    """(method, path, least scope) of all that is asked for by a key."""
    for line in command("routes")[1].splitlines():
        found = re.match(r"(\S+)\s+(/api\S*)\s.*\(key: (\w+)\)$", line)
        if found:
            yield found.groups()


class Keys(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = cls.api
        cls.company = api.want(201, "POST", "/api/companies", {"name": WORD, "city": "Lima"})["id"]
        cls.contact = api.want(201, "POST", "/api/contacts", {"name": "Ana Seen", "company": cls.company})["id"]
        cls.deal = api.want(201, "POST", "/api/opportunities", {"name": f"{WORD} deal", "contact": cls.contact, "company": cls.company})["id"]
        cls.task = api.want(201, "POST", "/api/tasks", {"kind": "task", "subject": f"{WORD} call", "contact": cls.contact,
                                                      "due": "2030-01-01T10:00:00Z", "reminder": "2020-01-01T10:00:00Z"})["id"]
        api.want(201, "POST", f"/api/companies/{cls.company}/comments", {"text": f"{WORD} too"})

    def limited(self, *arguments):
        return self.server.api(self.server.command("token", "add", "admin@example.org", *arguments)[1].strip().splitlines()[-1])

    def made(self, body):
        """A key is made by somebody who signed in."""
        browser = self.browser()
        browser.get("/settings")
        page = browser.send("POST", "/api/settings/keys", json.dumps(body), {"Content-Type": "application/json", "Cronista-Csrf": browser.csrf})
        return page.status, page.json

    def sql(self, text):
        if POSTGRES:
            psql(self.server.data, text)
            return
        database = sqlite3.connect(self.server.data / "cronista.db", timeout=20)
        with database:
            database.execute(text)
        database.close()

    def filled(self, path, module="contacts"):
        for name, value in VALUES.items():
            path = path.replace(name, value)
        number = {"contacts": self.contact, "companies": self.company, "opportunities": self.deal, "tasks": self.task}.get(module, 1)
        return path.replace("{module}", module).replace("{id}", str(number))

    def refused(self, api, method, path):
        status, _, body = api.request(method, path, {} if method != "GET" else None)
        return status == 403 and "This API key is not for that" in str(body) or status == 403

    def test_a_key_that_reads_changes_nothing(self):
        api = self.limited("--scope", "read")
        newest = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        found = list(rows())
        self.assertGreater(len(found), 90)
        for method, path, scope in found:
            if method == "GET" and scope == "read":
                continue
            if "{module}/{id}/lines" in path or path.startswith("/api/{module}/import") or "/live" in path:
                continue
            with self.subTest(f"{method} {path}"):
                status = api.request(method, self.filled(path), {} if method != "GET" else None)[0]
                self.assertEqual(403, status)
        self.assertEqual(newest, self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"])
        for path in ("/api/contacts", f"/api/contacts/{self.contact}", f"/api/contacts/{self.contact}/history", "/api/search?q=ana", "/api",
                     "/api/contacts/export.csv", f"/api/contacts/{self.contact}/ribbon"):
            self.assertEqual(200, api.request("GET", path)[0], path)

    def test_a_key_that_writes_does_not_administer(self):
        api = self.limited("--scope", "write")
        for method, path, scope in rows():
            if scope != "administer":
                continue
            with self.subTest(f"{method} {path}"):
                self.assertEqual(403, api.request(method, self.filled(path), {} if method != "GET" else None)[0])
        made = api.want(201, "POST", "/api/contacts", {"name": "By a key"})["id"]
        api.want(200, "PATCH", f"/api/contacts/{made}", {"city": "Cali"})
        api.want(201, "POST", f"/api/contacts/{made}/comments", {"text": "Here"})
        api.want(204, "DELETE", f"/api/contacts/{made}")
        for module in ("users", "profiles", "sign_in_rules", "fields", "roles"):
            self.assertNotEqual(201, api.request("POST", f"/api/{module}", {"name": "x", "email": "x@example.org"})[0], module)

    def test_every_route_of_a_module_is_closed_outside_of_the_keys_modules(self):
        api = self.limited("--modules", "contacts")
        for method, path, _ in rows():
            if "{module}" not in path or path.startswith("/api/import/"):
                continue
            for module in ("companies", "opportunities", "tasks", "users", "views"):
                status = api.request(method, self.filled(path, module), {} if method != "GET" else None)[0]
                with self.subTest(f"{method} {path} {module}"):
                    self.assertIn(status, (403, 404, 422) if module == "users" else (403, 404))

    def test_nothing_of_other_modules_is_found_anywhere(self):
        api = self.limited("--modules", "contacts")
        for method, path, _ in rows():
            if method != "GET" or "/live" in path or "/export" in path:
                continue
            with self.subTest(path):
                status, _, body = api.request("GET", self.filled(path))
                self.assertNotIn(WORD, str(body))
        for path in (f"/api/search?q={WORD}", f"/api/contacts/{self.contact}?related=1&history=50", f"/api/contacts/{self.contact}/history?limit=200",
                     f"/api/contacts/{self.contact}/history/export.csv", "/api/contacts/export.csv", "/api/contacts?columns=name,company",
                     f"/api/contacts/{self.contact}/difference?from=2020-01-01", "/api/reminders", "/api/activities", "/api/notifications", "/api",
                     f"/api/contacts?filter[company][eq]={self.company}", f"/api/contacts/{self.contact}?as_of=2099-01-01"):
            with self.subTest(path):
                status, _, body = api.request("GET", path)
                self.assertIn(status, (200, 403, 404, 422), path)
                self.assertNotIn(WORD, str(body))
        self.assertEqual([], api.want(200, "GET", f"/api/contacts?filter[company][eq]={self.company}")["items"])
        for path in ("/api/history", "/api/users", "/api/settings", "/api/settings/sign-in", f"/api/companies/{self.company}", "/api/history/export.csv",
                     "/api/events", "/api/profiles/member/reach"):
            self.assertIn(api.request("GET", path)[0], (403, 404), path)
        self.assertEqual(200, api.request("GET", f"/api/contacts/{self.contact}")[0])

    def test_live_streams_are_narrowed_too(self):
        api = self.limited("--modules", "contacts")
        headers = {"Authorization": f"Bearer {api.key}"}
        self.assertEqual(403, Stream(self.server.port, "/api/live", headers).status)
        self.assertEqual(404, Stream(self.server.port, f"/api/live?record=companies/{self.company}", headers).status)
        stream = Stream(self.server.port, f"/api/live?record=contacts/{self.contact}", headers)
        self.assertEqual(200, stream.status)
        self.api.want(200, "PATCH", f"/api/tasks/{self.task}", {"subject": f"{WORD} called"})  # on the contact's story, and not for this key
        self.api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"city": f"City {time.time()}"})
        position = self.api.want(200, "GET", f"/api/contacts/{self.contact}/history?own=1&limit=1")["items"][0]["position"]
        stream.wait_for(1)
        time.sleep(0.5)
        self.assertEqual([position], stream.positions)
        stream.close()

    def test_parts_are_in_with_what_they_belong_to(self):
        api = self.limited("--modules", "opportunities", "--scope", "write")
        api.want(200, "GET", f"/api/opportunities/{self.deal}/lines")
        api.want(201, "POST", "/api/lines", {"opportunity": self.deal, "name": "Hours", "quantity": "2", "price": "10"})
        other = self.limited("--modules", "contacts", "--scope", "write")
        self.assertIn(other.request("POST", "/api/lines", {"opportunity": self.deal, "name": "Hours"})[0], (403, 404))

    def test_parts_of_other_records_are_out(self):
        user, _ = self.user("parts-of-others@example.org")
        kind = self.api.want(201, "POST", "/api/consent_kinds", {"name": f"Kind {time.time()}", "text": "t"})["id"]
        self.api.want(201, "POST", f"/api/companies/{self.company}/shares", {"user": user})
        lead = self.api.want(201, "POST", "/api/leads", {"name": "Of nobody"})["id"]
        for of, record in (("leads", lead), ("contacts", self.contact)):
            self.api.want(200, "POST", f"/api/{of}/{record}/consents", {"kind": kind, "state": "given"})
        key = self.limited("--modules", "contacts", "--scope", "write")
        share = self.api.want(200, "GET", f"/api/shares?filter[company][eq]={self.company}")["items"][0]["id"]
        theirs = {item["contact"]["id"] for item in key.want(200, "GET", "/api/consents?limit=200&columns=contact,lead")["items"]}
        self.assertEqual({self.contact}, theirs)  # of leads there are none, which would have no contact
        of_lead = self.api.want(200, "GET", f"/api/consents?filter[lead][eq]={lead}")["items"][0]["id"]
        newest = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        for module, record in (("shares", share), ("consents", of_lead)):
            self.assertNotIn(record, [item["id"] for item in key.want(200, "GET", f"/api/{module}?limit=200")["items"]])
            for path in ("", "/history", "/history/export.csv"):
                self.assertEqual(404, key.request("GET", f"/api/{module}/{record}{path}")[0], path)
            for path, body in (("comments", {"text": "Here"}), ("notes", {"way": "call", "text": "Called"}), ("restore", {})):
                self.assertIn(key.request("POST", f"/api/{module}/{record}/{path}", body)[0], (403, 404), path)
        self.assertEqual(newest, self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"])

    def test_a_key_writes_no_links_into_what_it_may_not_know(self):
        api = self.limited("--modules", "contacts", "--scope", "write")
        there = api.request("POST", "/api/contacts", {"name": "Guess", "company": self.company})
        missing = api.request("POST", "/api/contacts", {"name": "Guess", "company": 99999})
        self.assertEqual((422, 422), (there[0], missing[0]))
        self.assertNotIn(WORD, str(there[2]))
        # What it did not see it has not taken away.
        api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"city": "Bogotá"})
        self.assertEqual(self.company, self.api.want(200, "GET", f"/api/contacts/{self.contact}")["company"]["id"])

    def test_what_is_for_less_makes_nothing_that_is_for_more(self):
        for arguments in (("--scope", "write"), ("--modules", "contacts"), ("--scope", "read", "--modules", "contacts")):
            api = self.limited(*arguments)
            for body in ({"name": "More"}, {"name": "Less", "scope": "read", "modules": ["contacts"]}):
                self.assertEqual(403, api.request("POST", "/api/settings/keys", body)[0], arguments)
            self.assertEqual(403, api.request("POST", "/api/settings/second-factor", {"password": "x"})[0])
            self.assertEqual(403, api.request("POST", "/api/settings/password", {"password": "x", "new_password": "y" * 12})[0])

    def test_long_work_that_goes_on_by_itself_is_not_for_such_keys(self):
        made = self.api.want(201, "POST", "/api/companies", {"name": "To be undone"})["id"]
        operation = self.api.want(200, "GET", f"/api/companies/{made}/history?limit=1")["items"][0]["operation"]
        for status, *arguments in ((403, "--scope", "write"), (404, "--modules", "contacts")):
            self.assertEqual(status, self.limited(*arguments).request("POST", f"/api/operations/{operation}/undo", {})[0])
        self.api.want(200, "GET", f"/api/companies/{made}")

    def test_a_key_is_for_no_more_than_its_owner(self):
        self.user("reader@example.org", "read_only")
        key = self.server.command("token", "add", "reader@example.org", "--scope", "administer")[1].strip().splitlines()[-1]
        api = self.server.api(key)
        self.assertEqual(403, api.request("POST", "/api/contacts", {"name": "x"})[0])
        self.assertEqual(403, api.request("GET", "/api/history")[0])

    def test_keys_that_have_no_scope_said_may_do_all(self):
        status, made = self.made({"name": "As of old"})
        self.assertEqual(201, status)
        api = self.server.api(made["secret"])
        api.want(200, "GET", "/api/history?limit=1")
        api.want(200, "GET", "/api/settings")

    def test_settings_that_are_changed_tell_no_more_than_they_do(self):
        """What tells how one signs in is not for a key that is for less, whichever way it asks."""
        access = {"password", "identities", "second_factor", "keys", "sessions"}
        whole = set(self.api.want(200, "PATCH", "/api/settings", {}))
        self.assertEqual(access, access & whole)
        for arguments in (("--scope", "write"), ("--scope", "write", "--modules", "contacts")):
            api = self.limited(*arguments)
            self.assertEqual(403, api.request("GET", "/api/settings")[0])
            told = api.want(200, "PATCH", "/api/settings", {"density": "compact"})
            self.assertEqual((whole - access, "compact"), (set(told), told["density"]))

    def test_a_key_reads_no_notifications_of_what_it_may_not_see(self):
        _, api = self.user("reads@example.org", name="Reads Some")
        said = lambda module, number: self.api.want(201, "POST", f"/api/{module}/{number}/comments", {"text": "@Reads Some"})["position"]  # noqa: E731
        first, theirs, last = said("companies", self.company), said("contacts", self.contact), said("companies", self.company)
        key = self.server.command("token", "add", "reads@example.org", "--scope", "write", "--modules", "contacts")[1].strip().splitlines()[-1]
        narrow = self.server.api(key)
        unread = lambda: {item["position"] for item in api.want(200, "GET", "/api/notifications?unread=1")["items"]}  # noqa: E731
        narrow.want(200, "POST", "/api/notifications/read", {"position": last})
        self.assertEqual({first, theirs, last}, unread())
        self.assertEqual(0, narrow.want(200, "POST", "/api/notifications/read", {"all": True})["unread"])
        self.assertEqual({first, last}, unread())
        more = [said("contacts", self.contact) for _ in range(2)]
        narrow.want(200, "POST", "/api/notifications/read", {"position": more[0]})
        self.assertEqual({first, last, more[1]}, unread())
        api.want(200, "POST", "/api/notifications/read", {"all": True})
        self.assertEqual(set(), unread())

    def test_a_key_notes_nobody_it_may_not_know(self):
        """Nobody is left out without a word: neither of a contact nor of a number that is nobody's is more told."""
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Noted"})["id"]
        api, said = self.limited("--modules", "cases", "--scope", "write"), set()
        for field, number in (("contacts", self.contact), ("contacts", 99999), ("users", 1), ("users", 99999)):
            status, _, answer = api.request("POST", f"/api/cases/{case}/notes", {"way": "call", "text": "Who?", field: [number]})
            self.assertEqual((422, [field]), (status, [e["field"] for e in answer.get("errors", [])]), (field, number))
            said.add(answer["errors"][0]["message"].replace(str(number), "N"))
        self.assertEqual(1, len(said), said)
        api.want(201, "POST", f"/api/cases/{case}/notes", {"way": "call", "text": "Nobody", "contacts": []})

    def test_a_key_makes_none_and_ends_none(self):
        for arguments in ((), ("--days", "1")):  # what ends tomorrow would make what never does
            api = self.limited(*arguments, "--name", "Maker")
            keys = [key["key"] for key in api.want(200, "GET", "/api/settings")["keys"]]
            self.assertEqual(403, api.request("POST", "/api/settings/keys", {"name": "Another", "days": 1})[0])
            self.assertEqual(403, api.request("DELETE", f"/api/settings/keys/{keys[0]}")[0])
            self.assertEqual(keys, [key["key"] for key in api.want(200, "GET", "/api/settings")["keys"]])

    def test_people_are_told_of_no_more_than_links_are(self):
        """A key that does not see users learns no id of theirs: of itself it knows."""
        made = [self.user(f"charged{n}@example.org")[0] for n in range(3)]
        user = made[-1] if made[-1] != 10 else made[-2]  # a new opportunity's probability is looked for in its story, too
        self.assertGreater(user, 2)
        for module, title in (("contacts", "name"), ("companies", "name"), ("cases", "subject"), ("opportunities", "name"), ("leads", "name")):
            with self.subTest(module):
                api = self.limited("--modules", module, "--scope", "write", "--name", f"Only {module}")
                record = self.api.want(201, "POST", f"/api/{module}", {title: "In charge", "owner": user})["id"]
                count = lambda query: api.want(200, "GET", f"/api/{module}?count=1&{query}")["count"]  # noqa: E731
                self.assertEqual((0, 0), (count(f"filter[owner][eq]={user}"), count(f"filter[created_by][eq]={user}")))
                self.assertEqual(count(""), count(f"filter[owner][ne]={user}"))
                self.assertEqual(count(""), count("filter[owner][empty]=1"))
                self.assertEqual([r["id"] for r in api.want(200, "GET", f"/api/{module}?sort=id&limit=200")["items"]],
                                 [r["id"] for r in api.want(200, "GET", f"/api/{module}?sort=owner,id&limit=200")["items"]])
                story = api.want(200, "GET", f"/api/{module}/{record}/history")["items"]
                self.assertNotIn("owner", [change["field"] for event in story for change in event["changes"]])
                self.assertEqual([], api.want(200, "GET", f"/api/{module}/{record}/history?text={user}")["items"])
                self.assertEqual(422, api.request("POST", f"/api/{module}", {title: "Not theirs", "owner": user})[0])
                # What it makes is its owner's.
                before = count("filter[owner][eq]=me")
                made = api.want(201, "POST", f"/api/{module}", {title: "By a key"})["id"]
                self.assertEqual(before + 1, count("filter[owner][eq]=me"))
                self.assertEqual(1, self.api.want(200, "GET", f"/api/{module}/{made}")["owner"]["id"])

    def test_no_key_changes_how_its_owner_signs_in(self):
        user, _ = self.user("keyed@example.org", "administrator")
        api = self.server.api(self.server.new_key("keyed@example.org"))
        browser = self.browser("keyed@example.org", OWN)
        api.want(200, "GET", "/api/settings/second-factor")
        for path, method in SESSION_ONLY:
            body = {"password": OWN, "new_password": "quite another one", "code": "000000", "name": "x"}
            self.assertEqual(403, api.request(method, "/api" + path.replace("{key}", "0" * 16), body)[0], path)
        # Nor as administrators do it for others.
        self.assertEqual(403, api.request("POST", f"/api/users/{user}/password", {"password": "quite another one"})[0])
        self.assertEqual(403, api.request("POST", f"/api/users/{user}/sign-out", {})[0])
        self.assertEqual(403, api.request("DELETE", f"/api/users/{user}/second-factor")[0])
        self.assertEqual(200, browser.get("/settings").status)  # nothing of it happened
        self.assertEqual("/", self.browser("keyed@example.org", OWN).path)
        other, _ = self.user("another@example.org")
        api.want(204, "POST", f"/api/users/{other}/password", {"password": "quite another one"})

    def test_a_key_for_some_modules_administers_none_of_the_system(self):
        body = {"name": "Made by it", "email": "made-by-it@example.org", "profile": "administrator", "active": True, "password": "another test password"}
        member, _ = self.user("raised@example.org")
        for module in ("users", "levels", "profiles", "roles", "sign_in_rules", "activity_rules"):
            status, answer = self.made({"name": "x", "scope": "administer", "modules": ["contacts", module]})
            self.assertEqual((422, ["modules"]), (status, [e["field"] for e in answer["errors"]]), module)
            self.assertNotEqual(0, self.server.command("token", "add", "admin@example.org", "--modules", module, check=False)[0], module)
        # Those that were made when it was possible.
        api = self.limited("--scope", "read", "--modules", "users,levels,profiles,roles,sign_in_rules,activity_rules", "--name", "As once")
        self.sql("UPDATE api_keys SET scope = 3 WHERE name = 'As once'")
        for path in ("users", "levels", "profiles", "roles"):
            self.assertIn(api.request("POST", f"/api/{path}", body)[0], (403, 404), path)
        self.assertEqual(403, api.request("PATCH", f"/api/users/{member}", {"profile": "administrator"})[0])
        self.assertEqual(403, api.request("POST", f"/api/users/{member}/password", {"password": "quite another one"})[0])
        self.assertIn(api.request("PATCH", "/api/settings/sign-in", {"everybody": True})[0], (403, 404))
        self.assertNotIn("last_sign_in", api.want(200, "GET", f"/api/users/{member}"))
        self.assertEqual("member", self.api.want(200, "GET", f"/api/users/{member}")["profile"])

    def test_made_on_the_page_and_told_there(self):
        browser = self.browser()
        browser.get("/settings")
        page = browser.submit("/settings/keys", {"name": "Nightly", "scope": "write", "days": "30", "modules": ["contacts", "companies"]})
        secret = re.search(r"crn_[A-Za-z0-9_-]{43}", page.source).group(0)
        api = self.server.api(secret)
        self.assertEqual(200, api.request("GET", "/api/companies")[0])
        self.assertIn(api.request("GET", "/api/opportunities")[0], (403, 404))
        self.assertEqual(403, api.request("GET", "/api/settings")[0])
        mine = next(key for key in self.api.want(200, "GET", "/api/settings")["keys"] if key["name"] == "Nightly")
        self.assertEqual(("write", ["contacts", "companies"]), (mine["scope"], mine["modules"]))
        ends = datetime.fromisoformat(mine["expires_at"].replace("Z", "+00:00"))
        self.assertLess(abs(ends - datetime.now(timezone.utc) - timedelta(days=30)), timedelta(minutes=5))
        event = self.api.want(200, "GET", "/api/history?kind=key_added&limit=1")["items"][0]
        self.assertEqual(("write", "contacts companies"), (event["scope"], event["modules"]))
        self.assertNotIn(secret, str(event))
        self.assertIn("Reads and writes", browser.get("/settings").text)

    def test_what_makes_no_sense_is_refused_by_name(self):
        for body, member in (({"name": "x", "scope": "everything"}, "scope"), ({"name": "x", "modules": ["nothing"]}, "modules"),
                             ({"name": "x", "modules": "contacts"}, "modules"), ({"name": "x", "days": -1}, "days"), ({"name": ""}, "name"),
                             # What is mistyped would make a key for all, or without an end.
                             ({"name": "x", "scopes": "read"}, "scopes"), ({"name": "x", "scope": "read", "expires_at": "2099-01-01"}, "expires_at")):
            status, answer = self.made(body)
            self.assertEqual(422, status, body)
            self.assertEqual([member], [e["field"] for e in answer["errors"]], body)
        for arguments in (("--scope", "everything"), ("--modules", "nothing"), ("--expires", "2001-01-01"), ("--expires", "soon"), ("--days", "0"),
                          ("--days", "3", "--expires", "2099-01-01")):
            self.assertNotEqual(0, self.server.command("token", "add", "admin@example.org", *arguments, check=False)[0], arguments)

    def test_a_key_ends_with_its_day(self):
        day = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%d")
        api = self.limited("--expires", day, "--name", "until tomorrow")
        api.want(200, "GET", "/api/contacts")
        mine = next(key for key in self.api.want(200, "GET", "/api/settings")["keys"] if key["name"] == "until tomorrow")
        self.assertTrue(mine["expires_at"].startswith((datetime.now(timezone.utc) + timedelta(days=2)).strftime("%Y-%m-%d")))

    def test_the_descriptions_say_what_is_needed(self):
        paths = self.api.want(200, "GET", "/api/openapi.json")["paths"]
        self.assertEqual("read", paths["/api/contacts"]["get"]["x-key-scope"])
        self.assertEqual("write", paths["/api/contacts"]["post"]["x-key-scope"])
        self.assertEqual("administer", paths["/api/users/{id}/password"]["post"]["x-key-scope"])
        for path, method in SESSION_ONLY:
            operation = paths["/api" + path][method.lower()]
            self.assertEqual(("x-key-scope" in operation, [{"session": []}]), (False, operation["security"]), path)
        told = {(line.split()[1][4:], line.split()[0]) for line in command("routes")[1].splitlines() if line.endswith("(session)")}
        self.assertEqual(SESSION_ONLY, told)


if __name__ == "__main__":
    unittest.main()
