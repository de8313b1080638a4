"""Records by the API and by pages: made, changed, merged, clashed, deleted, restored, listed, followed."""

import json
import time
import unittest
from urllib.parse import quote, urlencode

from harness import Story, at_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class ByTheApi(Story):
    def make(self, **values):
        return self.api.want(201, "POST", "/api/contacts", {"name": "Ann Lee", **values})

    def test_a_record_from_birth_to_return(self):
        status, headers, made = self.api.request("POST", "/api/contacts", {"name": "Ann Lee", "city": "Lima"})
        self.assertEqual((201, f"/api/contacts/{made['id']}", '"1"'), (status, headers["Location"], headers["ETag"]))
        path = f"/api/contacts/{made['id']}"
        status, headers, changed = self.api.request("PATCH", path, {"city": "Cali"}, {"If-Match": '"1"'})
        self.assertEqual((200, '"2"', "Cali", "Ann Lee", 2),
                         (status, headers["ETag"], changed["city"], changed["name"], changed["version"]))
        self.api.want(204, "DELETE", path)
        self.assertIsNotNone(self.api.want(200, "GET", path)["deleted_at"])
        self.assertNotIn(made["id"], [r["id"] for r in self.api.want(200, "GET", "/api/contacts?limit=200")["items"]])
        self.assertIn(made["id"], [r["id"] for r in self.api.want(200, "GET", "/api/contacts?deleted=1&limit=200")["items"]])
        self.assertIsNone(self.api.want(200, "POST", f"{path}/restore", {})["deleted_at"])
        kinds = [e["kind"] for e in self.api.want(200, "GET", f"{path}/history")["items"]]
        self.assertEqual(["restored", "deleted", "edited", "created"], kinds)

    def test_what_is_there_already_is_not_sent_again(self):
        path = f"/api/contacts/{self.make()['id']}"
        for tag, wanted in (('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ('"2"', 200), ('"11"', 200)):
            status, headers, body = self.api.request("GET", path, headers={"If-None-Match": tag})
            self.assertEqual(wanted, status, tag)
            self.assertEqual('"1"', headers["ETag"])
            if status == 304:
                self.assertEqual("", body)

    def test_changes_of_different_fields_are_merged(self):
        path = f"/api/contacts/{self.make(city='Lima')['id']}"
        self.api.want(200, "PATCH", path, {"city": "Cali"}, {"If-Match": '"1"'})
        merged = self.api.want(200, "PATCH", path, {"country": "Perú"}, {"If-Match": '"1"'})
        self.assertEqual(("Cali", "Perú", 3), (merged["city"], merged["country"], merged["version"]))

    def test_changes_of_the_same_field_clash(self):
        path = f"/api/contacts/{self.make(city='Lima')['id']}"
        self.api.want(200, "PATCH", path, {"city": "Cali"}, {"If-Match": '"1"'})
        status, headers, problem = self.api.request("PATCH", path, {"city": "Quito", "country": "Ecuador"}, {"If-Match": '"1"'})
        self.assertEqual((409, "application/problem+json", 2), (status, headers["Content-Type"], problem["version"]))
        self.assertEqual([{"field": "city", "started": "Lima", "theirs": "Cali", "yours": "Quito"}],
                         [{k: f[k] for k in ("field", "started", "theirs", "yours")} for f in problem["fields"]])
        now = self.api.want(200, "GET", path)
        self.assertEqual(("Cali", None, 2), (now["city"], now["country"], now["version"]))

    def test_the_same_value_again_is_no_change(self):
        path = f"/api/contacts/{self.make(city='Lima')['id']}"
        same = self.api.want(200, "PATCH", path, {"city": "Lima"}, {"If-Match": '"1"'})
        self.assertEqual(1, same["version"])
        self.assertEqual(1, len(self.api.want(200, "GET", f"{path}/history")["items"]))

    def test_many_people_at_once_lose_nothing(self):
        path = f"/api/contacts/{self.make()['id']}"
        fields = ["city", "region", "country", "address", "postcode", "position", "identity_number", "notes"]

        def write(i):
            api = self.server.api(self.key)
            for round_ in range(10):
                api.want(200, "PATCH", path, {fields[i]: f"{fields[i]} {round_}"}, {"If-Match": '"1"'} if round_ == 0 else {})
            return True

        self.assertEqual([True] * 8, at_once([lambda i=i: write(i) for i in range(8)]))
        now = self.api.want(200, "GET", path)
        self.assertEqual({f: f"{f} 9" for f in fields}, {f: now[f] for f in fields})
        self.assertEqual(81, now["version"])

    def test_versions_that_were_never_given(self):
        path = f"/api/contacts/{self.make()['id']}"
        for tag in ('"abc"', '"-1"', "7;8"):
            self.assertEqual(400, self.api.request("PATCH", path, {"city": "x"}, {"If-Match": tag})[0], tag)
        self.api.want(200, "PATCH", path, {"city": "x"}, {"If-Match": "*"})

    def test_as_it_was(self):
        made = self.make(city="Lima")
        path = f"/api/contacts/{made['id']}"
        before = made["updated_at"]
        self.api.want(200, "PATCH", path, {"city": "Cali"})
        then = self.api.want(200, "GET", f"{path}?as_of={quote(before)}")
        self.assertEqual(("Lima", 1), (then["city"], then["version"]))
        self.api.want(404, "GET", f"{path}?as_of=2001-01-01T00:00:00Z")

    def test_a_condition_is_understood_or_refused(self):
        name = f"cond{time.monotonic_ns()}"
        made = self.make(name=name)
        for short in (f"filter[name]={name}", f"filter[name][eq]={name}"):
            self.assertEqual([made["id"]], [r["id"] for r in self.api.want(200, "GET", f"/api/contacts?{short}")["items"]])
        for wrong in ("filter", "filter[]", "filter[name", "filter[name][", "filter[name][eq", "filter[name][near]", "filter[[]]",
                      "filter[name]eq", "filter[nothing]", "filter[name][eq][x]"):
            self.assertEqual(422, self.api.request("GET", f"/api/contacts?{quote(wrong)}={name}")[0], wrong)

    def test_a_card_in_one_request(self):
        made = self.make(city="Lima")
        path = f"/api/contacts/{made['id']}"
        for city in ("Cali", "Quito", "Bogotá"):
            now = self.api.want(200, "PATCH", path, {"city": city})
        card = self.api.want(200, "GET", f"{path}?history=2")
        self.assertEqual(self.api.want(200, "GET", f"{path}/history?limit=2"), card.pop("history"))
        self.assertEqual(now, card)
        self.assertNotIn("history", self.api.want(200, "GET", path))
        then = self.api.want(200, "GET", f"{path}?history=10&as_of={quote(made['updated_at'])}")
        self.assertEqual(["created"], [e["kind"] for e in then["history"]["items"]])
        # Its own version says nothing of what belongs to it.
        tag = {"If-None-Match": f'"{card["version"]}"'}
        self.assertEqual(304, self.api.request("GET", path, headers=tag)[0])
        self.assertEqual(200, self.api.request("GET", f"{path}?history=1", headers=tag)[0])
        for wrong in ("0", "201", "x", "-1"):
            self.assertEqual(422, self.api.request("GET", f"{path}?history={wrong}")[0], wrong)
        # What was read can be sent back.
        self.api.want(200, "PATCH", path, {**self.api.want(200, "GET", f"{path}?history=2"), "city": "Quito"})

    def test_filters_order_and_pages_of_a_list(self):
        mark = f"list{time.monotonic_ns()}"
        for i in range(25):
            self.make(name=f"{mark} {i:02}", city="Lima" if i % 2 else "Cali", external_id=f"{mark}-{i}")
        seen, after = [], ""
        while True:
            page = self.api.want(200, "GET", f"/api/contacts?filter[name][contains]={mark}&filter[city][ne]=Cali&sort=-name"
                                             f"&columns=name&limit=5{after}")
            seen += [r["name"] for r in page["items"]]
            if page["next"] is None:
                break
            after = f"&after={quote(page['next'])}"
        self.assertEqual([f"{mark} {i:02}" for i in range(23, 0, -2)], seen)
        counted = self.api.want(200, "GET", f"/api/contacts?filter[name][contains]={mark}&count=1&limit=1")
        self.assertEqual(25, counted["count"])
        self.assertEqual({"id", "name"}, {"id", "name"} & set(counted["items"][0]))

    def test_a_search_finds_what_was_saved_just_now(self):
        for i in range(5):
            word = f"zarigüeya{i}x{time.monotonic_ns()}"
            made = self.make(name=f"Doña {word.upper()}")
            found = self.api.want(200, "GET", f"/api/search?q={quote(word.replace('ü', 'u'))}")["items"]
            self.assertEqual([made["id"]], [hit["id"] for hit in found])

    def test_comments(self):
        path = f"/api/contacts/{self.make()['id']}"
        position = self.api.want(201, "POST", f"{path}/comments", {"text": "First line\nand @Ana"})["position"]
        event = self.api.want(200, "GET", f"{path}/history?kind=comments")["items"][0]
        self.assertEqual((position, "First line\nand @Ana"), (event["position"], event["text"]))
        for text in ("", "   ", "x" * 5001):
            self.assertEqual(422, self.api.request("POST", f"{path}/comments", {"text": text})[0])

    def test_the_story_of_a_company_has_that_of_its_people(self):
        company = self.api.want(201, "POST", "/api/companies", {"name": "Acme"})["id"]
        contact = self.make(company=company)["id"]
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": "Lima"})
        story = self.api.want(200, "GET", f"/api/companies/{company}/history")["items"]
        self.assertEqual([("contacts", "edited"), ("contacts", "created"), ("companies", "created")],
                         [(e["module"], e["kind"]) for e in story])
        own = self.api.want(200, "GET", f"/api/companies/{company}/history?own=1")["items"]
        self.assertEqual(["companies"], [e["module"] for e in own])
        both = self.api.want(200, "GET", f"/api/companies/{company}/history?kind=contacts,created&limit=2")
        self.assertEqual(["edited", "created"], [e["kind"] for e in both["items"]])
        self.assertEqual(story[1]["position"], both["next"])

    def test_bulk_changes_are_one_operation(self):
        mark = f"bulk{time.monotonic_ns()}"
        ids = [self.make(name=f"{mark} {i}")["id"] for i in range(230)]
        done = self.api.want(200, "POST", f"/api/contacts/bulk?filter[name][starts]={mark}", {"do": "assign", "all": True, "user": None})
        self.assertEqual((230, 0), (done["changed"], done["refused"]))
        operation = self.api.want(200, "GET", f"/api/operations/{done['operation']}?limit=200")
        self.assertEqual({"assigned": 230}, operation["counts"])
        self.assertEqual({done["operation"]}, {e["operation"] for e in operation["items"]})
        done = self.api.want(200, "POST", "/api/contacts/bulk", {"do": "delete", "id": ids[:3] + [99999999]})
        self.assertEqual((3, 1), (done["changed"], done["refused"]))
        self.assertEqual(404, done["problem"]["status"])
        self.api.want(200, "POST", "/api/contacts/bulk", {"do": "restore", "id": ids[:3]})
        for body in ({"do": "explode", "id": ids}, {"do": "delete"}, {"do": "delete", "id": ["x"]}, {"do": "export", "id": ids}):
            self.assertEqual(422, self.api.request("POST", "/api/contacts/bulk", body)[0], body)

    def test_programs_follow_the_log(self):
        start = self.api.want(200, "GET", "/api/events?after=-1&limit=1000")["next"]
        made = [self.make(name=f"Feed {i}")["id"] for i in range(7)]
        seen, after = [], start
        while True:
            page = self.api.want(200, "GET", f"/api/events?after={after}&limit=3")
            if not page["items"]:
                break
            seen += page["items"]
            after = page["next"]
        self.assertEqual([start + 1 + i for i in range(7)], [e["position"] for e in seen])
        self.assertEqual(made, [e["record"] for e in seen])

    def test_proofs_hold(self):
        import base64
        import hashlib
        self.make()
        size = int(self.api.want(200, "GET", "/api/log/checkpoint").split("\n")[1])
        root = base64.b64decode(self.api.want(200, "GET", "/api/log/checkpoint").split("\n")[2])
        event = self.api.want(200, "GET", f"/api/log/{size - 1}")
        proof = self.api.want(200, "GET", f"/api/log/proof?position={size - 1}&size={size}")["proof"]
        node = hashlib.sha256(b"\0" + event["head"].encode()).digest()
        self.assertEqual(node.hex(), event["leaf"])
        self.assertTrue(event["proof"]["verified"])
        index, last = size - 1, size - 1
        for step in map(base64.b64decode, proof):  # RFC 9162, 2.1.3.2
            if index & 1 or index == last:
                node = hashlib.sha256(b"\1" + step + node).digest()
                while not index & 1 and index:
                    index >>= 1
                    last >>= 1
            else:
                node = hashlib.sha256(b"\1" + node + step).digest()
            index >>= 1
            last >>= 1
        self.assertEqual(root, node)
        receipt = self.api.want(200, "GET", f"/api/log/receipt/{size - 1}")
        self.assertEqual(event["head"], receipt["head"])
        self.assertEqual(200, self.api.request("GET", f"/api/log/tile/0/000.p/{size % 256}")[0])
        self.assertEqual(size, self.api.want(200, "GET", f"/api/log/proof?from=1&size={size}")["size"])


class ByPages(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.want(200, "PATCH", "/api/settings", {"language": "en"})
        cls.company = cls.api.want(201, "POST", "/api/companies", {"name": "Textiles Andina"})["id"]
        for name in ("Banco Uno", "Banco Dos"):
            cls.api.want(201, "POST", "/api/companies", {"name": name})

    def setUp(self):
        self.visitor = self.browser()

    def newest(self, module):
        return self.api.want(200, "GET", f"/api/{module}?sort=-id&limit=1")["items"][0]["id"]

    def create(self, **values):
        self.visitor.get("/contacts/new")
        return self.visitor.submit("/contacts", {"name": "Rosa", **values})

    def test_a_contact_is_made_and_changed_by_forms(self):
        page = self.create(**{"company.text": "textiles ANDINA", "email": "rosa@x.org", "tags": "uno, dos"})
        made = self.api.want(200, "GET", f"/api/contacts/{self.newest('contacts')}")
        self.assertEqual(f"/contacts/{made['id']}", self.visitor.path)
        self.assertEqual((self.company, "rosa@x.org", ["uno", "dos"]), (made["company"]["id"], made["email"], made["tags"]))
        self.assertIn("Created.", page.text)
        self.visitor.get(f"/contacts/{made['id']}/edit")
        page = self.visitor.submit(f"/contacts/{made['id']}", {"city": "Cali"})
        self.assertEqual(200, page.status)
        self.assertIn("Saved.", page.text)
        self.assertNotIn("Saved.", self.visitor.get(f"/contacts/{made['id']}").text)  # said once
        now = self.api.want(200, "GET", f"/api/contacts/{made['id']}")
        self.assertEqual(("Cali", "rosa@x.org", ["uno", "dos"], 2), (now["city"], now["email"], now["tags"], now["version"]))

    def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(self):
        page = self.create(name="", email="nobody", city="Quito & Söhne <b>")
        self.assertEqual(422, page.status)
        form = page.form("/contacts")
        self.assertIn(("city", "Quito & Söhne <b>"), form.fields)
        self.assertIn(("email", "nobody"), form.fields)
        self.assertIn('id="f-email-problem"', page.source)
        self.assertEqual([], page.wrong)

    def test_a_name_that_several_have(self):
        page = self.create(**{"company.text": "Banco"})
        self.assertEqual(422, page.status)
        self.assertIn("Banco Uno", page.text)
        self.assertIn("Banco Dos", page.text)
        chosen = self.api.want(200, "GET", "/api/companies?filter[name][eq]=Banco%20Dos")["items"][0]["id"]
        page = self.visitor.submit("/contacts", {"company": str(chosen), "company.text": ""})
        self.assertEqual(200, page.status)
        made = self.api.want(200, "GET", f"/api/contacts/{self.newest('contacts')}")
        self.assertEqual("Banco Dos", made["company"]["name"])

    def test_a_company_made_on_the_way_is_part_of_the_same_act(self):
        self.create(**{"company.text": "Nueva Empresa", "company.new": "1"})
        made = self.api.want(200, "GET", f"/api/contacts/{self.newest('contacts')}")
        self.assertEqual("Nueva Empresa", made["company"]["name"])
        born = self.api.want(200, "GET", f"/api/contacts/{made['id']}/history")["items"][-1]
        sibling = self.api.want(200, "GET", f"/api/companies/{made['company']['id']}/history?own=1")["items"][-1]
        self.assertEqual(sibling["operation"], born["operation"])

    def test_two_people_on_one_form(self):
        made = self.api.want(201, "POST", "/api/contacts", {"name": "Shared", "city": "Lima"})["id"]
        other = self.browser()
        for browser in (self.visitor, other):
            browser.get(f"/contacts/{made}/edit")
        other.submit(f"/contacts/{made}", {"city": "Cali"})
        page = self.visitor.submit(f"/contacts/{made}", {"city": "Quito", "country": "Ecuador"})
        self.assertEqual(409, page.status)
        for word in ("Lima", "Cali", "Quito"):
            self.assertIn(word, page.text)
        self.assertEqual([], page.wrong)
        page = self.visitor.submit(f"/contacts/{made}", {"take.city": "theirs"})
        now = self.api.want(200, "GET", f"/api/contacts/{made}")
        self.assertEqual(("Cali", "Ecuador"), (now["city"], now["country"]))
        # And once more, this time with one's own.
        for browser in (self.visitor, other):
            browser.get(f"/contacts/{made}/edit")
        other.submit(f"/contacts/{made}", {"city": "Ibarra"})
        self.visitor.submit(f"/contacts/{made}", {"city": "Loja"})
        self.visitor.submit(f"/contacts/{made}", {"take.city": "yours"})
        self.assertEqual("Loja", self.api.want(200, "GET", f"/api/contacts/{made}")["city"])

    def test_two_people_on_different_fields(self):
        made = self.api.want(201, "POST", "/api/contacts", {"name": "Shared", "city": "Lima"})["id"]
        other = self.browser()
        for browser in (self.visitor, other):
            browser.get(f"/contacts/{made}/edit")
        other.submit(f"/contacts/{made}", {"city": "Cali"})
        page = self.visitor.submit(f"/contacts/{made}", {"country": "Ecuador"})
        self.assertIn("together with what somebody else changed", page.text)
        now = self.api.want(200, "GET", f"/api/contacts/{made}")
        self.assertEqual(("Cali", "Ecuador"), (now["city"], now["country"]))

    def part(self, method, path, part, body=None):
        headers = {"Cronista-Part": part, **(FORM if body is not None else {})}
        return self.visitor.send(method, path, body, headers)

    def test_one_fact_changed_where_it_stands(self):
        made = self.api.want(201, "POST", "/api/contacts", {"name": "Inline", "city": "Lima"})["id"]
        path = f"/contacts/{made}"
        self.visitor.get(path)
        token = self.visitor.csrf
        page = self.part("GET", f"{path}/edit?field=city", "card-fact-form")
        self.assertEqual(200, page.status)
        self.assertNotIn("<html", page.source)
        self.assertIn(("city", "Lima"), page.forms[0].fields)
        page = self.part("POST", path, "card-live", urlencode({"csrf": token, "version": "1", "city": "Cali"}))
        self.assertEqual(200, page.status)
        self.assertNotIn("<html", page.source)
        self.assertIn("Cali", page.text)
        page = self.part("POST", path, "card-live", urlencode({"csrf": token, "version": "2", "email": "nobody"}))
        self.assertEqual(422, page.status)
        self.assertIn(("email", "nobody"), page.forms[0].fields)
        page = self.part("POST", path, "card-live", urlencode({"csrf": token, "version": "1", "city": "Quito"}))
        self.assertEqual(409, page.status)
        self.assertIn("Quito", page.text)
        self.assertNotIn("<html", page.source)

    def test_a_record_made_in_a_dialog(self):
        self.visitor.get("/contacts/new")
        token = self.visitor.csrf
        page = self.part("GET", "/companies/new?name=Rapid", "form-quick")
        self.assertIn(("name", "Rapid"), page.forms[0].fields)
        page = self.part("POST", "/companies", "lookup-results", urlencode({"csrf": token, "name": ""}))
        self.assertEqual(422, page.status)
        page = self.part("POST", "/companies", "lookup-results", urlencode({"csrf": token, "name": "Rapid"}))
        self.assertEqual(200, page.status)
        self.assertIn(f'data-id="{self.newest("companies")}"', page.source)

    def test_a_comment_from_the_card(self):
        made = self.api.want(201, "POST", "/api/contacts", {"name": "Talk"})["id"]
        self.visitor.get(f"/contacts/{made}")
        page = self.visitor.submit(f"/contacts/{made}/comments", {"text": "¿Qué tal?\n<script>alert(1)</script>"})
        self.assertEqual(f"/contacts/{made}", self.visitor.path)
        self.assertIn("¿Qué tal?", page.text)
        self.assertNotIn("<script>alert", page.source)
        page = self.visitor.submit(f"/contacts/{made}/comments", {"text": " "})
        self.assertEqual(422, page.status)

    def test_deleting_asks_first_and_can_be_taken_back(self):
        made = self.api.want(201, "POST", "/api/contacts", {"name": "Temporary"})["id"]
        self.visitor.get(f"/contacts/{made}/delete")
        page = self.visitor.submit(f"/contacts/{made}/delete")
        self.assertEqual("/contacts", self.visitor.path)
        self.assertIn("Deleted.", page.text)
        page = self.visitor.get(f"/contacts/{made}")
        self.visitor.submit(f"/contacts/{made}/restore")
        self.assertIsNone(self.api.want(200, "GET", f"/api/contacts/{made}")["deleted_at"])
        token = self.visitor.csrf
        page = self.visitor.send("POST", f"/contacts/{made}/delete", urlencode({"csrf": token}), FORM)
        self.assertIsNone(self.api.want(200, "GET", f"/api/contacts/{made}")["deleted_at"])  # it only asked

    def test_selected_rows_are_deleted_after_asking(self):
        ids = [self.api.want(201, "POST", "/api/leads", {"name": f"Lead {i}"})["id"] for i in range(4)]
        self.visitor.get("/leads")
        page = self.visitor.submit("/leads/bulk", {"id": [str(i) for i in ids[:2]], "do": "delete"})
        self.assertEqual(200, page.status)
        self.assertIn("Delete 2 records?", page.text)
        page = self.visitor.submit("/leads/bulk")
        self.assertIn("2 records deleted", page.text)
        left = [r["id"] for r in self.api.want(200, "GET", "/api/leads")["items"]]
        self.assertEqual(set(ids[2:]), set(ids) & set(left))
        self.visitor.get("/leads?filter[name][starts]=Lead")
        page = self.visitor.submit("/leads/bulk", {"all": "1", "do": "assign", "user": ""})
        self.assertIn("2 records changed", page.text)

    def test_a_filter_without_scripts_leads_to_an_address(self):
        page = self.visitor.get("/opportunities?with=stage")
        page = self.visitor.submit("/opportunities", {"filter_op": "ne", "filter_value": "lost", "filter_field": "stage"}) \
            if "filter_op" in page.form("/opportunities").names else self.send_filter(page)
        self.assertIn("filter%5Bstage%5D%5Bne%5D=lost", self.visitor.path)
        self.assertEqual(200, page.status)
        self.assertIn("is not", page.text)

    def send_filter(self, page):
        form = next(f for f in page.forms if "filter_op" in f.names)
        fields = [pair for pair in form.fields if pair[0] not in ("filter_op", "filter_value")]
        return self.visitor.send("GET", "/opportunities?" + urlencode(fields + [("filter_op", "ne"), ("filter_value", "lost")]))

    def test_views_are_kept_and_deleted(self):
        path = "/opportunities?filter[stage][ne]=lost&sort=-amount&columns=amount"
        page = self.visitor.get(path)
        page = self.visitor.submit("/opportunities/views", {"name": "Open ones"})
        self.assertIn("The view is saved.", page.text)
        self.assertIn("Open ones", page.text)
        self.assertIn("/opportunities?view=", self.visitor.path)
        self.assertIn("is not", page.text)
        delete = next(f.action for f in page.forms if f.action.startswith("/views/"))
        self.user("viewer@example.org")
        other = self.browser("viewer@example.org", "another test password")
        self.assertNotIn("Open ones", other.get("/opportunities").text)  # not shared
        page = self.visitor.submit(delete.split("?")[0])
        self.assertIn("The view is deleted.", page.text)
        self.assertNotIn("Open ones", page.text)

    def test_a_stage_is_one_button(self):
        made = self.api.want(201, "POST", "/api/opportunities", {"name": "Deal", "stage": "proposal"})["id"]
        self.visitor.get(f"/opportunities/{made}")
        self.visitor.submit(f"/opportunities/{made}", button=("stage", "negotiation"))
        self.assertEqual("negotiation", self.api.want(200, "GET", f"/api/opportunities/{made}")["stage"])

    def test_users_are_made_by_a_form(self):
        self.visitor.get("/users/new")
        level = self.api.want(200, "GET", "/api/levels")["items"][0]["id"]
        page = self.visitor.submit("/users", {"name": "Nueva", "email": "nueva@example.org", "new_password": "short", "level": str(level)})
        self.assertEqual(422, page.status)
        page = self.visitor.submit("/users", {"new_password": "long enough now", "active": "1", "active.shown": "1"})
        self.assertEqual(200, page.status)
        self.assertIn("Nueva", self.browser("nueva@example.org", "long enough now").page.text)

    def test_own_settings(self):
        self.user("picky@example.org")
        browser = self.browser("picky@example.org", "another test password")
        browser.get("/settings")
        page = browser.submit("/settings", {"language": "pl", "zone": "Nowhere/City"})
        self.assertEqual(422, page.status)
        page = browser.submit("/settings", {"language": "pl", "zone": "Europe/Warsaw", "theme": "dark"})
        self.assertEqual(200, page.status)
        self.assertEqual("pl", page.headers["Content-Language"])
        self.assertIn('data-theme="dark"', page.source)

    def test_a_field_is_added_while_the_server_runs(self):
        self.visitor.get("/settings/modules/leads/new")
        page = self.visitor.submit("/settings/modules/leads/fields", {"label": "Número de camas", "type": "integer"})
        self.assertEqual(200, page.status, page.text[:800])
        self.assertIn("Número de camas", page.text)
        made = self.api.want(201, "POST", "/api/leads", {"name": "Hotel", "x_numero_de_camas": 40})
        self.assertEqual(40, made["x_numero_de_camas"])
        self.assertIn("Número de camas", self.visitor.get(f"/leads/{made['id']}").text)
        self.assertIn("x_numero_de_camas", json.dumps(self.api.want(200, "GET", "/api/openapi.json")["components"]["schemas"]["leads"]))

    def test_a_list_of_values_is_edited(self):
        path = "/settings/modules/leads/fields/source"
        self.visitor.get(path)
        page = self.visitor.page
        form = page.form(path)
        labels = [value for name, value in form.fields if name == "choice.label"]
        page = self.visitor.submit(path, {"choice.label": [*labels[:-3], "Radio local", "", ""]})
        self.assertEqual(200, page.status, page.text[:500])
        field = self.api.want(200, "GET", "/api/settings/modules/leads/fields/source")
        self.assertEqual("radio_local", field["choices"][len(labels) - 3]["key"])
        self.api.want(201, "POST", "/api/leads", {"name": "By radio", "source": "radio_local"})

    def test_fields_are_moved_and_hidden(self):
        path = "/settings/modules/companies"
        before = [f["key"] for f in self.api.want(200, "GET", f"/api{path}")["fields"]]
        field = next(f["key"] for f in self.api.want(200, "GET", f"/api{path}")["fields"] if not f["fixed"])
        self.visitor.get(path)
        self.visitor.submit(path, button=("do", f"hide {field}"))
        hidden = {f["key"]: f["hidden"] for f in self.api.want(200, "GET", f"/api{path}")["fields"]}
        self.assertTrue(hidden[field])
        self.visitor.submit(path, button=("do", f"show {field}"))
        order = [before[1], before[0], *before[2:]]
        moved = self.api.want(200, "POST", f"/api{path}", {"order": order})
        self.assertEqual(order, [f["key"] for f in moved["fields"]])


if __name__ == "__main__":
    unittest.main()
