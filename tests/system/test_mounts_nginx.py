# SPDX-License-Identifier: MIT
"""Behind nginx, with the systemd units."""
import os
import shutil
import socket
import stat
import time

from lib.case import Load
from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.programs import limit, web_user
from lib.responder import run
from lib.servers import INSTALLED_SOCKET, MOUNT, Nginx, read_mount
from lib.supervised import RunningService

DEEP_MOUNT = "/a/deeper%20one/chat"


def at_root(text):
    """The mount file with the API at / instead of /chat-api."""
    return text.replace("location ^~ /chat-api/", "location /").replace("BASE_PATH /chat-api", "BASE_PATH /")


def deeper(text):
    return text.replace("^~ /chat-api/", '^~ "/a/deeper one/chat/"').replace("/chat-api", '"/a/deeper one/chat"')


class NginxCase(MountedCase):
    EDIT = None
    MOUNT = MOUNT

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = RunningService(cls.scratch, cls.site)
        cls.addClassCleanup(cls.service.close)
        text = read_mount("nginx/memberchat.conf", {INSTALLED_SOCKET: cls.service.address}, cls.EDIT)
        cls.web = Nginx(cls.scratch, text, cls.MOUNT)


class Mounted(MountCases, KilledCases, NginxCase):
    def test_larger_than_nginx_takes(self):
        self.assertEqual(413, self.guest(b" " * 2_200_000).status)


class AtRoot(RootMountCases, NginxCase):
    EDIT = staticmethod(at_root)
    MOUNT = ""


class AtDeeperPrefix(RootMountCases, NginxCase):
    """With a blank in it, as an administrator writes it and as clients do."""

    EDIT = staticmethod(deeper)
    MOUNT = DEEP_MOUNT


class Units(NginxCase):
    """What the units promise beyond serving."""

    def test_socket_is_for_the_web_server_only(self):
        status = os.stat(self.service.address)
        self.assertEqual(0o660, stat.S_IMODE(status.st_mode))
        self.assertEqual("www-data", self.service.socket.get("Socket", "SocketGroup"))

    def test_requests_wait_for_a_stopped_service(self):
        self.assertEqual(0, self.service.stop())
        with self.web.connect() as waiting:
            body = b"{}"
            waiting.sendall((f"POST {self.web.mount}/v2/apps/me/members/guest-chat-tokens HTTP/1.1\r\n"
                             f"Host: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
                             f"Authorization: {self.site.auth()}\r\n\r\n").encode() + body)
            waiting.settimeout(0.3)
            self.assertRaises(socket.timeout, waiting.recv, 1)
            self.service.start()
            waiting.settimeout(limit(10))
            self.assertEqual(b"HTTP/1.1 200", waiting.recv(12))

    def test_reload(self):
        self.assertEqual("/bin/kill -HUP $MAINPID", self.service.service.get("Service", "ExecReload"))
        starts = self.service.starts
        with Load(self.guest, 2) as load:
            for _ in range(3):
                time.sleep(limit(0.1))
                self.service.process.send_signal(1)
        load.assert_all_answered(3)
        self.assertEqual(starts, self.service.starts)

    def test_systemd_finds_no_fault(self):
        """Only where systemd-analyze is; it is no part of what the tests install."""
        analyze = shutil.which("systemd-analyze")
        if not analyze:
            return
        folder = self.scratch.path / "units"
        folder.mkdir()
        user = web_user()
        for name, text in (("memberchat.socket", self.service.socket_text),
                           ("memberchat.service", self.service.service_text)):
            (folder / name).write_text(text.replace("=memberchat\n", f"={user.pw_name}\n") if user else text)
        done = run([analyze, "verify", "--man=no", folder / "memberchat.service", folder / "memberchat.socket"])
        self.assertEqual((0, b""), (done.returncode, done.stderr))
