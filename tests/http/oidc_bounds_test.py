"""Signing in by the word of an OpenID provider: one that is slow, many that come, and who is made a user."""

import threading
import time
import unittest

from oidc_test import LyingStory, flows, question


class Slow(LyingStory):
    """A provider that takes a code and says nothing."""

    def test_it_holds_up_neither_those_who_begin_nor_those_after(self):
        self.assert_in(self.told())
        gate = self.falls_silent("/token", 20)
        begun = [self.begun() for _ in range(60)]
        statuses = []

        def come(browser, there):
            started = time.monotonic()
            self.answered(there, "x", browser)
            statuses.append((browser.page.status, time.monotonic() - started))

        threads = [threading.Thread(target=come, args=(browser, there)) for browser, there in begun]
        for thread in threads:
            thread.start()
        time.sleep(1)
        started = time.monotonic()
        self.begun()
        page = self.browser(None).send("GET", "/sign-in/provider/leave", follow=False)
        self.assertEqual(303, page.status)
        self.assertLess(time.monotonic() - started, 3)
        for thread in threads:
            thread.join()
        self.assertEqual({503}, {status for status, _ in statuses})
        self.assertLess(max(took for _, took in statuses), 14)
        self.assertLessEqual(self.provider.asked.count("/token"), 1 + 4)  # who began to wait first, and nobody after
        # While it is left in peace nobody's answer is used up.
        browser, there = self.begun()
        cookies = dict(browser.cookies)
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        self.assert_out(self.answered(there, code, browser), 503, "does not answer")
        gate.set()
        self.provider.answers.clear()
        time.sleep(5.1)
        again = self.browser(None)
        again.cookies.update(cookies)
        self.assert_in(self.answered(there, code, again))


    def test_who_tells_of_people_is_left_in_peace_before_a_code_is_used_up(self):
        self.user("asked@example.org")
        person = {"email": None, "email_verified": None, "sub": "asked"}
        gate = self.falls_silent("/people", 4)
        self.assert_out(self.told(**person), 503, "does not answer")
        gate.set()
        self.provider.answers["/people"] = self.provider.json({"sub": "asked", "email": "asked@example.org", "email_verified": True})
        forms = len(self.provider.forms)
        browser, there = self.begun()
        code = self.provider.code(question(there)["nonce"], **person)
        self.assert_out(self.answered(there, code, browser), 503, "does not answer")
        self.assertEqual(forms, len(self.provider.forms))
        time.sleep(5.1)
        self.assert_in(self.answered(there, code, browser))


class Away(LyingStory):
    """A provider that does not answer for a moment: who has come back does so once more."""

    def test_1_what_was_begun_goes_on_when_there_are_keys_again(self):
        browser, there = self.begun()
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        self.provider.answers["/keys"] = (503, {}, b"")
        self.assert_out(self.answered(there, code, browser), 503, "does not answer")
        self.assertEqual(1, len(flows(browser)))
        self.assertNotIn("/token", self.provider.asked)  # the code is still good
        self.provider.answers.clear()
        self.assert_in(self.answered(there, code, browser))
        self.assertEqual([], flows(browser))

    def test_what_was_begun_goes_on_when_it_gives_tokens_again(self):
        for answer in ((503, {}, b""), (429, {}, b"{}"), lambda handler: handler.connection.close()):
            browser, there = self.begun()
            code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
            for _ in range(2):
                self.provider.answers["/token"] = answer
                self.assert_out(self.answered(there, code, browser), 503, "does not answer")
            self.assertEqual(1, len(flows(browser)))
            self.provider.answers.clear()
            self.assert_in(self.answered(there, code, browser))

    def test_a_code_that_is_used_up_is_not_brought_again(self):
        self.provider.answers["/people"] = (503, {}, b"")
        browser, there = self.begun()
        code = self.provider.code(question(there)["nonce"], sub="somebody new")
        self.assert_out(self.answered(there, code, browser), 503, "does not answer")
        self.assertEqual([], flows(browser))
        forms = len(self.provider.forms)
        self.assert_out(self.answered(there, code, browser), 403, "begun in another browser")
        self.assertEqual(forms, len(self.provider.forms))

    def test_people_it_does_not_tell_of_are_not_let_in_and_hear_of_it(self):
        user, _ = self.user("untold@example.org")
        untold = {"email": "untold@example.org", "email_verified": None, "sub": "untold"}
        for i, answer in enumerate(((401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, b""), self.provider.json({"error": "insufficient_scope"}, 403),
                                    self.provider.json({"sub": "untold", "email": "untold@example.org", "email_verified": True}, 404),
                                    self.provider.json({"sub": "another"}))):
            self.provider.answers["/people"] = answer
            browser = self.told(**untold)
            self.assert_out(browser, 403, "did not work")
            self.assertEqual([], flows(browser))
            time.sleep(0.3)
            self.assertEqual(i + 1, self.kinds(user).count("sign_in_failed"))
        event = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]
        self.assertEqual("identity", event["wrong"])
        self.assertIn("does not tell of people (403 insufficient_scope)", self.server.log_tail())
        # Nobody hears of an address that merely looks like theirs, nor of an endpoint that is away.
        self.assert_out(self.told(email="\u1d58ntold@example.org", email_verified=None, sub="untold"), 403)
        self.provider.answers["/people"] = (503, {}, b"")
        self.assert_out(self.told(**untold), 503)
        time.sleep(0.3)
        self.assertEqual(4, self.kinds(user).count("sign_in_failed"))


class Limits(LyingStory):
    options = ("--attempts", "2")

    def test_a_flood_from_an_address_is_held_back(self):
        statuses = []
        for i in range(9):
            browser, there = self.begun()
            self.answered(there, "no code", browser)
            statuses.append(browser.page.status)
        self.assertEqual({403, 429}, set(statuses))
        self.assertEqual(429, statuses[-1])
        browser, there = self.begun()
        code = self.provider.code(question(there)["nonce"], email="mark@example.org", sub="mark")
        self.assert_out(self.answered(there, code, browser), 429)
        time.sleep(2.2)
        self.assert_in(self.answered(there, code, browser))  # who is told to wait has lost nothing
        for _ in range(3):  # right ones are not counted
            time.sleep(2.2)
            self.assert_in(self.told())


class NoProfile(LyingStory):
    options = ("--oidc-new-users", "yes", "--oidc-domains", "example.org", "--oidc-profile", "p77")

    def test_a_profile_that_is_not_there_is_told(self):
        self.assert_out(self.told("new@example.org", "new"), 403, "no user here")
        found = {item["key"] for item in self.api.want(200, "GET", "/api/settings/security")["items"]}
        self.assertIn("newcomers_without_profile", found)
        self.assertIn("the profile for that is not there", self.browser().get("/settings/security").text)


if __name__ == "__main__":
    unittest.main()
