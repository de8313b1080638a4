"""What is uploaded is judged by its bytes: programs are refused in every disguise, ordinary files are taken."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import unittest
import zipfile
from urllib.parse import quote

from harness import Story

ELF = open("/bin/true", "rb").read()
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102) + bytes(400)
MACH = struct.pack("<IiiIIII", 0xFEEDFACF, 0x01000007, 3, 2, 0, 0, 0) + bytes(300)
CLASS = b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, 52, 10) + bytes(200)
SHELL = b"#!/bin/sh\nrm -rf ~\n"
PYTHON = b"#!/usr/bin/env python3\nimport os\n"
LINK = bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(200)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
                    "0000000049454e44ae426082")


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


def tarred(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            t.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def old_office(*streams):
    """The beginning of a compound document, with the names of its streams."""
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHH", 0x3E, 3, 0xFFFE) + struct.pack("<HH", 9, 6) + bytes(34)
    return head.ljust(512, b"\0") + b"".join(s.encode("utf-16-le").ljust(128, b"\0") for s in streams) + bytes(1024)


def locked_zip(name, data):
    """A zip that says its only file is encrypted."""
    whole = bytearray(zipped({name: data}, zipfile.ZIP_STORED))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + at] |= 1
    return bytes(whole)


PROGRAMS = {
    "elf": ELF, "pe": PE, "mach-o": MACH, "class": CLASS, "shell": SHELL, "python": PYTHON, "lnk": LINK,
}
WORD = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}


def disguises():
    for what, data in PROGRAMS.items():
        yield f"{what} as a picture", "imagen.png", data
        yield f"{what} in a zip", "imágenes.zip", zipped({"imagen.png": data})
        yield f"{what} in a zip that calls itself a document", "informe.docx", zipped({**WORD, "word/media/image1.png": data})
        yield f"{what} in a tar.gz", "copia.tar.gz", tarred({"a.txt": b"a", "b.txt": data}, "w:gz")
    yield "elf behind a long text", "a.tar", tarred({"largo.txt": b"x" * 300000, "b": ELF})
    yield "elf in a stored zip", "a.zip", zipped({"b": ELF}, zipfile.ZIP_STORED)
    yield "elf alone in gzip", "a.gz", gzip.compress(ELF)
    yield "elf alone in bzip2", "a.bz2", bz2.compress(ELF)
    yield "elf alone in xz", "a.xz", lzma.compress(ELF)
    yield "elf in tar.xz", "a.txz", tarred({"b": ELF}, "w:xz")
    yield "elf in a zip in a zip", "a.zip", zipped({"b.zip": zipped({"c.zip": zipped({"d": ELF})})})
    yield "elf in a tar.gz in a zip", "a.zip", zipped({"b.tgz": tarred({"c": ELF}, "w:gz")})
    yield "jar", "a.jar", zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "A.class": CLASS})
    yield "jar as a zip", "a.zip", zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "A.class": CLASS})
    yield "batch by its name", "haz.BAT", b"@echo off\r\ndel *.*\r\n"
    yield "batch with a dot behind", "haz.bat. ", b"@echo off\r\ndel *.*\r\n"
    yield "visual basic in a zip", "a.zip", zipped({"factura.pdf.vbs": b"MsgBox 1\r\n"})
    yield "powershell", "a.ps1", b"Get-ChildItem\r\n"
    yield "hta", "a.hta", b"<html><script>new ActiveXObject()</script></html>"
    yield "locked, by its name", "a.zip", locked_zip("factura.exe", b"x")
    yield "msi by its name", "a.msi", old_office("Root Entry")


class Media(Story):
    def send(self, name, data):
        status, _, answer = self.api.request("POST", "/api/files?name=" + quote(name), data, {"Content-Type": "application/octet-stream"})
        return status, answer

    def test_programs_are_refused_in_every_disguise(self):
        all_of_them = list(disguises())
        self.assertGreaterEqual(len(all_of_them), 40)
        for what, name, data in all_of_them:
            status, answer = self.send(name, data)
            self.assertEqual((422, ["file"]), (status, [p["field"] for p in answer.get("errors", [])] or ["file"]), what)

    def test_ordinary_files_are_taken(self):
        for name, data, media in (
                ("imagen.png", PNG, "image/png"), ("oferta.pdf", PDF, "application/pdf"), ("nota.txt", "año\n".encode(), "text/plain"),
                ("imágenes.zip", zipped({"a.png": PNG, "carpeta/b.pdf": PDF}), "application/zip"),
                ("informe.docx", zipped(WORD), None), ("copia.tar.gz", tarred({"a": b"a"}, "w:gz"), "application/gzip"),
                ("datos.csv", b"a;b\n1;2\n", None), ("página.html", b"<!DOCTYPE html><html></html>", "text/html"),
                ("web.zip", zipped({"index.html": b"<!DOCTYPE html><html></html>", "a.js": b"function f() { return 1; }\n"}), "application/zip"),
                ("rota.zip", zipped({"a.png": PNG * 50})[:200], None), ("vacío.zip", zipped({}), None),
                ("dos.zip", zipped({"b.zip": zipped({"c.zip": zipped({"d.txt": b"d"})})}), "application/zip")):
            status, value = self.send(name, data)
            self.assertEqual(201, status, (name, value))
            self.assertEqual((name, len(data)), (value["name"], value["size"]))
            if media:
                self.assertEqual(media, value["media"], name)
            self.assertFalse({"macros", "locked"} & set(value), name)

    def test_macros_and_what_is_locked_are_told(self):
        for name, data in (("cuentas.xlsm", zipped({"[Content_Types].xml": b"<Types/>", "xl/vbaProject.bin": old_office("VBA")})),
                           ("cuentas.xls", old_office("Root Entry", "_VBA_PROJECT_CUR", "_VBA_PROJECT"))):
            status, value = self.send(name, data)
            self.assertEqual((201, True), (status, value.get("macros")), (name, value))
            one = self.api.want(201, "POST", "/api/contacts", {"name": name, "photo": value})["id"]
            self.assertIs(True, self.api.want(200, "GET", f"/api/contacts/{one}")["photo"]["macros"])
        status, value = self.send("imágenes.zip", locked_zip("imagen.png", PNG))
        self.assertEqual((201, True), (status, value.get("locked")), value)

    def test_archives_that_grow_are_refused_soon(self):
        bomb = b"a" * (64 << 20)
        inner = gzip.compress(bomb, 9)
        for name, data in (("bomba.zip", zipped({f"{i}.gz": inner for i in range(40)})), ("muchos.tar", tarred({f"{i}": b"" for i in range(21000)}))):
            status, answer = self.send(name, data)
            self.assertEqual(422, status, (name, answer))
        deep = zipped({"a.txt": b"a"})
        for _ in range(8):
            deep = zipped({"b.zip": deep})
        self.assertEqual(422, self.send("hondo.zip", deep)[0])


if __name__ == "__main__":
    unittest.main()
