"""A request with a key of its own is done once, however often it is sent."""

import contextlib
import sqlite3
import threading
import unittest
from pathlib import Path

from harness import Story
from support import POSTGRES, psql

KEY = "Idempotency-Key"


class Once(Story):
    number = 0

    def key_of(self):
        Once.number += 1
        return {KEY: f'"key {Once.number} – ñ"'.encode().decode("latin-1")}

    def again(self, status, method, path, body, key):
        """The same sent twice: both answers, of which only the second says that it is one."""
        first = self.api.request(method, path, body, key)
        second = self.api.request(method, path, body, key)
        self.assertEqual([status, status], [first[0], second[0]], (first[2], second[2]))
        self.assertIsNone(first[1].get("Idempotent-Replayed"))
        self.assertEqual("true", second[1].get("Idempotent-Replayed"))
        self.assertEqual(first[2], second[2])
        return first, second

    def events(self):
        return self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]

    def test_each_thing_that_can_be_done_once(self):
        first, second = self.again(201, "POST", "/api/contacts", {"name": "Once"}, self.key_of())
        self.assertEqual(first[1]["Location"], second[1]["Location"])
        here = f"/api/contacts/{first[2]['id']}"
        before = self.events()
        self.again(200, "PATCH", here, {"city": "Iași"}, self.key_of())
        self.again(201, "POST", here + "/comments", {"text": "once"}, self.key_of())
        self.again(204, "DELETE", here, None, self.key_of())
        self.again(200, "POST", here + "/restore", None, self.key_of())
        self.assertEqual(before + 4, self.events())
        self.assertEqual(1, self.api.want(200, "GET", "/api/contacts?filter[name]=Once&count=1")["count"])

    def test_a_key_is_for_one_request(self):
        key = self.key_of()
        self.api.want(201, "POST", "/api/contacts", {"name": "Mine"}, key)
        problem = self.api.want(422, "POST", "/api/contacts", {"name": "Other"}, key)
        self.assertIn("Idempotency-Key", str(problem["errors"]))
        self.api.want(422, "POST", "/api/companies", {"name": "Mine"}, key)
        self.assertEqual(0, self.api.want(200, "GET", "/api/contacts?filter[name]=Other&count=1")["count"])

    def test_a_key_is_of_one_user(self):
        _, other = self.user("once@example.org")
        key = self.key_of()
        mine = self.api.want(201, "POST", "/api/contacts", {"name": "Same"}, key)["id"]
        self.assertNotEqual(mine, other.want(201, "POST", "/api/contacts", {"name": "Same"}, key)["id"])

    def test_what_is_kept_tells_nothing(self):
        """What a request asked for, a new user's password, say, can't be found out from its digest without its key."""
        ask = "SELECT digest FROM requests ORDER BY done_at DESC LIMIT 2"
        for key in self.key_of(), self.key_of():
            self.api.want(201, "POST", "/api/contacts", {"name": "Guess me"}, key)
        if POSTGRES:
            digests = psql(self.server.data, ask).split()
        else:
            with contextlib.closing(sqlite3.connect(Path(self.server.data) / "cronista.db")) as database:
                digests = [digest for digest, in database.execute(ask)]
        self.assertEqual(2, len(set(digests)))

    def test_what_was_refused_is_tried_again(self):
        key = self.key_of()
        self.api.want(404, "PATCH", "/api/contacts/99999999", {"city": "A"}, key)
        self.api.want(422, "POST", "/api/contacts", {"name": "Refused", "email": "no address"}, key)
        self.api.want(201, "POST", "/api/contacts", {"name": "Refused", "email": "an@address.example"}, key)

    def test_without_the_right_nothing_is_replayed(self):
        """Who may no longer see a record learns nothing of it by an old key."""
        user, other = self.user("leaves@example.org")
        key = self.key_of()
        other.want(201, "POST", "/api/contacts", {"name": "Left"}, key)
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        other.want(401, "POST", "/api/contacts", {"name": "Left"}, key)

    def test_keys_that_are_none(self):
        for bad in ("x" * 201, "a\tb", '""'):
            status, _, body = self.api.request("POST", "/api/contacts", {"name": "Bad"}, {KEY: bad})
            self.assertEqual(422, status, (bad, body))

    def test_many_at_once(self):
        key, answers = self.key_of(), []

        def send():
            api = self.server.api(self.key)
            for _ in range(5):
                answers.append(api.request("POST", "/api/contacts", {"name": "Racing"}, key))
            api.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({201}, {status for status, _, _ in answers})
        self.assertEqual(1, len({body["id"] for _, _, body in answers}))
        self.assertEqual(1, sum(headers.get("Idempotent-Replayed") is None for _, headers, _ in answers))

    def test_a_form_sent_twice(self):
        browser = self.browser()
        browser.get("/contacts/new")
        page, path = browser.page, browser.path
        self.assertIn("once", page.form("/contacts").names)
        for name in ("Pressed twice", "Pressed twice", "Changed and sent again"):
            browser.page, browser.path = page, path
            self.assertEqual(200, browser.submit("/contacts", {"name": name}).status)
        found = self.api.want(200, "GET", "/api/contacts?filter[name]=Pressed%20twice&count=1")
        self.assertEqual(1, found["count"])
        self.assertEqual(1, self.api.want(200, "GET", "/api/contacts?filter[name]=Changed%20and%20sent%20again&count=1")["count"])
        here = f"/contacts/{found['items'][0]['id']}"
        browser.get(here)
        page = browser.page
        for text in ("Said once", "Said once", "Said something else"):
            browser.page, browser.path = page, here
            browser.submit(here + "/comments", {"text": text})
        story = self.api.want(200, "GET", f"/api{here}/history?kind=commented")["items"]
        self.assertEqual(["Said something else", "Said once"], [event["text"] for event in story])


if __name__ == "__main__":
    unittest.main()
