#!/usr/bin/env python3
"""clang-tidy over the C files of src/ that are compiled, as many at once as there are processors.

    tidy.py BUILD_DIRECTORY [FILE...]

A file that passed is not looked at again as long as it, what it includes, and .clang-tidy stay the same: the digests are
kept in ~/.cache/cronista/tidy (or XDG_CACHE_HOME), so that a fresh clone has them, too. Prints findings and exits with 1 when there are any.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cronista" / "tidy"
ALWAYS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]
# error.c defines the function that analyzer.h describes.
DESCRIBED = ["--extra-arg=-include", f"--extra-arg={ROOT / 'tools/analyzer.h'}"]
NOT_DESCRIBED = {"src/base/error.c"}


def compiled(build):
    """(path, directory, arguments) of each."""
    for one in json.loads((build / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(one["directory"], one["file"]), ROOT)
        if path.startswith("src/") and path.endswith(".c"):
            yield path, one["directory"], shlex.split(one["command"])


def digest(path, directory, arguments, rules):
    """Of all that clang-tidy will see; None when it does not even preprocess."""
    command, rest = ["-E"], iter(arguments[1:])
    for argument in rest:
        if argument in ("-o", "-MF", "-MQ"):
            next(rest)
        elif argument not in ("-c", "-MD"):
            command.append(argument)
    done = subprocess.run([arguments[0], *command], cwd=directory, capture_output=True, check=False)
    if done.returncode != 0:
        return None
    # With line marks and comments left out nothing of NOLINT would be seen: the file itself counts too.
    return hashlib.sha256(rules + done.stdout + (ROOT / path).read_bytes()).hexdigest()


def look(build, rules, path, directory, arguments):
    key = digest(path, directory, arguments, rules)
    passed = PASSED / (key or "none")
    if key and passed.exists():
        return ""
    extra = [] if path in NOT_DESCRIBED else DESCRIBED
    done = subprocess.run(["clang-tidy", "-p", build, *ALWAYS, *extra, path], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        if key:
            passed.touch()
        return ""
    return done.stdout.replace(f"{ROOT}/", "").replace(f"{build.name}/../", "") or done.stderr


def main():
    build = (ROOT / sys.argv[1]).resolve()
    PASSED.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    rules = version + (ROOT / ".clang-tidy").read_bytes() + (ROOT / "tools/analyzer.h").read_bytes()
    files = [one for one in compiled(build) if len(sys.argv) == 2 or one[0] in sys.argv[2:]]
    if not files:
        sys.exit("tidy.py: nothing to look at")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = list(pool.map(lambda one: look(build, rules, *one), files))
    print("".join(findings), end="")
    return 1 if any(findings) else 0


if __name__ == "__main__":
    sys.exit(main())
