"""Users who leave, and who come: what they have in charge is handed over, they are deactivated and made active again."""

import re
import time
import unittest

from harness import ADMINISTRATOR, Story


class People(Story):
    number = 0

    @classmethod
    def person(cls, profile="member", **values):
        """A new user: id, a connection with a key of theirs."""
        People.number += 1
        return cls.user(f"person{People.number}@example.org", profile, **values)

    def create(self, module, values, api=None):
        return (api or self.api).want(201, "POST", f"/api/{module}", values)["id"]

    def get(self, module, number, api=None):
        return (api or self.api).want(200, "GET", f"/api/{module}/{number}")

    def owner(self, module, number):
        owner = self.get(module, number)["owner"]
        return owner and owner["id"]

    def charge(self, user, api=None):
        found = (api or self.api).want(200, "GET", f"/api/users/{user}/hand-over")
        return {c["module"]: c["count"] for c in found["charge"]}

    def hand_over(self, user, api=None, end="hand-over", status=None, **body):
        api = api or self.api
        got, _, answer = api.request("POST", f"/api/users/{user}/{end}", body)
        self.assertIn(got, (status,) if status else (200, 202), answer)
        until = time.monotonic() + 120
        while got == 202 and answer["state"] == "running" and time.monotonic() < until:
            time.sleep(0.05)
            answer = api.want(200, "GET", f"/api/users/{user}/hand-over")["hand_over"]
        return answer

    def undo(self, operation):
        got, _, answer = self.api.request("POST", f"/api/operations/{operation}/undo", {})
        self.assertIn(got, (200, 202), answer)
        until = time.monotonic() + 120
        while answer["undo"]["state"] == "running" and time.monotonic() < until:
            time.sleep(0.05)
            answer = self.api.want(200, "GET", f"/api/operations/{operation}/undo")
        return answer["undo"]


class HandingOver(People):
    def test_all_of_it_to_one(self):
        ana, ana_api = self.person()
        luis, _ = self.person()
        boss, _ = self.person(manager=ana)
        company = self.create("companies", {"name": "Hers"}, ana_api)
        contact = self.create("contacts", {"name": "Hers too"}, ana_api)
        call = self.create("tasks", {"subject": "Open", "kind": "call"}, ana_api)
        done = self.create("tasks", {"subject": "Done", "kind": "call"}, ana_api)
        ana_api.want(200, "POST", f"/api/tasks/{done}/close", {"outcome": "success"})
        gone = self.create("companies", {"name": "Deleted"}, ana_api)
        ana_api.want(204, "DELETE", f"/api/companies/{gone}")
        group = self.create("groups", {"name": "Sellers", "members": [ana]})
        self.assertEqual(self.charge(ana), {"companies": 1, "contacts": 1, "tasks": 1, "groups": 1, "users": 1})
        answer = self.hand_over(ana, to=[luis])
        self.assertEqual((answer["state"], answer["changed"], answer["refused"], answer["all"]), ("done", 5, 0, 5))
        self.assertEqual([self.owner(*one) for one in (("companies", company), ("contacts", contact), ("tasks", call), ("tasks", done), ("companies", gone))],
                         [luis, luis, luis, ana, ana])
        self.assertEqual([m["id"] for m in self.get("groups", group)["members"]], [luis])
        self.assertEqual(self.get("users", boss)["manager"]["id"], luis)
        self.assertTrue(self.get("users", ana)["active"])
        self.assertEqual(self.charge(ana), {})
        # One operation, which says so on the card of whom it is of, and can be undone.
        got = self.api.want(200, "GET", f"/api/operations/{answer['operation']}")
        self.assertEqual(got["counts"], {"handed_over": 1, "assigned": 3, "edited": 2})
        said = self.api.want(200, "GET", f"/api/users/{ana}/history?limit=1")["items"][0]
        self.assertEqual((said["kind"], [t["id"] for t in said["handed"]["to"]]), ("handed_over", [luis]))
        undo = self.undo(answer["operation"])
        self.assertEqual((undo["changed"], undo["kept"], undo["refused"]), (5, 0, 0))
        self.assertEqual([self.owner("companies", company), self.owner("tasks", call)], [ana, ana])
        self.assertEqual([m["id"] for m in self.get("groups", group)["members"]], [ana])

    def test_chosen_modules_in_turn(self):
        ana, ana_api = self.person()
        heirs = [self.person()[0] for _ in range(3)]
        companies = [self.create("companies", {"name": f"Turn {i}"}, ana_api) for i in range(6)]
        contact = self.create("contacts", {"name": "Stays"}, ana_api)
        answer = self.hand_over(ana, to=heirs, modules=["companies"])
        self.assertEqual(answer["changed"], 6)
        self.assertEqual([self.owner("companies", c) for c in companies], heirs * 2)
        self.assertEqual(self.owner("contacts", contact), ana)

    def test_what_is_refused(self):
        ana, ana_api = self.person()
        luis, luis_api = self.person()
        idle, _ = self.person()
        self.api.want(200, "PATCH", f"/api/users/{idle}", {"active": False})
        lea, lea_api = self.person("read_only")
        for body in ({"to": []}, {"to": [ana]}, {"to": [idle]}, {"to": [10**9]}, {"to": ["x"]}, {"to": [luis], "modules": ["nothing"]},
                     {"to": [luis], "modules": ["lines"]}, {"to": luis}, {}):
            self.hand_over(ana, status=422, **body)
        self.hand_over(10**9, status=404, to=[luis])
        self.hand_over(ana, lea_api, status=403, to=[luis])
        luis_api.want(403, "POST", f"/api/users/{ana}/deactivate", {})
        luis_api.want(403, "POST", f"/api/users/{ana}/activate", {})
        self.hand_over(ana, luis_api, to=[luis], modules=["companies"])  # a member may give away what they may change
        self.hand_over(ana, luis_api, status=422, to=[luis], modules=["groups"])

    def test_each_record_is_checked(self):
        """Whoever sees their own and their subordinates' records hands over those, to whom they may give them."""
        top = self.create("roles", {"name": "Top"})
        below = self.create("roles", {"name": "Below", "parent": top})
        other = self.create("roles", {"name": "Other"})
        profile = self.create("profiles", {"name": "Sellers", "companies": ["view", "create", "edit"]})
        key = f"p{profile}"
        chief, chief_api = self.person(key, role=top)
        one, one_api = self.person(key, role=below)
        two, _ = self.person(key, role=below)
        far, far_api = self.person(key, role=other)
        hers = [self.create("companies", {"name": f"Below {i}"}, one_api) for i in range(3)]
        self.create("companies", {"name": "Far"}, far_api)
        self.assertEqual(self.charge(one, chief_api), {"companies": 3})
        self.assertEqual(self.charge(far, chief_api), {})
        refused = self.hand_over(one, chief_api, to=[far])
        self.assertEqual((refused["changed"], refused["refused"]), (0, 3))
        self.assertEqual({t["fate"] for t in refused["told"]}, {"refused"})
        self.assertEqual(self.hand_over(one, chief_api, to=[two])["changed"], 3)
        self.assertEqual({self.owner("companies", c) for c in hers}, {two})
        self.assertEqual(self.hand_over(far, chief_api, to=[two])["changed"], 0)
        # The list of those who can be put in charge offers those alone.
        browser = self.browser(self.get("users", chief)["email"], "another test password")
        offered = browser.get("/companies").source.partition('<select name="user"')[2].partition("</select>")[0]
        for user, there in ((chief, True), (one, True), (two, True), (far, False)):
            self.assertEqual(f'value="{user}"' in offered, there, offered)

    def test_long_work_is_not_for_keys_that_are_for_less(self):
        """Its later slices have the rights of a person, not those of a key."""
        ana, ana_api = self.person()
        luis, _ = self.person()
        company = self.create("companies", {"name": "By key"}, ana_api)
        done = self.hand_over(ana, to=[luis])
        for given in (("--scope", "write"), ("--scope", "read"), ("--scope", "write", "--modules", "companies")):
            api = self.server.api(self.server.command("token", "add", ADMINISTRATOR, *given)[1].strip().splitlines()[-1])
            self.assertEqual(api.request("POST", f"/api/operations/{done['operation']}/undo", {})[0], 403)
            self.assertIn(api.request("POST", f"/api/users/{luis}/hand-over", {"to": [ana]})[0], (403, 404))
        self.assertEqual(self.owner("companies", company), luis)

    def test_many_survive_a_kill(self):
        ana, ana_api = self.person()
        luis, _ = self.person()
        rows = "Name\n" + "".join(f"Hers {i}\n" for i in range(1200))
        status, _, answer = self.api.request("POST", "/api/import/companies?name=hers.csv", rows.encode(), {"Content-Type": "text/csv"})
        self.assertIn(status, (200, 202), answer)
        until = time.monotonic() + 120
        while self.charge(1).get("companies", 0) < 1200 and time.monotonic() < until:
            time.sleep(0.1)
        self.hand_over(1, to=[ana], modules=["companies"])
        self.assertEqual(self.charge(ana)["companies"], 1200)
        self.api.want(202, "POST", f"/api/users/{ana}/deactivate", {"to": [luis]})
        self.assertFalse(self.get("users", ana)["active"])
        self.hand_over(ana, status=409, to=[luis])
        self.server.kill()
        self.server.start()
        type(self).api = self.server.api(self.api.key)
        until = time.monotonic() + 120
        while self.charge(ana) and time.monotonic() < until:
            time.sleep(0.1)
        while self.api.want(200, "GET", f"/api/users/{ana}/hand-over")["hand_over"]["state"] == "running" and time.monotonic() < until:
            time.sleep(0.05)
        answer = self.api.want(200, "GET", f"/api/users/{ana}/hand-over")["hand_over"]
        self.assertEqual((answer["state"], answer["changed"], answer["refused"]), ("done", 1200, 0))
        self.assertEqual(self.api.want(200, "GET", f"/api/operations/{answer['operation']}")["counts"],
                         {"handed_over": 1, "assigned": 1200, "edited": 1, "key_revoked": 1})
        self.assertEqual(self.undo(answer["operation"])["changed"], 1201)
        self.assertTrue(self.get("users", ana)["active"])
        self.assertEqual(self.charge(ana), {"companies": 1200})


class Leaving(People):
    def test_sessions_and_keys_end_at_once(self):
        ana, ana_api = self.person()
        browser = self.browser(self.get("users", ana)["email"], "another test password")
        self.assertEqual(browser.get("/companies").status, 200)
        self.assertEqual(self.hand_over(ana, end="deactivate")["state"], "done")
        self.assertEqual(ana_api.request("GET", "/api/companies")[0], 401)
        self.assertNotIn("/companies", browser.get("/companies").source.split("<title>")[0][:10])
        self.assertIn("/sign-in", [f.action for f in browser.get("/companies").forms])
        kinds = [e["kind"] for e in self.api.want(200, "GET", f"/api/users/{ana}/history")["items"]]
        self.assertEqual(kinds.count("key_revoked"), 1)
        # Active again, they sign in again: what was ended stays ended.
        self.assertTrue(self.api.want(200, "POST", f"/api/users/{ana}/activate", {})["active"])
        self.assertEqual(ana_api.request("GET", "/api/companies")[0], 401)
        self.assertIn("/sign-in", [f.action for f in browser.get("/companies").forms])
        self.browser(self.get("users", ana)["email"], "another test password")

    def test_the_same_by_an_ordinary_change(self):
        ana, ana_api = self.person()
        self.api.want(200, "PATCH", f"/api/users/{ana}", {"active": False})
        self.assertEqual(ana_api.request("GET", "/api/companies")[0], 401)
        self.api.want(200, "PATCH", f"/api/users/{ana}", {"active": True})
        self.assertEqual(ana_api.request("GET", "/api/companies")[0], 401)

    def test_the_last_administrator_stays(self):
        second, _ = self.person("administrator")
        admin = self.api.want(200, "GET", f"/api/users?filter[email][eq]={ADMINISTRATOR}")["items"][0]["id"]
        self.api.want(200, "PATCH", f"/api/users/{second}", {"active": False})
        for body in ({"active": False}, {"profile": "member"}, {"active": False, "profile": "member"}):
            answer = self.api.want(422, "PATCH", f"/api/users/{admin}", body)
            self.assertIn("último", answer["detail"])
        self.hand_over(admin, end="deactivate", status=422)
        self.assertTrue(self.get("users", admin)["active"])
        self.api.want(200, "PATCH", f"/api/users/{second}", {"active": True})
        self.api.want(200, "PATCH", f"/api/users/{second}", {"profile": "member"})

    def test_nobody_deactivates_themselves(self):
        boss, boss_api = self.person("administrator")
        luis, _ = self.person()
        company = self.create("companies", {"name": "Hers"}, boss_api)
        for body in ({}, {"to": [luis]}):
            answer = self.hand_over(boss, boss_api, "deactivate", 422, **body)
            self.assertIn("a sí mismo", answer["detail"])
        boss_api.want(422, "PATCH", f"/api/users/{boss}", {"active": False})
        self.assertTrue(self.get("users", boss, boss_api)["active"])
        self.assertEqual(self.owner("companies", company), boss)
        browser = self.browser(self.get("users", boss)["email"], "another test password")
        self.assertNotIn(f"/users/{boss}/deactivate", browser.get(f"/users/{boss}").links)
        page = browser.get(f"/users/{boss}/deactivate")
        self.assertIn("Nobody can deactivate themselves", page.text)
        self.assertFalse([f for f in page.forms if f.action.endswith("/deactivate")])
        self.assertEqual(self.hand_over(boss, end="deactivate", to=[luis])["state"], "done")
        self.assertEqual(self.owner("companies", company), luis)

    def test_nobody_is_deleted(self):
        ana, _ = self.person()
        answer = self.api.want(400, "DELETE", f"/api/users/{ana}")
        self.assertIn("no se eliminan", answer["detail"])
        self.assertEqual(self.api.want(200, "POST", "/api/users/bulk", {"do": "delete", "id": [ana]})["changed"], 0)
        self.assertNotIn(f"/users/{ana}/delete", self.browser().get(f"/users/{ana}").links)

    def test_deactivated_twice(self):
        ana, _ = self.person()
        self.hand_over(ana, end="deactivate")
        self.hand_over(ana, end="deactivate", status=409)

    def test_who_is_not_active_is_offered_to_nobody_but_found(self):
        ana, ana_api = self.person()
        name = self.get("users", ana)["name"]
        self.create("companies", {"name": "Hers to find"}, ana_api)
        browser = self.browser()
        self.assertIn(name, browser.get("/companies").text)
        self.hand_over(ana, end="deactivate")
        form = browser.get("/contacts/new")
        self.assertNotIn(f'value="{ana}"', form.source)
        select = browser.get("/contacts").source.partition('name="user"')[2].partition("</select>")[0]
        self.assertNotIn(f'"{ana}"', select)
        self.assertIn(f'"{ana}"', browser.get("/history").source.partition('name="user"')[2].partition("</select>")[0])
        self.assertIn("not active", browser.get("/history").text)
        found = self.api.want(200, "GET", f"/api/history?user={ana}")["items"]
        self.assertTrue([e for e in found if e["module"] == "companies"])

    def test_the_page(self):
        ana, ana_api = self.person()
        luis, _ = self.person()
        company = self.create("companies", {"name": "On the page"}, ana_api)
        browser = self.browser()
        card = browser.get(f"/users/{ana}")
        self.assertIn(f"/users/{ana}/deactivate", card.links)
        self.assertIn(f"/users/{ana}/hand-over", card.links)
        page = browser.get(f"/users/{ana}/deactivate")
        self.assertEqual(page.wrong, [])
        self.assertIn("Companies", page.text)
        page = browser.submit(f"/users/{ana}/deactivate", {"to": str(luis)})
        self.assertIn("Everything is handed over", page.text)
        self.assertEqual(self.owner("companies", company), luis)
        self.assertFalse(self.get("users", ana)["active"])
        answer = self.api.want(200, "GET", f"/api/users/{ana}/hand-over")["hand_over"]
        self.assertIn(f"/operations/{answer['operation']}", page.links)
        page = browser.get(f"/operations/{answer['operation']}")
        self.assertIn(f"/operations/{answer['operation']}/undo", page.links)
        page = browser.get(f"/operations/{answer['operation']}/undo")
        self.assertEqual(page.wrong, [])
        self.assertIn("On the page", page.text)
        page = browser.submit(f"/operations/{answer['operation']}/undo")
        self.assertIn("The operation is undone", page.text)
        self.assertEqual(self.owner("companies", company), ana)
        self.assertTrue(self.get("users", ana)["active"])


class Invited(People):
    def invite(self, **values):
        People.number += 1
        body = {"name": "New Person", "email": f"invited{People.number}@example.org", "profile": "member", "active": True, "invite": True, **values}
        made = self.api.want(201, "POST", "/api/users", body)
        return made["id"], "/" + made["invitation"]["url"].split("/", 3)[3], body["email"]

    def kinds(self, user):
        return [e["kind"] for e in self.api.want(200, "GET", f"/api/users/{user}/history")["items"]]

    def test_the_whole_way(self):
        user, path, email = self.invite(language="pl")
        self.assertEqual(self.get("users", user)["state"], "invited")
        self.assertIn(user, [u["id"] for u in self.api.want(200, "GET", "/api/users?filter[state][eq]=invited")["items"]])
        self.assertEqual(self.kinds(user), ["invited", "created"])
        self.assertEqual(self.api.want(200, "GET", f"/api/users/{user}/invitation")["state"], "invited")
        browser = self.browser(None)
        page = browser.get(path)
        self.assertEqual((page.status, page.wrong), (200, []))
        self.assertIn('lang="pl"', page.source)  # theirs, whatever the browser says
        self.assertEqual(browser.submit(path, {"name": "Zofia", "password": "short", "again": "short"}).status, 422)
        self.assertEqual(browser.submit(path, {"name": "Zofia", "password": "a long password", "again": "another one"}).status, 422)
        self.assertEqual(self.get("users", user)["state"], "invited")
        page = browser.submit(path, {"name": "Zofia Nowak", "password": "a long password", "again": "a long password"})
        self.assertEqual(page.status, 200)
        self.assertIn("Zofia Nowak", page.source)  # signed in, at home
        now = self.get("users", user)
        self.assertEqual((now["state"], now["name"]), ("active", "Zofia Nowak"))
        self.assertEqual(self.kinds(user)[:4], ["signed_in", "edited", "invitation_accepted", "invited"])
        # Used once.
        self.assertEqual(self.browser(None).get(path).status, 404)
        self.browser(email, "a long password")
        self.api.want(409, "POST", f"/api/users/{user}/invitation", {})  # who has a password needs none
        self.server.command("rebuild", "--check")

    def test_the_secret_is_nowhere(self):
        user, path, _ = self.invite()
        token = path.rsplit("/", 1)[1]
        self.assertEqual(len(token), 43)
        for asked in (f"/api/users/{user}", f"/api/users/{user}/history", f"/api/users/{user}/invitation", "/api/history", "/api/events"):
            self.assertNotIn(token, str(self.api.want(200, "GET", asked)))
        self.assertNotIn(token, self.server.log_tail(2000))
        self.assertEqual(self.browser(None).get("/invitation/" + "x" * 43).status, 404)

    def test_a_new_link_ends_the_one_before(self):
        user, first, _ = self.invite()
        made = self.api.want(201, "POST", f"/api/users/{user}/invitation", {})["made"]
        second = "/" + made["url"].split("/", 3)[3]
        self.assertEqual(self.browser(None).get(first).status, 404)
        self.assertEqual(self.browser(None).get(second).status, 200)
        self.assertEqual(self.kinds(user)[:2], ["invited", "invitation_ended"])
        self.api.want(204, "DELETE", f"/api/users/{user}/invitation")
        self.assertEqual(self.browser(None).get(second).status, 404)
        self.assertIsNone(self.api.want(200, "GET", f"/api/users/{user}/invitation")["expires_at"])

    def test_who_is_deactivated_can_not_accept(self):
        user, path, _ = self.invite()
        self.hand_over(user, end="deactivate")
        self.assertEqual(self.get("users", user)["state"], "inactive")
        self.assertEqual(self.browser(None).get(path).status, 404)
        self.api.want(409, "POST", f"/api/users/{user}/invitation", {})
        self.api.want(200, "POST", f"/api/users/{user}/activate", {})
        self.assertEqual(self.browser(None).get(path).status, 404)

    def test_a_password_of_the_administrator_takes_its_place(self):
        user, path, email = self.invite()
        self.api.want(204, "POST", f"/api/users/{user}/password", {"password": "given by hand"})
        self.assertEqual(self.get("users", user)["state"], "active")
        self.assertEqual(self.browser(None).get(path).status, 404)
        self.browser(email, "given by hand")

    def test_two_accept_one_is_let_in(self):
        user, path, _ = self.invite()
        one, two = self.browser(None), self.browser(None)
        one.get(path)
        two.get(path)
        sent = {"name": "Once", "password": "a long password", "again": "a long password"}
        self.assertEqual([one.submit(path, sent).status, two.submit(path, sent).status], [200, 404])
        self.assertEqual(self.kinds(user).count("invitation_accepted"), 1)

    def test_by_the_page(self):
        browser = self.browser()
        browser.get("/users/new")
        page = browser.submit("/users", {"name": "By page", "email": "bypage@example.org", "profile": "member", "invite": "1"})
        self.assertEqual((page.status, page.wrong), (201, []))
        user = self.api.want(200, "GET", "/api/users?filter[email][eq]=bypage@example.org")["items"][0]["id"]
        path = "/invitation/" + page.source.partition("/invitation/")[2][:43]
        self.assertIn("mailto:bypage%40example.org?subject=", page.source)
        self.assertEqual(self.browser(None).get(path).status, 200)
        self.assertNotIn(path, browser.get(f"/users/{user}/invitation").source)  # only once
        self.assertIn(f"/users/{user}/invitation", browser.get(f"/users/{user}").links)
        found = browser.get("/users?filter[state][eq]=invited")
        self.assertIn("Invited, not yet accepted", found.text)
        self.assertIn("By page", found.text)

    def test_only_who_manages_users_invites(self):
        _, api = self.person()
        user, _, _ = self.invite()
        self.assertEqual(api.request("POST", "/api/users", {"name": "x", "email": "x@example.org", "invite": True})[0], 403)
        for method in ("GET", "POST", "DELETE"):
            self.assertEqual(api.request(method, f"/api/users/{user}/invitation", None if method == "GET" else {})[0], 403)

    def test_who_has_yet_to_accept_is_no_last_administrator(self):
        self.invite(profile="administrator")
        self.assertEqual(self.api.request("PATCH", "/api/users/1", {"profile": "member"})[0], 422)


class PeopleLists(Story):
    """The lists of users, profiles, roles, levels and groups: with a button that leads to the form, roles as a tree."""

    def rows(self, path, browser=None):
        page = (browser or self.visitor).get(path)
        self.assertEqual((200, []), (page.status, page.wrong))
        body = page.source[page.source.index("<tbody>"):page.source.index("</tbody>")]
        return [(re.search(r'<a href="[^"]+">([^<]*)</a></th>', row).group(1), row) for row in body.split("<tr ")[1:]]

    def setUp(self):
        self.visitor = self.browser(language="es")

    def test_each_row_leads_to_its_form(self):
        level = self.api.want(201, "POST", "/api/levels", {"name": "Segunda línea", "description": "Lo que no sabe la primera"})["id"]
        row = dict(self.rows("/levels"))["Segunda línea"]
        for text in ("Lo que no sabe la primera", "Administrator", f'href="/levels/{level}/edit"', 'aria-label="Editar Segunda línea"'):
            self.assertIn(text, row)
        # Where there is no room for columns, dates and people say what they are.
        self.assertIn('data-label="Creado el"', row)
        self.assertIn('data-label="Creado por"', row)
        self.assertEqual(200, self.visitor.get(f"/levels/{level}/edit").status)
        for path in ("/users", "/levels"):
            self.assertIn('<th scope="col" class="edit">', self.visitor.get(path).source)
        # Not of what is deleted, nor of what one works with, nor for who may only look.
        self.assertNotIn('class="edit"', self.visitor.get("/levels?deleted=1").source)
        self.api.want(201, "POST", "/api/contacts", {"name": "Ana"})
        source = self.visitor.get("/contacts").source
        self.assertNotIn('class="edit"', source)
        self.assertNotIn("data-label", source)
        self.user("looks@example.org")
        member = self.browser("looks@example.org", "another test password", "es")
        page = member.get("/users")
        self.assertEqual(200, page.status)
        self.assertNotIn('class="edit"', page.source)

    def test_what_users_have_is_in_their_list(self):
        self.api.want(201, "POST", "/api/roles", {"name": "Soporte"})
        user, _ = self.user("listed@example.org", role=self.api.want(200, "GET", "/api/roles?filter[name][eq]=Soporte")["items"][0]["id"])
        self.browser("listed@example.org", "another test password")
        row = dict(self.rows("/users"))["Listed"]
        for label in ("Nivel", "Rol", "Último acceso"):
            self.assertIn(f'data-label="{label}"', row)
        for text in ("Miembro", "Soporte", "Activo", f'href="/users/{user}/edit"'):
            self.assertIn(text, row)

    def test_roles_are_a_tree(self):
        ids = {}
        for name, parent in (("Ventas Sur", None), ("Dirección", None), ("Ventas", "Dirección"), ("Ámbar", "Ventas"), ("Zona norte", "Ventas"),
                             ("Administración", "Dirección")):
            ids[name] = self.api.want(201, "POST", "/api/roles", {"name": name, "parent": ids.get(parent)})["id"]
        self.api.want(200, "PATCH", f"/api/roles/{ids['Ventas Sur']}", {"parent": ids["Ventas"]})

        def tree(path):
            return [("·" * row.count('class="indent"')) + name for name, row in self.rows(path) if name in ids]
        whole = ["Dirección", "·Administración", "·Ventas", "··Ámbar", "··Ventas Sur", "··Zona norte"]
        self.assertEqual(whole, tree("/roles"))
        self.assertEqual(whole, tree("/roles?columns=name,parent"))
        self.assertEqual(sorted(ids, reverse=True), sorted(tree("/roles?sort=-name"), reverse=True))  # as asked for: no tree
        self.assertEqual(["Ámbar", "Ventas Sur", "Zona norte"], sorted(tree(f"/roles?filter[parent][eq]={ids['Ventas']}"), key=lambda n: n.replace("Á", "A")))

    def test_lists_have_an_order_of_their_own(self):
        for name, rank in (("Laboratorio", 3), ("Ventanilla", 1), ("Asesoría", 2), ("Sin orden", None)):
            self.api.want(201, "POST", "/api/levels", {"name": name, "rank": rank})
        mine = ("Sin orden", "Ventanilla", "Asesoría", "Laboratorio")

        def names(path):
            return [name for name, row in self.rows(path) if name in mine]
        self.assertEqual(list(mine), names("/levels"))
        self.assertEqual(list(mine), [level["name"] for level in self.api.want(200, "GET", "/api/levels")["items"] if level["name"] in mine])
        self.assertEqual(["Asesoría", "Laboratorio", "Sin orden", "Ventanilla"], names("/levels?sort=name"))
        self.assertIn('aria-sort="ascending"', self.visitor.get("/levels").source)
        # What is worked with: the newest change first, and of what was deleted what went last.
        for level in self.api.want(200, "GET", "/api/levels")["items"]:
            if level["name"] in ("Ventanilla", "Laboratorio"):
                self.api.want(204, "DELETE", f"/api/levels/{level['id']}")
        self.assertEqual(["Laboratorio", "Ventanilla"], names("/levels?deleted=1"))
        for name in ("Zoe", "Ana"):
            self.api.want(201, "POST", "/api/companies", {"name": name})
        self.assertEqual(["Ana", "Zoe"], [name for name, row in self.rows("/companies")][:2])

    def test_what_comes_with_the_program_is_told_where_nothing_is(self):
        self.assertIn("Administrador, Miembro y Solo lectura vienen con el programa.", self.visitor.get("/profiles").text)


if __name__ == "__main__":
    unittest.main()
