# SPDX-License-Identifier: MIT
"""A memberchat installation in a folder: configuration, key, members, secrets."""
import os
import secrets
import shutil
from pathlib import Path

from .answer import basic
from .tokens import check_issued

APP = "ffl-dev-1"
KEY, SECRET = "demo-key", "demo-secret-demo"
CHAT_URL = "wss://chat.example.com/ws"
GUEST_PATH = "/v2/apps/me/members/guest-chat-tokens"

MEMBERS = """\
appUserId,appUserName,appUserProfileImgUrl,state
1,foobar1,https://img.foobar.com/users/1/profile.jpg,active
2,foobar2,,
3,left us,,inactive
64d0c5f2a1b2c3d4e5f60718,Mongo,,active
a/b,slash,,active
%31,percent,,active
zoë,Zoë,,active
"q,""uote",quoted,,active
"""


def member_path(encoded_id):
    return f"/v2/apps/me/members/{encoded_id}/chat-tokens"


def to_libconfig(value, depth=0):
    """Python values in libconfig's syntax; a dict is a group, a list an array, a tuple a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[ " + ", ".join(to_libconfig(v) for v in value) + " ]"
    if isinstance(value, tuple):
        return "( " + ", ".join(to_libconfig(v, depth + 1) for v in value) + " )"
    indent = "    " * depth
    lines = [f"{indent}    {k} = {to_libconfig(v, depth + 1)}\n" for k, v in value.items()]
    return "{\n" + "".join(lines) + indent + "}"


def merge(target, changes):
    """Changes into a tree of dicts; None takes a key away."""
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


class Site:
    """One app and one members file to begin with; settings is the tree that write() writes."""

    def __init__(self, folder, members=MEMBERS):
        self.folder = Path(folder)
        self.folder.mkdir()
        (self.folder / "keys").mkdir()
        self.conf = self.folder / "memberchat.conf"
        self.members = self.folder / "members.csv"
        self.owner = None
        self.put("members.csv", members)
        self.settings = {
            "threads": 4,
            "log": {"level": "debug"},
            "limits": {"failures": 0},  # tests come with wrong credentials as often as they like
            "stores": {"members": {"plugin": "file", "path": "members.csv"}},
            "apps": {APP: self.new_app(APP, KEY, SECRET)},
        }

    def new_app(self, name, key, secret, **more):
        """The settings of an app, with a fresh key file."""
        self.put(f"keys/{name}.key", secrets.token_hex(32), 0o600)
        app = {"api_key": key, "api_secret": secret, "chat_server_url": CHAT_URL,
               "store": "members", "token": {"key_file": f"keys/{name}.key", "key_id": "k1"}}
        merge(app, more)
        return app

    def put(self, name, content, mode=0o640):
        """Writes a file anew, under a temporary name, and renames it into place."""
        path = self.folder / name
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.chmod(mode)
        if self.owner:
            shutil.chown(fresh, self.owner.pw_uid, self.owner.pw_gid)
        fresh.rename(path)
        return path

    def text(self):
        return "".join(f"{k} = {to_libconfig(v)}\n" for k, v in self.settings.items())

    def write(self, changes=None):
        """Writes the configuration, with `changes` merged into the settings first."""
        merge(self.settings, changes or {})
        self.put("memberchat.conf", self.text())
        return self

    def change_app(self, name=APP, **changes):
        return self.write({"apps": {name: changes}})

    def give_to(self, user):
        """Everything belongs to that user (None: stays as it is)."""
        self.owner = user
        if user:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)
        return self

    def signing_key(self, app=APP):
        return (self.folder / self.settings["apps"][app]["token"]["key_file"]).read_bytes()

    def auth(self, app=APP):
        settings = self.settings["apps"][app]
        return basic(settings["api_key"], settings["api_secret"])

    def check(self, answer, app=APP, **expected):
        """That an answer of 200 is right in all its parts; its claims."""
        settings = self.settings["apps"][app]
        expected = {"kid": settings["token"].get("key_id"), **expected}
        return check_issued(answer, self.signing_key(app), app, settings["chat_server_url"], **expected)
