# SPDX-License-Identifier: MIT
"""The access log, the lines that tell of refused tokens, and traceparent."""
import json
import os
import re
import shlex
import signal
import subprocess

from lib.answer import basic, parse_cgi
from lib.case import FreshCase
from lib.fcgi import request_pairs
from lib.programs import limit, programs
from lib.responder import environment, command
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, KEY, member_path
from lib.upstream import Scripted, answer_well

FIELDS = ["time", "level", "requestId", "client", "method", "route", "app", "memberId", "status", "outcome", "store",
          "cache", "us", "bytes"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def read_text(line):
    """A line of text as a dict of the fields, None for "-"."""
    return dict(zip(FIELDS + ["trace"], [None if word == "-" else word for word in shlex.split(line)]))


class LogCase(FreshCase):
    def serve(self, **log):
        self.site.settings["log"] = {"level": "info", "access": "access.log", **log}
        self.file = self.site.folder / "access.log"
        self.site.write()
        self.responder = self.start()

    def member(self, encoded_id, **more):
        return self.responder.post(member_path(encoded_id), self.site.auth(), **more)

    def guest(self, **fields):
        return self.responder.post(GUEST_PATH, self.site.auth(), json.dumps(fields).encode())

    def lines(self, count):
        """The access log, once it has as many lines."""
        wait_until(f"{count} lines", lambda: self.file.read_text().count("\n") >= count)
        lines = self.file.read_text().splitlines()
        self.assertEqual(count, len(lines), lines)
        return lines


class Lines(LogCase):
    def test_json(self):
        self.serve(format="json")
        answer = self.member("1")
        line = self.lines(1)[0]
        fields = json.loads(line)
        self.assertEqual(FIELDS, list(fields))
        self.assertRegex(fields["time"], f"^{TIME}$")
        self.assertGreater(fields["us"], 0)
        self.assertEqual(
            {"level": "info", "requestId": answer.header("x-request-id"), "client": "127.0.0.1", "method": "POST",
             "route": "member", "app": APP, "memberId": "1", "status": 200, "outcome": "OK", "store": "members",
             "cache": "off", "bytes": len(answer.body)},
            {name: fields[name] for name in FIELDS if name not in ("time", "us")})
        self.responder.call("GET", "/nowhere")
        fields = json.loads(self.lines(2)[1])
        self.assertEqual([None] * 5 + [404, "RESOURCE_NOT_FOUND"],
                         [fields[name] for name in ("route", "app", "memberId", "store", "cache", "status", "outcome")])

    def test_text(self):
        self.serve()
        guest = self.guest(appUserId="g1")
        for encoded_id in ("2", "3", "a%20b", "q%2C%22uote", "%2D"):
            self.member(encoded_id)
        self.responder.post(member_path("7"), basic(KEY, "wrong-secret-wrong"))
        self.responder.call("HEAD", "/healthz")
        lines = self.lines(8)
        self.assertRegex(lines[0], f"^{TIME} info [0-9a-f]{{32}} 127.0.0.1 POST guest {APP} g1 200 OK - - "
                                   rf"\d+ {len(guest.body)}$")
        self.assertRegex(lines[1], rf" POST member {APP} 2 200 OK members off \d+ \d+$")
        self.assertRegex(lines[2], rf" POST member {APP} 3 404 MEMBER_NOT_FOUND members off \d+ \d+$")
        self.assertRegex(lines[3], rf' POST member {APP} "a b" 404 MEMBER_NOT_FOUND members off ')
        self.assertIn(f' POST member {APP} "q,\\"uote" 200 OK members off ', lines[4])
        self.assertRegex(lines[5], rf' POST member {APP} "-" 404 MEMBER_NOT_FOUND ')
        self.assertRegex(lines[6], rf" POST member {APP} 7 401 INVALID_APP_CREDENTIALS - - ")
        self.assertRegex(lines[7], r" HEAD healthz - - 200 OK - - \d+ 0$")
        self.assertEqual({len(FIELDS)}, {len(shlex.split(line)) for line in lines})

    def test_nothing_forges_a_line(self):
        """Whatever comes from outside stays in its field."""
        for kind in ("text", "json"):
            with self.subTest(kind=kind):
                self.serve(format=kind)
                evil = 'x\n2026 info "\\ \x7f\x9b31m\t'
                before = self.file.read_text().count("\n")
                self.member("a%0A2026%20info%22%5C%1B[31m%C2%9B")
                self.responder.call(evil, "/healthz", extra={"REMOTE_ADDR": evil, "HTTP_X_FORWARDED_FOR": evil})
                self.member("1", extra={"REMOTE_ADDR": b"\xff\xfe \"quoted\"", "HTTP_X_REQUEST_ID": "a\nb"})
                lines = self.lines(before + 3)[before:]
                for line in lines:
                    self.assertTrue(line.isprintable(), line)
                    fields = json.loads(line) if kind == "json" else read_text(line)
                    self.assertEqual(FIELDS, list(fields))
                self.responder.process.stop()

    def test_caches(self):
        self.site.settings["stores"]["members"]["cache"] = {"ttl": "1h"}
        self.serve()
        for encoded_id in ("1", "1", "9", "9"):
            self.member(encoded_id)
        self.assertEqual(["miss", "hit", "miss", "hit"], [read_text(line)["cache"] for line in self.lines(4)])

    def test_among_the_log(self):
        self.serve(access=True, level="error")
        self.member("1")
        self.responder.expect_log(rf"(?m)^{TIME} info [0-9a-f]+ 127\.0\.0\.1 POST member {APP} 1 200 OK members off")

    def test_clients(self):
        self.site.write({"trusted_proxies": ["10.0.0.0/8", "2001:db8:1::/48", "unix:"]})
        self.serve()
        rows = (("10.0.0.1", "203.0.113.7:51234, 10.1.2.3:4000", "203.0.113.7"),
                ("[2001:db8:1::9]:1", " \t[2001:db8::1]:443 ,\t10.1.2.3", "2001:db8::1"),
                ("192.0.2.7", "203.0.113.7", "192.0.2.7"), ("unix:", None, "unix:"), ("", None, "unknown"))
        for peer, forwarded, _ in rows:
            self.member("1", extra={"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded})
        self.assertEqual([client for _, _, client in rows], [read_text(line)["client"] for line in self.lines(len(rows))])

    def test_ids(self):
        for ids, pattern in (("hashed", "[0-9a-f]{16}"), ("off", "-")):
            with self.subTest(ids=ids):
                self.serve(ids=ids, access=True)
                self.member("1")
                self.member("zeus")
                self.guest(appUserId="zeus")
                self.responder.expect_log(rf" member {APP} {pattern} 200 OK ")
                self.responder.expect_log(rf" guest {APP} {pattern} 200 OK ")
                self.responder.expect_log(r"no token for " + ("member [0-9a-f]{16}:" if ids == "hashed" else "a member:"))
                self.assertNotIn("zeus", self.responder.log_text())
                self.responder.process.stop()
        # the same id, the same text
        log = self.responder.log_text()
        self.assertEqual(log.count("no token for a member"), 1)

    def test_cgi(self):
        self.site.settings["log"] = {"access": "access.log", "target": "mc.log"}
        self.site.write()
        self.file = self.site.folder / "access.log"
        for uri, error in ((member_path("1"), None), (member_path("4711"), "MEMBER_NOT_FOUND")):
            env = environment(self.site, **dict(request_pairs("POST", uri, self.site.auth())))
            done = subprocess.run([programs().responder], env=env, capture_output=True, timeout=limit(15), check=False)
            answer = parse_cgi(done.stdout)
            self.assertEqual(error, answer.json.get("errorCode"))
        self.assertEqual(["OK", "MEMBER_NOT_FOUND"], [read_text(line)["outcome"] for line in self.lines(2)])
        self.assertRegex((self.site.folder / "mc.log").read_text(),
                         rf"info: \[[0-9a-f]+\] app {APP}: no token for member 4711: MEMBER_NOT_FOUND \(store members\)\n")


class Refusals(LogCase):
    def test_why_did_4711_get_none(self):
        """One grep tells app, id, store and reason, without an access log."""
        self.site.put("denied.txt", "13\ng13\n")
        self.site.change_app(denied_file="denied.txt")
        self.serve(access=False)
        self.member("4711")
        self.member("13")
        self.guest(appUserId="g13")
        self.guest(appUserName=7)
        self.responder.post(member_path("4712"), basic(KEY, "wrong-secret-wrong"))
        self.responder.post(member_path("4713"))
        for line in (f"app {APP}: no token for member 4711: MEMBER_NOT_FOUND (store members)",
                     f"app {APP}: no token for member 13: MEMBER_DENIED",
                     f"app {APP}: no token for guest g13: MEMBER_DENIED",
                     f"app {APP}: no token for a guest: INVALID_HTTP_MESSAGE_BODY",
                     f"client 127.0.0.1: wrong API key or secret: the key is that of app {APP}; no token for member 4712",
                     "client 127.0.0.1: no token for member 4713: EMPTY_APP_CREDENTIALS"):
            self.responder.expect_log(r"(?m)info: \[[0-9a-f]{32}\] " + re.escape(line) + "$")

    def test_not_at_warning(self):
        self.serve(access=False, level="warning")
        self.member("zeus")
        self.member("1")
        self.assertNotIn("zeus", self.responder.log_text())


class InWords(LogCase):
    """memberchat log."""

    def told(self, file, *arguments, code=0):
        done = command("log", "-c", self.site.conf, file, *arguments)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout

    def logged(self):
        return self.responder.process.log

    def test_of_each_kind(self):
        for log in ({"format": "text"}, {"format": "json"}, {"format": "text", "ids": "hashed"},
                    {"format": "json", "access": True}, {"access": False}):
            with self.subTest(log=log):
                self.serve(**log)
                answers = [self.member(user) for user in ("4711", "1", "a%20%22b%22%3A%20c", "9")]
                self.responder.post(member_path("4711"), basic(KEY, "wrong-secret-wrong"))
                self.responder.process.stop()
                apart = log.get("access") not in (True, False)
                for file in [self.file, self.logged()] if apart else [self.logged()]:
                    text = self.told(file, "--member", "4711")
                    self.assertIn(f"of app {APP}: no token (", text)
                    self.assertIn("MEMBER_NOT_FOUND)\n    The store does not know the id", text)
                    self.assertIn(f"request {answers[0].header('x-request-id')}", text)
                    self.assertIn("store members", text)
                    self.assertIn("INVALID_APP_CREDENTIALS)\n    The application server came with a wrong", text)
                    self.assertEqual(2, text.count("no token ("))
                    self.assertEqual(1, self.told(file, "--member", 'a "b": c').count("no token ("))
                    self.assertIn("MEMBER_NOT_FOUND", self.told(file, "--request", answers[3].header("x-request-id")))
                    self.assertEqual("", self.told(file, "--member", "nobody", code=1))
                if apart:
                    self.assertIn(f"of app {APP}: 200 OK\n    A token was issued.", self.told(self.file, "--member", "1"))
                    self.file.unlink()

    def test_hashed_ids_without_a_good_configuration(self):
        self.serve(ids="hashed")
        self.member("4711")
        self.responder.process.stop()
        self.assertIn("MEMBER_NOT_FOUND", self.told(self.file, "--member", "4711"))
        self.site.put("memberchat.conf", self.site.text() + "no_such_key = 1\n")
        done = command("log", "-c", self.site.conf, self.file, "--member", "4711")
        self.assertEqual(1, done.returncode)
        self.assertIn("ids that are hashed in it are not found", done.stderr)

    def test_what_the_log_has_besides(self):
        self.site.settings["stores"]["members"] = {"plugin": "rest", "url": "http://127.0.0.1:9/{id}"}
        self.serve(access=False)
        self.member("4711")
        self.responder.process.stop()
        text = self.told(self.logged(), "--member", "4711")
        self.assertIn("503" if "503" in text else "MEMBER_STORE_UNAVAILABLE", text)
        self.assertRegex(text, "    the log: (error|warning): store members: ")

    def test_input_and_syslog(self):
        lines = (b"Nov 25 21:40:11 host memberchat[7]: [ab12] app shop: no token for member 4711: MEMBER_DENIED\n"
                 b"Nov 25 21:40:11 host memberchat[7]: 2026-11-25T21:40:11.123Z info ab13 192.0.2.1 POST member shop "
                 b"4711 200 OK members hit 63 612\nsomething else\n{\n\n\xff 4711\n{\"time\": 4711}\n")
        done = command("log", "-", "--member", "4711", stdin=lines)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("member 4711 of app shop: no token (MEMBER_DENIED)", done.stdout)
        self.assertIn("member 4711 of app shop: 200 OK", done.stdout)
        self.assertIn("cache hit, 63 microseconds", done.stdout)

    def test_mistakes(self):
        self.site.write()
        self.told("/nowhere.log", "--member", "1", code=2)
        self.told("/nowhere.log", code=64)
        self.told("/nowhere.log", "--member", "1", "--request", "2", code=64)


class Rotation(LogCase):
    def test_create(self):
        """The old file is renamed away, and SIGHUP makes a new one."""
        self.serve()
        self.member("1")
        self.lines(1)
        old = self.file.rename(self.file.with_suffix(".log.1"))
        self.member("2")
        wait_until("the line in the old file", lambda: old.read_text().count("\n") == 2)
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the new file", self.file.exists)
        self.responder.expect_log("loaded")
        self.member("4")
        self.assertEqual(["4"], [read_text(line)["memberId"] for line in self.lines(1)])
        self.assertEqual(2, old.read_text().count("\n"))

    def test_copytruncate(self):
        self.serve()
        self.member("1")
        self.lines(1)
        os.truncate(self.file, 0)
        self.member("2")
        self.assertEqual(["2"], [read_text(line)["memberId"] for line in self.lines(1)])
        self.assertNotIn("\0", self.file.read_text())

    def test_a_full_disk_costs_no_token(self):
        self.serve(access="/dev/full")
        for _ in range(20):
            self.assertEqual(200, self.member("1").status)
        self.assertEqual(0, self.responder.process.stop())

    def test_a_file_that_cannot_be_written(self):
        self.site.write({"log": {"access": "none/access.log"}})
        done = command("check", "-c", self.site.conf)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r":\d+: log\.access: the access log \S+/none/access.log cannot be written: "
                                     r"No such file or directory: make its folder, .*: mkdir -p \S+/none; chown \S+ \S+/none")
        self.site.write({"log": {"target": "none/log"}, "status": {"file": "nowhere/figures"}})
        done = command("check", "-c", self.site.conf)
        self.assertRegex(done.stderr, r":\d+: log\.target: the log file \S+/none/log cannot be written: .*mkdir -p \S+/none;")
        self.assertRegex(done.stderr, r"status\.file: (warning: )?\S+/figures cannot be opened or made: .*mkdir -p \S+/nowhere; chown \S+ \S+ \(until")
        self.site.write({"log": {"target": "it's new/log"}})
        done = command("check", "-c", self.site.conf)
        self.assertRegex(done.stderr, r"mkdir -p '\S+/it'\\''s new'; chown \S+ '\S+/it'\\''s new'\n")
        self.site.write({"log": {"access": 7}})
        self.assertIn("log.access: expected true, false or a path in quotes", command("check", "-c", self.site.conf).stderr)


    def test_a_terminal_and_links(self):
        _, terminal = os.openpty()
        self.site.write({"log": {"target": os.ttyname(terminal)}})
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode)
        self.assertRegex(done.stderr, r"log\.target: .*is a terminal, and a service has none: it would not start")
        self.site.write({"log": {"access": "/dev/tty"}})
        done = subprocess.run([str(programs().command), "check", "-c", str(self.site.conf)], env=environment(), start_new_session=True,
                              capture_output=True, text=True, check=False)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"log\.access: the access log /dev/tty cannot be written: No such device or address: name a file")
        (self.site.folder / "access").symlink_to(self.site.folder / "none" / "lines")
        (self.site.folder / "figures").symlink_to("elsewhere")
        self.site.write({"log": {"access": "access"}, "status": {"file": "figures"}})
        done = command("check", "-c", self.site.conf)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"access cannot be written: it is a link to \S+/none/lines: No such file or directory: make its folder")
        self.assertRegex(done.stderr, r"figures cannot be opened or made: .*it is a symbolic link that is not followed")
        (self.site.folder / "none").mkdir()
        self.assertEqual(0, command("check", "-c", self.site.conf).returncode)
        self.assertFalse((self.site.folder / "none" / "lines").exists())


class Traces(LogCase):
    def test_logged_and_sent_on(self):
        service = Scripted(self, answer_well)
        self.site.settings["stores"]["members"] = {"plugin": "rest", "url": service.url + "/{id}"}
        self.serve()
        for user, header in enumerate((TRACE, TRACE.replace("-01", "-00"), "00-bad", None)):
            self.member(f"{user}", extra={"HTTP_TRACEPARENT": header})
        lines = [read_text(line) for line in self.lines(4)]
        self.assertEqual([TRACE[3:-3], TRACE[3:-3], None, None], [line.get("trace") for line in lines])
        sent = [request.header("traceparent") for request in service.received]
        self.assertEqual([None, None], sent[2:])
        for text, end in zip(sent, ("-01", "-00")):
            self.assertRegex(text, rf"^{TRACE[:36]}[0-9a-f]{{16}}{end}$")
            self.assertNotIn(TRACE[36:52], text)
        self.assertNotEqual(sent[0][36:52], sent[1][36:52])
