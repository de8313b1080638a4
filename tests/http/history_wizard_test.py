"""Histories by the pages alone: what the file has is shown, and what is chosen is the mapping that programs send."""

import html
import io
import json
import re
import time
import unittest
import zipfile
from hashlib import sha256
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from harness import Story
from transfer_test import multipart

CSV = """Ticket;When;What;Who;Team;Severity;Times;Day
T-1;03/02/2021 09:30;Take over;Bea Prado;Second line;high;3;03/02/2021
T-1;01/02/2021 08:00;Register;Ana Ríos;First line;?;1;01/02/2021
T-2;05/02/2021 10:00;Register;Ana Ríos;;low;12;05/02/2021
T-1;04/02/2021 16:45;Close;Bea Prado;Second line;high;4;
T-2;26/02/2021 10:00;Close;Carlos Sáenz;First line;low;2;26/02/2021
T-2;26/02/2021 11:00;Close;Carlos Sáenz;First line;low;7;26/02/2021
"""


def named(value):
    return sha256(value.encode()).hexdigest()[:16]


def sheet(rows, from_1904=False):
    """A workbook as spreadsheet programs write it: texts as such, numbers, and (days, "date") with a date's style."""
    cells = []
    for r, row in enumerate(rows, 1):
        line = []
        for c, value in enumerate(row):
            at = f"{chr(65 + c)}{r}"
            if isinstance(value, tuple):
                line.append(f'<c r="{at}" s="1"><v>{value[0]!r}</v></c>')
            elif isinstance(value, (int, float)):
                line.append(f'<c r="{at}"><v>{value!r}</v></c>')
            elif value:
                line.append(f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>')
        cells.append(f'<row r="{r}">{"".join(line)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
                               '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                               '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{"<workbookPr date1904=%s1%s/>" % (chr(34), chr(34)) if from_1904 else ""}'
                           '<sheets><sheet name="Log" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
                                      f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(cells)}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return out.getvalue()


class Wizard(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.want(200, "PATCH", "/api/settings", {"language": "en"})

    def upload(self, name, data, browser=None):
        browser = browser or self.browser()
        browser.get("/cases/import")
        kind, body = multipart(browser.page.form("/cases/import").fields, {"file": (name, data if isinstance(data, bytes) else data.encode())})
        browser.send("POST", "/cases/import", body, {"Content-Type": kind}, follow=False)
        self.assertEqual(browser.page.status, 303, browser.page.text[:500])
        browser.get(browser.page.headers["Location"])
        return browser, urlsplit(browser.path).path

    def again(self, browser, action, values=None, status=200):
        page = browser.submit(action, values, ("do", "again"))
        self.assertEqual((status, []), (page.status, page.wrong), page.text[:1500])
        return page

    def chosen(self, browser, action):
        return dict(browser.page.form(action).fields)

    def run_it(self, browser, action, values=None, button="run"):
        browser.submit(action, values, ("do", button))
        browser.until_done(40)
        self.assertEqual(200, browser.page.status, browser.page.text[:1000])
        return browser.page.text

    def newest_mapping(self):
        items = self.api.want(200, "GET", "/api/imports?limit=1&sort=-id&columns=mapping,state")["items"]
        return items[0]["mapping"]

    def story(self, external):
        items = self.api.want(200, "GET", f"/api/cases?filter[external_id][eq]={quote(external)}")["items"]
        self.assertEqual(1, len(items), external)
        found = self.api.want(200, "GET", f"/api/cases/{items[0]['id']}/history?limit=200")["items"][::-1]
        return [(e["at"], (e["actor"] or {}).get("name"), e["kind"], e.get("activity"),
                 {c["field"]: c["new"] for c in e["changes"] if c["field"] not in ("external_id", "subject", "number", "name")}) for e in found]

    def by_api(self, name, data, mapping, more=""):
        status, _, answer = self.api.request("POST", f"/api/import/cases?name={name}&fresh=1{more}&map={quote(json.dumps(mapping))}",
                                             data if isinstance(data, bytes) else data.encode(), {"Content-Type": "text/csv"})
        self.assertIn(status, (200, 202), answer)
        if status == 200:
            return answer
        for _ in range(800):
            state = self.api.want(200, "GET", f"/api/import/cases/{answer['id']}")
            if state["state"] != "running":
                return state
            time.sleep(0.05)
        self.fail("it does not end")


class Choosing(Wizard):
    def test_page_and_api_are_the_same(self):
        browser, action = self.upload("desk.csv", CSV)
        page = self.again(browser, action, {"history.rows": "events", "history.case": "0", "history.time": "1", "history.person": "3",
                                            "history.activity": "2", "history.dates": "dmy", "history.unknown": "?", "column.0": "external_id",
                                            "column.4": "group", **{f"column.{i}": "" for i in (1, 2, 3, 5, 6, 7)}})
        # what the file has, all of it, the most frequent first
        self.assertRegex(page.text, r"Close 3 .*Register 2 .*Take over 1 ")
        self.assertRegex(page.text, r"Groups and their levels 2 .*First line 3 .*Second line 2 ")
        self.assertRegex(page.text, r"People and their levels 3 .*Bea Prado 2 .*Ana Ríos 2 .*Carlos Sáenz 2 ")
        fields = self.chosen(browser, action)
        self.assertEqual("", fields[f"sets.status.{named('Close')}"])
        self.assertNotIn(f"sets.priority.{named('Close')}", fields)
        self.assertIn("+new", re.search(r'name="column.5".*?</select>', page.source, re.S).group())
        page = self.again(browser, action, {
            "history.sets": "priority", "column.5": "+new", "column.6": "+new", "column.7": "+new", "levels.new": " Front;Back; front ;;",
            **{f"sets.status.{named(what)}": to for what, to in (("Register", "new"), ("Take over", "open"), ("Close", "closed"))}})
        fields = self.chosen(browser, action)
        # the types are those that the column's values have, and the label is the column's name
        self.assertEqual([("text", "Severity"), ("integer", "Times"), ("date", "Day")],
                         [(fields[f"own.{i}.type"], fields[f"own.{i}.label"]) for i in (5, 6, 7)])
        self.assertEqual("Front; Back", fields["levels.new"])
        self.assertEqual("closed", fields[f"sets.status.{named('Close')}"])
        self.again(browser, action, {
            f"sets.priority.{named('Take over')}": "urgent", "own.5.label": "How bad", "own.6.type": "decimal",
            f"group.{named('First line')}": "Front", f"group.{named('Second line')}": "Back", f"person.{named('Bea Prado')}": "Back",
            "person.other": "Front"})
        text = browser.page.text
        self.assertRegex(text, r"is created 1 Feb 2021 08:00 · Ana Ríos · Register · Status: New")
        self.assertRegex(text, r"is changed 3 Feb 2021 09:30 · Bea Prado · Take over · (Status: Open · Priority: Urgent|Priority: Urgent · Status: Open)")
        self.assertIn("How bad", text)
        self.assertRegex(self.run_it(browser, action, {"remember": "The desk"}), "Created 2 .*Changed 4 .*Refused 0")
        mapping = self.newest_mapping()
        there = [one["name"] for one in self.api.want(200, "GET", "/api/levels?limit=200&sort=rank&columns=name")["items"]]
        self.assertEqual({
            "rows": "events", "case": "Ticket", "time": {"column": "When", "dates": "dmy"}, "person": "Who", "unknown": ["?"],
            "activity": {"column": "What", "sets": {"status": {"Register": "new", "Take over": "open", "Close": "closed"},
                                                    "priority": {"Take over": "urgent"}}},
            "people": {"missing": "create", "level": "Front", "levels": {"Bea Prado": "Back"}},
            "groups": {"levels": {"First line": "Front", "Second line": "Back"}},
            "levels": [name for name in there if name not in ("Front", "Back")] + ["Front", "Back"],
            "fields": {"x_severity": {"label": "How bad", "type": "text"}, "x_times": {"label": "Times", "type": "decimal"},
                       "x_day": {"label": "Day", "type": "date"}}}, mapping["history"])
        self.assertEqual({"Ticket": "external_id", "When": "ignore", "What": "ignore", "Who": "ignore", "Team": "group", "Severity": "x_severity",
                          "Times": "x_times", "Day": {"field": "x_day", "dates": "dmy"}}, mapping["columns"])
        self.assertEqual(["Front", "Back"], there[-2:], "new levels come after those that were there, in their order")
        # the same by a program, with the same mapping, tells the same
        state = self.by_api("desk.csv", CSV.replace("T-", "P-"), mapping)
        self.assertEqual((2, 4, 0), (state["created"], state["changed"], state["refused"]), state)
        for n in ("1", "2"):
            self.assertEqual(self.story(f"T-{n}"), self.story(f"P-{n}"))
        self.assertEqual({"status": "closed", "x_day": "2021-02-26"},
                         {k: v for k, v in self.story("T-2")[1][4].items() if k in ("status", "x_day")})
        groups = {g["name"]: g["level"]["name"] for g in self.api.want(200, "GET", "/api/groups?limit=200&columns=name,level")["items"] if g["level"]}
        people = {u["name"]: u["level"]["name"] for u in self.api.want(200, "GET", "/api/users?limit=200&columns=name,level")["items"]}
        self.assertEqual(("Front", "Back"), (groups["First line"], groups["Second line"]))
        self.assertEqual(["Front", "Back", "Front"], [people[name] for name in ("Ana Ríos", "Bea Prado", "Carlos Sáenz")])
        report = self.api.want(200, "GET", "/api/cases/journeys?by=level&filter[external_id][starts]=T-&ends=1")
        self.assertEqual({"Front", "Back"}, {v["value"]["name"] for v in report["values"] if v["value"]})

        # remembered, all of it is there again; what was made is there already
        browser, action = self.upload("desk.csv", CSV)
        fields = self.chosen(browser, action)
        self.assertEqual(("closed", "urgent", "Front", "Back", "Front", "x_severity"),
                         (fields[f"sets.status.{named('Close')}"], fields[f"sets.priority.{named('Take over')}"],
                          fields[f"group.{named('First line')}"], fields[f"group.{named('Second line')}"], fields["person.other"], fields["column.5"]))
        self.assertEqual("", fields["levels.new"])
        self.assertNotIn(f"person.{named('Bea Prado')}", fields, "the level of who is here is not the import's")
        self.assertIn("is a user already", browser.page.text)
        self.assertNotIn("own.5.type", fields)
        page = self.again(browser, action, {f"group.{named('First line')}": ""})
        self.assertIn("stays at Front", page.text)
        self.assertRegex(self.run_it(browser, action, button="try"), "Would be created 0 .*Left as they are 6 .*Would be refused 0")

    def test_a_dry_run_tells_programs_what_the_file_has(self):
        mapping = {"module": "cases", "language": "es", "history": {"rows": "events", "case": "Ticket", "time": {"column": "When", "dates": "dmy"},
                   "person": "Who", "activity": "What", "unknown": ["?"]}, "columns": {"Ticket": "external_id", "Team": "group"}, "set": {"subject": "{Ticket}"}}
        here = self.api.want(201, "POST", "/api/groups", {"name": "Third line", "level": self.level("Third")})["id"]
        report = self.by_api("told.csv", CSV.replace("T-", "Q-").replace("First line", "third LINE"), mapping, "&dry_run=1")
        values = report["values"]
        self.assertEqual(6, values["rows"])
        self.assertEqual([("Close", 3), ("Register", 2), ("Take over", 1)], [(v["value"], v["rows"]) for v in values["activities"]["values"]])
        self.assertEqual({"value": "third LINE", "rows": 3, "id": here, "level": "Third"}, values["groups"]["values"][0])
        self.assertEqual((0, False), (values["people"]["more"], values["people"]["over"]))
        self.assertEqual(["text", "text", "text", "text", "text", "text", "integer", "date"],
                         [("text" if c["type"] == "datetime" else c["type"]) for c in values["columns"]])
        # records that are no history have none of that
        plain = self.by_api("plain.csv", "Ticket;Team\nR-1;\n", {"module": "cases", "columns": {"Ticket": "subject"}}, "&dry_run=1")
        self.assertNotIn("values", plain)

    def level(self, name, rank=None):
        return self.api.want(201, "POST", "/api/levels", {"name": name, **({"rank": rank} if rank else {})})["id"]

    def test_new_levels_come_after_those_before_them(self):
        self.level("Tenth", 10)
        self.level("Twentieth", 20)
        mapping = {"module": "cases", "language": "es", "history": {"rows": "events", "case": "Ticket", "time": {"column": "When", "dates": "dmy"},
                   "levels": ["tenth", "After tenth", "Twentieth", "After all", "Last"], "groups": {"levels": {"O1": "After tenth", "O2": "After all", "O3": "Last"}}},
                   "columns": {"Ticket": "external_id", "Team": "group"}, "set": {"subject": "{Ticket}"}}
        text = "Ticket;When;Team\nO-1;01/02/2021 08:00;O1\nO-2;01/02/2021 08:00;O2\nO-3;01/02/2021 08:00;O3\n"
        self.assertEqual(3, self.by_api("order.csv", text, mapping)["created"])
        ranks = {one["name"]: one["rank"] for one in self.api.want(200, "GET", "/api/levels?limit=200&columns=name,rank")["items"]}
        self.assertEqual((10, 11, 20, 21, 22), tuple(ranks[name] for name in ("Tenth", "After tenth", "Twentieth", "After all", "Last")))

    def test_strange_values(self):
        strange = ['say "Hi" & <b>go</b>', "<script>alert(1)</script>", "{Ticket}", "a.b", "it's; done", "two\nlines", "  padded  ", "naïve 李 🙂", "=1+1", "x" * 900,
                   "y" * 1001]
        groups = ['G "1" <i>', "G'2; {Team}", "ģ/3%41+"]
        out = io.StringIO()
        out.write("Ticket;When;What;Team\n")
        for n, what in enumerate(strange):
            for _ in range(len(strange) - n):
                out.write(f'Z-{n};{n + 1:02d}/02/2021 08:00;"{what.replace(chr(34), chr(34) * 2)}";"{groups[n % 3].replace(chr(34), chr(34) * 2)}"\n')
        browser, action = self.upload("strange.csv", out.getvalue())
        page = self.again(browser, action, {"history.rows": "events", "history.case": "0", "history.time": "1", "history.activity": "2", "history.person": "",
                                            "history.dates": "dmy", "column.0": "external_id", "column.1": "", "column.2": "", "column.3": "group"})
        self.assertNotIn("<script>alert", page.source)
        self.assertIn("and 1 further one", page.text)
        offered = [what.strip() for what in strange[:-1]]
        names = [f"sets.status.{named(what)}" for what in offered]
        self.assertLessEqual(set(names), page.form(action).names)
        self.assertNotIn(f"sets.status.{named('y' * 1001)}", page.form(action).names)
        # values of other files, other fields and choices that are none are left alone
        level = '<u>"L"</u>'
        self.again(browser, action, {**{name: "open" for name in names}, f"sets.status.{named('not there')}": "closed", "sets.status.": "closed",
                                     f"sets.nothing.{named('a.b')}": "open", f"sets.subject.{named('a.b')}": "open", "sets.": "x", "sets": "x",
                                     f"sets.priority.{named('a.b')}": "no choice", "levels.new": level + ";" + "m" * 500,
                                     **{f"group.{named(g)}": level for g in groups}, f"group.{named('nobody')}": level, "group.": level,
                                     "person.other": "", "own.0.type": "link", "own.99.label": "x"})
        self.assertEqual(level + "; " + "m" * 120, self.chosen(browser, action)["levels.new"])
        self.assertNotIn("<u>", browser.page.source)
        self.assertIn(html.escape("<u>"), browser.page.source)
        self.assertRegex(self.run_it(browser, action), rf"Created {len(strange)} .*Refused 0")
        history = self.newest_mapping()["history"]
        self.assertEqual({"status": {what: "open" for what in offered}}, history["activity"]["sets"])
        self.assertEqual({g: level for g in groups}, history["groups"]["levels"])
        self.assertEqual(["open"] * len(offered), [self.story(f"Z-{n}")[0][4].get("status") for n in range(len(offered))])
        self.assertEqual({level}, {g["level"]["name"] for g in self.api.want(200, "GET", "/api/groups?limit=200&columns=name,level")["items"] if g["name"] in groups})

    def test_very_many_values(self):
        lines = ["Ticket;When;What;Who;Team"]
        for n in range(10000):
            lines.append(f"V-{n % 50};{n % 28 + 1:02d}/0{n % 6 + 1}/2020 10:00;Did {n};Agent {n};Team {n % 400}")
        lines += [f"V-{n};01/01/2021 10:00;Often;Agent 1;Team 1" for n in range(50)]
        browser, action = self.upload("many.csv", "\n".join(lines) + "\n")
        started = time.monotonic()
        page = self.again(browser, action, {"history.rows": "events", "history.case": "0", "history.time": "1", "history.activity": "2", "history.person": "3",
                                            "history.dates": "dmy", "history.people": "name", "column.0": "external_id", "column.4": "group",
                                            **{f"column.{i}": "" for i in (1, 2, 3)}})
        self.assertLess(time.monotonic() - started, 30)
        self.assertRegex(page.text, r"sets 10,001 .*Often 50 .*and 9,901 further ones")
        self.assertRegex(page.text, r"levels 400 .*and 300 further ones")
        self.assertIn("stays a name", page.text)
        form = page.form(action)
        self.assertEqual(100, sum(name.startswith("sets.status.") for name in form.names))
        self.assertLess(len(form.fields), 900)
        # all of what a page can say at once is taken, and what is said of one further down the list is shown again
        page = self.again(browser, action, {"history.sets": "priority"})
        page = self.again(browser, action, {**{name: "open" for name in page.form(action).names if name.startswith("sets.status.")},
                                            f"sets.status.{named('Did 400')}": "closed", f"sets.status.{named('Did 9999')}": "closed"})
        fields = self.chosen(browser, action)
        self.assertEqual(("open", "closed"), (fields[f"sets.status.{named('Often')}"], fields[f"sets.status.{named('Did 400')}"]))
        self.assertNotIn(f"sets.status.{named('Did 9999')}", fields)

    def test_what_is_changed_back(self):
        browser, action = self.upload("back.csv", CSV.replace("T-", "B-"))
        begin = {"history.rows": "events", "history.case": "0", "history.time": "1", "history.person": "3", "history.activity": "2",
                 "history.dates": "dmy", "column.0": "external_id", "column.4": "", **{f"column.{i}": "" for i in (1, 2, 3, 5, 6, 7)}}
        self.again(browser, action, {"mapping": "", **begin})
        page = self.again(browser, action, {"column.5": "+new", "column.6": "+new", f"sets.status.{named('Close')}": "closed"})
        # a field has one source: the column that was chosen for it
        page = self.again(browser, action, {"column.2": "status"})
        self.assertNotIn(f"sets.status.{named('Close')}", page.form(action).names)
        # another column has other values
        self.again(browser, action, {"column.2": "", f"sets.status.{named('Close')}": "closed"})
        page = self.again(browser, action, {f"sets.status.{named('Close')}": "closed", "column.6": ""})
        page = self.again(browser, action, {"history.activity": "5"})
        self.assertIn(f"sets.status.{named('high')}", page.form(action).names)
        page = self.again(browser, action, {f"sets.status.{named('high')}": "open", "column.5": "+new", "own.5.label": "  ", "column.7": "+new"})
        self.assertEqual("Severity", self.chosen(browser, action)["own.5.label"])
        # where each row is the whole record nothing is set
        page = self.again(browser, action, {"history.rows": "states"})
        self.assertNotIn("What was done, and what it sets", page.text)
        # rows that are records make no fields
        page = self.again(browser, action, {"history.rows": ""})
        self.assertEqual(["", ""], [self.chosen(browser, action)[f"column.{i}"] for i in (5, 7)])
        self.assertNotIn("+new", page.source)
        self.again(browser, action, begin)
        self.again(browser, action, {"column.6": "+new"})
        self.assertRegex(self.run_it(browser, action), "Created 2 ")
        history = self.newest_mapping()["history"]
        self.assertEqual((["x_times"], "What"), ([key[:7] for key in history["fields"]], history["activity"]))

    def test_other_people_are_not_asked(self):
        profile = self.api.want(201, "POST", "/api/profiles", {
            "name": "Imports", "cases": ["view", "everyone", "create", "edit", "edit_everyone", "import"]})["id"]
        self.user("wizard@example.org", f"p{profile}")
        browser, action = self.upload("others.csv", CSV.replace("T-", "Y-"), self.browser("wizard@example.org", "another test password"))
        fields = [*browser.page.form(action).fields]
        sent = {"history.rows": "events", "column.5": "+new", "own.5.type": "integer", "own.5.label": "Mine", "levels.new": "Mine",
                f"sets.status.{named('Close')}": "closed", f"group.{named('First line')}": "Mine", "group.other": "Mine", "person.other": "Mine"}
        fields = [pair for pair in fields if pair[0] not in sent] + [*sent.items(), ("do", "again")]
        browser.send("POST", action, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
        page = browser.page
        self.assertEqual(200, page.status)
        for word in ("+new", "levels.new", "sets.status", "history.rows", "Mine"):
            self.assertNotIn(word, page.source)
        self.assertEqual("", self.chosen(browser, action)["column.5"])

    def test_zz_whole(self):
        self.server.command("verify")
        self.assertIn("Every table is what the log says", self.server.command("rebuild", "--check")[1])


class Workbooks(Wizard):
    # days since 1899-12-30, as spreadsheets count; in the system of 1904 they are 1,462 less
    ROWS = [(44228 + 8 / 24, "Register", "First line", 7), (44230.5, "Take over", "Second line", 12), (44231 + (16 + 45 / 60) / 24, "Close", "Second line", 2.5)]
    TIMES = ["2021-02-01T08:00:00Z", "2021-02-03T12:00:00Z", "2021-02-04T16:45:00Z"]

    def rows(self, case, less=0):
        head = [["Case ID", "Timestamp", "Activity", "Team", "Weight", "Seen"]]
        return head + [[case, (day - less, "date"), what, team, weight, (int(day) - less, "date")] for day, what, team, weight in self.ROWS[::-1]]

    def test_dates_of_both_systems(self):
        mapping = {"module": "cases", "zone": "UTC", "history": {"rows": "events", "case": "Case ID", "time": "Timestamp",
                   "activity": {"column": "Activity", "sets": {"status": {"Register": "new", "Take over": "open", "Close": "closed"}}},
                   "fields": {"x_weight": {"label": "Weight", "type": "decimal"}}},
                   "columns": {"Case ID": "external_id", "Team": "group", "Weight": "x_weight"}, "set": {"subject": "{Case ID}"}}
        for case, less in (("W-1900", 0), ("W-1904", 1462)):
            state = self.by_api(f"{case}.xlsx", sheet(self.rows(case, less), less > 0), mapping)
            self.assertEqual((1, 2, 0), (state["created"], state["changed"], state["refused"]), state)
            self.assertEqual(self.TIMES, [e[0] for e in self.story(case)])
            self.assertEqual(["Register", "Take over", "Close"], [e[3] for e in self.story(case)])
        # the same cells in the other system are another time: it is the workbook that says which
        state = self.by_api("w.xlsx", sheet(self.rows("W-other", 0), True), mapping)
        self.assertEqual("2025-02-02T08:00:00Z", self.story("W-other")[0][0])
        # told once, it is known again
        self.assertEqual(3, self.by_api("W-1900.xlsx", sheet(self.rows("W-1900")), mapping)["skipped"])

    def test_by_the_pages(self):
        browser, action = self.upload("book.xlsx", sheet(self.rows("W-page", 1462), True))
        page = self.again(browser, action, {"history.rows": "events", "column.0": "external_id", "column.3": "group", "column.1": "", "column.2": "",
                                            "column.4": "+new", "column.5": "+new"})
        page = self.again(browser, action, {"column.4": "+new", "column.5": "+new"})
        fields = self.chosen(browser, action)
        self.assertEqual(("0", "1", "2"), tuple(fields[f"history.{part}"] for part in ("case", "time", "activity")))
        self.assertEqual(("decimal", "date"), (fields["own.4.type"], fields["own.5.type"]))
        self.assertRegex(page.text, "is created 1 Feb 2021")
        self.assertRegex(self.run_it(browser, action, {"levels.new": "One;Two", f"group.{named('Second line')}": "Two", f"sets.status.{named('Close')}": "closed"}),
                         "Created 1 .*Changed 2 .*Refused 0")
        self.assertEqual(("closed", "2021-02-04"), (self.story("W-page")[2][4]["status"], self.story("W-page")[2][4][next(k for k in self.story("W-page")[2][4] if k.startswith("x_seen"))]))


del Wizard, Story  # they have no stories of their own

if __name__ == "__main__":
    unittest.main()
