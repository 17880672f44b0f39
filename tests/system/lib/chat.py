# SPDX-License-Identifier: MIT
"""Tokens for a chat server, from the responder behind lighttpd."""
import base64
import hashlib
import hmac
import json
import shutil
import subprocess

from .answer import basic
from .case import ScratchCase
from .programs import SOURCE, programs, web_user
from .responder import RunningResponder, command
from .servers import INSTALLED_SOCKET, Lighttpd, read_mount
from .site import APP, GUEST_PATH, Site, member_path
from .tokens import unpadded

KEY_ID = "2026-11"  # as in conf/claims/
MEMBERS = """\
appUserId,appUserName,role
1,Ann,member
2,Bob,member
*,Everyone,member
"""


class ChatCase(ScratchCase):
    """A site with a template of conf/claims/, its responder and lighttpd.  A subclass starts its chat server
    between prepare() and serve()."""

    @classmethod
    def prepare(cls, template, algorithm="ES256"):
        cls.site = Site(cls.scratch.path / "site", MEMBERS)
        shutil.copy(SOURCE / "conf" / "claims" / template, cls.site.folder)
        cls.app = cls.site.settings["apps"][APP]
        cls.app["guest_id_prefix"] = "guest_"  # as conf/claims/README.md has it
        cls.app["token"] = {"algorithm": algorithm, "key_id": KEY_ID, "claims": template,
                            "key_file": cls.new_key(algorithm, KEY_ID)}

    @classmethod
    def new_key(cls, algorithm, name, kind="pem"):
        """A private key of the site; beside it, for others, what keygen printed, NAME.pub.jwk, and NAME.pub.pem."""
        path = cls.site.folder / "keys" / f"{name}.{kind}"
        done = command("keygen", "-L", programs().plugins, algorithm, "--key-id", name, path)
        if done.returncode:
            raise AssertionError(done.stderr)
        path.with_suffix(".pub.jwk").write_text(done.stdout)
        if kind == "pem":
            openssl("pkey", "-in", path, "-pubout", "-out", path.with_suffix(".pub.pem"))
        return f"keys/{path.name}"

    @classmethod
    def public_key(cls, name=KEY_ID):
        return cls.site.folder / "keys" / f"{name}.pub.pem"

    @classmethod
    def serve(cls, more_mounts=""):
        cls.site.write().give_to(web_user())
        cls.responder = RunningResponder(cls.scratch, cls.site)
        mount = read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: cls.responder.address})
        cls.web = Lighttpd(cls.scratch, mount + more_mounts)

    @classmethod
    def add_app(cls, name, **changes):
        """Another app with the key of the first, but for the changes."""
        token = {**cls.app["token"], **changes}
        cls.site.settings["apps"][name] = {**cls.app, "api_key": f"{name}-key", "token": token}

    def member(self, user, app=APP):
        return self.ask(member_path(user), app, b"")

    def guest(self, app=APP, **fields):
        return self.ask(GUEST_PATH, app, json.dumps(fields).encode())

    def ask(self, path, app, body):
        """The six members of an answer."""
        settings = self.site.settings["apps"][app]
        answer = self.web.post(path, basic(settings["api_key"], settings["api_secret"]), body)
        self.assertEqual(200, answer.status, answer)
        return answer.json


def openssl(*arguments, stdin=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


def encode(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token):
    """Header, claims and signature."""
    header, claims, signature = token.split(".")
    return json.loads(unpadded(header)), json.loads(unpadded(claims)), unpadded(signature)


def rebuilt(token, sign=None, header=(), **claims):
    """A token with other members in it, with a new signature by sign(text), or with the one that it had."""
    old_header, old_claims, signature = parts(token)
    text = encode({**old_header, **dict(header)}) + "." + encode({**old_claims, **claims})
    return f"{text}.{encode(sign(text.encode()) if sign else signature)}"


def hs256(key):
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()


def es256(key_file):
    """By openssl, whose DER becomes r and s side by side (RFC 7518, 3.4)."""
    def sign(text):
        der = openssl("dgst", "-sha256", "-sign", key_file, stdin=text)[2:]
        r, s = der[2:2 + der[1]], der[4 + der[1]:]
        return r[-32:].rjust(32, b"\0") + s[-32:].rjust(32, b"\0")
    return sign
