# SPDX-License-Identifier: MIT
"""Chat tokens, checked without any library but hashlib."""
import base64
import hashlib
import hmac
import json
import re
import time

MEMBERS_OF_AN_ANSWER = ["chatServerWebSocketUrl", "chatToken", "appId", "userId", "userName",
                        "avatarProfileUrl"]
KSUID = re.compile(r"[0-9A-Za-z]{27}")
CLOCK_SKEW = 30  # seconds that iat and nbf lie before now
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def unpadded(text):
    """Base64url as JOSE writes it: no padding, no other alphabet."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise AssertionError(f"not base64url: {text!r}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(token, key):
    """(header, claims) of an HS256 token with a good signature."""
    head, claims, signature = token.split(".")
    wanted = hmac.new(key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(unpadded(signature), wanted):
        raise AssertionError("the signature is wrong")
    return json.loads(unpadded(head)), json.loads(unpadded(claims))


def thumbprint(key):
    """RFC 7638, of a symmetric key."""
    k = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    digest = hashlib.sha256(json.dumps({"k": k, "kty": "oct"}, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def ksuid_time(text):
    """Seconds since the epoch that a KSUID was made at."""
    number = 0
    for letter in text:
        number = number * 62 + BASE62.index(letter)
    return (number >> 128) + 1_400_000_000


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, should be {wanted!r}")


def check_headers(answer):
    equal("Content-Type", answer.header("Content-Type"), "application/json")
    equal("Cache-Control", answer.header("Cache-Control"), "no-store")
    equal("X-Content-Type-Options", answer.header("X-Content-Type-Options"), "nosniff")
    if not answer.header("X-Request-Id"):
        raise AssertionError("no X-Request-Id")


def check_times(claims, ttl):
    for name in ("iat", "nbf", "exp"):
        equal(f"type of {name}", type(claims[name]), int)
    equal("nbf", claims["nbf"], claims["iat"])
    equal("lifetime", claims["exp"] - claims["iat"] - CLOCK_SKEW, ttl)
    if abs(claims["iat"] + CLOCK_SKEW - time.time()) > 30:
        raise AssertionError(f"iat is {claims['iat']}, now is {time.time()}")


def check_claims(claims, body, ttl, role, issuer="memberchat", audience=None):
    check_times(claims, ttl)
    equal("iss", claims["iss"], issuer)
    equal("aud", claims["aud"], audience or body["appId"])
    equal("sub", claims["sub"], body["userId"])
    equal("appId", claims["appId"], body["appId"])
    equal("role", claims["role"], role)
    equal("name", claims.get("name"), body["userName"])
    equal("picture", claims.get("picture", None), body["avatarProfileUrl"])
    if body["avatarProfileUrl"] is None:
        equal("picture among the claims", "picture" in claims, False)
    if not re.fullmatch(r"[0-9a-f]{32}|[A-Za-z0-9_-]{22}", claims["jti"]):
        raise AssertionError(f"jti is not 128 bits: {claims['jti']!r}")


def check_issued(answer, key, app, url, *, user=None, name=None, avatar=None, role="member",
                 kid=None, ttl=None, extended=False, **claims_expected):
    """That an answer of 200 is right: headers, the six members in order, the token."""
    equal("status", (answer.status, answer.body[:200] if answer.status != 200 else b""), (200, b""))
    check_headers(answer)
    body = answer.json
    extra = ["expiresAt", "expiresIn"] if extended else []
    equal("members", list(body), MEMBERS_OF_AN_ANSWER + extra)
    equal("chatServerWebSocketUrl", body["chatServerWebSocketUrl"], url)
    equal("appId", body["appId"], app)
    if user is not None:
        equal("userId", body["userId"], user)
    elif not KSUID.fullmatch(body["userId"]):
        raise AssertionError(f"not a generated id: {body['userId']!r}")
    equal("userName", body["userName"], name if name is not None else "GUEST_" + body["userId"])
    equal("avatarProfileUrl", body["avatarProfileUrl"], avatar)
    header, claims = verify(body["chatToken"], key)
    equal("header", header, {"alg": "HS256", "typ": "JWT", "kid": kid or thumbprint(key)})
    check_claims(claims, body, ttl or (600 if role == "guest" else 900), role, **claims_expected)
    return claims
