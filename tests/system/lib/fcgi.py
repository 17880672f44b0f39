# SPDX-License-Identifier: MIT
"""A FastCGI peer, made for tests: it builds records singly, good and bad."""
import socket
import struct
import time

from .answer import parse_cgi
from .programs import limit

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT = range(1, 11)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1


def record(kind, body=b"", request=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, request, len(body), padding) + body + bytes(padding)


def begin(role=RESPONDER, flags=0, request=1):
    return record(BEGIN, struct.pack(">HB5x", role, flags), request)


def pair(name, value):
    """A name and value; lengths of 128 and more take four bytes."""
    return length(name) + length(value) + name + value


def length(text):
    return bytes([len(text)]) if len(text) < 128 else struct.pack(">I", len(text) | 0x80000000)


def stream(kind, data, chunk=65535, request=1):
    """All of a stream, in records of at most `chunk` bytes, with its end."""
    parts = [data[i:i + chunk] for i in range(0, len(data), chunk)]
    return b"".join(record(kind, part, request) for part in [*parts, b""])


def encode(pairs):
    return b"".join(pair(to_bytes(k), to_bytes(v)) for k, v in pairs)


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def request_pairs(method, uri, auth=None, body=b"", extra=()):
    """The parameters that a web server would send, `extra` ones over them; None leaves one out."""
    values = {
        "REQUEST_METHOD": method, "REQUEST_URI": uri, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
    }
    if body:
        values["CONTENT_TYPE"] = "application/json"
    if auth is not None:
        values["HTTP_AUTHORIZATION"] = auth
    values.update(extra)
    return [(name, value) for name, value in values.items() if value is not None]


def request(method, uri, auth=None, body=b"", extra=(), flags=0):
    """The bytes of a whole, well-formed request."""
    pairs = request_pairs(method, uri, auth, body, extra)
    return begin(flags=flags) + stream(PARAMS, encode(pairs)) + stream(STDIN, body)


class Reply:
    """What came back for one request: output, and how it ended."""

    def __init__(self):
        self.stdout = b""
        self.stderr = b""
        self.ended = False
        self.protocol_status = None

    @property
    def answer(self):
        return parse_cgi(self.stdout)


class Connection:
    """A connection to a responder: ("127.0.0.1", port) or the path of a unix socket."""

    def __init__(self, address, seconds=10):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(limit(seconds))
        self.socket.connect(address if isinstance(address, tuple) else str(address))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, step, pause=0.0):
        for i in range(0, len(data), step):
            self.socket.sendall(data[i:i + step])
            time.sleep(pause)

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def take(self, count):
        """Exactly `count` bytes, or None at the end of the connection."""
        while len(self.buffer) < count:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return None
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def next_record(self):
        """(kind, body), or None at the end of the connection."""
        head = self.take(8)
        if head is None:
            return None
        _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", head)
        body = self.take(size + padding)
        return None if body is None else (kind, body[:size])

    def reply(self):
        """Reads to the end of one request, or of the connection."""
        reply = Reply()
        while not reply.ended:
            found = self.next_record()
            if found is None:
                break
            kind, body = found
            if kind == STDOUT:
                reply.stdout += body
            elif kind == STDERR:
                reply.stderr += body
            elif kind == END:
                reply.ended = True
                reply.protocol_status = body[4]
        return reply

    def closed(self):
        """Whether the other side closes, with nothing more to say."""
        return self.next_record() is None


class Responder:
    """A client for whole requests on a responder's socket; same calls as web.Web."""

    def __init__(self, address):
        self.address = address

    def connect(self, seconds=10):
        return Connection(self.address, seconds)

    def call(self, method, path, *, auth=None, body=b"", headers=None, extra=None):
        """`headers` are HTTP ones; `extra` are parameters as they are."""
        values = {"HTTP_" + k.upper().replace("-", "_"): v for k, v in (headers or {}).items()}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if "HTTP_" + name in values:
                values[name] = values.pop("HTTP_" + name)
        values.update(extra or {})
        return self.exchange(request(method, path, auth, body, values)).record(method, path)

    def post(self, path, auth=None, body=b"", **more):
        return self.call("POST", path, auth=auth, body=body, **more)

    def exchange(self, data):
        with self.connect() as connection:
            connection.send(data)
            reply = connection.reply()
            if not reply.ended:
                raise AssertionError(f"closed without an answer after {reply.stdout[:200]!r}")
            return reply.answer
