# SPDX-License-Identifier: MIT
"""What is put under load: a responder behind lighttpd and Apache, three apps, three stores, and what happens to them."""
import asyncio
import json
import os
import signal
import time

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from lib.chat import openssl
from lib.programs import SOURCE, limit, programs, web_user
from lib.responder import RunningResponder, command
from lib.scratch import Scratch
from lib.servers import INSTALLED_SOCKET, Apache, Lighttpd, read_mount
from lib.site import Site
from lib.slapd import Slapd, person
from lib.tokens import unpadded
from lib.upstream import NginxService
from lib.upstream import member as told_by_service

MEMBERS = 400  # of each store
GONE = 10      # of each store, who left long ago
FILES, PEOPLE, SERVICE = "files", "people", "service"  # the apps
PREFIX = "guest_"
CHAT_URLS = ("wss://a.example.com/ws", "wss://b.example.com/ws")  # with the first and the second key
KEY_IDS = ("k-a", "k-b")
APACHE_HEAD = "ServerLimit 16\nThreadsPerChild 100\nMaxRequestWorkers 1600\nStartServers 4\nListenBacklog 2048\n"
LIGHTTPD_HEAD = "server.max-fds = 8192\nserver.max-connections = 4096\nserver.listen-backlog = 2048\n"


def file_members(generation):
    """Everybody's name tells the generation; "leaver" is there in every second one."""
    lines = ["appUserId,appUserName,appUserProfileImgUrl,role,state"]
    lines += [f"f{i},f{i} of {generation},https://img.example.com/f{i}.jpg,{'host' if i % 7 == 0 else ''},active"
              for i in range(MEMBERS)]
    lines += [f"gone{i},left us,,,inactive" for i in range(GONE)]
    lines += [f"leaver,leaver of {generation},,,{'active' if generation % 2 else 'inactive'}"]
    return "\n".join(lines) + "\n"


def slapd_people():
    return "".join([
        *(person(f"p{i}", displayName=f"name of p{i}", labeledURI=f"https://img.example.com/p{i}.jpg",
                 employeeType="host" if i % 7 == 0 else None) for i in range(MEMBERS)),
        *(person(f"gone{i}", displayName="Left us", employeeType="disabled") for i in range(GONE))])


class Scene:
    """Everything running; close() ends it."""

    def __init__(self):
        self.scratch = Scratch()
        try:
            self.build()
        except BaseException:
            self.scratch.close()
            raise

    def build(self):
        self.generation = 0  # of the members file that is in its place
        self.version = 0     # of the configuration: which of the two keys signs
        self.user = web_user()
        self.slapd = Slapd(self.scratch, slapd_people(), others="by anonymous none", schemes=("ldap",))
        self.service = NginxService(self.scratch)
        for i in range(MEMBERS):
            self.service.put(f"s{i}", told_by_service(f"s{i}"))
        for i in range(GONE):
            self.service.put(f"gone{i}", told_by_service(f"gone{i}", state="INACTIVE"))
        self.site = Site(self.scratch.path / "site", file_members(0))
        self.make_settings()
        self.site.write().give_to(self.user)
        self.start_responder()
        self.start_web_servers()

    def make_settings(self):
        settings = self.site.settings
        settings.update(threads=8, request_timeout="2s", log={"level": "error"}, stores={
            "members": {"plugin": "file", "path": "members.csv"},
            # every request asks
            "people": self.slapd.settings(
                timeout="1s", avatar_attribute="labeledURI", role_attribute="employeeType",
                active_filter="(!(employeeType=disabled))", cache={"size": 0}, breaker={"max_open": "1s"}),
            # as most have it
            "service": {"plugin": "rest", "url": self.service.url + "/members/{id}", "timeout": "1s",
                        "cache": {"ttl": "1s"}, "breaker": {"max_open": "1s"}}})
        if "limits = {" in (SOURCE / "conf" / "memberchat.conf.in").read_text():
            settings["limits"] = {"failures": 0}  # all have one address
        apps = settings["apps"] = {}
        for name, store in ((FILES, "members"), (PEOPLE, "people"), (SERVICE, "service")):
            apps[name] = self.site.new_app(name, f"{name}-key", f"secret-of-{name}-{os.urandom(8).hex()}", store=store,
                                           guest_id_prefix=PREFIX)
        for key_id in KEY_IDS:
            self.keygen("HS256", key_id, f"{key_id}.jwk")
        apps[FILES]["token"] = self.files_token()
        apps[FILES]["chat_server_url"] = CHAT_URLS[0]
        private = self.keygen("ES256", "es", "people.pem")
        apps[PEOPLE]["token"] = {"algorithm": "ES256", "key_file": "keys/people.pem", "key_id": "es"}
        apps[PEOPLE]["guests"] = False
        self.public_key = load_pem_public_key(openssl("pkey", "-in", private, "-pubout"))

    def keygen(self, algorithm, key_id, name):
        path = self.site.folder / "keys" / name
        done = command("keygen", "-L", programs().plugins, algorithm, "--key-id", key_id, path)
        if done.returncode:
            raise AssertionError(done.stderr)
        return path

    def files_token(self):
        """The key of this version signs, the other one is still taken."""
        names = [f"keys/{key_id}.jwk" for key_id in KEY_IDS]
        return {"key_file": names[self.version], "previous_keys": [names[1 - self.version]]}

    def start_responder(self):
        folder = self.scratch.path / "run"
        folder.mkdir()
        owner = {}
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
            owner = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        self.responder = RunningResponder(self.scratch, self.site, folder / "mc.sock", **owner)
        self.pid = self.responder.process.pid

    def start_web_servers(self):
        replacements = {INSTALLED_SOCKET: self.responder.address}
        self.lighttpd = Lighttpd(self.scratch, LIGHTTPD_HEAD + read_mount("lighttpd/external.conf", replacements))
        self.apache = Apache(self.scratch, read_mount("apache/proxy-fcgi.conf", replacements), ["proxy", "proxy_fcgi"],
                             head=APACHE_HEAD)

    def hs256_keys(self):
        """Of each app, by key id."""
        keys = self.site.folder / "keys"
        return {FILES: {key_id: unpadded(json.loads((keys / f"{key_id}.jwk").read_text())["k"]) for key_id in KEY_IDS},
                SERVICE: {"k1": (keys / "service.key").read_bytes()}}

    # ---- What happens under load; each runs until it is cancelled ----

    async def reload(self, count):
        """Each second: the other key, and now and then a configuration with a mistake, which nobody may notice."""
        while True:
            await asyncio.sleep(1)
            count["reloads"] += 1
            if count["reloads"] % 5 == 0:
                self.site.put("memberchat.conf", self.site.text().replace("threads", "treads"))
            else:
                self.version = 1 - self.version
                self.site.change_app(FILES, token=self.files_token(), chat_server_url=CHAT_URLS[self.version])
            self.responder.process.send_signal(signal.SIGHUP)

    async def replace_members(self, count):
        """Now and then with something that is not a members file, which is not taken."""
        while True:
            await asyncio.sleep(0.7)
            count["members files"] += 1
            if count["members files"] % 6 == 0:
                self.site.put("members.csv", os.urandom(20_000))
            else:
                self.generation += 1
                self.site.put("members.csv", file_members(self.generation))

    async def restart_slapd(self, count):
        while True:
            await asyncio.sleep(2.5)
            count["slapd restarts"] += 1
            await asyncio.to_thread(self.slapd.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(self.slapd.restart)

    async def restart_service(self, count):
        while True:
            await asyncio.sleep(3.1)
            count["REST restarts"] += 1
            self.service.process.send_signal(signal.SIGQUIT if count["REST restarts"] % 2 else signal.SIGTERM)
            await asyncio.to_thread(self.service.process.popen.wait, limit(30))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(self.service.start)

    def disturbances(self, count):
        return [self.reload(count), self.replace_members(count), self.restart_slapd(count), self.restart_service(count)]

    def settle(self):
        """All good again, and the last of everything in force."""
        self.site.put("members.csv", file_members(self.generation))
        for part in (self.slapd, self.service):
            if not part.process.running:
                part.start()
        self.site.write()
        self.responder.process.send_signal(signal.SIGHUP)
        return time.monotonic()

    def close(self):
        self.scratch.close()
