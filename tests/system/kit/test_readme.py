# SPDX-License-Identifier: MIT
"""Every command of the kit's README.txt, read from there and typed as it stands on a host with CGI."""
import json
import re
import subprocess

from lib.kit import API_KEY, SECRET
from lib.programs import SOURCE, limit

from .test_kit import ApacheCase, readable_for_all

README = (SOURCE / "conf/kit/README.txt").read_text()


def commands():
    """What stands in README.txt to be typed."""
    found = re.findall(r"(curl -[^\n]*|memberchat/memberchat (?:doctor|new-store [^\n]*|[a-z-]+ my-app))", README)
    mentioned = len(re.findall(r"curl -|memberchat/memberchat (?!must be)", README))
    assert len(found) == mentioned, f"README.txt mentions {mentioned} commands; seen are {found}"
    return found


class Commands(ApacheCase):
    HOST = "AllowOverride All\n    Options FollowSymLinks ExecCGI"

    @classmethod
    def prepare(cls):
        readable_for_all(cls.kit)
        cls.start_apache()

    def type(self, words):
        """In the home folder, as the document has it."""
        for old, new in (("https://YOUR-HOST", f"http://127.0.0.1:{self.web.port}"), ("API_SECRET", SECRET)):
            words = words.replace(old, new)
        return subprocess.run(["sh", "-c", words], cwd=self.kit.home.parent, capture_output=True, text=True, check=False,
                              timeout=limit(60), env={"PATH": "/usr/bin:/bin"})

    def token(self, words, role):
        done = self.type(words)
        self.assertEqual(0, done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(("my-app", role), (answer.get("appId"), "guest" if answer.get("userId") != "2" else "member"),
                         answer)

    def test_tokens(self):
        guest, member = [one for one in commands() if "YOUR-HOST" in one]
        self.token(guest, "guest")
        self.token(member, "member")

    def test_headers_instead_of_credentials(self):
        line, = [one for one in commands() if "X-Api-Key" in one]
        self.assertTrue(line.endswith(" ..."), line)
        address = "https://YOUR-HOST/chat-api/v2/apps/me/members/2/chat-tokens"
        self.token(line.removesuffix("...") + address, "member")

    def test_made_secrets(self):
        done = self.type(next(one for one in commands() if "new-app" in one))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, r"API secret: +\S{20,}")

    def test_group_of_a_store(self):
        (self.kit.home.parent / "public_html").mkdir(exist_ok=True)
        (self.kit.home.parent / "public_html/wp-config.php").write_text(
            "<?php define('DB_NAME', 'blog'); define('DB_HOST', 'localhost'); $table_prefix = 'wp_';")
        done = self.type(next(one for one in commands() if "new-store" in one))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn('plugin = "mysql"', done.stdout)

    def test_doctor(self):
        done = self.type(next(one for one in commands() if "doctor" in one))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertIn("memberchat.conf", done.stdout + done.stderr)

    def test_nothing_is_left_out(self):
        self.assertEqual(["curl"] * 3 + ["memberchat/memberchat"] * 3, sorted(one.split()[0] for one in commands()))
        self.assertIn(API_KEY, README)
