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

    def test_short_months(self):
        """Their names are months in every language, also where English has one word for a month and for something else."""
        wanted = {"es": "ene feb mar abr may jun jul ago sept? oct nov dic", "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
                  "ro": r"ian\.? feb\.? mar\.? apr\.? mai iun\.? iul\.? aug\.? sept?\.? oct\.? nov\.? dec\.?"}
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Meses", "owner": self.person})["id"]
        for language, names in wanted.items():
            self.key_of_person.want(200, "PATCH", "/api/settings", {"language": language})
            for month, name in enumerate(names.split(), 1):
                self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"closing_date": f"2027-{month:02d}-17"})
                self.assertRegex(self.see(f"/opportunities/{deal}"), rf"17 {name} 2027", language)

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

    def fresh(self):
        deal = self.api.want(201, "POST", "/api/opportunities", {"name": "Fresca", "closing_date": "2026-03-04", "owner": self.person})
        task = self.api.want(201, "POST", "/api/tasks", {"subject": "Fresca", "kind": "call", "due": MOMENT, "owner": self.person})
        return f"/opportunities/{deal['id']}", f"/tasks/{task['id']}"

    def test_a_form_is_read_as_it_was_written(self):
        """Settings may change in another window while a form stands open."""
        deal_at, task_at = self.fresh()
        ways = [{"language": "es", "date_format": "dmy_slash"}, {"date_format": "mdy_slash"}, {"language": "en"}, {"language": "pl"},
                {"language": "es", "zone": "America/Bogota"}, {"language": "es", "clock": "12", "date_format": "dmy_dot"}]
        now = {"language": "es", "date_format": None, "clock": None, "zone": "Europe/Madrid"}

        def settle(way):
            self.key_of_person.want(200, "PATCH", "/api/settings", {**now, **way})
        self.addCleanup(settle, {})
        parts = {"Cronista-Part": "card-live"}
        due = "2026-03-04T05:06:07Z"
        for before in ways:
            for after in ways:
                self.api.want(200, "PATCH", f"/api{deal_at}", {"name": "Cámaras", "closing_date": "2026-03-04", "amount": "1234.5 EUR"})
                self.api.want(200, "PATCH", f"/api{task_at}", {"subject": "Llamar", "due": due})
                with self.subTest(before=before, after=after):
                    # The whole form, with another field changed.
                    settle(before)
                    self.visitor.get(f"{deal_at}/edit")
                    settle(after)
                    self.assertEqual(200, self.visitor.submit(deal_at, {"name": "Otra"}).status)
                    deal = self.api.want(200, "GET", f"/api{deal_at}")
                    self.assertEqual(("Otra", "2026-03-04", "1234.50"), (deal["name"], deal["closing_date"], deal["amount"]["amount"]))
                    # One that is refused is shown again as it was written, and so read the second time.
                    settle(before)
                    self.visitor.get(f"{deal_at}/edit")
                    settle(after)
                    self.assertEqual(422, self.visitor.submit(deal_at, {"name": ""}).status)
                    self.assertEqual(200, self.visitor.submit(deal_at, {"name": "Tercera"}).status)
                    deal = self.api.want(200, "GET", f"/api{deal_at}")
                    self.assertEqual(("Tercera", "2026-03-04", "1234.50"), (deal["name"], deal["closing_date"], deal["amount"]["amount"]))
                    # One fact of the card, untouched.
                    settle(before)
                    self.visitor.get(f"{deal_at}/edit?field=closing_date", Cronista_Part="card-fact-form")
                    settle(after)
                    self.assertEqual(200, self.visitor.submit(deal_at, headers=parts).status)
                    self.assertEqual("2026-03-04", self.api.want(200, "GET", f"/api{deal_at}")["closing_date"])
                    # A moment, with its zone.
                    settle(before)
                    self.visitor.get(f"{task_at}/edit")
                    settle(after)
                    self.assertEqual(200, self.visitor.submit(task_at, {"subject": "Escribir"}).status)
                    self.assertEqual(due, self.api.want(200, "GET", f"/api{task_at}")["due"])
        # A new record, and a filter.
        settle({"date_format": "dmy_slash"})
        self.visitor.get("/opportunities/new")
        settle({"date_format": "mdy_slash"})
        self.visitor.submit("/opportunities", {"name": "Nueva", "closing_date": "3/4/2026"})
        self.assertEqual("2026-04-03", self.api.want(200, "GET", f"/api{self.visitor.path.split('?')[0]}")["closing_date"])
        settle({"date_format": "dmy_slash"})
        self.visitor.get("/history")
        settle({"date_format": "mdy_slash"})
        page = self.visitor.submit("/history", {"to": "3/4/2026"})
        self.assertIn('name="to" value="04/03/2026"', page.source)
        self.assertIn("to=2026-04-03", page.source)

    def test_a_form_that_says_nonsense_of_how_it_is_written_is_refused(self):
        deal_at, _ = self.fresh()
        self.settings("mdy_slash")
        for written in ("ymd 24 es Europe/Madrid", " 24 es Europe/Madrid", "iso 24 xx Europe/Madrid", "iso 24 es Europe/Nowhere", "iso 24 es", "iso 13 es Europe/Madrid",
                        "iso 24 es Europe/Madrid x", "iso"):
            self.visitor.get(f"{deal_at}/edit")
            version = self.api.want(200, "GET", f"/api{deal_at}")["version"]
            self.assertEqual(400, self.visitor.submit(deal_at, {"name": "Nunca", "form.written": written}).status, written)
            self.assertEqual(version, self.api.want(200, "GET", f"/api{deal_at}")["version"])
        # Without it the settings of the moment hold.
        self.visitor.get(f"{deal_at}/edit")
        self.assertEqual(200, self.visitor.submit(deal_at, {"closing_date": "3/4/2026", "form.written": None}).status)
        self.assertEqual("2026-03-04", self.api.want(200, "GET", f"/api{deal_at}")["closing_date"])

    def test_a_moment_sent_back_as_it_was_shown_stays_what_it_is(self):
        _, task_at = self.fresh()
        # Seconds are not shown, nor which of the two hours at the end of summer time it is.
        for moment in ("2026-11-23T11:59:59Z", "2026-05-05T00:00:00.123456Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"):
            for settings in ((), ("mdy_slash", "12"), ("dmy_dot",)):
                self.settings(*settings)
                self.api.want(200, "PATCH", f"/api{task_at}", {"due": moment, "subject": "Llamar"})
                before = self.api.want(200, "GET", f"/api{task_at}")
                self.assertEqual(moment, before["due"])
                self.visitor.get(f"{task_at}/edit")
                self.assertEqual(200, self.visitor.submit(task_at, {}).status)
                self.assertEqual(before["version"], self.api.want(200, "GET", f"/api{task_at}")["version"], (moment, settings))
                self.visitor.get(f"{task_at}/edit")
                self.assertEqual(422, self.visitor.submit(task_at, {"subject": ""}).status)
                self.assertEqual(200, self.visitor.submit(task_at, {"subject": "Otra"}).status)
                self.assertEqual(moment, self.api.want(200, "GET", f"/api{task_at}")["due"], settings)
                self.visitor.get(f"{task_at}/edit?field=due", Cronista_Part="card-fact-form")
                self.assertEqual(200, self.visitor.submit(task_at, headers={"Cronista-Part": "card-live"}).status)
                self.assertEqual(moment, self.api.want(200, "GET", f"/api{task_at}")["due"], settings)
        # What is typed anew is what it says.
        self.settings()
        self.assertEqual((200, "2026-10-25T00:30:00Z"), self.typed("2026-10-25 02:30", "due", task_at)[:2])
        self.api.want(200, "PATCH", f"/api{task_at}", {"due": "2026-11-23T11:59:59Z"})
        self.assertEqual((200, "2026-11-23T11:58:00Z"), self.typed("23/11/2026 12:58", "due", task_at)[:2])

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
