# SPDX-License-Identifier: MIT
"""The kit as its README.txt tells, on hosts that allow little."""

import os
import shutil
import socket
import subprocess
import unittest
import jwt

from lib.answer import parse_cgi
from lib.kit import API_KEY, KEY_TEXT, SECRET, HostUser, Kit
from lib.scratch import wait_until
from lib.servers import Apache, Lighttpd, Nginx
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
