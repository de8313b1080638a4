"""Requests nobody should send: each gets a clear refusal, costs bounded memory, and leaves everybody else alone."""

import contextlib
import os
import socket
import time
import unittest

from harness import Story, at_once


def memory(server):
    """Resident kilobytes of the server."""
    for line in open(f"/proc/{server.process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


class Hostile(Story):
    arguments = ("--request-seconds", "3", "--idle-seconds", "4", "--connections", "300", "--connections-per-address", "300",
                 "--upload-bytes", "2000000")

    def tearDown(self):
        self.assertEqual(200, self.server.api().request("GET", "/readyz")[0])  # it still stands

    def raw(self, data, seconds=10, end=True):
        """What comes back for these bytes, until the server closes or is silent."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=seconds) as s:
            try:
                s.sendall(data)
                if end:
                    s.shutdown(socket.SHUT_WR)
                while chunk := s.recv(65536):
                    received += chunk
                    if not end and b"\r\n\r\n" in received:
                        break
            except OSError:
                pass  # cut off: what came before counts
        return received

    def status(self, data, **options):
        answer = self.raw(data, **options)
        return int(answer.split()[1]) if answer.startswith(b"HTTP/") else None

    def head(self, method, path, *headers, body=b""):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.key}", *headers]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    # ---- addresses

    def test_addresses_that_are_none(self):
        for path in ("/api/contacts?q=%ff", "/api/contacts/%zz", "/api/contacts?filter%5", "/api/%00", "/api/contacts?a=%00",
                     "/%c3%28", "/api/contacts?x=%ed%a0%80"):
            self.assertEqual(400, self.status(self.head("GET", path)), path[:80])
        many = "/contacts?" + "&".join(f"a{i}=1" for i in range(1200))
        self.assertIn(self.status(self.head("GET", many)), (400, 414, 431, None))

    def test_addresses_that_are_too_long(self):
        self.assertEqual(414, self.status(self.head("GET", "/api/contacts?q=" + "a" * 9000)))
        self.assertIn(self.status(self.head("GET", "/" + "a" * 200000)), (414, 431, None))

    def test_paths_outside(self):
        for path in ("/../../etc/passwd", "/static/../../etc/passwd", "/static/x/%2e%2e%2fetc%2fpasswd", "/api/../metrics",
                     "//contacts", "/contacts/", "/contacts/1/../2", "/contacts/-1", "/contacts/01", "/contacts/99999999999999999999"):
            self.assertEqual(404, self.status(self.head("GET", path)), path)

    def test_methods_that_are_not_there(self):
        answer = self.raw(self.head("PUT", "/api/contacts/1"))
        self.assertTrue(answer.startswith(b"HTTP/1.1 405"), answer[:100])
        self.assertIn(b"Allow:", answer)
        self.assertEqual(405, self.status(self.head("DELETE", "/api/contacts")))
        self.assertIn(self.status(self.head("BREW", "/api/contacts")), (400, 405))

    # ---- bodies

    def post(self, body, kind="application/json", path="/api/contacts"):
        return self.status(self.head("POST", path, f"Content-Type: {kind}", body=body))

    def test_bodies_that_are_no_json(self):
        for body in (b"", b"{", b"[]", b"1", b"null", b'{"name": "a"} x', b'{"name": "\xff"}', b'{"name": "\\ud800"}',
                     b'{"a": 1, "a": 2}', b'{"name": NaN}', b"\x00" * 100, b'{"name": "a\x00b"}', b'{"name": 1e999}',
                     b"[" * 100000, b'{"a":' * 100000, b'{"a":' * 500 + b"1" + b"}" * 500):
            self.assertEqual(422 if body == b"" else 400, self.post(body), body[:40])

    def test_values_of_the_wrong_type_are_named(self):
        api = self.server.api(self.key)
        for values, field in (({"name": 1}, "name"), ({"name": ["a"]}, "name"), ({"name": {"a": 1}}, "name"),
                              ({"name": "x", "email": "nobody"}, "email"), ({"name": "x", "company": "abc"}, "company"),
                              ({"name": "x", "company": 99999}, "company"), ({"name": "x", "birthday": "2026-02-30"}, "birthday"),
                              ({"name": "x", "nonsense": 1}, "nonsense"), ({"name": "x", "tags": {"a": 1}}, "tags"),
                              ({"name": "x" * 100000}, "name"), ({}, "name"), ({"name": None}, "name")):
            status, headers, problem = api.request("POST", "/api/contacts", values)
            self.assertEqual(422, status, values)
            self.assertEqual("application/problem+json", headers["Content-Type"])
            self.assertEqual(field, problem["errors"][0]["field"], problem)
            self.assertTrue(problem["errors"][0]["message"])

    def test_several_problems_come_at_once(self):
        api = self.server.api(self.key)
        wrong = {"email": "x", "birthday": "y", "company": 99999}  # of form, and of what the database says
        _, _, problem = api.request("POST", "/api/contacts", wrong)
        self.assertEqual(["birthday", "company", "email", "name"], sorted(e["field"] for e in problem["errors"]))
        _, _, problem = api.request("POST", "/api/contacts", {**wrong, "name": 1})
        self.assertEqual(["birthday", "company", "email", "name"], sorted(e["field"] for e in problem["errors"]))
        _, _, made = api.request("POST", "/api/contacts", {"name": "x"})
        _, _, problem = api.request("PATCH", f"/api/contacts/{made['id']}", {**wrong, "name": ""})
        self.assertEqual(["birthday", "company", "email", "name"], sorted(e["field"] for e in problem["errors"]))

    def test_types_of_body_that_are_not_understood(self):
        for kind in ("text/plain", "application/xml", "application/octet-stream", "", "multipart/form-data"):
            self.assertIn(self.post(b'{"name": "a"}', kind), (415, 400), kind)

    def test_large_bodies(self):
        before = memory(self.server)
        self.assertEqual(413, self.post(b'{"name": "' + b"a" * 1100000 + b'"}'))
        self.assertEqual(413, self.post(b"a" * 5000000))
        self.assertIn(self.status(self.head("POST", "/api/contacts", "Content-Type: application/json").replace(
            b"Content-Length: 0", b"Content-Length: 99999999999999"), end=False), (413, 400))
        for length in (b"-1", b"1e9", b"0x10", b"5, 6", b"99999999999999999999999"):
            self.assertIn(self.status(self.head("POST", "/api/contacts", "Content-Type: application/json").replace(
                b"Content-Length: 0", b"Content-Length: " + length)), (400, 413, None), length)
        self.assertLess(memory(self.server) - before, 30000)

    def test_chunks_without_end(self):
        before = memory(self.server)
        head = (f"POST /api/contacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n"
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        self.assertIn(self.status(head + chunk * 40 + b"0\r\n\r\n"), (413,))
        self.assertIn(self.status(head + chunk * 500), (413, None))
        self.assertIn(self.status(head + b"ZZZ\r\nabc\r\n0\r\n\r\n"), (400, None))
        self.assertLess(memory(self.server) - before, 30000)

    def test_two_lengths_at_once(self):
        data = self.head("POST", "/api/contacts", "Content-Type: application/json", "Transfer-Encoding: chunked", body=b'{"name":"smuggled"}')
        self.assertIn(self.status(data), (400, None))
        self.assertEqual([], self.server.api(self.key).want(200, "GET", "/api/contacts?filter[name][eq]=smuggled")["items"])

    def test_forms_that_are_broken(self):
        browser = self.browser()
        browser.get("/contacts/new")
        token = browser.csrf.encode()
        for body in (b"csrf=" + token + b"&name=%ff", b"csrf=" + token + b"&name=%zz", b"csrf=" + token + b"&%00=1",
                     b"csrf=" + token + b"&" + b"&".join(b"a=1" for _ in range(2000))):
            page = browser.send("POST", "/contacts", body, {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual(400, page.status, body[:60])
        page = browser.send("POST", "/contacts", b"x" * 3000000, {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(413, page.status)

    # ---- headers and slowness

    def test_floods_of_headers(self):
        self.assertIn(self.status(self.head("GET", "/api/contacts", *(f"X-{i}: {'a' * 100}" for i in range(5000)))), (431, 400, None))
        self.assertIn(self.status(self.head("GET", "/api/contacts", "X: " + "a" * 200000)), (431, 400, None))
        self.assertIn(self.status(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"\x00\x01\x02: \xff\r\n\r\n"), (200, 303, 400, None))
        self.assertIn(self.status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20), (400, None))
        self.assertIn(self.status(b"GET\r\n\r\n"), (400, None))

    def test_cookies_and_keys_that_are_none(self):
        for header in ("Cookie: cronista=" + "a" * 43, "Cookie: " + "; ".join(f"c{i}=v" for i in range(500)), "Cookie: =;;=",
                       "Authorization: Bearer crn_" + "a" * 43, "Authorization: Bearer ", "Authorization: Basic YTpi",
                       "Authorization: Bearer \xff\xfe"):
            data = f"GET /api/contacts HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode("latin-1")
            self.assertIn(self.status(data), (401, 431), header[:40])

    def test_a_client_that_sends_a_byte_now_and_then(self):
        def drip():
            start = time.monotonic()
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\n")
                try:
                    for _ in range(40):
                        s.sendall(b"X: y\r\n")
                        s.settimeout(0.5)
                        try:
                            if not s.recv(1000):
                                break
                        except TimeoutError:
                            pass
                except ConnectionError:
                    pass
            return time.monotonic() - start

        times = at_once([drip] * 5)
        for seconds in times:
            self.assertLess(seconds, 10)

    def test_many_silent_connections_do_not_shut_others_out(self):
        idle = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(150)]
        try:
            self.assertEqual(200, self.server.api().request("GET", "/healthz")[0])
            self.assertLess(memory(self.server), 200000)
        finally:
            for s in idle:
                s.close()

    def test_more_connections_than_there_may_be(self):
        """Again and again, all at once: who is too many waits at the door, and every loop goes on afterwards."""
        most = 0
        for _ in range(12):
            crowd = []
            try:
                for _ in range(600):
                    s = socket.socket()
                    s.setblocking(False)
                    s.connect_ex(("127.0.0.1", self.server.port))
                    crowd.append(s)
                    if len(crowd) % 2:
                        with contextlib.suppress(OSError):  # not let in yet
                            s.send(self.head("GET", "/healthz"))
                    if len(crowd) % 5 == 0:
                        crowd[len(crowd) // 2].close()
                time.sleep(0.1)
                most = max(most, sum(self.loops()))
            finally:
                for s in crowd:
                    s.close()
        time.sleep(0.5)
        self.assertIn(most, range(200, 301))
        for _ in range(20):
            self.assertEqual(200, self.server.api().request("GET", "/healthz")[0])

    def test_connections_are_spread_over_the_event_loops(self):
        """Who came at the same time does not wait for each other while another loop has nothing to do."""
        self.assertGreater(len(self.loops()), 1)
        together = 0
        for _ in range(20):
            before = self.loops()
            pair = []
            try:
                for _ in range(2):
                    pair.append(socket.create_connection(("127.0.0.1", self.server.port), timeout=10))
                for client in pair:
                    client.sendall(self.head("GET", "/healthz"))
                for client in pair:
                    client.recv(65536)
                together += max(n - was for n, was in zip(self.loops(), before)) > 1
            finally:
                for client in pair:
                    client.close()
            time.sleep(0.05)
        self.assertLess(together, 5)

    def loops(self):
        """How many clients each event loop of the server waits for."""
        place, counts = f"/proc/{self.server.process.pid}", []
        clients = set()
        for fd in os.listdir(f"{place}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(f"{place}/fd/{fd}").startswith("socket:"):
                    clients.add(fd)
        for fd in sorted(os.listdir(f"{place}/fd"), key=int):
            if os.path.islink(f"{place}/fd/{fd}") and os.readlink(f"{place}/fd/{fd}") == "anon_inode:[eventpoll]":
                with open(f"{place}/fdinfo/{fd}", encoding="ascii") as info:
                    counts.append(sum(line.split()[1] in clients for line in info if line.startswith("tfd:")))
        return counts

    def test_requests_cut_off_in_the_middle(self):
        body = b'{"name": "Cut off"}'
        whole = self.head("POST", "/api/contacts", "Content-Type: application/json", body=body)
        for length in (5, 30, len(whole) - len(body), len(whole) - 3):
            self.assertIn(self.status(whole[:length]), (400, None), length)
        self.assertEqual([], self.server.api(self.key).want(200, "GET", "/api/contacts?filter[name][eq]=Cut%20off")["items"])

    def test_a_client_that_does_not_wait_for_its_answer(self):
        for _ in range(30):
            with socket.create_connection(("127.0.0.1", self.server.port)) as s:
                s.sendall(self.head("POST", "/api/contacts", "Content-Type: application/json", body=b'{"name": "Impatient"}'))
        time.sleep(0.5)
        self.assertLessEqual(len(self.server.api(self.key).want(200, "GET", "/api/contacts?filter[name][eq]=Impatient")["items"]), 30)

    def test_many_requests_in_one_piece(self):
        data = self.head("GET", "/healthz") * 50 + self.head("GET", "/api/contacts", "Connection: close")
        answer = self.raw(data)
        self.assertEqual(51, answer.count(b"HTTP/1.1 200"))

    # ---- lists

    def test_filters_that_are_none(self):
        api = self.server.api(self.key)
        for query in ("filter[nonsense][eq]=1", "filter[name][like]=x", "filter[name]=x;sort", "sort=nonsense", "sort=a,b,c,d,e,f",
                      "limit=0", "limit=100000", "limit=abc", "columns=nonsense", "after=garbage", "filter[id][gt]=abc",
                      "filter[birthday][gt]=never", "filter[owner][eq]=nobody@nowhere"):
            status, _, body = api.request("GET", f"/api/contacts?{query}")
            self.assertIn(status, (400, 422) if query not in ("filter[name]=x;sort", "filter[owner][eq]=nobody@nowhere") else (200, 400, 422),
                          (query, body))
        for query in ("filter[name][contains]=%27%3B%20DROP%20TABLE%20m_contacts%3B--", "filter[name][eq]=%25%5F%5C", "filter[q][contains]=%22%2A"):
            api.want(200, "GET", f"/api/contacts?{query}")

    def test_positions_that_are_none(self):
        api = self.server.api(self.key)
        for path in ("/api/events?after=-2", "/api/events?after=x", "/api/events?limit=0", "/api/log/proof", "/api/log/proof?position=999999",
                     "/api/log/proof?from=0", "/api/log/proof?position=1&from=1", "/api/log/proof?position=1&size=999999",
                     "/api/log/tile/0/x", "/api/log/tile/99/000", "/api/log/tile/../../x", "/api/log/999999", "/api/operations/999999",
                     "/api/live?record=nowhere/1", "/api/live?record=contacts/x", "/api/contacts/1/history?kind=nonsense",
                     "/api/contacts/1/history?before=-5", "/api/contacts/1?as_of=never", "/api/history?from=never", "/api/history?module=x"):
            status, _, body = api.request("GET", path)
            self.assertIn(status, (400, 404, 422), (path, body))


if __name__ == "__main__":
    unittest.main()
