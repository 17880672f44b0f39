# SPDX-License-Identifier: MIT
"""A real ejabberd with XMPP over WebSocket, in a scratch folder on a free port."""
from pathlib import Path

from .erlang import LOOPBACK, find_erlang
from .responder import accepts
from .scratch import free_port, wait_until
from .servers import read_mount

ADDITIONS = """
loglevel: debug
modules:
  mod_bosh: {}
"""


def find_libraries():
    """Where Debian has ejabberd and what it is made of."""
    for found in Path("/usr/lib").glob("*/ejabberd-*"):
        return found.parent
    raise AssertionError("ejabberd: not installed")


class Ejabberd:
    """ejabberd with the files of conf/claims/; `key` is a JWK file."""

    DOMAIN = "chat.example.com"

    def __init__(self, scratch, erlang, key, name="ejabberd"):
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self.folder = scratch.path / name
        self.folder.mkdir()
        conf = self.folder / "ejabberd.yml"
        conf.write_text(read_mount("claims/ejabberd.yml", {
            "/etc/ejabberd/memberchat.jwk": key,
            "- port: 5280": f"- port: {self.port}\n    ip: 127.0.0.1",
        }) + ADDITIONS)
        self.log = self.folder / "ejabberd.log"
        environment = erlang.environment(ERL_LIBS=find_libraries(), EJABBERD_CONFIG_PATH=conf, EJABBERD_LOG_PATH=self.log)
        self.process = scratch.start(
            [find_erlang("erl"), "-noinput", "-sname", f"{name}@localhost", "-mnesia", "dir", f'"{self.folder}/data"',
             "-kernel", "inet_dist_use_interface", LOOPBACK, "-s", "ejabberd"], self.folder / "log", env=environment)

    def wait(self):
        wait_until(f"ejabberd on port {self.port}", self.ready, 60)
        return self

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"ejabberd ended: {self.log_text()[-3000:]}")
        return accepts(("127.0.0.1", self.port))

    def log_text(self):
        own = self.log.read_text(errors="replace") if self.log.exists() else ""
        return self.process.log_text() + own
