# SPDX-License-Identifier: MIT
"""memberchat doctor of the kit, on real hosts that are broken in one way each."""
import os
import socket
import subprocess

from kit.test_kit import ApacheCase, KitCase, readable_for_all
from lib.kit import API_KEY, SECRET
from lib.scratch import free_port
from lib.servers import Lighttpd, Nginx


class DoctorCase(KitCase):
    """The kit's command as the account's user, with and without --url."""

    MOUNT = "/chat-api"

    def setUp(self):
        self.changed = {}

    def tearDown(self):
        for path, (content, mode) in self.changed.items():
            path.write_bytes(content)
            path.chmod(mode)

    def edit(self, path, change):
        """Changes a file for this test: its text, or its mode."""
        self.changed.setdefault(path, (path.read_bytes(), path.stat().st_mode & 0o7777))
        if callable(change):
            path.write_text(change(path.read_text()))
        else:
            path.chmod(change)

    def htaccess(self, change):
        self.edit(self.kit.web / ".htaccess", change)

    def finds(self, *words, verdict="fault", mount=None):
        secret = self.scratch.path / "secret"
        secret.write_text(SECRET + "\n")
        os.chown(secret, self.user.uid, self.user.gid)
        secret.chmod(0o600)
        os.chmod(self.scratch.path, 0o755)
        url = f"http://127.0.0.1:{self.web.port}" + (mount or self.MOUNT).format(user=self.user.name)
        done = subprocess.run([self.kit.home / "memberchat", "doctor", "--url", url, "--key", API_KEY, "--secret-file", secret],
                              user=self.user.uid, group=self.user.gid, extra_groups=[], env={}, capture_output=True, text=True, check=False)
        self.assertEqual("", done.stderr)
        lines = done.stdout.splitlines()
        found = [line for line in lines if line.startswith(f"{verdict}: ") and all(word in line for word in words)]
        self.assertEqual(1, len(found), done.stdout)
        self.assertEqual(int(any(line.startswith("fault: ") for line in lines)), done.returncode)
        return lines


class Good:
    def test_good(self):
        lines = self.finds("the members' store answers", verdict="ok")
        self.assertEqual([], [line for line in lines if line.startswith("fault: ")])


class OnApache(Good, DoctorCase, ApacheCase):
    """What .htaccess may do wrong, whatever runs the program."""

    MODULES = ["rewrite", "cgid"]
    HOST = "AllowOverride All\n    Options FollowSymLinks ExecCGI"

    @classmethod
    def prepare(cls):
        readable_for_all(cls.kit)
        cls.start_apache()

    def test_authorization_lost(self):
        self.htaccess(lambda text: text.replace("[E=HTTP_AUTHORIZATION:%{HTTP:Authorization},L]", "[L]"))
        self.finds("keeps the Authorization header back", "lets X-Api-Key and X-Api-Secret pass")

    def test_wrong_mount(self):
        self.htaccess(lambda text: text + "SetEnv MEMBERCHAT_BASE_PATH /other\n")
        self.finds("not at this mount", "memberchat saw /chat-api/v2/", "its base path is /other")

    def test_redirect_that_loses_post(self):
        self.htaccess(lambda text: "RewriteEngine On\nRewriteRule ^ https://www.example.com/ [R=301,L]\n")
        self.finds(": 301: ", "https://www.example.com/", "makes a GET of a POST")

    def test_forbidden(self):
        self.htaccess(lambda text: text + "Require all denied\n")
        self.finds(": 403: ", "Require all granted")

    def test_password_of_the_web_server(self):
        self.htaccess(lambda text: text + 'AuthType Basic\nAuthName x\nRequire valid-user\n')
        self.finds("the web server")

    def test_line_that_is_not_allowed(self):
        self.htaccess(lambda text: text + "NoSuchDirective On\n")
        self.finds(": 500: ", "a line of .htaccess")

    def test_nothing_at_the_path(self):
        self.finds(": 404: ", "nothing at this path", mount="/no-such-folder")

    def test_handler_forgotten(self):
        self.htaccess(lambda text: text.replace("SetHandler", "# SetHandler"))
        self.finds(": 200: ", "shows the program instead of running it")


class OnFcgid(OnApache):
    MODULES = ["rewrite", "fcgid"]


class OnSuexec(OnApache):
    MODULES = ["rewrite", "cgid", "suexec"]
    VHOST = "SuexecUserGroup {user} {user}"
    test_wrong_mount = None  # suEXEC lets no MEMBERCHAT_BASE_PATH through

    def test_folder_that_the_group_writes(self):
        self.kit.web.chmod(0o775)
        try:
            lines = self.finds("this folder, so suEXEC refuses what is in it")
        finally:
            self.kit.web.chmod(0o755)
        self.assertTrue([line for line in lines if ": 500: the web server could not run memberchat" in line], lines)

    def test_program_that_others_write(self):
        self.edit(self.kit.web / "memberchat.cgi", 0o777)
        self.finds("memberchat.cgi: group or others may write it, so suEXEC refuses it")

    def test_program_without_x(self):
        self.edit(self.kit.web / "memberchat.cgi", 0o644)
        self.finds("memberchat.cgi: is not executable", "chmod 755")

    def test_members_only(self):
        members = self.kit.home / "members.csv"
        members.rename(members.with_name("gone.csv"))
        try:
            self.finds("guests get tokens and members do not", "so it is the store")
        finally:
            members.with_name("gone.csv").rename(members)


class OnSuexecCgiBin(DoctorCase, ApacheCase):
    """No .htaccess, and suEXEC: nothing can bring Authorization through."""

    MODULES = ["cgid", "suexec"]
    HOST = "AllowOverride None\n    Options None"
    VHOST = """SuexecUserGroup {user} {user}
ScriptAlias "/cgi-bin/" "{root}/chat-api/"
<Directory {root}/chat-api>
    Require all granted
</Directory>"""
    MOUNT = "/cgi-bin/memberchat.cgi"

    def test_good(self):
        lines = self.finds("keeps the Authorization header back", "lets X-Api-Key and X-Api-Secret pass")
        self.assertTrue(lines[-1].startswith("ok: ") and "the members' store answers" in lines[-1], lines)


class OnLighttpd(Good, DoctorCase):
    MOUNT = "/cgi-bin/memberchat.cgi"
    CGI = '$HTTP["url"] =~ "^/cgi-bin/" {{ cgi.assign = ( ".cgi" => "" ) }}'

    @classmethod
    def prepare(cls):
        text = f'server.modules += ( "mod_alias", "mod_cgi" )\nalias.url = ( "/cgi-bin/" => "{cls.kit.web}/" )\n{cls.CGI.format()}\n'
        cls.web = Lighttpd(cls.scratch, text, cls.MOUNT)

    def test_nothing_at_the_path(self):
        self.finds(": 404: ", "nothing at this path", mount="/no-such")


class OnLighttpdWithoutCgi(OnLighttpd):
    CGI = ""

    def test_good(self):
        """The program is a file like any other."""
        self.finds(": 200: ", "shows the program instead of running it")


class OnNginx(Good, DoctorCase):
    PROGRAM = "memberchat.cgi"

    @classmethod
    def prepare(cls):
        readable_for_all(cls.kit)
        wrap = cls.scratch.path / "wrap.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(wrap))
        os.chmod(wrap, 0o666)
        listener.listen(64)
        cls.scratch.start(["/usr/sbin/fcgiwrap", "-c", "2"], stdin=listener)
        listener.close()
        text = f"""\
location /chat-api/ {{
    include fastcgi_params;
    fastcgi_param SCRIPT_FILENAME {cls.kit.web}/{cls.PROGRAM};
    fastcgi_pass unix:{wrap};
}}
location /nobody/ {{
    include fastcgi_params;
    fastcgi_pass 127.0.0.1:{free_port()};
}}
location /moved/ {{ return 302 https://www.example.com/; }}
"""
        cls.web = Nginx(cls.scratch, text)

    def test_nobody_behind_it(self):
        self.finds(": 502: ", "does not reach memberchat", mount="/nobody")

    def test_redirect_that_loses_post(self):
        self.finds(": 302: ", "makes a GET of a POST", mount="/moved")

    def test_program_without_x(self):
        self.edit(self.kit.web / "memberchat.cgi", 0o644)
        lines = self.finds("memberchat.cgi: is not executable", "chmod 755")
        self.assertTrue([line for line in lines if ": 403: the web server forbids it" in line], lines)
