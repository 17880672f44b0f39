# SPDX-License-Identifier: MIT
"""Several servers of one directory, some of which fail."""
import time

from lib.certificates import Authority
from lib.fake_ldap import black_hole
from lib.programs import limit
from lib.responder import command
from lib.scratch import free_port, wait_until
from lib.slapd import Slapd, tls_lines
from test_store_ldap_failures import DOWN, WRONG, FailureCase


class SeveralServers(FailureCase):
    def test_black_hole_first(self):
        """Within the deadline, and the dead one is not asked again for a while."""
        slapd = Slapd(self.scratch)
        hole = f"ldap://127.0.0.1:{black_hole(self)}"
        self.run_with([hole, slapd.uri], slapd, top={"request_timeout": "2s"})
        answer, took = self.timed()
        self.assertEqual(200, answer.status)
        self.assertLess(took, limit(1.5))
        slapd.kill()  # so that each of these connects anew
        slapd.restart()
        answer, took = self.timed()
        self.assertEqual(200, answer.status)
        self.assertLess(took, limit(0.9))
        self.responder.expect_log(f"{hole}: cannot connect: .*timed out.*other servers are asked before it")
        self.assertEqual(1, self.responder.log_text().count("other servers are asked"))

    def test_black_hole_from_cold(self):
        """Without any memory of it, as plain CGI."""
        slapd = Slapd(self.scratch)
        self.site.write({"stores": {"staff": slapd.settings(uri=[f"ldap://127.0.0.1:{black_hole(self)}", slapd.uri])},
                         "request_timeout": "1s"})
        self.assertEqual(0, command("lookup", "-c", self.site.conf, "staff", "m1").returncode)

    def test_first_refuses_connections(self):
        slapd = Slapd(self.scratch)
        self.run_with([f"ldap://127.0.0.1:{free_port()}", slapd.uri], slapd)
        for _ in range(3):
            self.expect_found()

    def test_first_freezes(self):
        """The request that finds it out is answered by the other one."""
        first, second = Slapd(self.scratch, name="first"), Slapd(self.scratch, name="second")
        self.run_with([first.uri, second.uri], second, timeout="500ms")
        self.expect_found()
        self.assertEqual(0, second.count("SRCH base"))
        first.freeze()
        self.expect_found()
        answer, took = self.timed()
        self.assertEqual(200, answer.status)
        self.assertLess(took, limit(0.4))
        first.thaw()
        wait_until("the second one has logged both", lambda: second.count("SRCH base") >= 2)

    def test_back_to_the_first(self):
        first, second = Slapd(self.scratch, name="first"), Slapd(self.scratch, name="second")
        self.run_with([first.uri, second.uri], second, idle_timeout="300ms")
        first.kill()
        self.expect_found()
        first.restart()

        def asked_again():
            self.expect_found()
            time.sleep(0.4)
            return "answers again" in self.responder.log_text()
        wait_until("the first one is asked again", asked_again, 8)
        before = first.count("SRCH base")
        self.expect_found()
        self.assertEqual(before + 1, first.count("SRCH base"))

    def test_first_is_not_trusted(self):
        """A bad certificate is passed over, and the log says so."""
        authority, other = Authority(self.scratch.path, "ca"), Authority(self.scratch.path, "other")
        schemes = ("ldap", "ldaps")
        bad = Slapd(self.scratch, name="bad", schemes=schemes, head=tls_lines(*other.issue("bad")))
        good = Slapd(self.scratch, name="good", schemes=schemes, head=tls_lines(*authority.issue("good")))
        self.run_with([bad.tls_uri, good.tls_uri], good, ca_file=str(authority.certificate))
        self.expect_found()
        self.responder.expect_log(f"{bad.tls_uri}: TLS handshake: .*other servers")
        self.assertNotIn("BIND", bad.log_text())
        good.kill()
        self.expect(DOWN)

    def test_all_are_down(self):
        self.run_with([f"ldap://127.0.0.1:{free_port()}", f"ldap://127.0.0.1:{free_port()}"])
        self.expect(DOWN)
        self.responder.expect_log("unavailable: ldap://.*Connection refused; ldap://.*Connection refused")

    def test_refused_password_is_not_tried_elsewhere(self):
        first, second = Slapd(self.scratch, name="first"), Slapd(self.scratch, name="second")
        self.run_with([first.uri, second.uri], second, bind_password="wrong")
        self.expect(WRONG)
        self.assertEqual((1, 0), (first.count("BIND dn"), second.count("BIND dn")))
