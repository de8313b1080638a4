#!/usr/bin/env python3
"""codespell over what is English in the project: documents, scripts, of C the comments and messages, of JavaScript the
comments.

Words of other languages stand in po/, in samples and in tables of C; words that codespell is wrong about in
tools/spelling.txt.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from check_files import BINARY, tracked

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("po/", "LICENSE", "fuzz/corpus/", "tests/golden/", "tests/data/", "ui/dev/", "src/cli/demo", "tests/cli/", "tools/spelling.txt")
SUFFIXES_LEFT_OUT = BINARY | {".csv", ".svg", ".dict", ".po", ".pot", ".supp"}
CODE = {".c", ".h", ".cc", ".js", ".mjs"}
ENGLISH_OF_C = re.compile(r'//[^\n]*|/\*.*?\*/|\b(?:N_|T|TN)\([^"]*(?:"(?:\\.|[^"\\])*"\s*)+|"(?:\\.|[^"\\\n])*"', re.S)


def english_of_c(text):
    """The text with all but comments and messages made blank, lines kept."""
    kept, at = [], 0
    for match in ENGLISH_OF_C.finditer(text):
        kept.append(re.sub(r"[^\n]", " ", text[at:match.start()]))
        kept.append(re.sub(r"[^\n]", " ", match[0]) if match[0].startswith('"') else match[0])
        at = match.end()
    kept.append(re.sub(r"[^\n]", " ", text[at:]))
    return "".join(kept)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in tracked(ROOT):
            path = ROOT / name
            if name.startswith(LEFT_OUT) or path.suffix in SUFFIXES_LEFT_OUT or path.name == "package-lock.json":
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            copy = Path(folder) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(english_of_c(text) if path.suffix in CODE else text, encoding="utf-8")
        done = subprocess.run(["codespell", "--ignore-words", ROOT / "tools/spelling.txt", "."], cwd=folder,
                              capture_output=True, text=True, check=False)
    found = [line.removeprefix("./") for line in (done.stdout + done.stderr).splitlines()]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
