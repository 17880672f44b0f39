# SPDX-License-Identifier: MIT
"""Behind Apache with mod_proxy_fcgi, and with mod_cgi instead of mod_cgid."""
from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.servers import INSTALLED_SOCKET, MOUNT, Apache, apache_at_root, read_mount, responder_paths
from lib.supervised import RunningService


class ProxyCase(MountedCase):
    EDIT = None
    MOUNT = MOUNT

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = RunningService(cls.scratch, cls.site)
        cls.addClassCleanup(cls.service.close)
        text = read_mount("apache/proxy-fcgi.conf", {INSTALLED_SOCKET: cls.service.address}, cls.EDIT)
        cls.web = Apache(cls.scratch, text, ["proxy", "proxy_fcgi"], cls.MOUNT)


class Proxy(MountCases, KilledCases, ProxyCase):
    HEAD_REFUSED = ()


class ProxyAtRoot(RootMountCases, ProxyCase):
    EDIT = staticmethod(apache_at_root)
    MOUNT = ""


class Cgi(MountCases, KilledCases, MountedCase):
    """The same file serves with mod_cgi, that is with the prefork MPM."""

    HEAD_REFUSED = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = read_mount("apache/cgi.conf", responder_paths(cls.site))
        cls.web = Apache(cls.scratch, text, ["cgi"], mpm="prefork")
