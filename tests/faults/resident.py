# SPDX-License-Identifier: MIT
"""The responder, with faults while it answers a request or reloads."""
import signal
import socket
import time

import processes
from asked import Asked
from control import KINDS
from judge import AFTERWARDS, BAD, CLOSED, DEATH, HANG, LEAK, REFUSED, RIGHT, SILENT, WRONG, judge_output
from lib import fcgi
from lib.programs import limit, programs
from lib.responder import environment
from lib.scratch import wait_until
from processes import Case

SOON, LATEST = 0.5, 6  # seconds: with faults, and until it has to be over without them
CHECKED = ("guest", "member", "banned", "bad-secret")  # asked to see whether it serves as it should
LEAKS_SEEN = 40  # as often as something is left over before it is one: each thread has things of its own


class Responder:
    """One that runs under the shim, on a socket of its own."""

    def __init__(self, scratch, page, conf, address, **popen):
        self.page = page
        self.address = address
        self.process = scratch.start(
            [programs().folder / "memberchat.fcgi", "-c", conf, "-s", f"unix:{address}"],
            env=environment(**processes.shim_variables(page)), **popen)

    def wait_until_ready(self):
        wait_until("it is ready", lambda: not self.process.running or " ready" in self.log_text(), 10)
        if not self.process.running:
            raise AssertionError(f"ended: {self.log_text()[-500:]}")

    def log_text(self):
        return self.process.log_text()

    def ask(self, request, patient=True):
        """The bytes of an answer; None without one; raises TimeoutError.  Faults end when it takes too long."""
        try:
            with fcgi.Connection(self.address, SOON / limit(1)) as connection:
                connection.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.encode(request.pairs)) +
                                fcgi.stream(fcgi.STDIN, request.body))
                return self.read(connection, patient)
        except (ConnectionError, FileNotFoundError):
            return None

    def read(self, connection, patient):
        reply = fcgi.Reply()
        while True:
            try:
                found = connection.next_record()
            except socket.timeout:
                if not patient:
                    raise
                self.page.disarm()
                connection.socket.settimeout(limit(LATEST))
                patient = False
                continue
            if found is None:
                return None  # what has come is half of an answer: the web server is told so by the end
            if found[0] == fcgi.STDOUT:
                reply.stdout += found[1]
            elif found[0] == fcgi.END:
                return reply.stdout

    def judge(self, request):
        """(verdict, details) on one request."""
        try:
            output = self.ask(request)
        except socket.timeout:
            return HANG, f"no answer {LATEST} s after faults had ended"
        if not self.process.running:
            return self.death()
        if output is None:
            return CLOSED, ""
        return judge_output(output, request.expect)

    def death(self):
        return DEATH, f"status {self.process.popen.returncode}: {self.log_text()[-300:]}"

    def has_died(self):
        """One that is on its way out closes its connections first."""
        time.sleep(limit(0.1))
        return not self.process.running

    def trouble(self, requests):
        """What is wrong with how it serves without faults, or None."""
        for request in requests:
            if request.name in CHECKED:
                verdict, details = self.judge(request)
                if verdict != RIGHT:
                    return f"{request.name}: {verdict} {details}"
        return None

    def possessions(self):
        """(descriptors, allocations), once it has come to rest."""
        return self.process.descriptors(), self.page["live"]


class ResidentCase(Case):
    """A responder that is started again when it has died."""

    def __init__(self, name, page, scratch, asked, requests):
        super().__init__(name, page)
        self.scratch = scratch
        self.asked = asked
        self.requests = requests
        self.address = scratch.path / "mc.sock"
        self.responder = None

    def start(self, **popen):
        self.page.disarm()
        self.page["live"] = 0
        self.responder = Responder(self.scratch, self.page, self.asked.site.conf, self.address, **popen)
        self.responder.wait_until_ready()

    def restart(self):
        if self.responder:
            self.responder.process.kill()
        self.start()
        for request in self.requests:
            self.responder.judge(request)

    def prepare(self):
        if not self.responder or not self.responder.process.running:
            self.restart()

    def calibrate(self):
        self.prepare()
        for request in self.requests:
            request.calibrate(fcgi.parse_cgi(self.responder.ask(request)))

    def leaks(self, before, repeat):
        """Details on what repeat() leaves behind each time, or None."""
        after = self.responder.possessions()
        for _ in range(LEAKS_SEEN):
            if all(now <= then for now, then in zip(after, before)):
                return None
            repeat()
            if not self.responder.process.running:
                return None
            before, after = after, self.responder.possessions()
        return f"descriptors, allocations: {before} and then {after}"


class RequestCase(ResidentCase):
    """One request to a running responder."""

    def __init__(self, name, page, scratch, asked, requests, request):
        super().__init__(name, page, scratch, asked, requests)
        self.request = request
        self.stride = processes.HEAVY if request.heavy else 1
        self.scope = "request"

    def prepare(self):
        super().prepare()
        if self.request.before:
            self.request.before()

    def run(self):
        before = self.responder.possessions()
        verdict, details = self.responder.judge(self.request)
        failed, nth, lasting = self.page.disarm(), self.page["nth"], self.page["burst"] == 0
        if verdict in BAD or not failed:
            return self.end(verdict, details)
        trouble = self.responder.trouble(self.requests)
        if trouble:
            return self.end(DEATH if self.responder.has_died() else AFTERWARDS, trouble)
        leak = self.leaks(before, lambda: self.again(nth, lasting))
        self.page["failed"] = failed
        return (LEAK, leak) if leak else (verdict, details)

    def again(self, nth, lasting):
        self.page["nth"], self.page["burst"], self.page["seen"] = nth, 0 if lasting else 1, 0
        self.page["armed"] = 1
        self.responder.judge(self.request)
        self.page.disarm()
        self.responder.trouble(self.requests)

    def end(self, verdict, details):
        """After trouble nothing of this process is believed any more."""
        if verdict in BAD:
            self.responder.process.kill()
        return verdict, details


class ReloadCase(ResidentCase):
    """SIGHUP with a configuration that is changed: afterwards it or the previous one is in force, and whole."""

    number = 0

    def change(self):
        """Both the configuration and the members are new each time."""
        self.number += 1
        site = self.asked.site
        before = site.settings["apps"]["ffl-dev-1"]["chat_server_url"]
        site.change_app(chat_server_url=f"wss://chat.example.com/{self.number}")
        return before

    def in_force(self):
        """The chat_server_url of an answer; None without one."""
        output = self.responder.ask(self.requests[0])
        return fcgi.parse_cgi(output).json.get("chatServerWebSocketUrl") if output else None

    def reload(self, seconds):
        """Whether the log told of an end."""
        length = len(self.responder.log_text())
        self.responder.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + limit(seconds)
        while time.monotonic() < end and self.responder.process.running:
            if ": loaded" in (text := self.responder.log_text()[length:]) or ": not loaded" in text:
                return True
            time.sleep(0.002)
        return False

    def run(self):
        settings = self.asked.site.settings["apps"]["ffl-dev-1"]
        before = self.change()
        after = settings["chat_server_url"]
        told = self.reload(SOON * 2)
        once = self.page["burst"] == 1
        failed = self.page.disarm()
        # a log that cannot be written, or not for long, cannot tell
        mute = self.page["kinds"] in (1 << KINDS.index("write"), 1 << KINDS.index("send"))
        spoken = told or not failed or not once or mute
        verdict, details = self.judge(before, after, spoken)
        if verdict in BAD:
            self.responder.process.kill()
        self.page["failed"] = failed
        return verdict, details

    def judge(self, before, after, told):
        settings = self.asked.site.settings["apps"]["ffl-dev-1"]
        if not self.responder.process.running:
            return self.responder.death()
        now = self.in_force()
        if now not in (before, after):
            if self.responder.has_died():
                return self.responder.death()
            return WRONG, f"neither the one nor the other: {now}"
        settings["chat_server_url"] = now
        trouble = self.responder.trouble(self.requests)
        settings["chat_server_url"] = after
        if trouble:
            return WRONG, f"{'new' if now == after else 'old'} configuration: {trouble}"
        if not self.reload(LATEST) or self.in_force() != after or self.responder.trouble(self.requests):
            return AFTERWARDS, f"a reload without faults did not work: {self.responder.log_text()[-300:]}"
        if not told:
            return SILENT, "the log says nothing of this reload"
        return (RIGHT if now == after else REFUSED), ""


def open_site(store, scratch, **more):
    asked = Asked(scratch, store, **more)
    scratch.closing = asked.close
    return asked, list(asked.requests())


def request_cases(store, page, scratch):
    asked, requests = open_site(store, scratch)
    shared = ResidentCase(f"request/{store}", page, scratch, asked, requests)
    shared.calibrate()
    for request in requests:
        case = RequestCase(f"request/{store}/{request.name}", page, scratch, asked, requests, request)
        case.responder = shared.responder
        case.calibrate = case.prepare
        yield case
        shared.responder = case.responder


def reload_cases(store, page, scratch):
    asked, requests = open_site(store, scratch, public_keys=False)
    yield ReloadCase(f"reload/{store}", page, scratch, asked, requests)
