# SPDX-License-Identifier: MIT
"""Memory, pipes and disks that are used up: no wrong answer, no end, and service again afterwards."""
import contextlib
import fcntl
import os
import pwd
import resource
import threading
import time

from lib.answer import basic
from lib.case import FreshCase
from lib.fcgi import request
from lib.programs import SLOW, programs
from lib.responder import run
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, member_path

GOOD_ENDS = (200, 401, 404, 413, 500, 503, None)  # None: the connection was closed


def address_space(pid):
    """Bytes that a process has mapped."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


class Limited:
    """While a block runs, a process may map only so many bytes more."""

    def __init__(self, process, more):
        self.pid = process.pid
        self.more = more

    def __enter__(self):
        self.before = resource.prlimit(self.pid, resource.RLIMIT_AS)
        resource.prlimit(self.pid, resource.RLIMIT_AS, (address_space(self.pid) + self.more, self.before[1]))

    def __exit__(self, *_):
        resource.prlimit(self.pid, resource.RLIMIT_AS, self.before)


class Memory(FreshCase):
    """With the limit of a host that is full, set while the responder runs."""

    def status(self, responder, *arguments):
        with contextlib.suppress(OSError, AssertionError):
            return responder.exchange(request("POST", *arguments)).status
        return None

    def serves_again(self, responder):
        wait_until("service again", lambda: self.status(responder, GUEST_PATH, self.site.auth(), b"{}") == 200)
        # look-ups that failed for want of memory may have opened the breaker for a moment
        wait_until("members again", lambda: self.status(responder, member_path("1"), self.site.auth()) == 200, 40)

    def test_requests_without_memory(self):
        """Those of strangers, too: large ones, many at once."""
        if SLOW > 1:
            return  # sanitizers and valgrind need all the memory there is
        responder = self.start()
        kinds = [(GUEST_PATH, None, b" " * 60000), (GUEST_PATH, basic("a" * 5000, "b" * 5000), b"{}"),
                 (member_path("1"), self.site.auth()), (GUEST_PATH, self.site.auth(), b"{}"),
                 (member_path("x" * 8000), self.site.auth())]
        for more in (0, 1 << 16, 1 << 18, 1 << 20):
            seen = []
            with Limited(responder.process, more):
                threads = [threading.Thread(target=lambda kind=kind: seen.append(self.status(responder, *kind)))
                           for kind in kinds * 10]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            self.assertTrue(responder.process.running, responder.log_text()[-1000:])
            self.assertEqual((len(threads), set()), (len(seen), set(seen) - set(GOOD_ENDS)))
            self.serves_again(responder)
        self.assertEqual(0, responder.process.stop())

    def test_reload_without_memory(self):
        """3,000 apps need more than there is: the old configuration stays, and the next reload works."""
        if SLOW > 1:
            return
        responder = self.start()
        settings = self.site.settings["apps"]
        for number in range(3000):
            settings[f"app-{number}"] = {**settings[APP], "api_key": f"key-{number}-of-many"}
        self.site.change_app(chat_server_url="wss://new.example.com/")
        for more in (0, 1 << 18, 1 << 20, 1 << 21):
            length = len(responder.log_text())
            with Limited(responder.process, more):
                responder.process.send_signal(1)
                wait_until("the log tells of the reload", lambda: "loaded" in responder.log_text()[length:])
            self.assertTrue(responder.process.running, responder.log_text()[-1000:])
            self.serves_again(responder)
        responder.process.send_signal(1)
        wait_until("the new configuration is in force", lambda: "new.example.com" in responder.post(
            GUEST_PATH, self.site.auth(), b"{}").json["chatServerWebSocketUrl"])
        self.assertEqual(0, responder.process.stop())


class Pipes(FreshCase):
    """Linux gives new pipes 8 KiB or less to a user whose pipes have 64 MiB already."""

    def setUp(self):
        super().setUp()
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user:
            self.scratch.path.chmod(0o777)
            self.site.give_to(self.user)

    def become_user(self):
        if self.user:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def use_up(self):
        """A process of that user which has pipes until no page is left; what ends it."""
        ready, told = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(OSError):
                self.become_user()
                pipes = []
                with contextlib.suppress(OSError):
                    while len(pipes) < 400:
                        pipes.append(os.pipe())
                        fcntl.fcntl(pipes[-1][1], fcntl.F_SETPIPE_SZ, 1 << 20)
                os.write(told, b"x")
                time.sleep(600)
            os._exit(0)  # pylint: disable=protected-access
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.kill, child, 9)
        os.close(told)
        self.assertEqual(b"x", os.read(ready, 1))
        os.close(ready)

    def test_requests_with_many_parameters(self):
        self.use_up()
        responder = self.start(preexec_fn=self.become_user)
        many = {f"HTTP_X_{number}": "v" * 1000 for number in range(60)}
        for _ in range(8):  # more than there are workers
            with responder.connect() as peer:
                peer.send(request("POST", GUEST_PATH, self.site.auth(), b"{}", extra=many))
                self.assertIn(peer.reply().answer.status, (200, 400, 413, 500))
        self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
        self.assertEqual(0, responder.process.stop())


class Descriptors(FreshCase):
    def test_start_with_few(self):
        """It serves, or says that it cannot: what is ready answers."""
        if SLOW > 1:
            return  # sanitizers and valgrind need some of their own
        serves = []
        for most in range(3, 24):
            try:
                responder = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
            except AssertionError as error:
                self.assertRegex(str(error), r"^ended with [1-9]\d*: \S")  # by the loader, or by us
                continue
            serves.append(most)
            self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status, most)
            self.assertEqual(0, responder.process.stop())
        self.assertTrue(serves and serves[0] > 3, serves)
        self.assertEqual(list(range(serves[0], 24)), serves)


class Disk(FreshCase):
    def test_log_on_a_full_disk(self):
        self.site.write({"log": {"level": "debug", "target": "/dev/full"}})
        responder = self.start()
        for _ in range(50):
            self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
        responder.process.send_signal(1)
        self.assertEqual(200, responder.post(member_path("1"), self.site.auth()).status)
        self.assertEqual(0, responder.process.stop())

    def check_full(self, room, *arguments):
        """A command in whose files only so many bytes have room."""
        done = run(["prlimit", f"--fsize={room}", programs().command, *arguments])
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stderr, b"too large|No space|cannot")

    def test_index_on_a_full_disk(self):
        """The compiled file that was there stays, and nothing else is left."""
        compiled = self.site.folder / "members.cdb"
        compiled.write_bytes(b"was here")
        before = sorted(os.listdir(self.site.folder))
        for room in (0, 100, 2100):
            with self.subTest(room=room):
                self.check_full(room, "index", self.site.members)
                self.assertEqual(b"was here", compiled.read_bytes())
                self.assertEqual(before, sorted(os.listdir(self.site.folder)))

    def test_keygen_on_a_full_disk(self):
        path = self.site.folder / "keys" / "new.jwk"
        for room in (0, 20):
            self.check_full(room, "keygen", "HS256", path)
            self.assertFalse(path.exists())
