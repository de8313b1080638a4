"""Signing in and out, sessions, keys, and forms that were not sent from here."""

import http.client
import re
import time
import unittest
from urllib.parse import urlencode

from harness import ADMINISTRATOR, PASSWORD, Browser, Server, Story, command

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class SigningIn(Story):
    def test_a_person_signs_in_and_out(self):
        browser = self.browser()
        self.assertEqual("/", browser.path)
        self.assertIn("Administrator", browser.page.text)
        browser.submit("/sign-out")
        self.assertEqual("/sign-in", browser.path)
        self.assertNotIn("cronista", browser.cookies)
        browser.get("/contacts")
        self.assertEqual("/sign-in?next=%2Fcontacts", browser.path)

    def test_the_cookie_is_for_this_site_alone(self):
        browser = Browser(self.server.port)
        browser.get("/sign-in")
        page = browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": PASSWORD}, follow=False)
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if c.startswith("cronista="))
        self.assertIn("; Path=/", cookie)
        self.assertIn("; HttpOnly", cookie)
        self.assertIn("; SameSite=Lax", cookie)
        self.assertNotIn("Secure", cookie)  # this server speaks without TLS

    def test_wrong_passwords_and_unknown_people_look_the_same(self):
        answers = []
        for email in (ADMINISTRATOR, "nobody@example.org"):
            browser = Browser(self.server.port)
            browser.get("/sign-in")
            page = browser.submit("/sign-in", {"email": email, "password": "not the password"})
            self.assertEqual(403, page.status)
            self.assertNotIn("cronista", browser.cookies)
            answers.append(page.text.replace(email, ""))
        self.assertEqual(*answers)

    def test_unknown_people_take_as_long_as_known_ones(self):
        def seconds(email):
            times = []
            for _ in range(5):
                browser = Browser(self.server.port)
                browser.get("/sign-in")
                start = time.monotonic()
                browser.submit("/sign-in", {"email": email, "password": "not the password"})
                times.append(time.monotonic() - start)
            return min(times)

        seconds("warm@example.org")
        known, unknown = seconds(ADMINISTRATOR), seconds("nobody@example.org")
        self.assertGreater(unknown, known / 3)
        self.assertLess(unknown, known * 3)

    def test_signing_in_is_in_the_log_and_so_is_failing(self):
        self.browser()
        browser = Browser(self.server.port)
        browser.get("/sign-in")
        browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": "not the password"})
        time.sleep(0.3)  # a failure is noted without anybody waiting for it
        items = self.api.want(200, "GET", "/api/history?module=users&limit=50")["items"]
        kinds = [item["kind"] for item in items]
        self.assertIn("signed_in", kinds)
        self.assertIn("sign_in_failed", kinds)
        self.assertNotIn("not the password", str(items))

    def test_the_way_back_leads_only_to_this_site(self):
        for wanted, goes in (("/contacts", "/contacts"), ("//evil.example/x", "/"), ("https://evil.example/", "/"),
                             ("/\\evil.example", "/"), ("", "/")):
            browser = Browser(self.server.port)
            browser.get("/sign-in")
            page = browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": PASSWORD, "next": wanted}, follow=False)
            self.assertEqual((303, goes), (page.status, page.headers["Location"]), wanted)

    def test_each_sign_in_has_a_new_token_and_ends_the_old_one(self):
        browser = self.browser()
        first = browser.cookies["cronista"]
        browser.cookies_before = dict(browser.cookies)
        page = browser.send("GET", "/sign-in")  # signed in already: goes home
        self.assertEqual("/", browser.path)
        again = Browser(self.server.port)
        again.get("/sign-in")
        again.cookies["cronista"] = first
        csrf = again.csrf if "csrf" in again.page.source else ""
        page = again.send("POST", "/sign-in", urlencode({"email": ADMINISTRATOR, "password": PASSWORD, "csrf": browser.csrf}), FORM,
                          follow=False)
        self.assertEqual(303, page.status, csrf)
        self.assertNotEqual(first, again.cookies["cronista"])
        self.assertEqual("/sign-in", self.lands(first))
        self.assertEqual("/", self.lands(again.cookies["cronista"]))

    def lands(self, token):
        browser = Browser(self.server.port)
        browser.cookies["cronista"] = token
        browser.get("/")
        return browser.path

    def test_the_token_itself_is_not_in_the_database(self):
        token = self.browser().cookies["cronista"]
        stored = b"".join(path.read_bytes() for path in self.server.data.glob("cronista.db*"))
        self.assertNotIn(token.encode(), stored)
        self.assertNotIn(self.key.encode(), stored)

    def test_somebody_deactivated_is_out_at_once(self):
        user, api = self.user("leaver@example.org")
        browser = self.browser("leaver@example.org", "another test password")
        self.assertEqual(200, browser.get("/contacts").status)
        api.want(200, "GET", "/api/contacts")
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        browser.get("/contacts")
        self.assertTrue(browser.path.startswith("/sign-in"))
        api.want(401, "GET", "/api/contacts")
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": True})

    def test_users_are_not_deleted_but_deactivated(self):
        user, api = self.user("staying@example.org")
        self.api.want(400, "DELETE", f"/api/users/{user}")
        api.want(200, "GET", "/api/contacts")

    def test_a_new_password_ends_the_other_sessions(self):
        self.user("careful@example.org")
        here = self.browser("careful@example.org", "another test password")
        there = self.browser("careful@example.org", "another test password")
        here.get("/settings")
        page = here.submit("/settings/password", {"password": "wrong one entirely", "new_password": "a better password"})
        self.assertEqual(422, page.status)
        page = here.submit("/settings/password", {"password": "another test password", "new_password": "short"})
        self.assertEqual(422, page.status)
        page = here.submit("/settings/password", {"password": "another test password", "new_password": "a better password"})
        self.assertEqual((200, "/settings"), (page.status, here.path))
        there.get("/contacts")
        self.assertTrue(there.path.startswith("/sign-in"))
        self.assertEqual(200, here.get("/contacts").status)
        self.browser("careful@example.org", "a better password")

    def test_an_administrator_gives_a_new_password(self):
        user, _ = self.user("forgetful@example.org")
        browser = self.browser()
        browser.get(f"/users/{user}/password")
        self.assertEqual(422, browser.submit(f"/users/{user}/password", {"password": "short"}).status)
        self.assertEqual(200, browser.submit(f"/users/{user}/password", {"password": "remember this one"}).status)
        self.browser("forgetful@example.org", "remember this one")

    def test_keys_are_shown_once_and_end_when_revoked(self):
        self.user("program@example.org")
        browser = self.browser("program@example.org", "another test password")
        browser.get("/settings")
        page = browser.submit("/settings/keys", {"name": "Nightly", "scope": "administer"})
        secret = re.search(r"crn_[A-Za-z0-9_-]{43}", page.source).group(0)
        self.server.api(secret).want(200, "GET", "/api/contacts")
        page = browser.get("/settings")
        self.assertNotIn(secret, page.source)
        action = next(f.action for f in page.forms if f.action.endswith("/revoke") and secret not in f.action)
        listed = self.server.api(secret).want(200, "GET", "/api/settings")["keys"]
        mine = next(key for key in listed if key["name"] == "Nightly")
        browser.submit(f"/settings/keys/{mine['key']}/revoke")
        self.server.api(secret).want(401, "GET", "/api/contacts")
        self.assertIn("/settings/keys/", action)

    def test_sessions_are_listed_and_can_be_ended(self):
        self.user("twice@example.org")
        here = self.browser("twice@example.org", "another test password")
        there = self.browser("twice@example.org", "another test password")
        page = here.get("/settings")
        ends = [f.action for f in page.forms if f.action.endswith("/end") and f.action != "/settings/sessions/end"]
        self.assertEqual(1, len(ends))
        here.submit(ends[0])
        there.get("/")
        self.assertEqual("/sign-in", there.path)

    def test_language_of_the_page(self):
        for language, word in (("es", "Entrar"), ("en", "Sign in"), ("pl", "Zaloguj"), ("ro", "Autentificare")):
            browser = Browser(self.server.port, language)
            page = browser.get("/sign-in")
            self.assertEqual(language, page.headers["Content-Language"])
            self.assertIn(f'lang="{language}"', page.source)
        browser = Browser(self.server.port, "de-DE,de;q=0.9")
        self.assertEqual("es", browser.get("/sign-in").headers["Content-Language"])
        self.assertEqual("pl", browser.get("/sign-in?lang=pl").headers["Content-Language"])
        self.assertEqual("pl", browser.get("/sign-in").headers["Content-Language"])  # remembered by a cookie

    def test_language_chosen_before_signing_in_is_kept(self):
        self.user("own@example.org", language="ro")
        self.user("none@example.org")
        for email, password, after in (("none@example.org", "another test password", "pl"),
                                       (ADMINISTRATOR, PASSWORD, "pl"),  # the first one has none of their own either
                                       ("own@example.org", "another test password", "ro")):
            browser = Browser(self.server.port, "en")
            browser.get("/sign-in?lang=pl")
            browser.submit("/sign-in", {"email": email, "password": "wrong"})
            self.assertIn('lang="pl"', browser.page.source)
            browser.submit("/sign-in", {"email": email, "password": password})
            browser.get("/contacts")
            self.assertEqual((email, "/contacts"), (email, browser.path))
            self.assertEqual((email, after), (email, browser.page.headers["Content-Language"]))


class Forms(Story):
    """Nobody else's page may make a signed-in browser do something."""

    def setUp(self):
        self.visitor = self.browser()
        self.visitor.get("/contacts/new")
        self.token = self.visitor.csrf

    def post(self, values, headers=None):
        return self.visitor.send("POST", "/contacts", urlencode(values), {**FORM, **(headers or {})}, follow=False).status

    def test_without_the_token_nothing_is_done(self):
        before = self.api.want(200, "GET", "/api/contacts?count=1")["count"]
        self.assertEqual(403, self.post({"name": "Smuggled"}))
        self.assertEqual(403, self.post({"name": "Smuggled", "csrf": "x" * 43}))
        self.assertEqual(before, self.api.want(200, "GET", "/api/contacts?count=1")["count"])
        self.assertEqual(303, self.post({"name": "Wanted", "csrf": self.token}))

    def test_the_token_may_come_in_a_header(self):
        self.assertEqual(303, self.post({"name": "Script"}, {"Cronista-Csrf": self.token}))

    def test_another_persons_token_is_no_token(self):
        self.user("other@example.org")
        other = self.browser("other@example.org", "another test password")
        other.get("/contacts/new")
        self.assertEqual(403, self.post({"name": "Smuggled", "csrf": other.csrf}))

    def test_the_browser_says_where_a_form_comes_from(self):
        values = {"name": "From elsewhere", "csrf": self.token}
        self.assertEqual(403, self.post(values, {"Sec-Fetch-Site": "cross-site"}))
        self.assertEqual(403, self.post(values, {"Sec-Fetch-Site": "same-site"}))
        self.assertEqual(403, self.post(values, {"Origin": "https://evil.example"}))
        self.assertEqual(403, self.post(values, {"Origin": "null"}))
        self.assertEqual(303, self.post(values, {"Sec-Fetch-Site": "same-origin"}))
        self.assertEqual(303, self.post(values, {"Origin": f"http://127.0.0.1:{self.server.port}"}))

    def test_the_api_with_a_cookie_needs_the_token_too(self):
        headers = {"Content-Type": "application/json"}
        self.assertEqual(403, self.visitor.send("POST", "/api/contacts", '{"name": "x"}', headers).status)
        headers["Cronista-Csrf"] = self.token
        self.assertEqual(201, self.visitor.send("POST", "/api/contacts", '{"name": "x"}', headers).status)

    def test_signing_in_needs_it_as_well(self):
        browser = Browser(self.server.port)
        page = browser.send("POST", "/sign-in", urlencode({"email": ADMINISTRATOR, "password": PASSWORD}), FORM)
        self.assertEqual(403, page.status)
        self.assertNotIn("cronista", browser.cookies)


class Headers(Story):
    def test_pages_and_answers_say_what_browsers_may_do(self):
        page = self.browser().page
        policy = page.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                     "form-action 'self'"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
                            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
                            ("Cache-Control", "no-store")):
            self.assertEqual(value, page.headers[name])
        self.assertIn("camera=()", page.headers["Permissions-Policy"])
        _, headers, _ = self.api.request("GET", "/api/contacts")
        self.assertEqual("nosniff", headers["X-Content-Type-Options"])

    def test_static_files_are_kept_for_a_year_and_compressed(self):
        source = self.browser().page.source
        for name in ("app.css", "app.js", "favicon.svg"):
            path = re.search(rf"/static/[0-9a-f]{{16}}/{re.escape(name)}", source).group(0)
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
            connection.request("GET", path, headers={"Accept-Encoding": "gzip, br"})
            answer = connection.getresponse()
            body = answer.read()
            self.assertEqual(200, answer.status)
            self.assertEqual("public, max-age=31536000, immutable", answer.headers["Cache-Control"])
            if answer.headers["Content-Encoding"] == "gzip":
                self.assertEqual(b"\x1f\x8b", body[:2])
            connection.request("GET", path)
            plain = connection.getresponse()
            self.assertIsNone(plain.headers["Content-Encoding"])
            self.assertGreaterEqual(len(plain.read()), len(body))
        self.assertEqual(404, Browser(self.server.port).get("/static/0000000000000000/app.css").status)
        self.assertEqual(200, Browser(self.server.port).get("/favicon.ico").status)
        self.assertEqual(200, Browser(self.server.port).get("/manifest.webmanifest").status)


class BehindAProxy(Story):
    arguments = ("--proxy", "yes", "--attempts", "3", "--account-attempts", "1000")

    def test_cookies_are_secure_and_browsers_are_told_to_stay(self):
        browser = Browser(self.server.port)
        page = browser.get("/sign-in")
        self.assertIn("max-age=", page.headers["Strict-Transport-Security"])
        page = browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": PASSWORD}, follow=False,
                              headers={"X-Forwarded-For": "203.0.113.9"})
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if "cronista=" in c)
        self.assertTrue(cookie.startswith("__Host-cronista="))
        self.assertIn("; Secure", cookie)

    def test_addresses_are_those_that_the_proxy_saw(self):
        def attempt(forwarded):
            browser = Browser(self.server.port)
            browser.get("/sign-in")
            return browser.submit("/sign-in", {"email": "x@example.org", "password": "wrong"},
                                  headers={"X-Forwarded-For": forwarded}).status

        self.assertEqual([403, 403, 403, 429], [attempt("198.51.100.7") for _ in range(4)])
        self.assertEqual(429, attempt("1.2.3.4, 198.51.100.7"))  # what a client claims stands further left
        self.assertEqual(403, attempt("198.51.100.8"))
        self.assertEqual([403, 403, 403, 429], [attempt(f"2001:db8:1:1::{i}") for i in range(4)])  # one network of 64 bits

    def test_counters_are_not_for_everybody_behind_a_proxy(self):
        self.assertEqual(403, Browser(self.server.port).get("/metrics").status)
        status, _, text = self.api.request("GET", "/metrics")
        self.assertEqual(200, status)
        self.assertIn("cronista_requests_total", text)


class TooManyAttempts(Story):
    arguments = ("--attempts", "4", "--account-attempts", "1000")

    def test_an_address_waits_and_nobody_else_does(self):
        inside = self.browser()
        statuses = []
        for _ in range(6):
            browser = Browser(self.server.port)
            browser.get("/sign-in")
            page = browser.submit("/sign-in", {"email": ADMINISTRATOR, "password": "wrong"})
            statuses.append(page.status)
        self.assertIn(403, statuses)
        self.assertEqual(429, statuses[-1])
        self.assertGreater(int(page.headers["Retry-After"]), 0)
        self.assertEqual(200, inside.get("/contacts").status)
        self.api.want(200, "GET", "/api/contacts")


class FirstStart(unittest.TestCase):
    def test_a_password_is_made_and_printed_once(self):
        import shutil
        import tempfile
        folder = tempfile.mkdtemp(prefix="cronista-")
        try:
            server = Server(f"{folder}/data", (), {"CRONISTA_ADMIN_EMAIL": "boss@example.org", "CRONISTA_ADMIN_PASSWORD": ""}).start()
            log = server.log.read_text()
            password = re.search(r"Sign in as boss@example\.org with the password (\S+)", log).group(1)
            Browser(server.port).sign_in("boss@example.org", password)
            self.assertEqual(0, server.stop())
            server.start()
            self.assertEqual(1, server.log.read_text().count("with the password"))
            self.assertEqual(0, server.stop())
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def test_settings_that_make_no_sense_are_named(self):
        for arguments, word in ((("--threads", "0"), "threads"), (("--zone", "Nowhere/Land"), "zone"),
                                (("--language", "xx"), "language"), (("--listen", "here"), "listen"),
                                (("--proxy", "maybe"), "proxy"), (("--nonsense", "1"), "--nonsense")):
            code, printed = command("serve", "--data", "/nonexistent/data", *arguments, check=False)
            self.assertNotEqual(0, code)
            if word != "listen" and word != "language":  # those are looked at once the data is open
                self.assertIn(word, printed)


if __name__ == "__main__":
    unittest.main()
