#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the system tests: run.py [NAME...]

A NAME is a file (test_api), a class (test_api.Guests), a test (test_api.Guests.test_x), or a folder: chat, kit, mysql
or sites, whose files (chat.test_page) need heavy programs.  Without one, all but the folders run; several run
side by side, each in a process of its own.  Prints TAP lines and, last, "N passed, N failed"; exit 1 on
any failure.  lib/programs.py says which environment variables choose what is tested.
"""
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.programs import REPORTS, limit, programs  # noqa: E402  (needs the path above)

PART = "--part"  # what we call ourselves with
SIDE_BY_SIDE = 4  # files: they wait more than they work
# The longest first: begun before the others, so that none is left alone at the end.
LONG = ("test_store_sql_faults", "test_peers", "test_restart", "test_reload", "test_store_ldap_failures",
        "test_store_rest_oauth", "test_store_sql", "test_cache", "test_store_sql_tls")
# Said of threads that end while leaks are being looked for; and valgrind does not know seccomp(2) and mlock2(2), calls 317 and 325.
HARMLESS = re.compile(r".*Unable to get registers from thread.*\n?"
                      r"|--\d+-- WARNING: unhandled amd64-linux syscall: (?:317|325)\n(--\d+-- .*\n?){4}")
PRINTING = threading.Lock()
CHILDREN = []
LINE = re.compile(r"(ok|not ok) \d+ - (.*)")


class TapResult(unittest.TestResult):
    """Prints each outcome as it comes.  A skipped test counts as failed: nothing may be left out."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self.began = 0.0
        self.trouble = []

    def say(self, good, name, details=""):
        self.passed += good
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.passed + self.failed} - {name}")
        for line in details.splitlines():
            print(f"#   {line}")
        sys.stdout.flush()

    def repeat(self, output):
        """Takes over the lines of a run in another process."""
        for line in output.splitlines():
            outcome = LINE.fullmatch(line)
            if outcome:
                self.say(outcome.group(1) == "ok", outcome.group(2))
            elif line.startswith("#"):
                print(line)

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
        details = self._exc_info_to_string(error, test)  # without the frames of unittest
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


def files_of(name):
    """The test files of a folder; any other name is one test."""
    if not (HERE / name).is_dir():
        return [name]
    return sorted(".".join(path.relative_to(HERE).with_suffix("").parts) for path in (HERE / name).glob("test_*.py"))


def place_in_line(name):
    return LONG.index(name) if name in LONG else len(LONG)


def run_here(name, result):
    unittest.TestLoader().loadTestsFromName(name).run(result)


def run_apart(name, result):
    """One file in a process of its own.  Without its last line it has failed, whatever it printed."""
    child = subprocess.Popen([sys.executable, __file__, PART, name], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    CHILDREN.append(child)
    try:
        output, _ = child.communicate(timeout=limit(600))
    except subprocess.TimeoutExpired:
        child.terminate()
        output, _ = child.communicate()
    with PRINTING:
        result.repeat(output)
        if not re.search(r"^\d+ passed, \d+ failed$", output, re.MULTILINE):
            result.say(False, f"{name} did not end", output[-4000:])


def check_reports(result):
    """Whatever sanitizers and valgrind wrote is a failure."""
    for report in sorted(Path(REPORTS).iterdir()) if REPORTS else []:
        text = HARMLESS.sub("", report.read_text(errors="replace"))
        if text.strip():
            result.say(False, f"report {report.name}", text[:6000])


def stop(*_):
    """On SIGTERM as on Ctrl-C: nothing that was started stays (lib/scratch.py sees to it)."""
    for child in CHILDREN:
        child.terminate()
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, stop)
    is_part = PART in sys.argv
    names = [name.removesuffix(".py").rstrip("/").replace("/", ".") for name in sys.argv[1:] if name != PART]
    names = [file for name in names or ["."] for file in files_of(name)]
    result = TapResult()
    if len(names) == 1:
        programs()
        run_here(names[0], result)
    else:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(lambda name: run_apart(name, result), sorted(names, key=place_in_line)))
    if not is_part:
        check_reports(result)
    print(f"1..{result.passed + result.failed}")
    print(f"{result.passed} passed, {result.failed} failed")
    return 0 if result.passed and not result.failed else 1


if __name__ == "__main__":
    sys.exit(main())
