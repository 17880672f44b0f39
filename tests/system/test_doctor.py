# SPDX-License-Identifier: MIT
"""memberchat doctor: each cause on a host that is broken in just this way."""
import os
import pty
import re
import resource
import shutil
import subprocess
import time

from lib.case import FreshCase
from lib.programs import programs, web_user
from lib.responder import command, environment, run
from lib.scratch import unix_listener
from lib.site import APP, KEY


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
        self.assertNotIn("12345", self.doctor().stdout)  # as root, who may read it anyway

    def test_path_from_here(self):
        self.site.folder.chmod(0o777)
        self.site.conf = self.site.conf.name
        self.finds(f"{self.site.folder}: every user", cwd=self.site.folder)
        self.site.conf = f"site/{self.site.conf}"
        self.finds(f"{self.site.folder}: every user", cwd=self.scratch.path)

    def test_folder_that_was_deleted(self):
        """Then there is no way from here to a relative path."""
        argv = ["/bin/sh", "-c", 'mkdir "$1" && cd "$1" && rmdir "$1" && exec "$2" doctor -c none.conf', "sh",
                self.scratch.path / "gone", programs().command]
        done = run(argv)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn(b"does not start with this configuration", done.stdout)
        self.assertNotIn(b"cannot enter", done.stdout)

    def test_store_that_does_not_open(self):
        self.site.write({"stores": {"opens": {"plugin": "bad_openfails"}}})
        lines = self.finds("memberchat does not start with this configuration")
        self.assertTrue([line for line in lines if "the directory of this store is a fiction" in line], lines)

    def test_log_without_a_folder(self):
        self.site.write({"log": {"target": "log/memberchat.log"}})
        self.finds("log.target", "cannot be written", "make its folder", "mkdir -p")

    def test_log_in_a_folder(self):
        unix_listener(self.site.folder / "socket").close()
        for target, words in (("keys", "keys cannot be written"), ("socket", "socket cannot be written"), ("x/" * 2040 + "x", "/x/x/x")):
            self.site.write({"log": {"target": target}})
            self.finds("log.target: ", words)

    def test_log_of_the_other_user(self):
        """Which of the two users runs memberchat is not known, unless it is the one that cannot write."""
        user = self.need_user()
        self.site.write({"log": {"target": "mc.log", "access": "log/access.log"}})
        (self.site.folder / "log").mkdir()
        self.site.put("mc.log", "", 0o644)
        self.site.put("log/access.log", "", 0o644)
        self.site.give_to(user)
        os.chown(self.site.folder / "mc.log", 0, 0)
        self.finds("log.target", "mc.log belongs to user 0", verdict="warning", arguments=("--user", user.pw_name))
        self.finds("the access log goes to", verdict="ok", arguments=("--user", user.pw_name))
        os.chown(self.site.folder / "mc.log", user.pw_uid, 0)
        os.chmod(self.site.folder / "mc.log", 0o444)
        self.finds("log.target", "mc.log cannot be written", arguments=("--user", user.pw_name))
        os.chown(self.site.folder / "log", 0, 0)
        os.chmod(self.site.folder / "log", 0o700)
        self.finds("log.access", "access.log cannot be written", arguments=("--user", user.pw_name))

    def test_log_on_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        self.site.write({"log": {"target": os.ttyname(theirs), "access": True}})
        lines = self.finds("is a terminal", "use \"stderr\"", verdict="warning")
        self.assertFalse([line for line in lines if "access log" in line])
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("is a terminal, and a service has none", done.stderr)
        self.site.write({"log": {"target": "/dev/tty"}})  # that of a process, if it has one
        done = command("check", "-c", self.site.conf, start_new_session=True)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertNotIn("is a terminal", done.stderr)

    def test_figures(self):
        self.site.write({"status": {"file": "figures"}})
        self.finds("what is counted goes to", str(self.site.folder / "figures"), verdict="ok")
        self.site.write({"status": {"file": "none/figures"}})
        self.finds("status.file", "each process counts for itself", verdict="warning")

    def test_names_of_document_roots(self):
        """A path tells, whether or not anything is there; a folder of /home is a user's."""
        for path, root in (("/home/www/x/a.conf", None), ("/home/a/www/x/a.conf", "/home/a/www"), ("/srv/www/a.conf", "/srv/www"),
                           ("/srv/www.example.com/a.conf", None), ("/home2/html/a.conf", "/home2/html"),
                           ("/srv/htdocs/html/a.conf", "/srv/htdocs"), ("/srv/httpdocs/a.conf", "/srv/httpdocs")):
            with self.subTest(path=path):
                self.site.conf = path
                found = [line for line in self.doctor().stdout.splitlines() if "document root" in line]
                self.assertEqual([], found) if not root else self.assertIn(f"{path}: lies below {root}, ", found[0])

    def test_key_in_public_html(self):
        site = self.site.folder.rename(self.scratch.path / "public_html")
        self.site.conf = site / "memberchat.conf"
        lines = self.finds("memberchat.conf: lies below", "public_html", "document root")
        self.assertTrue([line for line in lines if ".key: lies below" in line])

    def test_other_keys_in_public_html(self):
        (self.site.folder / "html").mkdir()
        key = self.site.settings["apps"][APP]["token"]["key_file"]
        for name in ("next.key", "previous.key", "secret"):
            self.site.put(f"html/{name}", "n" * 40 + name, 0o600)
        self.site.change_app(token={"key_file": key, "next_keys": ["html/next.key#n"], "previous_keys": ["html/previous.key"]},
                             api_secret=None, api_secret_file="html/secret")
        lines = self.finds("secret: lies below", cwd="/")
        self.assertEqual(["next.key", "previous.key", "secret"],
                         [name for name in ("next.key", "previous.key", "secret")
                          for line in lines if line.startswith(f"fault: {self.site.folder}/html/{name}: lies below")])

    def test_rules_in_a_document_root(self):
        """Those of a folder further down may be what protects the key."""
        root = self.scratch.path / "htdocs"
        root.mkdir()
        (root / ".htaccess").write_text("Options -Indexes\n")
        site = self.site.folder.rename(root / "site")
        self.site.conf = site / "memberchat.conf"
        self.finds("memberchat.conf: lies below", f"{root},")
        (root / ".htaccess").write_text("Order deny,allow\nDeny from all\n")
        (site / ".htaccess").write_text("Require all denied\n")
        self.finds("memberchat.conf: lies below", f"{root},", "only a .htaccess", verdict="warning")

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
        self.finds("store slow: unavailable: the directory does not answer")
        self.site.put("state", "mute")
        self.finds("store slow: unavailable; see that its server runs")
        self.site.put("state", "broken")
        self.finds("store slow: misconfigured: the directory refuses our password; correct ", "stores.slow")
        self.site.put("state", "empty")
        self.finds("store slow: it answers", verdict="ok")
        done = command("check", "--online", "-c", self.site.conf)
        self.assertIn("store slow: ok, ", done.stdout)

    def test_store_whose_members_cannot_be_counted(self):
        self.site.write({"stores": {"slow": {"plugin": "slow", "state_path": "state"}}})
        for state, told, warned in (("lost", "", "its members could not be counted: the directory has gone away"),
                                    ("vast", "members: at least 0, active: at least 0\n", "")):
            with self.subTest(state=state):
                self.site.put("state", state)
                done = command("check", "--online", "-c", self.site.conf)
                self.assertEqual(0, done.returncode)
                self.assertIn("store slow: ok, ", done.stdout)
                self.assertIn(told, done.stdout)
                self.assertIn(warned, done.stderr)
                self.assertNotIn("no member is active", done.stderr)

    def test_member_that_is_not_there(self):
        self.finds("store members: there is no active member \"nobody\"", verdict="warning",
                   arguments=("--member", "nobody"))

    def test_member_that_no_store_can_have(self):
        """What its "asked" makes of the id is empty."""
        self.site.write({"stores": {"members": {"member": {"asked": ["before @"]}}}})
        self.finds("store members: there is no active member \"@x\"", verdict="warning", arguments=("--member", "@x"))

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
        for key, text, words in ((KEY, "a\nb", "secret must be one line of text; byte 2 is not"),
                                 (KEY, "\n", "secret is empty"),
                                 (KEY, "a\rb\n", "--secret-file: there is a control character"),
                                 (KEY, "a\x7fb", "--secret-file: there is a control character"),
                                 ("a\nb", "ab", "--key: there is a control character"),
                                 (KEY, "x" * 5000, "is larger than")):
            secret = self.site.put("secret", text, 0o600)
            done = self.doctor("--url", "http://127.0.0.1:1/", "--key", key, "--secret-file", secret)
            self.assertEqual((1, ""), (done.returncode, done.stdout))
            self.assertIn(words, done.stderr)
        for arguments in (("surplus",), ("--key", "x"), ("--secret-file", "x"), ("--no-such",),
                          ("--key", "x", "--secret-file", "y")):
            with self.subTest(arguments=arguments):
                self.assertEqual(64, self.doctor(*arguments).returncode)
        for member in ("x" * 129, "", "a\nb"):
            self.assertEqual(1, self.doctor("--member", member).returncode)

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

    def test_program(self):
        self.upload(b"\177ELF")
        self.finds("memberchat.cgi: a web server can run it", verdict="ok")

    def test_damaged(self):
        self.upload(b"\177\r\nELF")
        self.finds("neither a program nor a script")

    def test_crlf_nowhere(self):
        for script in (b"#!/bin/sh", b"#!/bin/sh\nexit 0\r\n"):
            self.upload(script)
            self.finds("memberchat.cgi: a web server can run it", verdict="ok")

    def test_folder_in_its_place(self):
        self.program.unlink()
        self.program.mkdir()
        self.assertNotIn("memberchat.cgi", self.doctor().stdout)

    def test_program_that_cannot_be_read(self):
        user = web_user()
        if not user:
            self.skipTest("needs root")
        self.program.chmod(0o700)
        self.finds("memberchat.cgi: cannot be read: Permission denied", verdict="warning", arguments=("--user", user.pw_name))

    def test_empty(self):
        self.upload(b"")
        self.finds("neither a program nor a script")

    def test_program_that_the_group_writes(self):
        self.program.chmod(0o775)
        self.finds("memberchat.cgi: group or others", "suEXEC")

    def test_folder_that_the_group_writes(self):
        """Said once, for all programs in it."""
        self.folder.chmod(0o775)
        shutil.copy(self.program, self.folder / "memberchat.fcgi")
        lines = self.finds("this folder", "suEXEC")
        self.assertFalse([line for line in lines if "can run it" in line])

    def test_program_of_another_group(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        os.chown(self.program, -1, 12345)
        self.finds("another user or group than its folder", "suEXEC", verdict="warning")

    def test_program_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        os.chown(self.program, 12345, 12345)
        self.finds("another user or group than its folder", "suEXEC")
