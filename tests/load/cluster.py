# SPDX-License-Identifier: MIT
"""Two machines with a responder behind lighttpd each, HAProxy in front of them, and slapd on a third."""
import shutil

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http11 import Connection
from lib.chat import openssl
from lib.programs import programs
from lib.responder import RunningResponder, accepts, command
from lib.scratch import Scratch, free_port, wait_until
from lib.servers import INSTALLED_SOCKET, MOUNT, find_server, read_mount
from lib.site import Site
from lib.slapd import Slapd
from scene import FILES, PEOPLE, PREFIX, file_members, slapd_people

MACHINES = ("one", "two")
DIRECTORY = "directory"


class RemoteSlapd(Slapd):
    """slapd on a machine of the network."""

    def __init__(self, scratch, network, people):
        self.address = network.address(DIRECTORY)
        super().__init__(scratch, people, others="by anonymous none", schemes=("ldap",), wrap=network.on(DIRECTORY))

    @property
    def uri(self):
        return f"ldap://{self.address}:{self.port}"

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"slapd ended: {self.process.log_text()[-2000:]}")
        return accepts((self.address, self.port))


class Machine:
    """One that serves: its copy of the configuration, keys and members; responder and lighttpd."""

    def __init__(self, network, name, site):
        self.name, self.address = name, (network.address(name), 80)
        self.scratch = Scratch()
        self.folder = self.scratch.path / "site"
        self.deploy(site)
        copy = Site.__new__(Site)  # only its configuration counts
        copy.conf = self.folder / "memberchat.conf"
        self.responder = RunningResponder(self.scratch, copy, wrap=network.on(name))
        mount = read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: self.responder.address})
        (self.scratch.path / "www").mkdir()
        conf = self.scratch.path / "lighttpd.conf"
        conf.write_text(f"""\
server.document-root = "{self.scratch.path}/www"
server.bind = "{self.address[0]}"
server.port = 80
server.errorlog = "{self.scratch.path}/lighttpd-errors.log"
server.modules = ( "mod_setenv" )
setenv.add-response-header = ( "X-Machine" => "{name}" )
{mount}""")
        self.web = self.scratch.start([*network.on(name), find_server("lighttpd"), "-D", "-f", conf])
        wait_until(f"lighttpd on machine {name}", lambda: accepts(self.address), 20)

    def deploy(self, site):
        """As rsync would."""
        shutil.copytree(site.folder, self.folder, dirs_exist_ok=True)

    def close(self):
        self.scratch.close()


class Cluster:
    """All of it; close() ends it."""

    def __init__(self, network):
        self.network = network
        self.machines = {}
        self.scratch = Scratch()
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        self.generation = 0
        self.slapd = RemoteSlapd(self.scratch, self.network, slapd_people())
        self.site = Site(self.scratch.path / "site", file_members(0))
        self.public_keys = {}
        for key_id in ("es-old", "es-new"):
            self.new_key(key_id)
        self.make_settings()
        self.site.write()
        for name in MACHINES:
            self.machines[name] = Machine(self.network, name, self.site)
        self.start_haproxy()

    def new_key(self, key_id):
        path = self.site.folder / "keys" / f"{key_id}.pem"
        done = command("keygen", "-L", programs().plugins, "ES256", "--key-id", key_id, path)
        if done.returncode:
            raise AssertionError(done.stderr)
        self.public_keys[key_id] = load_pem_public_key(openssl("pkey", "-in", path, "-pubout"))

    def make_settings(self):
        people = self.slapd.settings(timeout="1s", avatar_attribute="labeledURI", role_attribute="employeeType",
                                     active_filter="(!(employeeType=disabled))", cache={"size": 0},
                                     breaker={"max_open": "1s"}, allow_cleartext=True)
        self.site.settings.update(threads=4, request_timeout="2s", log={"level": "info"}, stores={
            "members": {"plugin": "file", "path": "members.csv"}, "people": people})
        apps = self.site.settings["apps"] = {
            name: self.site.new_app(name, f"{name}-key", f"secret-of-app-{name}", store=store, guest_id_prefix=PREFIX)
            for name, store in ((FILES, "members"), (PEOPLE, "people"))}
        for app in apps.values():
            app["token"] = {"algorithm": "ES256"}
        self.sign_with("es-old")

    def sign_with(self, key_id, **others):
        for app in self.site.settings["apps"].values():
            app["token"] = {"algorithm": "ES256", "key_id": key_id, "key_file": f"keys/{key_id}.pem", **others}

    def start_haproxy(self):
        self.port = free_port()
        one, two = (f"{machine.address[0]}:80" for machine in self.machines.values())
        conf = self.scratch.path / "haproxy.cfg"
        conf.write_text("global\n    maxconn 1000\n\n" + read_mount("haproxy/memberchat.cfg", {
            "127.0.0.1:8080": f"127.0.0.1:{self.port}", "192.0.2.11:80": one, "192.0.2.12:80": two}))
        self.haproxy = self.scratch.start([find_server("haproxy"), "-f", conf])
        wait_until("HAProxy", lambda: accepts(("127.0.0.1", self.port)), 20)

    async def open(self):
        connection = await Connection.open(self.port)
        connection.mount = MOUNT
        return connection

    def close(self):
        for part in (*self.machines.values(), self.scratch):
            part.close()
