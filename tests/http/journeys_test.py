#!/usr/bin/env python3
"""How records passed from hand to hand: every figure counted once more from the histories, what stands behind it, who may see it."""

import csv
import io
import random
import time
import unittest

from harness import ADMINISTRATOR, Story

ME = "journeys-ana@example.org"


def way(api, module, record, field):
    """The values a record had in a field, from its own history: the oldest first, neighbours differ."""
    events, before = [], ""
    while True:
        page = api.want(200, "GET", f"/api/{module}/{record}/history?own=1&limit=200{before}")
        events += page["items"]
        if not page["next"]:
            break
        before = f"&before={page['next']}"
    steps = []
    for event in reversed(events):
        for change in event["changes"]:
            if change["field"] == field:
                steps.append(change["new"])
        if event["kind"] == "created" and not any(c["field"] == field for c in event["changes"]):
            steps.append(None)
    return [v for i, v in enumerate(steps) if i == 0 or steps[i - 1] != v]


def key(value):
    return None if value is None else value.get("word", value.get("id"))


class Journeys(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = cls.api
        cls.levels = [api.want(201, "POST", "/api/levels", {"name": f"Level {n} of journeys", "rank": n})["id"] for n in (1, 2, 3)]
        cls.people = [cls.user(f"journeys-{n}@example.org", level=cls.levels[n % 3])[0] for n in range(5)]
        cls.desk = api.want(201, "POST", "/api/groups", {"name": "Desk of journeys", "level": cls.levels[2]})["id"]
        cls.plain = api.want(201, "POST", "/api/groups", {"name": "Group without a level"})["id"]
        chance = random.Random(7)
        cls.cases = []
        for n in range(30):
            case = api.want(201, "POST", "/api/cases", {"subject": f"Journey {n}", "type": "claim", "priority": "high" if n % 3 else "low",
                                                        "owner": chance.choice([None, *cls.people])})["id"]
            cls.cases.append(case)
            for _ in range(chance.randrange(9)):
                change = chance.choice([{"owner": chance.choice([None, *cls.people])}, {"group": chance.choice([None, cls.desk, cls.plain])},
                                        {"status": chance.choice(["open", "waiting", "solved", "escalated"])}])
                api.want(200, "PATCH", f"/api/cases/{case}", change)

    def report(self, query="", api=None, module="cases"):
        return (api or self.api).want(200, "GET", f"/api/{module}/journeys?{query}")

    def behind(self, what, query, api=None):
        found, after = [], ""
        while True:
            page = (api or self.api).want(200, "GET", f"/api/cases/journeys/{what}?limit=7&{query}{after}")
            found += page["items"]
            if not page["next"]:
                return found
            after = f"&after={page['next']}"

    def test_every_figure_is_what_the_histories_say(self):
        for field in ("owner", "group", "status", "priority"):
            ways = [way(self.api, "cases", case, field) for case in self.cases]
            report = self.report(f"by={field}&filter[subject][starts]=Journey")
            self.assertEqual(len(ways), report["records"])
            self.assertEqual(sum(len(w) - 1 for w in ways), report["changes"])
            visits, moves, passed = {}, {}, {}
            for w in ways:
                for v in w:
                    visits[v] = visits.get(v, 0) + 1
                for pair in zip(w, w[1:]):
                    moves[pair] = moves.get(pair, 0) + 1
                different = len(set(w) - {None})
                passed[different] = passed.get(different, 0) + 1
            self.assertEqual(visits, {key(v["value"]): v["visits"] for v in report["values"]})
            self.assertEqual(moves, {(key(m["before"]), key(m["value"])): m["count"] for m in report["moves"]})
            self.assertEqual(passed, {p["count"]: p["records"] for p in report["passed"]})
            back = sum(1 for w in ways for i, v in enumerate(w) if v is not None and v in w[:i])
            self.assertEqual(back, report["back"])

    def test_each_step_of_the_picture_opens_its_stays(self):
        page = self.browser().get("/cases/journeys?by=owner&filter[subject][starts]=Journey").source
        report = self.report("by=owner&filter[subject][starts]=Journey")
        ways = [way(self.api, "cases", case, "owner") for case in self.cases]
        asked = 0
        steps = [(0, None, one) for one in report["starts"]] + [(one["step"] + 1, one["before"], one) for one in report["paths"]]
        for step, before, one in steps:
            value, n = key(one["value"]), one["count"]
            there = [w for w in ways if len(w) > step and w[step] == value and (step == 0 or w[step - 1] == key(before))]
            self.assertEqual(len(there), n)
            query = f"step={step}&value={value or 0}" + (f"&before={key(before) or 0}" if step else "")
            self.assertIn(f"&amp;{query}".replace("&", "&amp;").replace("&amp;amp;", "&amp;"), page)
            stays = self.behind("stays", f"by=owner&filter[subject][starts]=Journey&{query}")
            self.assertEqual(n, len({stay["id"] for stay in stays}))
            self.assertEqual(n, len(stays))
            asked += 1
        self.assertGreater(asked, 20)
        self.assertEqual(report["records"], sum(one["count"] for one in report["starts"]))
        for step in ("-1", "6", "x"):
            self.api.want(422, "GET", f"/api/cases/journeys/stays?step={step}")

    def test_levels_are_those_of_the_group_or_else_of_the_person(self):
        level_of = {person: self.levels[n % 3] for n, person in enumerate(self.people)}
        visits = {}
        for case in self.cases:
            events = self.api.want(200, "GET", f"/api/cases/{case}/history?own=1&limit=200")["items"]
            owner = group = None
            steps = []
            for event in reversed(events):
                changes = {c["field"]: c["new"] for c in event["changes"]}
                if event["kind"] != "created" and not {"owner", "group"} & set(changes):
                    continue
                owner, group = changes.get("owner", owner), changes.get("group", group)
                level = self.levels[2] if group == self.desk else level_of[owner] if owner else -1 if group else None
                if not steps or steps[-1] != level:
                    steps.append(level)
            for level in steps:
                visits[level] = visits.get(level, 0) + 1
        report = self.report("filter[subject][starts]=Journey")
        self.assertEqual(visits, {key(v["value"]): v["visits"] for v in report["values"]})
        shown = [key(v["value"]) for v in report["values"] if key(v["value"]) in self.levels]
        self.assertEqual([level for level in self.levels if level in shown], shown)  # in their order

    def test_what_a_figure_opens_is_what_it_counted(self):
        for by in ("level", "owner", "status"):
            base = f"by={by}&filter[subject][starts]=Journey"
            report = self.report(base)
            self.assertEqual(report["records"], len(self.behind("records", base)))
            for name in ("up", "down", "back"):
                self.assertEqual(report[name], len(self.behind("stays", f"{base}&what={name}")))
            self.assertEqual(report["changes"], len(self.behind("stays", f"{base}&what=moved")))
            for v in report["values"]:
                value = f"{base}&value={0 if v['value'] is None else key(v['value'])}"
                self.assertEqual(v["visits"], len(self.behind("stays", value)))
                self.assertEqual(v["records"], len(self.behind("records", value)))
                self.assertEqual(v["here"], len(self.behind("stays", value + "&what=here")))
                self.assertEqual(v["visits"], sum(v["buckets"]))
            for m in report["moves"]:
                pair = "&".join(f"{side}={0 if m[side] is None else key(m[side])}" for side in ("before", "value"))
                stays = self.behind("stays", f"{base}&{pair}")
                self.assertEqual(m["count"], len(stays))
                for stay in stays:  # each is a change of the log
                    self.api.want(200, "GET", f"/api/log/{stay['position']}")
            for p in report["passed"]:
                self.assertEqual(p["records"], len(self.behind("records", f"{base}&passed={p['count']}")))
            data = self.api.request("GET", f"/api/cases/journeys/export.csv?{base}")[2]
            rows = list(csv.DictReader(io.StringIO(data if isinstance(data, str) else data.decode("utf-8-sig"))))
            self.assertEqual(sum(v["visits"] for v in report["values"]), len(rows))
        told = self.api.want(200, "GET", "/api/history?kind=exported&limit=1")["items"][0]["export"]
        self.assertEqual(("journeys", "status"), (told["what"], told["by"]))

    def test_who_rises_takes_nothing_along(self):
        person, api = self.user("journeys-rising@example.org", level=self.levels[0])
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Rising", "owner": person})["id"]
        self.api.want(200, "PATCH", f"/api/users/{person}", {"level": self.levels[1]})
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"status": "open"})
        self.assertEqual(0, self.report("filter[subject][eq]=Rising")["changes"])
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"owner": None})
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"owner": person})
        stays = self.behind("stays", "filter[subject][eq]=Rising")
        self.assertEqual([self.levels[0], None, self.levels[1]], [key(s["value"]) for s in stays])
        self.assertEqual(1, stays[2]["direction"])
        one = self.api.want(200, "GET", f"/api/cases/{case}/journey")["journeys"][0]
        self.assertEqual(("level", 2, 2, 1), (one["by"], one["passed"], one["changes"], one["up"]))

    def test_deleted_records_are_not_counted_until_they_are_back(self):
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Gone for a while"})["id"]
        before = self.report()["records"]
        self.api.want(204, "DELETE", f"/api/cases/{case}")
        self.assertEqual(before - 1, self.report()["records"])
        self.assertEqual(0, self.report("filter[subject][eq]=Gone for a while".replace(" ", "%20"))["records"])
        self.api.want(200, "POST", f"/api/cases/{case}/restore")
        self.assertEqual(before, self.report()["records"])

    def test_a_period_is_a_piece_of_it(self):
        self.assertEqual(0, self.report("to=2020-01-01")["records"])
        today = self.report("from=2026-01-01&by=status")
        self.assertEqual(self.report("by=status")["changes"], today["changes"])
        later = self.report("from=2026-01-01&by=status&filter[subject][eq]=nothing")
        self.assertEqual((0, []), (later["records"], later["values"]))

    def test_what_is_not_understood_is_refused(self):
        for query, field in (("by=subject", "by"), ("by=nothing", "by"), ("by=created_by", "by"), ("by=updated_by", "by"), ("from=yesterday", "from"), ("from=2026-02-01&to=2026-01-01", "from"),
                             ("hours=some", "hours"), ("filter[nothing][eq]=1", "nothing"), ("filter[subject]=1&filter[subject][odd]=1", "filter[subject][odd]"),
                             ("to=2026-02-30", "to")):
            answer = self.api.want(422, "GET", f"/api/cases/journeys?{query}")
            self.assertIn(field, str(answer), query)
        for query in ("what=odd", "bucket=11", "bucket=x", "passed=-1", "sort=odd", "limit=0", "after=zz", "record=x"):
            self.api.want(422, "GET", f"/api/cases/journeys/records?{query}")
        for path in ("/api/users/journeys", "/api/lines/journeys", "/api/cases/99999/journey", "/api/cases/journeys/stays?record=99999"):
            self.assertEqual(404, self.api.request("GET", path)[0], path)
        page = self.browser(language="es").get("/cases/journeys?from=ayer&by=status")
        self.assertEqual(422, page.status)
        self.assertIn('aria-describedby="from-problem"', page.source)

    def test_working_hours_need_a_calendar(self):
        calendars = self.api.want(200, "GET", "/api/calendars")["items"]
        self.assertEqual([], calendars)
        self.assertIn("calendar", self.api.want(422, "GET", "/api/cases/journeys?hours=working")["detail"])
        made = self.api.want(201, "POST", "/api/calendars", {"name": "All day", "zone": "UTC", "standard": True,
                                                            **{day: "0-24" for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")}})
        all_day = self.report("hours=working&by=status&to=2026-01-01T00:00:00Z")
        self.assertEqual("working", all_day["hours"])
        self.assertLess(abs(self.report("hours=working")["time"] - self.report()["time"]), 60)
        self.api.want(200, "PATCH", f"/api/calendars/{made['id']}", {day: "" for day in
                                                                    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")})
        never = self.report("hours=working")
        self.assertEqual((0, self.report()["changes"]), (never["time"], never["changes"]))
        self.api.want(204, "DELETE", f"/api/calendars/{made['id']}")

    def test_figures_are_written_as_in_the_language(self):
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Left to nobody", "type": "claim", "owner": None})["id"]
        time.sleep(1.1)
        said = {"es": "100,0\u00a0% de él", "pl": "100,0%", "ro": "100,0\u00a0%", "en": "100.0% of it"}
        for language, words in said.items():
            page = self.browser(language=language).get("/cases/journeys?filter[subject][eq]=Left%20to%20nobody")
            self.assertIn(words, page.source)
            self.assertNotIn("Compartir<", page.source)
        self.api.want(204, "DELETE", f"/api/cases/{case}")

    def test_only_what_one_may_see_is_counted(self):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": "Own cases", "cases": ["view", "edit"], "hidden_cases": ["priority"]})["id"]
        me, mine = self.user("journeys-own@example.org", f"p{profile}")
        own, foreign = self.cases[:2]
        before = [self.api.want(200, "GET", f"/api/cases/{case}")["owner"] for case in (own, foreign)]
        self.api.want(200, "PATCH", f"/api/cases/{own}", {"owner": me})
        self.api.want(200, "PATCH", f"/api/cases/{foreign}", {"owner": self.people[0]})
        seen = mine.want(200, "GET", "/api/cases?count=1")["count"]
        self.assertLess(seen, self.report()["records"])
        for by in ("level", "owner", "status"):
            report = self.report(f"by={by}", mine)
            self.assertEqual(seen, report["records"])
            self.assertEqual(seen, len(self.behind("records", f"by={by}", mine)))
            self.assertEqual(sum(v["visits"] for v in report["values"]), len(self.behind("stays", f"by={by}", mine)))
        self.assertNotIn(foreign, [item["id"] for item in self.behind("stays", "", mine)])
        for path in (f"/api/cases/{foreign}/journey", f"/api/cases/journeys/stays?record={foreign}", f"/api/cases/journeys/records?record={foreign}"):
            self.assertEqual(404, mine.request("GET", path)[0], path)
        mine.want(200, "GET", f"/api/cases/{own}/journey")
        self.assertNotIn("priority", [j["by"] for j in mine.want(200, "GET", f"/api/cases/{own}/journey")["journeys"]])
        mine.want(422, "GET", "/api/cases/journeys?by=priority")
        mine.want(422, "GET", "/api/cases/journeys?filter[priority][eq]=high")
        self.assertEqual(404, mine.request("GET", "/api/contacts/journeys")[0])
        self.assertEqual(403, mine.request("GET", "/api/cases/journeys/export.csv")[0])
        for case, owner in zip((own, foreign), before):
            self.api.want(200, "PATCH", f"/api/cases/{case}", {"owner": owner and owner["id"]})

    def test_who_may_not_see_the_state_sees_no_end(self):
        profile = self.api.want(201, "POST", "/api/profiles", {"name": "No states", "cases": ["view", "everyone"], "hidden_cases": ["status"]})["id"]
        _, blind = self.user("journeys-blind@example.org", f"p{profile}")
        case = self.api.want(201, "POST", "/api/cases", {"subject": "Solved unseen", "owner": self.people[0]})["id"]
        query = "filter[subject][eq]=Solved%20unseen"
        before = self.behind("records", query, blind)
        self.api.want(200, "PATCH", f"/api/cases/{case}", {"status": "solved"})
        after = self.behind("records", query, blind)
        self.assertTrue(self.behind("records", query)[0]["ended"])
        for one in (before, after):
            self.assertEqual((False, self.levels[0]), (one[0]["ended"], key(one[0]["value"])))

    def test_a_key_for_one_module_does_not_tell_of_others(self):
        made = self.server.command("token", "add", ADMINISTRATOR, "--scope", "read", "--modules", "cases")[1]
        narrow = self.server.api(made.strip().splitlines()[-1])
        self.assertEqual("status", narrow.want(200, "GET", "/api/cases/journeys")["by"])
        for by in ("level", "owner", "group"):
            narrow.want(422, "GET", f"/api/cases/journeys?by={by}")
        self.assertEqual([], [j["by"] for j in narrow.want(200, "GET", f"/api/cases/{self.cases[0]}/journey")["journeys"]
                              if j["by"] in ("level", "owner", "group")])

    def test_what_belongs_to_a_customer_is_added_up(self):
        api = self.api
        company = api.want(201, "POST", "/api/companies", {"name": "Much in between"})["id"]
        mine = []
        for n in range(3):
            mine.append(api.want(201, "POST", "/api/cases", {"subject": f"Of a customer {n}", "type": "claim", "company": company, "owner": self.people[0]})["id"])
            for owner in (1, 2, 0)[: n + 1]:
                api.want(200, "PATCH", f"/api/cases/{mine[-1]}", {"owner": self.people[owner]})
            if n < 2:  # far from each other: what lies between is not read
                for other in range((40, 220)[n]):
                    api.want(201, "POST", "/api/cases", {"subject": f"Between {other}", "type": "claim", "owner": self.people[3]})
        ways = [next(one for one in api.want(200, "GET", f"/api/cases/{case}/journey")["journeys"] if one["by"] == "level") for case in mine]
        told = api.want(200, "GET", f"/api/companies/{company}/journey")["belonging"]
        self.assertEqual([("cases", "company")], [(one["module"], one["field"]) for one in told])
        report = self.report(f"by=level&filter[company][eq]={company}")
        self.assertEqual(3, report["records"])
        for figure in ("changes", "up", "down", "back"):
            self.assertEqual((sum(way[figure] for way in ways),) * 2, (told[0][figure], report[figure]), figure)
        self.assertEqual(report["passed"], told[0]["passed"])
        self.assertGreater(report["changes"], 3)
        page = self.browser().get(f"/companies/{company}/journey").source
        self.assertIn(f"/cases/journeys?filter[company][eq]={company}", page.replace("%5B", "[").replace("%5D", "]"))
        # A key that does not know of cases is told of none.
        made = self.server.command("token", "add", ADMINISTRATOR, "--scope", "read", "--modules", "companies")[1]
        narrow = self.server.api(made.strip().splitlines()[-1])
        self.assertEqual([], narrow.want(200, "GET", f"/api/companies/{company}/journey")["belonging"])

    def test_pages_that_are_none(self):
        for after in ("0.9223372036854775807", "0.-9223372036854775808", "0.0"):
            self.api.want(422, "GET", f"/api/cases/journeys/stays?after={after}")

    def test_pages(self):
        browser = self.browser(language="pl")
        for path in ("/cases/journeys", "/cases/journeys?by=owner&hours=calendar&ends=1", "/cases/journeys/records?sort=changes",
                     "/cases/journeys/stays?by=status&what=back", f"/cases/{self.cases[0]}/journey", "/contacts/journeys"):
            page = browser.get(path)
            self.assertEqual(200, page.status, path)
        self.assertIn("/cases/journeys", browser.get("/cases").source)
        self.assertIn(f"/cases/{self.cases[0]}/journey", browser.get(f"/cases/{self.cases[0]}").source)
        # A figure of the page leads to as many rows as it says.
        page = browser.get("/cases/journeys?by=status")
        self.assertIn("/cases/journeys/stays?by=status&amp;value=new", page.source)


if __name__ == "__main__":
    unittest.main()
