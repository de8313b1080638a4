"""Signing in by the word of an OpenID provider: a real one, and one that lies."""

import base64
import hashlib
import hmac
import json
import shutil
import tempfile
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from harness import TEST_LIMITS, Browser, at_once, free_port
from nodes_test import Nodes
from provider import CLIENT, SECRET, Key, LyingProvider, RealProvider, Visit, base64url, client_of, question
from signin_test import FORM, OWN, SecondStory
from support import POSTGRES

START, BACK = "/sign-in/provider", "/sign-in/provider/callback"
KEYS = []


def keys():
    """Made once: that takes its time."""
    if not KEYS:
        KEYS.extend(Key(f"key {i}") for i in range(2))
    return KEYS


def flows(browser):
    """The cookies of sign-ins that it has begun."""
    return [name for name in browser.cookies if "cronista-provider-" in name]


class ProviderStory(SecondStory):
    """With a provider; whom nobody knows is refused."""

    options = ()
    environment = {"CRONISTA_OIDC_CLIENT_SECRET": SECRET}

    @classmethod
    def begin(cls, issuer):
        cls.arguments = (*TEST_LIMITS, "--oidc-issuer", issuer, "--oidc-client-id", CLIENT, "--oidc-label", "Example", *cls.options)
        super().setUpClass()
        cls.site = f"http://127.0.0.1:{cls.server.port}"

    def begun(self, path=START, browser=None):
        """A browser that was led to the provider, and to where."""
        browser = browser or self.browser(None)
        page = browser.send("GET", path, follow=False)
        self.assertEqual(303, page.status, page.text)
        return browser, page.headers["Location"]

    def come(self, browser, back, follow=True):
        at = urlsplit(back)
        return browser.send("GET", f"{at.path}?{at.query}", follow=follow)

    def assert_in(self, browser, path="/"):
        self.assertEqual((200, path), (browser.page.status, browser.path), browser.page.text)
        self.assertIn("cronista", browser.cookies)

    def assert_out(self, browser, status, *words):
        self.assertEqual(status, browser.page.status, browser.page.text)
        self.assertNotIn("cronista", browser.cookies)
        for word in words:
            self.assertIn(word, browser.page.text)
        browser.get("/contacts")
        self.assertTrue(browser.path.startswith("/sign-in"))


class RealStory(ProviderStory):
    algorithm = "RS256"

    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.begin(f"http://127.0.0.1:{port}")
        cls.issuer = f"http://127.0.0.1:{port}"
        cls.provider = RealProvider(cls.folder, cls.site, port, cls.algorithm)

    @classmethod
    def tearDownClass(cls):
        cls.provider.stop()
        super().tearDownClass()

    def go(self, name, path=START, browser=None, visit=None):
        """All the way. The browser, on the page where it ends."""
        browser, there = self.begun(path, browser)
        self.come(browser, (visit or Visit(self.provider)).sign_in(there, name))
        return browser


class Real(RealStory):
    def test_somebody_gets_in_and_is_known_from_then_on(self):
        user, _ = self.user("rosa@example.org")
        self.provider.knows("rosa", "Rosa@Example.org")  # the case of letters says nothing
        browser = self.go("rosa", f"{START}?next=%2Fcontacts")
        self.assert_in(browser, "/contacts")
        self.assertEqual([], flows(browser))
        kinds = self.kinds(user)
        self.assertEqual(("identity_bound", "signed_in"), (kinds[1], kinds[0]))
        event = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]
        self.assertEqual(self.issuer, event["issuer"])
        self.assertEqual(user, event["actor"]["id"])
        page = self.browser().get(f"/users/{user}")
        self.assertIn("signed in by Example", page.text)
        self.assertEqual(1, page.text.count("Last sign-in"))  # a fact of the user; of the event its moment says it
        self.assertIn("signs in by Example from now on", page.text)
        _, colleague = self.user("colleague@example.org")  # to whom nothing of it is told
        self.assertNotIn("identity", str(colleague.want(200, "GET", f"/api/users/{user}/history?limit=200")))
        own = browser.send("GET", "/api/settings").json
        self.assertEqual([(self.issuer, "rosa")], [(i["issuer"], i["subject"]) for i in own["identities"]])
        # The address changes there, even to that of somebody else: they stay who they are.
        self.user("other@example.org")
        self.provider.knows("rosa", "other@example.org")
        self.assert_in(self.go("rosa"))
        self.assertEqual(1, self.kinds(user).count("identity_bound"))
        self.assertEqual(2, self.kinds(user).count("signed_in"))
        # And here.
        self.api.want(200, "PATCH", f"/api/users/{user}", {"email": "rosa.new@example.org"})
        self.assert_in(self.go("rosa"))
        self.assertEqual(3, self.kinds(user).count("signed_in"))

    def test_the_page_offers_it_in_all_languages_and_without_scripts(self):
        for language, words in (("en", "Sign in with Example"), ("es", "Entrar con Example"), ("pl", "Zaloguj się przez Example"),
                                ("ro", "Autentificare cu Example")):
            page = self.browser(None, language=language).get("/sign-in?next=%2Fcontacts")
            self.assertIn(words, page.text)
            self.assertIn(f"{START}?next=%2Fcontacts", page.links)
            self.assertEqual([], page.wrong)

    def test_whoever_is_not_known_or_not_confirmed_is_refused(self):
        user, _ = self.user("unsure@example.org")
        self.provider.knows("nobody", "nobody@example.org")
        self.provider.knows("unsure", "unsure@example.org", verified=False)
        self.assert_out(self.go("nobody"), 403, "no user here")
        self.assert_out(self.go("unsure"), 403, "has not confirmed")
        time.sleep(0.3)
        self.assertIn("sign_in_failed", self.kinds(user))
        event = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]
        self.assertEqual("identity", event["wrong"])
        self.assertIn("was not let in", self.browser().get(f"/users/{user}").text)
        self.assertEqual([], self.api.want(200, "GET", f"/api/users/{user}/provider")["identities"])

    def test_what_merely_looks_like_an_address_is_another(self):
        self.user("jose@example.org")
        self.provider.knows("stranger", "josé@example.org")
        self.provider.knows("wide", "ｊose@example.org")
        self.assert_out(self.go("stranger"), 403, "no user here")
        self.assert_out(self.go("wide"), 403, "no user here")

    def test_a_user_is_one_of_its_people_and_no_other(self):
        user, _ = self.user("taken@example.org")
        self.provider.knows("first", "taken@example.org")
        self.provider.knows("second", "taken@example.org")
        self.assert_in(self.go("first"))
        self.assert_out(self.go("second"), 403, "another account")
        self.assert_in(self.go("first"))
        time.sleep(0.3)
        self.assertEqual(1, self.kinds(user).count("sign_in_failed"))

    def test_who_is_not_active_does_not_get_in_bound_or_not(self):
        known, _ = self.user("known@example.org")
        self.user("never@example.org", active=False)
        self.provider.knows("known", "known@example.org")
        self.provider.knows("never", "never@example.org")
        browser = self.go("known")
        self.assert_in(browser)
        self.api.want(200, "PATCH", f"/api/users/{known}", {"active": False})
        browser.get("/contacts")
        self.assertTrue(browser.path.startswith("/sign-in"))  # its session is over at once
        self.assert_out(self.go("known"), 403, "no user here")
        self.assert_out(self.go("never"), 403, "no user here")
        self.api.want(200, "PATCH", f"/api/users/{known}", {"active": True})
        self.assert_in(self.go("known"))

    def test_an_invitation_is_answered_by_coming(self):
        made = self.api.want(201, "POST", "/api/users", {"name": "Pilar", "email": "pilar@example.org", "profile": "member", "invite": True})
        self.assertEqual("invited", self.api.want(200, "GET", f"/api/users/{made['id']}")["state"])
        self.provider.knows("pilar", "pilar@example.org")
        self.assert_in(self.go("pilar"))
        self.assertEqual("active", self.api.want(200, "GET", f"/api/users/{made['id']}")["state"])
        self.assertIn("invitation_ended", self.kinds(made["id"]))

    def test_the_second_factor_of_here_is_asked_for(self):
        user, _ = self.user("careful@example.org")
        _, clock, _ = self.enrol("careful@example.org")
        self.provider.knows("careful", "careful@example.org")
        browser = self.go("careful", f"{START}?next=%2Fcontacts")
        self.assertEqual("/sign-in/second?next=%2Fcontacts", browser.path)
        self.assertNotIn("cronista", browser.cookies)
        browser.get("/contacts")
        self.assertEqual("/sign-in?next=%2Fcontacts", browser.path)
        browser.get("/sign-in/second?next=%2Fcontacts")
        browser.submit("/sign-in/second", {"code": clock.code()})
        self.assert_in(browser, "/contacts")
        event = next(e for e in self.api.want(200, "GET", f"/api/users/{user}/history?limit=5")["items"] if e["kind"] == "signed_in")
        self.assertEqual(self.issuer, event["issuer"])

    def test_an_invitation_that_was_withdrawn_lets_nobody_in(self):
        made = self.api.want(201, "POST", "/api/users", {"name": "Olga", "email": "olga@example.org", "profile": "member", "invite": True})["id"]
        self.api.want(204, "DELETE", f"/api/users/{made}/invitation")
        self.provider.knows("olga", "olga@example.org")
        self.assert_out(self.go("olga"), 403, "no user here")
        self.assertEqual([], self.api.want(200, "GET", f"/api/users/{made}/provider")["identities"])
        self.assertEqual("invited", self.api.want(200, "GET", f"/api/users/{made}")["state"])
        self.api.want(201, "POST", f"/api/users/{made}/invitation", {})
        self.assert_in(self.go("olga"))

    def test_nobody_is_bound_before_the_second_factor_was_given(self):
        user, _ = self.user("guarded@example.org")
        _, clock, _ = self.enrol("guarded@example.org")
        self.provider.knows("stranger2", "guarded@example.org")
        self.provider.knows("guarded", "guarded@example.org")
        stranger, own, again = self.go("stranger2"), self.go("guarded"), self.go("guarded")
        for browser in (stranger, own, again):
            self.assertEqual("/sign-in/second", browser.path)
        stranger.submit("/sign-in/second", {"code": clock.wrong()})
        self.assertEqual([], self.api.want(200, "GET", f"/api/users/{user}/provider")["identities"])
        self.assertNotIn("identity_bound", self.kinds(user))
        own.submit("/sign-in/second", {"code": clock.code()})
        self.assert_in(own)
        self.assertEqual(["guarded"], [i["subject"] for i in self.api.want(200, "GET", f"/api/users/{user}/provider")["identities"]])
        # Who began before that and has a code now: as the same person they get in, as another not.
        again.submit("/sign-in/second", {"code": clock.code()})
        self.assert_in(again)
        stranger.submit("/sign-in/second", {"code": clock.code()})
        self.assert_out(stranger, 403, "another account")
        self.assertEqual(1, self.kinds(user).count("identity_bound"))

    def test_who_is_deactivated_before_the_code_is_not_bound(self):
        user, _ = self.user("gone@example.org")
        _, clock, _ = self.enrol("gone@example.org")
        self.provider.knows("gone", "gone@example.org")
        browser = self.go("gone")
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        browser.submit("/sign-in/second", {"code": clock.code()})
        self.assertEqual("/sign-in", browser.path)
        self.assertNotIn("identity_bound", self.kinds(user))

    def test_a_password_given_by_an_administrator_ends_what_a_stranger_bound(self):
        user, _ = self.user("recovered@example.org")
        self.provider.knows("evil", "recovered@example.org")
        self.assert_in(self.go("evil"))
        self.provider.knows("evil", "recovered@example.org", verified=False)
        card = self.browser()
        self.assertIn("sign in by a provider, too", card.get(f"/users/{user}/sign-out").text)
        self.api.want(204, "POST", f"/api/users/{user}/password", {"password": "a fresh long password"})
        self.assertNotIn("sign in by a provider, too", card.get(f"/users/{user}/sign-out").text)
        self.assertEqual([], self.api.want(200, "GET", f"/api/users/{user}/provider")["identities"])
        self.assertIn("identity_ended", self.kinds(user))
        self.assert_out(self.go("evil"), 403, "has not confirmed")
        # One's own new password leaves it.
        self.provider.knows("recovered", "recovered@example.org")
        browser = self.go("recovered")
        browser.get("/settings")
        self.assertEqual(200, browser.submit("/settings/password", {"password": "a fresh long password", "new_password": "another long password"}).status)
        self.assertEqual(["recovered"], [i["subject"] for i in browser.send("GET", "/api/settings").json["identities"]])

    def test_a_rule_that_asks_for_one_holds(self):
        self.user("ruled@example.org", "read_only")
        self.provider.knows("ruled", "ruled@example.org")
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": ["read_only"]})
        try:
            browser = self.go("ruled")
            self.assertEqual("/settings/second-factor", browser.path)
            browser.get("/contacts")
            self.assertEqual("/settings/second-factor", browser.path)
        finally:
            self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": []})

    def test_the_session_is_another_at_each_sign_in(self):
        self.user("fixed@example.org")
        self.provider.knows("fixed", "fixed@example.org")
        browser, there = self.begun()
        browser.cookies["cronista"] = planted = "p" * 43
        page = self.come(browser, Visit(self.provider).sign_in(there, "fixed"), follow=False)
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if c.startswith("cronista="))
        for word in ("HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(word, cookie)
        self.assertNotEqual(planted, browser.cookies["cronista"])
        before = browser.cookies["cronista"]
        browser.get("/")
        browser.send("POST", "/sign-out", urlencode({"csrf": browser.csrf}), FORM)
        self.go("fixed", browser=browser)
        self.assert_in(browser)
        thief = self.browser(None)
        thief.cookies["cronista"] = before
        thief.get("/contacts")
        self.assertTrue(thief.path.startswith("/sign-in"))

    def test_signing_out_here_leads_to_signing_out_there(self):
        self.user("leaves@example.org")
        self.provider.knows("leaves", "leaves@example.org")
        visit = Visit(self.provider)
        browser = self.go("leaves", visit=visit)
        self.assert_in(browser)
        browser.send("POST", "/sign-out", urlencode({"csrf": browser.csrf}), FORM)
        self.assertEqual("/sign-in?left=1", browser.path)
        self.assertNotIn("cronista", browser.cookies)
        self.assertIn("you may still be signed in", browser.page.text)
        self.assertIn("/sign-in/provider/leave", browser.page.links)
        page = browser.send("GET", "/sign-in/provider/leave", follow=False)
        self.assertTrue(page.headers["Location"].startswith(f"{self.issuer}/session/end?"), page.headers["Location"])
        # Until then the provider lets in without asking anything; afterwards it does not.
        _, there = self.begun(browser=self.browser(None))
        self.assertIsNotNone(visit.send("GET", there))
        self.assertIsNone(visit.send("GET", page.headers["Location"]))
        self.assertEqual(200, visit.page.status, visit.page.text)
        back = visit.form(logout="yes")
        self.assertEqual(f"{self.site}/sign-in", back)
        _, there = self.begun(browser=self.browser(None))
        self.assertIsNone(visit.send("GET", there))
        self.assertIn("login", visit.page.forms[0].names)
        # Who signed in by a password is offered nothing.
        other = self.browser("leaves@example.org", OWN)
        other.get("/")
        other.send("POST", "/sign-out", urlencode({"csrf": other.csrf}), FORM)
        self.assertEqual("/sign-in", other.path)

    def test_who_does_not_agree_there_stays_out(self):
        self.provider.knows("shy", "shy@example.org")
        browser, there = self.begun()
        self.come(browser, Visit(self.provider).sign_in(there, "shy", stay=False))
        self.assert_out(browser, 403, "You did not sign in with Example")

    def test_an_answer_is_good_once_and_in_the_browser_that_asked(self):
        self.user("once@example.org")
        self.provider.knows("once", "once@example.org")
        browser, there = self.begun()
        name, = flows(browser)
        cookie = browser.cookies[name]
        back = Visit(self.provider).sign_in(there, "once")
        stranger = self.browser(None)
        self.come(stranger, back)
        self.assert_out(stranger, 403, "begun in another browser")
        other, _ = self.begun()  # which has begun one of its own
        self.come(other, back)
        self.assert_out(other, 403, "begun in another browser")
        self.come(browser, back)
        self.assert_in(browser)
        thief = self.browser(None)
        thief.cookies[name] = cookie
        self.come(thief, back)
        self.assert_out(thief, 403, "begun in another browser")

    def test_somebody_elses_code_is_no_use(self):
        """Injected into one's own sign-in: the verifier is not the one it was asked for with."""
        self.user("victim@example.org")
        self.provider.knows("victim", "victim@example.org")
        _, there = self.begun()
        stolen = question(Visit(self.provider).sign_in(there, "victim"))["code"]
        browser, there = self.begun()
        back = urlencode({"code": stolen, "state": question(there)["state"], "iss": self.issuer})
        browser.get(f"{BACK}?{back}")
        self.assert_out(browser, 403, "did not work")
        self.assertIn("invalid_grant", self.server.log_tail())

    def test_the_answer_says_of_whom_it_is(self):
        self.user("mixed@example.org")
        self.provider.knows("mixed", "mixed@example.org")
        for wanted in ("https://other.example", None, ""):
            browser, there = self.begun()
            answer = question(Visit(self.provider).sign_in(there, "mixed"))
            answer.pop("iss")
            if wanted is not None:
                answer["iss"] = wanted
            browser.get(f"{BACK}?{urlencode(answer)}")
            self.assert_out(browser, 403, "did not work")

    def test_the_way_on_leads_only_to_this_site(self):
        self.user("way@example.org")
        self.provider.knows("way", "way@example.org")
        for wanted in ("//evil.example", "/\\evil.example", "https://evil.example", "\\\\evil.example", "/\t/evil.example", "evil"):
            browser, there = self.begun(f"{START}?{urlencode({'next': wanted})}")
            page = self.come(browser, Visit(self.provider).sign_in(there, "way"), follow=False)
            self.assertEqual((303, "/"), (page.status, page.headers["Location"]), wanted)

    def test_ending_it(self):
        user, api = self.user("ends@example.org")
        made = self.api.want(201, "POST", "/api/users", {"name": "Without", "email": "without@example.org", "profile": "member"})
        self.provider.knows("ends", "ends@example.org")
        self.provider.knows("without", "without@example.org")
        browser, other, without = self.go("ends"), self.go("ends"), self.go("without")
        page = browser.get("/settings")
        self.assertIn("Sign-in by a provider", page.text)
        self.assertEqual(403, browser.send("POST", "/settings/provider/end", "", FORM).status)
        self.assertEqual(403, api.request("DELETE", "/api/settings/provider")[0])  # by a key: no
        self.assertNotIn("/settings/provider/end", [form.action for form in without.get("/settings").forms])
        self.assertEqual(409, without.send("POST", "/settings/provider/end", urlencode({"csrf": without.csrf}), FORM).status)
        browser.get("/settings")
        self.assertEqual(200, browser.submit("/settings/provider/end").status)
        self.assertEqual("/settings", browser.path)
        self.assertNotIn("Sign-in by a provider", browser.get("/settings").text)
        other.get("/contacts")
        self.assertTrue(other.path.startswith("/sign-in"))
        self.assertEqual("identity_ended", self.kinds(user)[0])
        self.assertEqual(404, browser.send("DELETE", "/api/settings/provider", headers={"Cronista-Csrf": browser.csrf}).status)
        # By an administrator, and by nobody else.
        self.assertEqual(403, api.request("DELETE", f"/api/users/{made['id']}/provider")[0])
        self.assertEqual(403, api.request("GET", f"/api/users/{made['id']}/provider")[0])
        administrator = self.browser()
        administrator.get(f"/users/{made['id']}")
        self.assertIn(f"/users/{made['id']}/provider", administrator.page.links)
        page = administrator.get(f"/users/{made['id']}/provider")
        self.assertIn("Example · without", page.text)
        self.assertEqual(403, administrator.send("POST", f"/users/{made['id']}/provider/end", "confirmed=1", FORM).status)
        administrator.get(f"/users/{made['id']}/provider")
        page = administrator.submit(f"/users/{made['id']}/provider/end")
        self.assertIn("ended that Without signs in by Example", page.text)
        without.get("/contacts")
        self.assertTrue(without.path.startswith("/sign-in"))
        self.assertEqual("identity_ended", self.kinds(made["id"])[0])
        self.api.want(404, "DELETE", f"/api/users/{made['id']}/provider")
        self.assert_in(self.go("without"))  # bound anew, by the address

    def test_nothing_secret_is_told(self):
        user, _ = self.user("quiet@example.org")
        self.provider.knows("quiet", "quiet@example.org")
        browser, there = self.begun()
        back = Visit(self.provider).sign_in(there, "quiet")
        self.come(browser, back)
        self.assert_in(browser)
        everything = str(self.api.want(200, "GET", f"/api/users/{user}/history?limit=200")) + Path(self.server.log).read_text()
        everything += browser.get("/settings").source
        for word in (SECRET, question(back)["code"], question(back)["state"]):
            self.assertNotIn(word, everything)


class OtherSignature(RealStory):
    algorithm = "ES256"
    options = ("--oidc-new-users", "yes", "--oidc-domains", "example.com, Example.org", "--oidc-profile", "read_only", "--oidc-level", "Visitors")

    def test_who_is_new_becomes_a_user(self):
        self.provider.knows("new", "new@example.org", called="Nora Nueva")
        self.provider.knows("odd", "odd@example.org", called="Odd\nName")
        self.provider.knows("unsure", "unsure@example.org", verified=False)
        self.assert_in(self.go("new"))
        self.assert_in(self.go("odd"))
        self.assert_out(self.go("unsure"), 403, "has not confirmed")
        made = {u["email"]: u for u in self.api.want(200, "GET", "/api/users?limit=50&columns=name,email,profile,level,state")["items"]}
        new = made["new@example.org"]
        self.assertEqual(("Nora Nueva", "read_only", "Visitors", "active"), (new["name"], new["profile"], new["level"]["name"], new["state"]))
        self.assertEqual("odd", made["odd@example.org"]["name"])
        self.assertNotIn("unsure@example.org", made)
        self.assertEqual(["signed_in", "identity_bound", "created"], self.kinds(new["id"]))
        first = self.api.want(200, "GET", f"/api/users/{new['id']}/history")["items"][-1]
        self.assertIsNone(first["actor"])  # by the program
        self.assert_in(self.go("new"))
        self.assertEqual(1, self.kinds(new["id"]).count("created"))

    def test_who_is_of_another_domain_does_not(self):
        for name, email in (("outside", "outside@gmail.example"), ("below", "below@mail.example.org"), ("longer", "longer@anexample.org")):
            self.provider.knows(name, email)
            self.assert_out(self.go(name), 403, "no user here")
            self.assertEqual([], self.api.want(200, "GET", f"/api/users?filter[email][eq]={email}")["items"])
        self.user("known@gmail.example")  # whom an administrator made
        self.provider.knows("known", "known@gmail.example")
        self.assert_in(self.go("known"))

    def test_of_two_first_ones_at_once_there_is_one_user(self):
        self.provider.knows("twin", "twin@example.org")
        begun = [self.begun() for _ in range(4)]
        backs = [Visit(self.provider).sign_in(there, "twin") for _, there in begun]
        at_once([lambda b=browser, w=back: self.come(b, w) for (browser, _), back in zip(begun, backs)])
        for browser, _ in begun:
            self.assert_in(browser)
        found = self.api.want(200, "GET", "/api/users?filter[email][eq]=twin@example.org")["items"]
        self.assertEqual(1, len(found))
        self.assertEqual(1, self.kinds(found[0]["id"]).count("identity_bound"))


class LyingStory(ProviderStory):
    @classmethod
    def setUpClass(cls):
        cls.provider = LyingProvider(keys())
        cls.begin(cls.provider.issuer)
        cls.user("mark@example.org")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.provider.stop()

    def setUp(self):
        self.provider.answers.clear()

    def falls_silent(self, path, seconds):
        """From now on it answers there with nothing for so long, and then that it can't. Set what is returned to end it sooner."""
        gate = threading.Event()

        def later(handler):
            gate.wait(seconds)
            handler.send_response(503)
            handler.end_headers()

        self.provider.answers[path] = later
        return gate

    def answered(self, there, code, browser):
        browser.get(f"{BACK}?{urlencode({'code': code, 'state': question(there)['state']})}")
        return browser

    def told(self, email="mark@example.org", sub="mark", **how):
        """A sign-in about which the provider says this."""
        browser, there = self.begun()
        return self.answered(there, self.provider.code(how.pop("nonce", question(there)["nonce"]), email=email, sub=sub, **how), browser)


class Lying(LyingStory):
    def test_what_is_true_is_believed(self):
        self.assert_in(self.told())
        form = self.provider.forms[-1]
        self.assertEqual((CLIENT, SECRET), client_of(form["authorization"]))
        self.assertNotIn("client_secret", form)
        self.assertEqual(f"{self.site}{BACK}", form["redirect_uri"])
        self.assert_in(self.told(aud=[CLIENT]))
        self.assert_in(self.told(aud=[CLIENT, "other"], azp=CLIENT))
        self.assert_in(self.told(azp=CLIENT))
        self.assert_in(self.told(iat=time.time() - 3, exp=time.time() + 1.5e2))  # with a fraction
        self.assert_in(self.told(exp=int(time.time()) - 20))  # clocks differ
        self.assert_in(self.told(email=None, email_verified=None))  # who is known needs no address

    def test_the_question(self):
        browser, there = self.begun()
        asked = question(there)
        self.assertTrue(there.startswith(f"{self.provider.issuer}/authorize?"))
        self.assertEqual(("code", CLIENT, "S256", "openid email profile", f"{self.site}{BACK}"), tuple(
            asked[name] for name in ("response_type", "client_id", "code_challenge_method", "scope", "redirect_uri")))
        self.answered(there, self.provider.code(asked["nonce"], email="mark@example.org", sub="mark"), browser)
        self.assert_in(browser)
        verifier = self.provider.forms[-1]["code_verifier"]
        self.assertEqual(asked["code_challenge"], base64url(hashlib.sha256(verifier.encode()).digest()))
        self.assertGreaterEqual(len(verifier), 43)
        _, again = self.begun()
        for name in ("state", "nonce", "code_challenge"):
            self.assertNotEqual(asked[name], question(again)[name])

    def test_the_cookie(self):
        page = self.browser(None).send("GET", START, follow=False)
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if c.startswith("cronista-provider-"))
        for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"):
            self.assertIn(word, cookie)
        for name, value in question(page.headers["Location"]).items():
            if name in ("state", "nonce", "code_challenge"):
                self.assertNotIn(value, cookie)

    def test_of_two_windows_each_gets_in_and_what_does_not_fit_ends_nothing(self):
        browser, first = self.begun()
        _, second = self.begun(browser=browser)
        browser.get(f"{BACK}?code=x&state=" + "0" * 64)
        self.assertEqual(403, browser.page.status)
        for there in (first, second):
            code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
            self.assert_in(self.answered(there, code, browser))
        self.assertEqual([], flows(browser))
        browser = self.browser(None)
        for _ in range(9):  # somebody leads it here again and again
            _, there = self.begun(f"{START}?next=/{'x' * 990}", browser)
            self.assertLessEqual(len(flows(browser)), 2)
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        self.answered(there, code, browser)
        self.assertIn("cronista", browser.cookies)

    def test_a_changed_cookie_is_none(self):
        for change in (lambda c: c[:-1] + ("0" if c[-1] != "0" else "1"), lambda c: ("x" if c[0] != "x" else "y") + c[1:], lambda c: c.replace(".", ".9", 1), lambda c: "",
                       lambda c: ".".join(c.split(".")[:3]), lambda c: "...", lambda c: c.split(".")[0] + "." + c):
            browser, there = self.begun()
            name, = flows(browser)
            browser.cookies[name] = change(browser.cookies[name])
            code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
            asked = len(self.provider.asked)
            self.assert_out(self.answered(there, code, browser), 403, "begun in another browser")
            self.assertEqual(asked, len(self.provider.asked))  # nobody was asked anything

    def test_state(self):
        browser, there = self.begun()
        _, other = self.begun()
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        for state in (question(other)["state"], "", "x", question(there)["state"].upper()):
            trying, mine = self.begun()
            trying.get(f"{BACK}?{urlencode({'code': code, 'state': state})}")
            self.assert_out(trying, 403, "begun in another browser")
        trying, mine = self.begun()
        trying.get(f"{BACK}?code={code}")
        self.assert_out(trying, 403, "begun in another browser")

    def test_a_code_of_another_session_does_not_fit(self):
        """Its token answers another question, though this provider gives it to whoever asks."""
        _, there = self.begun()
        stolen = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        browser, mine = self.begun()
        self.assert_out(self.answered(mine, stolen, browser), 403, "did not work")

    def test_a_replayed_answer(self):
        browser, there = self.begun()
        name, = flows(browser)
        cookie = browser.cookies[name]
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        self.assert_in(self.answered(there, code, browser))
        again = self.browser(None)
        again.cookies[name] = cookie
        forms = len(self.provider.forms)
        self.assert_out(self.answered(there, code, again), 403, "begun in another browser")
        self.assertEqual(forms, len(self.provider.forms))

    def test_of_the_same_answer_many_times_at_once_one_gets_in(self):
        browser, there = self.begun()
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        others = [self.browser(None) for _ in range(5)]
        for other in others:
            other.cookies.update(browser.cookies)
        at_once([lambda b=b: self.answered(there, code, b) for b in others])
        self.assertEqual(1, sum("cronista" in b.cookies for b in others))

    def test_tokens_that_say_what_is_not_so(self):
        now = int(time.time())
        wrong = {
            "nonce": {"nonce": "another"}, "no nonce": {"nonce": None}, "empty nonce": {"nonce": ""},
            "aud": {"aud": "other"}, "aud in a list": {"aud": ["other"]}, "no aud": {"aud": None}, "aud of a number": {"aud": 3}, "aud, empty": {"aud": []},
            "several without azp": {"aud": [CLIENT, "other"]}, "azp": {"azp": "other"}, "azp of several": {"aud": [CLIENT, "other"], "azp": "other"},
            "iss": {"iss": "https://other.example"}, "iss with a slash": {"iss": self.provider.issuer + "/"}, "no iss": {"iss": None},
            "expired": {"exp": now - 120}, "no exp": {"exp": None}, "exp as a text": {"exp": str(now + 300)}, "exp below zero": {"exp": -1},
            "of the future": {"iat": now + 600}, "no iat": {"iat": None}, "old": {"iat": now - 3600}, "not yet": {"nbf": now + 600},
            "no sub": {"sub": None}, "empty sub": {"sub": ""}, "long sub": {"sub": "x" * 256}, "sub with a line": {"sub": "mark\nx"}, "sub of a number": {"sub": 7},
            "sub with a zero": {"sub": "mark\0"},
        }
        for name, how in wrong.items():
            with self.subTest(name):
                self.assert_out(self.told(**how), 403, "did not work")

    def test_tokens_that_nobody_signed(self):
        key = self.provider.keys[0]
        modulus = key.modulus
        pem = base64.b64encode(modulus)
        wrong = {
            "none": {"header": {"alg": "none"}, "sign": lambda data: b""},
            "None with bytes": {"header": {"alg": "None"}},
            "HS256 with the public key": {"header": {"alg": "HS256"}, "sign": lambda data: hmac.new(modulus, data, "sha256").digest()},
            "HS256 with it as text": {"header": {"alg": "HS256"}, "sign": lambda data: hmac.new(pem, data, "sha256").digest()},
            "HS256 with the secret": {"header": {"alg": "HS256"}, "sign": lambda data: hmac.new(SECRET.encode(), data, "sha256").digest()},
            "RS512": {"header": {"alg": "RS512"}}, "ES256 with a key for RSA": {"header": {"alg": "ES256"}},
            "another key by this one's name": {"sign": self.provider.keys[1].sign},
            "a key of its own": {"key": self.provider.keys[1], "header": {"kid": key.kid, "jwk": self.provider.keys[1].public()}},
            "a key elsewhere": {"key": self.provider.keys[1], "header": {"kid": key.kid, "jku": f"{self.provider.issuer}/other"}},
            "nothing": {"sign": lambda data: b""}, "zeros": {"sign": lambda data: bytes(256)}, "short": {"sign": lambda data: key.sign(data)[1:]},
            "of other bytes": {"sign": lambda data: key.sign(data + b" ")},
            "an extension": {"header": {"crit": ["exp"]}}, "kid of a number": {"header": {"kid": 1}},
        }
        for name, how in wrong.items():
            with self.subTest(name):
                self.assert_out(self.told(**how), 403, "did not work")

    def test_tokens_that_are_none(self):
        for token in ("", "a.b.c", "a.b", "a.b.c.d.e", ".", "..", "ñ.ñ.ñ", "x" * 40000, None, 5, {"a": 1}, "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA",
                      base64url(b'{"alg":"RS256","alg":"none"}') + ".e30.AAAA", "W10.W10.AAAA"):
            with self.subTest(str(token)[:20]):
                browser, there = self.begun()
                code = self.provider.code("x")
                self.provider.codes[code] = token
                self.assert_out(self.answered(there, code, browser), 403, "did not work")

    def test_an_address_that_is_not_confirmed(self):
        for how in ({"email_verified": False}, {"email_verified": None}, {"email_verified": "false"}, {"email_verified": 1}, {"email_verified": [True]}):
            self.assert_out(self.told(sub="unknown", **how), 403)
        for email in ("mark@example.org\0", "mark@example.org ", "<mark@example.org>", "mark@example.org,eve@example.org", "MARK@EXAMPLE.ORG\r\n", ["mark@example.org"]):
            with self.subTest(str(email)):
                self.assert_out(self.told(sub="unknown", email=email), 403)

    def test_people_are_asked_for_apart_only_when_they_must_be(self):
        self.user("apart@example.org")
        people = self.provider.json({"sub": "apart", "email": "apart@example.org", "email_verified": True})
        self.provider.answers["/people"] = people
        self.assert_out(self.told(email=None, email_verified=None, sub="somebody else"), 403, "did not work")
        self.assert_in(self.told(email=None, email_verified=None, sub="apart"))
        asked = self.provider.asked.count("/people")
        self.assert_in(self.told(email=None, email_verified=None, sub="apart"))
        self.assertEqual(asked, self.provider.asked.count("/people"))

    def test_keys_change_and_nobody_makes_us_ask_for_each_token(self):
        self.assert_in(self.told())
        self.provider.published.append(self.provider.keys[1].public())
        self.assert_in(self.told(key=self.provider.keys[1]))
        asked = self.provider.asked.count("/keys")
        for i in range(12):
            self.assert_out(self.told(header={"kid": f"unknown {i}"}), 403, "did not work")
        self.assertLessEqual(self.provider.asked.count("/keys") - asked, 3)
        self.assert_in(self.told())  # what is known goes on

    def test_answers_that_are_none(self):
        def slow(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            for _ in range(40):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.5)

        def broken(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"id_token"')

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            while True:
                handler.wfile.write(b" " * 65536)

        def headers(handler):
            handler.send_response(200)
            for i in range(3000):
                handler.send_header(f"X-{i}", "y" * 100)
            handler.end_headers()

        large = json.dumps({"id_token": "x", "more": "y" * 1000000}).encode()
        deep = b'{"a":' * 100 + b"1" + b"}" * 100
        wrong = {"large": (200, {}, large), "deep": (200, {}, deep), "no JSON": (200, {}, b"<html>"), "empty": (200, {}, b""), "a list": (200, {}, b"[]"),
                 "null": (200, {}, b"null"), "not UTF-8": (200, {}, b'{"id_token":"\xff"}'), "an error": (500, {}, b"{}"), "refused": (401, {}, b'{"error":"invalid_client"}'),
                 "many": (200, {}, json.dumps({"a": list(range(100000))}).encode()), "elsewhere": (302, {"Location": f"{self.provider.issuer}/other"}, b""),
                 "kept elsewhere": (307, {"Location": f"{self.provider.issuer}/other"}, b""), "packed": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
                 "broken off": broken, "endless": endless, "headers": headers, "slow": slow}
        for name, answer in wrong.items():
            with self.subTest(name):
                self.provider.answers["/token"] = answer
                started = time.monotonic()
                browser = self.told()
                self.assertIn(browser.page.status, (403, 503))
                self.assert_out(browser, browser.page.status)
                self.assertLess(time.monotonic() - started, 12)
                self.assertNotIn("/other", self.provider.asked)
        self.provider.answers.clear()
        time.sleep(5.1)  # after the slow one it is left in peace
        self.assert_in(self.told())

    def test_who_waits_for_the_provider_holds_nobody_up(self):
        gate = self.falls_silent("/token", 8)
        begun = [self.begun() for _ in range(8)]
        threads = [threading.Thread(target=self.answered, args=(there, self.provider.code("x"), browser)) for browser, there in begun]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        started = time.monotonic()
        self.browser("mark@example.org", OWN)  # hashing a password is work for a worker, too
        self.assertLess(time.monotonic() - started, 5)
        gate.set()
        for thread in threads:
            thread.join()
        time.sleep(5.1)  # it was left in peace

    def test_errors_of_the_provider_are_not_repeated(self):
        browser, there = self.begun()
        browser.get(f"{BACK}?{urlencode({'error': '<b>x', 'error_description': 'call 555', 'state': question(there)['state']})}")
        self.assertNotIn("555", browser.page.source)
        self.assert_out(browser, 403, "did not work")


class Descriptions(LyingStory):
    """A provider whose description is wrong, at first."""

    def test_it_is_refused_until_it_is_right(self):
        issuer = self.provider.issuer
        where = "/.well-known/openid-configuration"
        right = self.provider.described()
        # What else may be wrong with it: tests/unit/openid_test.c.
        answers = {"another issuer": self.provider.json({**right, "issuer": issuer + "/"})}
        answers["elsewhere"] = (302, {"Location": f"{issuer}/other"}, b"")
        answers["large"] = (200, {}, b'{"a":"' + b"x" * 300000 + b'"}')
        browser = self.browser(None)
        for name, answer in answers.items():
            with self.subTest(name):
                self.provider.answers[where] = answer
                page = browser.send("GET", START, follow=False)
                self.assertIn(page.status, (403, 503), page.text)
                self.assertEqual([], flows(browser))
                asked = self.provider.asked.count(where)
                self.assertEqual(503, browser.send("GET", START, follow=False).status)  # it is left in peace for a while
                self.assertEqual(asked, self.provider.asked.count(where))
                time.sleep(5.1)
        self.assertNotIn("/other", self.provider.asked)
        self.provider.answers.clear()
        self.begun()
        # Then it is kept; and nothing of it is offered that is not there.
        asked = self.provider.asked.count(where)
        for _ in range(5):
            self.begun()
        self.assertEqual(asked, self.provider.asked.count(where))
        page = self.browser(None).get("/sign-in?left=1")
        self.assertNotIn("/sign-in/provider/leave", page.links)
        page = self.browser(None).send("GET", "/sign-in/provider/leave", follow=False)
        self.assertEqual("/sign-in", page.headers["Location"])


class PublicClient(LyingStory):
    environment = {}
    options = ("--proxy", "yes")

    @classmethod
    def setUpClass(cls):
        cls.provider = LyingProvider(keys())
        cls.provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post", "none"]}
        cls.begin(cls.provider.issuer)
        cls.user("mark@example.org")

    def test_without_a_secret_and_behind_a_proxy(self):
        browser = self.browser(None)
        headers = {"X-Forwarded-Host": "crm.example.org", "X-Forwarded-For": "192.0.2.9"}
        page = browser.send("GET", START, headers=headers, follow=False)
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if "provider-" in c)
        self.assertTrue(cookie.startswith("__Host-cronista-provider-"))
        self.assertIn("; Secure", cookie)
        asked = question(page.headers["Location"])
        self.assertEqual(f"https://crm.example.org{BACK}", asked["redirect_uri"])
        code = self.provider.code(asked["nonce"], email="mark@example.org", sub="mark")
        page = browser.send("GET", f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}", headers=headers, follow=False)
        self.assertEqual(303, page.status)
        self.assertIn("__Host-cronista", browser.cookies)
        form = self.provider.forms[-1]
        self.assertEqual(("", CLIENT, None), (form["authorization"], form.get("client_id"), form.get("client_secret")))


class Encrypted(ProviderStory):
    """By https: the certificate must be one that is trusted, and of the right machine."""

    NAMES, TRUSTED, GOOD = "IP:127.0.0.1", True, True

    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="cronista-certificate-"))
        certificate = LyingProvider.certificate(cls.place / "certificate.pem", cls.NAMES)
        secret = cls.place / "secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        cls.secret = secret
        cls.provider = LyingProvider(keys(), certificate)
        cls.environment = {}
        cls.options = ("--oidc-client-secret-file", str(secret), "--oidc-new-users", "yes", "--oidc-domains", "example.org", "--oidc-profile", "administrator",
                       *(("--oidc-authorities", str(certificate)) if cls.TRUSTED else ()))
        cls.begin(cls.provider.issuer)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.provider.stop()
        shutil.rmtree(cls.place)

    def test_signing_in(self):
        browser = self.browser(None)
        page = browser.send("GET", START, follow=False)
        if not self.GOOD:
            self.assertEqual(503, page.status)
            self.assertEqual([], self.provider.asked)  # nothing was said to it
            return
        asked = question(page.headers["Location"])
        code = self.provider.code(asked["nonce"], email="mark@example.org", sub="mark")
        browser.get(f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}")
        self.assert_in(browser)
        self.assertEqual((CLIENT, SECRET), client_of(self.provider.forms[-1]["authorization"]))

    def test_what_is_weak(self):
        def weak():
            return {item["key"] for item in self.api.want(200, "GET", "/api/settings/security")["items"]}
        self.assertNotIn("provider_plain", weak())
        self.assertIn("newcomers_administer", weak())
        self.assertNotIn("provider_secret_open", weak())
        self.secret.chmod(0o644)
        self.assertIn("provider_secret_open", weak())
        self.secret.chmod(0o600)


class NotTrusted(Encrypted):
    TRUSTED = GOOD = False


class OfAnother(Encrypted):
    NAMES, GOOD = "DNS:other.example,IP:127.0.0.2", False


class PostedSecret(LyingStory):
    @classmethod
    def setUpClass(cls):
        cls.provider = LyingProvider(keys())
        cls.provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        cls.begin(cls.provider.issuer)
        cls.user("mark@example.org")

    def test_it_is_sent_as_the_provider_takes_it(self):
        self.assert_in(self.told())
        form = self.provider.forms[-1]
        self.assertEqual(("", CLIENT, SECRET), (form["authorization"], form["client_id"], form["client_secret"]))

    def test_what_is_weak(self):
        found = {item["key"] for item in self.api.want(200, "GET", "/api/settings/security")["items"]}
        self.assertIn("provider_plain", found)
        self.assertFalse({"newcomers_administer", "newcomers_without_profile", "provider_secret_open"} & found)
        self.assertIn("asked unencrypted", self.browser().get("/settings/security").text)


class WithoutProvider(SecondStory):
    def test_there_is_nothing(self):
        self.assertNotIn(START, self.browser(None).get("/sign-in").source)
        for path in (START, BACK, "/sign-in/provider/leave"):
            self.assertEqual(404, self.browser(None).get(path).status, path)

    def test_settings_that_can_not_be(self):
        for arguments in (("--oidc-issuer", "http://login.example.org", "--oidc-client-id", "x"), ("--oidc-issuer", "https://login.example.org"),
                          ("--oidc-issuer", "login.example.org", "--oidc-client-id", "x"), ("--oidc-issuer", "https://login.example.org?x=1", "--oidc-client-id", "x"),
                          ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "x", "--oidc-profile", "king"),
                          ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "x", "--oidc-new-users", "yes"),
                          ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "x", "--oidc-new-users", "yes", "--oidc-domains", "*"),
                          ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "x", "--oidc-client-secret-file", "/nowhere"),
                          ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "x", "--oidc-client-secret", "seen by all")):
            code, printed = self.server.command("serve", "--listen", "127.0.0.1:0", *arguments, check=False, timeout=20)
            self.assertNotEqual(0, code, arguments)
            self.assertIn("oidc", printed)


@unittest.skipUnless(POSTGRES, "without PostgreSQL there is one node")
class LyingNodes(Nodes):
    """Nodes that share a provider, which lies."""

    @classmethod
    def setUpClass(cls):
        cls.provider = LyingProvider(keys())
        cls.arguments = (*TEST_LIMITS, "--oidc-issuer", cls.provider.issuer, "--oidc-client-id", CLIENT)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.provider.stop()


class TwoNodes(LyingNodes):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.apis[0].want(201, "POST", "/api/users", {"name": "Mark", "email": "mark@example.org", "profile": "member", "active": True, "password": OWN})

    def test_what_one_began_another_ends_once(self):
        here = {"Host": "crm.example.org"}
        browser = Browser(self.nodes[0].port)
        page = browser.send("GET", START, headers=here, follow=False)
        asked = question(page.headers["Location"])
        code = self.provider.code(asked["nonce"], email="mark@example.org", sub="mark")
        back = f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}"
        others = [Browser(self.nodes[i % 2].port) for i in range(6)]
        for other in others:
            other.cookies.update(browser.cookies)
        at_once([lambda b=b: b.send("GET", back, headers=here, follow=False) for b in others])
        self.assertEqual([303] + 5 * [403], sorted(b.page.status for b in others))


if __name__ == "__main__":
    unittest.main()
