# SPDX-License-Identifier: MIT
"""Sites to ask, and each kind of request with what a right answer to it is."""
import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Callable

from judge import same_as
from lib.answer import basic
from lib.certificates import Authority
from lib.fcgi import request_pairs
from lib.keys import keygen
from lib.responder import command
from lib.site import APP, GUEST_PATH, Site, member_path
from lib.slapd import Slapd, tls_lines
from lib.sql import MariaDB, PostgreSQL
from lib.upstream import Scripted, asked_id, http, member

SERVERS = ("mysql", "pgsql", "scram")
LIKE_OTHERS = ("oauth", "ldaps")  # of which only what another store does not do is tried
QUERY = "SELECT id AS appUserId, name AS appUserName, state FROM people WHERE id = {id}"
DENIED = "# by a moderator\nbanished\n\"somebody else\" 2090-01-01\n"
NAME, AVATAR = "Zoë \"quoted\" \U0001f600", "https://img.example.com/g1.png"


@dataclass
class Request:
    """`expect`: raises unless an answer is right; None: whatever a clean run answers, but for what may differ.
    `before`: is called before each run."""
    name: str
    pairs: list
    body: bytes = b""
    expect: Callable | None = None
    heavy: bool = False  # thousands of allocations
    before: Callable | None = None

    def calibrate(self, clean):
        """Takes what a clean run answered, which has to be right."""
        if self.expect:
            self.expect(clean)
        else:
            self.expect = same_as(clean)


class Whole:
    """Of what is another text each time: the same parts as in the first answer, which is a clean run's.
    `least`: what a process has that could not open the figures."""

    def __init__(self, parts, least=None):
        self.parts = parts
        self.least = least
        self.clean = None

    def expect(self, answer):
        found = (answer.status, self.parts(answer))
        self.clean = self.clean or found
        if found not in (self.clean, (200, self.least)) or answer.status != 200:
            raise AssertionError(f"{found}, not {self.clean}")


def metric_names(answer):
    """Those that every process has from its first request on."""
    return re.findall(r"^# TYPE (\S+)", answer.body.decode(), re.M), answer.body[-1:]


def headings(answer):
    return re.findall(r"<h[12][^>]*>[^<]*", answer.body.decode()), answer.body.strip()[-7:]


class Asked:
    """A site with a store of some kind, and its requests."""

    def __init__(self, scratch, store, public_keys=True):
        self.site = Site(scratch.path / "site")
        self.cleanups = []  # Scripted registers its end here, as with a test case
        self.people = {"m1": ("foobar1", "https://img.foobar.com/users/1/profile.jpg"), "m2": ("foobar2", None)}
        self.ids = ("1", "2", "3")  # two members and a person who may not come in
        self.end_sessions = None  # a server's connections end
        if public_keys and store not in (*SERVERS, *LIKE_OTHERS, "sqlite"):  # what OpenSSL does depends on no store
            self.add_es256()
        getattr(self, f"use_{store}")(scratch)
        self.site.put("denied.txt", DENIED)
        self.site.change_app(denied_file="denied.txt")
        self.site.write({"threads": 2, "request_timeout": "2s"})

    def add_es256(self):
        """An app that signs with it: OpenSSL makes thousands of allocations for that."""
        keygen(self.site, "ES256", "es256.jwk", "--key-id", "e1")
        self.site.settings["apps"]["es256"] = self.site.new_app(
            "es256", "es256-key", "es256-secret-of-length", token={
                "algorithm": "ES256", "key_file": "keys/es256.jwk", "key_id": None})

    def use_file(self, _):
        """With all that can be seen of it, too."""
        self.site.settings["status"] = {"file": "figures", "allow": ["127.0.0.1"]}
        self.site.settings["log"]["access"] = "access.log"

    def use_cdb(self, _):
        done = command("index", self.site.members)
        if done.returncode:
            raise AssertionError(done.stderr)
        self.site.settings["stores"]["members"]["path"] = "members.cdb"

    def use_ldap(self, scratch):
        slapd = Slapd(scratch, schemes=("ldap",))
        self.ids = ("m1", "m2", "m3")
        self.people = {"m1": ("Ann", "https://img.example.com/1.jpg"), "m2": ("cn of m2", None)}
        self.site.settings["stores"]["members"] = {
            **slapd.settings(), "active_filter": "(!(employeeType=disabled))", "cache": {"size": 0},
            "breaker": {"failures": 0}, "avatar_attribute": "labeledURI"}

    def use_rest(self, _):
        service = Scripted(self, answer_as_members)
        self.site.settings["stores"]["members"] = {
            "plugin": "rest", "url": service.url + "/members/{id}", "cache": {"size": 0},
            "breaker": {"failures": 0}}

    def use_oauth(self, _):
        """A service that wants a fresh token and a body, and sends us on."""
        service = Scripted(self, answer_those_with_a_token)
        self.site.put("client.secret", "secret\n", 0o600)
        self.site.settings["stores"]["members"] = {
            "plugin": "rest", "url": service.url + "/members/{id}", "method": "POST", "body": '{"id": "{id}"}',
            "follow_redirects": True, "cache": {"size": 0}, "breaker": {"failures": 0},
            "oauth2": {"token_url": service.url + "/token", "client_id": "chat", "client_secret_file": "client.secret"}}

    def use_ldaps(self, scratch):
        authority = Authority(scratch.path, "ca")
        slapd = Slapd(scratch, schemes=("ldaps",), head=tls_lines(*authority.issue()))
        self.ids = ("m1", "m2", "m3")
        self.people = {"m1": ("Ann", "https://img.example.com/1.jpg"), "m2": ("cn of m2", None)}
        self.site.settings["stores"]["members"] = {
            **slapd.settings(uri=slapd.tls_uri, ca_file=str(authority.certificate)), "cache": {"size": 0},
            "breaker": {"failures": 0}, "avatar_attribute": "labeledURI"}

    def use_sqlite(self, _):
        with sqlite3.connect(self.site.folder / "site.db") as database:
            database.execute("CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, state TEXT)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?)",
                                 [("1", "Ann", "ACTIVE"), ("2", NAME, None), ("3", "Gone", "LEFT")])
        database.close()
        self.use_sql(NAME, plugin="sqlite", path="site.db")

    def use_mysql(self, _):
        self.use_server(MariaDB())

    def use_pgsql(self, _):
        """With MD5: SCRAM's thousands of rounds make an allocation each."""
        server = PostgreSQL()
        server.sql("SET password_encryption = md5; ALTER USER chat PASSWORD 'secret'")
        self.use_server(server)

    def use_scram(self, _):
        self.use_server(PostgreSQL())

    def use_server(self, server):
        self.addCleanup(server.remove)
        self.end_sessions = server.end_sessions
        self.site.put("sql.password", "secret\n", 0o600)
        self.use_sql("Björn \\ \"B\" 'x'; --", plugin=server.plugin, hosts=["127.0.0.1"], port=server.port,
                     database="site", user="chat", password_file="sql.password")

    def use_sql(self, plain_name, **keys):
        """Members 1 and 2, and 3, who left."""
        self.people = {"1": ("Ann", None), "2": (plain_name, None)}
        self.site.settings["stores"]["members"] = {
            **keys, "query": QUERY, "cache": {"size": 0}, "breaker": {"failures": 0}}

    def addCleanup(self, function):  # pylint: disable=invalid-name  # as unittest has it
        self.cleanups.append(function)

    def close(self):
        for function in self.cleanups:
            function()

    def requests(self):
        auth, site = self.site.auth(), self.site
        known, plain, banned = self.ids
        (name, avatar), (plain_name, _) = self.people.values()

        def post(path, body=b"", credentials=auth, **extra):
            return request_pairs("POST", path, credentials, body, extra)

        def right(**expected):
            return lambda answer: site.check(answer, **expected)

        told = json.dumps({"appUserId": "g1", "appUserName": NAME, "appUserProfileImgUrl": AVATAR}).encode()
        yield Request("guest", post(GUEST_PATH, b"{}"), b"{}", right(role="guest"))
        yield Request("guest-fields", post(GUEST_PATH, told), told,
                      right(user="g1", name=NAME, avatar=AVATAR, role="guest"))
        renewal = json.dumps({"accessToken": self.guest_token()}).encode()
        yield Request("renewal", post(GUEST_PATH, renewal), renewal, right(user="g9", name="Ida", role="guest"))
        forged = json.dumps({"accessToken": self.guest_token()[:-3] + "AAA"}).encode()
        yield Request("forged", post(GUEST_PATH, forged), forged)
        other = json.dumps({"accessToken": self.guest_token(), "appUserId": "g8"}).encode()
        yield Request("another-guest", post(GUEST_PATH, other), other)
        twice = b'{"appUserId":"g1","appUserId":'
        yield Request("bad-json", post(GUEST_PATH, twice), twice)
        yield Request("member", post(member_path(known)), b"", right(user=known, name=name, avatar=avatar))
        yield Request("member-plain", post(member_path(plain)), b"", right(user=plain, name=plain_name))
        if self.end_sessions:
            yield Request("member-connect", post(member_path(known)), b"", right(user=known, name=name),
                          before=self.end_sessions)
        yield Request("banned", post(member_path(banned)))
        yield Request("nobody", post(member_path("nobody")))
        banished = b'{"appUserId":"banished"}'
        yield Request("denied-guest", post(GUEST_PATH, banished), banished)
        yield Request("denied-member", post(member_path("banished")))
        yield Request("bad-secret", post(GUEST_PATH, b"{}", basic("demo-key", "not-the-secret")), b"{}")
        yield Request("no-secret", post(member_path(known), b"", None))
        if "es256" in site.settings["apps"]:
            yield Request("es256", post(member_path(plain), b"", site.auth("es256")), b"",
                          self.expect_es256(plain), heavy=True)
        yield Request("jwks", request_pairs("GET", "/.well-known/jwks.json"))
        yield Request("health", request_pairs("GET", "/healthz"))
        yield Request("ready", request_pairs("GET", "/readyz"))
        yield Request("nowhere", post("/v2/apps/me/nothing"))
        if "status" in site.settings:
            yield Request("metrics", request_pairs("GET", "/metrics"), b"",
                          Whole(metric_names, (["memberchat_signing_key_info"], b"\n")).expect)
            yield Request("status", request_pairs("GET", "/status"), b"", Whole(headings).expect)
            yield Request("status-json", request_pairs("GET", "/status?json", extra={"QUERY_STRING": "json"}), b"",
                          Whole(lambda answer: sorted(answer.json)).expect)

    def guest_token(self):
        done = command("token", "-c", self.site.conf, APP, "--guest", "--id", "g9", "--name", "Ida")
        return json.loads(done.stdout)["chatToken"]

    def expect_es256(self, user):
        import jwt  # pylint: disable=import-outside-toplevel
        from lib.keys import pyjwt_key, read_jwk  # pylint: disable=import-outside-toplevel
        jwk = read_jwk(self.site, "es256.jwk")

        def expect(answer):
            if answer.status != 200 or answer.json["userId"] != user:
                raise AssertionError(repr(answer))
            claims = jwt.decode(answer.json["chatToken"], pyjwt_key(jwk), algorithms=["ES256"],
                                audience="es256", issuer="memberchat")
            if (claims["sub"], claims["role"]) != (user, "member"):
                raise AssertionError(claims)
        return expect


def answer_those_with_a_token(request, peer):
    """The same, a step further on; it gives tokens of no time, too."""
    if request.target == "/token":
        peer.sendall(http({"access_token": "a-token", "token_type": "Bearer", "expires_in": 0}))
    elif request.header("Authorization") != "Bearer a-token" or asked_id(request).encode() not in request.body:
        peer.sendall(http({}, "401 Unauthorized"))
    elif request.target.startswith("/members/"):
        peer.sendall(http(b"", "307 Go on", [f"Location: /moved/{asked_id(request)}"]))
    else:
        return answer_as_members(request, peer)
    return True


def answer_as_members(request, peer):
    """A REST service of three members and nobody else."""
    user = asked_id(request)
    if user in ("1", "2", "3"):
        peer.sendall(http(member(user)))
    else:
        peer.sendall(http({"errorCode": "MEMBER_NOT_FOUND"}, "404 Not Found"))
    return True
