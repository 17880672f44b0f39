# SPDX-License-Identifier: MIT
"""/status for people: what is wrong now, and how stores, apps and processes do."""
import json
import signal
import socket
import subprocess
import time

from lib.answer import basic
from lib.case import FreshCase
from lib.fcgi import request_pairs
from lib.programs import programs
from lib.responder import command, environment
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, KEY, member_path

LOCAL = ["127.0.0.1"]


class Status(FreshCase):
    """The page, and the same as JSON and by the command."""

    def setUp(self):
        super().setUp()
        self.site.write({"status": {"allow": LOCAL, "file": "figures"}})

    def serve(self):
        self.responder = self.start()
        for path, body in ((GUEST_PATH, b"{}"), (GUEST_PATH, b"["), (member_path("1"), b""), (member_path("nobody"), b"")):
            self.responder.post(path, self.site.auth(), body)
        self.responder.post(GUEST_PATH, basic("unknown", "wrong-secret-wrong"))

    def report(self):
        answer = self.responder.call("GET", "/status?json")
        self.assertEqual((200, ["application/json"]), (answer.status, answer.headers["content-type"]))
        return answer.json

    def page(self):
        answer = self.responder.call("GET", "/status")
        self.assertEqual((200, ["text/html; charset=utf-8"]), (answer.status, answer.headers["content-type"]))
        return answer

    def test_report(self):
        self.serve()
        report = self.report()
        self.assertEqual([], report["wrong"])
        store, (app, nobody) = report["stores"][0], report["apps"]
        self.assertEqual(("members", "up", 2, 1, 1), tuple(store[k] for k in ("name", "state", "lookups", "found", "notFound")))
        self.assertEqual((APP, 1, 1, 1, 1), tuple(app[k] for k in ("name", "guests", "members", "guestsToday", "membersToday")))
        self.assertEqual((1, 1), (sum(app["guestsByHour"]), sum(app["membersByHour"])))
        self.assertEqual({"INVALID_HTTP_MESSAGE_BODY": 1, "MEMBER_NOT_FOUND": 1}, app["refusals"])
        self.assertEqual(("", {"INVALID_APP_CREDENTIALS": 1}), (nobody["name"], nobody["refusals"]))
        self.assertEqual(self.responder.process.popen.pid, report["processes"][0]["pid"])
        self.assertEqual([("app " + APP, "key k1, HS256")], [(f["owner"], f["what"]) for f in report["files"]])
        self.assertEqual(["INVALID_APP_CREDENTIALS", "MEMBER_NOT_FOUND", "INVALID_HTTP_MESSAGE_BODY"],
                         [refusal["reason"] for refusal in report["refusals"]])
        self.assertNotIn("id", report["refusals"][1])

    def test_page(self):
        self.serve()
        answer = self.page()
        page = answer.body.decode()
        for part in ("Nothing is wrong", "<svg", "MEMBER_NOT_FOUND", "prefers-color-scheme:dark"):
            self.assertIn(part, page)
        for part in ("<script", "http:", "https:", "//", "@import", "url(", "nobody", "wrong-secret", KEY):
            self.assertNotIn(part, page)
        self.assertIn("default-src 'none'", answer.headers["content-security-policy"][0])
        self.assertEqual((200, b""), (lambda a: (a.status, a.body))(self.responder.call("HEAD", "/status")))
        self.assertEqual(405, self.responder.call("POST", "/status").status)
        self.assertEqual(404, self.responder.call("GET", "/status", extra={"REMOTE_ADDR": "192.0.2.1"}).status)

    def test_ids_are_shown_where_they_may_be(self):
        self.site.write({"status": {"show_ids": True}})
        self.serve()
        self.responder.post(member_path("%3Cb%3E%26%22"), self.site.auth())
        report = self.report()
        self.assertEqual(['<b>&"', None, "nobody", None], [refusal["id"] for refusal in report["refusals"]])
        self.assertIn(b"<td class=\"id\">&lt;b&gt;&amp;&quot;</td>", self.page().body)

    def test_no_more_than_fifty_refusals(self):
        self.serve()
        for number in range(70):
            self.responder.post(member_path("x"), self.site.auth(), headers={"X-Request-Id": f"r{number}"})
        self.assertEqual([f"r{number}" for number in range(69, 19, -1)], [refusal["requestId"] for refusal in self.report()["refusals"]])

    def test_what_is_wrong_and_what_to_do(self):
        self.site.settings["stores"]["dead"] = {"plugin": "rest", "url": "http://127.0.0.1:1/{id}"}
        self.site.change_app(store="dead")
        self.serve()
        for _ in range(6):
            self.responder.post(member_path("1"), self.site.auth())
        for _ in range(8):
            self.responder.post(GUEST_PATH, basic(KEY, "wrong-secret-wrong"))
        self.site.signing_key()
        (self.site.folder / self.site.settings["apps"][APP]["token"]["key_file"]).unlink()
        self.site.put("memberchat.conf", self.site.text() + "no_such_key = 1\n")
        self.responder.process.send_signal(signal.SIGHUP)
        self.responder.expect_log("stays in force")
        wrong = [finding["what"] for finding in self.report()["wrong"]]
        for number, pattern in enumerate((r"Store dead has not answered for", r"Process \d+ refused the configuration",
                                          r"The file .*\.key \(key k1, HS256 of app .*\) cannot be found",
                                          r"Of the newest \d+ refusals, 9 within ten minutes had a wrong API key")):
            self.assertRegex(wrong[number], pattern)
        self.assertIn("Wrong now", self.page().body.decode())
        self.assertTrue(all(finding["remedy"] for finding in self.report()["wrong"]))

    def test_command(self):
        self.serve()
        self.assertIn("file is not set", self.without_file().stderr)
        done = command("-c", self.site.conf, "status")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        for pattern in (r"^nothing is wrong\n", r"store members: up since .*look-ups 2: 1 found, 1 not found", rf"app {APP}: tokens today: 1 member, 1 guest;",
                        r"process \d+: version .* threads", r"refused .* app ffl-dev-1: MEMBER_NOT_FOUND, request "):
            self.assertRegex(done.stdout, pattern)
        shown, printed = self.report(), json.loads(command("-c", self.site.conf, "status", "--json").stdout)
        for part in ("stores", "apps", "files", "refusals", "wrong"):
            self.assertEqual(shown[part], printed[part])
        self.site.put("memberchat.conf", self.site.text() + "no_such_key = 1\n")
        self.responder.process.send_signal(signal.SIGHUP)
        self.responder.expect_log("stays in force")
        self.site.write()
        done = command("-c", self.site.conf, "status")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stdout, r"^wrong: Process \d+ refused the configuration")
        (self.site.folder / "figures").unlink()
        self.assertEqual(2, command("-c", self.site.folder / "none.conf", "status").returncode)

    def test_command_when_nothing_runs(self):
        """Which is wrong only if it had an address of its own: a web server starts processes when it needs them."""
        def status():
            done = command("-c", self.site.conf, "status")
            self.assertEqual("", done.stderr)
            return done.returncode, done.stdout
        self.serve()
        self.responder.process.stop()
        code, text = status()
        self.assertEqual(1, code)
        self.assertRegex(text, r"^wrong: No memberchat runs: process \d+, which began \d+ seconds? ago, has ended\.\n")
        self.assertIn("\nno process runs now\n", text)
        self.serve()
        self.assertEqual(0, status()[0])
        self.responder.process.popen.kill()
        self.responder.process.popen.wait()
        self.assertEqual(1, status()[0])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            time.sleep(1.1)  # the newest process is known by the second
            process = self.scratch.start([programs().responder], stdin=listener, env=environment(self.site))
            wait_until("it serves", lambda: "ready" in process.log_text())
            self.assertEqual(0, status()[0])
            process.stop()
        code, text = status()
        self.assertEqual(0, code)
        self.assertRegex(text, r"^nothing is wrong\n[^$]*\nno process runs now\n")

    def test_command_while_the_configuration_has_a_mistake(self):
        """It shows what runs, and where the mistake is; what runs goes on."""
        self.site.settings["apps"]["other"] = {**self.site.new_app("other", "other-key", "other-secret-other"), "app_id": "Other"}
        self.site.write()
        self.serve()
        good = self.site.text()
        shown = self.report()
        stores, apps = shown["stores"], shown["apps"]
        for mistake in (good + "no_such_key = 1\n", good.replace('plugin = "file"', 'plugin = "none"'), good + "threads = 0\n",
                        good.replace("status = {", "status = { no_such_key = 1;"), good.replace("/other.key", "/none.key"),
                        good.replace("key_file", "key_fil")):
            with self.subTest(mistake=mistake):
                self.assertNotEqual(good, mistake)
                self.site.put("memberchat.conf", mistake)
                done = command("-c", self.site.conf, "status", "--json")
                self.assertEqual((1, ""), (done.returncode, done.stderr))
                printed = json.loads(done.stdout)
                found = printed["wrong"][0]["what"].partition("The configuration has a mistake: ")[2]
                self.assertIn(found[:100], [line[:100] for line in command("-c", self.site.conf, "check").stderr.splitlines()])
                self.assertEqual((stores, apps), (printed["stores"], printed["apps"]))
                self.assertEqual(1, len(printed["processes"]))
        self.site.put("memberchat.conf", 'status = { file = "figures" }')
        printed = json.loads(command("-c", self.site.conf, "status", "--json").stdout)
        self.assertEqual(([], [], 1), (printed["stores"], [app["name"] for app in printed["apps"] if app["name"]], len(printed["processes"])))
        for mistake in ('x = "1', "}", "x = [ 1, {} ]"):
            told = self.site.put("memberchat.conf", good + mistake)
            done = command("-c", self.site.conf, "status")
            self.assertEqual((1, ""), (done.returncode, done.stderr))
            line = told.read_text().count("\n") + 1
            self.assertRegex(done.stdout, rf"^wrong: The configuration has a mistake: {self.site.conf}:{line}: .*\n[^$]*\napp Other: [^$]*\nprocess ")
        for lost in ("status = {", good.replace("status", "statu"), good.replace('file = "figures"', 'file = 1')):
            self.site.put("memberchat.conf", lost)
            done = command("-c", self.site.conf, "status")
            self.assertEqual((2, ""), (done.returncode, done.stdout))
            self.assertIn(f"{self.site.conf}", done.stderr)

    def without_file(self):
        self.site.put("other.conf", self.site.text().replace('file = "figures"', ""))
        done = command("-c", self.site.folder / "other.conf", "status")
        self.assertEqual(2, done.returncode)
        return done

    def test_as_cgi(self):
        self.serve()
        env = environment(self.site, **dict(request_pairs("GET", "/status?json")))
        done = subprocess.run([programs().responder], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        report = json.loads(done.stdout.split(b"\r\n\r\n", 1)[1])
        self.assertEqual([1, 2], [report["apps"][0]["guests"], report["stores"][0]["lookups"]])
        self.assertEqual([], report["wrong"])
