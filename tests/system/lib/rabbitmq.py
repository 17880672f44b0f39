# SPDX-License-Identifier: MIT
"""A real RabbitMQ with STOMP over WebSocket, in a scratch folder on free ports."""
import signal
from pathlib import Path

from .erlang import LOOPBACK
from .programs import limit
from .responder import accepts
from .scratch import free_port, wait_until
from .servers import read_mount

# The wrappers in /usr/sbin change the user and read /etc.
SCRIPTS = Path("/usr/lib/rabbitmq/bin")
ADDITIONS = """
listeners.tcp = none
log.file = false
log.console = true
"""
PLUGINS = ["rabbitmq_web_stomp", "rabbitmq_auth_backend_oauth2"]


def find_script(name):
    if not (SCRIPTS / name).is_file():
        raise AssertionError(f"{SCRIPTS / name}: rabbitmq-server is not installed")
    return SCRIPTS / name


class Rabbitmq:
    """A node with the files of conf/claims/.  `public_keys` are PEM files by key id, `edit` a change to
    advanced.config, `cluster` nodes that run already."""

    def __init__(self, scratch, erlang, app, public_keys, edit=str, name="rabbit", cluster=()):
        self.node = f"{name}@localhost"
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self.folder = scratch.path / name
        self.folder.mkdir()
        self.put("rabbitmq.conf", self.conf(app, public_keys) + ADDITIONS + self.peers(cluster))
        self.put("advanced.config", edit(read_mount("claims/rabbitmq-advanced.config", {"my-app": app})))
        self.put("plugins", f"[{','.join(PLUGINS)}].\n")
        self.environment = erlang.environment(**self.variables())
        self.process = scratch.start([find_script("rabbitmq-server")], self.folder / "log", env=self.environment)

    def conf(self, app, public_keys):
        line = "auth_oauth2.signing_keys.2026-11 = /etc/rabbitmq/2026-11.pub.pem"
        keys = [f"auth_oauth2.signing_keys.{name} = {path}" for name, path in public_keys.items()]
        return read_mount("claims/rabbitmq.conf", {
            "web_stomp.tcp.listener = 127.0.0.1:15674": f"web_stomp.tcp.listener = 127.0.0.1:{self.port}",
            "resource_server_id = my-app": f"resource_server_id = {app}",
            line: "\n".join(keys),
        })

    def put(self, name, text):
        (self.folder / name).write_text(text)

    def peers(self, cluster):
        names = [self.node, *(other.node for other in cluster)] if cluster else []
        lines = [f"cluster_formation.classic_config.nodes.{n} = {name}\n" for n, name in enumerate(names)]
        return "".join(["cluster_formation.peer_discovery_backend = classic_config\n", *lines] if lines else [])

    def variables(self):
        return {
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": self.folder / "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "plugins",
            "RABBITMQ_CONF_ENV_FILE": self.folder / "none",
            "RABBITMQ_MNESIA_BASE": self.folder / "mnesia",
            "RABBITMQ_LOG_BASE": self.folder / "logs",
            "RABBITMQ_DIST_PORT": free_port(),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {LOOPBACK}",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server
        }

    def wait(self):
        """Until it takes connections; several can be started before."""
        wait_until(f"RabbitMQ on port {self.port}", self.ready, 60)
        return self

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"RabbitMQ ended: {self.log_text()[-3000:]}")
        return accepts(("127.0.0.1", self.port)) and "Server startup complete" in self.log_text()

    def log_text(self):
        return self.process.log_text()

    def kill(self):
        """kill -9, as a machine that goes dark."""
        self.process.send_signal(signal.SIGKILL)
        self.process.popen.wait(limit(10))
