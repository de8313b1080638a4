"""The ribbon: the life of a record, its card as of any moment, and what is different between two, by the API and by pages."""

import html
import re
import time
import unittest
from urllib.parse import quote

from erasing_test import Documents


def pause():
    time.sleep(0.004)  # moments are told apart


class Ribbon(Documents):
    def make(self, kind, **values):
        pause()
        return self.api.want(201, "POST", f"/api/{kind}", values)

    def change_of(self, module, record, **values):
        """The moment of the change."""
        pause()
        return self.api.want(200, "PATCH", f"/api/{module}/{record}", values)["updated_at"]

    def then(self, module, record, moment, more=""):
        return self.api.want(200, "GET", f"/api/{module}/{record}?as_of={quote(moment)}{more}")

    def story(self):
        """A company that is renamed, a contact that leaves it, an activity that is done; moments by name."""
        acme, other = self.make("companies", name="Acme")["id"], self.make("companies", name="Other")["id"]
        ana = self.make("contacts", name="Ana", company=acme)
        task = self.make("tasks", subject="Call Ana", company=acme)["id"]
        at = {"linked": ana["updated_at"]}
        pause()
        at["all"] = self.change_of("tasks", task, subject="Call Ana soon")
        self.change_of("companies", acme, name="Acme Two", city="Lima")
        self.change_of("contacts", ana["id"], company=other, name="Ana María")
        self.change_of("tasks", task, done=True)
        return acme, other, ana["id"], task, at

    def test_a_card_is_told_with_the_names_and_links_of_its_day(self):
        acme, other, ana, task, at = self.story()
        was = self.then("contacts", ana, at["linked"])
        self.assertEqual(("Ana", {"id": acme, "name": "Acme"}), (was["name"], was["company"]))
        boxes = {b["module"]: b for b in self.then("companies", acme, at["all"], "&related=1")["related"]}
        self.assertEqual([(ana, "Ana")], [(i["id"], i["name"]) for i in boxes["contacts"]["items"]])
        self.assertEqual(["Call Ana soon"], [i["subject"] for i in boxes["tasks"]["items"]])
        now = {b["module"]: b for b in self.api.want(200, "GET", f"/api/companies/{acme}?related=1")["related"]}
        self.assertNotIn("contacts", now)
        self.assertEqual([], now["tasks"]["items"])
        self.assertEqual([ana], [i["id"] for b in self.api.want(200, "GET", f"/api/companies/{other}?related=1")["related"] for i in b["items"]])
        self.sound()

    def test_what_is_different_between_two_moments(self):
        acme, other, ana, _, at = self.story()
        told = self.api.want(200, "GET", f"/api/companies/{acme}/difference?from={quote(at['all'])}")
        self.assertEqual({"name": ("Acme", "Acme Two"), "city": (None, "Lima")},
                         {c["field"]: (c["then"], c["other"]) for c in told["changes"]})
        self.assertEqual([(ana, "Ana María", "contacts", "company", True, False)],
                         [(x["id"], x["name"], x["module"], x["field"], x["then"], x["other"]) for x in told["links"]])
        self.assertIn("closed", [e["kind"] for e in told["history"]["items"]])
        self.assertNotIn("created", [e["kind"] for e in told["history"]["items"]])
        # The company is another, and called by its name of each day.
        told = self.api.want(200, "GET", f"/api/contacts/{ana}/difference?from={quote(at['linked'])}")
        self.assertEqual(({"id": acme, "name": "Acme"}, {"id": other, "name": "Other"}),
                         next((c["then"], c["other"]) for c in told["changes"] if c["field"] == "company"))
        turned = self.api.want(200, "GET", f"/api/contacts/{ana}/difference?to={quote(at['linked'])}&from=2100-01-01")
        self.assertEqual(told["then"], turned["then"])
        self.assertEqual(422, self.api.request("GET", f"/api/contacts/{ana}/difference")[0])
        self.assertEqual(422, self.api.request("GET", f"/api/contacts/{ana}/difference?from=never")[0])
        self.assertEqual(404, self.api.request("GET", f"/api/contacts/{ana}/difference?from=2001-01-01T00:00:00Z")[0])

    def test_a_document_that_was_erased_is_told_as_erased(self):
        first, one = self.document("one\n", "one.txt")
        second, two = self.document("two\n", "two.txt")
        case = self.case(one)
        made = self.api.want(200, "GET", f"/api/cases/{case}")["updated_at"]
        self.change(case, two)
        changed = self.api.want(200, "GET", f"/api/cases/{case}")["updated_at"]
        pause()
        self.assertEqual("one.txt", self.then("cases", case, made)["attachment"]["name"])
        self.assertEqual(204, self.erase(case, first))
        was = self.then("cases", case, made)
        self.assertEqual((None, ["attachment"]), (was["attachment"], was["erased"]))
        # The event that replaced it lost both its values with it, but not what the field has held since.
        was = self.then("cases", case, changed)
        self.assertEqual("two.txt", was["attachment"]["name"])
        self.assertNotIn("erased", was)
        told = self.api.want(200, "GET", f"/api/cases/{case}/difference?from={quote(made)}")["changes"]
        self.assertEqual([("attachment", True)], [(c["field"], c["then_erased"]) for c in told])
        page = self.browser().get(f"/cases/{case}?as_of={quote(made)}")
        self.assertIn("(erased)", page.source)
        self.assertEqual(204, self.erase(case, second))
        self.assertEqual(["attachment"], self.then("cases", case, changed)["erased"])
        self.assertNotIn("erased", self.then("cases", case, "2100-01-01T00:00:00Z"))

    def test_a_ribbon_and_its_moments(self):
        acme, _, _, _, at = self.story()
        life = self.api.want(200, "GET", f"/api/companies/{acme}/ribbon?as_of={quote(at['all'])}")
        history = self.api.want(200, "GET", f"/api/companies/{acme}/history?limit=200")["items"]
        self.assertEqual((len(history), False), (life["count"], life["estimated"]))
        self.assertEqual(len(history), sum(b["count"] for b in life["bars"]))
        times = sorted(e["at"] for e in history)
        self.assertEqual((times[0], times[-1]), (life["first"], life["last"]))
        self.assertEqual(max(t for t in times if t < at["all"]), life["previous"])
        self.assertEqual(min(t for t in times if t > at["all"]), life["next"])
        self.assertEqual(404, self.api.request("GET", "/api/companies/99999/ribbon")[0])

    def test_the_bars_of_a_long_story_come_after_its_card(self):
        """Counting them would make the card of a long story slower than that of a short one."""
        path, browser = f"/contacts/{self.make('contacts', name='Long')['id']}", self.browser()
        bars = lambda source: source.count('tabindex="-1"><title>')  # noqa: E731
        for n in range(199):
            self.api.want(200, "PATCH", f"/api{path}", {"city": f"City {n}"})
        short = browser.get(path).source
        self.assertIn("200 events since", short)
        self.assertGreater(bars(short), 0)
        self.assertNotIn("bars=1", short)
        self.api.want(200, "PATCH", f"/api{path}", {"city": "The last"})
        page = browser.get(path)
        self.assertEqual(0, bars(page.source))
        self.assertIn(f'<a href="{path}?bars=1">More than 200 events since', page.source)
        for step in ("first", "prev"):
            self.assertEqual(200, browser.get(html.unescape(re.search(rf'rel="{step}" href="([^"]*)"', page.source).group(1))).status)
        life = self.api.want(200, "GET", f"/api{path}/ribbon")
        self.assertEqual((201, False, 201), (life["count"], life["estimated"], sum(b["count"] for b in life["bars"])))
        for whole in (browser.get(f"{path}?bars=1").source, browser.get(f"{path}?bars=1", **{"Cronista-Part": "card-ribbon"}).source):
            self.assertGreater(bars(whole), 0)
            self.assertIn("201 events since", whole)

    def test_pages_without_scripts(self):
        acme, _, ana, _, at = self.story()
        browser = self.browser()
        page = browser.get(f"/companies/{acme}")
        previous = re.search(r'rel="prev" href="([^"]*)"', page.source).group(1)
        self.assertIn("as_of=", previous)
        self.assertGreater(page.source.count('tabindex="-1"><title>'), 0)
        page = browser.get(f"/companies/{acme}?as_of={quote(at['all'])}")
        self.assertIn('<h1>Acme</h1>', page.source)
        self.assertIn("As it was on", page.source)
        self.assertIn(f'href="/contacts/{ana}">Ana</a>', page.source)
        for wanted in (f'href="/companies/{acme}">Back to now', f"/companies/{acme}/difference?from="):
            self.assertIn(wanted, page.source)
        for unwanted in (f"/companies/{acme}/edit", f"/companies/{acme}/delete", f'action="/companies/{acme}/comments"', "Acme Two", "Lima",
                         "data-live", "data-edit", "Ana María", "New call"):
            self.assertNotIn(unwanted, page.source)
        difference = browser.get(f"/companies/{acme}/difference?from={quote(at['all'])}")
        for wanted in ("Acme Two", "Lima", "Ana María", "in between"):
            self.assertIn(wanted, difference.text)

    def test_a_moment_is_typed_as_its_reader_writes_it(self):
        _, other = self.user("wieslaw@example.org", language="pl", zone="Europe/Warsaw", name="Wiesław")
        acme = self.make("companies", name="Acme")["id"]
        self.change_of("companies", acme, name="Acme Two")
        browser = self.browser("wieslaw@example.org", "another test password", "pl")
        local = time.strftime("%d.%m.%Y")
        self.assertIn("<h1>Acme Two</h1>", browser.get(f"/companies/{acme}?as_of={local}").source)
        for wrong in ("nigdy", "31.02.2026", "01.01.2001 10:30"):
            status, page = self.typed(browser, f"/companies/{acme}?as_of={quote(wrong)}")
            self.assertEqual(422, status, wrong)
            self.assertIn(f'value="{wrong}"', page)
            self.assertIn('role="alert"', page)
            status, page = self.typed(browser, f"/companies/{acme}/difference?from={quote(wrong)}")
            self.assertEqual(422, status, wrong)
            self.assertIn('role="alert"', page)

    def typed(self, browser, path):
        page = browser.get(path)
        return page.status, page.source

    def test_nobody_sees_more_of_the_past_than_of_today(self):
        """A field that one may not read is not there, nor in the difference; what one may not see is not found."""
        _, member = self.user("nuria@example.org")
        other, _ = self.user("oscar@example.org", zone="Europe/Madrid")
        was = self.api.want(200, "GET", f"/api/users/{other}")["updated_at"]
        pause()
        self.change_of("users", other, zone="America/Lima", position="Seller")
        seen = member.want(200, "GET", f"/api/users/{other}?as_of={quote(was)}")
        self.assertNotIn("zone", seen)
        self.assertEqual("Europe/Madrid", self.then("users", other, was)["zone"])
        told = member.want(200, "GET", f"/api/users/{other}/difference?from={quote(was)}")
        self.assertEqual(["position"], [c["field"] for c in told["changes"]])
        self.assertNotIn("Lima", str(told))
        view = self.make("views", name="Mine", of_module="contacts", query={})
        for path in ("", "/ribbon", "/difference"):
            moment = quote(view["updated_at"])
            self.assertEqual(404, member.request("GET", f"/api/views/{view['id']}{path}?as_of={moment}&from={moment}")[0], path)


if __name__ == "__main__":
    unittest.main()
