# SPDX-License-Identifier: MIT
"""Behind lighttpd: plain CGI, and spawn-fcgi with multiwatch."""
from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.servers import INSTALLED_SOCKET, MOUNT, Lighttpd, read_mount, responder_paths
from lib.supervised import RunningScript


def at_root(text):
    """The mount file with the API at / instead of /chat-api."""
    return text.replace('"^/chat-api(/|$)"', '"^/"').replace('( "/chat-api" => "', '( "/" => "') \
               .replace('memberchat.fcgi" )', 'memberchat.fcgi/" )').replace('PATH" => "/chat-api"', 'PATH" => "/"')


class CgiCase(MountedCase):
    EDIT = None
    MOUNT = MOUNT

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = read_mount("lighttpd/cgi.conf", responder_paths(cls.site), cls.EDIT)
        cls.web = Lighttpd(cls.scratch, text, cls.MOUNT)


class Cgi(MountCases, KilledCases, CgiCase):
    pass


class CgiAtRoot(RootMountCases, CgiCase):
    EDIT = staticmethod(at_root)
    MOUNT = ""


class Multiwatch(MountCases, KilledCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = RunningScript(cls.scratch, cls.site)
        text = read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: cls.backend.address})
        cls.web = Lighttpd(cls.scratch, text)

    def test_two_responders(self):
        self.assertEqual(2, len(self.backend.pids()))
