# SPDX-License-Identifier: MIT
"""How the responder is started, stopped, reloaded and replaced."""
import os
import signal
import socket
import stat
import subprocess
import time

from lib import fcgi
from lib.answer import basic
from lib.case import FreshCase, Load
from lib.programs import limit, programs
from lib.responder import RunningResponder, accepts, environment, respond
from lib.scratch import free_port, unix_listener, wait_until
from lib.site import APP, GUEST_PATH, member_path

SLOW_STORE = {"plugin": "slow", "delay": "300ms"}


class ProcessCase(FreshCase):
    def guest(self, responder, auth=None):
        return responder.post(GUEST_PATH, auth or self.site.auth(), b"{}")

    def serves(self, responder):
        self.site.check(self.guest(responder), role="guest")


class Listening(ProcessCase):
    """Where the socket comes from."""

    def test_descriptor_0(self):
        """As mod_fcgid, lighttpd and spawn-fcgi start it."""
        path = self.scratch.path / "zero.sock"
        with unix_listener(path) as listener:
            process = self.scratch.start([programs().responder, "-c", self.site.conf], stdin=listener,
                                         env=environment())
        self.serves(fcgi.Responder(path))
        self.assertEqual(0, process.stop())

    def activated(self, path, pid="$$", fds="1", **more):
        """Started as systemd would, with the socket as descriptor 3."""
        script = f'LISTEN_PID={pid} LISTEN_FDS={fds} exec "$0" "$@"'
        with unix_listener(path) as listener:
            return self.scratch.start(
                ["/bin/sh", "-c", script, programs().responder, "-c", self.site.conf], env=environment(**more),
                pass_fds=(3,), preexec_fn=lambda: os.dup2(listener.fileno(), 3))

    def test_socket_activation(self):
        path = self.scratch.path / "three.sock"
        process = self.activated(path, GATEWAY_INTERFACE="CGI/1.1")  # which may leak into it
        self.serves(fcgi.Responder(path))
        self.assertEqual(0, process.stop())
        self.assertTrue(path.exists(), "the socket is not ours to remove")

    def test_activation_meant_for_another(self):
        for pid, fds in (("1", "1"), ("$$", "0"), ("", "1"), ("$$", "x")):
            with self.subTest(pid=pid, fds=fds):
                process = self.activated(self.scratch.path / f"o{pid[-1:]}{fds}.sock", pid, fds)
                self.assertEqual(64, process.wait())

    def test_tcp(self):
        responder = self.start(address=("127.0.0.1", free_port()))
        self.serves(responder)
        self.assertEqual(0, responder.process.stop())

    def test_bad_addresses(self):
        for address in ("unix:", "unix:" + "x" * 200, "127.0.0.1:99999", "127.0.0.1", "nonsense",
                        "127.0.0.1:", ":9000", f"unix:{self.scratch.path}/no/such/folder/mc.sock"):
            with self.subTest(address=address):
                done = respond("-c", self.site.conf, "-s", address)
                self.assertNotIn(done.returncode, (0, -signal.SIGKILL), done.stderr)
                self.assertTrue(done.stderr.strip())

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            done = respond("-c", self.site.conf, "-s", "127.0.0.1:%d" % other.getsockname()[1])
        self.assertNotEqual(0, done.returncode)
        self.assertRegex(done.stderr, "(?i)in use")

    def test_nothing_to_listen_on(self):
        done = respond("-c", self.site.conf)
        self.assertEqual(64, done.returncode, done.stderr)
        self.assertRegex(done.stderr, "(?i)usage")

    def test_bad_options(self):
        for options in (["-x"], ["-c"], ["-s"], ["surplus"]):
            with self.subTest(options=options):
                self.assertEqual(64, respond(*options).returncode)

    def test_version(self):
        done = respond("-V")
        self.assertEqual(0, done.returncode)
        self.assertRegex(done.stdout, r"memberchat\S* .*\d+\.\d+")

    def test_check(self):
        self.assertEqual(0, respond("-t", "-c", self.site.conf).returncode)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([programs().responder, "-t", "-c", self.site.conf], env=environment(), stdout=full,
                                  check=False)
        self.assertEqual(1, done.returncode)
        self.site.change_app(stor="members")
        done = respond("-t", "-c", self.site.conf)
        self.assertEqual(1, done.returncode)
        self.assertIn("stor: unknown key", done.stdout + done.stderr)

    def test_bad_configuration_stops_the_start(self):
        self.site.change_app(store="nothing")
        done = respond("-c", self.site.conf, "-s", f"unix:{self.scratch.path}/mc.sock")
        self.assertNotIn(done.returncode, (0, 64))
        self.assertIn("nothing", done.stderr)


class SocketFile(ProcessCase):
    """What may be at the path already."""

    def setUp(self):
        super().setUp()
        self.path = self.scratch.path / "mc.sock"

    def refused(self):
        done = respond("-c", self.site.conf, "-s", f"unix:{self.path}")
        self.assertNotEqual(0, done.returncode)
        self.assertIn(str(self.path), done.stderr)

    def test_mode(self):
        previous = os.umask(0o077)
        self.addCleanup(os.umask, previous)
        self.start()
        self.assertEqual(0o660, stat.S_IMODE(self.path.stat().st_mode))
        self.assertEqual(["mc.sock"], [p.name for p in self.scratch.path.glob("*sock*")])

    def test_removed_at_the_end(self):
        responder = self.start()
        self.assertEqual(0, responder.process.stop())
        self.assertFalse(self.path.exists())

    def test_removed_while_it_serves(self):
        """Nobody can connect, and the log says why."""
        responder = self.start()
        with responder.connect() as peer:
            peer.send(fcgi.request("POST", GUEST_PATH, self.site.auth(), flags=fcgi.KEEP))
            self.assertEqual(200, peer.reply().answer.status)
            self.path.unlink()
            responder.expect_log(r"error: \S+mc\.sock has been removed: the web server cannot connect any more")
            peer.send(fcgi.request("POST", GUEST_PATH, self.site.auth()))
            self.assertEqual(200, peer.reply().answer.status)
        self.assertEqual(0, responder.process.stop())

    def test_regular_file(self):
        self.path.write_text("precious")
        self.refused()
        self.assertEqual("precious", self.path.read_text())

    def test_folder_and_symbolic_link(self):
        target = self.scratch.path / "target"
        target.write_text("precious")
        self.path.symlink_to(target)
        self.refused()
        self.assertTrue(self.path.is_symlink())
        self.path.unlink()
        self.path.mkdir()
        self.refused()
        self.assertEqual("precious", target.read_text())

    def test_live_socket_of_another_program(self):
        with unix_listener(self.path):
            self.refused()
            self.assertTrue(accepts(self.path))

    def test_stale_socket(self):
        unix_listener(self.path).close()
        self.serves(self.start())

    def test_takeover_loses_nothing(self):
        """A new process on the path of an old one, which is then told to stop, three times under load."""
        old = self.start()
        with Load(lambda: self.guest(old)) as load:
            for _ in range(3):
                time.sleep(limit(0.2))
                new = RunningResponder(self.scratch, self.site, self.path)
                new.expect_log("ready,")
                self.assertEqual(0, old.process.stop())
                self.assertTrue(self.path.exists(), "the old process removed the new one's socket")
                old = new
        load.assert_all_answered(10)


class Stopping(ProcessCase):
    """SIGTERM, SIGINT and SIGUSR1: finish what is in hand, exit 0, within 8 s."""

    SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)

    def setUp(self):
        super().setUp()
        self.site.write({"stores": {"slow": SLOW_STORE}, "apps": {APP: {"store": "slow"}}})

    def test_idle(self):
        for number in self.SIGNALS:
            with self.subTest(signal=number.name):
                responder = self.start()
                began = time.monotonic()
                self.assertEqual(0, responder.process.stop(number))
                self.assertLess(time.monotonic() - began, limit(2))

    def test_request_in_hand(self):
        for number in self.SIGNALS:
            with self.subTest(signal=number.name):
                responder = self.start()
                with responder.connect() as peer:
                    peer.send(fcgi.request("POST", member_path("u1"), self.site.auth()))
                    time.sleep(limit(0.1))
                    responder.process.send_signal(number)
                    self.assertEqual("u1", peer.reply().answer.json["userId"])
                self.assertEqual(0, responder.process.wait())

    def test_second_signal(self):
        responder = self.start()
        with responder.connect() as peer:
            peer.send(fcgi.request("POST", member_path("u1"), self.site.auth()))
            time.sleep(limit(0.1))
            responder.process.send_signal(signal.SIGTERM)
            responder.process.send_signal(signal.SIGTERM)
            self.assertIn(peer.reply().stdout[:11], (b"Status: 200", b""))
        self.assertEqual(0, responder.process.wait())

    def test_stuck_peers_do_not_hold_it_up(self):
        responder = self.start()
        peers = [responder.connect() for _ in range(6)]
        for peer in peers:
            peer.send(fcgi.begin())
        self.assertEqual(0, responder.process.stop())
        for peer in peers:
            peer.socket.close()

    def test_no_end_by_sigpipe(self):
        responder = self.start()
        for _ in range(5):
            with responder.connect() as peer:
                peer.send(fcgi.request("POST", member_path("u1"), self.site.auth()))
        responder.process.send_signal(signal.SIGPIPE)
        time.sleep(limit(0.6))
        self.serves(responder)


class Reloading(ProcessCase):
    """SIGHUP: a new snapshot, no request lost."""

    def reload(self, responder):
        responder.process.send_signal(signal.SIGHUP)

    def test_under_load(self):
        responder = self.start()
        old, second = self.site.auth(), basic("second-key", "second-secret-long")
        with Load(lambda: self.guest(responder, old)) as load:
            time.sleep(limit(0.2))
            self.assertEqual(401, self.guest(responder, second).status)
            self.site.write({"apps": {"second": self.site.new_app("second", "second-key", "second-secret-long")}})
            self.reload(responder)
            wait_until("the second app", lambda: self.guest(responder, second).status == 200)
            for i in range(10):
                self.site.write({"threads": 3 + i % 2})
                self.reload(responder)
                time.sleep(limit(0.03))
        load.assert_all_answered(10)
        self.site.check(self.guest(responder, second), app="second", role="guest")

    def test_changed_secret(self):
        responder = self.start()
        old = self.site.auth()
        self.site.change_app(api_secret="rotated-and-long")
        self.reload(responder)
        wait_until("the new secret", lambda: self.guest(responder).status == 200)
        self.assertEqual(401, self.guest(responder, old).status)

    def test_bad_new_configuration(self):
        responder = self.start()
        self.site.change_app(chat_server_url=None, gests=True)
        self.reload(responder)
        responder.expect_log("gests: unknown key")
        responder.expect_log("chat_server_url")
        good = basic("demo-key", "demo-secret-demo")
        self.assertEqual(200, self.guest(responder, good).status)
        self.site.change_app(chat_server_url="wss://new.example.com/ws", gests=None)
        self.reload(responder)
        wait_until("the mended one", lambda: self.guest(responder).json["chatServerWebSocketUrl"]
                   == "wss://new.example.com/ws")

    def test_request_in_hand_keeps_its_settings(self):
        self.site.write({"stores": {"slow": SLOW_STORE}, "apps": {APP: {"store": "slow"}}})
        responder = self.start()
        with responder.connect() as peer:
            peer.send(fcgi.request("POST", member_path("u1"), self.site.auth()))
            time.sleep(limit(0.1))
            self.site.change_app(api_secret="rotated-and-long", chat_server_url="wss://new.example.com/ws")
            self.reload(responder)
            self.assertEqual("wss://chat.example.com/ws",
                             peer.reply().answer.json["chatServerWebSocketUrl"])

    def test_log_file_is_opened_anew(self):
        log, moved = self.scratch.path / "mc.log", self.scratch.path / "mc.log.1"
        self.site.write({"log": {"target": str(log)}})
        responder = self.start()
        self.serves(responder)
        log.rename(moved)
        self.reload(responder)
        wait_until("a new log file", log.exists)
        self.serves(responder)
        wait_until("lines in the new log file", lambda: log.stat().st_size > 0)

    def test_a_log_that_is_copied_and_truncated(self):
        log = self.scratch.path / "mc.log"
        self.site.write({"log": {"target": str(log)}})
        responder = self.start()
        self.serves(responder)
        os.truncate(log, 0)
        self.reload(responder)
        wait_until("a new line", lambda: log.stat().st_size > 0)
        self.assertNotIn(b"\0", log.read_bytes())

    def test_a_fifo_as_log_that_nobody_reads(self):
        """Start, requests, reload and stop do not wait for it; what was lost is told."""
        log = self.scratch.path / "mc.fifo"
        os.mkfifo(log)
        fifo = os.open(log, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, fifo)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(fifo, b"x" * 4096)
        self.site.write({"log": {"target": str(log)}})
        responder = self.start()
        for secret in ("old" * 6, "new" * 6):
            self.site.change_app(api_secret=secret)
            self.reload(responder)
            auth = basic("demo-key", secret)
            wait_until("the new secret", lambda: self.guest(responder, auth).status == 200)
            self.assertEqual(401, self.guest(responder, basic("demo-key", "bad")).status)
        text = bytearray()

        def told():
            try:
                text.extend(os.read(fifo, 65536))
            except BlockingIOError:
                pass
            return b"ready" in text and b".conf: loaded" in text
        wait_until("what was logged meanwhile", told)
        responder.process.popen.terminate()
        self.assertEqual(0, responder.process.popen.wait(limit(8)))

    def test_kept_socket(self):
        """A reload leaves connections alone."""
        responder = self.start()
        whole = fcgi.request("POST", GUEST_PATH, self.site.auth(), b"{}", flags=fcgi.KEEP)
        with responder.connect() as peer:
            for _ in range(3):
                peer.send(whole)
                self.assertEqual(200, peer.reply().answer.status)
                self.reload(responder)
                time.sleep(limit(0.1))


class Killed(ProcessCase):
    def test_killed_and_started_anew(self):
        """What SIGKILL leaves behind does not keep the next one from starting."""
        responder = self.start()
        responder.process.kill()
        self.assertTrue((self.scratch.path / "mc.sock").exists())
        self.serves(self.start())
