#!/usr/bin/env python3
"""Holds the C sources to the layout: who includes whom, which file may know which library, which functions nobody calls.

    check_layers.py [ROOT]

Prints a line per finding and exits with 1 when there is one.
"""

import re
import sys
from pathlib import Path

# A folder of src/ uses itself and folders with a smaller number.
RANKS = {
    "base": 0,
    "formats": 1, "store": 1,
    "history": 2, "model": 2,
    "records": 3,
    "actions": 4,
    "web": 5, "jobs": 5,
    "cli": 6,  # its subcommands start the server and the jobs
}
TOP = 7  # src/main.c

# Prefix of a library's headers -> the files of src/ that may include them. One library, one file (and its private
# header): changing a library is changing a file.
LIBRARIES = {
    "nettle/": ["base/hash.c", "base/hash.h"],
    "sodium.h": ["base/crypto.c"],
    "glib": ["base/zone.c"],
    "jansson.h": ["formats/json.c"],
    "gnutls/": ["formats/jwt.c"],
    "qrencode.h": ["formats/qr.c"],
    "utf8proc.h": ["formats/fold.c"],
    "expat.h": ["formats/xml.c"],
    "zlib.h": ["formats/gunzip.c"],
    "zip.h": ["formats/xlsx_package.c"],
    "xlsxwriter.h": ["formats/xlsx_write.c"],
    "phonenumbers/": ["formats/phone.cc"],
    "sqlite3.h": ["store/store_sqlite.h"],  # private to store/
    "libpq-fe.h": ["store/store_postgres.h"],  # the same
    "magic.h": ["records/media.c"],
    "archive.h": ["records/unpack.c"],
    "archive_entry.h": ["records/unpack.c"],
    "microhttpd.h": ["web/http.c"],
    "curl/": ["web/fetch.c"],
}

SYSTEM_HEADERS = set("""
    assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h limits.h locale.h math.h setjmp.h signal.h
    stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h
    tgmath.h threads.h time.h uchar.h wchar.h wctype.h
    dirent.h dlfcn.h endian.h err.h fcntl.h fnmatch.h ftw.h getopt.h glob.h iconv.h ifaddrs.h langinfo.h libgen.h
    netdb.h poll.h pthread.h pwd.h grp.h regex.h sched.h semaphore.h spawn.h syslog.h termios.h unistd.h
    sysexits.h
    arpa/inet.h net/if.h netinet/in.h netinet/tcp.h
    sys/auxv.h sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h
    sys/select.h sys/sendfile.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/sysinfo.h
    sys/time.h sys/timerfd.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h
    x86intrin.h immintrin.h emmintrin.h
    algorithm cstddef cstdint cstdio cstdlib cstring exception memory mutex new stdexcept string string_view utility vector
""".split())

# Never called, with what to use in their place.
BANNED = {
    "strcpy": "struct buf or memcpy with a length", "strcat": "struct buf", "strncpy": "memcpy with a length",
    "strncat": "struct buf", "sprintf": "buf_printf or snprintf", "vsprintf": "buf_printf or vsnprintf",
    "strtok": "str_cut", "gets": "fgets", "gmtime": "civil_from_micros", "localtime": "zone_civil",
    "mktime": "civil_to_micros", "atoi": "str_int", "atol": "str_int", "atoll": "str_int", "atof": "decimal_parse",
    "rand": "crypto_random", "srand": "crypto_random", "random": "crypto_random", "system": "posix_spawn",
    "popen": "posix_spawn", "mktemp": "mkstemp", "tmpnam": "mkstemp", "tempnam": "mkstemp",
    "asctime": "clock_text", "ctime": "clock_text", "inet_ntoa": "inet_ntop", "gethostbyname": "getaddrinfo", "alloca": "struct arena",
    "setlocale": "struct catalogue: a server speaks many languages at once",
}

# Headers that only their own folder includes.
PRIVATE = {"store/store_sqlite.h", "store/store_postgres.h", "store/store_ops.h", "store/texts.h"}  # and all NAME_private.h and internal.h

# Libraries never log or print: only web, jobs, cli and main.c do.
PRINTING = ("printf", "puts", "putchar", "perror", "log_line", "log_debug", "log_info", "log_warning", "log_error")

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
CALL = re.compile(r"(?<![\w.>])([a-z_]\w*)\s*\(")


def blank(text, strings=True):
    """The text with comments (and the insides of literals) made blank, lines kept."""
    def cover(match):
        if match[0][0] in "\"'" and not strings:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return TOKEN.sub(cover, text)


def sources(root, *folders):
    for folder in folders:
        top = root / folder
        if top.is_dir():
            yield from sorted(p for p in top.rglob("*") if p.suffix in (".c", ".h", ".cc") and p.is_file())


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_include(name, own_folder, own, is_test):
    """What is wrong with #include "name" in file `own` (relative to src/), or None."""
    folder = name.split("/")[0] if "/" in name else None
    if is_test:
        return None
    if folder is None and re.fullmatch(r"embedded_\w+\.h", name):
        return None  # written by tools/embed.py into the build directory
    if folder is None:
        return f'"{name}": includes are written "folder/file.h"'
    if folder not in RANKS:
        return f'"{name}": there is no folder {folder}'
    if own_folder != folder and RANKS[folder] >= RANKS.get(own_folder, TOP):
        return f"{own_folder} may not use {folder} ({name})"
    if own_folder != folder and (name in PRIVATE or name.endswith(("_private.h", "/internal.h"))):
        return f"{name} is private to {folder}"
    return None


def check_library(name, own):
    for prefix, files in LIBRARIES.items():
        if name.startswith(prefix):
            return None if own in files else f"<{name}>: only {' and '.join(files)} may include it"
    if name not in SYSTEM_HEADERS:
        return f"<{name}>: no known library; name its one file in tools/check_layers.py"
    return None


def check_file(root, path, is_test):
    text = path.read_text(encoding="utf-8")
    where = path.relative_to(root).as_posix()
    own = path.relative_to(root / "src").as_posix() if not is_test else where
    own_folder = own.split("/")[0] if "/" in own else ""
    for match in INCLUDE.finditer(blank(text, strings=False)):
        wrong = (check_include(match[2], own_folder, own, is_test) if match[1] == '"'
                 else None if is_test else check_library(match[2], own))
        if wrong:
            yield f"{where}:{line_of(text, match.start())}: {wrong}"
    bare = blank(text)
    quiet = not is_test and RANKS.get(own_folder, TOP) < 5 and own not in ("base/log.c", "base/error.c")
    for match in CALL.finditer(bare):
        name = match[1]
        if name in BANNED:
            yield f"{where}:{line_of(bare, match.start())}: {name}() is banned; use {BANNED[name]}"
        elif quiet and name in PRINTING and own != "base/log.h":
            yield f"{where}:{line_of(bare, match.start())}: {name}(): a library neither logs nor prints"


def check_unused_rows(root):
    """Rows of LIBRARIES whose file has gone or no longer includes the library."""
    for prefix, files in LIBRARIES.items():
        for name in files:
            path = root / "src" / name
            if not path.is_file():
                yield f"tools/check_layers.py: {prefix}: src/{name} does not exist"
            elif not any(m[1] == "<" and m[2].startswith(prefix) for m in INCLUDE.finditer(path.read_text())):
                yield f"tools/check_layers.py: {prefix}: src/{name} does not include it"


def findings(root):
    for path in sources(root, "src"):
        top = path.relative_to(root / "src").parts[0]
        if path.parent != root / "src" and top not in RANKS:
            yield f"{path.relative_to(root)}: src/{top} has no number in tools/check_layers.py"
            continue
        yield from check_file(root, path, is_test=False)
    for path in sources(root, "tests", "fuzz", "bench"):
        if "node_modules" not in path.parts:
            yield from check_file(root, path, is_test=True)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = list(findings(root)) + list(check_unused_rows(root))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
