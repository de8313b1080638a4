"""Signing in beyond the password: second factors, what they ask for, and what they refuse."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from harness import ADMINISTRATOR, PASSWORD, Api, Browser, Story, at_once, command, free_port
from support import POSTGRES, PROGRAM, Stream, environment_of, psql

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWN = "another test password"
HERE = "/settings/second-factor"


def totp(secret, step):
    """RFC 6238, written once more."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


class Clock:
    """The steps of one secret: each is good once, so the tests go forward through what is good at a time, and wait when they must."""

    def __init__(self, secret):
        self.secret, self.last = secret, 0

    def code(self):
        while True:
            now = int(time.time()) // 30
            step = max(self.last + 1, now - 1)
            if step <= now + 1:
                self.last = step
                return totp(self.secret, step)
            time.sleep(0.5)

    def spent(self):
        return totp(self.secret, self.last)

    def wrong(self):
        now = int(time.time()) // 30
        good = {totp(self.secret, step) for step in range(now - 3, now + 4)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666") if code not in good)


class SecondStory(Story):
    def enrol(self, email, password=OWN):
        """A browser whose user has a second factor from now on, its clock, and the recovery codes."""
        browser = self.browser(email, password)
        browser.get(HERE)
        page = browser.submit(HERE, {"password": password})
        assert page.status == 200, page.text
        clock = Clock(parse_qs(urlsplit(next(l for l in page.links if l.startswith("otpauth:"))).query)["secret"][0])
        page = browser.submit(f"{HERE}/confirm", {"code": clock.code()})
        assert page.status == 200, page.text
        return browser, clock, re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", page.source)

    def first_step(self, email, password=OWN, next_path=None):
        browser = Browser(self.server.port)
        browser.get("/sign-in")
        browser.submit("/sign-in", {"email": email, "password": password, **({"next": next_path} if next_path else {})})
        return browser

    def sql(self, text):
        if POSTGRES:
            psql(self.server.data, text)
            return
        database = sqlite3.connect(self.server.data / "cronista.db", timeout=20)
        with database:
            database.execute(text)
        database.close()

    def kinds(self, user):
        items = self.api.want(200, "GET", f"/api/users/{user}/history?limit=200")["items"]
        return [item["kind"] for item in items]


class SecondFactor(SecondStory):
    def test_it_is_set_up_and_asked_for(self):
        user, _ = self.user("two@example.org")
        browser, clock, codes = self.enrol("two@example.org")
        self.assertEqual(10, len(set(codes)))
        self.assertIn("svg", browser.page.source)
        there = self.first_step("two@example.org", next_path="/contacts")
        self.assertEqual("/sign-in/second?next=%2Fcontacts", there.path)
        self.assertNotIn("cronista", there.cookies)
        there.get("/contacts")
        self.assertEqual("/sign-in?next=%2Fcontacts", there.path)  # the password alone lets nobody in
        there.get("/sign-in/second?next=%2Fcontacts")
        self.assertEqual(403, there.submit("/sign-in/second", {"code": clock.wrong()}).status)
        page = there.submit("/sign-in/second", {"code": clock.code()})
        self.assertEqual((200, "/contacts"), (page.status, there.path))
        self.assertNotIn("cronista-step", there.cookies)
        time.sleep(0.3)  # a failure is noted without anybody waiting for it
        kinds = self.kinds(user)
        for kind in ("second_factor_on", "signed_in", "sign_in_failed"):
            self.assertIn(kind, kinds)
        everything = str(self.api.want(200, "GET", f"/api/users/{user}/history?limit=200"))
        for secret in (clock.secret, *codes):
            self.assertNotIn(secret, everything)
        page = self.browser().get(f"/users/{user}")
        self.assertIn("set up a second factor", page.text)
        self.assertIn("with a wrong code", page.text)

    def test_a_code_is_good_once(self):
        self.user("once@example.org")
        _, clock, _ = self.enrol("once@example.org")
        first, second = self.first_step("once@example.org"), self.first_step("once@example.org")
        self.assertEqual(403, first.submit("/sign-in/second", {"code": clock.spent()}).status)  # the one that confirmed it
        code = clock.code()
        self.assertEqual(200, first.submit("/sign-in/second", {"code": code}).status)
        self.assertEqual(403, second.submit("/sign-in/second", {"code": code}).status)
        self.assertNotIn("cronista", second.cookies)
        # Nor is one of before that: what comes later ends what came earlier.
        self.assertEqual(403, second.submit("/sign-in/second", {"code": totp(clock.secret, clock.last - 1)}).status)

    def test_of_two_at_once_one_gets_in(self):
        self.user("race@example.org")
        _, clock, codes = self.enrol("race@example.org")
        for code in (clock.code(), codes[0]):
            browsers = [self.first_step("race@example.org") for _ in range(6)]
            pages = at_once([lambda b=b: b.submit("/sign-in/second", {"code": code}) for b in browsers])
            self.assertEqual(1, sum(page.status == 200 and b.path == "/" for page, b in zip(pages, browsers)), code)

    def test_a_recovery_code_is_good_once(self):
        user, _ = self.user("lost@example.org")
        _, _, codes = self.enrol("lost@example.org")
        there = self.first_step("lost@example.org")
        there.submit("/sign-in/second", {"code": codes[3].upper().replace("-", " ")})  # however it is typed
        self.assertEqual("/", there.path)
        self.assertEqual(9, there.send("GET", "/api/settings/second-factor").json["recovery_codes_left"])
        again = self.first_step("lost@example.org")
        self.assertEqual(403, again.submit("/sign-in/second", {"code": codes[3]}).status)
        again.get("/sign-in/second")
        again.submit("/sign-in/second", {"code": codes[4]})
        self.assertEqual("/", again.path)
        self.assertEqual(2, self.kinds(user).count("recovery_code_used"))

    def test_somebody_elses_recovery_code_is_none(self):
        self.user("mine@example.org")
        self.user("theirs@example.org")
        self.enrol("mine@example.org")
        _, _, codes = self.enrol("theirs@example.org")
        there = self.first_step("mine@example.org")
        self.assertEqual(403, there.submit("/sign-in/second", {"code": codes[0]}).status)

    def test_new_recovery_codes_end_the_old_ones(self):
        self.user("renew@example.org")
        browser, clock, old = self.enrol("renew@example.org")
        browser.get(HERE)
        self.assertEqual(422, browser.submit(f"{HERE}/codes", {"password": "wrong one entirely", "code": clock.code()}).status)
        self.assertEqual(422, browser.submit(f"{HERE}/codes", {"password": OWN, "code": clock.wrong()}).status)
        page = browser.submit(f"{HERE}/codes", {"password": OWN, "code": clock.code()})
        new = re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", page.source)
        self.assertEqual(10, len(set(new) - set(old)))
        there = self.first_step("renew@example.org")
        self.assertEqual(403, there.submit("/sign-in/second", {"code": old[0]}).status)
        there.submit("/sign-in/second", {"code": new[0]})
        self.assertEqual("/", there.path)

    def test_it_needs_the_password_to_begin_and_the_code_to_end(self):
        user, _ = self.user("careful@example.org")
        browser = self.browser("careful@example.org", OWN)
        browser.get(HERE)
        self.assertEqual(422, browser.submit(HERE, {"password": "wrong one entirely"}).status)
        browser, clock, codes = self.enrol("careful@example.org")
        browser.get(HERE)
        off = {"csrf": browser.csrf, "password": OWN, "code": clock.wrong()}
        self.assertEqual(422, browser.send("POST", f"{HERE}/end", urlencode(off), FORM).status)
        off.update(password="wrong one entirely", code=codes[0])
        self.assertEqual(422, browser.send("POST", f"{HERE}/end", urlencode(off), FORM).status)
        off.update(password=OWN)
        page = browser.send("POST", f"{HERE}/end", urlencode(off), FORM)
        self.assertEqual((200, HERE), (page.status, browser.path))
        self.assertIn("second_factor_off", self.kinds(user))
        self.assertEqual("/", self.first_step("careful@example.org").path)

    def test_what_is_set_up_stays_and_what_is_not_confirmed_is_not_asked_for(self):
        self.user("half@example.org")
        browser = self.browser("half@example.org", OWN)
        browser.get(HERE)
        browser.submit(HERE, {"password": OWN})
        self.assertEqual(422, browser.submit(f"{HERE}/confirm", {"code": "000000"}).status)
        self.assertIn("otpauth:", browser.page.source)  # the same secret, for another try
        self.assertEqual("/", self.first_step("half@example.org").path)
        whole, clock, _ = self.enrol("half@example.org")
        self.assertEqual(409, whole.send("POST", HERE, urlencode({"csrf": whole.csrf, "password": OWN}), FORM).status)
        self.assertEqual(409, whole.send("POST", f"{HERE}/confirm", urlencode({"csrf": whole.csrf, "code": clock.code()}), FORM).status)

    def test_confirming_gives_another_session_and_ends_the_others(self):
        self.user("fixed@example.org")
        other = self.browser("fixed@example.org", OWN)
        browser = self.browser("fixed@example.org", OWN)
        before, csrf = browser.cookies["cronista"], browser.csrf
        browser.get(HERE)
        page = browser.submit(HERE, {"password": OWN})
        clock = Clock(parse_qs(urlsplit(next(l for l in page.links if l.startswith("otpauth:"))).query)["secret"][0])
        page = browser.submit(f"{HERE}/confirm", {"code": clock.code()})
        self.assertNotEqual(before, browser.cookies["cronista"])
        self.assertNotEqual(csrf, browser.csrf)
        self.assertEqual(200, browser.get("/contacts").status)
        for token in (before, other.cookies["cronista"]):
            thief = Browser(self.server.port)
            thief.cookies["cronista"] = token
            thief.get("/")
            self.assertEqual("/sign-in", thief.path)

    def test_the_second_step_gives_another_token_than_the_first(self):
        self.user("step@example.org")
        _, clock, _ = self.enrol("step@example.org")
        browser = self.first_step("step@example.org")
        step = browser.cookies["cronista-step"]
        page = browser.submit("/sign-in/second", {"code": clock.code()}, follow=False)
        cookie = next(c for c in page.headers.get_all("Set-Cookie") if c.startswith("cronista="))
        self.assertIn("HttpOnly", cookie)
        self.assertNotIn(step, cookie)
        again = Browser(self.server.port)
        again.cookies["cronista-step"] = step
        again.get("/sign-in/second")
        self.assertEqual("/sign-in", again.path)  # that step is over
        planted = Browser(self.server.port)
        planted.cookies["cronista"] = step
        planted.get("/")
        self.assertEqual("/sign-in", planted.path)

    def test_the_way_on_leads_only_to_this_site(self):
        self.user("way@example.org")
        _, clock, codes = self.enrol("way@example.org")
        for code, wanted in zip(codes, ("//evil.example", "/\\evil.example", "https://evil.example", "\\\\evil.example")):
            browser = self.first_step("way@example.org")
            page = browser.submit("/sign-in/second", {"code": code, "next": wanted}, follow=False)
            self.assertEqual((303, "/"), (page.status, page.headers["Location"]), wanted)

    def test_forms_need_their_token(self):
        user, _ = self.user("forms@example.org")
        browser, clock, codes = self.enrol("forms@example.org")
        for path in (HERE, f"{HERE}/confirm", f"{HERE}/codes", f"{HERE}/end"):
            body = urlencode({"password": OWN, "code": codes[0]})
            self.assertEqual(403, browser.send("POST", path, body, FORM).status, path)
        waiting = self.first_step("forms@example.org")
        self.assertEqual(403, waiting.send("POST", "/sign-in/second", urlencode({"code": clock.code()}), FORM).status)
        self.assertNotIn("cronista", waiting.cookies)
        administrator = self.browser()
        for path in (f"/users/{user}/second-factor/end", "/settings/sign-in"):
            self.assertEqual(403, administrator.send("POST", path, urlencode({"confirmed": "1", "everybody": "1"}), FORM).status, path)
        self.assertTrue(browser.send("GET", "/api/settings/second-factor").json["on"])

    def test_administrators_take_it_away_and_nobody_else_does(self):
        user, member = self.user("phone@example.org")
        _, other = self.user("curious@example.org")
        browser, _, _ = self.enrol("phone@example.org")
        self.assertEqual(403, other.request("DELETE", f"/api/users/{user}/second-factor")[0])
        self.assertEqual(403, member.request("DELETE", f"/api/users/{user}/second-factor")[0])
        administrator = self.browser()
        administrator.get(f"/users/{user}")
        self.assertIn(f"/users/{user}/second-factor/end", administrator.page.links)
        administrator.get(f"/users/{user}/second-factor/end")
        self.assertEqual(200, administrator.submit(f"/users/{user}/second-factor/end").status)
        browser.get("/")
        self.assertEqual("/sign-in", browser.path)  # their sessions are over
        self.assertEqual("/", self.first_step("phone@example.org").path)
        self.assertIn("second_factor_reset", self.kinds(user))
        self.assertEqual(404, self.api.request("DELETE", f"/api/users/{user}/second-factor")[0])

    def test_the_command_line_takes_it_away_too(self):
        self.user("alone@example.org")
        self.enrol("alone@example.org")
        self.server.command("user", "reset-second-factor", "alone@example.org")
        self.assertEqual("/", self.first_step("alone@example.org").path)
        self.assertNotEqual(0, self.server.command("user", "reset-second-factor", "alone@example.org", check=False)[0])

    def test_a_new_password_ends_a_sign_in_that_waits(self):
        user, _ = self.user("begun@example.org")
        _, clock, _ = self.enrol("begun@example.org")
        browser = self.first_step("begun@example.org")
        self.api.want(204, "POST", f"/api/users/{user}/password", {"password": "given by somebody"})
        browser.submit("/sign-in/second", {"code": clock.code()})
        self.assertEqual("/sign-in", browser.path)
        self.assertNotIn("cronista", browser.cookies)

    def test_who_is_deactivated_in_between_does_not_get_in(self):
        user, _ = self.user("between@example.org")
        _, clock, _ = self.enrol("between@example.org")
        browser = self.first_step("between@example.org")
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        browser.submit("/sign-in/second", {"code": clock.code()})
        self.assertEqual("/sign-in", browser.path)
        self.assertNotIn("cronista", browser.cookies)

    def test_what_waits_to_be_confirmed_is_for_whoever_began_it_alone(self):
        user, _ = self.user("stolen-before@example.org")
        owner, thief = self.browser("stolen-before@example.org", OWN), self.browser("stolen-before@example.org", OWN)
        owner.get(HERE)
        page = owner.submit(HERE, {"password": OWN})
        clock = Clock(parse_qs(urlsplit(next(l for l in page.links if l.startswith("otpauth:"))).query)["secret"][0])
        thief.get(HERE)
        for code in (clock.wrong(), clock.code()):  # another session shows nothing of it, nor may it confirm it
            page = thief.send("POST", f"{HERE}/confirm", urlencode({"csrf": thief.csrf, "code": code}), FORM)
            self.assertEqual(409, page.status)
            self.assertNotIn(clock.secret, page.source)
            self.assertNotIn("otpauth:", page.source)
        self.assertFalse(thief.send("GET", f"/api{HERE}").json["on"])
        page = owner.submit(f"{HERE}/confirm", {"code": clock.wrong()})
        self.assertEqual(422, page.status)
        self.assertIn("otpauth:", page.source)
        # Nor does it wait for long.
        self.sql(f'UPDATE second_factors SET made_at = made_at - 601000000 WHERE "user" = {user}')
        page = owner.send("POST", f"{HERE}/confirm", urlencode({"csrf": owner.csrf, "code": clock.code()}), FORM)
        self.assertEqual(409, page.status)
        self.assertNotIn("otpauth:", page.source)

    def test_the_api_does_it_as_well(self):
        self.user("api@example.org")
        browser = self.browser("api@example.org", OWN)
        csrf = browser.csrf

        def ask(method, path, body=None):
            answer = browser.send(method, f"/api{HERE}{path}", json.dumps(body), {"Content-Type": "application/json", "Cronista-Csrf": csrf})
            return answer.status, answer.json if answer.status != 204 else None
        self.assertEqual(422, ask("POST", "", {"password": "no"})[0])
        status, begun = ask("POST", "", {"password": OWN})
        clock = Clock(begun["secret"])
        self.assertEqual(201, status)
        self.assertIn(begun["secret"], begun["uri"])
        self.assertEqual(422, ask("POST", "/confirm", {"code": clock.wrong()})[0])
        status, made = ask("POST", "/confirm", {"code": clock.code()})
        self.assertEqual((200, 10), (status, len(made["recovery_codes"])))
        csrf = browser.get(HERE) and browser.csrf  # the session has another token now
        state = ask("GET", "")[1]
        self.assertEqual((True, 10), (state["on"], state["recovery_codes_left"]))
        self.assertNotIn("secret", state)
        self.assertNotIn("recovery_codes", state)
        self.assertEqual(204, ask("DELETE", "", {"password": OWN, "code": made["recovery_codes"][0]})[0])
        self.assertFalse(ask("GET", "")[1]["on"])


class Needed(SecondStory):
    def tearDown(self):
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"everybody": False, "profiles": []})

    def test_a_live_stream_ends_when_one_is_needed(self):
        self.user("streams@example.org")
        company = self.api.want(201, "POST", "/api/companies", {"name": "Watched"})["id"]
        browser = self.browser("streams@example.org", OWN)
        stream = Stream(self.server.port, f"/api/live?record=companies/{company}", {"Cookie": f"cronista={browser.cookies['cronista']}"})
        self.assertEqual(200, stream.status)
        self.api.want(200, "PATCH", f"/api/companies/{company}", {"city": "A"})
        self.assertEqual(1, len(stream.wait_for(1)))
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"everybody": True})
        self.api.want(200, "PATCH", f"/api/companies/{company}", {"city": "B"})
        self.assertTrue(stream.ended.wait(20))
        self.assertEqual(1, len(stream.positions))

    def test_who_has_none_sets_one_up_before_anything_else(self):
        self.user("needs@example.org")
        self.user("reads@example.org", "read_only")
        reader = self.browser("reads@example.org", OWN)
        early = self.browser("needs@example.org", OWN)
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": ["member"]})
        self.assertEqual({"everybody": False, "profiles": ["member"]}, self.api.want(200, "GET", "/api/settings/sign-in"))
        for browser in (early, self.browser("needs@example.org", OWN)):
            for path in ("/", "/contacts", "/settings", "/contacts/new", "/search?q=x", "/history"):
                browser.get(path)
                self.assertEqual(HERE, browser.path, path)
            for path in ("/api/contacts", "/api/settings", "/api/live?notifications=1", "/api/contacts/export.csv"):
                self.assertEqual(403, browser.send("GET", path).status, path)
            headers = {"Content-Type": "application/json", "Cronista-Csrf": browser.get(HERE) and browser.csrf}
            self.assertEqual(403, browser.send("POST", "/api/contacts", '{"name": "x"}', headers).status)
            self.assertEqual(403, browser.send("POST", "/api/settings/keys", '{"name": "x"}', headers).status)
        self.assertEqual(200, reader.get("/contacts").status)
        browser, _, _ = self.enrol("needs@example.org")
        self.assertEqual(200, browser.get("/contacts").status)
        self.assertEqual("/contacts", browser.path)

    def test_everybody_means_everybody(self):
        self.user("all@example.org", "read_only")
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"everybody": True})
        browser = self.browser("all@example.org", OWN)
        self.assertEqual(HERE, browser.path)
        browser.submit("/sign-out")
        self.assertEqual("/sign-in", browser.path)

    def test_a_profile_of_ones_own_can_need_it(self):
        made = self.api.want(201, "POST", "/api/profiles", {"name": "Outside", "contacts": ["view", "everyone"]})["id"]
        self.user("outside@example.org", f"p{made}")
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": [f"p{made}"]})
        self.assertEqual(HERE, self.browser("outside@example.org", OWN).path)

    def test_the_rules_are_for_administrators_and_in_the_log(self):
        _, member = self.user("rules@example.org")
        self.assertEqual(403, member.request("GET", "/api/settings/sign-in")[0])
        self.assertEqual(403, member.request("PATCH", "/api/settings/sign-in", {"everybody": True})[0])
        browser = self.browser()
        browser.get("/settings/sign-in")
        browser.submit("/settings/sign-in", {"profiles": ["read_only"]})
        self.assertEqual(["read_only"], self.api.want(200, "GET", "/api/settings/sign-in")["profiles"])
        event = self.api.want(200, "GET", "/api/history?module=sign_in_rules&limit=1")["items"][0]
        self.assertIn("read_only", str(event["changes"]))


class Sessions(SecondStory):
    FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

    def test_they_are_listed_with_device_and_place_and_ended_together(self):
        user, _ = self.user("many@example.org")
        here, there, elsewhere = (self.browser("many@example.org", OWN) for _ in range(3))
        named = Browser(self.server.port)
        named.get("/sign-in")
        named.submit("/sign-in", {"email": "many@example.org", "password": OWN}, headers={"User-Agent": self.FIREFOX})
        page = here.get("/settings")
        self.assertIn("Firefox on Linux", page.text)
        self.assertIn("127.0.0.1", page.text)
        self.assertEqual(403, here.send("POST", "/settings/sessions/end", "", FORM).status)
        here.get("/settings")
        self.assertEqual(200, here.submit("/settings/sessions/end").status)
        for browser in (there, elsewhere, named):
            browser.get("/")
            self.assertEqual("/sign-in", browser.path)
        self.assertEqual(200, here.get("/contacts").status)
        self.assertNotIn("/settings/sessions/end", here.get("/settings").source)
        event = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]
        self.assertEqual(("sessions_ended", 3), (event["kind"], event["sessions"]))

    def test_administrators_sign_somebody_out_everywhere(self):
        user, api = self.user("out@example.org")
        _, other = self.user("nosy@example.org")
        browsers = [self.browser("out@example.org", OWN) for _ in range(2)]
        self.assertEqual(403, other.request("POST", f"/api/users/{user}/sign-out")[0])
        administrator = self.browser()
        administrator.get(f"/users/{user}/sign-out")
        self.assertEqual(403, administrator.send("POST", f"/users/{user}/sign-out", "confirmed=1", FORM).status)
        administrator.get(f"/users/{user}/sign-out")
        page = administrator.submit(f"/users/{user}/sign-out")
        self.assertIn("out everywhere", page.text)
        for browser in browsers:
            browser.get("/")
            self.assertEqual("/sign-in", browser.path)
        api.want(200, "GET", "/api/contacts")  # keys stay
        self.assertIn("sessions_ended", self.kinds(user))
        self.api.want(204, "POST", f"/api/users/{user}/sign-out")

    def test_who_is_deactivated_has_neither_sessions_nor_keys_and_none_come_back(self):
        user, api = self.user("gone@example.org")
        browser = self.browser("gone@example.org", OWN)
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        for _ in range(2):
            browser.get("/")
            self.assertEqual("/sign-in", browser.path)
            self.assertEqual(401, api.request("GET", "/api/contacts")[0])
            self.api.want(200, "PATCH", f"/api/users/{user}", {"active": True})

    def test_a_new_password_gives_another_token(self):
        self.user("token@example.org")
        browser = self.browser("token@example.org", OWN)
        before = browser.cookies["cronista"]
        browser.get("/settings")
        browser.submit("/settings/password", {"password": OWN, "new_password": "a much better password"})
        self.assertNotEqual(before, browser.cookies["cronista"])
        self.assertEqual((200, "/settings"), (browser.page.status, browser.path))
        thief = Browser(self.server.port)
        thief.cookies["cronista"] = before
        thief.get("/")
        self.assertEqual("/sign-in", thief.path)

    def test_a_sign_in_under_way_does_not_outlast_a_new_password(self):
        self.user("underway@example.org")
        old, opened, over = OWN, [], []

        def go_in(password):
            while not over:
                browser = Browser(self.server.port)
                browser.get("/sign-in")
                if browser.submit("/sign-in", {"email": "underway@example.org", "password": password}, follow=False).status == 303:
                    opened.append(browser)

        for new in ("first new password", "second new password", "third new password"):
            owner = self.browser("underway@example.org", old)
            owner.get("/settings")
            over.clear()
            threads = [threading.Thread(target=go_in, args=(old,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            self.assertEqual(303, owner.submit("/settings/password", {"password": old, "new_password": new}, follow=False).status)
            time.sleep(1)
            over.append(True)
            for thread in threads:
                thread.join()
            self.assertTrue(opened)
            for browser in opened:
                self.assertEqual(303, browser.send("GET", "/settings", follow=False).status)
            opened.clear()
            old = new

    def test_a_flood_of_failures_does_not_fill_the_log(self):
        user, _ = self.user("flood@example.org")
        for _ in range(25):
            browser = Browser(self.server.port)
            browser.get("/sign-in")
            browser.submit("/sign-in", {"email": "flood@example.org", "password": "not the password"})
        time.sleep(0.3)
        self.assertEqual(10, self.kinds(user).count("sign_in_failed"))

    def test_when_they_last_signed_in_is_for_administrators(self):
        user, api = self.user("last@example.org")
        before = self.api.want(200, "GET", f"/api/users/{user}")
        self.assertIsNone(before["last_sign_in"])
        self.browser("last@example.org", OWN)
        after = self.api.want(200, "GET", f"/api/users/{user}")
        event = self.api.want(200, "GET", f"/api/users/{user}/history?kind=signed_in&limit=1")["items"][0]
        self.assertEqual(after["last_sign_in"][:19], event["at"][:19])
        for same in ("version", "updated_at", "updated_by"):  # it is no change of the record
            self.assertEqual(before[same], after[same])
        self.assertNotIn("last_sign_in", api.want(200, "GET", f"/api/users/{user}"))
        newest = self.api.want(200, "GET", "/api/users?sort=-last_sign_in&limit=1")["items"][0]
        self.assertEqual(user, newest["id"])
        page = self.browser().get("/users")
        self.assertIn("Last sign-in", page.text)
        self.assertEqual(403, self.api.request("PATCH", f"/api/users/{user}", {"last_sign_in": "2020-01-01T00:00:00Z"})[0])
        past = self.api.want(200, "GET", f"/api/users/{user}?as_of={before['created_at']}")
        self.assertIsNone(past["last_sign_in"])
        story = self.api.want(200, "GET", f"/api/users/{user}/history?kind=information")["items"]
        self.assertNotIn("signed_in", [item["kind"] for item in story])
        code, said = self.server.command("rebuild", "--check", check=False)
        self.assertEqual(0, code, said)


class TooManyCodes(SecondStory):
    arguments = ("--attempts", "1000", "--account-attempts", "4")

    def test_codes_can_not_be_guessed_for_long(self):
        self.user("guess@example.org")
        _, clock, _ = self.enrol("guess@example.org")
        browser = self.first_step("guess@example.org")
        statuses = [browser.submit("/sign-in/second", {"code": clock.wrong()}).status for _ in range(6)]
        self.assertEqual(403, statuses[0])
        self.assertEqual(429, statuses[-1])
        page = browser.submit("/sign-in/second", {"code": clock.code()})
        self.assertEqual(429, page.status)  # nor is the right one looked at
        self.assertGreater(int(page.headers["Retry-After"]), 0)


class Breached(SecondStory):
    """A list as Have I Been Pwned gives it out: one file; then a folder of ranges."""

    known = "known to everybody"

    @classmethod
    def setUpClass(cls):
        cls.lists = Path(tempfile.mkdtemp(prefix="cronista-"))
        hashes = sorted(hashlib.sha1(text.encode()).hexdigest().upper() for text in (cls.known, *(f"filler {i}" for i in range(2000))))
        cls.write(hashes)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.lists, ignore_errors=True)

    @classmethod
    def write(cls, hashes):
        (cls.lists / "all.txt").write_text("".join(f"{h}:{len(h) % 7 + 1}\r\n" for h in hashes))
        cls.environment = {"CRONISTA_BREACHED_PASSWORDS": str(cls.lists / "all.txt")}

    def test_a_known_password_is_refused_by_name_wherever_it_is_set(self):
        user, api = self.user("breached@example.org")
        browser = self.browser("breached@example.org", OWN)
        browser.get("/settings")
        page = browser.submit("/settings/password", {"password": OWN, "new_password": self.known})
        self.assertEqual(422, page.status)
        self.assertIn("known from breaches", page.text)
        status, _, body = self.api.request("POST", f"/api/users/{user}/password", {"password": self.known})
        self.assertEqual((422, ["password"]), (status, [e["field"] for e in body["errors"]]))
        made = {"name": "New", "email": "new@example.org", "profile": "member", "password": self.known}
        status, _, body = self.api.request("POST", "/api/users", made)
        self.assertEqual((422, ["password"]), (status, [e["field"] for e in body["errors"]]))
        administrator = self.browser()
        administrator.get("/users/new")
        page = administrator.submit("/users", {"name": "New", "email": "new@example.org", "new_password": self.known})
        self.assertEqual(422, page.status)
        self.assertIn("known from breaches", page.text)
        self.api.want(204, "POST", f"/api/users/{user}/password", {"password": "known to nobody at all"})
        self.browser("breached@example.org", "known to nobody at all")

    def test_who_is_invited_chooses_none_of_them(self):
        user = self.api.want(201, "POST", "/api/users", {"name": "Invited", "email": "invited@example.org", "profile": "member"})["id"]
        made = self.api.want(201, "POST", f"/api/users/{user}/invitation", {})["made"]
        path = "/" + made["url"].split("/", 3)[3]
        browser = self.browser(None)
        browser.get(path)
        page = browser.submit(path, {"name": "Invited", "password": self.known, "again": self.known})
        self.assertEqual(422, page.status)
        self.assertIn("known from breaches", page.text)
        self.assertNotIn("cronista", browser.cookies)
        browser.submit(path, {"name": "Invited", "password": "known to nobody at all", "again": "known to nobody at all"})
        self.assertIn("cronista", browser.cookies)

    def test_the_command_line_looks_too(self):
        os.environ.update(self.environment)
        try:
            code, said = self.server.command("user", "add", "typed@example.org", "--name", "Typed", "--password-stdin", text=f"{self.known}\n", check=False)
        finally:
            del os.environ["CRONISTA_BREACHED_PASSWORDS"]
        self.assertNotEqual(0, code)
        self.assertIn("known from breaches", said)

    def test_a_list_that_can_not_be_read_lets_nothing_pass(self):
        user, _ = self.user("unread@example.org")
        hidden = self.lists.with_suffix(".away")
        self.lists.rename(hidden)
        try:
            self.assertEqual(503, self.api.request("POST", f"/api/users/{user}/password", {"password": "known to nobody at all"})[0])
        finally:
            hidden.rename(self.lists)


class BreachedRanges(Breached):
    @classmethod
    def write(cls, hashes):
        for prefix in {h[:5] for h in hashes} | {hashlib.sha1(text).hexdigest().upper()[:5] for text in
                                                 (PASSWORD.encode(), OWN.encode(), b"known to nobody at all")}:
            (cls.lists / f"{prefix}.txt").write_text("".join(f"{h[5:]}:3\r\n" for h in hashes if h.startswith(prefix)))
        cls.environment = {"CRONISTA_BREACHED_PASSWORDS": str(cls.lists)}


class Security(SecondStory):
    def weak(self):
        return {item["key"]: item for item in self.api.want(200, "GET", "/api/settings/security")["items"]}

    def test_each_weakness_is_told_until_it_is_gone(self):
        found = self.weak()
        for key in ("administrators_without_factor", "factor_not_needed", "keys_without_end", "keys_too_broad", "no_breached_list"):
            self.assertIn(key, found)
        for key in ("demo_password", "keys_unused", "users_away", "log_key_open", "plain_cookies"):
            self.assertNotIn(key, found)
        self.assertEqual(["Administrator"], [user["name"] for user in found["administrators_without_factor"]["users"]])
        broad = found["keys_too_broad"]["count"]
        self.server.command("token", "add", ADMINISTRATOR, "--scope", "read", "--days", "30")
        self.assertEqual(broad, self.weak()["keys_too_broad"]["count"])
        self.server.command("token", "add", ADMINISTRATOR, "--name", "Broad")
        self.assertEqual(broad + 1, self.weak()["keys_too_broad"]["count"])
        # The demonstration's password.
        boss, _ = self.user("boss@example.org", "administrator", "meridiana-demo")
        self.assertEqual([boss], [user["id"] for user in self.weak()["demo_password"]["users"]])
        self.api.want(204, "POST", f"/api/users/{boss}/password", {"password": "quite another one"})
        self.assertNotIn("demo_password", self.weak())
        # The key of the log, where it is a file.
        key = self.server.data / "log.key"
        if key.exists():
            key.chmod(0o640)
            self.assertIn("log_key_open", self.weak())
            key.chmod(0o600)
            self.assertNotIn("log_key_open", self.weak())
        # The rule, and who has a factor.
        self.enrol("boss@example.org", "quite another one")
        self.assertNotIn(boss, [user["id"] for user in self.weak()["administrators_without_factor"]["users"]])
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": ["administrator"]})
        self.assertNotIn("factor_not_needed", self.weak())
        self.api.want(200, "PATCH", "/api/settings/sign-in", {"profiles": []})

    def test_what_nobody_used_for_long_is_told(self):
        user, api = self.user("away@example.org")
        self.server.command("token", "add", "away@example.org", "--name", "Forgotten")
        long_ago = int((time.time() - 100 * 86400) * 1000000)
        self.assertNotIn("keys_unused", self.weak())
        self.sql(f"UPDATE api_keys SET created_at = {long_ago} WHERE name = 'Forgotten'")
        self.sql(f"UPDATE m_users SET created_at = {long_ago} WHERE id = {user}")
        found = self.weak()
        self.assertEqual(([user], 1), ([u["id"] for u in found["keys_unused"]["users"]], found["keys_unused"]["count"]))
        self.assertEqual([user], [u["id"] for u in found["users_away"]["users"]])
        api.want(200, "GET", "/api/contacts")  # a program of theirs was there
        time.sleep(0.3)
        self.assertNotIn("users_away", self.weak())
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        self.assertNotIn("keys_unused", self.weak())

    def test_a_server_that_others_reach_without_encryption_is_told(self):
        folder, port = tempfile.mkdtemp(prefix="cronista-"), free_port()
        data = Path(folder) / "data"
        for more, told in (((), True), (("--proxy", "yes"), False)):
            process = subprocess.Popen([PROGRAM, "serve", "--data", data, "--listen", f"0.0.0.0:{port}", *more], stdout=subprocess.DEVNULL,
                                       env={**os.environ, **environment_of(data), "CRONISTA_ADMIN_EMAIL": ADMINISTRATOR, "CRONISTA_ADMIN_PASSWORD": PASSWORD})
            try:
                for _ in range(300):
                    try:
                        if Api(port).request("GET", "/readyz")[0] == 200:
                            break
                    except OSError:
                        time.sleep(0.1)
                key = command("token", "add", ADMINISTRATOR, "--data", str(data))[1].strip().splitlines()[-1]
                items = Api(port, key).want(200, "GET", "/api/settings/security")["items"]
                self.assertEqual(told, "plain_cookies" in [item["key"] for item in items])
            finally:
                process.terminate()
                process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)

    def test_what_is_told_is_for_administrators(self):
        _, member = self.user("curious@example.org")
        self.assertEqual(403, member.request("GET", "/api/settings/security")[0])
        browser = self.browser()
        page = browser.get("/settings/security")
        self.assertEqual((200, []), (page.status, page.wrong))
        self.assertIn("Administrators without a second factor", page.text)
        self.assertIn("/settings/security", browser.get("/settings/modules").links)


class WithoutTheList(unittest.TestCase):
    def test_a_list_that_is_not_there_is_told_at_the_start(self):
        folder = tempfile.mkdtemp(prefix="cronista-")
        try:
            code, said = command("serve", "--data", f"{folder}/data", "--listen", "127.0.0.1:0", "--breached-passwords", f"{folder}/list", check=False, timeout=60)
            self.assertNotEqual(0, code)
            self.assertIn(f"{folder}/list", said)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class NobodyLocksOthersOut(SecondStory):
    arguments = ("--proxy", "yes", "--attempts", "30", "--account-attempts", "4")

    def attempt(self, address, email="owner@example.org", password="not the password", cookies=None):
        browser = Browser(self.server.port)
        browser.cookies.update(cookies or {})
        browser.get("/sign-in")
        page = browser.submit("/sign-in", {"email": email, "password": password}, follow=False, headers={"X-Forwarded-For": address})
        return page.status, browser

    def test_a_stranger_who_hammers_an_account_keeps_its_owner_in(self):
        for name in ("owner", "other"):
            self.user(f"{name}@example.org")
        _, browser = self.attempt("203.0.113.1", password=OWN)
        known = {name: value for name, value in browser.cookies.items() if "device" in name}
        self.assertEqual(1, len(known))
        _, browser = self.attempt("203.0.113.1", "other@example.org", OWN)
        others = {name: value for name, value in browser.cookies.items() if "device" in name}
        statuses = [self.attempt("203.0.113.66")[0] for _ in range(8)]
        self.assertEqual([403] * 4 + [429] * 4, statuses)
        self.assertEqual(429, self.attempt("203.0.113.66", password=OWN)[0])  # nor does the right one get in from there
        self.assertEqual(303, self.attempt("203.0.113.2", password=OWN)[0])
        # The owner at the very address of the stranger, in a browser known from before.
        self.assertEqual(303, self.attempt("203.0.113.66", password=OWN, cookies=known)[0])
        for cookies in (others, {name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in known.items()}):
            self.assertEqual(429, self.attempt("203.0.113.66", password=OWN, cookies=cookies)[0])
        # Even when that address may try nothing at all any more.
        statuses = [self.attempt("203.0.113.66", f"{i}@example.org")[0] for i in range(40)]
        self.assertEqual(429, statuses[-1])
        self.assertEqual(303, self.attempt("203.0.113.66", password=OWN, cookies=known)[0])
        # What a known browser may try is limited as well.
        statuses = [self.attempt("203.0.113.3", cookies=known)[0] for _ in range(6)]
        self.assertEqual([403] * 4 + [429] * 2, statuses)

    def test_codes_are_counted_for_the_account_wherever_they_come_from(self):
        self.user("codes@example.org")
        browser, clock, _ = self.enrol("codes@example.org")
        known = {name: value for name, value in browser.cookies.items() if "device" in name}
        statuses = []
        for i in range(6):
            _, thief = self.attempt(f"203.0.113.{100 + i}", "codes@example.org", OWN)
            thief.get("/sign-in/second")
            statuses.append(thief.submit("/sign-in/second", {"code": clock.wrong()}, headers={"X-Forwarded-For": f"203.0.113.{100 + i}"}).status)
        self.assertEqual([403] * 4 + [429] * 2, statuses)
        _, owner = self.attempt("203.0.113.9", "codes@example.org", OWN, known)
        owner.get("/sign-in/second")
        self.assertEqual(303, owner.submit("/sign-in/second", {"code": clock.code()}, follow=False).status)

    def known(self, browser):
        return {name: value for name, value in browser.cookies.items() if "device" in name}

    def test_browsers_known_before_there_was_a_second_factor_have_no_guesses_of_their_own(self):
        self.user("collector@example.org")
        collected = [self.known(self.attempt("203.0.113.31", "collector@example.org", OWN)[1]) for _ in range(6)]
        self.assertEqual(6, len({str(cookies) for cookies in collected}))
        browser, clock, _ = self.enrol("collector@example.org")
        statuses = []
        for i, cookies in enumerate(collected):
            address = f"203.0.113.{150 + i}"
            _, thief = self.attempt(address, "collector@example.org", OWN, cookies)
            thief.get("/sign-in/second")
            statuses.append(thief.submit("/sign-in/second", {"code": clock.wrong()}, headers={"X-Forwarded-For": address}).status)
        self.assertEqual([403] * 4 + [429] * 2, statuses)
        # What was known with this factor ends with it.
        before = self.known(browser)
        browser.get(HERE)
        off = {"csrf": browser.csrf, "password": OWN, "code": clock.code()}
        self.assertEqual(200, browser.send("POST", f"{HERE}/end", urlencode(off), FORM).status)
        self.assertNotEqual(before, self.known(browser))

    def test_a_new_password_ends_all_known_browsers_but_the_one_that_set_it(self):
        self.user("renewed@example.org")
        thief = self.known(self.attempt("203.0.113.41", "renewed@example.org", OWN)[1])
        browser = self.browser("renewed@example.org", OWN)
        before = self.known(browser)
        browser.get("/settings")
        self.assertEqual(200, browser.submit("/settings/password", {"password": OWN, "new_password": "a quite new password"}).status)
        owner = self.known(browser)
        statuses = [self.attempt("203.0.113.42", "renewed@example.org", OWN)[0] for _ in range(5)]
        self.assertEqual([403] * 4 + [429], statuses)
        for cookies in (thief, before):  # are strangers at that address
            self.assertEqual(429, self.attempt("203.0.113.42", "renewed@example.org", "a quite new password", cookies)[0])
        self.assertEqual(303, self.attempt("203.0.113.42", "renewed@example.org", "a quite new password", owner)[0])


if __name__ == "__main__":
    unittest.main()
