# SPDX-License-Identifier: MIT
"""The kit without a web server: what it needs of its host, and what it finds there."""
import os
import resource
import shutil
import signal
import socket
import subprocess

from lib import fcgi
from lib.certificates import Authority
from lib.kit import SECRET, Kit, archive, forbid_new_calls
from lib.site import APP, Site
from lib.slapd import Slapd, tls_lines
from lib.upstream import NginxService
from .test_kit import KitCase, claims_of


class Alone(KitCase):
    """The programs without a web server."""

    def answers(self, **more):
        for path, role in (("guest-chat-tokens", "guest"), ("2/chat-tokens", "moderator")):
            answer = self.run_cgi(path, **more)
            self.assertEqual(200, answer.status, (answer.body, self.kit.log()))
            self.assertEqual(role, claims_of(answer)["role"])

    def test_size(self):
        size = sum(path.stat().st_size for folder in (self.kit.home, self.kit.web) for path in folder.rglob("*") if path.is_file())
        self.assertLessEqual(size, 25_000_000)

    def test_ldaps_with_the_libraries_of_the_kit(self):
        authority = Authority(self.scratch.path, "ca")
        slapd = Slapd(self.scratch, head=tls_lines(*authority.issue("server")), schemes=("ldap", "ldaps", "ldapi"))
        site = Site(self.scratch.path / "ldap")
        site.settings["stores"] = {"staff": slapd.settings(uri=slapd.tls_uri, ca_file=str(authority.certificate))}
        site.write({"apps": {APP: {"store": "staff"}}})
        done = subprocess.run([self.kit.home / "memberchat", "lookup", "-c", site.conf, "staff", "m1"], env={},
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('"Ann"', done.stdout)

    def test_https_and_brotli_with_the_libraries_of_the_kit(self):
        """Some of libcurl's libraries are hollow there."""
        authority = Authority(self.scratch.path, "https-ca")
        certificate, key = authority.issue()
        service = NginxService(self.scratch, listen="ssl http2", locations=f"""
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            location ~ ^/br/ {{ add_header Content-Encoding br; try_files /$uri =404; }}""")
        (service.root / "br").mkdir()
        (service.root / "br/1.json").write_bytes(subprocess.run(
            ["brotli", "-c"], input=(service.root / "1.json").read_bytes(), capture_output=True, check=True).stdout)
        for path, keys in (("members/{id}", {}), ("br/{id}.json", {}), ("members/{id}", {"http_version": "2"})):
            site = Site(self.scratch.path / f"rest{len(keys)}{path[:2]}")
            site.settings["stores"] = {"staff": {"plugin": "rest", "ca_file": str(authority.certificate),
                                                 "url": f"https://127.0.0.1:{service.port}/{path}", **keys}}
            site.write({"apps": {APP: {"store": "staff"}}})
            done = subprocess.run([self.kit.home / "memberchat", "lookup", "-c", site.conf, "staff", "1"], env={},
                                  capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn("foobar1", done.stdout)

    def test_moved_and_copied_as_it_is(self):
        kit = Kit(self.user, self.scratch.path / "first")
        shutil.copytree(self.scratch.path / "first", self.scratch.path / "copy", symlinks=True)
        (self.scratch.path / "first").rename(self.scratch.path / "moved")
        for place in ("copy", "moved"):
            root = self.scratch.path / place
            kit.root, kit.home, kit.web = root / "public_html", root / "memberchat", root / "public_html/chat-api"
            self.user.own(root)
            self.assertEqual(200, self.run_cgi("2/chat-tokens", kit=kit).status, kit.log())
            done = subprocess.run([kit.home / "memberchat", "check"], env={}, capture_output=True, text=True, check=False)
            self.assertEqual(f"{kit.home}/memberchat.conf: ok\n", done.stdout[-len(f"{kit.home}/memberchat.conf: ok\n"):], done.stderr)

    def test_zip_has_the_same_files(self):
        listing = subprocess.run(["python3", "-m", "zipfile", "-l", str(archive()).replace(".tar.gz", ".zip")],
                                 check=True, capture_output=True, text=True).stdout
        for name in ("chat-api/.htaccess", "chat-api/memberchat.cgi", "memberchat/README.txt", "memberchat/lib/store_ldap.so", "memberchat/stores/joomla.conf"):
            self.assertIn(name, listing)

    def test_empty_root_without_a_c_library(self):
        cage = self.scratch.path / "cage"
        shutil.copytree(self.kit.home, cage / "memberchat")
        shutil.copytree(self.kit.web, cage / "www/chat-api")
        self.answers(program="/www/chat-api/memberchat.cgi", preexec_fn=lambda: os.chroot(cage))
        done = subprocess.run(["/memberchat/memberchat", "check"], preexec_fn=lambda: os.chroot(cage), env={},
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("/memberchat/memberchat.conf: ok\n", done.stdout)

    def test_kernel_of_2013(self):
        self.answers(preexec_fn=forbid_new_calls)
        done = subprocess.run([self.kit.home / "memberchat", "check"], preexec_fn=forbid_new_calls, env={},
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_upload_without_x_bits_in_lib(self):
        kit = Kit(self.user, self.scratch.path / "noexec")
        kit.use_es256()
        for path in kit.home.glob("lib/*"):
            if path.is_file():
                path.chmod(0o644)
        answer = self.run_cgi("2/chat-tokens", kit=kit)
        self.assertEqual(200, answer.status, (answer.body, kit.log()))

    def test_what_the_static_program_cannot_do_the_ordinary_one_does(self):
        kit = Kit(self.user, self.scratch.path / "es256")
        kit.use_es256()
        self.assertEqual(200, self.run_cgi("2/chat-tokens", kit=kit).status, kit.log())
        kit = Kit(self.user, self.scratch.path / "cp1252")
        kit.change('path = "members.csv"', 'path = "members.csv"; encoding = "windows-1252"')
        (kit.home / "members.csv").write_bytes("appUserId,appUserName\n2,Müller €\n".encode("cp1252"))
        answer = self.run_cgi("2/chat-tokens", kit=kit)
        self.assertEqual("Müller €", answer.json["userName"], kit.log())

    def test_what_is_missing_is_in_the_log(self):
        kit = Kit(self.user, self.scratch.path / "fresh")
        kit.change(SECRET, "")
        self.assertEqual(500, self.run_cgi("2/chat-tokens", kit=kit).status)
        self.assertIn("api_secret", kit.log())
        kit.change('= ""', f'= "{SECRET}"')
        (kit.home / "my-app.key").write_text("")
        self.assertEqual(500, self.run_cgi("2/chat-tokens", kit=kit).status)
        self.assertIn("my-app.key", kit.log())

    def test_two_kits_do_not_meet(self):
        other = Kit(self.user, self.scratch.path / "two")
        (other.home / "members.csv").write_text("appUserId,appUserName\n2,Other\n")
        self.assertEqual("Other", self.run_cgi("2/chat-tokens", kit=other).json["userName"])
        self.assertEqual("Smith, Ann", self.run_cgi("2/chat-tokens").json["userName"])

    def test_folder_of_another_user_is_passed_over(self):
        """Upwards from the program lies somebody else's memberchat/."""
        trap = self.scratch.path / "trap"
        kit = Kit(self.user, trap)
        other = trap / "site"
        (other / "chat-api").mkdir(parents=True)
        shutil.copy(kit.web / "memberchat.cgi", other / "chat-api")
        self.user.own(other)
        for path in [kit.home, *kit.home.rglob("*")]:
            os.chown(path, 65534, 65534)
        self.assertEqual(500, self.run_cgi("2/chat-tokens", program=other / "chat-api/memberchat.cgi").status)

    def test_few_processes_and_little_memory(self):
        """20 processes and 64 MiB: it serves with what it gets, and says so."""
        kit = Kit(self.user, self.scratch.path / "few")
        kit.change("log = {", "threads = 64\nlog = {")
        path = self.scratch.path / "few.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o666)
        listener.listen(64)

        def confine():
            resource.setrlimit(resource.RLIMIT_NPROC, (20, 20))
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        process = self.scratch.start([kit.web / "memberchat.fcgi"], stdin=listener, env={}, preexec_fn=confine,
                                     user=self.user.uid, group=self.user.gid, extra_groups=[])
        responder = fcgi.Responder(path)
        for _ in range(20):
            answer = responder.post("/v2/apps/me/members/2/chat-tokens", kit.auth())
            self.assertEqual(200, answer.status, kit.log())
        self.assertEqual(0, process.stop(signal.SIGTERM))
        self.assertRegex(kit.log(), "only [0-9]+ of [0-9]+ threads could be started, .*ulimit -[uv]")
