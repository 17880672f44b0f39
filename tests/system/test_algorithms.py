# SPDX-License-Identifier: MIT
"""Every algorithm: our tokens by two libraries of others, their tokens by us."""
import json
import stat
import subprocess
import time

import jwt
from lib.answer import basic
from lib.case import FreshCase, ResponderCase, at_once
from lib.keys import (ALGORITHMS, PUBLIC, jose, keygen, pyjwt_sign, pyjwt_verify, read_jwk, without_private)
from lib.responder import command, environment, run
from lib.site import APP, GUEST_PATH, member_path

ISSUER = "https://id.example.com"


class Algorithms(ResponderCase):
    """An app for each algorithm, with a key of its own and that of an outside issuer."""

    @classmethod
    def prepare(cls, site):
        for algorithm in ALGORITHMS:
            keygen(site, algorithm, f"{algorithm}.jwk")
            keygen(site, algorithm, f"idp-{algorithm}.jwk")
            trusted = f"idp-{algorithm}.jwk"
            if algorithm in PUBLIC:
                trusted = f"idp-{algorithm}.json"
                other = without_private(read_jwk(site, "idp-ES256.jwk")) if algorithm != "ES256" else None
                keys = [k for k in (other, without_private(read_jwk(site, f"idp-{algorithm}.jwk"))) if k]
                site.put(f"keys/{trusted}", json.dumps({"keys": keys}))
            site.settings["apps"][algorithm] = site.new_app(
                algorithm, f"key-{algorithm}", "s" * 16,
                token={"algorithm": algorithm, "key_file": f"keys/{algorithm}.jwk", "key_id": None},
                access_token={"algorithm": algorithm, "key_file": f"keys/{trusted}", "issuer": ISSUER})

    def member(self, algorithm):
        return self.responder.post(member_path("1"), basic(f"key-{algorithm}", "s" * 16))

    def guest_with(self, algorithm, token):
        return self.responder.post(GUEST_PATH, basic(f"key-{algorithm}", "s" * 16),
                                   json.dumps({"accessToken": token}).encode(),
                                   extra={"CONTENT_TYPE": "application/json"})

    def jwks(self):
        return self.responder.call("GET", "/.well-known/jwks.json").json

    def test_by_pyjwt(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                jwk = read_jwk(self.site, f"{algorithm}.jwk")
                token = self.member(algorithm).json["chatToken"]
                header = jwt.get_unverified_header(token)
                self.assertEqual({"alg": algorithm, "typ": "JWT", "kid": jwk["kid"]}, header)
                self.assertEqual("1", pyjwt_verify(token, jwk, algorithm)["sub"])
                if algorithm in PUBLIC:
                    published = [k for k in self.jwks()["keys"] if k["kid"] == header["kid"]]
                    self.assertEqual([without_private(jwk)], published)

    def test_by_jose(self):
        jobs = []
        for algorithm in ALGORITHMS:
            keys = self.jwks() if algorithm in PUBLIC else read_jwk(self.site, f"{algorithm}.jwk")
            jobs.append({"verify": self.member(algorithm).json["chatToken"], "keys": keys,
                         "algorithm": algorithm, "issuer": "memberchat", "audience": algorithm})
        for algorithm, result in zip(ALGORITHMS, jose(jobs)):
            with self.subTest(algorithm=algorithm):
                self.assertNotIn("error", result)
                self.assertEqual(("1", "foobar1"), (result["claims"]["sub"], result["claims"]["name"]))

    def test_theirs(self):
        claims = {"iss": ISSUER, "sub": "outsider-1", "exp": int(time.time()) + 300}
        keys = {a: read_jwk(self.site, f"idp-{a}.jwk") for a in ALGORITHMS}
        by_jose = jose([{"sign": claims, "key": keys[a], "header": {"alg": a, "kid": keys[a]["kid"]}}
                        for a in ALGORITHMS])
        for algorithm, result in zip(ALGORITHMS, by_jose):
            with self.subTest(algorithm=algorithm):
                for token in (result["token"], pyjwt_sign(claims, keys[algorithm], kid=keys[algorithm]["kid"])):
                    answer = self.guest_with(algorithm, token)
                    self.assertEqual(200, answer.status, answer.body)
                    self.assertEqual("outsider-1", answer.json["userId"])
                    self.assertEqual((401, "INVALID_ACCESS_TOKEN"), self.guest_with(algorithm, token + "x").error)

    def test_renewal(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                first = self.guest_with(algorithm, None).json
                again = self.guest_with(algorithm, first["chatToken"]).json
                self.assertEqual((first["userId"], first["userName"]), (again["userId"], again["userName"]))
                self.assertNotEqual(first["chatToken"], again["chatToken"])

    def test_many_at_once(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                jwk = read_jwk(self.site, f"{algorithm}.jwk")
                tokens = at_once(8, lambda _, a=algorithm: [self.member(a).json["chatToken"] for _ in range(10)])
                for token in sum(tokens, []):
                    pyjwt_verify(token, jwk, algorithm)

    def test_verify_of_the_command(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                token = self.member(algorithm).json["chatToken"]
                done = command("verify", "-c", self.site.conf, algorithm, "-", stdin=token.encode() + b"\n")
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertEqual("1", json.loads(done.stdout)["claims"]["sub"])
                altered = token[:-10] + ("B" if token[-10] == "A" else "A") + token[-9:]
                done = command("verify", "-c", self.site.conf, algorithm, altered)
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn("signature is", done.stderr)


class Keygen(FreshCase):
    def test_files(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                printed = keygen(self.site, algorithm, f"{algorithm}.jwk", "--key-id", "mine")
                path = self.site.folder / "keys" / f"{algorithm}.jwk"
                self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
                kept = json.loads(path.read_text())
                self.assertEqual(printed, without_private(kept))
                self.assertEqual(("mine", algorithm), (kept["kid"], kept["alg"]))
                self.assertTrue({"d", "k"} & kept.keys() and not {"d", "k"} & printed.keys())
                before = path.read_bytes()
                done = command("keygen", algorithm, path)
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn("exists", done.stderr)
                self.assertEqual(before, path.read_bytes())

    def test_pem(self):
        for algorithm in PUBLIC:
            with self.subTest(algorithm=algorithm):
                printed = keygen(self.site, algorithm, f"{algorithm}.pem")
                path = self.site.folder / "keys" / f"{algorithm}.pem"
                self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
                done = run(["openssl", "pkey", "-in", path, "-noout", "-check"])
                self.assertEqual(0, done.returncode, done.stderr)
                self.site.change_app(token={"algorithm": algorithm, "key_file": f"keys/{algorithm}.pem",
                                            "key_id": None})
                done = command("token", "-c", self.site.conf, APP, "--member", "1")
                self.assertEqual(0, done.returncode, done.stderr)
                token = json.loads(done.stdout)["chatToken"]
                self.assertEqual(printed["kid"], jwt.get_unverified_header(token)["kid"])
                pyjwt_verify(token, printed, APP)

    def test_mistakes(self):
        for arguments, code, told in ((("HS256",), 64, "usage"), (("ES384", "x"), 1, "not an algorithm"),
                                      (("HS256", "x.pem"), 1, "cannot be PEM"),
                                      (("ES256", "/nowhere/x"), 1, "cannot be made"),
                                      (("ES256", "--key-id", "a\nb", "y"), 1, "key id")):
            with self.subTest(arguments=arguments):
                done = command("keygen", *arguments)
                self.assertEqual((code, ""), (done.returncode, done.stdout))
                self.assertIn(told, done.stderr)

    def test_openssl_that_may_make_none(self):
        """Its configuration leaves it no algorithm."""
        conf = self.site.put("openssl.cnf", "openssl_conf = all\n[all]\nproviders = list\n[list]\nnull = null\n"
                                            "[null]\nactivate = 1\n")
        for algorithm in PUBLIC:
            done = command("keygen", algorithm, self.site.folder / "new", env=environment(OPENSSL_CONF=str(conf)))
            self.assertEqual((1, "", "memberchat: no key: OpenSSL cannot make such a key\n"),
                             (done.returncode, done.stdout, done.stderr))

    def test_public_half_of_openssl(self):
        """Keys that OpenSSL's own command made, and what it prints of them."""
        for name, options in (("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                              ("ec", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("ed", ["ed25519"])):
            path = self.site.folder / "keys" / f"{name}.pem"
            subprocess.run(["openssl", "genpkey", "-algorithm", *options, "-out", path], check=True,
                           capture_output=True)
            public = subprocess.run(["openssl", "pkey", "-in", path, "-pubout"], check=True,
                                    capture_output=True).stdout
            path.chmod(0o640)
            self.site.put(f"keys/{name}.pub.pem", public)
            algorithm = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}[name]
            with self.subTest(algorithm=algorithm):
                self.site.change_app(token={"algorithm": algorithm, "key_file": f"keys/{name}.pem"},
                                     access_token={"algorithm": algorithm, "issuer": "x",
                                                   "key_file": f"keys/{name}.pub.pem"})
                done = command("token", "-c", self.site.conf, APP, "--guest")
                self.assertEqual(0, done.returncode, done.stderr)
                jwt.decode(json.loads(done.stdout)["chatToken"], public, algorithms=[algorithm], audience=APP)
