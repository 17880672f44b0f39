# SPDX-License-Identifier: MIT
"""An answer, however it came: over HTTP, FastCGI or CGI."""
import base64
import json
import os


def basic(key, secret):
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


class Answer:
    """Status, headers (lower-case name to list of values) and body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def record(self, method, path):
        """For tests/openapi: appends a line of JSON to the file that MEMBERCHAT_ANSWERS names."""
        file = os.environ.get("MEMBERCHAT_ANSWERS")
        if file and "x-request-id" in self.headers:  # it is memberchat's, not the web server's
            line = json.dumps({"method": method, "path": path, "status": self.status, "headers": self.headers,
                               "body": self.body.decode("utf-8", "replace")})
            output = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.write(output, line.encode() + b"\n")  # at once: other processes append, too
            os.close(output)
        return self

    def header(self, name):
        """The value of a header that may come at most once."""
        values = self.headers.get(name.lower(), [])
        if len(values) > 1:
            raise AssertionError(f"{name}: {len(values)} times in the answer")
        return values[0] if values else None

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise AssertionError(f"no JSON ({error}): {self.status} {self.body[:300]!r}")

    @property
    def error(self):
        """(status, errorCode) of an error answer, which has exactly two members."""
        members = self.json
        if list(members) != ["errorCode", "errorMessage"] or not members["errorMessage"]:
            raise AssertionError(f"not an error answer: {self.status} {self.body[:300]!r}")
        return self.status, members["errorCode"]

    def __repr__(self):
        return f"Answer({self.status}, {self.body[:200]!r})"


def collect_headers(lines):
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise AssertionError(f"bad header line {line!r}")
        headers.setdefault(name.lower(), []).append(value.strip())
    return headers


def parse_cgi(output):
    """The answer of a CGI program or a FastCGI responder."""
    head, blank, body = output.partition(b"\r\n\r\n")
    if not blank:
        raise AssertionError(f"no end of headers in {output[:300]!r}")
    headers = collect_headers(head.decode("latin-1").split("\r\n"))
    status = headers.pop("status", ["200 OK"])[0]
    return Answer(int(status.split()[0]), headers, body)
