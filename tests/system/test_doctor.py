# SPDX-License-Identifier: MIT
"""memberchat doctor: each cause on a host that is broken in just this way."""
import os
import resource
import subprocess
import time

from lib.case import FreshCase
from lib.programs import programs, web_user
from lib.responder import command, environment
from lib.site import KEY


class DoctorCase(FreshCase):
    def doctor(self, *arguments, **more):
        return command("doctor", "-c", self.site.conf, *arguments, **more)

    def finds(self, *words, verdict="fault", arguments=(), **more):
        """One finding of this verdict has all the words; only a fault makes the exit status 1."""
        done = self.doctor(*arguments, **more)
        lines = done.stdout.splitlines()
        self.assertEqual("", done.stderr)
        for line in lines:
            self.assertRegex(line, "^(ok|warning|fault): ")
        found = [line for line in lines if line.startswith(verdict + ": ") and all(word in line for word in words)]
        self.assertEqual(1, len(found), done.stdout)
        self.assertEqual(int(any(line.startswith("fault: ") for line in lines)), done.returncode)
        return lines


class Inside(DoctorCase):
    def test_good_host(self):
        lines = self.finds("members: it answers", verdict="ok", arguments=("--member", "1"))
        self.assertFalse([line for line in lines if line.startswith("fault: ")])

    def test_mistake_in_the_configuration(self):
        self.site.write({"treads": 1})
        self.finds("treads: unknown key")

    def test_configuration_that_everybody_reads(self):
        self.site.conf.chmod(0o644)
        lines = self.finds("any user of this machine can read", "chmod o-rwx", verdict="warning")
        self.assertFalse([line for line in lines if ": warning: " in line])

    def test_no_configuration(self):
        self.site.conf.unlink()
        self.finds("does not start with this configuration")

    def test_folder_that_is_not_there(self):
        self.site.conf = self.site.folder / "nowhere" / "memberchat.conf"
        self.finds("nowhere: ", "cannot enter", "is the path after -c right")

    def test_folder_that_the_user_may_not_enter(self):
        user = self.need_user()
        self.site.folder.chmod(0o700)
        self.finds(f"{self.site.folder}: ", "cannot enter", "chmod o+x", arguments=("--user", user.pw_name))

    def test_folder_that_everybody_writes(self):
        self.site.folder.chmod(0o777)
        self.finds(f"{self.site.folder}: every user", "chmod o-w")

    def test_key_that_the_user_may_not_read(self):
        user = self.need_user()
        self.site.folder.chmod(0o755)
        self.site.conf.chmod(0o644)
        self.site.members.chmod(0o644)
        os.chmod(self.site.folder / "keys", 0o755)
        self.finds("key_file", "ermission denied", arguments=("--user", user.pw_name))

    def test_user_that_is_not_there(self):
        done = self.doctor("--user", "no-such-user")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn("--user no-such-user: there is no such user", done.stderr)

    def test_root_is_not_the_user(self):
        self.need_user()
        self.finds("as root", "--user NAME", verdict="warning")

    def test_configuration_of_somebody_else(self):
        user = self.need_user()
        self.site.give_to(user)
        os.chown(self.site.conf, 12345, user.pw_gid)
        self.finds("belongs to user 12345", verdict="warning", arguments=("--user", user.pw_name))

    def test_log_without_a_folder(self):
        self.site.write({"log": {"target": "log/memberchat.log"}})
        self.finds("log.target", "cannot be written", "make its folder", "mkdir -p")

    def test_key_in_public_html(self):
        site = self.site.folder.rename(self.scratch.path / "public_html")
        self.site.conf = site / "memberchat.conf"
        lines = self.finds("memberchat.conf: lies below", "public_html", "document root")
        self.assertTrue([line for line in lines if ".key: lies below" in line])

    def test_key_beside_index_html(self):
        (self.scratch.path / "index.html").write_text("hello")
        self.finds("memberchat.conf: lies below", f"{self.scratch.path},")

    def test_key_below_another_htaccess(self):
        (self.scratch.path / ".htaccess").write_text("RewriteEngine On\n")
        self.finds("memberchat.conf: lies below", f"{self.scratch.path},")

    def test_key_that_only_htaccess_protects(self):
        (self.scratch.path / "index.html").write_text("hello")
        (self.site.folder / ".htaccess").write_text("Require all denied\n")
        self.finds("memberchat.conf: lies below", "only a .htaccess", verdict="warning")

    def test_clock_behind_the_files(self):
        os.utime(self.site.conf, (time.time() + 7200,) * 2)
        self.finds("changed in the future", "NTP", verdict="warning")

    def test_store_that_is_down(self):
        self.site.put("state", "down")
        self.site.write({"stores": {"slow": {"plugin": "slow", "state_path": "state"}}})
        self.finds("store slow: unavailable")

    def test_member_that_is_not_there(self):
        self.finds("store members: there is no active member \"nobody\"", verdict="warning",
                   arguments=("--member", "nobody"))

    def test_few_descriptors(self):
        self.finds_limited(resource.RLIMIT_NOFILE, 40, "open files is 40")

    def test_few_processes(self):
        self.finds_limited(resource.RLIMIT_NPROC, 5, "processes is 5")

    def finds_limited(self, what, limit, words):
        argv = [programs().command, "doctor", "-c", self.site.conf]
        done = subprocess.run(argv, env=environment(), capture_output=True, check=False, text=True,
                              preexec_fn=lambda: resource.setrlimit(what, (limit, limit)))
        self.assertRegex(done.stdout, rf"(?m)^warning: the limit of {words}, .*ulimit")

    def test_arguments(self):
        for text in ("a\nb", "a\rb\n"):
            secret = self.site.put("secret", text, 0o600)
            done = self.doctor("--url", "http://127.0.0.1:1/", "--key", KEY, "--secret-file", secret)
            self.assertEqual((1, ""), (done.returncode, done.stdout))
            self.assertIn("control character", done.stderr)
        for arguments in (("surplus",), ("--key", "x"), ("--secret-file", "x"), ("--no-such",),
                          ("--key", "x", "--secret-file", "y")):
            with self.subTest(arguments=arguments):
                self.assertEqual(64, self.doctor(*arguments).returncode)
        self.assertEqual(1, self.doctor("--member", "x" * 129).returncode)

    def need_user(self):
        user = web_user()
        if not user:
            self.skipTest("needs root")
        return user


class Uploaded(DoctorCase):
    """Programs beside the folder of the configuration, as a kit has them."""

    def setUp(self):
        super().setUp()
        self.folder = self.scratch.path / "chat-api"
        self.folder.mkdir(mode=0o755)
        self.program = self.folder / "memberchat.cgi"
        self.upload(b"#!/bin/sh\nexit 0\n")

    def upload(self, content, mode=0o755):
        self.program.write_bytes(content)
        self.program.chmod(mode)

    def test_good(self):
        self.finds("memberchat.cgi: a web server can run it", verdict="ok")

    def test_in_public_html(self):
        (self.scratch.path / "public_html").mkdir()
        self.folder.rename(self.scratch.path / "public_html" / "chat-api")
        self.finds("public_html/chat-api/memberchat.cgi: a web server can run it", verdict="ok")

    def test_without_x(self):
        self.program.chmod(0o644)
        self.finds("not executable", "chmod 755")

    def test_crlf(self):
        self.upload(b"#!/bin/sh\r\nexit 0\r\n")
        self.finds("CRLF", "binary mode")

    def test_damaged(self):
        self.upload(b"\177\r\nELF")
        self.finds("neither a program nor a script")

    def test_empty(self):
        self.upload(b"")
        self.finds("neither a program nor a script")

    def test_program_that_the_group_writes(self):
        self.program.chmod(0o775)
        self.finds("memberchat.cgi: group or others", "suEXEC")

    def test_folder_that_the_group_writes(self):
        self.folder.chmod(0o775)
        self.finds("this folder", "suEXEC")

    def test_program_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        os.chown(self.program, 12345, 12345)
        self.finds("another user or group than its folder", "suEXEC")
