# SPDX-License-Identifier: MIT
"""memberchat doctor --url: each cause behind a web server that is broken in just this way."""
import json
import socket
import ssl
import struct
import threading
import time
from email.utils import formatdate

from lib.case import at_once
from lib.certificates import Authority
from lib.programs import web_user
from lib.responder import environment
from lib.scratch import free_port
from lib.servers import Apache, read_mount, responder_paths
from lib.site import KEY, SECRET
from test_doctor import DoctorCase

STATUS = {200: "OK", 301: "Moved", 401: "Unauthorized", 500: "Internal Server Error"}


class Scripted:
    """A web server that says one thing to everybody without an Authorization header, and another
    to everybody with one; `member` to whoever asks for a member."""

    def __init__(self, case, bare, known=None, member=None, plain=None, context=None, passes=(b"\r\nAuthorization: Basic ",)):
        self.context = context
        self.passes = passes  # the headers that the web server hands on
        self.says = {"bare": bare, "known": known or bare, "member": member or known or bare, "plain": plain or bare}
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/chat-api" % self.listener.getsockname()[1]
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            try:
                connection = self.context.wrap_socket(connection, server_side=True) if self.context else connection
            except OSError:
                connection.close()
                continue
            with connection:
                request = connection.recv(65536)
                while request.startswith(b"POST ") and b"\r\n\r\n{}" not in request:
                    more = connection.recv(65536)
                    if not more:
                        break
                    request += more
                self.requests.append(request)
                known = any(header in request for header in self.passes)
                bare = "plain" if b"\r\nX-Api-Key: " in request else "bare"
                kind = bare if not known else "known" if b"guest-chat-tokens" in request else "member"
                connection.sendall(self.says[kind])


def page(status, body="<html>", **headers):
    lines = [f"HTTP/1.1 {status} {STATUS.get(status, 'Words')}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def refusal(status, code):
    return page(status, json.dumps({"errorCode": code, "errorMessage": "words"}), Server="x")


EMPTY = refusal(401, "EMPTY_APP_CREDENTIALS")
WRONG = refusal(401, "INVALID_APP_CREDENTIALS")
ISSUED = page(200, '{"chatToken": "x"}')


class Outside(DoctorCase):
    def told(self, *words, bare, known=None, member=None, verdict="fault", credentials=False, arguments=(), **more):
        server = Scripted(self, bare, known, member, **more)
        if credentials:
            arguments = (*arguments, "--key", KEY, "--secret-file", self.site.put("secret", SECRET + "\n", 0o600))
        lines = self.finds(*words, verdict=verdict, arguments=("--url", server.url, *arguments))
        self.assertNotIn(SECRET, "\n".join(lines))
        return server

    def test_good(self):
        self.told("the Authorization header arrives", bare=EMPTY, known=WRONG, verdict="ok")

    def test_good_with_credentials(self):
        server = self.told("the members' store answers", bare=EMPTY, known=ISSUED, credentials=True, verdict="ok",
                           arguments=("--member", "a/b"))
        self.assertIn(b"POST /chat-api/v2/apps/me/members/a%2Fb/chat-tokens HTTP", server.requests[2])

    def test_app_without_guests(self):
        self.told("arrives, and the app allows no guests", bare=EMPTY, known=refusal(403, "GUESTS_NOT_ALLOWED"), credentials=True,
                  member=ISSUED, verdict="ok")

    def test_member_denied(self):
        self.told(": 403: ", "denied_file", bare=EMPTY, known=ISSUED, member=refusal(403, "MEMBER_DENIED"), credentials=True)

    def test_answers_that_stop(self):
        """Each of the calls may be the first without an answer."""
        for said in ({"known": b"\0"}, {"known": EMPTY, "plain": b"\0"}, {"known": ISSUED, "member": b"\0"}):
            with self.subTest(said=said):
                self.told("no answer of a web server", bare=EMPTY, credentials=True, **said)

    def test_authorization_lost_and_the_plain_headers_too(self):
        server = self.told("keeps the Authorization header back, and X-Api-Key and X-Api-Secret, too", "CGIPassAuth", bare=EMPTY)
        self.assertEqual(3, len(server.requests))

    def test_authorization_lost_and_the_plain_headers_arrive(self):
        self.told("keeps the Authorization header back, and lets X-Api-Key and X-Api-Secret pass", bare=EMPTY, known=WRONG,
                  passes=[b"\r\nX-Api-Key: memberchat-doctor\r\n"])

    def test_authorization_lost_and_the_member_asked_for_in_plain_headers(self):
        server = self.told("lets X-Api-Key and X-Api-Secret pass", bare=EMPTY, known=ISSUED, credentials=True,
                           passes=[f"\r\nX-Api-Key: {KEY}\r\nX-Api-Secret: {SECRET}\r\n".encode()])
        self.assertEqual(4, len(server.requests))
        self.assertIn(b"/chat-tokens HTTP", server.requests[3])

    def test_authorization_lost_and_a_wrong_secret(self):
        self.told("key or secret is wrong", bare=EMPTY, known=WRONG, credentials=True, passes=[b"\r\nX-Api-Key: "])

    def test_wrong_secret(self):
        self.told("key or secret is wrong", bare=EMPTY, known=WRONG, credentials=True)

    def test_credentials_that_the_server_adds(self):
        for said in (ISSUED, WRONG, refusal(403, "GUESTS_NOT_ALLOWED")):
            self.told("adds credentials of its own", bare=said)

    def test_wrong_mount(self):
        self.told("not at this mount", "MEMBERCHAT_BASE_PATH", bare=refusal(404, "RESOURCE_NOT_FOUND"))

    def test_wrong_mount_in_the_words_of_the_responder(self):
        body = {"errorCode": "RESOURCE_NOT_FOUND", "errorMessage": "x: memberchat saw /v2/x, and its base path is /y"}
        self.told("not at this mount", "; memberchat saw /v2/x, and its base path is /y", bare=page(404, json.dumps(body)))

    def test_script_shown(self):
        self.told("shows the program", "ExecCGI", bare=page(200, "#!/bin/sh\nexec x\n"))

    def test_program_shown(self):
        self.told("shows the program", bare=page(200, "\177ELF\2\1\1\0"))

    def test_another_page(self):
        for body in ("<html>", "x", ""):
            self.told("a page that is not memberchat's", bare=page(200, body))

    def test_password_of_the_web_server(self):
        self.told("a password of its own", bare=page(401))

    def test_403_of_the_web_server(self):
        self.told(": 403: ", "mode 755", bare=page(403))

    def test_404_of_the_web_server(self):
        self.told(": 404: ", "nothing at this path", bare=page(404))

    def test_405_of_the_web_server(self):
        self.told(": 405: ", "no POST", bare=page(405))

    def test_500_of_the_web_server(self):
        self.told(": 500: ", "error log", bare=page(500))

    def test_500_of_memberchat(self):
        self.site.write({"log": {"target": "mc.log"}})
        self.told(": 500: ", str(self.site.folder / "mc.log"), bare=refusal(500, "INTERNAL_SERVER_ERROR"))
        self.site.put("memberchat.conf", "apps = ")
        self.told(": 500: ", "its log has the reason: the target of its configuration",
                  bare=refusal(500, "INTERNAL_SERVER_ERROR"))

    def test_no_upstream(self):
        for status in (502, 503):
            with self.subTest(status=status):
                self.told(f": {status}: ", "does not reach memberchat", bare=page(status))

    def test_slow_upstream(self):
        self.told(": 504: ", "in time", bare=page(504))

    def test_status_of_nobody(self):
        self.told(": 418: ", bare=page(418))

    def test_throttled(self):
        self.told(": 429: ", "try again later", bare=refusal(429, "TOO_MANY_REQUESTS"), verdict="warning")

    def test_redirect_that_loses_post(self):
        for status in (301, 302, 303):
            with self.subTest(status=status):
                self.told("https://example.com/x, which makes a GET of a POST",
                          bare=page(status, Location="https://example.com/x"))

    def test_redirect_that_keeps_post(self):
        for status in (307, 308):
            self.told("https://example.com/x;", bare=page(status, Location="https://example.com/x"), verdict="warning")

    def test_redirect_to_nowhere(self):
        for said in (page(301), page(301, Location=""), page(301, Locations="x")):
            self.told(": 301: redirected to , which", bare=said)

    def test_redirect_in_odd_lines(self):
        for said in (b"HTTP/1.1 301 Moved\r\r\nLocation: x\r\n\r\n", b"HTTP/1.1 301 Moved\nLocation: x\nA: b\r\r\n\r\n"):
            self.told(": 301: redirected to x, which", bare=said)

    def test_nothing_steers_the_terminal(self):
        self.told(r"redirected to x\x1b[31m", bare=page(301, Location="x\33[31m\ny".replace("\n", "\x9b")))

    def test_members_only(self):
        self.told("guests get tokens and members do not", bare=EMPTY, known=ISSUED,
                  member=refusal(500, "INTERNAL_SERVER_ERROR"), credentials=True)

    def test_store_down(self):
        self.told("the member store does not answer", bare=EMPTY, known=ISSUED,
                  member=refusal(503, "MEMBER_STORE_UNAVAILABLE"), credentials=True)

    def test_member_not_there(self):
        self.told("404: there is no active member \"x\"", bare=EMPTY, known=ISSUED, member=refusal(404, "MEMBER_NOT_FOUND"),
                  credentials=True, verdict="warning", arguments=("--member", "x"))

    def at(self, date):
        return page(401, '{"errorCode": "EMPTY_APP_CREDENTIALS"}', Date=date)

    def test_clocks_apart(self):
        for apart, words in ((-3600, "seconds behind the one here"), (3600, "seconds before the one here")):
            self.told("its clock is", words, bare=self.at(formatdate(time.time() + apart, usegmt=True)), known=WRONG,
                      verdict="warning")

    def test_clock_that_tells_nothing(self):
        for date in ("yesterday", "Thu, 01 Jan 1970 00:00:00 " + 60 * "x"):
            server = Scripted(self, self.at(date), WRONG)
            self.assertNotIn("its clock", self.doctor("--url", server.url).stdout)

    def test_not_http(self):
        for said in (b"", b"220 mail.example.com ESMTP\r\n", b"\0\0"):
            with self.subTest(said=said):
                self.told("no answer of a web server", bare=said)

    def test_large_answer(self):
        """Its beginning is enough."""
        self.told("a page that is not memberchat's", bare=page(200, 300000 * "x"))

    def test_connection_reset(self):
        """By a server that has not read the request."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def reset():
            with listener.accept()[0] as connection:
                connection.recv(1, socket.MSG_PEEK)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        threading.Thread(target=reset, daemon=True).start()
        self.finds("no answer of a web server", arguments=("--url", "http://127.0.0.1:%d/" % listener.getsockname()[1]))

    def test_code_of_another_version(self):
        self.told(": 401: ", "an answer of memberchat that was not expected", bare=refusal(401, "NEW_CODE"))

    def test_nobody_listens(self):
        for host in ("127.0.0.1", "[::1]", "255.255.255.255"):
            with self.subTest(host=host):
                self.finds("nobody listens there", arguments=("--url", f"http://{host}:{free_port()}/"))

    def test_no_such_host(self):
        self.finds("no address", arguments=("--url", "http://nothing.invalid/"))

    def test_not_a_url(self):
        for url in ("ftp://x/", "www.example.com", "http://a:b@127.0.0.1/", "http://a@127.0.0.1/", "http:///x", "http://127.0.0.1/?x", "", "/", "http://",
                    "http://[::1/", "http://[]/", f"http://{'x' * 256}/", "http://127.0.0.1:12345678/", "https://a\"b/"):
            with self.subTest(url=url):
                self.finds("cannot be called", arguments=("--url", url))

    def test_secret_in_the_clear(self):
        secret = self.site.put("secret", SECRET, 0o600)
        self.finds("in the clear", arguments=("--url", "http://example.invalid/", "--key", KEY,
                                              "--secret-file", secret))

    def test_https_without_curl(self):
        self.finds("needs curl", arguments=("--url", "https://127.0.0.1/"), env=environment(PATH="/nowhere"))

    def curl(self, script, *arguments):
        """What is found with another curl, which is a script of the shell."""
        folder = self.scratch.path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "curl").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "curl").chmod(0o755)
        done = self.doctor("--url", "https://127.0.0.1/", *arguments, env=environment(PATH=f"{folder}:/bin"))
        return [line for line in done.stdout.splitlines() if "https://127" in line][-1]

    def test_curl_that_fails(self):
        for script, words in (("kill -9 $$", "no answer of a web server"), ("exit 99", "no answer of a web server"),
                              ("exit 28", "no answer within 10 seconds"), ("exit 7", "nobody listens there"),
                              ("printf 'HTTP/1.1 418 x\\r\\n\\r\\n'", ": 418: "),
                              ("printf 'HTTP/1.1 404 x\\r\\n\\r\\n'; head -c 300000 /dev/zero", ": 404: ")):
            with self.subTest(script=script):
                self.assertIn(words, self.curl(script))

    def test_curl_that_does_not_read(self):
        """Then its answer is not one to what was asked."""
        secret = self.site.put("secret", SECRET, 0o600)
        script = "case $* in *x*) printf 'HTTP/1.1 401 x\\r\\n\\r\\n{\"errorCode\": \"EMPTY_APP_CREDENTIALS\"}';; esac"
        found = self.curl(script, "--key", "k" * 100000, "--secret-file", secret)
        self.assertIn("no answer of a web server", found)

    def test_http_behind_https(self):
        server = Scripted(self, page(400))
        self.finds("TLS failed", arguments=("--url", server.url.replace("http:", "https:")))

    def test_certificate_of_an_unknown_authority(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*Authority(self.scratch.path, "nobody").issue())
        server = Scripted(self, EMPTY, context=context)
        self.finds("TLS failed", "unknown authority", arguments=("--url", server.url.replace("http:", "https:")))

    def test_https(self):
        authority = Authority(self.scratch.path, "somebody")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue())
        server = Scripted(self, EMPTY, WRONG, context=context)
        self.finds("the Authorization header arrives", verdict="ok",
                   arguments=("--url", server.url.replace("http:", "https:")),
                   env=environment(CURL_CA_BUNDLE=str(authority.certificate)))
        secret = self.site.put("secret", SECRET, 0o600)
        server.says["known"] = EMPTY  # so that the other headers come, too
        self.doctor("--url", server.url.replace("http:", "https:"), "--key", 'a"b\\c"', "--secret-file", secret,
                    env=environment(CURL_CA_BUNDLE=str(authority.certificate)))
        self.assertIn(b'\r\nX-Api-Key: a"b\\c"\r\n', server.requests[-1])

    def test_timeout(self):
        """Of a server that does not answer, and of one that does not even accept."""
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(full.close)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            self.addCleanup(one.close)
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        at_once(2, lambda i: self.finds("no answer within 10 seconds", arguments=(
            "--url", "http://127.0.0.1:%d/" % (full, listener)[i].getsockname()[1])))


class BehindApache(DoctorCase):
    """One real web server, with plain CGI."""

    def serve(self, edit=None):
        self.site.give_to(web_user())
        text = read_mount("apache/cgi.conf", responder_paths(self.site), edit)
        web = Apache(self.scratch, text, ["cgid"])
        self.arguments = ("--url", f"http://127.0.0.1:{web.port}/chat-api", "--key", KEY,
                          "--secret-file", self.site.put("secret", SECRET, 0o600))

    def test_good(self):
        self.serve()
        self.finds("a guest gets a token", verdict="ok", arguments=self.arguments)
        self.finds("the members' store answers", verdict="ok", arguments=self.arguments)

    def test_authorization_lost(self):
        self.serve(lambda text: text.replace("CGIPassAuth On", ""))
        self.finds("keeps the Authorization header back", "lets X-Api-Key and X-Api-Secret pass", arguments=self.arguments)
        self.finds("the members' store answers", verdict="ok", arguments=self.arguments)

    def test_wrong_mount(self):
        self.serve(lambda text: text.replace("BASE_PATH /chat-api", "BASE_PATH /other"))
        self.finds("not at this mount", "memberchat saw /chat-api/v2/apps/me/members/guest-chat-tokens, and its base path "
                   "is /other", arguments=self.arguments)

    def test_403(self):
        self.serve(lambda text: text.replace("Require all granted", "Require all denied"))
        self.finds(": 403: ", arguments=self.arguments)
