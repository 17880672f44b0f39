# SPDX-License-Identifier: MIT
"""The command's subcommands, with faults from their start on."""
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asked import DENIED, SERVERS, Asked
from control import KINDS
from judge import AFTERWARDS, REFUSED, RIGHT
from lib.answer import Answer
from lib.programs import programs
from lib.site import APP, KEY, SECRET
from processes import HEAVY, Cgi, Command, spawn


def require(condition, what):
    if not condition:
        raise AssertionError(what)


def as_answer(out):
    """The command's output as if it were an answer of the API."""
    headers = {"content-type": ["application/json"], "cache-control": ["no-store"],
               "x-content-type-options": ["nosniff"], "x-request-id": ["-"]}
    return Answer(200, headers, out)


def unless_left(case, verdict, details, *patterns):
    """A file that a command leaves beside its own is a finding."""
    left = [path.name for pattern in patterns for path in case.site.folder.glob(pattern)]
    removable = case.page["kinds"] != 1 << KINDS.index("rename") or case.page["burst"]  # unlink() is of that kind
    if left and removable and verdict in (RIGHT, REFUSED):
        return AFTERWARDS, f"left: {left}"
    return verdict, details


class Keygen(Command):
    """What keygen leaves is a whole key, or nothing."""

    def __init__(self, name, page, site, algorithm, ending="jwk"):
        self.path = site.folder / "keys" / f"made-{algorithm}.{ending}"
        super().__init__(name, page, site, ["keygen", algorithm, self.path], self.made)
        self.stride = HEAVY if algorithm == "ES256" else 1

    def prepare(self):
        self.path.unlink(missing_ok=True)

    def made(self, out):
        if self.path.suffix == ".pem":
            require(re.fullmatch(r"-----BEGIN [^-]+-----\n[\w+/=\n]+-----END [^-]+-----\n", self.path.read_text()), "no key")
            return
        private, public = json.loads(self.path.read_text()), json.loads(out) if out.strip() else None
        require(private.get("k") or private.get("d"), f"no key in {private.keys()}")
        require(not public or public.get("kid") == private.get("kid"), "another key id")

    def run(self):
        verdict, details = super().run()
        if verdict == REFUSED and self.path.exists():
            try:
                self.made(b"")
            except Exception as error:  # pylint: disable=broad-except
                return AFTERWARDS, f"half a key file was left: {error}"
        return verdict, details


class Index(Command):
    """What index leaves is what was there, or all of what is new."""

    def __init__(self, name, page, site):
        super().__init__(name, page, site, ["index", site.members], lambda _: None)
        self.compiled = site.folder / "members.cdb"
        self.fresh = None

    def prepare(self):
        for path in self.site.folder.glob("members.cdb*"):
            path.unlink()
        self.compiled.write_bytes(b"was here before")
        self.compiled.chmod(0o640)

    def calibrate(self):
        super().calibrate()
        self.fresh = self.compiled.read_bytes()

    def is_whole(self, content):
        """The order of the members is another each time; the bytes of their records are not."""
        return len(content) == len(self.fresh) and all(
            line in content for line in self.site.members.read_bytes().splitlines())

    def run(self):
        verdict, details = super().run()
        now = self.compiled.read_bytes() if self.compiled.exists() else b""
        before = now == b"was here before"
        if verdict == RIGHT and (before or not self.is_whole(now)) or verdict == REFUSED and not before:
            return AFTERWARDS, f"exit as {verdict}, and the file has {len(now)} bytes: {now[:40]}"
        return unless_left(self, verdict, details, "members.cdb?*")


class Edit(Command):
    """deny and allow leave the list as it was, or all of what is new."""

    def __init__(self, name, page, site, arguments, before, after):
        super().__init__(name, page, site, arguments, lambda _: None)
        self.path = site.folder / "denied.txt"
        self.before, self.after = before, after

    def prepare(self):
        for path in self.site.folder.glob("denied.txt*"):
            path.unlink()
        self.site.put("denied.txt", self.before)

    def calibrate(self):
        super().calibrate()
        require(self.path.read_text() == self.after, f"not what was meant: {self.path.read_text()!r}")

    def run(self):
        verdict, details = super().run()
        now = self.path.read_text() if self.path.exists() else None
        told = self.page["kinds"] == 1 << KINDS.index("write")  # 74 when it was done, but could not be told
        wanted = {RIGHT: (self.after,), REFUSED: (self.before, self.after) if told else (self.before,)}
        if now not in wanted.get(verdict, (now,)):
            return AFTERWARDS, f"{verdict}, and the list is {now!r}"
        return unless_left(self, verdict, details, ".denied*", "denied.txt?*")


class Finding(Command):
    """What it finds is its answer, exit 1: with a failure that may be more, never less."""

    def __init__(self, name, page, site, arguments, found):
        super().__init__(name, page, site, arguments, self.compare, refusals=(2,))
        self.found = found  # whether the output tells of something wrong
        self.clean = None

    def compare(self, out):
        """Of a clean run, or one as good: that it is whole, and says nothing of the kind."""
        require(out.endswith((b"\n", b"}")) and not self.found(out), "it says that something is wrong")
        self.clean = self.clean or len(out.splitlines())
        require(len(out.splitlines()) == self.clean, f"not {self.clean} lines")

    def run(self):
        status, out, err = self.spawn()
        if status == 1 and (self.found(out) or err.strip()):
            return REFUSED, ""
        return self.judge_run(status, out, err)


class WithoutCurl(Finding):
    """Calls by https need curl: a fault in any case, exit 1."""

    def __init__(self, name, page, site, url):
        super().__init__(name, page, site, ["doctor", "-c", site.conf, "--url", url], lambda out: b"fault: " in out)
        self.good = 1
        self.stride = HEAVY

    def compare(self, out):
        require(self.found(out), "nothing is wrong")

    def spawn(self):
        return spawn([programs().command, *self.arguments], self.page, PATH="/nowhere")


def judge_new_secret(out):
    text = out.decode()
    found = re.search(r"(?i)secret[^\n]*?[:=]\s*\"?([A-Za-z0-9_-]{20,})\s*$", text, re.M)
    digests = re.findall(r"\b[0-9a-f]{64}\b", text)
    require(found and hashlib.sha256(found[1].encode()).hexdigest() in digests, "no secret with its digest")


def judge_new_app(out):
    text = out.decode()
    found = re.search(r"(?i)secret[^\n]*?[:=]\s*\"?([A-Za-z0-9_-]{20,})\s*$", text, re.M)
    require(found and re.search(r'api_key\s*=\s*"[^"]{8,}"', text), "no key or no secret")
    digest = re.search(r'api_secret_sha256[^"]*"([0-9a-f]{64})"', text)
    require(digest and digest[1] == hashlib.sha256(found[1].encode()).hexdigest(), "the digest is another secret's")
    require(text.rstrip().endswith("}") or text.count("{") == text.count("}"), "half a block")


def command_cases(store, page, scratch):
    asked = Asked(scratch, store, public_keys=False)
    scratch.closing = asked.close
    site, (known, plain, banned) = asked.site, asked.ids
    (name, avatar), (plain_name, _) = asked.people.values()
    conf = ["-c", site.conf]
    token = asked.guest_token()

    def case(what, arguments, judge, **more):
        made = Command(f"command/{store}/{what}", page, site, [arguments[0], *conf, *arguments[1:]], judge, **more)
        made.stride = HEAVY if store in (*SERVERS, "rest") else 1  # what libraries do when they begin
        return made

    def found(user, user_name):
        return lambda out: require(user in json.loads(out).values() and user_name in json.loads(out).values(), "another")

    def valid(out):
        require(b'"g9"' in out and out.rstrip().endswith(b"}"), "not the token's claims")

    yield case("check", ["check"], lambda out: require(out.endswith(b": ok\n"), "no ok"))
    yield case("lookup", ["lookup", "members", known], found(known, name), refusals=(2, 3))
    yield case("lookup-nobody", ["lookup", "members", "nobody"], lambda out: require(not out, "output"), good=1,
               refusals=(2, 3))
    yield case("lookup-banned", ["lookup", "members", banned], lambda out: require(not out, "output"), good=1,
               refusals=(2, 3))
    yield case("token", ["token", APP, "--member", plain],
               lambda out: site.check(as_answer(out), user=plain, name=plain_name))
    yield case("token-banned", ["token", APP, "--member", banned], lambda out: require(not out, "output"), good=1,
               refusals=(1, 2, 3))
    if store != "file":
        return
    yield case("check-online", ["check", "--online"], lambda out: require(out.endswith(b": ok\n"), "no ok"))
    yield case("token-guest", ["token", APP, "--guest", "--id", "g1"],
               lambda out: site.check(as_answer(out), user="g1", role="guest"))
    yield case("verify", ["verify", APP, token], valid)
    yield case("verify-forged", ["verify", APP, token[:-3] + "AAA"], lambda out: require(not out, "output"), good=1)
    yield case("new-app", ["new-app", "shop-1"], judge_new_app)
    for algorithm in ("HS256", "ES256"):
        yield Keygen(f"command/{store}/keygen-{algorithm}", page, site, algorithm)
    yield Keygen(f"command/{store}/keygen-pem", page, site, "ES256", "pem")
    yield Index(f"command/{store}/index", page, site)
    yield from office_cases(store, page, asked)
    yield Command(f"command/{store}/help", page, site, ["--help"], lambda out: require(len(out) > 200, "no help"))


def same_text(clean):
    """Judges by the first output, which is a clean run's."""
    def judge(out):
        clean.append(out)
        require(out and out == clean[0], f"not {clean[0]!r}")
        del clean[1:]
    return judge


WORDPRESS = """\
<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'of-wordpress');
define('DB_HOST', 'localhost');
$table_prefix = 'wp_';
"""


class Mount(BaseHTTPRequestHandler):
    """Whoever sends credentials gets a token."""

    def do_POST(self):  # pylint: disable=invalid-name
        known = "Authorization" in self.headers
        body = b'{"chatToken": "x"}' if known else b'{"errorCode": "EMPTY_APP_CREDENTIALS"}'
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Of nobody's interest."""


class Outside(ThreadingHTTPServer):
    """The API as a web server shows it to doctor."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Mount)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/chat-api"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """It may go away in the middle."""

    def close(self):
        self.shutdown()
        self.server_close()


def office_cases(store, page, asked):
    """What an administrator does beside the configuration."""
    site = asked.site
    conf = ["-c", site.conf]

    def case(what, arguments, judge, **more):
        return Command(f"command/{store}/{what}", page, site, [arguments[0], *conf, *arguments[1:]], judge, **more)

    yield Edit(f"command/{store}/deny", page, site, ["deny", *conf, APP, "4711"], DENIED, DENIED + "4711\n")
    yield Edit(f"command/{store}/allow", page, site, ["allow", *conf, APP, "4711"], DENIED + "4711\n", DENIED)
    yield case("new-secret", ["new-secret", APP], judge_new_secret)
    path = site.put("wp-config.php", WORDPRESS)
    yield case("new-store", ["new-store", "wordpress", path], same_text([]))
    (site.folder / "includes").mkdir(exist_ok=True)
    site.put("includes/Defines.php", "<?php define('MW_VERSION', '1.43.0');")
    path = site.put("LocalSettings.php", "<?php $wgDBname = 'wiki';")
    yield case("new-store-mediawiki", ["new-store", "mediawiki", path], same_text([]))
    doctor = Finding(f"command/{store}/doctor", page, site, ["doctor", *conf, "--member", "1"],
                     lambda out: b"fault: " in out)
    doctor.stride = HEAVY
    yield doctor
    outside = Outside()
    secret = site.put("secret", SECRET, 0o600)
    yield Finding(f"command/{store}/doctor-url", page, site,
                  ["doctor", *conf, "--url", outside.url, "--key", KEY, "--secret-file", secret], lambda out: b"fault: " in out)
    outside.close()
    yield WithoutCurl(f"command/{store}/doctor-https", page, site, "https://127.0.0.1/")
    if "status" in site.settings:
        page.disarm()
        for request in asked.requests():
            if request.name in ("guest", "nobody"):
                Cgi("", page, asked, request).spawn()
        yield case("log", ["log", site.folder / "access.log", "--member", "nobody"], same_text([]), refusals=(1, 2))
        yield Finding(f"command/{store}/status", page, site, ["status", *conf, "--json"],
                      lambda out: json.loads(out)["wrong"])
