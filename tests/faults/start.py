# SPDX-License-Identifier: MIT
"""The responder, with faults while it starts or stops."""
import resource
import signal
import time

import processes
from control import KINDS, Fault
from judge import AFTERWARDS, BAD, HANG, REFUSED, RIGHT, SILENT, WRONG
from lib import fcgi
from lib.programs import limit
from lib.responder import accepts
from resident import LATEST, SOON, ResidentCase, Responder, open_site


class StartCase(ResidentCase):
    """Start, alone or beside a healthy process whose socket it takes over."""

    def __init__(self, name, page, scratch, asked, requests, beside=False):
        super().__init__(name, page, scratch, asked, requests)
        self.beside = beside
        self.healthy = None

    def prepare(self):
        if self.beside and not (self.healthy and self.healthy.process.running and accepts(self.address)):
            idle = type(self.page)(self.page.path.with_name("idle"))
            self.healthy = Responder(self.scratch, idle, self.asked.site.conf, self.address)
            self.healthy.wait_until_ready()

    def calibrate(self):
        self.page.disarm()
        self.prepare()
        self.start()
        for request in self.requests:
            request.calibrate(fcgi.parse_cgi(self.responder.ask(request)))
        self.responder.process.stop()

    def run(self):
        self.page["live"] = 0
        self.responder = Responder(self.scratch, self.page, self.asked.site.conf, self.address, **self.popen())
        process = self.responder.process
        end = time.monotonic() + limit(LATEST)
        while process.running and " ready" not in self.responder.log_text() and time.monotonic() < end:
            if time.monotonic() > end - limit(LATEST - 2 * SOON):
                self.page["armed"] = 0
            time.sleep(0.002)
        failed = self.page.disarm()
        verdict = self.judge(process)
        self.page["failed"] = failed
        if self.beside and verdict[0] not in BAD:
            verdict = self.judge_socket() or verdict
        process.kill()
        process.log.unlink()
        self.scratch.processes.remove(process)
        if not self.beside:
            self.address.unlink(missing_ok=True)
        return verdict

    def popen(self):
        return {}

    def judge(self, process):
        """How it started and ended."""
        text = self.responder.log_text()
        if not process.running:
            status = process.popen.returncode
            if status < 0:
                return self.responder.death()
            if status == 0:
                return WRONG, f"exit 0: {text[-300:]}"
            mute = self.page["kinds"] == 1 << KINDS.index("send")  # the log is sent where it can be
            return (REFUSED, "") if text.strip() or mute else (SILENT, f"exit {status} without a word")
        if not accepts(self.address):
            return HANG, f"not ready: {text[-300:]}"
        trouble = self.responder.trouble(self.requests)
        if trouble:
            return WRONG, trouble
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(8)
        except AssertionError as error:
            return HANG, f"after SIGTERM: {error}"
        return (RIGHT, "") if status == 0 else (WRONG, f"status {status} after SIGTERM: {self.responder.log_text()[-300:]}")

    def judge_socket(self):
        """What is wrong with the healthy one's socket, if that should still be there."""
        if self.responder.process.popen.returncode == 0:
            return None  # it was taken over, and left by its last owner
        trouble = self.healthy.trouble(self.requests) if accepts(self.address) else "its socket is gone"
        return (AFTERWARDS, f"the healthy process: {trouble}") if trouble else None


class LimitedStartCase(StartCase):
    """Start with few descriptors."""

    faults = [Fault("descriptors", "alloc", lasting=False)]
    most = 60
    listed = False

    def popen(self):
        most = 2 + self.page["nth"]
        self.page["armed"] = 0
        return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))}

    def through(self):
        return self.page["nth"] > self.most

class StopCase(ResidentCase):
    """SIGTERM: it ends with 0, and soon."""

    def prepare(self):
        self.restart()

    def run(self):
        self.responder.process.send_signal(signal.SIGTERM)
        try:
            status = self.responder.process.wait(9)
        except AssertionError as error:
            return HANG, str(error)
        if status < 0:
            return self.responder.death()
        return (RIGHT, "") if status == 0 else (WRONG, f"status {status}: {self.responder.log_text()[-300:]}")


def start_store_cases(store, page, scratch):
    asked, requests = open_site(store, scratch, public_keys=False)
    asked.site.write({"sandbox": False})
    case = StartCase(f"start/{store}", page, scratch, asked, requests)
    case.stride = processes.HEAVY  # the libraries of the servers prepare themselves
    yield case


def start_cases(page, scratch):
    asked, requests = open_site("file", scratch, public_keys=False)
    guarded = StartCase("start/sandbox", page, scratch, asked, requests)
    guarded.stride = processes.HEAVY  # libseccomp makes thousands of allocations
    yield guarded
    asked.site.write({"sandbox": False})
    yield StartCase("start/alone", page, scratch, asked, requests)
    yield StopCase("start/stop", page, scratch, asked, requests)
    yield StartCase("start/takeover", page, scratch, asked, requests, beside=True)
    yield LimitedStartCase("start/few", page, scratch, asked, requests, beside=True)
