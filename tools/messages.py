#!/usr/bin/env python3
"""Collects the messages of the program and keeps the catalogues in step with them.

    messages.py            writes po/cronista.pot and merges it into po/*.po; says what is not translated
    messages.py --check    changes nothing; fails when a message lacks a translation, or a translation a placeholder

Messages are what stands in N_("..."), T(language, "...") and TN(language, "one", "many", n) in C, in {{#t}} and {{#tn n}}
of the templates, and the labels, helps and groups of modules/*.json. Two N_() side by side that both begin with {0} are
the singular and the plural of one message. English is the language of the messages themselves.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSLATED = ("es", "pl", "ro")
LANGUAGES = ("en",) + TRANSLATED
PLURALS = {
    "en": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
    "ro": "nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2);",
}
HEADER = """msgid ""
msgstr ""
"Project-Id-Version: Cronista\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"
"""


class Messages:
    """msgid -> (msgid_plural or "", files it stands in), in the order they were met."""

    def __init__(self):
        self.all = {}

    def add(self, where, text, plural=""):
        if not text:
            sys.exit(f"{where}: an empty message")
        old = self.all.setdefault(text, [plural, []])
        if plural and old[0] and old[0] != plural:
            sys.exit(f"{where}: two plurals for {text!r}")
        old[0] = old[0] or plural
        if where not in old[1]:
            old[1].append(where)


# ---------------------------------------------------------------- sources

C_CALL = re.compile(r"\b(N_|TN|T)\(")
C_SECOND = re.compile(r'\)\s*,\s*N_\((?=\s*"\{0\})')
C_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.S)
C_LITERAL = re.compile(r'\s*"((?:\\.|[^"\\])*)"')
C_ESCAPE = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'", "0": "\0", "r": "\r"}


def c_literals(source, at):
    """One text of adjacent literals, or None; and where it ends."""
    parts = []
    while match := C_LITERAL.match(source, at):
        parts.append(re.sub(r"\\(.)", lambda m: C_ESCAPE.get(m[1], m[1]), match[1]))
        at = match.end()
    return ("".join(parts), at) if parts else (None, at)


def c_argument_end(source, at):
    """The comma or bracket that ends the argument that begins at `at`."""
    depth = 0
    while at < len(source):
        char = source[at]
        if char == '"':
            at = C_LITERAL.match(source, at).end() - 1
        elif char in "([{":
            depth += 1
        elif char in ")]}" and depth:
            depth -= 1
        elif char in ",)" and not depth:
            return at
        at += 1
    return at


def from_c(messages, path, where):
    source = C_COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else " ", path.read_text())
    taken = set()
    for call in C_CALL.finditer(source):
        if source[source.rfind("\n", 0, call.start()) + 1 : call.start()].lstrip().startswith("#define"):
            continue
        at = call.end()
        if call[1] != "N_":
            at = c_argument_end(source, at) + 1
        one, at = c_literals(source, at)
        if one is None:
            continue  # a variable: its text is marked where it stands as a literal
        if call[1] == "TN":
            many, _ = c_literals(source, source.index(",", at) + 1)
            messages.add(where, one, many or "")
        elif call.start() in taken:
            continue
        elif call[1] == "N_" and one.startswith("{0}") and (second := C_SECOND.match(source, at)):
            many, _ = c_literals(source, second.end())
            taken.add(second.end() - len("N_("))
            messages.add(where, one, many)
        else:
            messages.add(where, one)


TEMPLATE_MESSAGE = re.compile(r"\{\{#t\}\}(.*?)\{\{/t\}\}|\{\{#tn\s+[^}]+\}\}(.*?)\{\{/tn\}\}", re.S)


def from_template(messages, path, where):
    for match in TEMPLATE_MESSAGE.finditer(path.read_text()):
        text = re.sub(r"[ \t\r\n]+", " ", match[1] if match[1] is not None else match[2]).strip()
        if match[1] is not None:
            messages.add(where, text)
        else:
            one, many = (part.strip() for part in re.split(r"\|(?![^{]*\}\})", text, maxsplit=1))
            messages.add(where, one, many)


def from_module(messages, path, where):
    def visit(node):
        if isinstance(node, list):
            for child in node:
                visit(child)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("label", "label_one", "help", "group") and isinstance(value, str) and value:
                    messages.add(where, value)
                else:
                    visit(value)

    visit(json.loads(path.read_text()))


def collect():
    messages = Messages()
    for folder, pattern, take in (
        ("modules", "*.json", from_module),
        ("ui/templates", "*.mustache", from_template),
        ("src", "**/*.[ch]", from_c),
    ):
        for path in sorted((ROOT / folder).glob(pattern)):
            take(messages, path, str(path.relative_to(ROOT)))
    return messages.all


# ---------------------------------------------------------------- catalogues


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def write_template(messages):
    lines = [HEADER.format(language="", plurals="nplurals=INTEGER; plural=EXPRESSION;")]
    for text, (plural, files) in messages.items():
        entry = "".join(f"#: {name}\n" for name in files) + f"msgid {quoted(text)}\n"
        if plural:
            entry += f'msgid_plural {quoted(plural)}\nmsgstr[0] ""\nmsgstr[1] ""\n'
        else:
            entry += 'msgstr ""\n'
        lines.append(entry)
    (ROOT / "po/cronista.pot").write_text("\n".join(lines))


def read_catalogue(path):
    """msgid -> list of its forms; what is obsolete or fuzzy does not count."""
    found = {}
    for block in re.split(r"\n{2,}", path.read_text()):
        if re.search(r"^#~|^#,.*fuzzy", block, re.M):
            continue
        entry, key = {}, None
        for line in block.split("\n"):
            if match := re.match(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")$', line):
                key = match[1]
                entry[key] = json.loads(match[2])
            elif line.startswith('"') and key:
                entry[key] += json.loads(line)
        if entry.get("msgid"):
            found[entry["msgid"]] = [value for name, value in entry.items() if name.startswith("msgstr")]
    return found


def update(messages):
    write_template(messages)
    template = ROOT / "po/cronista.pot"
    for language in LANGUAGES:
        path = ROOT / f"po/{language}.po"
        if not path.exists():
            path.write_text(HEADER.format(language=language, plurals=PLURALS[language]))
        command = ["msgmerge", "--quiet", "--update", "--backup=none", "--no-fuzzy-matching", "--no-wrap", str(path), str(template)]
        subprocess.run(command, check=True)
        subprocess.run(["msgattrib", "--no-obsolete", "--no-wrap", "-o", str(path), str(path)], check=True)
        if language == "en":
            subprocess.run(["msgen", "--no-wrap", "-o", str(path), str(path)], check=True)


PLACEHOLDER = re.compile(r"\{\{[^}]*\}\}|\{\d\}")


def problems_of(language, messages):
    path = ROOT / f"po/{language}.po"
    known = read_catalogue(path) if path.exists() else {}
    forms = int(re.search(r"nplurals=(\d)", PLURALS[language])[1])
    for text, (plural, files) in messages.items():
        found = known.get(text, [])
        wanted = forms if plural else 1
        if len(found) < wanted or not all(found):
            yield f"po/{language}.po: not translated: {text!r} ({files[0]})"
            continue
        allowed = {tuple(sorted(PLACEHOLDER.findall(text))), tuple(sorted(PLACEHOLDER.findall(plural or text)))}
        for form in found:
            if tuple(sorted(PLACEHOLDER.findall(form))) not in allowed:
                yield f"po/{language}.po: other placeholders: {text!r} became {form!r}"
            elif form[0].isspace() != text[0].isspace() or form[-1].isspace() != text[-1].isspace():
                yield f"po/{language}.po: other blanks around it: {text!r} became {form!r}"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    messages = collect()
    if not check:
        update(messages)
    problems = [problem for language in TRANSLATED for problem in problems_of(language, messages)]
    for problem in problems:
        print(problem)
    print(f"{len(messages)} messages, {len(problems)} problems")
    sys.exit(1 if problems and check else 0)


main()
