# SPDX-License-Identifier: MIT
"""A REST service that closes kept connections, or drops them without a word."""
import signal
import threading
import time

from lib.programs import limit
from lib.scratch import wait_until
from lib.upstream import answer_well, asked_id, connections_to, http, member
from test_store_rest_faults import FAST, FaultCase


class KeptConnections(FaultCase):
    def test_closed_after_each_answer(self):
        """Without a word: the next request does not suffer."""
        upstream = self.scripted(lambda request, peer: answer_well(request, peer) and False)
        self.serve(upstream.url + "/members/{id}")
        for _ in range(10):
            self.expect("1", 200)

    def closing_script(self, request, peer):
        """Takes the second request of each connection, and closes."""
        number = sum(other.connection == request.connection for other in self.upstream.received)
        if number == 2:
            return False
        return peer.sendall(http(member("1"))) or True

    def test_dead_when_it_is_used(self):
        """A GET is sent once more, on a new connection."""
        self.upstream = self.scripted(self.closing_script)
        self.serve(self.upstream.url + "/members/{id}")
        for _ in range(5):
            self.expect("1", 200)
        self.assertEqual(9, len(self.upstream.received))
        self.assertEqual(5, self.upstream.connections)

    def test_a_post_is_not_repeated(self):
        self.upstream = self.scripted(self.closing_script)
        self.serve(self.upstream.url + "/find", method="POST", body='"{id}"', **FAST)
        self.expect("1", 200)
        self.expect("1", 503)
        self.assertEqual(2, len(self.upstream.received))
        self.expect("1", 200)

    def test_dead_again_and_again(self):
        """Sent twice at most."""
        upstream = self.scripted(lambda request, peer: request.connection == 1 and answer_well(request, peer))
        self.serve(upstream.url + "/members/{id}", **FAST)
        self.expect("1", 200)
        upstream.script = lambda request, peer: False
        self.expect("1", 503)
        self.assertEqual(3, len(upstream.received))

    def test_a_broken_answer_is_not_asked_for_again(self):
        upstream = self.scripted_once(lambda request, peer: peer.sendall(http(member("1"))[:60]))
        self.expect("2", 200)
        before = len(upstream.received)
        self.expect("1", 503)
        self.assertEqual(before + 1, len(upstream.received))

    def test_a_reload_closes_idle_ones(self):
        upstream = self.scripted(answer_well)
        self.serve(upstream.url + "/members/{id}", **FAST)
        self.expect("1", 200)
        self.assertEqual(1, len(connections_to(upstream.port)))
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the connection is closed", lambda: not connections_to(upstream.port), 5)
        self.expect("1", 200)


class SilentDrop(FaultCase):
    """A firewall has lost its state: nothing comes back on the connections that there are, new ones are fine."""

    CROWD = 8

    def crowd(self):
        """So many requests at once, and their statuses."""
        statuses = []
        threads = [threading.Thread(target=lambda user=user: statuses.append(self.ask(f"u{user}").status))
                   for user in range(self.CROWD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def serve_and_drop(self, path="/members/{id}", **keys):
        together = threading.Barrier(self.CROWD)
        self.dropped = 0  # connections up to this number are dead

        def script(request, peer):
            if request.connection <= self.dropped:
                time.sleep(4)
                return False
            if not self.dropped:
                together.wait(10)  # each on a connection of its own
            user = request.body.decode().strip('"') or asked_id(request)
            return peer.sendall(http(member(user))) or True
        self.upstream = self.scripted(script)
        self.serve(self.upstream.url + path, {"threads": 16}, **keys)
        self.assertEqual([200] * self.CROWD, self.crowd())
        self.dropped = self.upstream.connections
        self.assertEqual(self.CROWD, self.dropped)

    def test_each_request_is_answered_on_a_new_connection(self):
        """Within the default deadline; and none tries an old connection after that."""
        self.serve_and_drop()
        began = time.monotonic()
        self.assertEqual([200] * self.CROWD, self.crowd())
        self.assertLess(time.monotonic() - began, limit(3))
        before = len(self.upstream.received)
        for _ in range(self.CROWD):
            self.within(0.5, "1", 200)
        self.assertEqual(before + self.CROWD, len(self.upstream.received))

    def test_a_deadline_shorter_than_the_timeout(self):
        """A part of it is kept for the second try."""
        self.serve_and_drop(timeout="10s")
        self.assertEqual([200] * self.CROWD, self.crowd())

    def test_one_late_answer_is_enough(self):
        self.serve_and_drop()
        self.expect("1", 200)
        self.within(0.5, "1", 200)
        self.assertEqual([200] * self.CROWD, self.crowd())
        late = [request for request in self.upstream.received[self.CROWD:] if request.connection <= self.CROWD]
        self.assertEqual(1, len(late))

    def test_a_post_is_not_repeated(self):
        """But the next goes out on a new connection."""
        self.serve_and_drop("/find", method="POST", body='"{id}"')
        self.expect("1", 503)
        self.within(0.5, "1", 200)

    def test_a_service_that_is_slow_on_new_connections(self):
        """It is asked twice at most, and within the deadline."""
        self.serve_and_drop()
        self.dropped = 1000
        self.within(3.2, "1", 503)
        self.assertEqual(self.CROWD + 2, len(self.upstream.received))
        self.within(3.2, "1", 503)
        self.assertEqual(self.CROWD + 3, len(self.upstream.received))
