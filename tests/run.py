#!/usr/bin/env python3
"""Builds the program and runs its tests, and counts every single case.

    tests/run.py [--list] [--minutes N] [SECTION...]

Without sections all of them run, in the order of SECTIONS. The last line is "N passed, N failed", with ", N skipped" when
there are any; the exit code is 1 when one failed. What a program printed is kept in BUILD/test-logs/ (BUILD is the
variable of that name, else build), and shown here when it failed.

A program's cases are counted from the TAP lines it prints (cmocka does, told by a variable; so do the scripts here);
one that prints none is a case by itself. A program that crashes, runs out of time or ends before its plan counts as
failed, whatever it had passed.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
JOBS = os.cpu_count() or 1
STORIES = JOBS + 1  # told at once: they wait for servers, disks and clocks
SHOWN_LINES, SHOWN_END = 150, 50  # of a failed program's output: of its failed cases, and of its end; its log has all
SKIP_CODE = 77     # what a program without TAP says to be skipped

FUZZ = {"fuzz-replay"}  # Meson's suite of the fuzzers' corpora

# Where several threads meet: these programs run under ThreadSanitizer too.
THREADED = ("base", "looked", "kept", "store", "store_trouble", "writer", "history", "records", "passage_rows", "shelf", "story_kept", "scope", "import",
            "web_fault")
THREADED_STORIES = ("live_test", "records_test", "transfer_test")

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp:second_deadlock_stack=1:history_size=4",
}


class Tally:
    """What has been counted. Safe from any thread."""

    def __init__(self):
        self.passed = self.skipped = 0
        self.failed = []  # names
        self.lock = threading.Lock()

    def add(self, passed, failed, skipped):
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def closing_line(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failed)} failed{skipped}"


TAP_LINE = re.compile(r"^(?:    )*(ok|not ok)\b\s*(\d+)?\s*(?:- )?(.*)$")
TAP_ANY = re.compile(r"^ *(ok|not ok|# Subtest:|1\.\.\d+)")
TAP_PLAN = re.compile(r"^1\.\.(\d+)", re.M)
TAP_SKIP = re.compile(r"#\s*(SKIP|TODO)\b\s*(.*)", re.I)


def read_tap(output):
    """(passed, names of failed, skipped, planned or None) of a TAP output with one or more plans."""
    passed, failed, skipped, planned = 0, [], 0, None
    for line in output.splitlines():
        plan = TAP_PLAN.match(line)
        if plan:
            planned = (planned or 0) + int(plan[1])
            continue
        if line.startswith(" "):
            continue  # a subtest: its parent's line counts
        case = TAP_LINE.match(line)
        if not case:
            continue
        if TAP_SKIP.search(case[3]):
            skipped += 1  # cmocka writes "not ok N # SKIP name"
        elif case[1] == "ok":
            passed += 1
        else:
            failed.append(case[3].strip() or f"case {case[2]}")
    return passed, failed, skipped, planned


UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_LOST = re.compile(r"\b(failures|errors|skipped|unexpected successes)=(\d+)")
UNITTEST_NAME = re.compile(r"^(?:FAIL|ERROR): (.*)$", re.M)


def read_any(output):
    """TAP, or the closing lines of Python's unittest."""
    ran = UNITTEST_RAN.search(output)
    if TAP_PLAN.search(output) or not ran:
        return read_tap(output)
    count = {name: int(number) for name, number in UNITTEST_LOST.findall(output[ran.end():])}
    skipped = count.pop("skipped", 0)
    lost = sum(count.values())
    failed = (UNITTEST_NAME.findall(output) + ["?"] * lost)[:lost]
    return max(0, int(ran[1]) - lost - skipped), failed, skipped, int(ran[1])


def failing_lines(output):
    """Of a failing program's output: what its failed cases say, each with the comments below it; then its end."""
    lines, shown, inside = output.splitlines(), [], False
    for number, line in enumerate(lines):
        case = TAP_ANY.match(line)
        if case:
            inside = case[1] == "not ok" and not TAP_SKIP.search(line)
        if inside:
            shown.append(number)
    shown = shown[:SHOWN_LINES]
    shown += [number for number in range(max(0, len(lines) - SHOWN_END), len(lines)) if number not in shown]
    return [lines[number] for number in shown]


NODE_COUNT = re.compile(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$", re.M)
NODE_FAILED = re.compile(r"^\s*not ok \d+ - (.*)$", re.M)


def read_node(output):
    """The same for node's test runner, whose closing comments count single cases inside suites too."""
    count = {name: int(number) for name, number in NODE_COUNT.findall(output)}
    if "tests" not in count:
        return 0, [], 0, None
    lost = count.get("fail", 0) + count.get("cancelled", 0)
    names = [n for n in NODE_FAILED.findall(output) if not TAP_SKIP.search(n)]
    failed = (names + ["?"] * lost)[:lost] if lost else []
    skipped = count.get("skipped", 0) + count.get("todo", 0)
    return count.get("pass", 0), failed, skipped, count["tests"]


def execute(command, environment=None, timeout=600, folder=ROOT):
    """(exit code or None when out of time, output) of a program in a process group of its own."""
    full = {**os.environ, **(environment or {})}
    try:
        child = subprocess.Popen(command, cwd=folder, env=full, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        return 127, str(error)
    try:
        output = child.communicate(timeout=timeout)[0]
        code = child.returncode
    except subprocess.TimeoutExpired:
        code = None
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)  # and whatever it left behind
        except ProcessLookupError:
            pass
    if code is None:
        output = child.communicate()[0]
    return code, output.decode("utf-8", "replace")


class Run:
    def __init__(self, minutes):
        self.tally = Tally()
        self.deadline = time.monotonic() + minutes * 60
        self.built = {}
        self.stories_told = False  # under AddressSanitizer
        self.print_lock = threading.Lock()
        self.logs = BUILD / "test-logs"

    def say(self, text):
        with self.print_lock:
            print(text, flush=True)

    def program(self, name, command, environment=None, timeout=600, reader=read_any, folder=ROOT):
        """Runs one program and counts its cases; True when none failed."""
        started = time.monotonic()
        timeout = min(timeout, self.deadline - started)
        if timeout <= 1:
            self.tally.add(0, [f"{name}: no time left"], 0)
            self.say(f"  FAILED {name}: no time left")
            return False
        code, output = execute(command, environment, timeout, folder)
        passed, failed, skipped, planned = reader(output)
        if planned is None:
            if code == SKIP_CODE:
                skipped = 1
            elif code == 0:
                passed = 1
        elif passed + len(failed) + skipped < planned:
            failed.append(f"ended after {passed + len(failed) + skipped} of {planned} cases")
        elif planned == 0 and not skipped:
            failed.append("ran no test")
        if code is None:
            failed.append(f"out of time after {timeout:.0f} s")
        elif code < 0:
            failed.append(f"killed by {signal.Signals(-code).name}")
        elif code not in (0, SKIP_CODE) and not failed:
            failed.append(f"exit code {code}")
        self.tally.add(passed, [f"{name}: {case}" for case in failed], skipped)
        self.report(name, passed, failed, skipped, output, time.monotonic() - started)
        return not failed

    def report(self, name, passed, failed, skipped, output, seconds):
        log = self.logs / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
        counts = f"{passed} passed" + (f", {len(failed)} failed" if failed else "")
        counts += f", {skipped} skipped" if skipped else ""
        if not failed:
            self.say(f"  ok     {name}: {counts} ({seconds:.1f} s)")
            return
        lines = failing_lines(output)
        text = [f"  FAILED {name}: {counts} ({seconds:.1f} s)"] + [f"    failed: {case}" for case in failed]
        text += [f"    | {line}" for line in lines]
        text.append(f"    | all of it in {log}")
        self.say("\n".join(text))

    def programs(self, jobs, parallel=JOBS):
        """jobs: keyword arguments of program()."""
        with concurrent.futures.ThreadPoolExecutor(max(1, parallel)) as pool:
            for future in [pool.submit(self.program, **job) for job in jobs]:
                future.result()

    def build(self, suffix="", options=(), environment=None):
        """The build directory made and up to date, or None (which has been counted as a failure)."""
        if suffix in self.built:
            return self.built[suffix]
        directory = BUILD.with_name(BUILD.name + suffix)
        name, started, output = f"build{suffix}", time.monotonic(), ""
        steps = [["ninja", "--quiet", "-C", str(directory), "all", "meson-test-prereq"]]
        if not (directory / "build.ninja").exists():
            steps.insert(0, ["meson", "setup", str(directory), *options])
        for step in steps:
            code, text = execute(step, environment, max(1, self.deadline - time.monotonic()))
            output += text
            if code != 0:
                self.tally.add(0, [f"{name}: {' '.join(step)}"], 0)
                self.report(name, 0, ["does not build"], 0, output, time.monotonic() - started)
                self.built[suffix] = None
                return None
        self.say(f"  built  {directory.name} ({time.monotonic() - started:.1f} s)")
        self.built[suffix] = directory
        return directory

    def meson_tests(self, directory, label, wanted, environment=None, slower=1):
        """Runs those of Meson's tests for which wanted(suites, name) holds."""
        listing = subprocess.run(["meson", "introspect", "--tests", str(directory)], capture_output=True, check=True)
        jobs, alone = [], []
        for test in json.loads(listing.stdout):
            suites = {s.split(":")[-1] for s in test["suite"]}
            if not wanted(suites, test["name"]):
                continue
            job = {"name": f"{label} {test['name']}", "command": test["cmd"],
                   "environment": {"CMOCKA_MESSAGE_OUTPUT": "TAP", **test["env"], **(environment or {})},
                   "timeout": test["timeout"] * slower, "folder": test["workdir"] or ROOT}
            (jobs if test["is_parallel"] else alone).append(job)
        self.programs(jobs)
        self.programs(alone, parallel=1)


# ---------------------------------------------------------------- sections
# Each is a function of the run; `where` says whether there is anything for it in the tree.

def unit(run):
    directory = run.build()
    if directory:
        run.meson_tests(directory, "unit", lambda suites, name: name not in ONLY_POSTGRES | SLOW and not FUZZ & suites)


def asan_build(run):
    return run.build("-asan", ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1",
                               "-Dwerror=false"])


def asan(run):
    directory = asan_build(run)
    if directory:
        run.meson_tests(directory, "asan", lambda suites, name: name not in ONLY_POSTGRES and not FUZZ & suites,
                        SANITIZERS, slower=4)
        if provider(run, "asan"):
            run.programs(http_jobs("asan", directory, SANITIZERS), STORIES)
        run.stories_told = True
        with postgres_server() as environment:
            run.meson_tests(directory, "asan postgres", lambda suites, name: name in ("store", "store_files", "store_postgres", "store_replica", "store_rights"),
                            {**SANITIZERS, **environment}, slower=4)


def tsan(run):
    # With clang, so that its warnings are errors somewhere too.
    directory = run.build("-tsan", ["-Db_sanitize=thread", "-Db_lundef=false", "-Doptimization=1"],
                          {"CC": "clang", "CXX": "clang++"})
    if directory:
        run.meson_tests(directory, "tsan", lambda suites, name: name in THREADED and not FUZZ & suites,
                        SANITIZERS, slower=8)
        run.programs(http_jobs("tsan", directory, SANITIZERS, THREADED_STORIES))


def fuzz(run):
    directory = asan_build(run)
    if directory:
        run.meson_tests(directory, "replay", lambda suites, name: FUZZ & suites, SANITIZERS, slower=4)


def lint(run):
    directory = run.build()
    if directory:
        run.program("lint", ["tools/lint.sh"], {"BUILD": directory.name}, timeout=900)


def tools(run):
    run.programs([unittest_job("tools", path, {}) for path in sorted((ROOT / "tests/tools").glob("*_test.py"))])


def unittest_job(label, path, environment, timeout=600):
    return {"name": f"{label} {path.stem}", "command": [sys.executable, "-B", __file__, "--unittest", str(path)],
            "environment": environment, "timeout": timeout}


def server(directory):
    return {"CRONISTA_PROGRAM": str(directory / "cronista"), "PYTHONDONTWRITEBYTECODE": "1"}


# What runs on PostgreSQL too, beside subcommands and stories: programs whose stores are opened through
# tests/unit/place.h. Further ones that can: tests/postgres.py COMMAND.
ON_POSTGRES = ("store", "store_files", "store_postgres", "store_replica", "store_rights", "history", "writer", "proof", "records", "calendars", "shelf", "list_rows", "saved_row", "story_kept", "web_fault")
ONLY_POSTGRES = {"store_files", "store_postgres", "store_replica", "store_rights"}
STORIES_ON_POSTGRES = ("activities_test", "anonymise_test", "calendars_test", "erasing_test", "live_test", "mistakes_test", "nodes_test", "once_test", "permissions_test", "privacy_test", "records_test", "oidc_test", "session_test", "story_test", "transfer_test")
SLOW = {"shelf", "web_fault"}  # under the sanitizers alone


@contextlib.contextmanager
def postgres_server():
    """A PostgreSQL as long as the block lasts: what the environment must have for the tests to use it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from postgres import Cluster
    cluster = Cluster(fsync=False)  # what must survive a crash is tried by tests/fault, tests/nodes and tests/patroni
    try:
        cluster.start()
        yield {"CRONISTA_TEST_DATABASE": cluster.url}
    finally:
        cluster.stop()


def postgres(run):
    directory = run.build()
    if not directory or not provider(run, "postgres"):
        return
    with postgres_server() as environment:
        run.meson_tests(directory, "postgres", lambda suites, name: name in ON_POSTGRES and not FUZZ & suites, environment,
                        slower=2)
        run.programs(http_jobs("postgres", directory, environment, STORIES_ON_POSTGRES) + cli_jobs("postgres", directory, environment), STORIES)
    run.program("several nodes", [sys.executable, "-B", "tests/nodes/nodes.py", "--clients", "16", "--seconds", "8"],
                server(directory), timeout=180)
    run.program("replicas", [sys.executable, "-B", "tests/nodes/replicas.py"], server(directory), timeout=180)


LONG = {"pages_test", "histories_test"}  # what takes longer than the length of its file tells


def longest_first(paths):
    """So that the last to end has not begun last. A file that says more takes longer, mostly."""
    return sorted(paths, key=lambda path: (path.stem not in LONG, -path.stat().st_size, path))


def http_jobs(label, directory, environment=None, only=None):
    return [unittest_job(label, path, {**server(directory), **(environment or {})}, timeout=900)
            for path in longest_first((ROOT / "tests/http").glob("*_test.py")) if not only or path.stem in only]


def http(run):
    directory = run.build()
    if directory:
        if not run.stories_told and provider(run, "http"):  # the same once more would find little; a part of them is told on PostgreSQL, too
            run.programs(http_jobs("http", directory), STORIES)
        node_tests(run, "http", ROOT / "tests/openapi", server(directory))


def cli(run):
    directory = run.build()
    if directory:
        run.programs(cli_jobs("cli", directory), STORIES)


def cli_jobs(label, directory, environment=None):
    return [unittest_job(label, path, {**server(directory), **(environment or {})}, timeout=900)
            for path in longest_first((ROOT / "tests/cli").glob("*_test.py"))]


def node_packages(run, label, folder):
    """What the package-lock.json of a folder names, installed there. False when that failed."""
    lock, marker = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        code, output = execute(["npm", "ci", "--no-audit", "--no-fund"], folder=folder)
        if code != 0:
            run.tally.add(0, [f"{label}: npm ci"], 0)
            run.report(f"{label} npm ci", 0, ["npm ci"], 0, output, 0)
            return False
        marker.touch()
    return True


def provider(run, label):
    """The provider of the stories of signing in by one."""
    return node_packages(run, label, ROOT / "tests/provider")


def node_tests(run, label, folder, environment):
    """The *_test.mjs of a folder with a package.json."""
    if not node_packages(run, label, folder):
        return
    run.programs([{"name": f"{label} {path.stem}", "reader": read_node, "timeout": 900, "environment": environment,
                   "command": ["node", "--test", "--test-reporter=tap", str(path)]}
                  for path in longest_first(folder.glob("*_test.mjs"))], STORIES)


def browser(run):
    directory = run.build()
    if not directory or not provider(run, "browser"):
        return
    node_tests(run, "browser", ROOT / "tests/browser", server(directory))


def crash(run):
    directory = run.build()
    if directory:
        run.program("crash storm", [sys.executable, "-B", "tests/crash/storm.py", "--rounds", "5"], server(directory))


def failover(run):
    directory = run.build()
    if directory:
        run.program("failover", [sys.executable, "-B", "tests/patroni/failover.py", "--short", "--workload", "cronista"],
                    server(directory), timeout=300)


def fault(run):
    directory = run.build()
    if directory:
        for path in sorted((ROOT / "tests/fault").glob("*.py")):
            run.program(f"fault {path.stem}", [sys.executable, "-B", str(path)], server(directory))


def bench(run):
    directory = run.build()
    if directory:
        run.program("bench smoke", [sys.executable, "-B", "bench/bench.py", "--smoke", "--build", str(directory)])


def present(pattern):
    return any(ROOT.glob(pattern))


def has_program():
    return (ROOT / "src/main.c").exists()


# name: (function, is there anything for it, what it is)
SECTIONS = {
    "lint": (lint, lambda: True, "formatting, layers, static analysis, spelling"),
    "tools": (tools, lambda: present("tests/tools/*_test.py"), "the checks and this runner, held to examples"),
    "unit": (unit, lambda: present("tests/unit/*_test.c"), "unit tests"),
    "asan": (asan, lambda: present("tests/unit/*_test.c"), "the same under AddressSanitizer and UBSan"),
    "tsan": (tsan, lambda: present("tests/unit/*_test.c"), "those with threads under ThreadSanitizer, built by clang"),
    "fuzz": (fuzz, lambda: present("fuzz/*_fuzz.c"), "the fuzzers' corpora replayed under sanitizers"),
    "cli": (cli, lambda: has_program() and present("tests/cli/*_test.py"), "subcommands; a sales team's files imported"),
    "http": (http, lambda: has_program() and present("tests/http/*_test.py"), "stories told to a real server"),
    "postgres": (postgres, lambda: present("tests/postgres.py"), "units, subcommands and stories on a PostgreSQL of its own"),
    "browser": (browser, lambda: has_program() and present("tests/browser/*_test.mjs"), "pages in a real browser"),
    "crash": (crash, lambda: has_program() and present("tests/crash/storm.py"), "kill -9 under load, five times"),
    "bench": (bench, lambda: has_program() and present("bench/bench.py"), "that the bench measures, not how much"),
    "failover": (failover, lambda: has_program() and present("tests/patroni/failover.py"), "a PostgreSQL cluster loses its leader under load"),
    "fault": (fault, lambda: has_program() and present("tests/fault/*.py"), "full disks"),
}


# ---------------------------------------------------------------- unittest as TAP

def run_unittest(path):
    """Runs the unittest cases of one file and prints them as TAP."""
    import unittest

    class Printer(unittest.TestResult):
        number = bad_lines = 0

        def line(self, good, test, comment="", detail=""):
            self.number += 1
            self.bad_lines += not good
            print(f"{'ok' if good else 'not ok'} {self.number} - {test}{comment}")
            for text in detail.rstrip().splitlines():
                print(f"# {text}")
            sys.stdout.flush()

        def startTest(self, test):
            super().startTest(test)
            self.broken = False

        def addSuccess(self, test):
            if not self.broken:
                self.line(True, test)

        def bad(self, test, err):
            self.broken = True
            self.line(False, test, detail=self._exc_info_to_string(err, test))

        def addFailure(self, test, err):
            super().addFailure(test, err)
            self.bad(test, err)

        def addError(self, test, err):
            super().addError(test, err)
            self.bad(test, err)

        def addSubTest(self, test, subtest, err):
            super().addSubTest(test, subtest, err)
            if err:
                self.bad(subtest, err)

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            self.line(True, test, f" # SKIP {reason}")

        def addExpectedFailure(self, test, err):
            super().addExpectedFailure(test, err)
            self.line(True, test)

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            self.line(False, test, detail="was expected to fail")

    sys.path.insert(0, str(path.parent))
    result = Printer()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName(path.stem)
    except Exception:  # a mistake in the file itself, which Python may say in many ways
        result.line(False, f"{path.name} can be read", detail=traceback.format_exc())
        suite = unittest.TestSuite()
    suite.run(result)
    print(f"1..{result.number}")
    return 0 if result.number and not result.bad_lines else 1


def parse_arguments():
    parser = argparse.ArgumentParser(description="Builds Cronista and runs its tests.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="of: " + ", ".join(SECTIONS))
    parser.add_argument("--list", action="store_true", help="say what sections there are")
    parser.add_argument("--minutes", type=float, default=45, help="end by then, failing what has not run (45)")
    parser.add_argument("--unittest", type=Path, metavar="FILE", help="run one file of unittest cases and print TAP")
    arguments = parser.parse_args()
    unknown = [s for s in arguments.sections if s not in SECTIONS]
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.unittest:
        return run_unittest(arguments.unittest.resolve())
    if arguments.list:
        for name, (_, is_there, says) in SECTIONS.items():
            print(f"{name:8} {says}{'' if is_there() else ' (nothing in the tree)'}")
        return 0
    run = Run(arguments.minutes)
    for name, (section, is_there, says) in SECTIONS.items():
        if arguments.sections and name not in arguments.sections:
            continue
        if not is_there():
            if arguments.sections:
                run.tally.add(0, [f"{name}: nothing in the tree"], 0)
            continue
        run.say(f"{name}: {says}")
        before = run.tally.passed + len(run.tally.failed) + run.tally.skipped
        try:
            section(run)
        except Exception:  # a mistake in a section must not pass for a good run
            run.tally.add(0, [f"{name}: the runner itself failed"], 0)
            run.say(traceback.format_exc())
        if run.tally.passed + len(run.tally.failed) + run.tally.skipped == before:
            run.tally.add(0, [f"{name}: ran no test"], 0)
    if run.tally.failed:
        print("\nFailed:\n" + "\n".join(f"  {name}" for name in run.tally.failed))
    print(f"\n{run.tally.closing_line()}")
    return 1 if run.tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
