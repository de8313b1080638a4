"""What a hostile reading found: the limits of what people may see, make and send."""

import unittest

from harness import Story


class Limits(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana_id, cls.ana = cls.user("ana@example.org", language="es")
        cls.eva_id, cls.eva = cls.user("eva@example.org")

    def view(self, api, name, **values):
        return api.want(201, "POST", "/api/views",
                        {"name": name, "of_module": "contacts", "query": [["sort", "name"]], **values})["id"]

    def names(self, api, path="/api/views"):
        return sorted(item["name"] for item in api.want(200, "GET", path)["items"])

    def test_views_are_their_owners(self):
        mine, ours = self.view(self.ana, "Mine"), self.view(self.ana, "Ours", shared=True)
        self.assertEqual(self.names(self.ana), ["Mine", "Ours"])
        self.assertEqual(self.names(self.eva), ["Ours"])
        self.assertEqual(self.names(self.eva, "/api/views?filter[q][contains]=mine"), [])
        self.assertEqual(self.names(self.eva, "/api/views/lookup?q=mine"), [])
        self.assertEqual(self.names(self.eva, "/api/search?module=views&q=mine"), [])
        for path in (f"/api/views/{mine}", f"/api/views/{mine}/history", f"/api/live?record=views/{mine}"):
            self.eva.want(404, "GET", path)
        self.eva.want(403, "DELETE", f"/api/views/{ours}")
        # Nobody makes one in another's name, or gives theirs away.
        self.eva.want(403, "POST", "/api/views",
                      {"name": "Planted", "of_module": "contacts", "query": [["sort", "name"]], "owner": self.ana_id})
        self.ana.want(403, "PATCH", f"/api/views/{mine}", {"owner": self.eva_id})
        self.assertEqual(self.names(self.ana), ["Mine", "Ours"])

    def test_lists_are_pages_for_everybody(self):
        self.assertEqual(self.browser("eva@example.org", "another test password").get("/contacts").status, 200)

    def test_programs_write_numbers_as_programs_do(self):
        self.api.want(201, "POST", "/api/fields", {"of_module": "contacts", "key": "x_weight", "type": "decimal", "label": "Weight"})
        made = self.ana.want(201, "POST", "/api/contacts", {"name": "Bea", "x_weight": "1.234"})
        self.assertEqual(made["x_weight"], "1.234")
        status, _, made = self.api.request("POST", "/api/contacts", {"name": "Leo", "x_weight": "1.234"}, {"Accept-Language": "es"})
        self.assertEqual((status, made["x_weight"]), (201, "1.234"))
        found = self.ana.want(200, "GET", "/api/contacts?filter[x_weight][eq]=1.234&count=1")
        self.assertEqual(found["count"], 2)

    def test_numbers_at_the_end_of_what_there_is(self):
        most = 2**63 - 1
        self.api.want(404, "GET", f"/api/log/{most}")
        self.api.want(404, "GET", f"/api/contacts/{most}")
        browser = self.browser()
        self.assertEqual(browser.get(f"/contacts?from={most}").status, 200)

    def test_conditions_that_are_too_long(self):
        many = "&".join("filter[company][in]=" + "," * 199 for _ in range(35))
        self.ana.want(413, "GET", f"/api/contacts?{many}")
        view = self.ana.want(201, "POST", "/api/views", {"name": "Long", "of_module": "contacts", "owner": self.ana_id,
                                                         "query": [["filter[company][in]", "," * 199]] * 50})["id"]
        self.ana.want(413, "GET", f"/api/contacts?view={view}")
        self.ana.want(204, "DELETE", f"/api/views/{view}")

    def test_after_deleting_a_view_one_stays_here(self):
        browser = self.browser("eva@example.org", "another test password")
        browser.get("/contacts")
        view = self.view(self.eva, "Short-lived")
        answer = browser.send("POST", f"/views/{view}/delete?of_module=/example.com", f"csrf={browser.csrf}",
                              {"Content-Type": "application/x-www-form-urlencoded"}, follow=False)
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/"))


if __name__ == "__main__":
    unittest.main()
