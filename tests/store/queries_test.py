#!/usr/bin/env python3
"""tools/queries.py refuses what must not be built, and builds the rest."""

import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "queries.py"

# What the files hold -> what the tool must say ("" when it must succeed).
CASES = [
    ({"a.sql": "-- Of a.\n-- name: one\nSELECT 1;\n-- name: two\nSELECT $2, ';--' -- ; $3\nFROM x /* ; */ WHERE $1;"}, ""),
    ({"a.sql": "-- name: one (sqlite)\nSELECT 1;\n-- name: one (postgres)\nSELECT 2;"}, ""),
    ({"a.sql": "-- name: one\nSELECT 1;", "b.sql": "-- name: one\nSELECT 2;"}, "a second one"),
    ({"a.sql": "-- name: one\nSELECT 1;\n-- name: one (sqlite)\nSELECT 2;"}, "a second one"),
    ({"a.sql": "-- name: one (postgres)\nSELECT 1;"}, "no text for sqlite"),
    ({"a.sql": "-- name: one (mysql)\nSELECT 1;"}, "unknown database mysql"),
    ({"a.sql": "-- name: One\nSELECT 1;"}, "not lower case"),
    ({"a.sql": "-- name: one\nSELECT 1; SELECT 2;"}, "more than one statement"),
    ({"a.sql": "-- name: one\n-- nothing\n"}, "no statement"),
    ({"a.sql": "-- name: one\nSELECT $1, $3;"}, "not $1 to $3"),
    ({"a.sql": "-- name: one\nSELECT 1::int;"}, "use CAST"),
    ({"a.sql": "SELECT 1;"}, "text before the first name"),
    ({"a.sql": "-- name: one\nSELECT 1;\n--  name : two\nSELECT 2;"}, "not a name line"),
    ({"a.sql": "-- name: one (sqlite)\nSELECT $1;\n-- name: one (postgres)\nSELECT 1;"}, "differ in parameters"),
    ({"../migrations/sqlite/0002_b.sql": "SELECT 1;"}, "without a gap"),
    ({"../migrations/sqlite/1_b.sql": "SELECT 1;"}, "not NNNN_name.sql"),
    ({"../migrations/sqlite/0001_a.sql": "SELECT 'a\\b\"c';"}, ""),
]


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        sql, out = Path(folder) / "sql", Path(folder) / "out"
        (sql / "queries").mkdir(parents=True)
        (sql / "migrations" / "sqlite").mkdir(parents=True)
        out.mkdir()
        (sql / "search.sql").write_text("CREATE TABLE s (id INTEGER);")
        (sql / "rights.sql").write_text("GRANT SELECT ON s TO r;")
        for name, text in files.items():
            (sql / "queries" / name).write_text(text)
        command = [sys.executable, str(TOOL), str(sql), str(out), "queries.h"]
        done = subprocess.run(command, capture_output=True, text=True)
        built = {p.name: p.read_text() for p in out.iterdir()}
        return done.returncode, done.stderr, built


def main():
    failed = 0
    for files, says in CASES:
        code, text, built = run(files)
        good = (code == 0 and "QUERY_COUNT" in built["queries.h"]) if not says else (code != 0 and says in text)
        if not good:
            failed += 1
            print(f"FAILED: {files}: wanted {says!r}, got {code} {text!r}")
    _, _, built = run(CASES[0][0])
    if "$2, ';--'" not in built["queries.c"] or "QUERY_TWO" not in built["queries.h"] or "$3" in built["queries.c"]:
        failed += 1
        print("FAILED: the text of a statement is kept, its comments are not")
    if "queries/a.sql" not in built["queries.d"] or built["queries.d"].count("/queries ") != 1:
        failed += 1
        print("FAILED: the depfile names the files and their folder")
    print(f"{len(CASES) + 2 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
