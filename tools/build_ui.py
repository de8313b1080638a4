#!/usr/bin/env python3
"""Builds style, script, icons and fonts with the tools of ui/, and notes what they were made from.

    build_ui.py NODE UI_FOLDER OUT_FOLDER DEPFILE OUTPUT
"""
import subprocess
import sys
from pathlib import Path


def main():
    node, ui, out, depfile, output = sys.argv[1:]
    subprocess.run([node, str(Path(ui) / "build.mjs"), out, str(Path(out) / "ui_packages")], check=True)
    seen = [path for path in Path(ui).rglob("*") if "node_modules" not in path.parts and "templates" not in path.parts]
    seen += [Path(ui) / "templates", *(Path(ui) / "templates").iterdir()]
    seen += Path(ui).parent.joinpath("modules").glob("*.json")
    inputs = " ".join(str(path).replace(" ", "\\ ") for path in sorted(seen))
    Path(depfile).write_text(f"{output}: {inputs}\n")


main()
