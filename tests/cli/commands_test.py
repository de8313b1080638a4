"""Every subcommand, as people and scripts call it: what it prints, where, and how it ends; most of them beside a running server."""

import csv
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import ADMINISTRATOR, PASSWORD, POSTGRES, PROGRAM, Server, environment_for, psql  # noqa: E402

COMMANDS = ("user", "token", "import", "export", "verify", "rebuild", "migrate", "move", "backup", "restore", "demo")
TODAY = "2026-05-20"


def run(*arguments, text=None, timeout=300, environment=None):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=timeout,
                          check=False, env={**os.environ, **environment_for(arguments), **(environment or {})},
                          stdin=subprocess.DEVNULL if text is None else None)
    return done.returncode, done.stdout, done.stderr


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-cli-"))
        self.data = self.folder / "data"
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def good(self, *arguments, **options):
        code, out, err = run(*arguments, "--data", self.data, **options)
        self.assertEqual(code, 0, out + err)
        return out

    def bad(self, code, *arguments, **options):
        got, out, err = run(*arguments, "--data", self.data, **options)
        self.assertEqual(got, code, out + err)
        self.assertTrue(err.strip(), "nothing on standard error")
        return err

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def table(self, *arguments):
        path = self.folder / "out.csv"
        self.good("export", arguments[0], path, *arguments[1:])
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def serve(self):
        server = Server(self.data).start()
        self.addCleanup(server.stop)
        return server


class Usage(Folder):
    def test_help(self):
        for word in ("help", "--help"):
            code, out, _ = run(word)
            self.assertEqual(code, 0)
            for command in COMMANDS:
                self.assertIn(f"cronista {command}", out)
        self.assertEqual(run("version")[0], 0)

    def test_help_of_each(self):
        for command in COMMANDS:
            out = self.good(command, "--help")
            self.assertTrue(out.startswith(f"usage: cronista {command}"), out)
            self.assertGreater(len(out.splitlines()), 3)
        self.assertFalse(self.data.exists())

    def test_what_is_not_understood(self):
        self.assertEqual(run()[0], 2)
        self.assertEqual(run("nonsense")[0], 2)
        for arguments in (("user", "add"), ("user", "remove", "a@example.com"), ("token", "add"), ("import", "contacts"),
                          ("export", "contacts"), ("verify", "--what"), ("rebuild", "now"), ("backup",), ("restore",),
                          ("demo", "--seed", "x"), ("demo", "--today", "yesterday"), ("token", "add", "a@b.c", "--days", "0")):
            self.good("user", "add", "x@example.com", "--name", "X") if not self.data.exists() else None
            err = self.bad(2, *arguments)
            self.assertIn("usage:" if "now" not in arguments else "usage", err)
        code, _, err = run("export", "contacts", "x.csv", "--data", self.data, "--sort")
        self.assertEqual(code, 2)
        self.assertIn("needs a value", err)
        self.bad(2, "export", "contacts", self.folder / "x.doc")
        self.bad(2, "export", "contacts", self.folder / "x.csv", "--filter", "city~Lima")

    @unittest.skipIf(POSTGRES, "there the owner makes the installation")
    def test_without_an_installation(self):
        for arguments in (("verify",), ("rebuild", "--check"), ("export", "contacts", self.folder / "x.csv"),
                          ("token", "add", "a@example.com"), ("backup", self.folder / "b.db")):
            self.bad(1, *arguments)
            self.assertFalse((self.data / "cronista.db").exists(), arguments)


class People(Folder):
    def test_users_and_keys_beside_a_server(self):
        server = self.serve()
        out = self.good("user", "add", "ana@example.com", "--name", "Ana Ruiz", "--profile", "member", "--level", "Level 2",
                        "--password-stdin", text="a long enough one\nsecond line\n")
        self.assertIn("Ana Ruiz <ana@example.com>", out)
        users = {row["email"]: row for row in self.table("users")}
        self.assertEqual(users["ana@example.com"]["profile"], "member")
        self.assertEqual(users["ana@example.com"]["level"], "Level 2")
        key = self.good("token", "add", "ana@example.com", "--name", "test").strip()
        self.assertRegex(key, r"^crn_[A-Za-z0-9_-]{43}$")
        api = server.api(key)
        self.assertEqual(api.request("GET", "/api/contacts")[0], 200)
        self.assertEqual(api.request("GET", "/api/imports")[0] // 100, 4)  # is no administrator
        self.assertEqual(server.api("crn_" + "x" * 43).request("GET", "/api/contacts")[0], 401)
        self.assertIn("email", self.bad(1, "user", "add", "ana@example.com", "--name", "Again"))
        self.assertIn("10 characters", self.bad(1, "user", "add", "bob@example.com", "--name", "Bob", "--password-stdin", text="short\n"))
        self.assertIn("profile", self.bad(1, "user", "add", "bob@example.com", "--name", "Bob", "--profile", "king"))
        self.assertIn("nobody@example.com", self.bad(1, "token", "add", "nobody@example.com"))
        self.assertIn("can't sign in", self.good("user", "add", "cid@example.com", "--name", "Cid"))
        kinds = [row["kind"] for row in self.table("history") if row["channel"] == "command"]
        self.assertIn("key_added", kinds)

    def test_what_a_profile_reaches(self):
        server = self.serve()
        server.api(server.new_key()).want(201, "POST", "/api/profiles", {"name": "Ventas Ñ", "contacts": ["view", "edit"], "hidden_contacts": ["phone"]})
        told = self.good("audit-roles", "ventas n")
        self.assertRegex(told, r"(?m)^contacts +view edit; only what is in reach; not shown: phone$")
        self.assertRegex(told, r"(?m)^PATCH +/\{module\}/\{id\} +edit .*\bcontacts\b")
        self.assertNotRegex(told, r"(?m)^leads ")
        self.assertEqual(told, self.good("audit-roles", "p1"))
        self.assertRegex(self.good("audit-roles", "administrator"), r"(?m)^GET +/history +audit")
        self.assertNotRegex(self.good("audit-roles", "member"), r"(?m)^GET +/history +audit")
        self.assertIn("profile", self.bad(1, "audit-roles", "king"))
        # The same by the API, for administrators.
        reach = server.api(server.new_key()).want(200, "GET", "/api/profiles/p1/reach")
        self.assertEqual([["view", "edit"], ["phone"]], [[m["may"], m["hidden"]] for m in reach["modules"] if m["module"] == "contacts"][0])


PEOPLE = "name,email,city\nAnn,ann@example.com,Lima\nBob,nonsense,Oslo\nCid,cid@example.com,\n"


class Files(Folder):
    def test_import(self):
        self.good("user", "add", "ana@example.com", "--name", "Ana", "--profile", "administrator")
        people = self.file("people.csv", PEOPLE)
        before = len(self.table("history"))
        out = self.good("import", "contacts", people, "--dry-run")
        self.assertIn("2 would be created", out)
        self.assertEqual(len(self.table("history")), before + 1)  # that of the first export
        refused = self.folder / "refused.csv"
        code, out, err = run("import", "contacts", people, "--data", self.data, "--errors", refused, "--as", "ana@example.com")
        self.assertEqual(code, 0, err)
        self.assertIn("3 rows: 2 created", out)
        self.assertIn("refused: 1 rows, the first is 3: email:", out)
        self.assertIn(str(refused), err)
        with open(refused, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["name"] for row in rows], ["Bob"])
        self.assertIn("email", rows[0]["problems"])
        self.assertEqual({row["user"] for row in self.table("history") if row["kind"] == "imported"}, {"Ana"})
        self.assertEqual([row["owner"] for row in self.table("contacts")], ["Ana", "Ana"])
        report = json.loads(self.good("import", "contacts", people, "--json", "--on-duplicate", "merge"))
        self.assertEqual((report["created"], report["unchanged"], report["refused"]), (0, 2, 1))
        mapping = json.loads(self.good("import", "contacts", people, "--show-mapping", "--fresh"))
        self.assertEqual(mapping["columns"], {"name": "name", "email": "email", "city": "city"})

    def test_import_refuses_plainly(self):
        self.good("user", "add", "ana@example.com", "--name", "Ana")
        people = self.file("people.csv", PEOPLE)
        self.assertIn("file", self.bad(1, "import", "contacts", self.folder / "none.csv"))
        self.assertIn("module", self.bad(1, "import", "nonsense", people))
        self.assertIn("name", self.bad(1, "import", "contacts", people, "--map", self.file("m.json", '{"columns":{"name":"nam"}}')))
        self.bad(1, "import", "contacts", people, "--map", self.file("m.json", "{"))
        self.bad(1, "import", "contacts", people, "--map", self.folder / "none.json")
        self.bad(1, "import", "contacts", people, "--on-duplicate", "maybe")
        self.bad(1, "import", "contacts", people, "--continue")
        self.bad(1, "import", "contacts", people, "--as", "ana@example.com")  # a member may not import
        self.assertEqual(len(self.table("contacts")), 0)

    def test_import_interrupted_and_continued(self):
        rows = 30000
        many = self.file("many.csv", "name,external_id\n" + "".join(f"Person {i},p-{i}\n" for i in range(rows)))
        self.good("user", "add", "ana@example.com", "--name", "Ana")
        command = [PROGRAM, "import", "contacts", many, "--data", self.data]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **environment_for(command)})
        while process.poll() is None and self.contacts() <= 300:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("--continue", err)
        done = int(re.match(r"(\d+) rows", out)[1])
        self.assertLess(done, rows)
        self.assertEqual(len(self.table("contacts", "--columns", "id")), done)
        out = self.good("import", "contacts", many, "--continue")
        self.assertIn(f"{rows} rows: {rows} created", out)
        numbers = sorted(int(row["external_id"][2:]) for row in self.table("contacts", "--columns", "external_id"))
        self.assertEqual(numbers, list(range(rows)))
        self.good("rebuild", "--check")

    def contacts(self):
        if POSTGRES:
            return int(psql(self.data, "SELECT count(*) FROM m_contacts"))
        with sqlite3.connect(f"file:{self.data}/cronista.db?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM m_contacts").fetchone()[0]

    def test_export(self):
        self.good("import", "contacts", self.file("people.csv", PEOPLE))
        self.assertEqual([row["name"] for row in self.table("contacts", "--sort", "-name")], ["Cid", "Ann"])
        rows = self.table("contacts", "--filter", "city:empty:1", "--columns", "name,city")
        self.assertEqual(rows, [{"name": "Cid", "city": ""}])
        rows = self.table("contacts", "--filter", "city:ne:x", "--filter", "name:contains:an", "--columns", "name", "--labels")
        self.assertEqual(rows, [{"Full name": "Ann"}])
        self.assertIn("2 rows", self.good("export", "contacts", self.folder / "c.xlsx"))
        self.assertTrue((self.folder / "c.xlsx").read_bytes().startswith(b"PK"))
        self.good("export", "contacts", self.folder / "c.jsonl")
        lines = [json.loads(line) for line in (self.folder / "c.jsonl").read_text().splitlines()]
        self.assertEqual({line["name"] for line in lines}, {"Ann", "Cid"})
        events = self.table("history")
        self.assertEqual([int(row["position"]) for row in events], sorted((int(row["position"]) for row in events), reverse=True))
        self.assertEqual(sum(row["kind"] == "exported" for row in events), 5)
        self.bad(1, "export", "nonsense", self.folder / "n.csv")
        self.bad(1, "export", "contacts", self.folder / "n.csv", "--filter", "nonsense:eq:1")
        self.assertFalse((self.folder / "n.csv").exists())
        self.bad(1, "export", "contacts", "/nowhere/n.csv")


def replaced(column, old, new):
    """SQL: a column of bytes with one text in the place of another."""
    if POSTGRES:
        return f"convert_to(replace(convert_from({column},'UTF8'),'{old}','{new}'),'UTF8')"
    return f"replace(CAST({column} AS TEXT),'{old}','{new}')"


class Proof(Folder):
    def setUp(self):
        super().setUp()
        self.good("import", "contacts", self.file("people.csv", PEOPLE))

    def tamper(self, *statements):
        if POSTGRES:  # whoever is superuser there may do anything, too
            off = "".join(f"ALTER TABLE {table} DISABLE TRIGGER ALL;" for table in ("events", "payloads"))
            for statement in statements:
                self.assertNotEqual(psql(self.data, f"{off} {statement} RETURNING 1"), "", statement)
            return
        database = sqlite3.connect(self.data / "cronista.db")
        for name, in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            self.assertGreater(database.execute(statement).rowcount, 0, statement)
        database.commit()
        database.close()

    def wrong_at(self, position, *more):
        err = self.bad(1, "verify", *more)
        found = re.search(r"WRONG at position (\d+)", err)
        self.assertTrue(found, err)
        self.assertEqual(int(found[1]), position, err)

    def test_a_good_log(self):
        out = self.good("verify")
        self.assertIn("The log verifies", out)
        self.assertIn("Every table is what the log says", self.good("rebuild", "--check"))

    def test_a_head_is_changed(self):
        forged = replaced("head", '"actor":0', '"actor":7')
        self.tamper(f"UPDATE events SET head={forged} WHERE position=2")
        self.wrong_at(2)

    def test_a_payload_is_changed(self):
        self.tamper(f"UPDATE payloads SET body={replaced('body', 'Lima', 'Rome')} WHERE position=1")
        self.wrong_at(1)

    def test_the_last_event_is_gone(self):
        last = len(self.positions()) - 1
        self.tamper(f"DELETE FROM events WHERE position={last}", f"DELETE FROM payloads WHERE position={last}")
        self.wrong_at(last)

    def test_one_in_the_middle_is_gone(self):
        self.tamper("DELETE FROM events WHERE position=2", "DELETE FROM payloads WHERE position=2")
        self.wrong_at(2)

    def test_two_are_swapped(self):
        self.tamper("UPDATE events SET position=-1 WHERE position=1", "UPDATE events SET position=1 WHERE position=2",
                    "UPDATE events SET position=2 WHERE position=-1")
        self.wrong_at(1)

    def positions(self):
        if POSTGRES:
            return psql(self.data, "SELECT position FROM events").splitlines()
        with sqlite3.connect(self.data / "cronista.db") as database:
            return database.execute("SELECT position FROM events").fetchall()

    @unittest.skipIf(POSTGRES, "there is no file to put back")
    def test_rolled_back_behind_a_checkpoint(self):
        server = self.serve()
        old = self.folder / "old"
        shutil.copytree(self.data, old)
        api = server.api(server.new_key())
        api.want(201, "POST", "/api/contacts", {"name": "After"})
        checkpoint = self.file("checkpoint", api.want(200, "GET", "/api/log/checkpoint"))
        self.assertIn("what the given checkpoints say", self.good("verify", "--against", checkpoint))
        server.stop()
        shutil.copytree(old, self.data, dirs_exist_ok=True)
        for part in ("cronista.db-wal", "cronista.db-shm"):
            if not (old / part).exists():
                (self.data / part).unlink(missing_ok=True)
        err = self.bad(1, "verify", "--against", checkpoint)
        self.assertIn("WRONG", err)
        self.assertIn("(cut)", err)
        self.bad(1, "verify", "--against", self.file("none", "no checkpoint at all"))

    def test_a_table_is_changed(self):
        self.tamper("UPDATE m_contacts SET f_city='Rome' WHERE f_city='Lima'")
        self.good("verify")  # the log itself is whole
        err = self.bad(1, "rebuild", "--check")
        self.assertIn("m_contacts", err)
        self.good("rebuild")
        self.good("rebuild", "--check")
        self.assertEqual({row["city"] for row in self.table("contacts")}, {"Lima", ""})


@unittest.skipIf(POSTGRES, "of the embedded database")
class Versions(Folder):
    def make_older(self, file):
        """As if another version had made the tables."""
        database = sqlite3.connect(file)
        database.execute("UPDATE state SET value = 'of another version' WHERE name = 'layout'")
        database.execute("DELETE FROM m_contacts")
        database.commit()
        database.close()

    def test_an_older_installation(self):
        self.good("import", "contacts", self.file("c.csv", "name,city\nAna,Lima\n"))
        backup = self.folder / "old.db"
        self.good("backup", backup)
        self.make_older(self.data / "cronista.db")
        self.make_older(backup)
        for command in (("export", "contacts", self.folder / "x.csv"), ("rebuild", "--check"), ("token", "add", "a@b.example")):
            self.assertIn("cronista migrate", self.bad(1, *command))
        self.assertIn("up to date", self.good("migrate"))
        self.assertEqual([row["city"] for row in self.table("contacts")], ["Lima"])
        self.good("migrate")
        self.good("verify")
        elsewhere = self.folder / "elsewhere"
        code, out, err = run("restore", backup, "--data", elsewhere)
        self.assertEqual(code, 0, out + err)
        self.assertIn("Every table is what the log says", out)
        self.assertEqual(run("migrate", "--data", self.folder / "nothing")[0], 1)

    def test_stories_without_kinds(self):
        """The tables as they were before the third migration, with what they held."""
        companies = self.file("companies.csv", "name\nAcme\nBeta\n")
        self.good("import", "companies", companies)
        self.good("import", "contacts", self.file("contacts.csv", "name,company\nAna,Acme\nEva,Beta\nIvo,Acme\n"))
        database = sqlite3.connect(self.data / "cronista.db")
        before = database.execute("SELECT * FROM timeline ORDER BY 1, 2, 3").fetchall()
        self.assertGreater(len(before), 8)
        database.executescript("""
            CREATE TABLE older (card_module INTEGER NOT NULL, card INTEGER NOT NULL, position INTEGER NOT NULL,
                                PRIMARY KEY (card_module, card, position)) WITHOUT ROWID;
            INSERT INTO older SELECT card_module, card, position FROM timeline;
            DROP TABLE timeline;
            ALTER TABLE older RENAME TO timeline;
            DROP TABLE requests;
            DROP TABLE uploads;
            DROP TABLE file_uses;
            DROP TABLE files_gone;
            DROP TABLE notifications;
            DROP TABLE notifications_read_to;
            DROP TABLE notifications_read;
            DROP TABLE preferences;
            DROP TABLE reminders;
            DROP TABLE consent_links;
            DROP TABLE errands;
            DROP TABLE invitations;
            ALTER TABLE record_links DROP COLUMN since;
            DROP TABLE record_links_past;
            DROP TABLE files_brought;
            DROP TABLE role_reach;
            DROP TABLE ranks_at;
            DROP TABLE passages;
            DROP TABLE second_factors;
            ALTER TABLE api_keys DROP COLUMN scope;
            ALTER TABLE api_keys DROP COLUMN modules;
            DROP TABLE recovery_codes;
            DROP TABLE sign_in_steps;
            DROP TABLE identities;
            DROP TABLE identity_answers;
            ALTER TABLE sessions DROP COLUMN issuer;
            ALTER TABLE sessions DROP COLUMN confirmed_at;
            CREATE INDEX log_by_actor ON log (actor);
            DELETE FROM migrations WHERE number >= 3;""")
        database.close()
        self.assertIn("cronista migrate", self.bad(1, "export", "contacts", self.folder / "x.csv"))
        self.good("migrate")
        database = sqlite3.connect(self.data / "cronista.db")
        self.assertEqual(database.execute("SELECT * FROM timeline ORDER BY 1, 2, 3").fetchall(), before)
        database.close()
        self.good("rebuild", "--check")


@unittest.skipIf(POSTGRES, "of the embedded database")
class Moves(Folder):
    def setUp(self):
        super().setUp()
        self.other = self.folder / "other"

    def move(self, source=None, target=None):
        return run("move", "--from", source or self.data, "--to", target or self.other)

    def test_everything_goes_along(self):
        server = self.serve()
        key = server.new_key()
        api = server.api(key)
        for i in range(30):
            made = api.want(201, "POST", "/api/contacts", {"name": f"Contact {i} ñ"}, {"Idempotency-Key": f"key {i}"})
        api.want(200, "PATCH", f"/api/contacts/{made['id']}", {"city": "Łódź"})
        checkpoint = self.folder / "checkpoint"
        checkpoint.write_text(api.want(200, "GET", "/api/log/checkpoint"))
        self.assertIn("in use", self.move()[2])
        server.stop()
        code, out, err = self.move()
        self.assertEqual(code, 0, out + err)
        roots = re.findall(r"root (\S+)", out)
        self.assertEqual(len(roots), 2)
        self.assertEqual(*roots)
        self.assertIn("Every table is what the log says", out)
        code, out, err = run("verify", "--against", checkpoint, "--data", self.other)
        self.assertEqual(code, 0, out + err)
        # Keys, sessions and what was done once are there.
        moved = Server(self.other).start()
        self.addCleanup(moved.kill)
        api = moved.api(key)
        again = api.want(201, "POST", "/api/contacts", {"name": "Contact 29 ñ"}, {"Idempotency-Key": "key 29"})
        self.assertEqual(made["id"], again["id"])
        self.assertEqual("Łódź", again["city"])
        self.assertIn("in use", self.move()[2])
        moved.stop()
        # It went its own way: not to be overwritten.
        run("import", "contacts", self.file("c.csv", "name\nNew\n"), "--data", self.other)
        self.assertIn("another log", self.move()[2])

    def test_cut_off(self):
        rows = "".join(f"Contact {i},City {i % 7}\n" for i in range(20000))
        self.good("import", "contacts", self.file("c.csv", "name,city\n" + rows))
        cut = 0
        for delay in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
            with subprocess.Popen([PROGRAM, "move", "--from", self.data, "--to", self.other], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                time.sleep(delay)
                cut += process.poll() is None
                process.kill()
        self.assertGreater(cut, 2)
        code, out, err = self.move()
        self.assertEqual(code, 0, out + err)
        before, self.data = self.table("contacts"), self.other
        self.assertEqual(before, self.table("contacts"))

    def test_what_can_not_be(self):
        self.assertEqual(2, run("move")[0])
        self.assertEqual(1, self.move(self.folder / "nothing")[0])
        self.good("import", "contacts", self.file("c.csv", "name\nNew\n"))
        self.assertEqual(1, self.move(target="postgres://user:secret@127.0.0.1:1/none")[0])
        self.assertNotIn("secret", "".join(map(str, self.move(target="postgres://user:secret@127.0.0.1:1/none"))))


@unittest.skipIf(POSTGRES, "of the embedded database")
class Backups(Folder):
    def test_there_and_elsewhere(self):
        server = self.serve()
        api = server.api(server.new_key())
        for i in range(20):
            api.want(201, "POST", "/api/contacts", {"name": f"Person {i}"})
        checkpoint = self.file("checkpoint", api.want(200, "GET", "/api/log/checkpoint"))
        backup = self.folder / "backup.db"
        self.assertIn(str(backup), self.good("backup", backup))
        self.assertEqual(os.stat(f"{backup}.key").st_mode & 0o777, 0o600)
        self.bad(1, "backup", backup)  # does not write over anything
        api.want(201, "POST", "/api/contacts", {"name": "Later"})
        # Not over a living installation, nor over any without being told.
        self.assertIn("--force", self.bad(1, "restore", backup))
        self.assertIn("in use", self.bad(1, "restore", backup, "--force"))
        self.assertEqual(len(api.want(200, "GET", "/api/contacts?limit=200")["items"]), 21)
        elsewhere = self.folder / "elsewhere"
        code, out, err = run("restore", backup, "--data", elsewhere)
        self.assertEqual(code, 0, out + err)
        self.assertIn("The log verifies", out)
        self.assertIn("Every table is what the log says", out)
        self.assertEqual(run("verify", "--against", checkpoint, "--data", elsewhere)[0], 0)
        moved = Server(elsewhere).start()
        self.addCleanup(moved.stop)
        there = moved.api(moved.new_key())
        self.assertEqual(len(there.want(200, "GET", "/api/contacts?limit=200")["items"]), 20)
        there.want(201, "POST", "/api/contacts", {"name": "New life"})
        self.assertEqual(moved.command("verify", "--against", str(checkpoint))[0], 0)
        # Back over the old one, once its server has ended.
        server.stop()
        self.good("restore", backup, "--force")
        self.assertTrue((self.data / "cronista.db.replaced").exists())
        self.assertEqual(len(self.table("contacts")), 20)

    def test_uploaded_files_go_along(self):
        server = self.serve()
        api = server.api(server.new_key())
        digests = []
        for text in (b"the first", b"the second"):
            made = api.want(201, "POST", "/api/files?name=a.txt", text, {"Content-Type": "text/plain"})
            digests.append(made["digest"])
            backup = self.folder / "copies" / f"{len(digests)}.db"
            backup.parent.mkdir(exist_ok=True)
            self.assertIn(f"Uploaded files, {len(digests)} of them", self.good("backup", backup))
        kept = self.folder / "copies/files"  # one folder for both
        (kept / "zz").mkdir()  # nothing of ours
        (kept / digests[0][:2] / f"{digests[0][2:]}.part").write_bytes(b"what a power cut left")
        elsewhere = self.folder / "elsewhere"
        code, out, err = run("restore", backup, "--data", elsewhere)
        self.assertEqual(code, 0, out + err)
        there = sorted(str(p.relative_to(elsewhere / "files")) for p in (elsewhere / "files").rglob("*") if p.is_file())
        self.assertEqual(there, sorted(f"{d[:2]}/{d[2:]}" for d in digests))
        self.assertEqual((elsewhere / "files" / there[0]).read_bytes(), (self.data / "files" / there[0]).read_bytes())

    def test_what_is_no_backup(self):
        self.assertIn("no backup", self.bad(1, "restore", self.file("b.db", "not a database, but long enough")))
        self.bad(1, "restore", self.folder / "none.db")
        self.assertFalse((self.data / "cronista.db").exists())

    def test_a_damaged_backup_is_told(self):
        self.good("import", "contacts", self.file("people.csv", PEOPLE))
        backup = self.folder / "backup.db"
        self.good("backup", backup)
        database = sqlite3.connect(backup)
        database.execute("DROP TRIGGER payloads_only_erased")
        database.execute("UPDATE payloads SET body=replace(CAST(body AS TEXT),'Lima','Rome')")
        database.commit()
        database.close()
        code, _, err = run("restore", backup, "--data", self.folder / "other")
        self.assertEqual(code, 1)
        self.assertIn("WRONG at position", err)

    def test_postgres_has_its_own_tools(self):
        code, _, err = run("backup", self.folder / "x", "--database", "postgres://localhost/x")
        self.assertEqual(code, 1)
        self.assertIn("pg_dump", err)


class Database(Folder):
    def test_what_is_no_url(self):
        for url in ("mysql://localhost/x", "/var/lib/cronista", "postgres"):
            code, _, err = run("verify", "--database", url)
            self.assertEqual(code, 2, err)
            self.assertIn("postgres://", err)
        for url in ("postgres://u:geheim@127.0.0.1:1/x", "postgres://u:geheim@h/x?nonsense"):
            code, out, err = run("verify", "--database", url)
            self.assertEqual(code, 1, err)
            self.assertNotIn("geheim", out + err)

    def test_replicas(self):
        embedded = {name: value for name, value in os.environ.items() if name != "CRONISTA_DATABASE"}
        for url, says in (("postgres://u:geheim@h/x", "goes with --database"), ("geheim", "goes with --database")):
            done = subprocess.run([PROGRAM, "serve", "--data", self.folder / "embedded", "--listen", "127.0.0.1:0", "--replica", url],
                                  capture_output=True, text=True, timeout=60, check=False, env=embedded)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(says, done.stderr)
            self.assertNotIn("geheim", done.stdout + done.stderr)
        if POSTGRES:
            for url in ("geheim", "host=h password=geheim", "postgres://u:geheim@h/x?nonsense"):
                self.assertNotIn("geheim", self.bad(1, "serve", "--listen", "127.0.0.1:0", "--replica", url))

    def test_a_password_does_not_stay_among_the_arguments(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
            url = f"postgres://u:geheim@127.0.0.1:{silent.getsockname()[1]}/x"
            process = subprocess.Popen([PROGRAM, "verify", "--database", url], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            silent.accept()[0].close()
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes() if process.poll() is None else b""
            self.assertEqual(process.wait(30), 1)
            self.assertNotIn(b"geheim", shown)

    @unittest.skipUnless(POSTGRES, "there is no server")
    def test_roles(self):
        self.good("import", "contacts", self.file("people.csv", PEOPLE))
        application = environment_for(["--data", self.data])["CRONISTA_DATABASE"]
        for role in ("cronista_owner", "postgres"):
            strong = {"CRONISTA_DATABASE": application.replace("cronista_application@", f"{role}@")}
            for command in (("serve", "--listen", "127.0.0.1:0"), ("import", "contacts", self.folder / "people.csv"),
                            ("user", "add", "x@example.com", "--name", "X")):
                self.assertIn("cronista migrate --application", self.bad(1, *command, environment=strong))
            self.assertIn("The log verifies", self.good("verify", environment=strong))  # who reads may be strong
            self.assertIn("up to date", self.good("migrate", environment=strong))
        self.assertIn("up to date", self.good("migrate"))
        self.assertIn("only the owner", self.bad(1, "migrate", "--application", "anybody"))
        psql(self.data, "DELETE FROM migrations")
        for command in (("rebuild",), ("migrate",), ("serve", "--listen", "127.0.0.1:0")):
            self.assertIn("the database's owner", self.bad(1, *command))


class Demonstration(Folder):
    def story(self, folder, *more):
        data = self.folder / folder
        code, out, err = run("demo", "--data", data, "--today", TODAY, *more)
        self.assertEqual(code, 0, err)
        path = self.folder / f"{folder}.csv"
        self.assertEqual(run("export", "history", path, "--data", data)[0], 0)
        with open(path, encoding="utf-8", newline="") as file:
            return out, list(csv.DictReader(file))

    def test_a_company_that_never_was(self):
        out, told = self.story("one")
        _, again = self.story("two")
        _, other = self.story("three", "--seed", "2")
        self.assertEqual(told, again)
        self.assertNotEqual(told, other)
        events = {int(row["position"]): row for row in told}
        self.assertTrue(3000 <= len(events) <= 5000, len(events))
        times = [events[position]["at"] for position in sorted(events)]
        self.assertEqual(times, sorted(times))
        self.assertLess(times[0], "2025-11-01")
        self.assertGreater(times[-1], "2026-05-19")
        self.assertLess(times[-1], "2026-05-21")
        self.assertGreaterEqual(len({row["user"] for row in events.values()}), 12)
        kinds = {(row["kind"], row["module"]) for row in events.values()}
        for module in ("companies", "contacts", "leads", "opportunities", "cases", "tasks", "products"):
            self.assertIn(("created", module), kinds)
            self.assertIn(("edited", module), kinds)
        for kind, module in (("deleted", "companies"), ("deleted", "contacts"), ("restored", "contacts"),
                             ("assigned", "opportunities"), ("commented", "cases")):
            self.assertIn((kind, module), kinds)
        texts = " ".join(row["text"] for row in told)
        for letters in ("ñ", "ł", "ș", "the "):
            self.assertIn(letters, texts)
        # Something is always about to happen.
        data = self.folder / "one"
        soon = self.folder / "soon.csv"
        self.assertEqual(run("export", "tasks", soon, "--data", data, "--filter", "done:eq:no", "--filter",
                             f"due:gte:{TODAY}", "--filter", "due:lt:2026-06-05")[0], 0)
        self.assertGreater(len(soon.read_text().splitlines()), 5)
        self.assertEqual(run("verify", "--data", data)[0], 0)
        self.assertEqual(run("rebuild", "--check", "--data", data)[0], 0)
        self.assertEqual(run("demo", "--data", data)[0], 1)  # not twice
        # Its administrator can sign in.
        found = re.search(r"Sign in as (\S+) \(administrator\) with the password (\S+)", out)
        server = Server(data).start()
        self.addCleanup(server.stop)
        api = server.api(server.new_key(found[1]))
        self.assertEqual(api.want(200, "GET", "/api/companies?limit=1")["items"][0]["module"], "companies")

    def test_it_can_be_told_on_any_day(self):
        # What was deleted by mistake is away for a while; on some days of the week others work in that while.
        for day in ("2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"):
            for seed in ("1", "3"):
                data = self.folder / f"{day}-{seed}"
                code, _, err = run("demo", "--data", data, "--today", day, "--seed", seed)
                self.assertEqual((day, seed, code), (day, seed, 0), err)


if __name__ == "__main__":
    unittest.main()
