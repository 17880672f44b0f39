# SPDX-License-Identifier: MIT
"""Goes through a case with every fault, and the first, second ... n-th call failing."""
import itertools
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from judge import BAD
from lib.programs import programs

HERE = Path(__file__).resolve().parent
FRAME = re.compile(r"(\S+)\+(0x[0-9a-f]+)\((\S*)\)")
PLACE = "place"  # in place of a number: each place in the code fails
SAMPLE = 10      # every how many-th, of cases that cannot list their calls
SHOWN = 14       # frames of a finding's stack
OWN = ("memberchat", "store_", "sign_")


@dataclass
class Finding:
    name: str    # CASE:FAULT:once|on:N, which repeats it
    verdict: str
    details: str
    stack: str

    def kind(self):
        """Findings with the same are one."""
        return self.verdict, self.name.split("/")[0].split(":")[0], self.stack


@dataclass
class Results:
    """Of a sweep or several: how often each verdict came, and what was bad."""
    verdicts: Counter = field(default_factory=Counter)
    contained: Counter = field(default_factory=Counter)
    findings: list = field(default_factory=list)


def read_contained():
    """Lines of contained.txt: a pattern of the stack; what follows a blank line or # is for people."""
    lines = (HERE / "contained.txt").read_text().splitlines()
    return [re.compile(line.split("  # ")[0], re.DOTALL) for line in lines if line.strip() and not line.startswith("#")]


CONTAINED = read_contained()


def sweeps_of(case, words):
    """(fault, lasting, n) for the sweeps of a case that the words choose; n is None for all."""
    for fault in case.faults:
        for lasting in ((False, True) if fault.lasting else (False,)):
            name = f"{case.name}:{fault.name}:{'on' if lasting else 'once'}"
            pinned = next((word for word in words if word.startswith(name + ":")), None)
            if pinned:
                yield fault, lasting, int(pinned.rpartition(":")[2])
            elif all(word in name + ":" for word in words):
                yield fault, lasting, None


class Places:
    """Numbers of calls so that each place in the code fails: the first and the last from each.  Cases of one scope
    share their places."""

    def __init__(self):
        self.known = {}
        self.tried = set()

    def numbers(self, case, fault, results):
        key = case.name, fault.kind
        if key not in self.known:
            self.known[key] = sorted(self.listed(case, fault, results))
        return self.known[key]

    def listed(self, case, fault, results):
        """Of two runs, for threads may come to a place at another number."""
        found, numbers = set(), set()
        for _ in range(2):
            case.prepare()
            case.page.arm(fault, 0)
            verdict, details = case.run()
            case.page.disarm()
            note(results, f"{case.name}:{fault.name}:once:0", verdict, details, "")
            for place, ends in case.page.places().items():
                if (case.scope, fault.kind, place) not in self.tried:
                    found.add((case.scope, fault.kind, place))
                    numbers.update(ends)
        self.tried |= found
        return numbers


def sweep(case, fault, lasting, pinned, every, places, deadline, results):
    """With the numbers that are asked for, until no call is left to fail, or the time is over."""
    name = f"{case.name}:{fault.name}:{'on' if lasting else 'once'}"
    listed = every == PLACE and case.listed and not pinned
    if pinned:
        numbers = [pinned]
    elif listed:
        numbers = places.numbers(case, fault, results)
    else:
        every = SAMPLE if every == PLACE else every
        every *= case.stride if every > 1 else 1
        numbers = itertools.count(1 + phase(case, fault, lasting, every), every)
    for nth in numbers:
        if time.monotonic() >= deadline:
            return
        case.prepare()
        case.page.arm(fault, nth, lasting)
        verdict, details = case.run()
        failed = case.page.disarm()
        if case.through() and not pinned and not listed:
            return
        note(results, f"{name}:{nth}", verdict, details, case.page.stack if failed else "")


def phase(case, fault, lasting, every):
    """Where a sample of every k-th begins: not at the same n for all."""
    return sum(f"{case.name}{fault.name}{lasting}".encode()) % every


def note(results, name, verdict, details, raw):
    if verdict not in BAD:
        results.verdicts[verdict] += 1
        return
    stack = symbols(raw)
    for pattern in CONTAINED:
        if pattern.search(f"{verdict} {stack} | {details}"):
            results.contained[pattern.pattern] += 1
            return
    results.verdicts[verdict] += 1
    results.findings.append(Finding(name, verdict, details, " < ".join(stack.split(" < ")[:SHOWN])))


def symbols(raw):
    """A raw stack with names: "malloc < bytes_grow < ..."; the outermost, which all share, are left out."""
    what, *frames = raw.split(" ") if raw else [""]
    found = [frame.groups() for frame in map(FRAME.match, frames) if frame]
    names = [name_of(*frame) for frame in found if not frame[0].startswith("shim")]
    return " < ".join([what, *filter(None, names)]).partition(" < main(")[0]


@lru_cache(maxsize=None)
def name_of(module, offset, symbol):
    path = next((p for p in (programs().folder / module, programs().plugins / module) if p.exists()), None)
    if not path or not module.startswith(OWN):
        return symbol if module.startswith("libc.so") else f"{module.split('.')[0]}:{symbol}"
    done = subprocess.run(["addr2line", "-f", "-i", "-e", path, offset], capture_output=True, text=True, check=False)
    lines = done.stdout.split("\n")
    return " < ".join(function if at.startswith("??") else f"{function}({Path(at.split(' ')[0]).name})"
                      for function, at in zip(lines[::2], lines[1::2]) if function != "??")
