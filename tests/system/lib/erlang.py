# SPDX-License-Identifier: MIT
"""What servers written in Erlang share: a port mapper and a cookie, of their own and on loopback."""
import os
import secrets
import shutil

from .responder import accepts
from .scratch import free_port, wait_until

LOOPBACK = "{127,0,0,1}"


def find_erlang(name):
    """erl and epmd stay where the distribution has them."""
    found = shutil.which(name)
    if not found:
        raise AssertionError(f"{name}: not installed")
    return found


class Erlang:
    """An epmd for the nodes of one scratch folder, and the environment that they need to use it."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.port = free_port()
        self.home = scratch.path / "erlang"
        self.home.mkdir()
        cookie = self.home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        self.process = scratch.start([find_erlang("epmd"), "-address", "127.0.0.1", "-port", self.port])
        wait_until("epmd", lambda: accepts(("127.0.0.1", self.port)))

    def environment(self, **more):
        """`more` are the variables of one server."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8",
                "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self.port),
                **{name: str(value) for name, value in more.items()}}
