"""Every row of the table of routes, asked for by every kind of person: what the row promises is what happens."""

import http.client
import json
import re
import unittest

from harness import Browser, Story, command

ALLOWED = {  # profile -> permissions, as src/model/permission.c has them for modules that are not the system's
    "administrator": {"view", "create", "edit", "delete", "erase", "anonymise", "import", "export", "bulk_delete", "bulk_duplicate", "design", "audit", "users", "self"},
    "member": {"view", "create", "edit", "delete", "export", "bulk_delete", "bulk_duplicate", "self"},
    "read_only": {"view", "self"},
}
VALUES = {"{module}": "contacts", "{position}": "0", "{key}": "0000000000000000", "{rest}": "0/000.p/1", "{name}": "x",
          "{version}": "x", "{upload}": "0000000000000000", "{field}": "photo", "{digest}": "0" * 64}


def rows():
    for line in command("routes")[1].splitlines():
        method, path, verb, page, says = re.match(r"(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(.*)", line).groups()
        yield method, path, verb, page, says


class Permissions(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.api.want(201, "POST", "/api/contacts", {"name": "Of the administrator"})["id"]
        cls.people = {"administrator": cls.api}
        for profile in ("member", "read_only"):
            cls.people[profile] = cls.user(f"{profile}@example.org", profile)[1]

    def filled(self, path):
        for name, value in VALUES.items():
            path = path.replace(name, value)
        return path.replace("{id}", str(self.contact))

    def status(self, api, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_the_table_is_there(self):
        self.assertGreater(len(list(rows())), 60)

    def test_nobody_gets_anything_but_what_is_public(self):
        nobody = self.server.api()
        for method, path, verb, _, _ in rows():
            if not path.startswith("/api"):
                continue
            status = nobody.request(method, self.filled(path), {} if method != "GET" else None)[0]
            with self.subTest(f"{method} {path}"):
                self.assertEqual(200 if verb == "public" else 401, status)

    def test_pages_send_nobody_to_the_sign_in(self):
        browser = Browser(self.server.port)
        for method, path, verb, _, _ in rows():
            if path.startswith("/api") or verb == "public" or method != "GET":
                continue
            page = browser.send("GET", self.filled(path), follow=False)
            with self.subTest(path):
                self.assertEqual(303, page.status)
                self.assertTrue(page.headers["Location"].startswith("/sign-in"))

    def test_each_profile_gets_what_its_row_says(self):
        for profile, api in self.people.items():
            for method, path, verb, _, says in rows():
                if not path.startswith("/api") or verb == "public" or path == "/api/live":
                    continue
                if profile == "administrator" and method != "GET" and not says.endswith("(session)"):
                    continue  # would do it; the stories of each row do
                body = {} if method in ("POST", "PATCH") else None
                status = self.status(api, method, self.filled(path), body)
                with self.subTest(f"{profile}: {method} {path}"):
                    if says.endswith("(session)"):
                        self.assertEqual(403, status)  # these ask by keys
                    elif verb in ALLOWED[profile]:
                        self.assertNotIn(status, (401, 500), "allowed")
                        if method == "GET" or verb == "self":
                            self.assertNotEqual(403, status)
                    else:
                        self.assertEqual(403, status)
            if profile != "administrator" and api.request("GET", f"/api/contacts/{self.contact}")[2]["deleted_at"]:
                self.api.want(200, "POST", f"/api/contacts/{self.contact}/restore", {})

    def test_modules_of_the_system_are_closed(self):
        for profile in ("member", "read_only"):
            api = self.people[profile]
            for module in ("fields", "imports", "mappings"):
                self.assertEqual(404, api.request("GET", f"/api/{module}")[0], module)
            name, password, bulk = {"name": "x"}, {"password": "0123456789"}, {"do": "delete", "id": [1]}
            for method, path, body in (("POST", "/api/users", name), ("PATCH", "/api/users/1", name), ("DELETE", "/api/users/1", {}),
                                       ("POST", "/api/levels", name), ("POST", "/api/users/1/password", password), ("POST", "/api/users/bulk", bulk)):
                self.assertEqual(403, api.request(method, path, body)[0], (profile, method, path))

    def test_what_no_row_takes_is_refused_by_name(self):
        """Where a word is mistyped, less would be asked for than was meant, or more given. Records have their fields for that."""
        text = {"name": "x", "nonesuch": 1}
        for method, path in (("POST", f"/api/contacts/{self.contact}/shares"), ("POST", "/api/contacts/bulk"), ("POST", f"/api/contacts/{self.contact}/notes"),
                             ("POST", f"/api/contacts/{self.contact}/comments"), ("POST", f"/api/contacts/{self.contact}/anonymise"),
                             ("POST", "/api/users/1/hand-over"), ("POST", "/api/users/1/deactivate"), ("PATCH", "/api/settings"),
                             ("PATCH", "/api/settings/sign-in"), ("PATCH", "/api/settings/activities"), ("POST", "/api/contacts"),
                             ("PATCH", f"/api/contacts/{self.contact}"), ("POST", "/api/uploads"), ("PUT", "/api/contacts/story")):
            status, _, answer = self.api.request(method, path, text if path == "/api/contacts" else {"nonesuch": 1})
            self.assertEqual((422, ["nonesuch"]), (status, [e["field"] for e in answer.get("errors", [])]), (method, path))

    def test_what_is_hidden_in_a_record_is_hidden_everywhere(self):
        """A member sees colleagues, but not their settings: not in the record, its history, the list, the log or the proof."""
        user = self.api.want(200, "GET", "/api/users?filter[email][eq]=member@example.org")["items"][0]["id"]
        self.api.want(200, "PATCH", f"/api/users/{user}", {"zone": "Europe/Warsaw"})
        position = self.api.want(200, "GET", f"/api/users/{user}/history?limit=1")["items"][0]["position"]
        api = self.people["read_only"]
        self.assertNotIn("Warsaw", str(api.want(200, "GET", f"/api/users/{user}")))
        self.assertNotIn("Warsaw", str(api.want(200, "GET", f"/api/users/{user}/history")))
        self.assertNotIn("Warsaw", str(api.request("GET", "/api/users?columns=name,zone")[2]))
        self.assertIn(api.request("GET", "/api/users?filter[zone][eq]=Europe/Warsaw")[0], (400, 403, 422))
        self.assertNotIn("Warsaw", str(api.request("GET", f"/api/log/{position}")[2]))
        self.assertNotIn("Warsaw", str(api.request("GET", f"/api/log/receipt/{position}")[2]))
        self.assertNotIn("Warsaw", str(api.request("GET", f"/api/operations/{position}")[2]))

    def test_what_they_may_not_do_is_not_offered(self):
        browser = self.browser("read_only@example.org", "another test password")
        page = browser.get("/contacts")
        self.assertNotIn("/contacts/new", page.source)
        page = browser.get(f"/contacts/{self.contact}")
        self.assertNotIn(f"/contacts/{self.contact}/edit", page.source)
        self.assertNotIn('id="comment"', page.source)
        self.assertNotIn("/history\"", browser.get("/").source)
        self.assertEqual(403, browser.get("/contacts/new").status)
        self.assertEqual(403, browser.get("/history").status)
        self.assertEqual(403, browser.get("/settings/modules").status)

    def test_every_page_has_its_twin(self):
        paths = {(method, path.removeprefix("/api")) for method, path, _, _, _ in rows() if path.startswith("/api")}
        alone = [path for method, path, verb, page, _ in rows() if page != "-" and not path.startswith("/api") and method == "GET"
                 and ("GET", path if path != "/" else "/") not in paths]
        forms = {"/sign-in", "/keys", "/{module}/new", "/{module}/{id}/edit", "/{module}/{id}/delete", "/{module}/{id}/documents/{digest}/delete", "/users/{id}/password",
                 "/settings/modules/{module}/new", "/consent/{token}", "/invitation/{token}", "/sign-in/second", "/sign-in/provider", "/sign-in/provider/callback", "/sign-in/provider/leave", "/sign-in/provider/confirm", "/users/{id}/second-factor/end", "/users/{id}/sign-out"}
        self.assertEqual([], [path for path in alone if path not in forms and "import" not in path])


class ChangedRights(Story):
    """What somebody may is looked up with each request, whatever they were allowed the last time."""

    def setUp(self):
        contact = {"name": "Ana Ruiz", "phone": "+34600111222", "city": "Oviedo"}
        self.contact = self.api.want(201, "POST", "/api/contacts", contact)["id"]
        self.api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"phone": "+34600333444"})
        self.api.want(201, "POST", "/api/tasks", {"kind": "task", "subject": "Nobody else's business", "private": True, "contact": self.contact})

    def profile(self, **values):
        return f"p{self.api.want(201, 'POST', '/api/profiles', values)['id']}"

    def told(self, browser, api):
        """The card as page and as JSON: their statuses, and which of these words are in them."""
        answers = []
        for status, text in [self.page(browser), api.request("GET", f"/api/contacts/{self.contact}?history=20")[::2]]:
            text = text if isinstance(text, str) else json.dumps(text)
            text = text.replace(" ", "").replace("\u00a0", "")
            answers.append((status, [word for word in ("333444", "111222", "Oviedo", "Nobodyelse") if word in text]))
        return answers

    def page(self, browser):
        page = browser.get(f"/contacts/{self.contact}")
        return page.status, page.text

    def test_the_next_card_is_that_of_todays_rights(self):
        user, api = self.user("elena@example.org", "administrator")
        browser = self.browser("elena@example.org", "another test password")
        whole, parts, nothing = ["333444", "111222", "Oviedo"], ["Oviedo"], []
        hidden = self.profile(name="No phones", contacts=["view", "everyone"], hidden_contacts=["phone"])
        own = self.profile(name="Own", contacts=["view"])
        none = self.profile(name="None", companies=["view", "everyone"])
        self.api.want(200, "PATCH", f"/api/contacts/{self.contact}", {"owner": 1})
        for profile, status, words in (("administrator", 200, whole), (hidden, 200, parts), ("member", 200, whole), (own, 404, nothing),
                                       ("read_only", 200, whole), (none, 404, nothing), ("administrator", 200, whole)):
            with self.subTest(profile=profile):
                self.api.want(200, "PATCH", f"/api/users/{user}", {"profile": profile})
                for _ in range(3):  # the first time what is asked ahead is asked as whom they were
                    self.assertEqual([(status, words)] * 2, self.told(browser, api))
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        self.assertEqual([(200, nothing), (401, nothing)], self.told(browser, api))
        self.assertTrue(browser.page.form("/sign-in"))  # to which the page leads

    def test_a_card_is_read_as_who_asks_and_not_as_who_asked_before(self):
        _, api = self.user("olga@example.org", "administrator")
        first, second = self.browser(), self.browser("olga@example.org", "another test password")
        for _ in range(3):
            self.assertIn("Nobodyelse", self.told(first, self.api)[0][1])
            self.assertNotIn("Nobodyelse", self.told(second, api)[0][1])


if __name__ == "__main__":
    unittest.main()
