# SPDX-License-Identifier: MIT
"""The sandbox of the resident process.  That every store works in it is what all other tests show."""
from pathlib import Path

from lib.case import FreshCase
from lib.site import GUEST_PATH, member_path


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
