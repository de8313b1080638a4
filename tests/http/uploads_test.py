"""Files that come in pieces: they continue after a broken line, on whichever node, and only what was sent is kept."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import TEST_LIMITS, Server, Story
from support import POSTGRES, environment_of, psql

PIECE = "application/offset+octet-stream"
LARGE = int(os.environ.get("CRONISTA_TEST_UPLOAD_MB", "200")) << 20


def checksum(data):
    return "sha256 " + base64.b64encode(hashlib.sha256(data).digest()).decode()


def text_of(size):
    """Bytes that are no program: lines of text, each of its own."""
    line = b"%09d abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz\n"
    return b"".join(line % i for i in range(size // 64 + 1))[:size]


class Uploads(Story):
    def begin(self, size, name="notes.txt", api=None, **more):
        return (api or self.api).want(201, "POST", "/api/uploads", {"name": name, "size": size, **more})["upload"]

    def send(self, upload, offset, data, api=None, **headers):
        return (api or self.api).request("PATCH", f"/api/uploads/{upload}", data,
                                         {"Content-Type": PIECE, "Upload-Offset": str(offset),
                                          **{k.replace("_", "-"): v for k, v in headers.items()}})

    def offset(self, upload, api=None):
        status, headers, _ = (api or self.api).request("HEAD", f"/api/uploads/{upload}")
        return int(headers["Upload-Offset"]) if status == 200 else None

    def cut(self, upload, offset, data, told):
        """Says that more comes than does, and hangs up."""
        with socket.create_connection(("127.0.0.1", self.server.port)) as line:
            line.sendall(f"PATCH /api/uploads/{upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n"
                         f"Content-Type: {PIECE}\r\nUpload-Offset: {offset}\r\nContent-Length: {told}\r\n\r\n".encode())
            line.sendall(data)

    def wait_for(self, upload, offset):
        end = time.monotonic() + 20
        while (now := self.offset(upload)) != offset:
            self.assertLess(time.monotonic(), end, f"{now} instead of {offset}")
            time.sleep(0.02)

    def keep_in_record(self, value):
        made = self.api.want(201, "POST", "/api/cases", {"subject": "With a file", "attachment": value})
        status, _, text = self.api.request("GET", f"/api/cases/{made['id']}/files/attachment")
        self.assertEqual(200, status)
        return text

    def test_pieces_make_the_file(self):
        data = text_of(700_000)
        upload = self.begin(len(data), "Informe año.txt", digest=hashlib.sha256(data).hexdigest())
        status, headers, _ = self.send(upload, 0, data[:300_000], Upload_Checksum=checksum(data[:300_000]))
        self.assertEqual((204, "300000", "1.0.0"), (status, headers["Upload-Offset"], headers["Tus-Resumable"]))
        self.assertEqual(300_000, self.offset(upload))
        status, _, answer = self.send(upload, 300_000, data[300_000:])
        self.assertEqual(200, status, answer)
        value = answer["value"]
        self.assertEqual((hashlib.sha256(data).hexdigest(), "Informe año.txt", len(data), "text/plain"),
                         (value["digest"], value["name"], value["size"], value["media"]))
        self.assertEqual(value, self.api.want(200, "GET", f"/api/uploads/{upload}")["value"])
        self.assertEqual(data.decode(), self.keep_in_record(value))

    def test_by_headers_as_tus_has_it(self):
        data = b"A small text."
        name = base64.b64encode("nota ñ.txt".encode()).decode()
        status, headers, _ = self.api.request("POST", "/api/uploads", b"", {
            "Upload-Length": str(len(data)), "Upload-Metadata": f"filetype dGV4dA==,filename {name}", "Tus-Resumable": "1.0.0"})
        self.assertEqual(201, status)
        self.assertRegex(headers["Upload-Expires"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        status, _, answer = self.api.request("PATCH", headers["Location"], data, {"Content-Type": PIECE, "Upload-Offset": "0"})
        self.assertEqual((200, "nota ñ.txt"), (status, answer["value"]["name"]))

    def test_a_file_cut_off_goes_on(self):
        data = text_of(3_000_000)
        upload = self.begin(len(data), digest=hashlib.sha256(data).hexdigest())
        self.cut(upload, 0, data[:1_234_567], len(data))
        self.wait_for(upload, 1_234_567)
        self.cut(upload, 1_234_567, data[1_234_567:2_000_000], len(data) - 1_234_567)
        self.wait_for(upload, 2_000_000)
        self.server.stop()  # a night passes
        self.server.start()
        type(self).api = self.server.api(self.key)
        self.assertEqual(2_000_000, self.offset(upload))
        status, _, answer = self.send(upload, 2_000_000, data[2_000_000:])
        self.assertEqual(200, status, answer)
        self.assertEqual(data.decode(), self.keep_in_record(answer["value"]))

    def test_what_is_wrong_is_refused(self):
        data = text_of(100_000)
        upload = self.begin(len(data))
        status, headers, _ = self.send(upload, 5, data[5:])
        self.assertEqual((409, "0"), (status, headers["Upload-Offset"]))
        self.assertEqual(460, self.send(upload, 0, data[:5000], Upload_Checksum=checksum(b"else"))[0])
        self.assertEqual(400, self.send(upload, 0, data[:5000], Upload_Checksum="md5 AAAA")[0])
        self.assertEqual(0, self.offset(upload))
        self.assertEqual(413, self.send(upload, 0, data + b"x")[0])
        self.assertEqual(415, self.api.request("PATCH", f"/api/uploads/{upload}", data, {"Upload-Offset": "0"})[0])
        self.assertEqual(0, self.offset(upload))
        self.assertEqual(400, self.api.request("PATCH", f"/api/uploads/{upload}", data, {"Content-Type": PIECE})[0])
        other = self.begin(len(data), digest="0" * 64)
        status, _, problem = self.send(other, 0, data)
        self.assertEqual((422, "file"), (status, problem["errors"][0]["field"]))
        self.assertIsNone(self.offset(other))  # gone, not kept
        for size in (0, -5, "many", None):
            self.assertEqual(422, self.api.request("POST", "/api/uploads", {"name": "x", "size": size})[0], size)

    def test_programs_are_refused_at_the_end(self):
        data = b"\x7fELF\x02\x01\x01" + bytes(300_000)
        upload = self.begin(len(data), "holiday.jpg")
        self.assertEqual(422, self.send(upload, 0, data)[0])
        self.assertIsNone(self.offset(upload))

    def test_given_up(self):
        upload = self.begin(1000)
        self.send(upload, 0, b"x" * 500)
        mine = [one["upload"] for one in self.api.want(200, "GET", "/api/uploads")["items"]]
        self.assertIn(upload, mine)
        self.api.want(204, "DELETE", f"/api/uploads/{upload}")
        self.assertIsNone(self.offset(upload))
        self.assertFalse((self.folder / "data/arriving" / upload).exists())

    def test_nobody_else_knows_of_it(self):
        _, other = self.user("other@example.org")
        _, reader = self.user("reader@example.org", profile="read_only")
        upload = self.begin(1000)
        for method, headers in (("GET", {}), ("DELETE", {}), ("PATCH", {"Content-Type": PIECE, "Upload-Offset": "0"})):
            status, _, _ = other.request(method, f"/api/uploads/{upload}", b"x" if method == "PATCH" else None, headers)
            self.assertEqual(404, status, method)
        self.assertEqual([], other.want(200, "GET", "/api/uploads")["items"])
        self.assertEqual(403, reader.request("POST", "/api/uploads", {"name": "x", "size": 3})[0])
        self.assertEqual(401, self.server.api().request("PATCH", f"/api/uploads/{upload}", b"x")[0])
        self.assertEqual(0, self.offset(upload))

    def test_two_at_once_do_not_mix(self):
        data = text_of(400_000)
        upload = self.begin(len(data), digest=hashlib.sha256(data).hexdigest())
        answers = []

        def one():
            api = self.server.api(self.key)
            answers.append(self.send(upload, 0, data[:200_000], api=api)[0])

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([204] + [409] * 5, sorted(answers))
        self.assertEqual(200, self.send(upload, 200_000, data[200_000:])[0])

    def test_what_nobody_goes_on_with_is_put_away(self):
        data = self.folder / "data"
        old, young = self.begin(1000), self.begin(1000)
        for upload in (old, young):
            self.send(upload, 0, b"x" * 500)
        left = data / "uploads/upload-Crash1"
        left.write_bytes(b"x")
        self.server.stop()
        yesterday = time.time() - 86500
        os.utime(left, (yesterday, yesterday))
        change = f"UPDATE uploads SET moved_at={int(yesterday * 1e6)} WHERE id='{old}'"
        if POSTGRES:
            psql(data, change)
        else:
            with contextlib.closing(sqlite3.connect(data / "cronista.db")) as db, db:
                db.execute(change)
        self.server.start()
        type(self).api = self.server.api(self.key)
        end = time.monotonic() + 10
        while self.offset(old) is not None or left.exists():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(500, self.offset(young))
        self.assertFalse((data / "arriving" / old).exists())
        if POSTGRES:
            self.assertEqual("0", psql(data, f"SELECT count(*) FROM files WHERE name='arriving/{old}'"))

    def test_the_page_sends_with_its_session(self):
        browser = self.browser()
        page = browser.get("/cases/new")
        token = dict(page.form("/cases").fields)["csrf"]
        headers = {"Content-Type": "application/json", "Cronista-Csrf": token}
        made = browser.send("POST", "/api/uploads", json.dumps({"name": "a.txt", "size": 4}), headers).json
        path = f"/api/uploads/{made['upload']}"
        refused = browser.send("PATCH", path, "text", {"Content-Type": PIECE, "Upload-Offset": "0"})
        self.assertEqual(403, refused.status)
        done = browser.send("PATCH", path, "text", {"Content-Type": PIECE, "Upload-Offset": "0", "Cronista-Csrf": token})
        self.assertEqual((200, "a.txt"), (done.status, done.json["value"]["name"]))


class Memory(Story):
    arguments = (*TEST_LIMITS, "--threads", "1", "--workers", "1")

    def peak(self):
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    def test_a_large_file_takes_little_memory(self):
        small = text_of(1 << 20)
        for name in ("before.txt", "again.txt"):  # what any file needs is there then
            upload = self.api.want(201, "POST", "/api/uploads", {"name": name, "size": len(small)})["upload"]
            value = self.api.request("PATCH", f"/api/uploads/{upload}", small, {"Content-Type": PIECE, "Upload-Offset": "0"})[2]["value"]
            made = self.api.want(201, "POST", "/api/cases", {"subject": "small", "attachment": value})
            self.api.want(200, "GET", f"/api/cases/{made['id']}/files/attachment")
        Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")
        before = self.peak()
        block = text_of(4 << 20)
        digest = hashlib.sha256()
        for _ in range(LARGE // len(block)):
            digest.update(block)
        upload = self.api.want(201, "POST", "/api/uploads",
                               {"name": "large.txt", "size": LARGE, "digest": digest.hexdigest()})["upload"]
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=300)
        line.request("PATCH", f"/api/uploads/{upload}", (block for _ in range(LARGE // len(block))), {
            "Content-Type": PIECE, "Upload-Offset": "0", "Authorization": f"Bearer {self.key}", "Content-Length": str(LARGE)})
        answer = line.getresponse()
        body = json.loads(answer.read())
        self.assertEqual(200, answer.status, body)
        made = self.api.want(201, "POST", "/api/cases", {"subject": "large", "attachment": body["value"]})
        line.request("GET", f"/api/cases/{made['id']}/files/attachment", headers={"Authorization": f"Bearer {self.key}"})
        answer, back = line.getresponse(), hashlib.sha256()
        while piece := answer.read(1 << 20):
            back.update(piece)
        line.close()
        self.assertEqual(digest.hexdigest(), back.hexdigest())
        more = self.peak() - before
        print(f"# {LARGE >> 20} MB: {more / (1 << 20):.1f} MiB more", flush=True)
        self.assertLess(more, (64 if "ASAN_OPTIONS" in os.environ else 8) << 20)  # sanitizers keep what was freed


class Limits(Story):
    arguments = (*TEST_LIMITS, "--upload-bytes", "100000")

    def test_too_large_is_told_before_it_is_sent(self):
        self.assertEqual(100_000, self.api.want(200, "GET", "/api/uploads")["limit"])
        status, headers, problem = self.api.request("POST", "/api/uploads", {"name": "a.txt", "size": 100_001})
        self.assertEqual((413, "100000"), (status, headers["Tus-Max-Size"]))
        self.assertIn("100", problem["detail"])
        self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": 100_000})

    def test_whoever_tells_a_smaller_size_sends_no_more(self):
        upload = self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": 100})["upload"]
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        line.request("PATCH", f"/api/uploads/{upload}", (b"x" * 1000 for _ in range(500)), encode_chunked=True, headers={
            "Content-Type": PIECE, "Upload-Offset": "0", "Authorization": f"Bearer {self.key}", "Transfer-Encoding": "chunked"})
        self.assertEqual(413, line.getresponse().status)
        line.close()
        self.assertEqual(0, self.api.want(200, "GET", f"/api/uploads/{upload}")["offset"])
        status, _, _ = self.api.request("POST", "/api/files?name=a.txt", b"x" * 100_001, {"Content-Type": "text/plain"})
        self.assertEqual(413, status)


@unittest.skipUnless(POSTGRES, "only several nodes on PostgreSQL share what has come")
class Nodes(Story):
    def test_another_node_goes_on(self):
        data = text_of(2_000_000)
        other = Server(self.server.data, TEST_LIMITS)
        other.data = self.folder / "elsewhere"
        other.environment.update(environment_of(self.server.data))
        shutil.rmtree(other.data, ignore_errors=True)
        other.start()
        try:
            there = other.api(self.key)
            upload = self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": len(data)})["upload"]
            headers = {"Content-Type": PIECE}
            for api, start, end in ((self.api, 0, 600_000), (there, 600_000, 1_500_000), (self.api, 1_500_000, 1_600_000)):
                self.assertEqual(204, api.request("PATCH", f"/api/uploads/{upload}", data[start:end],
                                                  {**headers, "Upload-Offset": str(start)})[0])
            done = there.request("PATCH", f"/api/uploads/{upload}", data[1_600_000:], {**headers, "Upload-Offset": "1600000"})[2]
            self.assertEqual(hashlib.sha256(data).hexdigest(), done["value"]["digest"])
            made = self.api.want(201, "POST", "/api/cases", {"subject": "x", "attachment": done["value"]})
            self.assertEqual(data.decode(), self.api.want(200, "GET", f"/api/cases/{made['id']}/files/attachment"))
        finally:
            other.stop()


class Clamd:
    """A virus scanner that finds what has the word EICAR, in clamd's protocol."""

    def __init__(self, where):
        self.where, self.mode, self.seen = where, "ok", 0
        self.socket = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.socket.bind(where)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            with line, line.makefile("rb") as stream:
                self.answer(line, stream)

    def answer(self, line, stream):
        if stream.read(10) != b"zINSTREAM\0":
            line.sendall(b"UNKNOWN COMMAND\0")
            return
        data = b""
        while length := int.from_bytes(stream.read(4), "big"):
            data += stream.read(length)
            if self.mode == "limit" and len(data) > 1000:
                line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.seen += 1
        if self.mode == "silent":
            return
        line.sendall(b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if b"EICAR" in data else b"stream: OK\0")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Scanned(Story):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="cronista-clamd-")
        cls.where = f"{cls.place}/clamd.ctl"
        cls.clamd = Clamd(cls.where)
        cls.arguments = (*TEST_LIMITS, "--clamd", f"unix:{cls.where}")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.clamd.close()
        shutil.rmtree(cls.place)

    def setUp(self):
        self.clamd.mode = "ok"

    def keep(self, data, name="a.txt"):
        return self.api.request("POST", f"/api/files?name={name}", data, {"Content-Type": "text/plain"})

    def test_clean_files_are_taken_and_infected_ones_are_not(self):
        seen = self.clamd.seen
        self.assertEqual(201, self.keep(text_of(300_000))[0])
        self.assertEqual(seen + 1, self.clamd.seen)
        status, _, problem = self.keep(text_of(300_000) + b"EICAR")
        self.assertEqual(422, status)
        self.assertIn("Win.Test.EICAR_HDB-1", problem["detail"])
        end = time.monotonic() + 5  # put away once the answer is out
        while list((self.folder / "data/uploads").iterdir()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_an_infected_upload_in_pieces_is_gone(self):
        data = text_of(50_000) + b"EICAR"
        upload = self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": len(data)})["upload"]
        send = {"Content-Type": PIECE, "Upload-Offset": "0"}
        status, _, problem = self.api.request("PATCH", f"/api/uploads/{upload}", data, send)
        self.assertEqual(422, status)
        self.assertIn("Win.Test.EICAR_HDB-1", problem["detail"])
        self.assertEqual(404, self.api.request("GET", f"/api/uploads/{upload}")[0])

    def test_without_an_answer_nothing_is_taken_and_it_can_be_tried_again(self):
        for mode in ("silent", "limit"):
            self.clamd.mode = mode
            self.assertEqual(503, self.keep(text_of(5000) + mode.encode())[0], mode)
        data = text_of(20_000)
        upload = self.api.want(201, "POST", "/api/uploads", {"name": "a.txt", "size": len(data)})["upload"]
        path, send = f"/api/uploads/{upload}", {"Content-Type": PIECE}
        self.clamd.mode = "silent"
        self.assertEqual(503, self.api.request("PATCH", path, data, {**send, "Upload-Offset": "0"})[0])
        self.assertEqual(len(data), self.api.want(200, "GET", path)["offset"])
        self.clamd.mode = "ok"
        status, _, answer = self.api.request("PATCH", path, b"", {**send, "Upload-Offset": str(len(data))})
        self.assertEqual((200, len(data)), (status, answer["value"]["size"]))


class ScannerGone(Story):
    arguments = (*TEST_LIMITS, "--clamd", "127.0.0.1:1")

    def test_it_is_said_that_the_scanner_does_not_answer(self):
        status, _, problem = self.api.request("POST", "/api/files?name=a.txt", b"text", {"Content-Type": "text/plain", "Accept-Language": "en"})
        self.assertEqual(503, status)
        self.assertIn("virus scanner", problem["detail"])


if __name__ == "__main__":
    unittest.main()
