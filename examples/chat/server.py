#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The application server of the example: hands out the page, and chat tokens to its people.

It knows who somebody is; memberchat's API secret stays here.  Environment:
  PORT             where to listen on 127.0.0.1
  MEMBERCHAT_URL   where memberchat is mounted
  API_KEY, API_SECRET_FILE
  CONNECT          addresses that the page may connect to besides its own (chat server, other application servers)
  PAGES            origins of pages elsewhere that may ask for tokens here
"""
import base64
import json
import os
import secrets
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOM = "/topic/chat.lobby"
ACCOUNTS = {"ann": "1", "bob": "2"}  # a real one has passwords; whoever is not here is a guest
SESSIONS = {}  # what the browser shows when its token is to be renewed: {"userId", "name"}
FILES = {
    "/": (HERE / "index.html", "text/html; charset=utf-8"),
    "/chat.css": (HERE / "chat.css", "text/css; charset=utf-8"),
    "/chat.js": (HERE / "chat.js", "text/javascript; charset=utf-8"),
    "/page.js": (HERE / "page.js", "text/javascript; charset=utf-8"),
    "/stomp.js": (Path(os.environ.get("NODE_MODULES", HERE / "node_modules")) /
                  "@stomp/stompjs/bundles/stomp.umd.min.js", "text/javascript; charset=utf-8"),
}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
          f"connect-src 'self' {os.environ.get('CONNECT', '')}; base-uri 'none'; form-action 'none'; "
          "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
CREDENTIALS = base64.b64encode(
    f"{os.environ['API_KEY']}:{Path(os.environ['API_SECRET_FILE']).read_text().strip()}".encode()).decode()


def ask_memberchat(path, body=None):
    """(status, answer, Retry-After) of a POST."""
    request = urllib.request.Request(
        f"{os.environ['MEMBERCHAT_URL']}/v2/apps/me/members/{path}", json.dumps(body or {}).encode(),
        {"Authorization": f"Basic {CREDENTIALS}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer), None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers["Retry-After"]


def token_for(person):
    """A person keeps the id of the first token; the browser has no say in it."""
    if person["name"].lower() in ACCOUNTS:
        return ask_memberchat(f"{ACCOUNTS[person['name'].lower()]}/chat-tokens")
    return ask_memberchat("guest-chat-tokens", {"appUserId": person["userId"], "appUserName": person["name"]})


def issue(wish):
    """(status, answer, Retry-After) for {"name": ...} of somebody new or {"session": ...} of somebody known."""
    session, name = wish.get("session"), wish.get("name")
    if session is None:
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 40 or not name.isprintable():
            return 400, {"errorMessage": "A name has 1 to 40 letters or other characters that can be seen."}, None
        session = secrets.token_urlsafe(24)
        if len(SESSIONS) >= 10000:
            SESSIONS.pop(next(iter(SESSIONS)))  # the oldest
        SESSIONS[session] = {"userId": secrets.token_hex(12), "name": name.strip()}
    elif session not in SESSIONS:
        return 401, {"errorMessage": "Please join again."}, None
    status, answer, retry = token_for(SESSIONS[session])
    return status, {**answer, "session": session, "room": ROOM} if status == 200 else answer, retry


class Handler(BaseHTTPRequestHandler):
    """The page's files, and POST /chat-token."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def reply(self, status, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": len(data), "Cache-Control": "no-store",
                   "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
                   "Referrer-Policy": "no-referrer", "Vary": "Origin", **headers}
        if self.headers["Origin"] in os.environ.get("PAGES", "").split():
            headers["Access-Control-Allow-Origin"] = self.headers["Origin"]
            headers["Access-Control-Allow-Headers"] = "Content-Type"
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path, kind = FILES.get(self.path.partition("?")[0], (None, None))
        self.reply(200, path.read_bytes(), kind) if path else self.reply(404, {"errorMessage": "Not here."})

    def do_OPTIONS(self):
        self.reply(204, b"")

    def do_POST(self):
        try:
            wish = json.loads(self.rfile.read(min(abs(int(self.headers["Content-Length"])), 4096)))
            known = self.path == "/chat-token" and isinstance(wish, dict)
            is_json = (self.headers["Content-Type"] or "").startswith("application/json")  # not from a foreign form
        except (TypeError, ValueError):
            known = is_json = False
        if not (known and is_json):
            self.close_connection = True
            self.reply(400, {"errorMessage": "That is not a request for a token."})
            return
        try:
            status, answer, retry = issue(wish)
        except (OSError, ValueError) as error:
            self.log_error("memberchat: %s", error)
            status, answer, retry = 503, {"errorMessage": "Tokens are not to be had just now."}, "2"
        self.reply(status, answer, **({"Retry-After": retry} if retry else {}))


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
