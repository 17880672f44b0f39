# SPDX-License-Identifier: MIT
"""The sandbox of the resident process.  That every store works in it is what all other tests show."""
import errno
import platform
import sys
from pathlib import Path

from lib.case import FreshCase
from lib.programs import programs
from lib.responder import run
from lib.site import GUEST_PATH, member_path

# Runs the rest of its arguments where seccomp() with flags of this value fails with this error.
REFUSING = """
import ctypes, os, struct, sys
flags, error = map(int, sys.argv[1:3])
code = b"".join(struct.pack("HBBI", *each) for each in (
    (0x20, 0, 0, 0), (0x15, 0, 3, 317), (0x20, 0, 0, 24), (0x15, 0, 1, flags),
    (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000)))
program = ctypes.create_string_buffer(code, len(code))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(program))):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[3], sys.argv[3:])
"""
FOR_ALL_THREADS, AND_LOG = 1, 2


def fields(process):
    """{field: value} of the status of each thread."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return [dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            for task in tasks]


class Sandbox(FreshCase):
    def serves(self):
        self.site.check(self.responder.post(GUEST_PATH, self.site.auth(), b"{}"), role="guest")
        self.site.check(self.responder.post(member_path("1"), self.site.auth()), user="1", name="foobar1",
                        avatar="https://img.foobar.com/users/1/profile.jpg")

    def seen(self):
        return {(each["Seccomp"], each["NoNewPrivs"]) for each in fields(self.responder.process)}

    def test_around_every_thread(self):
        self.responder = self.start()
        if "there is no sandbox" in self.responder.log_text():  # a build with a sanitizer
            self.assertEqual({("0", "0")}, self.seen())
        else:
            self.assertEqual({("2", "1")}, self.seen())
        self.serves()

    def test_switched_off(self):
        self.site.write({"sandbox": False})
        self.responder = self.start()
        self.assertEqual({("0", "0")}, self.seen())
        self.serves()

    def test_kernel_without_one(self):
        self.responder = self.start(wrap=self.refusing(FOR_ALL_THREADS, errno.ENOSYS))
        self.responder.expect_log("there is no sandbox: .*sandbox = false in the configuration says that you know")
        self.serves()

    def test_nothing_is_served_half_inside(self):
        if "there is no sandbox" in self.start().log_text():
            return  # a build with a sanitizer
        done = run([*self.refusing(FOR_ALL_THREADS | AND_LOG, errno.ENOMEM), programs().responder, "-c", self.site.conf,
                    "-s", f"unix:{self.scratch.path}/other.sock"])
        self.assertEqual(1, done.returncode)
        self.assertIn(b"error: cannot enter the sandbox: Cannot allocate memory", done.stderr)

    def refusing(self, flags, error):
        if platform.machine() != "x86_64":
            self.skipTest("the filter is one of x86_64")
        return sys.executable, "-c", REFUSING, str(flags), str(error)
