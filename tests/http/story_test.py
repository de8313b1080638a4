"""The story of a record: comments said and unsaid, who is mentioned and told, files with what is said, what of it is shown."""

import http.client
import json
import time
import unittest
from urllib.parse import quote, urlencode

from harness import Story, Stream

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082")


class Cards(Story):
    def card(self, **values):
        return f"/api/contacts/{self.api.want(201, 'POST', '/api/contacts', {'name': 'Ana Story', **values})['id']}"

    def say(self, path, text, api=None, **more):
        return (api or self.api).want(201, "POST", f"{path}/comments", {"text": text, **more})["position"]

    def story(self, path, query="", api=None):
        return (api or self.api).want(200, "GET", f"{path}/history{query}")["items"]

    def log_checks(self):
        """The log proves itself, and every table is what it says."""
        for arguments in (("verify",), ("rebuild", "--check")):
            self.server.command(*arguments)


class Comments(Cards):
    def test_line_breaks_and_what_people_count(self):
        path = self.card()
        family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
        self.say(path, "first\n\nsecond")
        self.say(path, family * 5000)
        self.assertEqual(["second", "first"], self.story(path, "?kind=comments")[1]["text"].split("\n\n")[::-1])
        code, problem = self.api.request("POST", f"{path}/comments", {"text": family * 5001})[::2]
        self.assertEqual(422, code)
        self.assertIn("5000", json.dumps(problem))

    def test_deleted_by_its_author_for_good(self):
        path = self.card()
        secret = f"zanahoria{time.monotonic_ns()}"
        _, author = self.user("author@example.org")
        _, other = self.user("other@example.org")
        position = self.say(path, f"the word is {secret}", author)
        self.assertEqual(403, other.request("DELETE", f"{path}/comments/{position}")[0])
        author.want(204, "DELETE", f"{path}/comments/{position}")
        trace, comment = self.story(path)[:2]
        self.assertEqual(("comment_deleted", position, "Author"), (trace["kind"], trace["comment"], trace["actor"]["name"]))
        self.assertEqual(("commented", True), (comment["kind"], comment["text_erased"]))
        self.assertNotIn("text", comment)
        for where in (f"{path}/history", f"/api/log/{position}", "/api/history", f"/api/search?q={secret}", "/api/events?limit=1000",
                      f"{path}/history/export.csv", f"{path}/history?text={secret}"):
            self.assertNotIn(secret, json.dumps(self.api.request("GET", where)[2], default=str), where)
        for again in (author, self.api):
            self.assertEqual(404, again.request("DELETE", f"{path}/comments/{position}")[0])
        self.log_checks()

    def test_an_administrator_may_and_nothing_else_is_deleted(self):
        path = self.card()
        _, member = self.user("said@example.org")
        position = self.say(path, "said", member)
        elsewhere = self.card()
        self.assertEqual(404, self.api.request("DELETE", f"{elsewhere}/comments/{position}")[0])
        created = self.story(path)[-1]["position"]
        self.assertEqual(404, self.api.request("DELETE", f"{path}/comments/{created}")[0])
        self.assertEqual(404, self.api.request("DELETE", f"{path}/comments/{position + 100000}")[0])
        self.api.want(204, "DELETE", f"{path}/comments/{position}")

    def test_from_the_page_with_links_and_a_menu(self):
        path = self.card()
        page = path.removeprefix("/api")
        visitor = self.browser()
        visitor.get(page)
        visitor.submit(f"{page}/comments", {"text": "See https://example.org/a?b=1&c=(2), <b>now</b>. javascript:alert(1) http://x"})
        source = visitor.page.source
        self.assertIn('href="https://example.org/a?b=1&amp;c=(2)" rel="noopener nofollow"', source)
        self.assertIn(', &lt;b&gt;now&lt;/b&gt;. javascript:alert(1) ', source)
        self.assertNotIn('href="javascript', source)
        position = self.story(path)[0]["position"]
        visitor.submit(f"{page}/comments/{position}/delete")
        self.assertEqual(page, visitor.path)
        self.assertIn("deleted a comment", visitor.page.text)
        self.assertNotIn("https://example.org/a", visitor.page.source)
        self.assertEqual([], [f.action for f in visitor.page.forms if f.action.endswith(f"{position}/delete")])

    def test_who_may_not_delete_has_no_menu(self):
        path = self.card()
        position = self.say(path, "of the administrator")
        _, _ = self.user("reader@example.org")
        visitor = self.browser("reader@example.org", "another test password")
        visitor.get(path.removeprefix("/api"))
        self.assertIn("of the administrator", visitor.page.text)
        self.assertNotIn(f"comments/{position}/delete", visitor.page.source)

    def test_what_is_erased_is_told_so_without_what_proves_it(self):
        path = self.card()
        position = self.say(path, "gone")
        self.api.want(204, "DELETE", f"{path}/comments/{position}")
        text = json.dumps(self.story(path))
        self.assertNotIn('"mac"', text)
        self.assertNotIn('"salt"', text)


class Mentions(Cards):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lucia, cls.as_lucia = cls.user("lucia@example.org", name="Lucía Núñez")
        cls.short, cls.as_short = cls.user("lu@example.org", name="Lucía")
        cls.plain, cls.as_plain = cls.user("plain@example.org", name="Plain Reader", profile="read_only")

    def test_by_name_however_it_is_written(self):
        path = self.card()
        self.say(path, "Look, @lucia nunez: done. And @LUCÍA, too. mail@lucia is none, nor is @nobody")
        event = self.story(path)[0]
        self.assertEqual("Look, @Lucía Núñez: done. And @Lucía, too. mail@lucia is none, nor is @nobody", event["text"])
        self.assertEqual([{"id": self.lucia, "name": "Lucía Núñez"}, {"id": self.short, "name": "Lucía"}], event["mentions"])

    def test_the_name_of_the_day_with_the_link_of_today(self):
        path = self.card()
        user, _ = self.user("renamed@example.org", name="Before Change")
        self.say(path, "@Before Change, please")
        self.api.want(200, "PATCH", f"/api/users/{user}", {"name": "After Change"})
        visitor = self.browser()
        visitor.get(path.removeprefix("/api"))
        self.assertIn(f'<a class="mention" href="/users/{user}">@Before Change</a>', visitor.page.source)

    def test_one_of_several_with_a_name(self):
        path = self.card()
        first, _ = self.user("twin1@example.org", name="Twin Name")
        second, _ = self.user("twin2@example.org", name="Twin Name")
        code, problem = self.api.request("POST", f"{path}/comments", {"text": "@Twin Name"}, {"Accept-Language": "en"})[::2]
        self.assertEqual(422, code)
        self.assertIn("Several people", json.dumps(problem))
        self.say(path, "@Twin Name", mentions=[second, self.lucia])
        self.assertEqual([second], [one["id"] for one in self.story(path)[0]["mentions"]])
        self.assertNotEqual(first, second)

    def test_who_may_not_see_the_record_is_neither_offered_nor_mentioned(self):
        record = f"/api/users/{self.lucia}"
        names = [one["name"] for one in self.api.want(200, "GET", f"{record}/comments/people?q=luci")["items"]]
        self.assertEqual(["Lucía", "Lucía Núñez"], names)
        level = "/api/fields"
        made = self.api.request("POST", "/api/settings/modules/contacts/fields", {"label": "Own thing", "type": "text"})
        self.assertEqual(201, made[0])
        fields = self.api.want(200, "GET", level)["items"]
        field = f"{level}/{fields[0]['id']}"
        self.assertEqual([], self.api.want(200, "GET", f"{field}/comments/people?q=luci")["items"])
        code, problem = self.api.request("POST", f"{field}/comments", {"text": "@Lucía Núñez"}, {"Accept-Language": "en"})[::2]
        self.assertEqual(422, code)
        self.assertIn("Lucía Núñez may not see this", json.dumps(problem, ensure_ascii=False))

    def test_the_inactive_are_not_offered(self):
        path = self.card()
        user, _ = self.user("left@example.org", name="Somebody Gone")
        self.assertEqual(1, len(self.api.want(200, "GET", f"{path}/comments/people?q=somebody")["items"]))
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        self.assertEqual(0, len(self.api.want(200, "GET", f"{path}/comments/people?q=somebody")["items"]))
        self.say(path, "@Somebody Gone")
        self.assertNotIn("mentions", self.story(path)[0])
        self.assertEqual(403, self.as_plain.request("GET", f"{path}/comments/people?q=x")[0])


class Notifications(Cards):
    def told(self, api, query=""):
        return api.want(200, "GET", f"/api/notifications{query}")

    def test_told_once_and_read(self):
        user, api = self.user("told@example.org", name="Told Person")
        path = self.card(name="Card of Told")
        position = self.say(path, "@Told Person and again @told person")
        self.assertEqual(0, self.told(self.api)["unread"], "who wrote it knows")
        told = self.told(api)
        self.assertEqual(1, told["unread"])
        item = told["items"][0]
        self.assertEqual((position, "contacts", "Card of Told", False, "mention"),
                         (item["position"], item["module"], item["name"], item["read"], item["kind"]))
        self.assertEqual(0, self.api.want(200, "POST", "/api/notifications/read", {"position": position})["unread"])
        self.assertEqual(1, self.told(api)["unread"], "what another person says they read is theirs")
        self.assertEqual(0, api.want(200, "POST", "/api/notifications/read", {"position": position})["unread"])
        self.assertTrue(self.told(api)["items"][0]["read"])
        self.assertEqual([], self.told(api, "?unread=1")["items"])
        self.assertTrue(user)

    def test_read_one_by_one_and_all(self):
        _, api = self.user("many@example.org", name="Many Told")
        path = self.card()
        positions = [self.say(path, f"@Many Told {i}") for i in range(6)]
        read = lambda **body: api.want(200, "POST", "/api/notifications/read", body)["unread"]
        self.assertEqual([5, 4, 4, 3], [read(position=positions[i]) for i in (3, 0, 0, 1)])
        unread = [item["position"] for item in self.told(api, "?unread=true")["items"]]
        self.assertEqual([positions[i] for i in (5, 4, 2)], unread)
        self.assertEqual(0, read(all=True))
        self.assertEqual(1, len([self.say(path, "@Many Told once more")]))
        self.assertEqual(1, self.told(api)["unread"])
        self.assertEqual(422, api.request("POST", "/api/notifications/read", {})[0])
        first = self.told(api, "?limit=4")
        rest = self.told(api, f"?limit=4&before={first['next']}")
        self.assertEqual(7, len({item["position"] for item in first["items"] + rest["items"]}))

    def test_nothing_of_what_may_no_longer_be_seen(self):
        user, api = self.user("loses@example.org", name="Loses Rights", profile="administrator")
        made = self.api.request("POST", "/api/settings/modules/companies/fields", {"label": "Secret plan", "type": "text"})
        self.assertEqual(201, made[0])
        field = self.api.want(200, "GET", "/api/fields")["items"][0]["id"]
        self.say(f"/api/fields/{field}", "@Loses Rights the secret plan")
        card = self.card(name="Deleted Later")
        self.say(card, "@Loses Rights a second")
        self.assertEqual(2, self.told(api)["unread"])
        self.api.want(200, "PATCH", f"/api/users/{user}", {"profile": "member"})
        told = self.told(api)
        self.assertEqual((1, ["Deleted Later"]), (told["unread"], [item["name"] for item in told["items"]]))
        self.assertNotIn("secret plan", json.dumps(told))
        self.api.want(204, "DELETE", card)
        self.assertEqual((0, []), (self.told(api)["unread"], self.told(api)["items"]))

    def test_a_deleted_comment_is_told_no_more_and_a_rebuild_agrees(self):
        _, api = self.user("unsaid@example.org", name="Unsaid To")
        path = self.card()
        gone, stays = self.say(path, "@Unsaid To gone"), self.say(path, "@Unsaid To stays")
        api.want(200, "POST", "/api/notifications/read", {"position": stays})
        self.api.want(204, "DELETE", f"{path}/comments/{gone}")
        self.assertEqual([(stays, True)], [(i["position"], i["read"]) for i in self.told(api)["items"]])
        self.log_checks()

    def test_the_page_and_the_bell(self):
        self.user("bell@example.org", name="Bell Hearer")
        path = self.card(name="Ringing")
        position = self.say(path, "@Bell Hearer <i>hello</i>")
        for i in range(25):
            self.say(path, f"later {i}")
        visitor = self.browser("bell@example.org", "another test password")
        visitor.get("/")
        self.assertIn('data-bell="1"', visitor.page.source)
        visitor.get("/notifications")
        self.assertIn("mentioned you on Ringing", visitor.page.text)
        self.assertIn("<i>hello</i>", visitor.page.text)
        link = next(link for link in visitor.page.links if f"at={position}" in link)
        self.assertTrue(link.endswith(f"#e{position}"))
        visitor.get(link.split("#")[0])
        self.assertIn(f"e{position}", visitor.page.ids)
        visitor.get("/notifications")
        visitor.submit("/notifications/read", {}, ("position", str(position)))
        self.assertIn('data-bell=""', visitor.page.source)

    def test_the_number_arrives_over_the_stream(self):
        _, api = self.user("stream@example.org", name="Stream Hearer")
        path = self.card()
        for where in ("/api/live?notifications=1", f"/api/live?record=contacts/{path.split('/')[-1]}&notifications=1"):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
            self.addCleanup(connection.close)
            connection.request("GET", where, headers={"Authorization": f"Bearer {api.key}"})
            answer = connection.getresponse()
            self.assertEqual(200, answer.status)

            def numbers(wanted):
                got = []
                while got[-1:] != [wanted]:
                    line = answer.readline().decode()
                    self.assertTrue(line, got)
                    if line.startswith("data:") and "unread" in line:
                        got.append(json.loads(line[5:])["unread"])
                return got

            self.assertEqual([0], numbers(0))
            position = self.say(path, "@Stream Hearer")
            self.assertEqual([1], numbers(1))
            api.want(200, "POST", "/api/notifications/read", {"position": position})
            self.assertEqual([0], numbers(0))
            connection.sock and connection.close()
            answer.close()
        self.assertEqual(403, api.request("GET", "/api/live")[0], "the log itself stays closed")


class Attachments(Cards):
    def keep(self, name, data):
        status, _, made = self.raw("POST", f"/api/files?name={quote(name)}", data, "application/octet-stream")
        self.assertEqual(201, status, made)
        return json.loads(made)

    def raw(self, method, path, body=None, media=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request(method, path, body, {"Authorization": f"Bearer {self.key}", **({"Content-Type": media} if media else {}), **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def test_said_with_files_and_given_out(self):
        path = self.card()
        files = [self.keep("picture ñ.png", PNG), self.keep("notes.txt", b"plain words\n")]
        position = self.say(path, "two files", files=[{"digest": f["digest"], "name": f["name"]} for f in files])
        event = self.story(path, "?kind=documents")[0]
        self.assertEqual((position, ["picture ñ.png", "notes.txt"], [len(PNG), 12]),
                         (event["position"], [f["name"] for f in event["files"]], [f["size"] for f in event["files"]]))
        notes = f"{path}/documents/{files[1]['digest']}"
        status, headers, data = self.raw("GET", notes)
        self.assertEqual((200, b"plain words\n"), (status, data))
        self.assertIn("notes.txt", headers["Content-Disposition"])
        self.assertEqual(404, self.raw("GET", f"{self.card()}/documents/{files[1]['digest']}")[0])
        visitor = self.browser()
        source = visitor.get(path.removeprefix("/api")).source
        for shown in (f'href="{notes.removeprefix("/api")}" data-viewer="text"', "12\N{NO-BREAK SPACE}B</small>", f'{notes.removeprefix("/api")}?download=1" download',
                      f'{notes.removeprefix("/api")}/delete"', f'<img class="thumb" src="{path.removeprefix("/api")}/documents/{files[0]["digest"]}"'):
            self.assertIn(shown, source)
        self.assertEqual(422, self.api.request("POST", f"{path}/comments", {"text": "x", "files": [{"digest": "0" * 64, "name": "no"}]})[0])
        self.api.want(204, "DELETE", f"{path}/comments/{position}")
        self.assertEqual(404, self.raw("GET", notes)[0])
        self.assertEqual(["comment_deleted", "commented"], [e["kind"] for e in self.story(path, "?kind=documents")])
        self.assertEqual(2, self.story(path)[0]["documents"])
        self.log_checks()

    def test_bytes_go_with_the_comment_unless_something_else_has_them(self):
        path, other = self.card(), self.card()
        only, shared = self.keep("only.txt", b"only here\n"), self.keep("shared.txt", b"here and there\n")
        position = self.say(path, "", files=[only, shared, only])
        self.say(other, "the same", files=[shared])
        self.api.want(204, "DELETE", f"{path}/comments/{position}")
        self.assertEqual([404, 404, 200], [self.raw("GET", f"{card}/documents/{one['digest']}")[0]
                                           for card, one in ((path, only), (path, shared), (other, shared))])
        there = lambda one: (self.folder / "data/files" / one["digest"][:2] / one["digest"][2:]).exists()
        self.assertEqual((False, True), (there(only), there(shared)))
        self.assertEqual(422, self.api.request("POST", f"{other}/comments", {"text": "", "files": [only]})[0])
        self.assertNotIn(only["digest"], json.dumps(self.api.want(200, "GET", "/api/history?limit=200")))
        self.log_checks()

    def test_one_of_several_deleted_for_good_and_then_the_comment(self):
        path = self.card()
        first, second = self.keep("first.txt", b"the first of two\n"), self.keep("second.txt", b"the second of two\n")
        position = self.say(path, "both", files=[first, second])
        self.api.want(204, "DELETE", f"{path}/documents/{first['digest']}")
        self.assertEqual(["second.txt"], [f["name"] for f in self.story(path)[1]["files"]])
        self.assertEqual(["file_erased", "commented"], [e["kind"] for e in self.story(path, "?kind=documents")])
        self.api.want(204, "DELETE", f"{path}/comments/{position}")
        self.assertEqual(1, self.story(path)[0]["documents"])
        self.assertNotIn("files", self.story(path)[2])
        self.log_checks()

    def multipart(self, fields, files):
        edge = "----edge"
        out = b""
        for name, value in fields:
            out += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, data in files:
            out += f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
            out += data + b"\r\n"
        return out + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"

    def test_from_the_page_also_when_it_was_refused_first(self):
        path = self.card()
        page = path.removeprefix("/api")
        visitor = self.browser()
        form = visitor.get(page).form(f"{page}/comments")
        self.assertEqual("multipart/form-data", form.enctype)
        fields = [f for f in form.fields if f[0] != "text"]
        body, media = self.multipart([*fields, ("text", "x" * 5001)], [("a.png", PNG), ("b.txt", b"bbb")])
        refused = visitor.send("POST", f"{page}/comments", body, {"Content-Type": media})
        self.assertEqual(422, refused.status)
        kept = [f for f in refused.form(f"{page}/comments").fields if f[0] == "files.kept"]
        self.assertEqual(2, len(kept))
        body, media = self.multipart([*fields, *kept, ("text", "now with words")], [("c.txt", b"ccc")])
        visitor.send("POST", f"{page}/comments", body, {"Content-Type": media})
        self.assertEqual(["a.png", "b.txt", "c.txt"], [f["name"] for f in self.story(path)[0]["files"]])
        self.assertIn("b.txt", visitor.page.text)
        body, media = self.multipart([*fields, ("text", "a program")], [("tool.txt", b"\x7fELF\x02\x01\x01" + bytes(200))])
        self.assertEqual(422, visitor.send("POST", f"{page}/comments", body, {"Content-Type": media}).status)


class Shown(Cards):
    def test_by_what_it_is_about(self):
        deal = f"/api/opportunities/{self.api.want(201, 'POST', '/api/opportunities', {'name': 'Deal', 'stage': 'prospecting'})['id']}"
        number = int(deal.split("/")[-1])
        said = self.say(deal, "said")
        self.api.want(200, "PATCH", deal, {"stage": "proposal"})
        self.api.want(200, "PATCH", deal, {"description": "words", "stage": "negotiation"})
        self.api.want(200, "PATCH", deal, {"description": "other words"})
        tasks = [self.api.want(201, "POST", "/api/tasks", {"subject": f"Task {i}", "opportunity": number})["id"] for i in range(2)]
        self.api.want(200, "PATCH", f"/api/tasks/{tasks[0]}", {"done": True, "outcome": "success"})
        self.api.want(200, "PATCH", f"/api/tasks/{tasks[1]}", {"done": True, "outcome": "failure"})
        p = {e["position"]: e for e in self.story(deal)}
        newest = max(p)
        of = lambda kinds, more="": [e["position"] for e in self.story(deal, f"?kind={kinds}{more}")]
        self.assertEqual([said], of("comments"))
        self.assertEqual([said + 2, said + 1], of("status"))
        self.assertEqual([newest - 1], of("tasks_done"))
        self.assertEqual([newest], of("tasks_failed"))
        self.assertEqual([newest, newest - 1, said + 2, said + 1, said], of("tasks_done,status,comments,tasks_failed"))
        self.assertEqual([], of("calls,correspondence,notes,documents"))
        self.assertEqual(sorted(set(of("status") + of("information")), reverse=True), of("information,status"), "each once")
        self.assertEqual([said + 1, said], of("comments,status", f"&before={said + 2}"))
        self.assertEqual([said + 2, said + 1], of("comments,status", f"&after={said}"))
        self.assertEqual(422, self.api.request("GET", f"{deal}/history?kind=nothing")[0])

    def test_paging_up_and_down_meets_each_once(self):
        path = self.card()
        for i in range(30):
            self.say(path, f"number {i}")
            self.api.want(200, "PATCH", path, {"city": f"C{i}"})
        for kinds in ("", "&kind=comments", "&kind=comments,information"):
            whole = [e["position"] for e in self.story(path, f"?limit=200{kinds}")]
            down, before = [], ""
            while True:
                got = self.api.want(200, "GET", f"{path}/history?limit=7{before}{kinds}")
                down += [e["position"] for e in got["items"]]
                if got["next"] is None:
                    break
                before = f"&before={got['next']}"
            self.assertEqual(whole, down)
            up, after = [], f"&after={whole[-1]}"
            while True:
                got = self.api.want(200, "GET", f"{path}/history?limit=7{after}{kinds}")
                up = [e["position"] for e in got["items"]] + up
                if got["next"] is None:
                    break
                after = f"&after={got['next']}"
            self.assertEqual(whole[:-1], up)

    def test_a_text_in_the_story(self):
        path = self.card()
        for i in range(20):
            self.say(path, f"Árbol número {i}" if i % 5 == 0 else f"otra cosa {i}")
        self.api.want(200, "PATCH", path, {"city": "Arbolé"})
        self.assertEqual(5, len(self.story(path, f"?text={quote('arbol')}")))
        self.assertEqual(4, len(self.story(path, f"?text={quote('ARBOL')}&kind=comments")))
        first = self.api.want(200, "GET", f"{path}/history?text=arbol&limit=2")
        rest = self.api.want(200, "GET", f"{path}/history?text=arbol&limit=200&before={first['next']}")
        self.assertEqual(5, len(first["items"]) + len(rest["items"]))
        visitor = self.browser()
        visitor.get(f"{path.removeprefix('/api')}?text=arbol")
        self.assertIn("Arbolé", visitor.page.text)
        self.assertNotIn("otra cosa", visitor.page.text)

    def test_to_a_date(self):
        path = self.card()
        self.say(path, "today")
        visitor = self.browser()
        page = path.removeprefix("/api")
        visitor.get(f"{page}?until=2001-01-01")
        self.assertNotIn('class="event"', visitor.page.source)
        newer = next(link for link in visitor.page.links if "after=" in link)
        visitor.get(newer)
        self.assertEqual(2, visitor.page.source.count('class="event"'))
        self.assertEqual([], self.story(path, "?until=2001-01-01"))
        self.assertEqual(2, len(self.story(path, "?until=2101-01-01T00:00:00Z")))
        self.assertEqual(422, self.api.request("GET", f"{path}/history?until=soon")[0])

    def test_kept_by_each_for_each_module(self):
        path = self.card()
        page = path.removeprefix("/api")
        self.say(path, "a comment to see")
        self.user("keeps@example.org")
        other = self.browser("keeps@example.org", "another test password")
        other.get(page)
        token = other.page.form(f"{page}/comments").fields[0][1]
        other.send("POST", "/contacts/story", urlencode({"csrf": token, "kind": "comments"}), {"Content-Type": "application/x-www-form-urlencoded"})
        other.get(page)
        self.assertIn("a comment to see", other.page.text)
        self.assertNotIn("created this", other.page.text)
        other.get(f"{page}?kind=all")
        self.assertIn("created this", other.page.text)
        mine = self.browser()
        mine.get(page)
        self.assertIn("created this", mine.page.text)
        self.api.want(204, "PUT", "/api/contacts/story", {"kind": ["status", "comments"]})
        mine.get(page)
        self.assertNotIn("created this", mine.page.text)
        self.assertEqual(2, len(self.story(path)), "the API shows what it is asked for")
        self.api.want(204, "PUT", "/api/contacts/story", {"kind": []})
        mine.get(page)
        self.assertIn("created this", mine.page.text)
        self.assertEqual(422, self.api.request("PUT", "/api/contacts/story", {"kind": ["nothing"]})[0])

    def test_one_who_slept_gets_what_was_missed_once(self):
        path = self.card()
        card = path.split("/")[-1]
        stream = Stream(self.server.port, f"/api/live?record=contacts/{card}", {"Authorization": f"Bearer {self.key}"})
        self.say(path, "seen")
        last = stream.wait_for(1)[-1]
        stream.close()
        missed = []
        for i in range(130):
            missed.append(self.say(path, f"missed {i}"))
            if i % 10 == 0:
                self.card()
        woken = Stream(self.server.port, f"/api/live?record=contacts/{card}",
                       {"Authorization": f"Bearer {self.key}", "Last-Event-ID": str(last)})
        self.addCleanup(woken.close)
        self.assertEqual(missed, woken.wait_for(130))
        missed.append(self.say(path, "and now"))
        self.assertEqual(missed, woken.wait_for(131))


if __name__ == "__main__":
    unittest.main()
