# SPDX-License-Identifier: MIT
"""The LDAP store and TLS: who is trusted, for each store by itself, and nothing in clear text."""
import json
import os
import re
import time

from lib.case import ScratchCase
from lib.certificates import Authority
from lib.fake_ldap import EXTENDED, FakeServer, Recorder, Scripted, message
from lib.programs import limit, programs
from lib.responder import RunningResponder, command
from lib.site import APP, Site, member_path
from lib.slapd import PEOPLE, READER_DN, READER_PASSWORD, Slapd, tls_lines

SCHEMES = ("ldap", "ldaps", "ldapi")


class TlsCase(ScratchCase):
    """Two authorities, and a slapd with a certificate of the first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority(cls.scratch.path, "ca")
        cls.other = Authority(cls.scratch.path, "other")
        cls.slapd = Slapd(cls.scratch, head=tls_lines(*cls.authority.issue("server")), schemes=SCHEMES)
        cls.site = Site(cls.scratch.path / "site")

    def settings(self, slapd=None, **changes):
        return (slapd or self.slapd).settings(**{"ca_file": str(self.authority.certificate), **changes})

    def use(self, **stores):
        self.site.settings["stores"] = stores
        self.site.write({"apps": {APP: {"store": next(iter(stores))}}})

    def look_up(self, **changes):
        self.use(staff=self.settings(**changes))
        return command("lookup", "-c", self.site.conf, "staff", "m1")

    def expect_found(self, **changes):
        done = self.look_up(**changes)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("Ann", json.loads(done.stdout)["userName"])
        return done

    def expect_wrong(self, reason, code=3, **changes):
        done = self.look_up(**changes)
        self.assertEqual(code, done.returncode, done.stderr + done.stdout)
        self.assertRegex(done.stderr, re.compile(reason, re.IGNORECASE))
        self.assertNotIn(READER_PASSWORD, done.stderr)


class Trust(TlsCase):
    def test_starttls_and_ldaps(self):
        self.expect_found(starttls=True)
        self.expect_found(uri=self.slapd.tls_uri)
        self.assertGreaterEqual(self.slapd.count("TLS established"), 2)

    def test_large_answers(self):
        """Of several records, which libldap may have read when it gives the first one."""
        for size in (17_000, 40_000, 3_000_000):
            self.slapd.change(f"dn: uid=m1,{PEOPLE}\nchangetype: modify\nreplace: description\n"
                              f"description: {'x' * size}\n")
            for changes in ({"starttls": True}, {"uri": self.slapd.tls_uri}):
                done = self.expect_found(**changes, attributes={"more": "description"})
                self.assertIn("a value of an attribute is longer than 4096 bytes", done.stderr)

    def test_other_authority(self):
        for changes in ({"starttls": True}, {"uri": self.slapd.tls_uri}):
            self.expect_wrong("TLS handshake: .*(unknown issuer|certificate)",
                              ca_file=str(self.other.certificate), **changes)

    def test_no_authority_of_ours(self):
        """The system's authorities do not know our server."""
        self.expect_wrong("TLS handshake: ", uri=self.slapd.tls_uri, ca_file=None)

    def test_expired(self):
        old = Slapd(self.scratch, name="expired", schemes=SCHEMES,
                    head=tls_lines(*self.authority.issue("expired", days=-1)))
        self.expect_wrong("TLS handshake: .*expired", slapd=old, uri=old.tls_uri)
        self.expect_wrong("TLS handshake: ", slapd=old, starttls=True)

    def test_wrong_host(self):
        stranger = Slapd(self.scratch, name="stranger", schemes=SCHEMES,
                         head=tls_lines(*self.authority.issue("stranger", "DNS:ldap.example.com")))
        self.expect_wrong("certificate is not for this host", slapd=stranger, uri=stranger.tls_uri)
        self.expect_wrong("certificate is not for this host", slapd=stranger, starttls=True)

    def test_verification_off(self):
        done = self.expect_found(uri=self.slapd.tls_uri, ca_file=None, tls_verify=False)
        self.assertIn("tls_verify = false: anybody on the way", done.stderr)

    def test_it_warns_at_each_start(self):
        self.use(staff=self.settings(uri=self.slapd.tls_uri, tls_verify=False))
        for _ in range(2):
            responder = RunningResponder(self.scratch, self.site)
            responder.expect_log("store staff: tls_verify = false")
            self.assertEqual(0, responder.process.stop())

    def test_files_that_go_bad_while_it_runs(self):
        """No context of our own means no connection, not one with that of the process."""
        for content in (None, "no certificate", ""):
            with self.subTest(content=content):
                path = self.site.put("ca.pem", self.authority.certificate.read_bytes())
                self.use(staff=self.settings(uri=self.slapd.tls_uri, ca_file="ca.pem"))
                responder = RunningResponder(self.scratch, self.site)
                path.unlink()
                if content is not None:
                    path.write_text(content)
                binds = self.slapd.count("BIND dn")
                answer = responder.post(member_path("m1"), self.site.auth())
                self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
                responder.expect_log("misconfigured: ldaps://.*TLS")
                self.assertEqual(binds, self.slapd.count("BIND dn"))
                self.assertEqual(0, responder.process.stop())

    def test_localhost_warns(self):
        done = self.look_up(uri=f"ldaps://localhost:{self.slapd.tls_port}")
        self.assertIn("not with localhost", done.stderr)

    def test_users_own_settings_do_not_count(self):
        """Neither .ldaprc nor the variables of libldap switch the verification off."""
        home = self.scratch.path / "home"
        home.mkdir()
        (home / ".ldaprc").write_text(f"TLS_REQCERT never\nTLS_CACERT {self.authority.certificate}\n")
        self.use(staff=self.settings(uri=self.slapd.tls_uri, ca_file=str(self.other.certificate)))
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LDAPTLS_REQCERT": "never",
                       "LDAPTLS_CACERT": str(self.authority.certificate),
                       **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
        environment["MEMBERCHAT_PLUGIN_DIR"] = str(programs().plugins)
        done = command("lookup", "-c", self.site.conf, "staff", "m1", env=environment)
        self.assertEqual(3, done.returncode, done.stderr + done.stdout)
        self.assertRegex(done.stderr, "TLS handshake")


class SeveralStores(TlsCase):
    """What one store trusts, the other does not, in one process and in either order."""

    def test_each_has_its_own_authority(self):
        wrong = {"ca_file": str(self.other.certificate), "uri": self.slapd.tls_uri, "cache": {"size": 0}}
        good = {"uri": self.slapd.tls_uri, "cache": {"size": 0}}
        self.use(good=self.settings(**good), wrong=self.settings(**wrong))
        self.site.write({"apps": {"other": self.site.new_app("other", "other-key", "s" * 16, store="wrong")}})
        responder = RunningResponder(self.scratch, self.site)
        expected = {APP: 200, "other": 500}
        for order in ((APP, "other"), ("other", APP), (APP, "other", APP)):
            for app in order:
                answer = responder.post(member_path("m1"), self.site.auth(app))
                self.assertEqual(expected[app], answer.status, app)
        self.assertEqual(0, responder.process.stop())

    def test_the_wrong_one_first(self):
        self.use(wrong=self.settings(uri=self.slapd.tls_uri, ca_file=str(self.other.certificate)),
                 good=self.settings(uri=self.slapd.tls_uri))
        done = command("check", "-c", self.site.conf, "--online")
        self.assertRegex(done.stdout, "store wrong: misconfigured")
        self.assertRegex(done.stdout, "store good: ok")


class ClientCertificate(TlsCase):
    def test_external(self):
        certificate, key = self.authority.issue("memberchat", None)
        server = Slapd(self.scratch, name="mutual", schemes=SCHEMES, others="by dn.exact=\"cn=memberchat\" read",
                       head=tls_lines(*self.authority.issue("mutual"), self.authority, "TLSVerifyClient demand"))
        who = {"bind_dn": None, "bind_password": None, "sasl_external": True, "slapd": server}
        files = {"cert_file": str(certificate), "key_file": str(key)}
        self.expect_found(starttls=True, **who, **files)
        self.expect_found(uri=server.tls_uri, **who, **files)
        self.expect_found(uri=server.tls_uri, slapd=server, **files)  # with a password beside it
        # without a certificate the server ends it in the handshake, or (TLS 1.3) right behind it
        self.assertIn(self.look_up(uri=server.tls_uri, slapd=server).returncode, (2, 3))
        self.assertIn('dn="cn=memberchat" mech=EXTERNAL', server.log_text())


class ClearText(TlsCase):
    def test_starttls_refused(self):
        """By a slapd that has no certificate.  Nothing follows, above all no password."""
        plain = Slapd(self.scratch, name="plain")
        recorder = Recorder(self, plain.port)
        self.expect_wrong("StartTLS: ", slapd=plain, uri=recorder.uri, starttls=True)
        self.assertIn(b"1.3.6.1.4.1.1466.20037", recorder.received)
        self.assertNotIn(READER_PASSWORD.encode(), recorder.received)
        self.assertNotIn(READER_DN.encode(), recorder.received)

    def test_starttls_refused_in_other_ways(self):
        for code in (1, 2, 12, 52, 53, 80):
            server = Scripted(self, extended=code)
            done = self.look_up(uri=server.uri, starttls=True)
            self.assertIn(done.returncode, (2, 3), done.stderr)
            self.assertIn(EXTENDED, server.requests)
            self.assertNotIn(READER_PASSWORD.encode(), server.received)

    def test_nothing_of_before_counts_behind_starttls(self):
        """What came in clear text together with the answer is nobody's word."""
        server = Scripted(self, extended=message(1, 0x78, 0) + message(2, 0x61, 0))
        done = self.look_up(uri=server.uri, starttls=True)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn("StartTLS: the answer is damaged", done.stderr)
        self.assertNotIn(READER_PASSWORD.encode(), server.received)

    def test_nothing_is_readable_behind_starttls(self):
        recorder = Recorder(self, self.slapd.port)
        self.expect_found(uri=recorder.uri, starttls=True)
        self.assertNotIn(READER_PASSWORD.encode(), recorder.received)
        self.assertNotIn(b"inetOrgPerson", recorder.received)


class Silence(TlsCase):
    """Servers that stop in the middle of a handshake: an end in time, and no processor burnt."""

    def expect_late(self, reason, **changes):
        self.use(staff=self.settings(**changes))
        self.site.write({"request_timeout": "1s"})
        before, began = os.times(), time.monotonic()
        done = command("lookup", "-c", self.site.conf, "staff", "m1")
        took, after = time.monotonic() - began, os.times()
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertRegex(done.stderr, reason)
        self.assertLess(took, limit(1.5))
        self.assertLess(after.children_user - before.children_user, limit(0.4))

    def test_mute_ldaps(self):
        self.expect_late("TLS handshake: no answer in time", uri=FakeServer(self).uri.replace("ldap:", "ldaps:"))

    def test_mute_at_starttls(self):
        self.expect_late("StartTLS: no answer in time", uri=FakeServer(self).uri, starttls=True)

    def test_mute_after_starttls(self):
        self.expect_late("TLS handshake: no answer in time", uri=Scripted(self, extended=0).uri, starttls=True)

    def test_end_in_the_handshake(self):
        """A server that goes away is not one with a bad certificate."""
        class Closing(FakeServer):
            def handle(self, connection):
                self.read(connection)
                connection.close()
        done = self.look_up(uri=Closing(self).uri.replace("ldap:", "ldaps:"))
        self.assertEqual(2, done.returncode, done.stderr)
