#!/usr/bin/env python3
"""Looks at every file of the project for what no compiler says:

    files and functions that grew too long (tools/size_exceptions.txt: a list that only shrinks),
    unescaped {{{x}}} and {{&x}} in templates (tools/unescaped_allowed.txt),
    white space at the ends of lines, CR LF, a missing last line end, bytes that are no UTF-8,
    paths of one machine, lock files that name a registry's host,
    documents that name a function or a file that is not there.

    check_files.py [ROOT]

Prints a line per finding and exits with 1 when there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

FILE_LINES = 1000     # of C, templates, scripts
FUNCTION_LINES = 100  # of C, from its name to its closing brace

SIZED = {".c", ".cc", ".h", ".py", ".js", ".mjs", ".css", ".mustache", ".sh", ".sql", ".build"}
BINARY = {".png", ".ico", ".woff2", ".xlsx", ".zip", ".gz", ".mo", ".bin", ".db", ".jpg", ".webp", ".pdf"}
# Bytes on purpose: inputs of fuzzers and files of tests that must stay as they are.
AS_THEY_ARE = ("fuzz/corpus/", "tests/golden/", "tests/data/")
MACHINE_PATH = re.compile(r"(?<![\w.~/$}:-])/(?:home|root|Users)/\w[\w.-]*")
UNESCAPED = re.compile(r"\{\{\{\s*([^}\s]+)\s*\}\}\}|\{\{&\s*([^}\s]+)\s*\}\}")
FUNCTION = re.compile(r"^(?!typedef|struct \w+ \{|enum|union|static const|#|//|\}| )[^;={}]*?(\w+)\([^;{}]*\)\s*\{$", re.M)


def rows(path):
    """The lines of an exception list without comments, split at blanks."""
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        line = line.split("#")[0].split()
        if line:
            yield line


def tracked(root):
    """Files of the project: what git knows or would add. Without git, all but build folders."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    if listing.returncode == 0:
        names = [n.decode() for n in listing.stdout.split(b"\0") if n]
    else:
        names = [p.relative_to(root).as_posix() for p in root.rglob("*")
                 if not any(part.startswith((".git", "build")) or part == "node_modules" for part in p.parts)]
    return sorted({n for n in names if (root / n).is_file() and not (root / n).is_symlink()})


def functions(text):
    """(name, lines) of each function of a C file written in the house style: it ends with a brace at the margin."""
    for match in FUNCTION.finditer(text):
        end = text.find("\n}", match.end())
        if end >= 0:
            name_at = match.start(1)
            yield match[1], text.count("\n", name_at, end) + 2


def check_sizes(root, names):
    allowed = {row[0]: int(row[1]) for row in rows(root / "tools/size_exceptions.txt")}
    sizes = {}
    for name in names:
        path = root / name
        if path.suffix not in SIZED or name.startswith(AS_THEY_ARE):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        sizes[name] = (text.count("\n"), FILE_LINES)
        if path.suffix in (".c", ".cc"):
            for function, lines in functions(text):
                sizes[f"{name}:{function}"] = (lines, FUNCTION_LINES)
    for what, (lines, limit) in sizes.items():
        most = allowed.get(what, limit)
        if lines > most:
            yield f"{what}: {lines} lines, at most {most}"
    for what, most in allowed.items():
        lines, limit = sizes.get(what, (0, 0))
        if lines <= limit:
            yield f"tools/size_exceptions.txt: {what} needs no exception any more"
        elif lines < most:
            yield f"tools/size_exceptions.txt: {what} has shrunk to {lines} lines; write that"


def check_templates(root, names):
    allowed = {(row[0], row[1]) for row in rows(root / "tools/unescaped_allowed.txt")}
    seen = set()
    for name in names:
        if not name.startswith("ui/templates/"):
            continue
        text = (root / name).read_text(encoding="utf-8")
        for match in UNESCAPED.finditer(text):
            variable = match[1] or match[2]
            seen.add((name, variable))
            if (name, variable) not in allowed:
                yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {variable} goes out unescaped"
    for name, variable in sorted(allowed - seen):
        yield f"tools/unescaped_allowed.txt: {name} has no unescaped {variable}"


def check_text(root, names):
    for name in names:
        if Path(name).suffix in BINARY or name.startswith(AS_THEY_ARE):
            continue
        data = (root / name).read_bytes()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as wrong:
            yield f"{name}: no UTF-8 at byte {wrong.start}"
            continue
        if name == "LICENSE":
            continue
        if "\r" in text:
            yield f"{name}: has CR line ends"
        if text and not text.endswith("\n") and not name.endswith(".mustache"):  # parts of a line need none
            yield f"{name}: no line end at the end"
        if text.endswith("\n\n"):
            yield f"{name}: blank lines at the end"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() and not (name.endswith(".md") and line.endswith("  ")):
                yield f"{name}:{number}: white space at the end"


def check_hosts_and_paths(root, names):
    here = [str(root)]
    if len(root.parts) > 3 or root.parent.name not in ("", "tmp", "home", "src", "opt"):
        here.append(f"{root.parent}/")
    for name in names:
        path = root / name
        if path.suffix in BINARY or name.startswith(AS_THEY_ARE) or name == "tools/check_files.py":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.name == "package-lock.json":
            if '"resolved"' in text:
                yield f"{name}: names hosts (\"resolved\"); npm config set omit-lockfile-registry-resolved true"
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if MACHINE_PATH.search(line) or any(h in line for h in here):
                yield f"{name}:{number}: a path of one machine"


NAMED = re.compile(r"`([^`\n]+)`")
NAMED_PATH = re.compile(r"(?:src|ui|tools|tests|modules|sql|po|docs|packaging|fuzz|bench)/[\w./*-]*")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def check_documents(root, names):
    """What documents name in backquotes: `function()` stands in src/, `folder/file` and linked files exist."""
    source = "\n".join((root / n).read_text(encoding="utf-8", errors="replace") for n in names
                       if n.startswith("src/") and n.endswith((".c", ".h", ".cc")))
    for name in names:
        if not name.endswith(".md"):
            continue
        text = (root / name).read_text(encoding="utf-8")
        for match in LINK.finditer(text):
            if not (root / name).parent.joinpath(match[1]).exists():
                yield f"{name}: links to {match[1]}, which is not there"
        for match in NAMED.finditer(text):
            what = match[1]
            where = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
            function = re.fullmatch(r"(\w+)\(\)", what)
            if function and not re.search(rf"\b{function[1]}\(", source):
                yield f"{where}: there is no {what}"
            elif NAMED_PATH.fullmatch(what) and not any(ch.isupper() for ch in what.split("/")[-1].split(".")[0]):
                if not (any(root.glob(what)) if "*" in what else (root / what).exists()):
                    yield f"{where}: there is no {what}"


def findings(root):
    names = tracked(root)
    for check in (check_sizes, check_documents, check_templates, check_text, check_hosts_and_paths):
        yield from check(root, names)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = list(findings(root))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
