#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A thousand connections, good and hostile, while everything around memberchat is restarted: README.

    LOAD_SECONDS=20 LOAD_CONNECTIONS=1000 MEMBERCHAT_BUILD=... run.py

Prints TAP lines, tables, and, last, "N passed, N failed"; exit 1 on any failure.  Nothing is judged by how fast it was.
"""
import asyncio
import logging
import os
import resource
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from book import Book  # noqa: E402  (needs the path above)
from judge import Judge  # noqa: E402
from lib.programs import REPORTS, SLOW, limit, programs  # noqa: E402
from lib.scratch import wait_until  # noqa: E402
from lib.site import GUEST_PATH, member_path  # noqa: E402
from scene import FILES, PEOPLE, SERVICE, Scene  # noqa: E402
from verdicts import Verdicts  # noqa: E402
from visitors import Visitors  # noqa: E402

SECONDS = float(os.environ.get("LOAD_SECONDS", "20"))
CONNECTIONS = int(os.environ.get("LOAD_CONNECTIONS", "1000"))
PEERS = 20              # that speak FastCGI
DESCRIPTORS = 8192      # that the web servers and we can do with
MEMORY_MORE_KIB = 8192  # that the second half may need more than the first


async def press(scene, visitors, book):
    """The load, for as long as it was asked for."""
    until = time.monotonic() + SECONDS
    webs = (scene.lighttpd, scene.apache)
    others = [asyncio.create_task(work) for work in (book.watch(), *scene.disturbances(book.count))]
    await asyncio.gather(*(visitors.visit(webs[i % 2], until) for i in range(CONNECTIONS)),
                         *(visitors.hostile_peer(until) for _ in range(PEERS)))
    for task in others:
        task.cancel()
    for ended in await asyncio.gather(*others, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise ended


def check_end(scene, judge):
    """Good again, for everybody, with the last configuration and members."""
    scene.settle()

    def last(number):
        answer = scene.lighttpd.post(member_path(f"f{number}"), scene.site.auth(FILES))
        return answer.status == 200 and answer.json["userName"].endswith(f" of {scene.generation}")
    wait_until("the last members file", lambda: last(1), 20)
    for app, letter in ((PEOPLE, "p"), (SERVICE, "s")):
        path = member_path(f"{letter}7")
        wait_until(f"members of {app}", lambda: scene.apache.post(path, scene.site.auth(app)).status == 200, 20)
    for web in (scene.lighttpd, scene.apache):
        for number in range(20):
            for app, letter in ((FILES, "f"), (PEOPLE, "p"), (SERVICE, "s")):
                judge.member(web.post(member_path(f"{letter}{number}"), scene.site.auth(app)), app, number)
        for app in (FILES, SERVICE):
            judge.guest(web.post(GUEST_PATH, scene.site.auth(app)), app)


def check_descriptors(scene, book, before):
    """As many as before, but for kept connections to the stores."""
    most = before + 2 * scene.site.settings["threads"]
    wait_until(f"at most {most} descriptors", lambda: book.sample()[1] <= most, 70)


def check_memory(book):
    """The second half of the time needs what the first did."""
    half = book.samples[-1][0] / 2
    first = max(s[1] for s in book.samples if s[0] <= half)
    second = max(s[1] for s in book.samples if s[0] > half)
    if second > first + max(MEMORY_MORE_KIB, first // 4):
        raise AssertionError(f"{first} KiB at most in the first half, {second} KiB in the second")


def check_stop(scene):
    status = scene.responder.process.stop()
    if status != 0:
        raise AssertionError(f"it ended with {status}")


def judge_all(scene, judge, book, before):
    verdicts = Verdicts("load")
    number = sum(map(len, book.seen.values()))
    verdicts.say(f"{number} visits, each answer right ({len(book.mistakes)} wrong)",
                 not book.mistakes and number >= CONNECTIONS / 2, book.mistakes[:30])
    kinds = {kind for _, kind in book.seen}
    verdicts.say("all kinds of visits", kinds == set(Visitors(scene, judge, book).names), sorted(kinds))
    verdicts.say("the responder is alive", scene.responder.process.running, [scene.responder.log_text()[-2000:]])
    verdicts.attempt("everybody is served afterwards, from what was put last", lambda: check_end(scene, judge))
    verdicts.attempt("descriptors are given back", lambda: check_descriptors(scene, book, before))
    if SLOW == 1:  # sanitizers keep what is freed
        verdicts.attempt("memory is flat", lambda: check_memory(book))
    verdicts.attempt("the responder stops in order", lambda: check_stop(scene))
    return verdicts


def check_reports(verdicts):
    """Of sanitizers."""
    found = [path for path in sorted(Path(REPORTS).iterdir()) if path.stat().st_size] if REPORTS else []
    for report in found:
        verdicts.say(f"report {report.name}", False, report.read_text(errors="replace").splitlines()[:80])


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if os.geteuid() == 0 and most != resource.RLIM_INFINITY:
        most = max(most, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # of the servers, too
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # not: that a socket was closed, which servers may do
    programs()
    scene = Scene()
    try:
        judge, book = Judge(scene), Book(scene.pid)
        before = book.sample()[1]
        asyncio.run(press(scene, Visitors(scene, judge, book), book))
        for line in [*book.table(), *book.memory_table()]:
            print(f"# {line}")
        verdicts = judge_all(scene, judge, book, before)
    finally:
        scene.close()
    check_reports(verdicts)
    print(f"{verdicts.passed} passed, {verdicts.failed} failed")
    return 0 if verdicts.passed and not verdicts.failed else 1


if __name__ == "__main__":
    sys.exit(main())
