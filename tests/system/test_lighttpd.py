# SPDX-License-Identifier: MIT
"""Behind lighttpd: spawned by it, and on a socket of its own."""
from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.responder import RunningResponder
from lib.servers import INSTALLED_SOCKET, MOUNT, Lighttpd, read_mount, responder_paths

SPAWN_SOCKET = "/run/lighttpd/memberchat.sock"


def spawned(case, edit=None, mount=MOUNT):
    paths = {**responder_paths(case.site), SPAWN_SOCKET: case.scratch.path / "spawn.sock"}
    return Lighttpd(case.scratch, read_mount("lighttpd/spawned.conf", paths, edit), mount)


def at_root(text):
    """The mount file with the API at / instead of /chat-api."""
    text = text.replace('"^/chat-api(/|$)"', '"^/"').replace('"MEMBERCHAT_BASE_PATH" => "/chat-api"',
                                                           '"MEMBERCHAT_BASE_PATH" => "/"')
    return text.replace('"check-local"', '"fix-root-scriptname" => "enable",\n        "check-local"') \
               .replace('( "/chat-api" =>', '( "/" =>')


class Spawned(MountCases, KilledCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = spawned(cls)


class SpawnedAtRoot(RootMountCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = spawned(cls, at_root, mount="")


class SpawnedAtRootUnfixed(RootMountCases, MountedCase):
    """lighttpd counts /v2 to SCRIPT_NAME when fix-root-scriptname is forgotten."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        edit = lambda text: at_root(text).replace('"fix-root-scriptname" => "enable",', "")
        cls.web = spawned(cls, edit, mount="")


class External(MountCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.responder = RunningResponder(cls.scratch, cls.site)
        text = read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: cls.responder.address})
        cls.web = Lighttpd(cls.scratch, text)
