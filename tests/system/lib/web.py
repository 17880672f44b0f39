# SPDX-License-Identifier: MIT
"""An HTTP/1.1 client that sends exactly what it is told, however odd."""
import http.client
import socket

from .answer import Answer
from .programs import limit


class Web:
    """One web server on 127.0.0.1; every call is a connection of its own."""

    def __init__(self, port, mount=""):
        self.port = port
        self.mount = mount

    def connect(self, seconds=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout=limit(seconds))

    def call(self, method, path, *, auth=None, body=None, chunks=None, headers=None):
        """`path` is relative to the mount; `chunks` sends the body in chunked coding."""
        fields = {"Host": f"127.0.0.1:{self.port}", "Connection": "close"}
        if auth:
            fields["Authorization"] = auth
        if body is not None or chunks is not None:
            fields["Content-Type"] = "application/json"
        if body is not None:
            fields["Content-Length"] = str(len(body))
        if chunks is not None:
            fields["Transfer-Encoding"] = "chunked"
        fields.update(headers or {})
        head = f"{method} {self.mount}{path} HTTP/1.1\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None) + "\r\n"
        payload = body or b""
        if chunks is not None:
            payload = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
        answer = self.exchange(head.encode("utf-8") + payload, method)
        return answer.record(method, path)

    def post(self, path, auth=None, body=b"", **more):
        return self.call("POST", path, auth=auth, body=body, **more)

    def exchange(self, request, method="POST"):
        with self.connect() as connection:
            try:
                connection.sendall(request)
            except ConnectionError:
                pass  # the server may answer and close before it has read everything
            return read_answer(connection, method)


def read_answer(connection, method="POST"):
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
    except ConnectionError:
        raise
    except http.client.HTTPException as error:
        raise AssertionError(f"not an HTTP answer: {error!r}") from error
    headers = {}
    for name, value in response.getheaders():
        headers.setdefault(name.lower(), []).append(value)
    return Answer(response.status, headers, body)
