"""Activities: closed with an outcome and reopened where the rules allow, fields by kind, those I take part in, reminders, notes."""

import datetime
import http.client
import re
import time
import unittest
import urllib.parse

from harness import Story, Stream


def moment(**ago):
    """A moment so long ago (negative: ahead), as the API writes it."""
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Activities(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.me = cls.api.want(200, "GET", "/api/settings")["id"]
        cls.ana_id, cls.ana = cls.user("ana@example.org")
        cls.ben_id, cls.ben = cls.user("ben@example.org")
        cls.eve_id, cls.eve = cls.user("eve@example.org", "read_only")

    def setUp(self):
        self.api.want(200, "PATCH", "/api/settings/activities",
                      {"reopen_profiles": ["administrator"], "reopen_in_charge": True, "reopen_creator": True, "reopen_hours": None,
                       "near_hours": 24})

    def task(self, api=None, **values):
        return (api or self.api).want(201, "POST", "/api/tasks", {"subject": "Ring them", **values})["id"]

    def events(self, path, **query):
        asked = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api.want(200, "GET", f"/api/{path}/history?{asked}")["items"]


class Closing(Activities):
    def test_closing_is_an_event_with_its_outcome(self):
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Carla"})["id"]
        for outcome, word in (("success", "closed Ring them successfully"), ("failure", "closed Ring them without success")):
            task = self.task(contact=contact)
            closed = self.ana.want(200, "POST", f"/api/tasks/{task}/close", {"outcome": outcome, "result": f"Came out: {outcome}"})
            self.assertTrue(closed["done"])
            self.assertEqual(outcome, closed["outcome"])
            self.assertTrue(closed["done_at"])
            event = self.events(f"contacts/{contact}", limit=1)[0]
            self.assertEqual("closed", event["kind"])
            self.assertEqual(self.ana_id, event["actor"]["id"])
            page = self.browser().get(f"/contacts/{contact}")
            self.assertIn(word, page.text)
            self.assertIn(f"Came out: {outcome}", page.text)
            self.assertEqual(409, self.ben.request("POST", f"/api/tasks/{task}/close", {"outcome": "success"})[0])

    def test_done_set_by_any_way_is_a_closing(self):
        task = self.task()
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"done": True, "subject": "Rang them"})
        self.assertEqual("closed", self.events(f"tasks/{task}", limit=1)[0]["kind"])
        page = self.browser().get(f"/tasks/{task}")
        self.assertIn("closed this", page.text)
        self.assertIn("Rang them", page.text)
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"done": False})
        again = self.events(f"tasks/{task}", limit=1)[0]
        self.assertEqual("reopened", again["kind"])
        record = self.api.want(200, "GET", f"/api/tasks/{task}")
        self.assertEqual((False, None, None, 3), (record["done"], record["done_at"], record["outcome"], record["version"]))
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"subject": "Something else"})
        self.assertEqual("edited", self.events(f"tasks/{task}", limit=1)[0]["kind"])

    def test_the_story_is_filtered_by_closings(self):
        task = self.task()
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {"outcome": "success"})
        self.assertEqual(["closed"], [e["kind"] for e in self.events(f"tasks/{task}", kind="closed")])

    def test_an_unknown_outcome_is_refused_by_name(self):
        task = self.task()
        status, _, problem = self.api.request("POST", f"/api/tasks/{task}/close", {"outcome": "perhaps"})
        self.assertEqual(422, status)
        self.assertEqual("outcome", problem["errors"][0]["field"])
        self.assertFalse(self.api.want(200, "GET", f"/api/tasks/{task}")["done"])

    def test_who_may_only_read_closes_nothing(self):
        task = self.task()
        self.assertEqual(403, self.eve.request("POST", f"/api/tasks/{task}/close", {})[0])
        self.assertEqual(403, self.eve.request("POST", f"/api/tasks/{task}/reopen", {})[0])

    def test_reopening_follows_the_rules(self):
        def closed_by_administrator(**values):
            task = self.task(**values)
            self.api.want(200, "POST", f"/api/tasks/{task}/close", {"outcome": "success", "result": "Done"})
            return task

        task = closed_by_administrator()
        status, _, problem = self.ana.request("POST", f"/api/tasks/{task}/reopen", {}, {"Accept-Language": "en"})
        self.assertEqual(403, status)
        self.assertIn("rules", problem["detail"])
        self.assertEqual(403, self.ana.request("PATCH", f"/api/tasks/{task}", {"done": False})[0])
        self.assertTrue(self.api.want(200, "GET", f"/api/tasks/{task}")["done"])
        # Who is in charge may: so one does not put oneself in charge first.
        self.assertEqual(403, self.ana.request("PATCH", f"/api/tasks/{task}", {"owner": self.ana_id})[0])
        self.ana.request("POST", "/api/tasks/bulk", {"do": "assign", "id": [task], "user": self.ana_id})
        self.assertNotEqual(self.ana_id, (self.api.want(200, "GET", f"/api/tasks/{task}")["owner"] or {}).get("id"))
        self.ana.want(200, "PATCH", f"/api/tasks/{task}", {"subject": "Another name"})
        self.api.want(200, "POST", f"/api/tasks/{task}/reopen", {})
        self.assertEqual(409, self.api.request("POST", f"/api/tasks/{task}/reopen", {})[0])

        task = closed_by_administrator(owner=self.ana_id)
        self.assertEqual(403, self.ben.request("POST", f"/api/tasks/{task}/reopen", {})[0])
        self.assertFalse(self.ana.want(200, "POST", f"/api/tasks/{task}/reopen", {})["done"])

        task = self.task(self.ben)
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"owner": self.ana_id})
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {})
        self.ben.want(200, "POST", f"/api/tasks/{task}/reopen", {})

        self.api.want(200, "PATCH", "/api/settings/activities", {"reopen_in_charge": False, "reopen_creator": False})
        task = closed_by_administrator(owner=self.ana_id)
        self.assertEqual(403, self.ana.request("POST", f"/api/tasks/{task}/reopen", {})[0])
        self.api.want(200, "PATCH", "/api/settings/activities", {"reopen_profiles": ["member"]})
        self.assertEqual(403, self.api.request("POST", f"/api/tasks/{task}/reopen", {})[0])
        self.ana.want(200, "POST", f"/api/tasks/{task}/reopen", {})

        self.api.want(200, "PATCH", "/api/settings/activities", {"reopen_profiles": ["administrator", "member"], "reopen_hours": 0})
        task = closed_by_administrator()
        status, _, problem = self.api.request("POST", f"/api/tasks/{task}/reopen", {}, {"Accept-Language": "en"})
        self.assertEqual(403, status)
        self.assertIn("too long ago", problem["detail"])

    def test_reopening_from_the_story(self):
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Dora"})["id"]
        task = self.task(contact=contact)
        person = self.browser()
        page = person.get(f"/contacts/{contact}")
        form = page.form(f"/tasks/{task}/close")
        self.assertEqual({"csrf", "form.written", "back", "result", "outcome"}, form.names)
        page = person.submit(f"/tasks/{task}/close", {"result": "They come on Monday"}, ("outcome", "success"))
        self.assertEqual(200, page.status)
        self.assertIn("They come on Monday", page.text)
        self.assertIn(f"/contacts/{contact}", person.path)
        page = person.submit(f"/tasks/{task}/reopen")
        self.assertIn("reopened Ring them", page.text)
        self.assertFalse(self.api.want(200, "GET", f"/api/tasks/{task}")["done"])
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {})
        self.assertNotIn(f"/tasks/{task}/reopen", self.browser("ana@example.org", "another test password").get(f"/contacts/{contact}").source)

    def test_rules_are_for_administrators_and_in_the_log(self):
        self.assertEqual(403, self.ana.request("GET", "/api/settings/activities")[0])
        self.assertEqual(403, self.ana.request("PATCH", "/api/settings/activities", {"near_hours": 2})[0])
        person = self.browser()
        person.get("/settings/activities")
        page = person.submit("/settings/activities", {"near_hours": "5", "reopen_hours": "48"})
        self.assertEqual(200, page.status)
        rules = self.api.want(200, "GET", "/api/settings/activities")
        self.assertEqual((5, 48), (rules["near_hours"], rules["reopen_hours"]))
        event = self.api.want(200, "GET", "/api/history?module=activity_rules&limit=1")["items"][0]
        self.assertEqual({"near_hours", "reopen_hours"}, {c["field"] for c in event["changes"]})
        self.assertEqual(422, self.api.request("PATCH", "/api/settings/activities", {"near_hours": -1})[0])
        page = person.submit("/settings/activities", {"near_hours": "many"})
        self.assertEqual(422, page.status)
        self.assertIn("many", page.source)


class Kinds(Activities):
    SHOWN = {"call": {"participants", "guests", "due", "reminder", "description"},
             "meeting": {"participants", "guests", "due", "reminder", "description", "place", "start", "end"},
             "task": {"priority", "due", "reminder", "description"}}

    def shown(self, page):
        return {key for key, rest in re.findall(r'<div class="control[^"]*" data-key="([^"]*)"([^>]*)>', page.source) if " hidden" not in rest}

    def test_the_form_shows_what_belongs_to_the_kind(self):
        person = self.browser()
        for kind, expected in self.SHOWN.items():
            page = person.get(f"/tasks/new?kind={kind}&subject=Hello")
            shown = self.shown(page)
            with self.subTest(kind):
                self.assertEqual(expected, shown & set().union(*self.SHOWN.values()))
                self.assertFalse(shown & {"done", "outcome", "result", "kind"})
                for other in self.SHOWN:
                    self.assertIn(f"/tasks/new?subject=Hello&kind={other}", page.links)
                page = person.submit("/tasks", {"subject": f"A {kind}"})
                self.assertEqual(200, page.status)
                made = self.api.want(200, "GET", f"/api{person.path}")
                self.assertEqual((kind, f"A {kind}"), (made["kind"], made["subject"]))

    def test_what_is_filled_in_is_shown_whatever_the_kind(self):
        task = self.task(kind="call", place="At the door")
        page = self.browser().get(f"/tasks/{task}/edit")
        self.assertIn("place", self.shown(page))
        self.assertNotIn("start", self.shown(page))
        page = self.browser().get(f"/tasks/{task}/edit?kind=meeting")
        self.assertIn("start", self.shown(page))

    def test_moments_that_can_not_be_are_refused_by_name(self):
        for values, field in (({"kind": "meeting", "start": "2027-01-01T10:00:00Z", "end": "2027-01-01T10:00:00Z"}, "end"),
                              ({"due": "2027-01-01T10:00:00Z", "reminder": "2027-01-01T10:01:00Z"}, "reminder"),
                              ({"kind": "meeting", "start": "2027-01-01T10:00:00Z", "reminder": "2027-01-02T10:00:00Z"}, "reminder")):
            status, _, problem = self.api.request("POST", "/api/tasks", {"subject": "Impossible", **values})
            self.assertEqual(422, status)
            self.assertEqual([field], [e["field"] for e in problem["errors"]])
        task = self.task(kind="meeting", start="2027-01-01T10:00:00Z", end="2027-01-01T11:00:00Z")
        self.assertEqual(422, self.api.request("PATCH", f"/api/tasks/{task}", {"start": "2027-01-01T12:00:00Z"})[0])
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"start": "2027-01-01T12:00:00Z", "end": "2027-01-01T13:00:00Z"})

    def test_people_are_found_by_digits_of_their_numbers(self):
        self.api.want(201, "POST", "/api/contacts", {"name": "Rita Phone", "phone": "+34 600 555 123"})
        self.api.want(200, "PATCH", f"/api/users/{self.ana_id}", {"phone": "+48 601 777 888"})
        for typed in ("600555", "555 12", "+34 600"):
            found = self.ben.want(200, "GET", f"/api/contacts/lookup?q={urllib.parse.quote(typed)}")["items"]
            self.assertEqual(["Rita Phone"], [c["name"] for c in found], typed)
        self.assertEqual(["+34 600 555 123"], [c["phone"] for c in found])
        self.assertEqual(["Ana"], [u["name"] for u in self.ben.want(200, "GET", "/api/users/lookup?q=777")["items"]])
        self.assertEqual(["Ana"], [u["name"] for u in self.ben.want(200, "GET", "/api/users/lookup?q=ana")["items"]])
        self.assertIn("+34 600 555 123", self.browser().get("/contacts/lookup?q=600555").source)

    def test_a_card_offers_each_kind_with_the_record_filled_in(self):
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Roof"})["id"]
        person = self.browser()
        page = person.get(f"/opportunities/{deal}")
        for kind in self.SHOWN:
            self.assertIn(f"/tasks/new?kind={kind}&opportunity={deal}", page.links)
        person.get(f"/tasks/new?kind=call&opportunity={deal}")
        person.submit("/tasks", {"subject": "About the roof"})
        self.assertEqual(deal, self.api.want(200, "GET", f"/api{person.path}")["opportunity"]["id"])
        self.assertNotIn("/tasks/new", self.browser("eve@example.org", "another test password").get(f"/opportunities/{deal}").source)


class Flags(Activities):
    def flags(self, page, name):
        before = page.source[:page.source.index(f">{name}<")]
        return re.findall(r'<span class="flag (\w*)" title="([^"]*)"', before)[-1]

    def test_flags_follow_the_rules(self):
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Flagged"})["id"]
        for name, due in (("Far away", moment(hours=-30)), ("Quite near", moment(hours=-20)), ("Long over", moment(hours=1))):
            self.task(subject=name, due=due, contact=contact)
        expected = {"Far away": ("won", "In time"), "Quite near": ("wait", "Due soon"), "Long over": ("lost", "Overdue")}
        person = self.browser()
        for path in (f"/tasks?filter[contact][eq]={contact}", f"/tasks?filter[contact][eq]={contact}&columns=subject", f"/contacts/{contact}"):
            page = person.get(path)
            for name, flag in expected.items():
                self.assertEqual(flag, self.flags(page, name), (path, name))
        self.assertEqual(6, person.get(f"/contacts/{contact}").source.count('class="flag '), "in the story and in the box")
        self.api.want(200, "PATCH", "/api/settings/activities", {"near_hours": 48})
        self.assertEqual(("wait", "Due soon"), self.flags(person.get(f"/tasks?filter[contact][eq]={contact}"), "Far away"))
        task = self.api.want(200, "GET", f"/api/tasks?filter[contact][eq]={contact}&filter[subject][eq]=Long%20over")["items"][0]["id"]
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {})
        self.assertEqual(2, person.get(f"/tasks?filter[contact][eq]={contact}").source.count('class="flag '))


class Mine(Activities):
    def mine(self, api, **query):
        return [t["subject"] for t in api.want(200, "GET", "/api/activities?" + urllib.parse.urlencode(query))["items"]]

    def test_all_in_which_i_or_my_groups_take_part(self):
        group = self.api.want(201, "POST", "/api/groups", {"name": "Sales of the south", "members": [self.ben_id]})["id"]
        self.task(subject="In charge", owner=self.ben_id, due=moment(hours=5))
        self.task(subject="Takes part", participants=[self.ana_id, self.ben_id], due=moment(hours=4))
        self.task(subject="Of the group", groups=[group], due=moment(hours=3))
        self.task(subject="Of others", participants=[self.ana_id], due=moment(hours=2))
        self.assertEqual(["In charge", "Takes part", "Of the group"], self.mine(self.ben))
        self.assertEqual(["In charge", "Takes part", "Of the group"],
                         [t["subject"] for t in self.ana.want(200, "GET", f"/api/tasks?filter[takes_part][eq]={self.ben_id}&sort=due")["items"]])
        self.api.want(200, "PATCH", f"/api/groups/{group}", {"members": []})
        self.assertEqual(["In charge", "Takes part"], self.mine(self.ben))
        page = self.browser("ben@example.org", "another test password").get("/tasks?filter[takes_part][eq]=me")
        self.assertIn("Takes part", page.text)
        self.assertEqual(403, self.ben.request("PATCH", f"/api/groups/{group}", {"members": [self.ben_id]})[0])
        self.assertEqual(422, self.ben.request("GET", "/api/tasks?filter[takes_part][eq]=somebody")[0])

    def test_tabs_and_kinds(self):
        _, cleo = self.user("cleo@example.org")
        for subject, values in (("Yesterday", {"due": moment(days=1, hours=1), "kind": "call"}), ("Now", {"due": moment(minutes=-1)}),
                                ("In three days", {"due": moment(days=-3), "kind": "meeting"}), ("Some day", {})):
            self.task(cleo, subject=subject, **values)
        self.assertEqual(["Yesterday", "Now", "In three days"], self.mine(cleo))
        self.assertEqual(["Yesterday"], self.mine(cleo, when="overdue"))
        self.assertEqual(["In three days"], self.mine(cleo, when="next")[-1:])
        self.assertEqual(["Some day"], self.mine(cleo, when="undated"))
        self.assertEqual(["Yesterday"], self.mine(cleo, kind="call"))
        self.assertEqual([], self.mine(cleo, when="done"))
        self.assertEqual(422, cleo.request("GET", "/api/activities?when=never")[0])
        self.assertEqual(422, cleo.request("GET", "/api/activities?kind=party")[0])
        first = cleo.want(200, "GET", "/api/activities?limit=2")
        self.assertEqual(["In three days"], self.mine(cleo, limit=2, after=first["next"]))
        person = self.browser("cleo@example.org", "another test password")
        page = person.get("/activities")
        self.assertEqual([], page.wrong)
        self.assertIn("/activities?when=done", page.links)
        self.assertIn("/activities?kind=call", page.links)
        task = cleo.want(200, "GET", "/api/activities?when=overdue")["items"][0]["id"]
        page = person.submit(f"/tasks/{task}/close", {"result": "Spoke with them"}, ("outcome", "failure"))
        self.assertEqual("/activities", person.path)
        self.assertNotIn("Yesterday", page.text)
        page = person.get("/activities?when=done")
        self.assertIn("Yesterday", page.text)
        self.assertIn("Not successful", page.text)
        page = person.submit(f"/tasks/{task}/reopen")
        self.assertIn("Nothing is done yet.", page.text)

    def test_today_is_that_of_who_asks(self):
        _, dan = self.user("dan@example.org", zone="Pacific/Kiritimati")
        zone = datetime.timezone(datetime.timedelta(hours=14))
        midnight = datetime.datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for subject, at in (("First minute", midnight), ("Last minute", midnight + datetime.timedelta(hours=23, minutes=59)),
                            ("Day before", midnight - datetime.timedelta(minutes=1)), ("Day after", midnight + datetime.timedelta(days=1))):
            self.task(dan, subject=subject, due=at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.assertEqual(["First minute", "Last minute"], self.mine(dan, when="today"))
        self.assertEqual(["Day after"], self.mine(dan, when="next"))

    def test_they_can_be_called_from_there(self):
        _, flo = self.user("flo@example.org")
        contact = self.api.want(201, "POST", "/api/contacts", {"name": "Callable", "phone": "+34 600 111 222"})["id"]
        self.task(flo, subject="Ring", kind="call", contact=contact, due=moment(hours=1))
        self.assertEqual("+34600111222", flo.want(200, "GET", "/api/activities")["items"][0]["phone"]["e164"])
        page = self.browser("flo@example.org", "another test password").get("/activities")
        self.assertIn("tel:+34600111222", page.links)
        self.assertIn("/activities", page.links)

    def test_an_empty_page_says_what_will_be_here(self):
        self.user("gus@example.org", "read_only")
        page = self.browser("gus@example.org", "another test password").get("/activities")
        self.assertIn("Nothing to do.", page.text)
        self.assertNotIn("/tasks/new", page.links)
        self.assertIn("/tasks", page.links)


class Reminders(Activities):
    def due(self, api):
        return [t["subject"] for t in api.want(200, "GET", "/api/reminders")["items"]]

    def bell(self, api):
        """Told whenever one's reminders are to be looked at again."""
        stream = Bell(self.server.port, "/api/live?reminders=1", {"Authorization": f"Bearer {api.key}"})
        self.addCleanup(stream.close)
        return stream

    def test_all_who_take_part_are_reminded_until_they_answer(self):
        uma_id, uma = self.user("uma@example.org")
        vic_id, vic = self.user("vic@example.org")
        _, wes = self.user("wes@example.org")
        task = self.task(subject="Call back", owner=uma_id, participants=[vic_id], due=moment(hours=-1), reminder=moment(minutes=1))
        self.task(subject="Later on", owner=uma_id, due=moment(hours=-9), reminder=moment(hours=-8))
        self.assertEqual((["Call back"], ["Call back"], []), (self.due(uma), self.due(vic), self.due(wes)))
        size = len(self.api.want(200, "GET", "/api/history?limit=200")["items"])
        self.assertEqual(204, uma.request("POST", f"/api/reminders/{task}/dismiss", {})[0])
        self.assertEqual(([], ["Call back"]), (self.due(uma), self.due(vic)))
        self.assertEqual(204, vic.request("POST", f"/api/reminders/{task}/snooze", {"minutes": 5})[0])
        self.assertEqual([], self.due(vic))
        self.assertEqual(size, len(self.api.want(200, "GET", "/api/history?limit=200")["items"]), "it is theirs alone")
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"reminder": moment(seconds=30)})
        self.assertEqual((["Call back"], ["Call back"]), (self.due(uma), self.due(vic)), "another moment, another reminder")
        self.api.want(200, "POST", f"/api/tasks/{task}/close", {})
        self.assertEqual(([], []), (self.due(uma), self.due(vic)))

    def test_answers_that_make_no_sense(self):
        task = self.task()
        self.assertEqual(409, self.api.request("POST", f"/api/reminders/{task}/dismiss", {})[0])
        self.assertEqual(404, self.api.request("POST", "/api/reminders/999999/dismiss", {})[0])
        task = self.task(reminder=moment(minutes=1))
        for minutes in (0, -5, 20000, "soon"):
            self.assertEqual(422, self.api.request("POST", f"/api/reminders/{task}/snooze", {"minutes": minutes})[0])
        self.assertEqual(204, self.api.request("POST", f"/api/reminders/{task}/snooze", {"tomorrow": True})[0])

    def test_it_comes_by_the_clock_of_the_server(self):
        xia_id, xia = self.user("xia@example.org")
        bell, other = self.bell(xia), self.bell(self.ana)
        time.sleep(0.5)
        self.task(subject="Any second", owner=xia_id, due=moment(hours=-1), reminder=moment(seconds=-3))
        time.sleep(0.1)
        self.assertEqual([], self.due(xia))
        self.assertTrue(bell.wait(1, 8))
        self.assertEqual(["Any second"], self.due(xia))
        count = bell.count
        task = xia.want(200, "GET", "/api/reminders")["items"][0]["id"]
        xia.request("POST", f"/api/reminders/{task}/dismiss", {})
        self.assertTrue(bell.wait(count + 1, 5), "what one window answers the others hear of")
        self.assertEqual(0, other.count)
        count = bell.count
        self.task(subject="Past at once", owner=xia_id, reminder=moment(minutes=5))
        self.assertTrue(bell.wait(count + 1, 5))
        self.assertEqual(["Past at once"], self.due(xia))

    def test_pages_without_scripts(self):
        yan_id, _ = self.user("yan@example.org")
        task = self.task(subject="On a page", owner=yan_id, due=moment(hours=-1), reminder=moment(minutes=1))
        person = self.browser("yan@example.org", "another test password")
        page = person.get("/reminders")
        self.assertEqual([], page.wrong)
        self.assertIn("On a page", page.text)
        self.assertIn(f"/tasks/{task}", page.links)
        page = person.submit(f"/reminders/{task}/snooze", button=("minutes", "15"))
        self.assertIn("No reminders now", page.text)


class RemindersKept(Activities):
    def test_they_survive_the_server(self):
        zoe_id, zoe = self.user("zoe@example.org")
        self.task(subject="Kept", owner=zoe_id, reminder=moment(minutes=1))
        gone = self.task(subject="Gone", owner=zoe_id, reminder=moment(minutes=1))
        zoe.request("POST", f"/api/reminders/{gone}/dismiss", {})
        self.server.stop()
        self.server.start()
        items = self.server.api(zoe.key).want(200, "GET", "/api/reminders")["items"]
        self.assertEqual(["Kept"], [t["subject"] for t in items])


class Notes(Activities):
    def setUp(self):
        super().setUp()
        self.company = self.api.want(201, "POST", "/api/companies", {"name": "Noted Ltd"})["id"]
        self.contact = self.api.want(201, "POST", "/api/contacts", {"name": "Nora", "company": self.company})["id"]

    def note(self, api=None, **values):
        return (api or self.api).request("POST", f"/api/contacts/{self.contact}/notes", {"way": "visit", "text": "Showed them the hall", **values})

    def test_it_is_an_event_of_its_own_on_all_cards(self):
        status, _, made = self.note(self.ana, happened_at="2026-01-05T10:30:00Z", contacts=[self.contact], users=[self.ben_id])
        self.assertEqual(201, status)
        self.api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"city": "Lima"})
        for card in (f"contacts/{self.contact}", f"companies/{self.company}"):
            events = self.events(card, kind="notes")
            self.assertEqual([(made["position"], "noted")], [(e["position"], e["kind"]) for e in events])
        event = events[0]
        self.assertEqual(("visit", "2026-01-05T10:30:00Z", "Showed them the hall"), (event["way"], event["happened_at"][:19] + "Z", event["text"]))
        self.assertEqual([("contacts", "Nora"), ("users", "Ben")], [(p["module"], p["name"]) for p in event["people"]])
        self.assertEqual(2, self.api.want(200, "GET", f"/api/contacts/{self.contact}")["version"], "the record itself is as it was")
        page = self.browser().get(f"/contacts/{self.contact}")
        for words in ("Ana noted a visit", "Nora", "Ben", "5 January 2026", "Showed them the hall"):
            self.assertIn(words, page.text)
        self.assertIn("Ana noted a visit about Nora", self.browser().get(f"/companies/{self.company}").text)
        self.assertEqual([made["position"]], [e["position"] for e in self.events(f"contacts/{self.contact}", kind="noted")])

    def test_what_is_wrong_is_named_all_at_once(self):
        for values, fields in (({"way": "telepathy"}, ["way"]), ({"text": "  "}, ["text"]), ({"text": "x" * 5001}, ["text"]),
                               ({"happened_at": moment(hours=-1)}, ["happened_at"]), ({"happened_at": "some day"}, ["happened_at"]),
                               ({"contacts": [999999]}, ["contacts"]), ({"users": "x"}, ["users"]),
                               ({"way": "", "text": "", "happened_at": moment(days=-3)}, ["way", "happened_at", "text"])):
            status, _, problem = self.note(**values)
            self.assertEqual((422, fields), (status, [e["field"] for e in problem["errors"]]), values)
        self.assertEqual([], self.events(f"contacts/{self.contact}", kind="notes"))
        self.assertEqual(201, self.note(text="é" * 5000)[0])

    def test_who_may(self):
        self.assertEqual(403, self.note(self.eve)[0])
        self.assertEqual(404, self.ana.request("POST", "/api/contacts/999999/notes", {"way": "call", "text": "x"})[0])
        page = self.browser("eve@example.org", "another test password").get(f"/contacts/{self.contact}")
        self.assertNotIn(f"/contacts/{self.contact}/notes", page.source)

    def test_the_form_works_without_scripts(self):
        person = self.browser()
        self.api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"name": "Nicanor"})
        here = f"/contacts/{self.contact}"
        person.get(here)
        page = person.submit(f"{here}/notes", {"way": "call", "text": "", "happened_at": "5/1/2026 10:30 or so", "contacts.text": "Nicanor"})
        self.assertEqual(422, page.status)
        self.assertIn("This must be filled in.", page.text)
        self.assertEqual([], page.wrong)
        page = person.submit(f"{here}/notes", {"way": "call", "text": "They will\nthink about it", "happened_at": "2026-01-05 10:30", "contacts.text": "Nicanor"})
        self.assertEqual(200, page.status)
        event = self.events(f"contacts/{self.contact}", kind="notes")[0]
        self.assertEqual(["Nicanor"], [p["name"] for p in event["people"]])
        self.assertIn("think about it", page.text)


class Bell(Stream):
    def __init__(self, *arguments):
        self.count = 0
        super().__init__(*arguments)

    def _read(self):
        try:
            while line := self.answer.readline():
                if line.startswith(b"event: reminders"):
                    with self.news:
                        self.count += 1
                        self.news.notify_all()
        except (OSError, ValueError, http.client.HTTPException):
            pass

    def wait(self, count, seconds):
        with self.news:
            return self.news.wait_for(lambda: self.count >= count, seconds)


if __name__ == "__main__":
    unittest.main()
