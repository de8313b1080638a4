"""How pages put things: numbers that count nothing, years, documents in words, what is folded."""

import datetime
import re
import unittest
from urllib.parse import quote

from harness import Story


def plain(page):
    """The visible text with simple spaces."""
    return re.sub(r"[\s\u00a0\u202f]+", " ", page.text)


class Wording(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visitor = cls.browser(cls, language="es")

    def see(self, path):
        page = self.visitor.get(path)
        self.assertEqual((path, 200, []), (path, page.status, page.wrong))
        return plain(page)

    def test_a_year_is_no_quantity(self):
        made = self.api.want(201, "POST", "/api/companies", {"name": "Old & Co", "year_established": 1996, "employees": 12345})
        for path in (f"/companies/{made['id']}", f"/companies/{made['id']}/history", "/companies?columns=year_established,employees"):
            text = self.see(path)
            self.assertIn("1996", text, path)
            self.assertNotIn("1.996", text, path)
            self.assertIn("12.345", text, path)

    def test_an_administrator_says_what_is_no_quantity(self):
        field = {"label": "Shelf", "type": "integer"}
        self.api.want(201, "POST", "/api/settings/modules/products/fields", {**field, "key": "x_shelf"})
        made = self.api.want(201, "POST", "/api/products", {"name": "Chair", "x_shelf": 20417})
        self.assertIn("20.417", self.see(f"/products/{made['id']}"))
        self.visitor.get("/settings/modules/products/fields/x_shelf")
        self.visitor.submit("/settings/modules/products/fields/x_shelf", {"ungrouped": "1"})
        self.assertIn("20417", self.see(f"/products/{made['id']}"))
        # Only whole numbers have groups to leave out: for others the wish changes nothing.
        text = self.api.want(201, "POST", "/api/settings/modules/products/fields",
                             {"key": "x_note", "label": "Note", "type": "text", "ungrouped": True})
        self.assertEqual(False, text["ungrouped"])

    def test_a_new_record_shows_what_tells_most(self):
        made = self.api.want(201, "POST", "/api/contacts", {
            "name": "Ana Ruiz", "position": "Chief", "city": "Lima", "country": "Perú", "postcode": "15001",
            "email": "ana@example.org", "language": "es", "region": "Lima"})
        path = f"/contacts/{made['id']}"
        text, source = self.see(path), self.visitor.page.source
        event = source[source.index('<li class="event"'):]
        first, rest = event[:event.index("<details")], event[event.index("<details"):event.index("</details>")]
        self.assertEqual(3, first.count("<dt>"))
        self.assertIn("ana@example.org", first)
        self.assertNotIn("15001", first)
        self.assertEqual(len(re.findall("<dt>", rest)), int(re.search(r"mostrar los (\d+)", text).group(1)))
        for value in ("15001", "Lima", "Chief", "ana@example.org"):
            self.assertIn(value, rest)
        few = self.api.want(201, "POST", "/api/contacts", {"name": "Eva"})
        self.see(f"/contacts/{few['id']}")
        self.assertNotIn("all-changes", self.visitor.page.source)

    def test_what_was_looked_for_is_marked_however_it_is_written(self):
        self.api.want(201, "POST", "/api/companies", {"name": "Peña Łódź Lácteos"})
        for typed, marked in (("lacteos", "Lácteos"), ("PENA lo", "Peña Łó"), ("lodz l", "Łódź L")):
            found = re.findall(r'class="hit">([^<]*)<', self.visitor.get(f"/search?q={quote(typed)}").source)
            self.assertEqual([marked], found, typed)

    def test_a_date_that_is_none_is_told_where_it_was_typed(self):
        for name, other in (("from", "to"), ("to", "from")):
            page = self.visitor.get(f"/history?{name}=32/13/2026&module=contacts")
            self.assertEqual((422, []), (page.status, page.wrong))
            self.assertIn("No existe esta fecha: 32/13/2026", plain(page))
            self.assertRegex(page.source, rf'<input id="{name}" name="{name}" value="32/13/2026"[^>]* aria-invalid="true"')
            self.assertNotRegex(page.source, rf'<input id="{other}"[^>]* aria-invalid')
            self.assertNotIn("/history/export", page.source)
            self.api.want(422, "GET", f"/api/history?{name}=32/13/2026")
        self.assertNotIn("aria-invalid", self.visitor.get("/history?from=31/12/2026").source)

    def test_an_administrator_says_which_amounts_are_added_up(self):
        field = "/settings/modules/products/fields/price"
        self.api.want(201, "POST", "/api/products", {"name": "Added up", "price": "5 EUR"})
        self.assertNotIn("Precio 5,00 EUR", self.see("/products?filter[name][eq]=Added%20up&columns=name,price&count=1"))
        self.assertNotIn('name="unique"', self.visitor.get(field).source)
        self.visitor.submit(field, {"summed": "1"})
        self.assertIn("Precio 5,00 EUR", self.see("/products?filter[name][eq]=Added%20up&columns=name,price&count=1"))
        self.visitor.get(field)
        self.visitor.submit(field, {"summed": None})

    def test_money_is_added_up_by_currency(self):
        for name, amount in (("Ein", "9007199254740.99 EUR"), ("Zwei", "0.0001 EUR"), ("Drei", "-7 PLN"), ("Vier", None), ("Neun", "1 USD")):
            self.api.want(201, "POST", "/api/opportunities", {"name": f"Sum {name}", "amount": amount})
        found = self.api.want(200, "GET", "/api/opportunities?filter[name][starts]=Sum&filter[name][ne]=Sum Neun"
                              "&columns=amount,expected&sums=1".replace(" ", "%20"))
        self.assertEqual((4, [{"amount": "9007199254740.9901", "currency": "EUR"}, {"amount": "-7.00", "currency": "PLN"}]),
                         (found["count"], found["sums"]["amount"]))
        self.assertEqual({"EUR", "PLN"}, {s["currency"] for s in found["sums"]["expected"]})
        self.assertNotIn("sums", self.api.want(200, "GET", "/api/opportunities?count=1"))
        self.assertEqual({}, self.api.want(200, "GET", "/api/opportunities?columns=stage&sums=1")["sums"])
        self.assertEqual({}, self.api.want(200, "GET", "/api/contacts?sums=1")["sums"])
        # The price of one piece and that of another make no sum.
        self.api.want(201, "POST", "/api/products", {"name": "Sum piece", "price": "5 EUR"})
        self.assertEqual({}, self.api.want(200, "GET", "/api/products?columns=price,cost&sums=1")["sums"])
        text = self.see("/opportunities?filter[name][starts]=Sum&columns=amount&count=1")
        self.assertIn("de 5 Importe 9.007.199.254.740,9901 EUR -7,00 PLN 1,00 USD", text)

    def test_dates_are_typed_as_their_reader_writes_them(self):
        made = self.api.want(201, "POST", "/api/opportunities", {"name": "Dated", "closing_date": "2026-03-04"})
        path = f"/opportunities/{made['id']}"
        task = self.api.want(201, "POST", "/api/tasks", {"kind": "call", "subject": "Dated", "due": "2026-03-04T10:30:00Z"})
        for language, closing, due, other in (("es", "04/03/2026", "04/03/2026 10:30", "05/03/2026"), ("pl", "04.03.2026", "04.03.2026 10:30", "5.3.2026"),
                                              ("ro", "04.03.2026", "04.03.2026 10:30", "05.03.2026"), ("en", "2026-03-04", "2026-03-04 10:30", "2026-03-05")):
            self.api.want(200, "PATCH", path.replace("/", "/api/", 1), {"closing_date": "2026-03-04"})
            person = self.browser(language=language)
            sent = dict(person.get(f"{path}/edit").form(path).fields)
            self.assertEqual((language, closing), (language, sent["closing_date"]))
            sent = dict(person.get(f"/tasks/{task['id']}/edit").form(f"/tasks/{task['id']}").fields)
            self.assertEqual((language, due), (language, sent["due"]))
            person.submit(f"/tasks/{task['id']}")  # as it stands: no change
            self.assertEqual(1, self.api.want(200, "GET", f"/api/tasks/{task['id']}")["version"])
            person.get(f"{path}/edit")
            person.submit(path, {"closing_date": other})
            self.assertEqual("2026-03-05", self.api.want(200, "GET", path.replace("/", "/api/", 1))["closing_date"])
            person.get(f"{path}/edit")
            self.assertEqual(422, person.submit(path, {"closing_date": "32/13/2026"}).status)
            self.assertEqual("32/13/2026", dict(person.page.form(path).fields)["closing_date"])  # what was typed stays
            # Filters keep the date that everybody reads.
            person.get(f"/opportunities?filter_field=closing_date&filter_op=lte&filter_value={other}")
            self.assertIn("closing_date%5D%5Blte%5D=2026-03-05", person.path)
            self.assertEqual(200, person.get(f"/history?from={closing}&to={other}").status)
            self.assertIn(f'value="{closing}"', person.page.source)
            form = {"/": "dmy_slash", ".": "dmy_dot", "-": "iso"}[re.sub("[0-9]", "", closing)[0]]
            self.assertIn(f' data-dates="{form}" ', person.page.source)

    def test_this_year_is_not_told(self):
        self.see("/history")
        times = re.findall(r"<time datetime=[^>]*>([^<]*) <b>", self.visitor.page.source)
        self.assertTrue(times)
        year = str(datetime.datetime.now(datetime.timezone.utc).year)
        self.assertEqual([], [t for t in times if year in t])
        made = self.api.want(201, "POST", "/api/tasks", {"kind": "call", "subject": "Call", "due": "2019-03-04T10:00:00Z"})
        self.assertIn("4 mar 2019", self.see(f"/tasks/{made['id']}"))

    def test_documents_are_told_in_words(self):
        self.visitor.get("/contacts?filter[city][eq]=Lima&sort=-city&columns=city,country")
        self.visitor.submit("/contacts/views", {"name": "Lima"})
        view = self.api.want(200, "GET", "/api/views")["items"][0]
        for path in (f"/views/{view['id']}", f"/views/{view['id']}/history", "/history"):
            text = self.see(path)
            self.assertIn("1 filtro · 2 columnas · orden propio", text, path)
            self.assertNotIn("filter[city]", text, path)
            self.assertIn("Contactos", text, path)
        position = self.api.want(200, "GET", f"/api/views/{view['id']}/history")["items"][0]["position"]
        self.assertIn("filter[city][eq]", self.see(f"/log/{position}"))  # what was hashed, to the letter


if __name__ == "__main__":
    unittest.main()
