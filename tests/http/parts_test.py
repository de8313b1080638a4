"""Parts of records: steps of a process that are ticked, product lines and the amount that follows them; what stories say of them."""

import re
import unittest

from harness import Story


class Parts(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana_id, cls.ana = cls.user("ana@example.org")
        cls.eve_id, cls.eve = cls.user("eve@example.org", "read_only")

    def make(self, module, api=None, **values):
        return (api or self.api).want(201, "POST", f"/api/{module}", values)["id"]

    def events(self, path, **query):
        asked = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api.want(200, "GET", f"/api/{path}/history?{asked}")["items"]

    def refused(self, field, method, path, body, api=None, status=422):
        got, _, problem = (api or self.api).request(method, path, body)
        self.assertEqual(status, got, problem)
        self.assertIn(field, [e["field"] for e in problem["errors"]])


class Steps(Parts):
    def process(self, steps="Call\nOffer\nContract", **values):
        return self.make("processes", name="New customer", steps=steps, **values)

    def tick(self, deal, step, done=True, api=None):
        return (api or self.api).request("POST", f"/api/opportunities/{deal}/steps", {"step": step, "done": done})

    def test_a_step_is_ticked_and_unticked_each_with_its_sentence(self):
        process = self.process()
        deal = self.make("opportunities", name="Licences", process=process)
        self.assertEqual([("s1", "Call", False), ("s2", "Offer", False), ("s3", "Contract", False)],
                         [(s["key"], s["name"], s["done"]) for s in
                          self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]])
        self.assertEqual(201, self.tick(deal, "s2", api=self.ana)[0])
        step = self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"][1]
        self.assertEqual((True, self.ana_id, "Ana"), (step["done"], step["by"]["id"], step["by"]["name"]))
        event = self.events(f"opportunities/{deal}", limit=1)[0]
        self.assertEqual(("step_ticked", "Offer", "New customer"),
                         (event["kind"], event["step"]["name"], event["step"]["process"]["name"]))
        self.assertEqual(409, self.tick(deal, "s2")[0])
        self.assertEqual(404, self.tick(deal, "s9")[0])
        self.assertEqual(403, self.tick(deal, "s1", api=self.eve)[0])
        self.assertEqual(201, self.tick(deal, "s2", False)[0])
        self.assertEqual(409, self.tick(deal, "s2", False)[0])
        page = self.browser().get(f"/opportunities/{deal}")
        self.assertIn("Ana ticked the step Offer of the process New customer", page.text)
        self.assertIn("took the tick from the step Offer of the process New customer", page.text)
        self.assertEqual([], page.wrong)
        self.assertEqual(2, len(self.events(f"opportunities/{deal}", kind="information")))
        self.assertEqual(1, len(self.events(f"opportunities/{deal}", kind="step_ticked")))
        self.assertEqual(3, self.api.want(200, "GET", f"/api/opportunities/{deal}")["version"])

    def test_it_works_without_scripts_and_shows_how_it_was(self):
        deal = self.make("opportunities", name="Plain", process=self.process())
        browser = self.browser()
        browser.get(f"/opportunities/{deal}")
        before = self.events(f"opportunities/{deal}", limit=1)[0]["at"]
        page = browser.submit(f"/opportunities/{deal}/steps")  # the first
        self.assertEqual(200, page.status)
        self.assertIn("1 of 3", page.text)
        self.assertIn("0 of 3", browser.get(f"/opportunities/{deal}?as_of={before}").text)
        eve = self.browser("eve@example.org", "another test password")
        page = eve.get(f"/opportunities/{deal}")
        self.assertIn("1 of 3", page.text)
        self.assertNotIn(f"/opportunities/{deal}/steps", [f.action for f in page.forms])

    def test_ticks_stay_with_their_step_and_with_their_process(self):
        process = self.process()
        deal = self.make("opportunities", name="Renamed", process=process)
        self.tick(deal, "s1")
        self.tick(deal, "s3")
        self.api.want(200, "PATCH", f"/api/processes/{process}", {"steps": "Greeting\nFirst call\nOffer\nContract"})
        steps = self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]
        self.assertEqual([("Greeting", True), ("First call", False), ("Offer", False), ("Contract", True)],
                         [(s["name"], s["done"]) for s in steps])
        self.api.want(200, "PATCH", f"/api/processes/{process}", {"steps": "First call\nOffer"})
        self.api.want(200, "PATCH", f"/api/processes/{process}", {"steps": "First call\nOffer\nContract"})
        self.assertEqual([False, False, False], [s["done"] for s in
                         self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]], "a key is given once")
        other = self.make("processes", name="Renewal", steps="Ask\nSign")
        self.tick(deal, self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"][0]["key"])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"process": other})
        self.assertIn("changed Process from New customer to Renewal", self.browser().get(f"/opportunities/{deal}").text)
        self.assertEqual([False, False], [s["done"] for s in
                         self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"]])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"process": process})
        self.assertTrue(self.api.want(200, "GET", f"/api/opportunities/{deal}/steps")["items"][0]["done"])

    def test_what_a_process_may_not_be(self):
        self.refused("steps", "POST", "/api/processes", {"name": "Twice", "steps": "A\nA"})
        self.refused("steps", "POST", "/api/processes", {"name": "Long", "steps": "x" * 201})
        self.refused("steps", "POST", "/api/processes", {"name": "Many", "steps": "\n".join(map(str, range(61)))})
        self.refused("steps", "POST", "/api/processes", {"name": "None"})
        for_cases = self.make("processes", name="For cases", steps="Look", of_module="cases")
        self.refused("process", "POST", "/api/opportunities", {"name": "X", "process": for_cases})
        case = self.make("cases", subject="It drips", process=for_cases)
        self.api.want(201, "POST", f"/api/cases/{case}/steps", {"step": "s1", "done": True})
        self.assertEqual(403, self.ana.request("POST", "/api/processes", {"name": "Mine", "steps": "A"})[0])
        self.ana.want(200, "GET", f"/api/processes/{for_cases}")
        company = self.make("companies", name="Acme")
        self.assertEqual(404, self.api.request("POST", f"/api/companies/{company}/steps", {"step": "s1", "done": True})[0])
        self.refused("done", "POST", f"/api/cases/{case}/steps", {"step": "s1"})
        self.refused("steps", "PATCH", f"/api/cases/{case}", {"steps": []}, status=403)


class Lines(Parts):
    def line(self, deal, api=None, **values):
        return self.make("lines", api, opportunity=deal, **values)

    def lines(self, deal):
        return self.api.want(200, "GET", f"/api/opportunities/{deal}/lines")

    def amount(self, deal):
        return self.api.want(200, "GET", f"/api/opportunities/{deal}")["amount"]

    def then(self, deal, moment):
        """What the lines on the card of that moment are called, in their order."""
        page = self.browser().get(f"/opportunities/{deal}?as_of={moment}").source
        section = page[page.index('id="lines"'):]
        return re.findall(r'data-line="\d+">\s*<td>(?:<[^>]*>)*([^<]+)', section[:section.index("</section>")])

    def test_totals_are_exact(self):
        deal = self.make("opportunities", name="Exact")
        for quantity, price, discount, total in (("3", "0.1", None, "0.30"), ("1.5", "19.99", None, "29.99"), ("2", "10", "33.3333", "13.33"),
                                                 ("1000000", "9999.9999", "0.0001", "9999989900.00"), ("0.005", "1", None, "0.01"), ("1", "5", "100", "0.00")):
            made = self.api.want(201, "POST", "/api/lines", {"opportunity": deal, "name": "L", "quantity": quantity, "discount": discount,
                                                             "price": {"amount": price, "currency": "EUR"}})
            self.assertEqual({"amount": total, "currency": "EUR"}, made["total"])
        self.assertEqual([{"amount": "9999989943.63", "currency": "EUR"}], self.lines(deal)["sums"])
        self.refused("quantity", "POST", "/api/lines", {"opportunity": deal, "name": "L", "quantity": "9000000000000",
                                                        "price": {"amount": "900000000000000", "currency": "EUR"}})
        for wrong in ("-1", "100.1"):
            self.refused("discount", "POST", "/api/lines", {"opportunity": deal, "name": "L", "discount": wrong, "price": "1 EUR"})
        self.refused("quantity", "POST", "/api/lines", {"opportunity": deal, "name": "L", "quantity": "-1", "price": "1 EUR"})
        self.refused("total", "POST", "/api/lines", {"opportunity": deal, "name": "L", "total": "1 EUR", "price": "1 EUR"}, status=403)
        self.refused("opportunity", "POST", "/api/lines", {"name": "L", "price": "1 EUR"})

    def test_a_line_of_a_product_and_the_story_of_the_deal(self):
        product = self.make("products", name="Sensor", price={"amount": "120", "currency": "EUR"})
        deal = self.make("opportunities", name="Story")
        line = self.line(deal, self.ana, product=product, quantity="3")
        made = self.api.want(200, "GET", f"/api/lines/{line}")
        self.assertEqual(("Sensor", "360.00", 1), (made["name"], made["total"]["amount"], made["place"]))
        self.ana.want(200, "PATCH", f"/api/lines/{line}", {"discount": "10", "name": "Sensor, white"})
        self.ana.want(204, "DELETE", f"/api/lines/{line}")
        page = self.browser().get(f"/opportunities/{deal}")
        for told in ("Ana added the product line Sensor", "3 × 120.00 EUR = 360.00 EUR", "Ana changed the product line Sensor, white",
                     "Ana removed the product line Sensor, white"):
            self.assertIn(told, page.text)
        self.assertEqual([], page.wrong)
        self.assertEqual(["deleted", "edited", "created", "created"], [e["kind"] for e in self.events(f"opportunities/{deal}")])
        self.assertEqual(3, len(self.events(f"opportunities/{deal}", kind="information")))
        self.assertEqual([], self.lines(deal)["items"])
        self.api.want(200, "POST", f"/api/lines/{line}/restore")
        self.assertEqual(1, len(self.lines(deal)["items"]))

    def test_the_amount_follows_when_it_is_told_to(self):
        deal = self.make("opportunities", name="Follows", amount={"amount": "5", "currency": "EUR"})
        line = self.line(deal, name="A", quantity="2", price="10 EUR")
        self.assertEqual("5.00", self.amount(deal)["amount"])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount_from_lines": True})
        self.assertEqual("20.00", self.amount(deal)["amount"])
        other = self.line(deal, name="B", quantity="1", price="0.5 EUR")
        self.assertEqual("20.50", self.amount(deal)["amount"])
        newest = self.events(f"opportunities/{deal}", limit=2)
        self.assertEqual((newest[0]["operation"], newest[0]["cause"]), (newest[1]["position"],) * 2, "one act, caused by the line")
        self.api.want(200, "PATCH", f"/api/lines/{line}", {"quantity": "3"})
        self.assertEqual("30.50", self.amount(deal)["amount"])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount": "1 EUR"})
        self.assertEqual("30.50", self.amount(deal)["amount"])
        self.refused("amount_from_lines", "POST", "/api/lines", {"opportunity": deal, "name": "C", "price": "1 USD"})
        self.assertEqual(2, len(self.lines(deal)["items"]), "nothing half done")
        self.api.want(204, "DELETE", f"/api/lines/{other}")
        self.assertEqual("30.00", self.amount(deal)["amount"])
        self.api.want(204, "DELETE", f"/api/lines/{line}")
        self.assertIsNone(self.amount(deal))
        self.api.want(200, "POST", f"/api/lines/{line}/restore")
        self.assertEqual("30.00", self.amount(deal)["amount"])

    def test_without_lines_the_amount_is_what_somebody_says(self):
        deal = self.make("opportunities", name="None yet", amount="5 EUR", amount_from_lines=True)
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"name": "None yet, really"})
        self.assertEqual("5.00", self.amount(deal)["amount"])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount": "7 EUR"})
        self.assertEqual("7.00", self.amount(deal)["amount"])
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount_from_lines": True})
        self.assertEqual("7.00", self.amount(deal)["amount"])
        line = self.line(deal, name="A", price="3 EUR")
        self.assertEqual("3.00", self.amount(deal)["amount"])
        self.api.want(204, "DELETE", f"/api/lines/{line}")
        self.assertIsNone(self.amount(deal), "what the lines came to went with the last of them")
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount": "9 EUR"})
        self.assertEqual("9.00", self.amount(deal)["amount"])

    def test_no_way_leads_past_the_most_lines(self):
        deal = self.make("opportunities", name="Full", amount_from_lines=True)
        lines = [self.line(deal, name=f"L{n}", price="1 EUR") for n in range(200)]
        self.assertEqual("200.00", self.amount(deal)["amount"])
        self.refused("opportunity", "POST", "/api/lines", {"opportunity": deal, "name": "One too many", "price": "1 EUR"})
        self.api.want(204, "DELETE", f"/api/lines/{lines[0]}")
        self.api.want(200, "POST", f"/api/lines/{lines[0]}/restore")  # there is room for it
        self.api.want(204, "DELETE", f"/api/lines/{lines[0]}")
        then = self.events(f"opportunities/{deal}", limit=1)[0]["at"]
        self.line(deal, name="Instead", price="50 EUR")
        self.refused("opportunity", "POST", f"/api/lines/{lines[0]}/restore", {})
        self.assertEqual("249.00", self.amount(deal)["amount"])
        self.assertEqual(200, len(self.lines(deal)["items"]))
        # As of then: all that were there, in their order of then, however many were deleted since, and before.
        for n in (1, 2, 3):
            self.api.want(200, "PATCH", f"/api/lines/{lines[n]}", {"place": 1000 - n})
        for line in lines[100:]:
            self.api.want(204, "DELETE", f"/api/lines/{line}")
        self.assertEqual([f"L{n}" for n in range(1, 200)], self.then(deal, then))

    def test_as_of_a_moment_none_is_too_many(self):
        deal = self.make("opportunities", name="Much came and went")
        for n in range(205):
            line = self.line(deal, name=f"Early {n}", price="1 EUR")
            self.api.want(204, "DELETE", f"/api/lines/{line}")
        last = self.line(deal, name="Late", price="1 EUR")
        then = self.events(f"opportunities/{deal}", limit=1)[0]["at"]
        self.api.want(204, "DELETE", f"/api/lines/{last}")
        self.assertEqual(["Late"], self.then(deal, then))

    def test_lines_of_a_deleted_deal_are_gone_with_it(self):
        deal, other = self.make("opportunities", name="Goes"), self.make("opportunities", name="Stays")
        line, stays = self.line(deal, name="Xylophone A", price="1 EUR"), self.line(other, name="Xylophone B", price="2 EUR")

        def listed(query):
            page = self.api.want(200, "GET", f"/api/lines?count=1&sums=1&columns=name,total&{query}")
            self.assertEqual(page["count"], len(page["items"]))
            self.assertEqual(f"{sum(1 + (i['id'] == stays) for i in page['items'])}.00", page["sums"]["total"][0]["amount"])
            return [i["id"] for i in page["items"]]

        queries = ("filter[name][contains]=Xylophone&sort=id", "filter[q]=xylophone&sort=id", "filter[name][starts]=Xyl&sort=name")
        for now, ways in (([line, stays], ()), ([stays], ("DELETE", f"/api/opportunities/{deal}")), ([line, stays], ("POST", f"/api/opportunities/{deal}/restore"))):
            if ways:
                self.assertLess(self.api.request(*ways)[0], 300)
            for query in queries:
                self.assertEqual(now, listed(query), query)
            exported = str(self.api.request("GET", "/api/lines/export.csv?filter[name][starts]=Xyl")[2])
            self.assertEqual(len(now), exported.count("Xylophone"))
            self.assertEqual(1, len(self.lines(deal)["items"]), "its own card has them")

    def test_whoever_may_not_change_the_deal_may_not_change_its_lines(self):
        deal = self.make("opportunities", name="Closed to Eve")
        line = self.line(deal, name="A", price="10 EUR")
        self.assertEqual(403, self.eve.request("PATCH", f"/api/lines/{line}", {"quantity": "2"})[0])
        self.assertEqual(403, self.eve.request("POST", "/api/lines", {"opportunity": deal, "name": "B", "price": "1 EUR"})[0])
        other = self.make("opportunities", name="Another")
        self.refused("opportunity", "PATCH", f"/api/lines/{line}", {"opportunity": other})
        self.api.want(204, "DELETE", f"/api/opportunities/{deal}")
        self.assertEqual(404, self.api.request("PATCH", f"/api/lines/{line}", {"quantity": "2"})[0])
        self.assertEqual(404, self.api.request("DELETE", f"/api/lines/{line}")[0])
        self.refused("opportunity", "POST", "/api/lines", {"opportunity": deal, "name": "B", "price": "1 EUR"})

    def test_the_table_works_without_scripts(self):
        self.make("products", name="Gateway", price={"amount": "80", "currency": "EUR"})
        deal = self.make("opportunities", name="Table")
        browser = self.browser()
        browser.get(f"/opportunities/{deal}")
        here = f"/opportunities/{deal}/lines"
        page = browser.submit(here, {"product.new.text": "Gateway", "quantity.new": "2"})
        self.assertEqual(200, page.status, page.text[:500])
        page = browser.submit(here, {"name.new": "Travel", "price.new": "45.50", "discount.new": "10"})
        rows = self.lines(deal)["items"]
        self.assertEqual([("Gateway", "160.00"), ("Travel", "40.95")], [(r["name"], r["total"]["amount"]) for r in rows])
        self.assertIn("200.95", page.text)
        page = browser.submit(here, {f"quantity.{rows[0]['id']}": "3", f"name.{rows[1]['id']}": "Travel, hotel"})
        self.assertEqual([("Gateway", "240.00"), ("Travel, hotel", "40.95")], [(r["name"], r["total"]["amount"]) for r in self.lines(deal)["items"]])
        page = browser.submit(here, {f"quantity.{rows[0]['id']}": "many"})
        self.assertEqual(422, page.status)
        self.assertIn("many", page.source)
        self.assertEqual("240.00", self.lines(deal)["items"][0]["total"]["amount"])
        browser.get(f"/opportunities/{deal}")
        browser.submit(here, button=("up", str(rows[1]["id"])))
        self.assertEqual([rows[1]["id"], rows[0]["id"]], [r["id"] for r in self.lines(deal)["items"]])
        page = browser.submit(here, button=("delete", str(rows[1]["id"])))
        self.assertEqual([rows[0]["id"]], [r["id"] for r in self.lines(deal)["items"]])
        self.assertIn("removed the product line Travel, hotel", page.text)
        other = self.make("opportunities", name="Other")
        browser.get(f"/opportunities/{other}")
        page = browser.submit(f"/opportunities/{other}/lines", button=("delete", str(rows[0]["id"])))
        self.assertEqual(404, page.status, "a line is changed on its own deal's card")
        self.assertEqual(1, len(self.lines(deal)["items"]))

    def test_lines_as_they_were(self):
        deal = self.make("opportunities", name="Then")
        gone, stays = self.line(deal, name="Goes", price="1 EUR"), self.line(deal, name="Stays", price="2 EUR")
        then = self.events(f"opportunities/{deal}", limit=1)[0]["at"]
        self.api.want(204, "DELETE", f"/api/lines/{gone}")
        self.api.want(200, "PATCH", f"/api/lines/{stays}", {"quantity": "5"})
        page = self.browser().get(f"/opportunities/{deal}?as_of={then}")
        self.assertIn("Goes", page.text)
        self.assertIn("3.00 EUR", page.text)
        self.assertIn("10.00 EUR", self.browser().get(f"/opportunities/{deal}").text)

    def test_two_people_at_one_table(self):
        deal = self.make("opportunities", name="Together")
        line = self.line(deal, name="A", price="10 EUR")
        one, two = self.browser(), self.browser()
        here = f"/opportunities/{deal}/lines"
        one.get(f"/opportunities/{deal}")
        two.get(f"/opportunities/{deal}")
        one.submit(here, {f"quantity.{line}": "4"})
        self.assertEqual(200, two.submit(here, {f"discount.{line}": "50"}).status)
        merged = self.api.want(200, "GET", f"/api/lines/{line}")
        self.assertEqual(("4", "50", "20.00"), (merged["quantity"], merged["discount"], merged["total"]["amount"]))


class Sentences(Parts):
    def story(self, path):
        return self.browser().get(f"/{path}").text

    def test_tags_and_groups(self):
        contact = self.make("contacts", name="Carla Ruiz", tags=["old"])
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"tags": ["old", "vip", "fair"]})
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"tags": ["vip", "fair"]})
        group = self.make("contact_groups", name="Newsletter readers")
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"groups": [group]})
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"groups": []})
        text = self.story(f"contacts/{contact}")
        for told in ("tagged this vip, fair", "took away the tag old", "put this into the group Newsletter readers",
                     "took this out of the group Newsletter readers"):
            self.assertIn(told, text)
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"groups": [group]})
        self.assertIn("Carla Ruiz", self.story(f"contact_groups/{group}"))

    def test_a_deal_and_its_contact(self):
        contact = self.make("contacts", name="Bea")
        deal = self.make("opportunities", name="Solar roof", stage="qualification")
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"contact": contact})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"stage": "proposal"})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"source": "web"})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"closing_date": "2031-03-05"})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"closing_date": "2031-04-06"})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"closing_date": None})
        company = self.make("companies", name="Partner SL")
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"companies": [company]})
        own = self.story(f"opportunities/{deal}")
        for told in ("set Contact: Bea", "set Source: Web site", "changed Expected closing date from 5 Mar 2031 to 6 Apr 2031",
                     "emptied Expected closing date, which was 6 Apr 2031", "added Partner SL to Other companies"):
            self.assertIn(told, own)
        text = self.story(f"contacts/{contact}")
        self.assertIn("linked Solar roof with this · Qualification", text)
        self.assertIn("Solar roof", text)
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"contact": None})
        self.assertIn("unlinked Solar roof from this · Proposal", self.story(f"contacts/{contact}"))
        task = self.make("tasks", subject="Ring Bea")
        self.api.want(200, "PATCH", f"/api/tasks/{task}", {"contact": contact})
        self.assertIn("linked Ring Bea with this · still open", self.story(f"contacts/{contact}"))

    def test_what_a_person_did_is_told_and_what_followed_from_it_shown(self):
        deal = self.make("opportunities", name="Cold room", stage="qualification", amount={"amount": "1000", "currency": "EUR"})
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"stage": "proposal"})
        self.assertGreater(len(self.events(f"opportunities/{deal}", limit=1)[0]["changes"]), 1)  # the probability follows
        own = self.story(f"opportunities/{deal}")
        self.assertIn("moved this from Qualification to Proposal", own)
        self.assertIn("Probability (%)", own)
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"amount": {"amount": "2000", "currency": "EUR"}})
        self.assertIn("changed Amount from 1,000.00 EUR to 2,000.00 EUR", self.story(f"opportunities/{deal}").replace("\xa0", " "))
        self.api.want(200, "PATCH", f"/api/opportunities/{deal}", {"stage": "negotiation", "source": "web", "next_step": "Sign"})
        self.assertIn("moved this from Proposal to Negotiation · and 2 more", self.story(f"opportunities/{deal}"))

    def test_activities(self):
        task = self.make("tasks", subject="Ring them")
        for values, told in (({"priority": "high"}, "changed Priority from Medium to High"), ({"subject": "Ring her"}, "changed Name from Ring them to Ring her"),
                             ({"kind": "meeting"}, "changed Kind from Task to Meeting"), ({"participants": [self.ana_id]}, "added Ana to Participants"),
                             ({"due": "2031-01-01T10:00:00Z"}, "set Due: 1 Jan 2031"), ({"reminder": "2031-01-01T09:00:00Z"}, "set Reminder: 1 Jan 2031"),
                             ({"start": "2031-01-01T10:00:00Z"}, "set Start: 1 Jan 2031"), ({"end": "2031-01-01T11:00:00Z"}, "set End: 1 Jan 2031"),
                             ({"owner": self.ana_id}, "assigned it to Ana"), ({"reminder": None}, "emptied Reminder, which was 1 Jan 2031")):
            self.api.want(200, "PATCH", f"/api/tasks/{task}", values)
            self.assertIn(told, self.story(f"tasks/{task}"))
        self.api.want(204, "DELETE", f"/api/tasks/{task}")
        self.assertIn("deleted this", self.story(f"tasks/{task}"))


if __name__ == "__main__":
    unittest.main()
