"""The bench's arithmetic: a wrong verdict would be worse than none."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import harness  # noqa: E402


def figure(samples, beside=(), more_is_better=True):
    f = harness.Figure("a", "thing", "1/s", more_is_better)
    f.samples, f.beside, f.beside_name = list(samples), list(beside), "other"
    return f


class Figures(unittest.TestCase):
    def test_the_ratio_is_taken_in_each_round(self):
        # The machine was half as fast in the second round; the medians apart would say 50 / 100.
        self.assertEqual(figure([100, 50, 30], [50, 25, 100]).ratio, 2)

    def test_a_target_for_the_ratio(self):
        self.assertEqual(figure([20], [100]).aim(0.25, "").verdict(), "NOT MET (0.80 x)")
        self.assertEqual(figure([50], [100]).aim(0.25, "").verdict(), "met (2.00 x)")

    def test_a_target_where_less_is_better(self):
        self.assertEqual(figure([30], more_is_better=False).aim(20, "").verdict(), "NOT MET (0.67 x)")
        self.assertEqual(figure([10, 10, 90], more_is_better=False).aim(20, "").verdict(), "met (2.00 x)")

    def test_a_target_for_the_figure_itself_though_something_is_beside(self):
        f = figure([30], [1], more_is_better=False)
        self.assertEqual(f.aim(60, "", f.median).verdict(), "met (2.00 x)")

    def test_just_met_is_met(self):
        self.assertTrue(figure([25], [100]).aim(0.25, "").to_json()["met"])

    def test_no_target_no_verdict(self):
        self.assertEqual(figure([1]).verdict(), "")
        self.assertIsNone(figure([1]).to_json()["met"])

    def test_the_table_has_every_figure(self):
        text = harness.table([figure([1234567.8], [2]), figure([0.01234])])
        self.assertIn("1,234,568", text)
        self.assertIn("0.0123", text)
        self.assertEqual(len(text.splitlines()), 3)


class Turns(unittest.TestCase):
    def test_each_once_a_round_and_another_first_each_time(self):
        order = []
        subjects = {name: lambda n=name: order.append(n) or n for name in "abc"}
        results = harness.in_turn(subjects, 3)
        self.assertEqual("".join(order), "abcbcacab")
        self.assertEqual(results, {"a": ["a"] * 3, "b": ["b"] * 3, "c": ["c"] * 3})


class Programs(unittest.TestCase):
    def test_peak_of_memory_and_time_of_the_processor(self):
        script = "x = bytearray(80 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nimport time; time.sleep(0.1)"
        r = harness.run_measured([sys.executable, "-c", script])
        self.assertGreater(r["peak"], 80)
        self.assertLess(r["peak"], 160)
        self.assertGreater(r["own"], 80)
        self.assertGreater(r["seconds"], 0.1)
        self.assertGreater(r["processor"], 0)

    def test_a_program_that_fails_is_told(self):
        with self.assertRaisesRegex(harness.Failed, "exit code 3(.|\n)*why"):
            harness.run_measured(["sh", "-c", "echo why; exit 3"])
        with self.assertRaisesRegex(harness.Failed, "exit code 4"):
            harness.run_program(["sh", "-c", "exit 4"])

    def test_texts_in_addresses(self):
        self.assertEqual(harness.http_quote("a ż&"), "a%20%C5%BC%26")


if __name__ == "__main__":
    unittest.main()
