# SPDX-License-Identifier: MIT
"""denied_file and tokens_not_before: who gets no token, and which tokens no longer renew."""
import json
import os
import signal
import subprocess
import time

from lib.answer import parse_cgi
from lib.case import FreshCase, at_once
from lib.fcgi import request_pairs
from lib.programs import limit, programs
from lib.responder import command, environment, respond
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, member_path

DENIED = (403, "MEMBER_DENIED")


class ModerationCase(FreshCase):
    def serve(self, denied="", **app):
        self.list = self.site.put("denied.txt", denied)
        self.site.change_app(denied_file="denied.txt", **app)
        self.responder = self.start()

    def member(self, encoded_id):
        return self.responder.post(member_path(encoded_id), self.site.auth())

    def guest(self, **fields):
        return self.responder.post(GUEST_PATH, self.site.auth(), json.dumps(fields).encode())

    def edit(self, *arguments):
        return command(*arguments[:1], "-c", self.site.conf, *arguments[1:])

    def done(self, *arguments):
        done = self.edit(*arguments)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def becomes(self, ask, status):
        """Within a second; the waiting is longer where the machine is slow."""
        wait_until(f"status {status}", lambda: ask().status == status, 8)


class Denied(ModerationCase):
    def test_members_and_guests(self):
        self.serve("# of today\n1 # spam\ng1 2999-12-31\n2 2001-01-01\nguest_g3\nunknown\n", guest_id_prefix="guest_")
        for answer in (self.member("1"), self.member("%31"), self.member("unknown"), self.guest(appUserId="g1"),
                       self.guest(appUserId="G1"), self.guest(appUserId="g3")):
            self.assertEqual(DENIED, answer.error)
        for answer in (self.member("2"), self.guest(appUserId="g2"), self.guest()):
            self.assertEqual(200, answer.status, answer)

    def test_renewal(self):
        self.serve()
        token = self.guest(appUserId="g1").json["chatToken"]
        self.assertEqual(200, self.guest(accessToken=token).status)
        self.done("deny", APP, "g1")
        self.becomes(lambda: self.guest(accessToken=token), 403)
        self.assertEqual(DENIED, self.guest(accessToken=token, appUserName="other").error)
        self.assertEqual(200, self.guest(appUserId="g2").status)

    def test_whatever_a_cache_knows(self):
        self.site.settings["stores"]["members"]["cache"] = {"ttl": "1h", "stale": "1h"}
        self.serve()
        self.assertEqual(200, self.member("1").status)
        self.done("deny", APP, "1")
        self.becomes(lambda: self.member("1"), 403)
        self.done("allow", APP, "1")
        self.becomes(lambda: self.member("1"), 200)

    def test_the_id_of_the_directory(self):
        """Whoever is found by another spelling is the same person."""
        self.site.settings["stores"]["members"]["member"] = {"asked": ["lower", "before @"]}
        self.serve("1\n")
        self.assertEqual(DENIED, self.member("1@example.com").error)
        self.assertEqual(200, self.member("2@example.com").status)

    def test_without_the_directory(self):
        """A ban needs no directory."""
        self.site.settings["stores"]["members"] = {"plugin": "rest", "url": "http://127.0.0.1:9/{id}"}
        self.serve("1\n")
        self.assertEqual(DENIED, self.member("1").error)
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), self.member("2").error)

    def test_an_end(self):
        self.serve()
        self.done("deny", APP, "1", "--until", time.strftime("%Y-%m-%d", time.gmtime()))
        self.becomes(lambda: self.member("1"), 403)
        end = time.time() + 2
        self.done("deny", APP, "1", "--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end)))
        self.becomes(lambda: self.member("1"), 200)
        self.assertGreaterEqual(time.time(), int(end))

    def test_two_apps(self):
        self.site.settings["apps"]["other"] = self.site.new_app("other", "other-key", "other-secret-other")
        self.serve("1\n")
        self.assertEqual(DENIED, self.member("1").error)
        self.assertEqual(200, self.responder.post(member_path("1"), self.site.auth("other")).status)

    def test_a_lost_list_ends_no_ban(self):
        self.serve("1\n")
        self.list.unlink()
        wait_until("a look at the list", lambda: self.member("1").status != 403
                   or "stays in force" in self.responder.log_text())
        self.assertEqual(DENIED, self.member("1").error)
        self.responder.expect_log(r"denied\.txt cannot be read: No such file.*the last list stays in force")
        self.responder.process.send_signal(signal.SIGHUP)
        self.responder.expect_log(r"the previous configuration stays in force")
        self.assertEqual(DENIED, self.member("1").error)

    def test_bad_lines(self):
        self.serve()
        self.site.put("denied.txt", '1\n2 tomorrow\n"open\n')
        self.becomes(lambda: self.member("2"), 403)
        self.responder.expect_log(r"warning: \S+denied\.txt:2: what follows the id is not a date.*denied for good")
        self.responder.expect_log(r"warning: \S+denied\.txt:3: this cannot be an id")
        done = self.edit("check")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"(?m)^\S+/denied\.txt:2: warning: what follows the id")
        self.assertRegex(done.stderr, r"(?m)^\S+/denied\.txt:3: warning: this cannot be an id")

    def test_no_start_without_the_list(self):
        self.site.change_app(denied_file="denied.txt")
        done = respond("-c", self.site.conf, "-s", f"unix:{self.scratch.path}/mc.sock")
        self.assertNotEqual(0, done.returncode)
        self.assertRegex(done.stderr, rf"apps\.{APP}\.denied_file: .*denied\.txt cannot be read: No such file")
        self.site.put("denied.txt", "1\n", 0o666)
        done = self.edit("check")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, rf"apps\.{APP}\.denied_file: any user of this machine can write")


class Cgi(ModerationCase):
    def ask(self, uri, body=b""):
        env = environment(self.site, **dict(request_pairs("POST", uri, self.site.auth(), body)))
        done = subprocess.run([programs().responder], env=env, input=body, capture_output=True, timeout=limit(15),
                              check=False)
        return parse_cgi(done.stdout)

    def test_each_request_looks(self):
        self.site.put("denied.txt", "1\n")
        self.site.change_app(denied_file="denied.txt")
        self.assertEqual(DENIED, self.ask(member_path("1")).error)
        self.assertEqual(200, self.ask(member_path("2")).status)
        self.done("allow", APP, "1")
        self.done("deny", APP, "g1")
        self.assertEqual(200, self.ask(member_path("1")).status)
        self.assertEqual(DENIED, self.ask(GUEST_PATH, b'{"appUserId":"g1"}').error)
        (self.site.folder / "denied.txt").unlink()
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), self.ask(member_path("1")).error)


class Command(ModerationCase):
    def setUp(self):
        super().setUp()
        self.site.change_app(denied_file="denied.txt")
        self.list = self.site.folder / "denied.txt"

    def text(self, *expected):
        self.assertEqual("".join(line + "\n" for line in expected), self.list.read_text())

    def test_edits(self):
        self.done("deny", APP, "1")
        self.assertEqual(0o640, self.list.stat().st_mode & 0o777)
        self.text("1")
        self.site.put("denied.txt", "# ours\n\n1 # spam\nx  2999-01-01\nX # twice", 0o600)
        self.done("deny", APP, "1", "--until", "2996-12-01")
        self.text("# ours", "", "1 2996-12-02T00:00:00Z  # spam", "x  2999-01-01", "X # twice")
        self.done("deny", APP, "x")
        self.text("# ours", "", "1 2996-12-02T00:00:00Z  # spam", "x")
        self.done("allow", APP, "1")
        self.done("deny", APP, 'John "Q" Smith', "--until", "2996-12-01T18:00+01:00")
        self.text("# ours", "", "x", '"John \\"Q\\" Smith" 2996-12-01T17:00:00Z')
        self.done("allow", APP, 'john "q" smith')
        self.done("deny", APP, "--", "-9")
        self.text("# ours", "", "x", "-9")
        self.assertEqual(0o600, self.list.stat().st_mode & 0o777)
        self.assertEqual(["denied.txt"], [p.name for p in self.site.folder.glob("denied*")])

    def test_behind_a_byte_order_mark(self):
        self.site.put("denied.txt", "\ufeff1 2999-01-01\n2\n")
        self.done("deny", APP, "1", "--until", "2998-12-31")
        self.text("\ufeff1 2999-01-01T00:00:00Z", "2")
        self.done("allow", APP, "1")
        self.text("\ufeff2")

    def test_through_a_link(self):
        (self.site.folder / "lists").mkdir()
        real = self.site.put("lists/today.txt", "1\n")
        self.list.symlink_to(real)
        self.done("deny", APP, "2")
        self.assertTrue(self.list.is_symlink())
        self.text("1", "2")

    def test_what_is_refused(self):
        self.site.put("denied.txt", "1\n")
        for arguments, code, words in (
                (("allow", APP, "2"), 1, 'does not name "2"'),
                (("deny", "nobody", "2"), 1, 'there is no app "nobody"'),
                (("deny", APP, "a\nb"), 1, "cannot be an id"),
                (("deny", APP, ""), 1, "cannot be an id"),
                (("deny", APP, "x" * 161), 1, "cannot be an id"),
                (("deny", APP, "2", "--until", "soon"), 64, "write a date as 2026-11-25"),
                (("deny", APP, "2", "--until", "2026-11-25"), 64, "--until 2026-11-25 is over: nobody would be denied"),
                (("deny", APP), 64, "usage"),
                (("allow", APP, "1", "--until", "2026-11-25"), 64, "no option --until")):
            with self.subTest(arguments=arguments):
                done = self.edit(*arguments)
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertIn(words, done.stderr)
                self.text("1")
        self.site.change_app(denied_file=None)
        self.assertIn("has no denied_file: add", self.edit("deny", APP, "2").stderr)

    def test_needs_no_keys_and_no_stores(self):
        (self.site.folder / f"keys/{APP}.key").unlink()
        self.site.members.unlink()
        self.done("deny", APP, "1")

    def test_while_the_configuration_has_mistakes(self):
        """Somebody is kept out right now; what runs goes on with its earlier settings."""
        self.serve()
        good = self.site.text()
        self.assertEqual(200, self.member("1").status)
        for mistake in (good + "no_such_key = 1\n", good.replace("threads = 4", "threads = 0"), good + 'x = "1', good + "}",
                        good.replace("api_key", "api_kee"), good.replace('store = "members"', 'store = "nothing"')):
            with self.subTest(mistake=mistake):
                self.assertNotEqual(good, mistake)
                self.site.put("memberchat.conf", mistake)
                for ask, status in (("deny", 403), ("allow", 200)):
                    done = self.edit(ask, APP, "1")
                    self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)
                    self.assertRegex(done.stderr, rf"\A{self.site.conf}:\d+: [^$]*\nmemberchat: \S+/denied\.txt is changed all the same: [^$]*\n\Z")
                    self.becomes(lambda: self.member("1"), status)
                done = self.edit("deny", APP + "x", "1")
                self.assertEqual(1, done.returncode)
                self.assertIn(f'there is no app "{APP}x" in {self.site.conf} (did you mean "{APP}"?)', done.stderr)
        for lost in ("x = \n" + good, good.replace("denied_file", "denied_fil"), good.replace('"denied.txt"', "5")):
            self.site.put("memberchat.conf", lost)
            done = self.edit("deny", APP, "1")
            self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
            self.assertRegex(done.stderr, rf"\A{self.site.conf}:\d+: ")
            self.text()

    def test_many_at_once(self):
        self.site.put("denied.txt", "# all of these\n")
        at_once(12, lambda i: self.done("deny", APP, f"m{i}"))
        self.assertEqual(sorted(["# all of these", *(f"m{i}" for i in range(12))]),
                         sorted(self.list.read_text().splitlines()))

    def test_owner_stays(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.site.put("denied.txt", "1\n", 0o640)
        os.chown(self.list, 33, 33)
        self.done("deny", APP, "2")
        status = self.list.stat()
        self.assertEqual((33, 33, 0o640), (status.st_uid, status.st_gid, status.st_mode & 0o777))


class NotBefore(ModerationCase):
    def at(self, offset):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))

    def test_older_tokens_do_not_renew(self):
        """iat lies the clock skew before the time of issue, which does not count against the token."""
        self.serve(token={"clock_skew": "10m"}, tokens_not_before=self.at(-5))
        token = self.guest(appUserId="g1").json["chatToken"]
        self.assertEqual(200, self.guest(accessToken=token).status)
        self.site.change_app(tokens_not_before=self.at(3600))
        self.responder.process.send_signal(signal.SIGHUP)
        self.becomes(lambda: self.guest(accessToken=token), 401)
        answer = self.guest(accessToken=token)
        self.assertEqual((401, "INVALID_ACCESS_TOKEN"), answer.error)
        self.assertIn("it was issued before the time", answer.json["errorMessage"])
        self.assertEqual(200, self.guest(appUserId="g1").status)

    def test_what_is_no_time(self):
        self.site.change_app(tokens_not_before="yesterday")
        done = self.edit("check")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, rf":\d+: apps\.{APP}\.tokens_not_before: .*is not a time; write it as")
