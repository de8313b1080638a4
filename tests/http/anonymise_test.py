"""Anonymising a person: the values go from rows, history, search, storage and the files of the database; the log stays true."""

import json
import re
import sqlite3
import time
import unittest
from urllib.parse import urlencode

from erasing_test import Documents
from support import POSTGRES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Signs that stand nowhere else, so that even an index of trigrams can be searched for them.
NAME, OLD_NAME, MAIL, NOTE = "Жщъѣ Ѫѩѭ", "Ѯѱѳѵ Ѧѧ", "xqzwjk@vhbqz.example", "Ҁ҂ҁ о жизни"


class Anonymising(Documents):
    def person(self, **more):
        values = {"name": OLD_NAME, "email": MAIL, "phone": "+34 600 919 273", "city": "Quzhqa", "source": "web"}
        return self.api.want(201, "POST", "/api/contacts", values | more)["id"]

    def told(self, contact):
        """A person with a history of every kind that names them. Returns what must be gone."""
        photo, value = self.document("Una foto\n", name="zhqretrato.txt")
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"name": NAME, "photo": value})
        contract, attached = self.document(name="zhqcontrato.txt")
        self.api.want(201, "POST", f"/api/contacts/{contact}/comments", {"text": NOTE, "files": [attached]})
        company = self.api.want(201, "POST", "/api/companies", {"name": "Meridiana"})["id"]
        self.api.want(201, "POST", f"/api/companies/{company}/notes", {"way": "call", "text": "Llamada", "contacts": [contact]})
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Trato", "contact": contact, "stage": "qualification"})["id"]
        report = self.api.want(201, "POST", "/api/contacts", {"name": "Otro", "reports_to": contact})["id"]
        return photo, contract, company, deal, report

    def anonymise(self, contact, api=None, **body):
        return (api or self.api).request("POST", f"/api/contacts/{contact}/anonymise", body)

    def bytes_of_database(self):
        return {path.name: path.read_bytes() for path in (self.folder / "data").glob("*.db*")}

    def test_a_person_leaves_and_the_log_is_true(self):
        contact = self.person()
        photo, contract, company, deal, report = self.told(contact)
        before = self.api.want(200, "GET", f"/api/contacts/{contact}/history")["items"]
        seen = self.api.want(200, "GET", f"/api/contacts/{contact}/anonymise")
        self.assertEqual({"name", "email", "phone", "city", "photo"}, {f["field"] for f in seen["fields"] if f["personal"]})
        self.assertEqual({(photo, True), (contract, False)}, {(d["digest"], d["personal"]) for d in seen["documents"]})
        self.assertEqual(1, seen["texts"])
        status, _, certificate = self.anonymise(contact, texts=True, documents=[contract], reason="Art. 17, 2026/31")
        self.assertEqual(200, status, certificate)
        everything = self.whole_log() + json.dumps(certificate)
        for path in (f"contacts/{contact}", f"contacts/{contact}/history", f"companies/{company}/history", f"opportunities/{deal}",
                     f"opportunities/{deal}/history", f"contacts/{report}", f"contacts/{report}/history", "contacts", "opportunities"):
            everything += json.dumps(self.api.want(200, "GET", f"/api/{path}"), ensure_ascii=False)
        everything = json.dumps(json.loads(f"[{json.dumps(everything)}]"), ensure_ascii=False) + everything
        for gone in (NAME, OLD_NAME, MAIL, NOTE, "600919273", "919 273", "Quzhqa", "zhqretrato", "zhqcontrato", photo, contract,
                     json.dumps(NAME)[1:-1], json.dumps(OLD_NAME)[1:-1], json.dumps(NOTE)[1:-1]):
            self.assertNotIn(gone, everything)
        for text in (NAME, OLD_NAME, MAIL, "919273"):
            self.assertEqual([], self.api.want(200, "GET", "/api/search?" + urlencode({"q": text}))["items"], text)
        self.assertEqual([False, False], [self.stored(photo), self.stored(contract)])
        record = self.api.want(200, "GET", f"/api/contacts/{contact}")
        self.assertEqual((f"Anonimizado {contact}", None, "web"), (record["name"], record["email"], record["source"]))
        self.assertEqual(f"Anonimizado {contact}", self.api.want(200, "GET", f"/api/opportunities/{deal}")["contact"]["name"])
        then = self.api.want(200, "GET", f"/api/contacts/{contact}?as_of={before[0]['at']}")
        self.assertEqual((None, None, None), (then["name"], then["email"], then["photo"]))
        # Who, when, and which field stays.
        after = [e for e in self.api.want(200, "GET", f"/api/contacts/{contact}/history")["items"] if e["position"] <= before[0]["position"]]
        self.assertEqual([(e["position"], e["kind"], e["at"], e["actor"]["id"]) for e in before],
                         [(e["position"], e["kind"], e["at"], e["actor"]["id"]) for e in after])
        named = [[c["field"] for c in e["changes"] if c["field"] != "~text"] for e in before]
        self.assertEqual(named, [[c["field"] for c in e["changes"]] for e in after])
        self.sound()

    def test_the_certificate_says_what_went_and_what_stays(self):
        contact = self.person()
        photo, contract, *_ = self.told(contact)
        self.assertEqual(404, self.api.request("GET", f"/api/contacts/{contact}/certificate")[0])
        self.assertEqual(200, self.api.request("GET", "/api/contacts/export.csv")[0])
        self.assertEqual(200, self.anonymise(contact, reason="Art. 17")[0])
        certificate = self.api.want(200, "GET", f"/api/contacts/{contact}/certificate")
        self.assertTrue(certificate["proven"])
        self.assertEqual(["Art. 17"], [o["reason"] for o in certificate["operations"]])
        leaves = [(e["module"], e["kind"], leaf["field"]) for e in certificate["erased"] for leaf in e["leaves"]]
        self.assertEqual(certificate["operations"][0]["values"], len(leaves))
        for wanted in (("contacts", "created", "name"), ("contacts", "edited", "name"), ("companies", "noted", "~people"),
                       ("opportunities", "created", "~names"), ("contacts", "created", "~names")):
            self.assertIn(wanted, leaves)
        self.assertTrue(all(len(leaf["mac"]) == 43 for e in certificate["erased"] for leaf in e["leaves"]))
        # The macs are those in the log, under heads that prove.
        for event in certificate["erased"]:
            proof = self.api.want(200, "GET", f"/api/log/{event['position']}")
            self.assertTrue(proof["proof"]["verified"])
            self.assertLessEqual({leaf["field"] for leaf in event["leaves"]}, {i["field"] for i in proof["items"] if i["closed"]})
        stays = certificate["stays"]
        self.assertEqual((["source"], 1, 1, 1), (stays["fields"], stays["texts"], stays["documents"], stays["exports"]))
        self.assertEqual({"opportunities": 1, "contacts": 1}, {b["module"]: b["count"] for b in stays["belonging"]})
        self.assertTrue(certificate["checkpoint"].startswith("cronista.local/"))
        self.assertTrue(self.stored(contract))
        # Filled in again it can be done again; the certificate then has both.
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"email": MAIL})
        self.assertEqual(200, self.anonymise(contact, fields=["source"])[0])
        again = self.api.want(200, "GET", f"/api/contacts/{contact}/certificate")
        self.assertEqual(2, len(again["operations"]))
        self.assertEqual([], again["stays"]["fields"])
        self.sound()

    def test_links_to_consents_end(self):
        contact = self.person()
        kind = self.api.want(201, "POST", "/api/consent_kinds", {"name": "Boletín", "text": "Escribidme"})["id"]
        made = self.api.want(201, "POST", f"/api/contacts/{contact}/consents/links", {"days": 7})
        path = "/" + made["url"].split("/", 3)[3] if "://" in made["url"] else made["url"]
        self.api.want(200, "POST", f"/api/contacts/{contact}/consents", {"kind": kind, "state": "given"})
        stranger = self.browser(None)
        self.assertEqual(200, stranger.get(path).status)
        self.assertEqual(200, self.anonymise(contact, texts=True)[0])
        self.assertEqual(404, stranger.get(path).status)
        consents = self.api.want(200, "GET", f"/api/contacts/{contact}/consents")
        self.assertEqual(["given"], [one["state"] for one in consents["items"] if one["kind"]["id"] == kind])
        self.sound()

    def test_where_the_record_once_stood_is_known_no_more(self):
        """Values of a list through many events: a rebuild finds as few of them as traceability does."""
        contact = self.person(source="web")
        for n in range(150):
            self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"source": ("referral", "web")[n % 2]})
        way = lambda: next(one for one in self.api.want(200, "GET", f"/api/contacts/{contact}/journey")["journeys"] if one["by"] == "source")
        self.assertEqual(150, way()["changes"])
        self.sound()
        self.assertEqual(200, self.anonymise(contact, fields=["source"])[0])
        self.assertEqual((0, [None]), (way()["changes"], [one["value"] for one in way()["path"]]))
        self.sound()

    def test_many_values_of_many_events_lose_none_but_those(self):
        """What is kept of a record in one piece here has more than a megabyte."""
        ends = ("a" * 32, "b" * 32)
        keys = []
        for n in range(245):
            keys.append(f"x_{n:03d}" + "k" * 27)
            field = {"key": keys[-1], "label": f"F{n}", "type": "choice", "choices": [{"key": key, "label": key[0]} for key in ends]}
            self.api.want(201, "POST", "/api/settings/modules/leads/fields", field)
        lead = self.api.want(201, "POST", "/api/leads", {"name": "Muchos", **{key: ends[0] for key in keys}})["id"]
        for n in range(66):
            self.api.want(200, "PATCH", f"/api/leads/{lead}", {key: ends[(n + 1) % 2] for key in keys})
        changes = lambda: {one["by"]: one["changes"] for one in self.api.want(200, "GET", f"/api/leads/{lead}/journey")["journeys"] if one["by"] in keys}  # noqa: E731
        self.assertEqual({key: 66 for key in keys}, changes())
        status, _, told = self.api.request("POST", f"/api/leads/{lead}/anonymise", {"fields": keys[:1], "texts": True})
        self.assertEqual(200, status, told)
        self.assertEqual({keys[0]: 0} | {key: 66 for key in keys[1:]}, changes())
        self.sound()

    def test_every_document_a_field_ever_held_goes(self):
        """One after the other is deleted, while what the field holds now is told again each time."""
        documents = [self.document(name=f"retrato{n}.txt") for n in range(3)]
        contact = self.person(photo=documents[0][1])
        for _, value in documents[1:]:
            self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"photo": value})
        self.assertEqual(200, self.anonymise(contact)[0])
        self.assertEqual([False] * 3, [self.stored(digest) for digest, _ in documents])
        told = json.dumps(self.api.want(200, "GET", f"/api/contacts/{contact}/history"))
        self.assertEqual([], [digest for digest, _ in documents if digest in told])
        self.assertIsNone(self.api.want(200, "GET", f"/api/contacts/{contact}")["photo"])
        self.sound()

    def test_chosen_documents_go_in_any_order(self):
        self.api.want(201, "POST", "/api/fields", {"of_module": "contacts", "key": "x_contract", "label": "Contrato", "type": "file"})
        for backwards in (False, True):
            documents = [self.document() for _ in range(2)]
            contact = self.person(x_contract=documents[0][1])
            self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"x_contract": documents[1][1]})
            digests = sorted((digest for digest, _ in documents), reverse=backwards)
            self.assertEqual(200, self.anonymise(contact, documents=digests)[0])
            self.assertEqual([False, False], [self.stored(digest) for digest in digests])
            self.assertIsNone(self.api.want(200, "GET", f"/api/contacts/{contact}")["x_contract"])
        self.sound()

    def test_whom_a_comment_told_is_told_no_more(self):
        _, theirs = self.user("mencionada@example.org")
        contact = self.person()
        self.api.want(201, "POST", f"/api/contacts/{contact}/comments", {"text": "Mira, @mencionada"})
        self.assertEqual(1, len(theirs.want(200, "GET", "/api/notifications")["items"]))
        self.assertEqual(200, self.anonymise(contact, texts=True)[0])
        self.assertEqual([], theirs.want(200, "GET", "/api/notifications")["items"])
        self.sound()

    def test_what_a_record_belongs_to_is_not_the_persons(self):
        company = self.api.want(201, "POST", "/api/companies", {"name": "Meridiana"})["id"]
        contact = self.person(company=company)
        for field in ("company", "reports_to", "owner"):
            status, _, problem = self.anonymise(contact, fields=[field])
            self.assertEqual((422, "fields"), (status, problem["errors"][0]["field"]), field)
        page = self.browser().get(f"/contacts/{contact}/anonymise")
        self.assertEqual(["source"], re.findall(r'name="fields" value="(\w+)"', page.source))
        for kind in ({"type": "link", "target": "contacts"}, {"type": "user"}):
            field = {"of_module": "contacts", "key": "x_friend", "label": "Amistad", "personal": True}
            status, _, problem = self.api.request("POST", "/api/fields", field | kind)
            self.assertEqual((422, "personal"), (status, problem["errors"][0]["field"]))

    def test_a_certificate_tells_nothing_of_what_is_hidden(self):
        _, theirs = self.user("dueña@example.org")
        _, other = self.user("otra@example.org", anonymises=True)
        contact = self.person()
        theirs.want(201, "POST", "/api/tasks", {"kind": "task", "subject": "Secreto", "private": True, "contact": contact})
        made = self.anonymise(contact, other)[2]
        self.assertEqual(({"contacts"}, 1), ({e["module"] for e in made["erased"]}, made["unseen"]))
        seen = self.api.want(200, "GET", f"/api/contacts/{contact}/certificate")
        self.assertTrue(made["proven"] and seen["proven"])

    def test_a_certificate_names_no_field_that_is_hidden(self):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": "Half", "contacts": ["view", "edit", "delete", "everyone"], "hidden_contacts": ["city", "phone"]})["id"]
        _, half = self.user("mitad@example.org", f"p{profile}", anonymises=True)
        contact = self.person(phone="")
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": "Otra", "phone": "+34 600 919 274"})
        whole = self.anonymise(contact)[2]
        fields = lambda told: {leaf["field"] for event in told["erased"] for leaf in event["leaves"]}  # noqa: E731
        self.assertEqual({"city", "phone"}, fields(whole) & {"city", "phone"})
        told = half.want(200, "GET", f"/api/contacts/{contact}/certificate")
        self.assertEqual(fields(whole) - {"city", "phone"}, fields(told))
        self.assertNotIn("city", json.dumps(told))
        # An event that lost nothing else is counted, as one that is hidden itself.
        self.assertEqual((len(whole["erased"]) - 1, whole["unseen"] + 1, True), (len(told["erased"]), told["unseen"], told["proven"]))
        self.assertNotIn("City", self.browser("mitad@example.org", "another test password").get(f"/contacts/{contact}/certificate").text)

    def test_what_others_were_called_stays(self):
        one, other = self.person(), self.api.want(201, "POST", "/api/contacts", {"name": "Vecina"})["id"]
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Uno", "contact": other, "stage": "qualification"})["id"]
        self.api.want(200, "PATCH", f"/api/contacts/{other}", {"name": "Vecina nueva"})
        self.assertEqual(200, self.anonymise(one)[0])
        told = self.api.want(200, "GET", f"/api/opportunities/{deal}/history?own=1")["items"][0]
        self.assertEqual("Vecina", told["names"][f"contacts/{other}"])

    def test_a_deleted_person_is_anonymised_and_stays_deleted(self):
        contact = self.person()
        self.api.want(204, "DELETE", f"/api/contacts/{contact}")
        self.assertEqual(200, self.anonymise(contact)[0])
        now = self.api.want(200, "GET", f"/api/contacts/{contact}")
        then = self.api.want(200, "GET", f"/api/contacts/{contact}?as_of=2100-01-01T00:00:00Z")
        self.assertIsNotNone(now["deleted_at"])
        self.assertIsNotNone(then["deleted_at"])
        self.api.want(200, "POST", f"/api/contacts/{contact}/restore")
        self.assertEqual(f"Anonimizado {contact}", self.api.want(200, "GET", f"/api/contacts/{contact}")["name"])
        self.sound()

    def test_what_is_refused(self):
        contact = self.person()
        for body, field in (({"fields": ["nada"]}, "fields"), ({"fields": "name"}, "fields"), ({"documents": "x"}, "documents"),
                            ({"documents": ["0" * 64]}, "documents")):
            status, _, problem = self.anonymise(contact, **body)
            self.assertEqual((422, field), (status, problem["errors"][0]["field"]), body)
        self.assertEqual(MAIL, self.api.want(200, "GET", f"/api/contacts/{contact}")["email"])
        self.assertEqual(404, self.anonymise(99999)[0])
        self.assertEqual(404, self.api.request("GET", "/api/contacts/99999/anonymise")[0])
        company = self.api.want(201, "POST", "/api/companies", {"name": "Sin personas"})["id"]
        self.assertEqual(404, self.api.request("POST", f"/api/companies/{company}/anonymise", {})[0])

    def test_who_may_is_for_an_administrator_to_say(self):
        contact = self.person()
        member, theirs = self.user("anon-member@example.org")
        _, reader = self.user("anon-lector@example.org", profile="read_only", anonymises=True)
        for api in (theirs, reader):
            self.assertEqual(403, self.anonymise(contact, api)[0])
            self.assertEqual(403, api.request("GET", f"/api/contacts/{contact}/anonymise")[0])
            self.assertEqual(403, api.request("GET", f"/api/contacts/{contact}/certificate")[0])
        page = self.browser("anon-member@example.org", "another test password").get(f"/contacts/{contact}")
        self.assertNotIn(f"/contacts/{contact}/anonymise", page.links)
        self.assertEqual(403, theirs.request("PATCH", f"/api/users/{member}", {"anonymises": True})[0])
        self.api.want(200, "PATCH", f"/api/users/{member}", {"anonymises": True})
        page = self.browser("anon-member@example.org", "another test password").get(f"/contacts/{contact}")
        self.assertIn(f"/contacts/{contact}/anonymise", page.links)
        self.assertEqual(200, self.anonymise(contact, theirs)[0])

    def test_pages_ask_first_and_tell_then(self):
        contact = self.person(name="Íñigo Mérida", email="inigo@merida.example")
        twin = self.api.want(201, "POST", "/api/leads", {"name": "Inigo Merida", "email": "inigo@merida.example"})["id"]
        browser = self.browser(language="es")
        path = f"/contacts/{contact}/anonymise"
        page = browser.get(path)
        self.assertIn("inigo@merida.example", page.text)
        self.assertIn(f"/leads/{twin}", page.links)
        form = page.form(path)
        fields = [(n, v) for n, v in form.fields if n not in ("sure", "reason")]
        again = browser.send("POST", path, urlencode(fields), FORM)
        self.assertEqual(422, again.status)
        self.assertEqual("inigo@merida.example", self.api.want(200, "GET", f"/api/contacts/{contact}")["email"])
        done = browser.send("POST", path, urlencode(fields + [("sure", "1"), ("reason", "Expediente 31")]), FORM)
        self.assertEqual((200, []), (done.status, done.wrong))
        self.assertIn("Expediente 31", done.text)
        self.assertNotIn("inigo@merida.example", done.text)
        card = browser.get(f"/contacts/{contact}")
        self.assertIn(f"/contacts/{contact}/certificate", card.links)
        self.assertNotIn("Mérida", card.text)
        event = self.api.want(200, "GET", f"/api/contacts/{contact}/certificate")["erased"][0]["position"]
        self.assertEqual([], browser.get(f"/log/{event}").wrong)

    @unittest.skipIf(POSTGRES, "PostgreSQL keeps its files itself")
    def test_nothing_is_left_in_the_files_of_the_database(self):
        contact = self.person(notes="Ѹѹѻ")
        self.told(contact)
        end = time.monotonic() + 20
        def found():
            return [(name, mark) for name, data in self.bytes_of_database().items()
                    for mark in (NAME, MAIL, "xqzwjk", "Quzhqa", "zhqretrato", "Ѹѹѻ", "ѹѹѻ", "жщъ") if mark.encode() in data]
        while not any(name.startswith("search.db") for name, mark in found() if mark == "жщъ"):
            self.assertLess(time.monotonic(), end, "it never was in the index")
            time.sleep(0.05)
        self.assertEqual(200, self.anonymise(contact, texts=True)[0])
        for document in self.api.want(200, "GET", f"/api/contacts/{contact}/anonymise")["documents"]:
            path = f"/api/contacts/{contact}/documents/{document['digest']}?nameless=true"
            self.assertEqual(204, self.api.request("DELETE", path)[0])
        while left := found():
            self.assertLess(time.monotonic(), end, left)
            time.sleep(0.05)

    @unittest.skipIf(POSTGRES, "PostgreSQL keeps its files itself")
    def test_a_server_that_is_killed_leaves_the_rest_to_the_next(self):
        contact = self.person(name=NAME)
        path = self.folder / "data"
        end = time.monotonic() + 20
        while not self.api.want(200, "GET", "/api/search?" + urlencode({"q": NAME}))["items"] or "жщъ".encode() not in self.bytes_of_database().get("search.db-wal", b""):
            self.assertLess(time.monotonic(), end, "it never was in the index")
            time.sleep(0.05)
        readers = []
        for name, table in (("cronista.db", "log"), ("search.db", "search_state")):  # who reads in a journal keeps it
            readers.append(sqlite3.connect(path / name, isolation_level=None))
            self.addCleanup(readers[-1].close)
            readers[-1].execute("BEGIN")
            readers[-1].execute(f"SELECT * FROM {table}").fetchall()
        self.assertEqual(200, self.anonymise(contact)[0])
        while self.api.want(200, "GET", "/api/search?" + urlencode({"q": NAME}))["items"]:
            time.sleep(0.05)
        self.server.kill()
        # A copy, as if the power had gone: SQLite itself empties a journal when the last one closes it.
        kept = self.bytes_of_database()
        for reader in readers:
            reader.close()
        for name, data in kept.items():
            (path / name).write_bytes(data)
        marks = [mark.encode() for mark in (NAME, MAIL, "жщъ")]
        def found():
            return [(name, mark) for name, data in self.bytes_of_database().items() for mark in marks if mark in data]
        self.assertEqual({"cronista.db", "search.db"}, {name.removesuffix("-wal") for name, _ in found() if not name.endswith("-shm")})
        self.server.start()
        type(self).api = self.server.api(self.key)
        end = time.monotonic() + 20
        while left := found():
            self.assertLess(time.monotonic(), end, left)
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
