# SPDX-License-Identifier: MIT
"""The kit as its README.txt tells, on hosts that allow little."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import unittest
import jwt

from lib import fcgi
from lib.answer import parse_cgi
from lib.certificates import Authority
from lib.kit import API_KEY, KEY_TEXT, SECRET, HostUser, Kit, archive, forbid_new_calls
from lib.scratch import Process, wait_until
from lib.servers import Apache, Lighttpd, Nginx
from lib.site import APP, Site
from lib.slapd import Slapd, tls_lines
from lib.web import Web

PLAIN_HEADERS = {"X-Api-Key": API_KEY, "X-Api-Secret": SECRET}


def claims_of(answer):
    """The claims, when the token is one of the kit's key."""
    return jwt.decode(answer.json["chatToken"], KEY_TEXT, algorithms=["HS256"], audience="my-app")


class KitCase(unittest.TestCase):
    """A user with a kit; hosts are added by subclasses."""

    @classmethod
    def setUpClass(cls):
        cls.user = HostUser(cls)
        cls.scratch = cls.user.scratch
        cls.kit = Kit(cls.user)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """For subclasses: changes to the account, then a web server."""

    def run_cgi(self, path, program=None, kit=None, auth=True, **more):
        kit = kit or self.kit
        environment = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "REQUEST_URI": f"/chat-api/v2/apps/me/members/{path}",
                       "SERVER_PROTOCOL": "HTTP/1.1"}
        if auth:
            environment["HTTP_AUTHORIZATION"] = kit.auth()
        done = subprocess.run([program or kit.web / "memberchat.cgi"], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, **more)
        return parse_cgi(done.stdout)


class HostCases:
    """What has to work on every host, at `self.mount` of `self.web`."""

    def ask(self, path, auth=True, **headers):
        return self.web.post(f"/v2/apps/me/members/{path}", self.kit.auth() if auth else None, headers=headers)

    def test_guest(self):
        answer = self.ask("guest-chat-tokens")
        self.assertEqual(200, answer.status, answer.body + self.kit.log().encode())
        self.assertEqual("guest", claims_of(answer)["role"])

    def test_member(self):
        answer = self.ask("2/chat-tokens")
        self.assertEqual(200, answer.status, answer.body + self.kit.log().encode())
        self.assertEqual(("2", "Smith, Ann"), (claims_of(answer)["sub"], answer.json["userName"]))

    def test_nobody(self):
        self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask("4711/chat-tokens").error)

    def test_wrong_secret(self):
        self.assertEqual((401, "INVALID_APP_CREDENTIALS"),
                         self.ask("2/chat-tokens", False, **{**PLAIN_HEADERS, "X-Api-Secret": "wrong"}).error)

    def test_plain_headers(self):
        self.assertEqual(200, self.ask("2/chat-tokens", False, **PLAIN_HEADERS).status)

    def test_configuration_is_not_served(self):
        self.assertNotIn(SECRET.encode(), Web(self.web.port).call("GET", "/memberchat/memberchat.conf").body)


class ApacheCase(KitCase):
    MODULES = ["rewrite", "cgid"]
    HOST = "AllowOverride All"
    VHOST = ""
    MOUNT = "/chat-api"

    @classmethod
    def prepare(cls):
        cls.start_apache()

    @classmethod
    def start_apache(cls):
        text = f"""\
DocumentRoot {cls.kit.root}
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {cls.kit.root}>
    {cls.HOST}
    Require all granted
</Directory>
{cls.VHOST.format(root=cls.kit.root, user=cls.user.name, home=cls.user.home)}
"""
        cls.web = Apache(cls.scratch, text, cls.MODULES, cls.MOUNT.format(user=cls.user.name))


def readable_for_all(kit):
    """As a host has it where programs run as the web server's user."""
    for name in ("memberchat.conf", "my-app.key", "members.csv"):
        (kit.home / name).chmod(0o644)
    (kit.home / "log").chmod(0o777)


class Cgi(HostCases, ApacheCase):
    """AllowOverride All, plain CGI, everything as the web server's user."""

    HOST = "AllowOverride All\n    Options FollowSymLinks ExecCGI"

    @classmethod
    def prepare(cls):
        readable_for_all(cls.kit)
        cls.start_apache()

    def test_the_site_is_still_there(self):
        self.assertEqual(b"the site\n", Web(self.web.port).call("GET", "/index.html").body)


class CrlfEverywhere(Cgi):
    """Uploaded in text mode."""

    @classmethod
    def prepare(cls):
        for path in (cls.kit.home / "memberchat.conf", cls.kit.home / "members.csv", cls.kit.home / "my-app.key",
                     cls.kit.home / ".htaccess", cls.kit.web / ".htaccess"):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        (cls.kit.web / "memberchat.home").write_bytes(f"{cls.kit.home}\r\n".encode())
        super().prepare()


class BelowTheDocumentRoot(Cgi):
    """The private folder where it does not belong: it protects itself."""

    @classmethod
    def prepare(cls):
        cls.kit.home = cls.kit.home.rename(cls.kit.root / "memberchat")
        super().prepare()

    def test_configuration_is_not_served(self):
        for name in ("memberchat.conf", "my-app.key", "members.csv", "lib/libc.so.6", ""):
            self.assertEqual(403, Web(self.web.port).call("GET", f"/memberchat/{name}").status)


class Fcgid(Cgi):
    """A host with mod_fcgid: the starter becomes the ordinary program."""

    MODULES = ["rewrite", "fcgid"]

    def test_replaced_kit_and_changed_configuration_are_noticed(self):
        self.assertEqual(200, self.ask("2/chat-tokens").status)
        self.kit.change('api_key         = "my-app"', 'api_key         = "other"')
        wait_until("the new configuration", lambda: self.ask("2/chat-tokens").status == 401, 8)
        self.kit.change('api_key         = "other"', 'api_key         = "my-app"')
        wait_until("the old configuration", lambda: self.ask("2/chat-tokens").status == 200, 8)
        program = self.kit.home / "lib/memberchat.fcgi"
        fresh = program.with_name("fresh")
        shutil.copy2(program, fresh)
        fresh.rename(program)
        seen = set()
        wait_until("the end of the old process", lambda: seen.add(self.ask("2/chat-tokens").status) or
                   "the program has been replaced" in self.kit.log(), 8)
        seen.update(self.ask("2/chat-tokens").status for _ in range(20))
        self.assertEqual({200}, seen)


    def test_upgrade_by_unpacking_beside_and_renaming(self):
        self.assertEqual(200, self.ask("2/chat-tokens").status)
        fresh = Kit(self.user, self.scratch.path / "fresh")
        (fresh.home / "members.csv").write_text("appUserId,appUserName\n2,Ann the Second\n")
        readable_for_all(fresh)
        # a rename of whole folders needs both on one file system
        beside = self.kit.home.with_name("memberchat-new")
        shutil.copytree(fresh.home, beside)
        self.user.own(beside)
        (beside / "log").chmod(0o777)
        self.kit.home.rename(self.kit.home.with_name("memberchat-old"))
        beside.rename(self.kit.home)
        wait_until("the new kit", lambda: self.name_of_member() == "Ann the Second", 30)
        shutil.rmtree(self.kit.home)
        self.kit.home.with_name("memberchat-old").rename(self.kit.home)
        wait_until("the old kit", lambda: self.name_of_member() == "Smith, Ann", 30)

    def name_of_member(self):
        answer = self.ask("2/chat-tokens")
        return answer.json["userName"] if answer.status == 200 else answer.status


class FileInfoOnly(Cgi):
    HOST = "AllowOverride FileInfo\n    Options SymLinksIfOwnerMatch ExecCGI"


class Suexec(HostCases, ApacheCase):
    """Programs run as the account's user, in an environment that suEXEC has cleaned."""

    MODULES = ["rewrite", "cgid", "suexec"]
    HOST = "AllowOverride All\n    Options FollowSymLinks ExecCGI"
    VHOST = "SuexecUserGroup {user} {user}"

    def test_log_is_in_the_folder(self):
        self.kit.change("members.csv", "gone.csv")
        self.assertEqual(500, self.ask("2/chat-tokens").status)
        self.kit.change("gone.csv", "members.csv")
        self.assertIn("gone.csv", self.kit.log())


class SuexecCgiBin(Suexec):
    """Programs only in cgi-bin beside the document root, nothing may be overridden, no options."""

    MODULES = ["cgid", "suexec"]
    HOST = "AllowOverride None\n    Options None"
    VHOST = """SuexecUserGroup {user} {user}
ScriptAlias "/cgi-bin/" "{home}/cgi-bin/"
<Directory {home}/cgi-bin>
    Options None
    Require all granted
</Directory>"""
    MOUNT = "/cgi-bin/memberchat.cgi"

    @classmethod
    def prepare(cls):
        folder = cls.user.home / "cgi-bin"
        folder.mkdir()
        shutil.copy(cls.kit.web / "memberchat.cgi", folder)
        cls.user.own(folder)
        cls.start_apache()

    def ask(self, path, auth=True, **headers):
        """Nothing here can bring Authorization through."""
        if auth:
            self.assertEqual((401, "EMPTY_APP_CREDENTIALS"), super().ask(path).error)
        return super().ask(path, False, **(PLAIN_HEADERS if auth else headers))


class UserDir(SuexecCgiBin):
    """~user, with cgi-bin inside of public_html."""

    MODULES = ["cgid", "suexec", "userdir"]
    VHOST = """UserDir public_html
<Directory {root}/cgi-bin>
    Options ExecCGI
    SetHandler cgi-script
    Require all granted
</Directory>"""
    MOUNT = "/~{user}/cgi-bin/memberchat.cgi"

    @classmethod
    def prepare(cls):
        folder = cls.kit.root / "cgi-bin"
        folder.mkdir()
        shutil.copy(cls.kit.web / "memberchat.cgi", folder)
        cls.user.own(folder)
        cls.start_apache()


class LighttpdCgi(HostCases, KitCase):
    @classmethod
    def prepare(cls):
        text = f"""\
server.modules += ( "mod_alias", "mod_cgi" )
alias.url = ( "/cgi-bin/" => "{cls.kit.web}/" )
$HTTP["url"] =~ "^/cgi-bin/" {{ cgi.assign = ( ".cgi" => "" ) }}
"""
        cls.web = Lighttpd(cls.scratch, text, "/cgi-bin/memberchat.cgi")


class NginxFcgiwrap(HostCases, KitCase):
    @classmethod
    def prepare(cls):
        readable_for_all(cls.kit)
        wrap = cls.scratch.path / "wrap.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(wrap))
        os.chmod(wrap, 0o666)
        listener.listen(64)
        cls.scratch.start(["/usr/sbin/fcgiwrap", "-c", "2"], stdin=listener)
        text = f"""\
location /chat-api/ {{
    include fastcgi_params;
    fastcgi_param SCRIPT_FILENAME {cls.kit.web}/memberchat.cgi;
    fastcgi_pass unix:{wrap};
}}
"""
        cls.web = Nginx(cls.scratch, text)


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
        for name in ("chat-api/.htaccess", "chat-api/memberchat.cgi", "memberchat/README.txt", "memberchat/lib/store_ldap.so"):
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
