#!/usr/bin/env python3
"""Compresses a file for the web, the same way every time: compress.py IN OUT.gz"""
import gzip
import sys

with open(sys.argv[1], "rb") as opened:
    content = opened.read()
with open(sys.argv[2], "wb") as opened:
    opened.write(gzip.compress(content, 9, mtime=0))
