#!/usr/bin/env python3
"""What events say beside their changes: names, people, phases, steps. It is for nobody from whom the field is hidden that says the same."""

import http.client
import json
import time
import unittest

from harness import Story
from permissions_test import rows
from support import ROOT, Stream

MODULES = ("contacts", "companies", "cases", "opportunities", "tasks", "leads", "products")
ALL = ["view", "create", "edit", "delete", "export"]
PASSWORD = "another test password"
WORDS = ("Zqgroup", "Zqcompany", "Zqforeign", "Zqstep", "Zqprocess", "negotiation")


class Telling(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        want = cls.api.want
        rights = {m: ALL + (["everyone"] if m == "companies" else []) for m in MODULES}
        hidden = {"hidden_cases": ["group", "company", "status"], "hidden_opportunities": ["company", "stage", "process"], "hidden_tasks": ["done"]}
        own = want(201, "POST", "/api/profiles", {"name": "Own", **rights, **hidden})["id"]
        cls.me, cls.mine = cls.user("telling-me@example.org", f"p{own}")
        cls.other, _ = cls.user("telling-other@example.org", f"p{own}")
        # The contacts of others are out of reach; companies are everyone's, and are named where that is not hidden.
        cls.company = want(201, "POST", "/api/companies", {"name": "Zqcompany"})["id"]
        group = want(201, "POST", "/api/groups", {"name": "Zqgroup"})["id"]
        cls.contact = want(201, "POST", "/api/contacts", {"name": "Person", "owner": cls.me, "company": cls.company})["id"]
        cls.foreign = want(201, "POST", "/api/contacts", {"name": "Zqforeign", "owner": cls.other})["id"]
        cls.case = want(201, "POST", "/api/cases", {"subject": "Case", "owner": cls.me, "group": group, "company": cls.company, "contact": cls.contact})["id"]
        process = want(201, "POST", "/api/processes", {"name": "Zqprocess", "of_module": "opportunities", "steps": "Zqstep one\nZqstep two"})["id"]
        cls.deal = want(201, "POST", "/api/opportunities", {"name": "Deal", "owner": cls.me, "stage": "negotiation"})["id"]
        want(200, "PATCH", f"/api/opportunities/{cls.deal}", {"contact": cls.contact, "company": cls.company})
        want(200, "PATCH", f"/api/opportunities/{cls.deal}", {"process": process})
        step = want(200, "GET", f"/api/opportunities/{cls.deal}/steps")["items"][0]["key"]
        want(201, "POST", f"/api/opportunities/{cls.deal}/steps", {"step": step, "done": True})
        want(200, "PATCH", f"/api/cases/{cls.case}", {"status": "open"})
        for card in (f"/api/cases/{cls.case}", f"/api/contacts/{cls.contact}"):
            want(201, "POST", f"{card}/notes", {"way": "call", "text": "Called", "contacts": [cls.contact, cls.foreign]})

    def text(self, api, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {api.key}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def events(self, api, path):
        return api.want(200, "GET", path)["items"]

    def test_beside_hidden_fields_nothing_says_the_same(self):
        whole = json.dumps([self.events(self.api, f"/api/{card}/history?limit=200") for card in (f"cases/{self.case}", f"opportunities/{self.deal}", f"contacts/{self.contact}")])
        for word in WORDS:
            self.assertIn(word, whole)  # whoever may read all is told
        browser = self.browser("telling-me@example.org", PASSWORD, "en")
        for card in (f"cases/{self.case}", f"opportunities/{self.deal}"):
            positions = [event["position"] for event in self.events(self.mine, f"/api/{card}/history?limit=200&own=1")]
            self.assertGreaterEqual(len(positions), 3)
            paths = [f"/api/{card}/history", f"/api/{card}?history=50&related=1", f"/api/{card}/history/export.jsonl", f"/api/{card}/history/export.csv",
                     f"/api/{card}/ribbon"]
            paths += [f"/api/{what}/{position}" for position in positions for what in ("log", "log/receipt", "operations")]
            for path in paths:
                status, body = self.text(self.mine, path)
                with self.subTest(path):
                    self.assertEqual(200, status)
                    self.assertEqual([], [word for word in WORDS if word in body])
            for path in [f"/{card}", f"/{card}/history"] + [f"/log/{position}" for position in positions]:
                page = browser.get(path)
                with self.subTest(path):
                    self.assertEqual(200, page.status)
                    self.assertEqual([], [word for word in WORDS + ("Negotiation",) if word in page.source])

    def test_notes_name_nobody_out_of_reach(self):
        for card in (f"/api/cases/{self.case}", f"/api/contacts/{self.contact}"):
            noted = [event for event in self.events(self.mine, f"{card}/history?limit=200") if event["kind"] == "noted"]
            self.assertEqual(["Person"], [person["name"] for event in noted for person in event["people"]][:1])
            self.assertNotIn("Zqforeign", json.dumps(noted))

    def test_no_text_is_found_that_is_not_shown(self):
        for card in (f"cases/{self.case}", f"opportunities/{self.deal}"):
            for word in WORDS:
                with self.subTest(f"{card} {word}"):
                    self.assertEqual([], self.events(self.mine, f"/api/{card}/history?text={word}"))
        self.assertTrue(self.events(self.api, f"/api/cases/{self.case}/history?text=zqgroup"))
        self.assertTrue(self.events(self.mine, f"/api/contacts/{self.contact}/history?text=Called"))

    def test_a_contact_is_told_of_a_deal_without_its_hidden_phase(self):
        linked = [event for event in self.events(self.mine, f"/api/contacts/{self.contact}/history?limit=200") if event["module"] == "opportunities"]
        self.assertTrue(linked)
        self.assertNotIn("negotiation", json.dumps(linked))
        page = self.browser("telling-me@example.org", PASSWORD, "en").get(f"/contacts/{self.contact}")
        self.assertIn("Deal", page.source)
        self.assertNotIn("Negotiation", page.source)

    def test_an_activity_whose_end_is_hidden_is_neither_open_nor_done(self):
        self.api.want(201, "POST", "/api/tasks", {"subject": "Zqtask", "kind": "task", "owner": self.me, "contact": self.contact})
        page = self.browser("telling-me@example.org", PASSWORD, "en").get(f"/contacts/{self.contact}")
        self.assertIn("Zqtask", page.source)
        self.assertNotIn("still open", page.source)
        self.assertIn("still open", self.browser(language="en").get(f"/contacts/{self.contact}").source)

    def test_a_story_does_not_follow_hidden_fields(self):
        card = f"/api/companies/{self.company}"
        self.assertIn("cases", {event["module"] for event in self.events(self.api, f"{card}/history?limit=200")})
        self.assertEqual({"companies", "contacts"}, {event["module"] for event in self.events(self.mine, f"{card}/history?limit=200")})
        self.assertEqual([], self.events(self.mine, f"{card}/history?kind=cases"))
        page = self.browser("telling-me@example.org", PASSWORD).get(f"/companies/{self.company}").source
        self.assertNotIn(f"/cases/{self.case}", page)
        stream = Stream(self.server.port, f"/api/live?record=companies/{self.company}", {"Authorization": f"Bearer {self.mine.key}"})
        self.api.want(200, "PATCH", f"/api/cases/{self.case}", {"priority": f"{'high' if time.time_ns() % 2 else 'low'}"})
        self.api.want(200, "PATCH", card, {"city": f"City {time.time_ns()}"})
        newest = self.events(self.api, f"{card}/history?own=1&limit=1")[0]["position"]
        stream.wait_for(1)
        self.assertEqual([newest], stream.positions)
        stream.close()

    def test_kinds_of_events_do_not_tell_what_hidden_fields_say(self):
        path = f"/api/cases/{self.case}/history?kind=status"
        self.assertTrue(self.events(self.api, path))
        self.assertEqual([], self.events(self.mine, path))
        self.assertTrue(self.events(self.mine, f"/api/cases/{self.case}/history?kind=status,notes"))
        self.assertNotIn("edited", [event["kind"] for event in self.events(self.mine, f"/api/cases/{self.case}/history?kind=status,notes")])


class Blind(Story):
    """Somebody from whom every field is hidden that can be."""

    def test_nothing_is_asked_of_hidden_fields(self):
        want, hidden, ids = self.api.want, {}, {}
        modules = [(path.stem, json.loads(path.read_text())) for path in sorted((ROOT / "modules").glob("*.json"))]
        modules = [(key, d) for key, d in modules if key in MODULES]
        for key, d in modules:
            hidden[f"hidden_{key}"] = [field["key"] for field in d["fields"] if field["key"] != d["title"]]
        rights = {key: ALL + ["everyone", "edit_everyone", "import"] for key in MODULES}
        profile = want(201, "POST", "/api/profiles", {"name": "Blind", **rights, **hidden})["id"]
        contact = want(201, "POST", "/api/contacts", {"name": "Ana"})["id"]
        for key, d in modules:
            values = {d["title"]: "Seen", **({"contact": contact} if any(f["key"] == "contact" for f in d["fields"]) else {})}
            ids[key] = want(201, "POST", f"/api/{key}", {**values, **({"kind": "call", "due": "2030-01-01T10:00:00Z"} if key == "tasks" else {})})["id"]
        _, blind = self.user("telling-blind@example.org", f"p{profile}")
        browser, asked = self.browser("telling-blind@example.org", PASSWORD), 0
        for method, path, *_ in rows():
            if method != "GET" or any(word in path for word in ("/live", "/export", "/difference", "/sample", "/log/proof")):
                continue
            for key in MODULES if "{module}" in path else MODULES[:1]:
                filled = path.replace("{module}", key).replace("{id}", str(ids[key])).replace("{position}", "3")
                if "{" in filled:
                    continue
                asked += 1
                with self.subTest(filled):
                    status = blind.request("GET", filled)[0] if path.startswith("/api") else browser.get(filled).status
                    self.assertIn(status, (200, 303, 403, 404))
        self.assertGreater(asked, 300)
        self.assertEqual(422, blind.request("GET", "/api/activities?when=done")[0])
        self.assertEqual(["Seen"], [task["subject"] for task in self.api.want(200, "GET", "/api/tasks")["items"]])


if __name__ == "__main__":
    unittest.main()
