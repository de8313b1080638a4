"""The runner counts what programs really did: it must not miss a failure, a crash or a test that never ran."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import run as runner  # noqa: E402


class ReadTap(unittest.TestCase):
    def test_counts_each_case(self):
        passed, failed, skipped, planned = runner.read_tap("1..3\nok 1 - a\nnot ok 2 - b\n# why\nok 3 - c # SKIP no\n")
        self.assertEqual((passed, failed, skipped, planned), (1, ["b"], 1, 3))

    def test_skip_as_cmocka_writes_it(self):
        self.assertEqual(runner.read_tap("1..1\nnot ok 1 # SKIP a\n"), (0, [], 1, 1))

    def test_several_plans_add_up(self):
        self.assertEqual(runner.read_tap("1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n"), (3, [], 0, 3))

    def test_other_output_is_no_case(self):
        self.assertEqual(runner.read_tap("okay then\nnot okay\n  ok 1 - inner\n"), (0, [], 0, None))

    def test_closing_lines_of_unittest(self):
        self.assertEqual(runner.read_any("FAIL: test_a (x.T)\nRan 5 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n"),
                         (2, ["test_a (x.T)", "?"], 1, 5))
        self.assertEqual(runner.read_any("...\nRan 3 tests in 0.001s\n\nOK\n"), (3, [], 0, 3))
        self.assertEqual(runner.read_any("Ran 0 tests in 0.000s\n\nOK\n"), (0, [], 0, 0))

    def test_node_counts_cases_inside_suites(self):
        text = "    not ok 1 - inner\n# tests 4\n# suites 1\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n"
        self.assertEqual(runner.read_node(text), (2, ["inner"], 1, 4))

    def test_what_failed_is_shown_before_the_end(self):
        text = "\n".join(["# Subtest: a", "    not ok 1 - inner", "      why: because", "    1..1", "not ok 1 - a", "  ---",
                          *[f"ok {i}" for i in range(2, 400)], "not ok 400 # SKIP b", "  no word of it", "ok 401"])
        shown = runner.failing_lines(text)
        self.assertEqual(shown[:4], ["    not ok 1 - inner", "      why: because", "not ok 1 - a", "  ---"])
        self.assertEqual(shown[-3:], ["not ok 400 # SKIP b", "  no word of it", "ok 401"])
        self.assertEqual(len(shown), 4 + runner.SHOWN_END)
        self.assertEqual(runner.failing_lines("a\nb"), ["a", "b"])


class Programs(unittest.TestCase):
    def setUp(self):
        self.run = runner.Run(minutes=5)
        self.run.say = lambda text: None
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run.logs = Path(folder.name)

    def counted(self, script, **options):
        good = self.run.program("p", ["bash", "-c", script], **options)
        tally = self.run.tally
        self.assertEqual(good, not tally.failed)
        return tally.passed, len(tally.failed), tally.skipped

    def test_a_program_without_cases_is_one(self):
        self.assertEqual(self.counted("echo fine"), (1, 0, 0))

    def test_a_failing_program_without_cases_is_one(self):
        self.assertEqual(self.counted("exit 3"), (0, 1, 0))

    def test_a_crash_after_passing_cases_fails(self):
        self.assertEqual(self.counted("echo 1..1; echo ok 1 - a; kill -SEGV $$"), (1, 1, 0))

    def test_an_exit_code_after_passing_cases_fails(self):
        self.assertEqual(self.counted("echo 1..1; echo ok 1 - a; exit 1"), (1, 1, 0))

    def test_an_early_end_fails(self):
        self.assertEqual(self.counted("echo 1..3; echo ok 1 - a"), (1, 1, 0))

    def test_an_empty_plan_fails(self):
        self.assertEqual(self.counted("echo 1..0"), (0, 1, 0))

    def test_a_failed_case_fails_though_the_exit_code_is_zero(self):
        self.assertEqual(self.counted("echo 1..1; echo not ok 1 - a"), (0, 1, 0))

    def test_being_skipped_is_said_by_77(self):
        self.assertEqual(self.counted("exit 77"), (0, 0, 1))

    def test_out_of_time_fails_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            alive = Path(folder) / "alive"
            self.assertEqual(self.counted(f"(sleep 4; touch {alive}) & wait", timeout=2), (0, 1, 0))
            subprocess.run(["sleep", "3"], check=True)
            self.assertFalse(alive.exists())

    def test_no_such_program_fails(self):
        self.assertFalse(self.run.program("p", ["/no/such/program"]))


class Unittest(unittest.TestCase):
    """run.py --unittest FILE."""

    def output(self, body):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sample_test.py"
            path.write_text("import unittest\nclass T(unittest.TestCase):\n" + body)
            done = subprocess.run([sys.executable, "-B", ROOT / "tests/run.py", "--unittest", path],
                                  capture_output=True, text=True, check=False)
        return done.returncode, runner.read_tap(done.stdout)

    def test_pass_fail_error_skip(self):
        code, (passed, failed, skipped, planned) = self.output(
            "    def test_a(self): pass\n"
            "    def test_b(self): self.fail('no')\n"
            "    def test_c(self): raise ValueError\n"
            "    def test_d(self): self.skipTest('why')\n")
        self.assertEqual((code, passed, len(failed), skipped, planned), (1, 1, 2, 1, 4))

    def test_a_failing_subtest_is_no_pass(self):
        code, (passed, failed, _, _) = self.output(
            "    def test_a(self):\n"
            "        for i in range(3):\n"
            "            with self.subTest(i=i): self.assertNotEqual(i, 1)\n")
        self.assertEqual((code, passed, len(failed)), (1, 0, 1))

    def test_a_file_that_cannot_be_read_fails(self):
        code, (_, failed, _, _) = self.output("    def test_a(self) pass\n")
        self.assertEqual((code, len(failed)), (1, 1))

    def test_a_file_without_tests_fails(self):
        self.assertEqual(self.output("    pass\n")[0], 1)

    def test_a_group_that_cannot_be_set_up_fails(self):
        code, (_, failed, _, _) = self.output(
            "    @classmethod\n"
            "    def setUpClass(cls): raise ValueError\n"
            "    def test_a(self): pass\n")
        self.assertEqual((code, len(failed)), (1, 1))
