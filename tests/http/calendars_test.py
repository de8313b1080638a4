"""Working calendars: hours and holidays as people type them, and the one that is the company's."""

import time
import unittest

from harness import Story


class Calendars(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana_id, cls.ana = cls.user("ana@example.org")

    def make(self, **values):
        return self.api.want(201, "POST", "/api/calendars", values)["id"]

    def get(self, number):
        return self.api.want(200, "GET", f"/api/calendars/{number}")

    def refused(self, method, path, values):
        status, _, problem = self.api.request(method, path, values)
        self.assertEqual(422, status, problem)
        return {e["field"]: e["message"] for e in problem["errors"]}

    def test_values_are_kept_in_one_form(self):
        number = self.make(name="Madrid", zone="Europe/Madrid", monday="16-19,  9.00–14", friday="closed", saturday="10-12",
                           tuesday=None, holidays="2026-12-25 - Navidad\n\n12-25 Navidad\n2026-12-24 9-14 Nochebuena")
        made = self.get(number)
        self.assertEqual(
            ("9:00-14:00, 16:00-19:00", None, "9:00-18:00", None, "10:00-12:00", None, "Europe/Madrid", False),
            tuple(made[k] for k in ("monday", "tuesday", "wednesday", "friday", "saturday", "sunday", "zone", "standard")))
        self.assertEqual("12-25 Navidad\n2026-12-24 9:00-14:00 Nochebuena\n2026-12-25 Navidad", made["holidays"])
        same = self.api.want(200, "PATCH", f"/api/calendars/{number}", {"monday": "9-14 16-19", "friday": "cerrado", "zone": "Europe/Madrid"})
        self.assertEqual(made["version"], same["version"], "the same in other words is no change")
        self.api.want(200, "PATCH", f"/api/calendars/{number}", {"monday": "closed", "holidays": ""})
        self.assertEqual((None, None), (self.get(number)["monday"], self.get(number)["holidays"]))
        self.assertEqual("UTC", self.get(self.make(name="Somewhere"))["zone"])

    def test_what_is_wrong_is_told_field_by_field(self):
        before = len(self.api.want(200, "GET", "/api/calendars")["items"])
        told = self.refused("POST", "/api/calendars", {
            "name": "Wrong", "zone": "Europe/Nowhere", "monday": "22-6", "tuesday": "9", "sunday": "9-14 13-15",
            "holidays": "12-25\n2026-02-30 never"})
        self.assertEqual({"zone", "monday", "tuesday", "sunday", "holidays"}, set(told))
        self.assertIn("Europe/Nowhere", told["zone"])
        self.assertIn("«22-6» acaba antes de empezar", told["monday"])
        self.assertIn("Línea 2: «2026-02-30 never»", told["holidays"])
        self.assertEqual(before, len(self.api.want(200, "GET", "/api/calendars")["items"]))
        number = self.make(name="Right")
        self.assertEqual({"monday"}, set(self.refused("PATCH", f"/api/calendars/{number}", {"monday": "9-25"})))
        self.assertEqual("9:00-18:00", self.get(number)["monday"])

    def test_a_form_says_it_beside_the_field(self):
        browser = self.browser(language="es")
        browser.get("/calendars/new")
        page = browser.submit("/calendars", {"name": "Formulario", "monday": "9-14 13-15", "holidays": "25 diciembre"})
        self.assertEqual(422, page.status)
        self.assertIn("«13-15» se solapa con otras horas del día", page.text)
        self.assertIn("Línea 1: «25 diciembre» no empieza por una fecha", page.text)
        page = browser.submit("/calendars", {"name": "Formulario", "monday": "9-14, 16-19", "holidays": "12-25 Navidad"})
        self.assertEqual(200, page.status)
        self.assertEqual([], page.wrong)
        for text in ("Calendarios laborales", "9:00-14:00, 16:00-19:00", "Próximos festivos", "25 de diciembre", "44 h a la semana"):
            self.assertIn(text, page.text)
        settings = browser.get("/settings/modules")
        self.assertIn('href="/calendars"', settings.source)

    def test_one_is_the_company_s(self):
        first = self.make(name="First", standard=True)
        second = self.make(name="Second", standard=True)
        self.assertEqual((False, True), (self.get(first)["standard"], self.get(second)["standard"]))
        taken, given = (self.api.want(200, "GET", f"/api/calendars/{n}/history")["items"][0] for n in (first, second))
        self.assertEqual("edited", taken["kind"])
        self.assertEqual(given["operation"], taken["operation"], "one thing that was done")
        browser = self.browser()
        page = browser.get(f"/calendars/new?copy={second}")
        self.assertEqual(200, page.status)
        copy = browser.submit("/calendars", {"name": "Third"})
        self.assertEqual(200, copy.status)
        self.assertTrue(self.get(second)["standard"], "a copy takes nothing away")
        self.api.want(200, "PATCH", f"/api/calendars/{first}", {"standard": True})
        self.assertEqual([first], [c["id"] for c in self.api.want(200, "GET", "/api/calendars?filter[standard]=yes")["items"]])

    def test_the_card_of_another_day_has_the_hours_of_that_day(self):
        number = self.make(name="Past", monday="9-10", holidays="12-25 Navidad")
        then = self.get(number)["updated_at"]
        time.sleep(0.01)
        self.api.want(200, "PATCH", f"/api/calendars/{number}", {"monday": "9-11"})
        self.assertIn("38 h a week", self.browser().get(f"/calendars/{number}").text)
        self.assertIn("37 h a week", self.browser().get(f"/calendars/{number}?as_of={then}").text)

    def test_everybody_sees_them_and_administrators_change_them(self):
        number = self.make(name="Seen")
        self.assertEqual("Seen", self.ana.want(200, "GET", f"/api/calendars/{number}")["name"])
        self.assertEqual(403, self.ana.request("POST", "/api/calendars", {"name": "Mine"})[0])
        self.assertEqual(403, self.ana.request("PATCH", f"/api/calendars/{number}", {"monday": "9-10"})[0])
        page = self.browser("ana@example.org", "another test password").get(f"/calendars/{number}")
        self.assertEqual(200, page.status)
        self.assertNotIn(f"/calendars/{number}/edit", page.source)

    def test_they_come_from_a_file_and_go_into_one(self):
        data = b"name,monday,tuesday,holidays\nFrom a file,9-14 15-18,closed,12-25 Navidad\nRefused,9-8,,\n"
        report = self.api.want(200, "POST", "/api/import/calendars?dry_run=1&name=c.csv", data, {"Content-Type": "text/csv"})
        self.assertEqual([("monday", "9-8")], [(r["column"], r["value"]) for r in report["refusals"]], report)
        state = self.api.want(202, "POST", "/api/import/calendars?name=c.csv", data, {"Content-Type": "text/csv"})
        end = time.monotonic() + 30
        while state["state"] not in ("done", "failed") and time.monotonic() < end:
            time.sleep(0.05)
            state = self.api.want(200, "GET", f"/api/import/calendars/{state['id']}")
        self.assertEqual(("done", 1, 1), (state["state"], state["created"], state["refused"]))
        found = self.api.want(200, "GET", "/api/calendars?filter[name]=From%20a%20file")["items"]
        made = self.get(found[0]["id"])
        self.assertEqual(("9:00-14:00, 15:00-18:00", None, "9:00-18:00"), (made["monday"], made["tuesday"], made["wednesday"]))


if __name__ == "__main__":
    unittest.main()
