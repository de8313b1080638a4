"""Documents given out safely, and deleted for good: by right, out of history, storage and backups, with the log still true."""

import hashlib
import json
import shutil
import sqlite3
import time
import unittest
from urllib.parse import urlencode

from harness import TEST_LIMITS, Server, Story
from media_test import PDF, PNG
from support import POSTGRES, environment_of, psql
from transfer_test import multipart


class Documents(Story):
    serial = 0

    def document(self, text=None, name="contrato.txt", api=None):
        """(digest, value) of a file of its own."""
        type(self).serial += 1
        data = (text or f"Contrato número {self.serial}\n").encode() if not isinstance(text, bytes) else text
        value = (api or self.api).want(201, "POST", f"/api/files?name={name}", data, {"Content-Type": "application/octet-stream"})
        return hashlib.sha256(data).hexdigest(), value

    def case(self, value):
        return self.api.want(201, "POST", "/api/cases", {"subject": "Un caso", "attachment": value})["id"]

    def change(self, case, value):
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"attachment": value})

    def erase(self, case, digest, api=None, more=""):
        return (api or self.api).request("DELETE", f"/api/cases/{case}/documents/{digest}{more}")[0]

    def get(self, case, digest, api=None):
        return (api or self.api).request("GET", f"/api/cases/{case}/documents/{digest}")[0]

    def stored(self, digest):
        path = self.folder / "data/files" / digest[:2] / digest[2:]
        there = path.exists()
        if POSTGRES:
            there = there or psql(self.server.data, f"SELECT count(*) FROM files WHERE name='files/{digest[:2]}/{digest[2:]}'") != "0"
        return there

    def whole_log(self):
        return json.dumps(self.api.want(200, "GET", "/api/history?limit=200"))

    def sound(self):
        code, printed = self.server.command("verify", check=False)
        self.assertEqual(0, code, printed)
        code, printed = self.server.command("rebuild", "--check", check=False)
        self.assertEqual(0, code, printed)


class Erasing(Documents):
    def test_a_document_is_gone_for_good_and_the_log_is_true(self):
        digest, value = self.document(name="secreto.txt")
        case = self.case(value)
        self.assertEqual(200, self.get(case, digest))
        self.assertEqual(204, self.erase(case, digest))
        self.assertFalse(self.stored(digest))
        self.assertEqual(410, self.get(case, digest))
        self.assertEqual(410, self.api.request("GET", f"/api/cases/{case}/files/attachment")[0])
        self.assertIsNone(self.api.want(200, "GET", f"/api/cases/{case}")["attachment"])
        self.assertEqual(404, self.erase(case, digest))
        told = self.api.want(200, "GET", f"/api/cases/{case}/history")["items"]
        self.assertEqual(("file_erased", "secreto.txt", "attachment"),
                         (told[0]["kind"], told[0]["document"]["name"], told[0]["document"]["field"]))
        self.assertEqual("Admin", told[0]["actor"]["name"][:5])
        self.assertNotIn(digest, self.whole_log())
        self.assertEqual(422, self.api.request("POST", "/api/cases", {"subject": "x", "attachment": value})[0])
        self.sound()

    def test_bytes_on_their_way_out_are_not_taken_again(self):
        """They may lie there still when somebody begins to use them: a record must never have what goes a moment later."""
        digest, value = self.document()
        case = self.case(value)
        self.assertEqual(204, self.erase(case, digest))
        path = self.folder / "data/files" / digest[:2] / digest[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Contrato número {self.serial}\n")  # as before the sweep
        self.assertEqual(422, self.api.request("POST", "/api/cases", {"subject": "x", "attachment": value})[0])
        self.assertEqual(422, self.api.request("POST", f"/api/cases/{case}/comments", {"text": "x", "files": [value]})[0])
        again = self.document(text=f"Contrato número {self.serial}\n")[1]  # sent anew they are welcome
        other = self.case(again)
        self.assertEqual(200, self.get(other, digest))
        self.sound()

    def test_gone_is_said_only_where_the_record_may_be_seen(self):
        digest, value = self.document()
        case = self.case(value)
        self.assertEqual(204, self.erase(case, digest))
        self.assertEqual(410, self.get(case, digest))
        self.assertEqual(404, self.get(999999, digest))
        view = self.api.want(201, "POST", "/api/views", {"name": "Mine", "of_module": "contacts", "query": {"limit": "10"}})["id"]
        attached, value = self.document()
        self.api.want(201, "POST", f"/api/views/{view}/comments", {"text": "x", "files": [value]})
        self.assertEqual(204, self.api.request("DELETE", f"/api/views/{view}/documents/{attached}")[0])
        _, other = self.user("onlooker@example.org")
        self.assertEqual(404, other.request("GET", f"/api/views/{view}")[0])
        self.assertEqual(404, other.request("GET", f"/api/views/{view}/documents/{attached}")[0])

    def test_a_deleted_record_stays_deleted_in_the_past(self):
        digest, value = self.document()
        case = self.case(value)
        self.api.want(204, "DELETE", f"/api/cases/{case}")
        self.assertEqual(204, self.erase(case, digest))
        now = self.api.want(200, "GET", f"/api/cases/{case}")
        then = self.api.want(200, "GET", f"/api/cases/{case}?as_of=2100-01-01T00:00:00Z")
        self.assertIsNotNone(now["deleted_at"])
        self.assertIsNotNone(then["deleted_at"])
        self.assertEqual((now["version"], now["updated_at"]), (then["version"], then["updated_at"]))

    def test_not_even_its_name(self):
        digest, value = self.document(name="nombre-delicado.txt")
        case = self.case(value)
        self.assertEqual(204, self.erase(case, digest, more="?nameless=true"))
        told = self.api.want(200, "GET", f"/api/cases/{case}/history")["items"]
        self.assertEqual(("file_erased", ""), (told[0]["kind"], told[0]["document"]["name"]))
        self.assertNotIn("nombre-delicado", self.whole_log())
        self.sound()

    def test_what_is_there_now_stays(self):
        first, value = self.document()
        case = self.case(value)
        second, value = self.document()
        self.change(case, value)
        self.assertEqual(204, self.erase(case, first))
        self.assertEqual(second, self.api.want(200, "GET", f"/api/cases/{case}")["attachment"]["digest"])
        self.assertEqual((410, 200), (self.get(case, first), self.get(case, second)))
        self.sound()
        third, value = self.document()
        self.change(case, value)
        self.assertEqual(204, self.erase(case, second))  # of the past, spoken of by events on both sides
        self.assertEqual((410, 200), (self.get(case, second), self.get(case, third)))
        self.assertNotIn(second, self.whole_log())
        self.sound()
        self.assertEqual(204, self.erase(case, third))
        self.assertIsNone(self.api.want(200, "GET", f"/api/cases/{case}")["attachment"])
        self.assertEqual([False] * 3, [self.stored(one) for one in (first, second, third)])
        self.sound()

    def test_bytes_that_another_record_has_stay_there(self):
        digest, value = self.document()
        one, other = self.case(value), self.case(value)
        self.assertEqual(204, self.erase(one, digest))
        self.assertEqual((410, 200), (self.get(one, digest), self.get(other, digest)))
        self.assertTrue(self.stored(digest))
        self.assertEqual(204, self.erase(other, digest))
        self.assertFalse(self.stored(digest))
        self.sound()

    def test_the_same_bytes_may_come_again(self):
        digest, value = self.document("Lo mismo otra vez\n")
        self.assertEqual(204, self.erase(self.case(value), digest))
        again, value = self.document("Lo mismo otra vez\n")
        case = self.case(value)
        self.server.stop()
        self.server.start()
        type(self).api = self.server.api(self.key)
        time.sleep(0.5)
        self.assertEqual((digest, 200), (again, self.get(case, again)))

    def test_who_may_is_for_an_administrator_to_say(self):
        digest, value = self.document()
        case = self.case(value)
        member, theirs = self.user("member@example.org")
        _, reader = self.user("lector@example.org", profile="read_only", erases_documents=True)
        self.assertEqual((403, 403), (self.erase(case, digest, theirs), self.erase(case, digest, reader)))
        page = self.browser("member@example.org", "another test password").get(f"/cases/{case}")
        self.assertNotIn(f"/documents/{digest}/delete", page.links)
        self.assertEqual(403, theirs.request("PATCH", f"/api/users/{member}", {"erases_documents": True})[0])
        self.api.want(200, "PATCH", f"/api/users/{member}", {"erases_documents": True})
        browser = self.browser("member@example.org", "another test password")
        page = browser.get(f"/cases/{case}")
        self.assertIn(f"/cases/{case}/documents/{digest}/delete", page.links)
        self.assertEqual(200, self.get(case, digest, theirs))
        self.assertEqual(204, self.erase(case, digest, theirs))

    def test_pages_ask_first_and_tell_then(self):
        digest, value = self.document(name="Acta.txt")
        case = self.case(value)
        browser = self.browser(language="es")
        path = f"/cases/{case}/documents/{digest}/delete"
        page = browser.get(path)
        self.assertIn("Acta.txt", page.text)
        self.assertTrue(self.stored(digest))
        form = page.form(path)
        done = browser.send("POST", path, urlencode(form.fields), {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertFalse(self.stored(digest))
        self.assertIn("Acta.txt", done.text)
        gone = browser.get(f"/cases/{case}/documents/{digest}")
        self.assertEqual((410, []), (gone.status, gone.wrong))

    def test_uploads_tell_nothing_of_it_either(self):
        data = b"Por partes\n"
        upload = self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": len(data)})["upload"]
        value = self.api.request("PATCH", f"/api/uploads/{upload}", data,
                                 {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"})[2]["value"]
        self.assertEqual(204, self.erase(self.case(value), value["digest"]))
        self.assertEqual(404, self.api.request("GET", f"/api/uploads/{upload}")[0])

    @unittest.skipIf(POSTGRES, "backups are of the embedded database")
    def test_the_next_backup_has_it_no_more(self):
        digest, value = self.document()
        case = self.case(value)
        place = self.folder / "backups"
        place.mkdir()
        self.server.command("backup", str(place / "monday.db"))
        copy = place / "files" / digest[:2] / digest[2:]
        self.assertTrue(copy.exists())
        self.assertEqual(204, self.erase(case, digest))
        self.server.command("backup", str(place / "tuesday.db"))
        self.assertFalse(copy.exists())
        with sqlite3.connect(place / "tuesday.db") as db:
            self.assertEqual(0, sum(digest.encode() in bytes(row[0]) for row in db.execute("SELECT body FROM payloads")))

    @unittest.skipUnless(POSTGRES, "only several nodes on PostgreSQL have copies")
    def test_another_node_removes_its_copy(self):
        digest, value = self.document()
        case = self.case(value)
        other = Server(self.server.data, TEST_LIMITS)
        other.data = self.folder / "elsewhere"
        other.environment.update(environment_of(self.server.data))
        other.start()
        try:
            there = other.api(self.key)
            copy = other.data / "files" / digest[:2] / digest[2:]
            self.assertEqual(200, self.get(case, digest, there))
            self.assertTrue(copy.exists())
            self.assertEqual(204, self.erase(case, digest))
            self.assertEqual(410, self.get(case, digest, there))
            end = time.monotonic() + 10
            while copy.exists():
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
        finally:
            other.stop()
            shutil.rmtree(other.data, ignore_errors=True)


class Comments(Documents):
    def test_files_come_with_a_comment_and_each_can_be_deleted(self):
        case = self.case(None)
        (one, first), (other, second) = self.document(name="uno.txt"), self.document(name="dos.txt")
        path = f"/api/cases/{case}/comments"
        self.api.want(201, "POST", path, {"text": "Van dos", "files": [first, second]})
        told = self.api.want(200, "GET", f"/api/cases/{case}/history?kind=comments")["items"][0]
        self.assertEqual(["uno.txt", "dos.txt"], [file["name"] for file in told["files"]])
        self.assertEqual((200, 200), (self.get(case, one), self.get(case, other)))
        self.api.want(201, "POST", path, {"text": "", "files": [first]})
        self.assertEqual(204, self.erase(case, one))
        told = self.api.want(200, "GET", f"/api/cases/{case}/history?kind=comments")["items"]
        self.assertEqual([[], ["dos.txt"]], [[file["name"] for file in event.get("files", [])] for event in told])
        self.assertEqual("Van dos", told[1]["text"])
        self.assertEqual((410, 200), (self.get(case, one), self.get(case, other)))
        self.assertFalse(self.stored(one))
        self.sound()

    def test_what_can_not_be_attached(self):
        case = self.case(None)
        for files in ("x", [1], [{"digest": "0" * 64, "name": "x"}], [self.document()[1]] * 21):
            status, _, problem = self.api.request("POST", f"/api/cases/{case}/comments", {"text": "x", "files": files})
            self.assertEqual((422, "files"), (status, problem["errors"][0]["field"]), files)
        self.assertEqual(422, self.api.request("POST", f"/api/cases/{case}/comments", {"text": "", "files": []})[0])

    def test_a_form_without_scripts_carries_them(self):
        case = self.case(None)
        browser = self.browser()
        path = f"/cases/{case}/comments"
        form = browser.get(f"/cases/{case}").form(path)
        self.assertEqual("multipart/form-data", form.enctype)
        fields = [(name, value) for name, value in form.fields if name != "text"] + [("text", "Con archivo")]
        kind, body = multipart(fields, {"files": ("nota.txt", b"Una nota de papel\n")})
        page = browser.send("POST", path, body, {"Content-Type": kind})
        self.assertIn("nota.txt", page.text)
        kind, body = multipart([(n, v + "2" if n == "once" else v) for n, v in fields], {"files": ("x.txt", b"\x7fELF\x02\x01\x01" + bytes(200))})
        page = browser.send("POST", path, body, {"Content-Type": kind})
        self.assertEqual(422, page.status)
        self.assertIn("executed", page.text)


class GivingOut(Documents):
    def answer(self, case, digest, headers=None, more=""):
        return self.api.request("GET", f"/api/cases/{case}/documents/{digest}{more}", None, headers)

    def test_kinds_that_are_safe_are_shown_and_others_saved(self):
        svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        page = b"<!doctype html><html><body><script>alert(1)</script></body></html>"
        for name, data, how, media in (("a.png", PNG, "inline", "image/png"), ("a.pdf", PDF, "inline", "application/pdf"),
                                       ("a.txt", b"Hola\n", "inline", "text/plain; charset=utf-8"),
                                       ("a.svg", svg, "attachment", "application/octet-stream"),
                                       ("a.html", page, "attachment", "application/octet-stream")):
            digest, value = self.document(data, name)
            status, headers, _ = self.answer(self.case(value), digest)
            self.assertEqual((200, media), (status, headers["Content-Type"]), name)
            self.assertTrue(headers["Content-Disposition"].startswith(how), name)
            self.assertEqual("nosniff", headers["X-Content-Type-Options"])
            self.assertEqual(name != "a.pdf", headers["Content-Security-Policy"].startswith("sandbox"), name)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            saved = self.answer(self.case(value), digest, more="?download=1")[1]["Content-Disposition"]
            self.assertTrue(saved.startswith("attachment"), name)

    def test_names_of_any_kind(self):
        digest, value = self.document(name="A%C3%B1o%20%22x%22.txt")
        header = self.answer(self.case(value), digest)[1]["Content-Disposition"]
        self.assertEqual("inline; filename=\"A_o _x_.txt\"; filename*=UTF-8''A%C3%B1o%20%22x%22.txt", header)

    def test_parts_of_a_file(self):
        text = "0123456789" * 10
        digest, value = self.document(text)
        case = self.case(value)
        for asked, wanted, told in (("bytes=10-19", text[10:20], "bytes 10-19/100"), ("bytes=95-", text[95:], "bytes 95-99/100"),
                                    ("bytes=-7", text[-7:], "bytes 93-99/100"), ("bytes=90-500", text[90:], "bytes 90-99/100"),
                                    ("bytes=-500", text, "bytes 0-99/100")):
            status, headers, body = self.answer(case, digest, {"Range": asked})
            self.assertEqual((206, told, wanted), (status, headers["Content-Range"], body), asked)
        for asked in ("bytes=1-2,5-6", "lines=1-2", "bytes=x-3", "bytes=5", "bytes=9-3x", "bytes=5-3"):
            self.assertEqual((200, text), self.answer(case, digest, {"Range": asked})[::2], asked)
        for asked in ("bytes=100-", "bytes=-0"):
            status, headers, _ = self.answer(case, digest, {"Range": asked})
            self.assertEqual((416, "bytes */100"), (status, headers["Content-Range"]), asked)
        tag = self.answer(case, digest)[1]["ETag"]
        self.assertEqual(206, self.answer(case, digest, {"Range": "bytes=0-1", "If-Range": tag})[0])
        self.assertEqual(200, self.answer(case, digest, {"Range": "bytes=0-1", "If-Range": '"other"'})[0])
        self.assertEqual(304, self.answer(case, digest, {"If-None-Match": tag})[0])

    def test_only_of_the_record_that_speaks_of_it(self):
        digest, value = self.document()
        self.case(value)
        other = self.api.want(201, "POST", "/api/cases", {"subject": "Otro"})["id"]
        self.assertEqual((404, 404, 404), (self.get(other, digest), self.get(other, "0" * 64), self.get(other, "..")))

    def test_what_it_was_before_can_be_read_too(self):
        first, value = self.document("Antes\n")
        case = self.case(value)
        self.change(case, self.document("Después\n")[1])
        self.assertEqual((200, "Antes\n"), self.answer(case, first)[::2])


if __name__ == "__main__":
    unittest.main()
