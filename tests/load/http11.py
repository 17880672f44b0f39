# SPDX-License-Identifier: MIT
"""A small HTTP/1.1 client for asyncio that hides nothing: what is not a whole answer is an error."""
import asyncio
import re
import socket
import struct

from lib.answer import Answer, collect_headers
from lib.programs import limit

PATIENCE = 180  # seconds for an answer; longer is a hang, however busy the machine is


class NoAnswer(AssertionError):
    """The connection ended with not one byte of an answer."""


def request(method, mount_path, auth=None, body=None, close=False, fields=()):
    lines = [f"{method} {mount_path} HTTP/1.1", "Host: 127.0.0.1"]
    if auth:
        lines.append(f"Authorization: {auth}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, *fields, "", ""]).encode() + (body or b"")


class Connection:
    """One connection to a web server."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.served = 0

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), limit(PATIENCE)))

    async def exchange(self, data, method="POST"):
        """The answer; the server may close a kept connection just before a request: then there is none."""
        try:
            self.writer.write(data)
            answer = await asyncio.wait_for(self.answer(method), limit(PATIENCE))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise AssertionError(f"cut off: {error!r}") from None
        except asyncio.TimeoutError:
            raise AssertionError(f"no answer within {limit(PATIENCE):g} s") from None
        self.served += 1
        return answer

    async def answer(self, method):
        try:
            first = await self.reader.readexactly(1)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise NoAnswer("closed without an answer") from None
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head[:-4].split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", status)
        if not found:
            raise AssertionError(f"bad status line {status!r}")
        headers = collect_headers(lines)
        return Answer(int(found[1]), headers, b"" if method == "HEAD" else await self.body(headers))

    async def body(self, headers):
        if headers.get("transfer-encoding") == ["chunked"]:
            parts = []
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
            return b"".join(parts)
        lengths = headers.get("content-length", [])
        if len(lengths) != 1:
            raise AssertionError(f"Content-Length {lengths}")
        return await self.reader.readexactly(int(lengths[0]))

    @property
    def is_over(self):
        return self.reader.at_eof() or self.writer.is_closing()

    def close(self):
        self.writer.close()

    def reset(self):
        """Ends it with RST, as a host that is switched off."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
