"""Undoing an operation: saves, bulk changes, deletions, imports, undoings; what is kept, what is refused, by whom."""

import os
import subprocess
import threading
import time
import unittest

from harness import ADMINISTRATOR, Story, at_once
from support import PROGRAM, environment_of


def told(preview, fate):
    """What a preview tells of fields (or whole records) with this fate: (record id, field or None)."""
    found = set()
    for item in preview["items"]:
        if item["fate"] == fate and not item["fields"]:
            found.add((item["id"], None))
        if item["does"] != "change" and item["fate"] == fate:
            found.add((item["id"], None))
        for part in item["fields"] if item["does"] == "change" else []:
            if part["fate"] == fate:
                found.add((item["id"], part["field"]))
    return found


class Base(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eva, cls.eva_api = cls.user("eva@example.org")

    def operation_of(self, api, module, number):
        return api.want(200, "GET", f"/api/{module}/{number}/history?limit=1")["items"][0]["operation"]

    def create(self, module, values, api=None):
        return (api or self.api).want(201, "POST", f"/api/{module}", values)["id"]

    def change(self, module, number, values, api=None):
        (api or self.api).want(200, "PATCH", f"/api/{module}/{number}", values)
        return self.operation_of(api or self.api, module, number)

    def get(self, module, number, api=None):
        return (api or self.api).want(200, "GET", f"/api/{module}/{number}")

    def preview(self, operation, api=None, status=200):
        return (api or self.api).want(status, "POST", f"/api/operations/{operation}/undo?preview=1", {})

    def undo(self, operation, api=None, status=None):
        api = api or self.api
        got, _, answer = api.request("POST", f"/api/operations/{operation}/undo", {})
        self.assertIn(got, (status,) if status else (200, 202), answer)
        if got == 202:
            end = time.monotonic() + 120
            while answer["undo"]["state"] == "running" and time.monotonic() < end:
                time.sleep(0.05)
                answer = api.want(200, "GET", f"/api/operations/{operation}/undo")
            self.assertEqual(answer["undo"]["state"], "done", answer["undo"])
        return answer["undo"] if got < 300 else answer

    def bring(self, module, text):
        status, _, answer = self.api.request("POST", f"/api/import/{module}?name=many.csv&on_duplicate=merge", text.encode(), {"Content-Type": "text/csv"})
        self.assertIn(status, (200, 202), answer)
        end = time.monotonic() + 60
        while answer.get("state") in ("running", "waiting") and time.monotonic() < end:
            time.sleep(0.1)
            answer = self.api.want(200, "GET", f"/api/import/{module}/{answer['id']}")
        return {"id": answer["id"], "operation": self.api.want(200, "GET", f"/api/imports/{answer['id']}")["operation"]}


class Undoing(Base):
    def test_one_save(self):
        one = self.create("companies", {"name": "Acme", "city": "Quito"})
        operation = self.change("companies", one, {"city": "Lima", "name": "Acme SA"})
        preview = self.preview(operation)["preview"]
        self.assertEqual((preview["changed"], preview["kept"], preview["refused"]), (1, 0, 0))
        self.assertEqual(told(preview, "back"), {(one, "city"), (one, "name")})
        fields = {f["field"]: f for f in preview["items"][0]["fields"]}
        self.assertEqual((fields["city"]["now"], fields["city"]["back"]), ("Lima", "Quito"))
        self.assertEqual(self.get("companies", one)["city"], "Lima")  # a preview changes nothing
        undo = self.undo(operation)
        self.assertEqual((undo["state"], undo["changed"], undo["kept"], undo["refused"]), ("done", 1, 0, 0))
        now = self.get("companies", one)
        self.assertEqual((now["city"], now["name"]), ("Quito", "Acme"))
        # Its events say which they undo, by their cause, and the operation which one.
        got = self.api.want(200, "GET", f"/api/operations/{undo['operation']}")
        self.assertEqual((got["undoes"], got["undone_by"], got["may_undo"]), (operation, None, True))
        self.assertEqual({e["kind"]: e["cause"] for e in got["items"]}, {"edited": operation, "undone": operation})
        self.assertEqual([e["undoes"] for e in got["items"] if e["kind"] == "undone"], [operation])
        self.assertEqual(self.api.want(200, "GET", f"/api/operations/{operation}")["undone_by"], undo["operation"])

    def test_undone_twice_and_undone_again(self):
        one = self.create("companies", {"name": "Twice", "city": "Quito"})
        operation = self.change("companies", one, {"city": "Lima"})
        first = self.undo(operation)
        length = self.get("companies", one)["version"]
        again = self.undo(operation)
        self.assertEqual((again["state"], again["operation"], again["changed"]), ("done", None, 0))
        self.assertEqual(self.get("companies", one)["version"], length)
        redo = self.undo(first["operation"])
        self.assertEqual((redo["changed"], self.get("companies", one)["city"]), (1, "Lima"))
        self.assertEqual(self.undo(operation)["changed"], 1)
        self.assertEqual(self.get("companies", one)["city"], "Quito")

    def test_edited_since(self):
        eva, eva_api = self.eva, self.eva_api
        one = self.create("companies", {"name": "Since", "city": "Quito", "website": "https://a.example/"})
        operation = self.change("companies", one, {"city": "Lima", "website": "https://b.example/"})
        self.change("companies", one, {"city": "Cali"}, eva_api)
        preview = self.preview(operation)["preview"]
        self.assertEqual(told(preview, "kept"), {(one, "city")})
        self.assertEqual(told(preview, "back"), {(one, "website")})
        kept = next(f for f in preview["items"][0]["fields"] if f["fate"] == "kept")
        self.assertEqual(kept["by"]["id"], eva)
        self.assertTrue(kept["at"])
        undo = self.undo(operation)
        self.assertEqual((undo["changed"], undo["kept"]), (1, 1))
        self.assertEqual([(t["fate"], t["field"], t["by"]["id"]) for t in undo["told"]], [("kept", "city", eva)])
        now = self.get("companies", one)
        self.assertEqual((now["city"], now["website"]), ("Cali", "https://a.example/"))

    def test_creating_goes_to_the_bin_and_comes_back(self):
        one = self.create("contacts", {"name": "Made"})
        operation = self.operation_of(self.api, "contacts", one)
        undo = self.undo(operation)
        self.assertEqual(undo["changed"], 1)
        self.assertTrue(self.get("contacts", one)["deleted_at"])
        self.assertEqual(self.preview(operation)["preview"]["already"], 1)
        self.undo(undo["operation"])
        self.assertIsNone(self.get("contacts", one)["deleted_at"])

    def test_another_deletion_since_stays(self):
        one, two = self.create("companies", {"name": "Gone"}), self.create("companies", {"name": "Gone once"})
        operations = {}
        for number in (one, two):
            self.eva_api.want(204, "DELETE", f"/api/companies/{number}")
            operations[number] = self.operation_of(self.api, "companies", number)
        self.api.want(200, "POST", f"/api/companies/{one}/restore", {})
        self.api.want(204, "DELETE", f"/api/companies/{one}")
        preview = self.preview(operations[one], self.eva_api)["preview"]
        self.assertEqual(told(preview, "kept"), {(one, None)})
        self.assertEqual(preview["items"][0]["by"]["id"], 1)
        undo = self.undo(operations[one], self.eva_api)
        self.assertEqual((undo["changed"], undo["kept"]), (0, 1))
        self.assertTrue(self.get("companies", one)["deleted_at"])
        self.assertEqual(self.undo(operations[two], self.eva_api)["changed"], 1)
        self.assertIsNone(self.get("companies", two)["deleted_at"])

    def test_an_operation_one_may_not_know_of(self):
        one = self.create("companies", {"name": "Not for leads"})
        operation = self.operation_of(self.api, "companies", one)
        for scope, modules, status in (("read", ["leads"], 404), ("read", ["companies"], 200)):
            key = self.server.api(self.server.command("token", "add", ADMINISTRATOR, "--scope", scope, "--modules", ",".join(modules))[1].strip().splitlines()[-1])
            key.want(status, "GET", f"/api/operations/{operation}")
            key.want(status, "GET", f"/api/operations/{operation}/undo")

    def test_an_import_of_another_process_that_still_runs(self):
        path = self.server.data / "many.csv"
        path.write_text("name\n" + "".join(f"Running {i}\n" for i in range(400000)), encoding="utf-8")
        child = subprocess.Popen([PROGRAM, "import", "companies", str(path), "--data", str(self.server.data)],
                                 env={**os.environ, **environment_of(self.server.data)}, stdout=subprocess.DEVNULL)
        running = "/api/companies?limit=1&sort=-id&filter[name][starts]=Running"
        while not (found := self.api.want(200, "GET", running)["items"]):
            self.assertIsNone(child.poll(), "it was over before it could be undone")
            time.sleep(0.02)
        operation = self.operation_of(self.api, "companies", found[0]["id"])
        answer = self.undo(operation, status=409)
        self.api.want(409, "GET", f"/api/operations/{operation}/undo")
        self.assertIsNone(child.poll(), "it was over before it could be undone")
        self.assertIn("importación", answer["detail"])
        child.kill()  # there is far more than it takes to ask: then it is no more
        child.wait()
        self.api.want(200, "GET", f"/api/operations/{operation}/undo")

    def test_created_and_edited_by_somebody_since_stays(self):
        made = self.create("contacts", {"name": "Made"})
        operation = self.operation_of(self.api, "contacts", made)
        self.change("contacts", made, {"city": "Lima"})
        preview = self.preview(operation)["preview"]
        self.assertEqual((preview["changed"], preview["kept"]), (0, 1))
        self.assertEqual(self.undo(operation)["kept"], 1)
        self.assertIsNone(self.get("contacts", made)["deleted_at"])
        # As it was made it goes again.
        self.change("contacts", made, {"city": None})
        self.assertEqual(self.undo(operation)["changed"], 1)

    def test_bulk_changes(self):
        eva = self.eva
        them = [self.create("companies", {"name": f"Bulk {i}"}) for i in range(7)]
        done = self.api.want(200, "POST", "/api/companies/bulk", {"do": "assign", "id": them, "user": eva})
        self.assertEqual(self.undo(done["operation"])["changed"], 7)
        self.assertEqual({self.get("companies", i)["owner"]["id"] for i in them}, {1})
        done = self.api.want(200, "POST", "/api/companies/bulk", {"do": "delete", "id": them})
        self.api.want(200, "POST", f"/api/companies/{them[0]}/restore", {})
        undo = self.undo(done["operation"])
        self.assertEqual(undo["changed"], 6)
        self.assertEqual({self.get("companies", i)["deleted_at"] for i in them}, {None})
        done = self.api.want(200, "POST", "/api/companies/bulk", {"do": "duplicate", "id": them})
        self.assertEqual(self.undo(done["operation"])["changed"], 7)

    def test_more_than_a_slice(self):
        rows = "Name\n" + "".join(f"Many {i}\n" for i in range(450))
        report = self.bring("companies", rows)
        operation = report["operation"]
        undo = self.undo(operation)
        self.assertEqual((undo["changed"], undo["kept"], undo["refused"]), (450, 0, 0))
        left = self.api.want(200, "GET", "/api/companies?filter[name][starts]=Many&count=1")["count"]
        self.assertEqual(left, 0)
        # The import says that it is undone, and that it is not after that was undone too.
        state = self.api.want(200, "GET", f"/api/imports/{report['id']}")["state"]
        self.assertEqual(state, "undone")
        self.assertEqual(self.undo(undo["operation"])["changed"], 450)
        self.assertEqual(self.api.want(200, "GET", "/api/companies?filter[name][starts]=Many&count=1")["count"], 450)
        self.assertEqual(self.api.want(200, "GET", f"/api/imports/{report['id']}")["state"], "done")

    def test_what_is_undone_is_not_offered_again(self):
        """Nor where there are more events than one preview looks at; what of it is there again can be undone again."""
        report = self.bring("companies", "Name\n" + "".join(f"Very many {i}\n" for i in range(10100)))
        operation, browser = report["operation"], self.browser()
        address = f"/operations/{operation}/undo"
        page = browser.get(address)
        self.assertIn("Looked through: 10,000 events of 10,1", page.text)
        self.assertIn("Undo it", page.text)
        browser.submit(address)
        page = browser.until_done()
        self.assertIn("The operation is undone.", page.text)
        self.assertNotIn("Undo it", page.text)
        for name, at in (("Very many 10099", address), ("Very many 5", None)):
            one = self.api.want(200, "GET", f"/api/companies?filter[name]={name.replace(' ', '+')}&deleted=1")["items"][0]["id"]
            self.api.want(200, "POST", f"/api/companies/{one}/restore", {})
            if not at:  # among the older ones
                self.assertNotIn("Undo it", page.text)
                self.assertNotIn("nothing that could be undone", page.text)
                at = [link for link in page.links if link.startswith(address + "?before=")][0]
            page = browser.get(at)
            self.assertRegex(page.text, "Records that would be put back 1 ")
            self.assertIn("Undo it", page.text)
            browser.submit(address)
            page = browser.until_done()

    def test_an_import_that_changed_records(self):
        one = self.create("companies", {"name": "There already", "city": "Quito", "email": "there@example.org"})
        report = self.bring("companies", "Name,E-mail,City\nThere already,there@example.org,Lima\nNew here,new@example.org,Cali\n")
        self.assertEqual(self.get("companies", one)["city"], "Lima")
        self.assertEqual(self.undo(report["operation"])["changed"], 2)
        self.assertEqual(self.get("companies", one)["city"], "Quito")

    def test_who_may(self):
        eva, eva_api = self.user("evelyn@example.org")
        lea, lea_api = self.user("lea@example.org", "read_only")
        one = self.create("companies", {"name": "Whose", "city": "Quito"})
        theirs = self.change("companies", one, {"city": "Lima"})
        self.undo(theirs, eva_api, 403)
        self.undo(theirs, lea_api, 403)
        self.undo(10**12, eva_api, 404)
        self.assertFalse(eva_api.want(200, "GET", f"/api/operations/{theirs}")["may_undo"])
        own = self.change("companies", one, {"city": "Cali"}, eva_api)
        self.assertTrue(eva_api.want(200, "GET", f"/api/operations/{own}")["may_undo"])
        self.assertEqual(self.undo(own, eva_api)["changed"], 1)
        self.assertEqual(self.get("companies", one)["city"], "Lima")
        # What one may no longer change stays, and it is said why.
        mine = self.change("companies", one, {"city": "Loja"}, eva_api)
        self.api.want(200, "PATCH", f"/api/users/{eva}", {"profile": "read_only"})
        preview = eva_api.want(200, "GET", f"/api/operations/{mine}/undo")["preview"]
        self.assertEqual(told(preview, "refused"), {(one, "city")})
        self.undo(mine, eva_api, 403)
        profile = self.create("profiles", {"name": "Contacts alone", "companies": ["view", "everyone"], "contacts": ["view", "edit"]})
        self.api.want(200, "PATCH", f"/api/users/{eva}", {"profile": f"p{profile}"})
        undo = self.undo(mine, eva_api)
        self.assertEqual((undo["changed"], undo["refused"], undo["operation"]), (0, 1, None))
        self.assertEqual(self.undo(mine)["changed"], 1)  # an administrator may

    def test_of_records_out_of_reach_nothing_is_told(self):
        eva_api = self.eva_api
        task = self.create("tasks", {"subject": "Quiet", "kind": "task"}, eva_api)
        operation = self.change("tasks", task, {"subject": "Quieter"})
        self.change("tasks", task, {"private": True}, eva_api)
        self.api.want(404, "GET", f"/api/tasks/{task}")
        preview = self.preview(operation)["preview"]
        self.assertEqual((preview["items"], preview["changed"], preview["refused"]), ([], 0, 0))
        self.assertIsNone(self.undo(operation)["operation"])
        self.assertEqual(self.get("tasks", task, eva_api)["subject"], "Quieter")

    def test_a_link_between_what_is_hidden_is_not_told(self):
        """As the record's story tells nothing of it: neither before it is undone nor after that."""
        may = ["view", "create", "edit", "delete"]
        profile = self.create("profiles", {"name": "Own alone", **{m: may for m in ("companies", "opportunities")}})
        xia, api = self.user("xia@example.org", f"p{profile}")
        one, other = (self.create("companies", {"name": name}, api) for name in ("First", "Second"))
        deal = self.create("opportunities", {"name": "Deal", "company": one}, api)
        operation = self.change("opportunities", deal, {"company": other, "name": "Bargain"}, api)
        link = self.change("opportunities", deal, {"company": one}, api)
        self.change("opportunities", deal, {"company": self.create("companies", {"name": "Third"})})
        story = lambda of: [c["field"] for e in api.want(200, "GET", f"/api/operations/{of}")["items"] for c in e["changes"]]  # noqa: E731
        self.assertEqual({(deal, "company")}, told(self.preview(link, api)["preview"], "kept"))
        for company in (one, other):
            self.api.want(200, "PATCH", f"/api/companies/{company}", {"owner": self.eva})
        self.assertEqual(([], ["name"]), (story(link), story(operation)))
        self.assertEqual([], self.preview(link, api)["preview"]["items"])
        fields = self.preview(operation, api)["preview"]["items"][0]["fields"]
        self.assertEqual([("name", "back")], [(f["field"], f["fate"]) for f in fields])
        # Undone by somebody who knows both; what that told is for others as they may know it then.
        self.assertEqual([("company", "kept")], [(t["field"], t["fate"]) for t in self.undo(link)["told"]])
        self.assertEqual([], api.want(200, "GET", f"/api/operations/{link}/undo")["undo"]["told"])
        self.assertEqual(1, len(self.api.want(200, "GET", f"/api/operations/{link}/undo")["undo"]["told"]))
        self.api.want(200, "PATCH", f"/api/companies/{one}", {"owner": xia})
        self.assertEqual(["company"], [t["field"] for t in api.want(200, "GET", f"/api/operations/{link}/undo")["undo"]["told"]])

    def test_nothing_is_counted_that_is_hidden(self):
        may = ["view", "create", "edit", "delete"]
        profile = self.create("profiles", {"name": "Own companies", "companies": may})
        yan, api = self.user("yan@example.org")
        many = [self.create("companies", {"name": f"Counted {n}"}, api) for n in range(5)]
        operation = api.want(200, "POST", "/api/companies/bulk", {"do": "assign", "id": many, "user": self.eva})["operation"]
        self.assertEqual(5, self.preview(operation, api)["events"])
        self.api.want(200, "PATCH", f"/api/users/{yan}", {"profile": f"p{profile}"})
        self.api.want(200, "PATCH", f"/api/companies/{many[0]}", {"owner": yan})
        self.assertEqual((1, {"assigned": 1}), (self.preview(operation, api)["events"], api.want(200, "GET", f"/api/operations/{operation}")["counts"]))
        self.assertEqual(5, self.preview(operation)["events"])
        self.api.want(200, "PATCH", f"/api/companies/{many[0]}", {"owner": 1})
        numbers = lambda undo: [undo[name] for name in ("all", "seen", "changed", "kept", "refused")]  # noqa: E731
        self.assertEqual([5, 5, 4, 1, 0], numbers(self.undo(operation)))
        for one in many:
            self.api.want(200, "PATCH", f"/api/companies/{one}", {"owner": yan if one == many[0] else self.eva})
        seen = api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]
        self.assertEqual(([None] * 5, many[:1]), (numbers(seen), [t["id"] for t in seen["told"]]))
        page = self.browser("yan@example.org", "another test password").get(f"/operations/{operation}/undo")
        self.assertNotIn("4", page.text.split("The operation is undone.")[1].split("What was not changed")[0])
        # What one had undone oneself is counted as far as one knew it.
        mine = self.undo(operation, api)
        self.assertEqual([None, None, 0, 0, 0], numbers(mine))

    def test_a_deleted_record_and_values_that_clash(self):
        one = self.create("companies", {"name": "Going", "city": "Quito"})
        operation = self.change("companies", one, {"city": "Lima"})
        self.api.want(204, "DELETE", f"/api/companies/{one}")
        self.assertEqual(told(self.preview(operation)["preview"], "refused"), {(one, "city")})
        undo = self.undo(operation)
        self.assertEqual((undo["changed"], undo["refused"]), (0, 1))
        self.assertIn("eliminado", undo["told"][0]["why"])
        # Unique values: another record has the old one by now.
        group = self.create("groups", {"name": "Old name"})
        renamed = self.change("groups", group, {"name": "New name", "description": "and this"})
        self.create("groups", {"name": "Old name"})
        preview = self.preview(renamed)["preview"]
        self.assertEqual((told(preview, "refused"), told(preview, "back")), ({(group, "name")}, {(group, "description")}))
        undo = self.undo(renamed)
        self.assertEqual((undo["changed"], undo["refused"]), (1, 1))
        self.assertEqual((self.get("groups", group)["name"], self.get("groups", group)["description"]), ("New name", None))

    def test_what_was_erased_never_comes_back(self):
        one = self.create("contacts", {"name": "Ana Pérez", "email": "ana@example.org", "city": "Quito"})
        operation = self.change("contacts", one, {"email": "ana@other.example", "city": "Lima"})
        self.api.want(200, "POST", f"/api/contacts/{one}/anonymise", {})
        preview = self.preview(operation)["preview"]
        self.assertIn((one, "email"), told(preview, "refused"))
        undo = self.undo(operation)
        self.assertNotIn("ana@", str(self.get("contacts", one)))
        self.assertTrue([t for t in undo["told"] if t["fate"] == "refused" and t["field"] == "email"], undo)
        anonymising = next(e["operation"] for e in self.api.want(200, "GET", f"/api/contacts/{one}/history")["items"] if e["kind"] == "anonymised")
        undo = self.undo(anonymising)
        self.assertEqual((undo["changed"], undo["refused"]), (0, 1))

    def test_parts_and_what_is_computed(self):
        deal = self.create("opportunities", {"name": "Deal", "amount_from_lines": True})
        self.create("lines", {"opportunity": deal, "name": "Desk", "quantity": "2", "price": {"amount": "100.00", "currency": "EUR"}})
        operation = self.operation_of(self.api, "opportunities", deal)
        self.assertEqual(self.get("opportunities", deal)["amount"]["amount"], "200.00")
        self.undo(operation)
        self.assertIsNone(self.get("opportunities", deal)["amount"])
        stage = self.get("opportunities", deal)["stage"]
        moved = self.change("opportunities", deal, {"stage": "won"})
        self.undo(moved)
        self.assertEqual(self.get("opportunities", deal)["stage"], stage)

    def test_an_activity_that_was_closed_is_open_again(self):
        task = self.create("tasks", {"subject": "Call them", "kind": "call"})
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {"outcome": "success", "result": "fine"})
        operation = self.operation_of(self.api, "tasks", task)
        self.assertEqual(self.undo(operation)["changed"], 1)
        now = self.get("tasks", task)
        self.assertEqual((now["done"] or False, now["outcome"], now["done_at"]), (False, None, None))
        self.assertEqual(self.api.want(200, "GET", f"/api/tasks/{task}/history?limit=1")["items"][0]["kind"], "reopened")

    def test_ticks_of_a_process(self):
        process = self.create("processes", {"name": "Path", "of_module": "opportunities", "steps": "First\nSecond"})
        deal = self.create("opportunities", {"name": "Ticked", "process": process})
        keys = [s["key"] for s in self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]]
        self.api.want(201, "POST", f"/api/opportunities/{deal}/steps", {"step": keys[0], "done": True})
        operation = self.operation_of(self.api, "opportunities", deal)
        self.api.want(201, "POST", f"/api/opportunities/{deal}/steps", {"step": keys[1], "done": True})
        self.assertEqual(self.undo(operation)["changed"], 1)
        done = {s["key"]: bool(s["done"]) for s in self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]}
        self.assertEqual(done, {keys[0]: False, keys[1]: True})  # the other tick stays
        self.assertEqual(self.undo(operation)["operation"], None)

    def test_comments_and_sign_ins_are_no_changes(self):
        one = self.create("companies", {"name": "Said"})
        self.api.want(201, "POST", f"/api/companies/{one}/comments", {"text": "Hello"})
        operation = self.operation_of(self.api, "companies", one)
        preview = self.preview(operation)["preview"]
        self.assertEqual((preview["items"], preview["changed"]), ([], 0))
        self.assertIsNone(self.undo(operation)["operation"])

    def test_two_at_once(self):
        """However they meet, each record is put back once, and one of the two is told so."""
        rows = "Name\n" + "".join(f"Both {i}\n" for i in range(350))
        operation = self.bring("companies", rows)["operation"]
        answers = []

        def press():
            api = self.server.api(self.api.key)
            answers.append(api.request("POST", f"/api/operations/{operation}/undo", {}))
            api.close()

        both = [threading.Thread(target=press) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        self.assertEqual(sorted(a[0] for a in answers), [202, 409])
        end = time.monotonic() + 60
        while self.api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]["state"] == "running" and time.monotonic() < end:
            time.sleep(0.05)
        undo = self.api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]
        self.assertEqual((undo["state"], undo["changed"]), ("done", 350))
        events = self.api.want(200, "GET", f"/api/operations/{undo['operation']}")["counts"]
        self.assertEqual(events["deleted"], 350)
        self.assertEqual(self.undo(operation)["operation"], None)

    def test_everybody_has_one_preview_at_a_time(self):
        operation = self.bring("contacts", "Name\n" + "".join(f"Looked at {i}\n" for i in range(6000)))["operation"]
        apis = [self.server.api(self.key) for _ in range(6)]
        answers = at_once([lambda api=api: api.request("GET", f"/api/operations/{operation}/undo", None, {"Accept-Language": "en"}) for api in apis])
        statuses = {status for status, _, _ in answers}
        self.assertEqual({200, 409}, statuses)
        self.assertIn("still being made", next(body for status, _, body in answers if status == 409)["detail"])
        self.assertEqual(200, apis[0].request("GET", f"/api/operations/{operation}/undo")[0])  # it is over
        self.assertEqual(200, apis[0].request("GET", f"/api/users/{self.eva}/hand-over")[0])
        # Of different people each has theirs.
        _, boss = self.user("second-boss@example.org", "administrator")
        answers = at_once([lambda api=api: api.request("GET", f"/api/operations/{operation}/undo") for api in (self.server.api(self.key), boss)])
        self.assertEqual([200, 200], [status for status, _, _ in answers])


class Killed(Base):
    def test_killed_in_the_middle_it_goes_on(self):
        rows = "Name\n" + "".join(f"Killed {i}\n" for i in range(1500))
        operation = self.bring("companies", rows)["operation"]
        self.api.want(202, "POST", f"/api/operations/{operation}/undo", {})
        self.server.kill()
        self.server.start()
        type(self).api = self.server.api(self.api.key)
        self.assertLess(self.api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]["seen"], 1501)
        end = time.monotonic() + 120
        while self.api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]["state"] == "running" and time.monotonic() < end:
            time.sleep(0.1)
        undo = self.api.want(200, "GET", f"/api/operations/{operation}/undo")["undo"]
        self.assertEqual((undo["state"], undo["changed"]), ("done", 1500))
        self.assertEqual(self.api.want(200, "GET", "/api/companies?filter[name][starts]=Killed&count=1")["count"], 0)
        self.assertEqual(self.api.want(200, "GET", f"/api/operations/{undo['operation']}")["counts"]["deleted"], 1500)


if __name__ == "__main__":
    unittest.main()
