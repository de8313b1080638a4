"""Histories of other systems: events of their own times and people, by the import."""

import contextlib
import csv
import datetime
import gzip
import io
import json
import os
import signal
import subprocess
import threading
import time
import unittest
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from harness import ROOT_FOLDER, Story
from support import ADMINISTRATOR, PROGRAM, environment_of
from transfer_test import multipart

SHARED = Path(os.environ.get("CRONISTA_SHARED_DATA", ROOT_FOLDER / "../shared/data"))
MAPPINGS = ROOT_FOLDER / "tests/data"

EVENTS = """Ticket;When;What;Who;Team;Severity;Line
T-1;03/02/2021 09:30;Take over;Bea Prado;Second line;?;3
T-1;01/02/2021 08:00;Register;Ana Ríos;First line;high;1
T-2;05/02/2021 10:00;Register;Ana Ríos;;low;1
T-1;01/02/2021 08:00;Call back;Ana Ríos;First line;high;2
T-2;05/02/2021 10:00;Register;Ana Ríos;;low;1
T-1;04/02/2021 16:45;Close;Bea Prado;Second line;high;4
T-2;06/02/2021 10:00;Close;Carlos Sáenz;n/a;low;2
"""
EVENTS_MAP = {
    "module": "cases", "language": "es", "zone": "Europe/Madrid",
    "history": {
        "rows": "events", "source": "Old desk", "case": "Ticket", "time": {"column": "When", "dates": "dmy"}, "person": "Who",
        "activity": {"column": "What", "sets": {"status": {"Register": "new", "Take over": "open", "Close": "closed"}}},
        "unknown": ["?", "n/a"],
        "people": {"level": "Front", "levels": {"Bea Prado": "Back"}},
        "groups": {"levels": {"First line": "Front", "Second line": "Back"}},
        "levels": ["Front", "Back"],
        "fields": {"x_severity": {"label": "Severity", "type": "text"}},
    },
    "columns": {"Ticket": "external_id", "Team": "group", "Severity": "x_severity"},
    "set": {"subject": "{Ticket}"},
}

STATES = """number,state,priority,group,assigned,updated,by,mods
S-1,New,1,Alpha,,2020-01-01 10:00,Dora,0
S-1,Open,1,Alpha,Eva,2020-01-01 11:00,Dora,1
S-1,Open,1,Beta,Eva,2020-01-01 11:00,Eva,3
S-1,Open,1,Beta,Eva,2020-01-01 12:00,Eva,4
S-1,-100,?,?,?,2020-01-01 13:00,Eva,4
S-1,Open,2,?,Dora,2020-01-01 14:00,Eva,5
S-2,New,2,Beta,?,2020-01-02 10:00,Dora,0
"""
STATES_MAP = {
    "module": "cases", "language": "none", "zone": "America/Bogota",
    "history": {"rows": "states", "source": "Audit", "case": "number", "time": "updated", "person": "by", "unknown": ["?", "-100"],
                "people": {"level": "Front"}, "groups": {}, "levels": ["Front", "Back"]},
    "columns": {"number": "external_id", "state": {"field": "status", "replace": {"New": "new", "Open": "open"}},
                "priority": {"field": "priority", "replace": {"1": "urgent", "2": "high"}}, "group": "group", "assigned": "owner"},
    "set": {"subject": "{number}"},
}


def renamed(mapping, **parts):
    return {**mapping, "history": {**mapping["history"], **parts}}


class Telling(Story):
    """A file is imported with the command, while a server runs."""

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return path

    def tell(self, name, text, mapping, *more, check=True):
        path = text if isinstance(text, Path) else self.write(name, text)
        code, printed = self.server.command("import", "cases", str(path), "--map", str(self.write(f"{name}.map", mapping)),
                                            "--json", *more, check=check)
        if code != 0:
            return code, printed
        report = json.loads(printed[printed.index("{"):printed.rindex("}") + 1])
        if "--dry-run" not in more:
            self.learn(mapping)
        return [report[key] for key in ("created", "changed", "unchanged", "skipped", "refused")], report

    def learn(self, mapping):
        """The server hears of fields that another process made soon, not at once."""
        for field in mapping.get("history", {}).get("fields", {}):
            until = time.monotonic() + 20
            while self.api.request("GET", f"/api/cases?limit=1&columns={field}")[0] != 200:
                self.assertLess(time.monotonic(), until, field)
                time.sleep(0.05)

    def case(self, external):
        items = self.api.want(200, "GET", f"/api/cases?filter[external_id][eq]={external}")["items"]
        self.assertEqual(1, len(items), external)
        return self.api.want(200, "GET", f"/api/cases/{items[0]['id']}")

    def story(self, external):
        """Oldest first."""
        found = self.api.want(200, "GET", f"/api/cases/{self.case(external)['id']}/history?limit=200")["items"]
        return found[::-1]

    def short(self, external):
        return [(e["at"], (e["actor"] or {}).get("name"), e["kind"], e.get("activity"),
                 {c["field"]: c["new"] for c in e["changes"] if e["kind"] != "created"}) for e in self.story(external)]

    def whole(self):
        """What a log must be after anything that was done to it."""
        self.server.command("verify")
        self.assertIn("Every table is what the log says", self.server.command("rebuild", "--check")[1])


class Small(Telling):
    def setUp(self):
        if not hasattr(Small, "told"):
            Small.dry = self.tell("events.csv", EVENTS, EVENTS_MAP, "--dry-run")
            before = self.api.want(200, "GET", "/api/history?limit=1")["items"][0]["position"]
            Small.told = self.tell("events.csv", EVENTS, EVENTS_MAP)
            Small.operation = Small.told[1]["operation"]
            self.assertEqual(before + 1, Small.operation, "a dry run leaves nothing")

    def test_events(self):
        self.assertEqual([2, 4, 0, 1, 0], self.told[0])
        self.assertEqual(self.told[0], self.dry[0])
        groups = {g["name"]: g["id"] for g in self.api.want(200, "GET", "/api/groups?limit=200")["items"]}
        self.assertEqual(self.short("T-1"), [
            # two at the same time keep the order of the file, and the one that changes nothing is told all the same
            ("2021-02-01T07:00:00Z", "Ana Ríos", "created", "Register", {}),
            ("2021-02-01T07:00:00Z", "Ana Ríos", "told", "Call back", {}),
            ("2021-02-03T08:30:00Z", "Bea Prado", "edited", "Take over", {"status": "open", "group": groups["Second line"]}),
            ("2021-02-04T15:45:00Z", "Bea Prado", "edited", "Close", {"status": "closed", "solved_at": "2021-02-04T15:45:00Z"}),
        ])
        case = self.case("T-1")
        self.assertEqual((case["created_at"], case["updated_at"]), ("2021-02-01T07:00:00Z", "2021-02-04T15:45:00Z"))
        self.assertEqual((case["created_by"]["name"], case["updated_by"]["name"]), ("Ana Ríos", "Bea Prado"))
        self.assertEqual((case["owner"], case["x_severity"], case["group"]["name"]), (None, "high", "Second line"))
        self.assertEqual([e[3] for e in self.short("T-2")], ["Register", "Close"])
        self.assertEqual(self.case("T-2")["group"], None)
        self.assertEqual(self.told[1]["notes"][0]["rows"], 1)  # the exact repeat

    def test_people_groups_and_levels(self):
        people = {u["name"]: self.api.want(200, "GET", f"/api/users/{u['id']}")
                  for u in self.api.want(200, "GET", "/api/users?limit=200")["items"]}
        for name, level in (("Ana Ríos", "Front"), ("Bea Prado", "Back"), ("Carlos Sáenz", "Front")):
            user = people[name]
            self.assertEqual((user["active"], user["profile"], user["level"]["name"]), (False, "read_only", level))
            self.assertTrue(user["email"].endswith("@imported.invalid"), user["email"])
            self.assertIn(self.api.request("POST", "/api/session", {"email": user["email"], "password": "x" * 12})[0], (401, 403, 404))
        levels = {one["name"]: one["rank"] for one in
                  self.api.want(200, "GET", "/api/levels?limit=200&columns=name,rank")["items"]}
        self.assertEqual((levels["Front"], levels["Back"]), (1, 2))
        groups = {g["name"]: g["level"]["name"] for g in
                  self.api.want(200, "GET", "/api/groups?limit=200&columns=name,level")["items"] if g["level"]}
        self.assertEqual((groups["First line"], groups["Second line"]), ("Front", "Back"))

    def test_told_by_the_import(self):
        for event in self.story("T-1"):
            self.assertEqual((event["imported"], event["channel"], event["operation"]), (True, "import", self.operation))
            self.assertEqual(event["told_by"]["import"], self.told[1]["id"])
            self.assertEqual(event["told_by"]["person"], None)
            self.assertLess(event["at"], "2021-03")
            self.assertGreater(event["told_by"]["at"], "2024")
            self.assertNotIn("row", event)
        head = self.api.want(200, "GET", f"/api/log/{self.story('T-1')[0]['position']}")
        self.assertIn('"imported":true', head["head"])
        # people that the import made were made when it ran, by whoever ran it
        ana = [u for u in self.api.want(200, "GET", "/api/users?limit=200")["items"] if u["name"] == "Ana Ríos"][0]
        made = self.api.want(200, "GET", f"/api/users/{ana['id']}/history")["items"][-1]
        self.assertNotIn("imported", made)
        self.assertEqual(made["operation"], self.operation)

    def test_files_say_so(self):
        path = self.folder / "log.csv"
        self.server.command("export", "history", str(path))
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["operation"] == str(self.operation)]
        told = [row for row in rows if row["module"] == "cases"]
        self.assertEqual({"true"}, {row["imported"] for row in told})
        self.assertGreater(min(row["told_at"] for row in told), "2024")
        self.assertEqual({"Register", "Call back", "Take over", "Close"}, {row["activity"] for row in told})
        here = [row for row in rows if row["module"] == "users"]
        self.assertTrue(here)
        self.assertEqual({("", "", "")}, {(row["imported"], row["told_at"], row["activity"]) for row in here})

    def test_pages_say_so(self):
        browser = self.browser()
        case = self.case("T-1")
        page = browser.get(f"/cases/{case['id']}")
        self.assertEqual((page.status, page.wrong), (200, []))
        self.assertIn("proven only from then on", page.text)
        self.assertIn("Ana Ríos : Call back", page.text.replace("Ana Ríos:", "Ana Ríos :"))
        self.assertIn(f"/operations/{self.operation}", page.links)
        page = browser.get(f"/log/{self.story('T-1')[0]['position']}")
        self.assertIn("proven only from then on", page.text)
        self.assertIn("by the program", page.text)
        page = browser.get(f"/history?operation={self.operation}")
        self.assertIn("proven only from then on", page.text)
        # what happened here says nothing of the kind
        here = self.api.want(201, "POST", "/api/cases", {"subject": "Here"})
        self.assertNotIn("proven only", browser.get(f"/cases/{here['id']}").text)

    def test_the_change_log_finds_them(self):
        bea = [u for u in self.api.want(200, "GET", "/api/users?limit=200")["items"] if u["name"] == "Bea Prado"][0]["id"]
        find = lambda query: [e["kind"] for e in self.api.want(  # noqa: E731
            200, "GET", f"/api/history?operation={self.operation}&{query}")["items"]]
        self.assertEqual(find(f"user={bea}"), ["edited", "edited"])
        self.assertEqual(find(f"user={bea}&from=2021-02-04&to=2021-02-05"), ["edited"])
        self.assertEqual(find(f"user={bea}&from=2021-02-05"), [])
        self.assertEqual(find("from=2021-02-01&to=2021-02-02&module=cases"), ["told", "created"])
        self.assertEqual(find("kind=told"), ["told"])
        self.assertEqual(find(f"user={bea}&field=group&module=cases"), ["edited"])

    def test_twice_is_once(self):
        counts, report = self.tell("events.csv", EVENTS, EVENTS_MAP)
        self.assertEqual([0, 0, 0, 7, 0], counts)
        self.assertEqual(4, len(self.story("T-1")))
        # a longer file of the same system goes on where the shorter one ended
        counts, _ = self.tell("more.csv", EVENTS + "T-2;07/02/2021 10:00;Reopen;Bea Prado;First line;low;3\n", EVENTS_MAP)
        self.assertEqual([0, 1, 0, 7, 0], counts)
        self.assertEqual("Reopen", self.story("T-2")[-1]["activity"])

    def test_a_way_says_what_an_import_told(self):
        head = EVENTS.split("\n", 1)[0] + "\n"
        self.tell("way.csv", head + "W-1;01/03/2021 10:00;Register;Ana Ríos;First line;low;1\nW-1;02/03/2021 10:00;Take over;Bea Prado;Second line;low;1\n", EVENTS_MAP)
        case = self.case("W-1")["id"]
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"status": "closed"})
        ways = self.api.want(200, "GET", f"/api/cases/{case}/journey")["journeys"]
        status = next(way for way in ways if way["by"] == "status")["path"]
        self.assertEqual([("new", True), ("open", True), ("closed", None)], [(s["value"]["word"], s.get("imported")) for s in status])
        self.assertIn("(as an import told)", self.browser().get(f"/cases/{case}/journey").text)
        stays = self.api.want(200, "GET", f"/api/cases/journeys/stays?by=status&record={case}&ends=1")["items"]
        self.assertEqual([("new", True), ("open", True), ("closed", None)], [(s["value"]["word"], s.get("imported")) for s in stays])
        self.assertIn("(as an import told)", self.browser().get(f"/cases/journeys/stays?by=status&record={case}&ends=1").text)

    def test_undoing_says_what_an_import_told_since(self):
        head = EVENTS.split("\n", 1)[0] + "\n"
        first = "U-1;01/03/2021 10:00;Register;Ana Ríos;First line;low;1\n"
        _, report = self.tell("undone.csv", head + first, EVENTS_MAP)
        self.tell("since.csv", head + first + "U-1;02/03/2021 10:00;Take over;Bea Prado;Second line;low;1\n", EVENTS_MAP)
        case, here = self.case("U-1")["id"], f"/operations/{report['operation']}/undo"
        found = self.api.want(200, "GET", f"/api{here}")["preview"]
        kept = next(item for item in found["items"] if (item["module"], item["id"]) == ("cases", case))
        self.assertEqual(("kept", "Bea Prado", "2021-03-02T09:00:00Z", True), (kept["fate"], kept["by"]["name"], kept["at"], kept["imported"]))
        self.assertIn("Edited since by Bea Prado", self.browser().get(here).text)
        self.assertIn("as an import told", self.browser().get(here).text)
        self.api.request("POST", f"/api{here}", {})
        until = time.monotonic() + 30
        while (undo := self.api.want(200, "GET", f"/api{here}")["undo"])["state"] == "running" and time.monotonic() < until:
            time.sleep(0.05)
        told = next(one for one in undo["told"] if (one["module"], one["id"]) == ("cases", case))
        self.assertEqual(("kept", True), (told["fate"], told["imported"]))
        # What somebody did here says nothing of imports.
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"status": "new", "group": None})
        found = self.api.want(200, "GET", f"/api{here}")["preview"]
        kept = next(item for item in found["items"] if (item["module"], item["id"]) == ("cases", case))
        self.assertNotIn("imported", kept)

    def test_states(self):
        counts, _ = self.tell("states.csv", STATES, STATES_MAP)
        self.assertEqual([2, 4, 1, 0, 0], counts)
        groups = {g["name"]: g["id"] for g in self.api.want(200, "GET", "/api/groups?limit=200")["items"]}
        users = {u["name"]: u["id"] for u in self.api.want(200, "GET", "/api/users?limit=200")["items"]}
        self.assertEqual(self.short("S-1"), [
            ("2020-01-01T15:00:00Z", "Dora", "created", None, {}),
            ("2020-01-01T16:00:00Z", "Dora", "edited", None, {"status": "open", "owner": users["Eva"]}),
            ("2020-01-01T16:00:00Z", "Eva", "edited", None, {"group": groups["Beta"]}),
            # unknown empties what may be empty, and says nothing of what may not: then it is only who is in charge and the group
            ("2020-01-01T18:00:00Z", "Eva", "edited", None, {"group": None, "owner": None}),
            ("2020-01-01T19:00:00Z", "Eva", "edited", None, {"priority": "high", "owner": users["Dora"]}),
        ])
        self.assertEqual(self.tell("states.csv", STATES, STATES_MAP)[0], [0, 0, 1, 6, 0])

    def test_what_is_refused_ends_its_case(self):
        text = ("Ticket;When;What;Who;Team;Severity;Line\n"
                "R-1;01/02/2021 08:00;Register;Ana Ríos;First line;;1\n"
                "R-1;02/02/2021 08:00;Take over;Ana Ríos;First line;;2\n"
                f"R-1;03/02/2021 08:00;Close;Ana Ríos;First line;{'x' * 300};3\n"
                "R-1;04/02/2021 08:00;Reopen;Ana Ríos;First line;;4\n"
                "R-2;01/02/2021 08:00;Register;Ana Ríos;;;1\n"
                "R-3;31/02/2021 08:00;Register;Ana Ríos;;;1\n"
                "R-3;01/03/2021 08:00;Close;Ana Ríos;;;2\n"
                ";01/03/2021 08:00;Close;Ana Ríos;;;2\n"
                "R-4;01/03/2199 08:00;Register;Ana Ríos;;;2\n")
        dry, _ = self.tell("refused.csv", text, EVENTS_MAP, "--dry-run")
        errors = self.folder / "refused-rows.csv"
        counts, report = self.tell("refused.csv", text, EVENTS_MAP, "--errors", str(errors))
        self.assertEqual([2, 1, 0, 0, 6], counts)
        self.assertEqual(dry, counts)
        rows = list(csv.DictReader(errors.read_text(encoding="utf-8").splitlines(), delimiter=";"))
        self.assertEqual([r["Ticket"] for r in rows], ["R-1", "R-1", "R-3", "R-3", "R-4", ""])
        self.assertIn("earlier row of this case was refused (4)", rows[1]["problems"])
        self.assertIn("in the future", rows[4]["problems"])
        self.assertIn("which case", rows[5]["problems"])
        # corrected, the file goes on where each case ended
        fixed = errors.read_text(encoding="utf-8").replace("x" * 300, "low").replace("31/02", "28/02").replace("2199", "2019")
        fixed = "\n".join(line for line in fixed.splitlines() if not line.startswith(";")) + "\n"
        counts, report = self.tell("fixed.csv", fixed, EVENTS_MAP)
        self.assertEqual([2, 3, 0, 0, 0], counts, report["problems"])
        self.assertEqual([e[3] for e in self.short("R-1")], ["Register", "Take over", "Close", "Reopen"])
        self.assertEqual([e[3] for e in self.short("R-3")], ["Register", "Close"])

    def test_a_case_that_is_here_already(self):
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Older", "external_id": "H-1", "x_severity": "mine"})
        text = "Ticket;When;What;Who;Team;Severity;Line\nH-1;01/02/2021 08:00;Close;Ana Ríos;;high;1\n"
        counts, report = self.tell("here.csv", text, EVENTS_MAP)
        self.assertEqual([0, 0, 0, 0, 1], counts)
        self.assertIn("Something newer is known of this case", report["problems"][0]["problem"])
        self.assertEqual("mine", self.api.want(200, "GET", f"/api/cases/{case['id']}")["x_severity"])
        # one that was changed here since its last imported event
        self.tell("here2.csv", text.replace("H-1", "H-2"), EVENTS_MAP)
        told = self.case("H-2")
        self.api.want(200, "PATCH", f"/api/cases/{told['id']}", {"subject": "Changed here"})
        counts, report = self.tell("here3.csv", text.replace("H-1", "H-2") + "H-2;02/02/2021 08:00;Reopen;Ana Ríos;;;2\n", EVENTS_MAP)
        self.assertEqual([0, 0, 0, 1, 1], counts)
        self.assertEqual("Changed here", self.case("H-2")["subject"])

    def test_older_and_later_rows(self):
        head = "Ticket;When;What;Who;Team;Severity;Line\n"
        self.tell("o1.csv", head + "O-1;05/02/2021 08:00;Register;Ana Ríos;;;1\n", EVENTS_MAP)
        counts, report = self.tell("o2.csv", head + "O-1;06/02/2021 08:00;Close;Ana Ríos;;;3\nO-1;04/02/2021 08:00;Call;Ana Ríos;;;2\n",
                                   EVENTS_MAP)
        self.assertEqual([0, 1, 0, 0, 1], counts)  # the later one is told although one before it was refused
        self.assertEqual([e[3] for e in self.short("O-1")], ["Register", "Close"])

    def test_very_old_ones(self):
        counts, report = self.tell("old.csv", "Ticket;When;What;Who;Team;Severity;Line\nOLD-1;02/01/1685 08:00;Register;Ana Ríos;;;1\n"
                                   "OLD-1;31/12/1969 22:00;Close;Ana Ríos;;;2\nOLD-3;31/12/0001 08:00;Register;Ana Ríos;;;2\nOLD-2;01/01/1900 08:00;Register;Ana Ríos;;;1\n"
                                   "OLD-2;02/01/1900 08:00;Close;Bea Prado;;;2\nOLD-2;02/01/01 08:00;Call;Bea Prado;;;3\n", EVENTS_MAP)
        self.assertEqual([2, 3, 0, 0, 1], counts, report)
        self.assertIn("1685", str(report["problems"]))
        self.assertEqual([e[0][:10] for e in self.short("OLD-1")], ["1685-01-02", "1969-12-31"])
        self.assertEqual([e[0][:10] for e in self.short("OLD-2")], ["1900-01-01", "1900-01-02", "2001-01-02"])
        counts, report = self.tell("old2.csv", "Ticket;When;What;Who;Team;Severity;Line\nOLD-1;31/12/1965 22:00;Call;Ana Ríos;;;4\n", EVENTS_MAP)
        self.assertEqual([0, 0, 0, 0, 1], counts, report)
        self.whole()

    def test_people_that_stay_names(self):
        mapping = renamed(EVENTS_MAP, people={"missing": "name"})
        counts, _ = self.tell("names.csv", "Ticket;When;What;Who;Team;Severity;Line\nN-1;05/02/2021 08:00;Register;Zoe Nobody;;;1\n"
                              "N-1;05/02/2021 09:00;Close;Ana Ríos;;;1\n", mapping)
        self.assertEqual([1, 1, 0, 0, 0], counts)
        first, last = self.story("N-1")
        self.assertEqual((first["actor"], first["person"]), (None, "Zoe Nobody"))
        self.assertEqual(last["actor"]["name"], "Ana Ríos")
        self.assertNotIn("Zoe Nobody", [u["name"] for u in self.api.want(200, "GET", "/api/users?limit=200")["items"]])
        page = self.browser().get(f"/cases/{self.case('N-1')['id']}")
        self.assertIn("Zoe Nobody created this", page.text)

    def test_groups_that_are_there_get_their_level(self):
        group = self.api.want(201, "POST", "/api/groups", {"name": "Veterans"})
        mapping = renamed(EVENTS_MAP, groups={"levels": {"Veterans": "Oldest"}}, levels=["Front", "Back", "Oldest"])
        self.tell("veterans.csv", "Ticket;When;What;Who;Team;Severity;Line\nV-1;05/02/2021 08:00;Register;Ana Ríos;veterans;;1\n", mapping)
        got = self.api.want(200, "GET", f"/api/groups/{group['id']}")
        self.assertEqual("Oldest", got["level"]["name"])
        self.assertEqual(3, self.api.want(200, "GET", f"/api/levels/{got['level']['id']}")["rank"])
        self.assertEqual(group["id"], self.case("V-1")["group"]["id"])

    def test_times(self):
        mapping = {"module": "cases", "language": "none", "zone": "Europe/Madrid",
                   "history": {"rows": "events", "case": "Ticket", "time": "When", "activity": "What"},
                   "columns": {"Ticket": "external_id"}, "set": {"subject": "{Ticket}"}}
        text = ("Ticket,When,What\n"
                "Z-1,2011-10-30T02:30:00.250+02:00,a\n"   # summer time
                "Z-1,2011-10-30T02:10:00+01:00,b\n"        # after the hour was set back
                "Z-1,2011-10-30 03:00,c\n"                 # in the mapping's zone
                "Z-1,2011-10-29T23:59:59Z,first\n")
        counts, report = self.tell("zones.csv", text, mapping)
        self.assertEqual([1, 3, 0, 0, 0], counts, report["problems"])
        self.assertEqual([(e["at"], e["activity"], e["actor"]) for e in self.story("Z-1")], [
            ("2011-10-29T23:59:59Z", "first", None), ("2011-10-30T00:30:00.250000Z", "a", None),
            ("2011-10-30T01:10:00Z", "b", None), ("2011-10-30T02:00:00Z", "c", None)])

    def test_mappings_that_are_wrong(self):
        wrong = [
            (renamed(EVENTS_MAP, rows="stories"), "events or states"),
            (renamed(EVENTS_MAP, when="When"), "unknown part: when"),
            (renamed(EVENTS_MAP, time="Whenever"), "no column Whenever"),
            (renamed(EVENTS_MAP, person={"column": "Nobody"}), "no column Nobody"),
            (renamed(EVENTS_MAP, unknown="?"), "array of texts"),
            (renamed(EVENTS_MAP, case="Severity"), "unique"),
            (renamed(EVENTS_MAP, fields={"x_other": {"type": "link"}}), "can't make fields of the type link"),
            (renamed(EVENTS_MAP, fields={"name of mine": {"type": "text"}}), "key"),
            (renamed(EVENTS_MAP, people={"missing": "invent"}), "create, name, empty or refuse"),
            (renamed(EVENTS_MAP, groups={"missing": "name"}), "create, empty or refuse"),
            (renamed(EVENTS_MAP, rows="states"), "the activity sets nothing"),
            (renamed(EVENTS_MAP, activity={"column": "What", "sets": {"group": {"a": "b"}}}), "Two columns"),
            ({**EVENTS_MAP, "match": ["external_id"]}, "has no place here"),
            ({k: v for k, v in EVENTS_MAP.items() if k != "history"} | {"history": 7}, "has to be an object"),
        ]
        for mapping, says in wrong:
            code, printed = self.tell("wrong.csv", EVENTS, mapping, check=False)
            self.assertNotEqual(0, code, says)
            self.assertIn(says, printed)

    def test_only_administrators(self):
        profile = self.api.want(201, "POST", "/api/profiles", {
            "name": "Imports cases", **{m: ["view", "everyone", "create", "edit", "edit_everyone", "delete", "import", "export", "settings"]
                                        for m in ("cases", "contacts", "companies")}, "audits": True})["id"]
        self.user("importer@example.org", f"p{profile}")
        plain = {**EVENTS_MAP, "columns": {"Ticket": "external_id"}}
        for mapping in (EVENTS_MAP, {**plain, "history": {"rows": "events", "case": "Ticket", "time": "When"}}):
            for more in ((), ("--dry-run",)):
                code, printed = self.tell("denied.csv", EVENTS.replace("T-", "D-"), mapping, "--as", "importer@example.org", *more, check=False)
                self.assertNotEqual(0, code)
                self.assertIn("Only administrators may import a history", printed)
        del plain["history"]
        self.assertEqual([2, 0, 0, 5, 0], self.tell("plain.csv", EVENTS.replace("T-", "D-"), plain, "--as", "importer@example.org")[0])
        # an administrator's name stands beside what the import told
        self.tell("mine.csv", EVENTS.replace("T-", "M-"), EVENTS_MAP, "--as", ADMINISTRATOR)
        name = [u["name"] for u in self.api.want(200, "GET", "/api/users?limit=200")["items"] if u["email"] == ADMINISTRATOR][0]
        self.assertEqual(name, self.story("M-1")[0]["told_by"]["person"]["name"])

    def test_texts_of_templates_are_replaced(self):
        mapping = {"module": "cases", "language": "none", "match": [], "columns": {"Ticket": "external_id", "Severity": "ignore", "Who": {
            "field": "owner", "missing": "create", "create": {
                "email": "{value:address}@example.org", "profile": "read_only",
                "level": {"text": "{value}", "replace": {"Ann Lee": "Front"}, "otherwise": "Back", "missing": "create"}}}},
            "set": {"subject": "{Ticket}", "priority": {"text": "{Severity}", "replace": {"1": "urgent"}, "otherwise": "low"}}}
        text = "Ticket;Who;Severity\nX-1;Ann Lee;1\nX-2;Ann-Lee;7\nX-3;李;\n"
        counts, report = self.tell("templates.csv", text, mapping)
        self.assertEqual([3, 0, 0, 0, 0], counts, report["problems"])
        self.assertEqual([self.case(f"X-{n}")["priority"] for n in (1, 2, 3)], ["urgent", "low", "medium"])
        users = [self.api.want(200, "GET", f"/api/users/{self.case(f'X-{n}')['owner']['id']}") for n in (1, 2, 3)]
        self.assertEqual([u["level"]["name"] for u in users], ["Front", "Back", "Back"])
        self.assertEqual(3, len({u["email"] for u in users}))  # names that read the same have addresses of their own
        self.assertTrue(users[0]["email"].startswith("ann.lee.") and users[1]["email"].startswith("ann.lee."), users)

    def test_numbers_of_deleted_cases_are_not_given_again(self):
        made = [self.api.want(201, "POST", "/api/cases", {"subject": f"Numbered {n}"}) for n in range(3)]
        for one in made[1:]:
            self.api.want(204, "DELETE", f"/api/cases/{one['id']}")
        after = self.api.want(201, "POST", "/api/cases", {"subject": "After"})
        self.assertEqual(self.api.want(200, "GET", f"/api/cases/{made[2]['id']}")["number"] + 1, after["number"])

    def test_zz_whole(self):
        self.whole()


XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="trace"><string key="concept:name" value="nothing"/></global>
  <global scope="event"><string key="concept:name" value="nothing"/><date key="time:timestamp" value="1970-01-01T00:00:00Z"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="description" value="of the log itself"/>
  <trace>
    <string key="concept:name" value="E-1"/>
    <string key="channel" value="web"><string key="why" value="of an attribute"/></string>
    <list key="items"><values><string key="item" value="one"/></values></list>
    <event>
      <string key="concept:name" value="Close"/>
      <string key="lifecycle:transition" value="complete"/>
      <date key="time:timestamp" value="2021-06-03T09:00:00.000+02:00"/>
      <string key="org:resource" value="Bea Prado"/><string key="org:group" value="Second line"/>
      <int key="times" value="12"/>
    </event>
    <event>
      <date key="time:timestamp" value="2021-06-01T09:00:00.500Z"/>
      <string key="org:resource" value="Ana R&#237;os"/><string key="org:group" value="First line"/>
      <string key="org:role" value="agent"/><string key="concept:name" value="Register"/>
    </event>
  </trace>
  <trace><string key="concept:name" value="empty"/></trace>
  <trace>
    <string key="concept:name" value="E-2"/>
    <event><string key="concept:name" value="Register"/><date key="time:timestamp" value="2021-06-02T09:00:00Z"/></event>
  </trace>
</log>
"""
XES_MAP = {
    "module": "cases", "language": "none",
    "history": {"rows": "events", "source": "Miner", "case": "case:concept:name", "time": "time:timestamp", "person": "org:resource",
                "activity": {"column": "concept:name", "sets": {"status": {"Register": "new", "Close": "closed"}}},
                "people": {"level": "Front"}, "groups": {}, "fields": {"x_times": {"label": "Times", "type": "integer"}}},
    "columns": {"case:concept:name": "external_id", "org:group": "group", "case:channel": "channel", "times": "x_times"},
    "set": {"subject": "{case:concept:name}"},
}


class EventLogs(Telling):
    def bytes(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_xes(self):
        dry, _ = self.tell("log.xes", XES, XES_MAP, "--dry-run")
        counts, report = self.tell("log.xes", XES, XES_MAP)
        self.assertEqual([2, 1, 0, 0, 0], counts, report["problems"])
        self.assertEqual(dry, counts)
        first, last = self.story("E-1")
        self.assertEqual((first["at"], first["activity"], first["actor"]["name"]), ("2021-06-01T09:00:00.500000Z", "Register", "Ana Ríos"))
        self.assertEqual((last["at"], last["activity"], last["actor"]["name"]), ("2021-06-03T07:00:00Z", "Close", "Bea Prado"))
        case = self.case("E-1")
        self.assertEqual((case["channel"], case["x_times"], case["group"]["name"], case["status"]), ("web", 12, "Second line", "closed"))
        self.assertEqual(self.case("E-2")["group"], None)
        # packed, and as the table that other tools make of it, it is the same file
        self.assertEqual([0, 0, 0, 3, 0], self.tell("log.xes.gz", self.bytes("log.xes.gz", gzip.compress(XES.encode())), XES_MAP)[0])
        code, printed = self.server.command("import", "cases", str(self.folder / "log.xes"), "--map",
                                            str(self.write("show.map", {**XES_MAP, "columns": XES_MAP["columns"]})), "--show-mapping")
        self.assertEqual(0, code)
        self.assertEqual(json.loads(printed)["columns"]["org:group"], "group")
        # what is not the same is refused into a table with the log's columns
        errors = self.folder / "xes-errors.csv"
        self.tell("late.xes", XES.replace("2021-06-02", "2199-06-02").replace("E-2", "E-3"), XES_MAP, "--errors", str(errors))
        rows = list(csv.DictReader(errors.read_text(encoding="utf-8").splitlines()))
        self.assertEqual([(r["case:concept:name"], r["time:timestamp"]) for r in rows], [("E-3", "2199-06-02T09:00:00Z")])

    def upload(self, browser, name, data):
        browser.get("/cases/import")
        kind, body = multipart(browser.page.form("/cases/import").fields, {"file": (name, data)})
        browser.send("POST", "/cases/import", body, {"Content-Type": kind}, follow=False)
        self.assertEqual(browser.page.status, 303, browser.page.text[:500])
        return browser.get(browser.page.headers["Location"])

    def test_pages(self):
        self.api.want(200, "PATCH", "/api/settings", {"language": "en"})
        browser = self.browser()
        page = self.upload(browser, "pages.xes", XES.replace("E-1", "W-1").replace("E-2", "W-2").encode())
        action = urlsplit(browser.path).path
        self.assertIn("history.rows", page.form(action).names)
        self.assertIn("match", page.form(action).names)
        # what event logs call things is known; the case goes to what tells cases apart
        page = browser.submit(action, {"history.rows": "events"}, ("do", "again"))
        self.assertEqual((page.status, page.wrong), (200, []))
        fields = dict(page.form(action).fields)
        columns = {name: fields[f"history.{name}"] for name in ("case", "time", "person", "activity")}
        self.assertEqual(columns, {"case": "0", "time": "4", "person": "5", "activity": "2"})
        self.assertEqual((fields["column.0"], fields["column.5"], fields["column.6"]), ("external_id", "owner", "group"))
        self.assertNotIn("match", page.form(action).names)
        self.assertRegex(page.text, "is created .*Ana Ríos · Register .*is changed .*Bea Prado · Close")
        # a column that can't say which case: it is said why, and nothing is lost
        page = browser.submit(action, {"column.0": "subject", "column.8": "external_id", "history.unknown": " ?;; agent "}, ("do", "again"))
        self.assertEqual(page.status, 422)
        self.assertIn("mapped to a field that is unique", page.text)
        self.assertEqual(dict(page.form(action).fields)["history.unknown"], "?; agent")
        browser.submit(action, {"column.0": "external_id", "column.8": "", "history.people": "name"}, ("do", "run"))
        browser.until_done()
        self.assertRegex(browser.page.text, "Created 2 .*Changed 1 .*Refused 0")
        first, _ = self.story("W-1")
        self.assertEqual((first["at"], first["activity"], first["kind"]), ("2021-06-01T09:00:00.500000Z", "Register", "created"))
        self.assertEqual(first["told_by"]["person"]["id"], 1)
        self.assertEqual(self.case("W-1")["subject"], "W-1")

    def test_pages_of_others(self):
        profile = self.api.want(201, "POST", "/api/profiles", {
            "name": "Imports", "cases": ["view", "everyone", "create", "edit", "edit_everyone", "import"]})["id"]
        _, api = self.user("pages@example.org", f"p{profile}")
        browser = self.browser("pages@example.org", "another test password")
        page = self.upload(browser, "others.xes", XES.replace("E-", "Y-").encode())
        action = urlsplit(browser.path).path
        self.assertNotIn("history.rows", page.form(action).names)
        fields = [*page.form(action).fields, ("history.rows", "events"), ("do", "again")]
        browser.send("POST", action, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertNotIn("Ana Ríos · Register", browser.page.text)
        mapping = {**XES_MAP, "history": {k: v for k, v in XES_MAP["history"].items() if k != "fields"},
                   "columns": {"case:concept:name": "external_id"}}
        status, _, answer = api.request("POST", f"/api/import/cases?name=x.xes&map={quote(json.dumps(mapping))}",
                                        XES.replace("E-", "Y-").encode(), {"Content-Type": "text/csv"})
        self.assertEqual(403, status, answer)
        self.assertEqual([], self.api.want(200, "GET", "/api/cases?filter[external_id][starts]=Y-")["items"])

    def test_packed_table(self):
        counts, _ = self.tell("events.csv.gz", self.bytes("events.csv.gz", gzip.compress(EVENTS.replace("T-", "P-").encode())), EVENTS_MAP)
        self.assertEqual([2, 4, 0, 1, 0], counts)

    def test_what_is_no_log(self):
        bomb = gzip.compress(b"Ticket;When;What;Who;Team;Severity;Line\n" + (b"a;;;;;" + b"x" * 50000 + b";\n") * 3000, 9)
        wrong = [
            ("cut.xes", XES[:-40].encode(), "no event log"),
            ("other.xes", b"<?xml version='1.0'?><!-- <log --><list><log/></list>", "no event log"),
            ("none.xes", b"<log></log>", "empty"),
            ("entities.xes", b"<!DOCTYPE log [<!ENTITY a 'b'>]>" + XES[38:].encode(), "neither CSV"),
            ("entities2.xes", XES.replace("?>", "?><!DOCTYPE log [<!ENTITY a 'b'>]>", 1).encode(), "no event log"),
            ("deep.xes", b"<log><trace>" + b"<list>" * 70, "no event log"),
            ("wide.xes", b"<log><trace><event>" + b"".join(b'<string key="k%d" value="v"/>' % n for n in range(1001)), "too large"),
            ("cut.csv.gz", gzip.compress(EVENTS.encode())[:-30], "damaged"),
            ("bad.csv.gz", b"\x1f\x8b\x08\x00" + b"\x00" * 6 + b"\xff" * 100, "damaged"),
            ("bomb.csv.gz", bomb, "too large once unpacked"),
        ]
        for name, data, says in wrong:
            with self.subTest(name):
                code, printed = self.tell(name, self.bytes(name, data), XES_MAP if "xes" in name else EVENTS_MAP, check=False)
                self.assertNotEqual(0, code)
                if "entities.xes" not in name:
                    self.assertIn(says, printed)

    def test_zz_whole(self):
        self.whole()


class Interrupted(Telling):
    """A longer file, which is cut off, while people go on working."""

    CASES = 6000

    def rows(self, each=8):
        lines = ["Ticket;When;What;Who;Team;Severity;Line"]
        for line in range(each):
            for case in range(self.CASES):
                lines.append(f"K-{case};{line + 1:02d}/02/2021 {case % 24:02d}:{case % 60:02d};"
                             f"{('Register', 'Take over', 'Call', 'Close')[line % 4]};Agent {(case * 7 + line) % 40};"
                             f"{('First line', 'Second line')[(case + line) % 2]};s{line // 3};{line}")
        return "\n".join(lines) + "\n"

    def test_killed_and_continued(self):
        text = self.rows()
        path, plan = self.write("long.csv", text), self.write("long.map", EVENTS_MAP)
        arguments = [PROGRAM, "import", "cases", str(path), "--map", str(plan), "--json", "--data", str(self.server.data)]
        environment = {**os.environ, **environment_of(self.server.data)}
        whole, kills, over, said = [self.CASES, 7 * self.CASES, 0, 0, 0], 0, False, self.folder / "long.said"
        with self.somebody_saves() as saves:
            for go_on in ([], ["--continue"], ["--continue"]):
                if over:
                    break
                with open(said, "wb") as out:
                    child = subprocess.Popen(arguments + go_on, env=environment, stdout=out, stderr=out)
                wanted = self.cases() + 200
                while child.poll() is None and self.cases() < wanted:
                    pass
                child.send_signal(signal.SIGKILL)
                over = child.wait() != -signal.SIGKILL
                self.assertIn(child.returncode, (0, -signal.SIGKILL), said.read_text())
                kills += not over
        self.assertGreater(kills, 0, "it was over before it could be cut off")
        if not over:
            self.assertEqual(whole, self.tell("long.csv", path, EVENTS_MAP, "--continue")[0])
        self.assertGreater(len(saves), 0)
        self.assertLess(max(saves), 5)
        told = defaultdict(list)
        for event in self.exported():
            if event["module"] == "cases" and event.get("imported"):
                told[event["name"]].append(event["activity"])
        self.assertEqual(self.CASES, len(told))
        for case, activities in told.items():
            self.assertEqual(activities, ["Register", "Take over", "Call", "Close"] * 2, case)
        self.whole()

    @contextlib.contextmanager
    def somebody_saves(self):
        """Saves one after the other meanwhile; the list has the seconds that each took."""
        mine, api = self.api.want(201, "POST", "/api/cases", {"subject": "Mine"}), self.server.api(self.api.key)
        saves, enough, failed = [], threading.Event(), []

        def save():
            try:
                while not enough.is_set():
                    started = time.monotonic()
                    api.want(200, "PATCH", f"/api/cases/{mine['id']}", {"subject": f"Mine {len(saves)}"})
                    saves.append(time.monotonic() - started)
            except Exception as e:  # told by the test's own thread
                failed.append(e)

        thread = threading.Thread(target=save)
        thread.start()
        try:
            yield saves
        finally:
            enough.set()
            thread.join()
            api.close()
        if failed:
            raise failed[0]

    def cases(self):
        return self.api.want(200, "GET", "/api/cases?limit=1&sort=-id&columns=number")["items"][0]["id"]

    def exported(self):
        path = self.folder / "log.jsonl"
        path.unlink(missing_ok=True)
        self.server.command("export", "history", str(path))
        with open(path, encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
        return events[::-1]


ENDS = ("solved", "closed", "cancelled")
OPEN = datetime.datetime(2018, 1, 1)  # long after the last event of any of them


def stays_of(lines, value_of):
    """[value, since, until] of one case, whose lines are (at, {"status", "group", "owner"}) in order; neighbours differ."""
    stays = []
    for at, now in lines:
        value = value_of(now)
        if not stays or stays[-1][0] != value:
            if stays:
                stays[-1][2] = at
            stays.append([value, at, OPEN])
    return stays


def alive(lines, begin, end):
    """Seconds in [begin, end) while the case was at no end."""
    sum_of, was, ended = 0.0, None, True
    for at, now in [*lines, (OPEN, {"status": None})]:
        if was is not None and not ended:
            sum_of += max(0.0, (min(at, end) - max(was, begin)).total_seconds())
        was, ended = at, now["status"] in ENDS
    return sum_of


def counted(cases, value_of, begin, end):
    """What a report over [begin, end) must say: changes, and of each value (None: nobody) stays and seconds."""
    changes, visits, seconds, records = 0, Counter(), Counter(), 0
    for lines in cases:
        counts = False
        for nth, (value, since, until) in enumerate(stays_of(lines, value_of)):
            time_of = alive(lines, max(since, begin), min(until, end)) if since < end and until > begin else 0
            enters = begin <= since < end
            if enters or time_of:
                visits[value] += 1
                seconds[value] += time_of
                counts = True
            changes += enters and nth > 0
        records += counts
    return changes, records, dict(visits), {value: int(n) for value, n in seconds.items()}


class Real(Telling):
    """The same with files of others, counted by themselves."""

    def reports(self, cases, prefix, level_of):
        """What the pages report of these cases is what the file says, in all and in one month."""
        month = sorted(lines[0][0] for lines in cases)[len(cases) // 2].replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        next_month = (month + datetime.timedelta(days=32)).replace(day=1)
        values = {"owner": lambda now: now["owner"], "group": lambda now: now["group"], "status": lambda now: now["status"], "level": level_of}
        for begin, end in ((datetime.datetime(1990, 1, 1), OPEN), (month, next_month)):
            for by, value_of in values.items():
                report = self.api.want(200, "GET", f"/api/cases/journeys?by={by}&from={begin.isoformat()}Z&to={end.isoformat()}Z"
                                                   f"&filter[external_id][starts]={prefix}")
                self.assertEqual(0, report["more_values"])
                name = {id(v): v["value"] and (v["value"].get("word") or v["value"].get("name")) for v in report["values"]}
                self.assertEqual(counted(cases, value_of, begin, end),
                                 (report["changes"], report["records"], {name[id(v)]: v["visits"] for v in report["values"]},
                                  {name[id(v)]: v["time"] for v in report["values"]}), (by, begin))

    def table(self, name):
        path = SHARED / name
        if not path.exists():
            self.skipTest("skipped: no shared data")
        data = path.read_bytes()
        if name.endswith(".gz"):
            data = gzip.decompress(data)
            path = self.folder / Path(name).with_suffix("").name
            path.write_bytes(data)
        return path, list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))

    def tell_real(self, path, name):
        _, printed = self.server.command("import", "cases", str(path), "--map", str(MAPPINGS / f"history_{name}.json"), "--json")
        return json.loads(printed[printed.index("{"):printed.rindex("}") + 1])

    def changes(self, operation, *fields):
        """How many events changed each field, and how many told anything, of one operation."""
        path = self.folder / "real.jsonl"
        path.unlink(missing_ok=True)
        self.server.command("export", "history", str(path))
        count, events = Counter(), 0
        with open(path, encoding="utf-8") as lines:
            for event in map(json.loads, lines):
                if event["operation"] != operation or not event.get("imported"):
                    continue
                events += 1
                for change in event["changes"]:
                    if event["kind"] != "created" and change["field"] in fields:
                        count[change["field"]] += 1
        return count, events

    def events(self, name, group, unknown):
        path, rows = self.table(f"levels/{name}.csv")
        report = self.tell_real(path, name)
        self.assertEqual((len(rows), 0), (report["rows"], report["refused"]))
        sets = json.loads((MAPPINGS / f"history_{name}.json").read_text())["history"]["activity"]["sets"]["status"]
        person = {"helpdesk": "org:resource", "receipt": "case:responsible"}[name]
        history = json.loads((MAPPINGS / f"history_{name}.json").read_text())["history"]
        levels, everyone = history["groups"], history["people"]["level"]
        cases, count, told_of = defaultdict(list), Counter(), []
        for place, row in enumerate(rows):
            at = datetime.datetime.fromisoformat(row["time:timestamp"]).astimezone(datetime.timezone.utc).replace(tzinfo=None)
            cases[row["case:concept:name"]].append((at, place, row))
        for lines in cases.values():
            lines.sort(key=lambda line: line[:2])
            state = where = who = None
            told_of.append([])
            for nth, (at, _, row) in enumerate(lines):
                now = sets.get(row["concept:name"], state)
                there = where if row[group] in unknown else row[group]
                charge = row[person] or who
                if nth:
                    count["status"] += now != state
                    count["group"] += there != where
                    count["owner"] += charge != who
                state, where, who = now, there, charge
                told_of[-1].append((at, {"status": now or "new", "group": there, "owner": charge}))
            # what begins without a state begins as the module says
        told, events = self.changes(report["operation"], "status", "group", "owner")
        self.assertEqual({k: v for k, v in count.items() if v}, dict(told))
        self.assertEqual(events, len(rows))
        self.reports(told_of, rows[0]["case:concept:name"][:5].replace(" ", "%20"),
                     lambda now: levels["levels"].get(now["group"], levels.get("level")) or (everyone if now["owner"] else None))
        self.whole()


class Incidents(Real):
    def test_incidents(self):
        path, rows = self.table("incidents/incident_event_log.csv.gz")
        report = self.tell_real(path, "incidents")
        self.assertEqual((len(rows), 0), (report["rows"], report["refused"]))
        states = json.loads((MAPPINGS / "history_incidents.json").read_text())["columns"]["incident_state"]["replace"]
        levels = json.loads((MAPPINGS / "history_incidents.json").read_text())["history"]["groups"]
        cases, told_of = defaultdict(list), []
        for place, row in enumerate(rows):
            at = datetime.datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M")
            cases[row["number"]].append((at, place, row))
        count = Counter()
        for lines in cases.values():
            lines.sort(key=lambda line: line[:2])
            state = group = owner = None
            told_of.append([])
            for nth, (at, _, row) in enumerate(lines):
                now = states[row["incident_state"]] or state
                where, who = (None if row[c] == "?" else row[c] for c in ("assignment_group", "assigned_to"))
                if nth:
                    count["status"] += now != state
                    count["group"] += where != group
                    count["owner"] += who != owner
                state, group, owner = now, where, who
                told_of[-1].append((at, {"status": now, "group": where, "owner": who}))
        told, events = self.changes(report["operation"], "status", "group", "owner")
        self.assertEqual(dict(count), dict(told))
        self.reports(told_of, "INC", lambda now: levels["levels"].get(now["group"], levels["level"]) if now["group"] else "1" if now["owner"] else None)
        self.assertEqual(report["created"], len(cases))
        self.assertEqual(events, report["created"] + report["changed"])
        self.whole()
        again = self.tell_real(path, "incidents")
        self.assertEqual((0, 0, 0), (again["created"], again["changed"], again["refused"]))


class HelpDesk(Real):
    def test_help_desk(self):
        self.events("helpdesk", "workgroup", ())


class Receipts(Real):  # its groups are called as those of the incidents
    def test_receipts(self):
        self.events("receipt", "org:group", ("", "EMPTY"))


del Telling, Real, Story  # they have no stories of their own

if __name__ == "__main__":
    unittest.main()
