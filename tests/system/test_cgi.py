# SPDX-License-Identifier: MIT
"""The same binary as a CGI program, run directly."""
import os
import signal
import socket
import subprocess
import tempfile
import time

from lib.answer import basic, parse_cgi
from lib.case import ScratchCase
from lib.fcgi import Responder, request_pairs
from lib.programs import WRAP, limit, programs
from lib.responder import environment
from lib.scratch import unix_listener
from lib.site import APP, GUEST_PATH, SECRET, Site, member_path

BODY = b'{"appUserId":"g1"}'


class CgiCase(ScratchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = Site(cls.scratch.path / "site").write()

    def environment(self, uri=GUEST_PATH, body=BODY, method="POST", conf=None, **extra):
        pairs = request_pairs(method, uri, self.site.auth(), body, extra)
        return environment(MEMBERCHAT_CONF=str(conf or self.site.conf), **dict(pairs))

    def begin(self, env, stdin=subprocess.PIPE, arguments=(), **popen):
        """Started, its stdin and stdout in our hands."""
        process = subprocess.Popen([programs().responder, *arguments], env=env, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self.addCleanup(end, process)
        return process

    def run_cgi(self, env, body=BODY, **more):
        process = self.begin(env, **more)
        output, self.errors = process.communicate(body, timeout=limit(15))
        self.assertEqual(0, process.returncode, self.errors)
        return parse_cgi(output)

    def good(self, answer):
        self.site.check(answer, user="g1", name="GUEST_g1", role="guest")


def end(process):
    if process.poll() is None:
        process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    process.wait()


class Environment(CgiCase):
    def test_large(self):
        """As large as Linux lets it be, and headers that are read."""
        many = {f"HTTP_X_{number}": "v" * 100_000 for number in range(15)}
        read = dict.fromkeys(("HTTP_ORIGIN", "HTTP_X_REQUEST_ID", "HTTP_X_FORWARDED_FOR", "HTTP_TRACEPARENT"), "v" * 130_000)
        for more in (many, read):
            self.good(self.run_cgi(self.environment(**more)))
        for name, error in (("HTTP_X_API_KEY", (401, "INVALID_APP_CREDENTIALS")), ("REQUEST_URI", (404, "RESOURCE_NOT_FOUND"))):
            self.assertEqual(error, self.run_cgi(self.environment(**{name: "v" * 130_000})).error)


class Bodies(CgiCase):
    def test_with_length(self):
        self.good(self.run_cgi(self.environment()))

    def test_what_another_request_needs_is_not_looked_at(self):
        """Neither an app that nobody can sign in to, nor the password of a page."""
        site = Site(self.scratch.path / "other")
        site.settings["apps"]["other"] = site.new_app("other", "", "secret-of-the-other")
        del site.settings["apps"]["other"]["api_key"]
        site.settings["status"] = {"password_file": "nothing"}
        site.write()
        site.check(self.run_cgi(self.environment(conf=site.conf)), user="g1", name="GUEST_g1", role="guest")

    def test_member(self):
        answer = self.run_cgi(self.environment(member_path("2"), b""), b"")
        self.site.check(answer, user="2", name="foobar2")

    def test_absent_and_empty_length(self):
        """No body, then, whatever stdin holds (RFC 3875, section 4.2)."""
        for length in (None, ""):
            with self.subTest(length=length):
                self.site.check(self.run_cgi(self.environment(CONTENT_LENGTH=length)), role="guest")

    def test_chunked_to_the_end(self):
        env = self.environment(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked")
        self.good(self.run_cgi(env))

    def test_bad_lengths(self):
        for length in ("+18", "-2", "18x", "9" * 20):
            with self.subTest(length=length):
                self.assertEqual(400, self.run_cgi(self.environment(CONTENT_LENGTH=length)).status)

    def test_unknown_length_to_the_end(self):
        self.good(self.run_cgi(self.environment(CONTENT_LENGTH="-1")))

    def test_longer_than_promised(self):
        """Behind an input filter, which unpacks the body, the length is that of what the client sent."""
        body = b'{"appUserId":"g1"' + b" " * 5000 + b"}"
        for pause in (0, 0.02):
            with self.subTest(pause=pause):
                process = self.begin(self.environment(body=body, CONTENT_LENGTH="100"))
                process.stdin.write(body[:100])
                process.stdin.flush()
                time.sleep(pause)
                process.stdin.write(body[100:200])
                process.stdin.flush()
                time.sleep(10 * pause)
                process.stdin.write(body[200:])
                process.stdin.close()
                self.good(parse_cgi(process.stdout.read()))
        answer = self.run_cgi(self.environment(body=body, CONTENT_LENGTH="100"), b" " * 300_000)
        self.assertEqual((413, "REQUEST_TOO_LARGE"), answer.error)

    def test_short_body(self):
        """An input filter may have shortened it; a part of a JSON object is none."""
        self.assertEqual(200, self.run_cgi(self.environment(CONTENT_LENGTH="19")).status)
        self.assertEqual(400, self.run_cgi(self.environment(CONTENT_LENGTH="19"), BODY[:-1]).status)
        self.assertEqual(400, self.run_cgi(self.environment(CONTENT_LENGTH="19"), b"").status)

    def test_length_without_waiting_for_the_end(self):
        """A server that leaves stdin open after the body does not stall the answer."""
        process = self.begin(self.environment())
        process.stdin.write(BODY)
        process.stdin.flush()
        began = time.monotonic()
        self.good(parse_cgi(process.stdout.read()))
        self.assertLess(time.monotonic() - began, limit(4))

    def test_too_large(self):
        body = b" " * 300_000
        for how in ({"CONTENT_LENGTH": str(len(body))},
                    {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}):
            with self.subTest(how=how):
                answer = self.run_cgi(self.environment(body=body, **how), body)
                self.assertEqual((413, "REQUEST_TOO_LARGE"), answer.error)

    def test_unread_body_is_drained(self):
        """Refused before the body is looked at; the peer can still write all of it."""
        body = b" " * 1_000_000
        env = self.environment("/none", body)
        process = self.begin(env)
        output, _ = process.communicate(body, timeout=limit(15))
        self.assertEqual((404, "RESOURCE_NOT_FOUND"), parse_cgi(output).error)

    def test_kinds_of_stdin(self):
        with tempfile.TemporaryFile() as file:
            file.write(BODY)
            file.seek(0)
            self.good(self.run_cgi(self.environment(), None, stdin=file))
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(BODY)
            self.good(self.run_cgi(self.environment(), None, stdin=theirs))

    def test_no_stdin_at_all(self):
        env = self.environment(member_path("1"), b"")
        self.assertEqual(200, self.run_cgi(env, None, stdin=subprocess.DEVNULL).status)
        shell = ["/bin/sh", "-c", 'exec "$0" <&-', programs().responder]
        done = subprocess.run(shell, env=env, capture_output=True, timeout=limit(15), check=False)
        self.assertEqual(200, parse_cgi(done.stdout).status)


class Surroundings(CgiCase):
    def test_command_line_is_ignored(self):
        for arguments in (["-V"], ["-t"], ["-c", "/dev/null"], ["-s", "unix:/tmp/x"], ["--", "x"], [""]):
            with self.subTest(arguments=arguments):
                self.good(self.run_cgi(self.environment(), arguments=arguments))

    def test_stdout_closed(self):
        """A client that has gone is no reason to die of a signal."""
        process = self.begin(self.environment())
        process.stdout.close()
        process.stdin.write(BODY)
        process.stdin.close()
        self.assertGreaterEqual(process.wait(limit(10)), 0)

    def test_no_stdout(self):
        """No file that is opened takes its place, and gets the answer."""
        if WRAP:
            return  # valgrind's report would
        site = Site(self.scratch.path / "mute")
        site.write({"log": {"level": "debug", "target": str(self.scratch.path / "mute.log")}})
        process = self.begin(self.environment(conf=site.conf), preexec_fn=lambda: os.close(1))
        process.communicate(BODY, timeout=limit(10))
        log = (self.scratch.path / "mute.log").read_text()
        self.assertRegex(log, "debug: .*: 200\n$")
        self.assertNotIn("chatToken", log)

    def test_sigterm_in_the_body(self):
        """The web server's word that the client has gone: an end, and no token."""
        process = self.begin(self.environment(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked"))
        process.stdin.write(b"{")
        process.stdin.flush()
        time.sleep(limit(0.2))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=limit(5))
        self.assertNotIn(b"chatToken", output)

    def test_bad_configuration(self):
        """The client learns nothing; the log everything."""
        conf = self.site.folder / "bad.conf"
        conf.write_text(self.site.text().replace("chat_server_url", "chat_server_ur"))
        conf.chmod(0o640)
        answer = self.run_cgi(self.environment(conf=conf))
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
        self.assertNotIn(b"chat_server", answer.body)
        self.assertIn(b"chat_server_ur: unknown key", self.errors)
        answer = self.run_cgi(self.environment(member_path("1"), b"", conf=conf, CONTENT_LENGTH=None), b"")
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)

    def test_missing_configuration(self):
        answer = self.run_cgi(self.environment(conf="/nonexistent/memberchat.conf"))
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
        self.assertNotIn(b"nonexistent", answer.body)
        self.assertIn(b"/nonexistent/memberchat.conf", self.errors)

    def test_members_file_is_missing(self):
        site = Site(self.scratch.path / "empty").write()
        site.members.unlink()
        answer = self.run_cgi(self.environment(member_path("1"), b"", conf=site.conf), b"")
        self.assertIn(answer.error, ((500, "INTERNAL_SERVER_ERROR"), (503, "MEMBER_STORE_UNAVAILABLE")))
        self.assertNotIn(b"members.csv", answer.body)
        self.assertIn(b"members.csv", self.errors)

    def test_what_is_not_asked_is_not_loaded(self):
        """A store that cannot be loaded is no matter for guests."""
        conf = self.site.folder / "broken.conf"
        conf.write_text(self.site.text().replace('plugin = "file"', 'plugin = "none_such"'))
        conf.chmod(0o640)
        self.assertEqual(200, self.run_cgi(self.environment(conf=conf)).status)
        answer = self.run_cgi(self.environment(member_path("1"), b"", conf=conf), b"")
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
        self.assertRegex(self.errors.decode(),
                         r'broken\.conf:\d+: stores\.members\.plugin: there is no store plugin "none_such"')

    def test_keys_are_read_for_the_app_that_asks(self):
        """What is wrong with the keys of one app is no matter for another, until all are to be published."""
        site = Site(self.scratch.path / "neighbours")
        site.settings["apps"]["other"] = {**site.new_app("other", "other-key", SECRET),
                                          "token": {"algorithm": "RS256", "key_file": "keys/none_such"}}
        site.write()
        site.check(self.run_cgi(self.environment(conf=site.conf)), user="g1", name="GUEST_g1", role="guest")
        self.assertNotIn(b"none_such", self.errors)
        for more in ({"HTTP_AUTHORIZATION": basic("other-key", SECRET)},
                     {"method": "GET", "uri": "/.well-known/jwks.json"}):
            answer = self.run_cgi(self.environment(conf=site.conf, **more))
            self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
            self.assertRegex(self.errors.decode(),
                             r"memberchat\.conf:\d+: apps\.other\.token\.key_file: \S+/keys/none_such cannot be read")

    def test_a_thousand_apps(self):
        """A request pays for its own app, not for the mistakes of the others, nor much for their number."""
        site = Site(self.scratch.path / "many")
        for i in range(1000):
            site.settings["apps"][f"app-{i}"] = {**site.new_app(f"app-{i}", f"key-{i}", SECRET), "no_such_key": 1}
        site.write()
        began = time.monotonic()
        site.check(self.run_cgi(self.environment(conf=site.conf)), user="g1", name="GUEST_g1", role="guest")
        self.assertLess(time.monotonic() - began, limit(1))
        self.assertEqual(401, self.run_cgi(self.environment(conf=site.conf,
                                                            HTTP_AUTHORIZATION=basic("key-1001", SECRET))).status)
        answer = self.run_cgi(self.environment(conf=site.conf, HTTP_AUTHORIZATION=basic("key-999", SECRET)))
        self.assertEqual(500, answer.status)
        self.assertIn(b"apps.app-999.no_such_key: unknown key", self.errors)
        self.assertNotIn(b"app-998", self.errors)

    def test_wrong_secrets_open_nothing(self):
        """Neither keys nor stores are looked at for those who do not sign in."""
        site = Site(self.scratch.path / "closed").write()
        site.members.unlink()
        (site.folder / f"keys/{APP}.key").unlink()
        env = self.environment(member_path("1"), b"", conf=site.conf, HTTP_AUTHORIZATION=basic("demo-key", "wrong"))
        self.assertEqual((401, "INVALID_APP_CREDENTIALS"), self.run_cgi(env, b"").error)

    def test_without_gateway_interface(self):
        process = self.begin(self.environment(GATEWAY_INTERFACE=None))
        output, errors = process.communicate(BODY, timeout=limit(10))
        self.assertEqual((64, b""), (process.returncode, output))
        self.assertRegex(errors, b"(?i)usage")

    def test_listening_socket_wins_over_gateway_interface(self):
        """A web server's environment may leak into a FastCGI responder that it spawns."""
        path = self.scratch.path / "zero.sock"
        with unix_listener(path) as listener:
            process = self.begin(self.environment(), stdin=listener)
        self.good(Responder(path).post(GUEST_PATH, self.site.auth(), BODY))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(limit(8)))

    def test_base_path(self):
        for base, uri, status in (("/chat-api", "/chat-api" + GUEST_PATH, 200), ("/chat-api", GUEST_PATH, 404),
                                  ("/", GUEST_PATH, 200), ("/", "/x" + GUEST_PATH, 404),
                                  (None, "/any/where" + GUEST_PATH, 200)):
            with self.subTest(base=base, uri=uri):
                answer = self.run_cgi(self.environment(uri, MEMBERCHAT_BASE_PATH=base))
                self.assertEqual(status, answer.status)

    def test_redirected_authorization(self):
        env = self.environment(HTTP_AUTHORIZATION=None, REDIRECT_HTTP_AUTHORIZATION=self.site.auth())
        self.good(self.run_cgi(env))

    def test_crowd(self):
        """Many at once over the same files."""
        env = self.environment()
        running = [self.begin(env) for _ in range(12)]
        for process in running:
            output, _ = process.communicate(BODY, timeout=limit(20))
            self.good(parse_cgi(output))
