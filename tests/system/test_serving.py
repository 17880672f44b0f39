# SPDX-License-Identifier: MIT
"""Who serves what: look-ups that take their time, peers that do not read, and hosts that give little."""
import contextlib
import os
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.case import FreshCase, at_once
from lib.fcgi import KEEP, request
from lib.programs import SLOW, limit, programs
from lib.responder import as_argument, environment
from lib.site import APP, GUEST_PATH, member_path


class Askers(FreshCase):
    """`threads` look-ups at once, and everything else goes on meanwhile."""

    def start_slow(self, delay, threads=1, state_path=None, **top):
        more = {"state_path": state_path} if state_path else {}
        self.site.write({"stores": {"slow": {"plugin": "slow", "delay": delay, "breaker": {"failures": 0},
                                             "cache": {"size": 0}, **more}},
                         "apps": {APP: {"store": "slow"}}, "threads": threads, **top})
        return self.start()

    def look_up(self, responder, name="u1"):
        began = time.monotonic()
        answer = responder.post(member_path(name), self.site.auth())
        return answer.status, time.monotonic() - began

    def test_ready_while_all_look_ups_are_taken(self):
        responder = self.start_slow("1500ms")
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(self.look_up, responder)
            time.sleep(limit(0.2))
            ready = responder.call("GET", "/readyz")
            self.assertEqual((200, 200), (ready.status, taken.result()[0]))

    def test_waiting_requests_are_refused_in_time(self):
        """One look-up takes longer than the others may wait for it."""
        responder = self.start_slow("2s", request_timeout="400ms")
        answers = at_once(12, lambda i: self.look_up(responder, f"u{i}"))
        self.assertEqual({503}, {status for status, _ in answers})
        self.assertLess(max(seconds for _, seconds in answers), limit(0.8))

    def test_guests_do_not_wait_for_look_ups(self):
        responder = self.start_slow("2s", threads=2)
        with ThreadPoolExecutor(8) as pool:
            taken = [pool.submit(self.look_up, responder, f"u{i}") for i in range(8)]
            time.sleep(limit(0.2))
            for flags in (0, KEEP):
                began = time.monotonic()
                with responder.connect() as peer:
                    peer.send(request("POST", GUEST_PATH, self.site.auth(), b"{}", flags=flags))
                    self.assertEqual(200, peer.reply().answer.status)
                self.assertLess(time.monotonic() - began, limit(0.5))
            self.assertIn(200, {look_up.result()[0] for look_up in taken})

    def test_guests_while_a_near_directory_hangs(self):
        """Those who accept wait for a near directory themselves; when it begins to hang, others accept."""
        state = self.site.folder / "state"
        crowd = 2 * os.cpu_count() + 3
        responder = self.start_slow("0ms", threads=crowd + 4, state_path=str(state), request_timeout="1500ms")
        for round_ in range(3):
            self.assertEqual({200}, {self.look_up(responder)[0] for _ in range(20)})
            state.write_text("hang")
            with ThreadPoolExecutor(crowd) as pool:
                taken = [pool.submit(self.look_up, responder, f"u{i}") for i in range(crowd)]
                time.sleep(limit(0.1))
                for _ in range(10):
                    began = time.monotonic()
                    answer = responder.post(GUEST_PATH, self.site.auth(), b"{}")
                    self.assertEqual(200, answer.status)
                    self.assertLess(time.monotonic() - began, limit(0.2), f"round {round_}")
                self.assertEqual({503}, {look_up.result()[0] for look_up in taken})
            state.write_text("up")
        self.assertEqual(200, self.look_up(responder)[0])
        self.assertEqual(0, responder.process.stop())


class PeersThatDoNotRead(FreshCase):
    def test_kept_connections_that_never_read(self):
        """Thirty of them ask and ask; the others' answers come as fast as ever."""
        responder = self.start()
        ask = request("POST", GUEST_PATH, self.site.auth(), b"{}", flags=KEEP)
        over = threading.Event()

        def flood(peer):
            peer.socket.settimeout(0.2)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    peer.send(ask)

        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(responder.connect()) for _ in range(30)]
            flooders = [threading.Thread(target=flood, args=(peer,)) for peer in peers]
            stack.callback(over.set)
            for flooder in flooders:
                flooder.start()
            time.sleep(limit(2))  # by then nothing more fits into their sockets
            began = time.monotonic()
            for _ in range(100):
                self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
            self.assertLess(time.monotonic() - began, limit(2))
            over.set()
            for flooder in flooders:
                flooder.join()

    def test_descriptors_of_an_idle_responder(self):
        """No pipes: where a user's pages for pipes are used up, a pipe holds little."""
        responder = self.start()
        self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
        kinds = []
        for entry in Path(f"/proc/{responder.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # the request's connection is being closed
                kinds.append(str(entry.readlink()) if int(entry.name) > 2 else "")
        self.assertFalse([kind for kind in kinds if kind.startswith("pipe:")], kinds)


class FailedStarts(FreshCase):
    """A new process that fails leaves the old one and its socket alone, wherever it fails."""

    def start_beside(self, old, kind, value):
        argv = [programs().responder, "-c", self.site.conf, "-L", programs().plugins,
                "-s", as_argument(old.address)]

        def limited():
            resource.setrlimit(kind, (value, value))
        return self.scratch.start(argv, env=environment(), preexec_fn=limited)

    def check_limits(self, kind, values):
        old = self.start()
        failed = 0
        for value in values:
            new = self.start_beside(old, kind, value)
            end = time.monotonic() + limit(2)
            while new.running and "ready," not in new.log_text() and time.monotonic() < end:
                time.sleep(0.01)
            if new.running:
                new.stop()
                old.process.stop()
                self.scratch.path.joinpath("mc.sock").unlink(missing_ok=True)
                old = self.start()
                continue
            failed += 1
            self.assertNotEqual("", new.log_text(), f"ended without a word: {value}")
            self.assertEqual(200, old.post(GUEST_PATH, self.site.auth(), b"{}").status, value)
        self.assertGreater(failed, 1)
        left = [path.name for path in self.scratch.path.iterdir() if path.name.startswith("mc.sock.")]
        self.assertEqual([], left)

    def test_few_descriptors(self):
        self.check_limits(resource.RLIMIT_NOFILE, range(4, 14))


class LittleMemory(FreshCase):
    def test_as_many_threads_as_there_are(self):
        """It serves with what it gets, at least one thread, and says which limit is short."""
        if SLOW > 1:
            return  # sanitizers need all the memory there is
        self.site.write({"threads": 256})
        responder = self.start(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (120 << 20, 120 << 20)))
        responder.expect_log(r"only \d+ of \d+ threads could be started.*ulimit -v")
        responder.expect_log("ready,")
        self.assertEqual(200, responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
        self.assertEqual(0, responder.process.stop())
