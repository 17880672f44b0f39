# SPDX-License-Identifier: MIT
"""Keys of every algorithm, and two libraries that nobody here wrote: PyJWT and npm's jose."""
import base64
import json
import os
import subprocess
from pathlib import Path

import jwt

from .programs import TESTS, limit
from .responder import command

ALGORITHMS = ("HS256", "HS384", "HS512", "ES256", "RS256", "PS256", "EdDSA")
PUBLIC = ALGORITHMS[3:]
CLIENTS = Path(os.environ.get("MEMBERCHAT_CLIENTS", TESTS / "clients"))
NOT_PRIVATE = ("kty", "crv", "n", "e", "x", "y", "kid", "alg", "use")


def keygen(site, algorithm, name, *options):
    """Makes a key file of the site by the command; the public JWK that it prints."""
    path = site.folder / "keys" / name
    done = command("keygen", algorithm, *options, path)
    if done.returncode:
        raise AssertionError(f"keygen {algorithm}: {done.stderr}")
    return json.loads(done.stdout)


def read_jwk(site, name):
    return json.loads((site.folder / "keys" / name).read_text())


def without_private(jwk):
    return {k: v for k, v in jwk.items() if k in NOT_PRIVATE}


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pyjwt_key(jwk, private=False):
    """A JWK as PyJWT wants it.  (The private numbers of an RSA key would be tested for being prime.)"""
    if jwk["kty"] == "oct":
        return decoded(jwk["k"])
    return jwt.PyJWK(jwk if private else without_private(jwk), algorithm=jwk["alg"]).key


def pyjwt_verify(token, jwk, audience, issuer="memberchat"):
    """The claims, if PyJWT takes the token."""
    return jwt.decode(token, pyjwt_key(jwk), algorithms=[jwk["alg"]], audience=audience, issuer=issuer,
                      options={"require": ["exp", "iat", "nbf", "sub"]})


def pyjwt_sign(claims, jwk, **header):
    return jwt.encode(claims, pyjwt_key(jwk, private=True), algorithm=jwk["alg"], headers=header)


def jose(jobs):
    """What npm's jose makes of a list of jobs (clients/jose.mjs)."""
    done = subprocess.run(["node", CLIENTS / "jose.mjs"], input=json.dumps(jobs).encode(),
                          capture_output=True, timeout=limit(60), check=False)
    if done.returncode:
        raise AssertionError(f"jose: {done.stderr.decode()[-2000:]}")
    return json.loads(done.stdout)
