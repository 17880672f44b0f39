# SPDX-License-Identifier: MIT
"""The chat example, started by its own run.sh, in a real browser.  Tokens are good for six seconds here."""
import os
import signal
import sys

from lib.browser import browse
from lib.case import ScratchCase
from lib.people import CLIENTS
from lib.programs import SOURCE
from lib.responder import accepts
from lib.scratch import free_port, wait_until

EXAMPLE = SOURCE / "examples" / "chat"


class Page(ScratchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        port, cls.elsewhere = free_port(), free_port()
        cls.url = f"http://127.0.0.1:{port}/"
        cls.example = cls.scratch.start(
            [EXAMPLE / "run.sh", "--port", port, "--ttl", "10s"], cls.scratch.path / "run.log",
            env={**os.environ, "TMPDIR": str(cls.scratch.path), "CONNECT": f"http://127.0.0.1:{cls.elsewhere}"})
        wait_until("run.sh", cls.is_up, 120)
        cls.addClassCleanup(cls.end_well)

    @classmethod
    def is_up(cls):
        if not cls.example.running:
            raise AssertionError(f"run.sh ended: {cls.example.log_text()[-2000:]}")
        return "until Ctrl-C" in cls.example.log_text()

    @classmethod
    def end_well(cls):
        """It stops what it started and takes its files away."""
        status = cls.example.stop(seconds=20)
        left = [path.name for path in cls.scratch.path.glob("memberchat-chat.*")]
        if (status, left, cls.scratch.stragglers()) != (128 + signal.SIGTERM, [], []):
            raise AssertionError(f"run.sh: {status} {left} {cls.scratch.stragglers()} {cls.example.log_text()[-500:]}")

    def see(self, scenario, *arguments):
        """What was seen; the browser complained of nothing."""
        seen = browse(self.scratch, "page.mjs", scenario, self.url, *arguments)
        self.assertEqual([], seen.pop("complaints"))
        return seen

    def test_three_talk(self):
        seen = self.see("talk")
        self.assertEqual(4, len(seen["ann"]))
        self.assertEqual(seen["ann"], seen["bob"])
        self.assertEqual(seen["ann"], seen["guest"])
        self.assertEqual("<img src=x onerror=alert(1)> & <b>bold</b>", seen["ann"][2])
        self.assertEqual(0, seen["elements"])
        self.assertEqual(["Ann", "You", "Bob"], seen["speakers"])

    def test_renewal_loses_nothing(self):
        seen = self.see("renewal")
        for who, sent in enumerate(seen["sent"]):
            self.assertGreater(len(sent), 100)
            for heard in seen["heard"]:
                self.assertEqual(sent, [text for text in heard if text.startswith(f"person {who} ")])
        self.assertEqual("Here as Ann", seen["state"])

    def test_keyboard_only(self):
        seen = self.see("keyboard")
        self.assertEqual({"start": "name", "refused": "name", "next": "SUMMARY", "unfolded": "server",
                          "joined": "text", "sent": "text",
                          "back": "log", "top": "leave", "left": "name"}, seen["focus"])
        self.assertEqual("Please enter a name.", seen["alert"])
        self.assertEqual(["typed\nin two lines"], seen["said"])

    def test_screen_reader(self):
        seen = self.see("reader")
        for line in ('heading "Lobby" [level=1]', "status: Not connected", 'textbox "Your name"',
                     "group: Another server", 'button "Join the chat"'):
            self.assertIn(line, seen["door"])
        for line in ("status: Here as Ann", 'log "Messages"', "text: You", "paragraph: hello",
                     'textbox "Your message"', 'button "Send"', 'button "Leave"'):
            self.assertIn(line, seen["room"])

    def test_phone(self):
        seen = self.see("phone")
        self.assertEqual((0, 0, 0), (seen["overflow"], seen["narrowOverflow"], seen["sendBottom"]))
        self.assertGreaterEqual(seen["smallest"], 44)
        self.assertLess(seen["atEnd"], 2)

    def test_lost_connection(self):
        seen = self.see("outage")
        self.assertEqual({"ann": ["written while away"], "bob": ["written while away"]}, seen)

    def test_reading_only(self):
        seen = self.see("readonly")
        self.assertEqual({"ann": ["news", "more news"], "guest": ["news", "rumours", "more news"]}, seen)

    def test_application_server_elsewhere(self):
        instance, = self.scratch.path.glob("memberchat-chat.*")
        words = (instance / "memberchat.conf").read_text().split()
        other = self.scratch.start([sys.executable, EXAMPLE / "server.py"], env={
            **os.environ, "PORT": str(self.elsewhere), "MEMBERCHAT_URL": f"{self.url}chat-api",
            "API_KEY": words[words.index("api_key") + 2].strip('"'), "API_SECRET_FILE": str(instance / "api-secret"),
            "PAGES": self.url.rstrip("/"), "PYTHONDONTWRITEBYTECODE": "1", "NODE_MODULES": str(CLIENTS)})
        self.addCleanup(other.kill)
        wait_until("server.py", lambda: accepts(("127.0.0.1", self.elsewhere)))
        self.assertEqual("Here as Ann", self.see("elsewhere", f"http://127.0.0.1:{self.elsewhere}")["state"])

    def test_mistakes(self):
        seen = browse(self.scratch, "page.mjs", "mistakes", self.url)
        self.assertEqual("The application server does not answer.", seen["elsewhere"])
        self.assertEqual("Guests may not come in.", seen["refused"])
        self.assertEqual("The chat server does not accept the token.", seen["forged"])

    def test_policy_is_in_force(self):
        seen = browse(self.scratch, "page.mjs", "policy", self.url)
        self.assertFalse(seen["bad"])
        self.assertLessEqual({"style-src-attr", "connect-src", "require-trusted-types-for"}, set(seen["violations"]))
