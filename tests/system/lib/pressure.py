# SPDX-License-Identifier: MIT
"""Load that counts: requests answered with 200 and requests lost, while something happens."""
import re
import shutil
import signal
import time

from .case import Load
from .programs import limit
from .site import GUEST_PATH

CLIENTS = 6
WRK = shutil.which("wrk")
SCRIPT = """\
wrk.method = "POST"
wrk.body = "{}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "%s"
"""
ONE_BY_ONE = 'wrk.headers["Connection"] = "close"\n'


class Pressure:
    """Guests ask for tokens while a block runs, and for `seconds` at least: by wrk, if it is there, else by
    a few threads of ours.  `kept`: clients keep their connections, as long as the web server lets them."""

    def __init__(self, case, seconds, kept=True):
        self.case = case
        self.seconds = limit(seconds)
        self.requests = self.lost = 0
        self.complaint = ""
        self.kept = kept

    def __enter__(self):
        self.began = time.monotonic()
        if WRK:
            script = self.case.scratch.path / "guests.lua"
            script.write_text(SCRIPT % self.case.site.auth() + ("" if self.kept else ONE_BY_ONE))
            web = self.case.web
            self.load = self.case.scratch.start(
                [WRK, "-t1", f"-c{CLIENTS}", "-d600s", "--timeout", "60s", "-s", script,
                 f"http://127.0.0.1:{web.port}{web.mount}{GUEST_PATH}"], self.case.scratch.path / "wrk.out")
        else:
            self.load = Load(self.case.guest, CLIENTS).__enter__()
        return self

    def __exit__(self, kind, *_):
        if not kind:
            time.sleep(max(0.0, self.began + self.seconds - time.monotonic()))
        if WRK:
            self.load.stop(signal.SIGINT, 30)
            self.read_report(self.load.log_text())
        else:
            self.load.__exit__()
            self.requests, self.lost = self.load.done, len(self.load.wrong)
            self.complaint = str(self.load.wrong[:3])

    def read_report(self, text):
        self.requests = int(re.search(r"(\d+) requests in", text)[1])
        self.complaint = " ".join(line.strip() for line in text.splitlines()
                                  if "errors" in line or "Non-2xx" in line)
        for numbers in re.findall(r"responses: (\d+)|connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
            self.lost += sum(int(number) for number in numbers if number)
