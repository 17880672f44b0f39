# SPDX-License-Identifier: MIT
"""Directories that fail, and what a request notices of it."""
import re
import signal
import threading
import time

from lib.case import FreshCase, Load, at_once
from lib.certificates import Authority
from lib.fake_ldap import FakeServer, Forgetful, Scripted, message
from lib.programs import limit, patient
from lib.responder import command
from lib.scratch import free_port, wait_until
from lib.site import APP, GUEST_PATH, member_path
from lib.slapd import READER_DN, READER_PASSWORD, Slapd, person, store_settings, tls_lines

DOWN = (503, "MEMBER_STORE_UNAVAILABLE")
WRONG = (500, "INTERNAL_SERVER_ERROR")


class FailureCase(FreshCase):
    """A slapd, and a responder without a cache and a breaker: every request asks."""

    def run_with(self, uri=None, slapd=None, top=None, **changes):
        self.slapd = slapd or Slapd(self.scratch)
        values = {"cache": {"size": 0}, "breaker": {"failures": 0}, **changes}
        store = self.slapd.settings(**({"uri": uri} if uri else {}), **values)
        self.site.write({"stores": {"staff": store}, "apps": {APP: {"store": "staff"}},
                         **patient(request_timeout=3), **(top or {})})
        self.responder = self.start()
        self.addCleanup(lambda: self.assertEqual(0, self.responder.process.stop()))

    def ask(self, user="m1"):
        return self.responder.post(member_path(user), self.site.auth())

    def timed(self, user="m1"):
        began = time.monotonic()
        return self.ask(user), time.monotonic() - began

    def expect(self, error, user="m1"):
        answer = self.ask(user)
        self.assertEqual(error, answer.error)
        if error == DOWN:
            self.assertGreaterEqual(int(answer.header("Retry-After")), 1)

    def expect_found(self):
        self.site.check(self.ask(), user="m1", name="Ann")

    def connections(self):
        return self.slapd.count(" ACCEPT from ")


class Restarts(FailureCase):
    def test_killed_and_restarted_between_two_requests(self):
        """One new connection, and no word of it to the caller."""
        self.run_with()
        for _ in range(4):
            self.expect_found()
            before = self.connections()
            self.slapd.kill()
            self.slapd.restart()
            self.expect_found()
            self.assertEqual(2, self.connections() - before, "ours, and that which saw that slapd was up")
        self.assertNotIn("unavailable", self.responder.log_text())

    def test_all_connections_of_the_pool_are_dead(self):
        self.run_with(top={"threads": 8})
        at_once(8, lambda _: [self.expect_found() for _ in range(5)])
        self.slapd.kill()
        self.slapd.restart()
        at_once(8, lambda _: [self.expect_found() for _ in range(5)])
        self.assertNotIn("unavailable", self.responder.log_text())

    def test_tls_connections(self):
        """Writing to a dead TLS connection kills nobody."""
        authority = Authority(self.scratch.path, "ca")
        slapd = Slapd(self.scratch, schemes=("ldap", "ldaps"), head=tls_lines(*authority.issue("server")))
        self.run_with(slapd.tls_uri, slapd, ca_file=str(authority.certificate))
        for _ in range(3):
            self.expect_found()
            slapd.kill()
            self.expect(DOWN)
            slapd.restart()
            self.expect_found()

    def test_down_at_the_start(self):
        slapd = Slapd(self.scratch)
        slapd.kill()
        self.run_with(slapd=slapd)
        self.expect(DOWN)
        self.expect(DOWN, "nobody")
        self.assertEqual(503, self.responder.call("GET", "/readyz").status)
        slapd.restart()
        self.expect_found()
        wait_until("ready", lambda: self.responder.call("GET", "/readyz").status == 200)

    def test_connection_breaks_in_the_middle_of_a_search(self):
        """A used connection may do that once; the search is done again on a new one."""
        class Breaking(Scripted):
            searches = 0

            def handle(self, connection):
                while data := self.read(connection):
                    number, operation = data[4], data[5]
                    if operation == 0x63:
                        self.searches += 1
                        if self.searches == 2:
                            return connection.close()
                    connection.sendall(message(number, 0x61 if operation == 0x60 else 0x65, 0))
        server = Breaking(self)
        self.run_with(server.uri)
        self.expect((404, "MEMBER_NOT_FOUND"))
        self.expect((404, "MEMBER_NOT_FOUND"))
        self.assertEqual((3, 2), (server.searches, len(server.connections)))


class Words(FailureCase):
    def test_they_cannot_steer_a_terminal(self):
        """What a server says of a failure is shown by the command, and no byte of it is more than text."""
        server = Scripted(self, bind=message(1, 0x61, 80, b"\x1b[2J\nstore staff: ok \xc2\x9b1m"))
        self.run_with(server.uri)
        for arguments in (("check", "--online"), ("lookup", "staff", "m1"), ("doctor",)):
            with self.subTest(arguments=arguments):
                done = command(arguments[0], "-c", self.site.conf, *arguments[1:])
                told = done.stdout + done.stderr
                self.assertRegex(told, r"(\\x1b|\?)\[2J(\\x0a|\?)store staff: ok")
                self.assertIsNone(re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", told))
                self.assertNotIn("\nstore staff: ok", told)


class Frozen(FailureCase):
    def test_stopped_and_continued(self):
        self.run_with(top={"request_timeout": "1s"})
        self.expect_found()
        self.slapd.freeze()
        for user in ("m1", "m2", "nobody"):
            answer, took = self.timed(user)
            self.assertEqual(DOWN, answer.error)
            self.assertLess(took, limit(1.4))
        self.slapd.thaw()
        wait_until("the pool recovers", lambda: self.ask().status == 200, 4)
        self.expect_found()

    def test_each_of_many(self):
        """Every request has its answer in time, those that wait for a worker, too; guests do not notice."""
        self.run_with(top={"request_timeout": "1s", "threads": 4})
        self.expect_found()
        self.slapd.freeze()
        with Load(lambda: self.responder.post(GUEST_PATH, self.site.auth(), b"{}"), 2) as guests:
            answers = at_once(16, lambda _: self.timed())
        guests.assert_all_answered(20)
        for answer, took in answers:
            self.assertEqual(DOWN, answer.error)
            self.assertLess(took, limit(1.6))
        self.slapd.thaw()
        wait_until("the pool recovers", lambda: self.ask().status == 200, 4)
        answers = at_once(8, lambda i: self.ask(("m1", "m2")[i % 2]))
        self.assertEqual(["m1", "m2"] * 4, [answer.json["userId"] for answer in answers], "late answers are dropped")

    def test_search_has_a_time_of_its_own(self):
        self.run_with(timeout="300ms", connect_timeout="300ms")
        self.expect_found()
        self.slapd.freeze()
        answer, took = self.timed()
        self.assertEqual(DOWN, answer.error)
        self.assertLess(took, limit(1.6))
        self.slapd.thaw()

    def test_known_members_stay_served(self):
        self.run_with(top={"request_timeout": "500ms"}, cache={"ttl": "200ms", "stale": "60s"})
        self.expect_found()
        self.slapd.kill()
        time.sleep(0.4)
        self.expect_found()
        self.expect(DOWN, "m2")


class Forgotten(FailureCase):
    """A firewall forgets the connections of the pool; new ones work."""

    def forget_eight(self, **changes):
        slapd = Slapd(self.scratch, "".join(person(f"p{i}") for i in range(8)))
        proxy = Forgetful(self, slapd.port)
        self.run_with(proxy.uri, slapd, **changes)
        slapd.freeze()
        threading.Timer(0.3, slapd.thaw).start()
        self.expect_all_found()
        self.assertEqual(8, len(proxy.connections))
        proxy.forget()
        return proxy

    def expect_all_found(self):
        """Eight at once; the longest time."""
        answers = at_once(8, lambda i: self.timed(f"p{i}"))
        self.assertEqual([200] * 8, [answer.status for answer, _ in answers])
        return max(took for _, took in answers)

    def test_the_very_next_requests_are_answered(self):
        proxy = self.forget_eight(top={"threads": 12})
        before = len(proxy.connections)
        self.assertLess(self.expect_all_found(), limit(3))
        self.assertLess(self.expect_all_found(), limit(0.5), "no old one is tried again")
        self.assertLessEqual(len(proxy.connections) - before, 8)
        self.assertNotIn("unavailable", self.responder.log_text())

    def test_the_breaker_does_not_notice(self):
        self.forget_eight(top={"threads": 12}, breaker={"failures": 2})
        self.assertEqual([200] * 3, [self.ask(f"p{i}").status for i in range(3)])
        self.assertNotIn("does not answer", self.responder.log_text())


class Passwords(FailureCase):
    def test_refused_once_a_second(self):
        """Whoever asks, and however many at once: accounts are locked by less."""
        self.run_with(bind_password="wrong", top={"threads": 8})
        began = time.monotonic()
        self.assertEqual([WRONG] * 24, [answer.error for answer in at_once(24, lambda _: self.ask())])
        for _ in range(5):
            self.expect(WRONG)
        self.assertIn(self.slapd.count("BIND dn"), range(1, 2 + int(time.monotonic() - began)))
        self.responder.expect_log("misconfigured: .*bind: Invalid credentials as cn=reader")
        self.assertNotIn("wrong", self.responder.log_text())

    def test_changed_in_the_directory(self):
        """Connections go on; new ones are refused until the file has the new password."""
        self.site.put("password", READER_PASSWORD, 0o600)
        self.run_with(bind_password=None, bind_password_file="password", idle_timeout="3s")
        self.expect_found()
        self.slapd.change(f"dn: {READER_DN}\nchangetype: modify\nreplace: userPassword\nuserPassword: fresh\n")
        self.expect_found()
        time.sleep(3.3)
        self.expect(WRONG)
        self.expect(WRONG)
        self.site.put("password", "fresh\n", 0o600)
        self.expect_found()
        self.assertNotIn("fresh", self.responder.log_text())

    def test_a_file_that_is_removed(self):
        """Connections go on; new ones need it."""
        self.site.put("password", READER_PASSWORD, 0o600)
        self.run_with(bind_password=None, bind_password_file="password")
        self.expect_found()
        (self.site.folder / "password").unlink()
        self.expect_found()
        self.slapd.kill()
        self.slapd.restart()
        self.expect(WRONG)
        self.responder.expect_log("misconfigured: bind_password_file: .*password cannot be read: No such file")
        self.site.put("password", READER_PASSWORD, 0o600)
        self.expect_found()

    def test_tried_again_more_and_more_seldom_or_after_a_reload(self):
        self.run_with(bind_password="later")
        wait_until("it is held for 16 s", lambda: self.expect(WRONG) or "again for 16 s" in self.responder.log_text())
        self.assertEqual(3, self.slapd.count("BIND dn"))
        self.slapd.change(f"dn: {READER_DN}\nchangetype: modify\nreplace: userPassword\nuserPassword: later\n")
        self.expect(WRONG)
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the bind is tried again", lambda: self.ask().status == 200, 6)


class Limits(FailureCase):
    def test_idle_connections_cut_by_the_server(self):
        slapd = Slapd(self.scratch, head="idletimeout 1")
        self.run_with(slapd=slapd)
        for _ in range(3):
            self.expect_found()
            time.sleep(2.3)
        self.assertGreaterEqual(slapd.count("(idletimeout)"), 2)
        self.assertNotIn("unavailable", self.responder.log_text())

    def test_own_idle_timeout(self):
        """Closed by us, before anybody asks for it."""
        self.run_with(idle_timeout="500ms")
        self.expect_found()
        wait_until("the connection is closed", lambda: self.slapd.count(" UNBIND") == 1, 5)

    def test_as_many_connections_as_threads(self):
        self.run_with(top={"threads": 6})
        at_once(6, lambda _: [self.expect_found() for _ in range(20)])
        self.assertIn(self.slapd.count("BIND dn") // 2, range(1, 7))

    def test_fewer_connections_than_threads(self):
        self.run_with(top={"threads": 8}, connections=2)
        at_once(16, lambda _: [self.expect_found() for _ in range(10)])
        self.assertIn(self.slapd.count("mech=SIMPLE"), (1, 2))

    def test_no_connection_is_free(self):
        self.run_with(top={"threads": 4, "request_timeout": "1s"}, connections=1, timeout="10s")
        self.expect_found()
        self.slapd.freeze()
        answers = at_once(4, lambda _: self.timed())
        for answer, took in answers:
            self.assertEqual(DOWN, answer.error)
            self.assertLess(took, limit(1.5))
        self.slapd.thaw()
        wait_until("the pool recovers", lambda: self.ask().status == 200, 4)

    def test_server_takes_no_more_connections(self):
        """It has no descriptors left: look-ups share the connections that there are."""
        slapd = Slapd(self.scratch, wrap=["prlimit", "--nofile=20"])
        self.run_with(slapd=slapd, top={"threads": 16, "request_timeout": "3s"}, connect_timeout="500ms")
        self.expect_found()
        answers = at_once(32, lambda _: self.ask())
        self.assertEqual([200] * 32, [answer.status for answer in answers])
        self.assertIn(slapd.count("mech=SIMPLE"), range(1, 16))


class Answers(FreshCase):
    """What a slapd does not answer on demand."""

    def look_up(self, uri):
        """Exit status, what was said, and how long it took."""
        self.site.write({"stores": {"staff": store_settings(uri)}, "request_timeout": "700ms"})
        began = time.monotonic()
        done = command("lookup", "-c", self.site.conf, "staff", "m1")
        return done.returncode, done.stderr, time.monotonic() - began

    def expect_codes(self, status, what, codes):
        for code in codes:
            with self.subTest(code=code):
                done, errors, _ = self.look_up(Scripted(self, **{what: code}).uri)
                self.assertEqual(status, done, errors)
                self.assertRegex(errors, f"ldap://[0-9.:]+: {what}: .*: scripted")

    def test_unavailable(self):
        self.expect_codes(2, "search", (3, 11, 51, 52, 80))
        self.expect_codes(2, "bind", (51, 52, 80))

    def test_words_are_whole(self):
        """Active Directory says at the end what is wrong, and by number."""
        words = b"80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 532, v4563\0"
        number = message(1, 0x61, 49)
        server = Scripted(self, bind=number[:1] + bytes([number[1] + len(words)]) + number[2:6] +
                          bytes([number[6] + len(words)]) + number[7:13] + bytes([len(words)]) + words)
        _, errors, _ = self.look_up(server.uri)
        self.assertIn(f"bind: the password has expired: Invalid credentials: {words[:-1].decode()} as {READER_DN}; "
                      "not tried again for 1 s", errors)

    def test_line_end_behind_the_words(self):
        _, errors, _ = self.look_up(Scripted(self, search=message(2, 0x65, 80, b"on fire\n\0")).uri)
        self.assertRegex(errors, r"search: [^:]+: on fire\n")

    def test_notice_of_disconnection(self):
        """RFC 4511, section 4.4.1."""
        done, errors, _ = self.look_up(Scripted(self, search=message(0, 0x78, 52, b"going down")).uri)
        self.assertEqual(2, done, errors)
        self.assertIn("search: the server ends the connection: going down", errors)

    def test_misconfigured(self):
        self.expect_codes(3, "search", (1, 10, 16, 18, 32, 34, 50, 53, 71))
        self.expect_codes(3, "bind", (7, 8, 13, 34, 48, 49, 53))

    def test_no_protocol(self):
        rows = {"garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20,
                "half": bytes([0x30, 0x20, 0x02, 0x01]),
                "huge": bytes([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01, 0x02]),
                "mute": None}
        for name, answer in rows.items():
            for where in ("bind", "search"):
                with self.subTest(name=name, where=where):
                    done, errors, took = self.look_up(Scripted(self, **{where: answer}).uri)
                    self.assertEqual(2, done, errors)
                    self.assertLess(took, limit(1.1))

    def test_trickle(self):
        class Trickling(FakeServer):
            def handle(self, connection):
                self.read(connection)
                for byte in bytes([0x30, 0x84, 0, 0, 0x10, 0]) + bytes(4096):
                    connection.sendall(bytes([byte]))
                    time.sleep(0.05)
        done, errors, took = self.look_up(Trickling(self).uri)
        self.assertEqual(2, done, errors)
        self.assertLess(took, limit(1.1))

    def test_address_that_nobody_knows(self):
        done, errors, _ = self.look_up("ldaps://no-such-host.invalid")
        self.assertEqual(2, done, errors)
        self.assertRegex(errors, "no address of no-such-host.invalid|no answer to the question for the address")


class Leaks(FailureCase):
    def test_failed_connections_leave_nothing(self):
        self.run_with(f"ldap://127.0.0.1:{free_port()}")
        at_once(4, lambda _: [self.expect(DOWN) for _ in range(10)])
        before = self.responder.process.descriptors()
        at_once(4, lambda _: [self.expect(DOWN) for _ in range(60)])
        # 240 failures; each worker that was not needed before has a pipe now
        self.assertLess(self.responder.process.descriptors(), before + 40)
