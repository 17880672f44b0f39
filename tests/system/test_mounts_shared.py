# SPDX-License-Identifier: MIT
"""On a shared host: nothing but .htaccess files and scripts, and a host that allows little."""
import re
import shlex
import subprocess

from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.servers import INSTALLED_RESPONDER, MOUNT, Apache, read_mount, responder_paths
from lib.web import Web

HOME = "/home/you/memberchat"


class SharedHostCase(MountedCase):
    """A host's configuration; %2F never gets past Apache, and no .htaccess may change that."""

    SLASH_IN_ID = False
    MODULES = ["rewrite"]
    MOUNT = MOUNT
    FOLDER = "chat-api"
    OVERRIDE = "FileInfo Options=ExecCGI"
    HOST = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.scratch.path / "public_html"
        (cls.root / cls.FOLDER).mkdir(parents=True)
        (cls.root / "index.html").write_text("the site\n")
        cls.upload()
        cls.web = Apache(cls.scratch, cls.host_text(), cls.MODULES, cls.MOUNT)

    @classmethod
    def host_text(cls):
        return f"""\
DocumentRoot {cls.root}
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {cls.root}>
    AllowOverride {cls.OVERRIDE}
    Require all granted
</Directory>
{cls.HOST.format(root=cls.root)}
"""

    @classmethod
    def put(cls, name, text, mode=0o644):
        path = cls.root / name
        path.write_text(text)
        path.chmod(mode)

    @classmethod
    def put_script(cls, name, folder):
        """The wrapper, with the paths of this site in the place of those in a home."""
        paths = {f"{HOME}/libexec/memberchat.fcgi": responder_paths(cls.site)[INSTALLED_RESPONDER],
                 f"{HOME}/etc/memberchat/memberchat.conf": cls.site.conf}
        cls.put(f"{folder}/{name}", read_mount(f"shared-hosting/{name}", paths), 0o755)


class SiteCases:
    FILE = ""

    def test_third_step_of_the_file(self):
        """As it stands there: a guest and a member get a token."""
        text = read_mount(f"shared-hosting/{self.FILE}", {
            "KEY:SECRET": "demo-key:demo-secret-demo", "https://YOUR-HOST/chat-api": f"http://127.0.0.1:{self.web.port}{MOUNT}", "MEMBER-ID": "2"})
        commands = re.findall(r"^# +(curl .*)$", text, re.M)
        answers = [subprocess.run([*shlex.split(command), "-s"], capture_output=True, text=True, check=True).stdout
                   for command in commands]
        self.assertEqual(2, len(answers))
        self.assertIn('"userName":"GUEST_', answers[0])
        self.assertIn('"userId":"2"', answers[1])

    def test_the_site_is_still_there(self):
        self.assertEqual(b"the site\n", Web(self.web.port).call("GET", "/index.html").body)


class Fcgid(MountCases, KilledCases, SiteCases, SharedHostCase):
    """mod_fcgid with its defaults: no more than 128 KiB of a body."""

    FILE = "htaccess-fcgid"
    MODULES = ["rewrite", "fcgid"]
    LARGEST_BODY = 131_072
    HEAD_REFUSED = (500,)  # from 64 KiB on

    @classmethod
    def upload(cls):
        cls.put("chat-api/.htaccess", read_mount("shared-hosting/htaccess-fcgid", {}))
        cls.put_script("memberchat.fcgi", "chat-api")


class FcgidAtRoot(RootMountCases, SharedHostCase):
    """The same file in the document root."""

    MODULES = ["rewrite", "fcgid"]
    MOUNT = ""
    FOLDER = "."

    @classmethod
    def upload(cls):
        text = read_mount("shared-hosting/htaccess-fcgid", {"BASE_PATH /chat-api": "BASE_PATH /"})
        cls.put(".htaccess", text)
        cls.put_script("memberchat.fcgi", ".")


class Cgi(MountCases, KilledCases, SiteCases, SharedHostCase):
    FILE = "htaccess-cgi"
    MODULES = ["rewrite", "cgid"]
    GOOD_WHILE_RESTARTING = (200, 503)  # mod_cgid's daemon is gone for a moment
    HEAD_REFUSED = ()

    @classmethod
    def upload(cls):
        cls.put("chat-api/.htaccess", read_mount("shared-hosting/htaccess-cgi", {}))
        cls.put_script("memberchat.cgi", "chat-api")


class WithoutLinks(SharedHostCase):
    """What the files say of a host that has neither FollowSymLinks nor SymLinksIfOwnerMatch."""

    MODULES = ["rewrite", "cgid"]
    HOST = "<Directory {root}>\n    Options None\n</Directory>"

    @classmethod
    def upload(cls):
        cls.put("chat-api/.htaccess", read_mount("shared-hosting/htaccess-cgi", {"Options +ExecCGI\n": ""}))
        cls.put_script("memberchat.cgi", "chat-api")

    def test_apache_answers_403(self):
        self.assertEqual(403, self.web.call("GET", "/healthz").status)


class CgiBinCase(SharedHostCase):
    MODULES = ["rewrite", "cgid"]
    FOLDER = "cgi-bin"
    CMS = ""

    @classmethod
    def upload(cls):
        cls.put(".htaccess", read_mount("shared-hosting/htaccess-docroot", {}) + cls.CMS)
        cls.put_script("memberchat.cgi", "cgi-bin")


class Docroot(MountCases, KilledCases, SiteCases, CgiBinCase):
    """cgi-bin only, beside a CMS that takes every path for its own."""

    FILE = "htaccess-docroot"
    GOOD_WHILE_RESTARTING = (200, 503)
    HEAD_REFUSED = ()
    OVERRIDE = "FileInfo"
    HOST = 'ScriptAlias "/cgi-bin/" "{root}/cgi-bin/"'
    CMS = """
RewriteEngine On
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule . /index.html [L]
"""

    def test_lookalike_of_the_mount(self):
        """It is the site's."""
        self.assertEqual(b"the site\n", Web(self.web.port).call("GET", MOUNT + "X/v2").body)


class DocrootWithoutScriptAlias(RootMountCases, CgiBinCase):
    """A host that gives cgi-bin its handler by other means."""

    HOST = """\
<Directory {root}/cgi-bin>
    Options +ExecCGI
    SetHandler cgi-script
</Directory>"""
