#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes allocations and system calls fail, one after another, and judges what becomes of it: run.py [WORD...]

Each WORD chooses the sweeps that have it in their name, which is CASE:FAULT:once or CASE:FAULT:on, as in
cgi/file/guest:alloc:once.  With a number at its end (...:once:17) it repeats one finding.
The environment: MEMBERCHAT_BUILD, the build folder; FAULTS_EVERY, every how many-th call fails (1), or
"place": the first and the last of those from each place in the code;
FAULTS_SECONDS, when to stop (no limit); FAULTS_JOBS, how many run side by side (all processors).
The last line is "N passed, N failed": runs, and kinds of findings.
"""
import functools
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import commands  # noqa: E402  (needs the path above)
import processes  # noqa: E402
import resident  # noqa: E402
import start  # noqa: E402
from control import Page  # noqa: E402
from judge import BAD, GOOD  # noqa: E402
from lib.programs import programs  # noqa: E402
from lib.scratch import Scratch  # noqa: E402
from sweep import CONTAINED, PLACE, Places, Results, sweep, sweeps_of  # noqa: E402

STORES = ("file", "cdb", "ldap", "rest", "sqlite", "mysql", "pgsql")
GROUPS = {
    **{f"request/{store}": functools.partial(resident.request_cases, store) for store in STORES},
    **{f"reload/{store}": functools.partial(resident.reload_cases, store) for store in STORES},
    "start": start.start_cases,
    **{f"start/{store}": functools.partial(start.start_store_cases, store) for store in ("sqlite", "mysql", "pgsql")},
    **{f"cgi/{store}": functools.partial(processes.cgi_cases, store) for store in STORES},
    "cgi/scram": functools.partial(processes.cgi_cases, "scram", only=("member",)),
    "cgi/ldaps": functools.partial(processes.cgi_cases, "ldaps", only=("member",)),
    "cgi/oauth": functools.partial(processes.cgi_cases, "oauth", only=("member", "nobody")),
    "check-bad": processes.bad_cases,
    **{f"command/{store}": functools.partial(commands.command_cases, store) for store in STORES},
}


def may_concern(word, group):
    """False: no sweep of this group has that word in its name.  (Setting a group up may need a server.)"""
    names_groups = any(word.startswith(other.split("/")[0]) for other in GROUPS)
    return not names_groups or group.startswith(word) or word.startswith(group)


def run_group(group, words, every, deadline):
    """All cases of a group in a scratch folder of their own: {row of the table: Results}."""
    rows, places = {}, Places()
    scratch = Scratch()
    scratch.closing = None
    try:
        page = Page(scratch.path / "control")
        for case in GROUPS[group](page, scratch):
            sweeps = list(sweeps_of(case, words))
            if not sweeps:
                continue
            began = time.monotonic()
            case.calibrate()
            for fault, lasting, pinned in sweeps:
                kind = "allocations" if fault.kind == "alloc" else "system calls"
                sweep(case, fault, lasting, pinned, every, places, deadline, rows.setdefault((group, kind), Results()))
            print(f"# {case.name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    finally:
        if scratch.closing:
            scratch.closing()
        scratch.close()
    return rows


def print_table(rows):
    columns = [*GOOD, *BAD, "contained"]
    print(f"{'':28}{'runs':>8}" + "".join(f"{column:>11}" for column in columns))
    for (group, kind), results in sorted(rows.items()):
        counts = [results.verdicts[column] for column in columns[:-1]] + [sum(results.contained.values())]
        print(f"{group + ', ' + kind:28}{sum(counts):8}" + "".join(f"{count:11}" for count in counts))


def print_findings(rows):
    """Each kind once, with the command that repeats it; how many kinds there are."""
    kinds = {}
    for results in rows.values():
        for finding in results.findings:
            kinds.setdefault(finding.kind(), []).append(finding)
    for findings in sorted(kinds.values(), key=lambda found: found[0].verdict):
        first = findings[0]
        print(f"\nnot ok - {first.verdict}, {len(findings)} times: {first.stack}\n#   {first.details[:700]}\n"
              f"#   make faults FAULTS_ONLY='{first.name}'")
    for pattern in CONTAINED:
        count = sum(results.contained[pattern.pattern] for results in rows.values())
        if count:
            print(f"# contained, {count} times: {pattern.pattern}")
    return len(kinds)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    words = sys.argv[1:]
    build = Path(os.environ["MEMBERCHAT_BUILD"]).resolve()
    processes.SHIM = build / "tests" / "faults" / ".libs" / "shim.so"
    programs()
    every = os.environ.get("FAULTS_EVERY", "1")
    every = every if every == PLACE else int(every)
    deadline = time.monotonic() + float(os.environ.get("FAULTS_SECONDS", "1e9"))
    chosen = [group for group in GROUPS if all(may_concern(word, group) for word in words)]
    rows, trouble = {}, 0
    with ProcessPoolExecutor(int(os.environ.get("FAULTS_JOBS", os.cpu_count()))) as pool:
        futures = {group: pool.submit(run_group, group, words, every, deadline) for group in chosen}
        for group, future in futures.items():
            try:
                rows.update(future.result())
            except Exception as error:  # pylint: disable=broad-except  # whatever it is, it is told
                trouble += 1
                print(f"not ok - {group} was not tried: {error!r}")
    kinds = print_findings(rows) + trouble
    print()
    print_table(rows)
    runs = sum(results.verdicts.total() + results.contained.total() for results in rows.values())
    print(f"{runs} passed, {kinds} failed")
    return 0 if runs and not kinds else 1


if __name__ == "__main__":
    sys.exit(main())
