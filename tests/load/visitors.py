# SPDX-License-Identifier: MIT
"""What the connections do, good and hostile, each in turn at random."""
import asyncio
import json
import random
import socket
import time

from http11 import Connection, NoAnswer, request
from lib.answer import basic
from lib.fcgi import KEEP, PARAMS, begin, record
from lib.fcgi import request as fcgi_request
from lib.programs import limit
from lib.site import GUEST_PATH, member_path
from scene import FILES, GONE, MEMBERS, PEOPLE, SERVICE

PAUSE = (0.2, 1.8)  # seconds between two requests of a connection
LETTERS = {FILES: "f", PEOPLE: "p", SERVICE: "s"}


class Visitors:
    """All of them; `judge` says what is right, `book` keeps what was seen."""

    def __init__(self, scene, judge, book):
        self.scene, self.judge, self.book = scene, judge, book
        self.auth = {app: scene.site.auth(app) for app in LETTERS}
        self.renewed = json.dumps({"accessToken": "x"}).encode()
        # name: (how often, what)
        self.kinds = {
            "member, file": (14, lambda c: self.member(c, FILES)),
            "member, LDAP": (14, lambda c: self.member(c, PEOPLE)),
            "member, REST": (14, lambda c: self.member(c, SERVICE)),
            "guest": (12, self.guest),
            "guest, named and renewed": (6, self.renewal),
            "member who left": (4, self.gone),
            "member of another app": (4, self.stranger),
            "member in every second file": (2, self.leaver),
            "wrong secret": (5, self.wrong_secret),
            "no credentials": (2, self.no_credentials),
            "forged accessToken": (3, self.forged),
            "guest where there are none": (2, self.no_guests),
            "bad JSON": (4, self.bad_json),
            "body too large": (2, self.too_large),
            "odd request": (3, self.odd),
            "public keys": (2, self.public),
            "slow client": (4, self.slow),
            "half a request": (3, self.half),
            "aborted": (4, self.aborted),
            "never reads": (2, self.never_reads),
        }
        self.names = list(self.kinds)
        self.weights = [self.kinds[name][0] for name in self.names]

    async def visit(self, web, until):
        """One of the connections; a new one when the server closes it."""
        await asyncio.sleep(random.uniform(0, limit(2)))
        connection = None
        while time.monotonic() < until:
            name = random.choices(self.names, self.weights)[0]
            if connection and (connection.is_over or connection.served > 30):
                connection.close()
                connection = None
            try:
                connection = connection or await self.open(web)
                began = time.perf_counter()
                ended = await self.kinds[name][1](connection)
                self.book.saw(web, name, ended, time.perf_counter() - began)
            except NoAnswer as error:
                if connection and connection.served:  # the server's keep-alive time was over: not an error
                    self.book.count["kept connections that the server closed"] += 1
                else:
                    self.book.wrong(web, name, error)
                ended = None
            except Exception as error:  # whatever it is, it is told
                self.book.wrong(web, name, error)
                ended = None
            if not isinstance(ended, int) and connection:
                connection.close()
                connection = None
            await asyncio.sleep(limit(random.uniform(*PAUSE)))
        if connection:
            connection.close()

    async def open(self, web):
        connection = await Connection.open(web.port)
        connection.mount = web.mount
        return connection

    async def ask(self, connection, path, auth=None, body=b"", method="POST", fields=()):
        return await connection.exchange(
            request(method, connection.mount + path, auth, body if method == "POST" else None, fields=fields), method)

    # ---- Good ones: each returns the status ----

    async def member(self, connection, app):
        number = random.randrange(MEMBERS)
        answer = await self.ask(connection, member_path(f"{LETTERS[app]}{number}"), self.auth[app])
        self.judge.member_or_down(answer, app, number)
        return answer.status

    async def guest(self, connection):
        app = random.choice((FILES, SERVICE))
        answer = await self.ask(connection, GUEST_PATH, self.auth[app], random.choice((b"{}", b"")))
        self.judge.guest(answer, app)
        return answer.status

    async def renewal(self, connection):
        user, name = f"g{random.randrange(10**9)}", f"Gäst {random.randrange(100)}"
        body = json.dumps({"appUserId": user, "appUserName": name}).encode()
        answer = await self.ask(connection, GUEST_PATH, self.auth[FILES], body)
        token = self.judge.guest(answer, FILES, user, name)["chatToken"]
        answer = await self.ask(connection, GUEST_PATH, self.auth[FILES], json.dumps({"accessToken": token}).encode())
        self.judge.guest(answer, FILES, user, name)
        return answer.status

    async def public(self, connection):
        path = random.choice(("/.well-known/jwks.json", "/openapi.json", "/healthz"))
        answer = await self.ask(connection, path, method="GET")
        if answer.status != 200 or not answer.json or '"d"' in answer.body.decode()[:2000]:
            raise AssertionError(f"{path}: {answer!r}")
        return answer.status

    # ---- Those who get nothing ----

    async def gone(self, connection):
        app = random.choice(list(LETTERS))
        answer = await self.ask(connection, member_path(f"gone{random.randrange(GONE)}"), self.auth[app])
        self.judge.nobody(answer, app)
        return answer.status

    async def stranger(self, connection):
        app, other = random.sample(list(LETTERS), 2)
        user = f"{LETTERS[other]}{random.randrange(MEMBERS)}"
        answer = await self.ask(connection, member_path(user), self.auth[app])
        self.judge.nobody(answer, app)
        return answer.status

    async def leaver(self, connection):
        answer = await self.ask(connection, member_path("leaver"), self.auth[FILES])
        if answer.status == 200:
            body = self.judge.issued(answer, FILES, "leaver", "member", r"leaver of \d+", None)
            if int(body["userName"].split()[-1]) % 2 == 0:
                raise AssertionError("who had left got a token")
        else:
            self.judge.refused(answer, 404, "MEMBER_NOT_FOUND")
        return answer.status

    async def wrong_secret(self, connection):
        app, other = random.sample(list(LETTERS), 2)
        settings, others = (self.scene.site.settings["apps"][name] for name in (app, other))
        auth = basic(settings["api_key"], random.choice((others["api_secret"], "", settings["api_secret"] + "x")))
        path = random.choice((GUEST_PATH, member_path("f1")))
        self.judge.refused(await self.ask(connection, path, auth), 401, "INVALID_APP_CREDENTIALS")
        return 401

    async def no_credentials(self, connection):
        self.judge.refused(await self.ask(connection, member_path("f1")), 401, "EMPTY_APP_CREDENTIALS")
        return 401

    async def forged(self, connection):
        """A guest's token of another app, or one with a changed signature."""
        other = random.random() < 0.5
        answer = await self.ask(connection, GUEST_PATH, self.auth[SERVICE if other else FILES])
        token = self.judge.guest(answer, SERVICE if other else FILES)["chatToken"]
        if not other:
            middle = len(token) - 20
            token = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
        body = json.dumps({"accessToken": token}).encode()
        answer = await self.ask(connection, GUEST_PATH, self.auth[FILES], body)
        self.judge.refused(answer, 401, "INVALID_ACCESS_TOKEN")
        return answer.status

    async def no_guests(self, connection):
        self.judge.refused(await self.ask(connection, GUEST_PATH, self.auth[PEOPLE]), 403, "GUESTS_NOT_ALLOWED")
        return 403

    async def bad_json(self, connection):
        body = random.choice((b"{", b"[]", b'{"appUserId":1}', b'{"a":' * 30, b'{"appUserName":"\xff"}', b"NaN",
                              b'{"appUserName":"\\u0000"}', b"{}{}"))
        self.judge.refused(await self.ask(connection, GUEST_PATH, self.auth[FILES], body), 400,
                           "INVALID_HTTP_MESSAGE_BODY")
        return 400

    async def too_large(self, connection):
        body = b" " * random.choice((16_385, 60_000))
        self.judge.refused(await self.ask(connection, GUEST_PATH, self.auth[FILES], body), 413, "REQUEST_TOO_LARGE")
        return 413

    async def odd(self, connection):
        """The wrong method, path, type or id."""
        which = random.randrange(3)
        if which == 0:
            answer = await self.ask(connection, GUEST_PATH, self.auth[FILES], method="GET")
            self.judge.refused(answer, 405, "UNSUPPORTED_HTTP_METHOD")
        elif which == 1:
            answer = await self.ask(connection, "/v2/apps/you" + GUEST_PATH, self.auth[FILES])
            self.judge.refused(answer, 404, "RESOURCE_NOT_FOUND")
        else:
            answer = await self.ask(connection, GUEST_PATH, self.auth[FILES], b'{"appUserId":"a b"}')
            self.judge.refused(answer, 400, "INVALID_APP_USER_ID_FORMAT")
        return answer.status

    # ---- Bad clients: the connection is of no use afterwards, where they return a text ----

    async def slow(self, connection):
        """A good request, a few bytes at a time."""
        user = f"slow{random.randrange(10**9)}"
        data = request("POST", connection.mount + GUEST_PATH, self.auth[FILES],
                       json.dumps({"appUserId": user}).encode())
        step = max(1, len(data) // 12)
        for i in range(0, len(data) - step, step):
            connection.writer.write(data[i:i + step])
            await asyncio.sleep(0.15)
            rest = data[i + step:]
        answer = await connection.exchange(rest)
        self.judge.guest(answer, FILES, user)
        return answer.status

    async def half(self, connection):
        data = request("POST", connection.mount + GUEST_PATH, self.auth[FILES], b'{"appUserId":"half"}')
        connection.writer.write(data[:random.randrange(1, len(data))])
        await asyncio.sleep(random.uniform(0.2, 2.5))
        connection.reset()
        return "left"

    async def aborted(self, connection):
        app = random.choice(list(LETTERS))
        connection.writer.write(request("POST", connection.mount + member_path(f"{LETTERS[app]}1"), self.auth[app], b""))
        await asyncio.sleep(random.choice((0, 0.001, 0.02)))
        connection.reset()
        return "left"

    async def never_reads(self, connection):
        connection.writer.transport.pause_reading()
        connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one = request("GET", connection.mount + "/openapi.json")
        connection.writer.write(one * 40)
        await asyncio.sleep(random.uniform(2, 4))
        connection.reset()
        return "left"

    # ---- Peers that speak FastCGI, and that memberchat's socket lets in ----

    async def hostile_peer(self, until):
        whole = fcgi_request("GET", "/openapi.json", flags=KEEP)
        kinds = (b"", begin()[:5], begin() + record(PARAMS, b"\xff\xff\xff\xff\xff"), random.randbytes(500), whole * 30,
                 begin() + record(PARAMS, b"\x04\x7fNAME"), whole[:len(whole) // 2], begin(role=9))
        while time.monotonic() < until:
            reader, writer = await asyncio.open_unix_connection(str(self.scene.responder.address))
            writer.transport.pause_reading()
            writer.write(random.choice(kinds))
            await asyncio.sleep(random.uniform(0.5, 3))
            writer.transport.abort()
            self.book.count["hostile FastCGI peers"] += 1
