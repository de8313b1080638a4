"""No trace: whoever may not know of something finds it in no byte of any answer, whatever they ask and however.

The routes come from the program itself (`cronista routes`, the OpenAPI description), so a new one is asked by itself. Where the
test does not know a parameter it fails, and says to which of the tables below it belongs.

Something is kept from somebody in these ways: a private activity (never another's, or made private later, or deleted), a field that
a profile may not read, a record of somebody else (a view, an import), and the file of one of these. What is looked for:

- words, names of files, digests, times and numbers that only what is hidden has: in all bytes, headers too, spreadsheets opened;
- that all answers which do not depend on the size of the log are what they were before any of it was there: counts, sums, pages,
  orders, unread notifications and the rest that has no words;
- that what there is and what there is not are answered the same, byte for byte.
"""

import http.client
import io
import json
import re
import unittest
import zipfile
from urllib.parse import quote, urlencode

from harness import Browser, Story, command
from privacy_test import Messages

WORD = "Zwergmispel"  # in every text of what is private
VIEW = "Felsenbirne"  # of what is somebody else's, but not kept from administrators
ZONE = "Antarctica/Troll"  # of a user, which colleagues may not read
MISSING = 987654  # nothing has this number
NO_DIGEST = "ab" * 32
PASSWORD = "another test password"

# What stands for the parts of a path; {id} is a record of the module. A route with a part that is not here fails the test.
PARTS = {"{position}": "1", "{field}": "x_paper", "{digest}": NO_DIGEST, "{upload}": "0" * 32, "{key}": "0" * 16, "{rest}": "0/000.p/1",
         "{token}": "x" * 43, "{version}": "x", "{name}": "app.css", "{module}": None, "{id}": None}

# What is asked by each parameter of a query, one at a time. A parameter that is not here fails the test.
ASKED = {
    "filter": None,  # by module: filters()
    "sort": ["-updated_at"], "columns": ["id,updated_at,created_by"], "limit": ["1", "200"], "count": ["1"], "sums": ["1&count=1"],
    "deleted": ["1"], "q": [WORD, WORD[2:6].lower(), ""], "module": ["tasks", "views"], "as_of": ["2999-01-01T00:00:00Z"], "history": ["200"],
    "kind": ["comments", "tasks_done,tasks_failed,documents,information,status", "tasks", "created", "privacy", "call", "exported"],
    "own": ["1"], "before": ["99999999"], "until": ["2999-01-01"], "text": [WORD, ZONE], "from": ["2020-01-01", "1"], "to": ["2999-01-01"],
    "user": ["2"], "field": ["subject", "zone"], "operation": ["1"], "position": ["1"], "size": ["1"], "record": ["companies/1"],
    "notifications": ["1"], "unread": ["1"], "download": ["1"], "nameless": ["1"], "name": ["x.txt"], "when": ["open", "overdue", "today", "next", "done"],
    "related": ["1"], "counts": ["1"], "view": ["1"],
    "by": ["level", "owner", "priority", "outcome"], "hours": ["calendar"], "ends": ["1"], "value": ["1", "0", "-1", "high"], "what": ["moved", "here"],
    "bucket": ["10"], "passed": ["1"],
    "map": [], "on_duplicate": [], "dry_run": [], "fresh": [], "continue": [],  # importing: a story of its own
}
AFTER = {"/history": "-1", "/events": "-1", "/live": "-1"}  # where `after` is a position; elsewhere a page of a list, which needs one

# Of pages without a twin in the API: what their query has. One that is not here fails the test.
PAGES = {"/sign-in": [], "/sign-in/second": [], "/sign-in/provider": [], "/sign-in/provider/callback": [], "/sign-in/provider/leave": [], "/sign-in/provider/confirm": [], "/users/{id}/second-factor/end": [], "/users/{id}/sign-out": [], "/keys": [], "/{module}/new": [], "/{module}/{id}/edit": [], "/{module}/{id}/delete": [], "/{module}/import": [],
         "/{module}/import/{upload}": [], "/{module}/{id}/documents/{digest}/delete": [], "/users/{id}/password": [],
         "/settings/modules/{module}/new": [], "/static/{version}/{name}": [], "/favicon.ico": [], "/manifest.webmanifest": [], "/healthz": [],
         "/readyz": [], "/metrics": [], "/consent/{token}": [], "/invitation/{token}": []}

# What is sent by routes that change something, by method and path of the API (of the page where there is none). None: not about records that
# can be hidden. A route that is not here fails the test.
SENT = {
    "POST /{module}": {"name": "x", "subject": "x"}, "POST /{module}/bulk": {"do": "delete", "id": "{id}", "confirmed": "1"},
    "PUT /{module}/story": None, "PATCH /{module}/{id}": {"subject": "x", "name": "x"}, "DELETE /{module}/{id}": {"confirmed": "1"},
    "POST /{module}/{id}/restore": {}, "POST /{module}/{id}/comments": {"text": "x"}, "DELETE /{module}/{id}/comments/{position}": {},
    "POST /{module}/{id}/notes": {"way": "call", "text": "x"}, "POST /reminders/{id}/dismiss": {}, "POST /reminders/{id}/snooze": {"minutes": "5"},
    "POST /tasks/{id}/close": {"outcome": "success"}, "POST /tasks/{id}/reopen": {}, "DELETE /{module}/{id}/documents/{digest}": {"confirmed": "1"},
    "POST /views/{id}/delete": {}, "POST /{module}/views": None, "POST /sign-in": None, "POST /sign-in/second": None, "POST /sign-out": None, "POST /import/{module}": None,
    "POST /{module}/import": None, "POST /{module}/import/{upload}": None, "POST /import/{module}/{id}/continue": {}, "POST /import/{module}/{id}/stop": {},
    "POST /files": None, "POST /uploads": None, "PATCH /uploads/{upload}": None, "DELETE /uploads/{upload}": None, "POST /notifications/read": None,
    "PATCH /settings": None, "POST /settings/password": None, "POST /settings/keys": None, "DELETE /settings/keys/{key}": None,
    "DELETE /settings/sessions/{key}": None, "POST /users/{id}/password": None, "POST /settings/modules/{module}": None,
    "POST /settings/modules/{module}/fields": None, "PATCH /settings/modules/{module}/fields/{key}": None, "PATCH /settings/activities": None,
    "POST /settings/second-factor": None, "POST /settings/second-factor/confirm": None, "POST /settings/second-factor/codes": None,
    "DELETE /settings/second-factor": None, "DELETE /users/{id}/second-factor": None, "DELETE /settings/provider": None, "DELETE /users/{id}/provider": None, "DELETE /settings/sessions": None, "POST /users/{id}/sign-out": None, "PATCH /settings/sign-in": None,
    "POST /history/views": None, "POST /consent/{token}": None,
    "POST /{module}/{id}/anonymise": {"sure": "1"}, "POST /{module}/{id}/consents": {"kind": "1", "state": "given"},
    "POST /{module}/{id}/consents/links": {"days": "7"}, "DELETE /{module}/{id}/consents/links/{position}": {},
    "POST /{module}/{id}/lines": {"name.new": "x"}, "POST /{module}/{id}/shares": {"user": 1}, "DELETE /{module}/{id}/shares/{key}": {},
    "POST /operations/{position}/undo": None, "POST /users/{id}/hand-over": {"to": "{id}"}, "POST /users/{id}/deactivate": {"to": "{id}"},
    "POST /users/{id}/activate": {}, "POST /users/{id}/invitation": None, "DELETE /users/{id}/invitation": None, "POST /invitation/{token}": None,
    "POST /{module}/{id}/steps": {"step": "s1", "done": "1"},
}

# These tell how long the log is, which is nobody's secret: it is signed, and grows with everything that happens.
OF_THE_LOG = re.compile(r"^(/api)?/(log/|events|history|operations/|metrics|live)")
MODULES = ("companies", "contacts", "cases", "tasks", "views", "users", "imports", "groups")


def filters(module):
    yield f"filter[q]={WORD}"
    if module == "tasks":
        yield from (f"filter[subject][contains]={WORD}&sort=subject&count=1", f"filter[subject][starts]={WORD}&sort=-place", "filter[private][eq]=1&count=1",
                    "filter[private][empty]=0&count=1", "filter[takes_part][eq]=2&count=1", "filter[owner][eq]=2&count=1", "filter[company][eq]=1&count=1",
                    "filter[tags][contains]=" + WORD, "filter[done][eq]=1&sort=-done_at&count=1", "sort=-due&count=1", "sort=private,subject", "columns=private,result")
    if module == "users":
        yield from (f"filter[zone][eq]={ZONE}", "sort=zone", "columns=zone", "filter[zone][empty]=0&count=1", f"filter[zone][contains]={ZONE[:6]}")
    if module == "views":
        yield from (f"filter[name][contains]={WORD}&count=1", f"filter[query][contains]={WORD}", "filter[owner][eq]=2&count=1", "sort=name")


def once(text):
    """Without what is new in every answer."""
    text = re.sub(r'(name="(?:csrf|once)"[^>]*(?:value|content)=")[^"]*', r"\1", text)
    text = re.sub(r"(<time[^>]*>|<em>)[^<]*(?=</time>|min</em>)", r"\1", text)  # how long ago it was
    # A ribbon reaches to now: its bars stand elsewhere each time. How many events they are of, and the first and last, is compared.
    text = re.sub(r'(?s)<section class="sheet ribbon.*?</section>', "", text)
    text = re.sub(r'^(\{)"from":"[^"]*","to":"[^"]*",("count":.*"estimated":[^,]*),"bars":\[.*\],', r"\1\2,", text)
    # Ways reach to now, too: how long stays were until then, in seconds, and what share of it.
    text = re.sub(r'"(time|nobody|mean|median|p90|longest)":\d+', r'"\1":', re.sub(r'("from":[^,]*),"to":"[^"]*","hours"', r'\1,"hours"', text))
    text = re.sub(r"(?m)Z,,\d+,(\d+\r?)$", r"Z,,,\1", text)  # the same in files
    if "econds" in text:
        text = re.sub(r'(<c r="I\d+"[^>]*><v>)\d+', r"\1", text)
    if "/journey" in text:
        text = re.sub(r"\d+\s?(s|min)\b|\d\d:\d\d|[\d.,]+%|—", "", text)
    return re.sub(r'(content=")[\w-]{30,}("[^>]*name="csrf")', r"\1\2", text)


class NoTrace(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = cls.api
        cls.nadia_id, cls.nadia = cls.user("nadia@example.org")
        cls.eva_id, cls.eva = cls.user("eva@example.org")
        cls.lea_id, cls.lea = cls.user("lea@example.org", "read_only")
        api.want(200, "PATCH", f"/api/users/{cls.nadia_id}", {"zone": ZONE})
        for module in ("companies", "contacts", "cases", "tasks"):
            api.want(201, "POST", f"/api/settings/modules/{module}/fields", {"key": "x_paper", "label": "Paper", "type": "file"})
        cls.shown = {"companies": api.want(201, "POST", "/api/companies", {"name": "Seen by all"})["id"]}
        cls.shown["contacts"] = api.want(201, "POST", "/api/contacts", {"name": "Known by all", "company": cls.shown["companies"]})["id"]
        cls.shown["cases"] = api.want(201, "POST", "/api/cases", {"subject": "Case of all", "contact": cls.shown["contacts"]})["id"]
        cls.shown["views"] = cls.eva.want(201, "POST", "/api/views", {"name": "Eva's", "of_module": "contacts", "query": {"sort": "name"}})["id"]
        cls.shown["groups"] = api.want(201, "POST", "/api/groups", {"name": "Board", "members": [cls.nadia_id]})["id"]
        cls.about = {"company": cls.shown["companies"], "contact": cls.shown["contacts"], "case": cls.shown["cases"]}
        cls.shown["tasks"] = api.want(201, "POST", "/api/tasks", {"kind": "task", "subject": "Open to all", "owner": cls.eva_id, **cls.about,
                                                                   "due": "2031-01-01T10:00:00Z"})["id"]
        cls.eva.want(201, "POST", f"/api/companies/{cls.shown['companies']}/comments", {"text": "Look, @Lea"})
        cls.ivan_id, cls.ivan = cls.user("ivan@example.org")  # as eva, and alone exports: that is in their log
        cls.people = {"eva": cls.eva, "ivan": cls.ivan, "lea": cls.lea, "administrator": cls.api}
        cls.browsers = {name: Browser(cls.server.port).sign_in(*who) for name, who in
                        (("eva", ("eva@example.org", PASSWORD)), ("administrator", ()))}
        cls.open_api = api.want(200, "GET", "/api/openapi.json")["paths"]
        cls.rows = [tuple(line.split()[:3]) for line in command("routes")[1].splitlines()]
        cls.before = {name: cls.asked(name) for name in cls.people}
        cls.plant()
        cls.after = {name: cls.asked(name) for name in cls.people}

    @classmethod
    def keep(cls, api, name, data):
        status, _, value = api.request("POST", f"/api/files?name={quote(name)}", data, {"Content-Type": "application/octet-stream"})
        assert status == 201, value
        return value

    @classmethod
    def plant(cls):
        nadia, w = cls.nadia, WORD
        cls.file = cls.keep(nadia, f"{w}.txt", f"{w} bytes".encode())
        secret = {"kind": "meeting", "subject": f"{w} one", "description": f"{w} two", "place": f"{w} three", "tags": [f"{w} four"], **cls.about,
                  "guests": [cls.shown["contacts"]], "groups": [cls.shown["groups"]], "due": "2031-07-19T10:00:00Z", "reminder": "2020-01-01T00:00:00Z",
                  "private": True, "x_paper": cls.file}
        cls.secrets = {"private": nadia.want(201, "POST", "/api/tasks", secret)["id"]}
        task = f"/api/tasks/{cls.secrets['private']}"
        nadia.want(201, "POST", f"{task}/comments", {"text": f"{w} @Nadia said", "files": [cls.file]})
        nadia.want(201, "POST", f"{task}/notes", {"way": "call", "text": f"{w} noted"})
        nadia.want(200, "PATCH", task, {"place": f"{w} five"})
        nadia.want(200, "POST", f"{task}/close", {"outcome": "failure", "result": f"{w} six"})
        moved = cls.secrets["made private"] = nadia.want(201, "POST", "/api/tasks", {**secret, "private": False, "subject": f"{w} moved"})["id"]
        nadia.want(201, "POST", f"/api/tasks/{moved}/comments", {"text": f"{w} for @Eva and @Lea"})
        nadia.want(200, "PATCH", f"/api/tasks/{moved}", {"private": True})
        gone = cls.secrets["deleted"] = nadia.want(201, "POST", "/api/tasks", {**secret, "subject": f"{w} deleted"})["id"]
        nadia.want(204, "DELETE", f"/api/tasks/{gone}")
        cls.secrets["view"] = nadia.want(201, "POST", "/api/views", {"name": f"{VIEW} view", "of_module": "contacts", "query": {"filter": VIEW}})["id"]
        cls.secrets["deleted view"] = nadia.want(201, "POST", "/api/views", {"name": f"{VIEW} old view", "of_module": "contacts", "query": {"filter": VIEW}})["id"]
        nadia.want(204, "DELETE", f"/api/views/{cls.secrets['deleted view']}")
        nadia.want(200, "GET", f"/api/tasks/export.csv?filter[subject][contains]={VIEW}")
        cls.last = cls.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        cls.hidden = [e["position"] for e in cls.nadia_events()]

    @classmethod
    def nadia_events(cls):
        found = []
        for name in ("private", "made private", "deleted"):
            found += cls.nadia.want(200, "GET", f"/api/tasks/{cls.secrets[name]}/history?limit=200")["items"]
        return found

    # ---------------------------------------------------------------- asking

    @classmethod
    def fetch(cls, who, method, path, body=None):
        """(status, headers, text) of an answer; a spreadsheet as its texts. Paths of the API by a key, others with a session."""
        headers = {"Accept-Language": "en"}
        if path.startswith("/api"):
            client, send = cls.people[who].connection, body if body is None else json.dumps(body)
            headers["Authorization"] = f"Bearer {cls.people[who].key}"
            if body is not None:
                headers["Content-Type"] = "application/json"
        else:
            browser = cls.browsers[who]
            client, send = browser.connection, None
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            if method == "POST":
                form = {"csrf": browser.csrf, "once": "test", **{k: v[0] if isinstance(v, list) else v for k, v in (body or {}).items()}}
                send, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        try:
            client.request(method, path, send, headers)
            answer = client.getresponse()
        except (ConnectionError, http.client.HTTPException):  # it had nothing to do for long, and was closed
            client.close()
            client.request(method, path, send, headers)
            answer = client.getresponse()
        data = answer.read()
        if data[:4] == b"PK\3\4":
            files = zipfile.ZipFile(io.BytesIO(data))
            data = b"\n".join(files.read(name) for name in sorted(files.namelist()) if "docProps" not in name)
        kept = sorted(f"{name}: {value}" for name, value in answer.headers.items()
                      if name.lower() not in ("date", "cronista-position", "set-cookie", "content-length", "connection"))
        return answer.status, kept, data.decode("utf-8", "replace")

    @classmethod
    def inputs(cls, path):
        """The names that the query of a GET may have: of its twin in the API, or as PAGES has them."""
        if path in PAGES:
            return PAGES[path]
        twin = (path if path.startswith("/api") else "/api" + path.rstrip("/")).rstrip("/")
        twin = re.sub(r"^/api/\{module\}/import/(\{\w+\}|sample)", r"/api/import/{module}/\1", twin).removesuffix("/run")
        twin = twin.replace("/import/{module}/{id}", "/import/{module}/{upload}")
        for candidate in (twin, twin.replace("{module}", "tasks")):
            if candidate in cls.open_api:
                given = cls.open_api[candidate].get("get", {}).get("parameters", [])
                return [p["name"] for p in given if p["in"] == "query"]
        raise AssertionError(f"GET {path}: a page without a twin in the API. Say in PAGES of tests/http/no_trace_test.py what its query has.")

    @classmethod
    def filled(cls, path):
        """Paths of a row of the table, with records everybody may see."""
        for part in re.findall(r"\{\w+\}", path):
            assert part in PARTS, f"{path}: say in PARTS of tests/http/no_trace_test.py what {part} may be."
            if PARTS[part]:
                path = path.replace(part, PARTS[part])
        for module in MODULES if "{module}" in path else (path.split("/")[-3] if path.count("/") > 2 else "",):
            yield module, path.replace("{module}", module).replace("{id}", str(cls.shown.get(module, 1)))

    @classmethod
    def gets(cls, who):
        """All that is asked without knowing anything."""
        for method, row, _ in cls.rows:
            if (who in ("eva", "lea") and "/export." in row) or (who == "ivan" and "/export." not in row):
                continue
            if method != "GET" or (who not in cls.browsers and not row.startswith("/api")) or row.endswith("/live") or "openapi" in row:
                continue
            names = cls.inputs(row)
            for module, path in cls.filled(row):
                yield path
                # The same questions once: of twins the API's, of the three kinds of files one; of everybody a member's.
                if who == "lea" or (who == "administrator" and (module not in ("tasks", "") or not row.startswith("/api"))):
                    continue
                if "/export." in row:  # they are asked the same by the code that lists
                    if row.endswith(".csv") and "history" not in row:
                        yield from (f"{path}?{one}" for one in filters(module) if WORD not in one)  # that stands in the log, for who audits
                    continue
                for name in names:
                    if not row.startswith("/api") and name not in ("filter", "q", "text", "kind", "as_of", "when", "module", "unread"):
                        continue  # the page is made of the same document
                    if name == "after":
                        values = [v for end, v in AFTER.items() if path.endswith(end)]
                    else:
                        assert name in ASKED, f"GET {row}: say in ASKED of tests/http/no_trace_test.py what is asked by `{name}`."
                        values = ASKED[name]
                    if name == "filter":
                        for one in filters(module):
                            yield f"{path}?{one}"
                        continue
                    for value in values:
                        yield f"{path}?{name}={quote(value, safe='=&,')}"

    @classmethod
    def asked(cls, who):
        return {path: cls.fetch(who, "GET", path) for path in cls.gets(who)}

    # ---------------------------------------------------------------- looking

    def traces(self, who, path, answer):
        """Why an answer tells something it must not; empty when it does not."""
        text = "\n".join(answer[1]) + "\n" + answer[2]
        looked = text.replace(quote(path), "").replace(path, "")
        sent = path.lower()
        found = []
        for mark in (WORD, VIEW, self.file["digest"], "2031-07-19", "19/07/2031"):
            echoes = mark.lower() in sent or (mark == WORD and WORD[2:6].lower() in sent) or (mark == VIEW and who == "administrator")
            if mark.lower() in looked.lower() and not echoes:
                found.append(mark)
        if WORD.lower() in sent and re.search(rf"{WORD} (one|two|three|four|five|six|said|noted|moved|deleted|for|view|old|bytes)", text, re.I):
            found.append("words beside the one that was asked for")
        if who != "administrator" and ZONE.lower() not in sent and "settings" not in path and ZONE in text:
            found.append(ZONE)
        for name in ("private", "made private", "deleted"):
            number = self.secrets[name]
            if re.search(rf"tasks/{number}\b", looked) and f"tasks/{number}" not in path and "of_module" not in path:
                found.append(f"the number of the {name} one")
            if who != "administrator" and f'"record":{number},' in text and '"module":"tasks"' in text:
                found.append(f"an event of the {name} one")
        return found

    def test_nothing_is_different(self):
        """Everything that can be asked without knowing of what is hidden, before any of it was there and after."""
        for who, before in self.before.items():
            after = self.after[who]
            self.assertEqual(list(before), list(after))
            self.assertGreater(len(before), 50)
            for path, answer in after.items():
                with self.subTest(who=who, path=path):
                    self.assertLess(answer[0], 500)
                    if who == "administrator":
                        if re.match(r"(/api)?/(views|imports|users)", path) or "module=views" in path:
                            continue  # administrators see these
                    # The change log tells who audits that something private happened.
                    self.assertEqual([], [t for t in self.traces(who, path, answer) if who != "administrator" or "number" not in t])
                    if not OF_THE_LOG.match(path) and not (who == "administrator" and path in ("/", "/api/", "/contacts")) \
                            and not path.endswith("/settings"):  # when the key was used
                        self.assertEqual((before[path][0], before[path][1]), (answer[0], answer[1]))
                        self.assertEqual(once(before[path][2]), once(answer[2]))

    def test_what_is_hidden_is_as_what_is_not_there(self):
        """Who guesses a number, a digest or a position is told the same as when there is nothing."""
        for who, browser in (("eva", True), ("lea", False), ("administrator", True)):
            hidden = [("tasks", self.secrets[name]) for name in ("private", "made private", "deleted")]
            if who != "administrator":
                hidden += [("views", self.secrets["view"]), ("views", self.secrets["deleted view"])]
            for method, row, _ in self.rows:
                page = not row.startswith("/api")
                if (page and not browser) or "{id}" not in row + ("{id}" if row.endswith("/bulk") else "") or row.endswith("password") or "import" in row:
                    continue
                body = self.body(method, row)
                for module, number in hidden:
                    if "{module}" not in row and f"/{module}/" not in row and not (module == "tasks" and "reminders" in row):
                        continue
                    with self.subTest(who=who, method=method, row=row, module=module, number=number):
                        self.same(who, method, row, body, module, number)
            for position in self.hidden if who != "administrator" else []:
                for row in ("/api/log/{p}", "/api/log/receipt/{p}", "/api/operations/{p}", "/log/{p}", "/operations/{p}"):
                    if browser or row.startswith("/api"):
                        got = [self.fetch(who, "GET", row.replace("{p}", str(p))) for p in (position, MISSING)]
                        with self.subTest(who=who, row=row, position=position):
                            self.assertEqual(404, got[0][0])
                            self.assertEqual(*(once(g[2].replace(str(MISSING), str(position))) for g in got))
        # And nothing of it did anything.
        self.assertEqual(self.last, max(self.last, *(e["position"] for e in self.nadia_events())))

    @classmethod
    def body(cls, method, row):
        if method == "GET":
            return None
        key = f"{method} {row.removeprefix('/api')}"
        key = re.sub(r" /\{module\}/import/\{id\}", " /import/{module}/{id}", key)
        if key not in SENT and not row.startswith("/api"):  # a page's form: as its twin
            for twin in (re.sub(r"/(delete|revoke|end)$", "", row), row):
                for other in ("DELETE", "PATCH", "PUT", "POST"):
                    key = f"{other} {twin}" if f"{other} {twin}" in SENT else key
                    if key in SENT:
                        return SENT[key]
        assert key in SENT, f"{key}: say in SENT of tests/http/no_trace_test.py what is sent."
        return SENT[key]

    def same(self, who, method, row, body, module, number):
        got = []
        for one in (number, MISSING):
            path = row.replace("{module}", module).replace("{id}", str(one)).replace("{digest}", self.file["digest"])
            for part, value in PARTS.items():
                path = path.replace(part, value or "")
            sent = None if body is None else {k: [one] if v == "{id}" else v for k, v in body.items()}
            status, headers, text = self.fetch(who, method, path, sent)
            got.append((status, [h.replace(str(MISSING), str(number)) for h in headers], once(text).replace(str(MISSING), str(number))))
            self.assertNotIn(WORD, text)
        self.assertEqual(got[1], got[0])

    def test_every_route_that_changes_something_is_known(self):
        for method, row, _ in self.rows:
            if method != "GET":
                self.body(method, row)

    def test_errors_of_forms(self):
        """A form that names what is hidden is refused as one that names what is not there."""
        task, company = self.secrets["private"], self.shown["companies"]
        named = {"digest": [self.file["digest"], NO_DIGEST], "task": [str(task), str(MISSING)]}
        tried = [("digest", "POST", f"/api/companies/{company}/comments", lambda d: {"text": "x", "files": [{"digest": d, "name": "x"}]}),
                 ("digest", "PATCH", f"/api/companies/{company}", lambda d: {"x_paper": {"digest": d, "name": "x"}}),
                 ("digest", "POST", "/api/contacts", lambda d: {"name": "x", "x_paper": {"digest": d, "name": "x"}}),
                 ("digest", "GET", f"/api/companies/{company}/documents/" + "{}", None), ("digest", "GET", f"/companies/{company}/documents/" + "{}", None),
                 ("digest", "DELETE", f"/api/companies/{company}/documents/" + "{}", None),
                 ("task", "GET", "/api/live?record=tasks/{}", None), ("task", "GET", "/api/tasks?filter[id][in]={}&count=1", None),
                 ("task", "GET", "/tasks?filter[id][in]={}", None), ("task", "GET", "/api/tasks/export.csv?filter[id][in]={}", None),
                 ("task", "POST", "/api/tasks/bulk", lambda t: {"do": "assign", "id": [int(t)], "user": self.eva_id}),
                 ("task", "POST", "/tasks/bulk", lambda t: {"do": "delete", "id": t}), ("task", "GET", "/api/search?q={}", None),
                 ("task", "GET", "/api/tasks/lookup?q={}", None)]
        for who in ("eva", "administrator"):
            for what, method, path, made in tried:
                got = []
                for value in named[what]:
                    status, headers, text = self.fetch(who, method, path.format(value), made and made(value))
                    there, missing = named[what]
                    got.append((status, [h.replace(missing, there) for h in headers], once(text).replace(missing, there)))
                with self.subTest(who=who, method=method, path=path):
                    self.assertEqual(got[1], got[0])
                    self.assertNotIn(WORD, got[0][2])

    def test_live(self):
        """Who comes back, or asks from the beginning, is told of no event that is not for them, nor that there was one."""
        for name, api in self.people.items():
            for record in ("companies", "contacts", "cases"):
                stream = Messages(self.server.port, f"/api/live?record={record}/{self.shown[record]}&after={self.hidden[-1] - 1}&notifications=1",
                                  {"Authorization": f"Bearer {api.key}"})
                self.assertEqual(["notifications"], stream.wait_for(2, 0.2), (name, record))
                stream.close()

    def test_imports_look_nothing_up(self):
        """A file whose rows are like what is hidden: its rows are new, nothing is merged, and no link is found by name."""
        rows = f"Name,Kind\n{WORD} one,Call\n{WORD} moved,Call\nOpen to all,Task\n"  # the last is there, and seen
        mapping = {"columns": {"Name": "subject", "Kind": "kind"}, "match": ["subject"]}
        status, _, answer = self.api.request("POST", f"/api/import/tasks?dry_run=1&name=x.csv&on_duplicate=merge&map={quote(json.dumps(mapping))}", rows.encode(),
                                                   {"Content-Type": "text/csv"})
        self.assertEqual(200, status, answer)
        self.assertEqual((2, 0), (answer["created"], answer["refused"]), answer)


if __name__ == "__main__":
    unittest.main()
