# SPDX-License-Identifier: MIT
"""Programs that begin and end: CGI requests and checks of bad configurations, with faults from their start on."""
import copy
import os
import shutil
import subprocess

from asked import LIKE_OTHERS, SERVERS, Asked
from control import FAULTS, KINDS
from judge import BAD, BAD_OK, CLOSED, DEATH, HANG, REFUSED, RIGHT, SILENT, WRONG, judge_output
from lib.answer import parse_cgi
from lib.programs import limit, programs
from lib.responder import environment
from lib.site import APP, Site

SHIM = None  # the path, set by run.py
HEAVY = 20   # the stride of what OpenSSL does


class Case:
    """Something that is done again and again while something fails.  run() gives a verdict and its details."""
    faults = FAULTS
    stride = 1     # a sample of a case with thousands of calls is that much smaller
    listed = True  # whether what fails is a call, whose place is known

    def __init__(self, name, page):
        self.name = name
        self.page = page
        self.scope = name  # cases of one scope need not fail at the same place in the code again

    def calibrate(self):
        """Without faults; raises when even that is not right."""

    def prepare(self):
        """Before each run."""

    def through(self):
        """After a run: whether there was nothing left that could fail."""
        return self.page["failed"] == 0


def shim_variables(page):
    kept = {"FAULTS_COVERAGE": "1"} if "FAULTS_COVERAGE" in os.environ else {}
    return {"LD_PRELOAD": str(SHIM), "FAULTS_CONTROL": str(page.path), "MALLOC_PERTURB_": "165", **kept}


def spawn(argv, page, body=b"", seconds=5, **variables):
    """A process under the shim: (status, stdout, stderr), the status None when it did not end."""
    env = environment(**shim_variables(page), **variables)
    process = subprocess.Popen([str(a) for a in argv], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(body, timeout=limit(seconds))
        return process.returncode, out, err
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return None, out, err


def judge_end(status, err):
    """What is wrong with how a process ended, or None."""
    if status is None:
        return HANG, err.decode(errors="replace")[-300:]
    if status < 0 or b": ABORT" in err:  # glibc's own end
        return DEATH, f"status {status}: {err.decode(errors='replace')[-300:]}"
    return None


class Cgi(Case):
    """One request of a CGI process."""

    def __init__(self, name, page, asked, request):
        super().__init__(name, page)
        self.asked = asked
        self.request = request
        self.stride = HEAVY if request.heavy else 1
        self.scope = "cgi"

    def spawn(self):
        return spawn([programs().folder / "memberchat.fcgi"], self.page, self.request.body,
                     MEMBERCHAT_CONF=str(self.asked.site.conf), **dict(self.request.pairs))

    def calibrate(self):
        self.page.disarm()
        status, out, err = self.spawn()
        if status != 0:
            raise AssertionError(f"{self.name}: exit {status}: {err}")
        self.request.calibrate(parse_cgi(out))

    def run(self):
        status, out, err = self.spawn()
        bad = judge_end(status, err)
        if bad:
            wrong = judge_output(out, self.request.expect) if out else bad  # that comes first
            return wrong if wrong[0] in BAD else bad
        if status != 0 and err:
            # the web server is told that what came is not to be passed on
            return CLOSED, ""
        if not out and status != 0 and self.page["kinds"] == 1 << KINDS.index("write"):
            return CLOSED, ""  # it cannot say anything
        if not out:
            return SILENT, f"exit {status}, nothing on standard output, {err!r} on standard error"
        return judge_output(out, self.request.expect)


class Command(Case):
    """A subcommand.  `judge(status, out)` raises when a status of success is not deserved; `refusals` are those
    that say that something went wrong, and have to come with words."""

    def __init__(self, name, page, site, arguments, judge, good=0, refusals=(1,)):
        super().__init__(name, page)
        self.site = site
        self.arguments = arguments
        self.judge = judge
        self.good = good
        self.refusals = (*refusals, 74)  # EX_IOERR: not everything was printed

    def spawn(self):
        return spawn([programs().command, *self.arguments], self.page)

    def calibrate(self):
        self.page.disarm()
        self.prepare()
        status, out, err = self.spawn()
        if status != self.good:
            raise AssertionError(f"{self.name}: exit {status}: {err}")
        self.judge(out)

    def run(self):
        return self.judge_run(*self.spawn())

    def judge_run(self, status, out, err):
        bad = judge_end(status, err)
        if bad:
            return bad
        if status == self.good:
            try:
                self.judge(out)
            except Exception as error:  # pylint: disable=broad-except
                return WRONG, f"exit {status}: {error}: {out[:300]!r} {err[:300]!r}"
            return RIGHT, ""
        if status not in self.refusals:
            return WRONG, f"exit {status}: {out[:300]!r} {err[:300]!r}"
        return (REFUSED, "") if err.strip() else (SILENT, f"exit {status} without a word; output {out[:200]!r}")


class BadConfiguration(Case):
    """check of a configuration that is not good: never "ok", and never without a word."""

    def __init__(self, name, page, conf):
        super().__init__(name, page)
        self.conf = conf

    def spawn(self):
        return spawn([programs().command, "check", "-c", self.conf], self.page)

    def calibrate(self):
        self.page.disarm()
        status, out, err = self.spawn()
        if status != 1:
            raise AssertionError(f"{self.name}: exit {status}: {out} {err}")

    def run(self):
        status, out, err = self.spawn()
        bad = judge_end(status, err)
        if bad:
            return bad
        if status == 0 or b": ok" in out:
            return BAD_OK, f"exit {status}: {out[-200:]!r} {err[:200]!r}"
        return (REFUSED, "") if err.strip() else (SILENT, f"exit {status} without a word")


def cgi_cases(store, page, scratch, only=()):
    asked = Asked(scratch, store)
    scratch.closing = asked.close
    for request in asked.requests():
        if request.before or (only and request.name not in only):
            continue
        if store in (*SERVERS, *LIKE_OTHERS, "rest") and request.name in ("member", "member-plain", "banned", "nobody", "ready"):
            request.heavy = True  # the libraries of the servers prepare themselves
        if request.name in ("metrics", "status", "status-json"):
            request.heavy = True  # they read all keys, OpenSSL's too
        yield Cgi(f"cgi/{store}/{request.name}", page, asked, request)


# Beside the mistakes of test_config: what is dangerous rather than misspelt.
EC_PUBLIC = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


def dangerous(site):
    """(name, changes) of configurations that would let somebody in."""
    site.put("keys/open.key", "k" * 40, 0o666)
    yield "key that all may write", {"apps": {APP: {"token": {"key_file": "keys/open.key"}}}}
    site.put("keys/short.key", "too short", 0o600)
    yield "short key", {"apps": {APP: {"token": {"key_file": "keys/short.key"}}}}
    site.put("keys/public.pem", EC_PUBLIC, 0o600)
    yield "public key as secret", {"apps": {APP: {"token": {"key_file": "keys/public.pem"}}}}
    site.put("wide.json", '{"sub":"{userId}","scope":"read:{userName}"}')
    yield "template that widens", {"apps": {APP: {"token": {"claims": "wide.json"}}}}
    site.put("broken.json", '{"sub":"{userId}"')
    yield "broken template", {"apps": {APP: {"token": {"claims": "broken.json"}}}}
    site.put("unknown.json", '{"sub":"{userid}"}')
    yield "unknown placeholder", {"apps": {APP: {"token": {"claims": "unknown.json"}}}}
    site.put("empty.key", "", 0o600)
    yield "empty secret file", {"apps": {APP: {"api_secret": None, "api_secret_file": "empty.key"}}}
    yield "two apps with one API key", {"apps": {"other": {"api_key": "demo-key"}}}
    yield "bad issuer of access tokens", {"apps": {APP: {"access_token": {
        "algorithm": "HS256", "key_file": "keys/public.pem", "issuer": "x", "audience": "y"}}}}


def bad_cases(page, scratch):
    import test_config  # pylint: disable=import-outside-toplevel
    for number, (name, (changes, _)) in enumerate(test_config.MISTAKES.items()):
        yield bad_case(name, page, Site(scratch.path / f"bad-{number}"), changes)
    base = Site(scratch.path / "dangerous")
    base.settings["apps"]["other"] = base.new_app("other", "other-key", "secret-of-the-other")
    for number, (name, changes) in enumerate(dangerous(base)):
        site = Site(scratch.path / f"danger-{number}")
        shutil.copytree(base.folder, site.folder, dirs_exist_ok=True)
        site.settings = copy.deepcopy(base.settings)
        yield bad_case(name, page, site, changes)


def bad_case(name, page, site, changes):
    site.write(changes)
    return BadConfiguration(f"check-bad/{name.replace(' ', '-')}", page, site.conf)
