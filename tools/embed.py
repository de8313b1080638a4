#!/usr/bin/env python3
"""Makes files part of the program.

    embed.py OUT.c OUT.h NAME FOLDER FILE...

writes OUT.c and OUT.h with `const struct embedded_set embedded_NAME` (base/embedded.h): each file under its path inside
FOLDER, or, given as INSIDE=FILE, under the path INSIDE. The assembler takes the bytes from the files themselves
(.incbin), so that megabytes compile at once; the digests in OUT.c make it change, and be compiled, whenever a file does.
"""
import hashlib
import os
import re
import sys

HEADER = """// Written by tools/embed.py.
#ifndef CRONISTA_EMBEDDED_{upper}_H
#define CRONISTA_EMBEDDED_{upper}_H

#include "base/embedded.h"

extern const struct embedded_set embedded_{name};

#endif
"""


def c_string(text):
    return '"' + "".join(
        chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}"
        for b in text.encode("utf-8")) + '"'


def assembler_path(path):
    """The path as it stands between quotes of the assembler, itself inside a C string."""
    if re.search(r'["\\\n]', path):
        sys.exit(f"embed.py: a path that can't be embedded: {path!r}")
    return path


def entries(folder, files):
    found = {}
    for given in files:
        inside, mark, path = given.partition("=")
        if not mark:
            path = given
            inside = os.path.relpath(path, folder).replace(os.sep, "/")
            if inside.startswith("../"):
                sys.exit(f"embed.py: {path} is not in {folder}; name it as INSIDE=FILE")
        if inside in found:
            sys.exit(f"embed.py: {inside} is there twice")
        found[inside] = os.path.abspath(path)
    return sorted(found.items(), key=lambda item: item[0].encode("utf-8"))


def source(name, header, files):
    out = ["// Written by tools/embed.py.", f'#include "{os.path.basename(header)}"', ""]
    rows = []
    for number, (inside, path) in enumerate(files):
        with open(path, "rb") as opened:
            content = opened.read()
        symbol = f"cronista_embedded_{name}_{number}"
        out += [
            f"extern const char {symbol}[];",
            '__asm__(".pushsection .rodata\\n"',
            f'    ".balign 16\\n.globl {symbol}\\n.hidden {symbol}\\n"',
            f'    "{symbol}:\\n"',
            f'    ".incbin \\"{assembler_path(path)}\\"\\n"',
            '    ".byte 0\\n.popsection\\n");',
            "",
        ]
        rows.append(f"    {{{c_string(inside)}, {{{symbol}, {len(content)}}},\n"
                    f'     "{hashlib.sha256(content).hexdigest()}"}},')
    if rows:
        out += ["static const struct embedded files[] = {", *rows, "};", ""]
    out.append(f"const struct embedded_set embedded_{name} = "
               f"{{{'files' if rows else '0'}, {len(rows)}}};")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    out_c, out_h, name, folder, *files = sys.argv[1:]
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        sys.exit(f"embed.py: {name!r} is no name")
    with open(out_c, "w", encoding="utf-8") as opened:
        opened.write(source(name, out_h, entries(folder, files)))
    with open(out_h, "w", encoding="utf-8") as opened:
        opened.write(HEADER.format(name=name, upper=name.upper()))


main()
