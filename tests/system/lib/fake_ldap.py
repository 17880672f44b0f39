# SPDX-License-Identifier: MIT
"""Directory servers that misbehave as a real one cannot be made to."""
import socket
import threading

UNBIND, BIND, SEARCH, EXTENDED = 0x42, 0x60, 0x63, 0x77  # RFC 4511, section 4
ANSWERS = {BIND: 0x61, SEARCH: 0x65, EXTENDED: 0x78}


def message(number, operation, code, words=b"", more=b""):
    """One LDAPMessage with a result."""
    body = bytes([0x0a, 0x01, code, 0x04, 0x00, 0x04, len(words)]) + words + more
    inner = bytes([0x02, 0x01, number, operation, len(body)]) + body
    return bytes([0x30, len(inner)]) + inner


def element(tag, content):
    """BER with a length of two bytes."""
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def entry(dn, attributes=b"", **values):
    """A SearchResultEntry with attributes of one value each, or with bytes in the place of these."""
    for name, value in values.items():
        attributes += element(0x30, element(0x04, name.encode()) + element(0x31, element(0x04, value.encode())))
    return element(0x64, element(0x04, dn.encode()) + element(0x30, attributes))


def reference(url):
    """A SearchResultReference."""
    return element(0x73, element(0x04, url.encode()))


class FakeServer:
    """Listens on loopback; handle(connection) has each connection in a thread of its own."""

    def __init__(self, case, backlog=50):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.received = b""
        case.addCleanup(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.handle(connection)
        except OSError:
            pass

    def handle(self, connection):
        """Mute: reads and says nothing."""
        while self.read(connection):
            pass

    def read(self, connection):
        data = connection.recv(65536)
        self.received += data
        return data

    def close(self):
        for one in (self.listener, *self.connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


class Scripted(FakeServer):
    """Answers each kind of request with a result code, or with bytes as they are, or not at all (None)."""

    def __init__(self, case, **script):
        self.script = {BIND: script.get("bind", 0), SEARCH: script.get("search", 0),
                       EXTENDED: script.get("extended", 2)}
        self.requests = []
        super().__init__(case)

    def handle(self, connection):
        while True:
            data = self.read(connection)
            if not data:
                return
            longer = data[1] & 0x7f if data[1] & 0x80 else 0  # bytes of the length
            number, operation = data[4 + longer], data[5 + longer]
            self.requests.append(operation)
            answer = self.answer(number, operation)
            if answer:
                connection.sendall(answer)

    def answer(self, number, operation):
        answer = self.script.get(operation)
        return message(number, ANSWERS[operation], answer, b"scripted") if isinstance(answer, int) else answer


class Listing(Scripted):
    """Answers each search, in order, with entries and a result code."""

    def __init__(self, case, *searches):
        self.searches = list(searches)
        super().__init__(case)

    def answer(self, number, operation):
        if operation != SEARCH or not self.searches:
            return super().answer(number, operation)
        entries, code = self.searches.pop(0)
        head = bytes([0x02, 0x01, number])
        return b"".join(element(0x30, head + one) for one in entries) + message(number, ANSWERS[SEARCH], code, b"listed")


class Recorder(FakeServer):
    """Hands everything on to a real server, and keeps what was sent."""

    def __init__(self, case, port):
        self.target = port
        super().__init__(case)

    def handle(self, connection):
        with socket.create_connection(("127.0.0.1", self.target)) as other:
            threading.Thread(target=self.pump_back, args=(other, connection), daemon=True).start()
            while data := self.read(connection):
                other.sendall(data)

    def pump_back(self, other, connection):
        try:
            while data := other.recv(65536):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Forgetful(FakeServer):
    """Hands everything on to a real server, until it forgets the connections that there are: a firewall that lost
    its state.  They stay open and silent; new ones work."""

    def __init__(self, case, port):
        self.target = port
        self.forgotten = set()
        super().__init__(case)

    def forget(self):
        self.forgotten = set(self.connections)

    def handle(self, connection):
        with socket.create_connection(("127.0.0.1", self.target)) as other:
            threading.Thread(target=self.pump, args=(other, connection, connection), daemon=True).start()
            self.pump(connection, other, connection)

    def pump(self, source, sink, connection):
        try:
            while data := source.recv(65536):
                if connection not in self.forgotten:
                    sink.sendall(data)
        except OSError:
            pass


def black_hole(case):
    """A port on which SYN packets are dropped: a listener with a full queue."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    sockets = [listener]
    case.addCleanup(lambda: [one.close() for one in sockets])
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        sockets.append(filler)
        try:
            filler.connect(listener.getsockname())
        except BlockingIOError:
            pass
    return listener.getsockname()[1]
