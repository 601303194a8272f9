"""
User code that looks for a credential in every place it can reach.

It knows only the SHA-256 and the length of what it looks for. It returns which were found where, and how much was
searched, so that an empty finding can be told from an empty search. ``PLANTED`` is for one positive control.
"""

import base64
import ctypes
import hashlib
import json
import os
import re
import socket
import stat
import time

from airlock.sdk import DAG, Variable, task

PR_SET_DUMPABLE = 4
_PART = rb"[A-Za-z0-9_-]{12,2000}"
#: A JWT as it is, in base64 (three alignments of its first bytes), in hex, backwards, and as two-byte characters.
_RAW = re.compile(_PART + rb"\." + _PART + rb"\." + _PART)
_BASE64 = re.compile(rb"(?:ZXlK|V5S|leUo)[A-Za-z0-9+/_=-]{40,4000}")
_HEX = re.compile(rb"(?:65794a|65794A)[0-9a-fA-F]{60,8000}")
_WIDE = re.compile(rb"(?:[A-Za-z0-9_.-]\x00){60,4000}")

_CHUNK = 4 * 1024 * 1024
_OVERLAP = 16 * 1024


class Search:
    def __init__(self, wanted):
        self.wanted = {entry["sha256"] for entry in wanted}
        self.lengths = {entry["length"] for entry in wanted}
        self.found = {}
        self.attributed = set()
        self.counts = {}

    def count(self, what, by=1):
        self.counts[what] = self.counts.get(what, 0) + by

    def check(self, candidate, channel):
        for length in self.lengths:
            for piece in {candidate[:length], candidate[-length:]}:
                digest = hashlib.sha256(piece).hexdigest()
                if digest in self.wanted and digest not in self.attributed:
                    self.attributed.add(digest)
                    self.found.setdefault(channel, []).append(digest)

    def bytes(self, data, channel):
        self.count(f"{channel} bytes", len(data))
        for match in _RAW.finditer(data):
            self.check(match.group(), channel)
            self.check(match.group()[::-1], channel)
        for match in _BASE64.finditer(data):
            text = match.group().replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
            for cut in range(4):
                try:
                    self.check(base64.b64decode(text[: len(text) - cut] + b"=" * (-(len(text) - cut) % 4)), channel)
                except ValueError:
                    continue
        for match in _HEX.finditer(data):
            text = match.group()
            self.check(bytes.fromhex(text[: len(text) // 2 * 2].decode()), channel)
        for match in _WIDE.finditer(data):
            self.check(match.group()[::2], channel)

    def stream(self, fd, channel, limit=1 << 62):
        """A file's content in pieces that overlap, so that nothing hides on an edge."""
        tail = b""
        while limit > 0 and (piece := os.read(fd, min(_CHUNK, limit))):
            limit -= len(piece)
            self.bytes(tail + piece, channel)
            tail = piece[-_OVERLAP:]

    # --- the places ---

    def memory(self, pid, channel):
        try:
            maps = open(f"/proc/{pid}/maps").readlines()
            mem = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        except OSError:
            self.count(f"{channel} denied")
            return
        for line in maps:
            area, mode = line.split()[:2]
            if "r" not in mode or "[vvar" in line or "[vsyscall" in line:
                continue
            start, end = (int(edge, 16) for edge in area.split("-"))
            at = start
            while at < end:
                try:
                    data = os.pread(mem, min(_CHUNK, end - at), at)
                except OSError:
                    break
                if not data:
                    break
                self.count(f"{channel} bytes", 0)
                self.bytes(data, channel)
                # Step back a little at each edge, but always move on.
                at += len(data) - (_OVERLAP if len(data) == _CHUNK else 0)
            self.count(f"{channel} areas")
        os.close(mem)

    def file(self, path, channel):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            self.count(f"{channel} denied")
            return
        try:
            self.stream(fd, channel)
            self.count(f"{channel} files")
        except OSError:
            self.count(f"{channel} unreadable")
        finally:
            os.close(fd)

    def descriptors(self, pid, channel):
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            self.count(f"{channel} denied")
            return
        for name in names:
            self.count(f"{channel} descriptors")
            self.file(f"/proc/{pid}/fd/{name}", channel)
        if pid != "self":
            return
        for name in names:
            try:
                mode = os.fstat(int(name)).st_mode
                if stat.S_ISSOCK(mode):
                    with socket.socket(fileno=os.dup(int(name))) as peer:
                        self.bytes(peer.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT), channel)
                elif stat.S_ISREG(mode):
                    self.bytes(os.pread(int(name), 1 << 24, 0), channel)
            except OSError:
                continue

    def tree(self, since):
        """Every file of every mount. One that last changed before the credential was made cannot hold it."""
        for folder, names, files in os.walk("/", onerror=lambda _: self.count("files denied")):
            if folder == "/":
                names[:] = [name for name in names if name not in ("proc", "sys")]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                if not stat.S_ISREG(status.st_mode):
                    continue
                if status.st_ctime < since:
                    self.count("files older than the credential")
                else:
                    self.file(path, "files")

    def others(self):
        me = {os.getpid()}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) in me:
                continue
            self.count("processes")
            self.file(f"/proc/{pid}/cmdline", "others' arguments")
            self.file(f"/proc/{pid}/environ", "others' environment")
            self.descriptors(pid, "others' descriptors")
            self.memory(pid, "others' memory")


def wanted(key):
    """The hashes, once whoever launched this knows the tokens and has said so."""
    for _ in range(600):
        if (found := Variable.get(key, default=None, deserialize_json=True)) is not None:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"variable {key} was never set")


def unscramble(text):
    return bytes(byte ^ 1 for byte in bytes.fromhex(text))


with DAG("search"):

    @task
    def search(params, dag_run):
        conf = dag_run.conf
        # On a laptop the runner is hidden from others of its user, and so its own files in /proc from itself. User code
        # can undo that, as one who searches would.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        searched = Search(wanted(conf.get("wanted", "wanted")))
        planted = unscramble(conf["planted"]) if conf.get("planted") else b""
        # A finding belongs to the place where it is first seen: what a process was started with is in its memory
        # too, and what this one finds elsewhere is in its own from then on.
        searched.file("/proc/self/environ", "environment")
        searched.bytes(json.dumps(dict(os.environ)).encode(), "environment")
        searched.file("/proc/self/cmdline", "arguments")
        searched.descriptors("self", "descriptors")
        searched.memory("self", "own memory")
        searched.others()
        searched.tree(conf["since"])
        named = {}
        for path in conf.get("exposed", []):
            try:
                named[path] = hashlib.sha256(open(path, "rb").read()).hexdigest()
            except OSError as e:
                named[path] = type(e).__name__
        sidecar = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                command = open(f"/proc/{pid}/cmdline", "rb").read()
            except OSError:
                continue
            if b"airlock_sidecar" in command:
                for part in ("mem", "environ", "fd"):
                    try:
                        os.listdir(f"/proc/{pid}/fd") if part == "fd" else open(f"/proc/{pid}/{part}", "rb").close()
                        sidecar[part] = "open"
                    except PermissionError:
                        sidecar[part] = "denied"
        return {
            "uid": os.getuid(),
            "found": searched.found,
            "counts": searched.counts,
            "exposed": named,
            "sidecar": sidecar,
            "wanted": len(searched.wanted),
            "kept": len(planted),
        }

    search()
