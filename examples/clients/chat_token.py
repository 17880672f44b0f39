#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A chat token, in Python (3.8 or newer).  usage: chat_token.py member ID | chat_token.py guest [NAME]

From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
Prints the answer.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
"""
import base64
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TRIES = 3
LONGEST_WAIT = 10  # seconds; longer is not worth waiting for


class MemberchatError(Exception):
    """error_code says what is wrong, for programs; "HTTP 502" and the like if something else answered."""

    def __init__(self, error_code, message):
        super().__init__(message)
        self.error_code = error_code


class Memberchat:
    def __init__(self, url, key, secret):
        self.url = url.rstrip("/") + "/v2/apps/me/members/"
        self.authorization = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()

    def member_token(self, member):
        return self.ask(urllib.parse.quote(member, safe="") + "/chat-tokens", b"")

    def guest_token(self, **guest):
        """Takes appUserId, appUserName, appUserProfileImgUrl and accessToken."""
        return self.ask("guest-chat-tokens", json.dumps(guest).encode())

    def ask(self, path, body):
        for left in reversed(range(TRIES)):
            status, wait, answer = self.post(path, body)
            if status == 200:
                return answer
            if status not in (429, 503) or not left or wait > LONGEST_WAIT:
                break
            time.sleep(wait)
        raise MemberchatError(answer.get("errorCode", f"HTTP {status}"),
                              answer.get("errorMessage", "the answer is not from memberchat"))

    def post(self, path, body):
        """Status, Retry-After and the JSON of the answer."""
        request = urllib.request.Request(self.url + path, data=body, headers={
            "Authorization": self.authorization, "Content-Type": "application/json"})
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            wait = answer.headers.get("Retry-After", "1")
            try:
                found = json.loads(answer.read())
            except ValueError:
                found = {}
            return answer.status, int(wait) if wait.isdigit() else 1, found


def main(words):
    memberchat = Memberchat(*(os.environ["MEMBERCHAT_" + name] for name in ("URL", "API_KEY", "API_SECRET")))
    try:
        if len(words) == 2 and words[0] == "member":
            token = memberchat.member_token(words[1])
        elif len(words) in (1, 2) and words[0] == "guest":
            token = memberchat.guest_token(**({"appUserName": words[1]} if words[1:] else {}))
        else:
            print("usage: chat_token.py member ID | chat_token.py guest [NAME]", file=sys.stderr)
            return 64
        print(json.dumps(token))
        return 0
    except MemberchatError as error:
        print(f"{error.error_code}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
