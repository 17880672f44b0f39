# SPDX-License-Identifier: MIT
"""Certificates in /status and `memberchat status`: what has expired, or soon will, is said first."""
import subprocess

from lib.case import FreshCase
from lib.certificates import Authority
from lib.responder import command
from lib.scratch import wait_until


class Certificates(FreshCase):
    def report(self):
        return self.responder.call("GET", "/status?json").json

    def test_certificates_expire(self):
        authority = Authority(self.scratch.path, "authority")
        gone, soon, later = (authority.issue(days=days) for days in (0, 5, 25))
        for name, (certificate, key) in {"gone": gone, "soon": soon, "later": later}.items():
            self.site.settings["stores"][name] = {
                "plugin": "rest", "url": "https://127.0.0.1:9/{id}", "ca_file": str(authority.certificate),
                "cert_file": str(certificate), "key_file": str(key)}
        self.site.write({"status": {"allow": ["127.0.0.1"], "file": "figures"}})
        self.responder = self.start()
        wait_until("it has expired", lambda: len(self.report()["wrong"]) == 2)
        report = self.report()
        self.assertRegex(report["wrong"][0]["what"], rf"^The certificate {gone[0]} \(cert_file of store gone\) expired .* ago\.$")
        self.assertRegex(report["wrong"][1]["what"], "expires in [45] days")
        self.assertIn("renewed", report["wrong"][1]["remedy"])
        seen = {(file["owner"], file["what"]): file["expires"] for file in report["files"]}
        for name, (certificate, _) in {"soon": soon, "later": later}.items():
            told = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", certificate],
                                  capture_output=True, text=True, check=True).stdout
            self.assertEqual(told.strip().partition("=")[2].replace(" ", "T"), seen["store " + name, "cert_file"])
        self.assertIsNone(seen["store soon", "key_file"])
        self.assertIn("<th scope=\"row\">store later</th>", self.responder.call("GET", "/status").body.decode())
        said = command("-c", self.site.conf, "status")
        self.assertEqual(1, said.returncode)
        self.assertRegex(said.stdout, r"(?m)^store gone: cert_file: .* old, expired 20")
        self.assertRegex(said.stdout, r"(?m)^store later: ca_file: .* old, valid until 20")
