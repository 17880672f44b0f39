# SPDX-License-Identifier: MIT
"""The kit for shared hosts, unpacked into the account of a user of its own."""
import ctypes
import fcntl
import functools
import os
import pwd
import re
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

from .answer import basic
from .scratch import Scratch

API_KEY = "my-app"
SECRET = "a-long-secret-of-the-tests"
KEY_TEXT = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
FIRST_NEW_CALL = 314  # x86-64: what came after Linux 3.10


@functools.cache
def archive():
    """What make kit makes.  Test files run side by side, so one of them makes it."""
    build = Path(os.environ["MEMBERCHAT_BUILD"]).resolve()
    with open(build / "kit.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = sorted(build.glob("memberchat-*-linux-x86_64.tar.gz"))
        programs = [build / "src" / name for name in ("memberchat.cgi", "memberchat.fcgi", "memberchat", ".libs/memberchat")]
        newest = max(program.stat().st_mtime for program in programs if program.exists())
        if not found or found[0].stat().st_mtime < newest:
            subprocess.run(["make", "-C", build, "kit"], check=True, capture_output=True)
        return sorted(build.glob("memberchat-*-linux-x86_64.tar.gz"))[0]


class HostUser:
    """A user of the machine for as long as the tests run; its home is a scratch folder below /var/www,
    where Debian's suEXEC allows programs."""

    def __init__(self, case):
        self.scratch = Scratch()
        case.addClassCleanup(self.scratch.close)
        self.name = f"mc{os.getpid()}{self.scratch.path.name[-4:].lower()}".replace("_", "x")
        self.home = Path("/var/www") / self.name
        Path("/var/www").mkdir(exist_ok=True)
        subprocess.run(["useradd", "--create-home", "--home-dir", self.home, "--shell", "/usr/sbin/nologin", "--user-group",
                        self.name], check=True)
        case.addClassCleanup(self.remove)
        self.home.chmod(0o755)
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid

    def remove(self):
        subprocess.run(["userdel", self.name], check=False, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def own(self, folder):
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


class Kit:
    """An unpacked kit: kit.home is the folder memberchat, kit.web the folder chat-api."""

    def __init__(self, user, home=None, document_root="public_html"):
        self.user = user
        root = Path(home or user.home)
        self.root = root / document_root
        self.home, self.web = root / "memberchat", self.root / "chat-api"
        self.root.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive()) as kit:
            kit.extractall(root)
        (root / "chat-api").rename(self.web)
        self.fill_in()
        (self.root / "index.html").write_text("the site\n")
        user.own(self.home)
        user.own(self.root)

    def fill_in(self):
        """Step 2 of README.txt."""
        conf = self.home / "memberchat.conf"
        text, count = re.subn(r'api_secret( *)= ""', rf'api_secret\1= "{SECRET}"', conf.read_text())
        assert count == 1
        conf.write_text(text)
        (self.home / "my-app.key").write_text(KEY_TEXT + "\n")

    def change(self, old, new):
        conf = self.home / "memberchat.conf"
        text = conf.read_text()
        assert old in text, old
        conf.write_text(text.replace(old, new))
        return conf

    def use_es256(self):
        """A key that takes OpenSSL, which the static program does not have."""
        (self.home / "my-app.key").unlink()
        subprocess.run([self.home / "memberchat", "keygen", "ES256", self.home / "my-app.key"], check=True,
                       capture_output=True)
        self.change("token = {", 'token = { algorithm = "ES256"')
        self.user.own(self.home)

    def log(self):
        path = self.home / "log/memberchat.log"
        return path.read_text() if path.exists() else ""

    @staticmethod
    def auth():
        return basic(API_KEY, SECRET)


def forbid_new_calls():
    """For preexec_fn: every system call that Linux 3.10 did not have answers ENOSYS."""
    load, jump_less, allow, refuse = (0x20, 0, 0, 0), (0x35, 0, 1, FIRST_NEW_CALL), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050026)
    code = b"".join(struct.pack("=HBBI", *step) for step in (load, jump_less, refuse, allow))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")
