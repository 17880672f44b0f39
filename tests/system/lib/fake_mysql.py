# SPDX-License-Identifier: MIT
"""As much of MySQL 8 as a look-up needs, since Debian has none: to sign in, and one statement."""
import contextlib
import socket
import threading

from .sql import mysql_greeting

NO_EOF = 1 << 24  # a capability: results end otherwise
OK, EOF, MORE = bytes(7), b"\xfe\0\0\2\0", b"\xfe\0\0\x0a\0"  # more results follow
QUIT, QUERY, PREPARE, EXECUTE = 1, 3, 0x16, 0x17
COLUMNS = ("appUserId", "appUserName")


def text(value):
    return bytes([len(value)]) + value


def column(name):
    parts = (b"def", b"", b"people", b"people", name.encode(), name.encode())
    return b"".join(map(text, parts)) + b"\x0c\x2d\0" + (1024).to_bytes(4, "little") + b"\xfd\0\0\0\0\0"


def error(code, message):
    return b"\xff" + code.to_bytes(2, "little") + b"#HY000" + message.encode()


IDLE = error(4031, "The client was disconnected by the server because of inactivity. See wait_timeout and "
                   "interactive_timeout for configuring this behavior.")


class FakeMySQL:
    """Everyone is Ann."""
    plugin = "mysql"
    announces = EOF  # behind the columns of an answer

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clients = []
        self.signed_in = 0
        self.late = False  # what says that a client was idle arrives together with its next query
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as requests:
            client.sendall(mysql_greeting(tls=False, without=NO_EOF))
            self.read(requests)
            self.send(client, [OK], 2)
            self.signed_in += 1
            self.clients.append(client)
            while (request := self.read(requests)) and request[0] != QUIT:
                if self.late and request[0] == EXECUTE:
                    self.late = False
                    self.send(client, [IDLE])
                    return
                self.send(client, self.answer(request))

    @staticmethod
    def read(requests):
        return requests.read(int.from_bytes(requests.read(4)[:3], "little"))

    @staticmethod
    def send(client, packets, number=1):
        client.sendall(b"".join(len(packet).to_bytes(3, "little") + bytes([number + i]) + packet
                                for i, packet in enumerate(packets)))

    def answer(self, request):
        columns = [*map(column, COLUMNS)]
        if request[0] == QUERY:
            return [OK]
        if request[0] == PREPARE:
            return [b"\0\1\0\0\0" + bytes([len(COLUMNS), 0, 1, 0, 0, 0, 0]), column("?"), EOF, *columns, EOF]
        if request[0] == EXECUTE:
            return [bytes([len(COLUMNS)]), *columns, self.announces, b"\0\0" + text(b"1") + text(b"Ann"), EOF]
        return []

    def end_idle_sessions(self):
        """As from MySQL 8.0.24 on: with a last word."""
        for client in self.clients:
            self.send(client, [IDLE], 0)
            client.shutdown(socket.SHUT_RDWR)
        self.clients.clear()

    def remove(self):
        self.listener.close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
