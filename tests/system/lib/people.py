# SPDX-License-Identifier: MIT
"""People who chat: each is a client in one node process (chat/clients/), remote-controlled."""
import json
import os
import subprocess
import threading
import time
from pathlib import Path

from .programs import TESTS, limit
from .scratch import wait_until

# Where `npm ci` ran: a copy of chat/clients/, or that folder itself.
CLIENTS = Path(os.environ.get("MEMBERCHAT_CHAT_CLIENTS", TESTS / "chat" / "clients"))


class People:
    """The node process of a script, and who lives in it."""

    def __init__(self, scratch, script, person):
        self.person = person
        self.process = scratch.start(["node", CLIENTS / script], scratch.path / f"{script}.log", text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.everyone = {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.popen.stdout:
            event = json.loads(line)
            self.everyone[event["who"]].events.append(event)

    def command(self, do, who, **details):
        self.process.popen.stdin.write(json.dumps({"do": do, "who": who, **details}) + "\n")
        self.process.popen.stdin.flush()

    def new(self, who):
        assert who not in self.everyone, who
        self.everyone[who] = self.person(self, who)
        return self.everyone[who]

    def log_text(self):
        return self.process.log_text()


class Person:
    """What happened to somebody, and waiting for more of it."""

    def __init__(self, people, who):
        self.people = people
        self.who = who
        self.events = []

    def do(self, what, **details):
        self.people.command(what, self.who, **details)

    def find(self, event, start=0, **details):
        wanted = {"event": event, **details}
        return [found for found in self.events[start:] if wanted.items() <= found.items()]

    def wait(self, *events, start=0, seconds=15, **details):
        """The first of some kinds of events."""
        def probe():
            return [found for found in self.events[start:]
                    if found["event"] in events and details.items() <= found.items()]
        try:
            return wait_until(f"{self.who}: {' or '.join(events)} {details}", probe, seconds)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; there were {self.events} {self.people.log_text()[-1000:]}") from None


class Chatter(Person):
    """Somebody with a STOMP client."""

    def join(self, url, token, rooms=(), user=None, **more):
        """Connects; true when the server took the token."""
        start = len(self.events)
        self.do("join", url=url, headers={"login": user or self.who, "passcode": token}, rooms=list(rooms), **more)
        if self.wait("joined", "error", "closed", start=start)["event"] != "joined":
            return False
        for room in rooms:
            self.wait("listening", to=room, start=start)
        return True

    def listen(self, to):
        """Subscribes; true when the server allowed it."""
        return self.ask("listen", "listening", to=to)

    def say(self, to, text, **headers):
        """Sends; true when the server took the message."""
        return self.ask("say", "said", to=to, text=text, headers=headers)

    def ask(self, what, done, **details):
        start = len(self.events)
        self.do(what, **details)
        return self.wait(done, "error", "closed", start=start)["event"] == done

    def hears(self, text, **details):
        """The message, which must have come once."""
        found = self.wait("message", text=text, **details)
        assert len(self.find("message", text=text)) == 1, self.events
        return found

    def heard(self):
        return [event["text"] for event in self.find("message")]


def settle(seconds=0.5):
    """Long enough for a message that should not come to have come."""
    time.sleep(limit(seconds))
