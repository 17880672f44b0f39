# SPDX-License-Identifier: MIT
"""Base classes of the tests."""
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from .responder import RunningResponder
from .scratch import Scratch
from .site import GUEST_PATH, Site


class ScratchCase(unittest.TestCase):
    """A scratch folder for the class."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.close)


class FreshCase(unittest.TestCase):
    """A scratch folder and an unstarted site for each test."""

    def setUp(self):
        self.scratch = Scratch()
        self.addCleanup(self.scratch.close)
        self.site = Site(self.scratch.path / "site").write()

    def start(self, **more):
        return RunningResponder(self.scratch, self.site, **more)


class ResponderCase(ScratchCase):
    """One responder for the class; it must survive all of it and end well."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = Site(cls.scratch.path / "site")
        cls.prepare(cls.site)
        cls.responder = RunningResponder(cls.scratch, cls.site.write())
        cls.addClassCleanup(cls.end_well)

    @classmethod
    def prepare(cls, site):
        """For subclasses: changes to the site before the start."""

    @classmethod
    def end_well(cls):
        if not cls.responder.process.running:
            raise AssertionError(f"the responder died: {cls.responder.log_text()[-2000:]}")
        if cls.responder.process.stop() != 0:
            raise AssertionError(f"the responder did not end well: {cls.responder.log_text()[-2000:]}")

    def guest(self, body=b"{}", **more):
        return self.responder.post(GUEST_PATH, self.site.auth(), body, **more)

    def still_serves(self):
        self.site.check(self.guest(), role="guest")


def at_once(count, function):
    """Calls function(0), function(1), ... in threads of their own; the results in order."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, range(count)))


class Load:
    """Requests one after another in a few threads while a block runs; keeps what went wrong."""

    def __init__(self, request, threads=3, good=(200,)):
        self.request = request
        self.good = good
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]
        self.done = 0
        self.wrong = []

    def work(self):
        while not self.stopping.is_set():
            try:
                answer = self.request()
                if answer.status not in self.good:
                    self.wrong.append(repr(answer))
            except Exception as error:  # whatever it is, it is told
                self.wrong.append(repr(error))
            self.done += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def assert_all_answered(self, at_least=1):
        if self.wrong or self.done < at_least:
            raise AssertionError(f"{len(self.wrong)} of {self.done} requests lost: {self.wrong[:5]}")
