"""Who has no password confirms by a new sign-in at the provider that it is they."""

import json
import time
import unittest
from urllib.parse import quote, urlencode

from harness import Browser, at_once
from oidc_test import BACK, START, LyingNodes, LyingStory, RealStory, flows
from provider import Visit, question
from signin_test import FORM, OWN, Clock

FACTOR = "/settings/second-factor"
CONFIRM = f"{START}/confirm?next={quote(FACTOR, safe='')}"


class Confirming:
    def bare(self, name, profile="member"):
        """A user without a password."""
        return self.api.want(201, "POST", "/api/users", {"name": name.title(), "email": f"{name}@example.org", "profile": profile})["id"]

    def asked_to_confirm(self, browser):
        """Both faces say that nothing goes on before that."""
        page = browser.get(FACTOR)
        token = browser.csrf
        self.assertEqual((200, []), (page.status, page.wrong))
        self.assertIn(CONFIRM, page.links)
        self.assertEqual([], [form.action for form in page.forms if form.action.startswith(FACTOR)])
        told = browser.send("GET", f"/api{FACTOR}").json
        self.assertEqual({"provider": "Example", "href": CONFIRM, "until": None}, told["confirmation"])
        page = browser.send("POST", FACTOR, urlencode({"csrf": token}), FORM)
        self.assertEqual((422, []), (page.status, page.wrong))
        self.assertIn("Let your provider confirm", page.text)
        self.assertIn(CONFIRM, page.links)
        self.assertFalse([link for link in page.links if link.startswith("otpauth:")])
        for method, path, body in (("POST", "", "{}"), ("POST", "/codes", '{"code":"000000"}'), ("DELETE", "", '{"code":"000000"}')):
            answer = browser.send(method, f"/api{FACTOR}{path}", body, {"Content-Type": "application/json", "Cronista-Csrf": token})
            self.assertEqual(400, answer.status, answer.text)
            self.assertIn("Let your provider confirm", answer.json["detail"])
        browser.get(FACTOR)

    def assert_confirmed(self, browser):
        self.assertEqual((200, FACTOR), (browser.page.status, browser.path), browser.page.text)
        self.assertIn("It is confirmed that it is you", browser.page.text)
        self.assertIsNotNone(browser.send("GET", f"/api{FACTOR}").json["confirmation"]["until"])
        browser.get(FACTOR)

    def assert_not_confirmed(self, browser, status, *words):
        """Refused on a page that leads on, and still signed in."""
        page = browser.page
        self.assertEqual((status, []), (page.status, page.wrong), page.text)
        for word in words:
            self.assertIn(word, page.text)
        self.assertIn(CONFIRM, page.links)
        self.assertIn(FACTOR, page.links)
        self.asked_to_confirm(browser)


class Real(Confirming, RealStory):
    def test_everything_that_asks_for_a_password_asks_for_this(self):
        user = self.bare("bare")
        self.provider.knows("bare", "bare@example.org")
        visit = Visit(self.provider)
        browser = self.go("bare", visit=visit)
        self.assert_in(browser)
        page = browser.get("/settings")
        self.assertNotIn("/settings/password", [form.action for form in page.forms])  # which asks for the present one
        self.assertIn("provider's word alone", page.text)
        self.asked_to_confirm(browser)  # however new the sign-in is
        _, there = self.begun(CONFIRM, browser)
        self.assertEqual(("login", "0"), (question(there)["prompt"], question(there)["max_age"]))
        self.assertIsNone(visit.send("GET", there))
        self.assertIn("login", visit.page.forms[0].names)  # though there is a session there
        before = browser.cookies["cronista"]
        self.come(browser, visit.sign_in(there, "bare"))
        self.assert_confirmed(browser)
        self.assertEqual([], flows(browser))
        thief = self.browser(None)
        thief.cookies["cronista"] = before
        thief.get("/contacts")
        self.assertTrue(thief.path.startswith("/sign-in"))
        self.assertEqual(1, self.kinds(user).count("signed_in"))
        self.assertIn("your account at the provider still can't sign in here", browser.get(FACTOR).text)
        page = browser.submit(FACTOR, {})
        self.assertEqual(200, page.status, page.text)
        clock = Clock(question(next(link for link in page.links if link.startswith("otpauth:")))["secret"])
        self.assertEqual(200, browser.submit(f"{FACTOR}/confirm", {"code": clock.code()}).status)
        # It does not last.
        self.sql(f'UPDATE sessions SET confirmed_at = confirmed_at - 301000000 WHERE "user" = {user}')
        self.asked_to_confirm(browser)
        self.assertIn("recovery codes left", browser.page.text)
        _, there = self.begun(CONFIRM, browser)
        self.come(browser, visit.sign_in(there, "bare"))
        self.assert_confirmed(browser)
        self.assertEqual(200, browser.submit(f"{FACTOR}/codes", {"code": clock.code()}).status)
        for code, status in ((clock.wrong(), 422), (clock.code(), 200)):
            token = browser.get(FACTOR) and browser.csrf
            self.assertEqual(status, browser.send("POST", f"{FACTOR}/end", urlencode({"csrf": token, "code": code}), FORM).status)
        self.assert_in(self.go("bare"))

    def test_somebody_else_there_confirms_nothing(self):
        user, other = self.bare("mine"), self.bare("theirs")
        self.provider.knows("mine", "mine@example.org")
        self.provider.knows("theirs", "theirs@example.org")
        self.assert_in(self.go("theirs"))
        browser = self.go("mine")
        _, there = self.begun(CONFIRM, browser)
        self.come(browser, Visit(self.provider).sign_in(there, "theirs"))
        self.assert_not_confirmed(browser, 403, "another account")
        self.assertEqual(user, browser.send("GET", "/api/settings").json["id"])
        time.sleep(0.3)
        event = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]
        self.assertEqual(("sign_in_failed", "confirmation", None), (event["kind"], event["wrong"], event["actor"]))
        self.assertIn("was to confirm who sits at a session of", self.browser().get(f"/users/{user}").text)
        self.assertEqual(["signed_in"], self.kinds(other)[:1])
        # Nor does somebody whom nobody here knows; and none is made of them.
        self.provider.knows("nobody", "nobody2@example.org")
        _, there = self.begun(CONFIRM, browser)
        self.come(browser, Visit(self.provider).sign_in(there, "nobody"))
        self.assert_not_confirmed(browser, 403, "another account")

    def test_who_does_not_agree_there_stays_signed_in_here(self):
        self.bare("coy")
        self.provider.knows("coy", "coy@example.org")
        browser = self.go("coy")
        _, there = self.begun(CONFIRM, browser)
        self.come(browser, Visit(self.provider).sign_in(there, "coy", stay=False))
        self.assert_not_confirmed(browser, 403, "You did not sign in with Example")
        self.assertEqual([], flows(browser))

    def test_a_password_does_as_before(self):
        self.user("both@example.org")
        self.provider.knows("both", "both@example.org")
        browser = self.go("both")
        page = browser.get(FACTOR)
        self.assertNotIn(CONFIRM, page.links)
        self.assertIsNone(browser.send("GET", f"/api{FACTOR}").json["confirmation"])
        browser.get(FACTOR)
        self.assertEqual(422, browser.submit(FACTOR, {"password": "not this one"}).status)
        self.assertEqual(200, browser.submit(FACTOR, {"password": OWN}).status)
        page = browser.send("GET", CONFIRM, follow=False)
        self.assertEqual((303, FACTOR), (page.status, page.headers["Location"]))
        self.assertEqual([], flows(browser))

    def test_a_rule_that_asks_for_a_factor_can_be_followed(self):
        self.bare("ruled", "read_only")
        self.provider.knows("ruled", "ruled@example.org")
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": ["read_only"]})
        try:
            browser = self.go("ruled")
            self.assertEqual(FACTOR, browser.path)
            _, there = self.begun(CONFIRM, browser)
            self.come(browser, Visit(self.provider).sign_in(there, "ruled"))
            self.assert_confirmed(browser)
            page = browser.submit(FACTOR, {})
            clock = Clock(question(next(link for link in page.links if link.startswith("otpauth:")))["secret"])
            self.assertEqual(200, browser.submit(f"{FACTOR}/confirm", {"code": clock.code()}).status)
            self.assertEqual(200, browser.get("/contacts").status)
            self.assertEqual("/contacts", browser.path)
        finally:
            self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": []})

    def test_the_page_says_so_in_all_languages(self):
        user = self.bare("speaks")
        self.provider.knows("speaks", "speaks@example.org")
        browser = self.go("speaks")
        for language, words in (("en", "Confirm with Example"), ("es", "Confirmar con Example"), ("pl", "Potwierdź przez Example"), ("ro", "Confirmați cu Example")):
            self.api.want(200, "PATCH", f"/api/users/{user}", {"language": language})
            self.assertIn(words, browser.get(FACTOR).text)


class Lying(Confirming, LyingStory):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("bare", "other"):
            cls.api.want(201, "POST", "/api/users", {"name": name.title(), "email": f"{name}@example.org", "profile": "member"})

    def signed_in(self, name="bare", browser=None):
        browser, there = self.begun(browser=browser)
        self.assert_in(self.answered(there, self.provider.code(question(there)["nonce"], email=f"{name}@example.org", sub=name), browser))
        return browser

    def code(self, there, sub="bare", **how):
        how = {"auth_time": int(time.time()), **how}
        return self.provider.code(question(there)["nonce"], sub=sub, **how)

    def confirmed(self, browser, **how):
        _, there = self.begun(CONFIRM, browser)
        return self.answered(there, self.code(there, **how), browser)

    def failures(self, name="bare"):
        time.sleep(0.3)
        user = self.api.want(200, "GET", f"/api/users?filter[email][eq]={name}@example.org")["items"][0]["id"]
        return self.kinds(user).count("sign_in_failed")

    def test_what_is_true_is_believed(self):
        for how in ({}, {"auth_time": int(time.time()) - 20}, {"auth_time": int(time.time()) + 20}, {"auth_time": time.time() + 0.5}):
            browser = self.signed_in()
            self.asked_to_confirm(browser)
            self.assert_confirmed(self.confirmed(browser, **how))
        self.asked_to_confirm(self.signed_in())  # each session for itself

    def test_who_did_not_sign_in_anew_confirms_nothing(self):
        browser, before = self.signed_in(), self.failures()
        for at in (int(time.time()) - 120, int(time.time()) + 600, 0, 1e9):
            with self.subTest(at):
                self.assert_not_confirmed(self.confirmed(browser, auth_time=at), 403, "did not let you sign in anew")
        self.assertEqual(before + 4, self.failures())

    def test_a_provider_that_does_not_say_when_is_told_so(self):
        browser, before = self.signed_in(), self.failures()
        for at in (None, str(int(time.time())), -1, True, [int(time.time())], 1e300):
            with self.subTest(str(at)):
                self.assert_not_confirmed(self.confirmed(browser, auth_time=at), 403, "does not say when you signed in there (auth_time)")
        self.assertEqual(before, self.failures())
        self.assertIn("does not say when somebody signed in (auth_time)", self.server.log_tail())

    def test_another_subject(self):
        self.signed_in("other")
        browser, before = self.signed_in(), self.failures()
        for sub in ("other", "nobody", "BARE", "mark"):
            self.assert_not_confirmed(self.confirmed(browser, sub=sub, email="bare@example.org"), 403, "another account")
        self.assertEqual(before + 4, self.failures())
        self.assertEqual([], [i for i in browser.send("GET", "/api/settings").json["identities"] if i["subject"] != "bare"])

    def test_tokens_that_say_what_is_not_so(self):
        browser = self.signed_in()
        for how in ({"iss": "https://other.example"}, {"aud": "other"}, {"nonce": "another"}, {"exp": int(time.time()) - 120}, {"sub": ""},
                    {"sign": self.provider.keys[1].sign}):
            _, there = self.begun(CONFIRM, browser)
            how = {"nonce": question(there)["nonce"], "sub": "bare", "auth_time": int(time.time()), **how}
            self.assert_not_confirmed(self.answered(there, self.provider.code(how.pop("nonce"), **how), browser), 403, "did not work")

    def test_an_answer_is_good_once(self):
        browser = self.signed_in()
        _, there = self.begun(CONFIRM, browser)
        name, = flows(browser)
        cookie, code = browser.cookies[name], self.code(there)
        self.assert_confirmed(self.answered(there, code, browser))
        forms = len(self.provider.forms)
        self.sql("UPDATE sessions SET confirmed_at = NULL")
        browser.cookies[name] = cookie
        self.assert_not_confirmed(self.answered(there, code, browser), 403, "begun in another session")
        self.assertEqual(forms, len(self.provider.forms))

    def test_of_the_same_answer_many_times_at_once_one_counts(self):
        browser = self.signed_in()
        _, there = self.begun(CONFIRM, browser)
        code, others = self.code(there), [self.browser(None) for _ in range(5)]
        for other in others:
            other.cookies.update(browser.cookies)
        back = f"{BACK}?{urlencode({'code': code, 'state': question(there)['state']})}"
        at_once([lambda b=b: b.send("GET", back, follow=False) for b in others])
        self.assertEqual([303] + 4 * [403], sorted(b.page.status for b in others))

    def test_an_answer_is_of_the_session_that_asked(self):
        browser = self.signed_in()
        _, there = self.begun(CONFIRM, browser)
        name, = flows(browser)
        cookie, code = browser.cookies[name], self.code(there)
        stranger = self.browser(None)
        self.assert_out(self.answered(there, code, stranger), 403, "begun in another browser")
        stranger.cookies[name] = cookie  # not even with it
        self.assert_out(self.answered(there, code, stranger), 403, "begun in another session")
        for who in ("other", "bare"):
            another = self.signed_in(who)
            another.cookies[name] = cookie
            self.answered(there, code, another)
            self.assert_not_confirmed(another, 403, "begun in another session")
        self.assertNotIn(code, [form.get("code") for form in self.provider.forms])
        # Who signs out meanwhile, or in anew, is another one, too.
        browser.get("/")
        browser.send("POST", "/sign-out", urlencode({"csrf": browser.csrf}), FORM)
        again = dict(browser.cookies)
        self.assert_out(self.answered(there, code, browser), 403, "begun in another session")
        browser.cookies.update(again)
        self.signed_in(browser=browser)
        browser.cookies[name] = cookie
        self.assert_not_confirmed(self.answered(there, code, browser), 403, "begun in another session")

    def test_who_is_deactivated_meanwhile_confirms_nothing(self):
        user = self.bare("leaver")
        browser = self.signed_in("leaver")
        _, there = self.begun(CONFIRM, browser)

        def slow(handler):
            self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
            self.provider.answers.clear()
            self.provider.answer(handler, urlencode({"code": code}))

        code = self.code(there, sub="leaver")
        self.provider.answers["/token"] = slow
        self.answered(there, code, browser)
        self.assertEqual(403, browser.page.status)
        self.assertIn("begun in another session", browser.page.text)
        browser.get("/contacts")
        self.assertTrue(browser.path.startswith("/sign-in"))

    def test_a_sign_in_is_no_confirmation_and_a_confirmation_no_sign_in(self):
        browser, sign_in = self.begun()
        self.signed_in(browser=browser)
        self.answered(sign_in, self.code(sign_in), browser)  # in another window, as fresh as can be
        self.assert_in(browser)
        self.asked_to_confirm(browser)
        # The cookie of the one under the name of the other, and its parts.
        _, confirm = self.begun(CONFIRM, browser)
        name, = flows(browser)
        cookie, session = browser.cookies[name], browser.cookies.pop("cronista")
        other, sign_in = self.begun()
        theirs, = flows(other)
        parts, own = cookie.split("."), other.cookies[theirs].split(".")
        self.assertEqual((5, 5, ""), (len(parts), len(own), own[2]))
        for there, under, value in ((sign_in, theirs, cookie), (sign_in, theirs, ".".join([*own[:2], parts[2], *own[3:]])),
                                    (confirm, name, ".".join([*parts[:2], "", *parts[3:]])), (confirm, name, other.cookies[theirs])):
            for signed in (None, session):
                trying = self.browser(None)
                trying.cookies[under] = value
                if signed:
                    trying.cookies["cronista"] = signed
                self.answered(there, self.code(there), trying)
                self.assertEqual(403, trying.page.status)
                self.assertIn("begun in another browser", trying.page.text)
                self.assertEqual(signed, trying.cookies.get("cronista"))
        browser.cookies["cronista"] = session
        self.asked_to_confirm(browser)

    def test_who_is_bound_to_nobody_there_can_not_confirm(self):
        user = self.bare("unbound")
        browser = self.signed_in("unbound")
        self.sql(f'DELETE FROM identities WHERE "user" = {user}')
        page = browser.get(FACTOR)
        self.assertIn("no provider can confirm that it is you", page.text)
        self.assertNotIn(CONFIRM, page.links)
        self.assertEqual({"provider": None, "href": None, "until": None}, browser.send("GET", f"/api{FACTOR}").json["confirmation"])
        page = browser.get(CONFIRM)
        self.assertEqual((403, []), (page.status, page.wrong))
        self.assertIn("no provider can confirm that it is you", page.text)
        self.assertEqual([], flows(browser))
        browser.get(FACTOR)
        answer = browser.send("POST", f"/api{FACTOR}", "{}", {"Content-Type": "application/json", "Cronista-Csrf": browser.csrf})
        self.assertEqual(400, answer.status)
        self.assertIn("no provider can confirm", answer.json["detail"])

    def test_a_provider_that_is_away_costs_nothing(self):
        browser = self.signed_in()
        _, there = self.begun(CONFIRM, browser)
        code = self.code(there)
        self.provider.answers["/token"] = (503, {}, b"")
        self.assert_not_confirmed(self.answered(there, code, browser), 503, "does not answer")
        self.provider.answers.clear()
        self.assert_confirmed(self.answered(there, code, browser))

    def test_it_needs_a_session_and_leads_only_to_this_site(self):
        stranger = self.browser(None)
        stranger.get(CONFIRM)
        self.assertTrue(stranger.path.startswith("/sign-in?next="))
        _, key = self.user("keyed@example.org")
        self.assertEqual(404, key.request("GET", f"/api{CONFIRM}")[0])  # it is a page
        browser = self.signed_in()
        _, there = self.begun(f"{START}/confirm?next=//evil.example", browser)
        page = browser.send("GET", f"{BACK}?{urlencode({'code': self.code(there), 'state': question(there)['state']})}", follow=False)
        self.assertEqual((303, "/"), (page.status, page.headers["Location"]))


class TwoNodes(LyingNodes):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.apis[0].want(201, "POST", "/api/users", {"name": "Bare", "email": "bare@example.org", "profile": "member"})

    def test_what_one_began_another_ends_and_it_counts_on_both(self):
        here = {"Host": "crm.example.org"}
        first, second = (Browser(node.port) for node in self.nodes[:2])
        for start, more in ((START, {"email": "bare@example.org"}), (CONFIRM, {"auth_time": int(time.time())})):
            page = first.send("GET", start, headers=here, follow=False)
            asked = question(page.headers["Location"])
            second.cookies.update(first.cookies)
            code = self.provider.code(asked["nonce"], sub="bare", **more)
            page = second.send("GET", f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}", headers=here, follow=False)
            self.assertEqual(303, page.status, page.text)
            first.cookies = dict(second.cookies)
        for browser in (first, second):
            told = browser.send("GET", f"/api{FACTOR}", headers=here).json
            self.assertIsNotNone(told["confirmation"]["until"], json.dumps(told))


if __name__ == "__main__":
    unittest.main()
