# SPDX-License-Identifier: MIT
"""The clients that exist, against the responder behind lighttpd.

MEMBERCHAT_CLIENTS is the folder where `npm ci` ran (a copy of clients/); without it, clients/ itself.
"""
import json
import os
import subprocess
from pathlib import Path

from lib.mount_cases import MountedCase
from lib.programs import TESTS, limit
from lib.responder import RunningResponder
from lib.servers import INSTALLED_SOCKET, Lighttpd, read_mount
from lib.site import APP, GUEST_PATH, KEY, SECRET, member_path
from lib.tokens import MEMBERS_OF_AN_ANSWER, verify

CLIENTS = Path(os.environ.get("MEMBERCHAT_CLIENTS", TESTS / "clients"))
ORIGIN = "https://page.example.com"
MONGO_ID = "64d0c5f2a1b2c3d4e5f60718"


class Clients(MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.change_app(cors_origins=[ORIGIN])
        responder = RunningResponder(cls.scratch, cls.site)
        cls.web = Lighttpd(cls.scratch, read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: responder.address}))
        cls.url = f"http://127.0.0.1:{cls.web.port}{cls.web.mount}"

    def node(self, script, *arguments):
        done = subprocess.run(["node", CLIENTS / script, self.url, KEY, SECRET, *arguments],
                              capture_output=True, timeout=limit(30), check=False)
        self.assertEqual(0, done.returncode, done.stderr.decode())
        return json.loads(done.stdout)

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "-u", f"{KEY}:{SECRET}", "-H", "Content-Type: application/json",
                               *arguments], capture_output=True, timeout=limit(30), check=False)
        self.assertEqual(0, done.returncode, done.stderr.decode())
        return json.loads(done.stdout)

    def good(self, body, user, name):
        self.assertEqual(MEMBERS_OF_AN_ANSWER, list(body))
        self.assertEqual((APP, user, name), (body["appId"], body["userId"], body["userName"]))
        verify(body["chatToken"], self.site.signing_key())

    def test_page_with_axios(self):
        result = self.node("page.mjs", ORIGIN)
        self.assertEqual(200, result.get("status"), result)
        user = result["data"]["userId"]
        self.good(result["data"], user, "GUEST_" + user)

    def test_foreign_page_with_axios(self):
        self.assertEqual("preflight", self.node("page.mjs", "https://evil.example.com").get("blocked"))

    def test_application_server_with_gaxios(self):
        result = self.node("server.mjs", MONGO_ID)
        self.assertEqual([200, 200, 404], [result[k]["status"] for k in ("member", "guest", "nobody")], result)
        self.good(result["member"]["data"], MONGO_ID, "Mongo")
        self.good(result["guest"]["data"], "g1", "Anna")
        self.assertEqual("MEMBER_NOT_FOUND", result["nobody"]["data"]["errorCode"])

    def test_curl_as_in_the_document(self):
        body = self.curl("-X", "POST", "-d", "", self.url + member_path("1"))
        self.good(body, "1", "foobar1")
        fields = {"appUserId": "g2", "appUserName": "GUEST_g2", "appUserProfileImgUrl": None}
        body = self.curl("-X", "POST", "-d", "\n" + json.dumps(fields, indent=2) + "\n", self.url + GUEST_PATH)
        self.good(body, "g2", "GUEST_g2")
