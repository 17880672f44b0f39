# SPDX-License-Identifier: MIT
"""A REST service behind TLS: who is believed, and who we are."""
import contextlib
import shutil
import socket
import ssl
import threading
import time

from lib.answer import basic
from lib.certificates import Authority
from lib.scratch import wait_until
from lib.site import member_path
from lib.upstream import NginxService, RestCase


class TlsCase(RestCase):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.scratch.path, "ca")
        self.other_ca = Authority(self.scratch.path, "other-ca")
        self.count = 0

    def service(self, pair, more="", listen="ssl"):
        """nginx with a certificate."""
        self.count += 1
        certificate, key = pair
        return NginxService(self.scratch, f"service{self.count}", listen=listen, locations=f"""
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            {more}""")

    def go(self, service, host="127.0.0.1", **keys):
        return self.serve(f"https://{host}:{service.port}/members/{{id}}", **keys)

    def refused(self, words, status=500):
        self.expect("1", status)
        self.expect_log(words)
        self.responder.process.stop()


@contextlib.contextmanager
def handshake(context):
    """A server that does nothing more with one connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            with context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False) as peer:
                with contextlib.suppress(ssl.SSLError):
                    peer.do_handshake()
                time.sleep(0.3)  # or the alert is lost with the connection
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


class Servers(TlsCase):
    def test_good(self):
        service = self.service(self.ca.issue())
        self.go(service, ca_file=str(self.ca.certificate))
        for _ in range(5):
            self.expect("1", 200)
        self.assertEqual(1, len({request[0] for request in service.requests()}))
        self.responder.process.stop()
        self.go(service, host="localhost", ca_file=str(self.ca.certificate))
        self.expect("1", 200)

    def test_not_believed(self):
        """Each with its reason, and no request is sent."""
        good = self.service(self.ca.issue())
        self.go(good)
        self.refused("misconfigured: SSL certificate problem: unable to get local issuer certificate")
        self.go(good, ca_file=str(self.other_ca.certificate))
        self.refused("misconfigured: SSL certificate problem")
        elsewhere = self.service(self.ca.issue("x.example.com", "DNS:x.example.com"))
        self.go(elsewhere, ca_file=str(self.ca.certificate))
        self.refused("misconfigured: SSL: no alternative certificate subject name matches")
        expired = self.service(self.ca.issue(days=0))
        time.sleep(1.1)
        self.go(expired, ca_file=str(self.ca.certificate))
        self.refused("misconfigured: SSL certificate problem: certificate has expired")
        for service in (good, elsewhere, expired):
            self.assertEqual([], service.requests())

    def test_verification_off(self):
        self.go(self.service(self.ca.issue("x", "DNS:x")), tls_verify=False)
        self.expect("1", 200)

    def test_old_protocols_are_not_spoken(self):
        self.go(self.service(self.ca.issue(), "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
                ca_file=str(self.ca.certificate))
        self.refused("misconfigured: .*alert protocol version")

    def test_a_ca_file_that_disappears(self):
        trusted = self.site.folder / "trusted.pem"
        shutil.copy(self.ca.certificate, trusted)
        self.go(self.service(self.ca.issue()), ca_file="trusted.pem")
        trusted.unlink()
        wait_until("the missing file is noticed", lambda: self.ask("1").status == 500)
        self.expect_log("misconfigured: error setting certificate")

    def test_new_certificates(self):
        """The service changes its certificate and its CA, and we our ca_file: no restart."""
        trusted = self.site.folder / "trusted.pem"
        shutil.copy(self.ca.certificate, trusted)
        first = self.service(self.ca.issue())
        self.go(first, ca_file="trusted.pem")
        self.expect("1", 200)
        for kind, path in zip(("pem", "key"), self.other_ca.issue()):
            shutil.copy(path, self.ca.folder / f"1.{kind}")
        first.process.stop()
        first.start()
        self.expect("1", 500)
        self.site.put("trusted.pem", self.other_ca.certificate.read_bytes())
        wait_until("the new CA is trusted", lambda: self.ask("1").status == 200)
        first.process.stop()
        for kind, path in zip(("pem", "key"), self.ca.issue()):
            shutil.copy(path, self.ca.folder / f"1.{kind}")
        first.start()
        wait_until("the old CA is not any more", lambda: self.ask("1").status == 500)

    def test_two_stores_do_not_share_their_trust(self):
        """In both orders."""
        one, two = self.service(self.ca.issue()), self.service(self.other_ca.issue())
        trust = {"ca_file": str(self.ca.certificate)}
        self.write(f"https://127.0.0.1:{one.port}/members/{{id}}", **trust)
        second = {"plugin": "rest", "url": f"https://127.0.0.1:{two.port}/members/{{id}}",
                  "cache": {"size": 0}, "breaker": {"failures": 0}, **trust}
        other = self.site.new_app("other", "other-key", "other-secret-long", store="second")
        self.site.write({"stores": {"second": second}, "apps": {"other": other}})
        self.responder = self.start()

        def ask_other():
            return self.responder.post(member_path("1"), basic("other-key", "other-secret-long")).status
        for _ in range(2):
            self.expect("1", 200)
            self.assertEqual(500, ask_other())
        self.responder.process.stop()
        second["ca_file"] = str(self.other_ca.certificate)
        self.site.write()
        self.responder = self.start()
        for _ in range(2):
            self.assertEqual(200, ask_other())
            self.expect("1", 200)

    def test_a_fault_of_the_service_in_the_handshake(self):
        """It may pass."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.ca.issue())
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        with handshake(context) as port:
            self.serve(f"https://localhost:{port}/{{id}}", ca_file=str(self.ca.certificate))
            self.refused("unavailable: .*alert internal error", 503)

    def test_http_2(self):
        service = self.service(self.ca.issue(), listen="ssl http2")
        self.go(service, ca_file=str(self.ca.certificate), http_version="2")
        for _ in range(3):
            self.expect("1", 200)
        self.expect("nobody", 404)
        self.responder.process.stop()
        told = [line.split() for line in service.access.read_text().splitlines()]
        self.assertEqual({"HTTP/2.0"}, {fields[-1] for fields in told})
        self.assertEqual(1, len({fields[0] for fields in told}), told)
        self.go(self.service(self.ca.issue()), ca_file=str(self.ca.certificate), http_version="2")
        self.expect("1", 200)


class Clients(TlsCase):
    """The service wants a certificate of ours."""

    def setUp(self):
        super().setUp()
        self.clients = Authority(self.scratch.path, "clients")

    def strict(self, protocols="TLSv1.2 TLSv1.3"):
        return self.service(self.ca.issue(), f"ssl_client_certificate {self.clients.certificate}; "
                                             f"ssl_verify_client on; ssl_protocols {protocols};")

    def test_good(self):
        certificate, key = self.clients.issue("memberchat", "DNS:memberchat")
        for protocol in ("TLSv1.2", "TLSv1.3"):
            self.go(self.strict(protocol), ca_file=str(self.ca.certificate), cert_file=str(certificate),
                    key_file=str(key))
            self.expect("1", 200)
            self.responder.process.stop()

    def test_both_in_one_file(self):
        certificate, key = self.clients.issue("memberchat", "DNS:memberchat")
        self.site.put("both.pem", certificate.read_bytes() + key.read_bytes())
        self.go(self.strict(), ca_file=str(self.ca.certificate), cert_file="both.pem")
        self.expect("1", 200)

    def test_none_or_a_wrong_one(self):
        """That is our fault, and no member's."""
        service = self.strict()
        self.go(service, ca_file=str(self.ca.certificate))
        self.refused("misconfigured: HTTP status 400")
        certificate, key = self.other_ca.issue("memberchat", "DNS:memberchat")
        self.go(service, ca_file=str(self.ca.certificate), cert_file=str(certificate), key_file=str(key))
        self.refused("misconfigured: HTTP status 400")
        _, another_key = self.clients.issue("memberchat", "DNS:memberchat")
        self.go(service, ca_file=str(self.ca.certificate), cert_file=str(certificate), key_file=str(another_key))
        self.refused("misconfigured: unable to set private key file")

    def test_refused_in_the_handshake(self):
        """As some servers do; in TLS 1.3 it shows when the answer is read."""
        certificate, key = self.ca.issue()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = context.maximum_version = version
            context.load_cert_chain(certificate, key)
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.clients.certificate)
            with handshake(context) as port:
                self.serve(f"https://127.0.0.1:{port}/{{id}}", ca_file=str(self.ca.certificate))
                self.refused("misconfigured: .*alert")
