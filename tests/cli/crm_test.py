"""A sales team's real CRM: imported with the mappings of tests/data, compared with what the files themselves say, then worked on
and verified. The files are not part of the project; without them there is nothing to test.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import POSTGRES, PROGRAM, ROOT, Server, environment_of  # noqa: E402

SHARED = Path(os.environ.get("CRONISTA_SHARED_DATA", ROOT / "../shared/data")) / "crm"
MAPPINGS = ROOT / "tests/data"


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@unittest.skipUnless(SHARED.is_dir(), "skipped: no shared data")
class SalesTeam(unittest.TestCase):
    """The steps build on each other: they run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cronista-crm-"))
        cls.server = Server(cls.folder / "data").start()
        cls.api = cls.server.api(cls.server.new_key())
        cls.accounts = read(SHARED / "accounts.csv")
        cls.products = read(SHARED / "products.csv")
        cls.teams = read(SHARED / "sales_teams.csv")
        cls.pipeline = read(SHARED / "sales_pipeline.csv")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def import_file(self, module, name, *more, check=True):
        code, printed = self.server.command("import", module, str(SHARED / f"{name}.csv"), "--map",
                                            str(MAPPINGS / f"crm_{name}.json"), "--json", *more, check=check)
        return code, json.loads(printed[printed.index("{"):printed.rindex("}") + 1])

    def export(self, module, *more):
        path = self.folder / f"{module}.csv"
        self.server.command("export", module, str(path), *more)
        return read(path)

    def counts(self, report):
        return {key: report[key] for key in ("rows", "created", "changed", "unchanged", "skipped", "refused")}

    def all_created(self, report, rows):
        self.assertEqual(self.counts(report), {"rows": rows, "created": rows, "changed": 0, "unchanged": 0, "skipped": 0,
                                               "refused": 0})

    def link(self, report, column):
        return next(link for link in report["links"] if link["column"] == column)

    # ---------------------------------------------------------------- the four files

    def test_1_accounts(self):
        _, dry = self.import_file("companies", "accounts", "--dry-run")
        _, report = self.import_file("companies", "accounts")
        self.all_created(dry, 85)
        self.all_created(report, 85)
        misspelt = sum(row["sector"] == "technolgy" for row in self.accounts)
        self.assertGreater(misspelt, 0)
        self.assertIn({"column": "sector", "from": "technolgy", "to": "technology", "rows": misspelt}, report["replaced"])
        there = {row["name"]: row for row in self.export("companies")}
        self.assertEqual(len(there), len(self.accounts))
        for row in self.accounts:
            company = there[row["account"]]
            self.assertEqual(company["sector"], row["sector"].replace("technolgy", "technology"))
            self.assertEqual(company["parent"], row["subsidiary_of"])
            self.assertEqual(Decimal(company["revenue"]), Decimal(row["revenue"]))
            self.assertEqual(company["employees"], row["employees"])
            self.assertEqual(company["year_established"], row["year_established"])
            self.assertEqual(company["office_location"], row["office_location"].replace("Philipines", "Philippines"))
        blank = sum(not row["subsidiary_of"] for row in self.accounts)
        self.assertEqual(self.link(report, "subsidiary_of")["blank"], blank)
        names = [row["account"] for row in self.accounts]
        later = sum(bool(row["subsidiary_of"]) and names.index(row["subsidiary_of"]) > at
                    for at, row in enumerate(self.accounts))
        self.assertGreater(later, 0)
        self.assertEqual(report["linked_later"], later)

    def test_2_products(self):
        _, report = self.import_file("products", "products")
        self.all_created(report, 7)
        there = {row["name"]: row for row in self.export("products")}
        for row in self.products:
            self.assertEqual(Decimal(there[row["product"]]["price"]), Decimal(row["sales_price"]))
            self.assertEqual(there[row["product"]]["price.currency"], "USD")
            self.assertEqual(there[row["product"]]["series"], row["series"])

    def test_3_people(self):
        _, report = self.import_file("users", "sales_teams")
        self.all_created(report, 35)
        managers = {row["manager"] for row in self.teams}
        self.assertFalse(managers & {row["sales_agent"] for row in self.teams})
        self.assertEqual(self.link(report, "manager")["created"], len(managers))
        there = {row["name"]: row for row in self.export("users")}
        for row in self.teams:
            agent = there[row["sales_agent"]]
            self.assertEqual((agent["manager"], agent["office"]), (row["manager"], row["regional_office"]))
            self.assertEqual(agent["position"], "Sales agent")
            self.assertEqual(there[row["manager"]]["office"], row["regional_office"])
        self.assertEqual(len(there), 35 + len(managers) + 1)  # and the administrator

    def test_4_opportunities(self):
        _, report = self.import_file("opportunities", "sales_pipeline")
        self.all_created(report, 8800)
        gtx = sum(row["product"] == "GTXPro" for row in self.pipeline)
        self.assertEqual(gtx, 1480)
        self.assertIn({"column": "product", "from": "GTXPro", "to": "GTX Pro", "rows": gtx}, report["replaced"])
        without = sum(not row["account"] for row in self.pipeline)
        self.assertEqual(without, 1425)
        self.assertEqual(self.link(report, "account")["blank"], without)
        self.assertEqual(self.link(report, "account")["found"], 8800 - without)
        there = {row["external_id"]: row for row in self.export("opportunities")}
        self.assertEqual(len(there), 8800)
        for row in self.pipeline:
            deal = there[row["opportunity_id"]]
            self.assertEqual(deal["owner"], row["sales_agent"])
            self.assertEqual(deal["company"], row["account"])
            self.assertEqual(deal["product"], row["product"].replace("GTXPro", "GTX Pro"))
            self.assertEqual(deal["stage"], row["deal_stage"].lower())
            self.assertEqual((deal["engage_date"], deal["closed_on"]), (row["engage_date"], row["close_date"]))
            self.assertEqual(deal["amount"] and Decimal(deal["amount"]), row["close_value"] and Decimal(row["close_value"]))
            self.assertEqual(deal["amount.currency"], "USD" if row["close_value"] else "")
        stages = Counter(row["deal_stage"].lower() for row in self.pipeline)
        self.assertEqual(Counter(row["stage"] for row in there.values()), stages)
        won = sum(Decimal(row["close_value"]) for row in self.pipeline if row["deal_stage"] == "Won")
        self.assertEqual(sum(Decimal(row["amount"]) for row in there.values() if row["stage"] == "won"), won)
        # Agents without a deal are there all the same.
        idle = {row["sales_agent"] for row in self.teams} - {row["sales_agent"] for row in self.pipeline}
        self.assertTrue(idle)
        self.assertTrue(idle <= {row["name"] for row in self.export("users")})

    def test_5_again_changes_nothing(self):
        for module, name, rows in (("companies", "accounts", 85), ("opportunities", "sales_pipeline", 8800)):
            _, report = self.import_file(module, name)
            self.assertEqual(self.counts(report)["skipped"], rows)
            _, report = self.import_file(module, name, "--on-duplicate", "merge")
            self.assertEqual((report["unchanged"], report["changed"], report["created"]), (rows, 0, 0))

    # ---------------------------------------------------------------- worked on

    def test_6_work(self):
        api, before = self.api, len(self.export("companies"))
        company = api.want(200, "GET", "/api/companies?filter[name][eq]=Isdom")["items"][0]
        edited = api.want(200, "PATCH", f"/api/companies/{company['id']}", {"city": "Lima", "employees": 7},
                          {"If-Match": f"\"{company['version']}\""})
        self.assertEqual((edited["city"], edited["employees"]), ("Lima", 7))
        deals = api.want(200, "GET", "/api/opportunities?filter[company][eq]=%d&limit=10" % company["id"])["items"]
        self.assertEqual(len(deals), 10)
        for deal in deals[:6]:
            api.want(200, "PATCH", f"/api/opportunities/{deal['id']}", {"stage": "negotiation", "next_step": "Ünïcode ✓"})
        for deal in deals[6:]:
            status, _, _ = api.request("DELETE", f"/api/opportunities/{deal['id']}")
            self.assertIn(status, (200, 204))
        status, _, _ = api.request("POST", f"/api/opportunities/{deals[6]['id']}/restore", {})
        self.assertIn(status, (200, 204))
        api.want(201, "POST", f"/api/companies/{company['id']}/comments", {"text": "Taken over from the old CRM."})
        self.assertEqual(len(self.export("opportunities")), 8800 - 3)
        self.assertEqual(len(self.export("opportunities", "--deleted")), 3)
        self.assertEqual(len(self.export("companies")), before)
        # By the file again: only what was changed here changes back.
        _, report = self.import_file("companies", "accounts", "--on-duplicate", "merge")
        self.assertEqual((report["changed"], report["unchanged"]), (1, 84))

    def test_7_one_operation_each(self):
        imports = self.api.want(200, "GET", "/api/imports?limit=200&columns=name,state,operation,created,of_module")["items"]
        first = [one for one in imports if one["created"] == 8800]
        self.assertEqual(len(first), 1)
        self.assertEqual(first[0]["state"], "done")
        page = self.api.want(200, "GET", f"/api/history?operation={first[0]['operation']}&limit=200")
        self.assertEqual({event["operation"] for event in page["items"]}, {first[0]["operation"]})
        self.assertEqual(page["items"][0]["kind"], "imported")
        path = self.folder / "history.jsonl"
        self.server.command("export", "history", str(path))
        with open(path, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        mine = [event for event in events if event["operation"] == first[0]["operation"]]
        self.assertEqual(sum(event["module"] == "opportunities" for event in mine), 8800)

    def test_8_verifies_and_rebuilds(self):
        self.server.command("verify")
        self.server.command("rebuild", "--check")

    @unittest.skipUnless(POSTGRES, "there is no server to move to")
    def test_9_moves_there_and_back(self):
        self.server.stop()
        here = environment_of(self.server.data)["CRONISTA_DATABASE"]
        there = environment_of(self.folder / "there")["CRONISTA_DATABASE"]
        modules = ("companies", "contacts", "opportunities", "products", "users")

        def all_of(database, files):
            given = {}
            for module in modules:
                path = self.folder / "given.csv"
                run("export", module, path, database=database, files=files)
                given[module] = path.read_bytes()
            return given

        def run(*arguments, database=None, files=None):
            environment = {name: value for name, value in os.environ.items() if name != "CRONISTA_DATABASE"}
            if database:
                environment["CRONISTA_DATABASE"] = database
            if files:
                arguments = (*arguments, "--data", files)
            done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        first = all_of(here, self.server.data)
        self.assertGreater(len(first["opportunities"]), 500000)
        roots = set()
        for source, target, files in ((here, self.folder / "embedded", self.server.data),
                                      (self.folder / "embedded", there, self.folder / "there"),
                                      (there, self.folder / "back", self.folder / "there")):
            roots |= set(re.findall(r"root (\S+)", run("move", "--from", source, "--to", target, "--files", files)))
        self.assertEqual(1, len(roots))
        for place in ((None, self.folder / "embedded"), (there, self.folder / "there"), (None, self.folder / "back")):
            self.assertEqual(first, all_of(*place))


if __name__ == "__main__":
    unittest.main()
