# SPDX-License-Identifier: MIT
"""Members from a REST service: what it is asked, and what comes of it."""
import gzip
import json
import subprocess
import time
import zlib
from pathlib import Path

from lib.answer import basic, parse_cgi
from lib.fcgi import request_pairs
from lib.programs import programs
from lib.responder import command, environment
from lib.scratch import free_port, wait_until
from lib.site import APP, member_path
from lib.upstream import NginxService, RestCase, answer_well, http, member


ENCODINGS = "gzip, deflate, br"  # those of Debian's libcurl


class Nginx(RestCase):
    """A real service."""

    def setUp(self):
        super().setUp()
        self.service = NginxService(self.scratch)
        self.url = self.service.url + "/members/{id}"

    def test_members(self):
        self.serve(self.url)
        for user in ("1", "2", "64d0c5f2a1b2c3d4e5f60718"):
            self.expect(user, 200)
        for user in ("3", "nobody", "4"):
            self.expect(user, 404)

    def test_one_connection_for_many_requests(self):
        self.serve(self.url)
        for _ in range(20):
            self.expect("1", 200)
        self.assertEqual(1, len({request[0] for request in self.service.requests(20)}))

    def test_request_id_is_passed_on(self):
        self.serve(self.url)
        answer = self.ask("1", headers={"X-Request-Id": "from-the-client-1"})
        self.assertEqual("from-the-client-1", answer.header("X-Request-Id"))
        own = self.ask("1").header("X-Request-Id")
        self.assertEqual(["from-the-client-1", own], [request[5] for request in self.service.requests(2)])

    def test_nothing_comes_from_the_environment(self):
        dead = f"http://127.0.0.1:{free_port()}"
        proxies = {name: dead for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        self.write(self.url)
        self.responder = self.start(env=environment(HOME=str(self.scratch.path), **proxies))
        (self.scratch.path / ".netrc").write_text("default login me password secret\n")
        self.expect("1", 200)
        self.assertEqual("-", self.service.requests(1)[0][4])

    def test_compressed_answers(self):
        """By nginx, and by a service of any other kind."""
        compressing = NginxService(self.scratch, "compressing", locations="gzip on; gzip_min_length 1; gzip_types *;")
        self.serve(compressing.url + "/members/{id}")
        for _ in range(3):
            self.expect("1", 200)
        self.expect("nobody", 404)
        self.responder.process.stop()
        body = json.dumps(member("1")).encode()
        raw = zlib.compressobj(wbits=-15)
        encoded = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "x-gzip": gzip.compress(body),
                   "identity": body, "br": subprocess.run(["brotli", "-c"], input=body, capture_output=True,
                                                          check=True).stdout}
        for name, text in [*encoded.items(), ("deflate", raw.compress(body) + raw.flush())]:
            upstream = self.scripted(lambda request, peer, name=name, text=text: peer.sendall(
                http(text, fields=[f"Content-Encoding: {name}"])) or True)
            self.serve(upstream.url + "/members/{id}")
            self.expect("1", 200)
            self.expect("1", 200)
            self.responder.process.stop()

    def test_loaded_only_where_it_is_configured(self):
        responder = self.start()
        self.assertNotIn("libcurl", Path(f"/proc/{responder.process.pid}/maps").read_text())
        responder.process.stop()
        responder = self.serve(self.url)
        self.assertIn("libcurl", Path(f"/proc/{responder.process.pid}/maps").read_text())

    def test_cgi(self):
        """A process for each request."""
        self.write(self.url)
        for user, status in (("1", 200), ("nobody", 404)):
            pairs = request_pairs("POST", member_path(user), self.site.auth(), b"", {})
            env = environment(MEMBERCHAT_CONF=str(self.site.conf), **dict(pairs))
            done = subprocess.run([programs().responder], env=env, input=b"", capture_output=True, check=True)
            self.assertEqual(status, parse_cgi(done.stdout).status, done.stderr)


class Commands(RestCase):
    """memberchat check --online, and lookup."""

    def setUp(self):
        super().setUp()
        self.service = NginxService(self.scratch)
        self.write(self.service.url + "/members/{id}", attributes={"left": "/state"})

    def memberchat(self, *arguments):
        return command("-c", self.site.conf, *arguments)

    def test_lookup(self):
        done = self.memberchat("lookup", "service", "1")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('"userName": "foobar1"', done.stdout)
        self.assertIn('"left": "ACTIVE"', done.stdout)
        self.assertEqual(1, self.memberchat("lookup", "service", "nobody").returncode)
        self.service.put("5", b"<html>")
        done = self.memberchat("lookup", "service", "5")
        self.assertEqual(3, done.returncode)
        self.assertIn("not JSON", done.stderr)
        self.service.process.stop()
        done = self.memberchat("lookup", "service", "1")
        self.assertEqual(2, done.returncode)
        self.assertIn("unavailable: Failed to connect", done.stderr)

    def test_check_online(self):
        done = self.memberchat("check", "--online")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"store service: ok, [0-9.]+ ms\n")
        self.assertEqual(["/members/memberchat-probe"], [request[2] for request in self.service.requests(1)])
        self.service.process.stop()
        done = self.memberchat("check", "--online")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stdout, "store service: unavailable, .*Failed to connect")

    def test_check_online_tells_of_wrong_credentials(self):
        for status, word in (("401 No", "misconfigured"), ("403 No", "misconfigured"),
                             ("301 Moved", "misconfigured"), ("405 No", "misconfigured"),
                             ("500 Broken", "unavailable"), ("429 Slow", "unavailable"),
                             ("400 What", "ok"), ("422 What", "ok"), ("200 OK", "ok"), ("410 Gone", "ok")):
            def script(request, peer, status=status):
                peer.sendall(http({}, status))
            self.write(self.scripted(script).url + "/{id}")
            self.assertIn(f"store service: {word},", self.memberchat("check", "--online").stdout, status)

    def test_check_online_asks_for_an_id_that_nobody_has(self):
        """A service that does not look at the id is found out, and one that does not say who is missing."""
        def answers(body):
            return self.scripted(lambda request, peer: peer.sendall(http(body))).url + "/{id}"
        odd = r'warning: store service: the service answers with a member for "memberchat-probe"'
        dumb = r'warning: store service: the answer for "memberchat-probe", .*, does not say that there is no such member'
        for body, keys, pattern in (
                (member("1"), {}, odd), (member("memberchat-probe"), {}, odd), ([member("1")], {"member_pointer": "/0"}, odd),
                ({"appUserName": "x"}, {"id_pointer": ""}, odd),
                ({"success": False}, {}, dumb), ([], {}, dumb), (b"<html>", {}, dumb), (b"null", {}, dumb),
                ([member("1"), member("2")], {"member_pointer": "/0"}, dumb),
                ({"success": False}, {"not_found_when": {"pointer": "/success", "value": "false"}}, None),
                ([], {"member_pointer": "/0"}, None), (member("1", state="LEFT"), {}, None)):
            self.write(answers(body), **keys)
            done = self.memberchat("check", "--online")
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertRegex(done.stdout, "store service: ok, ")
            if pattern:
                self.assertRegex(done.stderr, pattern)
            else:
                self.assertNotIn("warning", done.stderr, body)

    def test_readiness_warns_once_a_minute(self):
        answers = [member("memberchat-probe"), member("memberchat-probe"), b"<html>"]
        self.write(self.scripted(lambda request, peer: peer.sendall(http(answers.pop(0))) or True).url + "/{id}")
        self.responder = self.start()
        while answers:
            self.assertEqual(200, self.responder.call("GET", "/readyz").status)
            time.sleep(1.1)  # what a probe brought counts for a second
        self.assertEqual(1, self.responder.log_text().count("memberchat-probe"), self.responder.log_text())

    def test_readiness(self):
        self.responder = self.start()
        self.assertEqual(200, self.responder.call("GET", "/readyz").status)
        self.service.process.stop()
        wait_until("not ready", lambda: self.responder.call("GET", "/readyz").status == 503)
        self.service.start()
        wait_until("ready", lambda: self.responder.call("GET", "/readyz").status == 200)


class Asked(RestCase):
    """What the service gets to see."""

    def setUp(self):
        super().setUp()
        self.upstream = self.scripted(answer_well)
        self.url = self.upstream.url + "/members/{id}"

    def last(self):
        return self.upstream.received[-1]

    def test_get(self):
        self.serve(self.url)
        answer = self.expect("1", 200)
        self.assertEqual("GET /members/1 HTTP/1.1", self.last().line)
        self.assertEqual({"Host": f"127.0.0.1:{self.upstream.port}", "Accept": "application/json",
                          "Accept-Encoding": ENCODINGS, "User-Agent": "memberchat", "X-Request-Id": answer.header("X-Request-Id")},
                         dict(self.last().fields))

    def test_query(self):
        self.serve(self.upstream.url + "/find?id={id}&of={appId}")
        self.expect("a%20b", 200)
        self.assertEqual(f"/find?id=a%20b&of={APP}", self.last().target)

    def test_post(self):
        def script(request, peer):
            peer.sendall(http(member("1")))
            return True
        self.upstream.script = script
        self.serve(self.upstream.url + "/find", method="POST", body='{"who": "{id}", "app": "{appId}"}')
        for _ in range(2):
            self.expect("1", 200)
            self.assertEqual("POST /find HTTP/1.1", self.last().line)
            self.assertEqual(f'{{"who": "1", "app": "{APP}"}}'.encode(), self.last().body)
            self.assertEqual("application/json", self.last().header("Content-Type"))
            self.assertIsNone(self.last().header("Expect"))
        self.assertEqual(1, self.upstream.connections)

    def test_headers(self):
        self.serve(self.url, headers=["X-Tenant: shop", "Accept: application/vnd.x+json", "X-App: {appId}"])
        self.expect("1", 200)
        self.assertEqual(["shop", "application/vnd.x+json", APP],
                         [self.last().header(name) for name in ("X-Tenant", "Accept", "X-App")])

    def test_headers_in_the_place_of_ours(self):
        ours = {"User-Agent": "shop", "Content-Type": "application/vnd.x+json", "X-Request-Id": "7",
                "traceparent": f"00-{'1' * 32}-{'2' * 16}-00"}
        self.serve(self.url, headers=[f"{name}: {value}" for name, value in ours.items()], method="POST",
                   body='{"id": "{id}"}')
        self.expect("1", 200)
        names = [name.lower() for name, _ in self.last().fields]
        for name, value in ours.items():
            self.assertEqual((value, 1), (self.last().header(name), names.count(name.lower())))

    def test_proxy(self):
        """Where one is set, and only to it."""
        self.serve("http://upstream.invalid/members/{id}", allow_http=True, proxy=self.upstream.url)
        self.expect("1", 200)
        self.assertEqual("GET http://upstream.invalid/members/1 HTTP/1.1", self.last().line)
        self.assertEqual("upstream.invalid", self.last().header("Host"))

    def test_apps_do_not_share_answers(self):
        """With {appId}, what is remembered for one app is not given to another."""
        def script(request, peer):
            app = request.target.split("/")[1]
            peer.sendall(http(member("1", appUserName=app)))
            return True
        self.upstream.script = script
        other = self.site.new_app("other", "other-key", "other-secret-long", store="service")
        self.serve(self.upstream.url + "/{appId}/{id}", {"apps": {"other": other}}, cache={"ttl": "60s"})
        for _ in range(3):
            self.expect("1", 200, appUserName=APP)
            answer = self.responder.post(member_path("1"), basic("other-key", "other-secret-long"))
            self.assertEqual("other", answer.json["userName"])
        self.assertEqual([f"/{APP}/1", "/other/1"], [request.target for request in self.upstream.received])

    def test_an_app_for_the_command_line(self):
        """The first that uses the store; without one there is nothing to put in the place of {appId}."""
        self.write(self.upstream.url + "/{appId}/{id}")
        self.assertEqual(0, command("-c", self.site.conf, "lookup", "service", "1").returncode)
        self.assertEqual(f"/{APP}/1", self.last().target)
        self.site.write({"stores": {"members": {"plugin": "file", "path": "members.csv"}},
                         "apps": {APP: {"store": "members"}}})
        done = command("-c", self.site.conf, "lookup", "service", "1")
        self.assertEqual(3, done.returncode)
        self.assertIn("no app uses this store", done.stderr)

    def test_apps_share_answers_otherwise(self):
        other = self.site.new_app("other", "other-key", "other-secret-long", store="service")
        self.serve(self.url, {"apps": {"other": other}}, cache={"ttl": "60s"})
        self.expect("1", 200)
        self.assertEqual(200, self.responder.post(member_path("1"), basic("other-key", "other-secret-long")).status)
        self.assertEqual(1, len(self.upstream.received))
