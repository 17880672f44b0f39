# SPDX-License-Identifier: MIT
"""accessToken: who may renew the token of a guest, and attacks by name."""
import hashlib
import hmac
import json
import time

import jwt
from lib.answer import basic
from lib.case import ResponderCase
from lib.keys import encoded, keygen, pyjwt_sign, read_jwk, without_private
from lib.site import APP, GUEST_PATH, member_path
from lib.tokens import unpadded

ISSUER = "https://id.example.com"
REFUSED = (401, "INVALID_ACCESS_TOKEN")


def hs256(header, claims, secret):
    """A token of any bytes."""
    parts = [encoded(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims)]
    signature = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, encoded(signature)])


class AccessTokenCase(ResponderCase):
    """`APP` signs with HS256; `other` has the same key, `rsa` signs with RS256; all trust an issuer's RS256."""

    @classmethod
    def prepare(cls, site):
        keygen(site, "RS256", "rsa.jwk", "--key-id", "r1")
        keygen(site, "RS256", "idp.jwk", "--key-id", "i1")
        site.put("keys/idp.json", json.dumps({"keys": [without_private(read_jwk(site, "idp.jwk"))]}))
        access = {"algorithm": "RS256", "key_file": "keys/idp.json", "issuer": ISSUER, "audience": "chat"}
        apps = site.settings["apps"]
        apps[APP]["access_token"] = access
        apps["other"] = site.new_app("other", "other-key", "s" * 16, token={"key_file": f"keys/{APP}.key"})
        apps["rsa"] = site.new_app("rsa", "rsa-key", "s" * 16, access_token=access,
                                   token={"algorithm": "RS256", "key_file": "keys/rsa.jwk", "key_id": None})

    def auth_of(self, app):
        settings = self.site.settings["apps"][app]
        return basic(settings["api_key"], settings["api_secret"])

    def ask(self, token, app=APP, **fields):
        body = json.dumps({**({"accessToken": token} if token is not None else {}), **fields}).encode()
        return self.responder.post(GUEST_PATH, self.auth_of(app), body, extra={"CONTENT_TYPE": "application/json"})

    def issued(self, app=APP, **fields):
        answer = self.ask(None, app, **fields)
        self.assertEqual(200, answer.status, answer.body)
        return answer.json["chatToken"]

    def refused(self, token, app=APP, **fields):
        answer = self.ask(token, app, **fields)
        self.assertEqual(REFUSED, answer.error, answer.body)
        self.assertEqual('Bearer error="invalid_token"', answer.header("WWW-Authenticate"))

    def own_claims(self, **changes):
        """Claims of a good guest's token, changed."""
        claims = json.loads(unpadded(self.issued(appUserId="g1").split(".")[1]))
        claims.update(changes)
        return claims

    def own(self, claims, header=None, secret=None):
        """Signed as this app signs."""
        return hs256(header or {"alg": "HS256", "typ": "JWT", "kid": "k1"}, claims,
                     secret or self.site.signing_key())


class Renewal(AccessTokenCase):
    def test_stays_the_same_guest(self):
        first = self.ask(None, appUserName="Anna", appUserProfileImgUrl="https://i/1").json
        answer = self.ask(first["chatToken"])
        self.site.check(answer, user=first["userId"], name="Anna", avatar="https://i/1", role="guest")
        again = self.ask(answer.json["chatToken"], appUserId=first["userId"], appUserName="Anne",
                         appUserProfileImgUrl="https://i/2")
        self.site.check(again, user=first["userId"], name="Anne", avatar="https://i/2", role="guest")

    def test_until_a_day_after_it_expired(self):
        now = int(time.time())
        for expired, good in ((10, True), (86_000, True), (86_460, False), (10_000_000, False)):
            with self.subTest(expired=expired):
                token = self.own(self.own_claims(exp=now - expired, iat=now - expired - 600, nbf=0))
                self.assertEqual(200 if good else 401, self.ask(token).status)

    def test_another_id_beside_it(self):
        token = self.issued(appUserId="g1")
        self.assertEqual(200, self.ask(token, appUserId="g1").status)
        self.assertEqual(200, self.ask(token, appUserId=None).status)
        for user in ("g2", "G1", "g1 ", ""):
            with self.subTest(user=user):
                self.refused(token, appUserId=user)

    def test_what_is_no_string(self):
        self.assertEqual(200, self.ask(None, accessToken=None).status)
        for value in (1, True, [], {}, ["x"]):
            with self.subTest(value=value):
                self.assertEqual((400, "INVALID_HTTP_MESSAGE_BODY"), self.ask(None, accessToken=value).error)


class OutsideIssuer(AccessTokenCase):
    def theirs(self, key="idp.jwk", header=None, **changes):
        claims = {"iss": ISSUER, "aud": "chat", "sub": "u-1|x", "exp": int(time.time()) + 300, "name": "Their Name"}
        claims.update(changes)
        claims = {k: v for k, v in claims.items() if v is not None}
        return pyjwt_sign(claims, read_jwk(self.site, key), **(header or {"kid": "i1"}))

    def test_good(self):
        for token in (self.theirs(), self.theirs(aud=["x", "chat"]), self.theirs(header={"kid": "i1", "typ": "at+jwt"}),
                      self.theirs(nbf=int(time.time()))):
            answer = self.ask(token)
            self.site.check(answer, user="u-1|x", name="GUEST_u-1|x", role="guest")
        renewed = self.ask(self.ask(self.theirs()).json["chatToken"])
        self.assertEqual("u-1|x", renewed.json["userId"])

    def test_times_with_fractions(self):
        """RFC 7519, section 2."""
        now = int(time.time())
        for changes, good in (({"exp": now + 300.5}, True), ({"exp": float(now + 300)}, True),
                              ({"exp": now + 300, "nbf": now - 0.5}, True), ({"exp": now - 0.5}, False),
                              ({"exp": now + 300, "nbf": now + 100.5}, False)):
            with self.subTest(**changes):
                self.assertEqual(200 if good else 401, self.ask(self.theirs(**changes)).status)
        claims = json.dumps({"iss": ISSUER, "aud": "chat", "sub": "u1", "exp": 7})
        for text, good in (("4.1e9", True), ("41E8", True), ("1.9e9", True), ("1e400", True), ("1e9", False),
                           ("-1e400", False), ("4.1e", False)):
            with self.subTest(exp=text):
                token = self.signed_by_idp(claims.replace("7}", text + "}"))
                self.assertEqual(200 if good else 401, self.ask(token).status)

    def signed_by_idp(self, claims):
        jwk = jwt.PyJWK(read_jwk(self.site, "idp.jwk"))
        return jwt.api_jws.encode(claims.encode(), jwk.key, "RS256", {"kid": "i1"})

    def test_not_good(self):
        now = int(time.time())
        for name, changes in {"issuer": {"iss": ISSUER + "/"}, "no issuer": {"iss": None}, "audience": {"aud": "x"},
                              "no audience": {"aud": None}, "no exp": {"exp": None}, "expired": {"exp": now - 1},
                              "not yet": {"nbf": now + 100}, "no sub": {"sub": None}, "empty sub": {"sub": ""},
                              "long sub": {"sub": "x" * 129}, "control": {"sub": "a\n"}}.items():
            with self.subTest(name=name):
                self.refused(self.theirs(**changes))

    def test_keys_and_headers(self):
        self.refused(self.theirs(header={"kid": "r1"}))
        self.refused(self.theirs(key="rsa.jwk"))
        self.refused(self.theirs(header={"kid": "i1", "typ": "logout+jwt"}))
        self.refused(self.theirs(), app="other")


class Attacks(AccessTokenCase):
    def test_good_one_is_good(self):
        self.assertEqual("g1", self.ask(self.own(self.own_claims())).json["userId"])

    def test_alg_none(self):
        for algorithm in ("none", "None", "NONE", "nOnE", ""):
            for signature in ("", "AAAA"):
                with self.subTest(algorithm=algorithm):
                    head = encoded({"alg": algorithm, "typ": "JWT", "kid": "k1"})
                    self.refused(f"{head}.{encoded(self.own_claims())}.{signature}")

    def test_hs256_with_the_rsa_public_key_as_secret(self):
        public = without_private(read_jwk(self.site, "rsa.jwk"))
        from lib.keys import pyjwt_key  # pylint: disable=import-outside-toplevel
        from cryptography.hazmat.primitives import serialization as form  # pylint: disable=import-outside-toplevel
        key = pyjwt_key(public)
        secrets = [key.public_bytes(encoding, style) for encoding, style in (
            (form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo),
            (form.Encoding.PEM, form.PublicFormat.PKCS1),
            (form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo))]
        secrets += [secrets[0].strip(), json.dumps(public).encode(), public["n"].encode()]
        claims = self.own_claims(appId="rsa", aud="rsa")
        for number, secret in enumerate(secrets):
            with self.subTest(secret=number):
                self.refused(self.own(claims, {"alg": "HS256", "typ": "JWT", "kid": "r1"}, secret), app="rsa")
                self.refused(self.own(claims, {"alg": "RS256", "typ": "JWT", "kid": "r1"}, secret), app="rsa")

    def test_embedded_keys(self):
        mine = b"attacker's own secret of 32 bytes"
        jwk = {"kty": "oct", "k": encoded(mine), "kid": "k1"}
        for name, value in {"jwk": jwk, "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/c.pem",
                            "x5c": ["AAAA"]}.items():
            with self.subTest(name=name):
                header = {"alg": "HS256", "typ": "JWT", "kid": "k1", name: value}
                self.refused(self.own(self.own_claims(), header, mine))

    def test_unknown_crit(self):
        for extra in ({"crit": ["x"], "x": 1}, {"crit": []}, {"crit": ["exp"], "exp": 1},
                      {"crit": ["b64"], "b64": True}, {"b64": False}):
            with self.subTest(extra=extra):
                self.refused(self.own(self.own_claims(), {"alg": "HS256", "typ": "JWT", "kid": "k1", **extra}))

    def test_wrong_typ(self):
        for kind in ("at+jwt", "jwt", "JOSE", "", 1, None, ["JWT"]):
            with self.subTest(typ=kind):
                self.refused(self.own(self.own_claims(), {"alg": "HS256", "typ": kind, "kid": "k1"}))
        self.refused(self.own(self.own_claims(), {"alg": "HS256", "kid": "k1"}))

    def test_unknown_kid(self):
        for kid in ("k2", "", "../keys/k1", "k1\0", 1, None):
            with self.subTest(kid=kid):
                self.refused(self.own(self.own_claims(), {"alg": "HS256", "typ": "JWT", "kid": kid}))
        self.refused(self.own(self.own_claims(), {"alg": "HS256", "typ": "JWT"}))

    def test_altered_payload(self):
        head, claims, signature = self.issued(appUserId="g1").split(".")
        altered = json.loads(unpadded(claims))
        altered["sub"] = "g2"
        self.refused(f"{head}.{encoded(altered)}.{signature}")
        for at in range(0, len(claims), 5):
            other = claims[:at] + ("A" if claims[at] != "A" else "B") + claims[at + 1:]
            self.refused(f"{head}.{other}.{signature}")

    def test_truncated(self):
        token = self.issued(appUserId="g1")
        for length in (*range(0, len(token), 11), len(token) - 1):
            with self.subTest(length=length):
                self.refused(token[:length])
        head, claims, _ = token.split(".")
        for text in (f"{head}.{claims}", f"{head}.{claims}.", ".", "..", token + ".", "." + token, f"{token}.{token}"):
            self.refused(text)

    def test_reencoded_base64(self):
        token = self.issued(appUserId="g1")
        head, claims, signature = token.split(".")
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        spare = signature[:-1] + digits[digits.index(signature[-1]) ^ 1]
        self.assertEqual(unpadded(signature), unpadded(spare))
        for text in (f"{head}.{claims}.{spare}", token + "=", f"{head}=.{claims}.{signature}", token + "\n",
                     " " + token, f"{head}.{claims[:9]}\n{claims[9:]}.{signature}",
                     token.replace("-", "+").replace("_", "/") + "="):
            with self.subTest(text=text[-20:]):
                self.refused(text)

    def test_duplicate_members(self):
        claims = self.own_claims()
        text = json.dumps(claims)
        self.refused(self.own((text[:-1] + ', "sub": "g2"}').encode()))
        self.refused(self.own(('{"sub": "g2",' + text[1:]).encode()))
        for header in ('{"alg":"none","alg":"HS256","typ":"JWT","kid":"k1"}',
                       '{"alg":"HS256","typ":"JWT","kid":"k1","kid":"k1"}'):
            self.refused(self.own(claims, header.encode()))

    def test_float_and_string_exp(self):
        later = int(time.time()) + 300
        for exp in (later + 0.5, float(later), str(later), None, True, [later], -1, 0):
            with self.subTest(exp=exp):
                self.refused(self.own(self.own_claims(exp=exp)))
        claims = self.own_claims()
        del claims["exp"]
        self.refused(self.own(claims))
        self.refused(self.own(json.dumps({**claims, "exp": 7}).replace('"exp": 7', '"exp": 1e11').encode()))

    def test_member_token_as_guest_token(self):
        for user in ("1", "2"):
            token = self.responder.post(member_path(user), self.site.auth()).json["chatToken"]
            self.refused(token)
            self.refused(token, appUserId=user)

    def test_another_apps_token(self):
        """With the same key, and with another."""
        self.assertEqual(200, self.ask(self.issued("other"), "other").status)
        self.refused(self.issued("other"))
        self.refused(self.issued("rsa"))
        self.refused(self.issued(), app="rsa")

    def test_it_still_serves(self):
        self.still_serves()
