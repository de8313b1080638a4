#!/usr/bin/env python3
"""Embeds all files of a folder that end in ENDING, under their names there.

    embed_folder.py OUT.c OUT.h NAME FOLDER ENDING DEPFILE

The depfile names the folder too, so that a new file is seen without any list of them.
"""
import subprocess
import sys
from pathlib import Path


def main():
    out_c, out_h, name, folder, ending, depfile = sys.argv[1:]
    files = sorted(path for path in Path(folder).iterdir() if path.name.endswith(ending))
    embed = Path(__file__).with_name("embed.py")
    subprocess.run([sys.executable, str(embed), out_c, out_h, name, folder, *map(str, files)], check=True)
    inputs = " ".join(str(path).replace(" ", "\\ ") for path in [Path(folder), embed, *files])
    Path(depfile).write_text(f"{out_c}: {inputs}\n")


main()
