"""Consents: given and withdrawn, the text that was agreed to, and the customer's own page without sign-in."""

import datetime
import hashlib
import json
import re
import time
import unittest
from urllib.parse import quote, urlsplit

from harness import Browser, Story


def soon(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Consents(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana_id, cls.ana = cls.user("ana@example.org")
        cls.eve_id, cls.eve = cls.user("eve@example.org", "read_only")
        cls.text = "We send you a letter a month.\nNothing else."
        cls.news = cls.make("consent_kinds", name="Newsletter", text=cls.text)
        cls.calls = cls.make("consent_kinds", name="Phone calls", text="We may call you.", needed=True)
        cls.old = cls.make("consent_kinds", name="Fax", text="We may fax you.", active=False)

    @classmethod
    def make(cls, module, **values):
        return cls.api.want(201, "POST", f"/api/{module}", values)["id"]

    def contact(self, **values):
        return self.make("contacts", name="Carla Ruiz Soto", email="carla@secret.example", phone="600 123 123", **values)

    def consent(self, path, kind):
        return [c for c in self.api.want(200, "GET", f"/api/{path}/consents")["items"] if c["kind"]["id"] == kind][0]

    def share(self, path, api=None, **values):
        made = (api or self.ana).want(201, "POST", f"/api/{path}/consents/links", values)
        return made, urlsplit(made["url"]).path

    def events(self, path, **query):
        asked = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api.want(200, "GET", f"/api/{path}/history?{asked}")["items"]

    def customer(self, language="en"):
        return Browser(self.server.port, language)


class Card(Consents):
    def test_given_and_withdrawn_with_the_text_that_was_read(self):
        contact = self.contact()
        here = f"contacts/{contact}"
        self.assertEqual("not_asked", self.consent(here, self.news)["state"])
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": self.news, "state": "given"})
        one = self.consent(here, self.news)
        self.assertEqual(("given", "api", 1, hashlib.sha256(self.text.encode()).hexdigest(), True),
                         (one["state"], one["way"], one["text_version"], one["text_digest"], one["current"]))
        self.assertEqual(self.ana_id, one["by"]["id"])
        count = len(self.events(here))
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": self.news, "state": "given"})
        self.assertEqual(count, len(self.events(here)), "given already")
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": self.news, "state": "withdrawn"})
        page = self.browser().get(f"/{here}")
        self.assertIn("Ana noted that the consent Newsletter was given · version 1 of its text", page.text)
        self.assertIn("Ana noted that the consent Newsletter was withdrawn", page.text)
        self.assertEqual([], page.wrong)
        self.assertEqual(3, len(self.events(here, kind="information")) + 1)
        self.assertEqual(2, len(self.events(f"consents/{one['consent']}")), "its own history")

    def test_a_new_text_is_another_consent(self):
        kind = self.make("consent_kinds", name="Profiling", text="First text")
        here = f"contacts/{self.contact()}"
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"text": "Second text"})
        self.assertFalse(self.consent(here, kind)["current"])
        self.assertIn("The text has changed since", self.browser().get(f"/{here}").text)
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})
        one = self.consent(here, kind)
        self.assertEqual((2, True), (one["text_version"], one["current"]))
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"active": False})

    def test_by_the_card_without_scripts_and_for_leads(self):
        lead = self.make("leads", name="Leo")
        browser = self.browser("ana@example.org", "another test password")
        page = browser.get(f"/leads/{lead}")
        self.assertIn("Phone calls", page.text)
        self.assertNotIn("Fax", page.text)
        page = browser.submit(f"/leads/{lead}/consents")  # the first of them
        self.assertEqual(200, page.status)
        self.assertIn("noted that the consent Newsletter was given", page.text)
        self.assertEqual("page", self.consent(f"leads/{lead}", self.news)["way"])
        then = self.events(f"leads/{lead}", limit=1)[0]["at"]
        self.ana.want(200, "POST", f"/api/leads/{lead}/consents", {"kind": self.news, "state": "withdrawn"})
        self.assertIn("Given", browser.get(f"/leads/{lead}?as_of={then}").text)

    def test_of_a_kind_that_was_deleted(self):
        kind, never = self.make("consent_kinds", name="Raffles", text="We may draw you."), self.make("consent_kinds", name="Never given", text="x")
        here, other, third = (f"contacts/{self.contact()}" for _ in range(3))
        for path in (here, other):
            self.ana.want(200, "POST", f"/api/{path}/consents", {"kind": kind, "state": "given"})
        given = self.consent(here, kind)
        _, link = self.share(other)
        for one in (kind, never):
            self.api.want(204, "DELETE", f"/api/consent_kinds/{one}")
        one = self.consent(here, kind)
        self.assertEqual((True, "given", False, True), (one["kind"]["deleted"], one["state"], one["active"], one["current"]))
        self.assertNotIn(never, [c["kind"]["id"] for c in self.api.want(200, "GET", f"/api/{here}/consents")["items"]])
        self.assertNotIn(kind, [c["kind"]["id"] for c in self.api.want(200, "GET", f"/api/{third}/consents")["items"]])
        browser = self.browser("ana@example.org", "another test password")
        self.assertIn("Its kind was deleted: it can be withdrawn, but not given anew", browser.get(f"/{here}").text)
        # Once more given is given; nobody who has not given it can.
        count = len(self.events(here))
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})
        self.assertEqual(count, len(self.events(here)))
        for path, which, state in ((third, kind, "given"), (third, kind, "withdrawn"), (here, never, "given"), (here, never, "withdrawn")):
            self.assertEqual(422, self.ana.request("POST", f"/api/{path}/consents", {"kind": which, "state": state})[0])
        # Withdrawn, on the card; what was agreed to stays told.
        def row():
            return re.search(rf'<li data-kind="{kind}".*?</li>', browser.get(f"/{here}").source, re.S).group(0)

        self.assertIn('name="state" value="withdrawn"', row())
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "withdrawn"})
        one = self.consent(here, kind)
        self.assertEqual(("withdrawn", given["text_digest"], given["text_version"]), (one["state"], one["text_digest"], one["text_version"]))
        self.assertNotIn("<form", row(), "not to be given anew")
        self.assertEqual(422, self.ana.request("POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})[0])
        # By the customer: left as it is, then withdrawn; then it is not asked for any more.
        customer = self.customer()
        page = customer.get(link)
        self.assertIn("Raffles", page.text)
        self.assertNotIn("Never given", page.text)
        self.assertIn("Your choice is saved", customer.submit(link, {f"given.{self.news}": "1"}).text)
        self.assertEqual(["given", "given"], [self.consent(other, k)["state"] for k in (kind, self.news)])
        page = customer.submit(link, {f"given.{kind}": None})
        self.assertEqual("withdrawn", self.consent(other, kind)["state"])
        self.assertNotIn("Raffles", page.text)
        self.api.want(200, "POST", f"/api/consent_kinds/{kind}/restore")
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})
        self.assertNotIn("deleted", self.consent(here, kind)["kind"])
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"active": False})

    def test_an_inactive_kind_stays_given(self):
        kind = self.make("consent_kinds", name="Letters", text="On paper.")
        here = f"contacts/{self.contact()}"
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"})
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"active": False})
        customer, (_, link) = self.customer(), self.share(here)
        self.assertIn("Letters", customer.get(link).text)
        self.assertIn("Your choice is saved", customer.submit(link, {f"given.{self.news}": "1"}).text)
        self.assertEqual(["given", "given"], [self.consent(here, k)["state"] for k in (kind, self.news)])
        # Its text of today is nothing that anybody could agree to: the page does not ask.
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"text": "On paper, twice."})
        page = customer.get(link).text
        self.assertIn("Letters", page)
        self.assertNotIn("The text has changed since then", page)

    def test_who_may(self):
        here = f"contacts/{self.contact()}"
        self.assertEqual(403, self.eve.request("POST", f"/api/{here}/consents", {"kind": self.news, "state": "given"})[0])
        self.assertEqual(403, self.eve.request("POST", f"/api/{here}/consents/links", {})[0])
        self.eve.want(200, "GET", f"/api/{here}/consents")
        self.assertNotIn(f"/{here}/consents", [f.action for f in self.browser("eve@example.org", "another test password").get(f"/{here}").forms])
        for status, kind, state in ((422, self.old, "given"), (422, 99999, "given"), (422, self.news, "perhaps")):
            self.assertEqual(status, self.ana.request("POST", f"/api/{here}/consents", {"kind": kind, "state": state})[0])
        self.assertEqual(404, self.ana.request("GET", "/api/companies/1/consents")[0])
        self.assertEqual(403, self.ana.request("POST", "/api/consent_kinds", {"name": "Mine", "text": "x"})[0])
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": self.news, "state": "given"})
        one = self.consent(here, self.news)["consent"]
        for api in (self.ana, self.api):  # nobody goes around the card
            self.assertEqual(403, api.request("PATCH", f"/api/consents/{one}", {"name": "Other"})[0])
            self.assertEqual(403, api.request("DELETE", f"/api/consents/{one}")[0])
            status, _, problem = api.request("POST", "/api/consents", {"name": "Forged"})
            self.assertEqual((403, "Los consentimientos se dan y se retiran en la ficha de la persona."), (status, problem["detail"]))
            rows = f"Id,Name\n{one},Forged\n,Made up\n".encode()
            mapping = quote(json.dumps({"columns": {"Id": "id", "Name": "name"}, "match": ["id"]}))
            for dry in (0, 1):
                self.assertEqual(403, api.request("POST", f"/api/import/consents?name=x.csv&on_duplicate=overwrite&dry_run={dry}&map={mapping}", rows,
                                                  {"Content-Type": "text/csv"})[0])
            self.assertEqual(403, api.request("POST", "/api/consents/bulk", {"do": "delete", "id": [one], "confirmed": "1"})[0])
        self.assertEqual("Newsletter", self.api.want(200, "GET", f"/api/consents/{one}")["name"])
        # Nor does a page offer what would be refused.
        browser = self.browser()
        for path in ("/consents", "/consents?filter[name][eq]=none", f"/consents/{one}"):
            page = browser.get(path)
            self.assertEqual(200, page.status)
            for refused in ("/consents/new", "/consents/import", f"/consents/{one}/delete", f"/consents/{one}/edit", 'value="delete"'):
                self.assertNotIn(refused, page.source, path)
        for path in ("/consents/new", "/consents/import"):
            self.assertEqual(403, browser.get(path).status)
            self.assertIn("on the card of whom they are of", browser.page.text)


class Link(Consents):
    def test_the_customer_withdraws_and_gives(self):
        contact = self.contact(language="en")
        here = f"contacts/{contact}"
        self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": self.news, "state": "given"})
        made, path = self.share(here)
        shared = self.events(here, limit=1)[0]
        self.assertEqual(("consents_shared", made["position"], self.ana_id), (shared["kind"], shared["position"], shared["actor"]["id"]))
        customer = self.customer()
        page = customer.get(path)
        self.assertEqual((200, []), (page.status, page.wrong))
        for told in ("Hello, Carla", "Newsletter", "We send you a letter a month.", "Phone calls", "needed"):
            self.assertIn(told, page.text)
        for kept in ("Ruiz", "secret.example", "600", "Ana", "Fax", f"contacts/{contact}"):
            self.assertNotIn(kept, page.source)
        # To fetch the page is not to open it: programs that look through mail do so. Nor does asking for its head, or a guess.
        for _ in range(2):
            self.customer().get(path)
        self.customer().send("HEAD", path)
        self.customer().send("POST", path, "seen=1", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(shared["position"], self.events(here, limit=1)[0]["position"])
        self.assertIsNone(self.api.want(200, "GET", f"/api/{here}/consents")["links"][0]["opened_at"])
        token = re.search(r'name="csrf" value="([^"]+)"', page.source).group(1)
        seen = customer.send("POST", path, f"seen=1&csrf={token}", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(204, seen.status)
        self.assertEqual("given", self.consent(here, self.news)["state"], "nothing was chosen")
        opened = self.events(here, limit=1)[0]
        self.assertEqual(("consents_opened", None, "page", self.ana_id, made["position"]),
                         (opened["kind"], opened["actor"], opened["channel"], opened["link"]["by"]["id"], opened["cause"]))
        customer.send("POST", path, f"seen=1&csrf={token}", {"Content-Type": "application/x-www-form-urlencoded"})
        customer.get(path)
        self.assertEqual(opened["position"], self.events(here, limit=1)[0]["position"], "opened for the first time only")
        page = customer.submit(path, {f"given.{self.news}": None, f"given.{self.calls}": "1"})
        self.assertIn("Your choice is saved", page.text)
        self.assertEqual(["withdrawn", "given"], [self.consent(here, k)["state"] for k in (self.news, self.calls)])
        self.assertEqual("link", self.consent(here, self.calls)["way"])
        newest = self.events(here, limit=2)
        self.assertEqual([None, None], [e["actor"] for e in newest])
        self.assertEqual(1, len({e["operation"] for e in newest}))
        text = self.browser().get(f"/{here}").text
        for told in ("The customer, with the link of Ana, gave the consent Phone calls", "The customer, with the link of Ana, withdrew the consent Newsletter",
                     "Ana shared the consents for editing", "The customer, with the link of Ana, opened the page of the consents"):
            self.assertIn(told, text)
        log = self.browser().get("/history?limit=5").text
        self.assertIn("The customer, with the link of Ana,", log)
        count = len(self.events(here))
        customer.get(path)
        customer.submit(path)
        self.assertEqual(count, len(self.events(here)), "nothing was changed")

    def test_headers_and_no_session(self):
        _, path = self.share(f"contacts/{self.contact()}")
        administrator = self.browser()
        page = administrator.get(path)
        self.assertEqual("no-referrer", page.headers["Referrer-Policy"])
        self.assertIn("noindex", page.headers["X-Robots-Tag"])
        self.assertEqual("no-store", page.headers["Cache-Control"])
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertNotIn("/sign-out", page.source, "who is signed in here is not looked at")
        here = path.replace("/consent/", "")
        administrator.submit(path, {f"given.{self.news}": "1"})
        contact = [e for e in self.api.want(200, "GET", "/api/history?kind=created&module=consents&limit=1")["items"]][0]
        self.assertIsNone(contact["actor"])
        self.assertNotIn(here, str(self.api.want(200, "GET", "/api/history?limit=50")))
        self.assertNotIn(here, self.server.log_tail(500))

    def test_without_its_form_nothing_is_changed(self):
        contact = self.contact()
        _, path = self.share(f"contacts/{contact}")
        customer = self.customer()
        customer.get(path)
        body, kind = f"read.{self.news}={hashlib.sha256(self.text.encode()).hexdigest()}&given.{self.news}=1", {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(403, customer.send("POST", path, body, kind).status)
        self.assertEqual(403, customer.send("POST", path, body + "&csrf=guess", kind).status)
        token = re.search(r'name="csrf" value="([^"]+)"', customer.get(path).source).group(1)
        self.assertEqual(403, self.customer().send("POST", path, f"{body}&csrf={token}", kind).status, "another browser's")
        self.assertEqual(403, customer.send("POST", path, f"{body}&csrf={token}", {**kind, "Sec-Fetch-Site": "cross-site"}).status)
        self.assertEqual("not_asked", self.consent(f"contacts/{contact}", self.news)["state"])
        self.assertEqual(303, customer.send("POST", path, f"{body}&csrf={token}", kind, follow=False).status)
        self.assertEqual("given", self.consent(f"contacts/{contact}", self.news)["state"])
        forged = f"read.{self.old}={hashlib.sha256(b'We may fax you.').hexdigest()}&given.{self.old}=1&csrf={token}"
        self.assertEqual(422, customer.send("POST", path, forged, kind).status)

    def test_wrong_revoked_and_expired_look_alike(self):
        contact = self.contact()
        here = f"contacts/{contact}"
        first, gone = self.share(here)
        self.ana.want(204, "DELETE", f"/api/{here}/consents/links/{first['position']}")
        self.assertEqual(404, self.ana.request("DELETE", f"/api/{here}/consents/links/{first['position']}")[0])
        _, short = self.share(here, expires_at=soon(0.7))
        deleted = self.contact()
        _, orphan = self.share(f"contacts/{deleted}")
        self.api.want(204, "DELETE", f"/api/contacts/{deleted}")
        time.sleep(0.8)
        answers = set()
        for path in (gone, short, orphan, "/consent/" + "A" * 43, "/consent/x", gone[:-1] + ("A" if gone[-1] != "A" else "B")):
            page = self.customer().get(path)
            self.assertEqual(404, page.status, path)
            answers.add(re.sub(r'[A-Za-z0-9_-]{43}|/consent/x', "", page.source))
        self.assertEqual(1, len(answers))
        self.assertEqual([], self.api.want(200, "GET", f"/api/{here}/consents")["links"])
        self.share(here)  # what ran out is told of with the next one, or by the program within a minute
        ended = [e for e in self.events(here) if e["kind"] == "consents_ended"]
        self.assertEqual([("expired", None, "system"), ("revoked", self.ana_id, "api")],
                         [(e["end"], e["actor"] and e["actor"]["id"], e["channel"]) for e in ended])
        text = self.browser().get(f"/{here}").text
        self.assertIn("The link to the consents is past its time", text)
        self.assertIn("Ana revoked the link to the consents", text)
        for wrong in ({"days": 91}, {"days": 0}, {"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "soon"}):
            self.assertEqual(422, self.ana.request("POST", f"/api/{here}/consents/links", wrong)[0], wrong)

    def test_a_link_of_one_contact_is_no_other_s(self):
        one, two = self.contact(), self.contact()
        made, path = self.share(f"contacts/{one}")
        self.assertEqual(404, self.ana.request("DELETE", f"/api/contacts/{two}/consents/links/{made['position']}")[0])
        customer = self.customer()
        customer.get(path)
        customer.submit(path, {f"given.{self.news}": "1"})
        self.assertEqual(("given", "not_asked"), tuple(self.consent(f"contacts/{c}", self.news)["state"] for c in (one, two)))
        self.assertEqual(401, customer.send("GET", f"/api/contacts/{one}").status)

    def test_a_text_that_changed_is_read_again(self):
        kind = self.make("consent_kinds", name="Photos", text="Before")
        contact = self.contact()
        _, path = self.share(f"contacts/{contact}")
        customer = self.customer()
        customer.get(path)
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"text": "After"})
        page = customer.submit(path, {f"given.{kind}": "1", f"given.{self.news}": "1"})
        self.assertEqual(409, page.status)
        self.assertIn("A text has changed in the meantime", page.text)
        self.assertIn("After", page.text)
        self.assertEqual("not_asked", self.consent(f"contacts/{contact}", self.news)["state"], "nothing half done")
        self.assertEqual(200, customer.submit(path, {f"given.{kind}": "1"}).status)
        self.assertEqual(2, self.consent(f"contacts/{contact}", kind)["text_version"])
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"active": False})

    def test_languages(self):
        _, path = self.share(f"contacts/{self.contact(language='pl')}")
        self.assertIn('lang="pl"', self.customer("ro").get(path).source)
        page = self.customer().get(path + "?lang=es")
        self.assertIn('<html lang="es"', page.source)
        self.assertNotIn("Set-Cookie: cronista-language", str(page.headers))
        _, path = self.share(f"contacts/{self.contact()}")
        self.assertIn('<html lang="ro"', self.customer("ro").get(path).source)

    def test_each_reads_the_text_in_their_language(self):
        digest = lambda text: hashlib.sha256(text.encode()).hexdigest()  # noqa: E731
        kind = self.make("consent_kinds", name="Visitas", text="Podemos visitarle", name_pl="Wizyty", text_pl="Możemy Państwa odwiedzić", name_ro="Vizite")
        contact = self.contact(language="pl")
        here = f"contacts/{contact}"
        _, path = self.share(here)
        customer = self.customer()
        page = customer.get(path)
        self.assertIn("Wizyty", page.text)
        self.assertIn("Możemy Państwa odwiedzić", page.text)
        self.assertNotIn("Podemos visitarle", page.text)
        page = customer.get(path + "?lang=ro")  # without a text in it neither is the name
        self.assertIn("Visitas", page.text)
        self.assertIn("Podemos visitarle", page.text)
        customer.get(path)
        self.assertEqual(200, customer.submit(path, {f"given.{kind}": "1"}).status)
        one = self.consent(here, kind)
        self.assertEqual(("given", digest("Możemy Państwa odwiedzić"), True), (one["state"], one["text_digest"], one["current"]))
        # Read in another language it is the same consent.
        events = len(self.events(here))
        customer.get(path + "?lang=es")
        self.assertEqual(200, customer.submit(path, {f"given.{kind}": "1"}).status)
        self.assertEqual(events, len(self.events(here)))
        self.assertEqual(digest("Możemy Państwa odwiedzić"), self.consent(here, kind)["text_digest"])
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"text_pl": "Możemy Państwa odwiedzić w domu"})
        self.assertFalse(self.consent(here, kind)["current"])
        self.assertIn("Od tego czasu tekst się zmienił", customer.get(path + "?lang=pl").text)
        # Who notes it for them says what they read.
        for language, text in (("es", "Podemos visitarle"), (None, "Możemy Państwa odwiedzić w domu")):
            self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "withdrawn"})
            self.ana.want(200, "POST", f"/api/{here}/consents", {"kind": kind, "state": "given"} | ({"language": language} if language else {}))
            self.assertEqual(digest(text), self.consent(here, kind)["text_digest"])
        self.api.want(200, "PATCH", f"/api/consent_kinds/{kind}", {"active": False})

    def test_the_link_is_shown_once_and_the_card_tells_of_it(self):
        contact = self.contact()
        browser = self.browser("ana@example.org", "another test password")
        browser.get(f"/contacts/{contact}")
        page = browser.submit(f"/contacts/{contact}/consents/links", {"days": "1"})
        self.assertEqual(201, page.status)
        path = re.search(r"/consent/[A-Za-z0-9_-]{43}", page.source).group(0)
        customer = self.customer()
        self.assertEqual(200, customer.get(path).status)
        self.assertIn("not opened yet", browser.get(f"/contacts/{contact}").text)
        self.assertIn("Your choice is saved", customer.submit(path).text)
        self.assertIn("consents_opened", [e["kind"] for e in self.events(f"contacts/{contact}", limit=3)], "also without a script")
        page = browser.get(f"/contacts/{contact}")
        self.assertNotIn(path, page.source)
        self.assertIn("Link of Ana, good until", page.text)
        links = self.api.want(200, "GET", f"/api/contacts/{contact}/consents")["links"]
        self.assertEqual(1, len(links))
        self.assertTrue(links[0]["opened_at"])
        browser.submit(f"/contacts/{contact}/consents/links/{links[0]['position']}/revoke")
        self.assertEqual(404, self.customer().get(path).status)


class Limit(Consents):
    arguments = ("--attempts", "3", "--account-attempts", "1000")

    def test_an_address_may_not_go_on_guessing(self):
        _, path = self.share(f"contacts/{self.contact()}")
        statuses = [self.customer().get(f"/consent/{i:043d}").status for i in range(12)]
        self.assertEqual(404, statuses[0])
        self.assertEqual(429, statuses[-1])
        page = self.customer().get(path)
        self.assertEqual(429, page.status)
        self.assertTrue(page.headers["Retry-After"])


if __name__ == "__main__":
    unittest.main()
