"""A private activity is known to its people only, whatever way somebody asks; with all that it leaves in the account's log."""

import base64
import json
import re
import time
import unittest
from urllib.parse import quote

from harness import Story, Stream, command


class Privacy(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {}
        for name in ("carla", "oscar", "pilar", "greta", "eva"):  # creator, owner, participant, of a group, somebody else
            cls.people[name] = cls.user(f"{name}@example.org")
        cls.group = cls.api.want(201, "POST", "/api/groups", {"name": "Board", "members": [cls.people["greta"][0]]})["id"]
        cls.contact = cls.api.want(201, "POST", "/api/contacts", {"name": "Rosa Parra"})["id"]

    def id(self, name):
        return self.people[name][0]

    def api_of(self, name):
        return self.people[name][1]

    def meeting(self, subject, **more):
        return self.api_of("carla").want(201, "POST", "/api/tasks", {
            "kind": "meeting", "subject": subject, "contact": self.contact, "owner": self.id("oscar"),
            "participants": [self.id("pilar")], "groups": [self.group], **more})["id"]

    def known(self, task, name):
        """What they get of it, by several ways that must say the same."""
        api = self.api_of(name) if name in self.people else self.api
        got = {
            "record": api.request("GET", f"/api/tasks/{task}")[0] == 200,
            "list": task in [t["id"] for t in api.want(200, "GET", "/api/tasks?limit=200")["items"]],
            "named": task in [t["id"] for t in api.want(200, "GET", f"/api/tasks?filter[id][in]={task}")["items"]],
            "story": task in [e["record"] for e in api.want(200, "GET", f"/api/contacts/{self.contact}/history?limit=200")["items"]
                              if e["module"] == "tasks"],
        }
        self.assertEqual(1, len(set(got.values())), got)
        return got["record"]

    def test_its_people_know_it_and_nobody_else(self):
        task = self.meeting("Salaries", private=True)
        for name in ("carla", "oscar", "pilar", "greta"):
            self.assertTrue(self.known(task, name), name)
        self.assertFalse(self.known(task, "eva"))
        self.assertFalse(self.known(task, "administrator"))
        # Who leaves, and who comes.
        self.api_of("carla").want(200, "PATCH", f"/api/tasks/{task}", {"participants": [self.id("eva")], "groups": []})
        for name, knows in (("carla", True), ("oscar", True), ("eva", True), ("pilar", False), ("greta", False)):
            self.assertEqual(knows, self.known(task, name), name)
        # It is given to somebody else: the one who was in charge is out, without an error.
        self.api_of("oscar").want(204, "PATCH", f"/api/tasks/{task}", {"owner": self.id("greta")})
        self.assertEqual([True, False], [self.known(task, "greta"), self.known(task, "oscar")])

    def test_who_is_in_a_group_decides_today(self):
        task = self.meeting("Of the board", private=True)
        self.assertFalse(self.known(task, "eva"))
        self.api.want(200, "PATCH", f"/api/groups/{self.group}", {"members": [self.id("greta"), self.id("eva")]})
        self.assertTrue(self.known(task, "eva"))
        self.api.want(200, "PATCH", f"/api/groups/{self.group}", {"members": [self.id("greta")]})
        self.assertFalse(self.known(task, "eva"))

    def test_all_of_its_past_is_hidden_and_comes_back(self):
        task = self.meeting("Moving house")
        self.assertTrue(self.known(task, "eva"))
        self.assertTrue(self.known(task, "administrator"))
        before = self.api_of("eva").want(200, "GET", f"/api/contacts/{self.contact}/history?limit=200")["items"]
        self.api_of("pilar").want(200, "PATCH", f"/api/tasks/{task}", {"private": True, "place": "Attic"})
        self.assertFalse(self.known(task, "eva"))
        self.assertFalse(self.known(task, "administrator"))
        moment = before[0]["at"]
        self.assertEqual(404, self.api_of("eva").request("GET", f"/api/tasks/{task}?as_of={quote(moment)}")[0])
        kinds = [(e["kind"], [c["field"] for c in e["changes"]]) for e in
                 self.api_of("greta").want(200, "GET", f"/api/tasks/{task}/history?own=1")["items"]]
        self.assertEqual([("edited", ["place"]), ("privacy", ["private"])], kinds[:2], "an event of its own")
        self.api_of("pilar").want(200, "PATCH", f"/api/tasks/{task}", {"private": False})
        self.assertTrue(self.known(task, "eva"))
        story = self.api_of("eva").want(200, "GET", f"/api/tasks/{task}/history")["items"]
        self.assertEqual(["privacy", "edited", "privacy", "created"], [e["kind"] for e in story])

    def test_nobody_locks_others_in(self):
        task = self.meeting("Anybody's")
        status, _, answer = self.api_of("eva").request("PATCH", f"/api/tasks/{task}", {"private": True})
        self.assertEqual(422, status)
        self.assertIn("private", json.dumps(answer))
        self.api_of("eva").want(200, "PATCH", f"/api/tasks/{task}", {"private": True, "participants": [self.id("eva")]})
        self.assertTrue(self.known(task, "eva"))

    def test_the_log_is_whole_for_who_may_read_it(self):
        start = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
        task = self.meeting("Zwetschge", private=True)
        self.api_of("carla").want(201, "POST", f"/api/tasks/{task}/comments", {"text": "Zwetschge again"})
        events = [e for e in self.api.want(200, "GET", "/api/history")["items"] if e["position"] > start]
        self.assertEqual(2, len(events))
        for e in events:
            self.assertEqual((True, [], "Carla", task), (e["private"], e["changes"], e["actor"]["name"], e["record"]))
            self.assertNotIn("name", e)
        self.assertNotIn("Zwetschge", json.dumps(events))
        # Nothing is missing in the feed of programs, and each event is proved without what it says.
        feed = self.api.want(200, "GET", f"/api/events?after={start}")["items"]
        self.assertEqual([start + 1, start + 2], [e["position"] for e in feed])
        for position in (start + 1, start + 2):
            proof = self.api.want(200, "GET", f"/api/log/{position}")
            self.assertTrue(proof["proof"]["verified"])
            self.assertTrue(all(item["closed"] for item in proof["items"]), proof)
            self.assertNotIn("Zwetschge", json.dumps(proof))
            self.assertNotIn("Zwetschge", str(self.api.request("GET", f"/api/log/receipt/{position}")[2]))
            self.assertEqual(404, self.api_of("eva").request("GET", f"/api/log/{position}")[0])
        self.assertIn("Zwetschge", str(self.api_of("greta").request("GET", f"/api/log/{start + 1}")[2]))
        # Which fields it had is not told by a filter.
        found = self.api.want(200, "GET", "/api/history?field=subject&limit=5")["items"]
        self.assertNotIn(start + 1, [e["position"] for e in found])
        page = self.browser().get(f"/history?user={self.id('carla')}")
        self.assertIn("Private", page.text)
        self.assertNotIn("Zwetschge", page.source)
        self.assertIn("did something in a private activity", self.browser().get(f"/log/{start + 1}").text)

    def test_a_field_finds_nothing_hidden_in_the_log(self):
        """Pages by a field are full, and end, as if no private activity had ever had it: neither short nor followed by nothing."""
        link = self.api.want(201, "POST", "/api/settings/modules/companies/fields",
                             {"key": "x_errand", "label": "Errand", "type": "link", "target": "tasks"})["key"]
        carla, secret = self.api_of("carla"), self.meeting("Kriecherl", private=True)
        shown = self.meeting("Errand of all")
        company = carla.want(201, "POST", "/api/companies", {"name": "Errands"})["id"]

        def pages(query):
            found, before = [], ""
            while True:
                page = self.api.want(200, "GET", f"/api/history?{query}&limit=2{before}")
                found.append((len(page["items"]), page["next"] is None))
                if page["next"] is None:
                    return found
                before = f"&before={page['next']}"

        queries = ("module=tasks&field=result", "field=result", f"field=result&user={self.id('carla')}", "module=tasks&field=result&kind=edited",
                   f"field={link}", f"module=companies&field={link}", "module=tasks&field=result&from=2020-01-01")
        self.assertEqual([[(0, True)]] * len(queries), [pages(q) for q in queries])
        for n in range(5):
            carla.want(200, "PATCH", f"/api/tasks/{secret}", {"result": f"R{n}"})
            carla.want(200, "PATCH", f"/api/companies/{company}", {link: None if n % 2 else secret})
        self.assertEqual([[(0, True)]] * len(queries), [pages(q) for q in queries])
        # What is seen, between what is not.
        for n in range(3):
            self.api.want(200, "PATCH", f"/api/tasks/{shown}", {"result": f"S{n}"})
            carla.want(200, "PATCH", f"/api/tasks/{secret}", {"result": f"T{n}"})
            self.api.want(200, "PATCH", f"/api/companies/{company}", {link: shown})
            carla.want(200, "PATCH", f"/api/companies/{company}", {link: secret})
        for query, wanted in ((queries[0], [2, 1]), (queries[1], [2, 1]), (queries[3], [2, 1]), (queries[6], [2, 1])):
            self.assertEqual(wanted, [n for n, _ in pages(query) if n], query)
            self.assertEqual(2, pages(query)[0][0], query)
        self.assertEqual([(0, True)], pages(queries[2]))
        counts = self.api.want(200, "GET", "/api/history?counts=1&module=companies&limit=1")["counts"]
        self.assertNotIn(link, counts["field"])

    def test_counts_of_a_story_are_of_what_is_seen(self):
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Counted"})["id"]
        fruit = self.browser("eva@example.org", "another test password")

        def chips():
            page = fruit.get(f"/contacts/{contact}").source
            return re.sub(r'value="[\w-]{20,}"', "", page[page.index('class="chips'):page.index('id="days"')])

        before, newest = chips(), fruit.page.source.split('data-newest="')[1].split('"')[0]
        task = self.meeting("Uncounted", contact=contact, private=True)
        self.api_of("carla").want(201, "POST", f"/api/tasks/{task}/comments", {"text": "Uncounted too"})
        self.api_of("carla").want(200, "POST", f"/api/tasks/{task}/close", {"outcome": "success"})
        self.assertEqual(before, chips())
        self.assertEqual(newest, fruit.page.source.split('data-newest="')[1].split('"')[0])

    def test_lists_go_on_past_what_is_hidden(self):
        """Pages are full and counts are right, by the index, by the search and by the columns in memory."""
        mark = "Quittenbaum"
        tasks = [self.api_of("carla").want(201, "POST", "/api/tasks", {
            "kind": "task", "subject": f"{mark} {n:02}", "description": f"{mark} {n}",
            "private": n % 3 == 0})["id"] for n in range(30)]
        seen = {t for n, t in enumerate(tasks) if n % 3}
        eva, carla = self.api_of("eva"), self.api_of("carla")
        for query in (f"filter[q]={mark}", f"filter[subject][contains]={mark}&sort=subject", f"filter[subject][starts]={mark}&sort=-place",
                      f"filter[subject][contains]={mark.lower()}&sort=-due"):
            for api, wanted in ((eva, seen), (carla, set(tasks)), (self.api, seen)):
                for _ in range(2):  # the second time perhaps from memory
                    found, after = [], ""
                    while True:
                        page = api.want(200, "GET", f"/api/tasks?{query}&limit=7&count=1&after={after}")
                        self.assertEqual(len(wanted), page["count"], query)
                        found += [t["id"] for t in page["items"]]
                        after = page["next"] or ""
                        if not after:
                            break
                        self.assertEqual(7, len(page["items"]), query)
                    self.assertEqual(sorted(wanted), sorted(found), query)
                    time.sleep(0.1)

    def test_live(self):
        def opened(name, task=None):
            record = f"tasks/{task}" if task else f"contacts/{self.contact}"
            return Messages(self.server.port, f"/api/live?record={record}", {"Authorization": f"Bearer {self.api_of(name).key}"})

        task = self.meeting("Live")
        card, customer, friend = opened("eva", task), opened("eva"), opened("greta")
        self.assertEqual([200] * 3, [card.status, customer.status, friend.status])
        self.api_of("carla").want(200, "PATCH", f"/api/tasks/{task}", {"private": True})
        self.assertEqual(["gone"], card.wait_for(1))
        self.assertTrue(card.ended.wait(5))
        self.assertEqual(["withdrawn"], customer.wait_for(1))
        self.assertEqual(["change"], friend.wait_for(1))
        self.assertEqual(404, opened("eva", task).status)
        self.api_of("carla").want(200, "PATCH", f"/api/tasks/{task}", {"place": "Nowhere"})
        self.api_of("carla").want(201, "POST", f"/api/tasks/{task}/comments", {"text": "Quiet"})
        self.assertEqual(["change"] * 3, friend.wait_for(3))
        self.assertEqual(["withdrawn"], customer.wait_for(2, 1), "nothing is said of what is not for them")
        self.api_of("carla").want(200, "PATCH", f"/api/tasks/{task}", {"private": False})
        self.assertEqual(["withdrawn", "change"], customer.wait_for(2))
        for stream in (card, customer, friend):
            stream.close()

    def test_names_of_foreign_records(self):
        """A field that links to activities, made by an administrator: neither the name nor the number of a private one."""
        for key, kind in (("about_task", "link"), ("about_tasks", "links")):
            self.api.want(201, "POST", "/api/settings/modules/cases/fields", {"key": "x_" + key, "label": key, "type": kind, "target": "tasks"})
        one, several = "x_about_task", "x_about_tasks"
        task, open_one = self.meeting("Mirabelle", private=True), self.meeting("For all")
        case = self.api_of("carla").want(201, "POST", "/api/cases", {"subject": "With links", one: task, several: [task, open_one]})["id"]
        eva = self.api_of("eva")
        shown = eva.want(200, "GET", f"/api/cases/{case}")
        self.assertEqual([None, [open_one]], [shown[one], [t["id"] for t in shown[several]]])
        self.assertEqual(task, self.api_of("greta").want(200, "GET", f"/api/cases/{case}")[one]["id"])
        for path in (f"/api/cases/{case}", f"/api/cases?columns={one},{several}", f"/api/cases/{case}/history", "/api/cases/export.csv?labels=1",
                     f"/api/cases/{case}/history?text=mirabelle", f"/api/cases/export.jsonl?columns={one},{several}"):
            self.assertNotIn("Mirabelle", str(eva.request("GET", path)[2]), path)
            self.assertNotIn(f'"id": {task},', json.dumps(eva.request("GET", path)[2]), path)
        position = eva.want(200, "GET", f"/api/cases/{case}/history")["items"][0]["position"]
        for api in (eva, self.api):
            for path in (f"/api/log/{position}", f"/api/log/receipt/{position}"):
                self.assertNotIn("Mirabelle", str(api.request("GET", path)[2]), path)
        self.assertEqual([], eva.want(200, "GET", f"/api/cases/{case}/history?text=mirabelle")["items"])
        # What they change leaves what they do not know of where it is.
        eva.want(200, "PATCH", f"/api/cases/{case}", {one: None, several: [], "subject": "Changed"})
        kept = self.api_of("greta").want(200, "GET", f"/api/cases/{case}")
        self.assertEqual([task, [task]], [kept[one]["id"], [t["id"] for t in kept[several]]])
        # To link to it is as to link to nothing.
        answers = [eva.request("PATCH", f"/api/cases/{case}", {one: number}) for number in (task, 987654)]
        self.assertEqual([422, 422], [a[0] for a in answers])
        self.assertEqual(json.dumps(answers[0][2]).replace(str(task), "N"), json.dumps(answers[1][2]).replace("987654", "N"))

    def test_links_to_it_tell_nothing_by_lists(self):
        """Filters, orders, pages, counts, views and exports over a link to a private activity are as if there were no link."""
        fields = {}
        for key, kind in (("of_task", "link"), ("of_tasks", "links")):
            fields[kind] = self.api.want(201, "POST", "/api/settings/modules/companies/fields",
                                         {"key": "x_" + key, "label": key, "type": kind, "target": "tasks"})["key"]
        one, several = fields["link"], fields["links"]
        task, open_one = self.meeting("Reineclaude", private=True), self.meeting("Open to all")
        carla, eva, mine = self.api_of("carla"), self.api_of("eva"), "filter[city][eq]=Linkton"
        there = [carla.want(201, "POST", "/api/companies", {"name": f"C{n}", "city": "Linkton", **values})["id"] for n, values in
                 enumerate(({}, {one: task, several: [task]}, {one: open_one, several: [task, open_one]}, {}))]
        _, hidden, shown, _ = there

        def ids(api, query):
            page = api.want(200, "GET", f"/api/companies?{mine}&count=1&{query}")
            self.assertEqual(len(page["items"]), page["count"], query)
            return [c["id"] for c in page["items"]]

        for query, all_of_it, seen in ((f"filter[{one}][contains]=Reine", [hidden], []), (f"filter[{one}][starts]=Reine", [hidden], []),
                                       (f"filter[{one}][eq]=Reineclaude", [hidden], []), (f"filter[{one}][eq]={task}", [hidden], []),
                                       (f"filter[{one}][in]={task},{open_one}", [hidden, shown], [shown]),
                                       (f"filter[{one}][ne]={task}", [i for i in there if i != hidden], there),
                                       (f"filter[{one}][ne]=Reineclaude", [i for i in there if i != hidden], there),
                                       (f"filter[{one}][empty]=0", [hidden, shown], [shown]),
                                       (f"filter[{one}][empty]=1", [there[0], there[3]], [i for i in there if i != shown]),
                                       (f"filter[{several}][eq]={task}", [hidden, shown], []), (f"filter[{several}][ne]={task}", [there[0], there[3]], there),
                                       (f"filter[{several}][empty]=0", [hidden, shown], [shown]),
                                       (f"filter[{several}][empty]=1", [there[0], there[3]], [i for i in there if i != shown])):
            self.assertEqual(sorted(all_of_it), sorted(ids(carla, query)), query)
            for api in (eva, self.api):
                self.assertEqual(sorted(seen), sorted(ids(api, query)), query)
            rows = eva.request("GET", f"/api/companies/export.csv?columns=name&{mine}&{query}")[2]
            self.assertEqual(len(seen), str(rows).count("\nC"), (query, rows))
        # The order is that of those without a link, and the cursor has no number of it. It is asked twice: perhaps from memory.
        for sort, wanted in ((one, [there[0], hidden, there[3], shown]), (f"-{one}", [shown, there[3], hidden, there[0]]),
                             (f"city,{one}", [there[0], hidden, there[3], shown])):
            for _ in range(2):
                found, after = [], ""
                for _ in there:
                    page = eva.want(200, "GET", f"/api/companies?{mine}&sort={sort}&limit=1&after={after}")
                    found += [c["id"] for c in page["items"]]
                    after = page["next"] or ""
                    self.assertNotIn(task, json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)) or b"[]")[:-1])  # the last is the company
                self.assertEqual(wanted, found, sort)
        self.assertEqual([there[0], there[3], hidden, shown], ids(carla, f"sort={one}"))

    def test_boxes_have_room_for_what_is_seen(self):
        """As many hidden activities as a card looks at leave the boxes of its other records as they were, now and as of then."""
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Crowded"})["id"]
        seen = self.meeting("Before the crowd", contact=contact)
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Beside the crowd", "contact": contact})["id"]
        eva = self.api_of("eva")
        before = eva.want(200, "GET", f"/api/contacts/{contact}?related=1")["related"]
        self.assertEqual({"tasks": [seen], "opportunities": [deal]}, {box["module"]: [i["id"] for i in box["items"]] for box in before})
        for n in range(201):
            self.api_of("carla").want(201, "POST", "/api/tasks", {"kind": "task", "subject": f"Crowd {n}", "contact": contact, "private": True})
        now = eva.want(200, "GET", f"/api/contacts/{contact}?related=1")["related"]
        self.assertEqual(before, now)
        later = self.api_of("carla").want(200, "GET", f"/api/contacts/{contact}/history?limit=1")["items"][0]["at"]
        then = eva.want(200, "GET", f"/api/contacts/{contact}?related=1&as_of={quote(later)}")["related"]
        self.assertEqual([[i["id"] for i in box["items"]] for box in before], [[i["id"] for i in box["items"]] for box in then])

    def test_a_restored_and_reopened_one_stays_private(self):
        task = self.meeting("Kept", private=True)
        for method, path, body in (("POST", "close", {}), ("POST", "reopen", {})):
            self.assertEqual(404, self.api_of("eva").request(method, f"/api/tasks/{task}/{path}", body)[0])
            self.api_of("carla").want(200, method, f"/api/tasks/{task}/{path}", body)
        self.assertEqual(404, self.api.request("DELETE", f"/api/tasks/{task}")[0])
        self.api_of("carla").want(204, "DELETE", f"/api/tasks/{task}")
        self.assertNotIn(task, [t["id"] for t in self.api.want(200, "GET", "/api/tasks?deleted=1")["items"]])
        self.assertEqual(404, self.api.request("POST", f"/api/tasks/{task}/restore", {})[0])
        self.api_of("carla").want(200, "POST", f"/api/tasks/{task}/restore", {})
        self.assertFalse(self.known(task, "eva"))

    def test_a_rebuild_says_the_same(self):
        self.meeting("Rebuilt", private=True)
        self.assertEqual(0, command("rebuild", "--check", "--data", str(self.server.data))[0])


class Messages(Stream):
    """The names of a stream's messages."""

    def _read(self):
        try:
            while line := self.answer.readline():
                if line.startswith(b"event: "):
                    with self.news:
                        self.positions.append(line[7:].decode().strip())
                        self.news.notify_all()
        except (OSError, ValueError):
            pass
        self.ended.set()


if __name__ == "__main__":
    unittest.main()
