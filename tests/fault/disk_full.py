#!/usr/bin/env python3
"""A disk that fills up: refusals that say so, nothing lost, and all is well by itself once there is room.

The data directory lies in a tmpfs of its own, which needs root or user namespaces; without either the case is skipped.
Prints TAP.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import CUT_OFF, Server, Tap  # noqa: E402

DISK = 24 << 20   # bytes
WITHIN = 30       # seconds in which it must work again
NOT_NOW = (503, 507)
MOUNTED = "CRONISTA_TEST_MOUNTED"


def in_own_mounts():
    """Runs this program again where a tmpfs may be mounted; None when there is no such place."""
    for way in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            if subprocess.run([*way, "sh", "-c", 'd=$(mktemp -d) && mount -t tmpfs none "$d"; s=$?; umount "$d"; rmdir "$d"; exit $s'],
                              capture_output=True, check=False).returncode == 0:
                return subprocess.run([*way, sys.executable, "-B", __file__], env={**os.environ, MOUNTED: "1"},
                                      check=False).returncode
        except OSError:
            pass
    return None


class Disk:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cronista-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", self.folder], check=True)
        self.filler = self.folder / "filler"

    def room(self):
        at = os.statvfs(self.folder)
        return at.f_bavail * at.f_frsize

    def fill(self, leave):
        """All but `leave` bytes."""
        with open(self.filler, "ab") as out:
            while self.room() > leave:
                try:
                    out.write(b"\0" * min(1 << 16, self.room() - leave))
                    out.flush()
                except OSError:
                    break

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Story:
    def __init__(self, disk, tap):
        self.disk, self.tap = disk, tap
        self.server = Server(disk.folder / "data")
        self.server.log = Path(tempfile.mkstemp(prefix="cronista-log-")[1])
        self.saved = {}  # id: name
        self.number = 0

    def save(self):
        """Creates a record; the status."""
        self.number += 1
        name = f"Full {self.number}"
        status, _, body = self.api.request("POST", "/api/contacts", {"name": name, "notes": "n" * 3000})
        if status == 201:
            self.saved[body["id"]] = name
        else:
            self.refusal = body
        return status

    def lost(self):
        """What was answered and is not there any more."""
        for record, name in self.saved.items():
            status, _, body = self.api.request("GET", f"/api/contacts/{record}")
            if status != 200 or body["name"] != name:
                yield f"contacts/{record} ({name}): {status}"

    def check(self, name, wrong):
        wrong = list(wrong)
        self.tap.case(name, "\n".join(wrong) + "\n" + self.server.log_tail() if wrong else None)

    def until_refused(self):
        """Saves until there is no room; wrong when a save is refused in another way, or never."""
        for _ in range(20000):
            status = self.save()
            if status in NOT_NOW:
                return
            if status != 201:
                yield f"a save was answered with {status}: {self.refusal}"
                return
        yield "the disk never became full"

    def refusals_stay_clear(self):
        for _ in range(20):
            status = self.save()
            if status not in (201, *NOT_NOW):
                yield f"a save on a full disk was answered with {status}: {self.refusal}"
        if not isinstance(self.refusal, dict) or not self.refusal.get("title"):
            yield f"the refusal is no problem document: {self.refusal}"
        if self.server.process.poll() is not None:
            yield f"the server ended with {self.server.process.returncode}"

    def reading_goes_on(self):
        for path in ("/api/contacts?limit=20", f"/api/contacts/{next(iter(self.saved))}", "/api/history?limit=20"):
            status = self.api.request("GET", path)[0]
            if status != 200:
                yield f"GET {path} on a full disk: {status}"

    def saving_works_again(self):
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            if self.save() == 201:
                return
            time.sleep(0.2)
        yield f"no save was taken within {WITHIN} s after there was room: {self.refusal}"

    def holds(self):
        for arguments in (["verify"], ["rebuild", "--check"]):
            code, printed = self.server.command(*arguments, check=False)
            if code != 0:
                yield f"cronista {' '.join(arguments)}: exit code {code}\n{printed}"

    def begin(self):
        self.server.start()
        self.key = self.server.new_key()
        self.api = self.server.api(self.key)
        assert self.save() == 201, self.refusal

    def again(self):
        self.server.start()
        self.api = self.server.api(self.key)

    def killed_while_full(self):
        """It dies on the full disk and is started there: it may refuse to, if it says why; with room it must come up."""
        self.server.kill()
        self.server.start(wait=0)
        end = time.monotonic() + 5
        while time.monotonic() < end and self.server.process.poll() is None:
            time.sleep(0.1)
        if self.server.process.poll() is None:
            self.server.kill()
        elif self.server.process.returncode < 0:
            yield f"started on a full disk it was killed by signal {-self.server.process.returncode}"
        self.disk.empty()
        self.again()
        yield from self.lost()

    def tell(self):
        self.begin()
        self.disk.fill(leave=1 << 20)
        self.check("saves are taken until there is no room, then refused", self.until_refused())
        self.disk.fill(leave=0)
        self.check("refusals name the reason, and the server stays", self.refusals_stay_clear())
        self.check("reading goes on", self.reading_goes_on())
        self.check("nothing answered is lost while full", self.lost())
        self.disk.empty()
        self.check("with room it works again by itself", self.saving_works_again())
        self.check("nothing answered is lost after that", self.lost())
        self.check("log and tables hold", self.holds())
        self.disk.fill(leave=1 << 18)
        self.check("it becomes full a second time", self.until_refused())
        self.disk.fill(leave=0)
        self.check("killed while full it starts once there is room", self.killed_while_full())
        self.check("saves are taken after that", self.saving_works_again())
        self.check("log and tables hold after that", self.holds())

    def end(self):
        self.server.stop(5)
        self.server.log.unlink(missing_ok=True)


def main():
    tap = Tap()
    if not os.environ.get(MOUNTED):
        code = in_own_mounts()
        if code is None:
            tap.skip("disk full", "no tmpfs can be mounted here")
            tap.end()
            return 0
        return code
    disk = Disk()
    story = Story(disk, tap)
    try:
        story.tell()
    except (AssertionError, *CUT_OFF) as error:
        tap.case("the story ends well", f"{type(error).__name__}: {error}\n{story.server.log_tail()}")
    finally:
        story.end()
        disk.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
