# SPDX-License-Identifier: MIT
"""Mistakes in the configuration: each named with file, line, key and reason, all at once."""
import os
import re

from lib.case import FreshCase
from lib.programs import web_user
from lib.responder import command, respond
from lib.site import APP

# What is changed in the settings, and what check must say (a pattern after "FILE:LINE: ").
APP_KEY = f"apps.{APP}"
MISTAKES = {
    "unknown key": ({"treads": 4}, r'treads: unknown key \(did you mean "threads"\?\)'),
    "unknown key of an app": ({"apps": {APP: {"stor": "members"}}},
                              rf'{APP_KEY}\.stor: unknown key \(did you mean "store"\?\)'),
    "unknown key without a likeness": ({"zzzzzzzz": 4}, r"zzzzzzzz: unknown key"),
    "unknown key of a plugin": ({"stores": {"members": {"pth": "x"}}},
                                r'stores\.members\.pth: unknown key \(did you mean "path"\?\)'),
    "unknown key of a token": ({"apps": {APP: {"token": {"isuer": "x"}}}},
                               rf'{APP_KEY}\.token\.isuer: unknown key \(did you mean "issuer"\?\)'),
    "unknown key of the log": ({"log": {"levl": "info"}}, r'log\.levl: unknown key'),
    "number for a string": ({"apps": {APP: {"api_key": 7}}}, rf"{APP_KEY}\.api_key: .*string"),
    "string for a number": ({"threads": "four"}, r"threads: .*number"),
    "string for a truth": ({"apps": {APP: {"guests": "yes"}}}, rf"{APP_KEY}\.guests: .*true or false"),
    "string for a group": ({"log": "stderr"}, r"log: .*group"),
    "too small": ({"threads": 0}, r"threads: .*0.*1"),
    "too large": ({"threads": 1000000}, r"threads: .*1000000"),
    "bad duration": ({"request_timeout": "3 parsecs"}, r"request_timeout: .*duration"),
    "duration without a unit": ({"request_timeout": "3"}, r"request_timeout: .*duration"),
    "negative duration": ({"request_timeout": "-3s"}, r"request_timeout: "),
    "overlong duration": ({"apps": {APP: {"token": {"ttl": "99999999999999999999d"}}}},
                          rf"{APP_KEY}\.token\.ttl: "),
    "duration of nothing": ({"apps": {APP: {"token": {"ttl": "0s"}}}}, rf"{APP_KEY}\.token\.ttl: "),
    "bad size": ({"body_limit": "16 kilos"}, r"body_limit: .*size"),
    "bad choice": ({"log": {"level": "loud"}}, r"log\.level: .*loud.*info"),
    "bad format": ({"log": {"format": "xml"}}, r"log\.format: .*xml.*json"),
    "no API key": ({"apps": {APP: {"api_key": None}}}, rf"{APP_KEY}\.api_key: is missing"),
    "no secret": ({"apps": {APP: {"api_secret": None}}}, rf"{APP_KEY}.*api_secret"),
    "no URL": ({"apps": {APP: {"chat_server_url": None}}}, rf"{APP_KEY}\.chat_server_url: is missing"),
    "no store": ({"apps": {APP: {"store": None}}}, rf"{APP_KEY}\.store: "),
    "no key file": ({"apps": {APP: {"token": {"key_file": None}}}}, rf"{APP_KEY}\.token\.key_file: is missing"),
    "no token": ({"apps": {APP: {"token": None}}}, rf"{APP_KEY}\.token"),
    "no plugin": ({"stores": {"members": {"plugin": None}}}, r"stores\.members\.plugin: is missing"),
    "no path": ({"stores": {"members": {"path": None}}}, r"stores\.members\.path: is missing"),
    "no apps": ({"apps": None}, r"apps"),
    "store that is not there": ({"apps": {APP: {"store": "membrs"}}},
                                rf'{APP_KEY}\.store: .*"membrs".*did you mean "members"'),
    "chain with a store that is not there": ({"apps": {APP: {"store": ["members", "staf"]}}},
                                             rf"{APP_KEY}\.store.*staf"),
    "plugin that is not there": ({"stores": {"members": {"plugin": "nothere"}}}, r"stores\.members\.plugin: .*nothere"),
    "plugin with a path": ({"stores": {"members": {"plugin": "../x"}}}, r"stores\.members\.plugin: "),
    "two kinds of secret": ({"apps": {APP: {"api_secret_file": "x"}}}, rf"{APP_KEY}.*api_secret"),
    "bad digest": ({"apps": {APP: {"api_secret": None, "api_secret_sha256": ["abc"]}}},
                   rf"{APP_KEY}\.api_secret_sha256.*64"),
    "three secrets": ({"apps": {APP: {"api_secret": None, "api_secret_sha256": ["a" * 64] * 3}}},
                      rf"{APP_KEY}\.api_secret_sha256"),
    "secret file that is not there": ({"apps": {APP: {"api_secret": None, "api_secret_file": "no-such"}}},
                                      rf"{APP_KEY}\.api_secret_file: .*no-such"),
    "key file that is not there": ({"apps": {APP: {"token": {"key_file": "keys/no-such"}}}},
                                   rf"{APP_KEY}\.token\.key_file: .*no-such"),
    "bad URL": ({"apps": {APP: {"chat_server_url": "chat.example.com"}}}, rf"{APP_KEY}\.chat_server_url: "),
    "bad origin": ({"apps": {APP: {"cors_origins": ["https://a.example/path"]}}}, rf"{APP_KEY}\.cors_origins"),
    "empty API key": ({"apps": {APP: {"api_key": ""}}}, rf"{APP_KEY}\.api_key: "),
    "API key with a colon": ({"apps": {APP: {"api_key": "a:b"}}}, rf"{APP_KEY}\.api_key: "),
    "a secret for RS256": ({"apps": {APP: {"token": {"algorithm": "RS256"}}}}, rf"{APP_KEY}\.token\.key_file: .*RS256"),
    "a secret for ES256": ({"apps": {APP: {"token": {"algorithm": "ES256"}}}}, rf"{APP_KEY}\.token\.key_file: .*ES256"),
    "template that is not there": ({"apps": {APP: {"token": {"claims": "claims/rabbitmq.json"}}}}, rf"{APP_KEY}\.token\.claims: "),
    "half an access_token": ({"apps": {APP: {"access_token": {"algorithm": "RS256"}}}}, rf"{APP_KEY}\.access_token\.key_file: is missing"),
    "bad proxy": ({"trusted_proxies": ["10.0.0.0/99"]}, r"trusted_proxies"),
}

# Features of later issues: refused in words, never ignored.
LATER = {
    "no plugin": ({"stores": {"staff": {"plugin": "nis"}}}, r"stores\.staff\.plugin: .*\"nis\""),
}


class ConfigCase(FreshCase):
    def check(self):
        return command("check", "-c", self.site.conf)

    def complaints(self):
        """The lines of check about a configuration that must be bad."""
        done = self.check()
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def assert_line(self, text, pattern):
        self.assertRegex(text, re.compile(rf"^{re.escape(str(self.site.conf))}:\d+: {pattern}", re.M))

    def line_of(self, text, key):
        """The line number that was given for a key."""
        return int(re.search(rf":(\d+): {re.escape(key)}: ", text).group(1))


def mistake(changes, pattern):
    def test(self):
        self.site.write(changes)
        self.assert_line(self.complaints(), pattern)
    return test


def with_tests(table):
    """A class decorator: one test for each row of a table."""
    def decorate(cls):
        for name, (changes, pattern) in table.items():
            setattr(cls, "test_" + re.sub(r"\W", "_", name), mistake(changes, pattern))
        return cls
    return decorate


@with_tests(MISTAKES)
class Mistakes(ConfigCase):
    """One test for each row of MISTAKES."""


@with_tests(LATER)
class LaterIssues(ConfigCase):
    """One test for each row of LATER."""


class WholeFiles(ConfigCase):
    def write(self, text):
        self.site.put("memberchat.conf", text)

    def test_good(self):
        done = self.check()
        self.assertEqual((0, f"{self.site.conf}: ok\n"), (done.returncode, done.stdout))

    def test_for_whom_it_speaks(self):
        """As root it says so; for the service's user it finds what that user may not read."""
        done = self.check()
        if not web_user():
            self.assertEqual("", done.stderr)
            self.skipTest("only root can check for another user")
        self.assertIn("checked as root", done.stderr)
        self.scratch.path.chmod(0o755)
        for path in (self.site.folder, self.site.folder / "keys"):
            path.chmod(0o755)
        as_user = ("check", "-c", self.site.conf, "--as", web_user().pw_name)
        done = command(*as_user)
        self.assertEqual(1, done.returncode)
        self.assertIn("memberchat.conf: cannot be read: Permission denied", done.stderr)
        self.site.give_to(web_user())
        self.site.put("log", "")
        (self.site.folder / "log").chmod(0o600)
        os.chown(self.site.folder / "log", 0, 0)
        self.site.write({"log": {"target": "log"}})
        done = command(*as_user)
        self.assertEqual(1, done.returncode)
        self.assert_line(done.stderr, r"log\.target: the log file .* cannot be written: Permission denied")
        os.chown(self.site.folder / "log", web_user().pw_uid, -1)
        done = command(*as_user)
        self.assertEqual((0, f"{self.site.conf}: ok\n", ""), (done.returncode, done.stdout, done.stderr))
        self.assertEqual(1, command("check", "-c", self.site.conf, "--as", "no-such-user").returncode)

    def test_what_start_needs_is_tried(self):
        """Nothing that makes the start fail is ok before."""
        for changes in ({"log": {"target": "no-such-folder/log"}}, {"log": {"target": "keys"}},
                        {"log": {"target": "stderr"}, "stores": {"members": {"max_bad": 0}}}):
            with self.subTest(changes=changes):
                self.site.put("members.csv", "appUserId,appUserName\n\x01,x\n")
                self.site.write(changes)
                self.complaints()
                for arguments in (("-t",), ("-s", f"unix:{self.scratch.path}/x.sock")):
                    done = respond("-c", self.site.conf, *arguments)
                    self.assertEqual(1, done.returncode, done.stderr)

    def test_all_mistakes_at_once(self):
        self.site.write({"threads": 0, "body_limit": "x", "treads": 1,
                         "apps": {APP: {"stor": "x", "store": "nothing", "api_key": None}}})
        text = self.complaints()
        for pattern in ("threads: ", "body_limit: ", "treads: unknown", rf"{APP_KEY}\.stor: ",
                        rf"{APP_KEY}\.store: ", rf"{APP_KEY}\.api_key: is missing"):
            self.assert_line(text, pattern)

    def test_line_numbers(self):
        text = self.site.text().replace("threads = 4", "\n\n# a comment\nthreads = 0")
        self.write(text)
        self.assertEqual(text[:text.index("threads")].count("\n") + 1, self.line_of(self.complaints(), "threads"))

    def test_syntax_error(self):
        self.write(self.site.text().replace("threads = 4", "threads = = 4"))
        self.assertRegex(self.complaints(), rf"(?m)^{re.escape(str(self.site.conf))}:\d+: .*syntax error")

    def test_key_twice(self):
        text = self.site.text() + "threads = 5\n"
        self.write(text)
        self.assert_line(self.complaints(), r"threads: is set twice: first in line 1$")
        self.assertEqual(text.count("\n"), self.line_of(self.complaints(), "threads"))

    def test_byte_order_mark(self):
        """As Windows' editors write it."""
        self.write("\ufeff" + self.site.text().replace("\n", "\r\n"))
        self.assertEqual(0, self.check().returncode)
        self.write(self.site.text().encode("utf-16"))
        self.assertIn("is UTF-16; save it as UTF-8", self.complaints())

    def test_empty_file(self):
        self.write("")
        self.assertIn("apps", self.complaints())

    def test_garbage(self):
        self.write(bytes(range(256)) * 10)
        self.complaints()

    def test_file_of_more_than_64_mib(self):
        self.site.write()
        os.truncate(self.site.conf, 64 * 1024 * 1024 + 1)
        self.assertIn("cannot be read: File too large", self.complaints())

    def test_missing_file_and_folder(self):
        for path in (self.site.folder / "no-such.conf", self.site.folder):
            done = command("check", "-c", path)
            self.assertEqual(1, done.returncode)
            self.assertIn(str(path), done.stdout + done.stderr)

    def test_store_that_an_app_names_twice(self):
        self.site.change_app(store=["members", "members"])
        for member, status in (("1", 0), ("nobody", 1)):
            done = command("token", "-c", self.site.conf, APP, "--member", member)
            self.assertEqual(status, done.returncode, done.stderr)

    def test_include(self):
        self.site.put("more.conf", "threads = 0\n")
        del self.site.settings["threads"]
        self.write('@include "more.conf"\n' + self.site.text())
        self.assertRegex(self.complaints(), r"(?m)more\.conf:1: threads: ")

    def test_duplicate_api_keys(self):
        self.site.write({"apps": {"second": self.site.new_app("second", "demo-key", "other" * 4)}})
        text = self.complaints()
        self.assertRegex(text, rf"apps\.(second|{APP})\.api_key: ")
        self.assertIn(APP, text)

    def test_durations_and_sizes(self):
        good = ({"request_timeout": "500ms"}, {"request_timeout": "2s"}, {"body_limit": "64k"}, {"body_limit": "1M"},
                {"apps": {APP: {"token": {"ttl": "7d", "guest_ttl": "1h"}}}})
        for changes in good:
            with self.subTest(changes=changes):
                self.site.write(changes)
                self.assertEqual(0, self.check().returncode)

    def test_responder_says_the_same(self):
        self.site.write({"treads": 4})
        done = respond("-t", "-c", self.site.conf)
        self.assertEqual(1, done.returncode)
        self.assert_line(done.stdout + done.stderr, "treads: unknown key")

    def test_cache_and_breaker_of_a_store(self):
        self.site.write({"stores": {"members": {
            "cache": {"size": 10, "ttl": "1s", "negative_ttl": "1s", "stale": "1s"},
            "breaker": {"failures": 3, "open": "1s", "max_open": "2s"}}}})
        self.assertEqual(0, self.check().returncode)
        self.site.write({"stores": {"members": {"cache": {"siz": 1}, "breaker": {"open": "x"}}}})
        text = self.complaints()
        self.assert_line(text, r"stores\.members\.cache\.siz: unknown key")
        self.assert_line(text, r"stores\.members\.breaker\.open: ")


class Files(ConfigCase):
    """Keys, secrets and who may read them."""

    def key_file(self):
        return self.site.folder / f"keys/{APP}.key"

    def test_short_key(self):
        self.key_file().write_bytes(b"x" * 31)
        self.assert_line(self.complaints(), rf"{APP_KEY}\.token\.key_file: .*31 bytes.*32")

    def test_key_of_another_kind(self):
        for content in (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                        b'{"kty":"RSA","n":"AQAB","e":"AQAB"}', b'{"kty":"oct"}', b'{"kty":', b""):
            with self.subTest(content=content[:20]):
                self.key_file().write_bytes(content)
                self.assert_line(self.complaints(), rf"{APP_KEY}\.token\.key_file: ")

    def test_writable_by_others(self):
        """Such a file may hold anybody's settings, or key: refused."""
        self.site.put("secret", "secret\n", 0o602)
        self.site.change_app(api_secret=None, api_secret_file="secret")
        self.key_file().chmod(0o606)
        text = self.complaints()
        self.assert_line(text, rf"{APP_KEY}\.token\.key_file: .*write")
        self.assert_line(text, rf"{APP_KEY}\.api_secret_file: .*write")
        self.site.conf.chmod(0o666)
        self.assertRegex(self.complaints(), r"memberchat\.conf: .*write")

    def test_readable_by_others(self):
        self.key_file().chmod(0o644)
        self.site.conf.chmod(0o644)
        done = self.check()
        self.assertEqual(0, done.returncode)
        text = done.stdout + done.stderr
        self.assertRegex(text, rf"{APP_KEY}\.token\.key_file: warning: .*read")
        self.assertRegex(text, r"memberchat\.conf: warning: .*read")

    def test_no_secret_in_complaints(self):
        self.site.write({"threads": 0, "apps": {APP: {"api_secret": "very-secret-indeed", "stor": 1}}})
        self.assertNotIn("very-secret-indeed", self.complaints())

    def test_members_file_that_is_not_there(self):
        self.site.members.unlink()
        done = command("check", "-c", self.site.conf)
        self.assertIn("members.csv", done.stdout + done.stderr)

    def test_long_path(self):
        """Its middle is left out, not what is wrong with it."""
        self.site.write({"stores": {"members": {"path": "folder/" * 400 + "members.csv"}}})
        done = command("check", "-c", self.site.conf)
        self.assertRegex(done.stdout + done.stderr, r"folder/.*\.\.\..*folder/members\.csv cannot be read: No such file")

    def test_members_file_with_which_nothing_would_start(self):
        self.site.put("members.csv", "appUserId,appUserName\n" + "".join(f"m{i},a,b\n" for i in range(101)))
        done = command("check", "-c", self.site.conf)
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn("members.csv: more than 100 bad lines (max_bad)", done.stderr)

    def test_a_password_that_can_be_guessed(self):
        self.site.write({"status": {"password_file": "status.password"}})
        for password, warned in (("fifteen letters", True), ("sixteen letters!", False)):
            self.site.put("status.password", password + "\n", 0o600)
            done = command("check", "-c", self.site.conf)
            self.assertEqual(0, done.returncode)
            self.assertEqual(warned, "can be guessed" in done.stderr)
            self.assertNotIn(password, done.stderr)
