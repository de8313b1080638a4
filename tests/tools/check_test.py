"""The checks of tools/ find what they are for, and leave good files alone."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import check_files  # noqa: E402
import check_layers  # noqa: E402
import check_spelling  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


class Layers(Tree):
    def found(self, name, text):
        self.write(name, text)
        return list(check_layers.findings(self.root))

    def assert_found(self, part, name, text):
        found = self.found(name, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])
        self.assertTrue(found[0].startswith(f"{name}:"), found[0])

    def test_good_file(self):
        self.assertEqual(self.found("src/records/a.c", '#include <stdio.h>\n#include "base/buf.h"\n'
                                    '#include "records/a.h"\n#include "model/m.h"\n// strcpy(\nchar *s = "atoi(";\n'), [])

    def test_higher_folder(self):
        self.assert_found("history may not use records", "src/history/a.c", '#include "records/records.h"\n')

    def test_neighbour(self):
        self.assert_found("web may not use jobs", "src/web/a.c", '\n#include "jobs/mail.h"\n')

    def test_base_knows_nobody(self):
        self.assert_found("base may not use formats", "src/base/a.h", '#include "formats/json.h"\n')

    def test_private_header(self):
        self.assert_found("private to formats", "src/records/a.c", '#include "formats/mustache_private.h"\n')

    def test_include_without_folder(self):
        self.assert_found('written "folder/file.h"', "src/web/a.c", '#include "http.h"\n')

    def test_main_uses_all(self):
        self.assertEqual(self.found("src/main.c", '#include "cli/cli.h"\n#include "web/http.h"\n'), [])

    def test_unnumbered_folder(self):
        self.assertIn("no number", self.found("src/extra/a.c", "")[0])

    def test_library_in_a_second_file(self):
        self.assert_found("only store/store_sqlite.h", "src/records/a.c", "#include <sqlite3.h>\n")

    def test_unknown_library(self):
        self.assert_found("no known library", "src/web/a.c", "#include <openssl/ssl.h>\n")

    def test_banned_function(self):
        self.assert_found("sprintf() is banned", "src/web/a.c", 'void f(char *p) {\n    sprintf(p, "x");\n}\n')

    def test_banned_function_in_tests(self):
        self.assert_found("atoi() is banned", "tests/unit/a_test.c", "int i = atoi(x);\n")

    def test_names_that_only_look_banned(self):
        self.assertEqual(self.found("src/base/a.c", "int i = s->random(1) + my_atoi(x) + crypto_random(y);\n"), [])

    def test_printing_library(self):
        self.assert_found("neither logs nor prints", "src/model/a.c", 'void f(void) {\n    printf("x");\n}\n')

    def test_printing_program(self):
        self.assertEqual(self.found("src/cli/a.c", 'void f(void) {\n    printf("x");\n}\n'), [])

    def test_rows_of_the_table_that_are_no_longer_true(self):
        self.write("src/formats/json.c", "int x;\n")
        found = "\n".join(check_layers.check_unused_rows(self.root))
        self.assertIn("src/formats/json.c does not include it", found)
        self.assertIn("src/formats/fold.c does not exist", found)


class Files(Tree):
    def found(self, **files):
        return list(check_files.findings(self.root))

    def assert_found(self, *parts):
        found = self.found()
        self.assertEqual(len(found), len(parts), found)
        for part, line in zip(parts, found):
            self.assertIn(part, line)

    def function(self, name, lines):
        return f"static int {name}(int a,\n{' ' * 8}int b) {{\n" + "    a += b;\n" * (lines - 3) + "}\n"

    def test_good_files(self):
        self.write("src/a.c", self.function("f", 100) + "\n" + self.function("g", 5))
        self.write("ui/templates/a.mustache", "<p>{{name}}</p>\n")
        self.assert_found()

    def test_long_function(self):
        self.write("src/a.c", self.function("f", 101))
        self.assert_found("src/a.c:f: 101 lines")

    def test_long_file(self):
        self.write("src/a.c", "int x;\n" * 1001)
        self.assert_found("src/a.c: 1001 lines")

    def test_exception_holds_only_its_size(self):
        self.write("src/a.c", self.function("f", 130))
        self.write("tools/size_exceptions.txt", "src/a.c:f 130  # a table\n")
        self.assert_found()
        self.write("src/a.c", self.function("f", 131))
        self.assert_found("at most 130")

    def test_exceptions_shrink(self):
        self.write("src/a.c", self.function("f", 120))
        self.write("tools/size_exceptions.txt", "src/a.c:f 130\n")
        self.assert_found("has shrunk to 120")
        self.write("src/a.c", self.function("f", 20))
        self.assert_found("needs no exception")

    def test_unescaped(self):
        self.write("ui/templates/a.mustache", "<p>{{{name}}} {{& text }}</p>\n")
        self.assert_found("name goes out unescaped", "text goes out unescaped")

    def test_unescaped_but_allowed(self):
        self.write("ui/templates/a.mustache", "<p>{{{name}}}</p>\n")
        self.write("tools/unescaped_allowed.txt", "ui/templates/a.mustache name  # made here\n")
        self.assert_found()
        self.write("ui/templates/a.mustache", "<p>{{name}}</p>\n")
        self.assert_found("has no unescaped name")

    def test_white_space(self):
        self.write("a.txt", "one \ntwo\r\nthree")
        self.assert_found("CR line ends", "no line end at the end", "a.txt:1: white space", "a.txt:2: white space")

    def test_not_utf8(self):
        self.write("a.txt", b"caf\xe9\n")
        self.assert_found("no UTF-8 at byte 3")

    def test_machine_paths(self):
        self.write("a.txt", "see /" + "home/ann/cronista and {{base}}/" + "home/x\n")
        self.assert_found("a.txt:1: a path of one machine")

    def test_own_path(self):
        self.write("a.txt", f"see {self.root}/b\n")
        self.assert_found("a.txt:1: a path of one machine")

    def test_hosts_in_lock_files(self):
        self.write("ui/package-lock.json", '{"resolved": "https://registry.example/x.tgz"}\n')
        self.assert_found("names hosts")

    def test_documents_name_what_is_there(self):
        self.write("src/a.h", "int a_make(int);\n")
        self.write("A.md", "`a_make()` in `src/a.h`, see [this](src/a.h); `tests/NAME_test.c` and `other_thing` are free\n")
        self.assert_found()
        self.write("A.md", "`a_unmake()` in `src/b.h`,\nsee [this](src/c.h)\n")
        self.assert_found("links to src/c.h", "A.md:1: there is no a_unmake()", "A.md:1: there is no src/b.h")


class Spelling(unittest.TestCase):
    def test_comments_and_messages_of_c(self):
        text = 'f(N_("a message"), "una tarde"); // a comment\nchar *s = "// no comment";\n/* two\nlines */\n'
        english = check_spelling.english_of_c(text)
        self.assertEqual(len(english), len(text))
        self.assertEqual(english.split(), ["N_(\"a", "message\"", "//", "a", "comment", "/*", "two", "lines", "*/"])
