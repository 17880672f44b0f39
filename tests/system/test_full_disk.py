# SPDX-License-Identifier: MIT
"""A file system that is full: the log, the access log and the figures are on it, and no token is lost for it."""
import os
import re
import subprocess
import unittest

from lib.case import FreshCase
from lib.scratch import wait_until
from lib.site import GUEST_PATH

LOST = re.compile(r"warning: (\d+) lines? of the log could not be written and (?:is|are) lost")
WHOLE = re.compile(r"\S+ info [0-9a-f]{32} 127\.0\.0\.1 POST guest \S+ \S+ 200 OK - - \d+ \d+")


class FullDisk(FreshCase):
    def setUp(self):
        super().setUp()
        self.disk = self.scratch.path / "disk"
        self.disk.mkdir()
        if os.geteuid() != 0 or not self.mount("-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs"):
            raise unittest.SkipTest("this host lets nobody mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=False)
        self.site.write({"log": {"target": str(self.disk / "log"), "level": "info", "access": str(self.disk / "access")},
                         "status": {"allow": ["127.0.0.1"], "file": str(self.disk / "figures")}})

    def mount(self, *arguments):
        return subprocess.run(["mount", *arguments, self.disk], capture_output=True, check=False).returncode == 0

    def fill(self):
        with open(self.disk / "filler", "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                return

    def guests(self, number):
        for _ in range(number):
            self.assertEqual(200, self.responder.post(GUEST_PATH, self.site.auth(), b"{}").status)

    def issued(self):
        app = self.responder.call("GET", "/status?json").json["apps"][0]
        return app["guests"]

    def test_full_and_not_full_again(self):
        self.responder = self.start()
        self.guests(20)
        self.assertFalse((self.disk / "figures").exists())
        self.assertRegex((self.disk / "log").read_text(), r"warning: status\.file: .*figures cannot be made: .*it needs \d+ bytes")
        self.fill()
        self.guests(200)
        self.assertEqual(220, self.issued())
        (self.disk / "filler").unlink()
        self.assertTrue(self.mount("-o", "remount,size=8m", "tmpfs"))
        self.guests(1)
        wait_until("the figures have a file", (self.disk / "figures").exists)
        wait_until("both logs tell of it", lambda: "can be used now" in (self.disk / "log").read_text()
                   and LOST.search((self.disk / "access").read_text()))
        lines = (self.disk / "access").read_text().splitlines()
        # the request for /status is among the lost
        lost = sum(int(number) for number in LOST.findall("\n".join(lines)))
        self.assertGreater(lost, 0)
        self.assertEqual(221 + 1, lost + sum(bool(WHOLE.fullmatch(line)) for line in lines))
        wait_until("there are figures in it", lambda: self.issued() < 220)
        before = self.issued()
        self.guests(5)
        self.assertEqual(before + 5, self.issued())

    def test_full_while_the_figures_are_there(self):
        """Their room was taken when they were made."""
        self.assertTrue(self.mount("-o", "remount,size=2m", "tmpfs"))
        self.responder = self.start()
        self.guests(5)
        self.fill()
        self.guests(50)
        self.assertEqual(55, self.issued())
        self.assertEqual(0, self.responder.process.stop())
        self.responder = self.start()
        self.assertEqual(55, self.issued())
