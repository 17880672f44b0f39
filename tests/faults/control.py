# SPDX-License-Identifier: MIT
"""The other end of the control page of shim.c: what is to fail, and what became of it."""
import errno
import mmap
import struct
from dataclasses import dataclass

HEAD, PLACES = 8192, 65536
SIZE = HEAD + 8 * PLACES
FIELDS = ("armed", "kinds", "nth", "burst", "error", "shorten", "seen", "failed", "live", "noted", "listing")
STACK = 8 * len(FIELDS)
KINDS = ("alloc", "open", "read", "write", "send", "recv", "accept", "fsync", "rename", "pipe", "epoll", "thread",
         "random", "clock", "poll", "stat", "socket", "connect", "map")


@dataclass(frozen=True)
class Fault:
    """A way to fail; `lasting`: it may also go on failing from the n-th time on."""
    name: str
    kind: str
    error: int = 0
    shorten: bool = False
    lasting: bool = True


def fails(kind, *errors):
    """Faults of a kind: the first bears its name, the others that of their error, too."""
    return [Fault(kind if not i else f"{kind}-{errno.errorcode[error].lower()}", kind, error)
            for i, error in enumerate(errors)]


def shortens(kind):
    """One byte at a time, and a signal in between (which, if it came for ever, would be a hang by itself)."""
    return [Fault(f"{kind}-short", kind, shorten=True), Fault(f"{kind}-eintr", kind, errno.EINTR, lasting=False)]


FAULTS = [
    *fails("alloc", errno.ENOMEM),
    *fails("open", errno.EMFILE, errno.EACCES), Fault("open-eintr", "open", errno.EINTR, lasting=False),
    *fails("read", errno.EIO), *shortens("read"),
    *fails("write", errno.ENOSPC, errno.EPIPE), *shortens("write"),
    *fails("send", errno.EPIPE), *shortens("send"),
    *fails("recv", errno.ECONNRESET), *shortens("recv"),
    *fails("accept", errno.EMFILE, errno.ECONNABORTED), Fault("accept-eintr", "accept", errno.EINTR, lasting=False),
    *fails("fsync", errno.EIO), *fails("rename", errno.EACCES), *fails("pipe", errno.EMFILE),
    *fails("epoll", errno.ENOMEM), *fails("thread", errno.EAGAIN),
    *fails("random", errno.ENOSYS), *shortens("random"),
    *fails("clock", errno.EINVAL),
    *fails("poll", errno.ENOMEM), Fault("poll-eintr", "poll", errno.EINTR, lasting=False),
    *fails("stat", errno.EIO), *fails("socket", errno.EMFILE), *fails("connect", errno.ENETUNREACH),
    *fails("map", errno.ENOMEM),
]


class Page:
    """A file that a preloaded shim maps, too."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(SIZE))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), SIZE)

    def __getitem__(self, field):
        return struct.unpack_from("q", self.memory, 8 * FIELDS.index(field))[0]

    def __setitem__(self, field, value):
        struct.pack_into("q", self.memory, 8 * FIELDS.index(field), value)

    def arm(self, fault, nth, lasting=False):
        """From now on the n-th call fails, and with `lasting` all that follow it; with n = 0 none, but where they
        come from is listed."""
        self["armed"] = 0
        self["kinds"] = 1 << KINDS.index(fault.kind)
        self["nth"], self["burst"] = nth, 0 if lasting else 1
        self["error"], self["shorten"], self["listing"] = fault.error, int(fault.shorten), int(nth == 0)
        self["seen"] = self["failed"] = self["noted"] = 0
        self.memory[STACK:HEAD] = bytes(HEAD - STACK)
        self["armed"] = 1

    def disarm(self):
        """How many calls failed."""
        self["armed"] = 0
        return self["failed"]

    @property
    def stack(self):
        """Of the first call that failed: its name, and frames as MODULE+0xOFFSET(SYMBOL)."""
        return self.memory[STACK:HEAD].split(b"\0")[0].decode()

    def places(self):
        """Of the calls that were listed: {place: the numbers of the first and the last that came from it}."""
        count = min(self["seen"], PLACES)
        found = {}
        for number, place in enumerate(struct.unpack_from(f"{count}Q", self.memory, HEAD), 1):
            found[place] = (found.get(place, (number,))[0], number)
        return found
