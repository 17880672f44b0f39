# SPDX-License-Identifier: MIT
"""Whether an answer is right: signature, person, app, completeness."""
import hashlib
import hmac
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lib.site import CHAT_URL
from lib.tokens import KSUID, check_claims, check_headers, equal, unpadded
from lib.tokens import MEMBERS_OF_AN_ANSWER as FIELDS
from scene import CHAT_URLS, FILES, KEY_IDS, PEOPLE, PREFIX, SERVICE

DOWN = (503, "MEMBER_STORE_UNAVAILABLE")


def verify_es256(public_key, signed, signature):
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public_key.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise AssertionError("the signature is wrong") from None


class Judge:
    """Knows the keys, and who is who."""

    def __init__(self, scene):
        self.scene = scene
        self.keys = scene.hs256_keys()

    def claims(self, app, body):
        """What a token says that is rightly signed by the app's key; its key and its chat server belong together."""
        head, payload, signature = body["chatToken"].split(".")
        header = json.loads(unpadded(head))
        signed, signature = f"{head}.{payload}".encode(), unpadded(signature)
        equal("header", sorted(header), ["alg", "kid", "typ"])
        if app == PEOPLE:
            equal("alg, kid", (header["alg"], header["kid"], len(signature)), ("ES256", "es", 64))
            verify_es256(self.scene.public_key, signed, signature)
        else:
            equal("alg", header["alg"], "HS256")
            wanted = hmac.new(self.keys[app][header["kid"]], signed, hashlib.sha256).digest()
            if not hmac.compare_digest(signature, wanted):
                raise AssertionError("the signature is wrong")
        url = CHAT_URLS[KEY_IDS.index(header["kid"])] if app == FILES else CHAT_URL
        equal("chatServerWebSocketUrl", body["chatServerWebSocketUrl"], url)
        return json.loads(unpadded(payload))

    def issued(self, answer, app, user, role, name, avatar):
        """An answer of 200; `name` is a pattern."""
        equal("status", answer.status, 200)
        check_headers(answer)
        body = answer.json
        equal("members", list(body), FIELDS)
        equal("appId", body["appId"], app)
        equal("userId", body["userId"], user if user else body["userId"])
        if not re.fullmatch(name, body["userName"]):
            raise AssertionError(f"userName of {user}: {body['userName']!r}, should be {name}")
        equal("avatarProfileUrl", body["avatarProfileUrl"], avatar)
        check_claims(self.claims(app, body), body, 600 if role == "guest" else 900, role)
        return body

    def member(self, answer, app, number):
        if app == FILES:
            generation = re.fullmatch(rf"f{number} of (\d+)", answer.json["userName"])
            if not generation or int(generation[1]) > self.scene.generation:
                raise AssertionError(f"f{number} is called {answer.json['userName']!r}")
            self.issued(answer, app, f"f{number}", "host" if number % 7 == 0 else "member", ".*",
                        f"https://img.example.com/f{number}.jpg")
        elif app == PEOPLE:
            self.issued(answer, app, f"p{number}", "host" if number % 7 == 0 else "member", f"name of p{number}",
                        f"https://img.example.com/p{number}.jpg")
        else:
            self.issued(answer, app, f"s{number}", "member", f"name of s{number}", None)

    def guest(self, answer, app, asked=None, name=None):
        body = self.issued(answer, app, PREFIX + asked if asked else None, "guest",
                           re.escape(name) if name else "GUEST_.*", None)
        if not body["userId"].startswith(PREFIX):
            raise AssertionError(f"a guest is {body['userId']!r}")
        if not asked and not KSUID.fullmatch(body["userId"].removeprefix(PREFIX)):
            raise AssertionError(f"a new guest is {body['userId']!r}")
        return body

    def refused(self, answer, status, code):
        check_headers(answer)
        equal("error", answer.error, (status, code))
        if status in (401, 503):
            wanted = "www-authenticate" if status == 401 else "retry-after"
            equal(wanted, len(answer.headers.get(wanted, [])), 1)

    def member_or_down(self, answer, app, number):
        """While its store is restarted, "unavailable" is right, too; true: it was."""
        if answer.status == 503 and app != FILES:
            self.refused(answer, *DOWN)
            return True
        self.member(answer, app, number)
        return False

    def nobody(self, answer, app):
        """Somebody who is not there, and never was."""
        if answer.status == 503 and app != FILES:
            self.refused(answer, *DOWN)
        else:
            self.refused(answer, 404, "MEMBER_NOT_FOUND")
