#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two machines behind HAProxy, of which one is cut off under load, loses the directory, or gets a key first: README.

Needs root, for network namespaces of its own.  Prints a table of what clients saw, TAP lines, and, last,
"N passed, N failed".
"""
import asyncio
import collections
import json
import os
import random
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from cluster import MACHINES, Cluster  # noqa: E402  (needs the path above)
from http11 import NoAnswer, request  # noqa: E402
from judge import Judge, verify_es256  # noqa: E402
from lib.programs import limit, programs  # noqa: E402
from lib.site import CHAT_URL, GUEST_PATH, member_path  # noqa: E402
from lib.tokens import equal, unpadded  # noqa: E402
from network import Network  # noqa: E402
from scene import FILES, MEMBERS, PEOPLE, PREFIX  # noqa: E402
from verdicts import Verdicts  # noqa: E402

CLIENTS = 60
GUEST, FILE, LDAP = "guest", "member, file", "member, LDAP"


class ClusterJudge(Judge):
    """All apps sign with the same ES256 keys."""

    def __init__(self, cluster):
        self.scene = cluster

    def claims(self, app, body):
        head, payload, signature = body["chatToken"].split(".")
        header = json.loads(unpadded(head))
        verify_es256(self.scene.public_keys[header["kid"]], f"{head}.{payload}".encode(), unpadded(signature))
        equal("chatServerWebSocketUrl", body["chatServerWebSocketUrl"], CHAT_URL)
        return json.loads(unpadded(payload))


class Clients:
    """They ask for tokens while phases follow each other."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.judge = ClusterJudge(cluster)
        self.auth = {app: cluster.site.auth(app) for app in (FILES, PEOPLE)}
        self.phase = ""
        self.over = False
        self.seen = collections.defaultdict(collections.Counter)  # (phase, kind): how it ended
        self.longest = collections.Counter()                      # the same: seconds
        self.served_by = collections.defaultdict(collections.Counter)  # phase: machines
        self.mistakes = []

    async def live(self):
        token = None
        while not self.over:
            kind, phase, began = random.choice((GUEST, FILE, LDAP)), self.phase, time.monotonic()
            try:
                answer, token = await self.ask(kind, token)
                ended = answer.status
                self.served_by[phase][answer.header("X-Machine") or "HAProxy itself"] += 1
            except Exception as error:  # whatever it is, it is told
                ended = "no answer" if isinstance(error, NoAnswer) else "wrong"
                self.mistakes.append(f"{phase}, {kind}: {error!r}")
            self.seen[phase, kind][ended] += 1
            self.longest[phase, kind] = max(self.longest[phase, kind], time.monotonic() - began)
            await asyncio.sleep(random.uniform(0.05, 0.25))

    async def ask(self, kind, token):
        """The answer, which was right, and a guest's token, which any machine renews."""
        connection = await self.cluster.open()
        number = random.randrange(MEMBERS)
        path, app, body = {
            GUEST: (GUEST_PATH, FILES, json.dumps({"accessToken": token} if token else {"appUserId": f"g{number}"})),
            FILE: (member_path(f"f{number}"), FILES, ""),
            LDAP: (member_path(f"p{number}"), PEOPLE, "")}[kind]
        try:
            answer = await connection.exchange(
                request("POST", connection.mount + path, self.auth[app], body.encode(), close=True))
        finally:
            connection.close()
        if answer.status >= 500:
            if answer.header("X-Machine"):
                self.judge.refused(answer, 503, "MEMBER_STORE_UNAVAILABLE")
        elif kind == GUEST:
            got = self.judge.issued(answer, app, None, "guest", "GUEST_g.*", None)
            if not got["userId"].startswith(PREFIX):
                raise AssertionError(got["userId"])
            token = got["chatToken"]
        else:
            self.judge.member(answer, app, number)
        return answer, token

    async def until(self, what, probe, seconds=30):
        """Waits under load."""
        deadline = time.monotonic() + limit(seconds)
        while not await asyncio.to_thread(probe):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.phase}: {what}: not within {limit(seconds):g} s")
            await asyncio.sleep(0.05)

    def served(self, machine):
        return self.served_by[self.phase][machine]

    async def answers(self, kind, code, number=20):
        """That many of a kind in this phase."""
        await self.until(f"{number} x {code}", lambda: self.seen[self.phase, kind][code] >= number)

    # ---- What happens ----

    async def play(self):
        clients = [asyncio.create_task(self.live()) for _ in range(CLIENTS)]
        try:
            for phase, step in PHASES.items():
                self.phase = phase
                await step(self)
        finally:
            self.over = True
            await asyncio.gather(*clients)

    async def both(self):
        for machine in MACHINES:
            await self.until(f"{machine} serves", lambda machine=machine: self.served(machine) > 50)

    async def cut_off(self):
        self.cluster.network.cut("one")
        await asyncio.sleep(7)  # what was on its way to it waits for "timeout server"
        before = self.served("one")
        await self.until("the other one serves", lambda: self.served("two") > 200)
        equal("answers of a machine that is cut off", self.served("one"), before)

    async def back(self):
        self.cluster.network.mend("one")
        await self.both()

    async def no_way_to_the_directory(self):
        """Its /readyz says so, and the other machine serves all."""
        self.cluster.network.part("one", "directory")
        await self.until("only the other one serves", self.is_out, 30)
        await self.answers(LDAP, 200, 50)
        self.cluster.network.join("one", "directory")

    def is_out(self):
        """Only the other machine serves."""
        before = self.served_by[self.phase].copy()
        time.sleep(limit(0.5))
        after = self.served_by[self.phase]
        return after["one"] == before["one"] and after["two"] > before["two"] + 5

    async def directory_down(self):
        """Guests and members of the file are served by both."""
        self.cluster.slapd.kill()
        await self.answers(LDAP, 503)
        for kind in (GUEST, FILE):
            await self.answers(kind, 200, 40)
        await asyncio.to_thread(self.cluster.slapd.restart)
        await self.answers(LDAP, 200, 40)
        await self.both()

    async def change_key(self):
        """First everybody publishes the new key, then one machine after the other signs with it."""
        new, old = "keys/es-new.pem#es-new", "keys/es-old.pem#es-old"
        self.cluster.sign_with("es-old", next_keys=[new])
        for name in MACHINES:
            await self.deploy(name)
        self.cluster.sign_with("es-new", previous_keys=[old])
        for name in MACHINES:
            await self.deploy(name)
            await asyncio.sleep(0.5)  # one signs with the new key, the other one renews its guests
        for machine in self.cluster.machines.values():
            equal("published keys", await self.published(machine), ["es-new", "es-old"])

    async def deploy(self, name):
        self.cluster.site.write()
        machine = self.cluster.machines[name]
        done = machine.responder.log_text().count(": loaded")
        await asyncio.to_thread(machine.deploy, self.cluster.site)
        machine.responder.process.send_signal(1)
        await self.until("the reload", lambda: machine.responder.log_text().count(": loaded") > done)

    async def published(self, machine):
        answer = await asyncio.to_thread(machine.responder.call, "GET", "/.well-known/jwks.json")
        return sorted({key["kid"] for key in answer.json["keys"]})

    # ---- What was seen ----

    def table(self):
        lines = [f"{'phase':<30} {'request':<13} {'longest s':>9}  answers by code"]
        for (phase, kind), codes in self.seen.items():
            told = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items(), key=str))
            lines.append(f"{phase:<30} {kind:<13} {self.longest[phase, kind]:>9.2f}  {told}")
        for phase, machines in self.served_by.items():
            lines.append(f"{phase:<30} served by     {dict(sorted(machines.items()))}")
        return lines

    def lost(self, phase, kinds):
        """What ended otherwise than with 200."""
        return [f"{kind}: {dict(self.seen[phase, kind])}" for kind in kinds
                if set(self.seen[phase, kind]) - {200}]


PHASES = {
    "both": Clients.both,
    "one is cut off": Clients.cut_off,
    "it is back": Clients.back,
    "one has no way to slapd": Clients.no_way_to_the_directory,
    "slapd is down, and back": Clients.directory_down,
    "a new key": Clients.change_key,
}
MAY_BE_UNAVAILABLE = {"slapd is down, and back", "one has no way to slapd"}


def judge_all(clients, trouble):
    verdicts = Verdicts("machines")
    verdicts.say("the phases pass as they should", not trouble, trouble)
    verdicts.say("each answer is right", not clients.mistakes, clients.mistakes[:20])
    for phase in PHASES:
        kinds = (GUEST, FILE) if phase in MAY_BE_UNAVAILABLE else (GUEST, FILE, LDAP)
        lost = clients.lost(phase, kinds)
        verdicts.say(f"{phase}: {', '.join(kinds)} get their tokens", not lost, lost)
    return verdicts


def main():
    programs()
    try:
        network = Network([*MACHINES, "directory"])
    except (AssertionError, OSError) as error:
        print(f"not ok 1 - machines: there are no network namespaces to test with (it needs root): {error}")
        print("0 passed, 1 failed")
        return 1
    try:
        cluster = Cluster(network)
        try:
            clients, trouble = Clients(cluster), []
            try:
                asyncio.run(clients.play())
            except Exception as error:  # whatever it is, it is told
                trouble = [repr(error)]
            for line in clients.table():
                print(f"# {line}")
            verdicts = judge_all(clients, trouble)
            for name, machine in cluster.machines.items():
                verdicts.attempt(f"responder {name} stops in order", lambda m=machine: equal(
                    "status", m.responder.process.stop(), 0))
        finally:
            cluster.close()
    finally:
        network.close()
    print(f"{verdicts.passed} passed, {verdicts.failed} failed")
    return 0 if not verdicts.failed else 1


if __name__ == "__main__":
    sys.exit(main())
