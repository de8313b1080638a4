"""Files that come and go: imports by pages and by programs, exports, files of records."""

import csv
import io
import json
import re
import shutil
import tempfile
import time
import unittest
import uuid
import zipfile
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from harness import COMES_AGAIN, ROOT_FOLDER, TEST_LIMITS, Server, Story

STRINGS = ROOT_FOLDER.parent / "shared/data/conformance/strings"


def multipart(fields, files):
    """(content type, body) of a form with files: {name: (file name, bytes)}."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields:
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, (file_name, data) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def table(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


class Transfer(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.want(200, "PATCH", "/api/settings", {"language": "en"})

    def bytes_of(self, path, api=None, method="GET", body=None, headers=None):
        api = api or self.api
        send = {"Authorization": f"Bearer {api.key}", **(headers or {})}
        api.connection.request(method, path, body, send)
        answer = api.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def upload(self, browser, module, name, data):
        browser.get(f"/{module}/import")
        self.assertEqual(browser.page.status, 200, browser.page.text[:1000])
        form = browser.page.form(f"/{module}/import")
        kind, body = multipart(form.fields, {"file": (name, data)})
        browser.send("POST", f"/{module}/import", body, {"Content-Type": kind}, follow=False)
        return browser.page

    def wait_import(self, api, module, number):
        for _ in range(400):
            state = api.want(200, "GET", f"/api/import/{module}/{number}")
            if state["state"] != "running":
                return state
            time.sleep(0.05)
        raise AssertionError("the import does not end")

    def names(self, module="contacts", **filters):
        query = "&".join(f"filter[{name}][eq]={quote(value)}" for name, value in filters.items())
        return sorted(one["name"] for one in self.api.want(200, "GET", f"/api/{module}?limit=200&{query}")["items"])

    # ------------------------------------------------------------ pages

    def test_wizard(self):
        self.api.want(201, "POST", "/api/companies", {"name": "Textiles Andina"})
        self.api.want(201, "POST", "/api/contacts", {"name": "Old Ana", "email": "ana@example.org"})
        data = table([["Nombre", "Compañía", "E-mail", "Ciudad", "Junk"],
                      ["Jorge <b>Pardo</b>", "Textiles Andina", "jorge@example.org", "Lima", "x"],
                      ["Ana Núñez", "", "ana@example.org", "Quito", ""],
                      ["Bad Mail", "", "bad@", "Quito", ""],
                      ["Lost Company", "Nowhere Ltd", "lost@example.org", "Quito", ""]])
        browser = self.browser()
        page = self.upload(browser, "contacts", "fería.csv", data)
        self.assertEqual(page.status, 303)
        page = browser.get(page.headers["Location"])
        self.assertEqual(page.status, 200, page.text[:2000])
        self.assertEqual(page.wrong, [])
        action = urlsplit(browser.path).path
        fields = dict(page.form(action).fields)
        self.assertEqual([fields[f"column.{i}"] for i in range(4)], ["name", "company", "email", "city"])
        self.assertIn("Jorge &lt;b&gt;Pardo", page.source)
        self.assertNotIn("<b>Pardo", page.source)
        self.assertIn("2 of the first 4 rows have problems", page.text)
        # two columns for one field: said at the column, nothing is lost
        browser.submit(action, {"column.4": "name", "duplicates": "merge"}, ("do", "run"))
        self.assertEqual(browser.page.status, 422)
        self.assertEqual(dict(browser.page.form(action).fields)["column.4"], "name")
        page = browser.submit(action, {"column.4": "", "missing.company": "create", "match": "email", "remember": "The fair"},
                              ("do", "again"))
        self.assertEqual(page.status, 200)
        fields = dict(page.form(action).fields)
        self.assertEqual((fields["column.4"], fields["missing.company"], fields["match"], fields["duplicates"], fields["remember"]),
                         ("", "create", "email", "merge", "The fair"))
        self.assertIn("1 of the first 4 rows has problems", page.text)
        # tried: nothing is there yet
        browser.submit(action, button=("do", "try"))
        page = browser.until_done()
        self.assertEqual(page.wrong, [])
        self.assertRegex(page.text, r"Would be created 2 .*Would be changed 1 .*Would be refused 1")
        self.assertIn("nothing has been saved", page.text)
        self.assertEqual(self.names(email="jorge@example.org"), [])
        refused = browser.get(action + "/refused.csv")
        self.assertIn("bad@", refused.text)
        self.assertIn("attachment", refused.headers["Content-Disposition"])
        # done
        browser.get(action + "/run")
        browser.submit(action)
        page = browser.until_done()
        self.assertEqual(page.status, 200)
        self.assertRegex(browser.path, r"^/contacts/import/\d+$")
        self.assertRegex(page.text, r"Created 2 .*Changed 1 .*Refused 1")
        imported, operation = browser.path, [link for link in page.links if link.startswith("/operations/")][0]
        self.assertIn(operation + "/undo", page.links)
        state = self.api.want(200, "GET", f"/api/import/contacts/{browser.path.rsplit('/')[-1]}")
        self.assertEqual((state["operation"], state["may_undo"]), (int(operation.rsplit("/")[-1]), True))
        self.assertEqual(browser.get(operation).status, 200)
        self.assertEqual(self.names(email="jorge@example.org"), ["Jorge <b>Pardo</b>"])
        self.assertEqual(self.names(email="ana@example.org"), ["Ana Núñez"])
        self.assertIn("Nowhere Ltd", self.names("companies"))
        # taken back, and what it changed is as it was
        browser.get(operation + "/undo")
        browser.submit(operation + "/undo")
        browser.until_done()
        page = browser.get(imported)
        self.assertNotIn(operation + "/undo", page.links)
        self.assertIn("The operation is undone.", page.text)
        state = self.api.want(200, "GET", f"/api/import/contacts/{imported.rsplit('/')[-1]}")
        self.assertEqual((state["state"], state["may_undo"]), ("undone", False))
        self.assertEqual((self.names(email="jorge@example.org"), self.names(email="ana@example.org")), ([], ["Old Ana"]))
        self.assertNotIn("Nowhere Ltd", self.names("companies"))
        # remembered by its name, and among the earlier ones
        self.assertIn("fería.csv", browser.get("/contacts/import").text)
        page = self.upload(browser, "contacts", "again.csv", data)
        page = browser.get(page.headers["Location"])
        self.assertIn("The fair", page.text)
        action = urlsplit(browser.path).path
        fields = dict(page.form(action).fields)
        self.assertNotEqual(fields["mapping"], "")
        self.assertEqual((fields["match"], fields["missing.company"]), ("email", "create"))
        # only whoever brought it
        self.user("second@example.org", "administrator")
        other = self.browser("second@example.org", "another test password")
        self.assertEqual(other.get(action).status, 404)
        self.assertEqual(other.get(action + "/refused.csv").status, 404)
        page = browser.get(action)
        self.assertEqual(page.status, 200)

    def test_parts(self):
        browser = self.browser()
        page = self.upload(browser, "contacts", "a.csv", b"name\nParty\n")
        action = page.headers["Location"]
        browser.get(action)
        browser.submit(action, button=("do", "try"))
        browser.until_done()
        part = browser.get(action + "/run", Cronista_Part="import-state")
        self.assertNotIn("<html", part.source)
        self.assertNotIn("data-running", part.source)

    def test_the_page_comes_again_until_it_is_done(self):
        browser = self.browser()
        rows = 20000
        page = self.upload(browser, "contacts", "a.csv", b"name\n" + b"".join(b"Row %d\n" % i for i in range(rows)))
        action = page.headers["Location"]
        browser.get(action)
        page = browser.submit(action, button=("do", "try"))
        # Only without scripts: with them the part of it is asked for, and nothing typed or clicked meanwhile is lost.
        self.assertIn(COMES_AGAIN, page.source)
        self.assertNotIn("Refresh", page.headers)
        self.assertIn("data-running", browser.get(action + "/run", Cronista_Part="import-state").source)
        browser.get(action + "/run")
        self.assertIn(f"Would be created {rows:,}", browser.until_done().text)
        self.assertNotIn("Refresh", browser.page.headers)

    def test_not_a_table(self):
        browser = self.browser()
        page = self.upload(browser, "contacts", "x.csv", b"")
        self.assertEqual(page.status, 422)
        page = self.upload(browser, "contacts", "x.xlsx", b"PK\x03\x04 broken")
        self.assertEqual(page.status, 422)
        self.assertEqual(browser.get("/contacts/import/u" + "A" * 43).status, 404)
        self.assertEqual(browser.get("/contacts/import/..%2f..%2fx").status, 404)

    def test_sample(self):
        status, headers, data = self.bytes_of("/api/import/contacts/sample.xlsx")
        self.assertEqual(status, 200)
        self.assertIn("sharedStrings", " ".join(zipfile.ZipFile(io.BytesIO(data)).namelist()) + "sharedStrings")
        self.assertGreater(len(data), 1000)

    # ------------------------------------------------------------ programs

    def test_api(self):
        data = table([["name", "email", "city"], ["Api One", "one@api.example", "Lima"], ["Api Two", "two@", "Lima"]])
        headers = {"Content-Type": "text/csv"}
        report = self.api.want(200, "POST", "/api/import/contacts?dry_run=1&name=a.csv", data, headers)
        self.assertEqual((report["created"], report["refused"], report["dry_run"]), (1, 1, True))
        self.assertEqual(self.names(email="one@api.example"), [])
        status, refused, text = self.api.request("GET", f"/api/import/contacts/{report['upload']}/refused.csv")
        self.assertEqual(status, 200)
        self.assertIn("two@", text)
        status, answer, state = self.api.request("POST", "/api/import/contacts?name=a.csv", data, headers)
        self.assertEqual(status, 202, state)
        self.assertEqual(answer["Location"], f"/api/imports/{state['id']}")
        state = self.wait_import(self.api, "contacts", state["id"])
        self.assertEqual((state["state"], state["created"], state["refused"]), ("done", 1, 1))
        self.assertEqual([(r["column"], r["value"]) for r in state["report"]["refusals"]], [("email", "two@")])
        record = self.api.want(200, "GET", answer["Location"])
        self.assertEqual((record["name"], record["state"], record["created"]), ("a.csv", "done", 1))
        status, _, text = self.api.request("GET", f"/api/import/contacts/{state['id']}/refused.csv")
        self.assertIn("two@", text)
        self.assertEqual(self.api.request("GET", f"/api/import/companies/{state['id']}")[0], 404)
        # the same again finds it; with a mapping; as a form
        mapping = {"columns": {"name": "name", "email": "email", "city": "ignore"}, "match": ["email"]}
        kind, body = multipart([("map", json.dumps(mapping)), ("dry_run", "true")], {"file": ("b.csv", data)})
        report = self.api.want(200, "POST", "/api/import/contacts", body, {"Content-Type": kind})
        self.assertEqual((report["created"], report["skipped"]), (0, 1))
        for query, data, status in (("map=nonsense", b"name\nx\n", 422), ("map=" + quote('{"columns":{"zzz":"name"}}'), b"name\nx\n", 422),
                                    ("", b"", 422)):
            self.assertEqual(self.api.request("POST", f"/api/import/contacts?{query}", data, headers)[0], status, query)
        self.assertEqual(self.api.request("POST", "/api/import/nothing", b"name\nx\n", headers)[0], 404)

    def test_refusals_are_told_in_the_reader_s_words(self):
        member, member_api = self.user("transfer-words@example.org", "administrator", language="es")
        rows = [["name", "company", "email"], ["Words One", "No Such Firm", "words@api.example"], ["Words Two", "", "x" * 400]]
        report = member_api.want(200, "POST", "/api/import/contacts?dry_run=1&name=w.csv", table(rows), {"Content-Type": "text/csv"})
        first, second = report["refusals"]
        self.assertEqual((2, "company", "No Such Firm", "No hay «No Such Firm» en Empresas."),
                         (first["row"], first["column"], first["value"], first["problem"]))
        self.assertEqual((3, "email", "x" * 160 + "…"), (second["row"], second["column"], second["value"]))

    def test_permissions(self):
        member, member_api = self.user("transfer-member@example.org")
        reader, reader_api = self.user("transfer-reader@example.org", "read_only")
        data = b"name\nNot Allowed\n"
        for api, export in ((member_api, 200), (reader_api, 403)):
            self.assertEqual(self.bytes_of("/api/contacts/export.csv", api)[0], export)
            self.assertEqual(self.bytes_of("/api/import/contacts", api, "POST", data, {"Content-Type": "text/csv"})[0], 403)
            self.assertEqual(self.bytes_of("/api/history/export.csv", api)[0], 403)
            self.assertEqual(self.bytes_of("/api/imports/1", api)[0], 404)
        self.assertEqual(self.bytes_of("/api/files?name=a.txt", reader_api, "POST", b"hello", {"Content-Type": "text/plain"})[0], 403)
        one = self.api.want(201, "POST", "/api/contacts", {"name": "Seen"})["id"]
        self.assertEqual(self.bytes_of(f"/api/contacts/{one}/history/export.csv", member_api)[0], 200)
        self.assertEqual(self.bytes_of(f"/api/contacts/{one}/history/export.csv", reader_api)[0], 403)
        browser = self.browser(None)
        browser.get("/sign-in")
        browser.submit("/sign-in", {"email": "transfer-member@example.org", "password": "another test password"}, follow=False)
        self.assertEqual(browser.get("/contacts/import").status, 403)
        self.assertEqual(self.names(name="Not Allowed"), [])

    # ------------------------------------------------------------ exports

    def test_export_selected(self):
        ids = [self.api.want(201, "POST", "/api/products", {"name": f"Chosen {i:03}"})["id"] for i in range(260)]
        browser = self.browser()
        browser.get("/products")
        body = "csrf=" + quote(browser.csrf) + "&do=export" + "".join(f"&id={i}" for i in ids[:250])
        browser.connection.request("POST", "/products/bulk", body, {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())})
        answer = browser.connection.getresponse()
        data = answer.read()
        self.assertEqual(answer.status, 200, data[:500])
        rows = sheet_rows(data)
        self.assertEqual(len(rows), 251)
        self.assertIn("filename*=UTF-8''" if any(ord(c) > 126 for c in answer.headers["Content-Disposition"]) else "filename=",
                      answer.headers["Content-Disposition"])
        self.assertEqual(list((self.server.data / "uploads").iterdir()), [])

    def test_export_as_asked(self):
        for name, city in (("Filter A", "Lima"), ("Filter B", "Lima"), ("Filter C", "Quito")):
            self.api.want(201, "POST", "/api/companies", {"name": name, "city": city})
        status, headers, data = self.bytes_of("/api/companies/export.csv?filter[city][eq]=Lima&sort=-name&columns=name,city")
        self.assertEqual(data.decode().replace("\r", ""), "name,city\nFilter B,Lima\nFilter A,Lima\n")
        self.assertEqual(headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        lines = self.bytes_of("/api/companies/export.jsonl?filter[city][eq]=Quito")[2].decode().splitlines()
        self.assertEqual([json.loads(line)["name"] for line in lines], ["Filter C"])
        for path in ("/api/companies/export.csv?filter[zzz][eq]=1", "/api/history/export.csv?from=yesterday"):
            self.assertEqual(self.bytes_of(path)[0], 422, path)
        self.assertEqual(self.bytes_of("/api/companies/export.pdf")[0], 404)
        # it stands in the log that something left
        events = self.api.want(200, "GET", "/api/history?kind=exported")["items"]
        self.assertTrue(events)
        rows = list(csv.DictReader(io.StringIO(self.bytes_of("/api/history/export.csv?module=companies")[2].decode())))
        self.assertTrue(rows and all(row["module"] == "companies" for row in rows))
        # links of the pages
        browser = self.browser()
        for path in ("/companies?filter[city][eq]=Lima", "/history?module=companies"):
            page = browser.get(path)
            links = [link for link in page.links if "/export." in link]
            self.assertEqual(len(links), 3, (path, page.links))
            for link in links:
                self.assertEqual(browser_bytes(browser, link)[0], 200, link)
        one = self.api.want(200, "GET", "/api/companies?limit=1")["items"][0]["id"]
        links = [link for link in browser.get(f"/companies/{one}/history").links if "/export." in link]
        self.assertEqual(len(links), 3)
        self.assertEqual(browser_bytes(browser, links[0])[0], 200)

    def test_round_trip(self):
        company = self.api.want(201, "POST", "/api/companies", {"name": "Round & Co"})["id"]
        values = {"name": "=Round Trip", "company": company, "email": "round@example.org", "phone": "+573001234567",
                  "city": "Bogotá \"D.C.\"", "tags": ["a", "b c"]}
        contact = self.api.want(201, "POST", "/api/contacts", values)["id"]
        deal = self.api.want(201, "POST", "/api/opportunities", {
            "name": "Deal, with comma", "company": company, "amount": {"amount": "18400.50", "currency": "PLN"},
            "closing_date": "2026-12-12", "description": "two\nlines\t\"quoted\""})["id"]
        files = {}
        for module, ids in (("companies", company), ("contacts", contact), ("opportunities", deal)):
            files[module] = self.bytes_of(f"/api/{module}/export.csv?filter[id][in]={ids}")[2]
        folder = Path(tempfile.mkdtemp(prefix="cronista-"))
        fresh = Server(folder / "data", TEST_LIMITS).start()
        try:
            api = fresh.api(fresh.new_key())
            for module, data in files.items():
                mapping = quote(json.dumps({"match": []}))
                lines = list(csv.reader(io.StringIO(data.decode())))
                keep = [i for i, name in enumerate(lines[0]) if name not in ("id", "owner", "owner.id")]
                data = table([[line[i] for i in keep] for line in lines])
                status, _, state = api.request("POST", f"/api/import/{module}?map={mapping}", data, {"Content-Type": "text/csv"})
                self.assertEqual(status, 202, state)
                state = self.wait_import(api, module, state["id"])
                self.assertEqual((state["created"], state["refused"]), (1, 0), state["report"])
            for module, before in (("contacts", contact), ("opportunities", deal)):
                old = self.api.want(200, "GET", f"/api/{module}/{before}")
                new = api.want(200, "GET", f"/api/{module}/1")
                for key, value in old.items():
                    if key in ("id", "version", "owner") or key.endswith("_at") or key.endswith("_by"):
                        continue
                    if isinstance(value, dict) and "id" in value:
                        value, new[key] = value["name"], (new.get(key) or {}).get("name")
                    self.assertEqual(new.get(key), value, (module, key))
        finally:
            self.assertEqual(fresh.stop(), 0, fresh.log_tail())
            shutil.rmtree(folder, ignore_errors=True)

    # ------------------------------------------------------------ interrupted

    def test_interrupted(self):
        folder = Path(tempfile.mkdtemp(prefix="cronista-"))
        server = Server(folder / "data", TEST_LIMITS).start()
        try:
            key = server.new_key()
            api = server.api(key)
            rows = 30000
            data = table([["name", "city"]] + [[f"Person {i}", f"City {i % 50}"] for i in range(rows)])
            status, _, state = api.request("POST", "/api/import/contacts?name=big.csv", data, {"Content-Type": "text/csv"})
            self.assertEqual(status, 202, state)
            number = state["id"]
            end = time.monotonic() + 60
            while state["rows"] < 800 and state["state"] == "running" and time.monotonic() < end:
                state = api.want(200, "GET", f"/api/import/contacts/{number}")
            self.assertEqual(state["state"], "running", "it ended too soon to be cut off")
            server.kill()
            server.start()
            api = server.api(key)
            state = api.want(200, "GET", f"/api/import/contacts/{number}")
            self.assertEqual((state["state"], state["can_continue"]), ("interrupted", True))
            self.assertLess(state["rows"], rows)
            self.assertEqual(api.request("POST", f"/api/import/contacts/{number}/continue", {})[0], 202)
            for _ in range(1200):
                state = api.want(200, "GET", f"/api/import/contacts/{number}")
                if state["state"] != "running":
                    break
                time.sleep(0.05)
            self.assertEqual((state["state"], state["created"], state["rows"]), ("done", rows, rows), state)
            exported = server.command("export", "contacts", str(folder / "all.csv"))
            with open(folder / "all.csv", newline="", encoding="utf-8-sig") as file:
                names = [row["name"] for row in csv.DictReader(file)]
            self.assertEqual((len(names), len(set(names))), (rows, rows), exported)
            # stopped by hand, and stopped by the end of the server
            data = table([["name", "city"]] + [[f"Other {i}", "Lima"] for i in range(rows)])
            number = api.want(202, "POST", "/api/import/contacts?name=second.csv", data, {"Content-Type": "text/csv"})["id"]
            self.assertEqual(server.stop(), 0, server.log_tail())
            server.start()
            api = server.api(key)
            state = api.want(200, "GET", f"/api/import/contacts/{number}")
            self.assertIn(state["state"], ("stopped", "done"))
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)

    # ------------------------------------------------------------ files of records

    def test_files(self):
        png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89" + b"\0" * 40
        value = self.api.want(201, "POST", "/api/files?name=" + quote("фото né.png"), png, {"Content-Type": "image/png"})
        self.assertEqual((value["name"], value["size"], value["media"]), ("фото né.png", len(png), "image/png"))
        one = self.api.want(201, "POST", "/api/contacts", {"name": "With photo", "photo": value})["id"]
        status, headers, data = self.bytes_of(f"/api/contacts/{one}/files/photo")
        self.assertEqual((status, data, headers["Content-Type"]), (200, png, "image/png"))
        self.assertIn("filename*=UTF-8''%D1%84", headers["Content-Disposition"])
        self.assertIn("sandbox", headers["Content-Security-Policy"])
        for path in (f"/api/contacts/{one}/files/name", f"/api/contacts/{one}/files/zzz", "/api/contacts/999999/files/photo"):
            self.assertEqual(self.bytes_of(path)[0], 404, path)
        # what can be executed is refused; a page of a website is only for saving
        for data in (b"\x7fELF\x02\x01\x01" + b"\0" * 60, b"#!/bin/sh\necho\n", b"MZ" + b"\0" * 100):
            self.assertEqual(self.bytes_of("/api/files?name=a.png", None, "POST", data, {"Content-Type": "image/png"})[0], 422, data[:4])
        page = self.api.want(201, "POST", "/api/files?name=a.png", b"<!DOCTYPE html><html><script>alert(1)</script></html>",
                             {"Content-Type": "image/png"})
        self.api.want(200, "PATCH", f"/api/contacts/{one}", {"photo": page})
        headers = self.bytes_of(f"/api/contacts/{one}/files/photo")[1]
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertTrue(headers["Content-Disposition"].startswith("attachment"))
        self.assertEqual(self.api.request("PATCH", f"/api/contacts/{one}", {"photo": {"digest": "0" * 64, "name": "x"}})[0], 422)
        self.assertEqual(self.bytes_of(f"/api/contacts/{one}", None, "PATCH", b"x", {"Content-Type": "text/plain"})[0], 415)

    def test_files_in_forms(self):
        browser = self.browser()
        page = browser.get("/cases/new")
        form = page.form("/cases")
        self.assertEqual(form.enctype, "multipart/form-data")
        title = "subject" if "subject" in form.names else "name"
        fields = [(name, value) for name, value in form.fields if name != title]

        def send(path, fields, files):
            kind, body = multipart(fields, files)
            return browser.send("POST", path, body, {"Content-Type": kind})

        # refused for another reason: the file is kept for the next try
        page = send("/cases", fields, {"attachment": ("notes.txt", b"some notes\n")})
        self.assertEqual(page.status, 422)
        kept = dict(page.form("/cases").fields)["attachment.kept"]
        self.assertIn("notes.txt", kept)
        again = [(name, value) for name, value in page.form("/cases").fields if name != title]
        page = send("/cases", again + [(title, "With notes")], {"attachment": ("", b"")})
        self.assertEqual(page.status, 200, page.text[:1000])
        here = urlsplit(browser.path).path
        links = [link for link in page.links if link.startswith(f"{here}/documents/")]
        self.assertTrue(links, page.links)
        self.assertEqual(browser.get(links[0]).source, "some notes\n")
        now = f"{here}/files/attachment"
        # another one in its place; an executable; taken away
        form = browser.get(here + "/edit").form(here)
        page = send(here, form.fields, {"attachment": ("other.txt", b"other\n")})
        self.assertEqual(browser.get(now).source, "other\n")
        form = browser.get(here + "/edit").form(here)
        page = send(here, form.fields, {"attachment": ("other.txt", b"#!/bin/sh\n")})
        self.assertEqual(page.status, 422)
        self.assertIn("executed", page.text)
        form = browser.get(here + "/edit").form(here)
        send(here, form.fields, {"attachment": ("", b"")})
        self.assertEqual(browser.get(now).source, "other\n")
        form = browser.get(here + "/edit").form(here)
        send(here, form.fields + [("attachment.remove", "1")], {"attachment": ("", b"")})
        self.assertEqual(browser.get(now).status, 404)

    # ------------------------------------------------------------ strings

    @unittest.skipUnless(STRINGS.exists(), "no shared data")
    def test_naughty_strings(self):
        strings = []
        for text in naughty():
            status, _, record = self.api.request("POST", "/api/leads", {"name": "Naughty", "description": text})
            if status == 422:  # what is no text: a zero character
                self.assertIn("\0", text, text)
                continue
            self.assertEqual(status, 201, (text, record))
            strings.append((record["id"], text))
        self.assertGreater(len(strings), 400)
        for number, text in strings:
            self.assertEqual(self.api.want(200, "GET", f"/api/leads/{number}")["description"] or "", text)
        exported = self.bytes_of("/api/leads/export.csv?filter[name][eq]=Naughty&columns=id,description")[2].decode()
        rows = {int(row["id"]): row["description"] for row in csv.DictReader(io.StringIO(exported, newline=""))}
        plain = re.compile(r"^[=+\-@\t\r']")
        for number, text in strings:
            got = rows[number]
            self.assertIn(got, (text, "'" + text) if plain.match(text) else (text,))
        browser = self.browser()
        for number, text in strings[::7]:
            page = browser.get(f"/leads/{number}")
            self.assertEqual(page.wrong, [], text)
            self.assertIn(" ".join(text.split()), page.text) if text.isprintable() else None
            history = self.api.want(200, "GET", f"/api/leads/{number}/history")["items"]
            changes = [change for event in history for change in event["changes"] if change["field"] == "description"]
            self.assertEqual([change["new"] for change in changes], [text] if text else [])
            self.assertEqual(browser.get(f"/search?q={quote(text[:100])}").status, 200, text)
        data = self.bytes_of("/api/leads/export.xlsx?filter[name][eq]=Naughty&columns=id,description")[2]
        rows = {int(float(row[0])): row[1] for row in sheet_rows(data)[1:]}
        for number, text in strings:
            self.assertEqual(rows[number], text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text and rows[number] != text else text)


def naughty():
    for path in sorted(STRINGS.rglob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(read, list):
            yield from (text for text in read if isinstance(text, str))


def browser_bytes(browser, path):
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    browser.connection.request("GET", path, headers={"Cookie": cookies})
    answer = browser.connection.getresponse()
    return answer.status, answer.read()


def unescaped(text):
    """_x0009_ and the like, as spreadsheets write characters that XML can't hold."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match.group(1), 16)), text)


def sheet_rows(data):
    """Texts of the first sheet."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        for name in package.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(package.read(name))
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
        shared = []
        if "xl/sharedStrings.xml" in package.namelist():
            for item in ElementTree.fromstring(package.read("xl/sharedStrings.xml")):
                shared.append("".join(part.text or "" for part in item.iter(space + "t")))
    rows = []
    for row in sheet.iter(space + "row"):
        cells = {}
        for cell in row.iter(space + "c"):
            at = sum((ord(c) - 64) * 26 ** i for i, c in enumerate(reversed(re.match("[A-Z]+", cell.get("r")).group())))
            value = cell.find(space + "v")
            text = "".join(part.text or "" for part in cell.iter(space + "t")) if value is None else value.text
            cells[at - 1] = unescaped(shared[int(text)] if cell.get("t") == "s" else text or "")
        rows.append([cells.get(i, "") for i in range(max(cells, default=-1) + 1)] + [""] * 2)
    return rows


if __name__ == "__main__":
    unittest.main()
