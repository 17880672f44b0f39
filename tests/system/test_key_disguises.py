# SPDX-License-Identifier: MIT
"""Public keys in other clothes are never taken for an HS256 secret: everyone could forge tokens with them."""
import base64
import json
import subprocess

from lib.case import FreshCase
from lib.keys import keygen, read_jwk, without_private
from lib.responder import command
from lib.site import APP

KINDS = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
         "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "ed": ["ed25519"], "rsa-pss": ["RSA-PSS"]}


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


def wrapped(data, width):
    text = base64.b64encode(data).decode()
    return "\n".join(text[i:i + width] for i in range(0, len(text), width)).encode()


def forms_of(der, pem):
    """{name: what the file holds}"""
    text = base64.b64encode(der)
    return {
        "DER": der, "DER with a newline": der + b"\n", "DER behind a newline": b"\n" + der, "PEM": pem,
        "PEM in one line": pem.replace(b"\n", b""), "PEM in UTF-16": pem.decode().encode("utf-16"),
        "PEM in big-endian UTF-16": pem.decode().encode("utf-16-be"), "PEM in UTF-32": pem.decode().encode("utf-32"),
        "PEM in a JSON string": json.dumps(pem.decode()).encode(), "PEM, percent-encoded": pem.replace(b" ", b"%20"),
        "indented PEM": b"key: |\n" + b"".join(b"    " + line + b"\n" for line in pem.splitlines()),
        "base64": text, "base64 with a newline": text + b"\n", "base64url": base64.urlsafe_b64encode(der).rstrip(b"="),
        "wrapped base64": wrapped(der, 64), "base64 in short lines": wrapped(der, 5),
        "wrapped base64 with CRLF": wrapped(der, 64).replace(b"\n", b"\r\n"), "quoted base64": b'"' + text + b'"',
        "named base64": b"PUBLIC_KEY=" + text, "base64 in UTF-16": text.decode().encode("utf-16"),
        "base64 of base64": base64.b64encode(text), "base64 of PEM": base64.b64encode(pem), "hex": der.hex().encode(),
        "HEX": der.hex().upper().encode(), "hex with colons": der.hex(":").encode(),
        "hex of PEM": pem.hex().encode(), "C": ", ".join(f"0x{byte:02x}" for byte in der).encode(),
        "base64 of hex": base64.b64encode(der.hex().encode()), "XML": b"<key>" + text + b"</key>",
        "YAML": b"key: " + text + b"\nalg: RS256\n", "data URL": b"data:application/x-pem-file;base64," + text,
    }


class Disguises(FreshCase):
    def refused(self, content, name):
        self.site.put("keys/other.key", content, 0o640)
        for change in ({"token": {"key_file": "keys/other.key"}},
                       {"access_token": {"algorithm": "HS256", "key_file": "keys/other.key", "issuer": "x"}},
                       {"token": {"previous_keys": ["keys/other.key"]}}):
            site = self.site
            site.settings["apps"][APP] = site.new_app(APP, "demo-key", "s" * 16)
            site.change_app(**change)
            done = command("check", "-c", site.conf)
            if "previous_keys" in str(change) and done.returncode == 0 and content.startswith(b"-----BEGIN"):
                continue  # there a public key is welcome
            self.assertEqual(1, done.returncode, f"{name}: {change}: {content[:80]}")
            self.assertRegex(done.stderr, r"other\.key: ")

    def key_of(self, kind):
        private = self.site.folder / f"{kind}.pem"
        openssl("genpkey", "-algorithm", *KINDS[kind], "-out", private)
        return private

    def test_every_form_of_every_kind(self):
        for kind in KINDS:
            private = self.key_of(kind)
            for half in (["-pubout"], []):
                pem = openssl("pkey", "-in", private, *half)
                der = openssl("pkey", "-in", private, *half, "-outform", "DER")
                for name, content in forms_of(der, pem).items():
                    with self.subTest(kind=kind, half=half, form=name):
                        self.quickly_refused(content)

    def quickly_refused(self, content):
        self.site.put("keys/other.key", content, 0o640)
        self.site.change_app(access_token={"algorithm": "HS256", "key_file": "keys/other.key", "issuer": "x"})
        done = command("check", "-c", self.site.conf)
        self.assertEqual(1, done.returncode, content[:80])
        self.assertRegex(done.stderr, r"access_token\.key_file: .*other\.key: ")

    def test_wherever_a_secret_may_stand(self):
        private = self.key_of("ec")
        self.refused(base64.b64encode(openssl("pkey", "-in", private, "-pubout", "-outform", "DER")), "base64")

    def test_forms_of_one_kind_only(self):
        rsa, ec = self.key_of("rsa"), self.key_of("ec")
        openssl("req", "-x509", "-key", ec, "-subj", "/CN=x", "-out", self.site.folder / "ec.crt")
        pkcs1 = openssl("rsa", "-in", rsa, "-RSAPublicKey_out", "-outform", "DER")
        keygen(self.site, "ES256", "es.jwk")
        jwk = json.dumps(without_private(read_jwk(self.site, "es.jwk")))
        modulus = openssl("rsa", "-in", rsa, "-noout", "-modulus")
        number = base64.b64encode(bytes.fromhex(modulus.decode().strip().split("=")[1]))
        ssh_rsa, ssh_ed = (self.ssh_key(*kind) for kind in (("rsa",), ("ed25519",)))
        ssh2 = subprocess.run(["ssh-keygen", "-e", "-f", self.site.folder / "ssh-rsa.pub"], check=True,
                              capture_output=True).stdout
        forms = {
            "PKCS #1": pkcs1, "PKCS #1 in base64": base64.b64encode(pkcs1), "PKCS #1 in hex": pkcs1.hex().encode(),
            "certificate": openssl("x509", "-in", self.site.folder / "ec.crt", "-outform", "DER"),
            "SEC 1": openssl("ec", "-in", ec, "-outform", "DER"), "openssl -text": openssl("pkey", "-in", ec, "-noout", "-text"),
            "modulus": modulus, "XML": b"<RSAKeyValue><Modulus>" + number + b"</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
            "JWK": jwk.encode(), "JWK in a string": json.dumps(jwk).encode(), "JWK in base64": base64.b64encode(jwk.encode()),
            "JWKs": json.dumps({"keys": [json.loads(jwk)]}).encode(), "array": f"[{jwk}]".encode(),
            "JWK behind a mark": b"\xef\xbb\xbf" + jwk.encode(), "JWK in UTF-16": jwk.encode("utf-16"),
            "YAML": b"kty: RSA\nn: " + number + b"\ne: AQAB\n", "ssh": ssh_rsa, "ssh Ed25519": ssh_ed,
            "ssh without its name": ssh_ed.split()[1] + b"\n", "RFC 4716": ssh2,
            "sk": b"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAI me\n",
            "URL": b"https://id.example.com/.well-known/jwks.json\n",
        }
        for name, content in forms.items():
            with self.subTest(form=name):
                self.quickly_refused(content)

    def ssh_key(self, kind):
        path = self.site.folder / f"ssh-{kind}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
        return path.with_suffix(".pub").read_bytes()

    def test_secrets_are_taken(self):
        """What people make secrets with, without a warning; and how many bytes they have, where that is not plain to see."""
        for made, length in (("head -c 32 /dev/urandom", 32), ("openssl rand -base64 48", 64),
                             ("openssl rand -base64 72", 97), ("openssl rand -hex 32", 64),
                             ("head -c 48 /dev/urandom | base64 -w 0", 64), ("openssl rand -base64 33 | sed 's/$/\\r/'", 44)):
            with self.subTest(made=made):
                content = subprocess.run(["sh", "-c", made], check=True, capture_output=True).stdout
                self.site.put(f"keys/{APP}.key", content, 0o640)
                self.site.write()
                done = command("check", "-c", self.site.conf)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertNotIn("warning", done.stderr)
                unclear = any(byte < 0x20 or byte > 0x7e for byte in content)
                self.assertEqual(unclear, f"HS256: a secret of {length} bytes\n" in done.stdout, done.stdout)

    def test_line_ends_of_texts(self):
        for content in ("grüße und noch ein paar andere Zeichen 1f7Q\n", "f7Q\tk2-R9w\tZx81+Lm0pVu3Tn6yBd5cHs\r\n",
                        "\u2713 f7Qk2R9wZx81Lm0pVu3Tn6yBd5cHs\nq4\n"):
            with self.subTest(content=content):
                self.site.put(f"keys/{APP}.key", content, 0o640)
                self.site.write()
                done = command("check", "-c", self.site.conf)
                self.assertEqual(0, done.returncode, done.stderr)
                wanted = len(content.encode()) - (2 if content.endswith("\r\n") else 1)
                self.assertIn(f"HS256: a secret of {wanted} bytes\n", done.stdout)

    def test_what_can_be_guessed_draws_a_warning(self):
        for secret in ("k" * 32, "0123456789abcdefghijklmnopqrstuvwxyz", "correct horse battery staple and more",
                       "please-change-this-secret-before-production", "Abc123!xyZ_" * 4):
            with self.subTest(secret=secret):
                self.site.put(f"keys/{APP}.key", secret, 0o640)
                self.site.write()
                done = command("check", "-c", self.site.conf)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertRegex(done.stderr, rf"apps\.{APP}\.token\.key_file: warning: .*can be guessed")
                self.assertNotIn(secret, done.stderr)
