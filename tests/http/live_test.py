"""Live streams: what happens is told at once, in order, without a gap, to those who may see it."""

import time
import unittest

from harness import Story, Stream


class Live(Story):
    def stream(self, path, key=None, **headers):
        made = Stream(self.server.port, path, {"Authorization": f"Bearer {key or self.key}", **headers})
        self.addCleanup(made.close)
        return made

    def contact(self):
        return self.api.want(201, "POST", "/api/contacts", {"name": "Live"})["id"]

    def positions(self, contact):
        return [e["position"] for e in self.api.want(200, "GET", f"/api/contacts/{contact}/history")["items"]][::-1]

    def test_changes_arrive_at_once(self):
        contact = self.contact()
        stream = self.stream(f"/api/live?record=contacts/{contact}")
        self.assertEqual("text/event-stream", stream.answer.headers["Content-Type"])
        time.sleep(0.2)
        start = time.monotonic()
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": "Lima"})
        got = stream.wait_for(1)
        self.assertLess(time.monotonic() - start, 3)
        self.assertEqual(self.positions(contact)[1:], got)

    def test_only_what_belongs_to_the_card(self):
        company = self.api.want(201, "POST", "/api/companies", {"name": "Acme"})["id"]
        stream = self.stream(f"/api/live?record=companies/{company}")
        self.contact()
        member = self.api.want(201, "POST", "/api/contacts", {"name": "Member", "company": company})["id"]
        self.contact()
        self.assertEqual(self.positions(member), stream.wait_for(1))
        time.sleep(0.3)
        self.assertEqual(1, len(stream.positions))

    def test_a_stream_goes_on_where_it_was_cut_off(self):
        contact = self.contact()
        for i in range(5):
            self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": f"C{i}"})
        all_ = self.positions(contact)
        resumed = self.stream(f"/api/live?record=contacts/{contact}", **{"Last-Event-ID": str(all_[2])})
        self.assertEqual(all_[3:], resumed.wait_for(3))
        asked = self.stream(f"/api/live?record=contacts/{contact}&after={all_[0]}")
        self.assertEqual(all_[1:], asked.wait_for(5))
        self.assertEqual(400, self.stream(f"/api/live?record=contacts/{contact}&after=x").status)

    def test_the_whole_log_is_for_administrators(self):
        user, api = self.user("watcher@example.org")
        self.assertEqual(200, self.stream("/api/live").status)
        self.assertEqual(403, self.stream("/api/live", api.key).status)
        self.assertEqual(404, self.stream("/api/live?record=imports/1", api.key).status)
        self.assertEqual(200, self.stream(f"/api/live?record=contacts/{self.contact()}", api.key).status)
        self.assertEqual(401, self.stream("/api/live", "crn_" + "x" * 43).status)
        self.assertTrue(user)

    def test_somebody_deactivated_hears_no_more(self):
        user, api = self.user("leaver@example.org")
        contact = self.contact()
        stream = self.stream(f"/api/live?record=contacts/{contact}", api.key)
        self.api.want(200, "PATCH", f"/api/users/{user}", {"active": False})
        self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": "Secret"})
        self.assertTrue(stream.ended.wait(10))
        self.assertEqual([], stream.positions)

    def test_an_administrator_no_more_hears_no_more(self):
        user, api = self.user("was@example.org", profile="administrator")
        stream = self.stream("/api/live", api.key)
        self.contact()
        self.assertEqual(1, len(stream.wait_for(1)))
        self.api.want(200, "PATCH", f"/api/users/{user}", {"profile": "member"})
        self.contact()
        self.assertTrue(stream.ended.wait(10))
        self.assertEqual(1, len(stream.positions))

    def test_many_streams_and_many_changes(self):
        contact = self.contact()
        streams = [self.stream(f"/api/live?record=contacts/{contact}") for _ in range(40)]
        for i in range(30):
            self.api.want(200, "PATCH", f"/api/contacts/{contact}", {"city": f"C{i}"})
        wanted = self.positions(contact)[1:]
        for stream in streams:
            self.assertEqual(wanted, stream.wait_for(30))
        for stream in streams:
            stream.close()

    def test_what_another_process_writes_arrives_too(self):
        user, _ = self.user("keys@example.org")
        stream = self.stream(f"/api/live?record=users/{user}")
        time.sleep(0.2)
        self.server.new_key("keys@example.org")
        self.assertEqual(1, len(stream.wait_for(1)))


class Ending(Story):
    def test_streams_end_when_the_server_does(self):
        stream = Stream(self.server.port, "/api/live", {"Authorization": f"Bearer {self.key}"})
        start = time.monotonic()
        self.assertEqual(0, self.server.stop())
        self.assertLess(time.monotonic() - start, 10)
        self.assertTrue(stream.ended.wait(5))
        stream.close()


class NotTooMany(Story):
    arguments = ("--streams", "3")

    def test_there_is_a_limit(self):
        streams = [Stream(self.server.port, "/api/live", {"Authorization": f"Bearer {self.key}"}) for _ in range(4)]
        self.assertEqual([200, 200, 200, 503], [stream.status for stream in streams])
        for stream in streams:
            stream.close()


if __name__ == "__main__":
    unittest.main()
