"""How a person writes dates and times: chosen in their settings, followed by every page, and by what they type."""

import re
import unittest
from urllib.parse import quote

from harness import Story

MOMENT = "2026-11-23T15:42:00Z"  # 16:42 in Madrid


def plain(page):
    """The visible text with simple spaces."""
    return re.sub(r"[\s\u00a0\u202f]+", " ", page.text)


class Dates(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person, cls.key_of_person = cls.user("irene@example.org", "administrator", language="es", zone="Europe/Madrid")
        made = cls.api.want(201, "POST", "/api/opportunities", {"name": "Cámaras", "closing_date": "2026-11-23", "owner": cls.person})
        cls.deal = f"/opportunities/{made['id']}"
        made = cls.api.want(201, "POST", "/api/tasks", {"subject": "Llamar", "kind": "call", "due": MOMENT, "owner": cls.person})
        cls.task = f"/tasks/{made['id']}"
        cls.visitor = cls.browser(cls, "irene@example.org", "another test password", "es")

    def setUp(self):
        self.key_of_person.want(200, "PATCH", "/api/settings", {"language": "es"})
        self.settings()

    def settings(self, date_format=None, clock=None, week_from=None):
        values = {"date_format": date_format, "clock": clock, "week_from": week_from}
        told = self.key_of_person.want(200, "PATCH", "/api/settings", values)
        self.assertEqual(values, {k: told[k] for k in values})

    def see(self, path):
        page = self.visitor.get(path)
        self.assertEqual((path, 200, []), (path, page.status, page.wrong))
        return plain(page)

    def test_pages_follow_the_settings(self):
        today = self.see("/")  # the heading of the home page is a date
        self.assertRegex(today, r"(lunes|martes|miércoles|jueves|viernes|sábado|domingo), \d+ de [a-z]+")
        for form, day in ((None, "23 nov 2026"), ("iso", "2026-11-23"), ("dmy_slash", "23/11/2026"),
                          ("dmy_dot", "23.11.2026"), ("mdy_slash", "11/23/2026")):
            for clock, time in ((None, "16:42"), ("24", "16:42"), ("12", "4:42 p. m.")):
                self.settings(form, clock)
                self.assertIn(day, self.see(self.deal))
                self.assertIn(day, self.see("/opportunities?columns=closing_date"))
                moment = self.see(self.task)
                self.assertIn(time, moment, (form, clock))
                self.assertIn(f"{day} {time}" if form else time, moment)
                self.assertIn(f"{day} {time}" if form else time, self.see("/tasks?columns=due"))
        self.settings("dmy_dot", "12")
        text = self.see("/")
        self.assertRegex(text, r"(lunes|martes|miércoles|jueves|viernes|sábado|domingo), \d\d\.\d\d\.\d{4}")
        for path in ("/history", f"{self.deal}/history", self.deal):
            self.assertRegex(self.see(path), r"\d{1,2}:\d\d(:\d\d)? [ap]\. m\.", path)
        self.assertRegex(self.see("/history"), r"\d\d\.\d\d\.\d{4} \d{1,2}:\d\d:\d\d [ap]\. m\.")
        page = self.visitor.get("/history").source
        self.assertIn('<html lang="es" data-dates="dmy_dot" data-clock="12"', page)
        self.assertIn('placeholder="dd.mm.aaaa"', page)
        # What is relative has the whole moment beside it.
        self.assertRegex(self.visitor.get("/opportunities").source, r'<time class="ago" datetime="[^"]+Z" title="\d\d\.\d\d\.\d{4} \d{1,2}:\d\d.[ap]\..m\."')
        self.settings()
        self.assertIn('<html lang="es" data-dates="dmy_slash" data-months data-clock="24"', self.visitor.get("/history").source)

    def test_a_life_of_minutes_is_told_in_seconds(self):
        marks = re.search(r'class="ribbon-marks"[^>]*>(.*?)</p>', self.visitor.get(self.deal).source).group(1)
        self.assertRegex(marks, r"^(<span>\d\d:\d\d:\d\d</span>){5}$")
        self.settings(None, "12")
        marks = re.search(r'class="ribbon-marks"[^>]*>(.*?)</p>', self.visitor.get(self.deal).source).group(1)
        self.assertRegex(marks, r"^(<span>\d{1,2}:\d\d:\d\d\W[ap]\.\Wm\.</span>){5}$")

    def test_a_sentence_with_a_moment_ends_with_one_dot(self):
        at = self.api.want(200, "GET", f"/api{self.deal}")["updated_at"]
        self.assertRegex(self.see(f"{self.deal}?as_of={at}"), r"Como era el \d+ [a-z]{3} \d{4} \d\d:\d\d\. ")
        self.settings("dmy_dot", "12")
        self.assertRegex(self.see(f"{self.deal}?as_of={at}"), r"Como era el \d\d\.\d\d\.\d{4} \d{1,2}:\d\d [ap]\. m\. ")

    def test_programs_see_no_difference(self):
        self.settings("mdy_slash", "12", "saturday")
        self.assertEqual("2026-11-23", self.key_of_person.want(200, "GET", f"/api{self.deal}")["closing_date"])
        self.assertEqual(MOMENT, self.key_of_person.want(200, "GET", f"/api{self.task}")["due"])
        status, _, told = self.key_of_person.request("PATCH", f"/api{self.deal}", {"closing_date": "11/23/2026"})
        self.assertEqual(422, status)
        self.assertIn("2026-12-31", told["errors"][0]["message"])

    def typed(self, value, field="closing_date", path=None):
        path = path or self.deal
        self.visitor.get(f"{path}/edit")
        page = self.visitor.submit(path, {field: value})
        return page.status, self.api.want(200, "GET", f"/api{path}")[field], plain(page)

    def test_what_is_typed_is_read_in_that_form(self):
        self.settings("mdy_slash", "12")
        self.visitor.get(f"{self.deal}/edit")
        self.assertIn('value="11/23/2026"', self.visitor.page.source)
        self.assertEqual((200, "2026-03-04"), self.typed("3/4/2026")[:2])
        self.assertEqual((200, "2026-04-03"), self.typed("2026-04-03")[:2])  # ISO 8601, whatever the form
        for wrong in ("23/11/2026", "2/29/2026", "3/4/26"):
            status, value, text = self.typed(wrong)
            self.assertEqual((422, "2026-04-03"), (status, value))
            self.assertIn("12/31/2026", text, "the form is told")
        self.assertEqual((200, "2026-01-02T15:04:00Z"), self.typed("1/2/2026 4:04 p. m.", "due", self.task)[:2])
        self.visitor.get(f"{self.task}/edit")
        self.assertIn('value="01/02/2026 4:04\u00a0p.\u00a0m."', self.visitor.page.source)
        self.assertEqual((200, MOMENT), self.typed("11/23/2026 16:42", "due", self.task)[:2])
        self.settings("dmy_dot")
        self.assertEqual((200, "2026-04-03"), self.typed("3/4/2026")[:2])
        # Nothing changed: what the form brings goes back as it came.
        version = self.api.want(200, "GET", f"/api{self.task}")["version"]
        self.settings("mdy_slash", "12")
        self.visitor.get(f"{self.task}/edit")
        self.visitor.submit(self.task, {})
        self.assertEqual(version, self.api.want(200, "GET", f"/api{self.task}")["version"])
        self.settings("dmy_slash")
        self.assertEqual((200, "2026-11-23"), self.typed("23/11/2026")[:2])

    def test_filters_are_typed_in_that_form_and_kept_in_iso(self):
        self.settings("mdy_slash")
        found = self.visitor.get("/opportunities?filter_field=closing_date&filter_op=eq&filter_value=11%2F23%2F2026")
        self.assertIn("2026-11-23", self.visitor.path)
        self.assertIn("Cámaras", found.text)
        self.assertIn("11/23/2026", found.text)
        page = self.visitor.get("/history?to=" + quote("1/31/2026"))
        self.assertEqual((200, []), (page.status, page.wrong))
        self.assertIn('value="01/31/2026"', page.source)
        # Links and views that are made of it are opened by people who write otherwise.
        self.assertIn("/history/export.csv?to=2026-01-31", page.source)
        self.assertNotIn("1%2F31", page.source)
        page = self.visitor.get("/cases/journeys?to=" + quote("1/31/2026"))
        self.assertIn('value="01/31/2026"', page.source)
        self.assertNotIn("1%2F31", page.source)
        page = self.visitor.get("/history?to=" + quote("31/1/2026"))
        self.assertEqual(422, page.status)
        self.assertIn("Las fechas se escriben así: 12/31/2026", page.text)

    def test_the_week_begins_where_the_person_says(self):
        number = self.api.want(201, "POST", "/api/calendars", {"name": "Oficina", "monday": "9-14 16-19"})["id"]
        for first, order in ((None, "lun mar mié jue vie sáb dom"), ("sunday", "dom lun mar mié jue vie sáb"),
                             ("saturday", "sáb dom lun mar mié jue vie"), ("monday", "lun mar mié jue vie sáb dom")):
            self.settings(None, "12" if first == "sunday" else None, first)
            source = self.visitor.get(f"/calendars/{number}").source
            days = re.findall(r'<th scope="row">([^<]{3})</th><td class="week-bar">', source)
            self.assertEqual(order, " ".join(days))
            hours = "9:00 a. m.–2:00 p. m., 4:00 p. m.–7:00 p. m." if first == "sunday" else "9:00-14:00, 16:00-19:00"
            self.assertIn(hours, plain(self.visitor.page))

    def test_the_page_of_settings_shows_an_example(self):
        self.visitor.get("/settings")
        page = self.visitor.submit("/settings", {"date_format": "iso", "clock": "12", "week_from": "saturday"})
        self.assertEqual((200, []), (page.status, page.wrong))
        self.assertIn("Por ejemplo 2026-11-23 4:42 p. m. sáb dom lun mar mié jue vie", plain(page))
        page = self.visitor.submit("/settings", {"date_format": "", "clock": "", "week_from": ""})
        self.assertIn("Por ejemplo 23 nov 2026 · 23/11/2026 16:42 lun mar mié jue vie sáb dom", plain(page))
        own = self.key_of_person.want(200, "GET", "/api/settings")
        self.assertEqual((None, None, None), (own["date_format"], own["clock"], own["week_from"]))
        page = self.visitor.submit("/settings", {"language": "pl"})
        self.assertIn("Na przykład 23 lis 2026 · 23.11.2026 16:42 pon. wt. śr. czw. pt. sob. niedz.", plain(page))
        # A setting is a change of the user's record, told like all others.
        events = self.api.want(200, "GET", f"/api/users/{self.person}/history")["items"]
        changed = {c["field"] for e in events if e["kind"] == "edited" for c in e["changes"]}
        self.assertLessEqual({"date_format", "clock", "week_from"}, changed)

    def test_what_is_no_way_to_write_is_refused(self):
        for values in ({"date_format": "ymd"}, {"clock": "10"}, {"week_from": "tuesday"}):
            status, _, told = self.key_of_person.request("PATCH", "/api/settings", values)
            self.assertEqual((422, list(values)), (status, [e["field"] for e in told["errors"]]))

    def test_a_file_for_programs_stays_as_it_is(self):
        self.settings("mdy_slash", "12")
        rows = self.visitor.get("/opportunities/export.csv?columns=name,closing_date")
        self.assertEqual(200, rows.status)
        self.assertIn("2026-11-23", rows.source)
        self.settings()


if __name__ == "__main__":
    unittest.main()
