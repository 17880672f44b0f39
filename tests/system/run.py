#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the system tests: run.py [NAME...]

A NAME is a file (test_api), a class (test_api.Guests) or a test (test_api.Guests.test_x).
Without one, all run.  Prints TAP lines and, last, "N passed, N failed"; exit 1 on any failure.
lib/programs.py says which environment variables choose what is tested.
"""
import sys
import time
import traceback
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.programs import REPORTS, programs  # noqa: E402  (needs the path above)


class TapResult(unittest.TestResult):
    """Prints each outcome as it comes.  A skipped test counts as failed: nothing may be left out."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self.began = 0.0

    def say(self, good, name, details=""):
        self.passed += good
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.passed + self.failed} - {name}")
        for line in details.splitlines():
            print(f"#   {line}")
        sys.stdout.flush()

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.trouble = []

    def stopTest(self, test):
        super().stopTest(test)
        name = f"{test.id()} ({time.monotonic() - self.began:.1f} s)"
        self.say(not self.trouble, name, "\n".join(self.trouble))

    def note(self, test, error):
        """Of a test: until it stops.  Of a class or module: at once, as a failure of its own."""
        details = "".join(traceback.format_exception(*error))
        if isinstance(test, unittest.TestCase):
            self.trouble.append(details)
        else:
            self.say(False, str(test), details)

    def addError(self, test, err):
        self.note(test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err:
            self.trouble.append(str(subtest))
            self.note(test, err)

    def addSkip(self, test, reason):
        self.trouble.append(f"skipped: {reason}")


def select(names):
    loader = unittest.TestLoader()
    names = names or sorted(path.stem for path in HERE.glob("test_*.py"))
    return loader.loadTestsFromNames(name.removesuffix(".py") for name in names)


def check_reports(result):
    """Whatever sanitizers and valgrind wrote is a failure."""
    reports = [p for p in sorted(Path(REPORTS).iterdir()) if p.stat().st_size] if REPORTS else []
    for report in reports:
        result.say(False, f"report {report.name}", report.read_text(errors="replace")[:6000])


def main():
    suite = select(sys.argv[1:])
    programs()
    result = TapResult()
    suite.run(result)
    check_reports(result)
    print(f"1..{result.passed + result.failed}")
    print(f"{result.passed} passed, {result.failed} failed")
    return 0 if result.passed and not result.failed else 1


if __name__ == "__main__":
    sys.exit(main())
