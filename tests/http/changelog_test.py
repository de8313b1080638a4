#!/usr/bin/env python3
"""The change log: every filter and pair, users who are gone, counts, saved filters of two administrators, exports."""

import csv
import io
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

from harness import Story

PASSWORD = "another test password"


def sheet_rows(data):
    """The first sheet of an XLSX file as lists of texts."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        shared = []
        if "xl/sharedStrings.xml" in z.namelist():
            shared = ["".join(t.text or "" for t in si.iter(f"{{{space['m']}}}t"))
                      for si in ElementTree.fromstring(z.read("xl/sharedStrings.xml")).findall("m:si", space)]
        sheet = ElementTree.fromstring(z.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{{{space['m']}}}row"):
        rows.append([])
        for cell in row.findall("m:c", space):
            column = 0
            for letter in re.match("[A-Z]+", cell.get("r")).group():
                column = column * 26 + ord(letter) - 64
            value = cell.find("m:v", space)
            text = value.text if value is not None else "".join(t.text or "" for t in cell.iter(f"{{{space['m']}}}t"))
            rows[-1] += [""] * (column - 1 - len(rows[-1])) + [shared[int(text)] if cell.get("t") == "s" else text or ""]
    return rows


class ChangeLog(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana, cls.ana_api = cls.user("log-ana@example.org", "administrator")
        cls.pedro, cls.pedro_api = cls.user("log-pedro@example.org")
        cls.gone, gone_api = cls.user("log-gone@example.org")
        cls.resting, resting_api = cls.user("log-resting@example.org")
        contact = cls.api.want(201, "POST", "/api/contacts", {"name": "Log One", "city": "Lima"})["id"]
        company = cls.pedro_api.want(201, "POST", "/api/companies", {"name": "Log & Co", "city": "Quito"})["id"]
        for n, api in enumerate((cls.api, cls.ana_api, cls.pedro_api, gone_api, resting_api) * 3):
            api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": f"City {n}"})
            api.want(200, "PATCH", f"/api/companies/{company}", {"name": f"Log {n}", "phone": f"+5716000{n:03}"})
            api.want(201, "POST", f"/api/contacts/{contact}/comments", {"text": f'Says "field":"city" {n}'})
        cls.api.want(204, "DELETE", f"/api/companies/{company}")
        for user in (cls.gone, cls.resting):
            cls.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        cls.events = cls.pages(cls.api, "/api/history?limit=200")

    @staticmethod
    def pages(api, path):
        """All events of a filter, by the cursor."""
        events, before = [], ""
        while True:
            page = api.want(200, "GET", path + before)
            events += page["items"]
            if page["next"] is None:
                return events
            before = f"&before={page['next']}"

    def plain(self, f):
        """The events a filter should find among those that were there when the story began."""
        found = []
        for e in self.events:
            fields = {c["field"] for c in e["changes"]}
            day = e["at"][:10]
            if (("user" not in f or (e["actor"] or {"id": 0})["id"] == f["user"]) and f.get("module", e["module"]) == e["module"]
                    and f.get("kind", e["kind"]) == e["kind"] and ("field" not in f or f["field"] in fields)
                    and f.get("operation", e["operation"]) == e["operation"]
                    and f.get("from", "") <= e["at"] and day <= f.get("to", "9999")):
                found.append(e["position"])
        return found

    def below(self, positions):
        newest = self.events[0]["position"]
        return [p for p in positions if p <= newest]

    def test_every_filter_and_every_pair_finds_what_is_there(self):
        middle = self.events[len(self.events) // 2]
        choices = [("user", self.pedro), ("user", self.gone), ("user", 0), ("module", "contacts"), ("module", "users"), ("kind", "edited"),
                   ("kind", "signed_in"), ("kind", "commented"), ("field", "city"), ("field", "phone"), ("field", "owner"),
                   ("from", middle["at"]), ("from", "2999-01-01"), ("to", "2001-01-01"), ("to", middle["at"][:10]),
                   ("operation", middle["operation"])]
        strange = {("users", "city"), ("users", "owner")}
        for n in (1, 2, 3):
            for some in itertools.combinations(choices, n):
                f = dict(some)
                if (len(f) < n or f.get("from", "") > f.get("to", "9999") or (f.get("module"), f.get("field")) in strange
                        or (n == 3 and (len(self.plain(f)) < 2 or "kind" not in f or "user" not in f))):
                    continue
                path = "/api/history?" + urlencode({**f, "limit": 25})
                self.assertEqual(self.plain(f), self.below([e["position"] for e in self.pages(self.api, path)]), f)

    def test_a_filter_that_cannot_be_is_told(self):
        for bad in ("from=never", "to=2026-02-30", "from=2026-03-02&to=2026-03-01", "module=nothing", "kind=nothing", "field=nothing",
                    "module=users&field=phone_of_nobody", "user=abc", "user=-3", "operation=-1", "before=-2", "limit=0", "limit=999"):
            self.api.want(422, "GET", f"/api/history?{bad}")
            if "limit" not in bad and "before" not in bad:
                self.api.want(422, "GET", f"/api/history/export.csv?{bad}")
        page = self.browser().get("/history?from=2026-03-02&to=2026-03-01")
        self.assertEqual((422, []), (page.status, page.wrong))
        self.assertIn("The end lies before the beginning.", page.text)
        self.assertRegex(page.source, r'<input id="to"[^>]* aria-invalid="true"')
        # Another module was chosen than the field is of: the page forgets the field, it does not find nothing.
        self.assertEqual(200, self.browser().get("/history?module=levels&field=stage").status)

    def test_who_is_gone_can_be_chosen(self):
        page = self.browser().get(f"/history?user={self.gone}")
        options = dict(re.findall(r'<option value="(\d+)"[^>]*>([^<]*)<', page.source))
        self.assertEqual("Log-Gone (not active)", options[str(self.gone)])
        self.assertEqual("Log-Resting (not active)", options[str(self.resting)])
        self.assertIn(f'<option value="{self.gone}" selected>', page.source)
        self.assertIn("City 3", page.text)
        self.assertNotIn("City 5", page.text)

    def test_counts_are_those_of_the_other_filters(self):
        for f in ({}, {"module": "contacts"}, {"user": self.pedro}, {"kind": "edited", "module": "companies"},
                  {"field": "city", "module": "contacts", "user": self.ana}, {"to": "2001-01-01"}):
            before = self.events[0]["position"] + 1
            counts = self.api.want(200, "GET", "/api/history?counts=1&" + urlencode(f))["counts"]
            later = [e for e in self.pages(self.api, "/api/history?limit=200") if e["position"] >= before]
            self.assertEqual(counts["all"]["more"], False)
            self.assertLessEqual(len(self.plain(f)), counts["all"]["n"])
            self.assertLessEqual(counts["all"]["n"], len(self.plain(f)) + len(later))
            for name, choices in (("user", (self.pedro, self.ana, self.gone)), ("module", ("contacts", "companies")),
                                  ("kind", ("commented", "deleted")), ("field", ("city", "name"))):
                if name == "field" and "module" not in f:
                    self.assertEqual({}, counts["field"])
                    continue
                for choice in choices:
                    right = self.plain({**f, name: choice})
                    new = 0 if name != "kind" and choice != self.ana else len(later)
                    n = counts[name].get(str(choice), {"n": 0})["n"]
                    self.assertTrue(len(right) <= n <= len(right) + new, (f, name, choice, n, len(right)))
        self.assertNotIn("counts", self.api.want(200, "GET", "/api/history"))
        browser = self.browser()
        n = len(self.plain({"user": self.gone, "module": "contacts"}))
        for path, headers in (("/history?module=contacts&counts=1", {}), ("/history?module=contacts", {"Cronista_Part": "log-counts"})):
            page = browser.get(path, **headers)
            self.assertIn(f">Log-Gone (not active) · {n}</option>", page.source)
            self.assertEqual("<html" in page.source, not headers)
            self.assertRegex(page.source, r"\d+ changes<")
        self.assertIn("counts=1", " ".join(browser.get("/history?module=contacts").links), "without scripts it is counted by a link")

    def test_only_administrators(self):
        self.api.want(200, "GET", "/api/history")
        member = self.browser("log-pedro@example.org", PASSWORD)
        page = member.get("/")
        csrf = member.csrf
        self.assertNotIn('"/history"', page.source)
        for path in ("/history", "/history?counts=1", "/history/export.csv", "/history/export.xlsx"):
            self.assertEqual(403, member.get(path).status, path)
            self.pedro_api.want(403, "GET", "/api" + path)
        self.assertEqual(403, member.get("/history", Cronista_Part="log-counts").status)
        before = len(self.api.want(200, "GET", "/api/views")["items"])
        answer = member.send("POST", "/history/views", urlencode({"csrf": csrf, "name": "Theirs", "module": "contacts"}),
                             {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(403, answer.status)
        self.assertEqual(before, len(self.api.want(200, "GET", "/api/views")["items"]))

    def test_saved_filters_of_two(self):
        laura, ana = self.browser(), self.browser("log-ana@example.org", PASSWORD)
        self.assertNotIn("/history/views", laura.get("/history").source)
        for name, shared in (("Mine alone", None), ("For us", "1")):
            laura.get(f"/history?user={self.gone}&module=contacts&from=01/01/2020&before=9")
            page = laura.submit("/history/views", {"name": name, "shared": shared})
            self.assertEqual(200, page.status)
            self.assertIn("City 3", page.text)
            self.assertNotIn("City 5", page.text)
            self.assertIn("The view is saved.", page.text)
        views = {v["name"]: v for v in self.api.want(200, "GET", "/api/views?filter[of_module][eq]=history")["items"]}
        mine, ours = (self.api.want(200, "GET", f"/api/views/{views[name]['id']}") for name in ("Mine alone", "For us"))
        self.assertIn(["from", "2020-01-01"], mine["query"], "a date is kept as everybody reads it")
        self.assertNotIn("before", dict(mine["query"]))
        self.assertEqual((False, True), (mine["shared"], ours["shared"]))
        link, private = (f"/history?view={view['id']}" for view in (ours, mine))
        self.assertIn(private, laura.get("/history").links)
        self.assertNotIn(private, ana.get("/history").links)
        self.assertIn(link, ana.page.links)
        self.assertNotIn("For us", ana.get("/contacts").text)
        page = ana.get(link)
        self.assertIn("City 3", page.text)
        self.assertNotIn("City 5", page.text)
        self.assertRegex(page.source, rf'<option value="{self.gone}" selected>')
        # What the address says goes before the view; the API and exports take it too.
        self.assertIn("City 7", ana.get(link + f"&user={self.pedro}").text)
        right = self.plain({"user": self.gone, "module": "contacts"})
        self.assertEqual(right, [e["position"] for e in self.api.want(200, "GET", f"/api/history?view={ours['id']}&limit=200")["items"]])
        export = next(x for x in page.links if "export.csv" in x)
        ana.connection.request("GET", export, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in ana.cookies.items())})
        rows = list(csv.DictReader(io.StringIO(ana.connection.getresponse().read().decode("utf-8-sig"))))
        self.assertEqual(right, list(dict.fromkeys(int(row["position"]) for row in rows)))
        # Deleting leads back.
        laura.get("/history")
        page = laura.submit(f"/views/{mine['id']}/delete")
        self.assertEqual("/history", laura.path)
        self.assertNotIn(private, page.links)
        self.assertEqual(200, laura.get(f"/history?view={mine['id']}").status, "a view that is gone shows everything")

    def exported(self, kind, f):
        answer = self.api
        answer.connection.request("GET", f"/api/history/export.{kind}?" + urlencode(f), headers={"Authorization": f"Bearer {self.key}"})
        got = answer.connection.getresponse()
        data = got.read()
        self.assertEqual(200, got.status, data[:300])
        return data

    def test_exports_have_the_filters_and_are_told_in_the_log(self):
        f = {"module": "companies", "field": "phone", "from": "2020-01-01", "user": self.pedro}
        right = self.plain(f)
        self.assertTrue(right)
        values = {(e["position"], c["field"]): c["new"] for e in self.events for c in e["changes"]}
        for kind in ("csv", "xlsx", "jsonl"):
            data = self.exported(kind, f)
            if kind == "jsonl":
                self.assertEqual(right, [json.loads(line)["position"] for line in data.decode().splitlines()])
                continue
            rows = list(csv.reader(io.StringIO(data.decode()))) if kind == "csv" else sheet_rows(data)
            at = {name: i for i, name in enumerate(rows[0])}
            self.assertEqual(right, list(dict.fromkeys(int(row[at["position"]]) for row in rows[1:])))
            for row in rows[1:]:
                if row[at["field"]] == "name":
                    self.assertEqual(values[int(row[at["position"]]), "name"], row[at["new"]])
            event = self.api.want(200, "GET", "/api/history?kind=exported&limit=1")["items"][0]
            told = event["export"]
            self.assertEqual(("history", kind, len(rows) - 1), (told["what"], told["format"], told["rows"]))
            self.assertEqual(("companies", "phone", self.pedro), tuple(told["scope"][x] for x in ("module", "field", "user")))

    def test_libreoffice_reads_the_same_rows(self):
        program = shutil.which("soffice") or shutil.which("libreoffice")
        if not program:
            self.skipTest("LibreOffice is not installed (Debian's libreoffice-calc-nogui)")
        f = {"module": "contacts", "to": "2999-01-01"}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "log.xlsx").write_bytes(self.exported("xlsx", f))
            subprocess.run([program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to",
                            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1", "--outdir", folder,
                            f"{folder}/log.xlsx"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
            found = next(p for p in Path(folder).iterdir() if p.suffix == ".csv")
            rows = list(csv.DictReader(io.StringIO(found.read_text(encoding="utf-8-sig"))))
        right = []
        for e in self.events:
            if e["module"] == "contacts":
                right += [(str(e["position"]), e["kind"], e["name"], c["field"], c["new"] or "", c["old"] or "")
                          for c in e["changes"] if isinstance(c["new"], (str, type(None))) and isinstance(c["old"], (str, type(None)))]
        same = [(r["position"], r["kind"], r["name"], r["field"], r["new"], r["old"]) for r in rows]
        self.assertTrue(right)
        self.assertEqual([r for r in right if r not in same], [])
        self.assertEqual({e["position"] for e in self.events if e["module"] == "contacts"}, {int(r["position"]) for r in rows})


class Tables(Story):
    def test_what_no_event_has_yet_and_what_only_the_newest_have(self):
        """The marks do not know these keys: a page says so, with its counts, and does not fail."""
        browser = self.browser()
        for kind in ("imported", "exported"):
            for _ in range(2):  # the second after there is one
                page = browser.get(f"/history?kind={kind}")
                self.assertEqual((200, []), (page.status, page.wrong))
                self.assertEqual(200, self.api.request("GET", f"/api/history?kind={kind}&counts=1")[0])
                self.assertEqual(200, browser.get(f"/history?kind={kind}&part=log-counts").status)
                self.api.request("GET", "/api/contacts/export.csv?filter%5Bcity%5D%5Bcontains%5D=Mad")
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Del archivo"})["id"]
        position = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        _, member = self.user("export-ana@example.org", "administrator")
        for path in ("contacts/export.csv?filter%5Bowner%5D%5Beq%5D=me", "tasks/export.csv?filter%5Btakes_part%5D%5Beq%5D=me&filter%5Bq%5D=uno",
                     "contacts/export.csv?deleted=1", f"history/export.csv?operation={position}", f"contacts/{contact}/history/export.csv"):
            self.assertEqual(200, member.request("GET", f"/api/{path}")[0], path)
        page = browser.get("/history?kind=exported")
        for told in ("0 rows, csv; City contains Mad", "Person in charge is Export-Ana", "Takes part is Export-Ana", "Search is uno", "0 rows, csv; Deleted",
                     f"csv; Operation number: {position}", "History of Del archivo"):
            self.assertIn(told, page.text)
        self.assertNotIn("Contact 0", page.text)

    def test_a_table_for_people_is_in_their_language(self):
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Se va", "city": "Quito"})["id"]
        self.api.want(200, "POST", f"/api/contacts/{contact}/anonymise", {})
        browser = self.browser(language="es")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        browser.connection.request("GET", "/history/export.xlsx?module=contacts&kind=anonymised", headers={"Cookie": cookies})
        rows = sheet_rows(browser.connection.getresponse().read())
        at = {name: i for i, name in enumerate(rows[0])}
        self.assertLessEqual({"Número de evento", "Fecha", "Operación", "Campo", "Antes", "Después", "Vía"}, set(at))
        told = {row[at["Campo"]]: row for row in rows[1:]}
        self.assertEqual(("Anonimizado", "por API"), (told["Ciudad"][at["Operación"]], told["Ciudad"][at["Vía"]]))
        self.assertEqual("(borrado)", told["Ciudad"][at["Después"]])
        _, _, plain = self.api.request("GET", "/api/history/export.csv?module=contacts&kind=anonymised")
        plain = list(csv.DictReader(io.StringIO(plain.decode() if isinstance(plain, bytes) else plain)))
        self.assertEqual({("anonymised", "api")}, {(row["kind"], row["channel"]) for row in plain})


if __name__ == "__main__":
    unittest.main()
