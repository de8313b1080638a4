"""Signing in by the word of an OpenID provider: one that is slow, many that come, and who is made a user."""

import threading
import time
import unittest

from oidc_test import LyingStory, question


class Slow(LyingStory):
    """A provider that takes a code and says nothing."""

    def test_it_holds_up_neither_those_who_begin_nor_those_after(self):
        self.assert_in(self.told())
        gate = threading.Event()

        def later(handler):
            gate.wait(20)
            handler.send_response(503)
            handler.end_headers()

        self.provider.answers["/token"] = later
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
