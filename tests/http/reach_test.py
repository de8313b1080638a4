"""Whose records somebody sees, and which of their fields: every row of the table of routes, as page and by the API, asked for
records of one's own, of subordinates and of others. What is kept from somebody is not there: not in a history, a search, a
count, an export, the words of an error, nor as a difference between "hidden" and "never made"."""

import http.client
import io
import json
import re
import time
import unittest
import urllib.parse
import zipfile

from harness import Story
from permissions_test import rows
from signin_test import SecondStory
from support import Stream

PASSWORD = "another test password"
MODULES = ("companies", "contacts", "leads", "opportunities", "cases", "products", "tasks", "contact_groups")
TITLES = {"cases": "subject", "tasks": "subject"}
FOREIGN, HIDDEN, KEY = "Zqforeign", "Zqhidden", "Zqkey"
ASKED = {FOREIGN: "qforeig", HIDDEN: "qhidde"}  # so that what was typed is not mistaken for what was found
ALL = ["view", "create", "edit", "delete", "export", "import", "bulk_delete", "bulk_duplicate"]
NOWHERE = 987654
SIGN_INS = {"signed_in", "sign_in_failed", "password_changed", "key_added", "key_revoked", "second_factor_on", "second_factor_off",
            "second_factor_reset", "recovery_codes_made", "recovery_code_used", "sessions_ended", "invited", "invitation_accepted", "invitation_ended"}
INVITATIONS = {"invited", "invitation_accepted", "invitation_ended"}


class Reach(Story):
    cookies = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        want = cls.api.want
        every = {m: ALL for m in MODULES}
        hidden = {"hidden_contacts": ["phone", "notes"], "locked_contacts": ["email"], "hidden_companies": ["description"]}
        cls.profiles = {"own": want(201, "POST", "/api/profiles", {"name": "Own", **every, **hidden})["id"],
                        "looks": want(201, "POST", "/api/profiles", {"name": "Looks", **{m: ALL + ["everyone"] for m in MODULES}})["id"]}
        boss_role = want(201, "POST", "/api/roles", {"name": "Boss"})["id"]
        worker_role = want(201, "POST", "/api/roles", {"name": "Worker", "parent": boss_role})["id"]
        cls.roles = boss_role, worker_role
        own, looks = (f"p{cls.profiles[p]}" for p in ("own", "looks"))
        cls.boss, cls.by_boss = cls.user("boss@example.org", own, role=boss_role)
        cls.worker, cls.by_worker = cls.user("worker@example.org", own, role=worker_role)
        cls.other, cls.by_other = cls.user("other@example.org", own)
        cls.looker, cls.by_looker = cls.user("looker@example.org", looks)
        importer = want(201, "POST", "/api/profiles", {"name": "Importer", "contacts": ["view", "everyone", "create", "edit", "import"]})["id"]
        _, cls.by_importer = cls.user("importer@example.org", f"p{importer}")
        cls.ids = {}
        for whose, owner in (("own", cls.boss), ("below", cls.worker), ("foreign", cls.other), ("nobody's", None)):
            for m in MODULES:
                word = FOREIGN if whose == "foreign" else whose.title()
                values = {TITLES.get(m, "name"): f"{word} {m} one", "owner": owner}
                if m == "tasks":
                    values["kind"] = "call"
                if m == "contacts":
                    values.update(phone="+48555123987", notes=f"{HIDDEN} note", email=f"{word}@example.com".lower().replace("'", ""))
                if m == "companies":
                    values.update(description=f"{HIDDEN} description")
                cls.ids[whose, m] = want(201, "POST", f"/api/{m}", values)["id"]
        at = cls.ids
        # What is foreign hangs on what is one's own, and the other way round.
        for m, field in (("contacts", "company"), ("opportunities", "company"), ("cases", "company")):
            want(200, "PATCH", f"/api/{m}/{at['own', m]}", {field: at["foreign", "companies"]})
            want(200, "PATCH", f"/api/{m}/{at['foreign', m]}", {field: at["own", "companies"]})
        want(200, "PATCH", f"/api/tasks/{at['foreign', 'tasks']}", {"contact": at["own", "contacts"]})
        want(200, "PATCH", f"/api/tasks/{at['own', 'tasks']}", {"contact": at["foreign", "contacts"]})
        want(200, "PATCH", f"/api/contacts/{at['own', 'contacts']}", {"notes": f"{HIDDEN} other", "phone": "+48555123988"})
        for m in MODULES:
            want(201, "POST", f"/api/{m}/{at['foreign', m]}/comments", {"text": f"{FOREIGN} comment @Other"})
        want(201, "POST", "/api/lines", {"name": f"{FOREIGN} line", "opportunity": at["foreign", "opportunities"], "price": "5 EUR"})
        cls.ids["foreign", "lines"] = 1
        want(201, "POST", "/api/lines", {"name": "Own line", "opportunity": at["own", "opportunities"], "price": "5 EUR"})
        cls.ids["own", "lines"] = 2
        cls.newest = want(200, "GET", "/api/history?limit=1")["items"][0]["position"]

    # ------------------------------------------------ asking

    def secrets(self, text):
        return [word for word in (FOREIGN, HIDDEN, "555123987", "555 123 987", "555 12 39 8") if word in text]

    @staticmethod
    def read(body):
        """What is in it for people: of a spreadsheet the texts of its sheets."""
        if body[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(body)) as z:
                body = b"\n".join(z.read(name) for name in z.namelist())
        return body.decode("utf-8", "replace")

    def ask(self, who, method, path, body=None):
        """(status, text), by the API or as a page."""
        headers = {"Authorization": f"Bearer {who.key}", "Content-Type": "application/json"}
        if not path.startswith("/api"):
            headers = {"Cookie": self.cookie(who), "Accept-Language": "en"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = self.read(answer.read())
        connection.close()
        return answer.status, text

    def cookie(self, who):
        cls = type(self)
        if who not in cls.cookies:
            email = {cls.by_boss: "boss@example.org", cls.by_looker: "looker@example.org"}.get(who) or who.email
            browser = self.browser(email, PASSWORD)
            cls.cookies[who] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return cls.cookies[who]

    def paths(self, module, record):
        """Each GET of the table for this record."""
        for method, path, verb, _, _ in rows():
            if method != "GET" or verb in ("public", "design") or "/live" in path or "/keys" in path:
                continue
            fill = {"{module}": module, "{id}": str(record), "{key}": "name", "{field}": "photo", "{upload}": "0" * 32, "{digest}": "0" * 64,
                    "{rest}": "0/000", "{version}": "x", "{name}": "x", "{token}": "x", "{position}": str(self.newest)}
            for name, value in fill.items():
                path = path.replace(name, value)
            yield path

    # ------------------------------------------------ stories

    def test_nothing_foreign_or_hidden_is_in_any_answer(self):
        asked = 0
        for (whose, module), record in self.ids.items():
            for path in self.paths(module, record):
                for query in ("", "?history=50&related=1" if path.startswith("/api") else "?bars=1"):
                    with self.subTest(f"{whose} {path}{query}"):
                        status, text = self.ask(self.by_boss, "GET", path + query)
                        asked += 1
                        self.assertLess(status, 500)
                        self.assertEqual([], self.secrets(text), (status, text[:20000]))
        self.assertGreater(asked, 2000)

    def test_no_question_finds_it(self):
        questions = [f"/api/search?q={ASKED[FOREIGN]}", f"/api/search?q={ASKED[HIDDEN]}", "/api/search?q=55512398", f"/search?q={ASKED[FOREIGN]}"]
        for m in MODULES + ("lines", "consents", "users"):
            title = TITLES.get(m, "name")
            questions += [f"/api/{m}?filter[q]={ASKED[FOREIGN]}&count=1", f"/api/{m}?filter[q]={ASKED[HIDDEN]}&count=1", f"/{m}?filter[q]={ASKED[FOREIGN]}", f"/api/{m}?limit=200&count=1",
                          f"/api/{m}?filter[{title}][contains]={ASKED[FOREIGN]}&count=1", f"/api/{m}/lookup?q={ASKED[FOREIGN]}", f"/{m}/lookup?q={ASKED[FOREIGN]}",
                          f"/api/{m}?filter[owner][eq]={self.other}&count=1", f"/api/{m}/export.csv?filter[q]={ASKED[FOREIGN]}", f"/api/{m}/export.xlsx",
                          f"/api/{m}/export.jsonl?filter[{title}][starts]={ASKED[FOREIGN]}"]
        for question in questions:
            with self.subTest(question):
                status, text = self.ask(self.by_boss, "GET", question)
                self.assertLess(status, 500)
                self.assertEqual([], self.secrets(text))
                if question.startswith("/api/search"):
                    self.assertEqual([], json.loads(text)["items"])
                if question.startswith("/api") and "count=1" in question and "limit" not in question and status == 200:
                    self.assertEqual(0, json.loads(text)["count"])
                    self.assertEqual([], json.loads(text)["items"])

    def test_hidden_fields_can_not_be_asked_for(self):
        for question in ("filter[phone][contains]=555", "filter[notes][empty]=0", "sort=phone", "columns=name,phone", "sort=-notes"):
            for module in ("/api/contacts", "/contacts", "/api/contacts/export.csv"):
                with self.subTest(f"{module}?{question}"):
                    status, text = self.ask(self.by_boss, "GET", f"{module}?{question}")
                    self.assertLess(status, 500)
                    self.assertEqual([], self.secrets(text))
                    if module == "/api/contacts":
                        self.assertIn(status, (400, 403, 422))
        own = self.ids["own", "contacts"]
        shown = self.by_boss.want(200, "GET", f"/api/contacts/{own}?history=50")
        self.assertNotIn("phone", shown)
        self.assertIn("email", shown)
        # The change is told, but not that of a hidden field.
        fields = {c["field"] for event in shown["history"]["items"] for c in event.get("changes", [])}
        self.assertIn("name", fields)
        self.assertFalse(fields & {"phone", "notes"})
        for values in ({"phone": "1"}, {"notes": "x"}, {"email": "x@example.org"}):
            self.assertIn(self.by_boss.request("PATCH", f"/api/contacts/{own}", values)[0], (403, 422), values)
        self.assertEqual(200, self.by_boss.request("PATCH", f"/api/contacts/{own}", {"city": "Vigo"})[0])

    def test_hidden_is_as_if_it_were_not(self):
        """Whatever is asked of a foreign record has the answer of one that never was; but for its number, to the byte."""
        def plain(text, record):
            text = re.sub(rf"(?<=[/ :\"]){record}(?![\w.])", "N", text)
            return re.sub(r"[0-9a-f]{32,}|\d\d:\d\d(:\d\d)?|csrf[^>]*|\"[A-Za-z0-9_-]{40,}\"", "", text)
        for module in MODULES + ("lines",):
            record = self.ids["foreign", module]
            for there, nowhere in zip(self.paths(module, record), self.paths(module, NOWHERE)):
                if there == nowhere or re.match(r"(/api)?/users/\d+/", there):  # a row of its own of users, whom everybody knows
                    continue
                with self.subTest(there):
                    a, b = self.ask(self.by_boss, "GET", there), self.ask(self.by_boss, "GET", nowhere)
                    self.assertEqual(b[0], a[0])
                    self.assertEqual(plain(b[1], NOWHERE), plain(a[1], record))
            for method, path, verb, _, _ in rows():
                if method == "GET" or not path.startswith("/api/{module}/{id}"):
                    continue
                with self.subTest(f"{method} {path} {module}"):
                    ask = [self.ask(self.by_boss, method, path.replace("{module}", module).replace("{id}", str(n)).replace("{digest}", "0" * 64)
                                            .replace("{field}", "photo"), {"text": "x", "name": "x", "city": "x"}) for n in (record, NOWHERE)]
                    self.assertEqual(ask[1][0], ask[0][0])
                    self.assertEqual(plain(ask[1][1], NOWHERE), plain(ask[0][1], record))

    def test_own_and_subordinates_are_there(self):
        for whose in ("own", "below", "nobody's"):
            for m in MODULES:
                record = self.ids[whose, m]
                title = TITLES.get(m, "name")
                with self.subTest(f"{whose} {m}"):
                    shown = self.by_boss.want(200, "GET", f"/api/{m}/{record}")
                    self.assertTrue(shown[title])
                    self.by_boss.want(200, "PATCH", f"/api/{m}/{record}", {title: shown[title] + " more"})
                    listed = self.by_boss.want(200, "GET", f"/api/{m}?limit=200")["items"]
                    self.assertIn(record, [one["id"] for one in listed])
        for m in MODULES:
            if m != "tasks":
                self.assertEqual(404, self.by_worker.request("GET", f"/api/{m}/{self.ids['own', m]}")[0], m)

    def test_who_looks_at_everyones_edits_only_their_own(self):
        for m in MODULES:
            record = self.ids["foreign", m]
            title = TITLES.get(m, "name")
            with self.subTest(m):
                self.assertIn(FOREIGN, self.by_looker.want(200, "GET", f"/api/{m}/{record}")[title])
                self.assertEqual(403, self.by_looker.request("PATCH", f"/api/{m}/{record}", {title: "x"})[0])
                # Nor is it offered.
                page = self.ask(self.by_looker, "GET", f"/{m}/{record}")[1]
                self.assertNotIn(f'href="/{m}/{record}/edit"', page)
                self.assertNotIn(f'href="/{m}/{record}/delete"', page)
                if m != "contact_groups":
                    self.assertNotIn(f'action="/{m}/{record}/shares"', self.ask(self.by_looker, "GET", f"/{m}/{record}/shares")[1])
                self.assertEqual(403, self.by_looker.request("DELETE", f"/api/{m}/{record}")[0])
                mine = self.by_looker.want(201, "POST", f"/api/{m}", {title: "Mine", **({"kind": "call"} if m == "tasks" else {})})
                self.assertEqual(self.looker, mine["owner"]["id"])
                self.by_looker.want(200, "PATCH", f"/api/{m}/{mine['id']}", {title: "Still mine"})
                self.assertIn(f'href="/{m}/{mine["id"]}/edit"', self.ask(self.by_looker, "GET", f"/{m}/{mine['id']}")[1])
                if m != "contact_groups":
                    self.assertIn(f'action="/{m}/{mine["id"]}/shares"', self.ask(self.by_looker, "GET", f"/{m}/{mine['id']}/shares")[1])

    def test_only_downwards_is_assigned(self):
        lead = self.by_worker.want(201, "POST", "/api/leads", {"name": "To be given"})["id"]
        for user in (self.boss, self.other):
            status, _, body = self.by_worker.request("PATCH", f"/api/leads/{lead}", {"owner": user})
            self.assertEqual((403, "owner"), (status, body["errors"][0]["field"] if "errors" in body else body["field"]))
        self.by_boss.want(200, "PATCH", f"/api/leads/{lead}", {"owner": self.boss})
        self.assertEqual(404, self.by_worker.request("GET", f"/api/leads/{lead}")[0])
        self.by_boss.want(200, "PATCH", f"/api/leads/{lead}", {"owner": self.worker})
        self.assertEqual(403, self.by_boss.request("POST", "/api/leads", {"name": "For another", "owner": self.other})[0])

    def test_many_are_duplicated(self):
        own, foreign = self.ids["own", "contacts"], self.ids["foreign", "contacts"]
        before = self.by_boss.want(200, "GET", "/api/contacts?count=1")["count"]
        done = self.by_boss.want(200, "POST", "/api/contacts/bulk", {"do": "duplicate", "id": [own, foreign, NOWHERE]})
        self.assertEqual((1, 2), (done["changed"], done["refused"]))
        copy = self.by_boss.want(200, "GET", "/api/contacts?sort=-id&limit=1&columns=name,owner,email,company")["items"][0]
        self.assertEqual(before + 1, self.by_boss.want(200, "GET", "/api/contacts?count=1")["count"])
        self.assertIn("Own contacts one", copy["name"])
        self.assertEqual(self.boss, copy["owner"]["id"])
        self.assertIsNone(copy["email"])  # which they may not write
        as_admin = self.api.want(200, "GET", f"/api/contacts/{copy['id']}")
        self.assertEqual((None, None), (as_admin["phone"], as_admin["notes"]))  # nor read
        event = self.by_boss.want(200, "GET", f"/api/contacts/{copy['id']}/history")["items"][0]
        self.assertEqual(("created", done["operation"]), (event["kind"], event["operation"]))
        self.assertEqual(403, self.by_boss.request("POST", "/api/lines/bulk", {"do": "duplicate", "id": [2]})[0])
        # A case's number is its own.
        case = self.ids["own", "cases"]
        self.by_boss.want(200, "POST", "/api/cases/bulk", {"do": "duplicate", "id": [case]})
        numbers = [c["number"] for c in self.by_boss.want(200, "GET", "/api/cases?columns=number,subject&limit=200")["items"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        page = self.browser("boss@example.org", PASSWORD).get("/contacts")
        self.assertIn('value="duplicate"', page.source)

    def test_imports_write_and_find_no_more_than_their_person(self):
        def tried(columns, rows, who=self.by_boss, module="contacts", match=("name",)):
            address = f"/api/import/{module}?dry_run=1&name=x.csv&on_duplicate=merge"
            if columns:
                address += "&map=" + urllib.parse.quote(json.dumps({"module": module, "columns": columns, "match": list(match)}))
            status, _, body = who.request("POST", address, "\n".join(rows).encode(), {"Content-Type": "text/csv"})
            return status, body
        for field in ("phone", "notes", "email"):
            self.assertEqual(422, tried({"a": "name", "b": field}, ["a,b", "Xenia,1"])[0], field)
        # By itself it finds no field for them either.
        status, body = tried(None, ["name,phone,city", "Xenia,+34600000000,Vigo"])
        self.assertEqual(200, status)
        self.assertNotIn("phone", [c["field"] for c in body["columns"]] if "columns" in body else [])
        # Who is not there for them is new; who is there, but not theirs to change, is refused.
        foreign = f"{FOREIGN} contacts one"
        self.assertEqual((1, 0), (lambda b: (b["created"], b["changed"]))(tried({"a": "name", "b": "city"}, ["a,b", f"{foreign},Vigo"])[1]))
        looked = tried({"a": "name", "b": "city"}, ["a,b", f"{foreign},Vigo"], self.by_importer)[1]
        self.assertEqual((0, 0, 1), (looked["created"], looked["changed"], looked["refused"]))

    def person(self, name, **rights):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": name, **rights})["id"]
        return self.user(f"{name.lower()}@example.org", f"p{profile}")

    def test_a_module_that_is_not_seen_has_no_names(self):
        company = self.api.want(201, "POST", "/api/companies", {"name": "Zqunnamed", "owner": None})["id"]
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Of it", "company": company, "owner": None})["id"]
        for name, rights in (("Without", {}), ("Halfway", {"companies": ["everyone"]})):
            _, api = self.person(name, contacts=["view", "everyone", "edit", "export"], **rights)
            with self.subTest(name):
                self.assertEqual(404, api.request("GET", "/api/companies")[0])
                for path in (f"/api/contacts/{contact}?history=20", f"/api/contacts/{contact}/history", "/api/contacts?columns=name,company&limit=200",
                             "/api/contacts/export.csv", "/api/"):
                    self.assertNotIn("Zqunnamed", self.ask(api, "GET", path)[1], path)
                status, text = self.ask(api, "GET", f"/api/contacts?filter[company][eq]={company}&count=1")
                self.assertTrue(status >= 400 or json.loads(text)["count"] == 0, text)

    def test_who_audits_sees_all_there_is(self):
        half = {"contacts": ["view", "everyone"], "audits": True}
        _, api = self.person("Half", **half)
        self.assertEqual(403, api.request("GET", "/api/history")[0])
        _, api = self.person("Auditor", audits=True, **{m: ["view", "everyone"] for m in MODULES})
        for query in ("", "?user=1", "?kind=created", "?module=profiles", "?module=roles", "?module=fields"):
            found = api.want(200, "GET", "/api/history" + query)["items"]
            self.assertEqual([], [e for e in found if e["module"] in ("profiles", "roles", "fields", "imports")], query)

    def paths_of_sign_ins(self, user):
        """Wherever events of a user could be told or counted."""
        for path in self.paths("users", user):
            if "checkpoint" in path or "/settings" in path or "/log/tile" in path:
                continue  # how long the log is; what is one's own; the log as it is, for programs that verify it
            for query in ("", "?history=50&related=1", "?bars=1", "?at=2100-01-01T00:00:00Z"):
                yield path + query
        for query in ("", f"user={user}", "module=users", "kind=signed_in", "kind=sign_in_failed", "kind=key_added", "field=~text", f"user={user}&module=users",
                      "from=2000-01-01", f"user={user}&from=2000-01-01&to=2100-01-01"):
            for path in ("/api/history", "/history", "/api/history/export.csv", "/api/history/export.jsonl"):
                yield f"{path}?counts=1&{query}"
        for n in range(self.newest, self.newest + 40):
            yield f"/api/log/{n}"
            yield f"/api/operations/{n}"
            yield f"/api/log/receipt/{n}"

    def sign_ins_in(self, found, own):
        """Events of that kind in a document."""
        if isinstance(found, list):
            return [e for one in found for e in self.sign_ins_in(one, own)]
        if not isinstance(found, dict):
            return []
        kind = found.get("kind")
        told = SIGN_INS & ({kind} if isinstance(kind, str) else set(kind or {}))  # of an event; of what is counted
        here = [found] if told and found.get("record") != own else []
        return here + [e for one in found.values() for e in self.sign_ins_in(one, own)]

    def test_how_others_get_in_leaves_no_trace(self):
        """Neither told nor counted: what was answered before somebody signed in and so on is answered afterwards."""
        self.newest = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        watched, _ = self.user("watched@example.org")
        auditor, by_auditor = self.person("Watcher", audits=True, **{m: ["view", "everyone", "export"] for m in MODULES})
        reader, by_reader = self.user("reader@example.org", "read_only")
        by_auditor.email, by_reader.email = "watcher@example.org", "reader@example.org"
        people = {by_auditor: auditor, by_reader: reader, self.by_boss: self.boss, self.by_looker: self.looker}
        for who in people:
            self.cookie(who)

        def plain(text):
            text = re.sub(r"\d+ min ago|\bnow\b|\d\d:\d\d(:\d\d)?|%3A[0-9.]*Z|\d{13}|/log/\d+|\bup to \d+|\"next\":\d+}$|csrf[^>]*|\"[A-Za-z0-9_-]{40,}\"", "", text)
            return re.sub(r"[0-9a-f]{32,}|datetime=\"[^\"]*\"|\d{4}-\d\d-\d\dT[0-9.:]*Z", "", text)

        def ask_all(exports):
            return {(who, path): self.ask(who, "GET", path) for who in people for path in self.paths_of_sign_ins(watched) if ("/export" in path) == exports}
        before = ask_all(False)
        stream = Stream(self.server.port, f"/api/live?record=users/{watched}", {"Cookie": self.cookie(self.by_boss)})
        self.assertEqual(200, stream.status)
        browser, clock, codes = SecondStory.enrol(self, "watched@example.org", PASSWORD)
        second = SecondStory.first_step(self, "watched@example.org", PASSWORD)
        self.assertEqual(200, second.submit("/sign-in/second", {"code": codes[0]}).status)
        token = {"Cronista-Csrf": second.csrf, "Content-Type": "application/json"}
        wrong = SecondStory.first_step(self, "watched@example.org", "quite a wrong password")
        self.assertEqual("/sign-in", wrong.path)
        self.server.command("token", "add", "watched@example.org", "--name", KEY)
        key = next(k["key"] for k in second.send("GET", "/api/settings").json["keys"] if k["name"] == KEY)
        self.assertEqual(204, second.send("DELETE", f"/api/settings/keys/{key}", headers=token).status)
        body = {"password": PASSWORD, "code": clock.code()}
        self.assertEqual(200, second.send("POST", "/api/settings/second-factor/codes", json.dumps(body), token).status)
        self.api.want(204, "DELETE", f"/api/users/{watched}/second-factor")
        self.browser("watched@example.org", PASSWORD)
        self.api.want(204, "POST", f"/api/users/{watched}/sign-out")
        self.api.want(204, "POST", f"/api/users/{watched}/password", {"password": "another one again"})
        time.sleep(0.5)  # a failure is noted without anybody waiting for it
        told = {e["kind"] for e in self.api.want(200, "GET", f"/api/users/{watched}/history?limit=200")["items"]}
        self.assertEqual(SIGN_INS - INVITATIONS - {"second_factor_off"}, told & SIGN_INS)
        self.assertLessEqual(SIGN_INS - INVITATIONS - {"second_factor_off"}, {e["kind"] for e in self.api.want(200, "GET", "/api/history?limit=200")["items"]})
        own = self.server.api(self.server.new_key("watched@example.org"))
        self.assertEqual(told, {e["kind"] for e in own.want(200, "GET", f"/api/users/{watched}/history?limit=200")["items"]})
        self.assertEqual([], stream.positions)
        after = {**ask_all(False), **ask_all(True)}
        for (who, path), (status, text) in after.items():
            with self.subTest(f"{people[who]} {path}"):
                self.assertNotIn(KEY, text)
                if path.startswith("/api") and text.startswith(("{", "[")) and "jsonl" not in path:
                    self.assertEqual([], self.sign_ins_in(json.loads(text), people[who]))
                if "/export" in path:  # which are told themselves
                    continue
                self.assertEqual(before[who, path][0], status)
                if "/log/" not in path:  # how long the log is is no secret
                    self.assertEqual(plain(before[who, path][1]), plain(text))

    def test_invitations_of_others_leave_no_trace(self):
        """How somebody was let in the first time is as little told; that they are invited, a field of theirs says."""
        self.newest = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        made = self.api.want(201, "POST", "/api/users", {"name": "Guest", "email": "guest@example.org", "profile": "member", "invite": True})
        guest, path = made["id"], "/" + made["invitation"]["url"].split("/", 3)[3]
        auditor, by_auditor = self.person("Inspector", audits=True, **{m: ["view", "everyone", "export"] for m in MODULES})
        reader, by_reader = self.user("watcher.of.guests@example.org", "read_only")
        people = {by_auditor: auditor, by_reader: reader, self.by_boss: self.boss}

        def told(api, path):
            return {e["kind"] for e in api.want(200, "GET", path)["items"]} & INVITATIONS

        def ask_all(exports):
            for who, own in people.items():
                for path in self.paths_of_sign_ins(guest):
                    if not path.startswith("/api/") or ("/export" in path) != exports:  # exports are told themselves
                        continue
                    status, text = self.ask(who, "GET", path)
                    with self.subTest(f"{own} {path}"):
                        for kind in INVITATIONS:
                            self.assertNotIn(f'"kind":"{kind}"', text)
                        if "/export" in path:
                            self.assertFalse(re.search("invitation_(accepted|ended)", text))
                        if status == 200 and text.startswith(("{", "[")) and "jsonl" not in path:
                            events = self.sign_ins_in(json.loads(text), own)
                            self.assertEqual([], [e for e in events if INVITATIONS & ({e["kind"]} if isinstance(e["kind"], str) else set(e["kind"]))])
        ask_all(False)
        self.assertEqual({"invited"}, told(self.api, f"/api/users/{guest}/history"))
        self.assertEqual("invited", by_reader.want(200, "GET", f"/api/users/{guest}")["state"])
        path = "/" + self.api.want(201, "POST", f"/api/users/{guest}/invitation", {})["made"]["url"].split("/", 3)[3]
        browser = self.browser(None)
        browser.get(path)
        self.assertEqual(200, browser.submit(path, {"name": "Guest", "password": PASSWORD, "again": PASSWORD}).status)
        ask_all(False)
        ask_all(True)
        own = self.server.api(self.server.new_key("guest@example.org"))
        for api in (self.api, own):
            self.assertEqual(INVITATIONS, told(api, f"/api/users/{guest}/history"))
        self.assertEqual("active", by_reader.want(200, "GET", f"/api/users/{guest}")["state"])

    def test_imports_of_others_are_theirs(self):
        rows = b"name,email\nImported,not an address\n"
        done = self.api.want(202, "POST", "/api/import/contacts?name=of-the-administrator.csv", rows, {"Content-Type": "text/csv"})["id"]
        for path in (f"/api/import/contacts/{done}", f"/api/import/contacts/{done}/refused.csv", f"/contacts/import/{done}"):
            self.assertEqual(404, self.ask(self.by_boss, "GET", path)[0], path)
        self.assertEqual(404, self.by_boss.request("POST", f"/api/import/contacts/{done}/stop", {})[0])
        self.assertNotIn("of-the-administrator", self.ask(self.by_boss, "GET", "/contacts/import")[1])
        self.assertIn(self.ask(self.api, "GET", f"/api/import/contacts/{done}")[0], (200,))

    def test_parts_tell_and_change_nothing_that_is_closed(self):
        _, api = self.person("Seller", opportunities=["view", "create", "edit"], products=["view"],
                             hidden_products=["price"], locked_opportunities=["amount"], hidden_opportunities=["steps"])
        product = self.api.want(201, "POST", "/api/products", {"name": "Priced", "price": "88 EUR", "owner": None})["id"]
        deal = api.want(201, "POST", "/api/opportunities", {"name": "Theirs"})["id"]
        status, _, body = api.request("POST", "/api/lines", {"opportunity": deal, "product": product})
        self.assertEqual((422, ["price"]), (status, [e["field"] for e in body["errors"]]))
        answers = [api.request("POST", "/api/lines", {"opportunity": deal, "product": n, "name": "x", "price": "1 EUR"})
                   for n in (self.ids["foreign", "products"], NOWHERE)]
        self.assertEqual([422, 422], [a[0] for a in answers])
        self.assertEqual(403, api.request("PATCH", f"/api/opportunities/{deal}", {"amount": "5 EUR"})[0])
        self.assertEqual(403, api.request("PATCH", f"/api/opportunities/{deal}", {"amount_from_lines": True})[0])
        self.assertEqual(404, api.request("POST", f"/api/opportunities/{deal}/steps", {"step": "s1", "done": True})[0])

    def test_sharing_is_no_taking(self):
        lead = self.by_other.want(201, "POST", "/api/leads", {"name": "Not to be taken"})["id"]
        self.by_other.want(201, "POST", f"/api/leads/{lead}/shares", {"user": self.worker, "edits": True})
        self.by_worker.want(200, "PATCH", f"/api/leads/{lead}", {"name": "Changed"})
        self.assertEqual(403, self.by_worker.request("PATCH", f"/api/leads/{lead}", {"owner": self.worker})[0])
        self.assertEqual(403, self.by_worker.request("DELETE", f"/api/leads/{lead}")[0])
        self.assertEqual(403, self.by_worker.request("POST", f"/api/leads/{lead}/shares", {"user": self.boss})[0])
        task = self.by_other.want(201, "POST", "/api/tasks", {"subject": "Private", "kind": "call", "private": True})["id"]
        self.assertEqual(422, self.by_other.request("POST", f"/api/tasks/{task}/shares", {"user": self.worker})[0])

    def test_levels_say_who_made_them_when(self):
        page = self.browser().get("/levels")
        heads = re.findall(r'<th scope="col" data-key="([^"]*)"', page.source)
        self.assertEqual(["name", "description", "rank", "created_at", "created_by"], heads)
        self.assertIn('href="/levels/new"', page.source)
        self.assertEqual(["users", "profiles", "roles", "levels", "groups"], re.findall(r'<a class="chip" href="/([a-z]*)"', page.source))

    def test_roles_have_an_order(self):
        boss, worker = self.roles
        for above in (boss, worker):
            self.assertEqual(422, self.api.request("PATCH", f"/api/roles/{boss}", {"parent": above})[0])
        self.assertEqual(400, self.api.request("DELETE", f"/api/roles/{boss}")[0])
        self.assertEqual(400, self.api.request("DELETE", f"/api/roles/{worker}")[0])
        self.assertEqual(400, self.api.request("DELETE", f"/api/profiles/{self.profiles['own']}")[0])

    def test_a_record_is_shared_alone(self):
        lead = self.by_other.want(201, "POST", "/api/leads", {"name": "Alone"})["id"]
        here = f"/api/leads/{lead}"
        group = self.api.want(201, "POST", "/api/groups", {"name": "Sharers", "members": [self.worker]})["id"]
        self.assertEqual(404, self.by_boss.request("GET", here)[0])
        self.assertEqual(404, self.by_boss.request("POST", here + "/shares", {"user": self.boss})[0])
        shares = self.by_other.want(201, "POST", here + "/shares", {"user": self.boss})["items"]
        self.assertEqual([("Boss", False)], [(s["user"]["name"], s["edits"]) for s in shares])
        self.assertEqual("Alone", self.by_boss.want(200, "GET", here)["name"])
        self.assertIn(lead, [one["id"] for one in self.by_boss.want(200, "GET", "/api/leads?limit=200")["items"]])
        self.assertEqual(403, self.by_boss.request("PATCH", here, {"name": "x"})[0])
        self.assertEqual(403, self.by_boss.request("POST", here + "/shares", {"user": self.looker})[0])
        self.assertEqual(404, self.by_worker.request("GET", here)[0])
        self.by_other.want(201, "POST", here + "/shares", {"group": group, "edits": True})
        self.by_worker.want(200, "PATCH", here, {"name": "Not alone"})
        story = self.by_boss.want(200, "GET", here + "/history")["items"]
        self.assertEqual(["edited", "created", "created", "created"], [event["kind"] for event in story])
        self.assertEqual(["leads", "shares", "shares", "leads"], [event["module"] for event in story])
        self.by_other.want(200, "DELETE", f"{here}/shares/{shares[0]['id']}")
        self.assertEqual(404, self.by_boss.request("GET", here)[0])
        for wrong in ({}, {"user": self.boss, "group": group}, {"user": NOWHERE}):
            self.assertEqual(422, self.by_other.request("POST", here + "/shares", wrong)[0], wrong)
        foreign = self.by_other.want(201, "POST", "/api/leads", {"name": "Another"})["id"]
        kept = self.by_other.want(200, "GET", here + "/shares")["items"][0]["id"]
        self.assertEqual(404, self.by_other.request("DELETE", f"/api/leads/{foreign}/shares/{kept}")[0])
        self.assertEqual(404, self.by_other.request("GET", "/api/users/1/shares")[0])
        # As a page, without scripts.
        browser = self.browser("other@example.org", PASSWORD)
        self.assertIn(f'href="/leads/{lead}/shares"', browser.get(f"/leads/{lead}").source)
        browser.get(f"/leads/{lead}/shares")
        browser.submit(f"/leads/{lead}/shares", {"to_user": str(self.looker), "edits": "1"})
        self.assertIn("Looker", browser.page.text)
        self.by_looker.want(200, "PATCH", here, {"name": "By the looker"})
        share = max(s["id"] for s in self.by_other.want(200, "GET", here + "/shares")["items"])
        browser.submit(f"/leads/{lead}/shares/{share}/end")
        self.assertNotIn(f"/shares/{share}/end", browser.page.source)
        self.assertEqual(403, self.by_looker.request("PATCH", here, {"name": "x"})[0])

    def test_who_may_configure_a_module_configures_that_one(self):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": "Designer", "contacts": ["view", "settings"], "leads": ["view"]})["id"]
        _, api = self.user("designer@example.org", f"p{profile}")
        self.assertEqual(["contacts"], [m["key"] for m in api.want(200, "GET", "/api/settings/modules")["items"]])
        field = {"key": "x_shoe", "type": "integer", "label": "Shoe size"}
        self.assertEqual(201, api.request("POST", "/api/settings/modules/contacts/fields", field)[0])
        self.assertEqual(403, api.request("POST", "/api/settings/modules/leads/fields", field)[0])
        self.assertEqual(403, api.request("GET", "/api/settings/activities")[0])
        self.assertEqual(404, api.request("GET", "/api/fields")[0])
        event = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]
        self.assertEqual(("created", "fields", "Designer"), (event["kind"], event["module"], event["actor"]["name"]))
        # The new field is one that profiles can hide.
        self.api.want(200, "PATCH", f"/api/profiles/{profile}", {"hidden_contacts": ["x_shoe"]})
        page = self.browser("designer@example.org", PASSWORD).get("/settings/modules")
        self.assertIn("/settings/modules/contacts", page.source)
        self.assertNotIn("/settings/activities", page.source)

    def test_what_a_profile_loses_is_lost_at_once(self):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": "Short", "contacts": ["view"]})["id"]
        _, api = self.user("short@example.org", f"p{profile}")
        self.assertEqual(200, api.request("GET", "/api/contacts")[0])
        self.assertEqual(404, api.request("GET", "/api/leads")[0])
        self.api.want(200, "PATCH", f"/api/profiles/{profile}", {"contacts": [], "leads": ["view", "create"]})
        self.assertEqual(404, api.request("GET", "/api/contacts")[0])
        self.assertEqual(200, api.request("GET", "/api/leads")[0])
        self.assertEqual(403, api.request("GET", "/api/leads/export.csv")[0])
        page = self.browser("short@example.org", PASSWORD).get("/")
        self.assertIn('href="/leads"', page.source)
        self.assertNotIn('href="/contacts"', page.source)


if __name__ == "__main__":
    unittest.main()
