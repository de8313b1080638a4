#!/usr/bin/env python3
"""Turns sql/ into tables of C: the fixed queries, the migrations, the search schema, the rights of a role.

    queries.py SQL_DIRECTORY OUT_DIRECTORY

writes queries.h, queries.c and queries.d (a depfile, so that a new file is seen without any list of them).

A file of sql/queries/ is a row of blocks, each a comment that names it and one statement:

    -- name: events_insert
    INSERT INTO events (position, head) VALUES ($1, $2);

    -- name: tables_count (sqlite)      only for that database; the other one has a block of its own
    -- name: tables_count (postgres)
"""

import re
import sys
from pathlib import Path

DATABASES = ("sqlite", "postgres")
TEXTS = {"store_search_schema": "search.sql", "store_rights": "rights.sql"}
NAME = re.compile(r"^--\s*name:\s*(\S+)(?:\s+\((\w+)\))?\s*$")
TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\d+|::|;|--[^\n]*|/\*.*?\*/", re.S)


class Wrong(Exception):
    pass


def checked(sql, where):
    """The statement without its comments and its last semicolon."""
    sql = TOKEN.sub(lambda m: " " if m[0].startswith(("--", "/*")) else m[0], sql)
    sql = "\n".join(line.rstrip() for line in sql.strip().splitlines() if line.strip())
    sql = sql[:-1].rstrip() if sql.endswith(";") else sql
    tokens = TOKEN.findall(sql)
    if not sql:
        raise Wrong(f"{where}: no statement")
    if ";" in tokens:
        raise Wrong(f"{where}: more than one statement")
    if "::" in tokens:
        raise Wrong(f"{where}: use CAST, not ::")
    numbers = {int(t[1:]) for t in tokens if t[0] == "$"}
    if numbers != set(range(1, len(numbers) + 1)):
        raise Wrong(f"{where}: parameters are not $1 to ${max(numbers)} without a gap")
    return sql, len(numbers)


def read_queries(directory):
    queries = {}  # name -> {database: (text, parameters, where)}
    for path in sorted(directory.glob("*.sql")):
        name, variant, where, lines = None, None, None, []

        def close():
            if name is None:
                return
            entry = queries.setdefault(name, {})
            for database in [variant] if variant else DATABASES:
                if database in entry:
                    raise Wrong(f"{where}: a second {name}; the first is in {entry[database][2]}")
                entry[database] = (*checked("\n".join(lines), where), where)

        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = NAME.match(line)
            if match:
                close()
                name, variant = match[1], match[2]
                where, lines = f"{path}:{number}", []
                if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                    raise Wrong(f"{where}: name {name} is not lower case")
                if variant and variant not in DATABASES:
                    raise Wrong(f"{where}: unknown database {variant}")
            elif name is None:
                if line.strip() and not line.startswith("--"):
                    raise Wrong(f"{path}:{number}: text before the first name")
            else:
                if re.match(r"^--\s*name", line):
                    raise Wrong(f"{path}:{number}: not a name line: {line}")
                lines.append(line)
        close()
    for name, entry in queries.items():
        if len({parameters for _, parameters, _ in entry.values()}) > 1:
            raise Wrong(f"{name}: the databases' texts differ in parameters")
        if "sqlite" not in entry:
            raise Wrong(f"{name}: no text for sqlite")
    return dict(sorted(queries.items()))


def read_migrations(directory):
    found = []
    for path in sorted(directory.glob("*.sql")) if directory.is_dir() else []:
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not match:
            raise Wrong(f"{path}: not NNNN_name.sql")
        found.append((int(match[1]), match[2], path.read_text()))
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise Wrong(f"{directory}: migrations are not 0001, 0002, ... without a gap")
    return found


def literal(text):
    """A C string, a line of SQL a line."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'        "{line}\\n"' for line in text.rstrip("\n").split("\n"))


def write_header(queries):
    out = ["// Made from sql/ by tools/queries.py.", "#ifndef CRONISTA_STORE_QUERIES_H",
           "#define CRONISTA_STORE_QUERIES_H", "", "enum query {"]
    out += [f"    QUERY_{name.upper()}," for name in queries]
    out += ["    QUERY_COUNT", "};", "", "#endif", ""]
    return "\n".join(out)


def write_tables(queries, migrations, texts):
    out = ["// Made from sql/ by tools/queries.py.", '#include "store/queries.h"',
           '#include "store/store_ops.h"', "",
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', "",
           "const struct query_text query_texts[QUERY_COUNT] = {"]
    for name, entry in queries.items():
        out.append(f'    [QUERY_{name.upper()}] = {{.name = "{name}",')
        out.append(f"        .params = {max(p for _, p, _ in entry.values())},")
        for database in DATABASES:
            if database in entry:
                out.append(f"        .text[STORE_{database.upper()}] =")
                out.append(literal(entry[database][0]) + ",")
        out.append("    },")
    out += ["};", ""]
    for database in DATABASES:
        out.append(f"static const struct migration {database}_migrations[] = {{")
        for number, name, text in migrations[database]:
            out.append(f'    {{.number = {number}, .name = "{name}", .text =')
            out.append(literal(text) + "},")
        out += ["    {.number = 0},", "};", ""]
    out.append("const struct migration *const store_migrations[] = {")
    out += [f"    [STORE_{d.upper()}] = {d}_migrations," for d in DATABASES]
    out += ["};", ""]
    for name, text in texts.items():
        out += [f"const char {name}[] =", literal(text) + ";", ""]
    return "\n".join(out)


def main():
    sql, out = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        queries = read_queries(sql / "queries")
        migrations = {d: read_migrations(sql / "migrations" / d) for d in DATABASES}
    except Wrong as wrong:
        sys.exit(f"queries.py: {wrong}")
    (out / "queries.h").write_text(write_header(queries))
    tables = write_tables(queries, migrations, {name: (sql / file).read_text() for name, file in TEXTS.items()})
    (out / "queries.c").write_text(tables)
    # The folders themselves are among the inputs: their time changes when a file comes or goes.
    folders = [sql / "queries"] + [f for d in DATABASES if (f := sql / "migrations" / d).is_dir()]
    inputs = [sql / file for file in TEXTS.values()] + folders + [p for f in folders for p in sorted(f.glob("*.sql"))]
    names = " ".join(str(path).replace(" ", "\\ ") for path in inputs)
    (out / "queries.d").write_text(f"{sys.argv[3]}: {names}\n")


main()
